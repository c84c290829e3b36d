"""Read `ls -R`: a heading per directory, its names below, a blank line behind."""

from __future__ import annotations

from headroom_cli.compressors.listings import layout
from headroom_cli.compressors.listings.paths import is_said
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.listings.layout import Run


# At most one line, and one in so many, is a heading cut off by a harness.
_CUT_OFF = 20
# Names without anything that headings, messages and paths have.
_NAMES = pattern(r"(?:\.?[\w+@~,=%#-]++(?:\.++[\w+@~,=%#-]++)*+(?:\n|\Z))++")


def is_heading(line: str) -> bool:
    """Return whether a line names a directory as `ls -R` does."""
    return (
        len(line) > 1
        and line[-1] == ":"
        and line[0] not in " \t<([{"
        and ": " not in line
        and (" " not in line or "/" in line.partition(" ")[0])
    )


def keeps_open(line: str) -> bool:
    """Return whether a line that is no name leaves its directory open: a device's row or an error of ``ls``."""
    return line[0] not in "<[(." and (": " in line or line[0] in "bcps?")


def folder_of(heading: str, slash: str) -> str:
    """Return the directory of a heading, with its slash."""
    return heading[:-1] if heading.endswith(slash + ":") else heading[:-1] + slash


def _ordinary(lines: list[str], at: int) -> list[str]:
    """Return the lines from ``at`` up to the next blank one when each of them is a name beyond doubt, else []."""
    try:
        end = lines.index("", at)
    except ValueError:
        end = len(lines)
    names = lines[at:end]
    return names if names and _NAMES.fullmatch("\n".join(names)) and "total" not in names else []


def read(lines: list[str], slash: str) -> tuple[list[Run], int]:
    """Return runs with the names of each directory, and how many lines were headings or names.

    ([], 0) for a list of paths: there the line with the colon was a title.
    """
    paths = 0
    runs: list[Run] = []
    names: list[str] | None = None  # of the directory that is open
    folder = ""
    total = 0
    blank = True  # before this line
    at = -1
    while at + 1 < len(lines):
        at += 1
        line = lines[at]
        if not line:
            names = None
            folder = ""
            blank = True
            continue
        if is_heading(line) and (blank or names is None or slash in line):
            names = []
            folder = folder_of(line, slash)
            runs.append((folder, names))
            total += 1
            if blank:  # so that no line is looked at for two headings
                below = _ordinary(lines, at + 1)
                names += below
                total += len(below)
                at += len(below)
        elif is_said(line) or slash in line[:-1]:
            # `ls -R` writes no slash inside a name: a message, or a heading that a harness cut off.
            layout.stay(runs, line)
            names = None
            if not keeps_open(line):
                folder = ""
                paths += not is_said(line)
        else:
            if names is None:
                names = []
                runs.append((folder, names))
            names.append(line)
            total += 1
        blank = False
    return (runs, total) if paths <= 1 + total // _CUT_OFF else ([], 0)
