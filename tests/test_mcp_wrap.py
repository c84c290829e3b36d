"""A client, us, and a server that others wrote: less comes through, and nothing else changes by a byte."""

import base64
import json
import os
import signal
import sys
import time

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp_servers import ERAS, HEADROOM, LOG, Raw, handle_in, over_stdio, text_of

from headroom_cli.serve.mcp import traffic
from headroom_cli.serve.mcp.lines import Through

CHILD = [sys.executable, str(ROOT / "tests" / "mcp_child.py")]
FAKE = [sys.executable, str(ROOT / "tests" / "mcp_fake.py")]


def through(home, era, use, *words):
    return over_stdio(home, era, use, "wrap", "--", *CHILD, *words)


def fake(home, *words, flags=()):
    return Raw(home, *flags, "wrap", "--", *FAKE, "log", *words)


def said(data):
    """Return a line that makes the fake write these bytes."""
    return {"jsonrpc": "2.0", "method": "x", "say": base64.b64encode(data).decode()}


def answer(number, result):
    return json.dumps({"jsonrpc": "2.0", "id": number, "result": result}).encode() + b"\n"


def call(number, tool, data=None, **arguments):
    """Return a call; ``data`` is what the fake writes then."""
    more = {} if data is None else {"say": base64.b64encode(data).decode()}
    return {
        "jsonrpc": "2.0", "id": number, "method": "tools/call",
        "params": {"name": tool, "arguments": {**arguments, **more}},
    }  # fmt: skip


def listed(server, number=1, tools=({"name": "log", "inputSchema": {"type": "object"}},), **more):
    """Have the fake list its tools; return what the client sees."""
    data = answer(number, {"tools": list(tools), **more})
    server.send({"jsonrpc": "2.0", "id": number, "method": "tools/list", "params": {
        "arguments": {"say": base64.b64encode(data).decode()}
    }})  # fmt: skip
    return server.value()["result"]


def of_text(text):
    return {"content": [{"type": "text", "text": text}]}


def text_in(result):
    return "".join(part["text"] for part in result["content"])


# --- the SDK on both sides


@pytest.mark.parametrize("era", ERAS)
def test_a_real_server_behind_us(tmp_path, era):
    steps = []

    async def progressed(progress, total, message):
        steps.append(progress)

    async def use(client):
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert names[-1] == "headroom_retrieve"
        assert {"log", "told", "facts", "several", "slow"} <= set(names)
        made = await client.call_tool("log", {"path": "build.log"})
        assert "no space left on device" in text_of(made)
        assert len(text_of(made)) < len(LOG) / 5
        handle = handle_in(text_of(made))
        assert text_of(await client.call_tool("headroom_retrieve", {"handle": handle})) == LOG
        part = await client.call_tool("headroom_retrieve", {"handle": handle, "lines": "3:3"})
        assert text_of(part).rstrip("\n") == LOG.splitlines()[2]
        again = await client.call_tool("log", {"path": "build.log"})
        assert text_of(again) == text_of(made)
        # The library gives the text twice: both are the same afterwards, and obey the schema.
        told = await client.call_tool("told", {})
        assert told.structured_content == {"result": text_of(told)}
        assert "<<headroom:" in text_of(told)
        # What programs read stays.
        facts = await client.call_tool("facts", {})
        assert facts.structured_content == {"log": LOG}
        assert json.loads(text_of(facts)) == {"log": LOG}
        several = await client.call_tool("several", {})
        assert "a short text" in [part.text for part in several.content if part.type == "text"]
        assert [part.type for part in several.content].count("image") == 1
        failed = await client.call_tool("fails", {})
        assert failed.is_error
        assert text_of(failed) == "no such table: " + LOG[:300]
        slow = await client.call_tool("slow", {"steps": 4}, progress_callback=progressed)
        assert "<<headroom:" in text_of(slow)
        read = await client.read_resource("text://log")
        assert read.contents[0].text == LOG
        missed = await client.call_tool("headroom_retrieve", {"handle": "abcdefghij23"})
        assert missed.is_error
        assert "same answer" in text_of(missed)
        unknown = await client.call_tool("no such tool", {})
        assert unknown.is_error

    through(tmp_path, era, use)
    assert steps == [1, 2, 3, 4]


