"""Routes that show what happens: /livez, /readyz, /health, /stats, /metrics, /dashboard.

Numbers are for everybody who may ask at all (gate.py). Texts of conversations are for whoever has the install's key:
other users of a machine reach its loopback ports too.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from urllib.parse import parse_qs

from headroom_cli.serve import figures, metrics
from headroom_cli.serve.engines import EngineError
from headroom_cli.serve.replies import reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.serve.app import App
    from headroom_cli.serve.replies import Receive, Scope, Send

PATHS = ("/livez", "/readyz", "/health", "/stats", "/metrics", "/dashboard")
KEY = b"x-headroom-key"
_TEXTS = "/stats/requests/"
_NUMBER_MAX = 15  # digits

# Nothing of ours is to be kept, framed, or guessed at by a browser.
_PRIVATE = (
    (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"), (b"cross-origin-resource-policy", b"same-origin"),
)  # fmt: skip


class Page:
    """The dashboard's bytes and the policy that lets a browser run just these. Read once."""

    __slots__ = ("body", "policy")

    def __init__(self) -> None:
        """Read the file beside this one."""
        with open(os.path.join(os.path.dirname(__file__), "dashboard.html"), "rb") as file:
            self.body = file.read()
        script, style = (_hash(self.body, name) for name in (b"script", b"style"))
        self.policy = (
            f"default-src 'none'; script-src '{script}'; style-src '{style}'; connect-src 'self'; img-src data:; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
        ).encode()


def _hash(body: bytes, name: bytes) -> str:
    """Return the digest of the one element with that name, as a policy writes it."""
    start = body.index(b"<%b>" % name) + len(name) + 2
    inside = body[start : body.index(b"</%b>" % name, start)]
    return "sha256-" + base64.b64encode(hashlib.sha256(inside).digest()).decode()


_page: list[Page] = []


async def handle(app: App, scope: Scope, receive: Receive, send: Send) -> bool:  # noqa: ARG001 - as all handlers are called
    """Answer when the path is one of these; return whether it was."""
    path: str = scope["path"]
    if path not in PATHS and path != "/stats/requests" and not path.startswith("/stats/"):
        return False
    head = scope["method"] == "HEAD"
    if scope["method"] not in {"GET", "HEAD"}:
        await _say(send, 405, {"detail": "use GET"}, ((b"allow", b"GET, HEAD"),))
    elif path == "/livez":
        await reply(send, 200, b"ok\n", "text/plain; charset=utf-8", _PRIVATE, head=head)
    elif path in {"/readyz", "/health"}:
        unready, degraded = closed(app), ready(app)
        value: dict[str, Any] = {"v": 1, "ready": not unready, "degraded": bool(degraded)}
        if app.gate.is_known(scope):  # reasons name places of this machine; who shows no token needs none of them
            value["reasons"] = [*unready, *(reason for reason in degraded if reason not in unready)]
        await _say(send, 503 if unready else 200, value, head=head)
    elif path == "/stats":
        await _stats(app, scope, send, head=head)
    elif path == "/metrics":
        body = metrics.text(app.counts, app.engines.counters).encode()
        await reply(send, 200, body, metrics.CONTENT_TYPE, _PRIVATE, head=head)
    elif path == "/dashboard":
        if not _page:
            _page.append(Page())
        headers = (*_PRIVATE, (b"content-security-policy", _page[0].policy))
        await reply(send, 200, _page[0].body, "text/html; charset=utf-8", headers, head=head)
    elif path.startswith(_TEXTS):
        await _texts(app, scope, send, path[len(_TEXTS) :], head=head)
    else:
        await _say(send, 404, {"detail": "no such page"}, head=head)
    return True


_NO_WORKER = "no worker process is up"


def closed(app: App) -> list[str]:
    """Return why a load balancer should ask another proxy, in short words; [] while this one answers as well as any.

    A store that is gone is no such reason: it is gone for all that share it, and a proxy without one still answers.
    """
    reasons = ["it is about to end"] if app.draining else []
    if not app.engines.ready:
        reasons.append(_NO_WORKER)
    return reasons


def ready(app: App) -> list[str]:
    """Return why requests would go through as they are, in short words; [] when all is well."""
    reasons = [reason] if (reason := app.store_ok()) else []
    if not app.engines.ready:
        reasons.append(_NO_WORKER)
    return reasons


async def _say(send: Send, status: int, value: Any, headers: tuple[Any, ...] = (), *, head: bool = False) -> None:
    await reply(send, status, json.dumps(value).encode() + b"\n", headers=(*_PRIVATE, *headers), head=head)


async def _stats(app: App, scope: Scope, send: Send, *, head: bool) -> None:
    """Answer with the sums; ``?since=N`` leaves out requests up to the N-th that ended."""
    since = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("since", ["0"])[-1]
    if not _is_number(since):
        await _say(send, 400, {"detail": "since is a whole number: the order of the last request you know"}, head=head)
        return
    value = figures.stats(app.counts, int(since))
    value["workers"] = app.serving.workers
    value["engines"] = app.engines.counters
    value["ready"] = ready(app)
    await _say(send, 200, value, head=head)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _NUMBER_MAX


async def _texts(app: App, scope: Scope, send: Send, name: str, *, head: bool) -> None:
    """Answer with the blocks of a request before and after, to whoever has the key; to others all numbers are alike."""
    shown = [given for field, given in scope["headers"] if field == KEY]
    key = app.serving.key.encode()
    if not key or len(shown) != 1 or not hmac.compare_digest(shown[0], key):
        await _say(send, 401, {"detail": "texts are shown to whoever sends the key in x-headroom-key"}, head=head)
        return
    held = app.counts.bodies(int(name)) if _is_number(name) else None
    if held is None:
        await _say(send, 404, {"detail": "the texts of that request are not kept"}, head=head)
        return
    try:
        blocks = await app.engines.do("pairs", *held)
    except EngineError as error:
        await _say(send, 503, {"detail": f"the texts could not be compared: {error.reason}"}, head=head)
        return
    await _say(send, 200, {"v": 1, "number": int(name), "blocks": blocks}, head=head)
