"""A proxy's own routes without its sockets: jobs are done in this process, requests are ASGI messages."""

import asyncio
import json

from headroom_cli.identity import Identity
from headroom_cli.model import Policy
from headroom_cli.serve import own, work_own
from headroom_cli.serve.options import Serving
from headroom_cli.serve.replies import RefusedError, refuse
from headroom_cli.serve.room import Room
from headroom_cli.store import Store

JOBS = {"compress": work_own.compress, "retrieve": work_own.retrieve}


class State:
    """What a worker process holds, as far as these jobs use it."""

    def __init__(self, root):
        self.store = Store(str(root))

    def policy(self, **changes):
        return Policy(**{"redeem": "tool", "live": True, **changes})


class Engines:
    def __init__(self, state):
        self.state = state
        self.failing = None

    async def do(self, job, *arguments):
        if self.failing is not None:
            raise self.failing
        return JOBS[job](self.state, *arguments)


class App:
    """The application: own.py's routes alone."""

    def __init__(self, root, key=b"k" * 32):
        self.serving = Serving(str(root))
        self.identity = Identity(key=key)
        self.engines = self.holding = Engines(State(root))
        self.room = Room(self.serving.limits)

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        handler = own.compress if scope["path"] == "/v1/compress" else own.retrieve
        try:
            await handler(self, scope, receive, send)
        except RefusedError as error:
            await refuse(send, error, head=scope["method"] == "HEAD")


class Answer:
    def __init__(self, messages):
        self.status = messages[0]["status"]
        self.headers = dict(messages[0]["headers"])
        self.body = b"".join(message.get("body", b"") for message in messages[1:])

    @property
    def json(self):
        return json.loads(self.body)


def ask(app, method, path, body=b"", headers=(), *, query=b""):
    """Send one request to the application; return its answer."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    raw = path if isinstance(path, bytes) else path.encode()
    scope = {
        "type": "http", "method": method, "path": raw.decode("latin-1"), "raw_path": raw, "query_string": query,
        "headers": [(b"content-type", b"application/json"), *((n.encode(), v.encode()) for n, v in headers)],
    }  # fmt: skip
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return Answer(sent)
