"""Where one text is several: wrapper lines of agent harnesses, shell prompts, fences, JSON and diffs inside text.

One pass over the lines with anchored, bounded tests; every function is linear.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Lines that a harness puts around what a command printed. Anchored at both ends, gaps bounded.
_OPENING = (
    r"(?:<(?:returncode|exit_code|return_code)>-?\d{1,4}</(?:returncode|exit_code|return_code)>"
    r"|<(?:output|stdout|stderr|output_head|output_tail|result|function_results|tool_result|system|error|content)>"
    r"|(?:OBSERVATION|Observation|Output|STDOUT|Stdout|stdout|STDERR|stderr|Result):"
    r"|(?:Exit code|exit code|Return code|Exit status|Command exited with code)s?:? ?-?\d{1,4}\.?"
    r"|\[(?:File|Open file|Current directory|Command)[^\]\n]{0,300}\]|\(Open file: [^)\n]{0,300}\)"
    r"|Here's the result of running `[^`\n]{1,40}` on [^\n]{1,300}:"
    r"|\(\d{1,7} more lines? (?:above|below)\))[ \t\r]*$"
)
_CLOSING = (
    r"(?:</(?:output|stdout|stderr|output_head|output_tail|result|function_results|tool_result|system|error|content)>"
    r"|<(?:returncode|exit_code)>-?\d{1,4}</(?:returncode|exit_code)>"
    r"|(?:Exit code|exit code|Return code|Exit status|EXIT CODE)s?:? ?-?\d{1,4}\.?"
    r"|\[(?:Command finished|Process exited|The command completed|Python Interpreter|Jupyter current)[^\]\n]{0,300}\]"
    r"|\[Current working directory: [^\]\n]{0,300}\]|\(Current directory: [^)\n]{0,300}\)|\(Open file: [^)\n]{0,300}\)"
    r"|bash-\$|\(\d{1,7} more lines? (?:above|below)\))[ \t\r]*$"
)
_PROMPT = (
    r"(?:\([\w.-]{1,40}\) )?(?:[\w.-]{1,40}@[\w.-]{1,60}[: ][^\n$#]{0,120})?(?:bash-[\d.]{1,6})?[$\u276f] (?=[\w./(~])"
    r"|PS [A-Z]:\\[^>\n]{0,200}> (?=\S)|[\w.-]{1,40}@[\w.-]{1,60}:[^\n$#]{0,120}# (?=[\w./])"
)
_FENCE = r" {0,3}(`{3,20}|~{3,20})[ \t]{0,4}([\w+#.-]{0,30})[^`\n]{0,80}$"
# The heads of both: most texts have none, and are spared the patterns (1 ms each to compile; re keeps them).
_OPENING_HEADS = (
    "<return", "<exit", "<out", "<std", "<res", "<func", "<tool", "<sys", "<err", "<cont", "OBS", "Obs", "Out", "STD",
    "Std", "std", "Res", "Exit", "exit", "Return", "Command", "[File", "[Open", "[Curr", "[Comm", "(", "Here's",
)  # fmt: skip
_CLOSING_HEADS = (
    "</out", "</std", "</res", "</func", "</tool", "</sys", "</err", "</cont", "<ret", "<exit", "Exit", "exit",
    "Return", "EXIT", "[Comm", "[Proc", "[The", "[Pyth", "[Jup", "[Curr", "(", "bash-$",
)  # fmt: skip
_WRAPPER_LINES = 6
_PARTS = 200  # more boundaries than this are the shape of one text, not of several

Part = tuple[int, int, str, str]  # start, end, why, command or file name


def unwrap(text: str) -> tuple[int, int]:
    """Return the span inside a harness's wrapper lines; the whole text when there are none."""
    start, end = 0, len(text)
    for _ in range(_WRAPPER_LINES):
        line_end = text.find("\n", start, start + 400)
        if line_end < 0 or not text.startswith(_OPENING_HEADS, start) or not re.match(_OPENING, text[start:line_end]):
            break
        start = line_end + 1
    for _ in range(_WRAPPER_LINES):
        tail = end - 1 if text[end - 1 : end] == "\n" else end
        line_start = text.rfind("\n", max(start, tail - 400), tail) + 1
        if line_start <= start or not text.startswith(_CLOSING_HEADS, line_start):
            break
        if not re.match(_CLOSING, text[line_start:tail]):
            break
        end = line_start
    return start, end


_NAMED = r"\[File: ([^()\]\n]{1,300}) \(|Here's the result of running `[^`\n]{1,40}` on ([^\n]{1,300}):"


def named(text: str, end: int) -> str:
    """Return the file that the wrapper lines before ``end`` name, or ""."""
    match = re.search(_NAMED, text[: min(end, 2000)])
    return (match.group(1) or match.group(2)).strip() if match else ""


