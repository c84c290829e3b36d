"""POST /v1/compress and GET /v1/retrieve/HANDLE: the contract that gateways call."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from own_routes import App, ask
from talks import LOG, handle_of

from headroom_cli import engine
from headroom_cli.identity import Identity
from headroom_cli.serve import spelling, work_own
from headroom_cli.serve.engines import EngineError
from headroom_cli.store import Store, secret

KEY = ("authorization", "Bearer sk-one")
MESSAGES = [
    {"role": "user", "content": "why does the build fail?"},
    {"role": "tool", "tool_call_id": "t1", "content": LOG},
    {"role": "user", "content": "and now?"},
]
HEX = re.compile(r"[a-f0-9]{12,24}")
CLIENTS = ROOT / ".venv-clients" / "bin" / "python"
PAYLOADS = Path(os.environ.get("HEADROOM_CORPUS", ROOT.parent / "shared" / "corpus")).parent / "hostile" / "payloads"


@pytest.fixture
def app(tmp_path):
    return App(tmp_path / "store")


def compressed(app, messages=MESSAGES, headers=(KEY,), **more):
    answer = ask(app, "POST", "/v1/compress", {"messages": messages, "model": "gpt-4o", **more}, headers)
    assert answer.status == 200, answer.body
    return answer.json


def test_messages_come_back_smaller_and_what_is_missing_can_be_fetched(app):
    made = compressed(app)
    assert [message["role"] for message in made["messages"]] == ["user", "tool", "user"]
    assert made["messages"][0] == MESSAGES[0]
    assert made["tokens_saved"] == made["tokens_before"] - made["tokens_after"] > 1_000
    assert made["compression_ratio"] == pytest.approx(made["tokens_after"] / made["tokens_before"], abs=0.001)
    assert made["transforms_applied"] == ["log:lossy"]
    assert made["transforms_summary"] == {"log:lossy": 1}
    [name] = made["ccr_hashes"]
    assert f"<<headroom:{name} " in made["messages"][1]["content"]
    assert "ERROR worker 31: no space left on device" in made["messages"][1]["content"]
    answer = ask(app, "GET", f"/v1/retrieve/{name}", headers=[KEY])
    assert answer.status == 200
    assert answer.json["original_content"] == LOG
    assert answer.json["hash"] == name
    assert answer.headers[b"cache-control"] == b"no-store"


def test_a_handle_is_read_in_each_of_its_spellings(app):
    [name] = compressed(app)["ccr_hashes"]
    assert HEX.fullmatch(name)
    for spelt in (name, handle_of(LOG)):
        for body in ({"hash": spelt}, {"handle": spelt}):
            assert ask(app, "POST", "/v1/retrieve", body, [KEY]).json["original_content"] == LOG


LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


@given(st.text(LETTERS, min_size=12, max_size=12) | st.text(LETTERS, min_size=16, max_size=16))
@settings(max_examples=200)
def test_a_spelled_handle_is_a_handle_and_a_hex_number_and_reads_back(handle):
    spelt = spelling.spelled(handle)
    assert HEX.fullmatch(spelt)
    assert engine.MARKER.fullmatch(f"<<headroom:{spelt} 3 lines>>")
    assert spelling.read(spelt) == handle
    assert spelling.read(handle) == handle


def test_what_no_handle_can_be_spelled_as_is_none():
    assert spelling.read("7" * 17) == ""
    assert spelling.read("a" * 11) == ""
    assert spelling.read("a" * 17) == "a" * 12
    assert spelling.spelled("b" * 52) == "b" * 52


@pytest.mark.parametrize(
    ("slices", "expected"),
    [
        ({"lines": "2:3"}, "".join(LOG.splitlines(keepends=True)[1:3])),
        ({"grep": "ERROR"}, LOG.splitlines(keepends=True)[-1]),
        ({"rows": "1"}, LOG.splitlines(keepends=True)[0]),
        ({"grep": "nothing like this"}, ""),
    ],
)
def test_parts_of_an_original_can_be_asked_for(app, slices, expected):
    [name] = compressed(app)["ccr_hashes"]
    query = "&".join(f"{key}={value.replace(' ', '+')}" for key, value in slices.items()).encode()
    assert ask(app, "GET", f"/v1/retrieve/{name}", headers=[KEY], query=query).json["original_content"] == expected
    assert ask(app, "POST", "/v1/retrieve", {"hash": name, **slices}, [KEY]).json["original_content"] == expected


def test_a_part_that_cannot_be_read_is_refused_only_to_whom_it_was_given(app):
    [name] = compressed(app)["ccr_hashes"]
    path = f"/v1/retrieve/{name}"
    assert ask(app, "GET", path, headers=[KEY], query=b"lines=x:y").status == 400
    assert ask(app, "GET", path, headers=[("authorization", "Bearer other")], query=b"lines=x:y").status == 404
    assert ask(app, "GET", path, headers=[KEY], query=b"grep=" + b"a" * 5_000).status == 400


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream"])
def test_an_original_comes_as_its_bytes_to_who_wants_those(app, kind):
    [name] = compressed(app)["ccr_hashes"]
    answer = ask(app, "GET", f"/v1/retrieve/{name}", headers=[KEY, ("accept", kind)])
    assert answer.body == LOG.encode()
    assert answer.headers[b"content-type"].startswith(kind.encode())
    assert answer.headers[b"x-content-type-options"] == b"nosniff"


def test_head_tells_the_length_alone(app):
    [name] = compressed(app)["ccr_hashes"]
    answer = ask(app, "HEAD", f"/v1/retrieve/{name}", headers=[KEY, ("accept", "text/plain")])
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers[b"content-length"]) == len(LOG)


def test_other_bytes_of_the_messages_are_the_callers(app):
    odd = '[ {"role":"user","content":"\\u00e9 \\/ hi", "n":1.50} ,{"role" : "tool","tool_call_id":"t","content":%s}\t]'
    body = '{"model":"m", "messages":%s ,"session_id":"s"}' % (odd % json.dumps(LOG))
    answer = ask(app, "POST", "/v1/compress", body.encode(), [KEY])
    head, _, tail = (odd % "#").partition("#")
    assert answer.body.startswith(f'{{"messages": {head}'.encode())
    assert tail.encode() in answer.body
    assert answer.json["tokens_saved"] > 0


def test_nothing_to_do_gives_the_messages_back(app):
    made = compressed(app, [{"role": "user", "content": "hi"}])
    assert made["messages"] == [{"role": "user", "content": "hi"}]
    assert made["compression_ratio"] == 1.0
    assert made["ccr_hashes"] == []


@pytest.mark.parametrize("headers", [[("x-headroom-bypass", "true")], [("x-headroom-mode", "off")]])
def test_a_bypass_returns_the_input_untouched(app, headers):
    made = compressed(app, headers=[KEY, *headers])
    assert made["messages"] == MESSAGES
    assert (made["tokens_saved"], made["compression_ratio"], made["ccr_hashes"]) == (0, 1.0, [])


@pytest.mark.parametrize("mode", [None, "", "ccr", "lossless_then_lossy", "balanced"])
def test_modes_that_allow_markers(app, mode):
    assert compressed(app, config={"mode": mode})["ccr_hashes"]


@pytest.mark.parametrize("mode", ["lossy_inline", "lossless", "a mode of tomorrow"])
def test_modes_without_markers_leave_nothing_out(app, mode):
    made = compressed(app, config={"mode": mode})
    assert made["ccr_hashes"] == []
    assert "<<headroom:" not in json.dumps(made["messages"])


def test_input_items_are_answered_as_input(app):
    items = [
        {"type": "message", "role": "user", "content": "why?"},
        {"type": "function_call", "call_id": "c", "name": "Bash", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": LOG},
    ]
    answer = ask(app, "POST", "/v1/compress", {"input": items}, [KEY])
    assert "messages" not in answer.json
    assert answer.json["tokens_saved"] > 1_000
    [name] = answer.json["ccr_hashes"]
    assert f"<<headroom:{name} " in answer.json["input"][2]["output"]
    assert ask(app, "POST", "/v1/compress", {"input": "one text"}, [KEY]).json["input"] == "one text"


def test_a_budget_leaves_whole_turns_out(app):
    turns = [{"role": "user", "content": "start"}]
    for number in range(12):
        turns += [{"role": "assistant", "content": f"step {number} " * 100}, {"role": "user", "content": "go on"}]
    made = compressed(app, turns, token_budget=800)
    assert len(made["messages"]) < len(turns)
    assert made["tokens_after"] <= 800
    assert made["ccr_hashes"]
    assert all(HEX.fullmatch(name) for name in made["ccr_hashes"])
    assert all(f"<<headroom:{name} " in json.dumps(made["messages"]) for name in made["ccr_hashes"])
    for name in made["ccr_hashes"]:
        assert ask(app, "GET", f"/v1/retrieve/{name}", headers=[KEY]).status == 200


def test_the_same_again_gives_the_same_bytes(app):
    assert compressed(app)["messages"] == compressed(app)["messages"]


BAD = [
    b"", b"{", b"[]", b"null", b"3", b'"x"', b"\xff\xfe", b"{}", b'{"messages": 3}', b'{"messages": {"a": 1}}',
    b'{"input": 3}', b'{"messages": [], "model": 3}', b'{"messages": [], "config": []}',
    b'{"messages": [], "config": {"mode": 3}}', b'{"messages": [], "token_budget": "many"}',
    b'{"messages": [], "token_budget": 0}', b'{"messages": [], "token_budget": true}', b"[" * 100_000,
    b'{"messages": ' + b"[" * 100_000, b'{"messages": [1] x}',
]  # fmt: skip


@pytest.mark.parametrize("body", BAD, ids=range(len(BAD)))
def test_a_body_that_is_none_is_refused_in_words(app, body):
    answer = ask(app, "POST", "/v1/compress", body, [KEY])
    assert answer.status == 400
    assert isinstance(answer.json["detail"], str)


ODD = [
    [], [{}], [1, None, "x"], [{"role": 3, "content": LOG}], [{"role": "tool"}], [{"role": "tool", "content": [3]}],
    [{"role": "tool", "content": {"text": LOG}}], [{"role": "user", "content": "\ud800"}],
]  # fmt: skip


@pytest.mark.parametrize("messages", ODD, ids=range(len(ODD)))
def test_messages_of_any_other_form_come_back_as_they_were(app, messages):
    assert compressed(app, messages)["messages"] == messages


def test_other_members_are_not_looked_at(app):
    assert compressed(app, config={"mode": "ccr", "target_ratio": "x", "new": 1}, tools=3, anything={"a": []})


def test_a_worker_that_fails_costs_the_saving_alone(app):
    app.engines.failing = EngineError("took too long")
    answer = ask(app, "POST", "/v1/compress", {"messages": MESSAGES}, [KEY])
    assert (answer.status, answer.json["messages"], answer.json["tokens_saved"]) == (200, MESSAGES, 0)
    assert answer.headers[b"x-headroom-why-not"] == b"took too long"
    assert ask(app, "POST", "/v1/compress", b"{", [KEY]).status == 400
    assert ask(app, "GET", f"/v1/retrieve/{handle_of(LOG)}", headers=[KEY]).status == 503


def test_nothing_large_is_read_where_others_are_served(app, monkeypatch):
    app.engines.failing = EngineError("needed too much memory")
    monkeypatch.setattr(work_own, "untouched", None)
    answer = ask(app, "POST", "/v1/compress", {"messages": [{"role": "user", "content": "a" * (1 << 20)}]}, [KEY])
    assert answer.status == 503
    assert b"needed too much memory" in answer.headers[b"x-headroom-error"]


def test_a_store_that_cannot_be_used_costs_the_saving_alone(tmp_path):
    (tmp_path / "file").write_text("")
    made = compressed(App(tmp_path / "file" / "store"))
    assert made["messages"] == MESSAGES
    assert made["ccr_hashes"] == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(app, method):
    assert ask(app, method, "/v1/compress").status == 405
    assert ask(app, method, "/v1/retrieve/abcdefgh2345").status == 405


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"hash": 3}', b"[" * 50_000])
def test_a_body_without_a_handle_is_refused(app, body):
    assert ask(app, "POST", "/v1/retrieve", body, [KEY]).status == 400


def test_a_body_with_more_than_a_handle_is_not_read(app):
    assert ask(app, "POST", "/v1/retrieve", b" " * 70_000, [KEY]).status == 413


# --- names from outside


def _names():
    yield from (b"", b"/", b"stats", b"../secret", b"%2e%2e%2fsecret", b"abcdefgh2345\0", b"ABCDEFGH2345", b"a" * 5_000)
    if PAYLOADS.is_dir():
        for path in sorted(PAYLOADS.rglob("*.txt")):
            if "raversal" in str(path) or "CRLF" in str(path):
                yield from path.read_bytes().splitlines()


def test_names_from_outside_open_nothing(app, tmp_path, monkeypatch):
    compressed(app)
    names = list(dict.fromkeys(_names()))
    opened = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, *a, **k: (opened.append(os.fsdecode(path)), real(path, *a, **k))[1])
    who = app.identity.scopes([(b"authorization", b"Bearer sk-one")])
    answers = {work_own.retrieve(app.engines.state, name.decode("latin-1"), {}, who) for name in names}
    monkeypatch.undo()
    assert answers == {(404, work_own.MISSED)}
    inside = {str(tmp_path / "store"), "version", "renderings", "objects", "grants", "lock", "gate", "clock"}
    assert {path for path in opened if path not in inside and not re.fullmatch(r"[0-9a-f]{32}\.log", path)} == set()
    for name in names[:200]:
        answer = ask(app, "GET", b"/v1/retrieve/" + name, headers=[KEY])
        assert (answer.status, answer.body) == (404, work_own.MISSED)


# --- who asks


def test_an_identity_keeps_credentials_and_sessions_apart():
    who = Identity(key=b"k" * 32)
    plain = {
        who.scope(headers)
        for headers in (
            [], [(b"authorization", b"Bearer a")], [(b"authorization", b"Bearer b")], [(b"x-api-key", b"a")],
            [(b"api-key", b"c")], [(b"x-goog-api-key", b"d")], [(b"authorization", b"Basic a")],
            [(b"x-headroom-session-id", b"a")], [(b"authorization", b"Bearer a"), (b"session-id", b"s")],
            [(b"authorization", b"Bearer a"), (b"x-claude-code-session-id", b"t")],
        )
    }  # fmt: skip
    assert len(plain) == 10
    assert all(re.fullmatch("[0-9a-f]{64}", scope) for scope in plain)
    assert who.scope([(b"Authorization", b"bearer  a ")]) == who.scope([(b"authorization", b"Bearer a")])
    assert who.fingerprint([(b"x-api-key", b"k"), (b"authorization", b"Bearer a")]) == who.fingerprint(
        [(b"authorization", b"Bearer a")]
    )
    assert Identity(key=b"l" * 32).scope([]) != who.scope([])
    assert who.derived("a") != who.derived("b")
    session = [(b"authorization", b"Bearer a"), (b"thread-id", b"s")]
    assert who.scopes(session) == (who.scope(session), who.scope([(b"authorization", b"Bearer a")]))


def test_the_installs_key_is_made_once_and_kept_to_its_owner(tmp_path):
    root = tmp_path / "store"
    key = secret.key(Store(str(root)))
    assert len(key) == 32
    assert secret.key(Store(str(root))) == key
    status = (root / "secret").stat()
    assert (status.st_mode & 0o777, status.st_size) == (0o600, 32)
    assert Identity(str(root)).scope([]) == Identity(str(root)).scope([])


def test_processes_that_start_at_once_agree_on_one_key(tmp_path):
    code = (
        "import sys; from headroom_cli.store import Store, secret;"
        "sys.stdin.read(1); print(secret.key(Store(sys.argv[1])).hex())"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "store")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(6)
    ]
    for process in processes:
        process.stdin.write(b"x")
        process.stdin.flush()
    keys = {process.communicate(timeout=30)[0] for process in processes}
    assert len(keys) == 1
    assert len(keys.pop().strip()) == 64


@pytest.mark.parametrize("spoil", ["mode", "short", "link", "hard"])
def test_a_key_that_others_can_have_is_refused(tmp_path, spoil):
    from headroom_cli.errors import ConfigError, StoreRefusedError

    root = tmp_path / "store"
    secret.key(Store(str(root)))
    path = root / "secret"
    if spoil == "mode":
        path.chmod(0o640)
    elif spoil == "short":
        path.write_bytes(b"short")
    elif spoil == "hard":
        os.link(path, tmp_path / "copy")
    else:
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises((ConfigError, StoreRefusedError)):
        secret.key(Store(str(root)))
    if spoil != "link":
        with pytest.raises(ConfigError):
            Identity(str(root))


def test_without_a_store_the_key_is_of_this_process(tmp_path):
    (tmp_path / "file").write_text("")
    path = str(tmp_path / "file" / "store")
    assert Identity(path).scope([]) != Identity(path).scope([])
    assert Identity().scope([]) != Identity().scope([])


def test_upkeep_leaves_the_key_alone(app, tmp_path):
    from headroom_cli.store import upkeep

    store = Store(str(tmp_path / "store"))
    key = secret.key(store)
    compressed(app)
    assert upkeep.verify(store, depth=3).clean
    upkeep.gc(store, days=0)
    assert secret.key(store) == key


def test_what_was_forgotten_is_not_given_and_leaves_no_grant(app, tmp_path):
    from headroom_cli.store import upkeep

    [name] = compressed(app)["ccr_hashes"]
    upkeep.forget(Store(str(tmp_path / "store")), handle_of(LOG))
    answer = ask(app, "GET", f"/v1/retrieve/{name}", headers=[KEY])
    assert (answer.status, answer.body) == (404, work_own.MISSED)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file())
    assert handle_of(LOG).encode() not in kept


# --- LiteLLM's guardrail, as it is

GUARDRAIL = """
import asyncio, json, sys
from litellm.proxy.guardrails.guardrail_hooks.headroom.headroom import HeadroomGuardrail

