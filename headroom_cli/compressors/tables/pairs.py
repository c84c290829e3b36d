"""Take the padding out of lines of key and value: "Name            : acl", "Host Name . . . . : box"."""

from __future__ import annotations

from headroom_cli.lazy import pattern

_RUN = pattern(r" {2,}")
_SINGLE = pattern(r"(?<! ) (?! )")


def squeeze(lines: list[str]) -> list[str] | None:
    """Return lines of key and value without their padding; None when not most lines are such."""
    found = [split(line) for line in lines]
    pairs = [pair for pair in found if pair is not None]
    if len(pairs) < 3 or len(pairs) * 2 < len(lines):
        return None
    out: list[str] = []
    column = 0
    for line, pair in zip(lines, found, strict=True):
        if pair is None:
            out.append(continued(line, column))
            continue
        column = value_column(line, pair)
        out.append(joined(pair))
    return out


def value_column(line: str, pair: tuple[str, str, str]) -> int:
    """Return where the value of an unindented pair begins, 0 when it has none."""
    return len(line.rstrip(" \t")) - len(pair[2]) if pair[2] and line[:1] not in (" ", "\t") else 0


def joined(pair: tuple[str, str, str]) -> str:
    """Return key, sign and value as one line."""
    head, sign, value = pair
    return f"{head}{sign} {_listed(value)}".rstrip(" ")


def split(line: str) -> tuple[str, str, str] | None:
    """Return what stands before a colon or an equals sign, the sign, and the value."""
    at = line.find(":", 0, 80)
    if at < 1:
        at = line.find("=", 0, 80)
    if at < 1 or line[at + 1 : at + 2] not in (" ", "\t", ""):
        return None
    key = line[:at]
    head = key.rstrip(" \t.")
    if not head or "  " in head.strip():
        return None
    # "Host Name . . . . :": the dots only lead the eye; a single dot belongs to the name.
    if "." in key[len(head) :] and ". ." not in key[len(head) :]:
        head = key.rstrip(" \t")
    space = " " if key[len(head) :] and line[at] == "=" else ""
    return head + space, line[at], line[at + 1 :].strip(" \t")


def _listed(value: str) -> str:
    """Return a value whose items are all two blanks or more apart with one between them."""
    if "  " not in value:
        return value
    if _SINGLE.search(value):
        return value
    return _RUN.sub(" ", value)


def continued(line: str, column: int) -> str:
    """Return a line; one that goes on under the value above, whose column is given, with one blank before it."""
    text = line.strip(" ")
    if not column or len(line) - len(line.lstrip(" ")) != column:
        return line.rstrip(" \t")
    return f" {_listed(text)}"
