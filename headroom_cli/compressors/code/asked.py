"""Which functions the user's question is about."""

from __future__ import annotations

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.code.shape import Function, Shape

_WORD = pattern(r"[^\W\d]\w*[?!]?")
_QUOTED = pattern(r"[`'\"]([^`'\"\n]{1,80})[`'\"]|([^\W\d]\w*)\(")
_PIECE = pattern(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_PLACE = pattern(r"([\w.-]{1,80}\.\w{1,6})(?::|\", line |\(|, line |#L)(\d{1,7})|\blines? (\d{1,7})")
# Words of ordinary requests that are also names of functions; only quotes or parentheses make them names.
_PLAIN = frozenset(
    """
    a add all an and any append apply are as ask at be bug build by call can change check class clear close code
    command compare compile connect continue convert copy could count create data debug default delete do does
    done edit end error event exit explain feature fetch file files filter find fix for from function get give
    go handle has have help how i if implement in init input insert into is issue it items its join key keys
    line lines list load log look main make match merge message method module more move name names new next no
    not of on one open or output parent path please pop post print process pull push put query read receive
    refactor reload remove rename render replace report request reset response result return run save search see
    select send server set setup show size so sort split start stop summarize support tell test tests text that
    the them then there these this to token try type up update us use user value values view wait want was we
    what when where which who why will with work works write you your
    """.split()  # noqa: SIM905 - a list of quoted words is three times as long
)
_LONGEST = 20_000  # characters of a question that are read
_MOST = 3  # functions kept because their names share words with the question


class Asked:
    """The functions of one file that a question is about."""

    __slots__ = ("_names", "_rows", "_similar")

    def __init__(self, question: str, command: str, path: str) -> None:
        """Read names, quoted words and places from the question; from the command, the words that are no paths."""
        question = question[-_LONGEST:]
        self._names: set[str] = set()
        self._similar: set[int] = set()
        self._rows: list[int] = []
        for found in _QUOTED.finditer(question):
            for word in _WORD.findall(found.group(1) or found.group(2)):
                self._names.add(word)
        for word in _WORD.findall(question):
            if word.rstrip("?!").lower() not in _PLAIN and len(word) > 2:
                self._names.update((word, word.rstrip("?!")))
        for word in command[:2000].split():
            if "/" not in word and "." not in word and not word.startswith("-") and len(word) > 3:
                self._names.update(name for name in _WORD.findall(word) if name.lower() not in _PLAIN and len(name) > 3)
        base = path.replace("\\", "/").rpartition("/")[2]
        for found in _PLACE.finditer(question):
            if found.group(3) or not base or found.group(1) == base:
                self._rows.append(int(found.group(2) or found.group(3)) - 1)

    def look(self, shape: Shape, question: str) -> None:
        """Choose among a file's functions those whose names are made of the question's words."""
        asked = {_stem(word.rstrip("?!")) for word in _WORD.findall(question[-_LONGEST:].lower())}
        if len(asked) < 2:
            return
        found: list[tuple[float, int, Function]] = []
        for function in shape.functions:
            pieces = [_stem(piece.lower()) for piece in _PIECE.findall(function.name)]
            full = [piece for piece in pieces if piece not in ("test", "get", "set", "is", "the", "a", "to", "of")]
            hits = sum(1 for piece in full if piece in asked)
            if hits >= 2 and hits >= 0.75 * len(full):
                found.append((hits, -function.first, function))
        found.sort(reverse=True, key=lambda entry: entry[:2])
        self._similar = {function.first for _, _, function in found[:_MOST]}

    def wants(self, function: Function) -> bool:
        """Return whether a function's body stays because of the question."""
        return self.weight(function) > 0

    def weight(self, function: Function) -> int:
        """Return 3 for a function at a place that the question gives, 2 for a name in it, 1 for a likeness, else 0."""
        if self._rows and any(function.head <= row <= function.last for row in self._rows):
            return 3
        return 2 if function.name in self._names else int(function.first in self._similar)


def _stem(word: str) -> str:
    """Return a word without the commonest English endings."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word[:-1] if word.endswith("e") and len(word) > 4 else word
