"""``headroom stats`` on a document and on two: what is counted sums up, and the first difference is the first."""

import copy
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inputs import examples

from headroom_cli import census, engine
from headroom_cli.census import doctor, names, place, prefix, wire
from headroom_cli.model import Hint, Policy

SYSTEM = "You are an agent of the shop.\nToday's date: 2026-11-20\nBe brief. " + "Say what you did. " * 300
TOOLS = [
    {"name": "Bash", "description": "Run a command.", "input_schema": {"type": "object", "properties": {
        "command": {"type": "string"}, "timeout": {"type": "number"}}}},
    {"name": "Read", "description": "Read a file.", "input_schema": {"type": "object"}},
]  # fmt: skip
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}


def call(number, name="Bash", **given):
    return {"type": "tool_use", "id": f"t{number}", "name": name, "input": given}


def result(number, text):
    return {"type": "tool_result", "tool_use_id": f"t{number}", "content": text}


ANTHROPIC = {
    "model": "claude-sonnet-4-5", "max_tokens": 100, "system": [{"type": "text", "text": SYSTEM}], "tools": TOOLS,
    "messages": [
        {"role": "user", "content": "Fix the bug"},
        {"role": "assistant", "content": [THOUGHT, call(1, command="cd shop && git log -3")]},
        {"role": "user", "content": [result(1, "commit 1\n" * 300)]},
    ],
}  # fmt: skip
CHAT = {
    "model": "gpt-5.6", "tools": [{"type": "function", "function": {"name": "weather", "parameters": {}}}],
    "messages": [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": [{"type": "text", "text": "Rain?"}]},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Ulm"}'}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    ],
}  # fmt: skip
RESPONSES = {
    "model": "gpt-5.6-codex", "instructions": SYSTEM, "reasoning": {"effort": "medium"},
    "tools": [{"type": "function", "name": "exec_command", "parameters": {}}],
    "input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "fix"}]},
        {"type": "reasoning", "summary": [], "encrypted_content": "b3BhcXVl"},
        {"type": "function_call", "call_id": "c1", "name": "exec_command", "arguments": '{"cmd": "rg -n foo"}'},
        {"type": "function_call_output", "call_id": "c1", "output": "a.py:1:foo\n" * 30},
    ],
}  # fmt: skip
REQUESTS = {"anthropic": ANTHROPIC, "openai": CHAT, "responses": RESPONSES}
LISTS = {"bare": json.dumps(ANTHROPIC["messages"]), "items": json.dumps(RESPONSES["input"]),
         "lines": "\n".join(map(json.dumps, CHAT["messages"]))}  # fmt: skip
DOCUMENTS = {**{name: json.dumps(value) for name, value in REQUESTS.items()}, **LISTS}


def changed(value, path, new):
    """Return a copy of a request with one value replaced; a callable makes the new one of the old."""
    made = copy.deepcopy(value)
    *steps, last = path
    holder = made
    for step in steps:
        holder = holder[step]
    holder[last] = new(holder[last]) if callable(new) else new
    return made


def extended(value):
    """Return the request that follows."""
    made = copy.deepcopy(value)
    if "input" in made:
        made["input"].append({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "on"}]})
    else:
        made["messages"] += [{"role": "assistant", "content": "Done."}, {"role": "user", "content": "And now?"}]
    return made


def counted(data):
    return census.take(census.documents(data), engine.crush(data, Policy(), None, dry=True, stages=("route",)).blocks)


def opened(value, **how):
    data = value if isinstance(value, bytes) else json.dumps(value, **how).encode()
    ((document, line),) = census.documents(data)
    return wire.read(document, line)


def compared(one, other, **how):
    return doctor.compare(opened(one), opened(other, **how))


# --- the map


