"""Turn a list of objects into columns: one order of keys, nested objects flattened, what repeats said once.

A column that says the same in every row, or that can be told from other columns, moves into the header; a value that
most rows share is said once there too. Nothing here drops a value: ``tables`` writes what these columns say,
and the decoder in the tests reads it back.
"""

from __future__ import annotations

from collections import Counter
from operator import itemgetter

from headroom_cli.compressors.records.faults import says_error
from headroom_cli.compressors.records.spans import MISSING, Missing, Number
from headroom_cli.compressors.records.text import quote
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Shape = tuple[str, ...]

FILL = 0.35  # of the cells of a table must hold something
FILL_NESTED = 0.5
MOST_COLUMNS = 300
MOST_SHAPES = 200
NESTING = 6  # levels of objects flattened into one header
NESTED_LISTS = NESTING - 2  # and of those, the levels in which lists are columns; within a list none are

_PLAIN_NAME = pattern(r"[\w$@/+*%&;<>!-](?:[\w$@/+*%&;<>! -]*[\w$@/+*%&;<>!-])?")


class Leaf:
    """One column: its name as the header writes it, and one value per row of its context.

    ``carry``    tells for an optional object whether it is there; always written out
    ``formula``  the column as a template over others, or None
    """

    __slots__ = ("carry", "formula", "key", "name", "prefix", "values")

    def __init__(self, prefix: str, key: str, values: list[Any]) -> None:
        """Name the column ``prefix`` + ``key``, both already in header form."""
        self.prefix = prefix
        self.key = key
        self.name = prefix + key
        self.values = values
        self.carry = False
        self.formula: str | None = None


class Lists:
    """A column whose cells are short lists of objects: written in place, without their keys."""

    __slots__ = ("columns", "name", "values")

    def __init__(self, name: str, values: list[Any], columns: list[Leaf]) -> None:
        """``columns`` hold the values of all the objects of all the cells, one after the other."""
        self.name = name
        self.values = values
        self.columns = columns


class Optional:
    """Columns of an object that some rows lack: laid out over the rows that have it."""

    __slots__ = ("columns", "rows", "values")

    def __init__(self, values: list[Any], rows: list[int], columns: list[Column]) -> None:
        """``values`` are the objects, None and MISSING; ``rows`` the places of the objects."""
        self.values = values
        self.rows = rows
        self.columns = columns


if TYPE_CHECKING:
    Column = Leaf | Lists | Optional


def name_of(key: str) -> str:
    """Return a key as the header writes it: quoted when it could be read as something else."""
    return key if key != "#" and _PLAIN_NAME.fullmatch(key) else quote(key)


def _merged(order: list[str], shape: Shape) -> list[str] | None:
    """Return ``order`` with the new keys of ``shape`` inserted where they stand, or None when the two disagree."""
    place = {key: i for i, key in enumerate(order)}
    new = list(order)
    at = shift = 0
    for key in shape:
        if key in place:
            if place[key] + shift < at:
                return None
            at = place[key] + shift + 1
        else:
            new.insert(at, key)
            at += 1
            shift += 1
    # A key inserted early moves all that follow, also those met before it: check against the finished order.
    place = {key: i for i, key in enumerate(new)}
    spots = [place[key] for key in shape]
    return new if spots == sorted(spots) else None


def order_of(shapes: Counter[Shape], fill: float) -> tuple[list[str], set[Shape]]:
    """Return one order of keys, and the shapes (keys of an object, in order) that it can hold.

    Shapes are taken from the most frequent on, as long as the order holds and the table stays filled.
    """
    order: list[str] = []
    taken: set[Shape] = set()
    rows = cells = 0
    for shape, count in shapes.most_common(MOST_SHAPES):
        if not shape:
            continue
        merged = _merged(order, shape) if order else list(shape)
        if merged is None or len(merged) > MOST_COLUMNS:
            continue
        if cells + count * len(shape) < fill * len(merged) * (rows + count):
            continue
        order = merged
        taken.add(shape)
        rows += count
        cells += count * len(shape)
    return order, taken


def lay_out(rows: list[dict[str, Any]], order: list[str], prefix: str = "", level: int = 0) -> list[Column]:
    """Return the columns of objects that all fit ``order``."""
    columns: list[Column] = []
    for key in order:
        try:
            values = list(map(itemgetter(key), rows))
        except KeyError:
            values = [row.get(key, MISSING) for row in rows]
        columns += _column(prefix, name_of(key), values, level)
    return columns


def _column(prefix: str, key: str, values: list[Any], level: int) -> list[Column]:
    kinds = set(map(type, values))
    kinds -= {type(None), Missing}
    if kinds == {dict} and level < NESTING:
        nested = _nested(prefix, key, values, level)
        if nested:
            return nested
    elif kinds == {list} and level < NESTED_LISTS:
        lists = _lists(prefix + key, values)
        if lists:
            return [lists]
    return [Leaf(prefix, key, values)]


def _nested(prefix: str, key: str, values: list[Any], level: int) -> list[Column]:
    """Return the columns of a column of objects, or nothing when its objects are too unlike each other."""
    rows = [i for i, value in enumerate(values) if type(value) is dict]
    present = values if len(rows) == len(values) else [values[i] for i in rows]
    if len(present) < 2 and len(values) > 2:
        return []
    shapes = Counter(map(tuple, present))
    order, taken = order_of(shapes, FILL_NESTED)
    if len(taken) != len(shapes):
        return []
    columns = lay_out(present, order, f"{prefix}{key}.", level + 1)
    if present is values:
        return columns
    if level >= NESTED_LISTS:
        return []
    carry = _carry(columns)
    if carry is None:
        return []
    carry.carry = True
    carry.name = f"{prefix}{key}?.{carry.name[len(prefix) + len(key) + 1 :]}"
    return [Optional(values, rows, columns)]


