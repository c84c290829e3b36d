"""What README and docs show of a run is what the program writes: ```console blocks are run and compared.

A line that begins with "$ " is a command; what follows it is all that it writes, standard error too.
"""

import re
import subprocess

import pytest
from conftest import ROOT, clean_environment

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"^```console\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE))
]


def steps(block):
    """Return (command, what it is said to write) of a block."""
    found = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)
    assert found[0] == "", "a block begins with a command"
    return list(zip(found[1::2], found[2::2], strict=True))


@pytest.mark.parametrize("block", BLOCKS)
def test_what_is_shown_is_what_is_written(block, tmp_path, program):
    environment = clean_environment(tmp_path, PATH=f"{program}:/usr/bin:/bin", LC_ALL="C.UTF-8")
    for command, shown in steps(block):
        done = subprocess.run(
            ["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, env=environment,
            timeout=60,
        )  # fmt: skip
        assert done.stdout.decode() == shown, command


@pytest.fixture
def program(tmp_path):
    """Return a folder with a `headroom` that is this checkout."""
    import sys

    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "headroom").write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m headroom_cli "$@"\n')
    (folder / "headroom").chmod(0o755)
    return folder