def prompts(text: str, start: int, end: int) -> int:
    """Return how many lines of a bounded sample are a shell prompt with a command."""
    head = text[start : min(end, start + 8000)]
    if "$ " not in head and "# " not in head and "> " not in head and "\u276f " not in head:
        return 0
    prompt = re.compile(_PROMPT).match
    return sum(1 for line in head.split("\n") if prompt(line[:400]))


def cut(text: str) -> list[Part]:
    """Return the parts of a text, in order, covering it; a single part when nothing divides it."""
    start, end = unwrap(text)
    parts: list[Part] = [(0, start, "wrapper", "")] if start else []
    inner = (_session if prompts(text, start, end) else _fences)(text, start, end)
    if len(inner) == 1 and inner[0][2] == "text":
        inner = _embedded(text, start, end)
    if len(inner) > _PARTS:
        inner = [(start, end, "text", "")]
    parts += inner
    if end < len(text):
        parts.append((end, len(text), "wrapper", ""))
    return parts


def _line_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the spans of lines, newline included."""
    while start < end:
        stop = text.find("\n", start, end) + 1 or end
        yield start, stop
        start = stop


def _session(text: str, start: int, end: int) -> list[Part]:
    """Cut a shell session: each prompt line, then what its command printed."""
    parts: list[Part] = []
    prompt = re.compile(_PROMPT).match
    command = ""
    open_at = start
    for at, stop in _line_spans(text, start, end):
        match = prompt(text, at, min(stop, at + 400))
        if match is None:
            continue
        if len(parts) > _PARTS:
            break
        if open_at < at:
            parts.append((open_at, at, "text", command))
        command = text[match.end() : min(stop, match.end() + 4000)].rstrip("\r\n")
        parts.append((at, stop, "prompt", command))
        open_at = stop
    if open_at < end:
        parts.append((open_at, end, "text", command))
    return parts or [(start, end, "text", "")]


_LANGUAGES = {
    "python": "x.py", "py": "x.py", "javascript": "x.js", "typescript": "x.ts", "rust": "x.rs", "bash": "x.sh",
    "shell": "x.sh", "sh": "x.sh", "console": "", "text": "", "ruby": "x.rb", "golang": "x.go", "c++": "x.cpp",
    "json": "x.json", "jsonc": "x.json", "diff": "x.diff", "patch": "x.diff", "html": "x.html", "yaml": "x.yml",
    "csv": "x.csv", "log": "x.log", "markdown": "x.md",
}  # fmt: skip


def _fences(text: str, start: int, end: int) -> list[Part]:
    """Cut out fenced blocks, the fence lines with what stands around them."""
    if "```" not in text and "~~~" not in text:
        return [(start, end, "text", "")]
    fence_line = re.compile(_FENCE).match
    parts: list[Part] = []
    open_at, fence, language = start, "", ""
    for at, stop in _line_spans(text, start, end):
        # Only a line that begins like a fence is worth a match.
        if text[at : at + 6].lstrip()[:3] not in ("```", "~~~"):
            continue
        match = fence_line(text, at, min(stop, at + 200) - (text[stop - 1 : stop] == "\n" and stop - at <= 200))
        if match is None:
            continue
        if len(parts) > _PARTS:
            break
        mark = match.group(1)
        if not fence:
            parts.append((open_at, stop, "text", ""))
            open_at, fence, language = stop, mark, match.group(2).lower()
        elif mark.startswith(fence) and not match.group(2):
            name = _LANGUAGES.get(language, f"x.{language}" if language else "")
            parts.append((open_at, at, "fence", name))
            open_at, fence = at, ""
    if fence and parts:  # never closed: the rest is text again
        open_at = parts.pop()[0]
    parts.append((open_at, end, "text", ""))
    return _joined(parts)


def _embedded(text: str, start: int, end: int) -> list[Part]:
    """Cut JSON or a diff out of text that goes on before or after it; only large ones, found at line starts."""
    if text.find("\n", start, start + 20_000) < 0:
        return [(start, end, "text", "")]
    found = text.find("\ndiff --git ", start, end)
    if start < found:
        return (
            [(start, found + 1, "text", ""), (found + 1, end, "text", "")]
            if found - start > 200
            else [(start, end, "text", "")]
        )
    for opener, closer in (("\n{\n", "\n}"), ("\n[\n", "\n]")):
        first = text.find(opener, start, end)
        if first < 0 or text[start : start + 1] in "{[":
            continue
        last = text.rfind(closer, first, end)
        if last - first > 200:
            stop = last + len(closer)
            stop += text[stop : stop + 1] == "\n"
            return [(start, first + 1, "text", ""), (first + 1, stop, "text", ""), (stop, end, "text", "")]
    return [(start, end, "text", "")]


def _joined(parts: list[Part]) -> list[Part]:
    """Drop empty parts and join neighbouring text."""
    joined: list[Part] = []
    for part in parts:
        if part[0] >= part[1]:
            continue
        if joined and joined[-1][2] == "text" == part[2]:
            joined[-1] = (joined[-1][0], part[1], "text", "")
        else:
            joined.append(part)
    return joined
