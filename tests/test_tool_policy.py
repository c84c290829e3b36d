"""`--only-tool` and `--protect-tool`: which tools' results may be shortened, in conversations of every shape."""

import json

import pytest
from conftest import clean_environment
from provider import Provider
from talks import LOG, MODEL, Talk, environment

from headroom_cli import engine
from headroom_cli.model import Policy
from headroom_cli.settings import resolve
from headroom_cli.store import Store

SHAPES = ("anthropic", "openai", "responses")
PROTECTED = "protected by --protect-tool"
NOT_LISTED = "not in --only-tool"
# (id, name, result): two tools of a server, one of the harness, one that is spelt like it
CALLS = (
    ("c1", "Read", LOG), ("c2", "mcp__db__query", LOG.replace("worker", "reader")),
    ("c3", "read", LOG.replace("worker", "writer")), ("c4", "mcp__db__list", LOG.replace("worker", "sweeper")),
)  # fmt: skip


def called(shape, identifier, name):
    if shape == "anthropic":
        return {"role": "assistant", "content": [{"type": "tool_use", "id": identifier, "name": name, "input": {}}]}
    if shape == "openai":
        function = {"name": name, "arguments": "{}"}
        call = {"id": identifier, "type": "function", "function": function}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    return {"type": "function_call", "call_id": identifier, "name": name, "arguments": "{}"}


def talk_of(shape, calls=CALLS):
    talk = Talk(shape).says("why?")
    for identifier, name, text in calls:
        talk.items.append(called(shape, identifier, name))
        talk.result(identifier, text)
    return talk


def crushed(store, data, **policy):
    """Return the engine's result for a request under a policy, and the reasons by the number of the result."""
    result = engine.crush(data, Policy(**policy), store)
    return result, [report.kept for report in result.blocks if report.role == "tool"]


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("policy", "reasons"),
    [
        ({}, ["", "", "", ""]),
        ({"protect_tools": ("Read",)}, [PROTECTED, "", "", ""]),
        ({"protect_tools": ("mcp__*", "re?d")}, ["", PROTECTED, PROTECTED, PROTECTED]),
        ({"protect_tools": ("[Rr]ead",)}, [PROTECTED, "", PROTECTED, ""]),
        ({"protect_tools": ("*",)}, [PROTECTED] * 4),
        ({"only_tools": ("Read", "mcp__db__l*")}, ["", NOT_LISTED, NOT_LISTED, ""]),
        ({"only_tools": ("mcp__*",), "protect_tools": ("mcp__db__list",)}, [NOT_LISTED, "", NOT_LISTED, PROTECTED]),
        ({"only_tools": ("Nothing",)}, [NOT_LISTED] * 4),
    ],
    ids=str,
)  # fmt: skip
def test_results_of_tools_are_left_or_shortened_by_name(store, shape, policy, reasons):
    talk = talk_of(shape)
    result, kept = crushed(store, json.dumps(talk.request).encode(), level="balanced", **policy)
    assert kept == reasons
    sent = talk.results(json.loads(result.data))
    for (identifier, _, text), reason in zip(CALLS, reasons, strict=True):
        assert (sent[identifier] == text) == bool(reason)
    assert engine.expand(result.data, store)[0] == json.dumps(talk.request).encode()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_result_whose_call_is_not_there_is_of_no_tool(store, shape):
    talk = Talk(shape).says("why?").result("gone", LOG)
    data = json.dumps(talk.request).encode()
    assert crushed(store, data, level="balanced", only_tools=("Read",))[1] == [NOT_LISTED]
    assert crushed(store, data, level="balanced", protect_tools=("Read",))[1] == [""]


def test_a_text_is_of_no_tool_and_no_conversation(store):
    result, kept = crushed(store, LOG.encode(), only_tools=("Read",), protect_tools=("*",))
    assert kept == [""]
    assert len(result.data) < len(LOG) / 4


def test_what_stays_is_there_to_be_referred_to(store):
    # The second result says what the first said: where the first stays, the second may refer to its lines, so what it
    # becomes depends on the policy, and neither run may answer with the other's rendering.
    calls = (("c1", "Read", LOG), ("c2", "Bash", LOG))
    data = json.dumps(talk_of("anthropic", calls).request).encode()
    plain, _ = crushed(store, data, level="balanced")
    spared, kept = crushed(store, data, level="balanced", protect_tools=("Read",))
    assert kept == [PROTECTED, ""]
    assert spared.data != plain.data
    for made, policy in ((plain, {}), (spared, {"protect_tools": ("Read",)})):
        assert crushed(store, data, level="balanced", **policy)[0].data == made.data
        assert engine.expand(made.data, store)[0] == data


@pytest.mark.parametrize("shape", SHAPES)
def test_what_a_prefix_becomes_does_not_depend_on_what_follows(store, shape):
    whole = talk_of(shape)
    turns = whole.turns(
        json.loads(crushed(store, json.dumps(whole.request).encode(), protect_tools=("mcp__*",))[0].data)
    )
    key = "input" if shape == "responses" else "messages"
    for count in range(1, len(whole.items)):
        part = {**whole.request, key: whole.items[:count]}
        made = json.loads(crushed(store, json.dumps(part).encode(), protect_tools=("mcp__*",))[0].data)
        assert whole.turns(made) == turns[:count]


