"""The blocks of a document in their order: what was sent before is sent again, what is new is drafted.

What a block becomes depends on what stands before it, its own bytes and the policy (law 2), so it is known by these: in
the store for every later run, and in memory for the next request of a conversation that a long-lived process serves.
"""

from __future__ import annotations

import time

from headroom_cli import context, tokens
from headroom_cli.errors import HeadroomError
from headroom_cli.model import LOSSY, RANGED, Draft, Report
from headroom_cli.renderings import Past, stands_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from headroom_cli.drafting import Drafter
    from headroom_cli.formats import Document
    from headroom_cli.model import Block, Hint, Policy, Result
    from headroom_cli.renderings import Renderings
    from headroom_cli.store import Store

# Conversations whose state stays in memory, and the characters of all their texts.
MOST_CONVERSATIONS = 16
MOST_CHARACTERS = 32_000_000
# Seconds after which a conversation is read from the store again: its records live by being noted.
NOTE_AGAIN = 43_200.0


class Change:
    """A block, what it may become, and what is known of it; ``held.past`` is set when it was rendered before."""

    __slots__ = ("block", "draft", "held", "report")

    def __init__(self, block: Block, draft: Draft, report: Report, held: Known) -> None:
        """``report`` is the block's row of the report."""
        self.block = block
        self.draft = draft
        self.report = report
        self.held = held


class Place:
    """A point between two blocks: the context of renderings, and that of replays, which also knows the calls."""

    __slots__ = ("context", "replay")

    def __init__(self, here: bytes = context.START, replay: bytes = context.START) -> None:
        """Start before the first block."""
        self.context = here
        self.replay = replay

    def after(self, block: Block, original: str) -> Place:
        """Return the point behind a block whose original text has this digest."""
        here = context.advance(self.context, block, original)
        return Place(here, context.called(self.replay, here, block.hint))


class Known:
    """A block that has been through: enough to know it again, where it stands, and what became of it."""

    __slots__ = ("before", "behind", "digest", "fresh", "hint", "kept", "past", "text", "turn")

    def __init__(self, block: Block, digest: str, before: Place, behind: Place) -> None:
        """``digest`` is of its text; the places are the points in front of it and behind it."""
        self.fresh = True  # met in this run
        self.turn = block.turn
        self.text = block.text
        self.hint = block.hint
        self.kept = block.kept
        self.digest = digest
        self.before = before
        self.behind = behind
        self.past: Past | None = None

    def is_block(self, block: Block) -> bool:
        """Tell whether this is the same text of the same turn, after the same call."""
        return (
            self.turn == block.turn
            and self.kept == block.kept
            and self.text == block.text
            and _called(self.hint) == _called(block.hint)
        )

    @property
    def replay(self) -> bytes:
        """The context that decides what the block becomes."""
        return context.called(self.before.replay, b"", self.hint)


def _called(hint: Hint) -> tuple[object, ...]:
    return (hint.command, hint.tool, hint.path, hint.written)


class Conversation:
    """What a process remembers of one conversation: its blocks, and the drafter that saw them."""

    __slots__ = ("_since", "drafter", "known")

    def __init__(self, drafter: Drafter) -> None:
        """Start with nothing known."""
        self.drafter = drafter
        self.known: list[Known] = []
        self._since = time.monotonic()

    @property
    def worn(self) -> bool:
        """Tell whether the store's records are to be noted again, which is done on the way through the store."""
        return time.monotonic() - self._since > NOTE_AGAIN

    def begins(self, blocks: list[Block]) -> bool:
        """Tell whether the blocks known are the first of these."""
        known = self.known
        return len(known) <= len(blocks) and all(map(Known.is_block, known, blocks))


# (store, policy, model, counter, first turn) -> conversation, the latest used last. A run takes its own out while it
# works, so that two threads never share one.
_recent: dict[tuple[object, ...], Conversation] = {}


def take(key: tuple[object, ...], document: Document) -> Conversation | None:
    """Return what is remembered of the conversation that this document goes on with, and forget it until ``give``."""
    held = _recent.pop(key, None)
    return held if held is not None and not held.worn and held.begins(document.blocks) else None


def give(key: tuple[object, ...], conversation: Conversation) -> None:
    """Remember a conversation; the ones that were not used for longest give way."""
    _recent.pop(key, None)
    _recent[key] = conversation
    held = 0
    for number, (old, one) in enumerate(reversed(list(_recent.items()))):
        held += sum(len(known.text) for known in one.known)
        if number >= MOST_CONVERSATIONS or held > MOST_CHARACTERS:
            _recent.pop(old, None)


def forget_all() -> None:
    """Forget every conversation, as a new process would have."""
    _recent.clear()


def key_of(document: Document, policy: Policy, store: Store, model: str) -> tuple[object, ...]:
    """Return what a conversation is remembered by."""
    first = next((block.text for block in document.blocks if block.turn == "user"), "")
    return (store.root, policy.identity(turns=True), policy.live, model, tokens.is_exact(), first)


def first_output(document: Document) -> str:
    """Return a name for the beginning of a conversation up to its first output, "" when it has none."""
    place = Place()
    for block in document.blocks:
        place = place.after(block, context.digest(block.text))
        if block.role == "tool":
            return place.replay.hex()
    return ""


