"""Which lines of a text are a program's messages, and what tools print when they begin and when they end.

Each line gets a letter: T a test's outcome, S a time stamp, F a frame of a trace, B a step of a build, D a place in a
file with something said of it, L a level, Q what is quoted below one of these, N words of trouble, "" anything else.
Literals are compared before any pattern is tried: they cost nothing to compile.
"""

from __future__ import annotations

from headroom_cli.lazy import pattern
from headroom_cli.routing import patterns

_FRAMES = (
    '  File "', "    at ", "\tat ", "Traceback (most", ' File "', "goroutine ", "Caused by", "Exception in thread",
    "panic: ", "   at ", "Stack trace:", "    #0 ", "    #1 ", "    #2 ", "    #3 ", "    #4 ", "#0 ", "#1 ", "#2 ",
    "#3 ", "#4 ",
)  # fmt: skip
# What a build, an installer, a linter prints at the start of a line, after its indent.
_STEPS = (
    "Compiling ", "Checking ", "checking ", "Updating ", "Adding ", "Removing ", "Locking ", "Creating ",
    "Generating ", "Linking ", "Scanning ", "Copying ", "Deleting ", "Total ", "Downloading ", "Downloaded ",
    "Building ", "Finished ", "Collecting ", "Requirement already", "Installing ", "Successfully ", "Using ",
    "Preparing ", "Running ", "Fetching ", "Cloning ", "Unpacking ", "Setting up ", "Reading ", "Selecting ",
    "Selected ", "g++ ", "gcc ", "cc ", "clang", "c++ ", "/usr/bin/ld", "/usr/bin/c", "/usr/bin/g", "ld: ", "npm ",
    "yarn ", "note: ", "help: ", "> Task", "> Configure", "BUILD ", "---> ", "##[", "$ ", "CC ", "LD ", "AR ", "CXX ",
    "fatal: ", "info ", "Processing ", "Found ", "-- ", "copying ", "creating ", "adding ", "running ", "remote: ",
    "added ", "removed ", "changed ", "Error", "Warning", "Exception", "In file included", "from /", "Parsing ",
    "Preprocessing ", "Searching for ", "Entering ", "Leaving ", "Loading", "Analyzing", "Analysing", "INFO", "DEBUG",
    "WARN", "ERROR", "FATAL", "==> ", "ok: [", "changed: [", "failed: [", "skipping: [", "fatal: [", "TASK [", "PLAY ",
    "asset ", "modules by path", "config.status:", "configure: ", "Restored ", "Restoring ", "Project ", "Skipping ",
    "Done ", "Writing ", "writing ", "reading ", "loading ", "building ", "build ", "Looking ", "Resolving ",
    "Resolved ", "Connecting ", "Pulling ", "Pulled ", "Pushed ", "Sending ", "Removing intermediate", "Starting ",
    "Started ", "Stopping ", "Stopped ", "Waiting ", "Executing ", "Bundling ", "Optimizing ", "Transforming ",
    "Suppressed ", "warning: ", "error: ", "warn ", "Notice: ", "Hit:", "Ign:", "Get:", "Unable to ", "Cannot ",
    "Failed ", "Could not ", "Refreshing ", "Epoch ", "Type-checking", "LaTeX ", "Package ", "Overfull ", "Underfull ",
    "! ", "l.", "make: ", "make[", "gmake", "ninja: ", "Note: ", "\u2714 ", "\u2717 ", "Possible candidates",
    "Inspecting ", "%Warning", "%Error", "Run-time dependency ", "Compiler for ", "Configuring ", "Build targets in ",
    "Auto-merging ", "CONFLICT (", "Downloading: ", "Downloaded: ", "T E S T S", "::error ", "::warning ",
    "::notice ", "::group::", "::endgroup::", "::debug::", "CMake Error", "CMake Warning",
)  # fmt: skip
_STEPS_FROM = {first: tuple(step for step in _STEPS if step[0] == first) for first in {step[0] for step in _STEPS}}
_UNFINISHED = ("...", "... done", ": done", "... ok", "... yes", "... no", "... OK", " \u2026")
# A tool's first lines, or its last: seldom found in what people write, except when they quote a run.
_LOG_MARKS = (
    "Reading package lists", "Sending build context", "Buildfile: ", "MSBuild version", "Microsoft (R) Build",
    "Build started ", "This is pdfTeX", "This is XeTeX", "This is LuaHBTeX", "LaTeX2e <", "Running Sphinx",
    "Dr. Memory ", "Starting a Gradle Daemon", "> Task ", "> Configure project", "PLAY [", "PLAY RECAP",
    "Terraform will perform", "Terraform used the selected", "Plan: ", "Apply complete!", "Initializing the backend",
    "Determining projects to restore", "checking for ", "checking whether ", "Scanning dependencies of", "npm warn ",
    "npm WARN ", "npm ERR! ", "npm error ", "yarn install v", "yarn run v", "Lockfile is up to date",
    "Requirement already satisfied", "Running with gitlab-runner", "Started by user ", "Program received signal",
    "Exception in thread ", "panic: ", "goroutine ", "execve(", "+++ exited with ", "sending incremental file list",
    "receiving incremental file list", "PHP Fatal error", "PHP Warning", "Epoch 1/", "Searching for include files",
    "webpack ", "vite v", "rollup v", "ninja: ", "make: ***", "make[", "Build succeeded", "Build FAILED",
    "BUILD SUCCESSFUL", "BUILD FAILED", "BUILD SUCCESS", "BUILD FAILURE", "FAILURE: Build failed",
    "Output written on ", "build succeeded", "Successfully built ", "Successfully installed ", "exit status ",
    "SUMMARY: AddressSanitizer", "SUMMARY: UndefinedBehavior", "SUMMARY: ThreadSan", "SUMMARY: LeakSan",
    "Your code has been rated", "Time Elapsed ", "INFO: Elapsed time", "Finished: SUCCESS", "Finished: FAILURE",
    "ERROR: Job failed", "error: could not compile", "Total number of errors", "Total number of warnings",
    "For more information about this error", "rtt min/avg/max", "Cloning into '", "remote: ",
    "[INFO] Scanning for projects", "[+] Building ", "#1 [internal]", "Step 1/", "Compilation finished",
    "compilation terminated", "Compiling ", "Linking ", "found 0 vulnerabilities", "To address all issues", "added ",
    "Inspecting ", "Parsing file ", "* What went wrong", "Segmentation fault", "Traceback (most recent call last)",
    "Analyzing: target", "==> Downloading ", "==> Installing ", "==> Pouring ", "Elapsed time", "Total time:",
    "ERROR SUMMARY: ", "\u2713 built in", "Compiled successfully", "Failed to compile", "Building configuration",
    "Updating build tree", "In deploy", "Oops", "Kernel panic", "The Meson build system", "Solving environment:",
    "Automatic merge failed", "[OK] No errors", "[ERROR] Found ", "LAST DEPLOYED: ", "Starting audit...",
    "Audit done.", "Fetching gem metadata", "Bundle complete!", "Call Trace:", "thread '",
)  # fmt: skip
_TEST_MARKS = (
    "Test Suites: ", "Test Files ", "Tests:  ", "test result: ", "FAILED (failures=", "FAILED (errors=", "--- FAIL: ",
    "--- PASS: ", "[==========]", "[  PASSED  ]", "[  FAILED  ]", "The following tests FAILED", "PHPUnit ",
    "Failed examples:", "TAP version ", "** TEST ", "# Running:", "Run options: --seed", "Failed!  - Failed:",
    "Passed!  - Failed:", "Running ExUnit", "Test Summary Report", "Result: FAIL", "Result: PASS",
    "All tests successful", "Starting test execution", "RUN  v", "\u2139 tests ", "Testing against ",
    "Creating test database", "Destroying test database", "Test Suite '", "Testing started", "Test session starts",
    "All tests passed (", "test cases: ", "FAILURES!", "Results :", "Test run for ", "Errors while running CTest",
    "Failing scenarios:", "Test run finished", "(Run Starting)", "(Run Finished)", "OK (tests=", "All specs passed",
)  # fmt: skip
_TEST_END = pattern(
    r"(?:\d{1,7} (?:examples?|specs?|tests?|runs|tests completed|(?:features?|scenarios?|steps?"
    r"|suites?)(?: passed)?), \d{1,7} |Ran \d{1,7} tests? in "
    r"|\d{1,7} (?:passing|failing|passed|failed|pending)\b|={3,} .{0,60}(?:passed|failed|finished|test session starts"
    r"|test process starts|no tests ran|short test summary info).{0,60}$|\d{1,3}% tests passed"
    r"|Executed \d{1,7} (?:of \d{1,7} )?tests?|\d{1,7} tests? (?:completed|run|passed|failed)"
    r"|Tests(?: run)?: {1,8}\d|Running \d{1,7} tests?(?: using| from)|1\.\.\d{1,6}$|OK \(\d{1,7} tests?"
    r"|Finished in \d{1,9}(?:\.\d{1,9})?s? ?(?:s|seconds?)? ?(?:\(|,|$)|Test project /|Files=\d{1,7}, Tests=\d"
    r"|(?:ok|FAIL)\s{1,4}\S{1,120}\s{1,4}(?:\d{1,6}\.\d{1,4}s|\(cached\)))"
)
_LOG_END = pattern(
    r"(?:==\d{1,7}== |(?:Resolved|Prepared|Installed|Audited|Uninstalled) \d{1,7} packages?|Found \d{1,7} errors?"
    r"|\d{1,7} (?:errors?|warnings?)(?: generated| and |,|\.|$)"
    r"|\u2716 \d{1,7} problems?|\d{1,7} problems? \(|\d{1,7} packets transmitted|total size is .{1,40} speedup"
    r"|\d{1,7} files? inspected|Finished (?:dev|release|test|`)|BUILD (?:SUCC|FAIL)"
    r"|--\d{4}-\d\d-\d\d \d\d:\d\d:\d\d--"
    r"|\*\*\* \w{1,20} \*\*\*|PING \S{1,80} \(|\*   ?Trying |Process (?:finished|exited)|Success: no issues"
    r"|\d{1,7} upgraded, \d|\*{9,} Module |Done in \d|\S{1,80} compiled (?:with|successfully)"
    r"|In \S{1,120} line \d{1,6}:$|\u2502 Error: |\S{1,100}: (?:Creating\.\.\.|Still |Creation complete"
    r"|Destroying|Destruction|Refreshing state|Modif|Read complete|Reading\.\.\.)|\d{1,7} files? deleted"
    r"|Microsoft \(R\) )"
)
_LINED = pattern(
    r".{0,160}?(?:(?:at|on|in) line \d|, line \d{1,7}[,. ]|\(at line \d|:line \d| line \d{1,7}, col)"
    r"|.{0,160}? at \S{1,120} line \d"
)
_PLACED = pattern(
    r"\s{1,8}\d{1,7}:\d{1,6}\s{1,12}(?:error|warning|info|\u2716|\u26a0|\u2139|\u00d7)|[ew]: (?:file://|/|[A-Z]:)"
    r"|[^\n:]{1,120} : (?:[\w ]{1,30} )?(?:warning|error|info) [A-Z]{1,6}\d|(?:Warning|Error|Remark|Fatal error)"
    r"\[\w{1,12}\]: |[\w./\\-]{1,120}:\d{1,7} [A-Z]{2,4}\d{3,5} |\[\S{1,150}:\d{1,7}\]: \("
    r"|[A-Z]{1,6}\d{2,5} (?:\[\*\] )?[A-Z`]"
)
_CARET = pattern(r"[ \t|\d]{0,150}[\^~][\^~\- ]{0,150}$")
# Somebody said something at a time of day: no program leaves out the seconds and names a person
_CHAT = pattern(r"\[?\d{1,2}:\d\d(?: ?[AaPp][Mm])?\]? (?:- )?<?[A-Za-z][\w .-]{0,30}>?: \S")
# Seconds since 1970 among other words: the stamp of a program that keeps it inside the line.
_EPOCH = pattern(r"(?:\S{1,40} ){0,5}1[0-7]\d{8}(?:\.\d{1,9})? \S{1,100} \S")


