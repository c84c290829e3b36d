"""``headroom proxy --dry-run``: what a start would do, and what would keep it from starting; nothing is served."""

import json
import socket

import pytest

pytest.importorskip("aiohttp")


def test_it_says_what_a_start_would_do_and_ends(headroom):
    done = headroom("proxy", "--dry-run", "--port", "0", "--level", "max")
    assert (done.returncode, done.stderr) == (0, b"")
    lines = [line.split(maxsplit=1) for line in done.stdout.decode().splitlines()]
    assert lines[0] == ["listening", "http://127.0.0.1:PORT"]
    assert ["provider", "anthropic at https://api.anthropic.com"] in lines
    assert ["policy", "level max, redeem tool"] in lines
    assert ["client", "OPENAI_BASE_URL=http://127.0.0.1:PORT/v1 COMMAND"] in lines
    assert not any(name == "shaping" for name, _ in lines)


def test_json_has_all_of_it_and_no_key(headroom, tmp_path):
    env = {"OPENROUTER_API_KEY": "sk-or-hunter2"}
    done = headroom("proxy", "--dry-run", "--json", "--port", "0", "--backend", "openrouter", env=env)
    told = json.loads(done.stdout)
    assert (told["backend"], told["keys"], told["providers"]) == ("openrouter", ["OPENROUTER_API_KEY"], {})
    assert told["store"] == str(tmp_path / ".local/share/headroom/store")
    assert told["policy"]["redeem"] == "tool"
    assert b"hunter2" not in done.stdout + done.stderr


def test_a_password_in_an_address_is_not_shown(headroom):
    done = headroom(
        "proxy", "--dry-run", "--port", "0", env={"OPENAI_TARGET_API_URL": "https://me:hunter2@example.com"}
    )
    assert b"hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize(("words", "env", "said"), [
    (("--backend", "openrouter"), {}, "no key for --backend openrouter; set OPENROUTER_API_KEY"),
    (("--plugin", "none"), {}, "none"),
    (("--host", "0.0.0.0"), {}, "lets others use your keys"),
    ((), {"ANTHROPIC_TARGET_API_URL": "ftp://x"}, "ANTHROPIC_TARGET_API_URL"),
    (("--unix", "missing/socket"), {}, "is missing; mkdir -m 700"),
])  # fmt: skip
def test_what_would_keep_it_from_serving_is_status_78(headroom, words, env, said):
    done = headroom("proxy", "--dry-run", "--port", "0", *words, env=env)
    assert (done.returncode, done.stdout) == (78, b"")
    assert said in done.stderr.decode()


def test_a_port_that_is_taken(headroom):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        done = headroom("proxy", "--dry-run", "--port", str(listener.getsockname()[1]))
    assert (done.returncode, done.stdout) == (78, b"")
    assert b"somebody listens there: choose another with --port" in done.stderr


def test_a_socket_is_gone_afterwards(headroom, tmp_path):
    tmp_path.chmod(0o700)
    path = str(tmp_path / "s")
    done = headroom("proxy", "--dry-run", "--unix", path)
    assert done.stdout.startswith(b"listening unix:" + path.encode())
    assert not (tmp_path / "s").exists()


def test_a_store_that_cannot_be_used_is_said_and_requests_would_pass(headroom, tmp_path):
    (tmp_path / "file").write_text("")
    done = headroom("proxy", "--dry-run", "--port", "0", "--store", "file")
    assert done.returncode == 0
    assert b"until then requests go as they come" in done.stdout


def test_a_store_that_the_system_refuses_is_said_as_well(headroom):
    done = headroom("proxy", "--dry-run", "--port", "0", "--store", "x" * 300)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"File name too long" in done.stdout
    assert b"until then requests go as they come" in done.stdout
