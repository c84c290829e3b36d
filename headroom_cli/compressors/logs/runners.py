"""What one line of a test runner reports: how many tests passed, and which were skipped, and why.

A skipped, pending or expected failure is not a pass. A line that only starts or pauses a test is no test at all, and
the line of a suite is told apart from those of its tests: the counts in the notes are of tests.
"""

from __future__ import annotations

from headroom_cli.lazy import pattern

# Words without which no line reports a skipped test; the marks have a pattern of their own.
SKIP_STEMS = ("skip", "ignored", "pending", "todo", "xfail", "disabled", "unsupp", "unte", "expected", "no status")
_SKIP_WORDS = (*SKIP_STEMS, "xpass", "not run", "[s]", "excluded")
_MARKED = pattern(
    r"\s*(?:\u2193 [^\d\s]|\ufe63 \S|\u21a9 \S|\u2205 \S|\u2622 \S|- +\d{1,6} \[[^\]]{1,80}\] \u203a)"
    r"|[\s\u2502|]*[\u251c\u2514]\u2500 \S.{0,200} \u21b7"  # JUnit's tree
)
_SKIPPED = pattern(
    r"\s*(?:\[\w{1,8}\] +)?(?:"
    # The word first: gtest, go, automake, lit, nextest, dotnet, jest, bun, xdist, pytest's summary.
    r"--- SKIP:|\[ *SKIPPED *\] (?!\d+ tests?\b)|\[ *DISABLED *\] "
    r"|(?:SKIP|SKIPPED|XFAIL|UNSUPPORTED|UNTESTED|IGNORED): \S"
    r"|SKIP \[|SKIPPED \[\d{1,6}\] |(?:SKIPPED|XFAIL) \S{1,300}(?:::|\.py)|Skipped \S{1,300} \["
    r"|\u25cb skipped |\u270e todo |\((?:skip|todo)\) |\u279c Test |\[ *\d{1,3}%\] (?:SKIPPED|XFAIL|XPASS) "
    # TAP, node's reporters
    r"|(?:ok \d{1,7}\b|[\u2714\u2713] ).{0,400}# ?(?:SKIP|TODO|skip|todo)\b"
    r")"
)
# The word behind the name of the test.
_SKIPPED_BEHIND = pattern(
    r"\.\.\.? ?(?:skipped|ignored|SKIP(?:PED)?|expected failure)\b| \(PENDING: | !!! IGNORED !!!| \(pending\)$"
    r"|\*\*\*(?:Skipped|Not Run \(Disabled\))|(?:::|> |//|\.)\S{1,300} +(?:SKIPPED|XFAIL|XPASS|NO STATUS)\b"
    r"|\| SKIP \||' skipped (?:on |\()"
    r"|\((?:skipped|excluded)\)(?: \[L#\d{1,6}\])?$| \((?:skipped|todo): |\) \[S\](?: |$)"
    r"|^ *\d{1,6}/\d{1,6} .{1,200} (?:SKIP|EXPECTEDFAIL)  +\d"
)
_STATE = pattern(
    r"(?i)xfail|expected ?fail(?:ure)?|xpass|todo|pending|ignored|unsupported|untested|disabled|excluded"
    r"|no status|skip(?:ped)?|\[s\]|[\u2193\ufe63\u21a9\u2205\u2622\u21b7-]"
)
_LABELS = {
    "xfail": "xfailed",
    "expected failure": "xfailed",
    "expectedfail": "xfailed",
    "xpass": "xpassed",
    "\u2205": "incomplete",
    "\u2622": "risky",
    "no status": "without status",
    "todo": "todo",
    "pending": "pending",
    "ignored": "ignored",
    "unsupported": "unsupported",
    "untested": "untested",
    "disabled": "disabled",
    "excluded": "excluded",
}
# Labels that a note always says, however small its gap.
WEIGHTY = frozenset({*_LABELS.values(), "skipped", "with warnings", "with errors", "with other numbers"})
_TAIL = pattern(r"[ \t]*(?:\[ *\d{1,3}%\]|[\[(]?\d[\d.]* ?m?s(?:ec(?:onds?)?)?[\])]?\.?|\[L#\d+\])$")
_WORDS = pattern(r"(?<![\w./-])[a-z]{2,30}(?![\w/(-])")
_DIGITS = str.maketrans("", "", "0123456789")

