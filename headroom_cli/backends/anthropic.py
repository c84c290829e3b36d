"""Anthropic's API, or one that speaks it.

Source of the protocol: platform.claude.com/docs/en/api/versioning, and what the official SDKs send.
"""

from __future__ import annotations

from headroom_cli import backends
from headroom_cli.backends import _http
from headroom_cli.errors import KeyMissingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.backends import Call, Outgoing, Target

_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")  # where both are set, the SDKs take the first too
_ADDRESS = "ANTHROPIC_TARGET_API_URL"


def call(outgoing: Outgoing, target: Target) -> Call:
    """Return the request for ``POST /v1/messages``."""
    address = _http.versioned(_http.base(target, _ADDRESS, "https://api.anthropic.com"))
    name, value = _http.key(target, _KEYS)
    if not value and not (target.base or target.secrets.get(_ADDRESS)):
        raise KeyMissingError(f"no key was given; set {_KEYS[0]}")
    version, headers, body = _http.anthropic(outgoing, target)
    if value:  # a server of one's own may want none
        headers = _http.anthropic_key(version, headers, name, value)
    return _http.call(outgoing, target, address + _http.ENDPOINTS["anthropic"], headers, body)


BACKEND = backends.Backend("anthropic", ("anthropic",), variables=(*_KEYS, _ADDRESS), call=call, adapt=_http.put_model)
