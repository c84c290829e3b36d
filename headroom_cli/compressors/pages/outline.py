"""XML other than HTML: an outline in which names, attributes and texts stay and only half of the markup goes.

A feed, a test report or a build file says by its names what its texts are: ``groupId: junit``.
"""

from __future__ import annotations

from headroom_cli.compressors.pages.scan import decoded, tags
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_ATTRIBUTE = pattern(r"([^\s=\"'<>/]{1,80})\s{0,20}=\s{0,20}(?:\"([^\"]*)\"|'([^']*)')")
_DEEPEST = 24  # levels that are shown by indentation
_INDENTS = ["  " * depth for depth in range(_DEEPEST + 1)]
_LONGEST = 240  # characters of an attribute; longer ones are the paths of drawings
_COMMENT = 300  # characters; longer ones are licences and parts that are switched off
_MARKUP = ("</p>", "</a>", "</div>", "</li>", "</span>", "</h2>", "</h3>", "</td>", "</b>", "</strong>", "</em>", "<br")


class Outline:
    """The lines of an outline and what is not in them."""

    def __init__(self, text: str, page: Callable[[str], list[str]]) -> None:
        """Read a document; ``page`` gives the lines of HTML that stands in it as text."""
        self.lines: list[str] = []
        self.tags = 0
        self.comments = 0  # that are not shown
        self._page = page
        self._open: list[str] = []
        self._words: list[str] = []  # text since the last tag
        self._fresh = False  # the last line is the tag that is open, without text yet
        at = 0
        for start, end, name, after in tags(text, xml=True):
            self.tags += 1
            if start > at:
                piece = text[at:start]
                if not piece.isspace():
                    self._words.append(decoded(piece))
            at = end
            if name == "!--":
                self._flush()
                self._comment(text[after : end - 3])
            elif name == "![cdata[":
                self._words.append(text[after : end - 3])
            elif name[0] in "!?":
                continue
            elif name == "%":
                self._words.append(text[start:end])
            elif name[0] == "/":
                if self._words:
                    self._flush()
                self._close(name[1:])
            else:
                if self._words:
                    self._flush()
                self._begin(text[start + 1 : after], text[after : end - 1])
        if at < len(text) and not text[at:].isspace():
            self._words.append(decoded(text[at:]))
        self._flush()

    def _indent(self) -> str:
        return _INDENTS[min(len(self._open), _DEEPEST)]

    def _begin(self, name: str, said: str) -> None:
        empty = said.endswith("/")
        if "=" in said:
            words = [name, *map(_attribute, _ATTRIBUTE.findall(said))]
            self.lines.append(self._indent() + " ".join([word for word in words if word]))
        else:
            self.lines.append(self._indent() + name)
        self._fresh = not empty
        if not empty:
            self._open.append(name.lower())

    def _close(self, name: str) -> None:
        self._fresh = False
        # An end without a beginning closes nothing; one over others closes them too, looked for among the nearest.
        if name in self._open[-8:]:
            while self._open and self._open.pop() != name:
                pass

    def _comment(self, said: str) -> None:
        line = " ".join(said.split())
        if len(line) > _COMMENT:
            self.comments += 1
        elif line:
            self._fresh = False
            self.lines.append(f"{self._indent()}# {line}")

    def _flush(self) -> None:
        """Write the text since the last tag: behind its name when it is one line, below it when it is more."""
        if not self._words:
            return
        text = "".join(self._words)
        self._words.clear()
        if "<" in text and any(mark in text for mark in _MARKUP):
            lines = self._page(text)
        else:
            lines = [line for line in text.split("\n") if line.strip()]
        fresh, self._fresh = self._fresh, False
        if len(lines) == 1 and fresh:
            self.lines[-1] += f": {' '.join(lines[0].split())}"
        elif len(lines) == 1:
            self.lines.append(f"{self._indent()}{' '.join(lines[0].split())}")
        else:
            self.lines.extend(line.rstrip() for line in lines)


def _attribute(found: tuple[str, str, str]) -> str:
    name, value = found[0], decoded(found[1] or found[2])
    if name.startswith("xmlns"):
        return ""
    if len(value) > _LONGEST:
        value = f"{value[:40]}[... {len(value) - 40} characters]"
    return f'{name}="{value}"' if not value or " " in value or "\n" in value else f"{name}={value}"
