"""What the items of an answer are: whose calls, which text, and by what a later request shows them again."""

from __future__ import annotations

import json

from headroom_cli.hashing import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

# Calls that the client is to run and whose call_id every client sends back with the result.
CALLS = frozenset(("function_call", "custom_tool_call"))
# Calls that the provider runs itself.
_SERVED = frozenset(
    ("web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call", "mcp_call")
)
_MADE = frozenset(("reasoning", "compaction", "mcp_list_tools", "mcp_approval_request", "program", "program_output"))


def kind_of(item: Any) -> str:
    """Return an item's type; a message may be written without one."""
    if not isinstance(item, dict):
        return ""
    kind = item.get("type")
    if isinstance(kind, str):
        return kind
    return "message" if "role" in item else ""


def is_ours(item: Any, ours: Collection[str]) -> bool:
    """Tell a call of our tools; a tool inside a namespace is somebody else's of the same name."""
    name = item.get("name") if kind_of(item) == "function_call" else None
    return isinstance(name, str) and name in ours and not item.get("namespace")


def waits(item: Any) -> bool:
    """Tell whether the client has to do something about an item before the model goes on."""
    kind = kind_of(item)
    if kind == "tool_search_call":
        return bool(item.get("execution") != "server")
    return kind == "mcp_approval_request" or (kind.endswith("_call") and kind not in _SERVED)


def identifier(item: dict[str, Any]) -> str:
    """Return what names an item: a call by its call_id, another by its id, "" for none."""
    found = item.get("call_id") or item.get("id")
    return found if isinstance(found, str) else ""


def made_by_model(item: Any) -> bool:
    """Tell whether an input item is one that a model made."""
    kind = kind_of(item)
    if kind == "message":
        return bool(item.get("role") == "assistant")
    return kind in _MADE or kind.endswith("_call") or kind == "item_reference"


def text_of_item(item: Any) -> str:
    """Return the text of a message, its refusals too; "" for any other item."""
    if kind_of(item) != "message":
        return ""
    content = item.get("content")
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = (part.get("text", part.get("refusal")) for part in content if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))


def sign(item: Any) -> list[str]:
    """Return what an item can be known by when a client sends it again.

    A *firm* sign is one that every client keeps: ["text", digest] or ["call", call_id]. A *loose* one is of an item
    that may be dropped or lose its id: ["loose", type, id, digest of its encrypted content].
    """
    kind = kind_of(item)
    if kind in CALLS:
        return ["call", identifier(item)]
    text = text_of_item(item).strip()
    if text:
        return ["text", sha256(text.encode("utf-8", "surrogatepass"))]
    if not isinstance(item, dict):
        return ["loose", "", "", ""]
    sealed = item.get("encrypted_content")
    seal = sha256(sealed.encode("utf-8", "surrogatepass")) if sealed and isinstance(sealed, str) else ""
    return ["loose", kind, identifier(item), seal]


def is_firm(signed: list[str]) -> bool:
    """Tell a firm sign."""
    return signed[0] != "loose"


def key_of(signs: list[list[str]]) -> str:
    """Return the digest of a turn's firm signs."""
    return digest([signed for signed in signs if is_firm(signed)])


def held_by_id(name: str) -> str:
    """Return the name of a past that a request asks for by ``previous_response_id``."""
    return f"held {digest(name)}"


def held_by_calls(names: Collection[str]) -> str:
    """Return the name of a past that a request asks for by the calls whose results it brings."""
    return f"held {digest(sorted(names))}"


def digest(value: Any) -> str:
    """Return the SHA-256 of a JSON value in hex."""
    return sha256(json.dumps(value, separators=(",", ":")).encode())
