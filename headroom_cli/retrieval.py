"""The tool by which a model asks for an original: its name, what it says of itself, and the answers to its calls.

The definition is part of every request of a conversation that has the tool, in front of all that providers cache: its
bytes do not change while this version lasts, and a conversation keeps those that it began with.
"""

from __future__ import annotations

from headroom_cli import engine
from headroom_cli.errors import CorruptError, NotFoundError, StoreError, UsageError
from headroom_cli.lazy import pattern
from headroom_cli.wire._events import Image

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from headroom_cli.store import Store
    from headroom_cli.wire._events import Call

NAME = "retrieve_original_content"
# What a model trained on the other name may call it.
NAMES = frozenset((NAME, "headroom_retrieve"))
DESCRIPTION = (
    "Returns what was left out of a tool result of this conversation. A line <<headroom:HANDLE WHAT>> at the end of a "
    "tool result says that it was shortened and what is missing there; the handle is no file name, path or URL. Call "
    "this only when what is missing matters for the task, and ask for a part of it where that is enough: originals can "
    "be long. The answer is the original text, byte for byte, or the original picture."
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "handle": {"type": "string", "description": "the handle in the marker: 12 or more letters and digits"},
        "lines": {"type": "string", "description": "only these lines, such as 40:80; counted from 1, both included"},
        "rows": {"type": "string", "description": "only these elements of a JSON array, or data lines, such as 1:20"},
        "grep": {"type": "string", "description": "only the lines that match this regular expression"},
        "query": {"type": "string", "description": "only the lines that bear on this question"},
        "area": {"type": "string", "description": "of a picture, only left,top,width,height in its original pixels"},
    },
    "required": ["handle"],
}

MOST_HOPS = 3  # requests for originals in a row, within one turn
MOST_BYTES = 4 << 20  # of originals that one turn may bring into the conversation

_HANDLE = pattern(r"(?:<<headroom:)?([a-z2-7]{12,52})(?![a-z2-7])")
_SLICES = ("lines", "rows", "grep", "query", "area")


class Desk:
    """Answers the calls of one turn, each with a text: an original, a part of one, or why there is none.

    Only handles that were given in this very conversation are served: a handle is no key to what others stored.
    """

    __slots__ = ("_given", "_handles", "_spent", "_store", "_unknown", "served", "stubborn")

    def __init__(self, store: Store, given: Callable[[], set[str]]) -> None:
        """``given`` finds out the handles of this conversation; it is asked when the first call comes."""
        self._store = store
        self._given = given
        self._handles: set[str] | None = None
        self._spent = 0
        self._unknown: set[str] = set()
        self.served = 0  # originals, or parts of them
        self.stubborn = False  # the model asked again for what it was told does not exist

    def answer(self, call: Call) -> str | Image:
        """Return the result of a call; never raise, and never the same refusal twice without saying so."""
        if call.arguments is None:
            return 'The arguments of this call are no JSON object. Give the handle as {"handle": "..."}.'
        asked = call.arguments.get("handle") or call.arguments.get("hash")
        found = _HANDLE.match(asked.strip()) if isinstance(asked, str) else None
        if found is None:
            return self._refused(
                str(asked)[:60], "is no handle. Copy the letters and digits after <<headroom: exactly."
            )
        handle = found[1]
        slices = {name: text for name in _SLICES if (text := _range(call.arguments.get(name)))}
        if self._handles is None:
            self._handles = self._given()
        if handle not in self._handles:
            return self._refused(handle, "stands for nothing in this conversation.")
        try:
            data = engine.fetch(self._store, handle, **slices)
        except NotFoundError:
            return self._refused(handle, "stands for nothing that is still kept.")
        except UsageError as error:
            return f"This part cannot be read: {error}."
        except CorruptError:
            return self._refused(handle, "stands for an original that was damaged on disk.")
        except StoreError as error:
            return self._refused(handle, f"cannot be read now: {error}.")
        from headroom_cli.images import head

        picture = head.of_original(data)
        left = MOST_BYTES - self._spent
        if len(data) > left:
            parts = "lines, rows, grep or query" if picture is None else "area"
            return (
                f"This is {len(data):,} bytes, more than the {left:,} that this turn may still bring. "
                f"Ask for a part with {parts}."
            )
        self._spent += len(data)
        self.served += 1
        if not data:
            return "Nothing in this original is in the part that was asked for."
        if picture is not None:
            import binascii

            return Image(picture.media_type, binascii.b2a_base64(data, newline=False).decode("ascii"))
        return data.decode("utf-8", "replace")

    def state(self) -> tuple[int, frozenset[str], bool, int]:
        """Return (bytes spent, what was unknown, stubborn, originals served): with it another desk can go on."""
        return self._spent, frozenset(self._unknown), self.stubborn, self.served

    def go_on(self, spent: int, unknown: frozenset[str]) -> None:
        """Go on where another desk stopped within the same turn."""
        self._spent, self._unknown = spent, set(unknown)

    def _refused(self, asked: str, why: str) -> str:
        """Return a final answer, so that a model has no reason to try again."""
        self.stubborn = self.stubborn or asked in self._unknown
        self._unknown.add(asked)
        return (
            f"{asked!r} {why} Asking again gives this same answer. Go on with what the conversation shows, or get the "
            "text again the way it was made."
        )


def limit_note(calls: list[Call]) -> str:
    """Return what a turn ends with when the model asks for more originals than one turn may."""
    handles = ", ".join(dict.fromkeys(str(call.arguments.get("handle", "?"))[:52] for call in calls if call.arguments))
    return f"[headroom: the originals asked for in this turn were too many; not fetched: {handles or 'no handle'}]"


def _range(value: Any) -> str:
    """Return a slice as text; models also write numbers, and pairs of them."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and len(value) == 2 and all(isinstance(end, int) for end in value):
        return f"{value[0]}:{value[1]}"
    return ""
