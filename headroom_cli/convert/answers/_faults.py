"""Errors: what one API says went wrong, in the form of another.

Forms: Anthropic ``{"type": "error", "error": {"type", "message", "details"?}, "request_id"?}``; both of OpenAI's APIs
``{"error": {"message", "type", "param", "code"}}``, and in a Responses stream an event ``error`` with the members at
the top, then ``response.failed`` with an error inside. OpenRouter's ``code`` is the HTTP status. Gateways write shorter
forms: a plain text, or ``message`` or ``detail`` alone.
"""

from __future__ import annotations

import contextlib
import json

from headroom_cli.convert.answers._neutral import dump, table, text
from headroom_cli.nesting import depth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DEEPEST = 100  # beyond it no error is read: parsers recurse

# HTTP status -> Anthropic's type (its error reference; 409 and 413 have no type in the SDK 2.11 but are documented).
_ANTHROPIC = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
    404: "not_found_error", 409: "conflict_error", 413: "request_too_large", 429: "rate_limit_error",
    500: "api_error", 503: "overloaded_error", 504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip
# HTTP status -> OpenAI's (type, code). Clients look at these codes: whether to wait, and whether it is the quota.
_OPENAI: dict[int, tuple[str, str | None]] = {
    400: ("invalid_request_error", None), 401: ("authentication_error", "invalid_api_key"),
    402: ("insufficient_quota", "insufficient_quota"), 403: ("permission_error", None),
    404: ("invalid_request_error", "not_found"), 429: ("rate_limit_error", "rate_limit_exceeded"),
    503: ("server_error", "server_is_overloaded"), 529: ("server_error", "server_is_overloaded"),
}  # fmt: skip
# What an error in a stream is called -> the status it would have had.
_STATUS = {kind: status for status, kind in _ANTHROPIC.items() if status != 503} | {
    "rate_limit_exceeded": 429, "insufficient_quota": 402, "server_error": 500, "server_is_overloaded": 529,
    "slow_down": 429, "invalid_prompt": 400, "context_length_exceeded": 400, "invalid_api_key": 401,
    "model_not_found": 404, "not_found": 404,
}  # fmt: skip


class Fault:
    """What went wrong.

    ``status``   as in HTTP; for an error inside an answer the one that its type stands for
    ``kind``     the source's type, "" for none
    ``code``     the source's code, "" for none
    ``param``    the part of the request it is about, None for none
    ``details``  everything else that the source said of it
    """

    __slots__ = ("code", "details", "kind", "message", "param", "status")

    def __init__(self, status: int, message: str, kind: str = "", code: str = "") -> None:
        """Hold an error."""
        self.status = status
        self.message = message
        self.kind = kind
        self.code = code
        self.param: str | None = None
        self.details: dict[str, Any] = {}


def read(value: dict[str, Any], status: int = 0) -> Fault:
    """Read an error of any of the three APIs; ``status`` is the answer's, 0 inside an answer."""
    inner = value.get("error")
    outer = dict(value)
    if text(outer.get("type")) in {"error", "response.failed"}:
        outer.pop("type")
    outer.pop("sequence_number", None)
    if isinstance(inner, dict):
        said = dict(inner)
        del outer["error"]
    else:
        said, outer = outer, {}
        if isinstance(inner, str):  # {"error": "no such model"}
            said["message"] = text(said.get("message")) or said.pop("error")
    message = next((said.pop(name) for name in ("message", "Message", "detail") if text(said.get(name))), "")
    for name in ("message", "type", "code", "param"):
        if name in said and said[name] is None:
            del said[name]
    kind = said.pop("type", "") if isinstance(said.get("type"), str) else ""
    code = said.pop("code", "") if isinstance(said.get("code"), str) else ""
    if code in _ANTHROPIC.values():  # an event of Responses has a code alone
        kind, code = kind or code, ""
    found = said.get("code")
    if not status and isinstance(found, int) and 400 <= found <= 599:
        status = said.pop("code")
    fault = Fault(status or _STATUS.get(code) or _STATUS.get(kind) or 500, message, kind, code)
    if isinstance(said.get("param"), str):
        fault.param = said.pop("param")
    more = said.pop("details", None)
    fault.details = {**outer, **said, **(more if isinstance(more, dict) else {} if more is None else {"details": more})}
    fault.message = message or fault.code or fault.kind or f"the provider answered with status {fault.status}"
    return fault


def kind_for(fault: Fault) -> str:
    """Return Anthropic's type of an error."""
    if fault.kind in _ANTHROPIC.values():
        return fault.kind
    return _ANTHROPIC.get(fault.status) or ("api_error" if fault.status >= 500 else "invalid_request_error")


def code_for(fault: Fault) -> str | None:
    """Return OpenAI's code of an error: its own when it came from there."""
    return fault.code or _OPENAI.get(fault.status, ("", None))[1]


def anthropic(fault: Fault) -> dict[str, Any]:
    """Write an error as Anthropic does."""
    details = dict(fault.details)
    request = details.pop("request_id", None)
    kind = kind_for(fault)
    own = fault.kind if fault.kind != kind else ""
    more = (("type", own), ("code", fault.code), ("param", fault.param))
    details |= {name: said for name, said in more if said}
    error = {"type": kind, "message": fault.message, **({"details": details} if details else {})}
    return {"type": "error", "error": error, **({} if request is None else {"request_id": request})}


def openai(fault: Fault) -> dict[str, Any]:
    """Write an error as OpenAI does in Chat, and in both APIs instead of an answer."""
    plain = "server_error" if fault.status >= 500 else "invalid_request_error"
    kind = _OPENAI.get(fault.status, (plain, None))[0]
    details = dict(fault.details)
    if fault.kind in _STATUS and fault.kind in _ANTHROPIC.values() and fault.kind != kind:
        details["type"] = fault.kind
    elif fault.kind:
        kind = fault.kind
    error = {"message": fault.message, "type": kind, "param": fault.param, "code": code_for(fault)}
    return {"error": {**error, **({"details": details} if details else {})}}


def convert(target: str, status: int, body: bytes) -> bytes:
    """Return the body of an error answer in the target's form: type by status, message and everything else kept."""
    fault = None
    if (body.count(b"[") + body.count(b"{") <= _DEEPEST) or depth(body) <= _DEEPEST:
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, list) and len(value) == 1:  # Google's gateways wrap the error in a list
            value = value[0]
        fault = read(table(value), status) if isinstance(value, dict) else None
    write = anthropic if target == "anthropic" else openai
    if fault is not None:
        with contextlib.suppress(ValueError):  # a number that cannot be written
            return dump(write(fault)).encode()
    said = body.decode("utf-8", "replace").strip()
    return dump(write(Fault(status, said or f"the provider answered with status {status}"))).encode()
