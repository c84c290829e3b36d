"""Commands whose output is a conversation with a person, or is not to be shortened: ``headroom run`` becomes them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Programs that draw on the terminal, or ask there, whatever their arguments are.
_ALWAYS = _names(
    "vi vim nvim view vimdiff nano pico emacs ed joe micro helix hx kak ne mcedit less more most man info pg "
    "htop btop atop iotop nvtop glances watch tmux screen zellij byobu mc ranger nnn lf fzf sk gum dialog whiptail "
    "telnet ftp sftp mosh tig lazygit lazydocker k9s claude codex aider opencode goose gemini passwd su login visudo "
    "ncdu cmatrix w3m lynx links elinks mutt irssi weechat gdb lldb minicom picocom reset"
)
# Programs that talk to a person when nothing says what they are to do.
_BARE = _names(
    "python python2 python3 ipython pypy pypy3 bpython node deno bun irb pry ruby perl php lua luajit ghci julia R erl "
    "iex scala clojure clj jshell racket guile sbcl ocaml utop swift bash sh zsh fish dash ksh tcsh nu pwsh xonsh bc "
    "dc sqlite3 psql mysql mariadb mongosh mongo redis-cli cqlsh duckdb clickhouse-client gnuplot octave maxima gp top "
    "ssh"
)
_SSH_VALUES = _names("-b -c -D -E -e -F -I -i -J -L -l -m -O -o -p -Q -R -S -W -w")
_CLIENTS = _names("psql mysql mariadb mongosh mongo cqlsh clickhouse-client")  # of a server, not of a file
_ASKED = ("-c", "-e", "-f", "--command", "--execute", "--file", "--eval", "--query", "-q", "-l", "--version", "--help")
_ASKING: dict[str, dict[str, frozenset[str]]] = {  # program -> its sub-commands that ask, by themselves or with a flag
    "git": {
        "rebase": _names("-i --interactive --edit-todo"), "add": _names("-i -p --interactive --patch -e --edit"),
        "checkout": _names("-p --patch"), "reset": _names("-p --patch"), "stash": _names("-p --patch"),
        "restore": _names("-p --patch"), "mergetool": frozenset(), "difftool": frozenset(), "citool": frozenset(),
        "gui": frozenset(),
    },
    "docker": {"attach": frozenset(), "run": _names("-it -ti -i -t --interactive --tty"),
               "exec": _names("-it -ti -i -t --interactive --tty")},
    "kubectl": {"attach": frozenset(), "edit": frozenset(), "run": _names("-it -ti -i -t --stdin --tty"),
                "exec": _names("-it -ti -i -t --stdin --tty")},
    "gh": {"auth": frozenset()}, "npm": {"init": frozenset(), "login": frozenset()},
    "crontab": {"-e": frozenset()}, "systemctl": {"edit": frozenset()},
}  # fmt: skip
_ASKING["podman"] = _ASKING["docker"]
_SAID = _names("-c -e -m -V -v --version -h --help --eval -E -p")
_WRAPPERS = _names("sudo doas env nice nohup time command exec stdbuf setsid ionice")


def left_alone(words: Sequence[str], *, at_terminal: bool) -> bool:
    """Tell whether a command is to be run as it is.

    Ours always is: an original that was asked for is never shortened again. Programs that talk to a person are where
    there is one (``at_terminal``): elsewhere they have nobody to talk to.
    """
    rest = list(words)
    while len(rest) > 1 and _name(rest[0]) in _WRAPPERS:
        rest.pop(0)
        while len(rest) > 1 and (rest[0].startswith("-") or "=" in rest[0]):
            rest.pop(0)
    program, arguments = _name(rest[0]), rest[1:]
    if program == "headroom" or (program.startswith("python") and arguments[:2] == ["-m", "headroom_cli"]):
        return True
    if any(f"{name} retrieve " in " ".join([*words, ""]) for name in ("headroom", "headroom_cli")):
        return True  # below another program, or in the words of a shell
    if not at_terminal:
        return False
    if program in _ALWAYS:
        return True
    if program in _BARE:
        return _is_bare(program, arguments)
    for place, word in enumerate(arguments):
        if word in _ASKING.get(program, {}):
            flags = _ASKING[program][word]
            return not flags or not flags.isdisjoint(arguments[place + 1 :])
        if not word.startswith("-"):
            break
    return False


def _name(word: str) -> str:
    return word.rpartition("/")[2]


def _is_bare(program: str, arguments: Sequence[str]) -> bool:
    """Tell whether nothing says what a program is to do: no script, no statement, for ssh no command."""
    plain = [word for word in arguments if not word.startswith("-")]
    if program in _CLIENTS:
        return not any(word.startswith(_ASKED) for word in arguments)
    if program in {"sqlite3", "duckdb"}:
        return len(plain) < 2 and "--version" not in arguments
    if program == "redis-cli":
        return all(word.isdigit() for word in plain)
    if program == "top":
        return not any(word.startswith(("-b", "-l")) for word in arguments)
    if program == "ssh":
        after = [False, *(word in _SSH_VALUES for word in arguments)]
        named = [word for word, is_value in zip(arguments, after, strict=False) if word in plain and not is_value]
        return len(named) < 2 and not {"-N", "-G", "-V"}.intersection(arguments)
    return not plain and not _SAID.intersection(arguments)
