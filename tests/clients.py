"""Clients that cannot live beside the official SDKs' newest versions: they have an environment of their own.

``make clients`` fills ``.venv-clients/`` beside ``.venv`` with older official SDKs (``anthropic<1``, ``openai<3``),
LiteLLM, any-llm and boto3; HEADROOM_TEST_CLIENTS names another place.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, clean_environment

# Both libraries look for news of prices, versions and telemetry when they are imported; tests stay on this machine.
OFFLINE = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",
    "OTEL_SDK_DISABLED": "true",
    "NO_PROXY": "*",
}


def clients_python():
    """Return the python of the clients' environment, or skip the test."""
    place = os.environ.get("HEADROOM_TEST_CLIENTS") or ROOT / ".venv-clients"
    python = Path(place) / "bin" / "python"
    if not python.exists():
        pytest.skip("no .venv-clients: make clients installs it")
    return str(python)


def run_client(script, *arguments, home="/nonexistent", seconds=120, **environment):
    """Run a script there; return what it printed as JSON on its last line, or fail with what it said instead.

    ``arguments`` are its ``sys.argv[1:]``; ``environment`` are further variables.
    """
    done = subprocess.run(
        [clients_python(), "-c", script, *map(str, arguments)],
        capture_output=True,
        env=clean_environment(Path(home), **OFFLINE, **environment),
        timeout=seconds,
        text=True,
        check=False,
    )
    if done.returncode or not done.stdout.strip():
        raise AssertionError(f"the client ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])
