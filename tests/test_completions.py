"""The completions in the shells themselves: bash, zsh on a terminal of its own, fish. None of them starts Python."""

import os
import re
import subprocess
import time

import pytest
from conftest import ROOT, clean_environment
from test_manual import needs

from headroom_cli.cli.options import VERBS, load

HANDLE = "abcdefghij23"
OTHER = "zyxwvutsrq76"
SCRIPT = ROOT / "completions/headroom.bash"


def line(handle, kind="log", command="make"):
    return f"00000000 {handle} {'0' * 64} 0 0 10 {kind} {command}\n"


@pytest.fixture
def home(tmp_path):
    """Make a home with a store of two handles, a ledger, a program, and a file."""
    made = tmp_path / "a home"
    store = made / ".local/share/headroom/store"
    (store / "grants").mkdir(parents=True)
    (store / "grants/owner-202512.log").write_text("\n" + line(HANDLE) + line(HANDLE))
    (store / "grants/owner-202601.log").write_text(line(OTHER, "json", "kubectl get pods: all") + "torn\n")
    (store / "ledger").mkdir()
    (store / "ledger/202601.jsonl").write_text(
        '{"when":1,"model":"gpt-5","project":"shop","tools":{"Bash":{"blocks":1},"mcp__db":{"blocks":2}}}\n'
        '{"when":1,"model":"$(touch pwned)","project":"`touch pwned`","tools":{"$(touch pwned)":{"blocks":2}}}\n'
    )
    (made / "trace.json").write_text("{}")
    programs = made / "programs"
    programs.mkdir()
    (programs / "headroomtest").write_text("#!/bin/sh\n")
    (programs / "headroomtest").chmod(0o755)
    # Whoever starts Python from a completion is found out.
    for name in ("python", "python3", "headroom"):
        (programs / name).write_text('#!/bin/sh\ntouch "$HOME/started"\n')
        (programs / name).chmod(0o755)
    yield made
    assert not (made / "pwned").exists()
    assert not (made / "started").exists()


def environment(home, **more):
    known = clean_environment(home)
    return {**known, "PATH": f"{home}/programs:{known['PATH']}", **more}


