"""Anything on standard input: no traceback, a documented status, every byte back, and a terminal that nobody drives."""

import json
import re
import subprocess
import sys

import inputs
import pytest
from conftest import ROOT, clean_environment

# C0 but newline, DEL, C1, bidi and zero-width controls, line separators.
DANGEROUS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def runs(tmp_path, named):
    """Run all filters over (name, bytes) and return the facts of each run with the input's name."""
    folder = tmp_path / "inputs"
    folder.mkdir()
    for number, (_, data) in enumerate(named):
        (folder / f"{number:05}.in").write_bytes(data)
    done = subprocess.run(
        [sys.executable, ROOT / "tests/many_runs.py", folder],
        capture_output=True, cwd=tmp_path, env=clean_environment(tmp_path), timeout=550,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    facts = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(facts) == 7 * len(named)
    for fact in facts:
        fact["input"] = named[int(fact["input"][:5])][0]
    return facts


def check(facts):
    """Assert what holds for every run."""
    wrong = []
    for fact in facts:
        lines = fact["err"].splitlines()
        broken = (
            fact["status"] != 0
            or fact.get("larger")
            or not fact.get("same", True)
            or any(not re.match(r"headroom(?: \w+)?: ", line) for line in lines)
            or "internal error" in fact["err"]
            or "Traceback" in fact["err"]
            or DANGEROUS.search(fact["err"])
            or DANGEROUS.search(fact.get("shown", ""))
        )
        if broken:
            wrong.append({**fact, "err": fact["err"][:300], "shown": fact.get("shown", "")[:200]})
    assert not wrong, f"{len(wrong)} of {len(facts)}: {json.dumps(wrong[:5], indent=1)}"


def in_a_conversation(text):
    """Return a request whose tool result is a text."""
    call = {"type": "tool_use", "id": "t", "name": text[:40] or "x", "input": {"command": text[:80]}}
    return json.dumps({"model": "m", "messages": [
        {"role": "user", "content": text[:50]},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": text}]},
    ]}).encode()  # fmt: skip


def test_odd_texts(tmp_path):
    check(runs(tmp_path, [(text[:20], text.encode("utf-8", "surrogatepass")) for text in inputs.ODD]))


def test_odd_texts_in_a_conversation(tmp_path):
    check(runs(tmp_path, [(text[:20], in_a_conversation(text * 40)) for text in inputs.ODD]))


def test_floods(tmp_path):
    check(runs(tmp_path, [(name, flood(1 << 16).encode()) for name, flood in inputs.FLOODS.items()]))


# Seeds 0 to 2 spoil in all three ways.
@pytest.mark.parametrize("seeds", [range(3), pytest.param(range(3, 9), marks=pytest.mark.long)], ids=str)
def test_spoiled_examples(tmp_path, seeds):
    check(runs(tmp_path, [
        (f"{name} {seed}", inputs.spoiled(data[:40_000], seed)) for name, data in inputs.examples() for seed in seeds
    ]))  # fmt: skip


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.long) for part in range(1, 16))])
def test_json_suites_and_naughty_strings(tmp_path, part):
    files = inputs.hostile_files()
    if not files:
        pytest.skip(inputs.WHY_NO_CORPUS)
    check(runs(tmp_path, files[part::16]))
