"""The pictures of a document in their order: what was sent before is sent again, what is new is made smaller.

What a picture becomes depends on its bytes, the pictures before it, the calls behind them and the policy (law 2). It is
noted under a name made of these, so that every later request has the same bytes in its place.
"""

from __future__ import annotations

import base64
import binascii

from headroom_cli import harness
from headroom_cli.hashing import sha256
from headroom_cli.images import alike, area, cost, head, shrink
from headroom_cli.model import FAITHFUL, LOSSY, Draft, Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from headroom_cli.formats import Document
    from headroom_cli.formats._edits import Edit
    from headroom_cli.formats._pictures import Picture
    from headroom_cli.model import Policy
    from headroom_cli.renderings import Notes

NAME = "images"
ACCEPT = 0.97  # law 4, as for texts
MOST_BASE64 = 32_000_000  # characters; above this a picture passes, as a text does
# Pixels of new pictures that are decoded for a request under way, which somebody waits for; what is beyond passes, and
# is remembered so. A trace is read in whole.
MOST_PIXELS = 16_000_000
_POINTED = "its coordinates are used"
_NOTE = 24  # tokens of a marker, or of the line that stands for a picture
_LOOKED_AT = 6  # pictures before a new one that it is compared with
_PARTLY = 0.6  # of what a whole picture costs: above that a part of it is not worth a sentence


class Change:
    """A picture that something else stands for.

    ``draft``    the text beside it or in its place, without its marker; None for what was rendered before
    ``data``     the bytes of the picture that is sent; none when a text is all that is sent
    ``note``     the text as it is sent; ``record`` what is noted of it
    """

    __slots__ = ("data", "draft", "media", "name", "note", "original", "picture", "record", "report")

    def __init__(self, picture: Picture, report: Report, name: str, record: dict[str, Any]) -> None:
        """``name`` is the one of the note."""
        self.picture = picture
        self.report = report
        self.name = name
        self.record = record
        self.draft: Draft | None = None
        self.data = self.original = b""
        self.media = ""
        self.note = ""

    def edits(self, encoded: str) -> list[Edit]:
        """Return the edits of the document; ``encoded`` is the base64 of ``data``."""
        if not encoded:
            return self.picture.replaced(self.note)
        # In front of an output's picture, so that a cache mark on it still ends what it marked.
        return self.picture.smaller(encoded, self.media, self.note, behind=self.picture.role != "tool")


