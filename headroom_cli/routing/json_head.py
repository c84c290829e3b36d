"""Whether a text is JSON, from the grammar of its first tokens.

Apart from the other tests because it is the commonest answer, and the patterns of the others take 5 ms to compile.
"""

from __future__ import annotations

from headroom_cli.lazy import pattern

_LONGEST = 64_000  # characters of a string whose end is looked for
_WORDS = ("true", "false", "null", "NaN", "Infinity", "-Infinity")
_TOKEN = pattern(r'\s*+(?:([{\[}\],:])|"(?:[^"\\]|\\.)*+"|-?\d[\d.eE+-]*|true\b|false\b|null\b|NaN\b|-?Infinity\b)')
# What a harness writes where it took out the middle of an output
_CUT = pattern(
    r"\n[^\n\"]{0,40}(?:\.\.\.|\u2026)[^\n\"]{0,60}(?:truncated|elided|omitted|skipped|removed|cut|characters|lines|bytes)"
    r"[^\n\"]{0,60}\n"
)


def json_score(text: str) -> float:
    """Return how sure it is that a text is JSON, JSON Lines or their head: its first tokens obey the grammar."""
    head = text[:3000]
    at = len(head) - len(head.lstrip("\ufeff \t\r\n"))
    opener = head[at : at + 1]
    if not opener or opener not in "{[":
        return 0.0
    cut = _CUT.search(head) if "..." in head or "\u2026" in head else None
    if cut is not None:
        head = head[: cut.start()]  # a value without its middle: what stands before it must obey
    stack: list[str] = []
    tokens = strings = 0
    before = "start"
    whole = len(text) == len(head)
    documents = 0
    while at < len(head):
        match = _TOKEN.match(head, at)
        if match is None:
            rest = head[at:].strip()
            if not rest:
                break
            # A log or a file in one string is longer than the sample: its grammar is what stands around the string.
            if rest[0] == '"' and stack and _goes_on(text, at):
                strings += 1
                break
            # A string or a word that the sample cut is no fault; anything else is, a program's names too.
            if (rest[0] == '"' or _is_begun(rest)) and len(rest) < 2900 and (tokens > 8 or not whole):
                break
            if documents and not stack:
                return 0.3
            return 0.25 if tokens >= 30 and strings >= 6 else 0.0
        mark = match.group(1) or "value"
        if mark in "{[":
            if before == "value" and stack:
                return 0.0
            stack.append(mark)
            before = mark
        elif mark in "}]":
            if not stack or (stack[-1] == "{") != (mark == "}") or before == ":":
                return 0.0
            stack.pop()
            before = "value"
            documents += not stack
        elif mark == ",":
            if before != "value" or not stack:
                return 0.0
            before = ","
        elif mark == ":":
            if before != "value" or not stack or stack[-1] != "{":
                return 0.0
            before = ":"
        else:
            if before == "value":
                return 0.0
            if stack[-1:] == ["{"] and before in ("{", ",") and '"' not in match.group():
                return 0.0
            strings += '"' in match.group()
            before = "value"
        tokens += 1
        at = match.end()
    if cut is not None and tokens < 12:
        return 0.0
    if stack and whole:
        if tokens >= 8 and strings >= 2:
            return 0.9 if tokens >= 20 or strings >= 4 else 0.7
        return 0.7 if tokens >= 8 and strings else 0.0
    if opener == "[" and not strings and tokens < 6 and "{" not in head:
        return 0.4 if documents else 0.0
    closing = text[-200:].rstrip()[-1:]
    return 0.98 if closing and closing in "}]" else 0.85


def _is_begun(rest: str) -> bool:
    """Return whether a text goes on with the beginning of a word of JSON, or of a number."""
    word = rest[: len(rest) - len(rest.lstrip("-+abcdefilnrstuyNI"))]
    return bool(word) and any(known.startswith(word) for known in _WORDS)


def _goes_on(text: str, at: int) -> bool:
    """Return whether the string at ``at`` ends, with what JSON allows behind it; of a very long one nobody asks."""
    match = _TOKEN.match(text, at, at + _LONGEST)
    if match is None:
        return len(text) > at + _LONGEST
    following = text[match.end() : match.end() + 200].lstrip()
    return following[:1] in (",", ":", "}", "]")