@pytest.mark.parametrize("text", DOCUMENTS.values(), ids=DOCUMENTS)
def test_the_parts_sum_up_to_the_whole(text):
    whole = counted(text.encode())
    assert whole.before == sum(row.before for row in whole.rows.values()) == sum(whole.sizes) > 0
    assert whole.after == sum(row.after for row in whole.rows.values())
    observed = [row for (role, _, _), row in whole.rows.items() if role == "tool"]
    assert whole.observed_before == sum(row.before for row in observed) > 0
    assert whole.before - whole.after == whole.observed_before - whole.observed_after
    bill = whole.prices[0].before
    assert bill.requests == whole.requests
    assert bill.broken == 0


def test_everything_that_is_sent_counts():
    """What is added anywhere in the prompt shows in the whole: tools, ids, calls, thinking, unknown blocks."""
    base = counted(json.dumps(ANTHROPIC).encode()).before
    longer = "a longer text that nobody overlooks " * 5
    for path in (
        ("tools", 0, "description"), ("system", 0, "text"), ("messages", 0, "content"),
        ("messages", 1, "content", 0, "thinking"), ("messages", 1, "content", 1, "id"),
        ("messages", 1, "content", 1, "input", "command"), ("messages", 2, "content", 0, "content"),
    ):  # fmt: skip
        more = changed(ANTHROPIC, path, lambda old: old + longer)
        assert counted(json.dumps(more).encode()).before > base + 20, path
    odd = changed(ANTHROPIC, ("messages", 0, "content"), [{"type": "brand_new", "payload": {"x": longer}}])
    assert counted(json.dumps(odd).encode()).before > base + 20


def test_rows_are_named_by_role_kind_and_tool():
    rows = counted(json.dumps(ANTHROPIC).encode()).rows
    expected = {
        ("tools", "schema", "Bash"),
        ("tools", "schema", "Read"),
        ("assistant", "call", "git"),
        ("assistant", "thinking", ""),
        ("structure", "-", ""),
        ("system", "-", ""),
        ("user", "-", ""),
    }
    assert expected <= set(rows)
    assert [tool for role, _, tool in rows if role == "tool"] == ["git"]
    assert ("assistant", "call", "weather") in counted(json.dumps(CHAT).encode()).rows
    assert ("tool", "search", "rg") in counted(json.dumps(RESPONSES).encode()).rows


@pytest.mark.parametrize(("tool", "command", "name"), [
    ("Bash", "git status", "git"), ("bash", "cd /x && pytest -q", "pytest"), ("shell", "FOO=1 sudo make -j2", "make"),
    ("execute_bash", "timeout 30 npm test | tail", "npm"), ("", "ls -la", "ls"), ("Bash", "cd /tmp", "cd"),
    ("Bash", "/usr/bin/python3 -m pytest", "python3"), ("Bash", "# note\ncat a.py", "cat"), ("Read", "", "Read"),
    ("apply_patch", "*** Begin Patch", "apply_patch"), ("exec_command", "(rg -n x)", "rg"), ("Bash", "", "Bash"),
])  # fmt: skip
def test_an_output_is_named_by_what_made_it(tool, command, name):
    assert names.program(Hint(command=command, tool=tool)) == name


def test_pictures_are_told_and_not_counted():
    source = {"type": "base64", "media_type": "image/png", "data": "A" * 40_000}
    request = changed(ANTHROPIC, ("messages", 0, "content"), [{"type": "image", "source": source}])
    whole = counted(json.dumps(request).encode())
    assert whole.media == 1
    assert whole.before < counted(json.dumps(ANTHROPIC).encode()).before + 50
    assert any("pictures" in warning for warning in whole.warnings())


@pytest.mark.parametrize(("name", "data"), examples(), ids=[name for name, _ in examples()])
def test_examples_are_counted(name, data):
    if held := census.documents(data):
        whole = counted(data)
        assert whole.before == sum(row.before for row in whole.rows.values())
    assert bool(held) == (name in {"trace.json", "picture.json"})


# --- requests and prices


def test_a_conversation_is_one_request_for_each_answer_and_the_last():
    assert counted(json.dumps(ANTHROPIC).encode()).requests == 2
    assert counted(json.dumps(extended(ANTHROPIC)).encode()).requests == 3
    done = {**ANTHROPIC, "messages": [*ANTHROPIC["messages"], {"role": "assistant", "content": "Done."}]}
    assert counted(json.dumps(done).encode()).requests == 2  # the last answer is not sent back yet
    assert counted(json.dumps(RESPONSES).encode()).requests == 2  # reasoning and call are one answer