class Walk:
    """One document's pictures; ``changes`` and ``reports`` are the outcome."""

    __slots__ = ("_document", "_fresh", "_frozen", "_get", "_left", "_level", "_notes", "_policy", "_shown",
                 "_usable", "changes", "reports")  # fmt: skip

    def __init__(
        self, document: Document, policy: Policy, notes: Notes, get: Callable[[str], bytes | None], *, usable: bool,
        frozen: bool,
    ) -> None:  # fmt: skip
        """``get`` gives a stored picture by its digest, None when it is gone. ``frozen``: nothing new is made."""
        self._document = document
        self._policy = policy
        self._notes = notes
        self._get = get
        self._usable = usable
        self._frozen = frozen
        self._level = policy.level_for(turns=True)
        self._left = MOST_PIXELS if policy.live else 1 << 40
        self._shown: list[_One] = []
        self.changes: list[Change] = []
        self.reports: list[Report] = []

    def through(self, pictures: list[Picture], model: str) -> None:
        """Look at every picture in order. Raise StoreError."""
        chain = "images 1"
        for number, picture in enumerate(pictures):
            tool = picture.call.hint.tool if picture.call is not None and picture.call.hint is not None else ""
            report = Report(".".join(map(str, picture.path)), picture.role, tool)
            report.kind, report.confidence, report.why = "image", 1.0, "its place"
            self.reports.append(report)
            family = cost.family_of(model, _format_of(self._document, picture), picture.detail)
            digest = sha256(picture.data.encode("utf-8", "surrogatepass"))
            hint = picture.call.hint if picture.call is not None else None
            called = (hint.tool, hint.command, hint.path) if hint is not None else ()
            own = (chain, picture.role, called, digest, *((picture.detail,) if picture.detail else ()))
            chain = sha256(repr(own).encode("utf-8", "surrogatepass"))
            one = _One(number, picture, report, digest, family)
            one.name = f"{chain} {family} {self._policy.identity(turns=True)}"
            self._look(one)
            one.data = b""  # only what is looked at is held decoded

    # --- one picture

    def _look(self, one: _One) -> None:
        picture, report = one.picture, one.report
        why = self._kept(picture)
        past = None if why or self._policy.fresh else self._notes.get(one.name)
        if isinstance(past, dict) and self._again(one, past):
            return
        data = decoded(picture) if picture.data else None
        first = head.read(data) if data else None
        if first is not None:
            report.before = report.after = cost.tokens(*first.upright, one.family)
        # What stood there smaller, and has gone, is made again.
        if not why and past is None and self._policy.live and picture.answered and not self._policy.fresh:
            why = "was sent as it is"
            self._notes.set(one.name, {"k": why, "b": report.before})
        if not why and (data is None or first is None):
            why = "no picture that can be read"
        if not why and self._frozen:
            why = "not stored"
        if why or data is None or first is None:
            report.kept = why
            if first is not None and not picture.ours:
                self._shown.append(one)
            return
        one.data, one.size = data, first.upright
        self._new(one, first)

    def _kept(self, picture: Picture) -> str:
        """Return why a picture stays whatever it shows, "" when it need not."""
        policy = self._policy
        tool = picture.call.hint.tool if picture.call is not None else ""
        if not picture.data:
            return "an address: the provider fetches it"
        if picture.ours or (picture.call is not None and picture.call.kept == "retrieved text"):
            return "made smaller before, or asked for"
        if picture.role != "tool" and (picture.role != "user" or self._level == "safe"):
            return "user's picture" if picture.role == "user" else f"{picture.role} turn"
        if (policy.only and "image" not in policy.only) or policy.as_kind not in {"", "image"}:
            return "not among --only (image)" if policy.only else "--as another kind"
        if "image" in policy.skip:
            return "--skip image"
        if len(picture.data) > MOST_BASE64:
            return "above 32 MB"
        if not _usual(picture.data):
            return "no picture that can be read"
        if picture.alone:
            return _POINTED
        if not self._usable:
            return "no store"
        if picture.detail == "low":
            return "costs the same at any size"
        return policy.spares(tool) if picture.role == "tool" else ""

    def _again(self, one: _One, past: dict[str, Any]) -> bool:
        """Send what was sent before; False when what stood there is gone, so that it has to be made anew."""
        report = one.report
        report.before = int(past["b"])
        if "k" in past:
            report.after, report.kept = report.before, str(past["k"])
            self._shown.append(one)
            return True
        change = Change(one.picture, report, one.name, past)
        if "r" in past:
            data = self._get(past["r"])
            if data is None:
                return False
            change.data, change.media = data, past["m"]
        change.note = past["w"]
        report.after, report.degree, report.handle = int(past["a"]), past["d"], past["h"]
        report.compressor, report.why = NAME, past["y"]
        self.changes.append(change)
        if past["v"]:
            self._shown.append(one)
        return True

    def _new(self, one: _One, first: head.Head) -> None:
        picture, report = one.picture, one.report
        found, whole = self._repeated(one), False
        if found is None and not self._policy.lossless and not picture.pointed:
            pixels = first.width * first.height
            if pixels <= self._left and not head.too_large(first):
                self._left -= pixels
                try:
                    found, whole = self._smaller(one)
                except Exception as error:  # noqa: BLE001 - law 1: whatever a decoder raises, the picture goes through
                    report.compressor, report.failure = NAME, f"{type(error).__name__}: {error}"
                    report.kept = "its specialist failed"
            else:
                report.kept = "too many pixels"
        if found is None:
            report.kept = report.kept or (_POINTED if picture.pointed else "nothing to gain")
            self._notes.set(one.name, {"k": report.kept, "b": report.before})
            self._shown.append(one)
            return
        change = Change(picture, report, one.name, {"b": report.before, "y": found.why, "v": whole})
        change.draft, change.data, change.media, change.original = found.draft, found.data, found.media, one.data
        report.after, report.degree, report.compressor, report.why = found.after, found.draft.degree, NAME, found.why
        self.changes.append(change)
        if whole:
            self._shown.append(one)

    # --- what can stand for it

    def _repeated(self, one: _One) -> _Found | None:
        """Refer to an equal picture that stands further up, shown in as much detail as this one would be."""
        shown = (other for other in reversed(self._shown) if other.digest == one.digest)
        other = next((other for other in shown if other.family == one.family), None)
        if other is None:
            return None
        text = one.line(f"the same picture as {other.named(one.number)}")
        after = _NOTE + len(text) // 4
        if after > ACCEPT * one.report.before:
            return None
        exact = self._policy.lossless
        draft = Draft(text, FAITHFUL, "") if exact else Draft(text, LOSSY, f"picture of {_pixels(one.size)}")
        return _Found(draft, after, "seen before")

    def _smaller(self, one: _One) -> tuple[_Found | None, bool]:
        """Make a picture smaller, or show only what differs from one further up; what costs less.

        Tell also whether all of the picture can be seen.
        """
        before = best = one.report.before
        small = shrink.shrink(one.data, one.family, self._level)
        whole: _Found | None = None
        if small is not None and small.tokens_after + _NOTE <= ACCEPT * before:
            best = small.tokens_after + _NOTE
            text = "" if one.picture.role == "tool" else harness.SMALLER
            draft = Draft(text, LOSSY, f"original of {_pixels(one.size)}, here {small.width}x{small.height}")
            whole = _Found(draft, best, f"{small.kind}: {small.why}", small.data, small.media_type)
        part = self._partly(one)
        if part is not None and part.after <= _PARTLY * best and len(part.data) < len(one.data):
            return part, False
        return whole, whole is not None

    def _partly(self, one: _One) -> _Found | None:
        """Show what differs from the picture that differs in the smallest part; no picture where nothing does."""
        own: bytes | None = None
        nearest: tuple[int, _One, alike.Difference] | None = None
        for other in self._shown[-_LOOKED_AT:][::-1]:
            before = decoded(other.picture)
            told = head.read(before) if before is not None else None
            if before is None or told is None or told.upright != one.size or other.family != one.family:
                continue
            own = own or one.printed(one.data)
            if own is None:
                return None  # a picture that cannot be read will not be like any other
            known = other.printed(before)
            found = alike.alike(known, own) if known is not None else None
            if found is not None and (nearest is None or found.box[2] * found.box[3] < nearest[0]):
                nearest = found.box[2] * found.box[3], other, found
        if nearest is None:
            return None
        _, other, found = nearest
        where, missing = other.named(one.number), f"picture of {_pixels(one.size)}"
        if not found.cells:
            text = one.line(f"the same picture as {where}, encoded otherwise")
            return _Found(Draft(text, LOSSY, missing), 2 * _NOTE, "seen before")
        left, top, wide, high = found.box
        crop = area.crop(one.data, found.box)
        if crop is None:
            return None
        text = one.line(f"{where}, but for {wide}x{high} pixels at {left},{top}, which are:")
        after = cost.tokens(wide, high, one.family) + 2 * _NOTE
        return _Found(Draft(text, LOSSY, missing), after, "differs in a part", *crop)


