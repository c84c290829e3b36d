"""``headroom count``: how many tokens a text, a conversation or several files have."""

from __future__ import annotations

import json

from headroom_cli.cli import filters, io, report
from headroom_cli.cli.options import Argument, Verb
from headroom_cli.errors import FormatError, InputMissingError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from headroom_cli.cli.counted import Counted
    from headroom_cli.settings import Settings


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Count every file; what cannot be read is named, and the others are counted all the same."""
    files = own.get("file", "-").split("\0")
    if files.count("-") > 1:
        raise UsageError("standard input can be read once; name - once")
    if status := filters.refuse_terminal(VERB, "-" if "-" in files else files[0]):
        return status
    from headroom_cli.cli.counted import count

    found: list[tuple[str, Counted]] = []
    worst = 0
    for file in files:
        try:
            counted = count(io.Source(file).read(), settings.format, settings.model)
        except (FormatError, InputMissingError) as error:
            if len(files) == 1:
                raise
            report.error(str(error) if isinstance(error, InputMissingError) else f"{file}: {error}")
            worst = max(worst, error.status)
            continue
        found.append((file, counted))
        _warn(file if len(files) > 1 else "", counted, settings)
    write = _write_json if settings.json else _write_number if settings.quiet else _write
    write(found, len(files) > 1, settings)
    return worst


def _warn(file: str, counted: Counted, settings: Settings) -> None:
    """Say what the number leaves out."""
    place = f"{file}: " if file else ""
    if counted.broken >= 0:
        report.warn(f"{place}input is not UTF-8 text (byte {counted.broken:,}); the rest is counted", settings)
    if counted.media:
        many = "1 picture or file is" if counted.media == 1 else f"{counted.media:,} pictures or files are"
        report.warn(f"{place}{many} not counted: not here, or not to be read", settings)


def _write_number(found: list[tuple[str, Counted]], several: bool, _settings: Settings) -> None:  # noqa: FBT001 - one of three
    """Write the numbers alone; of several files with their names, as wc does."""
    rows = [(counted.tokens, file) for file, counted in found]
    if several:
        rows.append((sum(size for size, _ in rows), "total"))
    width = max((len(str(size)) for size, _ in rows), default=0)
    lines = [f"{size:>{width}} {report.clean(file)}\n" if several else f"{size}\n" for size, file in rows]
    io.write("".join(lines).encode("utf-8", "backslashreplace"))


def _write(found: list[tuple[str, Counted]], several: bool, settings: Settings) -> None:  # noqa: FBT001 - one of three
    """Write the number with what it is, then the roles of a conversation or the files."""
    from headroom_cli import tokens

    how = "counted" if tokens.is_exact() else "estimated"
    total = sum(counted.tokens for _, counted in found)
    if several:
        rows = [(f"{counted.tokens}", file) for file, counted in found]
        report.show([*rows, (f"{total}", "total")], (f"tokens, {how}", "file"), frozenset({0}), settings)
        return
    counted = found[0][1]
    io.write(f"{total} tokens, {how}\n".encode())
    if counted.roles:
        shares = [
            (role, f"{blocks}", f"{size}", f"{100 * size / (total or 1):.0f} %")
            for role, (blocks, size) in counted.roles.items()
        ]
        report.show(shares, ("role", "blocks", "tokens", "share"), frozenset({1, 2, 3}), settings)


def _write_json(found: list[tuple[str, Counted]], several: bool, _settings: Settings) -> None:  # noqa: FBT001 - one of three
    """Write one object for each file, and of several files one with their sum."""
    from headroom_cli import tokens

    estimated = not tokens.is_exact()
    rows: list[dict[str, object]] = [
        {
            "v": 1, "file": file, "format": counted.format, "model": counted.model, "tokens": counted.tokens,
            "estimated": estimated, "uncounted_media": counted.media,
            "roles": {role: {"blocks": blocks, "tokens": size} for role, (blocks, size) in counted.roles.items()},
        }
        for file, counted in found
    ]  # fmt: skip
    if several:
        total = sum(counted.tokens for _, counted in found)
        rows.append({"v": 1, "files": len(found), "tokens": total, "estimated": estimated})
    io.write("".join(json.dumps(row) + "\n" for row in rows).encode())


VERB = Verb(
    "count",
    run,
    about="count the tokens of a text, a conversation or several files",
    text="""
        Writes how many tokens the input has. Of a conversation all of it counts: tools, system prompt, calls, ids and
        JSON between them, and pictures by their size; the tokens of each role follow in a table. The number is that of
        headroom stats FILE.

        Numbers are estimates, which every report says; with --ranks and a rank file they are exact for the models that
        the file belongs to. With -q the number stands alone, so that a script can compare it. Several files come with
        their names and a total, as from wc.

        With --json, one object for each file: file, format, model, tokens, estimated, uncounted_media, roles (blocks
        and tokens of each); behind several files one with files, tokens and estimated.
    """,
    arguments=(Argument("file", "the files to count; - or nothing means standard input", several=True),),
    flags=("format", "model", "ranks", "json", "quiet", "no_color"),
    examples=(
        ("headroom count trace.json", "see how long a conversation is"),
        ("git diff | headroom count -q", "get the number alone"),
        ("test $(headroom count -q AGENTS.md) -le 2000", "fail a build when a file has grown too long"),
        ("headroom count docs/*.md", "count several files, with a total"),
    ),
    statuses=((65, "an input is not what --from said"),),
)
