"""The facts of a text that a later turn may use: names, paths and ids, not plain words; and its errors."""

from __future__ import annotations

import re
from itertools import chain

from headroom_cli.lazy import pattern

_RUN = pattern(r"\w[\w./-]*")
# Two pieces with a sign between: "self.field", "src/app".
_JOINED = pattern(r"\b(?=(\w+[./]\w+))")
# A word that is a name or an id, not a word of a language: inner capital, underscore inside, letters beside digits.
_NAME = pattern(
    r"\b(?:_*[A-Za-z0-9]+_\w*|[a-z]+[A-Z]\w*|[A-Z]+[a-z]+[A-Z]\w*|(?=[A-Z0-9]*\d)(?=[0-9]*[A-Z])[A-Z0-9]{4,}"
    r"|\w*[a-z]\d{2,}\w*|\w*\d[a-z]\w{3,}|\d{5,})\b"
)
_LONGEST = 200  # characters; a longer run is a blob


class Facts(dict[str, tuple[str, ...]]):
    """Runs of a text already read: the texts of one conversation share most of theirs."""

    def __missing__(self, run: str) -> tuple[str, ...]:
        """Read a run: the names in it, the pairs of its pieces, and the whole of it."""
        found: list[str] = []
        if len(run) <= _LONGEST and not (run.isalpha() and (run.islower() or run.isupper() or run.istitle())):
            found = _NAME.findall(run)
            joined = run.count(".") + run.count("/")
            if joined and not run[0].isdigit():
                found += [pair for pair in _JOINED.findall(run) if len(pair) > 4]
                if joined > 1:
                    found.append(run.rstrip("./-"))
        value = self[run] = tuple(found)
        return value

    def of(self, text: str) -> set[str]:
        """Return the facts of a text."""
        return set(chain.from_iterable(map(self.__getitem__, set(_RUN.findall(text)))))


_FAILED = pattern(
    r"returncode>(?:[1-9]|-\d)|[Ee]xit(?:ed)?(?: with)?(?: exit)? (?:code|status):? ?(?:[1-9]|-\d)|\[exit [1-9]"
    r"|Process exited with code [1-9]|\"exit_code\": ?[1-9]"
)
_EDGE = 400  # characters at either end of an output where a harness writes its status


def failed(text: str) -> bool:
    """Tell whether a harness's own words around an output say that the command failed."""
    return bool(_FAILED.search(text[:_EDGE]) or _FAILED.search(text[-_EDGE:]))


# A line that says that something went wrong, by how it begins; source code that raises an error begins otherwise.
_ERROR = pattern(
    r"^[ \t]{0,40}(?:E {2,7}\S"
    r"|(?:[\w.]{1,100}\.)?\w{0,80}(?:Error|Exception|Interrupt|Failure)(?: \[[^\]\n]{1,40}\])?:[ \n]"
    r"|FAILED[ (:]|FAIL(?:ED)?: |--- FAIL|ERROR[ :]|\[ERROR\]|[Ee]rror(?:\[\w{1,12}\])?: |ERR!|npm ERR!|[Ff]atal: "
    r"|FATAL|panic: |thread '[^'\n]{1,80}' panicked|Uncaught |Segmentation fault|make(?:\[\d{1,3}\])?: \*\*\*"
    r"|[^\s:]{1,200}: (?:command not found|No such file)|[^\s:]{1,200}:\d{1,7}(?::\d{1,6})?: (?:fatal )?error\b"
    r"|bash: [^\n]{1,200}: |\u2715|\u2717|\u2718|\u25cf [^\n]{1,200}\u203a)[^\n]{0,300}",
    re.MULTILINE,
)
_SIGNS = (
    "rror", "xception", "FAIL", "ailure", "atal", "panic", "ncaught", "fault", "not found", "No such", "***", "E  ",
    "ERR", "Interrupt", "bash: ", "\u2715", "\u2717", "\u2718", "\u25cf",
)  # fmt: skip
_MOST = 40  # distinct error lines of one turn; more of them are one failure


def errors(text: str) -> tuple[str, ...]:
    """Return the distinct error lines of an output in order, white space at their ends aside."""
    if not any(sign in text for sign in _SIGNS):
        return ()
    found: dict[str, None] = {}
    for match in _ERROR.finditer(text):
        found.setdefault(match.group().strip())
        if len(found) == _MOST:
            break
    return tuple(found)
