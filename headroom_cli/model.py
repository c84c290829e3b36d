"""The nouns of the program: Hint, Draft, Want, Compressor, Block, Policy, Report, Result.

Plain classes with slots: ``dataclasses`` and ``typing`` cost 13 and 8 ms to import,
more than a 1 KB filter run may spend.
"""

from __future__ import annotations

from headroom_cli.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from headroom_cli.errors import HeadroomError

# What a block's text is. "image" has no text; "mixed" is cut into segments, each with a kind of its own.
KINDS = (
    "json", "log", "test-log", "search", "diff", "code", "table", "html", "prose", "listing", "image", "mixed",
)  # fmt: skip

LEVELS = ("safe", "balanced", "max")
REDEEMS = ("auto", "tool", "shell", "none")

# Why a block stays: the agent asked for exactly these lines. What a harness put around them is not of them.
RANGED = "ranged read"

# The "tool" behind a part that is quoted in another text: its lines have no numbers of their own.
FENCE = "fence"

# Degrees of a draft, DESIGN "three degrees".
EXACT = "exact"  # the text alone decodes to the original's bytes
FAITHFUL = "faithful"  # every value or visible character is still readable, in order
LOSSY = "lossy"  # something is missing: needs a marker


class Hint:
    """What is known of a text besides itself: the command and tool that made it, the file it came from.

    ``written`` are the texts of several lines that the call itself carried: they stand before its result.
    """

    __slots__ = ("command", "path", "tool", "written")

    def __init__(self, command: str = "", tool: str = "", path: str = "", written: tuple[str, ...] = ()) -> None:
        """All may be empty."""
        self.command = command
        self.tool = tool
        self.path = path
        self.written = written


class Draft:
    """What a compressor proposes instead of a text.

    ``text`` holds the kept text with its gap notes; ``degree`` is EXACT, FAITHFUL or LOSSY; ``missing`` says in the
    source's own unit what a lossy draft left out ("950 of 1000 items", 1-80 printable ASCII characters without < or >).
    ``refers`` are the ordinals of the document's blocks that references in the text point at: they must stay readable.
    """

    __slots__ = ("degree", "missing", "refers", "text")

    def __init__(self, text: str, degree: str, missing: str = "", refers: tuple[int, ...] = ()) -> None:
        """Raise ValueError for a lossy draft that does not say what is missing, or a lossless one that does."""
        if (degree == LOSSY) != bool(missing):
            raise ValueError("a draft says what is missing exactly when it is lossy")
        self.text = text
        self.degree = degree
        self.missing = missing
        self.refers = refers


class Want:
    """What a compressor is asked for; everything that it may depend on besides the text.

    ``question``  the user's words that came before the block ("" when there are none)
    ``level``     safe, balanced or max
    ``budget``    token target for this block, or None
    ``lossless``  only EXACT or FAITHFUL drafts can be used
    ``keep_json`` the draft must still parse as JSON when the text did
    ``count``     tokens of a text (an estimate unless an exact tokenizer is there)
    ``spent``     true once this block's time is over: stop and return None
    ``part``      hand a part of the text to its own specialist: (text, hint) -> Draft or None
    ``hint``      the command, tool and path behind the text
    ``asked``     the caller named the kind: the shape of the text need not convince
    ``kompress``  how much each word of a prose text is worth, 0..1, by a model; None when no words are to be deleted;
                  raises NotUsableError when the model cannot say
    """

    __slots__ = (
        "asked", "budget", "count", "hint", "keep_json", "kompress", "level", "lossless", "part", "question", "spent",
    )  # fmt: skip

    def __init__(
        self,
        count: Callable[[str], int],
        *,
        question: str = "",
        level: str = "balanced",
        budget: int | None = None,
        lossless: bool = False,
        keep_json: bool = False,
        spent: Callable[[], bool] = lambda: False,
        part: Callable[[str, Hint], Draft | None] = lambda _text, _hint: None,
        hint: Hint | None = None,
        asked: bool = False,
        kompress: Callable[[list[str]], list[float]] | None = None,
    ) -> None:
        """Only the counter is required."""
        self.asked = asked
        self.kompress = kompress
        self.count = count
        self.question = question
        self.level = level
        self.budget = budget
        self.lossless = lossless
        self.keep_json = keep_json
        self.spent = spent
        self.part = part
        self.hint = hint if hint is not None else Hint()


class Compressor:
    """One specialist: a row of the COMPRESSORS table.

    ``sniff(text, hint)`` gives its confidence (0..1) that the text is one of its kinds;
    ``compress(text, want)`` gives a Draft, or None when it has nothing better than the text.
    """

    __slots__ = ("about", "compress", "kinds", "name", "sniff")

    def __init__(
        self,
        name: str,
        kinds: tuple[str, ...],
        sniff: Callable[[str, Hint], float],
        compress: Callable[[str, Want], Draft | None],
        about: str,
    ) -> None:
        """``about`` is one line for ``route --explain`` and the docs."""
        self.name = name
        self.kinds = kinds
        self.sniff = sniff
        self.compress = compress
        self.about = about


