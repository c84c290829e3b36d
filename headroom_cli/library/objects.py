"""Messages that hold objects of the official SDKs: written as plain values for the engine, and put back afterwards.

The SDKs' own message objects are pydantic models. What the engine left as it was comes back as the very object that was
given; what it changed comes back as plain values, and no object is ever edited. A value without such objects is passed
on as it is, so nothing is copied.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# Containers between a request and the deepest message object in it; what lies deeper is arguments of calls and schemas.
_DEPTH = 8
_PLAIN = frozenset((str, int, float, bool, bytes, type(None)))
# What only the answer of a provider has: a turn in a request does not.
_OF_AN_ANSWER = frozenset(("stop_reason", "stop_sequence", "usage"))


class Opened:
    """A request, or a list of messages, as plain values.

    ``value``  the plain value; the given one itself when it holds no objects
    """

    __slots__ = ("_given", "_made", "_outer", "value")

    def __init__(self, given: Any) -> None:
        """Write the objects in ``given`` as plain values."""
        self._outer = given
        self._given: dict[int, Any] = {}  # id of a container that was made here -> what it stands for
        self._made: list[Any] = []  # keeps those containers, so that no other gets the id of one
        self.value = self._plain(given, 0)

    def back(self, made: Any) -> Any:
        """Return what the engine made of ``value``, with the given objects where it left them alone.

        A list of messages that was given as a tuple comes back as one.
        """
        back = self._back(made, 0) if self._made else made
        if type(self._outer) is tuple and isinstance(back, list):
            return tuple(back)
        return back

    def numbered(self) -> dict[int, int]:
        """Return the id of each container in ``value`` -> its number, the same in a copy in another process."""
        return {id(one): number for number, one in enumerate(_containers(self.value, 0))}

    def by_number(self) -> list[Any]:
        """Return the containers in ``value`` by their numbers."""
        return list(_containers(self.value, 0))

    def _plain(self, value: Any, depth: int) -> Any:
        if type(value) in _PLAIN or depth > _DEPTH:
            return value
        if isinstance(value, dict):
            items = {key: self._plain(item, depth + 1) for key, item in value.items()}
            return value if all(items[key] is value[key] for key in value) else self._keep(items, value)
        if isinstance(value, (list, tuple)):
            elements = [self._plain(item, depth + 1) for item in value]
            same = isinstance(value, list) and all(map(_is, elements, value))
            return value if same else self._keep(elements, value)
        written = _written(value)
        return value if written is None else self._keep(written, value)

    def _keep(self, made: Any, given: Any) -> Any:
        self._made.append(made)
        self._given[id(made)] = given
        return made

    def _back(self, made: Any, depth: int) -> Any:
        given = self._given.get(id(made), self)
        if given is not self:
            return given
        if depth > _DEPTH:
            return made
        if isinstance(made, dict):
            items = {key: self._back(item, depth + 1) for key, item in made.items()}
            return made if all(items[key] is made[key] for key in made) else items
        if isinstance(made, list):
            elements = [self._back(item, depth + 1) for item in made]
            return made if all(map(_is, elements, made)) else elements
        return made


def _is(one: Any, other: Any) -> bool:
    return one is other


def _containers(value: Any, depth: int) -> Iterator[Any]:
    """Yield the containers of a plain value, outer ones first; leaves count for nothing."""
    if depth > _DEPTH or not isinstance(value, (dict, list)):
        return
    yield value
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, (dict, list)):
            yield from _containers(item, depth + 1)


def _written(value: Any) -> Any:
    """Return a message object as the SDKs write it into a request, None for what is none."""
    dump = getattr(value, "model_dump", None)
    if not callable(dump) or isinstance(value, type):
        return None
    try:
        written = dump(
            mode="json", by_alias=True, exclude_unset=True, exclude=getattr(value, "__api_exclude__", None),
            warnings=False,
        )  # fmt: skip
    except Exception:  # noqa: BLE001 - an object that cannot be written is nobody's message: it stays what it is
        return None
    if isinstance(written, dict) and written.get("type") == "message" and not _OF_AN_ANSWER.isdisjoint(written):
        # An answer of the Messages API given as a turn; its type is the one that an item of another API has.
        return {name: written[name] for name in ("role", "content") if name in written}
    return written
