"""How a tool shows a file: lines of the harness around it, numbers before its lines, and whether it is all of it."""

from __future__ import annotations

from headroom_cli.compressors import _numbered, _truncated
from headroom_cli.lazy import pattern

_HEADS = (
    "[File: ", "[Open file: ", "[Current directory", "<returncode>", "<exit_code>", "<output>", "<stdout>", "<file>",
    "<content>",
    "<path>", "<type>file", "<file_content", "<document", "<source>", "Here's the result of running", "OBSERVATION:",
    "Observation:",
    "Output:", "Exit code: 0", "(Open file:", "```", "Contents of ", "File: ", "==> ",
)  # fmt: skip
_TAILS = (
    "</output>", "</stdout>", "</file>", "</content>", "</file_content", "</document", "</source>", "(Open file:",
    "(Current directory:",
    "[Current working directory", "[Command finished", "[The command completed", "[Process exited",
    "[Python Interpreter",
    "Exit code: ", "exit code: ", "<returncode>", "(End of file", "```", "bash-$", "[File has", "(File has more",
)  # fmt: skip
_MORE = pattern(r"\((\d{1,7}) more lines? (?:above|below)\)")
_PATH = pattern(
    r"\[(?:File|Open file): ([^()\]\n]{1,300}?)(?: \(|\])"
    r"|Here's the result of running `[^`\n]{1,40}` on ([^\n]{1,300}):$"
    r"|<path>([^<\n]{1,300})</path>|<file_content path=\"([^\"\n]{1,300})\"|(?:Contents of |File: |==> )([^\s:]{1,300})"
)
_WRAPPER_LINES = 6
_REMINDER = "<system-reminder>"


class View:
    """A file as shown: ``lines`` without harness lines and numbers; ``start`` and ``end`` tell where they stood.

    ``numbered`` is None for plain text. ``part`` is true when the view itself says that it is not all of the file.
    ``cut`` is the row from which lines without numbers cannot be counted, because a harness left some out before.
    """

    __slots__ = ("cut", "end", "lines", "numbered", "part", "path", "start")

    def __init__(self, rows: list[str]) -> None:
        """Take the rows of a text apart."""
        self.path = ""
        self.part = False
        start, end = 0, len(rows)
        while start < min(_WRAPPER_LINES, end) and self._is_wrapper(rows[start], _HEADS):
            start += 1
        for at in range(end - 1, max(start, end - 40), -1):
            if rows[at].startswith(_REMINDER):
                end = at  # what the harness adds for the model
                break
        for _ in range(_WRAPPER_LINES):
            last = end - 1
            while last > start and not rows[last].strip():
                last -= 1
            if last <= start or not self._is_wrapper(rows[last], _TAILS):
                break
            end = last
        self.start, self.end = start, end
        inner = rows[start:end] if start or end < len(rows) else rows
        self.numbered = _numbered.strip(inner)
        self.lines = inner if self.numbered is None else self.numbered.lines
        self.cut = len(self.lines)
        if self.numbered is None:
            text = "\n".join(inner)
            at = _truncated.notice(text)
            if at >= 0:
                self.cut = text.count("\n", 0, at)
        if self.numbered is not None:
            first = next((number for number in self.numbered.numbers if number >= 0), 1)
            self.part = self.part or first > 1

    def _is_wrapper(self, row: str, known: tuple[str, ...]) -> bool:
        """Return whether a row is the harness's, and remember what it says of the file."""
        if row.startswith("("):
            more = _MORE.match(row)
            if more is not None:
                self.part = self.part or int(more.group(1)) > 0
                return True
        if not row.startswith(known):
            return False
        found = _PATH.match(row) if not self.path else None
        if found is not None:
            self.path = next(group for group in found.groups() if group).strip()
        return True
