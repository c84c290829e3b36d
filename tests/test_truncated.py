"""Notices of what somebody else cut: found where they stand, and not in ordinary text."""

import pytest

from headroom_cli.compressors import _truncated


@pytest.mark.parametrize(
    "line",
    [
        "[18909 characters elided]", "... [312 lines truncated] ...", "<response clipped>",
        "[... Observation truncated due to length ...]", "\u2026123 tokens truncated\u2026",
        "[... omitted 12 of 400 lines ...]", "... [CONTENT TRUNCATED] ...", "(output truncated after 30000 characters)",
    ],
)  # fmt: skip
def test_notices_are_found(line):
    assert _truncated.notice(f"def f():\n    return 1\n{line}\nrest\n") == 22
    assert _truncated.notice(line) == 0


@pytest.mark.parametrize(
    "text",
    [
        "", "x = truncated(1)\n", "# the name is truncated to 8 characters\n", "raise ValueError('omitted')\n",
        "The rest was elided.\n", "x" * 200 + " truncated",
    ],
)  # fmt: skip
def test_other_text_is_not(text):
    assert _truncated.notice(text) == -1


def test_the_first_one_counts():
    assert _truncated.notice("a\n[2 lines omitted]\n[9 lines truncated]\n") == 2