def walk(
    document: Document,
    conversation: Conversation,
    result: Result,
    known: Renderings,
    *,
    policy: Policy,
    kept: Callable[[Block], str],
    frozen: bool = False,
) -> list[Change]:
    """Draft or replay every block in scope; return what changes. What a block becomes depends on what is before it.

    ``kept`` gives a reason why a block cannot be changed, "" when it can. ``conversation`` may hold the first
    blocks already; the others are added. ``frozen``: replay alone, nothing is drafted. Raise StoreError.
    """
    walker = _Walker(conversation, result, known, policy, frozen=frozen)
    blocks = document.blocks
    done = len(conversation.known)
    for block, held in zip(blocks, list(conversation.known), strict=False):
        walker.again(block, held)
    place = conversation.known[-1].behind if done else Place()
    digests = [context.digest(block.text) for block in blocks[done:]]
    records = known.along(blocks[done:], digests, place.context)
    # A document that holds notation of ours came out of an earlier run: what it says is said by the originals, and
    # expanding it goes all the way back. So did a conversation with a rendering in its very place. Any other text that
    # equals a rendering is somebody's own and stands for itself.
    turns = document.has_turns
    ours = any(record is not None and ("m" in record or (turns and "i" not in record)) for record in records)
    for block, digest, along in zip(blocks[done:], digests, records, strict=True):
        record = along if ours else known.find(place.context, digest)
        if record is not None and not ours:
            known.claim(place.context, digest, record)
        held = Known(block, digest, place, place.after(block, stands_for(record, digest) if ours else digest))
        why = (block.kept if block.kept != RANGED else "") or kept(block)
        walker.next(block, held, why or ("already a rendering" if record is not None else ""))
        place = held.behind
    if ours:
        conversation.known.clear()  # it is not what a client goes on with
    return walker.changes


class _Walker:
    """The state of one walk."""

    __slots__ = ("_conversation", "_frozen", "_known", "_policy", "_result", "changes")

    def __init__(
        self, conversation: Conversation, result: Result, known: Renderings, policy: Policy, *, frozen: bool
    ) -> None:
        self._frozen = frozen
        self._conversation = conversation
        self._known = known
        self._policy = policy
        self._result = result
        self.changes: list[Change] = []

    def again(self, block: Block, held: Known) -> None:
        """Say of a block that this process has seen what was said before."""
        held.fresh = False
        report = Report(block.path, block.role, block.hint.tool)
        self._result.blocks.append(report)
        if held.past is not None:
            held.past.tell(report)
            if held.past.rendering is not None:
                self.changes.append(Change(block, _draft_of(held.past), report, held))

    def next(self, block: Block, held: Known, kept: str) -> None:
        """Replay or draft a new block, unless it is kept."""
        drafter = self._conversation.drafter
        self._conversation.known.append(held)
        report = Report(block.path, block.role, block.hint.tool)
        self._result.blocks.append(report)
        shown = block.text
        past = None if kept else self._past(block, held)
        if past is not None:
            past.tell(report)
            held.past = past
            if past.rendering is not None:
                shown = past.shown
                self.changes.append(Change(block, _draft_of(past), report, held))
            if past.stale:
                self._known.keep(held.replay, held.digest, past)
        else:
            # Of a request on its way, what stays is only reported.
            count = tokens.about if kept and self._policy.live else drafter.count
            report.before = report.after = count(block.text)
            kept = kept or ("not stored" if self._frozen else "")
            report.kept = kept
            draft = None if kept else self._drafted(block, report)
            if draft is not None:
                self.changes.append(Change(block, draft, report, held))
                # As a replay will tell it: the line break in front of a marker belongs to the marker.
                shown = draft.text.removesuffix("\n") if draft.degree == LOSSY else draft.text
            else:
                held.past = Past(report, exact=tokens.is_exact())
                if not kept:
                    self._known.keep(held.replay, held.digest, held.past)
        drafter.passed(block, shown)

    def _past(self, block: Block, held: Known) -> Past | None:
        """Return what became of a block in an earlier run, or must be taken to have become of it."""
        past = None if self._policy.fresh else self._known.past(held.replay, held.digest)
        count = self._conversation.drafter.count
        if past is not None and past.exact != tokens.is_exact():
            past.before = count(block.text)
            past.after = past.before if past.rendering is None else count(past.rendering)
            past.exact = tokens.is_exact()
        if past is None and self._policy.live and block.answered and not self._policy.fresh:
            report = Report(block.path, block.role)
            report.before = report.after = tokens.about(block.text)
            report.kept = "was sent as it is"
            past = Past(report, exact=tokens.is_exact())
            past.stale = True  # to be noted
        return past

    def _drafted(self, block: Block, report: Report) -> Draft | None:
        draft = self._conversation.drafter.draft(block, report)
        if report.failure:
            self._result.warnings.append(f"{report.path or 'input'}: {report.compressor} failed; passed through")
            self._result.failure = HeadroomError(f"{report.compressor}: {report.failure}; report it with the input")
        return draft


def settle(change: Change, rendering: str | None, known: Renderings, *, marked: bool = False) -> None:
    """Note what a block became: a rendering that stands, or None when it stays after all. Raise StoreError.

    ``marked`` tells a rendering with a marker.
    """
    held, old = change.held, change.held.past
    if old is not None and not old.stale and rendering == old.rendering:
        if held.fresh and not known.leads_back(held.before.context, rendering or "", held.digest):
            known.add(held.before.context, change.block, rendering or "", marked=marked, refers=old.refers)
        return
    if rendering is None:
        held.past = Past(change.report, exact=tokens.is_exact())
    else:
        held.past = Past(change.report, rendering, held.digest, change.draft.refers, exact=tokens.is_exact())
        known.add(held.before.context, change.block, rendering, marked=marked, refers=change.draft.refers)
    known.keep(held.replay, held.digest, held.past)


def _draft_of(past: Past) -> Draft:
    """Return a past rendering as a draft; what is missing stands in its marker."""
    return Draft(past.shown, past.degree, "as before" if past.degree == LOSSY else "", past.refers)
