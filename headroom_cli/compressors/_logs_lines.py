"""Say what one line of a log is: an error, a warning, a summary, a stack frame, a passed test, or just a line.

Errors are looked for in the raw line, before any masking: masking first lost 8 % of the distinct errors.
"""

from __future__ import annotations

import re
from bisect import bisect_right

PLAIN, PASSED, WARNING, SUMMARY, ERROR, FRAME, GLUE, TROUBLE = range(8)

# Words that make a line worth a closer look, lower-case. Searched over all distinct lines at once.
_STEMS = (
    "err", "fail", "fatal", "panic", "exception", "crit", "sever", "emerg", "abort", "assert", "denied", "refus",
    "cannot", "can't", "could not", "couldn't", "unable", "timed out", "timeout", "not found", "no such", "undefined",
    "unresolved", "not exist", "killed", "segfault", "segmentation", "core dumped", "traceback", "unhandled",
    "uncaught", "invalid", "corrupt", "exit", "status", "warn", "deprecat", "crash", "oom", "of memory", "not ok",
    "unexpected", "reject", "violation", "overflow", "deadlock", "missing", "mismatch", "unreachable", "backoff",
    "evict", "unhealthy", "http/", '"level"', "returned", "stack smashing", "sanitizer", "alert", "skip",
    "✗", "✕", "✖", "❌", "✘", "⨯", "×", "⚠", "●", "bug:", "lost", "expected", "call trace", "not responding",
    "conflict", "vulnerab", "out of", "bad ", "illegal", "wrong", "down", "rc=", "<e", "[e]", "/e(", "degraded",
)  # fmt: skip