def test_a_picture_behind_us_is_smaller_and_its_original_comes_back(tmp_path):
    pytest.importorskip("PIL")
    from pictures import screenshot

    async def use(client):
        await client.list_tools()
        made = await client.call_tool("picture", {})
        handle = handle_in(text_of(made))
        kept = [part for part in made.content if part.type == "image"]
        assert len(kept) == 1
        assert len(kept[0].data) < len(base64.b64encode(screenshot()))
        back = await client.call_tool("headroom_retrieve", {"handle": handle})
        assert base64.b64decode(back.content[0].data) == screenshot()

    through(tmp_path, "handshake", use)


def test_a_tool_of_our_name_stays_theirs(tmp_path):
    async def use(client):
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert names.count("headroom_retrieve") == 1
        assert text_of(await client.call_tool("headroom_retrieve", {"handle": "x"})) == "theirs: x"
        assert "<<headroom:" not in text_of(await client.call_tool("log", {}))

    through(tmp_path, "stateless", use, "collides")


def test_results_are_the_same_bytes_in_another_process(tmp_path):
    lines = []
    for _ in range(2):
        with fake(tmp_path) as server:
            listed(server)
            server.send(call(7, "log", answer(7, of_text(LOG)), path="x"))
            lines.append(server.line())
    assert lines[0] == lines[1]
    assert b"<<headroom:" in lines[0]


# --- a fake of bytes


def test_until_our_tool_was_listed_nothing_is_left_out(tmp_path):
    with fake(tmp_path) as server:
        server.send(call(1, "log", answer(1, of_text(LOG))))
        assert b"<<headroom:" not in server.line()
        assert listed(server, 2, nextCursor="more")["tools"][-1]["name"] == "log"  # there is another page
        server.send(call(3, "log", answer(3, of_text(LOG))))
        assert b"<<headroom:" not in server.line()
        assert listed(server, 4)["tools"][-1]["name"] == "headroom_retrieve"
        server.send(call(5, "log", answer(5, of_text(LOG))))
        line = server.line()
        handle = handle_in(line.decode())
        result = server.ask(call(6, "headroom_retrieve", handle=handle))
        assert result["id"] == 6
        assert result["result"]["content"][0]["text"] == LOG
        status, _, err = server.end()
    assert (status, err) == (0, b"the end\n")
    # What was meant for us never came to the server, and everything else did.
    assert b"headroom_retrieve" not in (tmp_path / "log").read_bytes()


def test_a_client_with_an_old_list_gets_its_originals(tmp_path):
    with fake(tmp_path) as server:
        listed(server)
        server.send(call(2, "log", answer(2, of_text(LOG))))
        handle = handle_in(server.line().decode())
    with fake(tmp_path) as server:
        assert server.ask(call(1, "headroom_retrieve", handle=handle))["result"]["content"][0]["text"] == LOG
        # What we know nothing of is the server's.
        server.send(call(2, "headroom_retrieve", answer(2, of_text("theirs")), handle="abcdefghij23"))
        reply = server.value()
        assert reply["result"] == of_text("theirs") or "is no argument" in str(reply)


ODD = [
    b"no JSON at all\n", b'{"jsonrpc":"2.0","id":1,\n', b"\n", b"\r\n",
    b'  {"jsonrpc" : "2.0" , "id" : 9 , "result" : { } }  \r\n',
    b'{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"\xff\xfe"}}\n', b"\x00\x01\x1b[2J\n",
    b'{"jsonrpc":"2.0","id":"9","result":{"content":[{"type":"text","text":"%s"}]}}\n' % (b"nobody asked " * 200),
    b"[" * 5_000 + b"\n", b'{"jsonrpc":"2.0","id":5,"error":{"code":-32000,"message":"x"}}\n', b'[{"a":1},[2]]\n',
    b'{"jsonrpc":"2.0","id":3,"method":"sampling/createMessage","params":{}}\n', b"x" * 300_000 + b"\n",
    b'{"jsonrpc":"2.0","id":1,"result":{"content":"odd","contents":5,"tools":7}}\n',
    b'{"jsonrpc":"2.0","id":1,"id":2,"result":{"tools":[],"tools":[]}}\n',
]  # fmt: skip


