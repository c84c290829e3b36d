"""What a sequence of requests costs where prompts are cached by prefix, in tokens at the price of plain input.

A provider keeps prefixes of the prompts it has seen. What a request shares with one of them is read at a tenth of the
price or so; what it adds is written, at more than the price; the rest is plain input. Prices differ by model and time,
these factors do not, so money is counted in input tokens here. Every request is taken to come before the entries of
the one before it have expired, and what the model answers is no part of the sum until it is sent back as input.

Facts: Anthropic's prompt-caching reference and OpenAI's prompt-caching guide as of November 2026. Where sources
disagree or say nothing, a comment at the number says so.
"""

from __future__ import annotations

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    Span = tuple[int, int]  # how many segments of a request are read, and how many are read or written

# The shortest prefix that is kept at all; shorter ones are priced as plain input and nobody is told. It is not
# monotonic in the version. Sonnet 4.6 is given as 2,048 elsewhere and was measured near that.
_CLAUDE = {
    "claude-opus-5": 512, "claude-fable-5-1": 512, "claude-mythos-5-1": 512,
    "claude-opus-4-8": 1024, "claude-sonnet-5": 1024, "claude-sonnet-4-6": 1024, "claude-sonnet-4-5": 1024,
    "claude-opus-4-1": 1024, "claude-opus-4": 1024, "claude-opus-4-0": 1024,
    "claude-sonnet-4": 1024, "claude-sonnet-4-0": 1024,
    "claude-opus-4-7": 2048, "claude-3-5-haiku": 2048, "claude-haiku-3-5": 2048,
    "claude-opus-4-6": 4096, "claude-opus-4-5": 4096, "claude-haiku-4-5": 4096,
}  # fmt: skip
_GPT: dict[str, int] = {}  # 1,024 whatever the model

# What may stand behind a model's name that is still that model: nothing, a date, "-latest", a deployment's version. A
# short number is another model: the table is silent about claude-opus-5-5.
_SAME_MODEL = pattern(r"(?:$|[@:]|-(?:\d{6,8}|latest|fast|v\d)\b)")


class Rules:
    """How one provider caches prompts and what it asks for it; a row of PROVIDERS.

    ``name``         as reports show it
    ``about``        one line
    ``read``, ``write``  price of a token that is read from the cache or written to it; plain input costs 1
    ``implicit``     every prefix of a prompt is kept and found; otherwise only prefixes that end at a breakpoint
    ``minimums``     model -> tokens below which a prefix is not kept
    ``assumed``      the same for a model that is not in the table
    ``breakpoints``  how many a request may carry, 0 where there are none
    ``lookback``     how many content blocks before a breakpoint are searched for an entry
    ``included``     cached tokens are part of the input count that the provider reports
    """

    __slots__ = (
        "about", "assumed", "breakpoints", "implicit", "included", "lookback", "minimums", "name", "read", "write",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        about: str,
        *,
        read: float,
        write: float,
        minimums: Mapping[str, int],
        assumed: int,
        implicit: bool = False,
        breakpoints: int = 0,
        lookback: int = 0,
        included: bool = False,
    ) -> None:
        """Hold one row."""
        self.name = name
        self.about = about
        self.read = read
        self.write = write
        self.implicit = implicit
        self.minimums = minimums
        self.assumed = assumed
        self.breakpoints = breakpoints
        self.lookback = lookback
        self.included = included

    def minimum(self, model: str) -> tuple[int, bool]:
        """Return the shortest prefix in tokens that is kept for a model, and whether the table knows the model.

        Names are taken as clients write them: ``us.anthropic.claude-opus-4-5-20251101-v1:0``, ``claude-sonnet-4.5``.
        """
        name = model.lower().replace(".", "-")
        name = name[max(0, name.find("claude-")) :]
        known = [
            row for row in self.minimums if name.startswith(row) and _SAME_MODEL.match(name[len(row) :]) is not None
        ]
        return (self.minimums[max(known, key=len)], True) if known else (self.assumed, not self.minimums)


