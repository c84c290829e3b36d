"""``headroom doctor``: one line per check, and it works where nothing else does."""

import http.server
import json
import os
import shutil
import socket
import sys
import threading

import pytest
from conftest import clean_environment
from test_cli import LOG

from headroom_cli.cli import checkup_around, main


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def doctor(monkeypatch, capfd, tmp_path):
    """Run it in this process: doctor(VARIABLE="...") -> (status, {check: [row, ...]}, all that was written)."""

    def run(*words, home=tmp_path, **env):
        for name in list(os.environ):
            monkeypatch.delenv(name)
        for name, value in {**clean_environment(home), "PATH": str(home / "bin"), **env}.items():
            monkeypatch.setenv(name, value)
        port = () if "--port" in words else ("--port", str(free_port()))
        status = main.main(["doctor", "--json", *port, *words])
        shown = capfd.readouterr()
        told = json.loads(shown.out)
        rows = {}
        for row in told["checks"]:
            rows.setdefault(row["check"], []).append(row)
            assert bool(row["advice"]) == (row["state"] == "do")
        assert told["well"] == (status == 0) == all(row["state"] != "do" for row in told["checks"])
        return status, rows, shown.out + shown.err

    return run


def to_do(rows):
    return {
        check: said
        for check, found in rows.items()
        if (said := " | ".join(row["said"] for row in found if row["state"] == "do"))
    }


class Answering(http.server.BaseHTTPRequestHandler):
    body = b"ok\n"

    def do_GET(self):
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        self.send_response(200)
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(self.body)

    do_HEAD = do_GET  # noqa: N815 - the server's name for it

    def log_message(self, *_):
        pass


class Another(Answering):
    body = b"<html>"


@pytest.fixture
def served(request):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), getattr(request, "param", Answering))
    server.seen = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_all_is_well_in_a_new_home(doctor, tmp_path):
    status, rows, _ = doctor()
    assert status == 0, to_do(rows)
    assert {"headroom", "settings", "store", "disk", "tokens", "self-test", "models", "port", "clients"} <= set(rows)
    assert rows["self-test"][0]["said"].endswith(" ms")
    assert "byte for byte" in rows["self-test"][0]["said"]
    assert not (tmp_path / ".local").exists()


