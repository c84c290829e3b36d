"""Cut a text into blocks of lines, read each as what it is, and write it shorter where that is certain."""

from __future__ import annotations

from headroom_cli.compressors.tables import (
    boxes,
    config,
    cut,
    delimited,
    expanded,
    fixed,
    git,
    pairs,
    repeats,
    tokens,
)
from headroom_cli.compressors.tables.grid import OPENING, Grid, write
from headroom_cli.compressors.tables.select import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Want

_LEAST_LINES = 3
_DENSER = 6  # times as many rows, at best, as the source has in as many tokens
# What these print lists what there is: a row that is missing is a thing that is not there.
_INVENTORIES = frozenset(
    ("apt", "aws", "az", "brew", "conda", "df", "dnf", "docker", "dpkg", "du", "gcloud", "gh", "git", "glab", "helm",
     "ip", "kubectl", "ls", "lsblk", "lsof", "netstat", "nova", "npm", "oc", "openstack", "pip", "podman", "ps", "rpm",
     "ss", "systemctl", "terraform", "top", "virsh", "yum")
)  # fmt: skip


class Plan:
    """How far to go, and what went.

    ``places``  rows kept of a long table, about; 0 for all
    ``above``   rows from which a table is long
    ``size``    characters from which it is
    ``any``     whether inventories may be cut too
    ``most``    rows kept of a long table at most; 0 for as many as tell something
    ``tables``  the tables of this text that were read before, by their lines
    """

    __slots__ = ("above", "any", "gone", "most", "places", "rows", "size", "tables", "want")

    def __init__(
        self, want: Want, places: int = 0, above: int = 200, size: int = 0, *, inventories: bool = False, most: int = 0
    ) -> None:
        """Start with nothing gone."""
        self.want = want
        self.most = most
        self.tables: dict[str, Grid | None] = {}
        self.places = places
        self.above = above
        self.size = size
        self.any = inventories
        self.gone = 0
        self.rows = 0

    def lines(self, grid: Grid, *, data: bool) -> list[str] | None:
        """Return a table as lines, of a long one the rows that tell most; None when they could be misread."""
        want = self.want
        data = data and not _INVENTORIES.intersection(want.hint.command[:200].replace("/", " ").split())
        if self.places and (data or self.any) and grid.rows > self.above and self._is_large(grid):
            found = select(grid, self.places, want.question[:2000], self.most)
            lines = write(found[0], want.count) if found is not None else None
            if found is not None and lines is not None:
                self.gone += grid.rows - found[0].rows
                self.rows += grid.rows
                return lines
        # Writing takes off what cells share; another plan may need them whole.
        return write(Grid(grid.names, list(grid.columns), grid.odd, joint=grid.joint, last=grid.last), want.count)

    def box(self, lines: list[str]) -> Grid | None:
        """Return the table that lines draw, read once for all plans."""
        key = "\n".join(lines)
        if key not in self.tables:
            self.tables[key] = boxes.read(lines)
        return self.tables[key]

    def delimited(self, lines: list[str], sign: str) -> Grid | None:
        """Return the table of lines with a sign between cells, read once for all plans."""
        if sign not in self.tables:
            self.tables[sign] = delimited.read(lines, sign)
        return self.tables[sign]

    def _is_large(self, grid: Grid) -> bool:
        return not self.size or sum([sum(map(len, column)) for column in grid.columns]) >= self.size

    def missing(self) -> str:
        """Return which rows are missing, "" when none is."""
        return f"{self.gone} of {self.rows} rows" if self.gone else ""


def encode(text: str, want: Want) -> tuple[list[str], str]:
    """Return the lines of the shorter text, and what is missing ("" when nothing is)."""
    missing = ""
    careful = want.level == "safe" and want.budget is None
    if not want.lossless and not careful:
        text, missing = git.short_ids(text)
    source = text.split("\n")
    whole = git.blame(source)
    if whole is not None:
        return whole, missing
    settings = config.read(source, want)
    if settings is not None:
        return settings[0], ", ".join(filter(None, (missing, settings[1])))
    if git.is_log(source):
        plan = Plan(want)
        lines = git.log(source, lambda part: block(part, plan))
        return _within(lines, lines, want, missing)
    # Records of differing columns are no table: a budget takes whole ones.
    ragged = expanded.heading(source[0]) and expanded.read(source) is None
    first = [Plan(want)] if ragged else _plans(source, want)
    lines = source
    for plan in first:
        plan.tables = first[0].tables
        lines = _encoded(source, plan)
        if want.spent() or want.budget is None or want.count("\n".join(lines)) <= want.budget:
            break
    return _within(lines, source, want, ", ".join(filter(None, (missing, plan.missing()))))