# Most rows of the table say 1,024: models that it lacks (the 5.5 and 5.2 series among them) are taken for those.
_ASSUMED = 1024
PROVIDERS: dict[str, Rules] = {
    rules.name: rules
    for rules in (
        Rules(
            "anthropic 5m", "Claude, entries that live five minutes", read=0.1, write=1.25, minimums=_CLAUDE,
            assumed=_ASSUMED, breakpoints=4, lookback=20,
        ),
        Rules(
            "anthropic 1h", "Claude, entries that live an hour", read=0.1, write=2.0, minimums=_CLAUDE,
            assumed=_ASSUMED, breakpoints=4, lookback=20,
        ),
        # Writes have a price from the 5.6 series on; explicit breakpoints, which that series also takes, change where
        # entries end and not what they cost, and are not modelled.
        Rules(
            "openai", "GPT-5.6 and later", read=0.1, write=1.25, minimums=_GPT, assumed=1024, implicit=True,
            included=True,
        ),
        # Read prices are those of OpenAI's price lists: a tenth in the GPT-5 series, half in the GPT-4o series. Entries
        # used to grow in steps of 128 tokens; today's guide does not say so, and it is not modelled.
        Rules(
            "openai 5.0-5.5", "GPT-5 before 5.6", read=0.1, write=1.0, minimums=_GPT, assumed=1024, implicit=True,
            included=True,
        ),
        Rules(
            "openai 4o", "GPT-4o and its contemporaries", read=0.5, write=1.0, minimums=_GPT, assumed=1024,
            implicit=True, included=True,
        ),
    )
}  # fmt: skip
_VERSION = pattern(r"gpt-(\d{1,2})(?:[.-](\d{1,2})(?!\d))?")


def for_model(model: str) -> str:
    """Return the name of the rules that a model is sold under, "" when its name does not tell."""
    name = model.lower()
    if "claude" in name:
        return "anthropic 5m"
    found = _VERSION.search(name)
    if found is None:
        return ""
    version = (int(found[1]), int(found[2] or 0))
    return "openai" if version >= (5, 6) else "openai 5.0-5.5" if version >= (5, 0) else "openai 4o"


class Segment:
    """A piece of a prompt that is equal to another exactly when their ``digest`` is.

    ``tokens``  its length
    ``mark``    the client put a cache breakpoint behind it
    ``block``   it is a content block: a setting that only has to be equal is none
    """

    __slots__ = ("block", "digest", "mark", "tokens")

    def __init__(self, digest: Hashable, tokens: int, *, mark: bool = False, block: bool = True) -> None:
        """Hold one piece; segments stand in wire order: tools, system, messages."""
        self.digest = digest
        self.tokens = tokens
        self.mark = mark
        self.block = block


class Request:
    """The first ``length`` segments of a prompt, which several requests may share, and its breakpoints.

    ``nodes``  the names of the prompt's prefixes, by length: equal in all prompts of one sequence that begin so
    ``sums``   tokens of these prefixes
    ``blocks`` content blocks of these prefixes
    ``marks``  lengths of the prefixes that end at a breakpoint, ascending
    """

    __slots__ = ("blocks", "length", "marks", "nodes", "sums")

    def __init__(
        self, nodes: Sequence[int], sums: Sequence[int], blocks: Sequence[int], length: int, marks: Sequence[int]
    ) -> None:
        """Made by ``requests`` and ``replay``."""
        self.nodes = nodes
        self.sums = sums
        self.blocks = blocks
        self.length = length
        self.marks = marks


