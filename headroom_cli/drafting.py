"""One block: find its kind, ask the specialist, and accept the draft only when it is worth the change."""

from __future__ import annotations

import gc
import time

from headroom_cli import compressors, mixed, tokens
from headroom_cli.context import SYSTEM
from headroom_cli.model import FAITHFUL, LOSSY, Draft, Want
from headroom_cli.routing import route, wrappers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.dedup import Seen
    from headroom_cli.kompress.runtime import Rater
    from headroom_cli.model import Block, Hint, Policy, Report
    from headroom_cli.routing.wrappers import Wrapper

# Law 4: a rendering must save 3 % of the tokens, counted with its marker.
ACCEPT = 0.97
# Tokens that are gain enough in a conversation where nothing needs a marker: a long file's wrapper, a reference in it.
# Each later request pays for them again.
GAIN = 12
# Kinds whose renderings say the same in another notation: there the estimator's error decides what is believed.
RE_ENCODED = frozenset(("json", "table", "mixed"))
# Kinds whose specialist leaves long encoded lines to a step of their own: the others cut them as strings or lines.
HOLDS_BLOBS = frozenset(("code", "log", "test-log", "prose", "table"))
# YAML, TOML and INI are code or words to the router; their blocks repeat as rows of a table do.
HOLDS_SETTINGS = frozenset(("code", "prose"))
# Lines of base64 look like paths or matches to the router; where the specialist knew better, they are blobs.
MISTAKEN_FOR_BLOBS = frozenset(("listing", "search"))
# Below UNSURE the specialists' own sniff is heard, above SURE. Of 12,000 labelled texts that mends 2 and breaks none;
# an UNSURE of 0.6 would break 8.
UNSURE = 0.4
SURE = 0.6
# The last guard: limits are counted in input; a block that the clock stops stays as it is.
SECONDS_PER_BLOCK = 10.0
# How deep parts are handed on: a log inside JSON inside a fence.
MAX_PARTS = 3


