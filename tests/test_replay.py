"""What was rendered before is sent again: after a restart, after an upgrade, from the command and from the library."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headroom_cli import compressors, engine, formats, library, replay
from headroom_cli.model import FAITHFUL, LOSSY, Draft, Policy
from headroom_cli.store import Store, upkeep

LOG = "\n".join(f"2026-01-01T00:{i // 60:02d}:{i % 60:02d}Z INFO worker {i % 7} is ready" for i in range(400)) + "\n"
ROWS = json.dumps([{"id": i, "name": f"pod-{i}", "state": "Running", "zone": "eu-1a"} for i in range(60)], indent=1)
SHORT = "all fine\n"


def chat(*outputs, question="why does the build fail?"):
    """Return a conversation with one command for each output; it ends with the last output."""
    turns = [{"role": "system", "content": "You are an engineer."}, {"role": "user", "content": question}]
    for i, text in enumerate(outputs):
        call = {
            "id": f"c{i}",
            "type": "function",
            "function": {"name": "bash", "arguments": json.dumps({"command": f"make {i}"})},
        }
        turns += [
            {"role": "assistant", "content": f"Step {i}.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"c{i}", "content": text},
        ]
    return turns


def bodies(turns):
    return [turn["content"] for turn in turns if turn["role"] == "tool"]


@pytest.fixture(autouse=True)
def _no_memory():
    replay.forget_all()
    yield
    replay.forget_all()


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


def crush(turns, store, **policy):
    return json.loads(engine.crush(json.dumps(turns).encode(), Policy(**policy), store).data)


@pytest.fixture
def upgrade(monkeypatch):
    """Return a function after which every specialist answers otherwise, as in another version."""

    def change(text="another version", degree=FAITHFUL):
        load = compressors.load

        def other(name):
            old = load(name)
            missing = "all of it" if degree == LOSSY else ""
            return type(old)(
                old.name, old.kinds, old.sniff, lambda _text, _want: Draft(text, degree, missing), old.about
            )

        monkeypatch.setattr(compressors, "load", other)
        replay.forget_all()

    return change


@pytest.mark.parametrize("memory", [True, False], ids=["same process", "new process"])
def test_a_conversation_goes_on_with_the_bytes_it_had(store, upgrade, memory):
    first = crush(chat(LOG, ROWS, SHORT), store)
    assert bodies(first)[0] != LOG
    if not memory:
        upgrade()
    longer = chat(LOG, ROWS, SHORT, LOG.replace("worker", "runner"))
    after = crush(longer, store)
    assert after[: len(first)] == first
    if not memory:
        assert bodies(after)[-1] == "another version"
    data, unknown = engine.expand(json.dumps(after).encode(), store)
    assert (json.loads(data), unknown) == (longer, [])


def test_what_stayed_stays_after_an_upgrade(store, upgrade):
    assert bodies(crush(chat(SHORT * 3), store)) == [SHORT * 3]
    upgrade("x")
    assert bodies(crush(chat(SHORT * 3), store)) == [SHORT * 3]
    assert bodies(crush(chat(SHORT * 3, question="another one"), store)) == ["x"]


def test_fresh_renders_anew_and_that_holds_from_then_on(store, upgrade):
    old = crush(chat(LOG), store)
    upgrade()
    assert bodies(crush(chat(LOG), store, fresh=True)) == ["another version"]
    assert bodies(crush(chat(LOG), store)) == ["another version"]
    assert json.loads(engine.expand(json.dumps(old).encode(), store)[0]) == chat(LOG)  # the old one leads back still


def test_a_raw_text_is_rendered_as_before(store, upgrade):
    first = engine.crush(LOG.encode(), Policy(), store).data
    upgrade()
    assert engine.crush(LOG.encode(), Policy(), store).data == first
    assert engine.crush(LOG.encode(), Policy(level="max"), store).data != first
    assert engine.crush(LOG.encode(), Policy(fresh=True), store).data == b"another version"


def test_command_and_library_send_the_same(store, upgrade):
    first = library.compress(chat(LOG, ROWS), store=store)
    upgrade()
    assert crush(chat(LOG, ROWS), store) == first.messages
    again = library.compress(chat(LOG, ROWS), store=Store(store.root))
    assert again.messages == first.messages
    assert [(row.before, row.after, row.kind, row.degree, row.handle) for row in again.blocks] == [
        (row.before, row.after, row.kind, row.degree, row.handle) for row in first.blocks
    ]


def test_another_policy_another_call_or_another_past_is_another_place(store, upgrade):
    crush(chat(LOG, ROWS), store)
    upgrade()
    assert "another version" in bodies(crush(chat(LOG, ROWS), store, lossless=True))
    assert bodies(crush(chat(LOG + "!", ROWS), store))[1] == "another version"
    other = chat(LOG, ROWS)
    other[2]["tool_calls"][0]["function"]["arguments"] = '{"command": "make 7"}'
    assert bodies(crush(other, store))[0] == "another version"


def test_who_joins_late_leaves_what_went_out_raw(store):
    turns = chat(LOG, ROWS, LOG.replace("worker", "runner"))
    sent = crush(turns, store, live=True)
    assert bodies(sent)[:2] == [LOG, ROWS]
    assert bodies(sent)[2] != bodies(turns)[2]
    # They stay raw for ever, also for a run that takes whole conversations.
    assert crush(turns, store) == sent
    longer = chat(LOG, ROWS, LOG.replace("worker", "runner"), ROWS.replace("pod", "node"))
    after = crush(longer, store, live=True)
    assert after[: len(sent)] == sent
    assert bodies(after)[3] != bodies(longer)[3]


def test_who_was_there_from_the_start_joins_nothing_late(store):
    turns = chat(LOG, ROWS, LOG.replace("worker", "runner"))
    sent = [crush(turns[: 4 + 2 * i], store, live=True) for i in range(3)]
    assert sent[0] == sent[1][:4] == sent[2][:4]
    assert all(new != old for new, old in zip(bodies(sent[2]), bodies(turns), strict=True))


@pytest.mark.parametrize(
    "turns",
    [
        # claude --continue: tool results in user turns, an assistant turn without text
        [
            {"role": "user", "content": "list the pods"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "a", "name": "Bash", "input": {"command": "k"}}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": ROWS}]},
            {"role": "assistant", "content": [{"type": "text", "text": "They run."}]},
            {"role": "user", "content": "and the log?"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "b", "name": "Bash", "input": {"command": "l"}}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "b", "content": LOG}]},
        ],
        # codex resume: items
        [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "list the pods"}]},
            {"type": "function_call", "call_id": "a", "name": "shell", "arguments": '{"command": ["k"]}'},
            {"type": "function_call_output", "call_id": "a", "output": ROWS},
            {"type": "reasoning", "encrypted_content": "x", "summary": []},
            {"type": "function_call", "call_id": "b", "name": "shell", "arguments": '{"command": ["l"]}'},
            {"type": "function_call_output", "call_id": "b", "output": LOG},
        ],
    ],
    ids=["anthropic", "responses"],
)
def test_resumed_conversations_change_in_their_newest_turn_alone(store, turns):
    text = json.dumps(turns)
    sent = engine.crush(text.encode(), Policy(live=True), store).data.decode()
    assert json.dumps(ROWS) in sent
    assert json.dumps(LOG) not in sent
    assert json.loads(sent)[:-1] == turns[:-1]


def test_a_live_conversation_keeps_its_policy(store):
    turns = chat(LOG, ROWS)
    first = crush(turns[:4], store, live=True, level="max")
    after = crush(turns, store, live=True, level="safe", lossless=True)
    assert after[:4] == first
    assert bodies(after)[1] == bodies(crush(turns, store, level="max"))[1]


def test_a_policy_holds_for_its_own_conversation_alone(store):
    crush(chat(LOG, question="continue"), store, live=True)
    sent = crush(chat(LOG + "another end\n", question="continue"), store, live=True, lossless=True)
    assert "<<headroom:" not in bodies(sent)[0]


def test_nothing_refers_to_a_system_prompt(store):
    listing = "\n".join(f"import module_{i} as name_{i}" for i in range(40))
    turns = chat(listing)
    turns[0]["content"] = f"This is the style:\n{listing}\n"
    assert "as above" not in bodies(crush(turns, store))[0]


def test_a_forgotten_original_comes_back_with_its_rendering(store):
    result = engine.crush(json.dumps(chat(LOG)).encode(), Policy(), store)
    handle = next(row.handle for row in result.blocks if row.degree == LOSSY)
    upkeep.forget(store, handle)
    assert not any("worker 3" in line for line in _everything(store))
    assert engine.crush(json.dumps(chat(LOG)).encode(), Policy(), store).data == result.data
    assert store.fetch(handle) == LOG.encode()


def test_an_original_that_is_lost_is_put_again(store):
    result = engine.crush(json.dumps(chat(LOG)).encode(), Policy(), store)
    handle = next(row.handle for row in result.blocks if row.degree == LOSSY)
    os.unlink(os.path.join(store.root, "objects", store.resolve(handle)))
    assert engine.crush(json.dumps(chat(LOG)).encode(), Policy(), store).data == result.data
    assert store.fetch(handle) == LOG.encode()


def _everything(store):
    for folder, _, names in os.walk(store.root):
        for name in names:
            with open(os.path.join(folder, name), encoding="latin-1") as stream:
                yield stream.read()


def test_records_live_as_long_as_they_are_used(tmp_path):
    now = [1.8e9]
    store = Store(str(tmp_path / "s"), clock=lambda: now[0], uptime=lambda: ("boot", now[0]))
    first = crush(chat(LOG, SHORT), store)

    def days_pass(days):
        for _ in range(days // 5):  # the store's time advances at most a week between two looks
            now[0] += 5 * 86_400
            upkeep.gc(store)

    for _ in range(3):
        days_pass(20)
        replay.forget_all()
        assert crush(chat(LOG, SHORT), store) == first
    assert engine.expand(json.dumps(first).encode(), store) == (json.dumps(chat(LOG, SHORT)).encode(), [])
    days_pass(40)
    assert not os.listdir(os.path.join(store.root, "renderings"))
    assert not os.listdir(os.path.join(store.root, "objects"))


def test_a_damaged_record_is_as_good_as_none(store):
    first = crush(chat(LOG), store)
    folder = os.path.join(store.root, "renderings")
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        with open(path, "rb") as stream:
            data = stream.read()
        with open(path, "wb") as stream:
            stream.write(data.replace(b'"t":"', b'"t":"!'))
    replay.forget_all()
    assert crush(chat(LOG), store) == first


def test_a_failing_specialist_is_not_asked_again_for_what_went_out(store, upgrade, monkeypatch):
    def broken(_name):
        raise RuntimeError("no")

    with monkeypatch.context() as patched:
        patched.setattr(compressors, "load", broken)
        assert bodies(crush(chat(LOG), store)) == [LOG]
    replay.forget_all()
    assert bodies(crush(chat(LOG), store)) == [LOG]
    assert bodies(crush(chat(LOG), store, fresh=True)) != [LOG]


def test_nothing_is_remembered_of_a_run_that_failed(store, monkeypatch):
    from headroom_cli.errors import StoreFullError

    with monkeypatch.context() as patched:
        patched.setattr(Store, "put", lambda *_: (_ for _ in ()).throw(StoreFullError("full")))
        assert bodies(crush(chat(LOG), store)) == [LOG]
    assert bodies(crush(chat(LOG), store)) != [LOG]


TEXTS = {
    "log": LOG, "rows": ROWS, "short": SHORT, "both": LOG[:4000] + ROWS, "nothing": "", "same": "x = 1\n" * 40,
    "part": LOG[2000:9000],
}  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(sorted(TEXTS)), min_size=1, max_size=5), st.booleans(), st.booleans())
def test_what_is_made_of_the_first_turns_is_the_first_of_what_is_made_of_all(tmp_path_factory, texts, live, remembered):
    store = Store(str(tmp_path_factory.mktemp("s") / "store"))
    replay.forget_all()
    turns = chat(*(TEXTS[name] for name in texts))
    ends = range(4, len(turns) + 1, 2)
    sent = []
    for end in ends:
        sent.append(library.compress(turns[:end], store=store, live=live).messages)
        if not remembered:
            replay.forget_all()
    assert all(one == sent[-1][: len(one)] for one in sent)
    fresh = Store(str(tmp_path_factory.mktemp("f") / "store"))
    assert library.compress(turns, store=fresh).messages == sent[-1]
    document = formats.parse(json.dumps(sent[-1]).encode())
    assert document.format == "bare"
    assert json.loads(engine.expand(json.dumps(sent[-1]).encode(), store)[0]) == turns