class _One:
    """A picture that is looked at; as long as it can be seen in the conversation, later ones may refer to it.

    ``data`` are its bytes while it is looked at, ``size`` its width and height.
    """

    __slots__ = ("_print", "data", "digest", "family", "name", "number", "picture", "report", "size")

    def __init__(self, number: int, picture: Picture, report: Report, digest: str, family: str) -> None:
        self.number = number
        self.picture = picture
        self.report = report
        self.digest = digest  # of its base64
        self.family = family
        self.name = ""  # of what is noted of it
        self.data = b""
        self.size = (0, 0)
        self._print: tuple[bytes | None] | None = None

    def printed(self, data: bytes) -> bytes | None:
        """Return the fingerprint of its bytes, made once for all that it is compared with."""
        if self._print is None:
            self._print = (alike.fingerprint(data),)
        return self._print[0]

    def line(self, said: str) -> str:
        """Return a line of ours; beside the user's words it says whose it is."""
        return f"[{said}]" if self.picture.role == "tool" else f"{harness.PICTURE}here: {said}]"

    def named(self, here: int) -> str:
        """Return how a picture further on calls this one."""
        back = here - self.number
        which = "the picture before this one" if back == 1 else f"the picture {back} pictures back"
        hint = self.picture.call.hint if self.picture.call is not None else None
        what = (hint.path or hint.tool) if hint is not None else ""
        what = "".join(c for c in what if c.isprintable() and c not in "<>[]")[:80]
        return f"{which} ({what})" if what else which


class _Found:
    """What can stand for a picture: a text, and perhaps another picture; what both cost in tokens, and why."""

    __slots__ = ("after", "data", "draft", "media", "why")

    def __init__(self, draft: Draft, after: int, why: str, data: bytes = b"", media: str = "") -> None:
        self.draft = draft
        self.after = after
        self.why = why
        self.data = data
        self.media = media


def _format_of(document: Document, picture: Picture) -> str:
    """Return the format whose provider's rule counts: a bare list has the shape of its parts."""
    if document.format in ("anthropic", "openai", "responses"):
        return document.format
    return {"image": "anthropic", "image_url": "openai"}.get(str(picture.part.get("type")), "responses")


def _usual(text: str) -> bool:
    """Tell whether base64 ends as encoders end it: bits beyond the last byte could not be given back."""
    try:
        return base64.b64encode(base64.b64decode(text[-4:])).decode("ascii") == text[-4:]
    except ValueError:
        return False


def decoded(picture: Picture) -> bytes | None:
    """Return the bytes of a picture; None when its base64 is broken into lines, not padded, or none."""
    try:
        data = base64.b64decode(picture.data, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if len(data) == len(picture.data) // 4 * 3 - picture.data[-2:].count("=") else None


def encoded(data: bytes) -> str:
    """Return the base64 of a picture."""
    return base64.b64encode(data).decode("ascii")


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]} pixels"
