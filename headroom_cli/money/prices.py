"""What a model's tokens cost at a time: a table of the user's, then the package genai-prices as it was installed.

The user's table is TOML, in US dollars for a million tokens::

    [[price]]
    model = "claude-sonnet-4-5*"  # a name, or a pattern with * and ?; case makes no difference
    plain = 3.0
    output = 15.0
    cache_read = 0.3              # these three may be left out: the provider's caching rules tell them
    cache_write = 3.75
    cache_write_1h = 6.0
    from = 2026-01-01             # optional: the first day (UTC) on which it holds
    over = 200000                 # optional: it holds for calls with more tokens of input than this

Of the rows that fit a call the last one counts. The package is asked for what no row fits. Nothing is downloaded:
prices are those of the installed version. A model that neither knows has no price.
"""

from __future__ import annotations

import time

from headroom_cli.errors import ConfigError
from headroom_cli.money import usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal
    from typing import Any

    from headroom_cli.money.usage import Units

SCALE = 10**9  # money is counted in billionths of a dollar
PACKAGE = "genai-prices"
OWN = "your table"
HINT = "install headroom-cli[prices], or name a table with --prices, to see dollars"
# Who answered -> whose prices hold. Others are sold under the names of their makers, as far as a model's name tells.
_SELLERS = {
    "anthropic": "anthropic", "openai": "openai", "bedrock": "aws", "openrouter": "openrouter", "google": "google",
    "vertex": "google", "litellm-bedrock": "aws", "litellm-openrouter": "openrouter", "anyllm-openrouter": "openrouter",
}  # fmt: skip
_ELSEWHERE = frozenset(("aws", "openrouter"))  # sellers at prices of their own, under names of their own
_NAMES = {"input_mtok": "plain", "cache_read_mtok": "cache_read", "cache_write_mtok": "cache_write",
          "cache_write_1h_mtok": "cache_write_1h", "output_mtok": "output"}  # fmt: skip
_KEYS = frozenset((*usage.PARTS, "model", "from", "over"))
_MOST = 1_000_000  # dollars for a million tokens: more is a mistake
_LARGEST = 1_000_000  # bytes of a table
_CACHED = 10_000
_SLOT = 1800  # seconds in which a price does not change: some hold for hours of the day


class Price:
    """What a model's tokens cost.

    ``steps``  (tokens of input above which it holds, Units): the last that fits counts
    ``shown``  as ``sums`` describes it
    """

    __slots__ = ("shown", "steps")

    def __init__(self, steps: Sequence[tuple[int, Units]], shown: dict[str, Any]) -> None:
        """Hold a price; one of ``steps`` always fits."""
        self.steps = steps
        self.shown = shown

    def units(self, sent: int) -> Units:
        """Return the prices that hold for a call with so many tokens of input."""
        return next(units for over, units in reversed(self.steps) if sent > over)


class Prices:
    """All prices that are known."""

    __slots__ = ("_known", "_package", "_rows", "_used")

    def __init__(self, rows: Sequence[Mapping[str, Any]] = (), *, package: bool = True) -> None:
        """``rows`` of the user's table, checked; ``package`` tells whether genai-prices may be asked."""
        self._rows = rows
        self._package = package
        self._known: dict[tuple[str, str, int], Price | None] = {}
        self._used: set[str] = set()

    @property
    def currency(self) -> dict[str, Any]:
        """What money is counted in, and where the prices that were found are from."""
        sources = self._used or {*([OWN] if self._rows else []), *([_version()] if self._package else [])}
        return {"unit": "USD", "scale": SCALE, "source": ", ".join(sorted(sources, reverse=True))}

    def find(self, model: str, backend: str, when: float) -> Price | None:
        """Return the price of a model that this backend sold at a time (Unix seconds), None where nobody knows it."""
        key = model, backend, int(when) // _SLOT
        if key not in self._known:
            if len(self._known) >= _CACHED:
                self._known.clear()
            found = self._own(model, when) or self._packaged(model, backend, when)
            if found is not None:
                self._used.add(found.shown["source"])
            self._known[key] = found
        return self._known[key]

    def _own(self, model: str, when: float) -> Price | None:
        from fnmatch import fnmatchcase

        day = time.strftime("%Y-%m-%d", time.gmtime(when))
        fitting = [
            row for row in self._rows
            if fnmatchcase(model.lower(), row["model"].lower().replace("[", "[[]")) and str(row.get("from", "")) <= day
        ]  # fmt: skip
        if not any(row.get("over", -1) < 0 for row in fitting):
            return None
        steps, shown = [], {}
        for row in fitting:
            units, assumed = _units(model, row)
            over = row.get("over", -1)
            steps.append((over, units))
            if over < 0:
                shown = _shown(units, OWN, str(row.get("from", "")), row["model"], assumed)
        shown["long"] = min((over for over, _ in steps if over >= 0), default=None)
        return Price(steps, shown)

    def _packaged(self, model: str, backend: str, when: float) -> Price | None:
        if not self._package or not model:
            return None
        from datetime import UTC, datetime

        import genai_prices  # 160 ms: only where something was called

        at = datetime.fromtimestamp(when, UTC)
        seller = _SELLERS.get(backend)
        for provider in (seller,) if seller in _ELSEWHERE else (seller, None) if seller else (None,):
            try:
                found = genai_prices.calc_price(
                    genai_prices.Usage(input_tokens=0), model, provider_id=provider, genai_request_timestamp=at
                )
            except LookupError:
                continue
            return _of_package(model, found)
        return None


