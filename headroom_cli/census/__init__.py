"""Where the tokens of a document are, what of them caches can keep, and what the document costs as requests.

    documents -> wire.read -> parts in wire order -> a map of tokens, the stable prefix, bills by provider

The tokens that a rendering would have are those of a run of the engine, whose reports are given to ``take``.
"""

from __future__ import annotations

from headroom_cli import formats, pricing, tokens
from headroom_cli.census import wire
from headroom_cli.census.names import program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from headroom_cli.census.parts import Part
    from headroom_cli.census.wire import Prompt
    from headroom_cli.formats import Document
    from headroom_cli.model import Block, Report
    from headroom_cli.pricing import Bill, Request, Rules


class Row:
    """Tokens of one role, kind and tool."""

    __slots__ = ("after", "before", "blocks")

    def __init__(self) -> None:
        """Start at nothing."""
        self.blocks = 0
        self.before = 0
        self.after = 0


class Columns:
    """The tokens of each part of a prompt: raw and crushed, all of them and those of tool outputs alone."""

    __slots__ = ("after", "before", "observed_after", "observed_before")

    def __init__(self) -> None:
        """Start without parts."""
        self.before: list[int] = []
        self.after: list[int] = []
        self.observed_before: list[int] = []
        self.observed_after: list[int] = []


class Price:
    """What the requests cost under one provider's rules, as they are and crushed, and the outputs' share of it."""

    __slots__ = ("after", "before", "known", "minimum", "observed_after", "observed_before", "rules")

    def __init__(self, rules: Rules, model: str) -> None:
        """Bills come after."""
        self.rules = rules
        self.minimum, self.known = rules.minimum(model)
        self.before: Bill = pricing.Bill(rules)
        self.after: Bill = pricing.Bill(rules)
        self.observed_before = 0.0
        self.observed_after = 0.0


class Census:
    """All that was counted of a document with turns.

    ``sizes``  tokens of the parts of its first request, which is all of it unless it is JSON Lines of requests
    ``marks``  whose breakpoints the prices suppose: the "client"'s or "assumed" ones
    """

    __slots__ = (
        "after", "before", "marks", "media", "model", "observed_after", "observed_before", "prices", "prompts",
        "requests", "rows", "sizes",
    )  # fmt: skip

    def __init__(self, prompts: list[Prompt]) -> None:
        """Start at nothing."""
        self.prompts = prompts
        self.model = next((prompt.model for prompt in prompts if prompt.model), "")
        self.rows: dict[tuple[str, str, str], Row] = {}
        self.before = 0
        self.after = 0
        self.observed_before = 0
        self.observed_after = 0
        self.media = sum(part.media for prompt in prompts for part in prompt.parts)
        self.marks = marks_of(prompts)
        self.requests = 0
        self.sizes: list[int] = []
        self.prices: list[Price] = []

    def ordered(self) -> list[tuple[tuple[str, str, str], Row]]:
        """Return the rows of the map, largest first."""
        return sorted(self.rows.items(), key=lambda item: (-item[1].before, item[0]))

    def own_rules(self) -> str:
        """Return the name of the rules that the document's model is sold under, "" when that cannot be told."""
        return self.prompts[0].rules(self.model)

    def own_price(self) -> Price:
        """Return the price under these rules, or under the first."""
        own = self.own_rules()
        return next((price for price in self.prices if price.rules.name == own), self.prices[0])

    def warnings(self) -> list[str]:
        """Return what a reader of the numbers must know besides."""
        found = []
        if self.media:
            found.append(f"{self.media:,} pictures or files are not counted: they are not here, or cannot be read.")
        if self.marks == "assumed":
            found.append("No cache breakpoints: two are assumed, behind the system prompt and at the end.")
        placed = max(sum(part.mark for part in prompt.parts) + prompt.automatic for prompt in self.prompts)
        price = self.own_price()
        known = "" if price.known else " (assumed: nothing is known of this model)"
        found.append(f"Prefixes below {price.minimum:,} tokens are not kept{known}.")
        broken = self.prices[0].before.broken
        if broken:
            found.append(f"{broken:,} of the requests changed what was already sent; --diff shows where.")
        if placed > 4:
            found.append(f"{placed} cache breakpoints: the API refuses more than 4.")
        return found


