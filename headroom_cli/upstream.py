"""The connection to a provider: one request goes out, once, and its answer comes in as bytes.

Never two paid calls for one request: again is tried only when no byte of the request was sent (no connection came
about), or when the provider said that it did not take it (429, 503, 529), and then when it says.
"""

from __future__ import annotations

import time

from headroom_cli.errors import UnreachableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import Any, Self

    from headroom_cli.backends import Call

# Statuses by which a provider says that it has not begun with a request.
NOT_TAKEN = (429, 503, 529)
MOST_TRIES = 3
CONNECT_SECONDS = 10.0
LONGEST_WAIT = 60.0  # seconds; who is asked to wait longer is told so instead
LONGEST_ERROR = 1 << 20  # bytes of an error's body that are read


class Reply:
    """The head of an answer, and its body as it arrives."""

    __slots__ = ("_response", "headers", "status")

    def __init__(self, response: Any) -> None:
        """Hold a response whose body was not read."""
        self._response = response
        self.status = int(response.status_code)
        self.headers: dict[str, str] = {name.lower(): text for name, text in response.headers.items()}

    def chunks(self) -> Iterator[bytes]:
        """Give the body as it arrives, decoded where it came compressed. Raise UnreachableError when it breaks off."""
        httpx = _httpx()
        try:
            yield from self._response.iter_bytes()
        except httpx.TimeoutException as error:
            raise UnreachableError("the provider fell silent in the middle of its answer; send it again") from error
        except httpx.HTTPError as error:
            raise UnreachableError(f"the answer broke off: {_words(error)}; send the request again") from error

    def error(self) -> bytes:
        """Return the body of an error, as far as it comes."""
        data = b""
        try:
            for chunk in self.chunks():
                data += chunk
                if len(data) > LONGEST_ERROR:
                    break
        except UnreachableError:
            pass  # the status tells enough
        return data[:LONGEST_ERROR]

    def close(self) -> None:
        """Close the connection unless the body was read to its end."""
        self._response.close()


class Upstream:
    """A client for the hops of one turn; closing it closes the provider's connection, whatever it still sends."""

    __slots__ = ("_clients", "_tell", "_timeout", "_watch")

    def __init__(
        self, timeout: float, tell: Callable[[str], None] = lambda _sentence: None,
        watch: Callable[[Call], None] = lambda _call: None,
    ) -> None:  # fmt: skip
        """``timeout`` is in seconds without a byte; ``tell`` hears of waiting, ``watch`` sees each call before it goes.

        The environment's proxies are honoured (HTTPS_PROXY, NO_PROXY), redirects are not: a key goes to one address.
        """
        self._clients: dict[bool, Any] = {}  # whether it speaks TLS -> client
        self._timeout = timeout
        self._tell = tell
        self._watch = watch

    def __enter__(self) -> Self:
        """Open nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()

    def _client(self, url: str) -> Any:
        """Return the client for an address. Raise UnreachableError when the environment's settings are no good."""
        httpx, secure = _httpx(), url.lower().startswith("https:")
        if secure not in self._clients:
            limits = httpx.Timeout(self._timeout, connect=min(self._timeout, CONNECT_SECONDS))
            try:
                self._clients[secure] = httpx.Client(timeout=limits, verify=_trust(secure), follow_redirects=False)
            except (OSError, ValueError, ImportError) as error:
                raise UnreachableError(f"no connection can be set up: {_words(error)}; check the proxies") from error
        return self._clients[secure]

    def send(self, make: Callable[[], Call]) -> Reply:
        """Send a request and return the head of the answer, whatever its status. Raise UnreachableError.

        ``make`` builds the request; it is called again for another try, because signatures carry the time.
        """
        for attempt in range(1, MOST_TRIES + 1):
            call = make()
            self._watch(call)
            reply = self._once(call, last=attempt == MOST_TRIES)
            if reply is None:
                time.sleep(0.25 * 2**attempt)
                continue
            wait = _wait(reply, attempt) if reply.status in NOT_TAKEN and attempt < MOST_TRIES else None
            if wait is None:
                return reply
            reply.close()
            self._tell(f"the provider has no room now ({reply.status}); trying again in {wait:.1f} s")
            time.sleep(wait)
        raise UnreachableError("the provider could not be reached; try again later")

    def _once(self, call: Call, *, last: bool) -> Reply | None:
        """Send a request; return None when no connection came about and it may be tried again."""
        httpx = _httpx()
        try:
            request = httpx.Request(call.method, call.url, headers=list(call.headers), content=call.body)
            return Reply(self._client(call.url).send(request, stream=True))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if last:
                host = httpx.URL(call.url).host
                raise UnreachableError(
                    f"{host} cannot be reached: {_words(error)}; check the address, and the proxy if any"
                ) from error
            return None
        except httpx.TimeoutException as error:
            raise UnreachableError("the provider did not answer in time; try again, or allow more time") from error
        except (httpx.LocalProtocolError, UnicodeError) as error:  # its words may quote a header, a key among them
            raise UnreachableError(
                "the request cannot be sent: a header holds what no header may; set it anew"
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnreachableError(f"the provider broke the connection: {_words(error)}; try again") from error


def _httpx() -> ModuleType:
    """Import httpx without its own command, which loads rich and click: half of its 100 ms."""
    import sys

    if "httpx" not in sys.modules and "httpx._main" not in sys.modules:
        sys.modules["httpx._main"] = None  # type: ignore[assignment] # the import system's own way to say: not there
        try:
            import httpx
        finally:
            del sys.modules["httpx._main"]
    import httpx

    return httpx


def _trust(secure: bool) -> Any:  # noqa: FBT001 - the one thing it depends on
    """Return what certificates are checked against. Reading the authorities takes 25 ms: not for a plain address."""
    if secure:
        return True
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, should a proxy want TLS after all


def _wait(reply: Reply, attempt: int) -> float | None:
    """Return the seconds to wait before another try, None when it should not be tried.

    ``x-should-retry``, ``retry-after-ms`` and ``retry-after`` (seconds or a date) are what providers send.
    """
    if reply.headers.get("x-should-retry", "").lower() == "false":
        return None
    wait = 0.5 * 2**attempt
    try:
        if given := reply.headers.get("retry-after-ms"):
            wait = float(given) / 1000
        elif given := reply.headers.get("retry-after"):
            wait = float(given) if given.strip()[:1].isdigit() else _until(given)
    except (ValueError, TypeError, OverflowError):
        pass  # a header that says nothing
    return max(wait, 0.0) if wait <= LONGEST_WAIT else None


def _until(date: str) -> float:
    """Return the seconds until an HTTP date. Raise ValueError, TypeError."""
    from email.utils import parsedate_to_datetime

    return parsedate_to_datetime(date).timestamp() - time.time()


def _words(error: BaseException) -> str:
    """Return an error's words on one line; they never hold a header."""
    return " ".join(str(error).split())[:200] or type(error).__name__
