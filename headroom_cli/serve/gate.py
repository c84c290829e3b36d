"""Who may ask at all: Host, Origin, token. Asked first, for every request on every path; and where we may listen.

A page in a browser can send requests to this machine. It cannot choose Host, though (a name that was made to point here
afterwards is still in Host), nor leave out Origin: so both are looked at before anything else.
"""

from __future__ import annotations

import hmac
import re

from headroom_cli.errors import ConfigError
from headroom_cli.serve.listening import is_loopback
from headroom_cli.serve.replies import RefusedError
from headroom_cli.serve.routes import OWN_JSON, is_own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.serve.options import Serving
    from headroom_cli.serve.replies import Scope

# Where a token may stand. These are for us and are never sent to a provider.
TOKEN_HEADERS = (b"x-headroom-token", b"proxy-authorization")
# Who only asks whether we are there, and whether to send us requests, needs no token: load balancers have none to show.
# Nor does the page that asks for it: a browser cannot show one when it opens a page, and without one the page has no
# number to show.
_OPEN = frozenset(("/livez", "/readyz", "/dashboard"))
_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))  # methods that change nothing

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~%-]{1,253})(?::([0-9]{1,5}))?")


class Gate:
    """The rules of one proxy; pure."""

    __slots__ = ("_hosts", "_origins", "_token", "_unix")

    def __init__(self, serving: Serving) -> None:
        """Take what was asked for at start; raise ConfigError for a token that no header can carry."""
        self._hosts = frozenset(host.lower() for host in serving.hosts)
        self._origins = frozenset(origin.lower() for origin in serving.origins) - {"null"}
        self._token = serving.token.encode()
        self._unix = bool(serving.unix)
        if not re.fullmatch(r"[!-~]*", serving.token):
            raise ConfigError("the token must be visible ASCII characters without spaces")

    def check(self, scope: Scope) -> RefusedError | None:
        """Return why this request may not come in, None when it may. ``scope`` is ASGI's, http or websocket."""
        fields: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            fields.setdefault(name, []).append(value)
        path = scope["path"]
        host = self._host(fields.get(b"host", []))
        if host is None:
            return RefusedError(421, "Host is not a name of this machine that was allowed")
        if not self._from_here(fields, host, own=is_own(path)):
            return RefusedError(403, "a page of another site may not ask here")
        if self._token and path not in _OPEN and not self._shows_token(fields):
            return RefusedError(401, "show the proxy's token in x-headroom-token")
        if _changes(scope, path) and not _is_json(fields.get(b"content-type", [])):
            return RefusedError(415, "the content type must be application/json")
        return None

    def is_known(self, scope: Scope) -> bool:
        """Tell whether who asks has shown the token, or need not show any."""
        return not self._token or self._shows_token(
            {name: [value for other, value in scope["headers"] if other == name] for name in TOKEN_HEADERS}
        )

    def _host(self, given: list[bytes]) -> str | None:
        """Return Host in lower case if it is one that was allowed."""
        if len(given) != 1:
            return None
        host = given[0].decode("latin-1").lower()
        match = _AUTHORITY.fullmatch(host)
        if match is None or (match[2] is not None and not 0 < int(match[2]) < 65536):
            return None
        # Nobody's browser speaks to a unix socket.
        allowed = self._unix or is_loopback(match[1]) or match[1] in self._hosts or host in self._hosts
        return host if allowed else None

    def _from_here(self, fields: dict[bytes, list[bytes]], host: str, *, own: bool) -> bool:
        """Whether a request comes from no page, from an allowed page, or for a path of ours from a page of ours."""
        origins = [origin.decode("latin-1").lower() for origin in fields.get(b"origin", [])]
        if len(origins) == 1 and origins[0] in self._origins:
            return True
        if origins and not (own and len(origins) == 1 and origins[0] in (f"http://{host}", f"https://{host}")):
            return False
        return all(site.strip().lower() != b"cross-site" for site in fields.get(b"sec-fetch-site", []))

    def _shows_token(self, fields: dict[bytes, list[bytes]]) -> bool:
        """Compare what is shown with the token, in a time that does not depend on how much of it is right."""
        shown = list(fields.get(b"x-headroom-token", []))
        for value in fields.get(b"proxy-authorization", []):
            scheme, _, rest = value.partition(b" ")
            if scheme.lower() == b"bearer":
                shown.append(rest.strip())
        return any([hmac.compare_digest(one, self._token) for one in shown])  # noqa: C419 - all of them, always


def _changes(scope: Scope, path: str) -> bool:
    """Whether a request may change something here."""
    if scope["type"] != "http" or scope["method"] in _SAFE:
        return False
    return any(path == own or path.startswith(own + "/") for own in OWN_JSON)


def _is_json(types: list[bytes]) -> bool:
    """Whether the content type is one that no form of a page can send."""
    return len(types) == 1 and types[0].partition(b";")[0].strip().lower() == b"application/json"
