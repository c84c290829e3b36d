"""How many tokens a document has, by role: what ``census.take`` counts, without a run of the engine and without prices.

Pictures count what their size costs by the rules of the model's provider, also where nothing would make them smaller.
"""

from __future__ import annotations

from headroom_cli import census, tokens
from headroom_cli.model import Policy, Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from headroom_cli.formats import Document


class Counted:
    """The tokens of one input.

    ``roles``   role -> (blocks, tokens), the largest first; {} for a raw blob
    ``media``   pictures and files that are not counted: they are not here, or cannot be read
    ``broken``  the byte at which the input stops being UTF-8 text, -1 when it does not
    """

    __slots__ = ("broken", "format", "media", "model", "roles", "tokens")

    def __init__(self, form: str, model: str) -> None:
        """Start at nothing."""
        self.format = form
        self.model = model
        self.tokens = 0
        self.roles: dict[str, tuple[int, int]] = {}
        self.media = 0
        self.broken = -1


def count(data: bytes, form: str = "", model: str = "") -> Counted:
    """Count a document, or any text. Raise FormatError when it is not of the format that is named."""
    held = census.documents(data, form)
    if not held:
        return _text(data, model)
    found = census.take(held, _reports(held, model), model, priced=False)
    counted = Counted(held[0][0].format if len(held) == 1 else "jsonl", found.model)
    counted.tokens, counted.media = found.before, found.media
    sums: dict[str, tuple[int, int]] = {}
    for (role, _, _), row in found.rows.items():
        blocks, size = sums.get(role, (0, 0))
        sums[role] = blocks + row.blocks, size + row.before
    counted.roles = dict(sorted(sums.items(), key=lambda item: -item[1][1]))
    return counted


def _text(data: bytes, model: str) -> Counted:
    counted = Counted("raw", model)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        counted.broken = error.start
        text = data.decode("utf-8", "replace")
    counted.tokens = tokens.count(text, model)
    return counted


def _reports(held: list[tuple[Document, int]], model: str) -> Iterator[Report]:
    """Yield what a run would report of each block and picture that stays as it is."""
    several = len(held) > 1
    for document, line in held:
        begin = f"{line}:" if several else ""
        for block in document.blocks:
            report = Report(begin + block.path, block.role)
            report.before = report.after = tokens.count(block.text, model)
            yield report
        if document.has_pictures:
            for report in _pictures(document, model):
                report.path = begin + report.path
                yield report


def _pictures(document: Document, model: str) -> list[Report]:
    """Return what a run would report of a document's pictures if it left them all as they are."""
    from headroom_cli import pictures
    from headroom_cli.renderings import Renderings

    policy = Policy(skip=frozenset(("image",)))
    known = Renderings(document, None)
    return pictures.look(document, policy, None, known, model, usable=False, frozen=True).reports
