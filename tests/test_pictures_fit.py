"""Pictures under a budget: what they cost there, and lines that name a picture which was left out."""

import json

import pytest

pytest.importorskip("PIL")

from pictures import call, outputs, part, request, result, screenshot

from headroom_cli import engine, formats
from headroom_cli.fit import turns as read_turns
from headroom_cli.fit.pictures import renamed
from headroom_cli.fit.walk import Group
from headroom_cli.images import cost
from headroom_cli.model import Policy
from headroom_cli.store import Store

SHAPES = ("anthropic", "openai", "responses", "mcp")
PAGE, OTHER = screenshot(), screenshot(tuple(f"another page, line {i * 7}" for i in range(26)))


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_budget_counts_pictures_by_their_size(shape):

    small, large = screenshot(size=(280, 280)), screenshot(size=(1120, 1120))
    document = formats.of_value(request(shape, small, large))
    turns = read_turns.read(document, lambda text: len(text) // 4)
    first, second = (turn.tokens for turn in turns if turn.answers)
    assert first - 10 < cost.tokens(280, 280, "anthropic") <= first
    assert second - first == cost.tokens(1120, 1120, "anthropic") - cost.tokens(280, 280, "anthropic")


def filled(shape, body, turns=12):
    """A request with so many more outputs that a budget leaves turns with pictures out."""
    name = "input" if shape == "responses" else "messages"
    for i in range(turns):
        shown = {
            "type": "input_text" if shape == "responses" else "text",
            "text": f"some words {i} of {i * 7919} " * 200,
        }
        body[name] += [call(shape, 50 + i, f"f{i}", "Read"), result(shape, 50 + i, shown)]
    return body


@pytest.mark.parametrize("shape", SHAPES)
def test_a_picture_that_a_budget_left_out_is_not_said_to_stand_further_up(shape, store):
    body = filled(shape, request(shape, PAGE, OTHER, PAGE))
    data = json.dumps(body).encode()
    for policy in (Policy(lossless=True, budget=4_000), Policy(budget=4_000)):
        done = engine.crush(data, policy, store)
        assert engine.expand(done.data, store) == (data, [])
        text = done.data.decode()
        assert "[the same picture as a picture in the turns left out (page0.png)]" in text
        assert "pictures back" not in text


def test_pictures_between_that_a_budget_left_out_are_not_counted():

    marker = "\n<<headroom:abcdefghijkl x>>"
    lines = ["[the same picture as the picture 3 pictures back (page0.png)]" + marker,
             "[the picture 4 pictures back (page0.png), but for 9x9 pixels at 0,0, which are:]" + marker,
             "[the same picture as the picture before this one]"]  # fmt: skip
    body = request("anthropic", PAGE, OTHER, OTHER)
    for number, line in enumerate(lines):
        more = [part("anthropic", OTHER)] if "but for" in line else []
        body["messages"] += [
            call("anthropic", 7 + number, "x"),
            result("anthropic", 7 + number, {"type": "text", "text": line}, *more),
        ]
    document = formats.parse(json.dumps(body).encode())

    def without(*turns, ours=()):
        return [
            text.partition("]")[0] for text in renamed(document, [Group(*turns, "", "", 0)], frozenset(ours)).values()
        ]

    assert without(5, 6) == [
        "[the same picture as the picture 2 pictures back (page0.png)",
        "[the picture 3 pictures back (page0.png), but for 9x9 pixels at 0,0, which are:",
    ]
    assert without(3, 6)[0] == "[the same picture as the picture before this one (page0.png)"
    assert without(9, 10) == []
    assert without(9, 10, ours=lines) == ["[the same picture as a picture in the turns left out"]


def test_a_line_that_stands_for_a_picture_is_not_referred_to_as_a_text(store):
    body = request("responses", PAGE, PAGE, OTHER, OTHER, PAGE, PAGE)
    for turn in body["input"]:
        if turn.get("type") == "function_call":
            turn["arguments"] = "{}"
    outcome = engine.crush(json.dumps(body).encode(), Policy(lossless=True), store)
    made = json.loads(outcome.data)
    assert "as above" not in outcome.data.decode()
    assert engine.crush(outcome.data, Policy(lossless=True), store).data == outcome.data
    assert outputs(made, "responses")[3][0].startswith("[the same picture as the picture before this one")