def documents(data: bytes, form: str = "") -> list[tuple[Document, int]]:
    """Return the documents with turns that the data holds, each with the line it starts at; [] for a raw blob.

    There are several only in JSON Lines of requests. Raise FormatError as formats.parse does.
    """
    try:
        lines = _request_lines(data) if form in ("", "jsonl") else []
        if lines:
            return lines
        document = formats.parse(data, form)
    except UnicodeDecodeError:
        return []
    return [(document, 1)] if document.has_turns else []


def _request_lines(data: bytes) -> list[tuple[Document, int]]:
    """Return the requests of JSON Lines of requests, [] for any other data."""
    if not formats.are_request_lines(data):
        return []
    filled = [(line, number) for number, line in enumerate(data.splitlines(), 1) if line.strip()]
    found = [(formats.request_line(line), number) for line, number in filled]
    return [(document, number) for document, number in found if document is not None]


def take(
    held: Sequence[tuple[Document, int]], reports: Iterable[Report], model: str = "", *, priced: bool = True
) -> Census:
    """Count documents with turns. ``reports`` are those of an engine's run over them, by the paths of the blocks.

    Without ``priced`` there are no prices and no requests.
    """
    census = Census([wire.read(document, line) for document, line in held])
    census.model = model or census.model
    outcomes = {report.path: report for report in reports}
    count = Meter(census.model)
    columns = []
    for (document, line), prompt in zip(held, census.prompts, strict=True):
        told: dict[str, tuple[Block | None, Report | None]] = {  # in JSON Lines, a path begins with its line
            block.path: (block, outcomes.get(f"{line}:{block.path}") or outcomes.get(block.path))
            for block in document.blocks
        }
        pictures = (report for report in outcomes.values() if report.kind == "image" and report.before)
        told.update((report.path.rpartition(":")[2], (None, report)) for report in pictures if _is_of(report, line))
        columns.append(_count(census, prompt, told, count))
    census.sizes = columns[0].before
    if priced:
        _price(census, columns)
    return census


def _is_of(report: Report, line: int) -> bool:
    """Tell whether a report is of this line of JSON Lines, or of the only document there is."""
    number, colon, _ = report.path.partition(":")
    return not colon or number == str(line)


class Meter:
    """Tokens of a text; short texts, which repeat, are counted once."""

    __slots__ = ("_known", "_model")

    def __init__(self, model: str) -> None:
        """Remember nothing yet."""
        self._model = model
        self._known: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        """Return the number."""
        if len(text) > 200:
            return tokens.count(text, self._model)
        if text not in self._known:
            self._known[text] = tokens.count(text, self._model)
        return self._known[text]


def _count(
    census: Census, prompt: Prompt, told: dict[str, tuple[Block | None, Report | None]], count: Meter
) -> Columns:
    """Add the pieces of a prompt to the map and return the tokens of its parts."""
    columns = Columns()
    for part in prompt.parts:
        before = after = observed_before = observed_after = 0
        for piece in part.pieces:
            role, kind, tool = piece.role, piece.kind or "-", piece.tool
            block, outcome = told.get(piece.path, (None, None)) if piece.path else (None, None)
            if outcome is not None:
                raw, crushed = outcome.before, outcome.after
                role, kind = outcome.role, outcome.kind or "-"
                if block is None:  # a picture
                    census.media -= 1
                else:
                    tool = program(block.hint) if role == "tool" else ""
            else:
                raw = crushed = count(piece.text)
            row = census.rows.setdefault((role, kind, tool), Row())
            row.blocks += 1
            row.before += raw
            row.after += crushed
            before += raw
            after += crushed
            if role == "tool":
                observed_before += raw
                observed_after += crushed
        columns.before.append(before)
        columns.after.append(after)
        columns.observed_before.append(observed_before)
        columns.observed_after.append(observed_after)
    census.before += sum(columns.before)
    census.after += sum(columns.after)
    census.observed_before += sum(columns.observed_before)
    census.observed_after += sum(columns.observed_after)
    return columns


# --- the document as requests


def marks_of(prompts: list[Prompt]) -> str:
    """Tell whose breakpoints count: "client" where there is one, else "assumed"."""
    placed = any(prompt.automatic or any(part.mark for part in prompt.parts) for prompt in prompts)
    return "client" if placed else "assumed"


