"""The stages of a run: align, route, fit, each from a document to a document, and what is remembered of them.

Nothing is written to the records before all stages are done: a run that fails leaves the document as it came, and no
memory of what it would have sent.
"""

from __future__ import annotations

import json
import time

from headroom_cli import formats, replay
from headroom_cli.context import SYSTEM
from headroom_cli.drafting import Drafter, weighed
from headroom_cli.emit import emit, handle_of
from headroom_cli.errors import HeadroomError
from headroom_cli.harness import NAMED, is_ours
from headroom_cli.hashing import sha256
from headroom_cli.literals import emitted, keep_all, repeated, told_apart
from headroom_cli.model import LOSSY, Draft, Report, Result
from headroom_cli.renderings import Notes, Renderings, remember_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from headroom_cli.errors import StoreError
    from headroom_cli.fit.walk import Plan
    from headroom_cli.formats import Document
    from headroom_cli.formats._edits import Edit
    from headroom_cli.model import Block, Policy
    from headroom_cli.replay import Conversation
    from headroom_cli.store import Store

STAGES = ("align", "route", "fit")
# Above this a block passes through: memory is promised up to 10 MB of input, time up to a little more.
MAX_BLOCK = 32_000_000  # characters
# The last guard over a whole document; limits proper are counted in input.
SECONDS_PER_DOCUMENT = 60.0