def test_what_is_not_understood_passes_byte_for_byte(tmp_path):
    """Both ways, with calls under way whose ids these lines have."""
    with fake(tmp_path) as server:
        for number in (1, 2, 3, 5, 9, "9"):
            server.send({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": "nothing"}})
        server.send({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
        for line in ODD:
            if line.startswith(b'{"jsonrpc":"2.0","id":"9"'):
                continue
            server.send(said(line))
            assert server.line() == line
        for line in ODD:
            server.send(line.rstrip(b"\n"))
        status, out, _ = server.end()
    assert (status, out) == (0, b"")
    log = (tmp_path / "log").read_bytes()
    assert log.endswith(b"".join(line.rstrip(b"\n") + b"\n" for line in ODD))


def test_bytes_around_a_text_that_gave_way_stay(tmp_path):
    text = json.dumps(LOG)
    before = '{ "id":4,"z":1.0e1, "jsonrpc":"2.0","result":{"_meta":{"a":[1,  2]},"content":[ {"text":'
    after = ' ,"type":"text","annotations":{"x":"\\u00e9"}} ,{"type":"resource_link","uri":"a:b","name":"'
    after += "n" * 500 + '"}], "isError" : false } }\r\n'
    line = before + text + after
    with fake(tmp_path) as server:
        listed(server)
        server.send(call(4, "log", line.encode()))
        made = server.line().decode()
    assert made.startswith(before)
    assert made.endswith(after)
    new = json.loads(made[len(before) : len(made) - len(after)])
    assert "<<headroom:" in new
    assert len(new) < len(LOG) / 5


def test_order_stays_and_numbers_are_no_texts(tmp_path):
    note = b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":%d}}\n'
    with fake(tmp_path) as server:
        listed(server)
        server.send(call("5", "log"), call(5, "log"))
        data = note % 1 + answer(5, of_text(LOG)) + note % 2 + answer("5", of_text("short")) + note % 3
        server.send(said(data))
        values = [server.value() for _ in range(5)]
    assert [value.get("id", value.get("params", {}).get("progress")) for value in values] == [1, 5, 2, "5", 3]
    assert "<<headroom:" in values[1]["result"]["content"][0]["text"]


def test_several_messages_in_one_line(tmp_path):
    with fake(tmp_path) as server:
        listed(server)
        server.send(call(2, "log", answer(2, of_text(LOG))))
        handle = handle_in(server.line().decode())
        server.send([call(3, "log"), call(4, "headroom_retrieve", handle=handle), {"jsonrpc": "2.0", "method": "n"}])
        assert server.value() == {"jsonrpc": "2.0", "id": 4, "result": of_text(LOG)}
        batch = b"[" + answer(9, {"x": 1}).strip() + b", " + answer(3, of_text(LOG)).strip() + b"]\n"
        server.send(said(batch))
        line = server.line()
        assert line.startswith(b"[" + answer(9, {"x": 1}).strip() + b", ")
        assert "<<headroom:" in json.loads(line)[1]["result"]["content"][0]["text"]
    got = (tmp_path / "log").read_bytes().splitlines()
    assert [len(json.loads(line)) for line in got if line.startswith(b"[")] == [2]


def test_a_call_of_our_tool_with_odd_arguments_is_told_what_is_wrong(tmp_path):
    with fake(tmp_path) as server:
        listed(server)
        for arguments, said_of_it in (
            ([1], "must be an object"), ("x", "must be an object"), (None, "needs handle"),
            ({"handle": "abcdefghij23", "grep": "\ud800"}, "surrogate"), ({"handle": {}}, "is no text"),
        ):  # fmt: skip
            request = call(2, "headroom_retrieve")
            request["params"]["arguments"] = arguments
            result = server.ask(request)["result"]
            assert result["isError"]
            assert said_of_it in text_in(result)


def test_a_cancelled_call_is_nobodys(tmp_path):
    with fake(tmp_path) as server:
        listed(server)
        server.send(call(2, "log"))
        server.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}})
        line = answer(2, of_text(LOG))
        server.send(said(line))
        assert server.line() == line
    assert b"notifications/cancelled" in (tmp_path / "log").read_bytes()


def one_text(name, **more):
    return {"type": "object", "properties": {name: {"type": "string", **more}}, "required": [name]}


def test_structured_results_stay_unless_they_are_the_text(tmp_path):
    two = {"type": "object", "properties": {"result": {"type": "string"}, "more": {"type": "string"}}}
    tools = [
        {"name": "plain", "outputSchema": one_text("result", title="Result")},
        {"name": "named", "outputSchema": one_text("content")},
        {"name": "odd", "outputSchema": one_text("result", maxLength=10**6)},
        {"name": "two", "outputSchema": two}, {"name": "none"},
    ]  # fmt: skip
    both = {**of_text(LOG), "structuredContent": {"result": LOG}}
    with fake(tmp_path) as server:
        listed(server, tools=tools)
        for number, (tool, result, changes) in enumerate([
            ("plain", both, True), ("named", {**both, "structuredContent": {"content": LOG}}, True),
            ("odd", both, False), ("two", both, False), ("none", both, False), ("named", both, False),
            ("plain", {**both, "structuredContent": {"result": LOG + "x"}}, False),
            ("plain", {**both, "content": of_text(LOG)["content"] * 2}, False),
        ], start=10):  # fmt: skip
            line = answer(number, result)
            server.send(call(number, tool, line))
            got = server.line()
            assert (got != line) == changes, tool
            if changes:
                made = json.loads(got)["result"]
                assert list(made["structuredContent"].values()) == [made["content"][0]["text"]]


def test_a_list_of_files_is_no_log(tmp_path):
    files = "".join(
        f"[FILE] part_{i * 7919 % 1009}.py{' ' * (i % 9)} {i * 37 % 100}.{i % 90:02d} KB\n" for i in range(150)
    )
    with fake(tmp_path) as server:
        listed(server)
        server.send(call(2, "list_directory_with_sizes", answer(2, of_text(files))))
        shown = server.value()["result"]["content"][0]["text"]
    assert all(f"part_{i * 7919 % 1009}.py" in shown for i in range(150))


def test_protected_tools_and_lossless_ways_count(tmp_path):
    with fake(tmp_path, flags=("--protect-tool", "lo*")) as server:
        listed(server)
        line = answer(2, of_text(LOG))
        server.send(call(2, "log", line))
        assert server.line() == line
    with fake(tmp_path, flags=("--lossless",)) as server:
        listed(server)
        server.send(call(2, "log", answer(2, of_text(LOG))))
        assert b"<<headroom:" not in server.line()


def test_a_line_beyond_the_limit_streams_and_nothing_comes_in_between(tmp_path):
    size = 20 << 20
    line = b'{"jsonrpc":"2.0","id":2,"result":{"content":[{"type":"text","text":"' + b"a" * size + b'"}]}}\n'
    (tmp_path / "big.py").write_text(
        "import sys\nfor line in sys.stdin.buffer:\n"
        f"    sys.stdout.buffer.write({line[:70]!r} + b'a' * {size} + b'\"}}]}}}}\\n')\n    sys.stdout.buffer.flush()\n"
    )
    with Raw(tmp_path, "wrap", "--", sys.executable, str(tmp_path / "big.py")) as server:
        server.send(call(2, "log"))
        got = server.line(60)
        assert got.startswith(line[:60])
        assert got.endswith(b'"}]}}\n')
        assert len(got) > size


# --- ends


def test_the_servers_status_and_signals_pass(tmp_path):
    with fake(tmp_path, "7") as server:
        assert server.end()[0] == 7
    with Raw(tmp_path, "wrap", "--", sys.executable, "-c", "import os; os.kill(os.getpid(), 9)") as server:
        assert server.process.wait(timeout=30) == 137
    program = (
        "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(9))\nprint('up', flush=True)\ntime.sleep(60)"
    )
    with Raw(tmp_path, "wrap", "--", sys.executable, "-c", program) as server:
        assert server.line() == b"up\n"
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=30) == 9
    program = "import signal, time\nsignal.signal(10, lambda *_: print('10', flush=True))\nprint('up', flush=True)\n"
    with Raw(tmp_path, "wrap", "--", sys.executable, "-c", program + "while True: time.sleep(0.1)") as server:
        assert server.line() == b"up\n"
        server.process.send_signal(signal.SIGUSR1)
        assert server.line() == b"10\n"
        server.process.send_signal(signal.SIGQUIT)
        assert server.process.wait(timeout=30) == 128 + signal.SIGQUIT