class Names:
    """Numbers for prefixes: equal for two prompts of a sequence exactly as far as they begin the same."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        """Know the empty prefix alone, which is 0."""
        self._known: dict[tuple[int, Hashable], int] = {}

    def along(self, segments: Iterable[Segment]) -> list[int]:
        """Return the number of the prefix of each length, from 0 on."""
        nodes, node = [0], 0
        for segment in segments:
            node = self._known.setdefault((node, segment.digest), len(self._known) + 1)
            nodes.append(node)
        return nodes


def requests(prompts: Iterable[Sequence[Segment]], names: Names | None = None) -> list[Request]:
    """Return the requests that send each of these prompts whole. Requests with the same ``names`` are comparable."""
    names = names or Names()
    return [
        Request(
            names.along(segments),
            running(segment.tokens for segment in segments),
            running(segment.block for segment in segments),
            len(segments),
            [i for i, segment in enumerate(segments, 1) if segment.mark],
        )
        for segments in prompts
    ]


def replay(
    segments: Sequence[Segment], lengths: Iterable[int], fixed: Sequence[int], *, last: bool, names: Names | None = None
) -> list[Request]:
    """Return the requests that sent growing prefixes of one prompt.

    ``fixed`` are breakpoints that stay where they are, ``last`` puts one behind the last segment of each request.
    """
    sums = running(segment.tokens for segment in segments)
    blocks = running(segment.block for segment in segments)
    nodes = (names or Names()).along(segments)
    made = []
    for length in lengths:
        marks = {mark for mark in fixed if mark <= length}
        made.append(Request(nodes, sums, blocks, length, sorted(marks | {length} if last else marks)))
    return made


def running(numbers: Iterable[int]) -> list[int]:
    """Return the sums of the first 0, 1, 2 ... numbers."""
    sums = [0]
    for number in numbers:
        sums.append(sums[-1] + number)
    return sums


def spans(sent: Iterable[Request], rules: Rules, minimum: int) -> list[Span]:
    """Return for each request how many of its segments are read, and how many are read or written."""
    kept: set[int] = set()
    return [(_implicit if rules.implicit else _explicit)(request, rules, minimum, kept) for request in sent]


def _implicit(request: Request, _rules: Rules, minimum: int, kept: set[int]) -> Span:
    """Read the longest prefix that was ever sent; write all the rest."""
    nodes, sums = request.nodes, request.sums
    low, high = 0, request.length  # the prefixes of what is kept are kept: the longest can be found by halving
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if nodes[middle] in kept else (low, middle - 1)
    kept.update(nodes[low + 1 : request.length + 1])
    read = low if sums[low] >= minimum else 0
    return read, request.length if sums[request.length] >= minimum else read


def _explicit(request: Request, rules: Rules, minimum: int, kept: set[int]) -> Span:
    """Read the longest prefix that ended at a breakpoint of an earlier request and is within reach of one of these."""
    nodes, sums, blocks = request.nodes, request.sums, request.blocks
    read = written = 0
    marks = request.marks[-rules.breakpoints :]  # more are refused by the API
    for mark in marks:
        at = mark
        # Whether the block of the breakpoint itself counts among the 20 is not said; here it does not.
        while at > read and blocks[mark] - blocks[at] <= rules.lookback:
            if nodes[at] in kept:
                read = at
                break
            at -= 1
    for mark in marks:
        if sums[mark] >= minimum:
            kept.add(nodes[mark])
            written = mark
    return read, max(read, written)


class Bill:
    """The tokens of a sequence of requests by what is paid for them."""

    __slots__ = ("broken", "plain", "read", "requests", "rules", "written")

    def __init__(self, rules: Rules) -> None:
        """Start at nothing."""
        self.rules = rules
        self.requests = 0
        self.read = 0
        self.written = 0
        self.plain = 0
        self.broken = 0  # requests that changed something of the one before

    @property
    def sent(self) -> int:
        """All tokens of all requests."""
        return self.read + self.written + self.plain

    @property
    def price(self) -> float:
        """The price in tokens of plain input."""
        return self.rules.read * self.read + self.rules.write * self.written + self.plain


def bill(
    sent: Sequence[Request], cached: Sequence[Span], rules: Rules, column: Sequence[Sequence[int]] | None = None
) -> Bill:
    """Return the sums of some requests with their spans.

    ``column`` are other running sums over the same segments, one list per request: what a part of the tokens costs.
    """
    made = Bill(rules)
    before = 0, 0  # the length and name of the request before
    for i, (request, (read, written)) in enumerate(zip(sent, cached, strict=True)):
        sums = request.sums if column is None else column[i]
        made.requests += 1
        made.read += sums[read]
        made.written += sums[written] - sums[read]
        made.plain += sums[request.length] - sums[written]
        length, node = before
        made.broken += request.length < length or request.nodes[length] != node
        before = request.length, request.nodes[request.length]
    return made


def price(prompts: Iterable[Sequence[Segment]], rules: Rules, *, model: str = "", minimum: int | None = None) -> Bill:
    """Price requests in the order in which they were sent, each a list of segments in wire order.

    Where entries end at breakpoints and no segment carries one, each request gets one behind its last segment.
    """
    sent = requests(prompts)
    if not any(request.marks for request in sent):
        for request in sent:
            request.marks = [request.length]
    least = rules.minimum(model)[0] if minimum is None else minimum
    return bill(sent, spans(sent, rules, least), rules)
