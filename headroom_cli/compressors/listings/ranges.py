"""Write names that count up by one as the shell would: ``img_{0001..0450}.png``."""

from __future__ import annotations

from headroom_cli.lazy import pattern

_PIECES = pattern(r"(\d+)")
LEAST = 4  # names; below that the braces cost more than they save
_DIGITS = frozenset("0123456789")
_LONG = 18  # digits; longer ones are hashes, not counters


def ranged(names: list[str]) -> list[str]:
    """Return names with those that count up by one, side by side, as one; the same list when there are none."""
    total = len(names)
    if total < LEAST:
        return names
    found: list[str] = []
    at = 0
    changed = False
    while at < total:
        name = names[at]
        end = at + 1
        if end < total and -1 <= len(name) - len(names[end]) <= 0 and name[0] == names[end][0] and name != names[end]:
            step = _step(name, names[end])
            if step >= 0:
                pieces = _PIECES.split(name)
                while end < total and _follows(pieces, names[end], step, end - at):
                    end += 1
                if end - at >= LEAST:
                    last = _PIECES.split(names[end - 1])[step]
                    pieces[step] = f"{{{pieces[step]}..{last}}}"
                    found.append("".join(pieces))
                    changed = True
                    at = end
                    continue
                end = at + 1
        found.append(name)
        at = end
    return found if changed else names


def count(name: str) -> int:
    """Return for how many names a written one stands."""
    opened, dots, rest = name.partition("{")[2].partition("..")
    last = rest.partition("}")[0]
    if not dots or not (opened.isdigit() and last.isdigit()) or not (opened.isascii() and last.isascii()):
        return 1
    return int(last) - int(opened) + 1 if len(last) <= _LONG else 1


def _step(one: str, other: str) -> int:
    """Return which piece of a name is one less than in the other, all else being equal; -1 for none."""
    if not _DIGITS & set(one):
        return -1
    mine, its = _PIECES.split(one), _PIECES.split(other)
    if len(mine) != len(its):
        return -1
    differing = [at for at, piece in enumerate(mine) if piece != its[at]]
    if len(differing) != 1 or differing[0] % 2 == 0:
        return -1
    return differing[0] if _is_next(mine[differing[0]], its[differing[0]], 1) else -1


def _is_next(first: str, number: str, ahead: int) -> bool:
    """Return whether a number is so many ahead of the first one, written the same way ("09" is before "10")."""
    if len(first) > _LONG or not first.isascii() or not number.isascii():
        return False
    if first[0] == "0" and len(first) > 1:
        return number == str(int(first) + ahead).zfill(len(first)) and len(number) == len(first)
    return number == str(int(first) + ahead)


def _follows(pieces: list[str], name: str, step: int, ahead: int) -> bool:
    """Return whether a name is so many ahead of the one that the pieces are of."""
    before, after = "".join(pieces[:step]), "".join(pieces[step + 1 :])
    if not (name.startswith(before) and name.endswith(after) and len(name) > len(before) + len(after)):
        return False
    number = name[len(before) : len(name) - len(after)]
    return number.isdigit() and _is_next(pieces[step], number, ahead)
