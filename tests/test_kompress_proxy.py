"""A proxy whose workers have a model: prose gets smaller by words, and what is wrong is said before it listens."""

import subprocess
import sys

import httpx
import pytest
from conftest import clean_environment
from kompress_models import tokenizer_json, write_model
from provider import Provider, Reply, call
from proxies import Running
from test_kompress import PROSE, VOCABULARY, low_for_small_words
from test_kompress_faults import answering

HEADERS = {"x-api-key": "sk-ant-a", "anthropic-version": "2023-06-01"}
READ = {"name": "Read", "description": "read", "input_schema": {"type": "object"}}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("small"), VOCABULARY, score=low_for_small_words)


def sent(proxy, provider, output, user="what does it do?"):
    """Ask in two requests, as an agent does, and return what the second one's tool result went out as."""
    turns = [{"role": "user", "content": user}]
    more = [
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "t1", "name": "Read", "input": {"path": "notes.md"}}],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": output}]},
    ]  # fmt: skip
    provider.script(Reply([call("t1", "Read", {"path": "notes.md"})]))
    for messages in (turns, turns + more):
        body = {"model": "claude-opus-4-8", "max_tokens": 100, "messages": messages, "tools": [READ]}
        answer = httpx.post(f"{proxy.url}/v1/messages", json=body, headers=HEADERS, timeout=30)
        assert answer.status_code == 200, answer.text
    return provider.requests[-1].json["messages"][2]["content"][0]["content"]


def test_prose_in_a_tool_result_loses_words_on_its_way(small, tmp_path):
    with (
        Provider() as provider,
        Running(tmp_path / "store", provider.url, "--kompress", small, "--level", "balanced") as proxy,
    ):
        shown = sent(proxy, provider, PROSE)
        assert " words>>" in shown
        assert "[..." in shown
        again = sent(proxy, provider, PROSE, user="say what it does")
        assert again.partition("<<")[0] == shown.partition("<<")[0]
        assert provider.requests[-1].json["messages"][0]["content"] == "say what it does"
        assert not [line for line in proxy.said if "warning" in line.lower()]


def test_a_model_that_cannot_be_loaded_leaves_the_cover(tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/model.onnx").write_bytes(b"no model")
    (tmp_path / "bad/tokenizer.json").write_text(tokenizer_json(["a"]))
    with (
        Provider() as provider,
        Running(tmp_path / "store", provider.url, "--kompress", tmp_path / "bad", "--level", "balanced") as proxy,
    ):
        assert " sentences>>" in sent(proxy, provider, PROSE)
        assert " sentences>>" in sent(proxy, provider, PROSE.replace("worker", "runner"))
        proxy.wait_said("cannot be loaded")
        proxy.wait_said("(2 times)")


@pytest.mark.long
def test_a_model_that_never_ends_leaves_time_for_the_cover(tmp_path):
    folder = write_model(tmp_path / "m", VOCABULARY)
    (tmp_path / "m/model.onnx").write_bytes(answering("never"))
    flags = ("--kompress", folder, "--level", "balanced", "--time-limit", "7")  # seconds, less than a model has
    with Provider() as provider, Running(tmp_path / "store", provider.url, *flags) as proxy:
        assert " sentences>>" in sent(proxy, provider, PROSE)


@pytest.mark.parametrize("name", ["kompress-v2-base", "./absent", "no such model"])
def test_a_model_that_is_not_here_ends_it_at_its_start(tmp_path, name):
    done = subprocess.run(
        [sys.executable, "-m", "headroom_cli", "proxy", "--port", "0", "--kompress", name],
        capture_output=True, text=True, env=clean_environment(tmp_path), cwd=tmp_path, timeout=60,
    )  # fmt: skip
    assert done.returncode == 78
    assert done.stderr.count("\n") == 1
    assert name in done.stderr


def test_without_the_libraries_it_ends_at_its_start(small, tmp_path):
    program = (
        "import sys, importlib.util as util\nreal = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'onnxruntime' else real(name, *more)\n"
        "from headroom_cli.cli.main import main\nsys.exit(main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "proxy", "--port", "0", "--kompress", small],
        capture_output=True, text=True, env=clean_environment(tmp_path), cwd=tmp_path, timeout=60,
    )  # fmt: skip
    assert done.returncode == 78
    assert "pip install 'headroom-cli[ml]'" in done.stderr


def test_at_safe_it_says_that_nothing_comes_of_it(small, tmp_path):
    with (
        Provider() as provider,
        Running(tmp_path / "store", provider.url, "--kompress", small) as proxy,
    ):
        assert " words>>" not in str(sent(proxy, provider, PROSE))
        proxy.wait_said("add --level balanced")


def test_memory_leaves_room_for_a_model(small, tmp_path):
    from headroom_cli.cli import proxy
    from headroom_cli.settings import resolve

    serving = proxy._serving(resolve({"kompress": small, "level": "balanced", "store": str(tmp_path / "s")}, {}), {})
    assert serving.limits.model_memory > 1 << 30
    assert serving.limits.job_seconds == 15
    plain = proxy._serving(resolve({"store": str(tmp_path / "s")}, {}), {})
    assert (plain.limits.model_memory, plain.limits.job_seconds) == (0, 5)
