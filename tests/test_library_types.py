"""The library is typed: mypy reads code as users write it, strictly, and finds no Any in what it is given."""

import subprocess
import sys

import pytest
from conftest import ROOT

STRICT = (
    "--strict",
    "--disallow-any-expr",
    "--disallow-any-explicit",
    "--disallow-any-unimported",
    "--warn-unreachable",
)


def checked(path, tmp_path, *flags):
    command = [
        sys.executable, "-m", "mypy", "--config-file=", "--no-error-summary", "--cache-dir",
        str(ROOT / ".mypy_cache" / "users"), *flags, str(path),
    ]  # fmt: skip
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize("name", ["user_code", pytest.param("user_clients", marks=pytest.mark.long)])
def test_code_of_users_is_checked_strictly(name, tmp_path):
    done = checked(ROOT / "tests" / f"{name}.py", tmp_path, *STRICT)
    assert done.returncode == 0, done.stdout + done.stderr


WRONG = {
    "messages": "from headroom_cli import compress\ncompress([{'role': 'user'}], model=3)\n",
    "policy": "from headroom_cli import Headroom\nHeadroom(policy=3)\n",
    "result": "from headroom_cli import compress\nx: int = compress(['a']).messages\n",
    "progress": "from headroom_cli import compress_many\ncompress_many([[1]], progress=lambda done: None)\n",
    "name": "from headroom_cli import nothing\n",
}


@pytest.mark.long
@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found(name, tmp_path):
    path = tmp_path / "wrong.py"
    path.write_text(WRONG[name])
    done = checked(path, tmp_path, "--strict")
    assert done.returncode == 1, done.stdout
    assert "wrong.py:" in done.stdout