def is_diagnostic(line: str) -> bool:
    """Return whether a line names a place in a file and says something of it, unlike a search's match."""
    return bool(patterns.DIAGNOSTIC.match(line)) and (
        not patterns.SEARCH.match(line) or bool(patterns.MESSAGE.search(line, 0, 260))
    )


def is_noted(line: str) -> bool:
    """Return whether a line speaks of trouble."""
    low = line.lower()
    return (
        "error" in low or "warning" in low or "fail" in low or "exception" in low or "not found" in low
        or "no such file" in low or "undefined" in low or "deprecated" in low
    )  # fmt: skip


def _spoken(line: str) -> bool:
    """Return whether a line has many small words."""
    return bool(patterns.SENTENCE.search(line)) and patterns.spoken(line) > 0.9 * len(line)


# What the lines of patterns.TEST begin with, besides digits
_TEST_STARTS = frozenset("=-oF?trPTRcn[pEOSC#\u2713\u2714\u2717\u2718\u2715\u00d7\u221a\u2212")


# Substrings are looked for ten times faster than a pattern is searched for.
def _may_end_a_test(line: str) -> bool:
    return "..." in line or "ED" in line or "XFAIL" in line or "XPASS" in line or ".py " in line or line[0] in ".FEsxX"


def _may_name_a_level(line: str) -> bool:
    return (
        "INFO" in line or "WARN" in line or "ERR" in line or "DEBUG" in line or "FATAL" in line or "level=" in line
        or "TRACE" in line or "CRITICAL" in line or "NOTICE" in line or "SEVERE" in line
        or ("[" in line and ("[info]" in line or "[warn]" in line or "[error]" in line or "[debug]" in line))
    )  # fmt: skip


