"""Our MCP server with the SDK's own client, over every transport and in both eras; and with whatever else may come."""

import base64
import contextlib
import http.client
import json
import random
import subprocess
import threading
import time

import pytest
from conftest import clean_environment
from mcp_servers import (
    ERAS,
    HEADROOM,
    INITIALIZE,
    INITIALIZED,
    LOG,
    Listening,
    Raw,
    handle_in,
    over_http,
    over_stdio,
    text_of,
)  # fmt: skip
from pictures import screenshot

from headroom_cli.serve.mcp import tools
from headroom_cli.store import Entry, Store

OWN_STORE = ".local/share/headroom/store"


def compress(**arguments):
    return {"name": "headroom_compress", "arguments": arguments}


def call(number, name, arguments):
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": name, "arguments": arguments}}


@pytest.fixture(scope="module")
def listening(tmp_path_factory):
    with Listening(tmp_path_factory.mktemp("home")) as server:
        yield server


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """Give a server over standard input and output that has said hello."""
    home = tmp_path_factory.mktemp("raw")
    with Raw(home) as server:
        server.home = home
        server.ask(INITIALIZE)
        server.send(INITIALIZED)
        yield server


async def everything(client):
    """Use every tool, and every way in which a call can be wrong."""
    listed = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert sorted(listed) == ["headroom_compress", "headroom_retrieve", "headroom_stats"]
    assert listed["headroom_retrieve"].annotations.read_only_hint
    assert not any(tool.annotations.open_world_hint for tool in listed.values())

    made = await client.call_tool("headroom_compress", {"content": LOG, "query": "why did it stop?"})
    facts = made.structured_content
    assert facts["shortened"]
    assert facts["kind"] == "log"
    assert facts["tokens_after"] < facts["tokens_before"] / 5
    assert made.content[0].text == facts["text"]
    assert "no space left on device" in facts["text"]
    handle = handle_in(facts["text"])
    assert handle == facts["handle"]
    assert f"headroom_retrieve, handle {handle}" in made.content[1].text

    whole = await client.call_tool("headroom_retrieve", {"handle": handle})
    assert text_of(whole) == LOG
    assert text_of(await client.call_tool("headroom_retrieve", {"hash": f"<<headroom:{handle} 4 lines>>"})) == LOG
    lines = await client.call_tool("headroom_retrieve", {"handle": handle, "lines": "2:3"})
    assert text_of(lines).splitlines() == LOG.splitlines()[1:3]
    found = await client.call_tool("headroom_retrieve", {"handle": handle, "grep": "ERROR"})
    assert text_of(found).strip() == LOG.splitlines()[-1]

    # Retrieved text, and what does not shrink: said, with the numbers, and not repeated.
    again = await client.call_tool("headroom_compress", {"content": "a short text that says something once"})
    assert not again.structured_content["shortened"]
    assert "says something once" not in text_of(again)
    assert str(again.structured_content["tokens_before"]) in text_of(again)

    missed = await client.call_tool("headroom_retrieve", {"handle": "abcdefghij23"})
    assert missed.is_error
    assert "Asking again gives this same answer" in text_of(missed)
    for name, arguments, said in (
        ("headroom_compress", {}, "needs content"),
        ("headroom_compress", {"content": LOG, "kind": "poem"}, "is no kind"),
        ("headroom_compress", {"content": LOG, "lines": "1:2"}, "is no argument"),
        ("headroom_retrieve", {"handle": handle, "lines": "x"}, "cannot be read"),
        ("headroom_retrieve", {"handle": "../../etc/passwd"}, "is no handle"),
        ("headroom_retrieve", {"handle": handle, "grep": "a" * 5000}, "longer than"),
        ("headroom_read", {"path": "/etc/passwd"}, "is no tool"),
    ):
        wrong = await client.call_tool(name, arguments)
        assert wrong.is_error, name
        assert said in text_of(wrong)

    stats = await client.call_tool("headroom_stats", {})
    assert json.loads(stats.content[0].text) == stats.structured_content
    assert stats.structured_content["last_30_days"]["tokens_saved"] > 0
    return handle


