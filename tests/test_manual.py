"""The manual, the completions and the flag table say what the commands say, and their readers accept them."""

import re
import shutil
import subprocess

import pytest
from conftest import ROOT, clean_environment

from headroom_cli import backends, formats, settings
from headroom_cli.cli import _flags, completions, fastpath, manual
from headroom_cli.cli.app import build
from headroom_cli.cli.options import VERBS, load

HANDLE = "abcdefghij23"


def needs(program):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


@pytest.mark.parametrize("name", sorted(manual.pages()))
def test_manual_is_as_generated(name):
    assert (ROOT / "man" / name).read_text() == manual.pages()[name], "run: make man"


@pytest.mark.parametrize("name", sorted(completions.scripts()))
def test_completions_are_as_generated(name):
    assert (ROOT / "completions" / name).read_text() == completions.scripts()[name], "run: make completions"


def test_flag_table_is_as_generated():
    assert (ROOT / "headroom_cli/cli/_flags.py").read_text() == fastpath.source(), "run: make flags"


def test_nothing_else_lies_beside_the_generated_files():
    assert {path.name for path in (ROOT / "man").iterdir()} == set(manual.pages())
    assert {path.name for path in (ROOT / "completions").iterdir()} == set(completions.scripts())


@pytest.mark.parametrize("name", sorted(manual.pages()))
def test_manual_has_no_lint(name):
    needs("mandoc")
    found = subprocess.run(["mandoc", "-Tlint", ROOT / "man" / name], capture_output=True, text=True)
    # Whether the other pages are installed on this machine says nothing about this one.
    assert [line for line in found.stdout.splitlines() if "referenced manual not found" not in line] == []


def test_settings_repeat_the_names_of_the_layers_above_them():
    assert tuple(formats.FORMATS) == settings.FORMAT_NAMES
    assert tuple(backends.BACKENDS) == settings.BACKEND_NAMES


def test_every_setting_has_its_own_variable_and_there_are_fewer_than_40():
    variables = [row.variable for row in settings.TABLE]
    assert len(set(variables)) == len(variables) < 40
    assert all(variable.startswith("HEADROOM_") for variable in variables)


def test_help_of_every_flag_names_its_variable():
    commands = build().commands
    for name in VERBS:
        options = {option: parameter for parameter in commands[name].params for option in parameter.opts}
        for row in load(name).rows:
            assert all(flag in options for flag in row.flags)
            assert row.variable in options[row.flags[0]].help


def test_fast_path_reads_a_command_line_as_typer_does():
    from headroom_cli.cli import main

    lines = [
        [], ["-"], ["x.json"], ["--level", "max", "x"], ["--level=max", "-q"], ["-v", "--", "-x"], ["--query", "-q"],
        ["--query", "", "x"], ["--query=a=b"], ["x", "--lossless"], ["--only", "log,json", "--strict", "-"],
        ["--level", "safe", "--level", "max"],
    ]  # fmt: skip
    for words in lines:
        context = build().commands["crush"].make_context("crush", list(words))
        slow = {
            name: "true" if value is True else value
            for name, value in context.params.items()
            if value is not None and value is not False
        }
        assert main.parse(words, _flags.FLAGS["crush"]) == slow, words


@pytest.mark.parametrize("words", [["--bogus"], ["--level"], ["-qv"], ["a", "b"], ["--help"], ["-h"], ["--lossless=1"]])
def test_fast_path_leaves_to_typer_what_it_does_not_understand(words):
    from headroom_cli.cli import main

    assert main.parse(words, _flags.FLAGS["crush"]) is None


# --- the shells


@pytest.fixture
def home(tmp_path):
    """Make a home with a store of one handle, and a file."""
    grants = tmp_path / ".local/share/headroom/store/grants"
    grants.mkdir(parents=True)
    (grants / "owner-202601.log").write_text(f"00000000 {HANDLE} {'0' * 64} 0 0 10 log -\n")
    (tmp_path / "trace.json").write_text("{}")
    return tmp_path


