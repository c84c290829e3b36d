"""What agent harnesses put around an output: a status, tags, the directory, a prompt; and how to say it in one line.

A wrapper line is recognised by a pattern anchored at both ends, and only at the start and the end of a text. What the
lines say stays readable: a status that is not zero, a directory or file that has not been named since it changed, a
line that this table does not know. Tags around the whole output, a zero status and an empty prompt say nothing.
"""

from __future__ import annotations

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_TAGS = (
    "output|stdout|stderr|output_head|output_tail|result|function_results|tool_result|system|error|content|bash-stdout"
    "|bash-stderr|local-command-stdout|command-output|observation|tool_response"
)
_STATUSES = "returncode|exit_code|return_code"
_END = r"[ \t\r]*$"
# name -> what a line of it looks like. The first group is what it says.
_LINES = {
    "status": pattern(rf"<({_STATUSES})>(-?\d{{1,4}})</\1>{_END}"),
    "open": pattern(rf"<({_TAGS})>{_END}"),
    "close": pattern(rf"</({_TAGS})>{_END}"),
    "label": pattern(r"((?:OBSERVATION|Observation|Output|STDOUT|Stdout|stdout|STDERR|stderr|Result):)" + _END),
    # Statuses that are short already keep their words; a zero says that nothing failed, as does saying nothing.
    "said status": pattern(
        r"(?:Exit code|exit code|Return code|Exit status|EXIT CODE|Process exited with code|Command exited with code)"
        r"s?:? ?(-?\d{1,4})\.?" + _END
    ),
    "directory": pattern(
        r"\(Current directory: ([^)\n]{0,300})\)|\[Current (?:working )?directory: ([^\]\n]{0,300})\]"
    ),
    "open file": pattern(r"\(Open file: ([^)\n]{0,300})\)|\[Open file:? ([^\]\n]{0,300})\]"),
    "prompt": pattern(r"(bash-\$)" + _END),
    "done": pattern(
        r"\[(?:Command finished|Process exited|The command completed) with (?:exit )?code:? ?(-?\d{1,4})\.?\]" + _END
    ),
    "other": pattern(
        r"(?:(\[(?:File|Command|Python [Ii]nterpreter|Jupyter current)[^\]\n]{0,300}\])"
        r"|Here's the result of running `[^`\n]{1,40}` on [^\n]{1,300}:"
        r"|Wall time: [\d.]{1,12} (?:seconds|s|ms)|Chunk ID: \w{1,20}|Original token count: \d{1,9}"
        r"|\(\d{1,7} more lines? (?:above|below)\))" + _END
    ),
}  # fmt: skip
_AT_START = ("status", "open", "label", "said status", "directory", "open file", "other")
_AT_END = ("status", "close", "said status", "directory", "open file", "prompt", "done", "other")
# How such lines begin: most texts have none, and are spared the patterns (1 ms each to compile).
_STARTS = (
    "<ret", "<exit", "<out", "<std", "<res", "<func", "<tool", "<sys", "<err", "<cont", "<bash", "<local", "<comm",
    "<obs", "<warning", "OBS", "Obs", "Out", "STD", "Std", "std", "Res", "Exit", "exit", "Return", "Command", "Process",
    "[File", "[Open", "[Curr", "[Comm", "(", "Here's", "Wall time", "Chunk ID", "Original token",
)  # fmt: skip
_ENDS = (
    "</", "<ret", "<exit", "Exit", "exit", "Return", "EXIT", "[Comm", "[Proc", "[The", "[Pyth", "[Jup", "[Curr",
    "[Open", "(", "bash-$",
)  # fmt: skip
# Tags that are as likely the root of somebody's XML: a wrapper's only beside a status or a label.
_AMBIGUOUS = frozenset(("result", "system", "error", "content"))
_MOST_LINES = 8
_WIDEST = 400  # characters of a wrapper line
# A harness that cuts a long output says so in front of what is left, and where the middle was.
_WARNING = "<warning>\n"
_WARNED = "</warning>"
_LONGEST_WARNING = 1000
MIDDLE = pattern(r"\n</output_head>\n<elided_chars>\n([^\n<]{1,80})\n</elided_chars>\n<output_tail>\n")

Fact = tuple[str, str, str]  # name, what the line says, the line itself