def test_a_growing_conversation_costs_the_same_in_one_file_and_in_lines():
    whole = counted(json.dumps(extended(ANTHROPIC)).encode())
    requests = [{**ANTHROPIC, "messages": extended(ANTHROPIC)["messages"][:n]} for n in (1, 3, 5)]
    lines = counted("\n".join(map(json.dumps, requests)).encode())
    assert lines.requests == 3
    assert [price.before.price for price in lines.prices] == [price.before.price for price in whole.prices]
    assert [price.observed_before for price in lines.prices] == [price.observed_before for price in whole.prices]


def test_a_changed_prefix_is_counted_as_broken():
    other = changed(extended(ANTHROPIC), ("system", 0, "text"), SYSTEM.replace("11-20", "11-21"))
    lines = counted("\n".join(map(json.dumps, (ANTHROPIC, other))).encode())
    assert {price.before.broken for price in lines.prices} == {1}
    assert any("--diff" in warning for warning in lines.warnings())


def test_the_breakpoints_of_the_client_count():
    marked = changed(ANTHROPIC, ("system", 0, "cache_control"), {"type": "ephemeral"})
    whole = counted(json.dumps(marked).encode())
    assert whole.marks == "client"
    five = whole.prices[0].before
    assert five.plain > 500  # the messages carry none: they are never cached
    assert counted(json.dumps(ANTHROPIC).encode()).prices[0].before.plain == 0
    at_top = counted(json.dumps({**ANTHROPIC, "cache_control": {"type": "ephemeral"}}).encode())
    assert (at_top.marks, at_top.prices[0].before.plain) == ("client", 0)


def test_an_hour_is_asked_for():
    marked = changed(ANTHROPIC, ("system", 0, "cache_control"), {"type": "ephemeral", "ttl": "1h"})
    assert counted(json.dumps(marked).encode()).own_rules() == "anthropic 1h"
    quoted = changed(ANTHROPIC, ("system", 0, "text"), 'write "ttl": "1h" there')
    assert counted(json.dumps(quoted).encode()).own_rules() == "anthropic 5m"


def test_too_many_breakpoints_are_told():
    marked = copy.deepcopy(ANTHROPIC)
    for block in (*marked["tools"], *marked["system"], *marked["messages"][1]["content"]):
        block["cache_control"] = {"type": "ephemeral"}
    assert any("more than 4" in warning for warning in counted(json.dumps(marked).encode()).warnings())


# --- the stable prefix


@pytest.mark.parametrize("how", [{}, {"indent": 1}, {"ensure_ascii": False}], ids=str)
@pytest.mark.parametrize("before", ["", '\u201ccaf\u00e9\u201d \U0001f600 \t\\ "x" '], ids=["plain", "escaped"])
def test_the_first_volatile_byte_is_where_it_is_said_to_be(how, before):
    request = changed(ANTHROPIC, ("system", 0, "text"), before + SYSTEM)
    data = json.dumps(request, **how).encode()
    whole = counted(data)
    found = prefix.first_volatile(whole.prompts[0], whole.sizes, census.Meter(""))
    assert (found.kind, found.text, found.path) == ("date", "2026-11-20", "system.0.text")
    line = data.decode().split("\n")[found.line - 1]
    assert line[found.column - 1 :].startswith("2026-11-20")
    assert sum(whole.sizes[: 1 + len(TOOLS)]) < found.tokens < sum(whole.sizes) / 4


def test_a_volatile_tool_description_comes_before_the_system_prompt():
    request = changed(ANTHROPIC, ("tools", 1, "description"), "Read a file. The current date is 2026-11-20.")
    whole = counted(json.dumps(request).encode())
    found = prefix.first_volatile(whole.prompts[0], whole.sizes, census.Meter(""))
    assert (found.path, found.text) == ("tools.1.description", "2026-11-20")


