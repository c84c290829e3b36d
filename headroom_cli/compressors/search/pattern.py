"""What was searched for: the words that a pattern on a command line must have matched.

The pattern itself is never run: it is somebody's, and some take exponential time.
"""

from __future__ import annotations

from headroom_cli.lazy import pattern
from headroom_cli.rank import terms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Want

_WORD = pattern(r"(?:'[^']{0,2000}'|\"(?:[^\"\\]|\\.){0,2000}\"|[^\s'\"|;&<>\\]|\\.){1,2000}|[|;&<>]{1,2}|['\"\\]")
_QUOTED = pattern(r"'([^']{0,2000})'|\"((?:[^\"\\]|\\.){0,2000})\"")
_PROGRAMS = frozenset(("rg", "ripgrep", "grep", "egrep", "fgrep", "zgrep", "ag", "ack", "ugrep", "pcregrep", "rga"))
# Options of rg and grep whose value is a word of its own; those of a pattern are looked at apart.
_VALUED = frozenset(("-g", "-t", "-T", "-A", "-B", "-C", "-m", "-f", "-d", "-D", "-M", "-j", "-E", "--glob", "--type",
                     "--iglob", "--max-count", "--context", "--file", "--encoding", "--include", "--exclude",
                     "--max-columns", "--color", "--colors", "--sort", "--threads", "-r", "--replace"))  # fmt: skip
_GREP_FLAGS = frozenset(("-E", "-r"))  # without a value in grep
_TOKEN = pattern(r"\\[a-zA-Z](?:\{[^}]{0,40}\})?|\[[^\]]{0,100}\][*+?]?|\(\?[a-zA-Z:=!<-]{1,6}|[^\W_]\?|\W")
_RUN = pattern(r"\w{2,}")
_ALTERNATIVES = pattern(r"\\?\|")
_COMMON = frozenset(
    ("and", "are", "can", "continue", "does", "find", "for", "from", "get", "has", "have", "how", "look", "output",
     "please", "see", "show", "that", "the", "this", "was", "what", "when", "where", "which", "who", "why", "with",
     "you")
)  # fmt: skip


def searched(command: str) -> str:
    """Return the pattern that the last search of a command line looks for, "" when there is none to be seen."""
    if not command:
        return ""
    words = _WORD.findall(command[:4000])
    found = ""
    at = 0
    while at < len(words):
        name = words[at].rpartition("/")[2]
        at += 1
        if name not in _PROGRAMS:
            continue
        plain = name not in ("grep", "egrep", "fgrep", "zgrep")
        value = ""
        while at < len(words) and words[at][0] not in "|;&<>":
            word = words[at]
            at += 1
            if word in ("-e", "--regexp") or (
                not plain and word.startswith("-") and word[-1:] == "e" and word[1] != "-"
            ):
                value = words[at] if at < len(words) else ""
                break
            if word.startswith(("--regexp=", "-e")) and len(word) > 2:
                value = word.partition("=")[2] or word[2:]
                break
            if word == "--":
                value = words[at] if at < len(words) else ""
                break
            if word.startswith("-"):
                at += word in _VALUED and (plain or word not in _GREP_FLAGS)
                continue
            value = word
            break
        if value:
            found = value
    return _QUOTED.sub(lambda match: match[1] or match[2] or "", found)


def literals(regex: str) -> list[str]:
    """Return one lower-case literal for each alternative of a regular expression: what every match of it holds."""
    out: list[str] = []
    for part in _ALTERNATIVES.split(regex)[:20]:
        runs = _RUN.findall(_TOKEN.sub(" ", part))
        if runs:
            out.append(max(runs, key=len).lower())
    return out


def wanted(want: Want) -> tuple[list[str], list[str]]:
    """Return the literals of the search and the telling words of the question, lower-case, at most 20 of each."""
    asked = [word for word in dict.fromkeys(terms(want.question[:20_000])) if len(word) > 2 and word not in _COMMON]
    return literals(searched(want.hint.command)), asked[:20]
