"""A process that shortens conversations, one after the other, until its standard input ends.

    python -c "...sys.path...; from headroom_cli.library.worker import main; main()"

Frames on standard input and output: eight bytes of length, then a pickle. First comes what the process is to be, then
(messages, policy, model) again and again; each is answered by one frame. A conversation's
containers that did not change travel back as their numbers (objects.Opened.by_number): whoever asked has them.
"""

from __future__ import annotations

import io
import os
import pickle
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from headroom_cli.events import Plugins
    from headroom_cli.store import Store

_LENGTH = struct.Struct("<Q")
HEAD = _LENGTH.size  # bytes of the length before a frame


class _Packer(pickle.Pickler):
    """Writes containers that the reader has as their numbers."""

    def __init__(self, file: io.BytesIO, numbers: dict[int, int]) -> None:
        super().__init__(file, protocol=5)
        self._numbers = numbers

    def persistent_id(self, value: Any) -> int | None:
        """Return the number of a container, None for all else."""
        return self._numbers.get(id(value)) if type(value) in {dict, list} else None


class _Opener(pickle.Unpickler):
    """Puts containers where their numbers stand."""

    def __init__(self, data: bytes, known: list[Any]) -> None:
        super().__init__(io.BytesIO(data))
        self._known = known

    def persistent_load(self, pid: Any) -> Any:
        """Return a container."""
        return self._known[pid]


def pack(value: Any, numbers: dict[int, int] | None = None) -> bytes:
    """Return a frame."""
    file = io.BytesIO()
    _Packer(file, numbers or {}).dump(value)
    data = file.getvalue()
    return _LENGTH.pack(len(data)) + data


def unpack(data: bytes, known: list[Any] | None = None) -> Any:
    """Return what ``pack`` packed, from a frame without its length."""
    return _Opener(data, known or []).load()


def length(head: bytes) -> int:
    """Return the length of a frame, from its head."""
    found: int = _LENGTH.unpack(head)[0]
    return found


def read(stream: BinaryIO) -> bytes:
    """Return the next frame without its length. Raise EOFError when the other side is gone."""
    head = stream.read(HEAD)
    if len(head) < HEAD:
        raise EOFError
    data = stream.read(length(head))
    if len(data) < length(head):
        raise EOFError
    return data


def main() -> None:
    """Be a worker."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all processes: the one that asked decides
    # What a library prints is no frame.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    questions = sys.stdin.buffer
    from headroom_cli.library import calls
    from headroom_cli.store import named as opened

    try:
        root, budget, handle_length, named = unpack(read(questions))
        store = opened(root, budget=budget, handle_length=handle_length)
        several = calls.told_by(named, "compress")
        calls.count()
        while True:
            answers.write(_answer(read(questions), store, several))
            answers.flush()
    except (EOFError, BrokenPipeError):
        os._exit(0)
    except Exception:  # noqa: BLE001 - whoever asked sees that this process is gone
        os._exit(1)


def _answer(question: bytes, store: Store, several: Plugins | None) -> bytes:
    """Return the frame that answers one: ("", what came of it), or (why nothing did, None)."""
    from headroom_cli.library import calls
    from headroom_cli.library.objects import Opened

    try:
        asked, policy, model = unpack(question)
        numbers = Opened(asked).numbered()
        value, made = calls.run(asked, policy, store, model, several)
        made.messages = value
        return pack(("", made), numbers)
    except Exception as error:  # noqa: BLE001 - a request is worth more than what shortening it would save
        return pack((calls.why(error), None))
