"""Batches: in their order, in processes of their own, whatever becomes of one of them."""

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from conftest import clean_environment
from library_talks import SHAPES, in_child, objects, talk
from talks import LOG

import headroom_cli
from headroom_cli import Headroom, compress, retrieve

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "store")


def batch(count):
    return [talk(SHAPES[number % 3], number).items for number in range(count)]


def test_a_batch_comes_in_its_order_and_shares_what_did_not_change(store, tmp_path):
    asked = [*batch(7), [{"role": "user", "content": "hi"}]]
    told = []
    made = headroom_cli.compress_many(
        asked, "gpt-5", store=store, workers=2, progress=lambda done, total: told.append((done, total))
    )
    assert told == [(number, 8) for number in range(1, 9)]
    alone = [compress(one, "gpt-5", store=str(tmp_path / "alone")) for one in asked]
    assert [one.messages for one in made] == [one.messages for one in alone]
    assert [one.tokens_after for one in made] == [one.tokens_after for one in alone]
    assert all(one.messages[0] is turns[0] for one, turns in zip(made, asked, strict=True))
    assert made[7].messages is asked[7]
    assert retrieve(made[3].handles[0], store=store) == LOG.encode()


def test_objects_of_the_sdks_come_back_from_other_processes(store):
    turns = list(talk("openai").items)
    turns[1] = objects("openai")[0]
    (made,) = headroom_cli.compress_many([turns], store=store, workers=1)
    assert made.messages[1] is turns[1]
    assert made.tokens_saved > 0


class Ends:
    """Ends the process that reads it."""

    def __reduce__(self):
        return os._exit, (3,)


class Kills:
    """Kills the process that reads it, as a system does that has no memory left."""

    def __reduce__(self):
        return signal.raise_signal, (signal.SIGKILL,)


class Sleeps:
    """Holds up the process that reads it."""

    def __reduce__(self):
        return time.sleep, (60,)


class Local:
    """What no other process knows how to make: a lock."""

    def __init__(self):
        self.lock = threading.Lock()


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (Ends, "the worker process ended (status 3)"),
        (Kills, "the worker process ended (signal 9)"),
        pytest.param(Sleeps, "shortening took longer than 10 s", marks=pytest.mark.long),
        (Local, "it cannot be given to a worker (TypeError)"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_a_worker_that_dies_costs_one_conversation(odd, why, store):
    asked = batch(5)
    asked[2] = [*asked[2], {"role": "user", "content": "x", "odd": odd()}]
    seconds = 10.0 if odd is Sleeps else 120.0
    made = headroom_cli.compress_many(asked, store=store, workers=1, seconds=seconds)
    assert made[2].messages is asked[2]
    assert made[2].reason == why
    assert [bool(one.tokens_saved) for one in made] == [True, True, False, True, True]


def test_a_batch_may_be_read_as_it_comes(store):
    taken = []

    def source():
        for number, one in enumerate(batch(9)):
            taken.append(number)
            yield one

    told = []

    def progress(done, total):
        told.append((done, total, len(taken)))

    assert len(headroom_cli.compress_many(source(), store=store, workers=1, progress=progress)) == 9
    assert [done for done, _, _ in told] == list(range(1, 10))
    assert {total for _, total, _ in told} == {None}
    assert told[0][2] < 9  # not all of it was taken at once


def test_a_batch_that_is_stopped_leaves_no_process(store):
    def progress(done, _total):
        if done == 2:
            raise KeyboardInterrupt

    with Headroom(store=store) as headroom:
        with pytest.raises(KeyboardInterrupt):
            headroom.compress_many(batch(8), workers=2, progress=progress)
        with pytest.raises(TypeError, match="number 1 is neither"):
            headroom.compress_many([batch(1)[0], "text"], workers=1)
        assert headroom.compress_many(batch(1), workers=1)[0].tokens_saved > 0
        crew = headroom._crew
        processes = [one._process for one in crew._idle if one._process]
        assert any(process.poll() is None for process in processes)
    assert all(process.poll() is not None for process in processes)


def test_a_batch_in_this_process_gives_the_same(store, tmp_path):
    there = headroom_cli.compress_many(batch(3), store=store, workers=1)
    here = headroom_cli.compress_many(batch(3), store=str(tmp_path / "other"), workers=0)
    assert [one.messages for one in here] == [one.messages for one in there]


def test_a_forked_child_starts_workers_of_its_own(store):
    with Headroom(store=store) as headroom:
        headroom.compress_many(batch(1), workers=1)
        assert in_child(lambda: headroom.compress_many(batch(2), workers=1)[1].tokens_saved > 0) == 0
        assert headroom.compress_many(batch(3), workers=1)[2].tokens_saved > 0


SCRIPT = """
import json, sys
from headroom_cli import compress_many
print("once")
with open(sys.argv[1]) as stream:
    batch = json.load(stream)
made = compress_many(batch, store=sys.argv[2], workers=2)
print(sum(one.tokens_saved > 0 for one in made))
"""


def test_a_script_needs_no_guard(tmp_path):
    (tmp_path / "batch.json").write_text(json.dumps(batch(3)))
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "-W", "error", "script.py", "batch.json", "store"]
    done = subprocess.run(
        command, cwd=tmp_path, env=clean_environment(tmp_path), capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "once\n3\n", done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("python", ["", "/nonexistent/python", "/bin/true"])
def test_without_a_python_to_start_all_comes_back(python, store, monkeypatch):
    monkeypatch.setattr(sys, "executable", python)
    asked = batch(3)
    made = headroom_cli.compress_many(asked, store=store, workers=2)
    assert all(one.messages is turns for one, turns in zip(made, asked, strict=True))
    assert all("process" in one.reason for one in made)


def test_workers_end_with_the_object_that_nobody_closed(store):
    held = [Headroom(store=store)]
    held[0].compress_many(batch(1), workers=1)
    (process,) = (one._process for one in held[0]._crew._idle)
    assert in_child(lambda: held.clear() is None) == 0
    assert process.poll() is None
    held.clear()
    gc.collect()
    assert process.poll() is not None


def test_a_batch_may_have_all_the_time_it_wants(store):
    assert headroom_cli.compress_many(batch(1), store=store, workers=1, seconds=float("inf"))[0].tokens_saved > 0