class Drafter:
    """What stays the same for all blocks of a document: the policy, its level, the counter and the deadline."""

    __slots__ = ("_deadline", "_policy", "_rater", "_seen", "_standing", "_turns", "level", "lossless", "model")

    def __init__(self, policy: Policy, *, turns: bool, model: str) -> None:
        """Start with nothing seen; ``turns`` tells a conversation from a raw blob."""
        self._policy = policy
        self._turns = turns
        self._deadline = 0.0
        self._standing: dict[str, str] = {}
        self._seen = _new_seen() if turns else None
        self.lossless = policy.lossless
        self.level = policy.level_for(turns=turns)
        self.model = model
        self._rater: Rater | None = None
        # Words that go from within a sentence are none of the steps that safe allows, whatever is asked for.
        if policy.kompress and self.level != "safe" and not self.lossless:
            from headroom_cli.kompress.runtime import Rater

            self._rater = Rater(policy.kompress)

    def begin(self, deadline: float) -> None:
        """Start on a document, or go on with one; ``deadline`` is a value of ``time.perf_counter``."""
        self._deadline = deadline
        if self._rater is not None:
            self._rater.begin()

    @property
    def trouble(self) -> str:
        """Why the model for prose could not be used since ``begin``, "" when it could or was not needed."""
        return self._rater.trouble if self._rater is not None else ""

    def count(self, text: str) -> int:
        """Return the tokens of a text."""
        return tokens.count(text, self.model)

    def draft(self, block: Block, report: Report) -> Draft | None:
        """Return an accepted draft for a block in scope, or None with the reason in ``report.kept``.

        Of a block that is kept for its own sake the wrapper around it is shortened, and lines that can be read further
        up become references.

        Fill in the report's kind, confidence, compressor, degree, tokens after and time.
        """
        began = time.perf_counter()
        end = min(self._deadline, began + SECONDS_PER_BLOCK)
        wrapper = wrappers.read(block.text)
        if block.kept and self._seen is None and not (wrapper.head or wrapper.tail):
            report.kept = block.kept
            return None
        # Hundreds of thousands of small objects, no cycle among them, cost up to two thirds more while the collector
        # keeps looking at them.
        collecting = gc.isenabled()
        gc.disable()
        try:
            draft = self._drafted(block, wrapper, end, report)
        except Exception as error:  # noqa: BLE001 - law 1: whatever a specialist raises, the original goes through
            report.failure = f"{type(error).__name__}: {error}"
            report.kept = "its specialist failed"
            return None
        finally:
            if collecting:
                gc.enable()
            report.ms = (time.perf_counter() - began) * 1000
        if draft is None and not report.kept:
            report.kept = block.kept or ("out of time" if time.perf_counter() > end else "nothing to gain")
        return draft

    def _drafted(self, block: Block, wrapper: Wrapper, end: float, report: Report) -> Draft | None:
        """Return the draft of the specialist and of dedup when it is accepted."""
        kind = self._kind(block.text, block.hint, report)
        if not kind and self._seen is None:
            return None

        def inner(text: str, want: Want) -> Draft | None:
            if not text or text.isspace():
                return None
            draft = None if block.kept or not kind else self._compress(kind, text, want, report)
            return self._referring(block, text, draft, want, report)

        # A marker may be what makes a small rendering too large: what re-encodes in place needs none.
        for lossless in (True,) if self.lossless else (False, True):
            want = self._want(block, end, lossless=lossless)
            if kind:
                made = mixed.unwrapped(block.text, wrapper, self._standing, want, inner)
            else:  # whoever leaves this kind out has references made all the same
                made = inner(block.text, want)
            draft = made if report.compressor == "dedup" else self._owned(made, block)
            if draft is not None and self.accepts(block.text, draft, report):
                report.kept = ""
                return draft
            if made is not None and made.degree != LOSSY:
                break
        return None

    def _referring(self, block: Block, text: str, draft: Draft | None, want: Want, report: Report) -> Draft | None:
        """Return the smaller of: the draft, the draft with references, the text with references.

        A specialist that writes lines anew hides from dedup what it could have referred to, and the other way round.
        """
        if self._seen is None:
            return draft
        within = report.kind != "diff"  # what stays of a patch can be applied
        plain = self._shortened(block, text, None, within=within)
        if draft is not None:
            draft = self._shortened(block, draft.text, draft, within=within)
        if plain is None or (draft is not None and want.count(weighed(draft)) <= want.count(plain.text)):
            return draft
        report.compressor = "dedup"
        return plain

    def _shortened(self, block: Block, text: str, draft: Draft | None, *, within: bool) -> Draft | None:
        """Return a text (of a draft) with references and without the blanks before line numbers, or the draft."""
        from headroom_cli.dedup import unpadded
        from headroom_cli.dedup.alike import alike

        short, refers = self._referred(block, text, within=within)
        if within and (folded := alike(text)) != text:
            # Names alone cannot be found in whole lines further up, nor the other way round.
            other, others = self._referred(block, folded, within=within)
            if self.count(other) < self.count(short):
                short, refers = other, others
        short = unpadded(short)
        if short == text:
            return draft
        if draft is None:
            return Draft(short, FAITHFUL, refers=refers)
        return Draft(short, mixed.weaker(draft.degree, FAITHFUL), draft.missing, refers)

    def _referred(self, block: Block, text: str, *, within: bool) -> tuple[str, tuple[int, ...]]:
        """Return a text with references, and the ordinals that they point at."""
        assert self._seen is not None
        found = self._seen.shorten(block, text, within=within)
        return found if found is not None else (text, ())

    def _owned(self, draft: Draft | None, block: Block) -> Draft | None:
        """Return a draft, with a marker where the kind was named against what the text looks like.

        What re-groups in the belief that a text is a table reads wrong when it is none: then the way back must show.
        """
        named = self._policy.as_kind
        if draft is None or draft.degree != FAITHFUL or not named or self.lossless:
            return draft
        # Whether the paths of a list are names of an inventory, or answers to be used as they stand, nobody can see.
        found = route(block.text, block.hint).kind
        if named != "listing" and compressors.for_kind(found) == compressors.for_kind(named):
            return draft
        return Draft(draft.text, LOSSY, "source layout", draft.refers)

    def passed(self, block: Block, shown: str) -> None:
        """Take note of a block and the text that stands in its place; called for every block, in order.

        What an output's wrapper said need not be said again by later ones while it holds. System prompts are no part of
        a block's context, so nothing may refer to them.
        """
        if self._seen is not None:
            self._seen.passed(block, "" if block.turn in SYSTEM else shown)
        if block.role == "tool":
            self._standing.update(wrappers.read(block.text).facts())

    def _kind(self, text: str, hint: Hint, report: Report) -> str:
        """Return the kind to compress a text as, "" with a reason when it stays."""
        policy = self._policy
        if policy.as_kind:
            report.kind, report.confidence, report.why = policy.as_kind, 1.0, "as asked"
        else:
            found = route(text, hint)
            report.kind, report.confidence, report.why = found.kind, found.confidence, found.why
            if found.confidence < UNSURE:
                self._ask_specialists(text, hint, report)
        kind = report.kind
        if policy.only and kind not in policy.only and kind != "mixed":  # of mixed output, each part is asked
            report.kept = f"not among --only ({kind})"
        elif kind in policy.skip:
            report.kept = f"--skip {kind}"
        elif kind != "mixed" and not compressors.for_kind(kind):
            report.kept = f"no specialist for {kind} yet"
        return "" if report.kept else kind

    @staticmethod
    def _ask_specialists(text: str, hint: Hint, report: Report) -> None:
        """Hear the specialists where nothing speaks to the router: one that is sure knows its own kind better."""
        best = SURE
        for name, kinds in compressors.COMPRESSORS.items():
            confidence = compressors.load(name).sniff(text, hint)
            if confidence > best:
                best = confidence
                report.kind = report.kind if report.kind in kinds else kinds[0]
                report.confidence, report.why = confidence, f"recognised by {name}"

    def _want(self, block: Block, end: float, *, lossless: bool, depth: int = 0) -> Want:
        policy = self._policy
        return Want(
            self.count,
            question=policy.query or block.question,
            level=self.level,
            budget=None if self._turns else policy.budget,
            lossless=lossless,
            keep_json=policy.keep_json and not self._turns,
            spent=lambda: time.perf_counter() > end,
            part=lambda text, hint: self._part(block, text, hint, end, lossless=lossless, depth=depth),
            hint=block.hint,
            asked=bool(policy.as_kind),
            kompress=self._rater,
        )

    def _part(self, block: Block, text: str, hint: Hint, end: float, *, lossless: bool, depth: int) -> Draft | None:
        """Hand a part of a block to its own specialist; the caller joins and weighs."""
        if depth >= MAX_PARTS:
            return None
        found = route(text, hint)
        only = self._policy.only
        if found.kind in self._policy.skip or (only and found.kind not in only and "mixed" not in only):
            return None
        want = self._want(block, end, lossless=lossless, depth=depth + 1)
        want.hint = hint
        want.asked = False  # whoever named a kind named the block's, not that of its parts
        return self._compress(found.kind, text, want, None)

    def _compress(self, kind: str, text: str, want: Want, report: Report | None) -> Draft | None:
        if kind == "mixed":
            draft = mixed.compress(text, want)
        else:
            name = compressors.for_kind(kind)
            if not name:
                return None
            if report is not None:
                report.compressor = name
            draft = compressors.load(name).compress(text, want)
            if not want.lossless and (kind in HOLDS_BLOBS or (draft is None and kind in MISTAKEN_FOR_BLOBS)):
                # A table writes its rows anew: what a note says of a blob must be true of the original's.
                draft = _smaller(draft, _without_blobs(text, None)) if kind == "table" else _without_blobs(text, draft)
            if draft is None and kind in HOLDS_SETTINGS:
                from headroom_cli.compressors.tables import compress_settings

                draft = compress_settings(text, want)
        if draft is None or (want.lossless and draft.degree == LOSSY):
            return None
        return draft

    def accepts(self, text: str, draft: Draft, report: Report) -> bool:
        """Weigh a draft with its marker against the text (law 4), in tokens and in bytes."""
        if not draft.text:
            return False  # nothing at all cannot be told from an empty input
        sample = weighed(draft)
        if _size(sample) >= _size(text):
            return False
        after = self.count(sample)
        # Leaving lines out is judged well by an estimate; the same content in another writing less so.
        estimated = report.kind in RE_ENCODED and report.compressor != "dedup" and not tokens.is_exact()
        if report.kind == "mixed" and draft.degree == LOSSY:
            estimated = False
        share = 1 - tokens.MARGIN if estimated else ACCEPT
        enough = self._turns and draft.degree != LOSSY and not estimated and report.before - after >= GAIN
        if after > share * report.before and not enough:
            return False
        report.after, report.degree = after, draft.degree
        return True


def _new_seen() -> Seen:
    from headroom_cli.dedup import Seen

    return Seen()


def _size(text: str) -> int:
    """Return the bytes of a text; for ASCII without a copy."""
    return len(text) if text.isascii() else len(text.encode("utf-8"))


def weighed(draft: Draft) -> str:
    """Return the draft with a marker of the usual length, as it would be sent."""
    return draft.text if draft.degree != LOSSY else f"{draft.text}\n<<headroom:{'a' * 12} {draft.missing}>>"


def _smaller(one: Draft | None, other: Draft | None) -> Draft | None:
    if one is None or other is None:
        return one or other
    return one if len(one.text) <= len(other.text) else other


def _without_blobs(text: str, draft: Draft | None) -> Draft | None:
    """Return the draft, or the text, with each blob cut to its ends, length and digest."""
    from headroom_cli.compressors import _blobs

    short, note = _blobs.cut(text if draft is None else draft.text)
    if not note:
        return draft
    return Draft(short, LOSSY, mixed.joined(draft.missing, note) if draft is not None and draft.missing else note)
