"""Where one text is several: wrapper lines of agent harnesses, shell prompts, fences, JSON and diffs inside text.

One pass over the lines with anchored, bounded tests; every function is linear.
"""

from __future__ import annotations

import re

from headroom_cli.lazy import pattern
from headroom_cli.routing.wrappers import unwrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PROMPT = (
    r"(?:\([\w.-]{1,40}\) )?(?:[\w.-]{1,40}@[\w.-]{1,60}[: ][^\n$#]{0,120})?(?:bash-[\d.]{1,6})?[$\u276f] (?=[\w./(~])"
    r"|PS [A-Z]:\\[^>\n]{0,200}> (?=\S)|[\w.-]{1,40}@[\w.-]{1,60}:[^\n$#]{0,120}# (?=[\w./])"
)
_FENCE = r" {0,3}(`{3,20}|~{3,20})[ \t]{0,4}([\w+#.-]{0,30})[^`\n]{0,80}$"
_PARTS = 200  # more boundaries than this are the shape of one text, not of several

Part = tuple[int, int, str, str]  # start, end, why, command or file name


_NAMED = r"\[File: ([^()\]\n]{1,300}) \(|Here's the result of running `[^`\n]{1,40}` on ([^\n]{1,300}):"


def named(text: str, end: int) -> str:
    """Return the file that the wrapper lines before ``end`` name, or ""."""
    match = re.search(_NAMED, text[: min(end, 2000)])
    return (match.group(1) or match.group(2)).strip() if match else ""


def prompts(text: str, start: int, end: int) -> int:
    """Return how many lines of a bounded sample are a shell prompt with a command; fenced ones are quoted."""
    head = text[start : min(end, start + 8000)]
    if "$ " not in head and "# " not in head and "> " not in head and "\u276f " not in head:
        return 0
    prompt = re.compile(_PROMPT).match
    found = 0
    quoted = False
    for line in head.split("\n"):
        if line.lstrip()[:3] in ("```", "~~~"):
            quoted = not quoted
        elif not quoted and prompt(line[:400]):
            found += 1
    return found


def begins(text: str, start: int) -> bool:
    """Return whether one of the first three lines that are not blank is a prompt, as in a session."""
    lines = [line for line in text[start : start + 2000].split("\n") if line.strip()][:3]
    return any(re.match(_PROMPT, line[:400]) for line in lines)


def cut(text: str) -> list[Part]:
    """Return the parts of a text, in order, covering it; a single part when nothing divides it."""
    start, end = unwrap(text)
    parts: list[Part] = [(0, start, "wrapper", "")] if start else []
    inner: list[Part] = []
    for divide in (_banners, _session if prompts(text, start, end) else _fences, _embedded):
        inner = divide(text, start, end)
        if len(inner) > 1:
            break
    if len(inner) > _PARTS:
        inner = [(start, end, "text", "")]
    parts += inner
    if end < len(text):
        parts.append((end, len(text), "wrapper", ""))
    return parts


# `head -n 5 a b`, `tail a b`: one line names the file that follows. `echo "=== $f ==="` between commands does the same.
_FILE_BANNER = pattern(r"==> ([^\n]{1,300}) <==$")
_ECHOED_BANNER = pattern(r"(={2,8}|-{2,8}|#{2,8}|\*{2,8}) {0,2}([^\n=*#-][^\n]{0,200}?) {0,2}\1$")


def banners(text: str, start: int, end: int, *, echoed: bool) -> int:
    """Return how many lines of a bounded sample name the output that follows; ``echoed``: the command prints such."""
    head = text[start : min(end, start + 20_000)]
    if "\n==> " in head or head.startswith("==> "):
        return _file_banners(head)
    heads = ("==", "--", "##", "**")
    if not echoed:
        # A heading is any report's: only a text that begins with one word between signs, a file's name, is several.
        first = _ECHOED_BANNER.match(head[:240].partition("\n")[0]) if head.startswith(heads) else None
        if first is None or " " in first[2] or not ("/" in first[2] or "." in first[2][1:] or first[1] >= "==="):
            return 0
    return sum(1 for line in head.split("\n") if line.startswith(heads) and _ECHOED_BANNER.match(line[:240]))


def _file_banners(head: str) -> int:
    return sum(1 for line in head.split("\n") if line.startswith("==> ") and _FILE_BANNER.match(line[:320]))


def _banners(text: str, start: int, end: int) -> list[Part]:
    """Cut at the lines that name the output behind them; each is a prompt, its name the file when it looks like one."""
    whole: list[Part] = [(start, end, "text", "")]
    files = _file_banners(text[start : min(end, start + 20_000)]) > 0
    # Without the command, two echoed banners are needed: one may be a heading of any report.
    if not files and banners(text, start, end, echoed=True) < 2:
        return whole
    matching = (_FILE_BANNER if files else _ECHOED_BANNER).match
    parts: list[Part] = []
    open_at, name = start, ""
    for at, stop in _line_spans(text, start, end):
        if text[at] not in "=-#*":
            continue
        match = matching(text[at : min(stop, at + 320)].rstrip("\r\n"))
        if match is None:
            continue
        if len(parts) > _PARTS:
            break
        if open_at < at:
            parts.append((open_at, at, "text", name))
        parts.append((at, stop, "prompt", ""))
        said = match.group(match.lastindex or 1).strip()
        name = f"cat {said}" if " " not in said and ("/" in said or "." in said[1:]) else ""
        open_at = stop
    if open_at < end:
        parts.append((open_at, end, "text", name))
    return parts or whole


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
