"""The rare words of what is left out: names that stand nowhere in what is kept."""

from __future__ import annotations

from headroom_cli.lazy import pattern

WORD = pattern(r"[^\W\d]\w*")
# What stands in strings, and behind the mark of a trailing comment; bounded, and wrong at worst about a few words.
_SAID = pattern(
    r"\"\"\"[^\"]{0,4000}\"\"\"|\"\\\n[^\"]{0,4000}\"|\"[^\"\n]{0,400}\"|'[^'\n]{0,120}'|`[^`]{0,4000}`|\s//[^\n]{0,400}"
    r"|\s# [^\n]{0,400}"
)
_STRING = pattern(r"\"([^\"\n]{0,400})\"|'([^'\n]{0,400})'|`([^`\n]{0,400})`")
_CALL = pattern(r"([^\W\d]\w*)[!?]?\(")
# A line with one of these and a text says what went wrong.
_RAISES = (
    "raise", "throw", "panic", "rror", "Exception", "abort", "atal", "bail!", "ensure", "fail", "Fail", "die(", "exit(",
    "reject", "warn", "expect(",
)  # fmt: skip
_RAISING_LINES = 6  # of a gap that are looked at
_ERROR_WORDS = 3  # of a gap, from the texts of what it raises
# Words of the languages themselves, and names that say nothing of a body.
_COMMON = frozenset(
    """
    if else elif elsif for foreach while do done fi then case esac switch match when break continue return yield
    await async def class fn func fun function struct enum impl trait interface type typedef namespace module
    package import from use using as in is not and or new delete del try catch except finally raise throw throws
    with let const var val mut pub public private protected internal static final abstract override virtual
    extends implements super this self Self cls None True False true false null nil undefined void int long
    short char float double bool boolean byte string str String unsigned signed size_t auto goto default lambda
    pass global nonlocal assert typeof instanceof sizeof end begin rescue ensure unless until loop move ref dyn
    where guard defer go chan make len append echo local print println printf endif ifdef ifndef define include
    """.split()  # noqa: SIM905 - a list of quoted words is three times as long
)
_FILLERS = frozenset(("that", "this", "with", "from", "must", "have", "been", "cannot", "could", "should", "error"))


def visible(text: str) -> set[str]:
    """Return every word that stands in the kept text."""
    return set(WORD.findall(text))


def rare(lines: list[str], seen: set[str], most: int) -> list[str]:
    """Return up to ``most`` names of elided lines that are not in ``seen``, in order of appearance; add them to it.

    What is called and what is raised goes before what is only assigned; a few words of the texts of errors follow.
    """
    text = "\n".join(lines)
    bare = _SAID.sub(" ", text)
    order: dict[str, int] = {}
    for word in WORD.findall(bare):
        if word not in seen and word not in _COMMON and len(word) > 1:
            order[word] = order.get(word, 0) + 1
    told: list[str] = []
    raised: set[str] = set()
    for line in _raising(text):
        raised.update(WORD.findall(line))
        for found in _STRING.finditer(line):
            told += [
                word
                for word in WORD.findall(found.group(found.lastindex or 0))
                if len(word) > 3 and word not in seen and word not in order and word.lower() not in _FILLERS
            ]
    if len(order) > most:
        called = set(_CALL.findall(bare))
        weight = {
            word: 3 * (word in called)
            + 3 * (word in raised)
            + min(times, 3)
            + (len(word) > 3)
            + (word[0].isupper() or "_" in word)
            for word, times in order.items()
        }
        best = set(sorted(order, key=weight.__getitem__, reverse=True)[:most])
        chosen = [word for word in order if word in best]
    else:
        chosen = list(order)
    chosen += dict.fromkeys(told[:_ERROR_WORDS])
    seen.update(chosen)
    return chosen


def _raising(text: str) -> list[str]:
    """Return the first lines that say with a text what went wrong, their heads at most."""
    starts: set[int] = set()
    for stem in _RAISES:
        at = text.find(stem)
        for _ in range(_RAISING_LINES):
            if at < 0:
                break
            starts.add(text.rfind("\n", 0, at) + 1)
            end = text.find("\n", at)
            at = text.find(stem, end) if end >= 0 else -1
    found = [text[start : start + 600].partition("\n")[0] for start in sorted(starts)[:_RAISING_LINES]]
    return [line for line in found if '"' in line or "'" in line or "`" in line]
