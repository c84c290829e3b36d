"""Configurations of clients: one entry in, the same entry out, and every other byte where it was."""

import json
import os
import re
import stat
import subprocess
import sys

import pytest
from conftest import ROOT, clean_environment
from hypothesis import given, settings
from hypothesis import strategies as st

from headroom_cli.cli import mcp_json, mcp_toml
from headroom_cli.errors import ConfigError

ENTRY = {"type": "stdio", "command": "/usr/bin/headroom", "args": ["mcp"]}
SPACE = st.sampled_from(["", " ", "\n", "\n  ", "\t", "\r\n    ", " // note\n  ", " /* a, { } */ ", "\n\n"])
NAMES = st.sampled_from(["a", "projects", "numStartups", 'quo"te', "mcpServers ", "é", "headroom "])
SCALARS = st.sampled_from(["1", "-2.50", "true", "null", '"text"', '"\\u00e9 } , // no comment"', '""', "1e5"])


@st.composite
def odd_json(draw, depth=2, name=None):
    """Draw an object as people and programs write it: comments, spacing, commas at the end."""
    names = draw(st.lists(NAMES, max_size=3, unique=True)) if name is None else name
    parts = []
    for one in names:
        value = draw(SCALARS)
        if depth and draw(st.booleans()):
            value = draw(odd_json(depth=depth - 1)) if draw(st.booleans()) else draw(odd_array())
        spaces = [draw(SPACE) for _ in range(4)]
        key = json.dumps(one, ensure_ascii=False)
        parts.append(f"{spaces[0]}{key}{spaces[1]}:{spaces[2]}{value}{spaces[3]}")
    end = draw(st.sampled_from(["", ","])) if parts else ""
    return "{" + ",".join(parts) + end + draw(SPACE) + "}"


@st.composite
def odd_array(draw):
    return "[" + draw(SPACE) + ",".join(draw(st.lists(SCALARS, max_size=3))) + draw(SPACE) + "]"


@st.composite
def odd_config(draw):
    """Draw a whole file, with a member for servers or without."""
    whole = draw(odd_json())
    if draw(st.booleans()):
        servers = draw(odd_json())
        comma = draw(SPACE) + ("," if whole.strip("{} \t\r\n") and ":" in whole else "")
        whole = "{" + draw(SPACE) + f'"mcpServers"{draw(SPACE)}:{draw(SPACE)}{servers}' + comma + whole[1:]
    return draw(SPACE) + whole + draw(SPACE)


@settings(max_examples=120, deadline=None)
@given(odd_config())
def test_an_entry_in_json_comes_and_goes_without_a_trace(text):
    try:
        before = mcp_json.value_of(text)
    except ConfigError:
        return
    made = mcp_json.put(text, "headroom", ENTRY)
    expected = {**before, "mcpServers": {**before.get("mcpServers", {}), "headroom": ENTRY}}
    assert mcp_json.value_of(made) == expected
    assert mcp_json.put(made, "headroom", ENTRY) == made or mcp_json.value_of(made) == expected
    out = mcp_json.without(made, "headroom")
    if "mcpServers" in before:
        assert out == text
    else:
        assert mcp_json.value_of(out) == {**before, "mcpServers": {}}


@settings(max_examples=80, deadline=None)
@given(odd_config(), st.integers(0, 3))
def test_what_others_change_meanwhile_stays(text, place):
    """A server that comes behind ours, and members everywhere, are there when ours has gone."""
    try:
        before = mcp_json.value_of(text)
    except ConfigError:
        return
    made = mcp_json.put(text, "headroom", ENTRY)
    other = {"command": f"other-{place}", "args": []}
    made = mcp_json.put(made, "other", other)
    out = mcp_json.value_of(mcp_json.without(made, "headroom"))
    assert out == {**before, "mcpServers": {**before.get("mcpServers", {}), "other": other}}


