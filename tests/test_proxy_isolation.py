"""Nobody is given what another one sent: scopes at the level of requests, originals and notes."""

import json
import os
import random
import time

import pytest
from isolation import HANDLE, LOG, NONCE, OWN, SHAPES, A, Told, Who, play
from own_routes import App, ask
from provider import Provider
from talks import OURS, Talk, handle_of

from headroom_cli import backends, replay, send, wire
from headroom_cli.model import Policy
from headroom_cli.relay import Relay
from headroom_cli.serve import spelling, work_own
from headroom_cli.serve.identity import Identity
from headroom_cli.send import scopes
from headroom_cli.store import Store
from headroom_cli.wire._events import Call


class Direct:
    """Requests as a worker process makes them ready, sent to the provider from here."""

    def __init__(self, root, provider, *, apart=True):
        self.store = Store(str(root))
        self.provider = provider
        self.app = App(root)
        self._apart = apart

    def scope(self, who):
        headers = [(name.encode(), value.encode()) for name, value in who.headers] if self._apart else []
        return self.app.identity.scope(headers)

    def ready(self, who, talk):
        replay.forget_all()  # another process
        backend, _ = backends.load({"anthropic": "anthropic"}.get(talk.name, "openai"))
        policy = Policy(redeem="tool", live=True)
        options = send.Options(redeem="tool", scope=self.scope(who))
        made = send.ready(json.dumps(talk.request).encode(), policy, self.store, backend, options, form=talk.shape)
        made.grant()
        return made, backend

    def ask(self, who, talk):
        made, backend = self.ready(who, talk)
        base = self.provider.url + ("" if talk.name == "anthropic" else "/v1")
        target = backends.Target(base=base, secrets={"ANTHROPIC_API_KEY": "sk-ant-x", "OPENAI_API_KEY": "sk-x"})
        relay = Relay(made.request, backend, target, made.desk())
        gathered = wire.load(talk.shape).Message()
        for events in send.answer(relay, backend, target):
            for event in events:
                gathered.take(event)
        made.remember(relay)
        return gathered.value() if relay.streaming else json.loads(relay.body())

    def fetch(self, who, handle):
        headers = who.headers if self._apart else ()
        answer = ask(self.app, "GET", f"/v1/retrieve/{handle}", headers=headers)
        return b"%d " % answer.status + answer.body


@pytest.fixture
def provider():
    with Provider() as made:
        yield made


# --- A and B


@pytest.mark.parametrize("streaming", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("name", SHAPES)
def test_nothing_of_one_reaches_another(tmp_path, provider, name, streaming):
    play(Direct(tmp_path / "store", provider), name, streaming=streaming)


@pytest.mark.parametrize("name", SHAPES)
def test_the_ways_to_ask_do_work_where_nobody_is_kept_apart(tmp_path, provider, name):
    with pytest.raises(AssertionError, match="A's"):
        play(Direct(tmp_path / "store", provider, apart=False), name, streaming=False)
