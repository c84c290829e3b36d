"""The rendering of a page: its facts, its text line by line, and what was left out."""

from __future__ import annotations

from headroom_cli.compressors import _blobs
from headroom_cli.compressors.pages.embedded import filled
from headroom_cli.compressors.pages.outline import Outline
from headroom_cli.compressors.pages.pick import within
from headroom_cli.compressors.pages.scan import decoded, tags
from headroom_cli.compressors.pages.shape import headers_end, is_xml
from headroom_cli.compressors.pages.walk import Walker
from headroom_cli.compressors.pages.write import lines
from headroom_cli.model import FENCE, LOSSY, Draft, Hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Want

_PART = 4000  # characters of verbatim text that its own specialist is asked about
_BARE = 500  # characters of text below which a page shows what its scripts hold
_BROKEN = 0.3  # of the text between the tags: a walk that shows less has lost its way


def rendered(text: str, want: Want) -> Draft | None:
    """Return the page as text, with the fewest tokens that the level or the budget asks for; None when time is over."""
    begin = headers_end(text)
    headers = [line.rstrip() for line in text[:begin].split("\n") if line.strip()]
    if begin:
        text = text[begin:]
    if is_xml(text):
        return _outlined(text, headers, want)
    page = Walker(text)
    if want.spent():
        return None

    def verbatim(said: str, number: int) -> list[str]:
        language, code = said.split("\n", 1) if number else ("", said)
        return fenced(code, language, want)

    links = page.linked * 2 > page.shown
    made = lines(page.items, page.urls, links=links, verbatim=verbatim)
    shown = sum(len(line) for item in made for line in item)
    if shown * 20 < len(text) and max(shown, _BARE) < _BROKEN * (page.between + len(text) - len(page.text)):
        everything = _all_text(text)
        if max(shown, _BARE) < _BROKEN * sum(map(len, everything)):
            made = [[line] for line in everything]
    head = headers + _facts(page, made)
    if page.shown < _BARE:
        made.append(filled(page, want))
    if want.spent():
        return None
    missing = f"markup, scripts and styles of {page.tags:,} tags"
    if want.level == "max" or want.budget is not None:
        made, gone = within(made, page.items, want, links=links)
        missing = f"markup of {page.tags:,} tags and {gone:,} lines" if gone else missing
    del page, verbatim
    whole = "\n".join((*head, *(line for item in made for line in item)))
    del made, head  # the lines of a large page take more memory than its text
    out, blobs = _blobs.cut(whole)
    if not out.strip():
        return None
    missing = f"{missing}, {blobs}" if blobs and len(missing) + len(blobs) < 78 else missing
    return Draft(out + ("\n" if text.endswith("\n") else ""), LOSSY, missing)


def _facts(page: Walker, made: list[list[str]]) -> list[str]:
    """Return the lines that say what the page is."""
    head = []
    if page.title:
        head.append(f"title: {page.title}")
    if page.url:
        head.append(f"url: {page.url}")
    if page.refresh:
        head.append(f"refresh: {page.refresh}")
    if page.described and not any(page.described in line for item in made for line in item):
        head.append(f"description: {page.described}")
    return head


def _outlined(text: str, headers: list[str], want: Want) -> Draft | None:
    """Return XML as an outline."""

    def inner(html: str) -> list[str]:
        page = Walker(html)
        found = lines(page.items, page.urls, links=False, verbatim=lambda said, n: said.split("\n", 1)[n:])
        return [line for item in found for line in item]

    outline = Outline(text, inner)
    if want.spent() or not outline.lines:
        return None
    missing = f"markup of {outline.tags:,} tags"
    if outline.comments:
        missing += f", {outline.comments:,} comments"
    made = [[line] for line in outline.lines]
    if want.level == "max" or want.budget is not None:
        made, gone = within(made, [], want, links=False)
        missing += f", {gone:,} lines" if gone else ""
    out, blobs = _blobs.cut("\n".join((*headers, *(line for item in made for line in item))))
    missing = f"{missing}, {blobs}" if blobs and len(missing) + len(blobs) < 78 else missing
    return Draft(out + ("\n" if text.endswith("\n") else ""), LOSSY, missing)


def _all_text(text: str) -> list[str]:
    """Return all that stands between tags, scripts and styles apart: for a page whose structure cannot be trusted."""
    out = []
    at = 0
    before = ""
    for start, end, name, _ in tags(text):
        if start > at and before not in ("script", "style"):
            line = " ".join(decoded(text[at:start]).split())
            if line:
                out.append(line)
        before, at = name, end
    if before not in ("script", "style"):
        out.extend(line for line in (" ".join(decoded(text[at:]).split()),) if line)
    return out


def fenced(code: str, language: str, want: Want) -> list[str]:
    """Return verbatim text between fences; a single line needs none. Big ones are handed to their own specialist."""
    code = code.replace("\r\n", "\n").strip("\n").rstrip()
    if "\n" not in code:
        return [code]
    if code.replace("\n", " ").replace(" ", "").isdigit() and _numbers(code.split()):
        return [f"[... {code.count(chr(10)) + 1:,} lines: line numbers]"]
    if len(code) >= _PART and (language or not _written(code)):
        name = f"x.{_EXTENSIONS.get(language.lower(), language)}" if language else ""
        draft = want.part(code, Hint(tool=FENCE, path=name))
        if draft is not None:
            code = draft.text.rstrip("\n")
    fence = "```"
    while fence in code:
        fence += "`"
    return [f"{fence}{language}", *code.split("\n"), fence]


def _numbers(words: list[str]) -> bool:
    """Tell whether these are the line numbers that stand beside code: each the next one."""
    if len(words) < 3 or len(words[-1]) > 7:
        return False
    first = int(words[0])
    return all(word == str(first + at) for at, word in enumerate(words))


def _written(text: str) -> bool:
    """Tell whether verbatim text is sentences, as RFCs and mails on the web are: those are the page's own text."""
    sample = "".join(text[:6000].split())
    return sum(map(str.isalpha, sample)) * 100 >= 83 * len(sample)


_EXTENSIONS = {
    "python": "py", "javascript": "js", "typescript": "ts", "bash": "sh", "shell": "sh", "ruby": "rb", "rust": "rs",
    "golang": "go", "c++": "cpp", "csharp": "cs", "kotlin": "kt", "yaml": "yml", "markdown": "md",
}  # fmt: skip
