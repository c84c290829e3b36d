"""What a tool call says about its result: tool name, command, file, and whether the result must stay raw."""

from __future__ import annotations

import json
import re

from headroom_cli.lazy import pattern
from headroom_cli.model import RANGED, Hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RETRIEVE_TOOLS = ("retrieve_original_content", "headroom_retrieve")

_COMMAND_KEYS = ("command", "cmd", "script", "bash_command", "shell_command", "input")
_PATH_KEYS = ("file_path", "path", "file_name", "filename", "filepath", "file", "target_file", "notebook_path")
_RANGE_KEYS = frozenset(
    ("offset", "limit", "view_range", "start_line", "end_line", "line_start", "line_end", "line_number", "range",
     "start_line_one_indexed", "end_line_one_indexed_inclusive")
)  # fmt: skip
# `sed -n 3,9p`, `sed '3,9!d'`, `awk 'NR>=3 && NR<=9'`, `awk 'NR==3,NR==9'`, `perl -ne 'print if 3..9'`
_SED_RANGE = pattern(
    r"\bsed\s{1,9}-n\s{1,9}(?:-e\s{1,9})?['\"]?\d+(?:,\+?\d+|,\$)?p|\bsed\s{1,9}['\"]?\d+(?:,\+?\d+|,\$)?!d"
    r"|\bg?awk\s{1,9}['\"]NR ?[<>=]=? ?\d|\bperl\s{1,9}-n\w{0,3}e?\s{1,9}['\"]print if (?:\$\. ?[<>=]|\d+ ?\.\.)"
)
# Also behind `sudo` or in the words of a shell: who asks for an original and gets a marker asks again.
_RUNS_RETRIEVE = pattern(r"(?:^|[\s;&|(`'\"=])(?:[\w.~/-]{0,200}/)?headroom(?:_cli)?\s{1,20}retrieve(?=$|[\s;&|)`'\"])")
_FENCE = pattern(r"^```[a-zA-Z]*[ \t]*\n", re.MULTILINE)
_MAX_COMMAND = 4000  # characters; a longer one is a heredoc whose tail says nothing about the output

# How harnesses without tool calls present the output of a command in a user turn: what the turn starts with.
OBSERVATION_HEADS = (
    "<returncode>", "<output>", "<stdout>", "<observation>", "<tool_response>", "<function_results>",
    "<command-output>",
    "Observation:", "OBSERVATION:", "[File: ", "EXECUTION RESULT", "Execution result", "exit code:", "Exit code:",
    "[Command finished", "Command output:",
)  # fmt: skip
# The prompt line that ends such a turn in the harness that starts with the bare output.
_OBSERVATION_TAIL = pattern(r"\(Current directory: [^\n]{1,400}\)\s*\n?bash-\$\s*$")


class Call:
    """A tool call waiting for its result: the hint for the block, and why the result must stay ("" if it need not)."""

    __slots__ = ("hint", "kept")

    def __init__(self, hint: Hint, kept: str = "") -> None:
        """Pair the two."""
        self.hint = hint
        self.kept = kept


def describe(tool: str, arguments: Any) -> Call:
    """Read a call's name and arguments (a mapping, or the JSON text of one; anything else is ignored)."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments) if len(arguments) < 100_000 and arguments[:1] == "{" else {}
        except (ValueError, RecursionError):
            arguments = {}
    if not isinstance(arguments, dict):
        arguments = {}
    path = _first_text(arguments, _PATH_KEYS)
    command = _command(arguments)
    if path and command and " " not in command:  # editors take a sub-command ("view") beside the path
        command = ""
    kept = ""
    if any(name in tool for name in RETRIEVE_TOOLS) or _RUNS_RETRIEVE.search(command):
        kept = "retrieved text"
    elif (path and any(arguments.get(key) is not None for key in _RANGE_KEYS)) or _SED_RANGE.search(command):
        kept = RANGED
    return Call(Hint(command=command, tool=tool, path=path, written=_written(arguments)), kept)


def _written(arguments: dict[str, Any]) -> tuple[str, ...]:
    """Return the texts of several lines among a call's arguments, and among the members of lists of edits."""
    found = []
    for value in arguments.values():
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, str):
                    found.append(item)
                elif isinstance(item, dict):
                    found += [text for text in item.values() if isinstance(text, str)]
    return tuple([text for text in found if "\n" in text])


def from_prose(text: str) -> Call:
    """Read the command from the last fenced block of an assistant turn that calls no tool."""
    fences = list(_FENCE.finditer(text))
    for fence in reversed(fences):
        close = text.find("\n```", fence.end() - 1)
        if close >= 0:
            call = describe("bash", {"command": text[fence.end() : close]})
            call.hint.written = ()  # the assistant's turn itself says it
            return call
    return Call(Hint())


def is_observation(text: str) -> bool:
    """Tell whether a user turn is command output put there by a harness, by its wrapper alone."""
    return text.startswith(OBSERVATION_HEADS) or bool(_OBSERVATION_TAIL.search(text, max(0, len(text) - 500)))


def _first_text(arguments: dict[str, Any], keys: tuple[str, ...]) -> str:
    for key in keys:
        value = arguments.get(key)
        if isinstance(value, str) and value:
            return value[:_MAX_COMMAND]
    return ""


def _command(arguments: dict[str, Any]) -> str:
    for key in _COMMAND_KEYS:
        value = arguments.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()[:_MAX_COMMAND]
        if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
            # ["bash", "-lc", "rg -n x"]: the script is the command
            shell = len(value) == 3 and value[1] in ("-c", "-lc", "-ic")
            return (value[2] if shell else " ".join(value)).strip()[:_MAX_COMMAND]
    return ""
