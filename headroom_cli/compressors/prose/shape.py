"""Whether a text reads as words and sentences, in any script."""

from __future__ import annotations

from re import IGNORECASE

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Hint

_SAMPLE = 24_000  # characters, in three pieces
_STAMPED = pattern(
    r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\[?[\d.]{6,20}\]|[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d"
    r"|[DIWEF]\d{4} |\S{1,200}:\d{1,7}:"
)
_KEYED = pattern(r"\s{0,40}(?:- )?[\w$./-]{1,60}:(?: [|>][+-]?\d?)?\s{0,3}(?:$|[\w\"'\[{&*$-])")
_PAGE = pattern(r"\s*<(?:!doctype|html|\?xml|svg|rss|feed)\b", IGNORECASE)
_TAGGED = 0.2  # of the lines may begin with a tag
_PATHS = (".md", ".markdown", ".rst", ".adoc", ".asciidoc", ".txt", ".org", ".tex", ".1", ".5", ".8")


def _sample(text: str) -> str:
    if len(text) <= _SAMPLE:
        return text
    piece = _SAMPLE // 3
    middle = len(text) // 2
    return f"{text[:piece]}\n{text[middle : middle + piece]}\n{text[-piece:]}"


def wordiness(text: str) -> float:
    """Return the share of characters on lines that read as words, fenced blocks aside; 0 for an empty text."""
    fenced = False
    wordy = total = 0
    for line in _sample(text).split("\n"):
        bare = line.strip()
        if bare.startswith(("```", "~~~")):
            fenced = not fenced
            continue
        if fenced or not bare:
            continue
        bare = bare[:2000]
        size = len(bare)
        total += size
        if _STAMPED.match(bare):
            continue
        plain = sum(map(len, bare.split()))
        letters = sum(map(len, _LETTERS.findall(bare)))
        spaced = bare.count(" ") >= 2 or not bare.isascii()
        if spaced and letters >= 0.72 * plain:
            wordy += size
    return wordy / total if total else 0.0


# Vowel signs are no letters to `str.isalpha`: whatever is not ASCII counts, frames and arrows aside.
_LETTERS = pattern("[A-Za-z\u00a1-\u218f\u2c00-\U0010ffff]+")


def is_prose(text: str) -> bool:
    """Tell whether most of the text reads as words."""
    return not _is_marked(text) and wordiness(text) >= 0.5 and not is_keyed(text)


def _is_marked(text: str) -> bool:
    """Tell JSON and markup by how they begin; many a page of words begins with a few tags, too."""
    head = text.lstrip()[:1]
    if head != "<":
        return head == "{"
    if _PAGE.match(text):
        return True
    lines = [line for line in map(str.lstrip, _sample(text).split("\n")) if line]
    return sum(line[0] == "<" for line in lines) > _TAGGED * len(lines)


def is_keyed(text: str) -> bool:
    """Tell YAML and its like, whose values may be sentences: a line in five, blank ones aside, gives a key."""
    lines = [line for line in _sample(text).split("\n") if line.strip()]
    keyed = sum(_KEYED.match(line) is not None for line in lines)
    deep = sum(line[:2] in ("  ", "- ") for line in lines)
    return keyed * 5 >= len(lines) and deep * 4 >= len(lines) and keyed >= 4


def sniff(text: str, hint: Hint) -> float:
    """Return the confidence that a text is prose."""
    if _is_marked(text):
        return 0.0
    share = wordiness(text)
    named = hint.path.lower().endswith(_PATHS)
    return min(0.9, 0.75 * share + 0.15 * named) if share >= 0.5 else 0.0
