"""Fold records: blocks of key and value that begin with the same key say what most of them share once, above."""

from __future__ import annotations

from collections import Counter

from headroom_cli.compressors.tables import pairs
from headroom_cli.compressors.tables.grid import OPENING

_LEAST = 3  # records
_USUAL = 0.6  # of the records have a value that is said for all
_PAYS = 40  # characters that a heading costs


def record(lines: list[str]) -> list[tuple[str, str, list[str]]] | None:
    """Return (key, line, lines that go on from it) of a block, None when it is no record."""
    found: list[tuple[str, str, list[str]]] = []
    column = 0
    for line in lines:
        pair = pairs.split(line) if line[:1] not in (" ", "\t") else None
        if pair is None:
            if not found:
                return None
            found[-1][2].append(pairs.continued(line, column))
        else:
            column = pairs.value_column(line, pair)
            found.append((pair[0], pairs.joined(pair), []))
    return found if len(found) > 1 else None


def run(blocks: list[list[str]], start: int) -> int:
    """Return where the records end that begin at a block, ``start`` when there are too few."""
    first = blocks[start][0]
    pair = pairs.split(first) if first[:1] not in (" ", "\t") else None
    if pair is None:
        return start
    end = start + 1
    while end < len(blocks) and blocks[end][0].startswith(pair[0]):
        other = pairs.split(blocks[end][0])
        if other is None or other[0] != pair[0]:
            break
        end += 1
    return end if end - start >= _LEAST else start


def fold(blocks: list[list[str]]) -> list[str] | None:
    """Return the records of some blocks under what they share, a blank line between; None without gain."""
    records: list[list[tuple[str, str, list[str]]]] = []
    for block in blocks:
        found = record(block)
        if found is None:
            return None
        records.append(found)
    counts: Counter[str] = Counter()
    lines: dict[str, Counter[str]] = {}
    unfit: set[str] = {records[0][0][0]}
    for one in records:
        for key, line, more in one:
            counts[key] += 1
            lines.setdefault(key, Counter())[line] += 1
            if more:
                unfit.add(key)
        if len({key for key, _, _ in one}) < len(one):
            unfit.update(key for key, times in Counter(key for key, _, _ in one).items() if times > 1)
    said: dict[str, str] = {}
    for key, _, _ in records[0]:
        if key in unfit or counts[key] != len(records):
            continue
        line, times = lines[key].most_common(1)[0]
        if times >= len(records) * _USUAL and "; " not in line and not line.endswith("]"):
            said[key] = line
    saved = sum(len(line) * (lines[key][line] - 1) for key, line in said.items())
    if saved < _PAYS:
        return None
    out = [f"{OPENING}below, unless they say otherwise: {'; '.join(said.values())}]"]
    for at, one in enumerate(records):
        if at:
            out.append("")
        for key, line, more in one:
            if said.get(key) == line:
                continue
            out.append(line)
            out += more
    return out