TOML_LINES = st.lists(
    st.sampled_from([
        'model = "gpt-5.5"', "", "# a comment", "[mcp_servers.other]", 'command = "x"',
        "args = [\n  'a', # [no\n  \"]\"\n]",
        'text = """\n[mcp_servers.headroom]\ncommand = "no"\n"""', "[[list]]", "b = { c = 1 }", "[projects.'/a b']",
        "notify = '''\n[x'''", "[mcp_servers]", "number = 1_000", "[  a . b  ] # spaced",
    ]),
    max_size=8,
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(
    TOML_LINES, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.sampled_from(["", "# end\n", "\n[later]\nx = 1\n"])
)
def test_an_entry_in_toml_comes_and_goes_without_a_trace(lines, newline, ends, later):
    text = newline.join(lines) + (newline if ends else "")
    try:
        before = mcp_toml.value_of(text)
    except ConfigError:
        return
    value = {"command": "/usr/bin/headroom", "args": ["mcp", 'quo"te \\ \x7f é']}
    try:
        made = mcp_toml.put(text, "headroom", value)
    except ConfigError:
        assert "mcp_servers" in before
        return
    after = mcp_toml.value_of(made)
    assert after["mcp_servers"].pop("headroom") == value
    assert after == {**before, "mcp_servers": before.get("mcp_servers", {})}
    assert mcp_toml.without(made, "headroom") == text
    assert mcp_toml.without(made + later, "headroom") == text + later


@pytest.mark.parametrize("text", [
    '{"a": 1,, }', "{", '{"mcpServers": []}', '{"mcpServers": {}, "mcpServers": {}}', "[]", '{"a" 1}', "{/*",
    "{'a': 1}", '{"a": 01x}', "[" * 1000, '{"a": 1} x', "{}{}", "{} // end\n,",
])  # fmt: skip
def test_json_that_cannot_be_changed_safely_is_refused(text):
    with pytest.raises(ConfigError):
        mcp_json.put(text, "headroom", ENTRY)


@pytest.mark.parametrize("text", ["a = ", "mcp_servers = 1", "mcp_servers = {}", "mcp_servers.headroom.command = 'x'"])
def test_toml_that_cannot_be_changed_safely_is_refused(text):
    with pytest.raises(ConfigError):
        mcp_toml.put(text, "headroom", {"command": "y", "args": []})


# --- the command

PLACES = {"claude": ".claude.json", "codex": ".codex/config.toml", "cursor": ".cursor/mcp.json"}
ODD = {
    "claude": '{ "numStartups": 3,\n\t"mcpServers": {"x": {"command": "y"}}, "é": "\\u00e9" }',
    "codex": 'model = "x" # mine\r\n[mcp_servers.other]\r\ncommand = "y"',
    "cursor": '// mine\n{\n    "mcpServers": {\n        "x": {"url": "z"}, // last\n    },\n}\n',
}


@pytest.mark.parametrize(
    ("client", "there"), [("claude", True), ("codex", True), ("cursor", True), ("codex", False)]
)  # fmt: skip
def test_install_and_uninstall_leave_the_very_bytes(headroom, tmp_path, client, there):
    path = tmp_path / PLACES[client]
    if there:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(ODD[client].encode())
        path.chmod(0o640)
    shown = headroom("mcp", "install", "--client", client, "--dry-run")
    assert shown.returncode == 0
    assert b"headroom" in shown.stdout
    assert path.exists() == there
    assert headroom("mcp", "install", "--client", client).returncode == 2  # nobody to ask
    done = headroom("mcp", "install", "--client", client, "--yes")
    assert done.returncode == 0, done.stderr
    text = path.read_text()
    assert "headroom" in text
    assert stat.S_IMODE(path.stat().st_mode) == (0o640 if there else 0o600)
    backups = list(path.parent.glob("*.headroom-*"))
    assert [stat.S_IMODE(backup.stat().st_mode) for backup in backups] == [0o600]
    assert headroom("mcp", "install", "--client", client, "--yes").returncode == 1  # it is there
    # Another store: the entry changes, and what was before the first change is still what counts.
    assert headroom("mcp", "install", "--client", client, "--yes", "--store", "elsewhere").returncode == 0
    done = headroom("mcp", "uninstall", "--client", client, "--yes")
    assert done.returncode == 0, done.stderr
    assert path.exists() == there
    if there:
        assert path.read_bytes() == ODD[client].encode()
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(path.parent.glob("*.headroom-*")) == []
    assert headroom("mcp", "uninstall", "--client", client, "--yes").returncode == 1


@pytest.mark.parametrize(("client", "place"), [
    ("claude", ".mcp.json"), ("codex", ".codex/config.toml"), ("cursor", ".cursor/mcp.json"),
])  # fmt: skip
def test_a_project_has_a_configuration_of_its_own(headroom, tmp_path, client, place):
    here = tmp_path / "project"
    here.mkdir()
    words = ["--client", client, "--project", "--yes"]
    program = [sys.executable, "-m", "headroom_cli", "mcp"]
    for action, there in (("install", True), ("uninstall", False)):
        environment = clean_environment(tmp_path)
        done = subprocess.run([*program, action, *words], cwd=here, env=environment, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert (here / place).exists() == there


def test_the_examples_of_the_documentation_run(headroom, tmp_path):
    lines = re.findall(r"^headroom (mcp (?:un)?install .*)$", (ROOT / "docs" / "mcp.md").read_text(), re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        done = headroom(*line.split())
        assert done.returncode == 0, done.stderr
    assert not (tmp_path / ".claude.json").exists()


def test_what_the_client_wrote_since_stays(headroom, tmp_path):
    path = tmp_path / ".claude.json"
    path.write_text('{\n  "numStartups": 3\n}\n')
    assert headroom("mcp", "install", "--client", "claude", "--yes").returncode == 0
    value = json.loads(path.read_text())
    value["numStartups"] = 4
    path.write_text(json.dumps(value, indent=2))
    assert headroom("mcp", "uninstall", "--client", "claude", "--yes").returncode == 0
    assert json.loads(path.read_text()) == {"numStartups": 4, "mcpServers": {}}


def test_a_server_of_another_program_comes_back(headroom, tmp_path):
    path = tmp_path / ".claude.json"
    foreign = '{"mcpServers": {"headroom": {"command": "headroom", "args": ["mcp", "serve"]}}}'
    path.write_text(foreign)
    assert headroom("mcp", "uninstall", "--client", "claude", "--yes").returncode == 1
    assert headroom("mcp", "install", "--client", "claude", "--yes").returncode == 0
    assert path.read_text() != foreign
    assert headroom("mcp", "uninstall", "--client", "claude", "--yes").returncode == 0
    assert path.read_text() == foreign


def test_a_link_is_followed_and_stays_one(headroom, tmp_path):
    real = tmp_path / "dotfiles" / "claude.json"
    real.parent.mkdir()
    real.write_text("{}\n")
    (tmp_path / ".claude.json").symlink_to("dotfiles/claude.json")
    assert headroom("mcp", "install", "--client", "claude", "--yes").returncode == 0
    assert (tmp_path / ".claude.json").is_symlink()
    assert "headroom" in real.read_text()
    assert headroom("mcp", "uninstall", "--client", "claude", "--yes").returncode == 0
    assert real.read_text() == "{}\n"


@pytest.mark.parametrize("what", ["directory", "fifo", "broken", "binary"])
def test_what_is_no_configuration_is_left_alone(headroom, tmp_path, what):
    path = tmp_path / ".claude.json"
    if what == "directory":
        path.mkdir()
    elif what == "fifo":
        os.mkfifo(path)
    else:
        path.write_bytes(b'{"a": ' if what == "broken" else b'{"a": "\xff"}')
    done = headroom("mcp", "install", "--client", "claude", "--yes")
    assert done.returncode == 78
    assert b"Traceback" not in done.stderr
    assert list(tmp_path.glob("*.headroom-*")) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_left_alone(headroom, tmp_path):
    path = tmp_path / ".claude.json"
    path.write_text("{}")
    os.chown(path, 12_345, -1)
    done = headroom("mcp", "install", "--client", "claude", "--yes")
    assert done.returncode == 78
    assert path.read_text() == "{}"