def _within(lines: list[str], source: list[str], want: Want, missing: str) -> tuple[list[str], str]:
    """Return lines that the budget holds: those made, or whole units of the source where they are too long."""
    if want.budget is None or want.lossless or want.spent() or want.count("\n".join(lines)) <= want.budget:
        return lines, missing
    found = cut.cut(source, want)
    if found is None or sum(map(len, found[0])) >= sum(map(len, lines)):
        return lines, missing
    # What a plan left out is among what is left out now; ids cut short still are.
    return found[0], ", ".join(filter(None, (missing if lines is source else "", found[1])))


def _plans(source: list[str], want: Want) -> list[Plan]:
    """Return what to try, the mildest first; without a budget there is one."""
    if want.lossless:
        return [Plan(want)]
    if want.budget is not None:
        # Rows that the budget holds, about: what could not fit by far need not be tried.
        rows = len(source)
        fit = max(2, want.budget * rows // max(1, want.count("\n".join(source))))
        plans = [Plan(want), Plan(want, 100)] if fit * _DENSER >= rows else []
        for part in (4, 2, 1, 0.5, 0.25):
            places = int(fit * part)
            if 2 <= places < rows:
                plans.append(Plan(want, places, above=places * 2, inventories=True, most=places))
        return plans or [Plan(want)]
    if want.level == "safe":
        return [Plan(want, 200, above=400, size=32_000)]
    return [Plan(want, 50 if want.level == "max" else 100)]


def _encoded(lines: list[str], plan: Plan) -> list[str]:
    records = expanded.read(lines)
    if records is not None:
        body = plan.lines(records[0], data=True)
        if body is not None:
            return [*body, *(line.rstrip(" \t") for line in lines[records[1] :])]
    sign = delimited.delimiter([line for line in lines[:60] if line]) if not expanded.heading(lines[0]) else ""
    if sign:
        grid = plan.delimited(lines, sign)
        # Without a header it is a list (du, ls-remote), which is whole or nothing.
        body = plan.lines(grid, data=grid.names is not None) if grid is not None else None
        if body is not None:
            return body
    groups: list[list[str]] = []
    blank = bool(lines) and not lines[0].strip()
    group: list[str] = []
    for line in [*lines, ""]:
        if line and not line.isspace():
            group.append(line)
        elif group:
            groups.append(group)
            group = []
    out: list[str] = [""] if blank else []
    at = 0
    while at < len(groups):
        if out and at:
            out.append("")
        end = repeats.run(groups, at)
        body = repeats.fold(groups[at:end]) if end > at else None
        if body is None:
            out += block(groups[at], plan)
            at += 1
            continue
        out += body
        at = end
        if at < len(groups):
            out.append(f"{OPENING}end]")
    if len(lines) > 1 and not lines[-1].strip():
        out.append("")
    return out


def block(lines: list[str], plan: Plan) -> list[str]:
    """Return the lines of one block, shorter where they could be read."""
    out: list[str] = []
    start = 0
    while start < len(lines):
        rest = lines[start:]
        plain = [line.rstrip(" \t") for line in rest]
        found = _read(rest, plan) if len(rest) >= _LEAST_LINES else None
        if found is None:
            out += plain
            break
        body, end = found
        better = body != plain[:end] and _size(body) < _size(plain[:end])
        if out and better:
            out.append("")  # the headings above reach to the next blank line
        out += body if better else plain[:end]
        start += end
        if start < len(lines) and better:
            out.append("")
    return out


def _size(lines: list[str]) -> int:
    return sum(map(len, lines)) + len(lines)


def _read(lines: list[str], plan: Plan) -> tuple[list[str], int] | None:
    """Return a table at the start of a block and the number of lines it took, None when there is none."""
    start, end = boxes.extent(lines)
    if end - start >= _LEAST_LINES and start < 4 and boxes.is_table(lines[start:end]):
        grid = plan.box(lines[start:end])
        body = plan.lines(grid, data=True) if grid is not None else None
        if body is not None:
            return [*(line.rstrip(" \t") for line in lines[:start]), *body], end
        return None if end == len(lines) else ([line.rstrip(" \t") for line in lines[:end]], end)
    found = fixed.read(lines)
    if found is not None:
        at, end, grid = found
        body = plan.lines(grid, data=False)
        return None if body is None else ([*(line.rstrip(" \t") for line in lines[:at]), *body], end)
    headed = fixed.header_of(lines)
    if headed >= 0:
        end = fixed.next_header(lines, headed, headed + 1)
        return None if end == len(lines) else ([line.rstrip(" \t") for line in lines[:end]], end)
    grid = tokens.read(lines)
    body = plan.lines(grid, data=False) if grid is not None else None
    count = plan.want.count
    other = pairs.squeeze([line.rstrip(" \t") for line in lines])
    if other is not None and (body is None or count("\n".join(other)) <= count("\n".join(body))):
        body = other
    return None if body is None else (body, len(lines))
