"""What writers themselves set apart: remarks in brackets and between dashes, side clauses, openings before a comma.

A writer who puts words in brackets says that the sentence stands without them. With the brackets, dashes and commas
taken away, telling those words from the rest teaches which phrases a sentence can spare, from any text.
"""

import re

FEWEST, MOST = 8, 70  # words of a sentence
LONGEST = 16  # words of a remark
OPENING = 6  # words before a first comma
SHARE = (0.04, 0.6)  # of a sentence that may be remarks
MAIN = 0.95  # label of the words outside
_DASHES = {"-", "--", "\u2013", "\u2014"}
_SIDE = re.compile(
    r"(?:which|who|whose|where|whereas|while|although|though|since|because|so|however|therefore|then|thus|too|instead"
    r"|respectively|perhaps|namely|indeed|usually|typically|normally|generally|especially|particularly|including|such"
    r"|e\.g\.|i\.e\.|for|as|in|at|by|with|like|unlike|but|and|or|if|unless|when|after|before|of|even|just|given|using"
    r"|making|being|based|according|depending|regardless|much)",
)
_FIRM = frozenset(("if", "unless", "when", "before", "after", "but", "and", "or", "so", "by", "with", "at"))


def marked(words):
    """Return (words without the marks, label per word) of a sentence, None when nothing in it is set apart."""
    if not FEWEST <= len(words) <= MOST:
        return None
    labels, plain = [MAIN] * len(words), list(words)
    _between(words, labels, plain)
    _behind_commas(words, labels, plain)
    kept = [(word, label) for word, label in zip(plain, labels, strict=True) if word]
    spared = sum(label < MAIN for _, label in kept)
    if len(kept) < FEWEST or not SHARE[0] <= spared / len(kept) <= SHARE[1]:
        return None
    return [word for word, _ in kept], [label for _, label in kept]


def _between(words, labels, plain):
    """Find what stands in brackets or between dashes."""
    opened = dash = -1
    for at, word in enumerate(words):
        if word.startswith("(") and opened < 0:
            opened = at
        if opened >= 0 and ")" in word:
            if at - opened < LONGEST and (opened > 0 or at + 1 < len(words)):
                for inside in range(opened, at + 1):
                    labels[inside] = 0.0
                plain[opened] = plain[opened].removeprefix("(")
                plain[at] = plain[at].replace(")", "")
            opened = -1
        if word in _DASHES:
            if dash >= 0 and 1 < at - dash <= LONGEST:
                for inside in range(dash, at + 1):
                    labels[inside] = 0.0
                plain[dash] = plain[at] = ""
                dash = -1
            else:
                dash = at
    if dash > 0 and 1 < len(words) - dash <= LONGEST:  # from a dash to the end
        for inside in range(dash, len(words)):
            labels[inside] = min(labels[inside], 0.3)
        plain[dash] = ""


def _behind_commas(words, labels, plain):
    """Find openings before a first comma, and side clauses behind one; conditions count as less spare."""
    commas = [at for at, word in enumerate(words) if word.endswith(",")]
    if commas and commas[0] < OPENING and words[0].lower().rstrip(",") not in _FIRM:
        for inside in range(commas[0] + 1):
            labels[inside] = min(labels[inside], 0.15)
        plain[commas[0]] = plain[commas[0]].rstrip(",")
        commas = commas[1:]
    for number, at in enumerate(commas):
        first = at + 1
        if first >= len(words) or not _SIDE.fullmatch(words[first].lower().rstrip(",")):
            continue
        last = commas[number + 1] if number + 1 < len(commas) else len(words) - 1
        if not 1 <= last - first < LONGEST:
            continue
        firm = words[first].lower() in _FIRM
        for inside in range(first, last + 1):
            labels[inside] = min(labels[inside], 0.6 if firm else 0.15)
        plain[at] = plain[at].rstrip(",")
        if plain[last].endswith(","):
            plain[last] = plain[last].rstrip(",")
