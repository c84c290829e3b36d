"""What the calls of the library return."""

from __future__ import annotations

from typing import Generic, TypeVar

from headroom_cli.model import LOSSY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Report, Result

# The messages that were given: what comes back is of the same kind.
M = TypeVar("M")


class Compressed(Generic[M]):
    """What ``compress`` returns.

    ``messages``            the value given, smaller; what did not change is shared with it, never copied or edited
    ``tokens_before``, ``tokens_after``, ``tokens_saved``  of all texts; estimates unless a tokenizer is there
    ``compression_ratio``   tokens after divided by tokens before, 1.0 for no tokens
    ``blocks``              one report per text: path, kind, tokens before and after, reason when it stayed
    ``handles``             the handles of the originals that markers in ``messages`` name
    ``transforms_applied``  what was done, as "KIND:DEGREE", each once
    ``reason``              why nothing changed, "" when something did
    ``warnings``            what could not be done, in words
    """

    __slots__ = ("blocks", "handles", "messages", "reason", "tokens_after", "tokens_before", "warnings")

    def __init__(
        self, messages: M, *, blocks: list[Report] | None = None, tokens_before: int = 0, tokens_after: int = 0,
        reason: str = "", warnings: list[str] | None = None,
    ) -> None:  # fmt: skip
        """Start as messages that stay."""
        self.messages: M = messages
        self.tokens_before = tokens_before
        self.tokens_after = tokens_after
        self.blocks: list[Report] = blocks or []
        self.warnings: list[str] = warnings or []
        self.reason = reason
        self.handles: list[str] = [one.handle for one in self.blocks if one.degree == LOSSY and one.handle]

    @classmethod
    def of(cls, messages: M, result: Result) -> Compressed[M]:
        """Read the figures from the engine's result."""
        return cls(
            messages, blocks=result.blocks, tokens_before=result.before, tokens_after=result.after,
            reason=reason(result), warnings=[*result.warnings, *([result.unfit] if result.unfit else ())],
        )  # fmt: skip

    @classmethod
    def untouched(cls, messages: M, why: str) -> Compressed[M]:
        """Return messages that nothing could be done with."""
        return cls(messages, reason=why, warnings=[why])

    @property
    def tokens_saved(self) -> int:
        """Tokens before minus tokens after."""
        return self.tokens_before - self.tokens_after

    @property
    def compression_ratio(self) -> float:
        """Tokens after divided by tokens before."""
        return self.tokens_after / self.tokens_before if self.tokens_before else 1.0

    @property
    def transforms_applied(self) -> list[str]:
        """What was done, as "KIND:DEGREE", in the order in which each came first."""
        return list(dict.fromkeys(f"{one.kind}:{one.degree}" for one in self.blocks if one.degree))


def reason(result: Result) -> str:
    """Return why a run changed nothing, "" when it changed something."""
    if any(report.degree for report in result.blocks):
        return ""
    if result.warnings:
        return result.warnings[0]
    kept = [report.kept for report in result.blocks if report.role == "tool" and report.kept]
    return max(set(kept), key=kept.count) if kept else "no tool output in these messages"
