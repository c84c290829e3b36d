"""align inside a run: with a store, in a pipe of stages, and back again."""

import json

import pytest
from test_align_turns import SHAPES, conversation, prompt

from headroom_cli import engine
from headroom_cli.model import Policy
from headroom_cli.store import Store

STAGES = ("align", "route", "fit")
DAYS = [(21, 3), (21, 4), (21, 4), (22, 5), (22, 5)]


def lines(request):
    return "".join(json.dumps(turn) + "\n" for turn in request).encode()


@pytest.mark.parametrize("live", [False, True], ids=["traces", "live"])
@pytest.mark.parametrize("shape", SHAPES)
def test_runs_of_a_conversation_share_their_prefix_and_can_be_undone(shape, live, tmp_path):
    before = []
    for request in conversation(shape, DAYS):
        data, policy = json.dumps(request).encode(), Policy(live=live)
        sent = engine.crush(data, policy, Store(str(tmp_path / "s")), stages=STAGES).data
        now = prompt(json.loads(sent))
        assert now[: len(before)] == before
        before = now
        assert engine.expand(sent, Store(str(tmp_path / "s"))) == (data, [])
        assert engine.crush(sent, policy, Store(str(tmp_path / "s")), stages=STAGES).data == sent
        staged = data
        for stage in STAGES:
            staged = engine.crush(staged, policy, Store(str(tmp_path / "s")), stages=(stage,)).data
        assert staged == sent


def test_a_conversation_in_lines_is_aligned_too(tmp_path):
    store, before = Store(str(tmp_path / "s")), []
    for request in conversation("bare", DAYS):
        data = lines(request)
        sent = engine.crush(data, Policy(), store, stages=STAGES).data
        now = prompt([json.loads(line) for line in sent.splitlines()])
        assert now[: len(before)] == before
        assert b"{session id}" in sent.splitlines()[0]
        before = now
        assert engine.expand(sent, store) == (data, [])


def test_without_a_store_nothing_moves():
    data = json.dumps(conversation("chat", [(21, 3)])[0]).encode()
    assert engine.crush(data, Policy(), None, stages=STAGES).data == data


def test_an_output_keeps_its_lines_in_crush(tmp_path):
    text = b"You have 5 requests left.\nToday's date: 2026-11-21\n" * 3
    assert b"[headroom:" not in engine.crush(text, Policy(), Store(str(tmp_path / "s")), stages=STAGES).data
