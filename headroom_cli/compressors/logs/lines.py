"""Say what one line of a log is: an error, a warning, a summary, a stack frame, a passed test, or just a line.

Errors are looked for in the raw line, before any masking: masking first lost 8 % of the distinct errors.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from headroom_cli.compressors.logs.runners import FAILED_DOTS, SKIP_STEMS, skips
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def word_set(words: str) -> frozenset[str]:
    """Return the words of a string."""
    return frozenset(words.split())


PLAIN, PASSED, WARNING, SUMMARY, ERROR, FRAME, GLUE, TROUBLE, SKIPPED = range(9)

# Words that make a line worth a closer look, lower-case. Searched over all distinct lines at once.
_STEMS = (
    "err", "fail", "fatal", "panic", "exception", "crit", "sever", "emerg", "abort", "assert", "denied", "refus",
    "cannot", "can't", "could not", "couldn't", "unable", "timed out", "timeout", "not found", "no such", "undefined",
    "unresolved", "not exist", "killed", "segfault", "segmentation", "core dumped", "traceback", "unhandled",
    "uncaught", "invalid", "corrupt", "exit", "status", "warn", "deprecat", "crash", "oom", "of memory", "not ok",
    "unexpected", "reject", "violation", "overflow", "deadlock", "missing", "mismatch", "unreachable", "backoff",
    "evict", "unhealthy", "http/", '"level"', "returned", "stack smashing", "sanitizer", "alert", "skip",
    "✗", "✕", "✖", "❌", "✘", "\u2a2f", "\u00d7", "⚠", "●", "bug:", "lost", "expected", "call trace", "not responding",
    "conflict", "vulnerab", "out of", "bad ", "illegal", "wrong", "down",
    "sig", "non-zero", "nonzero", "permit", "unsat", "heap-", "unus", "unsupp", "rc=", "<e", "[e]", "/e(", "degraded",
    "oops", "#pf:", "rip:", " pid: ", "unavailable", "gateway", " ms - ", "[gin]", "completed ", "hier_",
    "xpass", "not run", "[s]", "excluded", "leak", "thread", *SKIP_STEMS,
)  # fmt: skip

# What only a test runner or a compiler writes at the start of a line.
TOLD_BY_TOOL = pattern(
    r"E(?: {2,}|$)|>  +\S|> \S.*[;(){:]$|_{3,} \S.{0,300} _{3,}$|"  # pytest's report
    r"-{3,} \S{1,300} stdout -{3,}$|\s+Failed \S{1,300} \[|"  # cargo, dotnet
    r"(?:FAIL|FAILED|ERROR|XPASS|E)\b[ :/]|[EF]\d{4} \d\d:\d\d:|"  # test runners, glog
    r"test\S{1,200} [EF]$|E/\S|[EF]\(\s*\d|\*{3} |--- FAIL|not ok\b|!! |"
    r"\s*(?:[✗✕✖❌✘\u2a2f●\u00d7]|\d+\) \S|--> \S|╭─|\[FAIL\]|#\d+ 0x"
    r"|==\d+== ?(?:ERROR|Invalid|Conditional|Use of|Syscall param|Mismatched|Source and dest|Jump to|Process term"
    r"|Possible data race|Thread #\d+: |Lock order|Exiting"
    r"|[\d,]{1,20} (?:\([^)]{1,80}\) )?bytes in .{1,80} loss record)"
    r"|(?:Direct|Indirect) leak of \d|WARNING: \w{1,20}Sanitizer: )"
)
# What a linter found at a place in a file, by the code of its rule: each is one thing to mend.
_FINDING = pattern(r"[^\s:]{1,200}:\d{1,7}(?::\d{1,6})?:? \[?[A-Z]{1,5}\d{2,5}\b")
# Each distinct line with one of these words stays, whatever its template. Whole words: "crit" is in "criterion".
_ERROR_WORDS = word_set(
    "error errors errored eror fail fails failed failure failures failing fatal fatally panic panicked panics "
    "exception exceptions critical crit severe emerg emergency abort aborted aborting aborts "
    "assertion assertions segfault traceback unhandled uncaught crash crashed crashes crashing crashloopbackoff oom "
    "oomkill oomkilled oomkiller eresolve bug sigsegv sigabrt sigbus sigill sigkill nullpointerexception "
    "assertionerror oops"
)
_ERROR_PHRASES = (
    "segmentation fault",
    "core dumped",
    "stack trace",
    "out of memory",
    "not ok ",
    "call trace",
    "non-zero",
    "nonzero",
    "due to signal",
    "by signal",
    "(core dumped)",
    "stack smashing",
)
# Each of these stays once for every wording: numbers, clocks and process ids do not make a new one.
_TROUBLE_WORDS = word_set(
    "denied refused cannot couldn unresolved killed sigterm corrupt corrupted corruption unreachable rejected "
    "violation overflow deadlock evicted unhealthy backoff illegal wrong conflict vulnerability vulnerabilities "
    "unexpected degraded enoent eacces econnrefused econnreset etimedout enospc unsatisfiable undefined"
)
_TROUBLE_PHRASES = (
    "can't ", "could not", "unable to", "timed out", "not found", "no such", "not exist", "out of range",
    "out of bounds", "out of disk", "not responding", "no space left", "sanitizer", "heap-", "bad request",
    "bad gateway", "bad file", "bad address", "not permitted", "service unavailable", "gateway time", "is down",
)  # fmt: skip
_WEAK_WORDS = word_set(
    "warn warning warnings wrn deprecated deprecation deprecationwarning invalid timeout missing mismatch retry "
    "retrying skip skipped skipping skiping alert lost down expected xfail xfailed unsupported unknown unused"
)
# CamelCase names, marks and level letters: told by the raw line.
_LETTER_LEVEL = pattern(r"(?<![\w/.])[EF]/[A-Z]\w|\d [EF] [A-Z]\w+ *:")  # Android
_ERROR_FORMS = pattern(
    r"(?:Error|Exception|Failure|Failed|Fault|BackOff|Killed|Unhandled)s?(?![a-z])|UnhandledPromise|[✗✕✖❌✘\u2a2f]|[\[<(](?:E|F|ERR|err)[\])>]"
    r"|#PF: |\bRIP: |\bCPU: \d{1,5} PID: "  # a kernel that crashed
    r"|ERR!|\*\*\*(?:Timeout|Not Run)|  TIMEOUT in \d"
    r"|(?<![\w/.])[EF]/[A-Z]\w|\d [EF] [A-Z]\w+ *:|\bERR\b|\berr(?==(?!nil|null|<nil>))"
)
# Numbers that tell of failure; searched only in lines that hold one of the words before them.
_ERROR_NUMBERS = pattern(
    r"\bexit(?:ed)?(?: with)?(?: (?:code|status|value))?[ :=(]{1,3}-?[1-9]\d*\b"
    r"|\b(?:exit|status|error|return)[ _-]?(?:code|status)\W{1,3}-?[1-9]\d{0,9}\b|\brc=-?[1-9]"
    r"|\bstatus=(?!0/)\d{1,3}/[a-z]"  # systemd
    r"|http/[\d.]{1,3}\" (?:5\d\d|0{1,3})\b|(?:/[+-]?\d{1,10}){4} 5\d\d \+?\d"  # Envoy, uvicorn; HAProxy
    r"|^(?:get|post|put|patch|delete|head|options) \S{1,2000} 5\d\d [\d-]|\| +5\d\d \||\bcompleted 5\d\d\b"
    r"| 5\d\d (?:5\d\d|-) \d{1,12} \d{1,12} \"|/5\d\d \d{1,12} [a-z]{3,7} "  # load balancers, Squid
    r"|\" 5\d\d (?:\d|-)|\bstatus(?:_?code)?\"?[=:] ?\"?5\d\d\b|\"level\": ?(?:[5-9]0|\"(?:error|fatal|critical)\")"
)
_WEAK_NUMBERS = pattern(
    r"(?:\"|/\d{1,9}) 4\d\d (?:\d|-)|http/[\d.]{1,3}\" 4\d\d\b|\"level\": ?40|\bstatus(?:_?code)?\"?[=:] ?\"?4\d\d\b"
)
_NUMBERED = ("exit", "code", "status", "rc=", '"level"', "http/", " ms - ", "[gin]", "completed 5", "hier_")
# What uses such words and tells of nothing wrong (lower-case). Taken out before the second look.
_BENIGN = pattern(
    r"-w(?:no-)?error\S{0,60}|(?<![a-z])(?:fail|failed|failing|failures?|errors?) 0\s*$"
    r"|(?<![^\s(\[,;])(?:0|no|zero|without)(?: \w{1,20})? (?:error|failure|exception|failed"
    r"|failing|warning|fail|conflict|vulnerabilit|skip)\w{0,7}\b"
    r"|(?<![a-z])(?:errors?|failures?|failed|fail|exceptions?|skipped|warnings?|crashed|aborted|rejected|timeouts?"
    r"|conflicts?|unreachable|lost|dropped"
    r"|missing|err)\"?(?: ?[:=] ?|: {1,3})\"?(?:0(?![\d.x])|none\b|null\b|nil\b|<nil>|false\b|\[\]|\{\}|\"\")"
    r"|(?<![a-z])error[-_ ]?(?:handl\w{0,4}|pages?|logs?|prone|reporting|reports?|chain|boundar\w{1,3}"
    r"|codes?(?= *0\b)|checking|free)\b"
    r"|(?<![a-z])fail[-_ ]?(?:over|safe|fast|on)\w{0,3}\b|(?<![a-z])on[-_ ](?:error|failure)\b|/errorreport:\w{1,20}"
    r"|(?<![a-z])ignor(?:e|ed|ing)[- _]?errors?\b"
    r"|(?:error|fail|exception|assert|panic|abort|crash|warn|timeout|fatal|invalid|missing|conflict"
    r"|unknown)[\w-]{0,60}"
    r"\.(?:c|cc|cpp|o|lo|h|hpp|js|mjs|ts|tsx|py|pyc|rs|go|java|class|rb|html?|css|md|xml|json|php|cs|dll|so|whl|gz"
    r"|deb|proto|kt|swift|scala)\b(?![:(]\d)"
)
_BENIGN_FORMS = pattern(
    r"(?:Error|Exception|Failure|Failed|Fault)s?[\w-]{0,60}\.(?:c|cc|cpp|o|h|hpp|js|ts|py|rs|go|java|class|rb|md|cs"
    r"|kt|swift|scala|dll)\b(?![:(]\d)"
    r"|/errorreport:\w{1,20}|\b(?:Failures?|Errors?|Failed|Exceptions?): 0(?![\d.])"
    r"|(?<![^\s(\[,;])0 (?:Error|Failure|Exception|Failed)s?(?:\(s\))?"
)
_WORD = pattern(r"[a-z]+")
# Numbers beside words: they may decide ("0 errors", "exit code 1"), so lines that differ in them are judged apart.
_BESIDE = pattern(r"(?<=[A-Za-z\"])[\s:=(\"]{1,4}-?(\d+)(?!\w)|(?<![\w.:,-])(\d+) (?=[A-Za-z])")
_LEVEL_NUMBER = pattern(r"\"level\": ?\d")
# Where access logs write the status: behind the quoted request, behind HAProxy's timers, behind a bare request
# (morgan), in a column (gin), before the sizes (load balancers), behind the cache's verdict (Squid), in words (Rails).
_STATUSES = (
    pattern(r"\" (\d)(?:\d\d)?(?= |$)"),
    pattern(r"(?:/[+-]?\d{1,10}){4} (\d)\d\d "),
    pattern(r"^[A-Z]{3,7} \S{1,2000} (\d)\d\d "),
    pattern(r"\| +(\d)\d\d \|"),
    pattern(r" (\d)\d\d (?:\d\d\d|-) \d{1,12} \d{1,12} \""),
    pattern(r"/(\d)\d\d \d{1,12} [A-Z]{3,7} "),
    pattern(r"\bCompleted (\d)\d\d\b"),
)
_DECIDED = word_set(
    "error errors fail failed failure failures exception exceptions warning warnings skipped crashed aborted "
    "unreachable exit exited code status rc lost dropped missing timeouts rejected conflicts vulnerabilities"
)
_PASSED = pattern(
    r"\s*(?:[✓✔√☑]|\[ +OK +\] |\[ RUN +\] |\[ok\]|test\S{0,200} ok$|--- PASS|=== (?:RUN|PAUSE|CONT|NAME)\b"
    r"|\s+Passed \S{1,300} \[|PASS(?:ED)?\b[ :]|ok \d+\b|ok  ?\t"
    r"|\[gw\d+\] \[ *\d+%\] PASSED |\(pass\) |\* test .{1,300} \([\d.]+ms\)(?: \[L#\d+\])?$)"
    r"|(?:[\w./\\:-]{1,200}\.\w{1,5} )?(?:[.sx]{2,200}|(?=[^. ]{0,200}\.\.)[.sxXSIRWDN*,]{2,200})$"
    r"|(?:[\w./\\:-]{1,200}\.\w{1,5} )?[.sxXSIRWDN*,]{1,200}(?: +\[ *\d+%\]| +\d+ */ *\d+ \( *\d+%\))$"
    r"|\[?(?:(?:INFO|WARN|WARNING)\]? +)?Tests run: \d+, Failures: 0, Errors: 0, .{0,80}(?:-- in | - in )"
)
# The same at the end of a line, looked for in its last characters only.
_PASSED_END = pattern(
    r"(?:\bPASSED(?: +\[ *\d+%\])?|\.\.\. ok|\.\.\. PASS(?:ED)?|\.{3} *Passed +[\d.]+ sec"
    r"|' passed \([\d.]+ seconds\)\.?|\bPASSED in [\d.]+m?s|\.\.+ ok(?: \(\d+m?s\)| +\d+ m?s)?"
    r"|\| PASS \||\) (?:\[OK\]|✔)"
    r"| OK +[\d.]+ ?s"
    r"|\.\.\.+ ?\[ ?(?:OK|PASSED|PASS) ?\])\s*$"
)
_FRAME = pattern(
    # valgrind: frames, addresses and what conflicted; the sanitizers' parts of one report
    r"==\d+==(?:  +\S| (?:This conflicts|Locks? held|Block was))"
    r"|\s+#\d{1,4} \S{1,300} (?:\S{1,300}:\d|\(\S{1,300}\+0x)"
    r"|\s*(?:As if synchronized via|Location is (?:global|heap|stack|TLS|file)|Mutex M\d|Thread T\d+ .{0,200}created by"
    r"|(?:Previous )?(?:[Aa]tomic )?(?:READ|WRITE|[Rr]ead|[Ww]rite) of size \d)"
    r"|(?:freed|previously allocated|allocated) by thread T\d+ here:|0x[0-9a-f]{4,16} is located "
    r"|(?:\S{1,40} )?(?:"  # "[ERROR] \tat ..." and the like
    r"\s+at (?:\S+ )?\S|\s+File \"[^\"]{1,400}\", line \d|\s*\.\.\. \d+ (?:more|common frames)|Caused by: "
    r"|Suppressed: "
    r"|Traceback \(most recent call last|goroutine \d+ \[|\s+\d+: +(?:0x[0-9a-f]+ - )?\S+::\S|\s+from \S+:\d+:in "
    r"|#\d+ +0x[0-9a-f]+ in |#\d+ +\S+\(|stack backtrace:|\s+#\d+ 0x"
    r"|\s+\(\w+ [\d.]+\) \S{1,200}:\d+: |[\w./*-]{1,200}(?:\(\*\w{1,80}\))?[\w.]{0,80}\((?:0x[0-9a-f]|\.\.\.\)|\{0x))"
)
_GO_CALL = pattern(r"\s+\S+\.go:\d+(?: \+0x[0-9a-f]+)?$")
_SUMMARY = pattern(
    r"={3,} .{1,300} ={3,}$|_{3,} .{1,300} _{3,}$|-{3,} .{1,200} -{3,}$"
    r"|\s*(?:Tests?|Test Suites|Test Files|Snapshots|Ran all|Suites|Assertions|Total)\b:? +\d"
    r"|Ran \d+ |OK(?: \(|$| *\(skipped)|(?:\S{1,20} )?BUILD (?:SUCC|FAIL)|test result: |\s*\d+ (?:passing|pending"
    r"|failing|passed|failed|pass|fail|skip|todo|skipped|flaky|did not run)\b"
    r"|\d+ (?:examples?|tests?|specs?|scenarios?|steps?|warnings?|errors?|problems?|files?) |\s*(?:Warning"
    r"|Error)\(s\)"
    r"|(?:\S{1,20} )?(?:Tests run: |Total time: |Finished (?:in|at)\b|Finished [`a-z(]|BUILD |Reactor Summary)"
    r"|added \d+ packages?|Successfully (?:installed|built|tagged|uninstalled)"
    r"|Apply complete|Plan: |PLAY RECAP|Build succeeded|Time Elapsed|TOTAL\b|\s*(?:Finished|Compiled|Built"
    r"|Completed) .{0,100}\bin [\d.]+ ?m?s"
    r"|Process completed|.{0,40}\bok=\d+ +changed=\d+|# (?:tests|pass|fail|suites|skipped|todo)\b|1\.\.\d+$|DONE \d+"
    r"|✨|audited \d+"
)
LEVEL = pattern(
    r"(?<![A-Za-z])(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL|CRITICAL|SEVERE)(?![A-Za-z])"
    r"|(?i:\blevel\"?[=:] ?\"?|[\[<|] ?)((?i:trace|debug|info(?:rmation)?|notice|warn(?:ing)?|error|fatal"
    r"|critical))\b"
)
# A line that was logged as an error tells of one, whatever was skipped for it.
_ALARMED = pattern(r"(?:^|[\s\[<(|])(?:ERROR|FATAL|CRITICAL|SEVERE|PANIC)(?:[\s\]>):|]|$)")
_EMPTY = pattern(r"==\d+==[ -]*$")  # valgrind's blank line
_LETTER = pattern(r"[^\W_]|[✗✕✖❌✘\u2a2f●]")
# The head of one failing test in a report: its own message belongs to it, told before or not.
FAILING = pattern(
    r"_{3,} \S.{0,300} _{3,}$|\s*(?:FAIL(?:ED)?:? |--- FAIL|not ok |\d+\) \S|● \S|[✗✕✖✘\u00d7] )"
    r"|\s*\d{1,6}/\d{1,6} Test {1,8}#?\d{1,6}: .{1,200}\*\*\*(?:Failed|Exception|Timeout|Not Run)"
    r"|ERROR: test|thread '.{0,200}' panicked at |-{3,} \S{1,300} stdout -{3,}$|\s+Failed \S{1,300} \[|FAIL\t"
)
# What was expected and what came: belongs to the failure above it.
DETAIL = pattern(r"\s*(?:[-+] ?)?(?:left|right|expected|received|actual|got|want|but was)\b ?:?", re.IGNORECASE)
# What stands below an error at its own indentation and is part of it: a place, a line of a code frame, its database.
BELONGS = pattern(
    r"\s*(?:> ?)?\d{1,6} \| |\s*(?:at |--> |\u276f |@ )?[\w./\\@+~-]{1,200}\.\w{1,5}[:(]\d+(?:[:,]\d+)?\)?:?$"
    r"|[^A-Z]{0,100}(?:[A-Z]{2,5} [^A-Z]{0,60})?(?:DETAIL|HINT|CONTEXT|STATEMENT|QUERY): "
)
# What this program wrote itself: a gap note with its count, a marker.
NOTED = pattern(r"\[\.\.\. (\d{1,12}) lines?(?:: [^\]\n]{1,240})?\]$")
_MARKER = "<<headroom:"


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
    if not _LETTER.search(line) or (line[:2] == "==" and _EMPTY.match(line)):
        return GLUE
    if line.startswith("[... ") and NOTED.match(line):
        return GLUE
    if line.startswith(_MARKER):
        return ERROR
    if skips(line, line.lower() if stem else ""):
        return ERROR if _ALARMED.search(line) else SKIPPED
    if _PASSED.match(line) or _PASSED_END.search(line[-40:]):
        return PASSED
    if _FRAME.match(line) or _GO_CALL.match(line):
        return FRAME
    if TOLD_BY_TOOL.match(line) or FAILED_DOTS.match(line):
        return ERROR
    if line[0] not in " \t0123456789[" and _FINDING.match(line):
        return TROUBLE
    if not stem:
        if _LETTER_LEVEL.search(line, 0, 80):
            return ERROR
        return SUMMARY if _SUMMARY.match(line) else PLAIN
    low = line.lower()
    kind = _kind(line, low)
    if kind in (ERROR, TROUBLE, WARNING):
        cleared = _BENIGN.sub(" ", low)
        if cleared != low:
            # The raw line is needed for its forms only; a benign line has its words in file names and counters.
            kind = _kind("" if _ERROR_FORMS.search(line) is None else _BENIGN_FORMS.sub(" ", line), cleared)
    if kind in (PLAIN, WARNING) and _SUMMARY.match(line):
        return SUMMARY
    return kind


def _kind(line: str, low: str) -> int:
    """Return ERROR, TROUBLE, WARNING or PLAIN for a line and its lower-case form."""
    words = set(_WORD.findall(low))
    if not words.isdisjoint(_ERROR_WORDS) or _ERROR_FORMS.search(line):
        return ERROR
    for phrase in _ERROR_PHRASES:
        if phrase in low:
            return ERROR
    numbered = any(word in low for word in _NUMBERED)
    if numbered and _ERROR_NUMBERS.search(low):
        return ERROR
    if not words.isdisjoint(_TROUBLE_WORDS):
        return TROUBLE
    for phrase in _TROUBLE_PHRASES:
        if phrase in low:
            return TROUBLE
    if not words.isdisjoint(_WEAK_WORDS) or "\u26a0" in low or (numbered and _WEAK_NUMBERS.search(low)):
        return WARNING
    return PLAIN


def decisive(line: str) -> Callable[[str], object] | None:
    """Return what gives the numbers of a line that could make it an error or not, None when no number could.

    "0 errors" and "3 errors", "exit code 0" and "exit code 1", a status of 200 and one of 503 are the same line without
    their digits. Two lines with equal results are of one class.
    """
    words = set(_WORD.findall(line.lower()))
    told = next((status.findall for status in _STATUSES if status.search(line)), None)
    if _LEVEL_NUMBER.search(line) or (not _DECIDED.isdisjoint(words) and _BESIDE.search(line)):
        return _numbers if told is None else lambda text: (_numbers(text), told(text))
    return told


def _numbers(line: str) -> tuple[str, ...]:
    """Return what matters of the numbers beside words: zero or not, the first digit, how many digits."""
    return tuple(
        f"{number[0]}{len(number)}" if number.strip("0") else "0"
        for number in (before or behind for before, behind in _BESIDE.findall(line))
    )


def stemmed(lines: list[str]) -> list[int]:
    """Return for each line which stems it holds, one bit each: one pass over all lines for each stem."""
    masks = [0] * len(lines)
    low = "\n".join(lines).lower()
    starts: list[int] = []
    at = 0
    for line in low.split("\n"):
        starts.append(at)
        at += len(line) + 1
    starts.append(at + 1)
    bit = 1
    for stem in _STEMS:
        at = low.find(stem)
        while at >= 0:
            row = bisect_right(starts, at) - 1
            masks[row] |= bit
            at = low.find(stem, starts[row + 1])
        bit <<= 1
    return masks
