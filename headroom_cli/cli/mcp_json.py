"""One member of a JSON file put in or taken out as text: comments, spacing and the order of everything else stay.

Files of clients are JSON, some with comments and commas at the end (JSONC). A file is never written anew from its
values.
"""

from __future__ import annotations

import json
import re

from headroom_cli.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HOLDER = "mcpServers"
_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_SCALAR = re.compile(r"[-+.0-9A-Za-z]+")
_DEEPEST = 100


class Member:
    """A member of an object: its name, and where its name and its value stand."""

    __slots__ = ("end", "name", "start", "value")

    def __init__(self, name: str, start: int, value: int, end: int) -> None:
        """``start`` is the name's opening quote, ``value`` to ``end`` the value."""
        self.name = name
        self.start = start
        self.value = value
        self.end = end


class _Object:
    """An object: its members, its braces, and the comma behind its last member, -1 for none."""

    __slots__ = ("close", "members", "open", "trailing")

    def __init__(self, start: int) -> None:
        self.open = start
        self.close = start
        self.trailing = -1
        self.members: list[Member] = []

    def find(self, name: str) -> Member | None:
        """Return the one member of that name. Raise ConfigError for two."""
        found = [member for member in self.members if member.name == name]
        if len(found) > 1:
            raise ConfigError(f"it has {name!r} twice; take one out")
        return found[0] if found else None


def value_of(text: str) -> Any:
    """Return what the file says, {} for nothing at all. Raise ConfigError."""
    if not text.strip():
        return {}
    pieces: list[str] = []
    end = _skip(text, _value(text, _skip(text, 0), 0, pieces))
    if end < len(text):
        raise ConfigError(f"it is no JSON (something follows it at character {end:,})")
    try:
        return json.loads("".join(pieces))
    except ValueError as error:
        raise ConfigError(f"it is no JSON ({error})") from None


def entry(text: str, name: str) -> Any:
    """Return the server of that name, None where there is none. Raise ConfigError."""
    value = value_of(text)
    held = value.get(HOLDER, {}) if isinstance(value, dict) else None
    if not isinstance(held, dict):
        raise ConfigError(f"{HOLDER!r} is no object there")
    return held.get(name)


def put(text: str, name: str, value: Any) -> str:
    """Return the text with a server of that name. Raise ConfigError."""
    if not text.strip():
        return json.dumps({HOLDER: {name: value}}, indent=2) + "\n"
    entry(text, name)  # what is no JSON is not to be changed
    top = _top(text)
    holder = top.find(HOLDER)
    newline = "\r\n" if "\r\n" in text else "\n"
    if holder is None:
        return _appended(text, top, HOLDER, {name: value}, newline)
    servers = _object(text, holder.value)
    own = servers.find(name)
    if own is None:
        return _appended(text, servers, name, value, newline)
    written = _written(value, _indent(text, own.start), newline, lines="\n" in text[own.value : own.end])
    return text[: own.value] + written + text[own.end :]


def without(text: str, name: str) -> str:
    """Return the text without that server: what ``put`` would have added is gone, and nothing else."""
    holder = _top(text).find(HOLDER) if text.strip() else None
    if holder is None:
        return text
    servers = _object(text, holder.value)
    own = servers.find(name)
    if own is None:
        return text
    place = servers.members.index(own)
    before = len(text[: own.start].rstrip(" \t\r\n"))  # the end of what stands in front of it, a comment or a comma
    if place == len(servers.members) - 1:
        end = servers.trailing + 1 if servers.trailing >= 0 else own.end
        if place == 0 or servers.trailing >= 0:
            return text[:before] + text[end:]
        comma = _comma(text, servers.members[place - 1].end)
        return text[:comma] + text[comma + 1 : before] + text[end:]
    after = _SPACE.match(text, _comma(text, own.end) + 1)
    return text[: own.start] + text[after.end() if after else own.end :]


def _top(text: str) -> _Object:
    return _object(text, _skip(text, 0))