def bash(home, typed, before="", **more):
    needs("bash")
    program = f"""
        {before}
        source "$1"; COMP_WORDS=($2); [[ $2 == *' ' ]] && COMP_WORDS+=('')
        compopt() {{ :; }}
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _headroom; ((${{#COMPREPLY[@]}})) && printf '%s\\n' "${{COMPREPLY[@]}}"
        exit 0
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", program, "bash", SCRIPT, typed],
        capture_output=True, text=True, cwd=home, env=environment(home, **more), timeout=30,
    )  # fmt: skip
    assert done.stderr == ""
    return set(done.stdout.split("\n")) - {""}


def fish(home, typed, before="", **more):
    needs("fish")
    program = f"source {ROOT}/completions/headroom.fish; {before}\ncomplete --do-complete {typed!r}"
    done = subprocess.run(
        ["fish", "--no-config", "-c", program],
        capture_output=True, text=True, cwd=home, env=environment(home, **more), timeout=30,
    )  # fmt: skip
    assert done.stderr == ""
    return {offer.split("\t")[0] for offer in done.stdout.splitlines()}


def zsh(home, typed, before="", **more):
    """Press Tab in a real zsh on a terminal of its own (zpty) and return the words it then shows."""
    needs("zsh")
    program = r"""
        zmodload zsh/zpty
        zpty shell zsh -f -i
        zpty -w shell 'PROMPT="READY> "; RPROMPT=; fpath=($FPATHDIR $fpath); autoload -Uz compinit; compinit -D -u'
        zpty -w shell 'zstyle ":completion:*" list-prompt ""; bindkey "^I" list-choices; eval $BEFORE; print ST''ART'
        zpty -r shell text '*START*'
        zpty -n -w shell "$LINE"; zpty -n -w shell $'\t'
        all=; quiet=0; repeat 200; do
            sleep 0.05
            if zpty -r -t shell text; then all+=$text; quiet=0; else (( quiet++ )); fi
            [[ $all == *$'\n'* ]] && (( quiet > 8 )) && break
            (( quiet > 60 )) && break
        done
        print -r -- "$all"
    """
    done = subprocess.run(
        ["zsh", "-f", "-c", program], capture_output=True, text=True, cwd=home, timeout=60,
        env=environment(home, LINE=typed, BEFORE=before, FPATHDIR=str(ROOT / "completions"), COLUMNS="200", **more),
    )  # fmt: skip
    return set(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", " ", done.stdout).split())


OFFERS = [
    ("headroom ", set(VERBS)),
    ("headroom crush --le", {"--level"}),
    ("headroom crush --level ", {"safe", "balanced", "max"}),
    ("headroom crush --from r", {"responses", "raw"}),
    ("headroom send --backend open", {"openai", "openrouter"}),
    ("headroom send --model ", {"gpt-5"}),
    ("headroom wrap --project ", {"shop"}),
    ("headroom crush --kompress emb", {"embedded"}),
    ("headroom crush --protect-tool mc", {"mcp__db"}),
    ("headroom crush --protect-tool Bash,Re", {"Bash,Read"}),
    ("headroom mcp ", {"install", "uninstall", "wrap"}),
    ("headroom mcp install --client ", {"claude", "codex", "cursor"}),
    ("headroom models ", {"pull", "list", "path", "remove"}),
    ("headroom models pull komp", {"kompress-v2-base"}),
    ("headroom store ", set(load("store").arguments[0].choices)),
    ("headroom store forget ", {HANDLE, OTHER}),
    ("headroom store forget --quiet ab", {HANDLE}),
    ("headroom retrieve ab", {HANDLE}),
    ("headroom retrieve --lines 1:2 zy", {OTHER}),
    ("headroom crush --only l", {"log", "listing"}),
    ("headroom crush --only json,l", {"json,log", "json,listing"}),
    ("headroom crush tr", {"trace.json"}),
    ("headroom count trace.json tr", {"trace.json"}),
    ("headroom store copy tr", {"trace.json"}),
    ("headroom wrap ai", {"aider"}),
    ("headroom run headroomt", {"headroomtest"}),
    ("headroom run --level max -- headroomt", {"headroomtest"}),
    ("headroom mcp wrap -- headroomt", {"headroomtest"}),
]
CHILD = [
    "headroom run headroomtest ye", "headroom run -- headroomtest ye", "headroom run --level max headroomtest ye",
    "headroom mcp wrap -- headroomtest ye", "headroom wrap headroomtest -- ye",
    "headroom wrap --level max headroomtest -- ye",
]  # fmt: skip


@pytest.mark.parametrize(("typed", "offered"), OFFERS, ids=[typed for typed, _ in OFFERS])
def test_bash_completes(home, typed, offered):
    if offered == {"trace.json"}:  # by bash itself: -o default
        offered = set()
    assert bash(home, typed) == offered | ({"--version", "--help"} if typed == "headroom " else set())


@pytest.mark.parametrize(("typed", "offered"), OFFERS, ids=[typed for typed, _ in OFFERS])
def test_fish_completes(home, typed, offered):
    found = fish(home, typed)
    assert offered <= found
    # fish also offers the flag with =, and files where a model may be a folder.
    assert offered == found or typed == "headroom crush --le" or "--kompress" in typed


def test_bash_offers_every_flag(home):
    for name in VERBS:
        flags = {flag for row in load(name).rows for flag in row.flags}
        assert bash(home, f"headroom {name} -") == flags | {"--help"}


@pytest.mark.parametrize(("typed", "offered"), [
    ("headroom ", {"crush", "retrieve", "store"}),
    ("headroom crush --level ", {"safe", "balanced", "max"}),
    ("headroom crush --l", {"--level", "--lossless"}),
    ("headroom store forget ", {HANDLE, OTHER}),
    ("headroom send --model ", {"gpt-5"}),
    ("headroom count trace.json tr", {"trace.json"}),
    ("headroom store copy tr", {"trace.json"}),
    ("headroom wrap ai", {"aider"}),
    ("headroom run headroomt", {"headroomtest"}),
])  # fmt: skip
def test_zsh_completes(home, typed, offered):
    assert offered <= zsh(home, typed)


@pytest.mark.parametrize("typed", CHILD)
def test_bash_hands_over_to_the_completion_of_the_command(home, typed):
    made = (
        '_child() { COMPREPLY=("yes-$1-${#COMP_WORDS[@]}-${COMP_WORDS[0]}-$2-$3"); }; complete -F _child headroomtest'
    )
    assert bash(home, typed, made) == {"yes-headroomtest-2-headroomtest-ye-headroomtest"}
    assert bash(home, typed, "complete -W 'yes no' headroomtest") == {"yes"}


@pytest.mark.parametrize("typed", CHILD)
def test_fish_hands_over_to_the_completion_of_the_command(home, typed):
    assert fish(home, typed, "complete -c headroomtest -f; complete -c headroomtest -a 'yes-child no'") == {"yes-child"}


@pytest.mark.parametrize("typed", [CHILD[0], CHILD[1], CHILD[3], CHILD[4]])
def test_zsh_hands_over_to_the_completion_of_the_command(home, typed):
    assert "yes-child" in " ".join(
        zsh(home, typed, "_child() { compadd yes-child yes-more }; compdef _child headroomtest")
    )


PLACES = {
    "none": {},
    "not there": {"HEADROOM_STORE": "/nowhere/at all"},
    "an address": {"HEADROOM_STORE": "redis://localhost/0"},
    "a file": {"HEADROOM_STORE": "/etc/passwd"},
    "odd signs": {"HEADROOM_STORE": "/tmp/$(touch pwned)`touch pwned`;*[a?'\""},
    "a flag": {"HEADROOM_STORE": "--help"},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("shell", [bash, fish], ids=["bash", "fish"])
def test_a_store_that_cannot_be_read_offers_nothing_and_says_nothing(tmp_path, shell, place):
    empty = tmp_path / "empty"
    (empty / "programs").mkdir(parents=True)
    strict = "set -u; shopt -s failglob" if shell is bash else ""
    for typed in ("headroom store forget ", "headroom send --model ", "headroom wrap --project "):
        assert shell(empty, typed, strict, **PLACES[place]) == set()
    assert [path.name for path in empty.iterdir() if path.name == "pwned"] == []


@pytest.mark.parametrize("shell", [bash, fish], ids=["bash", "fish"])
def test_the_store_is_found_where_the_program_finds_it(home, shell):
    other = home / "other store"
    (other / "grants").mkdir(parents=True)
    (other / "grants/owner-202601.log").write_text(line("other2345672"))
    typed = "headroom store forget "
    assert shell(home, typed, HEADROOM_STORE=str(other)) == {"other2345672"}
    (home / "data/headroom").mkdir(parents=True)
    (home / "data/headroom/store").symlink_to(other)
    assert shell(home, typed, XDG_DATA_HOME=str(home / "data")) == {"other2345672"}
    assert HANDLE in shell(home, typed, XDG_DATA_HOME="data")  # not absolute: ignored, as the program does
    (home / "plain").symlink_to(other)
    assert shell(home, "headroom store --store plain forget ") == {"other2345672"}
    assert shell(home, "headroom store --store ~/plain forget ") == {"other2345672"}
    (home / ".config/headroom").mkdir(parents=True)
    (home / ".config/headroom/config.toml").write_text(f'level = "max"\nstore = "{other}"\n')
    assert shell(home, typed) == {"other2345672"}


def test_files_that_are_none_are_not_waited_for(home):
    grants = home / ".local/share/headroom/store/grants"
    os.mkfifo(grants / "owner-202602.log")
    (grants / "owner-202603.log").mkdir()
    assert bash(home, "headroom store forget ") == {HANDLE, OTHER}
    assert fish(home, "headroom store forget ") <= {HANDLE, OTHER}


@pytest.mark.parametrize("shell", [bash, fish], ids=["bash", "fish"])
def test_the_newest_handles_of_a_large_store_come_as_fast_as_those_of_a_small_one(home, shell):
    letters = "abcdefghijklmnopqrstuvwxyz234567"

    def handle(number):
        return "".join(letters[number >> shift & 31] for shift in (0, 5, 10, 15)) + "abcdefgh"

    log = home / ".local/share/headroom/store/grants/owner-202602.log"
    log.write_text("".join(line(handle(i), command="cargo test --workspace") for i in range(300)))
    small = min(_timed(shell, home) for _ in range(5))
    log.write_text("".join(line(handle(i), command="cargo test --workspace") for i in range(100_000)))
    found = shell(home, "headroom store forget ")
    assert found == {handle(i) for i in range(100_000 - 200, 100_000)}
    large = min(_timed(shell, home) for _ in range(5))
    # Reading all of its 13 MB takes 0.1 s and more in awk.
    assert large < small * 2 + 0.03


def _timed(shell, home):
    start = time.perf_counter()
    shell(home, "headroom store forget ")
    return time.perf_counter() - start
