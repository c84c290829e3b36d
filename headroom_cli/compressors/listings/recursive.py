"""Read `ls -R`: a heading per directory, its names below, a blank line behind."""

from __future__ import annotations

from headroom_cli.compressors.listings import layout
from headroom_cli.compressors.listings.paths import is_said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.listings.layout import Run


# At most one line in so many is a heading cut off by a harness.
_CUT_OFF = 20


def is_heading(line: str) -> bool:
    """Return whether a line names a directory as `ls -R` does."""
    return (
        len(line) > 1
        and line[-1] == ":"
        and line[0] not in " \t<([{"
        and ": " not in line
        and (" " not in line or "/" in line.partition(" ")[0])
    )


def folder_of(heading: str, slash: str) -> str:
    """Return the directory of a heading, with its slash."""
    return heading[:-1] if heading.endswith(slash + ":") else heading[:-1] + slash


def read(lines: list[str], slash: str) -> tuple[list[Run], int]:
    """Return runs with the names of each directory, and how many lines were headings or names.

    ([], 0) for a list of paths: there the line with the colon was a title.
    """
    paths = 0
    runs: list[Run] = []
    names: list[str] | None = None  # of the directory that is open
    total = 0
    blank = True  # before this line
    for line in lines:
        if not line:
            names = None
            blank = True
            continue
        if is_heading(line) and (blank or names is None):
            names = []
            runs.append((folder_of(line, slash), names))
            total += 1
        elif is_said(line) or slash in line[:-1]:
            # `ls -R` writes no slash inside a name: a message, or a heading that a harness cut off.
            layout.stay(runs, line)
            names = None
            paths += slash in line
        else:
            if names is None:
                names = []
                runs.append(("", names))
            names.append(line)
            total += 1
        blank = False
    return (runs, total) if paths <= total // _CUT_OFF else ([], 0)
