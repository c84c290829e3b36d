"""Requests for Amazon Bedrock that were signed for this proxy's address: signed anew, for the address they go to.

A signature covers the host and the body, so neither may change behind it. Bearer keys need none of this.
"""

from __future__ import annotations

import re

from headroom_cli.backends import Call
from headroom_cli.serve import routes
from headroom_cli.serve.engines import EngineError
from headroom_cli.serve.replies import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.serve.exchange import Exchange

    Fields = list[tuple[bytes, bytes]]

_SIGNED = b"AWS4-HMAC-SHA256"
_REGION = re.compile(rb"Credential=[^/,\s]{1,128}/[0-9]{8}/([a-z0-9-]{1,40})/")


async def signed(exchange: Exchange, url: str, headers: Fields, body: bytes) -> Fields:
    """Return the headers to send.

    Raise RefusedError where they cannot be signed: AWS would only say that they are bad.
    """
    given = next((value for name, value in headers if name == b"authorization"), b"")
    if exchange.route.provider != routes.AWS or not given.startswith(_SIGNED):
        return headers
    found = _REGION.search(given)
    if found is None:
        raise RefusedError(400, "the request's AWS signature names no region")
    fields = tuple((name.decode(), value.decode("latin-1")) for name, value in headers)
    try:
        made, failed = await exchange.app.engines.do(
            "sign", Call(url, fields, body, exchange.method), found[1].decode()
        )
    except EngineError as error:
        raise RefusedError(503, f"the request could not be signed: the worker {error.reason}") from error
    if failed:
        raise RefusedError(403, f"this request was signed for another address and cannot be signed anew: {failed}")
    return [(name.encode(), value.encode("latin-1")) for name, value in made]
