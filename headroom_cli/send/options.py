"""What the caller of a send asks for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.backends import Headers
    from headroom_cli.plugins import Telling
    from headroom_cli.shaping.asked import Shaping


class Options:
    """What the caller asks for besides the policy.

    ``model``       the model's name instead of the request's
    ``usual``       the model's name where neither the caller nor the input names one
    ``prompt``      words of the user in front of a text that is no request
    ``max_tokens``  of the answer, for a text that is no request; None means DEFAULT_MAX_TOKENS
    ``stream``      True asks for a stream whatever the request says
    ``headers``     the client's own that belong to the API
    ``plain``       True leaves the stages out: for who met a fault of theirs
    ``redeem``      how originals can be asked for; "tool" offers ours where that is possible
    ``scope``       who asks, "" for the owner of the store
    ``plugins``     what hears of the request on its way (events.Plugins, or what events.plugins_for takes), None for
                    nobody
    ``shaping``     how answers are to be shaped (shaping.asked.Shaping), None for not at all
    ``request_id``  the name by which plugins are told of it, "" makes one up
    ``telling``     who tells them (plugins.Telling); made on the way in
    """

    __slots__ = (
        "headers", "max_tokens", "model", "plain", "plugins", "prompt", "redeem", "request_id", "scope", "shaping",
        "stream", "telling", "usual",
    )  # fmt: skip

    def __init__(
        self, *, model: str = "", prompt: str = "", max_tokens: int | None = None, stream: bool = False,
        headers: Headers = (), redeem: str = "tool", usual: str = "",
        plain: bool = False, scope: str = "", plugins: Any = None, request_id: str = "",
        shaping: Shaping | None = None,
    ) -> None:  # fmt: skip
        """All may be left out."""
        self.model = model
        self.usual = usual
        self.plain = plain
        self.prompt = prompt
        self.max_tokens = max_tokens
        self.stream = stream
        self.headers = headers
        self.redeem = redeem
        self.scope = scope
        self.plugins = plugins
        self.request_id = request_id
        self.shaping = shaping
        self.telling: Telling | None = None

    def copy(self) -> Options:
        """Return the same once more, to be changed for one request."""
        other = Options()
        for name in self.__slots__:
            setattr(other, name, getattr(self, name))
        return other
