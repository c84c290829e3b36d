"""The sentences of a text with what is known of each: where it is, what it costs, and why it may have to stay."""

from __future__ import annotations

from bisect import bisect_right
from re import MULTILINE

from headroom_cli.compressors.prose.blocks import CODE, HEAD, ITEM, KEEP, TABLE, TERM, TEXT, Scanner
from headroom_cli.compressors.prose.sentences import split
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.prose.blocks import Block

# Any note of ours.
OURS = pattern(r"\[\.\.\. ?\d{1,9}(?:\]| sentences?\b| lines?\b)")
# What went wrong stays readable in place, whatever it costs.
_FAILURE = pattern(
    r"\b[A-Z]\w{0,60}(?:Error|Exception): \S|^[\w.]{1,80}(?:Error|Exception)\s*$"
    r"|\b(?:[Ee]rror|ERROR|FATAL|[Ff]atal|FAILED|panic)(?:\[\w{1,12}\])?: \S"
    r"|\bexit(?:ed with)? (?:code|status) [1-9]|panicked at|[Ss]egmentation fault|Traceback \(most recent",
    MULTILINE,
)
_FAILURE_STEMS = (
    "Error", "Exception", "rror:", "rror[", "ERROR", "atal:", "FATAL", "FAILED", "panic", "exit", "egmentation",
    "Traceback",
)  # fmt: skip
# Words that make a sentence an obligation or a restriction, and those that make it a warning, as they stand between
# blanks.
_RULES = frozenset((
    "must", "never", "deprecated", "breaking", "unsupported", "removed", "required", "cannot", "default", "defaults",
    "MUST", "SHALL", "SHOULD", "NOT", "never,", "deprecated.", "deprecated,", "removed.", "required.", "unsupported.",
    "not", "only", "unless", "except", "without", "cannot", "don't", "doesn't", "isn't",
    "irreversible", "vulnerable", "vulnerability", "incompatible", "must,", "default.", "default,",
))  # fmt: skip
_ALERTS = frozenset(
    f"{before}{word}{after}"
    for word in ("WARNING", "CAUTION", "IMPORTANT", "DANGER", "ATTENTION", "DEPRECATED", "BREAKING")
    for before, after in (
        ("", ""),
        ("", ":"),
        ("[!", "]"),
        ("**", "**"),
        ("**", ":**"),
        ("*", "*"),
        ("", "!"),
        ("(", ")"),
    )
)
_URGENT = _RULES | _ALERTS
_LABELS = ("warning", "caution", "important", "attention", "danger", "achtung", "avertissement", "advertencia")
_CHUNK = 800  # characters of a listing that stay or go together
_BEFORE_LABEL = " \t>*_.:!{(["
_LABEL_BEGINS = frozenset((*_BEFORE_LABEL, *(label[0] for label in _LABELS), *(label[0].upper() for label in _LABELS)))
_LABEL = 24  # characters
_FRAMES = 4  # lines of a trace before the error itself
NOTE = pattern(r"\[\.\.\. ?(\d{1,9})(?: sentences?(?:, \d{1,9} lines?)?)?\]")


