"""The hub that models are published on: what it says of a repository's files, and their bytes, by httpx.

Only the hub's own host is sent a token. It redirects to where large files lie: followed to https alone, without a
header of ours but the range that is asked for.
"""

from __future__ import annotations

import contextlib
from urllib.parse import quote, urljoin, urlsplit

from headroom_cli.errors import (
    AnsweredError,
    BusyError,
    ConfigError,
    KeyMissingError,
    NotFoundError,
    UnreachableError,
)
from headroom_cli.kompress.published import HUB
from headroom_cli.lazy import pattern
from headroom_cli.settings import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Self

_LOOPBACK = frozenset(("127.0.0.1", "localhost", "::1"))
_REDIRECTS = 5
_SECONDS = 30.0  # without a byte
_LARGEST_ANSWER = 16 << 20  # bytes of JSON
_PAGES = 20
_MOVED = (301, 302, 303, 307, 308)
_PATH = pattern(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,120}/){0,4}[A-Za-z0-9_][A-Za-z0-9._-]{0,120}")
_HEX = pattern(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Stated:
    """What the hub states of a file: its path, its bytes, and their SHA-256 or, for a small one, git's digest."""

    __slots__ = ("digest", "path", "size")

    def __init__(self, path: str, size: int, digest: str) -> None:
        """``digest`` is in hex: 64 digits a SHA-256, 40 the SHA-1 that git gives a blob."""
        self.path = path
        self.size = size
        self.digest = digest


class Hub:
    """One connection to a hub. A context manager."""

    def __init__(self) -> None:
        """Read HF_ENDPOINT and HF_TOKEN. Raise ConfigError for an address that is not https, loopback aside."""
        import httpx

        variables = environment()
        self.address = (variables.get("HF_ENDPOINT") or HUB).rstrip("/")
        self._token = (variables.get("HF_TOKEN") or "").strip()
        host = _split(self.address).hostname or ""
        if not _may_go(self.address, local=host in _LOOPBACK):
            raise ConfigError(f"HF_ENDPOINT: {_plain(self.address)} is no https address; write it as https://HOST")
        if not self._token.isascii() or not self._token.isprintable():
            raise ConfigError("HF_TOKEN holds what no header may; set it anew")
        self._local = host in _LOOPBACK
        self._httpx = httpx
        # The environment's proxies count for the world, not for this machine.
        self._client = httpx.Client(timeout=httpx.Timeout(_SECONDS), follow_redirects=False, trust_env=not self._local)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._client.close()

    def commit(self, repository: str, revision: str) -> str:
        """Return the commit that a revision stands for."""
        url = f"{self.address}/api/models/{quote(repository)}/revision/{quote(revision, safe='')}"
        value, _ = self._json(url, f"{repository}@{revision}")
        commit = value.get("sha") if isinstance(value, dict) else None
        if not isinstance(commit, str) or not _HEX.fullmatch(commit):
            raise UnreachableError(f"{self.address} does not answer as a hub does; check HF_ENDPOINT")
        return commit

    def files(self, repository: str, commit: str) -> dict[str, Stated]:
        """Return what the hub states of each file of a repository, by path."""
        url = f"{self.address}/api/models/{quote(repository)}/tree/{commit}?recursive=true"
        found: dict[str, Stated] = {}
        for _ in range(_PAGES):
            rows, following = self._json(url, f"{repository}@{commit[:8]}")
            for row in rows if isinstance(rows, list) else ():
                stated = _stated(row)
                if stated is not None:
                    found[stated.path] = stated
            if not following or not _same_place(following, self.address):
                break
            url = following
        return found

    def reading(self, repository: str, commit: str, stated: Stated, start: int) -> Reading:
        """Return a file's bytes from ``start`` on, to be read in a with block. Raise UpstreamError, NotFoundError."""
        url = f"{self.address}/{quote(repository)}/resolve/{commit}/{quote(stated.path)}"
        headers = {"range": f"bytes={start}-"} if start else {}
        return Reading(self._answer(url, f"{repository}: {stated.path}", headers), start, stated.size)

    def _json(self, url: str, what: str) -> tuple[Any, str]:
        """Return a JSON answer, and the address of its next page, "" for none."""
        import json

        with contextlib.closing(self._answer(url, what, {"accept": "application/json"})) as answer:
            data = b""
            if answer.headers.get("content-encoding", "identity").strip().lower() != "identity":
                # Asked for plain: what is packed all the same may unpack to any size.
                raise UnreachableError(f"{self.address} packs what it says of {what}, unasked; check HF_ENDPOINT")
            try:
                for piece in answer.iter_raw():
                    data += piece
                    if len(data) > _LARGEST_ANSWER:
                        raise UnreachableError(f"{self.address} says more of {what} than a hub does; check HF_ENDPOINT")
            except self._httpx.HTTPError as error:
                raise UnreachableError(f"{self.address} broke off: {_words(error)}; try again") from error
            following = answer.links.get("next", {}).get("url", "")
        try:
            return json.loads(data), following
        except (ValueError, RecursionError) as error:
            raise UnreachableError(f"{self.address} does not answer as a hub does; check HF_ENDPOINT") from error

    def _answer(self, url: str, what: str, headers: dict[str, str]) -> Any:
        """Return an answer that is good, its body unread; follow redirects. Raise UpstreamError, NotFoundError."""
        for _ in range(_REDIRECTS):
            sent = {"accept-encoding": "identity", **headers}
            if self._token and _same_place(url, self.address):
                sent["authorization"] = f"Bearer {self._token}"
            try:
                answer = self._client.send(self._client.build_request("GET", url, headers=sent), stream=True)
            except (self._httpx.HTTPError, self._httpx.InvalidURL) as error:
                host = _plain(_split(url).hostname or url)
                raise UnreachableError(f"{host} cannot be reached: {_words(error)}; try again") from error
            if answer.status_code not in _MOVED:
                if answer.status_code >= 300:
                    answer.close()
                    raise _refusal(answer.status_code, what, self.address, token=bool(self._token))
                return answer
            answer.close()
            url = urljoin(url, answer.headers.get("location", ""))
            if not _may_go(url, local=self._local):
                raise UnreachableError(
                    f"{self.address} sends on to {_plain(url)[:80]}, which is not https; not followed"
                )
        raise UnreachableError(f"{self.address} sends from one address to another without end; try again later")


class Reading:
    """The bytes of a file as they arrive; closed at the end of a with block.

    ``goes_on`` tells whether they begin where they were asked for, and not at the file's beginning.
    """

    __slots__ = ("_answer", "goes_on")

    def __init__(self, answer: Any, start: int, size: int) -> None:
        """Look at an answer to what was asked from ``start`` on of ``size`` bytes. Raise UnreachableError."""
        self._answer = answer
        self.goes_on = answer.status_code == 206
        said = answer.headers.get("content-range", "").replace(" ", "")
        if self.goes_on and not said.startswith(f"bytes{start}-{size - 1}/"):
            answer.close()
            raise UnreachableError("the hub answers with another part of the file than was asked for; try again later")
        # Whoever answers for the hub (a network that wants a login first) must not cost what is here already.
        if start and not self.goes_on and answer.headers.get("content-length", str(size)) != str(size):
            answer.close()
            raise UnreachableError("the hub answers with something else than the file; try again later")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the answer."""
        self._answer.close()

    def pieces(self) -> Iterator[bytes]:
        """Give the bytes as they arrive. Raise UnreachableError when they break off."""
        import httpx

        try:
            yield from self._answer.iter_raw()
        except httpx.HTTPError as error:
            raise UnreachableError(f"the download broke off: {_words(error)}") from error


def _refusal(status: int, what: str, address: str, *, token: bool) -> Exception:
    """Return the error for an answer that is none."""
    if status == 404:
        return NotFoundError(f"the hub has no {what}; check the name and the revision")
    if status in (401, 403):
        advice = "HF_TOKEN is not good for it" if token else "it may not exist, or need a token in HF_TOKEN"
        return KeyMissingError(f"the hub does not show {what}: {advice}", code=status)
    if status in (429, 503):
        return BusyError(f"the hub has no room now ({status}); try again later", code=status)
    if status >= 500:
        return UnreachableError(f"the hub failed ({status}); try again later", code=status)
    return AnsweredError(f"{address} answered {status} for {what}; check HF_ENDPOINT", code=status)


def _stated(row: Any) -> Stated | None:
    """Read a row of a tree; None for what is no plain file with a size and a digest."""
    if not isinstance(row, dict) or row.get("type") != "file":
        return None
    path, size, digest = row.get("path"), row.get("size"), row.get("oid")
    large = row.get("lfs")
    if isinstance(large, dict):
        size, digest = large.get("size", size), large.get("oid")
    if not isinstance(path, str) or not isinstance(size, int) or not isinstance(digest, str):
        return None
    if size < 0 or not _PATH.fullmatch(path) or ".." in path:
        return None
    digest = digest.removeprefix("sha256:")
    return Stated(path, size, digest) if _HEX.fullmatch(digest) else None


def _split(url: str) -> Any:
    """Return the parts of an address. Raise ConfigError when it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ConfigError(f"{_plain(url)[:80]} is no address; check HF_ENDPOINT") from error
    return parts


def _may_go(url: str, *, local: bool) -> bool:
    """Tell whether an address may be called: https, or http on this machine when the hub is on it."""
    parts = _split(url)
    if not parts.hostname or parts.username:
        return False
    return parts.scheme == "https" or (local and parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _same_place(one: str, other: str) -> bool:
    """Tell whether two addresses are of the same scheme, host and port."""
    first, second = _split(one), _split(other)
    return (first.scheme, first.hostname, first.port) == (second.scheme, second.hostname, second.port)


def _plain(text: str) -> str:
    """Return an address for a message: one line, without a name and password in it."""
    return "".join(char for char in text.rpartition("@")[2] if char.isprintable())


def _words(error: BaseException) -> str:
    """Return an error's words on one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__
