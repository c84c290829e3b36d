"""Settings: what folds repeated blocks of YAML, TOML and INI gives the very lines back."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headroom_cli import engine
from headroom_cli.compressors.tables import COMPRESSOR, config
from headroom_cli.model import FAITHFUL, LOSSY, Draft, Policy, Want
from headroom_cli.store import Store
from headroom_cli.tokens import count

WORDS = r"(?:[^\s:=\"'#;\[\]{}]+|\"[^\"]*\"|'[^']*')"
KEY = re.compile(rf"[ \t]*(?:(?:- )*{WORDS}(?:: +| *= ?|:$)|(?:- )+|{WORDS} +)")


def crush(text: str, **want: object) -> Draft | None:
    return COMPRESSOR.compress(text, Want(count, **want))  # type: ignore[arg-type]


def read_back(text: str) -> str:
    """Return the settings that a rendering stands for, read as a person would read it."""
    out: list[str] = []
    # The last line's end is not a row.
    end = "\n" if text.endswith("\n") else ""
    lines = iter(text.removesuffix("\n").split("\n"))
    for line in lines:
        opening = re.fullmatch(r"\[rows fill each (.) of these lines:\]", line)
        if opening is None:
            out.append(line)
            continue
        block = []
        heading = next(lines)
        while not heading.startswith("[rows below"):
            if not heading.startswith("[rows hold: "):
                block.append(heading)
            heading = next(lines)
        body = []
        for row in lines:
            if row == "[rows end]":
                break
            body.append(row)
        out += unfolded(block, opening[1], heading, body)
    return "\n".join(out) + end


def unfolded(block: list[str], hole: str, heading: str, body: list[str]) -> list[str]:
    absent = re.search(r", (\S+) where the line is missing", heading)
    blank = ", a blank line between blocks" in heading
    mark = next((m[1] for m in [re.search(r", each row behind (\S)", heading)] if m), "")
    usual = next((m[1] for m in [re.search(r", others (after .*?)(?:, \S+ where|, a blank|\]$)", heading)] if m), "")
    joint = next((m[1] for m in [re.search(r", values apart by ([|;]+)", heading)] if m), "")
    rows: list[tuple[str, list[str]]] = []
    for line in body:
        if not mark or line.startswith(f"{mark} "):
            rows.append((line.removeprefix(f"{mark} ") if mark else line, [f"[rows {usual}]"] if usual else []))
        else:
            rows[-1][1].append(line)
    out: list[str] = []
    for at, told in enumerate(rows):
        out += filled(block, hole, absent[1] if absent else "\0", joint, told)
        if blank and at < len(rows) - 1:
            out.append("")
    return out


def label(line: str) -> tuple[str, int]:
    found = KEY.match(line)
    if found is None:
        return "", 0
    return line[: found.end()].lstrip(" \t-").rstrip(" :="), found.end()


def filled(block: list[str], hole: str, absent: str, joint: str, told: tuple[str, list[str]]) -> list[str]:
    row, more = told
    usual = {label(line)[0]: at for at, line in enumerate(block) if hole not in line}
    odd = {}
    starts = [at for name in usual if name and (at := row.find(f" [{name}=")) >= 0]
    if starts and row.endswith("]"):
        odd = dict(pair.split("=", 1) for pair in row[min(starts) + 2 : -1].split("; "))
        row = row[: min(starts)]
    holes = sum(hole in line for line in block)
    sign = f" {joint} " if joint else " "
    cells = iter(row.split(sign) if holes > 1 else [row])
    shown: list[list[str]] = []
    for line in block:
        if hole in line:
            cell = next(cells)
            shown.append([] if cell == absent else [line.replace(hole, cell)])
            continue
        name, end = label(line)
        value = odd.pop(name) if name in odd else line[end:]
        shown.append([] if value == absent else [line[:end] + value])
    assert not odd
    assert next(cells, None) is None
    place = len(block) - 1
    names = [label(line.replace(hole, ""))[0] if line.replace(hole, "").strip() else "" for line in block]
    for line in more:
        if line.startswith("[rows after "):
            name = line[len("[rows after ") : -1]
            numbered = re.fullmatch(r"line (\d+)", name)
            place = int(numbered[1]) - 1 if numbered else names.index(name)
        elif line == "[rows at the end]":
            place = len(block) - 1
        else:
            shown[place].append(line)
    return [line for group in shown for line in group]


LOCK = "version = 4\n\n" + "\n".join(
    f'[[package]]\nname = "crate-{i}"\nversion = "0.{i}.1"\nsource = "registry+https://github.com/rust-lang/index"\n'
    f'checksum = "{i * 7919:064x}"\n' + (f'dependencies = [\n "crate-{i - 1}",\n]\n' if i % 3 == 0 else "")
    for i in range(12)
)
PODS = "apiVersion: v1\nitems:\n" + "".join(
    f"- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: web-{i}\n    namespace: default\n"
    + ("    annotations:\n      note: odd one\n" if i == 3 else "")
    + "  spec:\n    containers:\n"
    + f"    - image: nginx:1.{i}\n      imagePullPolicy: {'IfNotPresent' if i else 'Always'}\n"
    f"      name: main\n  # seen by {i}\n  status:\n    phase: Running\n    podIP: 10.0.0.{i}\n"
    for i in range(7)
)
COMPOSE = "services:\n" + "".join(
    f"  app{i}:\n    image: registry.example.com/team/app{i}:2.{i}\n    restart: unless-stopped\n"
    f'    ports:\n      - "80{i}0:80"\n    networks: [back, front]\n    depends_on:\n      - db\n'
    for i in range(5)
)
SUPERVISOR = "\n".join(
    f"[program:worker_{i}]\ncommand=/srv/app/bin/work --queue q{i}\ndirectory=/srv/app\nautostart=true\n"
    f"autorestart=true\nuser=www-data\nstdout_logfile=/var/log/worker_{i}.log\n"
    for i in range(6)
)
UNITS = "\n".join(
    f"Id=unit{i}.service\nType=notify\nRestart=on-failure\nMainPID={900 + i}\nExecMainStatus=0\nActiveState=active\n"
    for i in range(6)
)
YARN = "# yarn lockfile v1\n\n\n" + "\n".join(
    f'"@scope/part-{i}@^7.{i}.0":\n  version "7.{i}.4"\n'
    f'  resolved "https://registry.yarnpkg.com/@scope/part-{i}/-/part-{i}-7.{i}.4.tgz#{i * 7:040x}"\n'
    f"  integrity sha512-{'Ab9+' * 21}{i:02}==\n"
    + (f'  dependencies:\n    "@scope/x" "^7.{i}"\n' if i % 4 == 1 else "")
    for i in range(10)
)
MANIFESTS = "".join(
    f"---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings-{i}\n  namespace: prod\n  labels:\n"
    f"    app: shop\n    tier: back\ndata:\n  URL: http://svc-{i}:8080/\n"
    for i in range(5)
)
SAMPLES = {
    "lock": LOCK, "pods": PODS, "compose": COMPOSE, "supervisor": SUPERVISOR, "units": UNITS, "yarn": YARN,
    "manifests": MANIFESTS,
}  # fmt: skip


@pytest.mark.parametrize("name", list(SAMPLES))
def test_blocks_are_folded_and_read_back(name: str) -> None:
    text = SAMPLES[name]
    draft = crush(text, lossless=True)
    assert draft is not None
    assert draft.degree == FAITHFUL
    assert "[rows fill each " in draft.text
    assert read_back(draft.text) == text
    assert count(draft.text) <= 0.9 * count(text)
    assert crush(draft.text) is None


def test_what_most_share_is_said_once() -> None:
    draft = crush(PODS, lossless=True)
    assert draft is not None
    assert draft.text.count("namespace: default") == 1
    assert "[imagePullPolicy=Always]" in draft.text


def test_other_line_ends_stay() -> None:
    draft = crush(COMPOSE.replace("\n", "\r\n"), lossless=True)
    assert draft is not None
    assert read_back(draft.text.replace("\r\n", "\n")) == COMPOSE
    assert draft.text.count("\n") == draft.text.count("\r\n")


def test_checksums_are_cut_only_where_that_may_be_said() -> None:
    draft = crush(LOCK)
    assert draft is not None
    assert draft.degree == LOSSY
    assert draft.missing == "all but 10 characters of 12 checksums"
    assert all(f"crate-{i}" in draft.text for i in range(12))
    careful = crush(LOCK, level="safe")
    assert careful is not None
    assert careful.degree == FAITHFUL


def test_managed_fields_are_counted() -> None:
    noise = (
        "    managedFields:\n    - apiVersion: v1\n      fieldsV1:\n        f:metadata: {}\n      manager: kubectl\n"
    )
    one = PODS[: PODS.index("- apiVersion: v1", 40)]
    text = one.replace("    namespace: default\n", noise + "    namespace: default\n")
    draft = crush(text)
    assert draft is not None
    assert draft.degree == LOSSY
    assert draft.missing == "4 lines of managedFields"
    assert draft.text == one.replace(
        "    namespace: default\n", "    managedFields:\n[... 4 lines: managedFields]\n    namespace: default\n"
    )
    assert crush(text, lossless=True) is None
    assert crush(draft.text) is None


def test_lines_that_few_blocks_have_keep_their_place() -> None:
    draft = crush(PODS, lossless=True)
    assert draft is not None
    assert "others after namespace" in draft.text
    assert "10.0.0.3\n    annotations:\n      note: odd one\n* web-4" in draft.text


WORD = st.text(st.sampled_from("abxyz01.:/-_=[]{}|%@,;*>&!#?~\"' "), max_size=7)
FEW = st.sampled_from(["Always", "default", "true", "-", "", "[a, b]", '"x"', "[x=1]", "[rows"])
LINE = st.one_of(
    st.tuples(st.sampled_from(["a: ", "b: ", "c = ", "d=", "e:", "- f: ", "  - ", "# ", "g "]), st.one_of(FEW, WORD)),
    st.tuples(st.sampled_from(["", " ", "* ", "\t"]), WORD),
).map("".join)
BLOCK = st.lists(LINE, min_size=1, max_size=5)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Return blocks that are mostly alike: some lines changed, left out or added."""
    model = draw(BLOCK)
    head = draw(st.sampled_from(["- name: ", "", "[", "[[part]]", "---", "  "]))
    ends = {"": ":", "  ": ":", "[": "]"}.get(head, "")
    out = []
    for _ in range(draw(st.integers(3, 6))):
        out.append(head + (draw(WORD) if head not in ("[[part]]", "---") else "") + ends)
        for line in model:
            change = draw(st.integers(0, 9))
            if change == 0:
                out.append("  " + draw(LINE))
            if change != 1:
                key = re.match(r"\S+[:=] ?", line)
                out.append("  " + (key[0] + draw(FEW) if change == 2 and key else line))
        if draw(st.booleans()):
            out.append("")
    return "\n".join(out)


