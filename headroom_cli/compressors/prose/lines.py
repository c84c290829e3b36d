"""What lines are by their looks: rules, lists of short things, sentences."""

from __future__ import annotations

from itertools import pairwise

from headroom_cli.lazy import pattern

_UNDERLINES = frozenset("=-~^\"'*+#`.:_")
_FIELD = pattern(r"\s{0,12}[\w.-]{1,40}(?: [\w.-]{1,20})?: ")
_WITHIN = pattern(r"\w[.!?\u061f\u0964][\"')\]]? {1,2}\S|[\u3002\uff01\uff1f]")
_SENTENCE = 400  # characters, about, that a sentence is long at most
_RAGGED = 12  # characters that a line may end before it had to


def is_rule(bare: str) -> bool:
    """Tell whether a stripped line is one punctuation mark repeated."""
    return len(bare) >= 3 and bare[0] in _UNDERLINES and bare.count(bare[0]) == len(bare)


def is_list(lines: list[str]) -> bool:
    """Tell lines that each say one thing from a paragraph that was broken into lines.

    Where a paragraph is broken, the next line's first word had no room any more, and sentences end within lines. Lines
    that each end like a sentence or a clause are words, too.
    """
    width = sorted(map(len, lines))[len(lines) * 9 // 10]
    broken = ended = 0
    for line, following in pairwise(lines):
        word = following.split(None, 1)[0]
        broken += len(line.rstrip()) + len(word) >= width - _RAGGED or not word.isascii()
        ended += line.rstrip()[-1:] in ".,;:!?\u3002\uff01\uff1f\u2014-" and "  " not in line.strip()
    pairs = len(lines) - 1
    within = len(_WITHIN.findall("\n".join(lines)))
    size = sum(map(len, lines))
    if not within and ended * 2 < pairs and size > _SENTENCE and "".join(lines).isascii():
        return True  # nobody speaks so long without an end
    if broken * 2 >= pairs or within * _SENTENCE >= size:
        # Fields and columns are of all lengths; what looks broken by chance still has a gap or a colon in each line.
        gaps = sum("  " in line.strip() for line in lines)
        fields = sum(_FIELD.match(line) is not None for line in lines)
        return max(gaps, fields) * 4 >= len(lines) * 3
    return ended * 2 < pairs


def reads_as_sentences(sample: str) -> bool:
    """Tell words from code by how many of the characters are marks that programs are made of."""
    marks = sum(map(sample.count, '{}[]()<>=;|\\/_$&#*+"@`:'))
    words = sample.count(" ")
    letters = len(sample) - words - sample.count("\n") - marks
    bare = sample.strip()
    ends = bare[-1:] in ".!?:,\u3002" or "." in bare
    return marks * 25 < letters and ends and not bare.startswith(("$ ", ">>> ", "% ", "# "))