@pytest.mark.parametrize("era", ERAS)
def test_all_tools_over_stdio(tmp_path, era):
    over_stdio(tmp_path, era, everything)


@pytest.mark.parametrize("era", ERAS)
def test_all_tools_over_http(listening, era):
    over_http(listening.url, era, everything)


def test_schemas_are_small():
    written = json.dumps(list(tools.TOOLS), separators=(",", ":"), ensure_ascii=False)
    assert len(written.encode()) <= 1536


def test_a_picture_comes_back_as_a_picture(raw):
    data = screenshot(size=(400, 300))
    store = Store(str(raw.home / OWN_STORE))
    handle = store.put([Entry(data, "image", "")])[0]
    result = raw.ask(call(1, "headroom_retrieve", {"handle": handle}))["result"]
    assert [part["type"] for part in result["content"]] == ["image"]
    assert result["content"][0]["mimeType"] == "image/png"
    assert base64.b64decode(result["content"][0]["data"]) == data


def test_an_original_that_is_too_long_for_one_answer_is_read_in_parts(raw):
    text = "".join(f"{number} {number * 7919 % 10_007}\n" for number in range(60_000))
    handle = Store(str(raw.home / OWN_STORE)).put([Entry(text.encode(), "log", "")])[0]
    refused = raw.ask(call(1, "headroom_retrieve", {"handle": handle}))["result"]
    assert refused["isError"]
    assert "60,001 lines" in refused["content"][0]["text"]
    part = raw.ask(call(2, "headroom_retrieve", {"handle": handle, "lines": "59999:60000"}))["result"]
    assert part["content"][0]["text"] == "".join(text.splitlines(keepends=True)[-2:])


def test_what_stays_long_is_pressed_harder(raw):
    rows = random.Random(7)
    words = ["".join(rows.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(4_000)]
    text = "\n".join(
        f"{i} ERROR {' '.join(rows.choices(words, k=9))} {rows.random()}" for i in range(4_000)
    )  # fmt: skip
    result = raw.ask(call(1, "headroom_compress", {"content": text}))["result"]
    facts = result["structuredContent"]
    assert facts["tokens_after"] <= 20_000 < facts["tokens_before"]
    whole = raw.ask(call(2, "headroom_retrieve", {"handle": facts["handle"], "lines": "1:4000"}))["result"]
    assert whole["isError"]  # too many bytes for one answer, and it says how to go on
    assert "smaller part" in whole["content"][0]["text"]


def test_the_same_text_is_the_same_answer_and_a_rendering_stays(raw):
    first = raw.ask(call(1, "headroom_compress", {"content": LOG}))["result"]["structuredContent"]
    again = raw.ask(call(2, "headroom_compress", {"content": LOG}))["result"]["structuredContent"]
    assert first == again
    once_more = raw.ask(call(3, "headroom_compress", {"content": first["text"]}))["result"]["structuredContent"]
    assert not once_more["shortened"] or "<<headroom:" in once_more["text"]
    assert once_more.get("text", "").count("<<headroom:") <= 1


def test_of_a_thousand_calls_each_is_answered_in_lines_of_json_rpc(raw):
    drawn = random.Random(11)
    wrong = [
        b"", b"{", b"null", b"[]", b"[1]", b'"x"', b"\xff\xfe", b'{"jsonrpc":"1.0","id":1,"method":"x"}', b"[" * 5000,
        b'{"jsonrpc":"2.0","id":{},"method":"tools/list"}', b'{"jsonrpc":"2.0","method":5}', b"\x00", b"\x1b[2J",
        b'{"jsonrpc":"2.0","result":{},"id":77}', b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}',
        b'{"jsonrpc":"2.0","method":"notifications/none"}', b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
    ]  # fmt: skip
    names = ["headroom_compress", "headroom_retrieve", "headroom_stats", "headroom_read", "", "\x1b]0;x\x07"]
    values = [
        "x",
        "",
        5,
        None,
        [],
        {},
        [1, 2],
        "a\nb" * 40,
        "\u202e",
        "../..",
        "(",
        "1:",
        True,
        "<<headroom:abcdefghij23 x>>",
    ]
    keys = ["content", "kind", "query", "handle", "hash", "lines", "rows", "grep", "area", "path", "\n"]
    asked = {}
    lines = []

    def read():
        while not lines or json.loads(lines[-1]).get("id") != "last" or len(lines) < len(asked) + 1:
            lines.append(raw.line())

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    for number in range(1_000, 2_000):
        if drawn.random() < 0.4:
            raw.send(drawn.choice(wrong))
            continue
        method = drawn.choice(
            ["tools/call"] * 8 + ["tools/list", "ping", "resources/read", "initialize", "server/discover"]
        )
        params = {"name": drawn.choice(names), "arguments": {
            key: drawn.choice(values) for key in drawn.sample(keys, drawn.randrange(4))
        }}  # fmt: skip
        if drawn.random() < 0.1:
            params = drawn.choice([None, [], 5, {"name": 3}, {"arguments": []}])
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        raw.send(message)
        if params is None or isinstance(params, dict):
            asked[number] = message
    raw.send({"jsonrpc": "2.0", "id": "last", "method": "ping"})
    reading.join(60)
    assert not reading.is_alive()
    for line in lines:
        value = json.loads(line)
        assert value["jsonrpc"] == "2.0"
        assert ("result" in value) != ("error" in value), line
        assert b"Traceback" not in line
    assert {json.loads(line)["id"] for line in lines} >= set(asked)
    assert len(asked) > 400


