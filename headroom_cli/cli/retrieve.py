"""``headroom retrieve``: an original by its handle, or a whole document as it was before compression."""

from __future__ import annotations

import re

from headroom_cli.cli import filters, io, report
from headroom_cli.cli.options import OUTPUT, Argument, Verb
from headroom_cli.errors import FormatError, HeadroomError, NotFoundError, UsageError
from headroom_cli.lazy import pattern
from headroom_cli.settings import Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from headroom_cli.settings import Settings

# The grammar of handles; nothing else is ever looked up, so nothing from outside becomes a path.
HANDLE = pattern(r"[a-z2-7]{12,52}", re.ASCII)
SLICES = ("lines", "rows", "grep", "query", "area")


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Print an original, or expand standard input."""
    handle = own.get("handle", "")
    slices = {name: own[name] for name in SLICES if own.get(name)}
    if own.get("expand") == "true" or not handle:
        if slices:
            raise UsageError(f"--{next(iter(slices))} cuts one original; name its handle")
        return _expand(settings, handle or "-")
    if not HANDLE.fullmatch(handle):
        raise UsageError(f"{handle[:60]!r} is not a handle; copy the 12 or more letters after <<headroom: in a marker")
    from headroom_cli import engine

    data = engine.fetch(filters.open_store(settings), handle, **slices)
    if slices and not data:
        raise NotFoundError(f"nothing in {handle} matches {_asked(slices)}; ask for something else")
    io.write(data)
    return 0


def _expand(settings: Settings, file: str) -> int:
    """Write the document before compression. With an unknown handle, what could be given back, and status 1."""
    if status := filters.refuse_terminal(VERB, file):
        return status
    data = io.Source(file).read()
    try:
        from headroom_cli import engine

        expanded, unknown = engine.expand(data, filters.open_store(settings), form=settings.format)
    except FormatError:
        raise
    except HeadroomError as error:
        io.write(data)
        report.error(str(error))
        return error.status
    except Exception as error:  # noqa: BLE001 - a document must come out, whatever breaks; the status tells
        io.write(data)
        report.bug(error, "so the input went through unchanged")
        return HeadroomError.status
    io.write(expanded)
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        raise NotFoundError(f"no original for {unknown[0]}{more}; name the store it was kept in with --store")
    return 0


def _asked(slices: Mapping[str, str]) -> str:
    """Return the flags as they were given."""
    return " ".join(f"--{name} {text[:60]!r}" for name, text in slices.items())


VERB = Verb(
    "retrieve",
    run,
    about="print an original by its handle, or expand a whole document",
    text="""
        With a HANDLE from a marker, prints the original byte for byte, or the parts of it that the flags ask for;
        several flags narrow one after the other. Numbers count from 1, both ends belong to a range, either may be
        left out.

        Without one, or with --expand and a FILE, reads a document that crush wrote and writes it as it was before.
    """,
    arguments=(Argument("handle", "the handle in a marker; with --expand a file, - or nothing for standard input"),),
    flags=("format", "store", "quiet", "verbose", "no_color", "json", "strict"),
    own=(
        Setting("expand", ("--expand",), "", "switch", "", "expand a document instead of printing one original"),
        Setting("lines", ("--lines",), "", "text", "A:B", "print these lines alone"),
        Setting("rows", ("--rows",), "", "text", "A:B", "print these elements of the outermost array, or data lines"),
        Setting("grep", ("--grep",), "", "text", "RE", "print the lines that match this regular expression"),
        Setting("query", ("--query",), "", "text", "TEXT", "print the lines that bear on this question"),
        Setting("area", ("--area",), "", "text", "X,Y,W,H", "of a picture, print this part alone, in its own pixels"),
        OUTPUT,
    ),
    examples=(
        ("headroom retrieve k3f5a2m7qx4c", "print an original"),
        ("headroom retrieve k3f5a2m7qx4c --lines 40:80", "print some of its lines"),
        ("headroom retrieve k3f5a2m7qx4c --area 0,0,400,300 > corner.png", "cut a part out of a picture"),
        ("headroom retrieve --expand < small.json > trace.json", "undo crush"),
    ),
    statuses=(
        (1, "no such handle, some handle unknown, or nothing matches"),
        (65, "the input is not what --from said"),
        (74, "the original is damaged or the store cannot be read"),
    ),
)
