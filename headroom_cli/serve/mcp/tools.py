"""The tools as a client lists them, and how their arguments are read.

A client puts names, descriptions and schemas in front of every conversation: together they stay below 1.5 KB.
"""

from __future__ import annotations

from headroom_cli.lazy import pattern
from headroom_cli.model import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

COMPRESS, RETRIEVE, STATS = "headroom_compress", "headroom_retrieve", "headroom_stats"

# Of a conversation that a proxy of ours served, a model may know the tool by its other name.
ALIASES = {"retrieve_original_content": RETRIEVE}

SLICES = ("lines", "rows", "grep", "query", "area")
MOST_CONTENT = 4 << 20  # bytes of UTF-8 that one call may bring
MOST_WORDS = 4_096  # characters of any other argument
_HALF = pattern("[\ud800-\udfff]")
_TEXT_KINDS = tuple(kind for kind in KINDS if kind != "image")

_READS = {"readOnlyHint": True, "idempotentHint": True, "openWorldHint": False}
# It keeps the original, which changes nothing that anybody else sees.
_KEEPS = {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": True, "openWorldHint": False}


def _text(about: str = "") -> dict[str, Any]:
    return {"type": "string", **({"description": about} if about else {})}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


RETRIEVE_TOOL: dict[str, Any] = {
    "name": RETRIEVE,
    "description": "Return the original text or picture behind a <<headroom:HANDLE WHAT>> marker, whole or in part. "
    "The handle is no file or URL. A miss is final.",
    "inputSchema": _object(
        {
            "handle": _text(), "lines": _text("such as 40:80"), "rows": _text("of a JSON array, such as 1:20"),
            "grep": _text("a regular expression"), "query": _text("a question"),
            "area": _text("of a picture: left,top,width,height"),
        },
        "handle",
    ),
    "annotations": _READS,
}  # fmt: skip

TOOLS: tuple[dict[str, Any], ...] = (
    {
        "name": COMPRESS,
        "description": "Shorten a long output before it is passed on. A text that would not shrink is not repeated. "
        "What is left out stays retrievable.",
        "inputSchema": _object(
            {
                "content": _text(), "query": _text("what it is read for"),
                "kind": {"type": "string", "enum": list(_TEXT_KINDS)},
            },
            "content",
        ),
        "outputSchema": {"type": "object"},
        "annotations": _KEEPS,
    },
    RETRIEVE_TOOL,
    {
        "name": STATS,
        "description": "Tokens saved in this session and in the last 30 days.",
        "inputSchema": _object({}),
        "outputSchema": {"type": "object"},
        "annotations": _READS,
    },
)  # fmt: skip


class ArgumentError(ValueError):
    """What is wrong with the arguments of a call, in a sentence that a model can act on."""


def words(tool: str, given: Any) -> dict[str, str]:
    """Return a call's arguments as texts; those that are absent, null or empty are left out. Raise ArgumentError.

    ``hash`` stands for ``handle``. Models write ranges also as numbers and as pairs of them.
    """
    schema = next(row for row in TOOLS if row["name"] == tool)["inputSchema"]
    known = schema["properties"]
    found: dict[str, str] = {}
    if given is not None and not isinstance(given, dict):
        raise ArgumentError("arguments must be an object")
    for name, value in (given or {}).items():
        plain = "handle" if name == "hash" and "handle" in known else name
        if plain not in known:
            takes = ", ".join(known) or "nothing"
            raise ArgumentError(f"{_shown(name)} is no argument of {tool}; it takes {takes}")
        text = _as_text(plain, value)
        if len(text) > MOST_WORDS and plain != "content":
            raise ArgumentError(f"{plain} is longer than {MOST_WORDS:,} characters")
        if _HALF.search(text):
            raise ArgumentError(f"{plain} has half of a surrogate pair; send it as Unicode text")
        if text:
            found.setdefault(plain, text)
    missing = [name for name in schema.get("required", ()) if name not in found]
    if missing:
        raise ArgumentError(f"{tool} needs {missing[0]}, a text that is not empty")
    if found.get("kind", _TEXT_KINDS[0]) not in _TEXT_KINDS:
        raise ArgumentError(f"{_shown(found['kind'])} is no kind; use one of {', '.join(_TEXT_KINDS)}, or leave it out")
    return found


def content_of(found: Mapping[str, str]) -> bytes:
    """Return the content of a call of COMPRESS as bytes. Raise ArgumentError."""
    data = found["content"].encode()
    if len(data) > MOST_CONTENT:
        raise ArgumentError(
            f"content has {len(data):,} bytes, more than {MOST_CONTENT:,}; send it in parts, or run headroom crush"
        )
    return data


def _as_text(name: str, value: Any) -> str:
    """Return one argument as text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if name in SLICES:
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, list) and value and all(type(end) is int for end in value):
            return ("," if name == "area" else ":").join(map(str, value))
    raise ArgumentError(f"{name} is no text")


def _shown(text: str) -> str:
    """Return what somebody wrote, short and without control characters."""
    return ascii(text[:40])
