"""What all tests share: how to run the command, and what a skipped test means."""

import fnmatch
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from ready import Ready

ROOT = Path(__file__).parent.parent

# Set, also to nothing, by .ci/run: every skip that no pattern allows is a failure there. One pattern per line,
# matched against "test id: reason".
ALLOWED = os.environ.get("HEADROOM_TEST_ALLOW_SKIPS")

# There the examples are the same in every run, so that what differs is the code; elsewhere each run looks for new ones.
settings.register_profile("same", derandomize=True)
if ALLOWED is not None:
    settings.load_profile("same")


# What a person may have set for this program, and for those that call providers: keys, addresses, profiles, proxies.
NOT_OURS = (
    "HEADROOM_", "XDG_", "ANTHROPIC_", "OPENAI_", "OPENROUTER_", "AWS_", "BEDROCK_", "AICORE_", "LITELLM_", "OTARI_",
    "ANY_LLM_", "GATEWAY_", "HTTP_", "HTTPS_", "ALL_", "NO_", "CLAUDE_", "CODEX_",
)  # fmt: skip


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment in which no setting of the person who runs the tests counts."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(NOT_OURS)}
    return {
        **kept,
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm",
        **more,
    }


@pytest.fixture
def headroom(tmp_path):
    """Run the command as a process: headroom("crush", "-q", stdin=b"...") -> CompletedProcess with bytes."""

    def run(*arguments, stdin=b"", env=None, **options):
        return subprocess.run(
            [sys.executable, "-m", "headroom_cli", *arguments],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env=clean_environment(tmp_path, **(env or {})),
            timeout=60,
            **options,
        )

    return run


@pytest.fixture(scope="session")
def _ready(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ready")
    made = Ready(folder, clean_environment(folder))
    yield made
    made.close()


@pytest.fixture
def forked(request, headroom, tmp_path):
    """Run `headroom send` as ``headroom`` does, without a start-up for each run; that has tests of its own."""
    if not hasattr(os, "pidfd_open"):  # Linux has it
        return headroom
    ready = request.getfixturevalue("_ready")

    def run(*arguments, stdin=b"", env=None):
        return ready.run(*arguments, stdin=stdin, cwd=tmp_path, env=clean_environment(tmp_path, **(env or {})))

    return run


def _skips(reporter):
    """Yield (test id and reason, whether it is allowed) of every skipped test."""
    patterns = None if ALLOWED is None else [pattern.strip() for pattern in ALLOWED.splitlines() if pattern.strip()]
    for report in reporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        line = f"{report.nodeid}: {reason.removeprefix('Skipped: ')}"
        yield line, patterns is None or any(fnmatch.fnmatchcase(line, pattern) for pattern in patterns)


def pytest_terminal_summary(terminalreporter):
    """Print every skipped test with its reason, and mark those that are not allowed."""
    for line, allowed in _skips(terminalreporter):
        terminalreporter.write_line(f"skipped: {line}" + ("" if allowed else "  <- not allowed here"))


def pytest_sessionfinish(session, exitstatus):
    """Fail a run in which a test was skipped that must not be."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and exitstatus == 0 and not all(allowed for _, allowed in _skips(reporter)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
