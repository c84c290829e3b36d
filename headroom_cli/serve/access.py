"""The access token that some gateways want: got once, kept until it ends or is refused, shared by all requests."""

from __future__ import annotations

import asyncio
import json
import re
import time

from headroom_cli import backends
from headroom_cli.errors import HeadroomError
from headroom_cli.serve import upstream
from headroom_cli.serve.jobs import PLACE
from headroom_cli.serve.replies import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import aiohttp

    from headroom_cli.serve.options import Serving

_EARLY_SECONDS = 60.0  # a token that ends so soon is not begun with, unless it lives no longer than twice that
_MOST_BYTES = 1 << 20
_SECONDS = 30.0  # for the whole of an answer


def wants(serving: Serving) -> bool:
    """Tell whether the backend of this proxy wants a token; what is wrong with its settings is said at each request."""
    try:
        return _call(serving) is not None
    except HeadroomError:
        return False


def _call(serving: Serving) -> backends.Call | None:
    if not serving.backend:
        return None
    backend, provider = backends.load(serving.backend, gateway=bool(serving.base_url))
    return backend.token(backends.Target(base=serving.base_url, provider=provider, secrets=serving.secrets))


class Access:
    """The token of one serving process."""

    __slots__ = ("_getting", "_serving", "_token", "_until", "_upstream")

    def __init__(self, serving: Serving, connections: upstream.Upstream) -> None:
        """Ask for nothing yet."""
        self._serving = serving
        self._upstream = connections
        self._token = ""
        self._until = 0.0  # on the monotonic clock
        self._getting: asyncio.Task[str] | None = None

    async def token(self, refused: str = "") -> str:
        """Return a token that is good by all that is known; ``refused`` is one that is not.

        Whoever comes while one is being got waits for the same. Raise RefusedError.
        """
        if self._token and self._token != refused and time.monotonic() < self._until:
            return self._token
        if self._getting is None:
            self._getting = asyncio.ensure_future(self._get())
            self._getting.add_done_callback(self._got)
        return await asyncio.shield(self._getting)  # who leaves takes it away from nobody

    async def authorised(
        self, headers: list[tuple[bytes, bytes]], refused: str = ""
    ) -> tuple[str, list[tuple[bytes, bytes]]]:
        """Return the token, and these headers with it in its place. Raise RefusedError."""
        token = await self.token(refused)
        place, value = f"Bearer {PLACE}".encode(), f"Bearer {token}".encode()
        return token, [(name, value if given == place else given) for name, given in headers]

    def _got(self, task: asyncio.Task[str]) -> None:
        self._getting = None
        if not task.cancelled():
            task.exception()  # whoever waited has it; nobody may be left who does

    async def _get(self) -> str:
        call = _call(self._serving)
        if call is None:
            raise RefusedError(500, "this backend wants no token")
        headers = [(name.encode(), value.encode()) for name, value in call.headers]
        began = time.monotonic()
        try:
            async with asyncio.timeout(_SECONDS):
                response = await self._upstream.send(call.method, call.url, headers, call.body)
                try:
                    body = await _body(response)
                finally:
                    response.close()
        except RefusedError as error:
            raise RefusedError(error.status, f"no access token was got: {error.sentence}") from error
        except upstream.READ_ERRORS as error:  # a TimeoutError is one of them
            raise RefusedError(502, f"no access token was got: {upstream.broken(error).sentence}") from error
        self._token, seconds = _read(response.status, body)
        early = min(_EARLY_SECONDS, seconds / 2)
        self._until = began + seconds - early
        return self._token


async def _body(response: aiohttp.ClientResponse) -> bytes:
    data = b""
    async for piece in response.content.iter_any():
        data += piece
        if len(data) > _MOST_BYTES:
            break
    return data


def _read(status: int, body: bytes) -> tuple[str, float]:
    """Return (token, seconds it is good for, for ever where nothing is said). Raise RefusedError."""
    try:
        value = json.loads(body)
        token, seconds = value["access_token"], value.get("expires_in")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        token, seconds = "", None
    if status >= 300 or not isinstance(token, str) or not token:
        # 5xx and 429 may pass; with all else it is the id and the secret, which another try does not mend.
        again = status >= 500 or status == 429
        sentence = f"the token endpoint gave no token (HTTP {status})"
        if again:
            raise RefusedError(503, sentence)
        raise RefusedError(401, f"{sentence}; check the client's id and secret of this proxy")
    if any(not "!" <= letter <= "~" for letter in token):
        raise RefusedError(502, "the token endpoint gave a token that no header can carry")
    known = isinstance(seconds, int | float | str) and re.fullmatch(r"[0-9]{1,12}(\.[0-9]*)?", str(seconds))
    return token, float(seconds) if known else float("inf")
