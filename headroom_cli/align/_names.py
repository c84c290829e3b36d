"""What stands in a value's place: a short name in braces that says to the model what is meant."""

from __future__ import annotations

from headroom_cli.align.values import SAME
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from headroom_cli.align.values import Value

_NOUNS = {
    "date": ("date", "day", "month", "year", "datum", "fecha"),
    "time": ("time", "timestamp", "clock", "datetime", "uhrzeit", "epoch", "date"),
    "id": ("id", "nonce", "seed", "traceparent", "token"),
    "counter": (),
    "path": ("directory", "folder", "path", "root", "cwd", "workspace", "dir", "scratchpad"),
    "host": ("hostname", "host", "pod", "address", "node", "machine"),
}
_NOW = frozenset(("today", "todays", "today's", "now", "current", "currently", "present", "tonight", "heute", "jetzt"))
_SUBJECTS = ("session", "conversation", "request", "trace", "thread", "run", "job", "task", "message", "user")
_PLAIN = pattern(r"[a-z\u00df-\u00ff\u3400-\u9fff' ]{2,40}$")
_ELSE = {
    "uuid": "id", "path": "temporary path", "process": "process id", "branch": "git branch", "commit": "git commit",
    "counter": "count", "log": "log lines",
}  # fmt: skip


def noun(value: Value) -> str:
    """Return the words for a value: its label where that names a thing, else its kind."""
    kind = "id" if value.kind == "uuid" else value.kind
    words = value.label.split()
    plain = _PLAIN.match(value.label) is not None
    if kind in ("date", "time"):
        if plain and words[-1] in _NOUNS[kind]:
            return value.label
        return f"current {kind}" if not _NOW.isdisjoint(words) else kind
    if kind == "id":
        if plain and words[-1] in _NOUNS["id"]:
            return value.label
        subject = next((word for word in reversed(words) if word in _SUBJECTS), "")
        return f"{subject} id" if subject else "id"
    if plain and (kind == "counter" or (kind in _NOUNS and words[-1] in _NOUNS[kind])):
        return value.label
    return _ELSE.get(kind, kind)


class Names:
    """Gives each value its placeholder. Which one depends on the text around the values, never on the values.

    Places of one noun are numbered in order, also where they happen to be equal today: two dates are equal for a day
    and differ on the next. Only ids and paths that are equal are the same thing.
    """

    __slots__ = ("_counts", "_known", "_taken")

    def __init__(self, texts: Iterable[str]) -> None:
        """``texts`` are all texts of the head: no placeholder may stand in them already."""
        self._taken = texts
        self._counts: dict[str, int] = {}
        self._known: dict[tuple[str, str], str] = {}

    def name(self, value: Value, text: str) -> str:
        """Return the placeholder for a value whose text is given."""
        said = noun(value)
        same = (said, text) if value.kind in SAME else None
        if same is not None and same in self._known:
            return self._known[same]
        while True:
            number = self._counts[said] = self._counts.get(said, 0) + 1
            name = f"{{{said} {number}}}" if number > 1 else f"{{{said}}}"
            if not any(name in other for other in self._taken):
                break
        if same is not None:
            self._known[same] = name
        return name