def _letter(line: str) -> str:
    if line.startswith(_FRAMES):
        return "F"
    if (line[0] == "[" or line[0].isdigit()) and _CHAT.match(line):
        return ""
    body = line.lstrip()
    if not body:
        return ""
    if body.startswith("> Task"):
        return "B"
    first = body[0]
    if ((first in _TEST_STARTS or first.isdecimal()) and patterns.TEST.match(line)) or (
        _may_end_a_test(line) and patterns.TEST_TAIL.search(line)
    ):
        return "t" if line.startswith(("---", "===")) else "T"
    if (not "a" <= line[0] <= "z" and patterns.STAMP.match(line)) or (" 1" in line and _EPOCH.match(line)):
        return "S"
    placed = ":" in line or "(" in line
    noted = is_noted(line)
    if placed and patterns.COMPILER.match(line):
        return "D"
    if (noted or line[0] in "ew[" or line[0].isupper() or "info" in line or "  " in line) and _PLACED.match(line):
        return "D"
    if "line " in line and _LINED.match(line):
        return "D"
    if body.startswith(_STEPS_FROM.get(body[0], ())) and len(line) - len(body) <= 12:
        # A writer's sentence may begin with the same verb.
        long = len(line) > 110 or line[-1] in ".:?"
        return "" if long and line[-1] != "'" and "..." not in line and _spoken(line) else "B"
    if line.endswith(_UNFINISHED):
        return "B"
    if body[:1] in "[#=-<>*.." and patterns.BRACKETED.match(line):
        return "B"
    if _may_name_a_level(line) and patterns.LEVEL.search(line, 0, 160):
        return "L"
    if body[:1].isdigit() or body[:1] in "[#|^~=->":
        if patterns.BUILD.match(line):
            return "B"
        if patterns.SNIPPET.match(line) and not (body[0] == "|" and body.rstrip()[-1] == "|" and body.count("|") > 2):
            return "q" if body[0] == "|" else "Q"
    if line.count(":", 0, 90) > 1 and patterns.LATE_STAMP.search(line, 0, 90):
        return "l"
    if placed and is_diagnostic(line):
        return "d"
    return "N" if noted else ""


