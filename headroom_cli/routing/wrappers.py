"""What agent harnesses put around an output: a status, tags, the directory, a prompt; and how to say it in one line.

A wrapper line is recognised by a pattern anchored at both ends, and only at the start and the end of a text. What the
lines say stays readable: a status that is not zero, a directory or file that has not been named since it changed, a
line that this table does not know. Tags around the whole output, a zero status and an empty prompt say nothing; nor
does how many lines of a file are above and below a view, beside its line numbers and the file's length.
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
    # The window of an editor: which lines it shows, their numbers say as well.
    "view": pattern(r"\[File: ([^()\]\n]{1,300} \(\d{1,7} lines total\))\]" + _END),
    "above": pattern(r"\((\d{1,7}) more lines? above\)" + _END),
    "below": pattern(r"\((\d{1,7}) more lines? below\)" + _END),
    "prompt": pattern(r"(bash-\$)" + _END),
    "done": pattern(
        r"\[(?:Command finished|Process exited|The command completed) with (?:exit )?code:? ?(-?\d{1,4})\.?\]" + _END
    ),
    "other": pattern(
        r"(?:(\[(?:File|Command|Python [Ii]nterpreter|Jupyter current)[^\]\n]{0,300}\])"
        r"|Here's the result of running `[^`\n]{1,40}` on [^\n]{1,300}:"
        r"|Wall time: [\d.]{1,12} (?:seconds|s|ms)|Chunk ID: \w{1,20}|Original token count: \d{1,9})" + _END
    ),
}  # fmt: skip
_AT_START = ("status", "open", "label", "said status", "directory", "open file", "view", "above", "other")
_AT_END = ("status", "close", "said status", "directory", "open file", "prompt", "done", "below", "other")
# What an editor advises after each change: the first sentence tells what was done, the rest is said once.
_ADVICE = pattern(
    r"((?:File (?:updated|edited|created)|Text (?:replaced|inserted))\.) Please review the changes[^.]{1,200}\."
    r"(?:\s{1,2}Edit the file again if necessary\.)?"
    r"|Review the changes and make sure they are as expected[^.]{0,200}\.(?:\s{1,2}Edit the file again if necessary\.)?"
)
_ADVISES = ("File updated.", "File edited.", "File created.", "Text replaced.", "Text inserted.", "Review the changes ")
_FIRST = pattern(r"\s{0,9}(\d{1,7}):")
# How such lines begin: most texts have none, and are spared the patterns (1 ms each to compile).
_STARTS = (
    "<ret", "<exit", "<out", "<std", "<res", "<func", "<tool", "<sys", "<err", "<cont", "<bash", "<local", "<comm",
    "<obs", "<warning", "OBS", "Obs", "Out", "STD", "Std", "std", "Res", "Exit", "exit", "Return", "Command", "Process",
    "File ", "Text ", "[File", "[Open", "[Curr", "[Comm", "(", "Here's", "Wall time", "Chunk ID", "Original token",
)  # fmt: skip
_ENDS = (
    "</", "<ret", "<exit", "Exit", "exit", "Return", "EXIT", "[Comm", "[Proc", "[The", "[Pyth", "[Jup", "[Curr",
    "[Open", "(", "bash-$", "File ", "Text ", "Review the",
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

_STANDING = frozenset(("directory", "open file", "view", "warning", "advice"))

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
        """Return what the wrapper says that may still hold for the next output."""
        return {name: said for name, said, _ in self.head + self.tail if name in _STANDING}


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
        if text.startswith(_ADVISES, start) and (advice := _ADVICE.match(text, start)) is not None:
            stop = advice.end() + text.startswith("\r", advice.end())
            if text.startswith("\n", stop):
                head.append(("advice", advice[0], advice[0]))
                start = stop + 1
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
        if tail and text.endswith(("\n", "\n\r"), start, stop):  # an empty line parts facts: what is above must be one
            stop = stop - 1 - text.endswith("\r", start, stop)
        at = text.rfind("\n", max(start, stop - _WIDEST), stop) + 1
        at = max(start, at)
        if not text.startswith(_ENDS, at):
            break
        fact = _named(text[at:stop], _AT_END)
        if fact is None:
            at, fact = _advice_before(text, start, stop)
        if fact is None:
            break
        tail.insert(0, fact)
        end = at
    return Wrapper(start, end, head, tail)


def _advice_before(text: str, start: int, stop: int) -> tuple[int, Fact | None]:
    """Return where an editor's advice begins that ends a text, and the fact."""
    stop -= text.endswith("\r", start, stop)
    for words in _ADVISES:
        at = text.rfind(words, max(start, stop - _WIDEST), stop)
        if at >= 0 and (at == start or text[at - 1] == "\n") and (found := _ADVICE.fullmatch(text, at, stop)):
            return at, ("advice", found[0], found[0])
    return stop, None


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
    known = _derivable(wrapper, body, standing)
    # Tags go in pairs or not at all: one left alone would be about something else. So do those inside the output.
    told = any(name in ("status", "label") for name, _, _ in wrapper.head)
    paired = opened == closed and (told or _AMBIGUOUS.isdisjoint(opened))
    paired = paired and not any(f"\n</{tag}>\n" in body for tag in opened)
    labelled = any(name == "label" for name, _, _ in wrapper.head)
    head = _kept(wrapper.head, known, tags=not paired, zero=not labelled)
    # Behind an output, a status in words is likelier what a command was asked to print.
    tail = _kept(wrapper.tail, known, tags=not paired, zero=True)
    if not body.strip() and not any(name in ("prompt", "view", "other") for name, _, _ in wrapper.head):
        head.append("[no output]")
    return "".join(line + "\n" for line in head), "\n".join(tail)


def _derivable(wrapper: Wrapper, body: str, standing: Mapping[str, str]) -> Mapping[str, str]:
    """Return what need not be said: what stands, and of a view what its head and its line numbers say."""
    view = next((said for name, said, _ in wrapper.head if name == "view"), "")
    first = _FIRST.match(body)
    if not view or first is None:
        return standing
    known = dict(standing)
    path, _, length = view.rpartition(" (")
    if any((name, said) == ("open file", path) for name, said, _ in wrapper.tail):
        known["open file"] = path
    known["above"] = str(int(first[1]) - 1)
    rows = body.rstrip()
    last = _FIRST.match(rows, rows.rfind("\n") + 1)
    if last is not None:
        known["below"] = str(int(length.partition(" ")[0]) - int(last[1]))
    return known


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
        elif name in ("label", "prompt"):
            continue
        elif standing.get(name) != said:
            before = standing.get(name, "")
            path, _, length = said.rpartition(" (")
            # The same file, longer or shorter since.
            again = name == "view" and before.rpartition(" (")[0] == path
            kept.append(f"[{length[:-1]}]" if again else line)
        elif name == "advice" and (words := _ADVICE.match(said)) is not None and words[1]:
            kept.append(words[1])
    return kept
