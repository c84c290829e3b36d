"""Is a text a log at all? Judged by its shape; the command behind it only tips the scale.

Folding by the command alone cut source code that ``cat`` had printed.
"""

from __future__ import annotations

from headroom_cli.compressors.logs.clean import visible
from headroom_cli.compressors.logs.lines import FRAME, LEVEL, PASSED, SKIPPED, SUMMARY, TOLD_BY_TOOL, classify
from headroom_cli.compressors.logs.templates import keys_of
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Hint

_PART = 12_000  # characters looked at in the head, the middle and the tail
_CLOCK = pattern(
    r"\d\d:\d\d:\d\d|(?<![\w/.-])\d{4}[-/.]\d\d[-/.]\d\d(?=[ T,\]|-])|\[ *\d+\.\d{3,6}\]|^#\d+ (?:\d+\.\d|DONE"
    r"|CACHED|\[)"
    r"|^\[?\d{1,2}[./]\d{1,2} \d\d:\d\d"
)
_LISTED = pattern(r"[-dlbcps][rwxsStT-]{9}|\^?[0-9a-f]{7,40} (?:\S{1,200} +)?\(")  # ls -l, git blame
_SOURCE = pattern(r"(?:\[[^\]]{1,40}\] +|[\w.-]{1,40} +\| )")  # "[worker 3] ", "web_1  | "
_PLACE = pattern(r"\[?[\w./\\@+~-]{1,200}[:(]\d+(?:[:,]\d+)?[\])]?:? ")
_BUILD = pattern(
    r"\s*(?:(?:Compiling|Downloading|Downloaded|Collecting|Installing|Building|Linking|Generating|Copying|Checking"
    r"|Fetching|Resolving"
    r"|Unpacking|Preparing|Selecting|Setting up|Processing triggers|Requirement already|Using cached|Get:\d|Hit:\d"
    r"|Executing|Running|Entering|Leaving"
    r"|checking (?:for|whether|if)|configure:|libtool:|Creating|Updating|Updated|Removing|Cloning|Receiving"
    r"|Resolving deltas|Pulling|Digest:|Status:)\b"
    r"|make(?:\[\d+\])?: |g?cc |g\+\+ |clang|javac|CC +\S|LD +\S|AR +\S|CXX +\S|\[ ?\d+(?:%|/\d+)\]|Step \d+/\d+"
    r"|> Task |npm |yarn |pnpm "
    r"|##\[|::(?:error|warning|group|notice)|TASK \[|PLAY \[|ok: \[|changed: \[|fatal: \["
    r"|\S{1,200}[:(]\d+(?:[:,]\d+)?\)?: ?(?:fatal )?(?:error|warning|note|info|\w\d{3,4})\b"
    r"|(?:warning|error|note)(?:\[\w+\])?: |\[(?:INFO|WARN|ERROR|javac|echo|exec|jar)[A-Z]*\]|Picked up |Loading "
    r"|Started |Starting |Stopped |test[_ ]\S+ |\S+::\S+ )"
)
# What one tool alone writes, far from any clock: terraform, rspec, dotnet test, eslint, webpack, vite, tsc, Kubernetes
# events, morgan's access log.
_TOOL = pattern(
    r"\S{1,300}: (?:Refreshing state|(?:Still )?(?:[Cc]reating|[Dd]estroying|[Mm]odifying|[Rr]eading)\.\.\."
    r"|(?:Creation|Destruction|Modifications|Read) complete)|[\u2577\u2575]$|\u2502 (?:Error|Warning): "
    r"|  # \S{1,300} (?:will|must) be |\s{2,8}[-+~]/?[-+]? (?:resource|data) \"|\s{4,40}[-+~] [\w\"]\S{0,100} += "
    r"|\s+# \./\S{1,300}:\d+:in [`']|\s+Failure/Error: |\s+(?:expected|got): +\S|\s+Failed \S{1,300} \["
    r"|\s+(?:Error Message|Stack Trace):$|(?:Expected|Actual): +\S|\s+\d+:\d+ +(?:error|warning) +\S"
    r"|\S{1,300}:\d+:\d+ - (?:error|warning) |(?:ERROR|WARNING) in \S"
    r"|\s*(?:(?:cacheable |orphan |runtime )?modules by path |assets by |asset \S{1,300} [\d.]+ |webpack \d)"
    r"|\s*(?:\S{1,300}/\S{1,300} +[\d.]+ (?:kB|KiB|bytes|MB)\b|vite v\d)"
    r"|(?:\S{1,60} +){0,2}(?:Normal|Warning) +[A-Z][A-Za-z]{2,40} +\S"
    r"|(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) \S{1,500} \d\d\d [\d.]+ ms\b"
)
_CODE = pattern(
    r"\s*(?:def |class |import |from \S+ import|return\b|if \(|if .*:$|for \(|function |const |let |var |public "
    r"|private |#include|package |using |fn |pub |impl |\}|//|/\*|\* |elif |else:|try:|except)"
    r"|.{0,300}[;{]$"
)
_COMMAND = pattern(
    r"\b(?:pytest|unittest|tox|nox|cargo|rustc|npm|npx|yarn|pnpm|jest|vitest|mocha|go (?:test|build|vet)|mvn\w?"
    r"|gradlew?|ant|make|cmake|ninja|bazel"
    r"|pip3?|poetry|uv|tsc|eslint|gcc|g\+\+|clang|javac|docker(?:-compose)?|podman|kubectl logs|journalctl|dmesg"
    r"|gh run|terraform|ansible\S*|apt(?:-get)?"
    r"|dotnet|phpunit|rspec|rake|bundle|xcodebuild|swift|ctest|webpack|vite|runtests|mypy|ruff|pylint|flake8"
    r"|valgrind)\b|(?<!git )\blogs?\b|\.log\b|\.out\b"
)


