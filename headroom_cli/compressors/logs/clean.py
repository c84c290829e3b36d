"""Turn raw terminal text into the lines a person would have seen: escape codes, redrawn progress, repeats.

Every step here is faithful: what it takes away was not visible, or is said in place (`` [x3]``).
"""

from __future__ import annotations

from headroom_cli.lazy import pattern

# CSI, OSC (ended by BEL or ST), DCS/PM/APC, charset selection, other two-character escapes.
# Each unbounded class stops at the next ESC, so a text of escapes alone is read once.
_ESCAPE = pattern(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ #%()*+][0-9A-Za-z@]"
    r"|[0-OQ-WYZ\\`-~])"
)
_C1 = pattern(r"\x9b[0-?]*[ -/]*[@-~]")
# "\x1b[K" wipes a line only at column one (gcc writes it after every colour change); "\x1b[2K" always does.
_WIPE = pattern(r"\r\x1b\[0?[KJ]|\x1b\[2K")
_COLUMN_ONE = pattern(r"\x1b\[[01]?G")
# Overdrawn text is gone from the screen; a state that told of an error is worth more than the screen.
_ALARM = pattern(r"(?i)(?<![a-z])(?:err(?:or|!)|fail|fatal|panic|exception)")
_TIMES = pattern(r" \[x\d{1,18}\]$")
_ALARMS_KEPT = 20  # per line: a progress bar that redraws an error a thousand times tells it once


def _backspaces(line: str) -> str:
    r"""Carry out backspaces: ``|\b/\b-`` is a spinner and leaves ``-``."""
    out: list[str] = []
    for char in line:
        if char != "\b":
            out.append(char)
        elif out:
            out.pop()
    return "".join(out)


def _overdraw(line: str) -> list[str]:
    """Return what stays of a line with carriage returns and wipes: states that told of an error, then the last one."""
    states = line.replace("\0", "\r\0").split("\r")
    final = ""
    wiped = False
    told: list[str] = []
    for state in reversed(states):
        text = state.lstrip("\0")
        if not wiped and len(text) > len(final):
            seen = text[len(final) :]
            whole = not final
            final += seen
        else:
            whole = False
        wiped = wiped or state.startswith("\0")
        if not whole and text and len(told) < _ALARMS_KEPT and _ALARM.search(text):
            text = text.rstrip()
            if text not in told and text not in final:
                told.append(text)
    told.reverse()
    return [*told, final]


def visible(text: str) -> list[str]:
    """Split a text into visible lines; the newline at its end gives no empty last line."""
    if "\x1b" in text:
        if "\0" not in text:
            text = _WIPE.sub("\0", text)
        text = _COLUMN_ONE.sub("\r", text)
        text = _ESCAPE.sub("", text)
    if "\x9b" in text:
        text = _C1.sub("", text)
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    if "\r" in text or "\b" in text or "\0" in text:
        return _redrawn(lines)
    return lines


def _redrawn(lines: list[str]) -> list[str]:
    """Carry out carriage returns, wipes and backspaces in the lines that have them."""
    out: list[str] = []
    for line in lines:
        kept = line.rstrip("\r") if line.endswith("\r") else line
        if "\b" in kept:
            kept = _backspaces(kept)
        if "\r" in kept or "\0" in kept:
            out.extend(_overdraw(kept))
        else:
            out.append(kept)
    return out


def fold(lines: list[str]) -> tuple[list[str], list[int]]:
    """Join identical neighbours; return the lines and how many each stands for. White space alone is blank.

    A text of which some line already ends as ``written`` ends a folded one is not folded: the end would say two things.
    """
    ours = any(line[-1:] == "]" and _TIMES.search(line[-24:]) is not None for line in lines)
    texts: list[str] = []
    counts: list[int] = []
    last: str | None = None
    for line in lines:
        text = line if line and not line.isspace() else ""
        if text == last and not (ours and text):
            counts[-1] += 1
        else:
            texts.append(text)
            counts.append(1)
            last = text
    return texts, counts


def written(text: str, count: int) -> str:
    """Return how a line that stands ``count`` times is written; short ones are written out, as a note costs more."""
    if count == 1 or not text:
        return text
    if len(text) < 12 and count * (len(text) + 1) <= 24:
        return "\n".join([text] * count)
    return f"{text} [x{count}]"
