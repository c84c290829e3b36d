"""Write all sections as planned, and the text between them."""

from __future__ import annotations

from headroom_cli.compressors.diffs import notes, write
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.diffs.choose import Plan
    from headroom_cli.compressors.diffs.parse import Section
    from headroom_cli.compressors.diffs.write import Tally

# Git itself shortens ids to what is unique; 12 digits are for any repository of today.
_COMMIT = pattern(r"commit ([0-9a-f]{40}(?:[0-9a-f]{24})?)(?= \(|\r?$)")
_ID = 12


def render(
    made: list[Plan], lines: list[str], raw: list[str], tally: Tally, *, numbers: bool, short_ids: bool
) -> list[str]:
    """Return all lines, those between the sections included.

    ``numbers`` keeps the old numbers of hunks in sight, ``short_ids`` writes the ids of commits with 12 digits.
    """
    out: list[str] = []
    at = 0
    runs = _moves(made)
    listed = sum(runs.values()) >= write.MOVED
    listing = False
    after_patch = -1  # length of the output when a patch was its end
    for plan in made:
        section = plan.section
        if at < section.start:
            _between(raw[at : section.start], out, tally, short_ids=short_ids)
            listing = False
        at = section.end
        if listed and _is_move(section) and plan.how == "patch":
            names = f"{section.fields['rename from']} => {section.fields['rename to']}"
            run = runs.get(id(plan), 0)
            if run >= 3:
                out.append(f"[... {run} files renamed without a change, old => new:]")
                listing = True
            out.append(names if listing else f"[... renamed without a change: {names}]")
            tally.headers += section.end - section.start - 1
            after_patch = -1
            continue
        listing = False
        if plan.how == "stay":
            out += raw[section.start : section.end]
            after_patch = -1
            continue
        if section.binary:
            _binary(section, lines, out, tally)
        elif plan.how == "note":
            write.note(section, lines, out, tally, plan.kind, numbers=numbers)
        elif plan.how == "part":
            write.part(
                section,
                lines,
                out,
                tally,
                left_out=plan.left_out,
                cut=plan.cut,
                longest=plan.longest,
                numbers=numbers,
            )
        else:
            header = write.header(section, lines)
            if section.git and header[0].startswith("--- ") and after_patch >= 0 and not any(out[after_patch:]):
                # Below a hunk `git apply --recount` takes "--- a/x" for one more removed line, and below the header of
                # a rename or an empty file git takes it for that file's.
                out.append("diff -u")
            write.patch(section, header, lines, out, tally, old_numbers=numbers)
        whole = section.hunks[-1].end if section.hunks else section.body
        out += raw[whole : section.end]
        after_patch = len(out) if plan.how == "patch" and not section.binary else -1
    _between(raw[at:], out, tally, short_ids=short_ids)
    return out


def _between(raw: list[str], out: list[str], tally: Tally, *, short_ids: bool) -> None:
    """Write other text as it is, but of a commit's full id the part that names it."""
    if not short_ids:
        out += raw
        return
    for line in raw:
        match = _COMMIT.match(line) if line.startswith("commit ") else None
        if match is None:
            out.append(line)
        else:
            out.append(f"commit {match.group(1)[:_ID]}{line[match.end() :]}")
            tally.headers += 1


def _moves(made: list[Plan]) -> dict[int, int]:
    """Return id of plan -> how many files are renamed in a row from it on, for the first of each row."""
    runs: dict[int, int] = {}
    first, end = None, -1
    for plan in made:
        section = plan.section
        if not _is_move(section):
            first = None
            continue
        if first is None or end != section.start:
            first = plan
        runs[id(first)] = runs.get(id(first), 0) + 1
        end = section.end
    return runs


def _is_move(section: Section) -> bool:
    return (
        not section.hunks
        and section.certain
        and "rename from" in section.fields
        and section.fields.get("similarity index", "").rstrip("\r") == "100%"
        and "old mode" not in section.fields
    )


def _binary(section: Section, lines: list[str], out: list[str], tally: Tally) -> None:
    """Write the one line that says that a binary file changed; its bytes as base85 tell a reader nothing."""
    given = lines[section.start : section.body]
    if given[-1].startswith("Binary files "):
        special = section.fields.keys() - {"index", "new file mode", "deleted file mode"}
        kept = (
            [line for line in given if not line.startswith(("index ", "similarity index "))] if special else given[-1:]
        )
        out += kept
        tally.headers += len(given) - len(kept)
        return
    blocks = [line.rstrip("\r") for line in given if line.startswith(("literal ", "delta "))]
    state = notes.what_it_is(section)
    out.append(
        f"[... {notes.counted(len(given), 'line')} of {section.path} ({state + ', ' if state else ''}binary patch): "
        f"{', '.join(blocks)} bytes]"
    )
    tally.summarised += 1
    tally.lines += len(given)
