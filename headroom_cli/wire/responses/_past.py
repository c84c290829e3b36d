"""Hidden hops put back into a later request.

A *run* is a stretch of input items that a model made, without a user's message or a result between them: a client sends
a turn back as one. It may have dropped reasoning and ids, and written the rest anew; texts and call ids must be there.
"""

from __future__ import annotations

from headroom_cli.wire.responses._items import (
    held_by_calls,
    held_by_id,
    is_firm,
    key_of,
    kind_of,
    made_by_model,
    sign,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from headroom_cli.formats._edits import Edit

    Find = Callable[[str], Any]
    Signs = list[list[str]]


def restore(request: dict[str, Any], find: Find) -> list[Edit]:
    """Return the edits that give a request its hidden hops back.

    ``find`` is asked once for each run of the input, counted from 0, by "NUMBER KEY", and by the names of ``Turn.held``
    for history that the provider keeps; it returns what ``Turn.past`` gave, or None.
    """
    from headroom_cli.formats._edits import Edit

    items = request.get("input")
    edits = _held(request, find)
    if not isinstance(items, list):
        return edits
    for number, (start, end) in enumerate(_runs(items)):
        signs = [sign(item) for item in items[start:end]]
        entries = _entries(find(f"{number} {key_of(signs)}"))
        places = _places(entries, signs)
        if places is None:
            continue
        paired = any(kind_of(item) == "reasoning" for item in items[start:end]) or not _has_reasoning(entries)
        for place, item in places:
            edits.append(Edit.insert(("input",), start + place, item if paired else _unpaired(item)))
    return edits


def _held(request: dict[str, Any], find: Find) -> list[Edit]:
    """Return the edits of a request whose history the provider keeps: the last hop's id, and our results."""
    from headroom_cli.formats._edits import KEPT, Edit

    items = request.get("input")
    before = request.get("previous_response_id")
    brought = {
        name: index for index, item in enumerate(items) if (name := _answered(item))
    } if isinstance(items, list) else {}  # fmt: skip
    edits = []
    if isinstance(before, str) and before:
        past = find(held_by_id(before))
        last = past.get("id") if isinstance(past, dict) else None
        if last and isinstance(last, str) and last != before:
            edits.append(Edit.put(("previous_response_id",), last))
    elif request.get("conversation") and brought:
        past = find(held_by_calls(brought))
    else:
        return []
    results = past.get("open") if isinstance(past, dict) else None
    if not isinstance(results, list) or not results:
        return edits
    if isinstance(items, list):
        first = min(brought.values(), default=0)
        edits += [Edit.insert(("input",), first, result) for result in results]
    elif isinstance(items, str):
        edits.append(Edit.put(("input",), [*results, {"role": "user", "content": KEPT}]))
    return edits


def _answered(item: Any) -> str:
    """Return the name of the call whose result an input item is, "" for another item."""
    if not isinstance(item, dict) or not (kind_of(item).endswith("_output") or "approval_request_id" in item):
        return ""
    found = item.get("call_id") or item.get("approval_request_id") or item.get("id")
    return found if isinstance(found, str) else ""


def _runs(items: list[Any]) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each stretch of items that a model made."""
    start = -1
    for index, item in enumerate([*items, None]):
        if made_by_model(item):
            start = index if start < 0 else start
        elif start >= 0:
            yield start, index
            start = -1


def _entries(past: Any) -> list[tuple[str, Any]]:
    """Read what ``Turn.past`` gave; nothing for anything else."""
    run = past.get("run") if isinstance(past, dict) else None
    if not isinstance(run, list):
        return []
    known = [tuple(entry) for entry in run if isinstance(entry, list) and len(entry) == 2]
    return known if len(known) == len(run) and all(what in ("seen", "put") for what, _ in known) else []


def _has_reasoning(entries: list[tuple[str, Any]]) -> bool:
    return any(what == "seen" and signed[1] == "reasoning" for what, signed in entries)


def _unpaired(item: Any) -> Any:
    """Return a call without its id: by that the provider would find the reasoning that the client dropped, and refuse
    the call without it ("was provided without its required 'reasoning' item").
    """  # noqa: D205 - one thought
    if kind_of(item) != "function_call":
        return item
    return {key: value for key, value in item.items() if key != "id"}


def _places(entries: list[tuple[str, Any]], signs: Signs) -> list[tuple[int, Any]] | None:
    """Return (place in the run, item) of what is to be put in; None when the run is not what the client was shown."""
    seen = [signed for what, signed in entries if what == "seen" and is_firm(signed)]
    if not entries or seen != [signed for signed in signs if is_firm(signed)]:
        return None
    found: list[tuple[int, Any]] = []
    at = 0  # the run's items before this one are behind us
    stretch: list[tuple[str, Any]] = []  # entries since the last firm item
    for entry in (*entries, None):
        if entry is not None and (entry[0] == "put" or not is_firm(entry[1])):
            stretch.append(entry)
            continue
        end = next((i for i in range(at, len(signs)) if is_firm(signs[i])), len(signs))
        if any(what == "put" for what, _ in stretch):
            placed = _among_loose(stretch, signs[at:end])
            if placed is None:
                return None
            found += [(at + place, item) for place, item in placed]
        stretch = []
        at = end + 1
    return found


def _among_loose(stretch: list[tuple[str, Any]], signs: Signs) -> list[tuple[int, Any]] | None:
    """Return the places between two firm items: each as far behind as the last item shown before it that is there."""
    shown = [signed for what, signed in stretch if what == "seen"]
    matched = _matched(shown, signs)
    if matched is None:
        return None
    found: list[tuple[int, Any]] = []
    place = passed = 0
    for what, value in stretch:
        if what == "put":
            found.append((place, value))
        else:
            place = matched.get(passed, place - 1) + 1
            passed += 1
    return found


def _matched(shown: Signs, signs: Signs) -> dict[int, int] | None:
    """Return {index in ``shown``: index in ``signs``}: by id or content where they are given, else all in their order.

    None when an item is there that was not shown, or when nothing tells which of several it is.
    """
    matched: dict[int, int] = {}
    at = 0
    for index, signed in enumerate(signs):
        while at < len(shown) and not _same(shown[at], signed):
            at += 1
        if at == len(shown):
            break
        matched[at] = index
        at += 1
    if len(matched) == len(signs):
        return matched
    pairs = list(zip(shown, signs, strict=False))
    if len(shown) == len(signs) and all(_same(one, other) is not False for one, other in pairs):
        return {index: index for index in range(len(shown))}
    return None


def _same(one: list[str], other: list[str]) -> bool | None:
    """Tell whether two loose signs are of one item; None when nothing in them tells."""
    if one[1] != other[1]:
        return False
    for mine, theirs in ((one[3], other[3]), (one[2], other[2])):
        if mine and theirs:
            return mine == theirs
    return None