# What only a test runner or a compiler writes at the start of a line.
TOLD_BY_TOOL = re.compile(
    r"E(?: {2,}|$)|>  +\S|> \S.*[;(){:]$|"  # pytest's report
    r"(?:FAIL|FAILED|ERROR|XPASS|E)\b[ :/]|[EF]\d{4} \d\d:\d\d:|"  # test runners, glog
    r"test\S{1,200} [EF]$|E/\S|[EF]\(\s*\d|\*{3} |--- FAIL|not ok\b|!! |\? |"
    r"\s*(?:[✗✕✖❌✘⨯●×]|\d+\) \S|--> \S|╭─|\[FAIL\]|#\d+ 0x|==\d+==\s?(?:ERROR|Invalid|Conditional|Use of))"
)
# Each distinct line with one of these stays, whatever its template.
_ERROR = re.compile(
    r"(?<![A-Za-z])(?i:errors?|err!|err(?=[=:\]\" ])|errored|eror|erro|fail(?:s|ed|ures?|ing)?|fatal(?:ly)?|panic(?:ked|s)?"
    r"|exceptions?|critical|crit|severe|emerg(?:ency)?|abort(?:ed|ing|s)?|assert(?:ion)?s?|segfault|segmentation fault"
    r"|core dumped|traceback|stack trace|unhandled|uncaught|crash(?:ed|es|ing|loopbackoff)?|oom(?:[ -]?kill\w*)?"
    r"|out of memory|not ok|call trace|bug:|eresolve)"
    r"(?![A-Za-z])"
    r"|[a-z0-9](?:Error|Exception|Failure|Failed|Fault|Errors|BackOff|Killed)(?![a-z])"
    r"|(?i:\bexit(?:ed)?(?: with)?(?: (?:code|status|value))?[ :=(]+-?[1-9]\d*\b)"
    r"|(?i:\b(?:exit|status|error|return)[ _-]?code\W{1,3}-?[1-9]\d{0,9}\b)|\brc=-?[1-9]"
    r"|\" 5\d\d (?:\d|-)|(?i:\bstatus(?:_?code)?\"?[=:] ?\"?5\d\d\b)|\"level\": ?(?:[5-9]0|\"(?:error|fatal|critical)\")"
    r"|[✗✕✖❌✘⨯]|[\[<(/](?:E|F|ERR|err)[\])(>]"
)
# Each of these stays once for every wording: numbers, clocks and process ids do not make a new one.
_TROUBLE = re.compile(
    r"(?i)(?<![a-z])(?:denied|refused|cannot|can't|couldn't|could not|unable to|timed out|not found|no such"
    r"|undefined (?:reference|symbol|method|variable|is)|unresolved|not exist|killed|sig(?:kill|segv|abrt|bus|term)"
    r"|corrupt(?:ed|ion)?|out of (?:range|bounds|disk|space)|unreachable|stack smashing|rejected|violation|overflow|deadlock"
    r"|evicted|unhealthy|backoff|not responding|heap-\w{1,30}|\w{1,30}sanitizer|no space left|illegal|wrong|conflict"
    r"|vulnerabilit(?:y|ies)|unexpected|degraded|bad (?:request|gateway|file|address))(?![a-z])"
)
_WEAK = re.compile(
    r"(?i)(?<![a-z])(?:warn(?:ings?)?|wrn|deprecat\w{0,8}|invalid|timeout|missing|mismatch|retry(?:ing)?|skipp?(?:ed|ing)?|"
    r"alert|lost|down|expected|xfail(?:ed)?|unsupported|unknown|unused)(?![a-z])|⚠|\" 4\d\d (?:\d|-)|\"level\": ?40"
    r"|\bstatus(?:_?code)?\"?[=:] ?\"?4\d\d\b"
)
# What uses such words and tells of nothing wrong. Taken out before the search.
_BENIGN = re.compile(
    r"(?i)-w(?:no-)?error\S{0,60}|\b(?:0|no|zero|without)(?: \w{1,20})? (?:error|failure|exception|failed|failing|warning|fail|conflict|vulnerabilit|skip)\w{0,7}\b"
    r"|\b(?:errors?|failures?|failed|fail|exceptions?|skipped|warnings?|crashed|aborted|rejected|timeouts?|conflicts?|unreachable|lost|dropped|missing)\"?(?: ?[:=] ?|: {1,3})"
    r"\"?(?:0(?![\d.x])|none\b|null\b|nil\b|false\b|\[\]|\{\}|\"\")"
    r"|(?:^|\s)0 (?:errors?|failed|failures?)\b|\berror[-_ ]?(?:handl\w{0,4}|pages?|logs?|prone|reporting|reports?|chain|boundar\w{1,3}|codes?(?= *0\b)|checking|free)\b"
    r"|\bfail[-_ ]?(?:over|safe|fast|on)\w{0,3}\b|\bon[-_ ](?:error|failure)\b|/errorreport:\w{1,20}|\bignor(?:e|ed|ing)[- _]?errors?\b"
    r"|[\w-]{0,40}(?:error|fail|exception|assert|panic|abort|crash|warn|timeout|fatal|invalid|missing|conflict|unknown)[\w-]{0,60}\.(?:c|cc|cpp|o|lo|h|hpp|js|mjs|ts|tsx|py|pyc|rs|go|java|class|rb|html?|css|md|xml|json|php|cs|dll|so|whl|gz|deb|proto|kt|swift|scala)\b(?![:(]\d)"
)
# Whether a number decides between error and not: such lines are judged one by one, not by their template.
_DIGITS_DECIDE = re.compile(
    r"(?i)\b\d+ (?:\w{1,20} )?(?:error|fail|exception|warn|vulnerab|skip|conflict)"
    r"|(?:errors?|failures?|failed|fail|exceptions?|skipped|crashed|aborted|unreachable|exit\w{0,2}|code|status|value|rc|ret|level|lost|dropped|missing|timeouts?|rejected|warnings?|conflicts?)\"?[\s:=(]{1,3}\"?-?\d"
    r"|\" \d{3} "
)
_PASSED = re.compile(
    r"\s*(?:[✓✔√☑]|\[ +OK +\] |\[ RUN +\] |\[ok\]|test\S{0,200} ok$|--- PASS|=== (?:RUN|PAUSE|CONT|NAME)\b|PASS(?:ED)?\b[ :]|ok \d+\b|ok  ?\t"
    r"|\[gw\d+\] \[ *\d+%\] PASSED )"
    r"|(?:[\w/\\:-]{1,60}\.\w{1,5} )?[.sx]{2,200}(?: +\[ *\d+%\])?$"
    r"|\[?(?:INFO\]? +)?Tests run: \d+, Failures: 0, Errors: 0, .{0,80}(?:-- in | - in )"
)
# The same at the end of a line, looked for in its last characters only.
_PASSED_END = re.compile(
    r"(?:\bPASSED(?: +\[ *\d+%\])?|\.\.\. ok|\.\.\. PASS(?:ED)?|\.{3} *Passed +[\d.]+ sec|' passed \([\d.]+ seconds\)\.?"
    r"|\.\.\.+ ?\[ ?(?:OK|PASSED|PASS) ?\])\s*$"
)
_FRAME = re.compile(
    r"(?:\S{1,40} )?(?:"  # "[ERROR] \tat ..." and the like
    r"\s+at (?:\S+ )?\S|\s+File \"[^\"]{1,400}\", line \d|\s*\.\.\. \d+ (?:more|common frames)|Caused by: |Suppressed: "
    r"|Traceback \(most recent call last|goroutine \d+ \[|\s+\d+: +(?:0x[0-9a-f]+ - )?\S+::\S|\s+from \S+:\d+:in "
    r"|#\d+ +0x[0-9a-f]+ in |#\d+ +\S+\(|stack backtrace:|\s+#\d+ 0x)"
)
_GO_CALL = re.compile(r"\s+\S+\.go:\d+(?: \+0x[0-9a-f]+)?$")
_SUMMARY = re.compile(
    r"={3,} .{1,300} ={3,}$|_{3,} .{1,300} _{3,}$|-{3,} .{1,200} -{3,}$"
    r"|\s*(?:Tests?|Test Suites|Test Files|Snapshots|Ran all|Suites|Assertions|Total)\b:? +\d"
    r"|Ran \d+ |OK(?: \(|$| *\(skipped)|(?:\S{1,20} )?BUILD (?:SUCC|FAIL)|test result: |\s*\d+ (?:passing|pending|failing|passed|failed)"
    r"|\d+ (?:examples?|tests?|specs?|scenarios?|steps?|warnings?|errors?|problems?|files?) |\s*(?:Warning|Error)\(s\)"
    r"|(?:\S{1,20} )?(?:Tests run: |Total time: |Finished (?:in|at)\b|Finished [`a-z(]|BUILD |Reactor Summary)|added \d+ packages?|Successfully (?:installed|built|tagged|uninstalled)"
    r"|Apply complete|Plan: |PLAY RECAP|Build succeeded|Time Elapsed|TOTAL\b|\s*(?:Finished|Compiled|Built|Completed) .{0,100}\bin [\d.]+ ?m?s"
    r"|Process completed|.{0,40}\bok=\d+ +changed=\d+|# (?:tests|pass|fail|suites|skipped|todo)\b|1\.\.\d+$|DONE \d+|✨|audited \d+"
)
LEVEL = re.compile(
    r"(?<![A-Za-z])(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL|CRITICAL|SEVERE)(?![A-Za-z])"
    r"|(?i:\blevel\"?[=:] ?\"?|[\[<|] ?)((?i:trace|debug|info(?:rmation)?|notice|warn(?:ing)?|error|fatal|critical))\b"
)
_LETTER = re.compile(r"[^\W_]|[✗✕✖❌✘⨯●]")
OURS = re.compile(r"\[\.\.\. \d+ lines?(?::[^\]\n]{1,120})?\]$|<<headroom:[^\n]{1,120}>>$")


