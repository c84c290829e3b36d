"""Connections to providers: requests go out once, answers come back as bytes, undecoded.

Again is tried only when no connection came about, so no byte of the request was sent. What a provider refuses for now
(429, 503, 529) goes to the client, which knows how long it wants to wait: one layer retries, and it is the client's.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from inspect import signature
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from headroom_cli.serve.replies import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from typing import Any

    from headroom_cli.serve.options import Limits

_CONNECT_SECONDS = 10.0
_MOST_TRIES = 3
_AT_ONCE = 256 << 10  # bytes of a body that are written at a time
_MOST_FIELDS = 1000  # headers of an answer
_STATUSES = range(200, 600)  # that end a request; 101 would make another protocol of the connection
# Idle connections are closed before providers do (60 s and more): a request must not meet a connection that just ends.
_KEEP_SECONDS = 15.0
# Bytes of an answer that are read before the client wants them; up to twice as many are held. A hundred clients that
# read nothing are to cost a few megabytes.
_AHEAD = 16_384
# Bytes of an answer that are looked at in one go, at most: what is made of them takes several times their room, and
# waits while a client does not read.
PIECE = 32_768

# Never passed on: they are about one connection (RFC 9110, section 7.6.1). Nor is what begins with "proxy-".
HOP_BY_HOP = frozenset((
    b"connection", b"http2-settings", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade",
))  # fmt: skip


def passed(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return headers without those of one connection, and those that Connection names; order and doubles stay."""
    pairs = [(name.lower(), name, value) for name, value in headers]
    named = {word.strip().lower() for low, _, value in pairs if low == b"connection" for word in value.split(b",")}
    named |= HOP_BY_HOP
    return [(name, value) for low, name, value in pairs if low not in named and not low.startswith(b"proxy-")]


def text(value: bytes) -> str:
    """Return a header's value so that the same bytes go out, wherever that can be: aiohttp writes UTF-8."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


class Broken(Exception):  # noqa: N818 - what happened to an answer, told from errors of ours
    """An answer broke off. ``kind`` as in an API's errors."""

    def __init__(self, kind: str, sentence: str) -> None:
        """``sentence`` says what happened."""
        super().__init__(sentence)
        self.kind = kind
        self.sentence = sentence


class Upstream:
    """All connections of one serving process."""

    __slots__ = ("_proxies", "session")

    def __init__(self, limits: Limits) -> None:
        """Open nothing yet. Needs a running loop."""
        self._proxies: dict[tuple[str, str | None, int | None], str | None] = {}
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_SECONDS, ttl_dns_cache=60)
        # Releases before there was such a limit have no name for it.
        limited = "max_headers" in signature(aiohttp.ClientSession).parameters
        more: dict[str, Any] = {"max_headers": _MOST_FIELDS} if limited else {}
        self.session = aiohttp.ClientSession(
            connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=limits.silence),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            max_line_size=65_536, max_field_size=65_536, read_bufsize=_AHEAD, **more,
        )  # fmt: skip

    def proxy_for(self, url: URL) -> str | None:
        """Return the proxy that the environment names for an address (HTTPS_PROXY, NO_PROXY), None for none.

        Looked up once for each host. aiohttp's own way looks for keys in .netrc as well, at each request, in a thread:
        twice the CPU, and keys that nobody sent.
        """
        key = (url.scheme, url.host, url.port)
        if key not in self._proxies:
            named = getproxies().get(url.scheme)
            self._proxies[key] = None if named is None or proxy_bypass(f"{url.host}:{url.port}") else named
        return self._proxies[key]

    async def close(self) -> None:
        """Close every connection."""
        await self.session.close()

    async def send(
        self, method: str, url: str, headers: Iterable[tuple[bytes, bytes]], body: bytes | None
    ) -> aiohttp.ClientResponse:
        """Send a request and return the head of its answer. Raise RefusedError when there is none."""
        fields = [(name.decode("latin-1"), text(value)) for name, value in headers]
        large = body if method == "POST" and body is not None and len(body) > _AT_ONCE else b""
        if large:
            fields.append(("Content-Length", str(len(large))))
        where = URL(url, encoded=True)
        proxy = self.proxy_for(where)
        for attempt in range(1, _MOST_TRIES + 1):
            try:
                data = _pieces(large) if large else body
                response = await self.session.request(
                    method, where, headers=fields, data=data, allow_redirects=False, proxy=proxy
                )
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                if attempt == _MOST_TRIES or _is_hopeless(error):
                    raise RefusedError(502, f"the provider cannot be reached: {_why(error)}") from error
                await asyncio.sleep(0.1 * 2**attempt)
            except TimeoutError as error:
                raise RefusedError(504, "the provider did not answer in time") from error
            except aiohttp.ClientHttpProxyError as error:
                raise RefusedError(502, f"the environment's proxy refused to connect (HTTP {error.status})") from error
            except aiohttp.ClientResponseError as error:
                raise RefusedError(502, "the provider's answer is no HTTP") from error
            except aiohttp.InvalidURL as error:
                raise RefusedError(502, "the provider's address, or the environment's proxy, is no address") from error
            except (aiohttp.ClientError, OSError, ssl.SSLError, ValueError) as error:
                raise RefusedError(502, f"the provider broke the connection ({_kind(error)})") from error
            else:
                if response.status in _STATUSES:
                    return response
                response.close()
                raise RefusedError(502, f"the provider answered with status {response.status}, which ends no request")
        raise RefusedError(502, "the provider cannot be reached")


async def _pieces(body: bytes) -> AsyncIterator[memoryview]:
    """Give a large body piece by piece: given whole, it would be copied, and written while everybody waits."""
    view = memoryview(body)
    for start in range(0, len(view), _AT_ONCE):
        yield view[start : start + _AT_ONCE]


def _is_hopeless(error: Exception) -> bool:
    """Tell what another try does not mend: a certificate, a name that does not exist."""
    return isinstance(error, aiohttp.ClientSSLError | aiohttp.ClientConnectorDNSError)


def _why(error: Exception) -> str:
    """Return why no connection came about, and what helps."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name is not known"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is signed by nobody known; name who signs it in SSL_CERT_FILE"
    if isinstance(error, aiohttp.ClientSSLError):
        return "it speaks no TLS"
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return "the environment's proxy does not answer, or speaks no HTTP"
    if isinstance(error, TimeoutError):
        return f"no connection within {_CONNECT_SECONDS:.0f} s"
    number = getattr(error, "errno", None)
    return os.strerror(number).lower() if isinstance(number, int) and number > 0 else _kind(error)


def _kind(error: BaseException) -> str:
    """Return what kind of error it is; its own words may quote an address or a header."""
    return type(error).__name__.removesuffix("Error")


def broken(error: BaseException) -> Broken:
    """Return what an exception in the middle of an answer means."""
    if isinstance(error, TimeoutError):
        return Broken("timeout_error", "the provider fell silent in the middle of its answer")
    return Broken("api_error", "the provider broke off in the middle of its answer")


# What reading an answer's body may raise.
READ_ERRORS = (aiohttp.ClientError, TimeoutError, OSError)
