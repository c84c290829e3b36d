"""The library: message objects, the Headroom object, threads, forks, and what fails."""

import asyncio
import contextlib
import json
import subprocess
import sys

import pytest
from conftest import ROOT, clean_environment
from library_talks import SHAPES, objects, talk
from pictures import media_of, part, screenshot
from talks import LOG

import headroom_cli
from headroom_cli import Headroom, Policy, compress, retrieve
from headroom_cli.errors import ConfigError, NotFoundError


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "store")


# --- what is given and what comes back


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("whole", [False, True], ids=["list", "request"])
def test_objects_of_the_sdks_may_stand_for_messages(shape, whole, store):
    one = talk(shape)
    for number, given in enumerate(objects(shape)):
        turns = list(one.items)
        turns[1] = given
        name = "input" if shape == "responses" else "messages"
        asked = {**one.request, name: turns} if whole else turns
        before = repr(asked)
        made = compress(asked, "gpt-5", store=f"{store}{number}")
        assert made.tokens_after < 0.1 * made.tokens_before, made.reason
        shown = made.messages[name] if whole else made.messages
        assert shown[0] is turns[0]
        assert shown[1] is given
        assert one.results({name: [*turns[:1], shown[2]]})["t1"].count("<<headroom:") == 1
        assert repr(asked) == before
        assert retrieve(made.handles[0], store=f"{store}{number}") == LOG.encode()
        if whole:
            assert made.messages["tools"] is asked["tools"]


def test_an_object_that_changes_comes_back_as_plain_values(store):
    from openai.types.chat import ChatCompletionMessage
    from pydantic import BaseModel

    class Tool(BaseModel):
        role: str = "tool"
        tool_call_id: str
        content: str

    turns = list(talk("openai").items)
    turns[1] = ChatCompletionMessage.model_validate(turns[1])
    turns[2] = Tool(role="tool", tool_call_id="t1", content=LOG)
    made = compress(turns, store=store).messages
    assert made[1] is turns[1]
    assert type(made[2]) is dict
    assert made[2]["tool_call_id"] == "t1"
    assert len(made[2]["content"]) < 0.1 * len(LOG)
    assert turns[2].content == LOG


def test_what_does_not_change_is_the_value_itself(store):
    for given in ([{"role": "user", "content": "hi"}], {"model": "m", "messages": [{"role": "user", "content": "hi"}]}):
        assert compress(given, store=store).messages is given
    turns = tuple(talk("anthropic", output="short").items)
    assert compress(turns, store=store).messages is turns


def test_a_tuple_comes_back_as_one(store):
    turns = tuple(talk("anthropic").items)
    made = compress(turns, store=store).messages
    assert type(made) is tuple
    assert made[0] is turns[0]
    assert made[-1] != turns[-1]


def test_only_what_changed_is_new(store):
    one = talk("anthropic")
    one.items.insert(0, {"role": "user", "content": "first"})
    asked = one.items
    made = compress(asked, store=store).messages
    assert all(new is old for new, old in zip(made[:-1], asked[:-1], strict=True))
    assert made[-1] is not asked[-1]
    assert {**made[-1]["content"][0], "content": ""} == {**asked[-1]["content"][0], "content": ""}


def test_the_result_has_the_figures_of_other_libraries(store):
    made = compress(talk("anthropic").items, model="claude-sonnet-4-5", store=store)
    assert made.tokens_saved == made.tokens_before - made.tokens_after > 0
    assert made.compression_ratio == made.tokens_after / made.tokens_before
    assert made.transforms_applied == ["log:lossy"]
    assert made.reason == ""
    assert compress([], store=store).compression_ratio == 1.0


@pytest.mark.parametrize("shape", SHAPES)
def test_the_tool_is_offered_for_who_answers_its_calls(shape):
    from talks import OURS

    text = json.dumps(headroom_cli.tool(shape))
    assert OURS in text
    assert '"handle"' in text
    with pytest.raises(ValueError, match="unknown shape"):
        headroom_cli.tool("soap")


@pytest.mark.parametrize("shape", SHAPES)
def test_pictures_inside_are_made_smaller(shape, store):
    pytest.importorskip("PIL")
    data = screenshot()
    one = talk(shape, output=[part(shape, data)])
    made = compress(one.request, "claude-sonnet-4-5", store=store)
    assert any(report.degree for report in made.blocks), made.reason
    assert len(json.dumps(made.messages)) < 0.9 * len(json.dumps(one.request))
    assert retrieve(made.handles[0], store=store) == data
    assert media_of(data) == "image/png"


@pytest.mark.parametrize("shape", SHAPES)
def test_what_was_retrieved_is_never_made_smaller(shape, store):
    name = "retrieve_original_content"
    turns = json.loads(json.dumps(talk(shape).items).replace('"Bash"', f'"{name}"'))
    made = compress(turns, level="max", store=store)
    assert made.messages is turns


@pytest.mark.parametrize("shape", SHAPES)
def test_what_was_made_smaller_stays_as_it_is(shape, store, tmp_path):
    turns = talk(shape).items
    made = compress(turns, store=store)
    assert compress(turns, store=store).messages == made.messages
    assert compress(turns, store=str(tmp_path / "another")).messages == made.messages
    assert compress(made.messages, store=store).messages is made.messages
    assert compress(made.messages, store=str(tmp_path / "third")).messages is made.messages


# --- what fails


@pytest.mark.parametrize("given", [None, "text", 3, b"x", object()], ids=lambda value: type(value).__name__)
def test_what_is_no_conversation_is_refused(given, store):
    with pytest.raises(TypeError, match="list of messages or a request"):
        compress(given, store=store)


class Odd:
    """An object that answers nothing."""

    def __getattr__(self, name):
        raise RuntimeError(name)