_LONG = 4000  # characters; a longer line is judged by its head and tail and a few plain words
_PLAIN_ALARMS = ("error", "exception", "fatal", "panic", "failed", "failure", "traceback")


def classify(line: str, *, stem: bool = True) -> int:
    """Return the class of one raw line. ``stem`` is False when the line is known to hold none of the stems."""
    if len(line) > _LONG:
        if stem:
            low = line.lower()
            if any(word in low for word in _PLAIN_ALARMS):
                return ERROR
        line = f"{line[: _LONG - 500]} {line[-500:]}"
    if not _LETTER.search(line):
        return GLUE
    if OURS.match(line):
        return SUMMARY
    if _PASSED.match(line) or _PASSED_END.search(line[-40:]):
        return PASSED
    if _FRAME.match(line) or _GO_CALL.match(line):
        return FRAME
    if TOLD_BY_TOOL.match(line):
        return ERROR
    if not stem:
        return SUMMARY if _SUMMARY.match(line) else PLAIN
    cleared = _BENIGN.sub(" ", line)
    if _ERROR.search(cleared):
        return ERROR
    if _TROUBLE.search(cleared):
        return TROUBLE
    if _SUMMARY.match(line):
        return SUMMARY
    return WARNING if _WEAK.search(cleared) else PLAIN


def digits_decide(line: str) -> bool:
    """Say whether a number in this line could make it an error or not ("0 errors", "exit code 1")."""
    return _DIGITS_DECIDE.search(line) is not None


def stemmed(lines: list[str]) -> bytearray:
    """Mark the lines that hold one of the stems: one pass over all of them for each stem."""
    marks = bytearray(len(lines))
    low = "\n".join(lines).lower()
    starts: list[int] = []
    at = 0
    for line in low.split("\n"):
        starts.append(at)
        at += len(line) + 1
    for stem in _STEMS:
        at = low.find(stem)
        while at >= 0:
            row = bisect_right(starts, at) - 1
            marks[row] = 1
            if row + 1 >= len(starts):
                break
            at = low.find(stem, starts[row + 1])
    return marks
