"""Put the kept sentences back in their places, with a note wherever some are missing.

A note is `[...3]`: three tokens, as few as a count can cost; the first one of a text says what is counted.
"""

from __future__ import annotations

from headroom_cli.compressors.prose.blocks import CODE, ITEM, KEEP, TABLE, TERM, TEXT, closing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.compressors.prose.units import Units

_BLANK = " \t\r\n\u00a0\u3000"


class Rendering:
    """One rendering: ``text``, and what it left out: ``sentences``, and ``lines`` of listings and tables."""

    __slots__ = ("_named", "lines", "sentences", "text")

    def __init__(self, units: Units, kept: bytearray) -> None:
        """``kept`` has 1 for each unit that stays."""
        self.sentences = 0
        self.lines = 0
        self._named = False
        self.text = self._render(units, kept)

    def _note(self, gone: tuple[int, int]) -> str:
        """Return the note of a gap, given its sentences and its lines of listings, and add it up."""
        count, lines = gone
        self.sentences += count
        self.lines += lines
        listed = f"{lines} line{'s' * (lines != 1)}"
        if not count:
            return f"[... {listed}]"
        if self._named and not lines:
            return f"[...{count}]"
        self._named = True
        spelled = f"{count} sentence{'s' * (count != 1)}"
        return f"[... {spelled}, {listed}]" if lines else f"[... {spelled}]"

    def _render(self, units: Units, kept: bytearray) -> str:
        text = units.text
        out: list[str] = []
        pending = lines = 0  # sentences, and lines of listings, that are gone since the last that stayed
        before = -1  # the kind of the last block that is in ``out``
        at = 0  # where the last block of the text ended
        for block, (kind, start, words, stop, _) in enumerate(units.blocks):
            first, last = units.of_block[block], units.of_block[block + 1]
            between = text[at:start]
            at = stop
            some = 1 in kept[first:last]
            spoken = kind in (TEXT, ITEM)
            if not some:
                if kind in (CODE, TABLE, KEEP):
                    lines += sum(1 for line in text[start:stop].split("\n") if line.strip())
                else:
                    pending += units.hidden(first, last)
                continue
            # Sentences that are gone before a paragraph and at its beginning are one gap, with one note inside.
            if lines or (pending and (not spoken or kept[first] or before in (TEXT, ITEM, TERM))):
                self._close(out, before, (pending, lines))
                pending = lines = 0
            out.append(between)
            if spoken:
                out.append(text[start:words])
                pending = self._sentences(units, kept, block, pending, out)
            elif kind == CODE and block not in units.parts:
                self._chunks(units, kept, block, out)
            else:
                out.append(units.parts.get(block) or text[start:stop])
            before = kind
        if pending or lines:
            self._close(out, before, (pending, lines))
        out.append(text[at:])
        return "".join(out)

    def _sentences(self, units: Units, kept: bytearray, block: int, pending: int, out: list[str]) -> int:
        """Add the sentences of one block; return how many are missing at its end."""
        opened = True
        unit, last = units.of_block[block], units.of_block[block + 1]
        while unit < last:
            if not kept[unit]:
                following = kept.find(1, unit, last)
                following = following if following >= 0 else last
                pending += units.hidden(unit, following)
                unit = following
                continue
            if pending:
                if not opened:
                    out[-1] = out[-1].rstrip(_BLANK)
                    out.append(" ")
                out.append(f"{self._note((pending, 0))} ")
                pending = 0
            opened = False
            following = kept.find(0, unit, last)
            following = following if following >= 0 else last
            out.append(units.text[units.begin[unit] : units.end[following - 1]])
            unit = following
        if pending:
            out[-1] = out[-1].rstrip(_BLANK)
        return pending

    def _chunks(self, units: Units, kept: bytearray, block: int, out: list[str]) -> None:
        """Add the kept pieces of a listing between its first and last line."""
        text = units.text
        _, start, words, stop, _ = units.blocks[block]
        end = closing(text, start, words, stop)
        out.append(text[start:words])
        gone = 0
        for unit in range(units.of_block[block], units.of_block[block + 1]):
            chunk = text[units.begin[unit] : min(units.end[unit], end)]
            if not kept[unit]:
                gone += sum(1 for line in chunk.split("\n") if line.strip())
                continue
            if gone:
                out.append(f"{self._note((0, gone))}\n")
                gone = 0
            out.append(chunk)
        if gone:
            out.append(self._note((0, gone)) + "\n" * (end < stop))
        out.append(text[end:stop])

    def _close(self, out: list[str], before: int, gone: tuple[int, int]) -> None:
        """Note sentences that are gone behind the last block: on its line when it is made of words, else below it."""
        if not out:
            out.append(self._note(gone))
        elif before in (TEXT, ITEM, TERM):
            out.append(f" {self._note(gone)}")
        else:
            out.append(f"\n{self._note(gone)}")

    def missing(self, total: int) -> str:
        """Return what a marker says, "" when nothing is missing."""
        said = []
        if self.sentences:
            said.append(f"{self.sentences} of {max(total, self.sentences)} sentences")
        if self.lines:
            said.append(f"{self.lines} lines of listings")
        return ", ".join(said)
