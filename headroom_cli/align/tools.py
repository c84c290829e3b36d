"""Tools in a stable order, each in the bytes that it first had: they stand in front of everything else."""

from __future__ import annotations

import json

from headroom_cli.align._births import digest
from headroom_cli.align._head import tool_name
from headroom_cli.formats import _tree
from headroom_cli.formats._edits import Edit, EditError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.formats import Document

    # order: names as the conversation's requests brought them; seen: digest of the tools' bytes of the first request;
    # last: the names of the last one, as the client wrote them;
    # whole: name -> digest of the tool whatever its spelling; source: name -> its first bytes, where short.
    Tools = dict[str, Any]

_LONGEST_SOURCE = 2_000
_LONGEST_TOGETHER = 32_000


def arrange(
    document: Document, value: Any, known: Tools | None, *, fixed: frozenset[int]
) -> tuple[list[Edit], Tools | None]:
    """Return the edits that give tools the conversation's order and bytes, and what is to be remembered.

    ``fixed`` are the tools in which values are replaced: their bytes are not touched again. Names that stand twice, or
    are missing, leave everything as it is.
    """
    tools = value.get("tools") if isinstance(value, dict) else None
    if not isinstance(tools, list) or not tools:
        return [], known
    names = [tool_name(tool) for tool in tools]
    if "" in names or len(set(names)) != len(names):
        return [], known
    try:
        source = document.source(("tools",))
    except EditError:  # a key twice, or values that are no JSON
        return [], known
    seen = digest(source)
    if known is None:
        first = {"whole": _wholes(names, tools), "source": _sources(names, source)}
        return [], {"order": names, "last": names, "seen": seen, **first}
    if known["seen"] == seen:
        return [], {**known, "last": names}
    edits: list[Edit] = []
    last = known["last"]
    # What stands behind all that was there before is new, also where it was there once: it ends no prefix.
    more = names[len(last) :] if set(names[: len(last)]) == set(last) else []
    held = set(known["order"]).difference(more)
    order = [name for name in known["order"] if name in held] + [name for name in names if name not in held]
    rank = {name: i for i, name in enumerate(order)}
    places = sorted(range(len(names)), key=lambda i: rank[names[i]])
    if places != list(range(len(names))):
        edits.append(Edit.order(("tools",), places))
    wholes = _wholes(names, tools)
    for i, name in enumerate(names):
        first = known["source"].get(name)
        if first is None or i in fixed or known["whole"].get(name) != wholes[name]:
            continue
        if document.source(("tools", i)) != first and _writes(document, first):
            edits.append(Edit.put(("tools", i), json.loads(first)))
    return edits, {**known, "order": order, "last": names, "whole": {**wholes, **known["whole"]}}


def _wholes(names: list[str], tools: list[Any]) -> dict[str, str]:
    return {name: digest(json.dumps(tool, sort_keys=True)) for name, tool in zip(names, tools, strict=True)}


def _sources(names: list[str], source: str) -> dict[str, str]:
    """Return the bytes of the tools that are short."""
    kept: dict[str, str] = {}
    at, total = source.find("[") + 1, 0
    for name in names:
        at = _tree.skip_space(source, at)
        end = _tree.scan_once(source, at)[1]
        if end - at <= _LONGEST_SOURCE and total + end - at <= _LONGEST_TOGETHER:
            kept[name] = source[at:end]
            total += end - at
        at = _tree.skip_space(source, end) + 1
    return kept


def _writes(document: Document, source: str) -> bool:
    """Tell whether an edit would write a tool in these very bytes."""
    text = document.text
    separators = (", ", ": ") if '": ' in text[:4096] else (",", ":")
    return json.dumps(json.loads(source), ensure_ascii=text.isascii(), separators=separators) == source
