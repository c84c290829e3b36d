"""OpenRouter: many providers behind one key, in OpenAI's shape or in Anthropic's.

Which application is calling (HTTP-Referer, X-Title) is the user's to say, by headers of their own.
"""

from __future__ import annotations

from headroom_cli import backends
from headroom_cli.backends import _http

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.backends import Call, Outgoing, Target

_KEYS = ("OPENROUTER_API_KEY",)
_ADDRESS = "OPENROUTER_TARGET_API_URL"


def call(outgoing: Outgoing, target: Target) -> Call:
    """Return the request for ``POST /api/v1/chat/completions`` or ``/api/v1/messages``."""
    address = _http.versioned(_http.base(target, _ADDRESS, "https://openrouter.ai/api/v1"))
    own = _http.bearer(target, _KEYS, needed=not (target.base or target.secrets.get(_ADDRESS)))
    return _http.gateway(outgoing, target, address, own)


BACKEND = backends.Backend(
    "openrouter", ("openai", "anthropic"), variables=(*_KEYS, _ADDRESS), call=call, adapt=_http.put_model
)
