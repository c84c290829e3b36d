"""One table of a TOML file put in or taken out as text: everything else stays, byte for byte."""

from __future__ import annotations

import json
import re

from headroom_cli.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

HOLDER = "mcp_servers"
_HEADER = re.compile(r"[ \t]*\[[ \t]*([^\[\]#]+?)[ \t]*\][ \t]*(?:#.*)?\r?\n?")
_ARRAY = re.compile(r"[ \t]*\[\[")
_EMPTY = re.compile(r"[ \t]*(?:#[^\n]*)?\r?\n?")
_PART = re.compile(r"""[ \t]*(?:"([^"\\]*)"|'([^']*)'|([A-Za-z0-9_-]+))[ \t]*(?:\.|$)""")
# What a line opens or closes: strings of one line and comments are stepped over.
_TOKEN = re.compile(r'"""|\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}]')
_ENDS = {'"""': re.compile(r'(?:[^"\\]|\\.|"(?!""))*"{3,5}', re.DOTALL), "'''": re.compile(r"(?:[^']|'(?!''))*'{3,5}")}


def value_of(text: str) -> dict[str, Any]:
    """Return what the file says. Raise ConfigError."""
    import tomllib

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"it is no TOML ({error})") from None


def entry(text: str, name: str) -> Any:
    """Return the server of that name, None where there is none. Raise ConfigError."""
    held = value_of(text).get(HOLDER, {})
    if not isinstance(held, dict):
        raise ConfigError(f"{HOLDER!r} is no table there")
    return held.get(name)


def put(text: str, name: str, value: Any) -> str:
    """Return the text with a server of that name, as a table at its end. Raise ConfigError."""
    newline = "\r\n" if "\r\n" in text else "\n"
    if entry(text, name) is not None:
        text = without(text, name)
    lines = [f"[{HOLDER}.{name}]", *(f"{key} = {_written(one)}" for key, one in value.items())]
    block = newline.join(lines) + newline
    # One line feed in front: an empty line, or the end that the last line lacks.
    made = text + (newline if text else "") + block
    if entry(made, name) != value:
        raise ConfigError(f"a table [{HOLDER}.{name}] cannot be added at its end")
    return made


def without(text: str, name: str) -> str:
    """Return the text without that server's table, and without the empty line in front of it. Raise ConfigError."""
    if entry(text, name) is None:
        return text
    starts = list(_lines(text))
    own = [at for at, header in starts if header == (HOLDER, name)]
    if len(own) != 1:
        raise ConfigError(f"{HOLDER}.{name} is not written as a table of its own there; take it out by hand")
    end = _end(text, own[0], [at for at, _ in starts])
    start = own[0]
    if text[start - 2 : start] == "\r\n":
        start -= 2
    elif text[start - 1 : start] == "\n":
        start -= 1
    made = text[:start] + text[end:]
    expected = value_of(text)
    del expected[HOLDER][name]
    if not expected[HOLDER]:
        del expected[HOLDER]
    found = value_of(made)
    if not found.get(HOLDER, True):
        del found[HOLDER]
    if found != expected:
        raise ConfigError(f"{HOLDER}.{name} has parts elsewhere in it; take it out by hand")
    return made


def _end(text: str, start: int, starts: list[int]) -> int:
    """Return where a table ends: behind its last value, so that comments in front of the next one stay."""
    following = starts[starts.index(start) + 1] if starts.index(start) + 1 < len(starts) else len(text)
    at = end = text.find("\n", start) + 1 or len(text)
    while at < following:
        after = _statement(text, at)
        if not _EMPTY.fullmatch(text, at, after):
            end = after
        at = after
    return end


def _lines(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield where each table begins and what it is called; arrays of tables have no name here."""
    at = 0
    while at < len(text):
        header = _HEADER.match(text, at)
        if header:
            yield at, _parts(header[1])
            at = header.end()
            continue
        if _ARRAY.match(text, at):
            yield at, ()
            at = text.find("\n", at) + 1 or len(text)
            continue
        at = _statement(text, at)


def _parts(dotted: str) -> tuple[str, ...]:
    """Return the names in a dotted key."""
    found: list[str] = []
    at = 0
    while at < len(dotted):
        part = _PART.match(dotted, at)
        if part is None:
            return ()
        found.append(next(one for one in part.groups() if one is not None))
        at = part.end()
    return tuple(found)


def _statement(text: str, at: int) -> int:
    """Return where the line at a place ends, with all lines that its value goes on over."""
    depth = 0
    while True:
        end = text.find("\n", at) + 1 or len(text)
        token = _TOKEN.search(text, at)
        while token is not None and token.start() < end:
            word = token[0]
            at = token.end()
            if word in _ENDS:
                closed = _ENDS[word].match(text, at)
                if closed is None:
                    return len(text)
                at = closed.end()
                end = text.find("\n", at) + 1 or len(text)
            elif word in "[{":
                depth += 1
            elif word in "]}":
                depth -= 1
            token = _TOKEN.search(text, at)
        if depth <= 0 or end >= len(text):
            return end
        at = end


def _written(value: Any) -> str:
    """Return a text or a list of texts as TOML: JSON's strings are TOML's, but for the character DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