def settled(prompt: Prompt, *, assumed: bool) -> tuple[list[int], bool]:
    """Return the breakpoints in front of the messages, and whether one moves along at the end of each request.

    Where the client places none, two may be ``assumed``: behind the system prompt, and at the end.
    """
    parts = prompt.parts
    if assumed:
        return [i for i, part in enumerate(parts, 1) if part.region in ("tools", "system")][-1:], True
    last = prompt.automatic or any(part.mark for part in parts if part.region == "messages")
    return [i for i, part in enumerate(parts, 1) if part.mark and part.region != "messages"], last


def sizes(prompt: Prompt, meter: Meter, counted: Mapping[str, int] | None = None) -> list[int]:
    """Return the tokens of a prompt's parts as they are; ``counted`` are those of parts seen before, by digest."""
    known = counted or {}
    return [
        known[part.digest] if part.digest in known else sum(meter(piece.text) for piece in part.pieces)
        for part in prompt.parts
    ]


def lengths(prompt: Prompt) -> list[int]:
    """Return how many parts each request had that led to this conversation: what stood before each of its answers.

    The whole is one more request, unless it ends in an answer: that has not been sent back yet.
    """
    parts, found, asked = prompt.parts, [], False
    for i, part in enumerate(parts):
        if part.answer and asked and not parts[i - 1].answer:
            found.append(i)
        asked = asked or (part.region == "messages" and not part.answer)
    if not found or not parts[-1].answer:
        found.append(len(parts))
    return found


def sent(prompts: Sequence[Prompt], columns: Sequence[Sequence[int]], *, assumed: bool) -> list[Request]:
    """Return the requests that some prompts stand for, with the tokens of their parts.

    One prompt is replayed from its first answer on; several are requests as they are.
    """
    if len(prompts) == 1:
        fixed, last = settled(prompts[0], assumed=assumed)
        return pricing.replay(segments(prompts[0], columns[0]), lengths(prompts[0]), fixed, last=last)
    made = []
    for prompt, column in zip(prompts, columns, strict=True):
        fixed = settled(prompt, assumed=True)[0] if assumed else []
        end = [len(prompt.parts)] if assumed or prompt.automatic else []
        made.append(segments(prompt, column, [*fixed, *end]))
    return pricing.requests(made)


def segments(
    prompt: Prompt, column: Sequence[int], more: Iterable[int] = (), *, joined: bool = False
) -> list[pricing.Segment]:
    """Return a prompt's parts as caches see them, with ``more`` breakpoints behind the first so many parts.

    ``joined``: the provider does not tell where one message ends and the next of the same role begins.
    """
    marks = set(more)
    return [
        pricing.Segment(
            key(part, joined=joined), size, mark=part.mark or i in marks, block=part.region != "settings"
        )
        for i, (part, size) in enumerate(zip(prompt.parts, column, strict=True), 1)
    ]  # fmt: skip


def key(part: Part, *, joined: bool) -> str:
    """Return what is equal in two parts exactly when the provider renders the same."""
    return part.digest if joined or part.region == "settings" else f"{part.digest}|{part.opens}"


def _price(census: Census, columns: list[Columns]) -> None:
    """Make the bills under each provider's rules."""
    assumed = census.marks == "assumed"
    raw = sent(census.prompts, [column.before for column in columns], assumed=assumed)
    crushed = sent(census.prompts, [column.after for column in columns], assumed=assumed)
    census.requests = len(raw)
    one = len(census.prompts) == 1
    observed_raw = [pricing.running(column.observed_before) for column in columns] * (len(raw) if one else 1)
    observed_crushed = [pricing.running(column.observed_after) for column in columns] * (len(raw) if one else 1)
    for rules in pricing.PROVIDERS.values():
        price = Price(rules, census.model)
        before = pricing.spans(raw, rules, price.minimum)
        after = pricing.spans(crushed, rules, price.minimum)
        price.before = pricing.bill(raw, before, rules)
        price.after = pricing.bill(crushed, after, rules)
        price.observed_before = pricing.bill(raw, before, rules, observed_raw).price
        price.observed_after = pricing.bill(crushed, after, rules, observed_crushed).price
        census.prices.append(price)