class Liar:
    """What says that it can be written, and cannot."""

    def model_dump(self, **_):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "given",
    [[], {}, [None], [3, "x"], [{"role": 3}], [{"role": "user", "content": object()}], {"messages": None}, [[[[[]]]]],
     {"messages": {"role": "user"}}, [{"role": "user", "content": [Liar()]}], [Liar()],
     [{"role": "tool", "content": float("nan")}], {"model": object(), "messages": [{"role": "user", "content": "x"}]},
     [{1: 2}], {1: {2: 3}}, [{"role": "user", "content": "\ud800"}], {"input": 3}],
)  # fmt: skip
def test_odd_values_come_back_as_they_are(given, store):
    made = compress(given, store=store)
    assert made.messages is given
    assert made.reason


def test_a_value_that_holds_itself_comes_back(store):
    given = [{"role": "user", "content": "x"}]
    given[0]["content"] = given
    assert compress(given, store=store).messages is given


def test_deep_values_come_back(store):
    given = [{"role": "user", "content": []}]
    inner = given[0]["content"]
    for _ in range(100_000):
        inner.append([])
        inner = inner[0]
    assert compress(given, store=store).messages is given
    while given:  # taken apart step by step: the interpreter's own way recurses
        given = given[0] if isinstance(given, list) else given["content"]


def test_a_failure_that_nobody_foresaw_leaves_the_messages_and_quotes_nothing(store, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("a secret of the user's")

    monkeypatch.setattr("headroom_cli.library.calls.engine.crush_value", broken)
    given = talk("anthropic").items
    made = compress(given, store=store)
    assert made.messages is given
    assert made.reason == "shortening failed (ZeroDivisionError); the messages are as they came"
    assert made.warnings == [made.reason]


@pytest.mark.parametrize("where", ["/dev/null/store", "\0"], ids=["no folder", "NUL"])
def test_a_store_that_cannot_be_is_a_reason(where):
    given = talk("anthropic").items
    made = compress(given, store=where)
    assert made.messages == given
    assert "store" in made.reason


# --- Headroom


@pytest.mark.parametrize(
    "policy", [None, "safe", Policy(level="safe"), {"level": "safe"}], ids=lambda given: type(given).__name__
)
def test_an_object_does_what_the_function_does(policy, store, tmp_path):
    asked = talk("anthropic").request
    with Headroom(store=store, policy=policy) as headroom:
        made = headroom.compress(asked, "claude-sonnet-4-5")
        later = asyncio.run(headroom.acompress(asked, "claude-sonnet-4-5"))
        assert headroom.retrieve(made.handles[0], lines="1:1") == LOG.encode().splitlines(keepends=True)[0]
        assert headroom.compress(asked, policy={"lossless": True}).handles == []
    alone = compress(asked, "claude-sonnet-4-5", store=str(tmp_path / "other"))
    assert made.messages == later.messages == alone.messages
    assert headroom.compress(asked).messages == made.messages  # nothing was held that a close could take


@pytest.mark.parametrize("policy", ["huge", {"level": "huge"}, {"levle": "safe"}, Policy.__name__], ids=repr)
def test_a_policy_that_does_not_exist_is_refused(policy, store):
    with pytest.raises(ConfigError):
        Headroom(store=store, policy=policy)
    with pytest.raises(ConfigError), Headroom(store=store) as headroom:
        headroom.compress([], policy=policy)


def test_a_function_is_told_of_the_stages_and_may_change_the_messages(store):
    stages = []

    def told(event):
        stages.append(event.stage)
        if event.stage == "input_received":
            event.messages = [*event.messages, {"role": "user", "content": "and why?"}]
            return event
        return None

    with Headroom(store=store, on_pipeline_event=told) as headroom:
        made = headroom.compress(talk("anthropic").items)
        assert made.messages[-1] == {"role": "user", "content": "and why?"}
        assert stages == [
            "setup", "pre_start", "post_start", "input_received", "input_cached", "input_routed", "input_compressed",
            "input_remembered",
        ]  # fmt: skip
        (many,) = headroom.compress_many([talk("anthropic").items])
        assert many.messages == made.messages


def test_a_function_that_fails_costs_nothing(store):
    def told(_event):
        raise ZeroDivisionError

    made = Headroom(store=store, on_pipeline_event=told).compress(talk("anthropic").items)
    assert made.tokens_saved > 0
    assert any("failed" in warning for warning in made.warnings)


def test_an_unknown_handle_is_an_error(store):
    with pytest.raises(NotFoundError):
        Headroom(store=store).retrieve("aaaaaaaaaaaa")


def test_an_event_loop_goes_on_while_it_waits(store):
    headroom = Headroom(store=store)

    async def main():
        several = [headroom.acompress(talk("anthropic", number).items) for number in range(4)]
        seen = 0

        async def count():
            nonlocal seen
            while True:
                seen += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        made = await asyncio.gather(*several)
        counting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await counting
        return made, seen

    made, seen = asyncio.run(main())
    assert all(one.tokens_saved > 0 for one in made)
    assert seen > 1


def test_importing_and_making_an_object_opens_nothing(tmp_path):
    program = "import os, headroom_cli; h = headroom_cli.Headroom(store='s'); h.close(); print(os.listdir('.'))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=clean_environment(tmp_path, PYTHONPATH=str(ROOT)),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == "[]\n", done.stderr


def test_every_public_name_is_there():
    assert set(headroom_cli._PLACES) == set(headroom_cli.__all__) - {"__version__"}
    for name in headroom_cli.__all__:
        assert getattr(headroom_cli, name) is not None
    assert dir(headroom_cli) == sorted(headroom_cli.__all__)
    with pytest.raises(AttributeError):
        headroom_cli.nothing  # noqa: B018 (looked up, not used)