# Dots: pytest, unittest, PHPUnit, rspec, minitest; behind a file, before the share that is done, or alone.
_DOTS = pattern(
    r"(?:[\w./\\:-]{1,200} )?([.sxXSIRWDN*,]{1,200})(?:(?: +\[ *\d{1,3}%\])|(?: +\d{1,7} */ *\d{1,7} \( *\d{1,3}%\)))?$"
)
_DOT_LABELS = {
    "s": "skipped", "S": "skipped", "x": "xfailed", "X": "xpassed", "I": "incomplete", "R": "risky", "*": "pending",
    ",": "skipped", "W": "with warnings",
}  # fmt: skip
FAILED_DOTS = pattern(
    r"(?:[\w./\\:-]{1,200} )?(?=[^FE ]{0,200}[FE])(?:(?=[^. ]{0,200}\.)[.sxXSIRWDN*,FE]{2,200}$"
    r"|[.sxXSIRWDN*,FE]{1,200}(?: +\[ *\d{1,3}%\]| +\d{1,7} */ *\d{1,7} \( *\d{1,3}%\))$)"
)
_RUN = pattern(r"Tests run: (\d{1,9}), Failures: 0, Errors: 0(?:, Skipped: (\d{1,9}))?")
_IN_FILE = pattern(r" \((?:(\d{1,7}) tests?|(\d{1,7}))(?: \| (\d{1,7}) skipped)?\)")
_STEP = pattern(r"=== |\[ RUN")
_SUITE = pattern(r"PASS +(?!\[)\S")
_PACKAGE = pattern(r"ok  ?\t")
_OK = pattern(r"ok \d|\[ {0,2}OK {0,2}\] |\[ok\]|.{0,400}(?:\.\.\. ok|\[ ?OK ?\])\s*$")
_TESTED = pattern(r"[Tt]est|\S{1,200} \(\S{1,300}\) \.\.\. ok|\S{1,300}::")
_DONE = pattern(
    r"[\u2713\u2714\u221a\u2611] +(?:\d[\d,.]* modules|Container|Network|Volume|Image|Service|Compiled|Generating"
    r"|Collecting|Linting|Finalizing|Ready)\b"
)


def skips(line: str, low: str) -> bool:
    """Say whether a line reports one test that was skipped, is pending or failed as expected."""
    if _MARKED.match(line):
        return True
    return any(word in low for word in _SKIP_WORDS) and bool(_SKIPPED.match(line) or _SKIPPED_BEHIND.search(line))


def _state(line: str) -> tuple[str, str]:
    """Return the label of a skipped test, and what stands behind the word."""
    found = _SKIPPED.match(line) or _SKIPPED_BEHIND.search(line) or _MARKED.match(line)
    if found is None:  # mocha's and Pest's marks, known by their summary
        return ("todo" if line.lstrip().startswith("\u2026") else "skipped"), ""
    said = found[0]
    words = _STATE.findall(said)
    word = words[-1].lower() if words else ""
    return _LABELS.get(word, "skipped"), line[found.end() :]


def reason(line: str) -> str:
    """Return under which words a skipped test is told: its state and why, without numbers and its own name."""
    label, rest = _state(line)
    if line.lstrip().startswith(("SKIPPED [", "XFAIL ", "SKIPPED ")):  # pytest's summary: a place, then why
        rest = rest.partition(": " if ": " in rest else " - ")[2]
        return f"{label} in all: {rest}".translate(_DIGITS)
    if _MARKED.match(line) or not rest:
        rest = line.partition("\u2192")[2] + line.partition("\u21b7")[2]
    elif not _SKIPPED_BEHIND.search(line) and "#" not in line:
        # What follows the word is the name, unless it reads as a sentence.
        rest = rest if len(_WORDS.findall(rest)) > 1 else ""
    return f"{label}: {_TAIL.sub('', rest)}".translate(_DIGITS)


def skipped_label(line: str) -> str:
    """Return the word under which a skipped test is counted."""
    return _state(line)[0]


def passed_labels(line: str) -> tuple[list[tuple[str, int]], bool]:
    """Return what a line of passed tests counts, and whether all lines that differ from it in digits count the same."""
    bare = line.lstrip()
    if _STEP.match(bare):
        return [], True
    found = _RUN.search(line)
    if found:
        left_out = int(found[2] or 0)
        return [("passed", int(found[1]) - left_out), ("skipped", left_out)], False
    found = _DOTS.match(line)
    if found:
        dots = found[1]
        labels: dict[str, int] = {}
        for mark in set(dots):
            label = _DOT_LABELS.get(mark, "passed")
            labels[label] = labels.get(label, 0) + dots.count(mark)
        return list(labels.items()), True
    if bare[:1] in "\u2713\u2714\u221a\u2611":
        if _DONE.match(bare):
            return [], True
        found = _IN_FILE.search(line) if "." in line else None
        if found:
            left_out = int(found[3] or 0)
            return [("passed", int(found[1] or found[2]) - left_out), ("skipped", left_out)], False
        return [("passed", 1)], True
    if _SUITE.match(bare):
        return [("suites passed", 1)], True
    if _PACKAGE.match(bare):
        return [("packages passed", 1)], True
    if _OK.match(bare) and not _TESTED.match(bare):
        return [("ok", 1)], True
    return [("passed", 1)], True