class Prepared:
    """What whoever sends a request does to it before the stages: edits, and how originals can be asked for then."""

    __slots__ = ("alone", "begins", "edits", "live", "redeem", "scope", "texts")

    def __init__(
        self, edits: list[Edit], redeem: str, *, live: bool = False, begins: bool = False, scope: str = "",
        alone: bool = False, texts: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """``redeem`` is one of model.REDEEMS; ``live`` as in Policy, on top of it; ``scope`` is who sends the request.

        ``alone``: no stage is to touch the document. ``texts`` are those that the edits put into it: they cost tokens.

        ``begins``: something is done here that later requests must know of; without memory it is better left.
        """
        self.alone = alone
        self.begins = begins
        self.scope = scope
        self.texts = texts
        self.edits = edits
        self.redeem = redeem
        self.live = live


class Run:
    """One document on its way through the stages: what it is by now, and what is to be remembered in the end."""

    __slots__ = (
        "_added", "_beside", "_came", "_conversation", "_data", "_frozen", "_key", "_model", "_outside", "_pictures",
        "_policy", "_records", "_refers",
        "_rendered", "_scope", "_store", "_usable", "_value", "alone", "document", "repeats", "result",
    )  # fmt: skip

    def __init__(
        self, document: Document, data: bytes, policy: Policy, store: Store | None, model: str, *, usable: bool,
        frozen: bool = False,
    ) -> None:  # fmt: skip
        """Take a document and its bytes (none for values); ``usable``: there is a store, or none is needed.

        ``frozen``: the store can be read and not written. What was sent before is sent again, and nothing is begun.
        """
        self._frozen = frozen
        self.alone = False  # no stage is to touch the document
        self._scope = ""  # who sends the request, "" for the owner of the store
        self.repeats = False  # something was sent again as it was sent before
        self.document = self._came = document
        self._data = data
        self._value = document.value() if isinstance(document, formats.ValueDocument) else None
        self._policy = policy
        self._store = store
        self._usable = usable
        self._model = model
        self._records: list[Renderings] = []
        self._outside = 0  # tokens of texts of ours that stand in no block, less those of blocks that are none any more
        self._added = 0  # tokens that align's notes and placeholders cost, and lines of ours beside pictures
        self._beside: frozenset[str] = frozenset()  # lines of ours that stand beside pictures, or for them
        self._pictures: list[Report] = []
        self._rendered: bytes | None = None  # what route made of ``document``
        self._refers: dict[int, tuple[int, ...]] | None = None
        self._key: tuple[object, ...] = ()
        self._conversation: Conversation | None = None
        self.result = Result(data, document.format, policy.level_for(turns=document.has_turns))

    def _opened(self, policy: Policy | None = None) -> Renderings:
        """Return the records of the document as it is now, to be written in the end."""
        identity = "" if policy is None else policy.identity(turns=self.document.has_turns)
        self._records.append(Renderings(self.document, self._store, identity))
        return self._records[-1]

    def _edit(
        self, edits: list[Edit], known: Renderings, originals: Iterable[str] = (),
        stored: Mapping[str, str] | None = None,
    ) -> bool:  # fmt: skip
        """Edit the document's structure; False when that cannot be done, and nothing has changed.

        ``originals`` are digests of what the edits leave out, ``stored`` as in Renderings.add_undo.
        """
        try:
            document, undo = self.document.edited(edits)
        except formats.EditError:
            return False
        self.document = document
        if not self._frozen:
            known.add_undo(document.text, undo, originals, stored)
        return True

    def enter(self, prepare: Callable[[Document, Notes], Prepared]) -> None:
        """Make the edits of whoever sends the request; without a store, or where they cannot be made, none.

        Then nobody can be asked for an original, so nothing is left out.
        """
        entry, came = None, self.document
        if self._store is not None:
            known = self._opened()
            entry = prepare(self.document, Notes(known, "send"))
            self._scope = entry.scope
            if (self._frozen and entry.begins) or (entry.edits and not self._edit(entry.edits, known)):
                self._records.pop()
                entry = None
            self.repeats = entry is not None and bool(entry.edits)
        self._policy = self._policy.redeemed("none" if entry is None else entry.redeem)
        self._policy.live = self._policy.live or (entry is not None and entry.live)
        self.result.entered = entry is not None
        if entry is not None:
            self.alone = entry.alone
            if entry.texts:
                self._count_put_in(came, entry.texts)

    def _count_put_in(self, came: Document, texts: Iterable[str]) -> None:
        """Count texts that were put behind the instructions: some formats show those as a block, others do not."""
        count = self._counter()
        inside = sum(count(block.text) for block in self.document.blocks if block.turn in SYSTEM)
        inside -= sum(count(block.text) for block in came.blocks if block.turn in SYSTEM)
        self._added += inside
        self._outside = sum(count(text) for text in texts) - inside

    def align(self) -> None:
        """Move volatile values behind the stable prefix."""
        if not self._usable:
            return
        from headroom_cli.align import align

        known = self._opened()
        aligned = align(self.document, Notes(known, "align"), live=self._policy.live, scope=self._scope)
        if aligned.edits and self._edit(aligned.edits, known):
            self.result.moved = aligned.moved
            count = self._counter()
            notes = sum(count(block.text) for block in self.document.blocks if is_ours(block.text))
            notes -= sum(count(block.text) for block in self._came.blocks if is_ours(block.text))
            self._added += notes + sum(count(row.placeholder) - count(row.text) for row in aligned.moved)

    def _counter(self) -> Callable[[str], int]:
        return Drafter(self._policy, turns=self.document.has_turns, model=self._model).count

    def route(self) -> None:
        """Replay or draft every block, store the originals, and put the renderings in their places."""
        policy = self._kept_policy()
        self._look(policy)
        document = self.document
        known = self._opened(policy)
        conversation = self._remembered(policy)

        def kept(block: Block) -> str:
            tool = document.has_turns and block.role == "tool"
            return self._out_of_reach(block) or (policy.spares(block.hint.tool) if tool else "")

        changes = replay.walk(document, conversation, self.result, known, policy=policy, kept=kept, frozen=self._frozen)
        if trouble := conversation.drafter.trouble:
            self.result.warnings.append(f"{trouble}; prose was shortened by whole sentences")
        if self._store is None:
            return
        if self._frozen:
            told, literals = changes, repeated(document, changes)
            self.repeats = self.repeats or bool(literals)
        else:
            told = told_apart(changes, conversation.drafter, known)
            literals = emitted(document, told, self._store, policy, known)
            self._conversation = conversation
        if not literals:
            return
        rendered = document.splice(literals)
        if not document.has_turns and not _reads_as_raw(rendered):
            keep_all(self.result, "its rendering reads as another format")
            self._records.pop()
            return
        self._rendered = rendered
        places = {id(block): number for number, block in enumerate(document.blocks)}
        self._refers = {places[id(change.block)]: change.draft.refers for change in told if change.draft.refers}

    def _look(self, policy: Policy) -> None:
        """Make the pictures of tool outputs smaller."""
        if not self.document.has_pictures:
            return
        from headroom_cli import pictures

        known = self._opened()
        looked = pictures.look(
            self.document, policy, self._store, known, self._model, usable=self._usable, frozen=self._frozen
        )
        self._pictures = looked.reports
        for report in looked.reports:
            if report.failure:
                self.result.warnings.append(f"{report.path}: {report.compressor} failed; passed through")
                self.result.failure = HeadroomError(f"{report.compressor}: {report.failure}; report it with the input")
        if not looked.edits:
            return
        if not self._edit(looked.edits, known, stored=looked.stored):
            self._records.remove(known)
            for report in looked.reports:
                report.after, report.kept, report.degree = report.before, "its place cannot be edited", ""
                report.handle = ""
            return
        self.repeats, self._beside = True, frozenset(looked.texts)
        count = self._counter()
        # The lines of ours beside pictures are counted with these.
        self._added += sum(count(text) for text in looked.texts)

    def _kept_policy(self) -> Policy:
        """Return the policy that a live conversation began with, else the one asked for.

        A conversation begins, for that, with its first output: others may have begun with the same words.
        """
        policy = self._policy
        name = replay.first_output(self.document) if policy.live and self.document.has_turns else ""
        if not name:
            return policy
        notes = Notes(self._opened(), "route")
        began = notes.get(f"policy {name}")
        if not isinstance(began, dict) or not {"level", "lossless", "query"} <= began.keys() or policy.fresh:
            notes.set(f"policy {name}", policy.lasting(), first=began is None)
            return policy
        return policy.as_begun(began)

    def _remembered(self, policy: Policy) -> Conversation:
        """Return what this process knows of the conversation, or a new one."""
        document, conversation = self.document, None
        if self._store is not None and document.has_turns and not policy.fresh:
            self._key = replay.key_of(document, policy, self._store, self._model)
            conversation = replay.take(self._key, document)
        if conversation is None:
            conversation = replay.Conversation(Drafter(policy, turns=document.has_turns, model=self._model))
        conversation.drafter.begin(time.perf_counter() + SECONDS_PER_DOCUMENT)
        return conversation

    def _out_of_reach(self, block: Block) -> str:
        """Return why a block cannot be shortened whatever is in it, "" when it can."""
        if not self._usable:
            return "no store"
        if len(block.text) > MAX_BLOCK:
            return "above 32 MB"
        if handle_of(block):
            return "already carries a marker"
        if block.text.startswith("[") and NAMED.match(block.text):
            return "stands for a picture"
        try:
            block.text.encode("utf-8")
        except UnicodeEncodeError:
            return "lone surrogate"
        return ""

    def fit(self) -> None:
        """Leave whole turns out until the conversation fits its budget, or its model's window."""
        policy = self._policy
        if not self.document.has_turns or not self._usable or not (policy.budget or self._model):
            return
        from headroom_cli import fit

        budget = policy.budget or fit.window(self._model)
        if budget is None or (policy.budget is None and self._surely_fits(fit.LOW * budget)):
            return
        before = self.document.blocks if self._rendered is not None else None
        self._open_rendered()
        document, known = self.document, self._fitting()
        refers = known.refers() if self._refers is None else self._refers

        def original(number: int) -> str:
            return known.original(number) if before is None else before[number].text

        count = self._counter()
        plan = fit.plan(
            document, budget, count, notes=Notes(known, "fit"), refers=refers, explicit=policy.budget is not None,
            query=policy.query, original=original,
        )  # fmt: skip
        self.result.plan = plan
        if not plan.fits:
            self.result.unfit = f"cannot fit into {budget:,} tokens: {plan.stay:,} must stay; allow more with --budget"
        elif plan.groups:
            originals = {number: original(number) for number in plan.adrift}
            if not self._leave_out(plan, known, originals):
                self.result.unfit = "turns cannot be left out of this document: a part of it is no plain JSON"

    def _leave_out(self, plan: Plan, known: Renderings, originals: dict[int, str]) -> bool:
        """Put notes in the place of turns; what refers to one of them (``originals``) says it itself again."""
        from headroom_cli import fit
        from headroom_cli.fit.pictures import renamed

        document = self.document
        try:
            texts, digests = self._left_out(plan)
            originals = {**renamed(document, plan.groups, self._beside), **originals}
            made = self._edit(fit.edits_for(document, plan, [text for _, text in texts], originals), known, digests)
        except formats.EditError:
            made = False
        if made:
            self._rendered = None
            self._report_left_out(document, plan, texts)
            if plan.signed:
                self.result.warnings.append(
                    f"{plan.signed:,} signed turns stand behind what was left out; "
                    "current models refuse or drop thinking whose prefix has changed"
                )
        return made

    def _fitting(self) -> Renderings:
        """Return the records of the document, under the budget as policy."""
        policy = self._policy
        self._records.append(Renderings(self.document, self._store, f"{policy.budget} {policy.query}"))
        return self._records[-1]

    def was_fitted(self) -> bool:
        """Tell whether the document came out of fit under this policy: it is not to be cut again."""
        if not (self._policy.budget and self.document.has_turns and self.document.text) or self._policy.fresh:
            return False
        return self._fitting().is_output(self.document.text)

    def _surely_fits(self, tokens: float) -> bool:
        """Tell by what route has counted that a conversation is far from a window, without reading it again.

        What is no text (names, ids, arguments of calls, tools) has two characters a token at least.
        """
        reports, blocks = self.result.blocks, self.document.blocks
        rest = self.document.size - sum(len(block.text) for block in blocks)
        return bool(reports) and sum(report.after for report in reports) + max(rest, 0) / 2 <= tokens

    def _open_rendered(self) -> None:
        """Make the document that route made the document at hand."""
        if self._rendered is None:
            return
        if isinstance(self.document, formats.ValueDocument):
            self.document = formats.of_value(self.document.value())
        else:
            self.document = formats.parse(self._rendered, self.document.format)

    def _left_out(self, plan: Plan) -> tuple[list[tuple[str, str]], list[str]]:
        """Store the turns that are left out.

        Return the handle and the text of what stands in their place, and the digests of what is stored.
        """
        from headroom_cli.store import Entry

        document = self.document
        drafts = [Draft(group.note, LOSSY, group.missing) for group in plan.groups]
        if self._store is None:
            return [("", weighed(draft)) for draft in drafts], []
        sources = [
            ",\n".join(document.source((*document.turns, turn)) for turn in range(group.first, group.last + 1))
            for group in plan.groups
        ]
        entries = [Entry(f"[{source}]".encode(), "turns", "") for source in sources]
        return emit(self._store, entries, drafts), [sha256(entry.data) for entry in entries]

    def _report_left_out(self, document: Document, plan: Plan, texts: list[tuple[str, str]]) -> None:
        """Tell of the blocks that were left out that they were, and how long what stands in their place is."""
        self._report_all(document)
        gone = {turn for group in plan.groups for turn in range(group.first, group.last + 1)}
        for block, report in zip(document.blocks, self.result.blocks, strict=True):
            if document.turn_of(block) in gone:
                report.after, report.compressor, report.degree, report.kept = 0, "fit", LOSSY, ""
        count = self._counter()
        for handle, text in texts:
            report = Report("", "user")
            report.handle, report.compressor, report.degree = handle, "fit", LOSSY
            report.after, report.why = count(text), "stands for turns that were left out"
            self.result.blocks.append(report)

    def _report_all(self, document: Document) -> None:
        """Report every block as it is, where no stage has done so."""
        if self.result.blocks:
            return
        count = self._counter()
        for block in document.blocks:
            report = Report(block.path, block.role, block.hint.tool)
            report.before = report.after = count(block.text)
            report.kept = block.kept or "left to route"
            self.result.blocks.append(report)

    def shown(self) -> Callable[[], Any]:
        """Return what gives the document as it is by now, as a value of the caller's own."""
        document, rendered = self.document, self._rendered
        if isinstance(document, formats.ValueDocument):
            value = document.made
            return lambda: json.loads(json.dumps(value))
        if rendered is None:
            return document.value
        return lambda: formats.Document(document.format, rendered.decode("utf-8"), []).value()

    def accept(self) -> None:
        """Write the records; from now on the output stands."""
        self._report_all(self.document)
        if not self._frozen:
            remember_all(self._records)
        if self._rendered is not None:
            self.result.data = self._rendered
        elif self.document is not self._came:
            self.result.data = self.document.text.encode("utf-8")
        if self._conversation is not None and self._key and self._conversation.known:
            replay.give(self._key, self._conversation)
        self._sum_up()

    def give_up(self, error: StoreError) -> None:
        """Send the document as it came."""
        self.document = self._came
        if isinstance(self._came, formats.ValueDocument):
            self._came.made = self._value
        self.result.data = self._data
        self.result.moved, self.result.plan = [], None
        self.result.entered = False
        self._added = self._outside = 0
        self.result.blocks += self._pictures
        self._pictures = []
        keep_all(self.result, "not stored")
        self._sum_up()
        self.result.warnings.append(f"nothing was compressed: {error}")
        self.result.failure = error

    def _sum_up(self) -> None:
        result = self.result
        result.blocks += self._pictures
        self._pictures = []
        # The reports begin behind align; what it added was not there before.
        result.before = sum(report.before for report in result.blocks) - self._added
        result.after = sum(report.after for report in result.blocks) + self._outside


def _reads_as_raw(data: bytes) -> bool:
    """Tell whether a rendering of a raw blob would be opened as one: else it could not be expanded."""
    return data[:1] not in (b"{", b"[") or (not formats.are_request_lines(data) and formats.parse(data).format == "raw")