def _carry(columns: list[Column]) -> Leaf | None:
    """Choose the column that tells whether an object is there: complete, and not one that the header could say."""
    best: Leaf | None = None
    for column in columns:
        if not isinstance(column, Leaf) or column.carry or "?" in column.name:
            continue
        values = column.values
        if any(type(value) not in (str, int, Number, bool) for value in values):
            continue
        if values[0] != values[-1] or len(set(values)) > 1:
            return column
        best = best or column
    return best


def _lists(name: str, values: list[Any]) -> Lists | None:
    """Return a column of short lists of like objects, or None."""
    filled = [value for value in values if type(value) is list and value]
    children = [child for value in filled for child in value]
    if len(children) < 2 or len(children) > 6 * len(filled) + 2 or any(type(child) is not dict for child in children):
        return None
    shapes = Counter(map(tuple, children))
    order, taken = order_of(shapes, FILL_NESTED)
    if len(taken) != len(shapes) or (len(order) < 2 and len(children) < 4):
        return None
    columns = lay_out(children, order, "", NESTED_LISTS)
    leaves = [column for column in columns if isinstance(column, Leaf)]
    return Lists(name, values, leaves) if len(leaves) == len(columns) else None


# Names that tell one item from another; the first of these that an item has is never replaced by a formula.
IDENTITIES = (
    "id", "name", "key", "path", "filename", "file", "sha", "hash", "uuid", "guid", "pid", "uid", "number", "login",
    "username", "title", "email", "arn", "url", "href", "uri", "html_url",
)  # fmt: skip


def derive(leaves: list[Leaf]) -> None:
    """Give a formula to each column whose text another column's text occurs in, in every row.

    ``leaves`` share one context. A formula is a template: ``{name}`` stands for the value of a column that is itself
    written out, ``{{`` and ``}}`` for braces.
    """
    texts: dict[int, list[str]] = {}
    for at, leaf in enumerate(leaves):
        kinds = set(map(type, leaf.values))
        if kinds == {str}:
            texts[at] = leaf.values
        elif kinds == {int}:
            texts[at] = list(map(str, leaf.values))
    if len(texts) < 2:
        return
    count = len(leaves[0].values)
    probe = count // 2
    kept = _identities(leaves)
    by_name = {leaf.name: leaf for leaf in leaves}
    varied = {at for at in texts if count > 1 and len(set(texts[at])) > 1}
    # A base has no formula yet when it is used, so formulas never form a ring; it may get one later (a chain).
    bases = [at for at in varied if not leaves[at].key.startswith('"')]
    bases.sort(key=lambda at: (-len(texts[at][probe]), at))
    for at in sorted(varied, key=lambda at: -len(texts[at][probe])):
        leaf = leaves[at]
        if leaf.carry or at in kept or type(leaf.values[0]) is not str:
            continue
        if says_error(texts[at][0]) or says_error(texts[at][probe]):
            continue  # an error has to be read in its own row
        here = [base for base in bases if base != at and leaves[base].formula is None]
        for row in (0, probe):
            found = _template(texts, at, here, row)
            if found and _holds(texts, at, found):
                names = [
                    _reference(leaf, leaves[piece], by_name) if isinstance(piece, int) else piece for piece in found
                ]
                if None in names:
                    break
                leaf.formula = "".join(
                    f"{{{name}}}" if isinstance(piece, int) else str(name).replace("{", "{{").replace("}", "}}")
                    for name, piece in zip(names, found, strict=True)
                )
                break


def _identities(leaves: list[Leaf]) -> set[int]:
    """Return for each object (prefix) the column that names it best."""
    best: dict[str, tuple[int, int]] = {}
    for at, leaf in enumerate(leaves):
        if leaf.key in IDENTITIES:
            rank = IDENTITIES.index(leaf.key)
            if leaf.prefix not in best or rank < best[leaf.prefix][0]:
                best[leaf.prefix] = (rank, at)
    return {at for _, at in best.values()}


def _template(texts: dict[int, list[str]], target: int, bases: list[int], row: int) -> list[int | str]:
    """Return the text of one row of a column cut into literal pieces and the columns found in it, longest first."""
    pieces: list[int | str] = [texts[target][row]]
    for base in bases:
        value = texts[base][row]
        if len(value) < 2 and value != pieces[0]:
            continue
        for i, piece in enumerate(pieces):
            if isinstance(piece, str):
                at = piece.find(value) if value else -1
                if at >= 0:
                    pieces[i : i + 1] = [piece[:at], base, piece[at + len(value) :]]
                    break
    return [piece for piece in pieces if piece != ""] if len(pieces) > 1 else []


def _holds(texts: dict[int, list[str]], target: int, pieces: list[int | str]) -> bool:
    parts = [texts[piece] if isinstance(piece, int) else piece for piece in pieces]
    for row, text in enumerate(texts[target]):
        if text != "".join([part if isinstance(part, str) else part[row] for part in parts]):
            return False
    return all(isinstance(piece, int) or not any(c < " " for c in piece) for piece in pieces)


def _reference(leaf: Leaf, base: Leaf, by_name: dict[str, Leaf]) -> str | None:
    """Return how a formula names a column: the bare key for one of the same object, else the whole name."""
    if base.prefix == leaf.prefix:
        return base.key
    name = base.prefix + base.key
    return None if leaf.prefix and leaf.prefix + name in by_name else name
