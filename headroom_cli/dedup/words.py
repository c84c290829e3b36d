"""References in words: what stands for lines that can be read further up.

    [40-60 as above]                    these lines of this file, by the numbers before them
    [43-63 = 40-60 above]               they had other numbers there
    [= src/app.py:12-88 above]          an output without numbers of its own, or another file
    [15 lines as above: def main(self,] lines without numbers: how many, and how the first of them begins
    [9 fields as above: user_id":"a12]  members of a JSON value, which goes on in the next line
    [9 lines as above: tests/test_dat…e_ends_well]  and how the last of them ends, where the beginning says too little

Numbers mean the newest copies of those lines of that file, above the output that the reference is in. Words mean the
newest line above that begins with them (and, that many lines on, one that ends with those), in the same output too.
"""

from __future__ import annotations

from headroom_cli.lazy import pattern

# Characters of a line that name it. Shorter ones are less telling, longer ones cost more than they tell.
ANCHOR = 14
TAIL = 12
ELLIPSIS = "\u2026"
# Rules and bullets in front of a line's first words.
_RULE = " \t\r_=-*#~+|>.<([{}])\"'`/:;,!@$%^&?\\"

_RANGE = r"\d{1,7}(?:-\d{1,7})?"
REFERENCE = pattern(
    rf"\[(?:{_RANGE} as above|(?:{_RANGE} )?= (?:[^\n]{{1,300}}:)?{_RANGE} above"
    rf"|(?:(?:{_RANGE}|\d{{1,7}} (?:lines|fields)) )?as above: [^\n]{{1,{ANCHOR + TAIL + 1}}})\]$"
)
# Gap notes on a line of their own, markers, the legend of tables: what they mean depends on where they stand.
_NOTE = pattern(r"[ \t]{0,200}(?:\[\.\.\. |\.\.\.\d|<<headroom:|\[JSON as tables)")


def notation(rows: list[str]) -> frozenset[int]:
    """Return the indexes of the lines that are references, gap notes or markers, and not lines of somebody's text."""
    reference, note = REFERENCE.match, _NOTE.match
    return frozenset(
        [
            i
            for i, row in enumerate(rows)
            if row.lstrip()[:1] in _SIGNS and (reference(row.rstrip()) is not None or note(row) is not None)
        ]
    )


_SIGNS = frozenset("[.<")


def anchor(key: str) -> str:
    """Return the words by which a line is named."""
    return key.lstrip(_RULE)[:ANCHOR].rstrip()


def span(first: int, last: int) -> str:
    """Write a range of line numbers."""
    return str(first) if first == last else f"{first}-{last}"


def by_number(own: str, other: str, file: str) -> str:
    """Refer to numbered lines: ``own`` is the range here ("" without numbers), ``file`` "" where it is the same."""
    if not file and own == other:
        return f"[{own} as above]"
    there = f"{file}:{other}" if file else other
    return f"[{own} = {there} above]" if own else f"[= {there} above]"


def tail(key: str) -> str:
    """Return the words by which the last line is named."""
    return key.rstrip(_RULE)[-TAIL:].lstrip()


def by_words(own: str, count: int, unit: str, first: str, last: str = "") -> str:
    """Refer to lines by their count and how the first begins; and how the ``last`` ends, "" to leave that out."""
    said = f"{anchor(first)}{ELLIPSIS}{tail(last)}" if last else anchor(first)
    return f"[{own or f'{count} {unit}'} as above: {said}]" if own or count > 1 else f"[as above: {said}]"
