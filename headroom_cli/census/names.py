"""What a person calls the maker of an output: its tool, or of a shell the program that it ran."""

from __future__ import annotations

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Hint

_SHELLS = pattern(r"(?i)bash|shell|terminal|zsh|exec|command|cmd|console")
_STEPS = pattern(r"&&|\|\||[;\n|]")
_ASSIGNED = pattern(r"\w{1,60}=")
# What stands before the program that makes the output, or makes none itself.
_BEFORE = frozenset(
    ("sudo", "time", "nohup", "env", "command", "exec", "nice", "stdbuf", "timeout", "then", "do", "else", "if",
     "while", "!", "(", "{")
)  # fmt: skip
_SILENT = frozenset(
    ("cd", "set", "export", "source", ".", "pushd", "popd", "true", "unset", "umask", "alias", "shopt")
)  # fmt: skip
_LIMIT = 2000  # characters of a command that are read


def program(hint: Hint) -> str:
    """Return the name of an output's maker, "" when nothing tells."""
    if not hint.command or (hint.tool and not _SHELLS.search(hint.tool)):
        return hint.tool
    first = ""
    for step in _STEPS.split(hint.command[:_LIMIT]):
        words = step.split()
        while words and (words[0] in _BEFORE or words[0][:1].isdigit() or _ASSIGNED.match(words[0])):
            words.pop(0)
        if words and not words[0].startswith("#"):
            name = words[0].lstrip("({$\"'").rstrip(")\"'").rpartition("/")[2][:40]
            if name and name not in _SILENT:
                return name
            first = first or name
    return first or hint.tool
