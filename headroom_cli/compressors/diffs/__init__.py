"""Diffs: changed lines verbatim, less context under headers that are true, tool-written files as counts.

Every hunk that is still written as a patch is taken by ``git apply``: of the context, one line on each side stays and
the numbers in the header are those of what is there. Lockfiles, generated, minified and vendored files, recorded data
and deleted files become one note each; a section of which something is missing no longer looks like a patch.
"""

from __future__ import annotations

from headroom_cli.compressors.diffs import choose, colour, paths, render, write
from headroom_cli.compressors.diffs.parse import firsts_of, sections
from headroom_cli.model import FAITHFUL, LOSSY, Compressor, Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.diffs.choose import Plan
    from headroom_cli.compressors.diffs.parse import Section
    from headroom_cli.model import Hint, Want

# In these forms a line holds old and new words; its first column says nothing.
_WORDS = ("--word-diff", "--color-words", "--colour-words")
# Tokens of a tool-written section from which on even a conversation does without it.
_SAFE = 2000


def sniff(text: str, hint: Hint) -> float:
    """Return the confidence that a text is a diff or has one in it."""
    del hint
    head = text[:200_000]
    if "\x1b[" in head:
        head = colour.plain(head)
    head = "\n" + head
    git = "\ndiff --git " in head or "\ndiff --cc " in head or "\ndiff --combined " in head
    hunks = "\n@@ -" in head or "\n@@@ -" in head
    if git and hunks:
        return 0.97
    if hunks and "\n--- " in head and "\n+++ " in head:
        return 0.95
    return 0.8 if git else 0.0


def compress(text: str, want: Want) -> Draft | None:
    """Return the shorter diff, or None when there is nothing to gain or nothing that is surely a diff."""
    if "@@ -" not in text and "diff --git " not in text:
        return None
    if any(option in want.hint.command for option in _WORDS):
        return None
    newline = "\r\n" if "\r\n" in text and text.count("\r\n") == text.count("\n") else "\n"
    raw = text.split(newline)
    end = ""
    if not raw[-1]:
        raw.pop()
        end = newline
    lines, found = raw, sections(raw, firsts_of(raw))
    if "\x1b[" in text:
        lines = colour.plain(text).split(newline)[: len(raw)]
        read = sections(lines, firsts_of(lines))
        found = colour.trusted(read, raw)
        trusted = set(map(id, found))
        raw = colour.readable(raw, lines, found, [section for section in read if id(section) not in trusted])
    if not found or want.spent():
        return None
    # Without colours the lines are the text: a second copy of a large diff is not worth its memory.
    faithful = newline.join(raw) + end if "\x1b[" in text else text
    draft = Draft(faithful, FAITHFUL) if len(faithful) < len(text) else None
    if want.lossless:
        return draft
    safe = want.level == "safe" and want.budget is None
    made = _safe(found, lines, want) if safe else choose.plans(found, lines)
    if want.spent():
        return None
    if want.budget is not None or want.level == "max":
        from headroom_cli.compressors.diffs import budget

        out, tally = budget.fit(made, lines, raw, want, newline)
    else:
        tally = write.Tally()
        out = render.render(made, lines, raw, tally, numbers=True, short_ids=not safe)
    missing = tally.missing()
    if end:
        out.append("")
    del lines, raw, found, made  # of a large diff three times what is written
    short = newline.join(out)
    if not missing or len(short) >= len(faithful):
        return draft
    return Draft(short, LOSSY, missing)


def _safe(found: list[Section], lines: list[str], want: Want) -> list[Plan]:
    """Return the plans of a conversation: only large lockfiles and minified files are told as a note."""
    made = []
    for section in found:
        plan = choose.Plan(section)
        made.append(plan)
        if section.certain and len(section.hunks) and section.git in ("", "diff --git"):
            kind = choose.kind_of(section, lines)
            if kind in (paths.LOCK, paths.MINIFIED):
                text = "\n".join(lines[section.start : section.end])
                if want.count(text) >= _SAFE:
                    plan.how, plan.kind = "note", kind
    return made


COMPRESSOR = Compressor(
    "diffs",
    ("diff",),
    sniff,
    compress,
    "diffs: changed lines verbatim, less context under true headers, lockfiles and generated files as counts",
)