def bash(home, line):
    needs("bash")
    program = """
        source "$1"; COMP_WORDS=($2); [[ $2 == *' ' ]] && COMP_WORDS+=('')
        compopt() { :; }
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _headroom; printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", program, "bash", ROOT / "completions/headroom.bash", line],
        capture_output=True, text=True, cwd=home, env=clean_environment(home), timeout=30,
    )  # fmt: skip
    assert done.stderr == ""
    return set(done.stdout.split())


def fish(home, line):
    needs("fish")
    program = f"source {ROOT}/completions/headroom.fish; complete --do-complete {line!r}"
    done = subprocess.run(
        ["fish", "--no-config", "-c", program],
        capture_output=True, text=True, cwd=home, env=clean_environment(home), timeout=30,
    )  # fmt: skip
    assert done.stderr == ""
    return {offer.split("\t")[0] for offer in done.stdout.splitlines()}


def zsh(home, line):
    """Press Tab in a real zsh on a terminal of its own (zpty) and return the words it then shows."""
    needs("zsh")
    program = r"""
        zmodload zsh/zpty
        zpty shell zsh -f -i
        zpty -w shell 'PROMPT="READY> "; RPROMPT=; fpath=($FPATHDIR $fpath); autoload -Uz compinit; compinit -D -u'
        zpty -w shell 'zstyle ":completion:*" list-prompt ""; bindkey "^I" list-choices; print ST''ART'
        zpty -r shell text '*START*'
        zpty -n -w shell "$LINE"; zpty -n -w shell $'\t'
        all=; repeat 60; do sleep 0.05; if zpty -r -t shell text; then all+=$text; fi; done
        print -r -- "$all"
    """
    done = subprocess.run(
        ["zsh", "-f", "-c", program], capture_output=True, text=True, cwd=home, timeout=60,
        env=clean_environment(home, LINE=line, FPATHDIR=str(ROOT / "completions")),
    )  # fmt: skip
    return set(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", " ", done.stdout).split())


OFFERS = [
    ("headroom ", {"align", "crush", "fit", "mcp", "models", "proxy", "retrieve", "route", "send", "stats", "store"}),
    ("headroom crush --le", {"--level"}),
    ("headroom crush --level ", {"safe", "balanced", "max"}),
    ("headroom crush --from r", {"responses", "raw"}),
    ("headroom send --backend open", {"openai", "openrouter"}),
    ("headroom mcp ", {"install", "uninstall", "wrap"}),
    ("headroom mcp install --client ", {"claude", "codex", "cursor"}),
    ("headroom models ", {"pull", "list", "path", "remove"}),
    ("headroom store ", {"where", "list", "verify", "gc", "forget"}),
    ("headroom store forget ", {HANDLE}),
    ("headroom retrieve ab", {HANDLE}),
    ("headroom crush --only json,l", {"json,log", "json,listing"}),
]


@pytest.mark.parametrize(("line", "offered"), OFFERS, ids=[line for line, _ in OFFERS])
def test_bash_completes(home, line, offered):
    assert bash(home, line) == offered | ({"--version", "--help"} if line == "headroom " else set())


@pytest.mark.parametrize(("line", "offered"), OFFERS, ids=[line for line, _ in OFFERS])
def test_fish_completes(home, line, offered):
    found = fish(home, line)
    assert offered <= found
    assert offered == found or line == "headroom crush --le"  # fish also offers the flag with =


def test_bash_offers_every_flag(home):
    for name in VERBS:
        flags = {flag for row in load(name).rows for flag in row.flags}
        assert bash(home, f"headroom {name} -") == flags | {"--help"}


@pytest.mark.parametrize(("line", "offered"), [
    ("headroom ", {"crush", "retrieve", "store"}),
    ("headroom crush --level ", {"safe", "balanced", "max"}),
    ("headroom crush --l", {"--level", "--lossless"}),
    ("headroom store forget ", {HANDLE}),
])  # fmt: skip
def test_zsh_completes(home, line, offered):
    assert offered <= zsh(home, line)