class Units:
    """Parallel lists, one entry per unit; a unit is a sentence or a block that is not made of sentences."""

    __slots__ = (
        "_noted", "alert", "begin", "blocks", "end", "failed", "first", "kind", "lead", "of_block", "parts", "text",
    )  # fmt: skip

    def __init__(self, text: str, blocks: list[Block] | None = None, parts: dict[int, str] | None = None) -> None:
        """Cut a text. Linear in its length. ``parts`` has a shorter text for some blocks, by their number."""
        self.text = text
        self._noted = "[..." in text
        self.blocks: list[Block] = Scanner(text).scan() if blocks is None else blocks
        self.parts: dict[int, str] = parts or {}
        self.begin: list[int] = []
        self.end: list[int] = []
        self.kind = bytearray()
        self.first = bytearray()  # 1 the first sentence of its block, 2 of its section, 3 of the text
        self.failed = bytearray()  # 1 says that something failed
        self.alert = bytearray()  # 1 an obligation, a restriction or a default, 2 a warning
        self.lead: list[int] = []  # the unit that introduces a list item, or -1
        self.of_block: list[int] = []  # block -> its first unit; one entry more than blocks
        self._fill()

    def __len__(self) -> int:
        """Return how many units there are."""
        return len(self.begin)

    def _fill(self) -> None:
        text = self.text
        begin, end = self.begin, self.end
        fresh = 3
        lead = -1
        parents: list[tuple[int, int]] = []  # indentation and first unit of the list items that are still open
        for block, (kind, start, words, stop, _) in enumerate(self.blocks):
            self.of_block.append(len(begin))
            if kind in (TEXT, ITEM):
                starts = split(text, words, stop)
                count = len(starts)
                begin += starts
                end += starts[1:]
                end.append(stop)
                self.kind += bytes((kind,)) * count
                self.first += bytes((fresh or 1,)) + bytes(count - 1)
                if kind == TEXT:
                    lead = len(begin) - 1 if text[stop - 1 : stop] in (":", "\uff1a") else -1
                    self.lead += [-1] * count
                    parents.clear()
                else:
                    line = text[start:words]
                    deep = len(line) - len(line.lstrip())
                    while parents and parents[-1][0] >= deep:
                        parents.pop()
                    self.lead += [parents[-1][1] if parents else lead] * count
                    parents.append((deep, len(begin) - count))
                fresh = 0
            elif kind == CODE and block not in self.parts:
                starts = chunks(text, words, stop)
                count = len(starts)
                begin += starts
                end += starts[1:]
                end.append(stop)
                self.kind += bytes((CODE,)) * count
                self.first += bytes(count)
                self.lead += [-1] * count
                lead = -1
            else:
                begin.append(words if kind == HEAD else start)
                end.append(stop)
                self.kind.append(kind)
                self.first.append(0)
                self.lead.append(-1)
                if kind == HEAD:
                    fresh = max(fresh, 2)
                if kind != TERM:
                    lead = -1
        self.of_block.append(len(begin))
        self.failed = bytearray(len(begin))
        self.alert = bytearray(len(begin))
        self._judge()

    def _judge(self) -> None:
        """Mark failures, warnings and obligations."""
        text = self.text
        failed = _FAILURE.search
        suspected = self._suspected()
        warned = False
        trace: list[int] = []  # the lines of a stack trace so far
        for unit, kind in enumerate(self.kind):
            if kind not in (TEXT, ITEM):
                trace.clear()
                if kind in (CODE, TABLE) and unit in suspected and failed(text[self.begin[unit] : self.end[unit]]):
                    self.failed[unit] = 1
                if kind == TERM:
                    warned = _warns(text[self.begin[unit] : self.end[unit]])
                continue
            start, stop = self.begin[unit], self.end[unit]
            sentence = text[start:stop]
            if unit in suspected and failed(sentence):
                self.failed[unit] = 1
                for line in trace[-_FRAMES:]:  # where it was raised says more than how it got there
                    self.failed[line] = 1
                trace.clear()
                if "Traceback (most recent" in sentence:
                    trace.append(unit)
            elif trace:
                trace.append(unit)
            label = sentence[:1] in _LABEL_BEGINS and _warns(sentence)
            words = sentence.split()
            if not (warned or label) and _URGENT.isdisjoint(words):
                continue
            if warned or label or not _ALERTS.isdisjoint(words):
                self.alert[unit] = 2
                warned = not warned and len(sentence) < _LABEL  # a mere label warns of what follows
            else:
                self.alert[unit] = 1

    def _suspected(self) -> set[int]:
        """Return the units with a word in them that may speak of a failure: few, found by searching the whole text."""
        found: set[int] = set()
        for stem in _FAILURE_STEMS:
            at = self.text.find(stem)
            while at >= 0:
                unit = bisect_right(self.begin, at) - 1
                found.add(unit)
                at = self.text.find(stem, max(at + 1, self.end[unit]))
        return found

    def hidden(self, first: int, last: int) -> int:
        """Return how many sentences are gone when units go: an earlier gap note in one stands for its own."""
        if not self._noted:
            return last - first
        return sum(map(self._hides, range(first, last)))

    def _hides(self, unit: int) -> int:
        sentence = self.text[self.begin[unit] : self.end[unit]]
        if "[..." not in sentence:
            return 1
        noted = sum(map(int, NOTE.findall(sentence)))
        return noted + bool(NOTE.sub("", sentence).strip())


def _warns(sentence: str) -> bool:
    """Tell whether a sentence begins with a label such as ``Warning:``."""
    label = sentence[:_LABEL].lstrip(_BEFORE_LABEL).lower()
    return (label.startswith(_LABELS) and not label.rstrip("}").isalpha()) or label.rstrip("}]* \n\r>") in _LABELS


def chunks(text: str, start: int, stop: int) -> list[int]:
    """Return where the pieces of a listing begin, ``start`` first: cut at blank lines, or where it gets too long."""
    starts = [start]
    at = start
    while stop - at > _CHUNK:
        cut = text.find("\n\n", at + _CHUNK // 4, at + _CHUNK)
        cut = cut if cut >= 0 else text.rfind("\n", at + _CHUNK // 4, at + _CHUNK)
        if cut < 0:
            cut = text.find("\n", at + _CHUNK, stop)
        if cut < 0 or stop - cut < _CHUNK // 8:
            break
        at = cut
        while at < stop and text[at] in "\r\n":
            at += 1
        if at >= stop:
            break
        starts.append(at)
    return starts


FIXED = frozenset((HEAD, TERM, KEEP))  # kinds that stay unless a budget says otherwise
