"""Lines to standard error from a server: whoever reads them may be slow, or have stopped reading for ever.

A write to a full pipe blocks, and a server that writes on its loop stands still with it. So a thread writes; what does
not fit is forgotten.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque

_STDERR = 2
_MOST = 1000  # lines that wait to be written


class Said:
    """What is said to standard error, line by line."""

    __slots__ = ("_lines", "_more", "_thread", "_writing")

    def __init__(self) -> None:
        """Write nothing yet."""
        self._lines: deque[bytes] = deque(maxlen=_MOST)
        self._more = threading.Event()
        self._thread: threading.Thread | None = None
        self._writing = False

    def __call__(self, sentence: str) -> None:
        """Say a sentence, soon."""
        text = "".join(letter if " " <= letter <= "~" else "?" for letter in sentence)
        self._lines.append(f"headroom: {text}\n".encode())
        if self._thread is None:  # not before: a process may be forked until the first one
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        self._more.set()

    def end(self, seconds: float = 0.5) -> None:
        """Wait until all is written, for so long at most."""
        until = time.monotonic() + seconds
        while (self._lines or self._writing) and time.monotonic() < until:
            time.sleep(0.005)

    def _run(self) -> None:
        while True:
            self._more.wait()
            self._more.clear()
            self._writing = True
            while self._lines:
                try:
                    os.write(_STDERR, self._lines.popleft())
                except OSError:
                    self._lines.clear()  # closed, or nobody reads it any more
            self._writing = False
