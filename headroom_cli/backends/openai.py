"""OpenAI's API, or one that speaks it: Chat Completions and Responses."""

from __future__ import annotations

from headroom_cli import backends
from headroom_cli.backends import _http

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.backends import Call, Outgoing, Target

_KEYS = ("OPENAI_API_KEY",)
_ADDRESS = "OPENAI_TARGET_API_URL"
# What a key of several organizations or projects is billed to, as openai-py sends it.
_BILLED = {"OPENAI_ORG_ID": "openai-organization", "OPENAI_PROJECT_ID": "openai-project"}


def call(outgoing: Outgoing, target: Target) -> Call:
    """Return the request for ``POST /v1/chat/completions`` or ``/v1/responses``.

    An address with a path of its own is taken as it is: other hosts keep their versions elsewhere.
    """
    address = _http.versioned(_http.base(target, _ADDRESS, "https://api.openai.com"), rooted=True)
    own = _http.bearer(target, _KEYS, needed=not (target.base or target.secrets.get(_ADDRESS)))
    given = {name.lower() for name, _ in (*outgoing.headers, *target.headers)}
    for variable, header in _BILLED.items():
        if target.secrets.get(variable) and header not in given:
            own = (*own, (header, _http.sendable(variable, target.secrets[variable])))
    return _http.call(outgoing, target, address + _http.ENDPOINTS[outgoing.shape], own)


BACKEND = backends.Backend(
    "openai", ("openai", "responses"), variables=(*_KEYS, *_BILLED, _ADDRESS), call=call, adapt=_http.put_model
)