@settings(deadline=None, max_examples=600)
@given(texts())
def test_any_blocks_read_back(text: str) -> None:
    if "[rows " in text or "\0" in text:
        return
    folded = config.fold(text.split("\n"), most=10.0)
    if folded is not None:
        assert read_back("\n".join([*folded, ""])) == text + "\n"


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from("ab:=- \n[]#\"'*"), max_size=300))
def test_any_text_reads_back(text: str) -> None:
    if "[rows " in text:
        return
    folded = config.fold(text.split("\n"), most=10.0)
    if folded is not None:
        assert read_back("\n".join([*folded, ""])) == text + "\n"


@pytest.mark.parametrize("name", list(SAMPLES))
def test_time_is_linear(name: str) -> None:
    text = SAMPLES[name]
    lines = (text * (400_000 // len(text))).split("\n")
    start = time.process_time()
    config.fold(lines)
    once = time.process_time() - start
    start = time.process_time()
    config.fold(lines * 2)
    assert time.process_time() - start < 4 * once + 2


@pytest.mark.parametrize("level", ["safe", "balanced"])
def test_settings_are_folded_whatever_they_are_taken_for(level: str, tmp_path: object) -> None:
    """The router takes YAML for code; its blocks are folded all the same, and it comes back."""
    text = "apiVersion: v1\nitems:\n" + "".join(
        f"- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: web-{i}\n    namespace: shop\n  spec:\n"
        "    containers:\n"
        f"    - image: example.com/shop:{i % 2}\n      imagePullPolicy: IfNotPresent\n      name: web\n  status:\n"
        f"    phase: {'Pending' if i == 4 else 'Running'}\n    podIP: 10.0.0.{i}\n"
        for i in range(20)
    )
    store = Store(f"{tmp_path}/store")
    result = engine.crush(text.encode(), Policy(level=level), store)
    assert len(result.data) < len(text) // 2
    assert b"Pending" in result.data
    assert engine.expand(result.data, store) == (text.encode(), [])
