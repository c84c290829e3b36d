"""The recipes of docs/ci.md: each is a file of its system, and each command in it runs and does what the page says."""

import re
import subprocess
from pathlib import Path

import docs_programs
import pytest
import yaml
from conftest import ROOT
from provider import Provider, Reply, text
from talks import environment
from test_docs_console import place

__all__ = ["place"]

PAGE = (ROOT / "docs/ci.md").read_text()
FILES = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)]
# YAML 1.1 reads the key `on` as true; the services do not.
ACTIONS = [file for file in FILES if True in file]
GITLAB = next(file for file in FILES if "tests" in file)
HOOKS = next(file for file in FILES if "repos" in file)


def shell(script, place, *words, **more):
    """Run a script as the services do: bash, ended by the first error."""
    here, known = place
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-c", script, *words], stdin=subprocess.DEVNULL, capture_output=True,
        cwd=here, env={**known, "GITHUB_STEP_SUMMARY": str(here / "summary.md"), **more}, timeout=100, text=True,
    )  # fmt: skip


def step(name):
    """Return the step of that name."""
    return next(
        step for file in ACTIONS for job in file["jobs"].values() for step in job["steps"] if step.get("name") == name
    )


def test_the_workflows_have_what_github_wants():
    assert len(ACTIONS) == 3
    for file in ACTIONS:
        assert set(file) == {"name", True, "permissions", "jobs"}
        assert file["permissions"] == {"contents": "read"}
        for job in file["jobs"].values():
            assert set(job) == {"runs-on", "steps"}
            for found in job["steps"]:
                assert ("run" in found) != ("uses" in found)
                assert set(found) <= {"name", "run", "uses", "with", "if", "shell", "env"}
                assert "uses" not in found or re.fullmatch(r"actions/[a-z-]+@v\d+", found["uses"])
                assert "|" not in found.get("run", "") or found["shell"] == "bash"


def test_the_installations_name_what_there_is(place):
    found = [
        step["run"]
        for file in ACTIONS
        for job in file["jobs"].values()
        for step in job["steps"]
        if "install" in step.get("run", "")
    ]
    found += GITLAB["tests"]["before_script"]
    assert len(found) == 4
    for line in found:
        assert shell(line, place).returncode == 0, line


def test_a_failing_run_is_short_in_the_summary_and_whole_in_the_artifact(place):
    here, known = place
    path = known["PATH"].split(":")[0]
    Path(path, "pytest").write_text(f'#!/bin/sh\ncat "{ROOT}/examples/pytest.txt"\nexit 1\n')
    assert shell(step("Run the tests")["run"], place).returncode == 1
    assert (here / "pytest.log").read_bytes() == (ROOT / "examples/pytest.txt").read_bytes()
    said = step("Say what failed")
    assert said["if"] == "failure()"
    assert shell(said["run"], place).returncode == 0
    summary = (here / "summary.md").read_text()
    assert summary.startswith("```\n")
    assert summary.endswith("```\n")
    assert "FAILED tests/test_payments.py::test_payments_case_071" in summary
    assert len(summary) < len((here / "pytest.log").read_text()) / 4
    # GitLab's ends likewise.
    script = "\n".join(GITLAB["tests"]["script"])
    done = shell(script, place)
    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert GITLAB["tests"]["artifacts"]["paths"] == ["pytest.log"]


def test_a_model_is_asked_where_there_is_a_key(place):
    here, _ = place
    (here / "build.log").write_bytes((ROOT / "examples/app.log").read_bytes())
    ask = step("Ask why it fails")
    assert ask["env"] == {"ANTHROPIC_API_KEY": "${{ secrets.ANTHROPIC_API_KEY }}"}
    with Provider(Reply([text("The card was declined.")])) as provider:
        done = shell(ask["run"], place, **environment(provider))
        assert done.returncode == 0, done.stderr
        assert "The card was declined." in (here / "summary.md").read_text()
        assert len(provider.asked) == 1
        assert shell(ask["run"], place, **{**environment(provider), "ANTHROPIC_API_KEY": ""}).returncode == 0
        assert len(provider.asked) == 1


def test_a_wrapped_agent_runs(place):
    with Provider() as provider:
        done = shell(step("Fix the tests")["run"], place, **environment(provider))
    assert done.returncode == 0, done.stderr
    assert "0 requests" in done.stderr  # the agent here asks nobody


@pytest.mark.parametrize(("words", "status"), [(5, 0), (5000, 1)])
def test_files_for_agents_have_a_limit(place, words, status):
    here, _ = place
    (here / "AGENTS.md").write_text("Run the tests first. " * words)
    hook = HOOKS["repos"][0]["hooks"][0]
    assert re.search(hook["files"], "AGENTS.md")
    assert not re.search(hook["files"], "docs/AGENTS.md.txt")
    # pre-commit splits the entry as a shell would, and puts the files behind it.
    line = f"{hook['entry']} AGENTS.md"
    done = shell(line, place)
    assert done.returncode == status
    assert ("AGENTS.md is too long" in done.stdout) == bool(status)
    assert shell(GITLAB["agent-files"]["script"][1], place).returncode == status


def test_the_ports_of_examples_are_those_of_the_program():
    from headroom_cli.cli import proxy

    assert docs_programs.PORTS[0] == str(proxy.PORT)
