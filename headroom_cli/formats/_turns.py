"""What the chat formats share while they list the blocks of a conversation in order."""

from __future__ import annotations

from headroom_cli import harness
from headroom_cli.formats._calls import Call, from_prose, is_observation
from headroom_cli.model import Block, Hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.formats._tree import Node

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
# An error that the agent must read whole; above this many characters it is compressed like any other output.
ERROR_RESULT_KEPT = 8_000


def is_message(item: Node) -> bool:
    """Tell a message from a record that has a role too ({"name": "Kim", "role": "admin"})."""
    return item.get("role") in ROLES or (isinstance(item.get("role"), str) and item.child("content") is not None)


class Turns:
    """Collects blocks; remembers the calls, the user's newest words and the command of the last assistant turn."""

    __slots__ = ("_answered", "_said_by_assistant", "_users", "blocks", "calls", "question")

    def __init__(self) -> None:
        """Start an empty conversation."""
        self.blocks: list[Block] = []
        self.calls: dict[str, Call] = {}
        self.question = ""
        self._users = 0
        self._answered = 0  # blocks that an assistant turn comes after
        self._said_by_assistant = ""

    def call(self, identifier: object, call: Call) -> None:
        """Remember a tool call until its result comes."""
        self._answer()
        if isinstance(identifier, str):
            self.calls[identifier] = call

    def result(self, node: Node, path: str, identifier: object, *, error: bool = False, tool: object = None) -> None:
        """Add the text of a tool result."""
        call = self.calls.get(identifier) if isinstance(identifier, str) else None
        if call is None:
            call = Call(Hint(tool=tool if isinstance(tool, str) else ""))
        kept = call.kept
        if not kept and error and len(node.value) < ERROR_RESULT_KEPT:
            kept = "error result"
        self._add(node, path, "tool", kept, call.hint)

    def said(self, node: Node, path: str, role: str, *, first_part: bool = True) -> None:
        """Add words of a role. A user turn may be an observation: then it may be shortened."""
        text = node.value
        if role == "user":
            self._users += first_part
            if self._users > 1 and self._said_by_assistant and is_observation(text):
                call = from_prose(self._said_by_assistant)
                if call.hint.command:
                    self._add(node, path, "tool", call.kept, call.hint, turn=role)
                    return
            own = harness.words(text)
            self._add(node, path, role, "user's words" if own.strip() else "not the user's words", None)
            self.question = own if own.strip() else self.question
            return
        if role == "assistant":
            self._answer()
            self._said_by_assistant = text
            self._add(node, path, role, "assistant turn", None)
        else:
            self._add(node, path, role, "system prompt" if role in ("system", "developer") else f"{role} turn", None)

    def _answer(self) -> None:
        """Mark what stands before an assistant turn."""
        for block in self.blocks[self._answered :]:
            block.answered = True
        self._answered = len(self.blocks)

    def other(self, node: Node, path: str, role: str, why: str) -> None:
        """Add a text that is never touched."""
        self._add(node, path, role, why, None)

    def _add(self, node: Node, path: str, role: str, kept: str, hint: Hint | None, *, turn: str = "") -> None:
        span = (node.start, node.end)
        self.blocks.append(
            Block(path, role, node.value, *span, kept=kept, question=self.question, hint=hint, turn=turn)
        )


def texts(content: Node | None, path: str) -> list[tuple[Node, str]]:
    """Return the text leaves of ``content`` (a string or an array of text parts) with their paths."""
    if content is None:
        return []
    if not content.opened:
        return [(content, path)] if isinstance(content.value, str) else []
    found = []
    for i, part in enumerate(content.items()):
        if not part.opened:
            if isinstance(part.value, str):
                found.append((part, f"{path}.{i}"))
        elif part.get("type") in ("text", "input_text", "output_text", None):
            leaf = part.child("text")
            if leaf is not None and not leaf.opened and isinstance(leaf.value, str):
                found.append((leaf, f"{path}.{i}.text"))
    return found
