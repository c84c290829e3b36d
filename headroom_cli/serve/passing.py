"""Requests that go through as they are, and how any answer comes back: byte for byte, as it arrives."""

from __future__ import annotations

from headroom_cli.serve import aws, upstream
from headroom_cli.serve.replies import RefusedError
from headroom_cli.serve.tap import Tap

TYPE_CHECKING = False
if TYPE_CHECKING:
    import aiohttp

    from headroom_cli.serve.exchange import Exchange
    from headroom_cli.serve.replies import Pairs

_FRAMED = b"vnd.amazon.eventstream"
# Statuses and methods whose answers have no body, whatever their head says.
_BODILESS = frozenset((204, 304))


async def through(exchange: Exchange, url: str, headers: Pairs, body: bytes | None) -> None:
    """Send a request and give its answer to the client as it comes."""
    response = await exchange.app.upstream.send(exchange.method, url, headers, body)
    exchange.done.hops += 1
    try:
        await back(exchange, response)
    finally:
        response.close()


async def back(exchange: Exchange, response: aiohttp.ClientResponse) -> None:
    """Give an answer to the client as it comes, reading along."""
    kind = response.headers.get("content-type", "").lower().encode("latin-1", "replace")
    streaming = b"event-stream" in kind or _FRAMED in kind
    headers = upstream.passed(response.raw_headers)
    if response.status in _BODILESS or (streaming and exchange.route.shape):
        # Of a body that is not sent, or is longer than it says when an error has to be told at its end.
        headers = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    await exchange.start(response.status, headers)
    if exchange.method == "HEAD" or response.status in _BODILESS:
        await exchange.end()
        return
    tap = Tap(
        exchange.route.shape, streaming=streaming, framed=_FRAMED in kind,
        encoding=response.headers.get("content-encoding", ""),
    )  # fmt: skip
    try:
        async for data in response.content.iter_chunked(upstream.PIECE):
            if shown := tap.feed(data):
                await exchange.write(shown)
    except upstream.READ_ERRORS as error:
        # Behind its last event a stream has nothing more to lose; in Chat the usage may still follow.
        if not (streaming and tap.ended and exchange.route.shape in {"anthropic", "responses"}):
            broken = upstream.broken(error)
            await exchange.breaks(tap.broken(broken.kind, broken.sentence), broken.sentence)
            return
    finally:
        exchange.done.usage = tap.usage
        if not tap.ended or tap.failed:
            exchange.done.cut()
        if tap.failed:
            exchange.done.error = "the provider's own error, inside its answer"
    cut = streaming and exchange.route.shape and response.status < 300 and not tap.ended
    if cut:
        sentence = "the provider's stream ended before its last event"
        await exchange.breaks(tap.broken("api_error", sentence), sentence)
        return
    if rest := tap.end():
        await exchange.write(rest)
    await exchange.end()


async def plain(exchange: Exchange) -> None:
    """Let a request through whose body is nobody's business."""
    if exchange.app.serving.backend:
        raise RefusedError(404, f"{exchange.app.serving.backend} answers conversations only; this path goes nowhere")
    url = exchange.address()
    body = await exchange.read()
    exchange.done.why = "passed through"
    headers = await aws.signed(exchange, url, exchange.headers(decoded=False, identity=False), body)
    await through(exchange, url, headers, body or None)
