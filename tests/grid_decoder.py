"""Read a rendering of a table back, by its own explanations alone: what a reader of the text would do."""

from __future__ import annotations

OPENING = "[rows "


def segments(line: str, groups: list[int]) -> list[str]:
    """Split a row: two blanks stand around cells of several words, one between single words.

    ``groups`` holds the number of columns in each part between two blanks.
    """
    cells: list[str] = []
    parts = line.split("  ", len(groups) - 1)
    for part, many in zip(parts, groups, strict=False):
        cells += part.split(" ", many - 1)
    return cells


def header_groups(header: str, names: list[str]) -> tuple[list[str], list[int]]:
    """Return which of the names a header holds, in order, and how many stand between two blanks."""
    found: list[str] = []
    groups: list[int] = []
    left = list(names)
    for part in header.split("  "):
        many = 0
        rest = part
        while rest:
            name = max((name for name in left if rest == name or rest.startswith(name + " ")), key=len)
            left.remove(name)
            found.append(name)
            rest = rest[len(name) :].lstrip(" ")
            many += 1
        groups.append(many)
    return found, groups


def named(lines: list[str], names: list[str], joint: str = "") -> list[dict[str, str] | str]:
    """Return the rows of a table with names, in order; what is no row comes as the line itself."""
    said: dict[str, str] = {}
    tags: dict[str, dict[str, str]] = {}
    starts: dict[str, str] = {}
    empty = None
    shown: list[str] | None = None
    groups: list[int] = []
    rows: list[dict[str, str] | str] = []
    for line in lines:
        if line.startswith(OPENING) and line.endswith("]"):
            head, _, value = line[len(OPENING) : -1].partition(": ")
            if value.endswith(" is an empty cell"):
                empty = value.removesuffix(" is an empty cell")
            elif head.startswith("below, "):
                assert value.endswith("_")
                starts[head.removeprefix("below, ")] = value[:-1]
            elif head == "below":
                said.update(pairs(value))
            else:
                tags[head.removeprefix("with ")] = pairs(value)
            continue
        if line.startswith(("[... ", "[all ")):
            rows.append(line)
            continue
        if shown is None:
            if joint:
                shown = line.split(joint)
            else:
                shown, groups = header_groups(line, names)
            continue
        if line.startswith("= "):
            rows.append(line[2:])
            continue
        row = dict(said)
        text = line
        if tags:
            tag, _, text = text.partition(joint or " ")
            row = dict(tags[tag])
        hoisted = set(row)
        if text.endswith("]") and " [" in text:
            before, _, inside = text[:-1].rpartition(" [")
            if any(inside.startswith(f"{name}=") for name in hoisted):
                row.update(pairs(inside))
                text = before
        cells = text.split(joint) if joint else segments(text, groups)
        cells += [""] * (len(shown) - len(cells))
        assert len(cells) == len(shown), (line, shown)
        for name, cell in zip(shown, cells, strict=True):
            row[name] = starts.get(name, "") + ("" if cell == empty else cell)
        rows.append(row)
    return rows


def pairs(text: str) -> dict[str, str]:
    """Return the values of a heading."""
    return dict(pair.split("=", 1) for pair in text.split("; "))


def unnamed(lines: list[str], joint: str = " ") -> list[str]:
    """Return the lines of a list without names, words one blank apart."""
    shape: str | None = None
    tags: dict[str, str] = {}
    starts: dict[str, str] = {}
    out: list[str] = []
    for line in lines:
        if line.startswith(OPENING) and line.endswith("]"):
            head, _, value = line[len(OPENING) : -1].partition(": ")
            if head.startswith("below, "):
                starts[head.removeprefix("below, ")] = value[:-1]
            elif head == "below":
                shape = value
            else:
                tags[head.removeprefix("with ")] = value
            continue
        if line.startswith("= "):
            out.append(line[2:])
            continue
        form = shape
        text = line
        if tags:
            tag, _, text = line.partition(joint)
            form = tags[tag]
        if form is None:
            if starts.get("last"):
                first, _, last = text.rpartition(joint)
                out.append(f"{first}{joint}{starts['last']}{last}")
            else:
                out.append(starts.get("first", "") + text)
            continue
        words = form.split(joint)
        holes = words.count("_")
        cells = text.split(joint, holes - 1) if holes > 1 else [text]
        if cells:
            cells[0] = starts.get("first", "") + cells[0]
            cells[-1] = starts.get("last", "") + cells[-1]
        fill = iter(cells)
        out.append(joint.join([next(fill) if word == "_" else word for word in words]))
    return out