class Block:
    """One text of a document that may be shortened, and where it stands.

    ``path``      names the place for a person: "messages.3.content.0.text", "" for a raw blob
    ``role``      system, user, assistant or tool
    ``turn``      the role that the message says it has: "user" for an observation, whose role is tool; unlike the role
                  it does not depend on the text, which a rendering changes
    ``text``      the decoded text
    ``start``, ``end``  the span of its literal in the document's own text (quotes included; whole text for a raw blob)
    ``kept``      why it is out of scope ("" when it may be shortened)
    ``question``  the newest words of the user before it
    ``hint``      the command, tool and path behind it
    ``answered``  an assistant turn comes after it: it has been sent before
    """

    __slots__ = ("answered", "end", "hint", "kept", "path", "question", "role", "start", "text", "turn")

    def __init__(
        self,
        path: str,
        role: str,
        text: str,
        start: int,
        end: int,
        *,
        kept: str = "",
        question: str = "",
        hint: Hint | None = None,
        turn: str = "",
    ) -> None:
        """Every block of a document is listed, in order, also those out of scope."""
        self.path = path
        self.role = role
        self.turn = turn or role
        self.text = text
        self.start = start
        self.end = end
        self.kept = kept
        self.question = question
        self.hint = hint if hint is not None else Hint()
        self.answered = False


class Policy:
    """What the caller allows and asks for; one value, part of a rendering's identity.

    ``level``     safe, balanced, max; "" means safe for documents with turns, balanced for raw blobs
    ``budget``    token target of a raw blob, or None
    ``lossless``  only exact and faithful renderings
    ``keep_json`` a raw blob that is JSON stays JSON
    ``redeem``    who can run retrieval: auto, tool, shell, none; with none only lossless renderings are made
    ``query``     an explicit question instead of the words before each block
    ``only``, ``skip``  kinds to compress, kinds to leave
    ``as_kind``   treat every block as this kind
    ``live``      the request is about to be sent: what stands before the last assistant turn went out before
    ``fresh``     render anew what was rendered before
    ``only_tools``, ``protect_tools``  names of tools, with wildcards: in a conversation the results of other tools, and
                  those of these tools, stay as they are
    ``kompress``  the model that deletes words from prose, at balanced and above; "" for none
    """

    __slots__ = (
        "as_kind", "budget", "fresh", "keep_json", "kompress", "level", "live", "lossless", "only", "only_tools",
        "protect_tools", "query", "redeem", "skip",
    )  # fmt: skip

    def __init__(
        self,
        *,
        level: str = "",
        budget: int | None = None,
        lossless: bool = False,
        keep_json: bool = False,
        redeem: str = "shell",
        query: str = "",
        only: frozenset[str] = frozenset(),
        skip: frozenset[str] = frozenset(),
        as_kind: str = "",
        live: bool = False,
        fresh: bool = False,
        only_tools: tuple[str, ...] = (),
        protect_tools: tuple[str, ...] = (),
        kompress: str = "",
    ) -> None:
        """Raise ConfigError for a level, kind or redeem value that does not exist, or a budget below 1."""
        if level not in ("", *LEVELS):
            raise ConfigError(f"unknown level {level!r}; use one of {', '.join(LEVELS)}")
        if redeem not in REDEEMS:
            raise ConfigError(f"unknown way to redeem {redeem!r}; use one of {', '.join(REDEEMS)}")
        if budget is not None and budget < 1:
            raise ConfigError("a budget is a number of tokens above 0; leave --budget out for the level's own target")
        for kind in (*only, *skip, *((as_kind,) if as_kind else ())):
            if kind not in KINDS:
                raise ConfigError(f"unknown kind {kind!r}; use one of {', '.join(KINDS)}")
        self.level = level
        self.budget = budget
        self.lossless = lossless or redeem == "none"
        self.keep_json = keep_json
        self.redeem = redeem
        self.query = query
        self.only = only
        self.skip = skip
        self.as_kind = as_kind
        self.live = live
        self.fresh = fresh
        self.only_tools = only_tools
        self.protect_tools = protect_tools
        self.kompress = kompress

    def spares(self, tool: str) -> str:
        """Return why the results of a tool ("" when nobody knows which) stay as they are, "" when they need not."""
        if not (self.only_tools or self.protect_tools):
            return ""
        from fnmatch import fnmatchcase

        if any(fnmatchcase(tool, name) for name in self.protect_tools):
            return "protected by --protect-tool"
        if self.only_tools and not any(fnmatchcase(tool, name) for name in self.only_tools):
            return "not in --only-tool"
        return ""

    def identity(self, *, turns: bool) -> str:
        """Return what of the policy a rendering depends on, as one line.

        Who may redeem a marker decides whether there is one, and nothing else. The budget of a document with turns is
        met by leaving out whole turns, not by its renderings.
        """
        kinds = ("+".join(sorted(self.only)), "+".join(sorted(self.skip)), self.as_kind)
        own = ("", "") if turns else (str(self.budget or ""), str(self.keep_json))
        # What stays is there to be referred to. Without any of them the line is as it was before there were such.
        tools = () if not turns or not self._tools() else (repr(self._tools()),)
        model = (f"kompress={self.kompress}",) if self.kompress else ()
        return "\t".join((self.level_for(turns=turns), str(self.lossless), *own, *kinds, self.query, *tools, *model))

    def _tools(self) -> dict[str, list[str]]:
        """Return what is said of tools, {} for nothing; in which order names stand makes no difference."""
        found = {"only_tools": sorted(set(self.only_tools)), "protect_tools": sorted(set(self.protect_tools))}
        return {name: names for name, names in found.items() if names}

    def redeemed(self, way: str) -> Policy:
        """Return this policy for a reader who can ask for originals in another way."""
        lossless = self.lossless and self.redeem != "none"
        return Policy(
            level=self.level, budget=self.budget, lossless=lossless, keep_json=self.keep_json, redeem=way,
            query=self.query, only=self.only, skip=self.skip, as_kind=self.as_kind, live=self.live, fresh=self.fresh,
            only_tools=self.only_tools, protect_tools=self.protect_tools, kompress=self.kompress,
        )  # fmt: skip

    def lasting(self) -> dict[str, Any]:
        """Return what a conversation keeps of the policy that it began with, as JSON."""
        return {
            "level": self.level, "lossless": self.lossless, "query": self.query, "only": sorted(self.only),
            "skip": sorted(self.skip), "as": self.as_kind, **self._tools(),
            **({"kompress": self.kompress} if self.kompress else {}),
        }  # fmt: skip

    def as_begun(self, kept: dict[str, Any]) -> Policy:
        """Return this policy with what a conversation kept of the one that it began with."""
        return Policy(
            level=kept["level"], budget=self.budget, lossless=kept["lossless"], keep_json=self.keep_json,
            redeem=self.redeem, query=kept["query"], only=frozenset(kept["only"]), skip=frozenset(kept["skip"]),
            as_kind=kept["as"], live=self.live, fresh=self.fresh,
            only_tools=tuple(kept.get("only_tools", ())), protect_tools=tuple(kept.get("protect_tools", ())),
            kompress=kept.get("kompress", ""),
        )  # fmt: skip

    def level_for(self, *, turns: bool) -> str:
        """Return the level in force for a document with or without turns."""
        return self.level or ("safe" if turns else "balanced")