# --- two requests: no difference

MARK = {"type": "ephemeral"}
SAME = {
    "identical": lambda r: r,
    "extended": extended,
    "a breakpoint put on": lambda r: changed(extended(r), ("system", 0, "cache_control"), MARK),
    "a breakpoint on a result": lambda r: changed(extended(r), ("messages", 2, "content", 0, "cache_control"), MARK),
    "a breakpoint on a tool": lambda r: changed(r, ("tools", 1, "cache_control"), MARK),
    "a breakpoint at the top": lambda r: {**r, "cache_control": MARK},
    "keys of a tool": lambda r: changed(r, ("tools", 0), lambda tool: dict(reversed(tool.items()))),
    "keys of a request": lambda r: dict(reversed(extended(r).items())),
    "a string as a block": lambda r: changed(r, ("messages", 0, "content"), [{"type": "text", "text": "Fix the bug"}]),
    "a result as a block": lambda r: changed(
        r, ("messages", 2, "content", 0, "content"), [{"type": "text", "text": "commit 1\n" * 300}]
    ),
    "a system prompt as a string": lambda r: {**r, "system": SYSTEM},
    "metadata": lambda r: {**r, "metadata": {"user_id": "x"}, "max_tokens": 5, "stream": True, "temperature": 1},
    "the list alone": lambda r: extended(r)["messages"],
}  # fmt: skip


@pytest.mark.parametrize("how", [{}, {"indent": 2, "ensure_ascii": False}], ids=["compact", "pretty"])
@pytest.mark.parametrize("make", SAME.values(), ids=SAME)
def test_what_a_cache_does_not_see_breaks_nothing(make, how):
    found = compared(ANTHROPIC, make(ANTHROPIC), **how)
    assert found.intact, found.broken.what
    assert all(cost.lost == 0 for cost in found.costs)


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_request_that_grows_is_intact(request_):
    found = compared(request_, extended(request_), indent=1)
    assert (found.verdict, found.intact) == ("extended", True)
    assert found.shared == found.tokens[0] < found.tokens[1]
    assert all(cost.lost == 0 for cost in found.costs)
    assert all(cost.read > 1000 for cost in found.costs)


def test_a_shorter_request_is_the_beginning_of_the_longer():
    found = compared(extended(ANTHROPIC), ANTHROPIC)
    assert (found.verdict, found.intact) == ("shortened", True)


