"""Every example of docs/library.md is run, from top to bottom; what it says that one prints is what it prints."""

import re
import subprocess
import sys

import pytest
from conftest import ROOT, clean_environment
from provider import Provider, Reply, text

PAGE = (ROOT / "docs" / "library.md").read_text()
# Each example, and what stands below it as its output.
EXAMPLES = re.findall(r"```python\n(.*?)```(?:\n+```text\n(.*?)```)?", PAGE, re.DOTALL)
ELSEWHERE = "import litellm"  # run by test_library_web.py, where that package is


def test_the_examples_run(tmp_path):
    pytest.importorskip("starlette")
    assert len(EXAMPLES) >= 9
    program, printed = [], {}
    for number, (code, output) in enumerate(EXAMPLES):
        if ELSEWHERE not in code:
            program.append(f"print('--- {number}', flush=True)\n{code}")
        if output:
            printed[number] = output
    with Provider(Reply([text("hello")])) as provider:
        environment = clean_environment(
            tmp_path, HEADROOM_STORE=str(tmp_path / "store"), ANTHROPIC_BASE_URL=provider.url, ANTHROPIC_API_KEY="k",
            OPENAI_BASE_URL=f"{provider.url}/v1", OPENAI_API_KEY="k", NO_PROXY="*",
        )  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", "\n".join(program)], cwd=ROOT, env=environment, capture_output=True, text=True,
            timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert [record.path for record in provider.requests] == ["/v1/messages", "/v1/chat/completions"]
    seen = dict(re.findall(r"^--- (\d+)\n(.*?)(?=^---|\Z)", done.stdout, re.DOTALL | re.MULTILINE))
    assert printed
    for number, output in printed.items():
        assert seen[str(number)] == output
    before, after = map(int, seen["0"].split(" -> "))
    assert after < before


def test_every_public_name_is_described():
    import headroom_cli

    missing = [name for name in headroom_cli.__all__ if f"`{name}`" not in PAGE and name != "__version__"]
    assert missing == []
