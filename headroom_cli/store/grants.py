"""Grants: the records of which handle was given for which original. Text in, records out; no files here."""

from __future__ import annotations

from headroom_cli.store import journal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

LENGTH = 12  # characters of a handle: 60 bits; longer only when another original owns them
LONGEST = 52  # the whole hash
_LENGTHEN = 4
_PIECE = 1 << 20  # bytes of journals looked at in one go
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_HANDLE = frozenset(_ALPHABET)
_HEX = frozenset("0123456789abcdef")
_COMMAND_MAX = 4_096  # characters
NEVER = float("-inf")


class Grant:
    """A record that a handle was given: ``when`` in Unix seconds, ``used`` in the store's time, ``size`` in bytes."""

    __slots__ = ("command", "digest", "handle", "kind", "size", "used", "when")

    def __init__(
        self, handle: str, digest: str, *, used: float, when: float, size: int, kind: str, command: str
    ) -> None:
        """``digest`` is the SHA-256 of the original in hex."""
        self.handle = handle
        self.digest = digest
        self.used = used
        self.when = when
        self.size = size
        self.kind = kind
        self.command = command

    def payload(self) -> bytes:
        """Return the journal's payload; :func:`parse` reads it back."""
        kind = self.kind.encode("unicode_escape").replace(b" ", b"_") or b"-"
        command = self.command[:_COMMAND_MAX].encode("unicode_escape")
        head = f"{self.handle} {self.digest} {self.used:.0f} {self.when:.0f} {self.size}".encode("ascii")
        return b"%b %b %b" % (head, kind, command)


def parse(payload: bytes) -> Grant | None:
    """Return the grant of a journal's payload, or None when it is none."""
    fields = payload.split(b" ", 6)
    if len(fields) != 7:
        return None
    try:
        handle, digest, used, when, size = (field.decode("ascii") for field in fields[:5])
        kind, command = (field.decode("unicode_escape") for field in fields[5:])
        if not is_digest(digest):
            return None
        kind = "" if kind == "-" else kind
        return Grant(handle, digest, used=float(used), when=float(when), size=int(size), kind=kind, command=command)
    except ValueError:
        return None


def is_digest(text: str) -> bool:
    """Return whether a text is a SHA-256 in lower-case hex."""
    return len(text) == 64 and _HEX.issuperset(text)


def is_handle(text: str, shortest: int = LENGTH) -> bool:
    """Return whether a text has the form of a handle."""
    return shortest <= len(text) <= LONGEST and _HANDLE.issuperset(text)


def is_shard(text: str) -> bool:
    """Return whether a text names a shard of renderings."""
    return 2 <= len(text) <= 64 and _HEX.issuperset(text)


def head(digest: str, length: int = LONGEST) -> str:
    """Return the first characters of a digest in lower-case base32 (RFC 4648, without padding)."""
    number = int(digest, 16) << 4  # 256 bits are 51 characters and one bit
    return "".join([_ALPHABET[number >> shift & 31] for shift in range(255, 255 - 5 * length, -5)])  # base64 costs re


def first_owner(journals: bytes, handle: str) -> tuple[str, float]:
    """Return the digest that a handle belongs to and the store time when it was last noted; ("", NEVER) for none.

    The first undamaged record owns the handle. ``journals`` is the segments' text, oldest first.
    """
    needle = b" " + handle.encode("ascii") + b" "
    owner, used = "", NEVER
    at = journals.find(needle)
    while at >= 0:
        start = journals.rfind(b"\n", 0, at) + 1
        end = journals.find(b"\n", at)
        end = len(journals) if end < 0 else end
        payload = journal.payload_of(journals[start:end]) if at == start + 8 else None
        grant = parse(payload) if payload is not None else None
        if grant is not None and (not owner or grant.digest == owner):
            owner, used = grant.digest, max(used, grant.used)
        at = journals.find(needle, end)
    return owner, used


def sharing(journals: bytes, heads: set[str]) -> dict[str, bytes]:
    """Return head -> the lines of the journals whose handle begins with it; all heads are of one length."""
    lines: dict[bytes, bytes] = {item.encode("ascii"): b"" for item in heads}
    end = 9 + max(map(len, heads), default=0)
    at = 0
    while at < len(journals):
        # Piece by piece: the lines of a million grants at once would take more memory than the grants.
        stop = journals.find(b"\n", at + _PIECE) + 1 or len(journals)
        for text in journals[at:stop].split(b"\n"):
            if text[9:end] in lines:
                lines[text[9:end]] += text + b"\n"
        at = stop
    return {item.decode("ascii"): found for item, found in lines.items()}


def choose(journals: bytes, digest: str, length: int, taken: Container[str]) -> tuple[str, float]:
    """Return the handle of a digest and when it was last noted in store time (NEVER when it was not).

    It is the shortest head of the hash, from ``length`` characters on, that no other digest owns in the journals and
    that is not ``taken``. The lines :func:`sharing` its head are as good as the whole journals.
    """
    while length < LONGEST:
        handle = head(digest, length)
        owner, noted = first_owner(journals, handle)
        if handle not in taken and owner in ("", digest):
            return handle, noted
        length += _LENGTHEN
    return head(digest), first_owner(journals, head(digest))[1]


def newest(journals: bytes) -> dict[str, Grant]:
    """Return handle -> its newest grant, in the order of the first ones; a handle belongs to its first record."""
    grants: dict[str, Grant] = {}
    for payload in journal.payloads(journals):
        grant = parse(payload)
        if grant is None:
            continue
        first = grants.get(grant.handle)
        if first is None or (first.digest == grant.digest and grant.used >= first.used):
            grants[grant.handle] = grant
    return grants