def _appended(text: str, held: _Object, name: str, value: Any, newline: str) -> str:
    """Return the text with one more member at the end of an object."""
    last = held.members[-1] if held.members else None
    if last is None:
        inside = text[held.open + 1 : held.close]
        lines = "\n" in inside
        indent = _indent(text, held.open) + "  " if lines else ""
        member = f"{json.dumps(name)}: {_written(value, indent, newline, lines=lines)}"
        return text[: held.open + 1] + (newline + indent if lines else "") + member + text[held.open + 1 :]
    end = len(text[: held.close].rstrip(" \t\r\n"))  # behind the last member's own comment
    lines = "\n" in text[held.open : held.close]
    indent = _indent(text, last.start) if lines else ""
    member = (
        newline + indent if lines else " "
    ) + f"{json.dumps(name)}: {_written(value, indent, newline, lines=lines)}"
    if held.trailing >= 0:
        return text[:end] + member + "," + text[end:]
    return text[: last.end] + "," + text[last.end : end] + member + text[end:]


def _written(value: Any, indent: str, newline: str, *, lines: bool) -> str:
    """Return a value as JSON, on lines of their own or on one."""
    if not lines:
        return json.dumps(value)
    step = "\t" if indent.endswith("\t") else "  "
    return json.dumps(value, indent=step).replace("\n", newline + indent)


def _indent(text: str, at: int) -> str:
    """Return the white space that the line of a place begins with."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _skip(text: str, at: int) -> int:
    """Return where the next token begins, behind white space and comments."""
    while True:
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches everywhere
        if text.startswith("//", at):
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        elif text.startswith("/*", at):
            end = text.find("*/", at + 2)
            if end < 0:
                raise ConfigError("it has a comment without an end")
            at = end + 2
        elif at == 0 and text.startswith("\ufeff"):
            at = 1
        else:
            return at


def _comma(text: str, at: int) -> int:
    """Return where the comma behind a value stands."""
    at = _skip(text, at)
    if text[at : at + 1] != ",":
        raise ConfigError(f"it is no JSON (a comma is missing at character {at:,})")
    return at


def _object(text: str, at: int) -> _Object:
    """Read the members of the object at a place. Raise ConfigError."""
    if text[at : at + 1] != "{":
        raise ConfigError("it is no JSON object where one is expected")
    made = _Object(at)
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        key = _STRING.match(text, at)
        if key is None:
            raise ConfigError(f"it is no JSON (a name is missing at character {at:,})")
        colon = _skip(text, key.end())
        if text[colon : colon + 1] != ":":
            raise ConfigError(f"it is no JSON (a colon is missing at character {colon:,})")
        value = _skip(text, colon + 1)
        end = _value(text, value, 0, [])
        made.members.append(Member(_name(key[0]), at, value, end))
        at = _skip(text, end)
        made.trailing = -1
        if text[at : at + 1] == ",":
            made.trailing = at
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "}":
            raise ConfigError(f"it is no JSON (a comma is missing at character {at:,})")
    made.close = at
    return made


def _name(literal: str) -> str:
    try:
        return str(json.loads(literal))
    except ValueError:
        raise ConfigError(f"it is no JSON ({literal[:40]!a})") from None


def _value(text: str, at: int, depth: int, pieces: list[str]) -> int:
    """Return where the value at a place ends; add its tokens to ``pieces``, without commas that JSON has not."""
    if depth > _DEEPEST:
        raise ConfigError("it nests too deep to be changed")
    opening = text[at : at + 1]
    if opening not in {"{", "["}:
        token = (_STRING if opening == '"' else _SCALAR).match(text, at)
        if token is None:
            raise ConfigError(f"it is no JSON (a value is missing at character {at:,})")
        pieces.append(token[0])
        return token.end()
    closing = "}" if opening == "{" else "]"
    pieces.append(opening)
    at = _skip(text, at + 1)
    while text[at : at + 1] != closing:
        if opening == "{":
            key = _STRING.match(text, at)
            colon = _skip(text, key.end()) if key else at
            if key is None or text[colon : colon + 1] != ":":
                raise ConfigError(f"it is no JSON (a member is expected at character {at:,})")
            pieces.append(key[0] + ":")
            at = _skip(text, colon + 1)
        at = _skip(text, _value(text, at, depth + 1, pieces))
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
            if text[at : at + 1] != closing:
                pieces.append(",")
        elif text[at : at + 1] != closing:
            raise ConfigError(f"it is no JSON (a comma is missing at character {at:,})")
    pieces.append(closing)
    return at + 1