def test_a_client_that_goes_away_ends_the_server(tmp_path):
    program = "import time\nwhile True:\n    print('x' * 1000, flush=True)\n    time.sleep(0.01)"
    with Raw(tmp_path, "wrap", "--", sys.executable, "-c", program) as server:
        server.line()
        server.process.stdout.close()
        assert server.process.wait(timeout=30) == 141
        assert b"Traceback" not in server.process.stderr.read()


def test_all_that_an_ended_server_wrote_waits_for_a_client_that_reads_slowly(tmp_path):
    lines = b"".join(b"%d%s\n" % (number, b"x" * 1_000) for number in range(120))  # more than two pipes hold
    program = "import sys\nfor n in range(120): sys.stdout.write(f'{n}' + 'x' * 1000 + '\\n')"
    with Raw(tmp_path, "wrap", "--", sys.executable, "-c", program) as server:
        time.sleep(3.5)
        status, out, err = server.end()
    assert (status, err) == (0, b"")
    assert out == lines


def test_what_was_asked_for_before_the_end_of_the_input_is_answered(tmp_path):
    with fake(tmp_path) as server:
        listed(server)
        server.send(call(2, "log", answer(2, of_text(LOG))))
        handle = handle_in(server.line().decode())
    with fake(tmp_path) as server:
        for number in range(3):
            server.send(call(number, "headroom_retrieve", handle=handle))
        status, out, err = server.end()
    assert (status, err) == (0, b"the end\n")
    assert sorted(json.loads(line)["id"] for line in out.splitlines()) == [0, 1, 2]
    assert all(json.loads(line)["result"] == of_text(LOG) for line in out.splitlines())