def _sample(text: str) -> list[str]:
    """Return up to a few hundred visible lines from the head, the middle and the tail of a text."""
    if len(text) > 3 * _PART:
        middle = len(text) // 2
        text = "\n".join((text[:_PART], text[middle : middle + _PART], text[-_PART:]))
    return [line[:300] for line in visible(text.replace("\r\n", "\n")) if line and not line.isspace()]


def share(lines: list[str]) -> tuple[float, float]:
    """Return which share of sample lines has the shape of log, build or test output, and which of code."""
    if not lines:
        return 0.0, 0.0
    shaped = 0
    code = 0
    for line in lines:
        source = _SOURCE.match(line)
        rest = line[source.end() :] if source else line
        head = line[:100]
        if _LISTED.match(line):
            continue
        if (
            _CLOCK.search(head)
            or LEVEL.search(head)
            or TOLD_BY_TOOL.match(rest)
            or _BUILD.match(rest)
            or _TOOL.match(rest)
            or classify(line) in (PASSED, SKIPPED, FRAME, SUMMARY)
        ):
            shaped += 1
        elif _CODE.match(line):
            code += 1
    return shaped / len(lines), code / len(lines)


def _known(hint: Hint) -> bool:
    """Say whether the command or file behind a text speaks of logs, builds or tests."""
    return _COMMAND.search(hint.command) is not None or hint.path.endswith((".log", ".out"))


def _repeats(lines: list[str]) -> float:
    """Return which share of lines says what another said, numbers aside, or points at a place in a file."""
    if not lines:
        return 0.0
    places = sum(_PLACE.match(line) is not None for line in lines)
    return max(1 - len(set(keys_of(lines))) / len(lines), places / len(lines))


def _delimited(lines: list[str]) -> bool:
    """Say whether the lines look like rows of a CSV or TSV file."""
    if len(lines) < 3:
        return False
    for mark in (",", "\t", ";"):
        counts = [line.count(mark) for line in lines[:40]]
        # Two columns are told from a log's one comma by the absence of words.
        enough = 2 if any(" " in line for line in lines[1:40]) else 1
        if counts[0] >= enough and sum(count == counts[0] for count in counts) >= 0.9 * len(counts):
            return True
    return False


def is_log(text: str, hint: Hint) -> bool:
    """Say whether lines may be cut out of a text as they may out of a log."""
    lines = _sample(text)
    shaped, code = share(lines)
    if shaped >= 0.06 and shaped * 2 >= code:
        return True
    return code < 0.2 and _known(hint) and _repeats(lines) >= 0.4


def sniff(text: str, hint: Hint) -> float:
    """Return the confidence, 0 to 1, that a text is a log or the output of a build or of tests."""
    lines = _sample(text)
    if not lines:
        return 0.0
    shaped, code = share(lines)
    first = lines[0].lstrip()
    if first.startswith(("diff --git", "--- a/", "@@ ", "<!DOCTYPE", "<html", "<?xml")):
        return 0.05
    if first[:1] in "{[":
        rows = [line for line in lines[:40] if line.startswith("{") and line.rstrip().endswith("}")]
        if first.startswith("{") and len(rows) >= 0.8 * min(len(lines), 40):
            told = sum('"level"' in row or '"severity"' in row or '"lvl"' in row or '"msg"' in row for row in rows)
            return 0.85 if told >= 0.8 * len(rows) else 0.1
        if first in ("{", "[", "[{") or first.startswith(('{"', "[{", '["')):
            return 0.05
    known = _known(hint)
    score = min(1.0, shaped * 1.2)
    if _delimited(lines) and not known:
        score *= 0.3
    if code > shaped:
        score *= 0.3
    if known and shaped >= 0.05:
        score = min(1.0, score + 0.25)
    elif known and code < 0.2 and _repeats(lines) >= 0.4:
        score = max(score, 0.5)
    return round(min(score, 0.97), 3)