def test_a_live_conversation_keeps_the_tools_that_it_began_with(store):
    first = talk_of("anthropic", CALLS[:1])
    data = json.dumps(first.request).encode()
    assert crushed(store, data, live=True, protect_tools=("Read",))[1] == [PROTECTED]
    # Later requests of it, asked under another policy: what went out raw stays raw.
    grown = json.dumps(talk_of("anthropic", CALLS).request).encode()
    result, kept = crushed(store, grown, level="balanced", live=True)
    assert kept[0] == PROTECTED
    assert first.turns(json.loads(result.data))[:3] == first.request["messages"]
    assert crushed(store, grown, live=True, protect_tools=("mcp__*",))[1][0] == PROTECTED
    # One that began without any keeps that.
    other = json.dumps({**first.request, "messages": [{"role": "user", "content": "how?"}, *first.items[1:]]}).encode()
    assert crushed(store, other, level="balanced", live=True)[1] == [""]
    assert crushed(store, other, level="balanced", live=True, protect_tools=("Read",))[1] == [""]


def test_a_policy_without_tools_is_what_it_was():
    # Records and notes of conversations that began before there were such policies hold.
    assert Policy().identity(turns=True) == "safe\tFalse\t\t\t\t\t\t"
    assert Policy(protect_tools=("x",)).identity(turns=False) == Policy().identity(turns=False)
    assert set(Policy().lasting()) == {"level", "lossless", "query", "only", "skip", "as"}
    begun = Policy(protect_tools=("a",)).as_begun(Policy().lasting())
    assert (begun.only_tools, begun.protect_tools) == ((), ())
    asked = Policy(only_tools=("b", "a"), protect_tools=("c",))
    assert asked.identity(turns=True) == Policy(only_tools=("a", "b"), protect_tools=("c",)).identity(turns=True)
    assert asked.identity(turns=True) != Policy(only_tools=("c",), protect_tools=("a", "b")).identity(turns=True)
    kept = Policy().as_begun(json.loads(json.dumps(asked.lasting())))
    assert kept.identity(turns=True) == asked.identity(turns=True)
    assert asked.redeemed("none").protect_tools == ("c",)


# --- on the command line


@pytest.mark.parametrize("verb", ["crush", "route"])
@pytest.mark.parametrize("shape", SHAPES)
def test_flags_of_the_filters(headroom, verb, shape):
    data = json.dumps(talk_of(shape).request).encode()
    done = headroom(verb, "--protect-tool", "Read, mcp__*", "--level", "balanced", stdin=data)
    assert done.returncode == 0, done.stderr
    sent = Talk(shape).results(json.loads(done.stdout))
    assert [sent[identifier] == text for identifier, _, text in CALLS] == [True, True, False, True]
    assert headroom("retrieve", "--expand", stdin=done.stdout).stdout == data


def test_variable_file_and_explain(headroom, tmp_path):
    data = json.dumps(talk_of("openai").request).encode()
    told = headroom("route", "--explain", "--json", stdin=data, env={"HEADROOM_ONLY_TOOL": "Read"}).stdout
    reasons = [row["kept"] for row in map(json.loads, told.splitlines()) if row["role"] == "tool"]
    assert reasons == ["", NOT_LISTED, NOT_LISTED, NOT_LISTED]
    config = tmp_path / ".config/headroom/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('protect-tool = ["Read", "mcp__*"]\n')
    table = headroom("route", "--explain", stdin=data).stdout.decode()
    assert table.count(f"kept: {PROTECTED}") == 3
    assert headroom("route", "--explain", "--protect-tool", "", stdin=data).stdout.decode().count(PROTECTED) == 0
    found = resolve({}, clean_environment(tmp_path, HEADROOM_ONLY_TOOL=" a ,,b*"))
    assert (found.only_tool, found.protect_tool) == (("a", "b*"), ("Read", "mcp__*"))


def test_align_takes_no_notice(headroom):
    talk = talk_of("anthropic")
    talk.items[0]["content"] = "<env>\nToday's date: 2026-11-21\n</env>\nwhy?"
    request = {**talk.request, "system": "You are an agent.\nToday's date: 2026-11-21.\nBe brief. " * 3}
    data = json.dumps(request).encode()
    plain = headroom("align", stdin=data).stdout
    assert plain != data
    assert headroom("align", "--protect-tool", "*", stdin=data).stdout == plain
    # crush FLAGS is align FLAGS | route FLAGS
    flags = ("--only-tool", "mcp__*", "--level", "balanced")
    piped = headroom("route", *flags, stdin=headroom("align", *flags, stdin=data).stdout).stdout
    assert piped == headroom("crush", *flags, stdin=data).stdout


@pytest.mark.parametrize("shape", SHAPES)
def test_flags_of_send(headroom, shape):
    data = json.dumps(talk_of(shape).request).encode()
    with Provider() as provider:
        name = "openai" if shape == "responses" else shape
        done = headroom(
            "send", "--backend", name, "--model", MODEL, "--redeem", "shell", "--only-tool", "read",
            stdin=data, env=environment(provider),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        sent = Talk(shape).results(provider.requests[-1].json)
    assert [sent[identifier] == text for identifier, _, text in CALLS] == [True, True, False, True]