def letters(lines: list[str]) -> list[str]:
    """Return the letter of each line; t and l are weak T and S, d is a place without a verdict."""
    found: list[str] = []
    quoted = 0
    before = ""
    known: dict[str, str] = {}
    placed = False
    for number, line in enumerate(lines):
        letter = known.get(line)
        if letter is None:
            letter = known[line] = _letter(line)
        placed = placed or letter in ("D", "B", "d")
        if letter == "q":
            letter = "Q" if placed else ""  # the bar beside a quoted line, or beside anything else
        if letter in ("", "N", "L") and before and line[0] in " \t" and quoted < 4:
            letter = "Q"  # what a message quotes, or the rest of what it says
        if letter == "Q" and number and found[-1] in ("", "N") and _CARET.match(line):
            found[-1] = "Q"
        quoted = quoted + 1 if letter == "Q" else 0
        if letter != "Q":
            before = letter if letter in ("D", "F", "d") or (letter == "B" and line[0] == "[") else ""
        found.append(letter)
    return found


def marks(lines: list[str]) -> tuple[int, int]:
    """Return how many of a text's first and last lines are a test runner's, and how many any other tool's."""
    tests = tools = 0
    for line in lines[:8] + (lines[-12:] if len(lines) > 20 else lines[8:]):
        body = line.strip()
        if body.startswith(_TEST_MARKS) or _TEST_END.match(body):
            tests += 1
        elif body.startswith(_LOG_MARKS) or _LOG_END.match(body):
            tools += 1
    return tests, tools
