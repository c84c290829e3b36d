"""A filter imports what it needs and nothing else: start-up is most of what a small input costs."""

import json
import subprocess
import sys

import pytest
from conftest import ROOT, clean_environment

# Each costs more than the run of a small input may: see benchmarks/startup.py.
FORBIDDEN = {
    "typer", "click", "rich", "argparse", "typing", "dataclasses", "pathlib", "logging", "asyncio", "numpy", "inspect",
    "tempfile", "subprocess", "threading", "uuid", "tomllib", "traceback", "importlib.metadata", "shutil", "random",
    "zstandard", "ast", "locale", "datetime", "decimal", "urllib", "socket", "ssl", "ctypes", "pickle",
}  # fmt: skip
# What Python itself has loaded before the first line of ours runs is not ours to forbid.
PROGRAM = """
import sys
before = set(sys.modules)
from headroom_cli.cli.main import main
status = main(sys.argv[1:])
sys.stdout.flush()
print(" ".join(sorted(set(sys.modules) - before)), file=sys.stderr)
sys.exit(status)
"""
CALL = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "make"}}
ANSWER = "\n".join(f"2026-01-01T00:00:{i:02d}Z INFO worker {i} ready" for i in range(60))
TURNS = [
    {"role": "user", "content": "why does the build fail?"},
    {"role": "assistant", "content": [CALL]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": ANSWER}]},
]
RECORDS = json.dumps([{"id": i, "name": f"worker {i}", "state": "ready", "zone": "eu-1a"} for i in range(200)]).encode()
CONVERSATION = json.dumps({"model": "claude-sonnet-4-5", "messages": TURNS}).encode()


def imported(tmp_path, *arguments, stdin=CONVERSATION):
    done = subprocess.run(
        [sys.executable, "-S", "-c", PROGRAM.replace("import sys\n", f"import sys\nsys.path[:0] = {sys.path!r}\n", 1),
         *arguments],
        input=stdin, capture_output=True, cwd=tmp_path, env=clean_environment(tmp_path), timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(done.stderr.decode().split("\n")[-2].split())


@pytest.mark.parametrize("data", [CONVERSATION, RECORDS, ANSWER.encode()], ids=["conversation", "records", "log"])
@pytest.mark.parametrize(
    "arguments",
    [("crush", "-q"), ("crush", "--level", "max", "-q"), ("route", "-q"), ("route", "--explain", "-q"),
     ("retrieve", "--expand")],
    ids=" ".join,
)  # fmt: skip
def test_a_filter_does_not_import_what_it_has_no_use_for(tmp_path, arguments, data):
    loaded = imported(tmp_path, *arguments, stdin=data) - {"zstandard.backend_c"}
    assert {name for name in loaded if name in FORBIDDEN or name.split(".")[0] in FORBIDDEN} == set()


def test_the_modules_of_a_crush_are_these(tmp_path):
    # A new name here is a decision: measure it with benchmarks/startup.py, then add it.
    ours = {name for name in imported(tmp_path, "crush", "-q") if name.startswith("headroom_cli")}
    allowed = {
        "headroom_cli" + name for name in (
            "", ".cli", ".cli._flags", ".cli.crush", ".cli.filters", ".cli.io", ".cli.main", ".cli.options",
            ".cli.report", ".compressors", ".context", ".dedup", ".dedup.alike", ".dedup.lines", ".dedup.spans",
            ".dedup.views", ".dedup.words", ".drafting", ".emit", ".engine", ".errors", ".formats", ".harness",
            ".hashing", ".lazy", ".ledger", ".literals", ".mixed", ".model", ".models", ".models.routing_weights",
            ".models.token_weights", ".nesting", ".pricing", ".rank", ".redact", ".renderings", ".replay", ".routing",
            ".routing.columns", ".routing.commands", ".routing.findings", ".routing.json_head", ".routing.messages",
            ".routing.parts", ".routing.patterns", ".routing.shape", ".routing.shell", ".routing.signatures",
            ".routing.wrappers", ".routing.writing", ".settings", ".stages", ".store", ".store.clock", ".store.files",
            ".store.frames", ".store.grants", ".store.journal", ".store.place", ".store.put", ".tokens",
        )
    }  # fmt: skip
    # One module each of the tables, and what a conversation needs besides: values in its head.
    tables = ("headroom_cli.compressors.", "headroom_cli.formats.", "headroom_cli.align")
    assert {name for name in ours if not name.startswith(tables)} <= allowed


def test_importing_the_library_costs_nothing(tmp_path):
    program = "import sys; before = set(sys.modules); import headroom_cli; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=ROOT, check=True)
    assert done.stdout.split() == [b"__future__", b"headroom_cli"]


def test_help_and_reports_may_use_typer_but_never_rich_into_a_pipe(tmp_path):
    assert "rich" not in imported(tmp_path, "store", "where", "-q", stdin=b"")