def test_a_request_of_one_message_looks_like_either_api():
    first = {"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "Fix the bug"}]}
    then = {**first, "messages": ANTHROPIC["messages"]}
    assert (opened(first).format, opened(then).format) == ("openai", "anthropic")
    assert compared(first, then).verdict == "extended"


# --- two requests: the first difference

NEW_TOOL = {"name": "Write", "description": "Write a file."}
BREAKS = {
    "model": (lambda r: {**r, "model": "claude-opus-5"}, "model", "model"),
    "tools order": (lambda r: {**r, "tools": TOOLS[::-1]}, "tools order", "tools.0"),
    "tools added": (lambda r: {**r, "tools": [*TOOLS, NEW_TOOL]}, "tools added", "tools.2"),
    "tools removed": (lambda r: {**r, "tools": TOOLS[:1]}, "tools removed", ""),
    "tools exchanged": (lambda r: {**r, "tools": [NEW_TOOL, TOOLS[1]]}, "tools changed", "tools.0"),
    "a tool's words": (
        lambda r: changed(r, ("tools", 1, "description"), "Read a file!"), "tools changed", "tools.1.description"),
    "a tool's type": (
        lambda r: changed(r, ("tools", 0, "input_schema", "properties", "timeout", "type"), "string"),
        "tools changed", "tools.0.input_schema.properties.timeout.type"),
    "a form for the answer": (
        lambda r: {**r, "output_config": {"format": {"type": "json_schema", "schema": {}}}}, "schema", "output_config"),
    "speed": (lambda r: {**r, "speed": "fast"}, "speed", "speed"),
    "system": (
        lambda r: changed(r, ("system", 0, "text"), SYSTEM.replace("11-20", "11-21")), "system changed",
        "system.0.text"),
    "system added": (
        lambda r: {**r, "system": [*r["system"], {"type": "text", "text": "x"}]}, "system changed", "system.1"),
    "tool_choice": (lambda r: {**r, "tool_choice": {"type": "any"}}, "tool_choice", "tool_choice"),
    "thinking": (lambda r: {**r, "thinking": {"type": "adaptive"}}, "thinking", "thinking"),
    "effort": (lambda r: {**r, "output_config": {"effort": "low"}}, "effort", "output_config.effort"),
    "user": (
        lambda r: changed(r, ("messages", 0, "content"), "Fix the bug!"), "message changed", "messages.0.content"),
    "answer": (
        lambda r: changed(r, ("messages", 1, "content", 1, "input", "command"), "git log"), "answer changed",
        "messages.1.content.1.input.command"),
    "id": (lambda r: changed(r, ("messages", 1, "content", 1, "id"), "t9"), "id changed", "messages.1.content.1.id"),
    "result": (
        lambda r: changed(r, ("messages", 2, "content", 0, "content"), "[cleared]"), "output changed",
        "messages.2.content.0.content"),
    "error": (
        lambda r: changed(r, ("messages", 2, "content", 0, "is_error"), True), "output changed",
        "messages.2.content.0.is_error"),
    "thought": (
        lambda r: changed(r, ("messages", 1, "content"), r["messages"][1]["content"][1:]), "thinking left out",
        "messages.1.content.0"),
    "dropped": (
        lambda r: {**r, "messages": [r["messages"][0], r["messages"][2]]}, "message left out",
        "messages.1.content.0"),
    "put in": (
        lambda r: changed(r, ("messages", 0, "content"), [
            {"type": "text", "text": "<system-reminder>"}, {"type": "text", "text": "Fix the bug"}]), "message put in",
        "messages.0.content.0"),
    "summary": (
        lambda r: {**r, "messages": [{"role": "user", "content": "Summary: all is well."}]}, "rewritten",
        "messages.0.content"),
    "picture": (
        lambda r: {**extended(r), "messages": [*extended(r)["messages"], {"role": "user", "content": [
            {"type": "image", "source": {"type": "url", "url": "https://example.org/x.png"}}]}]}, "images", ""),
}  # fmt: skip


@pytest.mark.parametrize(("make", "cause", "path"), BREAKS.values(), ids=BREAKS)
def test_a_break_is_named_and_placed(make, cause, path):
    found = compared(ANTHROPIC, make(extended(ANTHROPIC)), indent=1)
    assert not found.intact
    assert (found.broken.cause, found.broken.next.path) == (cause, path)
    assert found.broken.what
    assert found.broken.advice
    own = next(cost for cost in found.costs if cost.rules.name == found.own or not found.own)
    assert own.price > 0
    if found.broken.region == "tools" or path == "system.0.text":
        assert own.read < 200
    assert bool(found.broken.signed) == (
        found.broken.region != "settings" and any(
            part.signed for part in opened(make(extended(ANTHROPIC))).parts
        ) and cause not in ("answer changed", "id changed", "output changed", "thinking left out")
    )  # fmt: skip


def test_what_survives_a_change_is_still_read():
    marked = changed(ANTHROPIC, ("system", 0, "cache_control"), MARK)
    marked = changed(marked, ("messages", 2, "content", 0, "cache_control"), MARK)
    ahead = sum(census.sizes(opened(marked), census.Meter(""))[:5])  # model, two tools, speed, system
    for change in ({"tool_choice": {"type": "any"}}, {"thinking": {"type": "adaptive"}}):
        found = compared(marked, {**extended(marked), **change})
        assert [cost.read for cost in found.costs[:2]] == [ahead, ahead]
    assert compared(marked, {**extended(marked), "model": "claude-opus-5"}).costs[0].read == 0
    lost = compared(marked, changed(extended(marked), ("tools", 0, "description"), "x")).costs[0]
    assert lost.lost > 1000
    assert lost.extra == pytest.approx(lost.lost * (1.25 - 0.1))


def test_values_of_another_conversation_are_volatile():
    other = changed(extended(ANTHROPIC), ("system", 0, "text"), SYSTEM.replace("11-20", "11-21"))
    broken = compared(ANTHROPIC, other).broken
    assert broken.volatile == "date"
    assert "align" in broken.advice


def test_an_intact_prefix_that_no_breakpoint_reaches_is_told():
    """21 blocks in one turn are more than a breakpoint looks back."""
    first = {"model": "claude-sonnet-4-5", "system": "x",
             "messages": [{"role": "user", "content": "word " * 4000}]}  # fmt: skip
    calls = [call(i, command="ls") for i in range(13)]
    then = {**first, "messages": [
        *first["messages"], {"role": "assistant", "content": calls},
        {"role": "user", "content": [result(i, "a") for i in range(13)]}]}  # fmt: skip
    found = compared(first, then)
    costs = {cost.rules.name: cost for cost in found.costs}
    assert found.intact
    assert costs["anthropic 5m"].lost > 3000
    assert costs["openai"].lost == 0


@pytest.mark.parametrize("value", [RESPONSES, CHAT], ids=["responses", "chat"])
def test_other_apis_break_too(value):
    effort = {"reasoning": {"effort": "high"}} if "input" in value else {"reasoning_effort": "high"}
    found = compared({**value, "reasoning_effort": "low"} if "messages" in value else value, {**value, **effort})
    assert (found.broken.cause, found.broken.region) == ("effort", "settings")
    at = ("input", 3, "output") if "input" in value else ("messages", 3, "content")
    found = compared(value, changed(extended(value), at, "none"))
    assert (found.broken.cause, found.broken.next.path) == ("output changed", ".".join(map(str, at)))


WORDS = st.text(st.characters(exclude_categories=()), min_size=1, max_size=30)


@given(WORDS, WORDS, st.text(max_size=3), st.sampled_from([{}, {"indent": 1}, {"ensure_ascii": False}]))
def test_the_place_is_that_of_the_first_character_that_differs(head, tail, put_in, how):
    """Whatever the encoding of either file is."""
    for at in (("messages", 0, "content"), ("system", 0, "text"), ("messages", 1, "content", 1, "input", "command")):
        one, other = changed(ANTHROPIC, at, head + tail), changed(ANTHROPIC, at, head + put_in + tail)
        texts = [json.dumps(one), json.dumps(other, **how)]
        try:
            data = [text.encode() for text in texts]
        except UnicodeEncodeError:  # a lone surrogate cannot be written as it is
            return
        found = doctor.compare(*map(opened, data))
        if not put_in:
            assert found.intact
            continue
        assert found.broken.previous.path == ".".join(map(str, at))
        same = place.shared(head + tail, head + put_in + tail)
        for text, side, value in zip(
            texts, (found.broken.previous, found.broken.next), (head + tail, head + put_in + tail), strict=True
        ):
            rest = text.split("\n")[side.line - 1][side.column - 1 :]
            literal = re.match(r'(?:[^"\\]|\\.)*', rest)[0]
            assert json.loads(f'"{literal}"') == value[same:]


def test_a_list_of_one_text_is_not_that_text():
    found = place.difference({"a": [""]}, {"a": ""})
    assert (found.steps, found.offset) == ((["a"], ["a"]), -1)


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=True) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3), max_leaves=8,
), st.data())  # fmt: skip
def test_a_difference_leads_to_values_that_differ(value, data):
    other = data.draw(st.just(value) | st.text(max_size=2) | st.lists(st.integers(0, 2), max_size=2))
    one, two = {"a": [value, 1]}, {"a": [other, 1]}
    if json.dumps(one) == json.dumps(two):
        return
    found = place.difference(one, two)
    ends = []
    for side, steps in zip((one, two), found.steps, strict=True):
        text, end = json.dumps(side), side
        for step in steps:
            end = place.child(end, step)
        start = place.locate(text, 0, steps)
        if end is not None:
            assert json.dumps(json.JSONDecoder().raw_decode(text, start)[0]) == json.dumps(end)
        ends.append(end)
    assert json.dumps(ends[0]) != json.dumps(ends[1]) or ends == [None, None]  # null on one side, nothing on the other