@pytest.mark.long
def test_a_client_that_does_not_read_does_not_keep_us_alive(tmp_path):
    program = "import sys\nwhile True:\n    print('x' * 1000, flush=True)"
    with Raw(tmp_path, "wrap", "--", sys.executable, "-c", program) as server:
        server.line()
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=30) == 128 + signal.SIGTERM


def test_no_server_no_traceback(tmp_path, headroom):
    done = headroom("mcp", "wrap", "--", "no-such-program-anywhere")
    assert done.returncode == 78
    assert b"cannot start" in done.stderr
    assert headroom("mcp", "wrap").returncode == 2


def test_it_starts_the_server_at_once_and_needs_no_sdk(tmp_path):
    program = "import sys\nsys.modules['mcp'] = None\nfrom headroom_cli.__main__ import main\nsys.exit(main())"
    command = [HEADROOM[0], "-c", program, "mcp", "wrap", "--", *FAKE, "log", "3"]
    with Raw(tmp_path, command=command) as server:
        server.send(said(b"up\n"))
        assert server.line() == b"up\n"
        assert server.end()[0] == 3


# --- pure parts


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"\n", b"x" * 30, b"\r\n", b"ab\ncd\n"])), st.integers(1, 40))
def test_cutting_loses_nothing_and_holds_no_more_than_it_may(chunks, most):
    through = Through(most)
    out = [pair for piece in chunks for pair in through.feed(piece)]
    assert b"".join(part for part, _ in out) + through.rest() == b"".join(chunks)
    for part, whole in out:
        if whole:
            assert part.endswith(b"\n")
            assert part.count(b"\n") == 1
            assert len(part) <= most


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
KEYS = st.sampled_from(["id", "method", "params", "result", "tools", "content", "name"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_any_message_can_be_looked_at(value):
    seen = traffic.Traffic()
    for message in value if isinstance(value, list) else [value]:
        seen.asks(message)
        asked = seen.answers(message)
        if asked is not None and asked.kind == traffic.LIST:
            seen.listed(asked, message["result"])


def test_the_timing_of_lines_that_pass_is_not_that_of_a_model(tmp_path):
    """A line that nobody waits for is not held while another one is under way."""
    with fake(tmp_path) as server:
        server.send(said(b"warm\n"))
        server.line()
        begun = time.monotonic()
        for number in range(200):
            server.send(said(b"%d\n" % number))
        assert [server.line() for number in range(200)] == [b"%d\n" % number for number in range(200)]
        assert time.monotonic() - begun < 30
        assert os.path.getsize(tmp_path / "log") > 0