class Wrapper:
    """A text's wrapper: the output is ``text[start:end]``; ``head`` and ``tail`` are the lines around it."""

    __slots__ = ("end", "head", "start", "tail")

    def __init__(self, start: int, end: int, head: list[Fact], tail: list[Fact]) -> None:
        """``head`` and ``tail`` in the order of the text."""
        self.start = start
        self.end = end
        self.head = head
        self.tail = tail

    def facts(self) -> dict[str, str]:
        """Return what the wrapper says that may still hold for the next output: directory, open file, warning."""
        return {name: said for name, said, _ in self.head + self.tail if name in ("directory", "open file", "warning")}


def read(text: str) -> Wrapper:
    """Find a text's wrapper lines; without any, the output is the whole text."""
    start, end = 0, len(text)
    head: list[Fact] = []
    tail: list[Fact] = []
    while len(head) < _MOST_LINES and text.startswith(_STARTS, start):
        if text.startswith(_WARNING, start):
            stop = text.find(_WARNED, start, start + _LONGEST_WARNING)
            if stop < 0:
                break
            stop += len(_WARNED)
            head.append(("warning", text[start:stop], text[start:stop]))
            start = stop + text.startswith("\n", stop)
            continue
        stop = text.find("\n", start, start + _WIDEST)
        if stop < 0:
            break
        fact = _named(text[start:stop], _AT_START)
        if fact is None:
            break
        head.append(fact)
        start = stop + 1
    while len(tail) < _MOST_LINES and end > start:
        stop = end - 1 if text[end - 1] == "\n" else end
        at = text.rfind("\n", max(start, stop - _WIDEST), stop) + 1
        at = max(start, at)
        if not text.startswith(_ENDS, at):
            break
        fact = _named(text[at:stop], _AT_END)
        if fact is None:
            break
        tail.insert(0, fact)
        end = at
    return Wrapper(start, end, head, tail)


def unwrap(text: str) -> tuple[int, int]:
    """Return the span inside a harness's wrapper lines; the whole text when there are none."""
    wrapper = read(text)
    return wrapper.start, wrapper.end


def _named(line: str, names: tuple[str, ...]) -> Fact | None:
    for name in names:
        match = _LINES[name].match(line)
        if match is not None:
            return name, match.group(match.lastindex) if match.lastindex else "", line
    return None


def shorten(wrapper: Wrapper, body: str, standing: Mapping[str, str]) -> tuple[str, str]:
    """Return what goes before and after the output instead of its wrapper lines.

    ``standing`` holds the facts of the outputs before it: what still holds is not said again. The pair is never such
    that a status other than zero is gone. An output that is empty is said to be so.
    """
    opened = [said for name, said, _ in wrapper.head if name == "open"]
    closed = [said for name, said, _ in reversed(wrapper.tail) if name == "close"]
    cut = opened == ["output_head"] and closed == ["output_tail"] and body.count("<elided_chars>") == 1
    if cut and MIDDLE.search(body):
        opened = closed = []
    # Tags go in pairs or not at all: one left alone would be about something else. So do those inside the output.
    told = any(name in ("status", "label") for name, _, _ in wrapper.head)
    paired = opened == closed and (told or _AMBIGUOUS.isdisjoint(opened))
    paired = paired and not any(f"\n</{tag}>\n" in body for tag in opened)
    labelled = any(name == "label" for name, _, _ in wrapper.head)
    head = _kept(wrapper.head, standing, tags=not paired, zero=not labelled)
    # Behind an output, a status in words is likelier what a command was asked to print.
    tail = _kept(wrapper.tail, standing, tags=not paired, zero=True)
    if not body.strip() and not any(name in ("prompt", "other") for name, _, _ in wrapper.head):
        head.append("[no output]")
    return "".join(line + "\n" for line in head), "\n".join(tail)


def _kept(lines: list[Fact], standing: Mapping[str, str], *, tags: bool, zero: bool) -> list[str]:
    """Return what stays of wrapper lines: tags or not, a zero status in words or not, and no fact that stands."""
    kept = []
    for name, said, line in lines:
        if name in ("open", "close"):
            if tags:
                kept.append(line)
        elif name == "said status":
            if zero or said.strip("-0"):
                kept.append(line)
        elif name in ("status", "done"):
            if said.strip("-0"):
                kept.append(f"[exit {said}]")
        elif name not in ("label", "prompt") and standing.get(name) != said:
            kept.append(line)
    return kept