def test_the_end_of_the_input_is_awaited_with_all_answers(tmp_path):
    with Raw(tmp_path) as server:
        server.send(INITIALIZE, INITIALIZED, call(1, "headroom_compress", {"content": LOG}))
        status, out, err = server.end()
    assert status == 0, err
    assert [json.loads(line)["id"] for line in out.splitlines()] == [0, 1]
    assert err == b""


def test_signals_and_a_client_that_goes_away_end_it(tmp_path):
    import signal

    for number, status in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
        with Raw(tmp_path) as server:
            server.ask(INITIALIZE)
            server.process.send_signal(number)
            assert server.end()[0] == status
    with Raw(tmp_path) as server:
        server.ask(INITIALIZE)
        server.process.stdout.close()
        server.send({"jsonrpc": "2.0", "id": 5, "method": "ping"})
        server.process.stdin.close()
        assert server.process.wait(timeout=60) in {0, 141}
        assert b"Traceback" not in server.process.stderr.read()


def test_a_client_that_does_not_read_does_not_keep_it_alive(tmp_path):
    import signal

    with Raw(tmp_path) as server:
        server.ask(INITIALIZE)
        for number in range(200):
            server.send({"jsonrpc": "2.0", "id": number, "method": "tools/list"})
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=30) == 0


@pytest.mark.long
def test_a_client_that_only_writes_is_held_back_and_later_has_all_its_answers(tmp_path):
    size, count = 3 << 20, 40
    with Raw(tmp_path) as server:
        server.ask(INITIALIZE)
        names = [f"{number} {'x' * size}" for number in range(count)]  # an answer is as long as its id

        def write():
            for name in names:
                server.send({"jsonrpc": "2.0", "id": name, "method": "ping"})

        writing = threading.Thread(target=write, daemon=True)
        writing.start()
        writing.join(4)
        assert writing.is_alive()
        assert {server.value()["id"] for _ in names} == set(names)
        writing.join(30)
        assert server.end()[0] == 0


