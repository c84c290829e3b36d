"""Find the items of an array that are about an error, however deep they say so, and those made unlike the others.

The items are turned into fields: one per path of keys, lists flattened, with the row of each value. Every node is
visited once, so that the search is linear in the text; nothing is sampled.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from itertools import accumulate, chain, repeat
from operator import itemgetter

from headroom_cli.compressors.records.spans import Number
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Rows = Sequence[int]

_POOL = 200  # distinct keys of one place from which they are names, not fields
_FIELDS = 400  # fields of one array; beyond, what is not named for errors is pooled
_FEW = 3  # rows kept for each thing that only few rows have or lack
_KINDS = 12  # distinct values up to which a value that few rows have is told apart
_SHORT = 300  # characters; longer texts name errors in passing, so only few of them count
_LONGEST = 6000

_FIELD_WORD = pattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
ERROR_FIELDS = frozenset(
    ("error", "errors", "err", "exception", "exceptions", "failure", "failures", "failed", "stderr",
     "traceback", "fault", "panic", "ename", "evalue", "killed", "oom", "crashed", "aborted", "unhealthy", "corrupt")
)  # fmt: skip
_COMPLAINTS = frozenset(("warning", "warnings", "warn", "problem", "problems", "deprecated", "deprecation", "signal"))
_STATUS_FIELDS = frozenset(("status", "code", "http", "response"))
_EXIT_FIELDS = frozenset(("exit", "returncode", "rc", "exitcode", "errno", "retcode"))
_GOOD_FIELDS = frozenset(
    ("success", "successful", "succeeded", "ok", "passed", "pass", "healthy", "ready", "valid", "alive", "up", "online",
     "available", "reachable")
)  # fmt: skip
_SAID_FIELDS = frozenset(
    ("status", "state", "conclusion", "level", "severity", "result", "outcome", "message", "msg", "reason", "log",
     "phase", "health", "type")
)  # fmt: skip
# What an error says stands in these: errors that differ there differ.
_TOLD_FIELDS = frozenset(("message", "msg", "reason", "detail", "details", "cause", "text", "event", "why", "log"))
# Of these, texts are kept whole up to cut.ERROR_TEXT.
TEXT_FIELDS = ERROR_FIELDS | frozenset(("reason", "detail", "details", "cause", "causes", "backtrace", "stack"))
_PLACE_FIELDS = frozenset(("url", "uri", "href", "path", "file", "filename", "link", "urls", "sha", "hash", "avatar"))
_BAD_VALUES = frozenset(
    ("ko", "down", "notready", "not ready", "not_ready", "degraded", "lost", "invalid", "missing", "not ok", "not_ok",
     "notok", "nok", "ng", "offline", "dead", "unavailable", "broken", "corrupt", "corrupted", "expired", "terminated",
     "bad", "stalled", "stuck", "blocked", "undelivered", "unreachable", "unknown", "exited", "faulted", "faulty")
)  # fmt: skip
_STEMS = (
    "err", "exception", "traceback", "fail", "fatal", "crit", "crash", "panic", "abort", "time", "denied", "reject",
    "refused", "unhealthy", "cancel", "backoff", "evicted", "unreachable", "segfault", "killed", "emerg", "sig",
)  # fmt: skip
ERROR_WORDS = pattern(
    r"\b(?:err|errors?|errored|errimagepull|exceptions?|traceback|fail(?:s|ed|ure|ures|ing)?|fatal|crit|critical|crash(?:ed|es)?"
    r"|panic(?:ked)?|abort(?:ed)?|time(?:d[ -])?out|denied|reject(?:ed|s)?|refused|unhealthy|cancell?ed|oomkilled"
    r"|evicted|unreachable|segfault|killed|emerg(?:ency)?|sig(?:segv|kill|abrt|bus|ill|fpe|term))\b"
    r"|(?:error|exception|backoff)\b",
    re.IGNORECASE,
)
_NO_ERRORS = pattern(
    r"\b(?:0|no|zero|without)\s+(?:errors?|failures?|exceptions?)\b|\b(?:errors?|failures?|failed)\s*[:=]\s*0\b",
    re.IGNORECASE,
)
_HTTP = pattern(r"[45]\d\d(?:\.0+)?(?=\s|\Z)")
# What never tells one error from another: clocks, dates, UUIDs, addresses in memory, hashes, long ids.
_VOLATILE = pattern(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)?|\b\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b0x[0-9a-f]{6,16}\b|\b[0-9a-f]{12,64}\b|\b\d{9,}\b"
)
# Any number but those that are the error: a code, a signal, a port.
_VARIED = pattern(r"((?:code|status|exit|signal|errno|port|http|error)\W{0,3}\d+|:\d{2,5}\b)|\d+", re.IGNORECASE)
_NOTHING = frozenset(("", "0", "none", "null", "false", "no", "ok", "success", "n/a", "-", "[]", "{}"))


def words_of(name: str) -> frozenset[str]:
    """Return the words of a field name, in lower case: errorMessage, error_message and error-message have the same."""
    return frozenset(word.lower() for word in _FIELD_WORD.findall(name))


def says_error(text: str) -> bool:
    """Tell whether a text speaks of an error."""
    lower = text.lower()
    if not any(stem in lower for stem in _STEMS):
        return False
    return bool(ERROR_WORDS.search(text)) and not (
        _NO_ERRORS.search(text) and not ERROR_WORDS.search(_NO_ERRORS.sub("", text))
    )


class Field:
    """The values that stand under one path in the items of an array, in order, and the row of each.

    ``pooled``  many paths together: nothing can be said of what is rare
    """

    __slots__ = ("name", "pooled", "rows", "types", "values", "words")

    def __init__(self, name: str, words: frozenset[str], rows: Rows, values: list[Any], *, pooled: bool) -> None:
        """``rows`` may repeat a number: a list in an item has several values."""
        self.name = name
        self.words = words
        self.rows = rows
        self.values = values
        self.types = set(map(type, values))
        self.pooled = pooled


def fields_of(items: Sequence[Any]) -> list[Field]:
    """Return the fields of an array, at any depth."""
    fields: list[Field] = []
    todo = [Field("", frozenset(), range(len(items)), list(items), pooled=False)]
    made = 0
    while todo:
        field = todo.pop()
        types = field.types
        if dict not in types and list not in types:
            fields.append(field)
            continue
        if field.words & ERROR_FIELDS or field.words & _COMPLAINTS:
            fields.append(field)
            continue
        if len(types) > 1:
            _split(field, fields, todo)
        elif list in types:
            todo.append(_flat(field))
        else:
            new = _keys(field, pool=made > _FIELDS)
            made += len(new)
            todo += reversed(new)
    return fields


def _split(field: Field, fields: list[Field], todo: list[Field]) -> None:
    """Give each of scalars, lists and objects of one place a field of their own."""
    for kind in (dict, list, None):
        pairs = [
            (row, value)
            for row, value in zip(field.rows, field.values, strict=True)
            if (type(value) is kind if kind else type(value) is not dict and type(value) is not list)
        ]
        if pairs:
            rows, values = zip(*pairs, strict=True)
            (todo if kind else fields).append(Field(field.name, field.words, rows, list(values), pooled=field.pooled))


def _flat(field: Field) -> Field:
    rows = list(chain.from_iterable(map(repeat, field.rows, map(len, field.values))))
    return Field(field.name, field.words, rows, list(chain.from_iterable(field.values)), pooled=field.pooled)


def _keys(field: Field, *, pool: bool) -> list[Field]:
    """Return a field for each key of a field of objects."""
    objects = field.values
    rows = field.rows
    names = list(objects[0])
    pooled = field.pooled
    if len(names) <= _POOL and not pool and sum(map(len, objects)) == len(names) * len(objects):
        try:
            return [
                Field(name, words_of(name) or field.words, rows, list(map(itemgetter(name), objects)), pooled=pooled)
                for name in names
            ]
        except KeyError:
            pass
    found: dict[str, tuple[list[int], list[Any]]] = {}
    for row, one in zip(rows, objects, strict=True):
        for key, value in one.items():
            if key in found:
                pair = found[key]
                pair[0].append(row)
                pair[1].append(value)
            else:
                found[key] = ([row], [value])
    if len(found) <= _POOL and not pool:
        return [Field(key, words_of(key), *pair, pooled=pooled) for key, pair in found.items()]
    pools: dict[str, tuple[list[int], list[Any]]] = {}
    for key, (its_rows, values) in found.items():
        lower = key.lower()
        group = ""
        if any(stem in lower for stem in _STEMS):
            group = next(iter(sorted(words_of(key) & ERROR_FIELDS)), "")
        into = pools.setdefault(group, ([], []))
        into[0].extend(its_rows)
        into[1].extend(values)
    return [Field(group, words_of(group), *pair, pooled=True) for group, pair in pools.items()]


def _is_nothing(value: Any, level: int = 0) -> bool:
    if value is None or value is False or value == 0:
        return True
    if isinstance(value, str):
        return value.strip().lower() in _NOTHING or (type(value) is Number and float(value) == 0)
    if isinstance(value, (dict, list)):
        inner = value.values() if isinstance(value, dict) else value
        return not value or (level < 3 and all(_is_nothing(one, level + 1) for one in inner))
    return False


def errors_of(fields: list[Field]) -> dict[int, str]:
    """Return for each item that is about an error a key of what it says: equal errors have equal keys."""
    found: dict[int, str] = {}
    for field in fields:
        words = field.words
        if words & ERROR_FIELDS or words & _COMPLAINTS:
            if not words & _PLACE_FIELDS:
                _named(field, found, few=not words & ERROR_FIELDS)
            continue
        _coded(field, found)
        if str in field.types and not words & _PLACE_FIELDS:
            _worded(field, found)
    for field in fields if found else ():
        if field.words & _TOLD_FIELDS and str in field.types:
            for row, value in zip(field.rows, field.values, strict=True):
                if row in found and type(value) is str:
                    found[row] += "\t" + masked(value)
    return found


def _named(field: Field, found: dict[int, str], *, few: bool) -> None:
    """Add the items with something in a field that is named for errors; flags and counts only when few are set."""
    bad = [(row, value) for row, value in zip(field.rows, field.values, strict=True) if not _is_nothing(value)]
    plain = [row for row, value in bad if not isinstance(value, (dict, list)) and (type(value) is not str)]
    most = max(3, len(field.values) * 3 // 10)
    if few and len(bad) > most:
        return
    if len(plain) > most:
        bad = [(row, value) for row, value in bad if isinstance(value, (dict, list)) or type(value) is str]
    for row, value in bad:
        found[row] = found.get(row, "") + "\t" + masked(value)


def _coded(field: Field, found: dict[int, str]) -> None:
    """Add the items whose status, exit code, level or flag of success tells of a failure."""
    words = field.words
    exits = words & _EXIT_FIELDS or {"return", "code"} <= words
    good = words & _GOOD_FIELDS
    levels = words & {"level", "lvl"}
    if not (exits or good or levels or words & _STATUS_FIELDS):
        return
    values = field.values
    bad: set[tuple[type, Any]] = set()
    for kind, value in set(zip(map(type, values), values, strict=True)):
        if good:
            wrong = value is False or (kind is str and value.lower() in ("false", "no"))
        elif levels:
            wrong = kind is int and value in (50, 60)
        elif kind is int or (kind is Number and len(value) < 12) or (kind is str and len(value) < 40):
            number = value if kind is int else _status(value, exits=bool(exits))
            wrong = number is not None and (number != 0 if exits else 400 <= number < 600) and -1000 < number < 70_000
        else:
            wrong = False
        if wrong:
            bad.add((kind, value))
    if not bad:
        return
    hits = [(row, value) for row, value in zip(field.rows, values, strict=True) if (type(value), value) in bad]
    if (good or exits) and len(hits) * 2 > len(values):
        return
    for row, value in hits:
        found[row] = found.get(row, "") + f"\t{field.name} {value}"


def _status(text: str, *, exits: bool) -> int | None:
    if exits:
        return int(text) if text.removeprefix("-").isdecimal() and text.isascii() else None
    match = _HTTP.match(text)
    return int(match[0][:3]) if match else None


def _worded(field: Field, found: dict[int, str]) -> None:
    """Add the items whose words in one field speak of an error."""
    said = bool(field.words & _SAID_FIELDS)
    values = field.values
    strings = list(set(values) if field.types == {str} else {v for v in values if v.__class__ is str})
    joined = "\n".join(strings).lower()
    if not strings or (not any(map(joined.__contains__, _STEMS)) and _BAD_VALUES.isdisjoint(joined.split("\n"))):
        return  # looked at as one text: most fields end here
    strings = [text for text in strings if len(text) <= _LONGEST]
    bad = {strings[at] for at in _suspects(strings) if says_error(strings[at])} if strings else set()
    states = {text for text in strings if len(text) < 14 and text.lower() in _BAD_VALUES}
    count = len(values)
    for group, most in (
        ({text for text in bad if said and len(text) <= 2000}, count),
        ({text for text in bad if not said and len(text) <= _SHORT}, max(50, count * 3 // 10)),
        ({text for text in bad if len(text) > (2000 if said else _SHORT)}, max(3, count // 10)),
        (states - bad, max(1, count * 3 // 10)),
    ):
        if not group:
            continue
        hits = [
            (row, value)
            for row, value in zip(field.rows, values, strict=True)
            if value.__class__ is str and value in group
        ]
        if len(hits) <= most:  # a word that most items use tells nothing apart
            for row, value in hits:
                found[row] = found.get(row, "") + "\t" + masked(value)


def _suspects(strings: list[str]) -> set[int]:
    """Return the places of the strings that hold the stem of an error word, by few passes over all of them."""
    joined = "\n".join(strings).lower()
    ends = list(accumulate([len(text) + 1 for text in strings]))
    if len(joined) != ends[-1] - 1:
        return set(range(len(strings)))  # a letter whose lower case is longer: the places would be wrong
    found: set[int] = set()
    for stem in _STEMS:
        at = joined.find(stem)
        while at >= 0:
            place = bisect_right(ends, at)
            found.add(place)
            at = joined.find(stem, ends[place])
    return found


def masked(value: Any) -> str:
    """Return what a value says without clocks, UUIDs, hashes and long ids."""
    return _VOLATILE.sub("#", str(value))


def varied(key: str) -> tuple[str, list[str]]:
    """Return the template of an error, its numbers left out except codes and ports, and those numbers."""
    numbers: list[str] = []

    def swap(match: re.Match[str]) -> str:
        if match[1]:
            return match[1]
        numbers.append(match[0])
        return "#"

    return _VARIED.sub(swap, key), numbers


def scarce(fields: list[Field], count: int) -> set[int]:
    """Return rows with a field, a type or one of few values that hardly any other row has, or without a field."""
    found: set[int] = set()
    few = max(1, count // 100)
    for field in fields:
        if field.pooled:
            continue
        rows = field.rows
        if len(rows) != count or type(rows) is not range:
            present = set(rows)
            if len(present) <= few and field.types != {type(None)}:
                found.update(sorted(present)[:_FEW])
                continue
            if 0 < count - len(present) <= few:
                found.update([row for row in range(count) if row not in present][:_FEW])
        if len(field.types) > 1:
            _rare(rows, ["n" if type(v) is int or type(v) is Number else type(v).__name__ for v in field.values], found)
        if field.types <= {str, bool, int, type(None)} and len(set(field.values[:200])) <= _KINDS:
            _rare(rows, field.values, found)
    return found


def _rare(rows: Rows, values: list[Any], found: set[int]) -> None:
    kinds = Counter(values)
    if not 1 < len(kinds) <= _KINDS:
        return
    few = max(1, len(values) // 100)
    wanted = {value: _FEW for value, n in kinds.items() if n <= few}
    if wanted:
        for row, value in zip(rows, values, strict=True):
            if wanted.get(value):
                wanted[value] -= 1
                found.add(row)
