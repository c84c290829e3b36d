"""The library: message objects, the Headroom object, threads, forks, and what fails."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT, clean_environment
from pictures import media_of, part, screenshot
from talks import LOG, Talk

import headroom_cli
from headroom_cli import Headroom, Policy, compress, retrieve
from headroom_cli.errors import ConfigError, NotFoundError
from headroom_cli.store import Store

SHAPES = ("anthropic", "openai", "responses")
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def talk(shape, number=0, output=LOG):
    """A conversation whose last turn is the result of a command."""
    made = Talk(shape).says(f"why does the build fail? {number}")
    if shape == "anthropic":
        made.heard({"content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "make"}}]})
    elif shape == "openai":
        call = {"id": "t1", "type": "function", "function": {"name": "Bash", "arguments": '{"command": "make"}'}}
        made.heard({"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [call]}}]})
    else:
        item = {"type": "function_call", "call_id": "t1", "name": "Bash", "arguments": '{"command": "make"}'}
        made.heard({"output": [item]})
    return made.result("t1", output)


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "store")


# --- what is given and what comes back


def objects(shape):
    """Return the model's turn of ``talk`` as the SDK's own objects, the way callers hold them."""
    if shape == "anthropic":
        from anthropic.types import Message, ToolUseBlock

        block = ToolUseBlock(id="t1", type="tool_use", name="Bash", input={"command": "make"})
        usage = {"input_tokens": 1, "output_tokens": 2}
        message = Message.model_validate(
            {"id": "m", "type": "message", "role": "assistant", "model": "x", "content": [block.model_dump()],
             "stop_reason": "tool_use", "usage": usage}
        )  # fmt: skip
        return [message, {"role": "assistant", "content": message.content}, {"role": "assistant", "content": [block]}]
    if shape == "openai":
        from openai.types.chat import ChatCompletionMessage

        return [ChatCompletionMessage.model_validate(talk("openai").items[1])]
    from openai.types.responses import ResponseFunctionToolCall

    return [ResponseFunctionToolCall.model_validate(talk("responses").items[1])]


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
    ids=repr,
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


@pytest.mark.parametrize("policy", [None, "safe", Policy(level="safe"), {"level": "safe"}], ids=repr)
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


# --- threads and forks


def test_threads_share_an_object_and_a_store(store, tmp_path):
    headroom = Headroom(store=store)
    expected = {
        (shape, number): compress(talk(shape, number).items, store=str(tmp_path / "alone")).messages
        for shape in SHAPES
        for number in range(2)
    }
    wrong = []

    def work(shape, number):
        for _ in range(3):
            made = headroom.compress(talk(shape, number).items)
            if made.messages != expected[shape, number]:
                wrong.append((shape, number, made.reason))

    threads = [threading.Thread(target=work, args=key) for key in expected for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def in_child(work, seconds=30):
    """Run ``work`` in a forked child; return its exit status, -14 when it hung."""
    child = os.fork()
    if not child:
        status = 70
        try:
            signal.alarm(seconds)
            status = 0 if work() else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_forked_child_goes_on_with_an_object(store):
    headroom = Headroom(store=store)
    expected = headroom.compress(talk("anthropic").items).messages
    assert in_child(lambda: headroom.compress(talk("anthropic").items).messages == expected) == 0
    assert in_child(lambda: headroom.compress(talk("anthropic", 1).items).tokens_saved > 0) == 0
    assert headroom.compress(talk("anthropic").items).messages == expected


def test_a_forked_child_holds_no_lock_of_the_store(store):
    one = Store(store)
    held, over = threading.Event(), threading.Event()

    def hold():
        with one.open(create=True) as place:
            place.lock()
            held.set()
            over.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(writing)
        os.read(reading, 1)  # lives until the parent has looked
        os._exit(0)
    over.set()
    thread.join()
    with one.open() as place:
        assert place.lock(exclusive=True, patience=5.0)
    os.close(writing)
    os.close(reading)
    os.waitpid(child, 0)


def test_a_forked_child_does_not_wait_for_threads_that_it_does_not_have(store):
    inside, over = threading.Event(), threading.Event()
    parent = os.getpid()

    class Slow:
        def on_pipeline_event(self, event):
            if event.stage == "setup" and os.getpid() == parent:
                inside.set()
                over.wait(30)

    plugin = Slow()
    thread = threading.Thread(target=lambda: compress(talk("anthropic").items, store=store, plugins=[plugin]))
    thread.start()
    inside.wait(30)

    def work():
        return compress(talk("anthropic", 1).items, store=store, plugins=[plugin]).tokens_saved > 0

    status = in_child(work)
    over.set()
    thread.join()
    assert status == 0


# --- batches


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