def test_what_has_nul_characters_is_said_to_stay(raw):
    facts = raw.ask(call(1, "headroom_compress", {"content": LOG + "\0"}))["result"]["structuredContent"]
    assert not facts["shortened"]
    assert "NUL" in facts["reason"]
    assert facts["tokens_before"] > 1_000


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_each_revision_with_a_handshake_is_spoken(raw, version):
    hello = {**INITIALIZE, "id": version, "params": {**INITIALIZE["params"], "protocolVersion": version}}
    assert raw.ask(hello)["result"]["protocolVersion"] == version


def test_half_of_a_surrogate_pair_is_refused(raw):
    raw.send(b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"headroom_compress","arguments":'
             b'{"content":"\\ud800"}}}')  # fmt: skip
    result = raw.value()["result"]
    assert result["isError"]
    assert "surrogate" in result["content"][0]["text"]


def test_several_messages_in_one_are_all_answered(raw):
    raw.send([{"jsonrpc": "2.0", "id": "a", "method": "ping"}, {"jsonrpc": "2.0", "id": "b", "method": "ping"}])
    assert {raw.value()["id"], raw.value()["id"]} == {"a", "b"}


def test_without_the_sdk_it_says_what_to_install(tmp_path):
    program = (
        "import sys, importlib.util as u\nreal = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name.startswith('mcp') else real(name, *more)\n"
        "from headroom_cli.__main__ import main\nsys.exit(main())"
    )
    done = subprocess.run(
        [HEADROOM[0], "-c", program, "mcp"], input=b"", capture_output=True, cwd=tmp_path,
        env=clean_environment(tmp_path), timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (78, b"")
    assert b"headroom-cli[mcp]" in done.stderr


# --- over HTTP: who may ask


HOSTS = {
    "127.0.0.1": True, "localhost": True, "[::1]": True, "127.0.0.1.evil.example": False, "evil.example": False,
    "127.1": False, "2130706433": False, "0.0.0.0": False, "localhost.": False, "[::ffff:127.0.0.1]": False, "": False,
}  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_host_is_looked_at_first(listening, host):
    for method in ("POST", "GET", "DELETE"):
        status, _ = listening.ask(method, "/mcp", b"{", Host=f"{host}:{listening.port}", Content_Type="text/plain")
        assert (status == 421) == (not HOSTS[host]) or (host == "" and status == 400)


def test_a_host_that_is_missing_or_there_twice_is_refused(listening):
    assert listening.ask("POST", "/mcp", b"{}", Host=None)[0] in {400, 421}


ORIGINS = ["null", "https://evil.example", "http://127.0.0.1:1", "http://localhost", "file://", "http://[::1]"]


@pytest.mark.parametrize("origin", ORIGINS)
def test_pages_may_not_ask(listening, origin):
    status, body = listening.post(INITIALIZE, Origin=origin)
    assert status == 403, body
    assert json.loads(body)["error"]["message"].startswith("headroom: ")


def test_a_page_that_was_allowed_may_ask(tmp_path):
    with Listening(tmp_path, "--allow-origin", "https://app.example", "--allow-host", "box.example") as server:
        assert server.post(INITIALIZE, Origin="https://app.example", Host=f"box.example:{server.port}")[0] == 200
        assert server.post(INITIALIZE, Origin="https://app.example.evil")[0] == 403
    assert server.status == 0


def test_content_types_methods_paths_and_sizes(listening):
    assert listening.post(INITIALIZE, Content_Type="text/plain", **{"Content-Type": None})[0] == 415
    assert listening.post(INITIALIZE, **{"Content-Type": None})[0] == 415
    assert listening.ask("PUT", "/mcp", b"{}")[0] == 405
    assert listening.ask("OPTIONS", "/mcp")[0] == 405
    for path in ("/", "/mcp/", "/v1/messages", "/mcp/../mcp", "/stats"):
        assert listening.ask("POST", path, b"{}", Content_Type="application/json")[0] == 404
    assert listening.post(b"{")[0] == 400
    assert listening.post(b"[" * 100_000)[0] == 400
    status, _ = listening.ask("POST", "/mcp", b"", Content_Length=str(1 << 30), Content_Type="application/json")
    assert status == 413


def test_other_addresses_need_a_token(tmp_path, headroom):
    refused = headroom("mcp", "--http", "--host", "0.0.0.0", "--port", "0")
    assert refused.returncode == 78
    assert b"token" in refused.stderr
    token = tmp_path / "token"
    token.write_text("t" * 20)
    token.chmod(0o600)
    with Listening(tmp_path, "--token-file", str(token)) as server:
        assert server.post(INITIALIZE)[0] == 401
        assert server.post(INITIALIZE, X_Headroom_Token="u" * 20)[0] == 401
        assert server.post(INITIALIZE, X_Headroom_Token="t" * 20)[0] == 200


def test_two_clients_without_names_have_a_session_each(listening):
    text = LOG.replace("worker", "unnamed")

    async def make(client):
        handle = handle_in((await client.call_tool("headroom_compress", {"content": text})).structured_content["text"])
        assert text_of(await client.call_tool("headroom_retrieve", {"handle": handle})) == text
        return handle

    async def ask(client):
        return text_of(await client.call_tool("headroom_retrieve", {"handle": handle}))

    handle = over_http(listening.url, "handshake", make)
    assert "stands for nothing" in over_http(listening.url, "handshake", ask)


@pytest.mark.parametrize("era", ERAS)
def test_a_handle_is_for_whom_it_was_given_to(listening, era):
    """B knows A's text and A's handle, and gets nothing; what is not granted is answered as what does not exist."""
    nonce = f"nonce-{era}-{time.monotonic_ns()}"
    text = LOG.replace("worker", nonce)

    async def make(client):
        return handle_in((await client.call_tool("headroom_compress", {"content": text})).structured_content["text"])

    async def ask(client):
        given = await client.call_tool("headroom_retrieve", {"handle": handle})
        none = await client.call_tool("headroom_retrieve", {"handle": "abcdefghij23"})
        return text_of(given), text_of(none)

    session = {"x-headroom-session-id": "one"}
    handle = over_http(listening.url, era, make, {"authorization": "Bearer A", **session})
    given, _ = over_http(listening.url, era, ask, {"authorization": "Bearer A", **session})
    assert given == text
    for headers in (
        {"authorization": "Bearer B", **session}, {"authorization": "Bearer A", "x-headroom-session-id": "two"},
        session, {},
    ):  # fmt: skip
        given, none = over_http(listening.url, era, ask, headers)
        assert nonce not in given
        assert given.replace(handle, "") == none.replace("abcdefghij23", "")


def test_a_session_is_for_the_credential_that_opened_it(listening):
    connection = http.client.HTTPConnection("127.0.0.1", listening.port, timeout=30)

    def ask(method, value, **headers):
        body = b"" if value is None else json.dumps(value).encode()
        kinds = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        connection.request(method, "/mcp", body, {**kinds, **headers})
        response = connection.getresponse()
        response.read()
        return response

    ping = {"jsonrpc": "2.0", "id": 5, "method": "ping"}
    with contextlib.closing(connection):
        session = {"mcp-session-id": ask("POST", INITIALIZE, authorization="Bearer A").headers["mcp-session-id"]}
        for credential in ({"authorization": "Bearer B"}, {"x-api-key": "A"}, {}):
            for method, value in (("POST", ping), ("DELETE", None), ("GET", None)):
                assert ask(method, value, **session, **credential).status == 404, (method, credential)
        assert ask("POST", ping, **session, authorization="Bearer A").status == 200
        assert ask("DELETE", None, **session, authorization="bearer  A").status == 200
        assert ask("POST", ping, **session, authorization="Bearer A").status == 404
