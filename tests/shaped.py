"""Requests made ready as the proxy makes them, without a process: for tests of what shapes answers."""

import json

from headroom_cli import backends, send
from headroom_cli.model import Policy
from headroom_cli.shaping.asked import Shaping
from headroom_cli.store import Store

ASTRA = "gpt-6-astra"
ROWS = {"anthropic": "anthropic", "openai": "openai", "responses": "openai"}


class Line:
    """A store, and what is asked of whoever stands in front of it.

    ``asked`` are keywords of Shaping, None for nothing at all; they may be changed between requests.
    """

    def __init__(self, folder, scope="", **asked):
        self.store = Store(str(folder))
        self.scope = scope
        self.asked = asked

    def ready(self, shape, request, **more):
        """Make a request ready: a value, or bytes."""
        data = request if isinstance(request, bytes) else json.dumps(request).encode()
        shaping = None if self.asked is None else Shaping(**{**self.asked, **more})
        options = send.Options(scope=self.scope, shaping=shaping)
        policy = Policy(redeem="tool", live=True)
        ready = send.ready(data, policy, self.store, backends.load(ROWS[shape])[0], options, form=shape)
        if not more:
            ready.begin()  # its answer begins
        return ready

    def sent(self, shape, request, **more):
        """Return the request as it goes out."""
        return json.loads(self.ready(shape, request, **more).request.body)


def system_of(shape, request):
    """The instructions of a request as one text."""
    if shape == "responses":
        return request.get("instructions") or ""
    if shape == "openai":
        turns = request["messages"]
        said = [turn["content"] for turn in turns if turn["role"] in {"system", "developer"}]
        return "\n".join(text if isinstance(text, str) else "\n".join(part["text"] for part in text) for text in said)
    system = request.get("system") or ""
    return system if isinstance(system, str) else "\n".join(part["text"] for part in system)