# --- the command


@pytest.fixture
def files(tmp_path):
    later = changed(extended(ANTHROPIC), ("system", 0, "text"), SYSTEM.replace("11-20", "11-21"))
    for name, value in (("one", ANTHROPIC), ("two", extended(ANTHROPIC)), ("later", later)):
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    return tmp_path


def test_the_status_is_the_answer(headroom, files):
    assert headroom("stats", "--diff", "one.json", "two.json").returncode == 0
    broken = headroom("stats", "--diff", "one.json", "later.json")
    assert broken.returncode == 1
    assert b"line 1, column " in broken.stdout
    assert headroom("stats", "--diff", "one.json").returncode == 2
    assert headroom("stats", "--diff", "-", "-", stdin=b"{}").returncode == 2
    assert headroom("stats", "--diff", "one.json", "missing.json").returncode == 66
    one = (files / "one.json").read_bytes()
    assert headroom("stats", "--diff", "-", "two.json", stdin=one).returncode == 0
    assert headroom("stats", "--diff", "two.json", "-", stdin=one).returncode == 0


@pytest.mark.parametrize(
    "data",
    [b"", b"  \n", b"\x00\x01", b"\xff\xfe", b"hello", b"[1, 2]", b'{"a": 1}',
     b'{"messages": [{"role": "user", "content": "a", "content": "b"}]}',
     b'{"messages": [{"role": "user", "content": "a", "n": ' + b"9" * 6000 + b"}]}", b"[" * 3000],
    ids=["empty", "blank", "binary", "no text", "words", "list", "object", "twice", "huge number", "deep"],
)  # fmt: skip
def test_what_is_no_request_is_told(headroom, files, data):
    for arguments in (("one.json", "-"), ("-", "one.json")):
        done = headroom("stats", "--diff", *arguments, stdin=data)
        assert (done.returncode, done.stdout) == (65, b"")
        assert done.stderr.count(b"\n") == 1
        assert b"standard input" in done.stderr
    assert headroom("stats", "-", stdin=data).returncode == 0