class Report:
    """What became of one block; a row of ``route --explain``. Tokens are estimates unless a tokenizer is there."""

    __slots__ = (
        "after", "before", "compressor", "confidence", "degree", "failure", "handle", "kept", "kind", "ms", "path",
        "role", "tool", "why",
    )  # fmt: skip

    def __init__(self, path: str, role: str, tool: str = "") -> None:
        """Start as a block that stays; the engine fills in the rest. ``tool`` is the name of the tool that made it."""
        self.path = path
        self.role = role
        self.tool = tool
        self.kind = ""
        self.confidence = 0.0
        self.why = ""  # what the kind was recognised by
        self.compressor = ""
        self.before = 0
        self.after = 0
        self.kept = ""  # the reason when the block stays as it is
        self.failure = ""  # what a specialist raised, "" when it did not
        self.handle = ""
        self.degree = ""
        self.ms = 0.0  # what finding a draft took; what is replayed takes none


class Result:
    """What a run made: the bytes to write and what happened to each block."""

    __slots__ = (
        "after", "before", "blocks", "data", "entered", "failure", "format", "level", "moved", "plan", "unfit",
        "warnings",
    )  # fmt: skip

    def __init__(self, data: bytes, form: str, level: str) -> None:
        """Start as a document that stays."""
        self.data = data
        self.format = form
        self.level = level
        self.blocks: list[Report] = []
        self.before = 0
        self.after = 0
        self.warnings: list[str] = []
        self.failure: HeadroomError | None = None  # what failed open, for --strict
        self.moved: list[Any] = []  # what align moved (align.Moved)
        self.plan: Any = None  # what fit left out (fit.walk.Plan), None when it was not asked
        self.unfit = ""  # why a budget cannot be met
        self.entered = False  # the edits of whoever sends the request were made
