"""Golden pipes: what a user types, and exactly what comes out.

tests/cases/<verb>/<slug>/  cmd     a line of shell, run in the project's root; `headroom` is this checkout
                            in      standard input (nothing when missing)
                            out     standard output, byte for byte (empty when missing)
                            err     standard error, with times written as N ms (empty when missing)
                            status  exit status (0 when missing)

``make cases`` writes out, err and status anew; review the diff before it is committed.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from conftest import ROOT, clean_environment

CASES = Path(__file__).parent / "cases"
FOLDERS = sorted(path.parent for path in CASES.glob("*/*/cmd"))


def observe(folder, scratch):
    """Run a case with an empty store and return {"out": ..., "err": ..., "status": ...} in bytes."""
    programs = scratch / "bin"
    programs.mkdir()
    (programs / "headroom").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m headroom_cli "$@"\n')
    (programs / "headroom").chmod(0o755)
    given = folder / "in"
    environment = clean_environment(scratch, HEADROOM_STORE=str(scratch / "store"), TMPDIR=str(scratch))
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        ["sh", "-c", (folder / "cmd").read_text()],
        input=given.read_bytes() if given.exists() else b"", capture_output=True, cwd=ROOT, env=environment, timeout=60,
    )  # fmt: skip
    told = done.stderr.replace(os.fsencode(scratch), b"SCRATCH")
    told = re.sub(rb"\b\d+(?:\.\d+)? ms\b", b"N ms", told)
    told = re.sub(rb'"ms": [\d.]+', b'"ms": N', told)
    return {"out": done.stdout, "err": told, "status": b"%d\n" % done.returncode if done.returncode else b""}


@pytest.mark.parametrize("folder", FOLDERS, ids=[str(folder.relative_to(CASES)) for folder in FOLDERS])
def test_case(folder, tmp_path):
    expected = {
        name: (folder / name).read_bytes() if (folder / name).exists() else b"" for name in ("out", "err", "status")
    }
    assert observe(folder, tmp_path) == expected


def test_there_are_cases_for_every_verb():
    from headroom_cli.cli.options import VERBS

    assert {folder.parent.name for folder in FOLDERS} == set(VERBS)


def main():
    """Write what every case gives now; an empty file is not written."""
    for folder in FOLDERS:
        with tempfile.TemporaryDirectory() as scratch:
            for name, data in observe(folder, Path(scratch)).items():
                if data:
                    (folder / name).write_bytes(data)
                else:
                    (folder / name).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