def test_a_line_for_each_check_and_nothing_in_quiet(headroom):
    port = ("--port", str(free_port()))
    done = headroom("doctor", *port, env={"PATH": "/nowhere"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert all(line[:4] in {b"ok  ", b"-   "} for line in done.stdout.splitlines())
    assert headroom("doctor", "-q", *port, env={"PATH": "/nowhere"}).stdout == b""
    done = headroom("doctor", "-q", *port, env={"HEADROOM_LEVLE": "max"})
    assert (done.returncode, done.stdout.split(b"; ")[1]) == (1, b"is HEADROOM_LEVEL meant?\n")


def test_bad_usage(headroom):
    assert headroom("doctor", "--port", "0").returncode == 2
    assert headroom("doctor", "FILE").returncode == 2


def test_settings_that_cannot_be_used_are_named_and_all_else_is_checked(doctor, tmp_path):
    (tmp_path / ".config/headroom").mkdir(parents=True)
    (tmp_path / ".config/headroom/config.toml").write_text("level =")
    status, rows, _ = doctor(HEADROOM_BUDGET="few", HEADROOM_RANKS=str(tmp_path / "none"))
    assert status == 1
    assert set(to_do(rows)) == {"settings", "tokens"}
    assert len(rows["settings"]) == 2
    assert rows["self-test"][0]["state"] == "ok"


def test_a_sound_store_and_what_was_set_aside(doctor, headroom, tmp_path):
    headroom("crush", stdin=LOG)
    status, rows, _ = doctor()
    assert status == 0, to_do(rows)
    assert "1 originals, the 1 newest are sound" in rows["store"][0]["said"]


def broken_modes(store):
    (store / "objects").chmod(0o755)


def broken_object(store):
    next((store / "objects").iterdir()).write_bytes(b"damaged")


def broken_version(store):
    (store / "version").write_text("headroom store 99\n")


def broken_folder(store):
    for path in sorted(store.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    store.rmdir()
    store.write_bytes(b"")


def foreign(store):
    (store / "version").unlink()
    (store / "notes.txt").write_text("mine")


@pytest.mark.parametrize(("breaking", "said"), [
    (broken_modes, "others may use"), (broken_object, "1 of the 1 newest originals are damaged"),
    (broken_version, "is of version 99"), (broken_folder, "is not a directory"),
], ids=lambda value: getattr(value, "__name__", ""))  # fmt: skip
def test_a_store_that_is_not_well(doctor, headroom, tmp_path, breaking, said):
    headroom("crush", stdin=LOG)
    breaking(tmp_path / ".local/share/headroom/store")
    status, rows, _ = doctor()
    assert status == 1
    assert set(to_do(rows)) == {"store"}
    assert said in to_do(rows)["store"]


def test_a_place_that_no_store_can_be_made_in(doctor):
    _, rows, _ = doctor(HEADROOM_STORE="/proc/none/store")
    assert "cannot be made" in to_do(rows)["store"]
    _, rows, _ = doctor(HEADROOM_STORE="/dev/null/store")
    assert "store" in to_do(rows)


def test_a_store_elsewhere_that_is_away(doctor):
    pytest.importorskip("redis")
    _, rows, written = doctor(HEADROOM_STORE=f"redis://me:hunter2@127.0.0.1:{free_port()}/0")
    assert "cannot be reached" in to_do(rows)["store"]
    assert "hunter2" not in written


def test_no_home_at_all(doctor, monkeypatch):
    def nobody(_number):
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", nobody)
    status, rows, _ = doctor(HOME="")
    assert status == 1
    assert {"settings", "store"} <= set(to_do(rows))
    assert rows["self-test"][0]["state"] == "ok"


def test_keys_are_named_and_never_shown(doctor, tmp_path):
    secret = "sk-ant-api03-AbCdEf0123456789"
    (tmp_path / "keys").write_text(f"OPENAI_API_KEY={secret}\n")
    (tmp_path / "keys").chmod(0o600)
    status, rows, written = doctor(ANTHROPIC_API_KEY=secret, HEADROOM_KEY_FILE=str(tmp_path / "keys"))
    assert status == 0, to_do(rows)
    assert rows["key anthropic"][0]["said"] == "ANTHROPIC_API_KEY set"
    assert rows["key openai"][0]["state"] == "-"
    assert rows["key file"][0]["said"].endswith(": OPENAI_API_KEY")
    assert secret[:8] not in written
    (tmp_path / "keys").chmod(0o644)
    assert "others can read" in to_do(doctor(HEADROOM_KEY_FILE=str(tmp_path / "keys"))[1])["key file"]


def test_a_model_that_is_not_here(doctor):
    assert "models" in to_do(doctor(HEADROOM_KOMPRESS_MODEL="kompress-v2-base")[1])


def test_our_proxy_on_the_port(doctor, served):
    number = str(served.server_address[1])
    _, rows, _ = doctor("--port", number)
    assert rows["port"][0]["said"] == f"a proxy answers on {number}"
    assert [path for _, path, _ in served.seen] == ["/livez"]


@pytest.mark.parametrize("served", [Another], indirect=True)
def test_somebody_else_on_the_port(doctor, served):
    _, rows, _ = doctor("--port", str(served.server_address[1]))
    assert "another program" in to_do(rows)["port"]


def test_somebody_who_says_nothing_on_the_port(doctor, monkeypatch):
    monkeypatch.setattr("headroom_cli.cli.checkup_around.SECONDS", 0.2)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        _, rows, _ = doctor("--port", str(listener.getsockname()[1]))
    assert "another program" in to_do(rows)["port"]


def test_clients_and_what_the_environment_tells_them(doctor, served, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/claude").write_text("#!/bin/sh\n")
    (tmp_path / "bin/claude").chmod(0o755)
    dead = f"http://user:hunter2@127.0.0.1:{free_port()}"
    status, rows, written = doctor(ANTHROPIC_BASE_URL=dead)
    assert status == 1
    assert rows["clients"][0]["said"] == "found: claude"
    assert "nobody answers" in to_do(rows)["claude"]
    assert "turns tool search off" in to_do(rows)["claude"]
    assert "hunter2" not in written
    here = f"http://127.0.0.1:{served.server_address[1]}"
    status, rows, _ = doctor(ANTHROPIC_BASE_URL=here, ENABLE_TOOL_SEARCH="true", OPENAI_BASE_URL=here + "/v1")
    assert status == 0, to_do(rows)
    assert {row["said"] for row in (*rows["claude"], *rows["codex"])} == {
        f"ANTHROPIC_BASE_URL names {here}", f"OPENAI_BASE_URL names {here}/v1",
    }  # fmt: skip
    assert "no address" in to_do(doctor(OPENAI_BASE_URL="http://[")[1])["codex"]


TARGETS = ("ANTHROPIC_TARGET_API_URL", "OPENAI_TARGET_API_URL", "CHATGPT_TARGET_API_URL", "BEDROCK_TARGET_API_URL")


def test_online_asks_every_provider_and_sends_no_key(doctor, served):
    here = f"http://127.0.0.1:{served.server_address[1]}"
    targets = dict.fromkeys(TARGETS, here)
    assert doctor(**targets)[0] == 0
    assert served.seen == []
    status, rows, _ = doctor("--online", ANTHROPIC_API_KEY="sk-ant-hunter2", OPENAI_API_KEY="sk-hunter2", **targets)
    assert status == 0, to_do(rows)
    assert len([check for check in rows if check.startswith("online ")]) == len(served.seen) == 4
    assert {command for command, _, _ in served.seen} == {"HEAD"}
    assert "hunter2" not in str(served.seen)


def test_online_names_who_does_not_answer(doctor):
    _, rows, _ = doctor("--online", **dict.fromkeys(TARGETS, f"http://127.0.0.1:{free_port()}"))
    assert set(to_do(rows)) == {f"online {name}" for name in ("anthropic", "openai", "chatgpt", "bedrock")}


def test_a_check_that_dies_is_a_finding_and_the_others_go_on(doctor, monkeypatch):
    from headroom_cli.cli import checkup

    def dies(_settings):
        raise RuntimeError("no such thing")

    monkeypatch.setattr(checkup, "counting", dies)
    status, rows, _ = doctor()
    assert status == 1
    assert to_do(rows) == {"tokens": "cannot be checked (RuntimeError: no such thing)"}
    assert "clients" in rows


@pytest.mark.parametrize(
    ("prefix", "pip", "begins"),
    [
        ("/h/.local/share/pipx/venvs/headroom-cli", "/usr/bin/pip", "pipx inject headroom-cli 'headroom-cli[ml]'"),
        ("/h/.local/share/uv/tools/headroom-cli", "/usr/bin/pip", "uv pip install --python '/h o/python' "),
        ("/h o", "/h o/pip", "pip install 'headroom-cli[ml]'"),
        ("/h o", "/usr/bin/pip", "'/h o/python' -m pip install 'headroom-cli[ml]'"),
        ("/h o", None, "'/h o/python' -m pip install "),
    ],
)
def test_an_extra_is_added_to_this_installation_and_to_no_other(monkeypatch, prefix, pip, begins):
    monkeypatch.setattr(sys, "prefix", prefix)
    monkeypatch.setattr(sys, "executable", "/h o/python")
    monkeypatch.setattr(shutil, "which", lambda _name: pip)
    assert checkup_around._adding("'headroom-cli[ml]'").startswith(begins)