async def main():
    asked = json.load(sys.stdin)
    guard = HeadroomGuardrail(api_base=sys.argv[1], api_key="sk-litellm", guardrail_name="headroom")
    data = {"messages": asked, "model": "gpt-4o", "litellm_call_id": "call-1", "metadata": {}}
    made = await guard.apply_guardrail({"structured_messages": asked, "tools": None}, data, "request")
    hashes = sorted(guard._issued_hashes_by_call_id["call-1"][0])
    texts = [await guard._call_retrieve(one) for one in hashes]
    missing = await guard._call_retrieve("abcdefabcdef")
    print(json.dumps({"made": made, "hashes": hashes, "texts": texts, "missing": missing}))

asyncio.run(main())
"""


@pytest.fixture
def served(app):
    """The application behind a real server."""
    import uvicorn

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    end = time.monotonic() + 20
    while not server.started and time.monotonic() < end:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)
    listening.close()


def _has_guardrail():
    return bool(list(ROOT.glob(".venv-clients/lib/*/site-packages/litellm/proxy/guardrails/guardrail_hooks/headroom")))


@pytest.mark.skipif(not _has_guardrail(), reason="litellm's guardrail is not here")
def test_litellms_guardrail_shortens_and_fetches(served, tmp_path):
    talk = [
        {"role": "system", "content": "You are careful."},
        {"role": "user", "content": "why does the build fail?"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "t1", "type": "function", "function": {"name": "Bash", "arguments": '{"command": "make"}'}}]},
        {"role": "tool", "tool_call_id": "t1", "content": LOG},
        {"role": "assistant", "content": "The disk is full."},
        {"role": "user", "content": "which worker?"},
    ]  # fmt: skip
    done = subprocess.run(
        [str(CLIENTS), "-c", GUARDRAIL, served], input=json.dumps(talk).encode(), capture_output=True, timeout=120,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "*"},
        check=False,
    )  # fmt: skip
    if b"ModuleNotFoundError" in done.stderr:
        pytest.skip("litellm's guardrail needs packages that are not here")
    assert done.returncode == 0, done.stderr.decode()[-2_000:]
    found = json.loads(done.stdout.splitlines()[-1])
    messages = found["made"]["structured_messages"]
    assert [message["role"] for message in messages] == [message["role"] for message in talk]
    assert [m for i, m in enumerate(messages) if i != 3] == [m for i, m in enumerate(talk) if i != 3]
    assert len(messages[3]["content"]) < len(LOG) / 4
    [name] = found["hashes"]
    assert f"<<headroom:{name} " in messages[3]["content"]
    assert [tool["function"]["name"] for tool in found["made"]["tools"]] == ["headroom_retrieve"]
    assert found["texts"] == [LOG]
    assert "not found" in found["missing"]
