"""Outputs that are several: cut into segments, each to its specialist, joined in place; and a harness's wrapper."""

from __future__ import annotations

from headroom_cli import compressors
from headroom_cli.model import EXACT, FAITHFUL, LOSSY, Draft
from headroom_cli.routing import segments, wrappers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from headroom_cli.model import Want
    from headroom_cli.routing.wrappers import Wrapper

# Characters; below this a part cannot save what its gap note costs.
MIN_PART = 200
# Joined notes of several parts must fit a marker.
MAX_MISSING = 80


def compress(text: str, want: Want) -> Draft | None:
    """Cut mixed output into segments, hand each to its specialist, and join the answers in place."""
    joined = _Joined()
    for segment in segments(text, want.hint):
        part = text[segment.start : segment.end]
        # A short part, a prompt or a kind that nobody handles has nothing to give: spare it the routing.
        able = segment.why not in ("prompt", "wrapper") and len(part) >= MIN_PART
        able = able and (segment.kind == "mixed" or bool(compressors.for_kind(segment.kind)))
        draft = want.part(part, segment.hint) if able and not want.spent() else None
        joined.add(part, draft, want)
    return joined.draft()


def unwrapped(
    text: str, wrapper: Wrapper, standing: Mapping[str, str], want: Want, inner: Callable[[str, Want], Draft | None]
) -> Draft | None:
    """Compress what a harness wrapped, and say in one line what the wrapper said.

    ``inner`` compresses the output itself; ``standing`` holds what the wrappers of earlier outputs said. None when
    neither gives anything.
    """
    body = text[wrapper.start : wrapper.end]
    if not (wrapper.head or wrapper.tail):
        return inner(body, want)
    shown = body
    middle = wrappers.MIDDLE.search(body) if body.count("<elided_chars>") == 1 else None
    if middle is not None:  # one text with a gap that the harness made, in its own words
        shown = f"{body[: middle.start()]}\n[{middle[1]}]\n{body[middle.end() :]}"
    draft = inner(shown, want)
    if draft is None or want.count(draft.text) >= want.count(shown):
        draft = Draft(shown, EXACT)
    head, tail = wrappers.shorten(wrapper, body, standing)
    said = f"{head}{draft.text}"
    if tail:
        said = f"{said.rstrip()}\n{tail}" + ("\n" if text.endswith("\n") else "")
    if said == text:
        return None
    return Draft(said, weaker(draft.degree, FAITHFUL), draft.missing, draft.refers)


class _Joined:
    """The parts of a text as they will stand, and what is missing from them together."""

    __slots__ = ("_changed", "_degree", "_missing", "pieces")

    def __init__(self) -> None:
        """Start with nothing."""
        self.pieces: list[str] = []
        self._missing: list[str] = []
        self._degree = EXACT
        self._changed = False

    def add(self, part: str, draft: Draft | None, want: Want) -> None:
        """Add a part, as its draft says when that is smaller."""
        if draft is None or not part or want.count(draft.text) >= want.count(part):
            self.pieces.append(part)
            return
        self._changed = True
        newline = "\n" if part.endswith("\n") and not draft.text.endswith("\n") else ""
        self.pieces.append(draft.text + newline)
        if draft.degree == LOSSY:
            self._missing.append(draft.missing)
        self._degree = weaker(self._degree, draft.degree)

    def draft(self) -> Draft | None:
        """Return the parts joined, None when none of them changed."""
        if not self._changed:
            return None
        return Draft("".join(self.pieces), self._degree, joined(*self._missing))


def joined(*missing: str) -> str:
    """Return what several drafts left out, in one note that fits a marker."""
    note = ", ".join(missing)
    return note if len(note) <= MAX_MISSING else f"parts of {len(missing)} outputs"


def weaker(one: str, other: str) -> str:
    """Return the weaker of two degrees."""
    order = (EXACT, FAITHFUL, LOSSY)
    return order[max(order.index(one), order.index(other))]