def test_two_texts_are_two_system_prompts(headroom, tmp_path):
    (tmp_path / "a").write_text(SYSTEM)
    done = headroom("stats", "--diff", "a", "-", "--json", stdin=SYSTEM.replace("11-20", "11-21").encode())
    found = json.loads(done.stdout)["break"]
    assert done.returncode == 1
    assert (found["previous"]["line"], found["previous"]["column"]) == (2, 24)
    assert found["volatile"] == "date"


def test_reports_are_json(headroom, files):
    whole = json.loads(headroom("stats", "--json", "two.json").stdout)
    assert whole["v"] == 1
    assert whole["tokens"] == sum(part["tokens"] for part in whole["parts"])
    assert whole["stable_prefix"]["volatile"]["path"] == "system.0.text"
    assert whole["prices"][0]["rules"] == whole["own_rules"] == "anthropic 5m"
    assert {"price", "price_crushed", "ratio", "ratio_observations"} <= set(whole["prices"][0])
    found = json.loads(headroom("stats", "--json", "--diff", "one.json", "later.json").stdout)
    assert (found["v"], found["intact"], found["verdict"]) == (1, False, "broken")
    assert found["break"]["next"]["file"] == "later.json"
    assert {cost["rules"] for cost in found["costs"]} == {price["rules"] for price in whole["prices"]}
    intact = json.loads(headroom("stats", "--json", "--diff", "one.json", "two.json").stdout)
    assert (intact["intact"], intact["break"]) == (True, None)


