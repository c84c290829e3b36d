"""The manual, the completions and the flag table say what the commands say, and their readers accept them."""

import shutil
import subprocess

import pytest
from conftest import ROOT

from headroom_cli import backends, formats, settings
from headroom_cli.cli import _flags, completions, fastpath, manual
from headroom_cli.cli.app import build
from headroom_cli.cli.options import VERBS, load


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
