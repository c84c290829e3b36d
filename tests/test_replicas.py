"""Proxies on one store behind a balancer that remembers nobody: one is killed, the store is started anew, all agree."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import httpx
import pytest
from conftest import ROOT
from provider import Provider, Reply, text
from proxies import Running
from replicas import Model, Replicas, Talk, play
from shared_stores import RedisServer

from headroom_cli.errors import HeadroomError
from headroom_cli.store import named


@pytest.fixture
def server(tmp_path):
    (tmp_path / "redis").mkdir()
    running = RedisServer(tmp_path / "redis")
    yield running
    running.stop(signal.SIGKILL)


@pytest.fixture
def provider():
    with Provider() as running:
        yield running


def lost(model, talks, url):
    """Return every handle that the model was shown and whose original is not there, or is not what the client had."""
    store = named(url)
    wholes = {talk.name: {talk.output(turn) for turn in range(1, talk.turns + 1)} for talk in talks}
    found = []
    for handle, name in model.handles().items():
        try:
            data = store.get(store.resolve(handle)).decode()
        except HeadroomError as error:
            found.append((handle, name, str(error)))
        else:
            if data not in wholes[name]:
                found.append((handle, name, data[:100]))
    return found


def everything_at_once(provider, server, folder, count, turns):
    """Kill one of three proxies and start another, start the store anew; return the model, talks and replicas."""
    model, talks = Model(), [Talk(number, turns) for number in range(count)]
    provider.script(model)
    whole = count * turns
    with Replicas(folder, server.url, provider.url) as replicas:

        def each(done):
            if done == whole // 5:
                replicas.kill(1)
            elif done == whole * 2 // 5:
                replicas.start(1)  # with nothing at hand, as on another machine
            elif done == whole * 3 // 5:
                server.stop()
                time.sleep(0.3)
                server.start()
            elif done == whole * 4 // 5:
                replicas.kill(2)
                server.stop(signal.SIGKILL)
                server.start()

        play(replicas, talks, each=each)
    assert [one for talk in talks for one in talk.failed] == []
    assert model.broken(talks) == []
    assert lost(model, talks, server.url(folder / "looking")) == []
    assert model.refused == []
    assert [line for line in replicas.said if "Traceback" in line] == []
    sent = sum(max(model.seen[talk.name]) for talk in talks)
    shortened = sum(model.shortened(talk) for talk in talks)
    print(
        f"{whole} turns of {count} talks; {shortened} of {sent} outputs shortened, {model.given} originals given; "
        f"{sum(talk.retries for talk in talks)} requests sent again; "
        f"longest turn {max(max(talk.took) for talk in talks):.1f} s"
    )
    assert shortened > sent * 0.8
    assert model.given >= len(model.wants) * 0.8  # whose proxy was killed asked again
    return replicas


def test_talks_that_hop_keep_their_bytes_whatever_ends(provider, server, tmp_path):
    everything_at_once(provider, server, tmp_path, 14, 6)


@pytest.mark.long
def test_two_hundred_talks_that_hop_keep_their_bytes_whatever_ends(provider, server, tmp_path):
    everything_at_once(provider, server, tmp_path, 200, 8)


def test_two_that_render_the_same_at_the_same_time_agree(provider, server, tmp_path):
    model = Model(often=100)
    provider.script(model)
    with Replicas(tmp_path, server.url, provider.url, count=2) as replicas:
        talks = [Talk(number * 2, 1) for number in range(6)]
        play(replicas, talks)
        short = 0
        for talk in talks:
            both = threading.Barrier(2)

            def ask(number, talk=talk, both=both):
                both.wait(10)
                url = replicas.running[number].url
                assert httpx.post(f"{url}/v1/messages", json=talk.request, headers=talk.key(), timeout=60).is_success

            threads = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            bodies = model.seen[talk.name][1]
            assert len(bodies) == 2
            assert bodies[0] == bodies[1]
            short += len(bodies[0]) < 3_000
        assert short > len(talks) / 2  # a busy machine may stop one at its time limit; both send that, too


@pytest.mark.long
def test_one_that_started_without_the_store_is_like_the_others_once_it_is_there(provider, server, tmp_path):
    model = Model(often=1)
    provider.script(model)
    with Replicas(tmp_path, lambda home: server.url(home, hold=0), provider.url, count=1) as replicas:
        talk = Talk(0, 1)
        play(replicas, [talk])
        server.stop()
        replicas.end(0)
        replicas.start(0)
        (late,) = replicas.running
        answer = httpx.get(f"{late.url}/readyz")
        until = time.monotonic() + 20
        while not (answer := httpx.get(f"{late.url}/readyz")).json()["degraded"] or answer.status_code != 200:
            assert time.monotonic() < until, answer.text
            time.sleep(0.1)
        assert answer.json()["ready"]  # one without a store still answers
        server.start()
        until = time.monotonic() + 40
        while httpx.get(f"{late.url}/readyz").json()["degraded"]:
            assert time.monotonic() < until
            time.sleep(0.2)
        time.sleep(1.5)
        # The model asks for the original of an output that the first proxy left out.
        with httpx.Client(timeout=60) as client:
            assert talk.step(client, replicas, 2), talk.failed
        assert model.refused == []
        assert model.given == 1


def test_who_is_told_to_end_says_so_and_finishes(provider, tmp_path):
    whole = text("word ", times=200)
    provider.script(Reply([whole], pieces=5, delay=0.01))
    with Running(tmp_path / "store", provider.url, "--drain", "2") as proxy, httpx.Client(timeout=60) as client:
        request = {"model": "claude-opus-4-8", "max_tokens": 99, "messages": [{"role": "user", "content": "x"}]}
        key = {"x-api-key": "sk-ant-a", "anthropic-version": "2023-06-01"}
        with client.stream("POST", f"{proxy.url}/v1/messages", json={**request, "stream": True}, headers=key) as answer:
            pieces = answer.iter_bytes()
            got = next(pieces)
            assert client.get(f"{proxy.url}/readyz").status_code == 200
            proxy.process.send_signal(signal.SIGTERM)
            until = time.monotonic() + 1.5
            while (said := client.get(f"{proxy.url}/readyz")).status_code != 503:
                assert time.monotonic() < until
                time.sleep(0.01)
            assert said.json()["reasons"] == ["it is about to end"]
            assert said.headers["connection"] == "close"
            # Who has not heard of it yet is served.
            provider.script(Reply([text("late")]))
            late = client.post(f"{proxy.url}/v1/messages", json=request, headers=key)
            assert late.json()["content"][0]["text"] == "late"
            assert late.headers["connection"] == "close"
            got += b"".join(pieces)
        assert got.count(b"word ") == 200
        assert b"message_stop" in got
        assert proxy.process.wait(40) == 0
        with pytest.raises(httpx.ConnectError):
            client.get(f"{proxy.url}/livez")


@pytest.mark.long
def test_an_upgrade_one_by_one_keeps_prefixes(provider, server, tmp_path, monkeypatch):
    """The oldest version that knows shared stores and this one, on one store, in one conversation."""
    log = ["git", "log", "--format=%h", "--diff-filter=A", "--", "docs/shared-store.md"]
    first = subprocess.run(log, cwd=ROOT, capture_output=True, text=True)
    if first.returncode or not first.stdout.strip():
        pytest.skip("the history is not beside this checkout")
    old = tmp_path / "old"
    commit = first.stdout.split()[-1]
    archive = subprocess.run(["git", "archive", commit, "headroom_cli"], cwd=ROOT, capture_output=True, check=True)
    old.mkdir()
    subprocess.run(["tar", "-x", "-C", old], input=archive.stdout, check=True)
    model, talks = Model(), [Talk(number, 9) for number in range(20)]
    provider.script(model)
    before = {"PYTHONPATH": str(old)}
    monkeypatch.chdir(tmp_path)  # a working tree would come before it
    code = "import headroom_cli; print(headroom_cli.__file__)"
    came = subprocess.run([sys.executable, "-c", code], env={**os.environ, **before}, capture_output=True, text=True)
    assert came.stdout.startswith(str(old))
    # The old one does not hold requests: it is given the time to wait for a busy disk.
    with Replicas(tmp_path, lambda home: server.url(home, wait=3), provider.url, environment=before) as replicas:
        replicas.environment = {}

        def each(done):
            if done in {50, 80, 110}:
                number = (done - 50) // 30
                replicas.end(number)
                replicas.start(number)

        play(replicas, talks, each=each)
    assert [one for talk in talks for one in talk.failed] == []
    assert model.broken(talks) == []
    assert lost(model, talks, server.url(tmp_path / "looking")) == []
    assert model.refused == []
    assert sum(model.shortened(talk) for talk in talks) >= 20 * 8 * 0.8


def test_what_was_made_without_the_store_is_not_kept(tmp_path):
    body = json.dumps(Talk(1, 1).request)
    script = f"""
from headroom_cli.serve import work
from headroom_cli.serve.jobs import Ask
from headroom_cli.serve.options import Serving
state = work.State(Serving("redis://127.0.0.1:1/0?local={tmp_path}/local"))
_, missed, _ = work.insisting(state, "prepare", None, Ask("anthropic", {body!r}.encode()))
print(missed, state._ready)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=60)
    # Another process makes it again, with the store; what is remembered of its answer here must fit that one.
    assert done.stdout == "True []\n", done.stderr