def _version() -> str:
    """Return the package with its version: its data has no date of its own."""
    from importlib.metadata import version

    return f"{PACKAGE} {version(PACKAGE)}"


def _of_package(model: str, found: Any) -> Price | None:
    """Return a price of the package, None where it does not say what plain input costs."""
    base: dict[str, Decimal] = {}
    above: dict[int, dict[str, Decimal]] = {}
    for key, name in _NAMES.items():
        value = getattr(found.model_price, key)
        base_price = getattr(value, "base", value)
        if base_price is not None:
            base[name] = base_price
        for tier in getattr(value, "tiers", ()):
            above.setdefault(tier.start, {})[name] = tier.price
    if "plain" not in base or "output" not in base:
        return None
    units, assumed = _units(model, base)
    steps, now = [(-1, units)], dict(base)
    for start in sorted(above):
        now |= above[start]
        steps.append((start, _units(model, now)[0]))
    shown = _shown(units, _version(), "", f"{found.provider.id} {found.model.id}", assumed)
    shown["long"] = min(above, default=None)
    return Price(steps, shown)


def _units(model: str, row: Mapping[str, Any]) -> tuple[Units, list[str]]:
    """Return the price of a token of each of PARTS, and which of them are taken from the caching rules.

    Where no rules are known either, what came from the cache or went there is plain input; for an hour costs no less
    than for minutes.
    """
    by = usage.rules(model)
    factors = dict(zip(usage.PARTS, usage.by_rules(by) if by else (1_000_000,) * 5, strict=True))
    assumed = [name for name in usage.PARTS if name not in row]
    if by is None and "cache_write" in row:
        row = {"cache_write_1h": row["cache_write"], **row}
    plain, read, write, hour, output = (
        round(row[name] * 1_000_000) if name in row else round(row["plain"] * factors[name]) for name in usage.PARTS
    )
    return (plain, read, write, hour, output), assumed


def _shown(units: Units, source: str, date: str, name: str, assumed: list[str]) -> dict[str, Any]:
    prices = {part: unit / 1_000_000 for part, unit in zip(usage.PARTS, units, strict=True)}
    return {"source": source, "date": date or None, "from": name, "unit": "USD", **prices, "long": None,
            "assumed": assumed}  # fmt: skip


def load(path: str = "") -> Prices | None:
    """Return the prices of the user's table in ``path`` ("" for none) and of the package, None where there is neither.

    Raise ConfigError for a table that cannot be read.
    """
    rows = _read(path) if path else []
    from importlib.util import find_spec

    package = find_spec("genai_prices") is not None
    return Prices(rows, package=package) if rows or package else None


def _read(path: str) -> list[dict[str, Any]]:
    """Return the rows of a table. Raise ConfigError."""
    import tomllib
    from decimal import Decimal

    try:
        with open(path, "rb") as stream:
            data = stream.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise ConfigError(f"--prices {path}: it is larger than {_LARGEST:,} bytes; name a TOML table of prices")
        table = tomllib.loads(data.decode(), parse_float=Decimal)
    except OSError as error:
        raise ConfigError(f"--prices {path}: {error.strerror}; name a TOML table of prices") from error
    except RecursionError as error:
        raise ConfigError(f"--prices {path}: it nests too deep; write each price under [[price]]") from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are both
        raise ConfigError(f"--prices {path}: {error}; write it as TOML") from error
    rows = table.get("price")
    if not isinstance(rows, list) or not rows or set(table) != {"price"}:
        raise ConfigError(f"--prices {path}: it has no prices; write each under [[price]]")
    for number, row in enumerate(rows, 1):
        if wrong := _wrong(row):
            raise ConfigError(f"--prices {path}: price {number}: {wrong}")
    return rows


def _wrong(row: Any) -> str:
    """Return what is wrong with a row of a table, "" for nothing."""
    from datetime import date, datetime
    from decimal import Decimal

    if not isinstance(row, dict):
        return "it is no table; write it under [[price]]"
    if unknown := sorted(set(row) - _KEYS):
        return f"unknown key {unknown[0]!r}; use {', '.join(sorted(_KEYS))}"
    if not isinstance(row.get("model"), str) or not row["model"]:
        return "it names no model"
    for name in ("plain", "output"):
        if name not in row:
            return f"it lacks {name}, dollars for a million tokens"
    for name in usage.PARTS:
        value = row.get(name, 0)
        if type(value) not in {int, Decimal} or not Decimal(value).is_finite() or not 0 <= value <= _MOST:
            return f"{name} is no price; write dollars for a million tokens"
    over = row.get("over", 0)
    if type(over) is not int or over < 0:
        return "over is no number of tokens"
    if "from" in row and (not isinstance(row["from"], date) or isinstance(row["from"], datetime)):
        return "from is no date; write it as 2026-01-31, without quotes"
    return ""