def test_a_document_cannot_write_to_the_terminal(headroom, tmp_path):
    hostile = "\x1b]52;c;ZXZpbA==\x07\u202e\x9b31m\n"
    one = changed(ANTHROPIC, ("messages", 0, "content"), hostile + "a")
    one = changed(one, ("tools", 0, "name"), hostile)
    other = changed(one, ("messages", 0, "content"), hostile + "b")
    date = changed(one, ("system", 0, "text"), f"{hostile} Today's date: 2026-11-20 {hostile}")
    for name, value in (("a", one), ("b", other), ("c", date)):
        (tmp_path / name).write_text(json.dumps(value))
    for arguments in (
        ("--diff", "a", "b"),
        ("--diff", "a", "c"),
        ("c",),
        ("c", "--json"),
        ("--diff", "a", "b", "--json"),
    ):
        shown = headroom("stats", *arguments).stdout.decode()
        assert shown
        assert all(char.isprintable() or char == "\n" for char in shown), arguments


def test_reports_are_narrow(headroom, files):
    for arguments in (("two.json",), ("--diff", "one.json", "later.json")):
        lines = headroom("stats", *arguments).stdout.decode().splitlines()
        assert max(map(len, lines)) <= 82


def test_lines_of_requests_are_the_requests(headroom, files):
    lines = b"\n".join((files / f"{name}.json").read_bytes() for name in ("one", "two", "later"))
    whole = json.loads(headroom("stats", "-", "--json", stdin=lines).stdout)
    assert (whole["format"], whole["requests"], whole["prices"][0]["broken"]) == ("jsonl", 3, 1)
    assert whole["tokens"] == sum(part["tokens"] for part in whole["parts"])
    assert whole["crushed"] < whole["tokens"]
    found = json.loads(headroom("stats", "--json", "--diff", "-", "two.json", stdin=lines).stdout)
    assert found["break"]["previous"]["line"] == 3
    assert "3 requests" in found["warnings"][0]


def test_big_conversations_are_counted_in_time():
    """A megabyte in thousands of blocks: what census adds to the engine's run stays linear."""
    import time

    def seconds(turns):
        messages = ANTHROPIC["messages"][:1]
        for i in range(turns):
            messages = [*messages, {"role": "assistant", "content": [call(i, command="ls")]},
                        {"role": "user", "content": [result(i, f"file{i}\n" * 40)]}]  # fmt: skip
        data = json.dumps({**ANTHROPIC, "messages": messages}).encode()
        held, best = census.documents(data), 99.0
        for _ in range(3):
            started = time.process_time()
            census.take(held, [])
            best = min(best, time.process_time() - started)
        return best

    small, large = seconds(400), seconds(1600)
    assert large < 2.0
    assert large < 4 * 1.6 * small + 0.05


@pytest.mark.parametrize(("path", "value"), [
    (("messages", 0, "content"), {"text": "no list"}), (("messages", 0, "content"), 5), (("messages", 0), "no message"),
    (("messages", 0, "content"), [None, 1, ["a"], {"type": "text", "text": None}, {"text": 5}, {}]),
    (("messages", 2, "content", 0, "content"), [{"type": {"a": 1}}, None, [1], "plain"]),
    (("messages", 2, "content", 0, "content"), None), (("messages", 2, "content", 0, "tool_use_id"), 7),
    (("messages", 1, "content", 1, "input"), "no object"), (("messages", 1, "content", 1, "name"), None),
    (("messages", 1, "content", 0, "signature"), None), (("tools", 0), None), (("tools", 0, "name"), []),
    (("tools", 0, "input_schema"), {"x": float("nan"), "y": [[[]]]}), (("system", 0), "plain"), (("system", 0), 5),
    (("system",), None), (("model",), None), (("thinking",), 0), (("output_config",), []), (("cache_control",), 1),
])  # fmt: skip
def test_odd_values_are_counted_and_compared(path, value):
    odd = changed({**ANTHROPIC, "thinking": None, "output_config": {}, "cache_control": {}}, path, value)
    whole = counted(json.dumps(odd).encode())
    assert whole.before == sum(row.before for row in whole.rows.values())
    assert compared(odd, extended(odd), indent=1).intact
    found = compared(extended(ANTHROPIC), odd)
    assert found.intact or found.broken.what
