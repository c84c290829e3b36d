"""`headroom send` through LiteLLM and any-llm, libraries and gateways: originals are fetched within the turn."""

import json
import subprocess

import pytest
from clients import OFFLINE, clients_python
from conftest import ROOT, clean_environment
from provider import Provider, Reply, call, text
from talks import LOG, OURS, Talk, environment, handle_of

LIBRARIES = [("litellm-openai", "/v1"), ("litellm-anthropic", ""), ("anyllm-openai", "/v1"), ("anyllm-anthropic", "")]


@pytest.fixture
def provider():
    with Provider() as made:
        yield made


@pytest.mark.parametrize(("backend", "path"), LIBRARIES)
def test_an_original_is_fetched_through_a_library(provider, tmp_path, backend, path):
    python = clients_python()

    def ask(talk):
        done = subprocess.run(
            [python, "-W", "ignore", "-m", "headroom_cli", "send", "--backend", backend, "--message",
             "--base-url", provider.url + path, "--from", talk.name],
            input=json.dumps(talk.request).encode(), capture_output=True, cwd=tmp_path, timeout=120,
            env=clean_environment(tmp_path, **{**OFFLINE, **environment(provider)}, PYTHONPATH=str(ROOT)),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    talk = Talk("openai", streaming=True).says("why?")
    provider.script(Reply([text("I look. "), call("toolu_1", "Bash", {"command": "make"})]))
    message = ask(talk)
    assert talk.calls(message) == [("toolu_1", "Bash")]
    talk.heard(message).result("toolu_1", LOG)
    provider.script(
        Reply([text("Hm. "), call("r1", OURS, {"handle": handle_of(LOG), "grep": "worker 77 "})]),
        Reply([text("Batch 2849.")]),
    )
    before = provider.accepted
    message = ask(talk)
    assert talk.texts(message) == "Hm. Batch 2849."
    assert talk.calls(message) == []
    assert provider.accepted == before + 2
    assert "worker 77 took batch 2849" in provider.requests[-1].body.decode()
    assert "<<headroom:" in provider.requests[-1].body.decode()


@pytest.mark.parametrize("backend", ["litellm", "anyllm"])
@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_a_gateway_is_an_address(headroom, provider, backend, name):
    talk = Talk(name).says("why?")
    done = headroom(
        "send", "--backend", backend, "--base-url", provider.url, "--from", name,
        stdin=json.dumps(talk.request).encode(),
        env={**environment(provider), "LITELLM_API_KEY": "sk-gate", "OTARI_API_KEY": "sk-gate"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert provider.requests[-1].header("authorization") == "Bearer sk-gate"
    assert talk.declared(provider.requests[-1].json) == ["Bash", OURS]
