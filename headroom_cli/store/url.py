"""Stores named by a URL: what it says, where its local part is, and how it is shown to people.

``SCHEME://[USER:PASSWORD@]PLACE[?OPTION=VALUE&...]``; the options are ours, but for Redis' ``ssl_...``:

    local=DIR      the folder below which the copies at hand, the ledger and the key stay on this machine
    cache=MIB      how much of the originals is kept at hand [1024]
    wait=SECONDS   how long one request waits for the store in all [0.25 for Redis, 1 for object stores]
    hold=SECONDS   how long the proxy holds requests for a store that went away [3]
    replicas=N     Redis: so many replicas have what is acknowledged [0]
    volatile=yes   Redis: accept a server that may lose what it acknowledged last
    prefix=NAME    Redis: what the names of all keys begin with [headroom]
    endpoint=URL   s3: another address than AWS_ENDPOINT_URL names
    conditions=no  object stores: accept one without conditional writes, where machines may undo each other's records

What a name shows to people, in logs and in the ledger is :func:`shown`: never a password.
"""

from __future__ import annotations

import os

from headroom_cli.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from urllib.parse import SplitResult

OPTIONS = ("local", "cache", "wait", "hold", "replicas", "volatile", "prefix", "endpoint", "conditions")
_REDIS = ("db", "username", "password", "client_name")  # what its client takes besides, and all that begins with ssl_
SCHEMES = ("redis", "rediss", "s3", "gs", "az")
_CACHE = 1024  # MiB


def is_url(name: str) -> bool:
    """Tell whether a store's name is a URL; every other name is a directory."""
    return "://" in name


def shown(name: str) -> str:
    """Return a store's name without password and options, for messages, logs and reports. Never raises."""
    if not is_url(name):
        return name
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(name)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return f"{name.partition('://')[0]}://..."
    if _is_split_wrongly(parts):
        return f"{parts.scheme}://..."
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def _is_split_wrongly(parts: SplitResult) -> bool:
    """Tell whether a / # or ? of a password, which is to be written as %2F %23 %3F, ends what should hold it."""
    option = parts.query.partition("&")[0]
    query = "" if "=" in option else option
    return parts.scheme in {"redis", "rediss"} and "@" in f"{parts.path}{parts.fragment}{query}"


class Url:
    """A store's URL taken apart.

    ``scheme``, ``parts`` as given; ``options`` ours; ``plain`` what its client is given; ``folder`` on this machine.
    """

    __slots__ = ("folder", "options", "parts", "plain", "scheme", "shown", "text")

    def __init__(self, text: str) -> None:
        """Take it apart. Raise ConfigError, which names no password."""
        from urllib.parse import parse_qsl, urlencode, urlsplit

        from headroom_cli.hashing import sha256

        self.text = text
        self.shown = shown(text)
        try:
            self.parts: SplitResult = urlsplit(text)
            _ = self.parts.port
            given = parse_qsl(self.parts.query, keep_blank_values=True, strict_parsing=bool(self.parts.query))
        except ValueError:
            given = []
            self.shown = f"{text.partition('://')[0][:20]}://..."
        if self.shown.endswith("://..."):  # no cause: it may quote a part of a password
            raise ConfigError(f"the store {self.shown} is no URL (a password writes / # ? as %2F %23 %3F)") from None
        self.scheme = self.parts.scheme
        if self.scheme not in SCHEMES:
            known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
            raise ConfigError(f"there is no store of the kind {self.scheme[:20]}://; use {known} or a directory")
        if not self.parts.netloc:
            raise ConfigError(f"the store {self.shown} names no host or bucket; see headroom store --help")
        self.options = {name: value for name, value in given if name in OPTIONS}
        rest = [(name, value) for name, value in given if name not in OPTIONS]
        if self.scheme in {"redis", "rediss"}:
            rest = [(name, value) for name, value in rest if name not in _REDIS and not name.startswith("ssl_")]
        if rest:
            raise ConfigError(f"the store's option {rest[0][0][:20]!r} is unknown; use {', '.join(OPTIONS)}")
        passed = [(name, value) for name, value in given if name not in OPTIONS]
        self.plain = self.parts._replace(query=urlencode(passed)).geturl()
        kept = self.options.get("local") or os.path.expanduser("~/.local/share/headroom/shared")
        # Which store it is, whoever asks: a new password does not make it another one.
        named = f"{self.shown}?{self.options.get('prefix', '')}&{self.options.get('endpoint', '')}"
        self.folder = os.path.join(os.path.abspath(kept), sha256(named.encode("utf-8", "replace"))[:16])

    def number(self, option: str, default: float) -> float:
        """Return an option's value from 0 on. Raise ConfigError."""
        text = self.options.get(option)
        if text is None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value < 1e9:
            raise ConfigError(f"the store's option {option}={text[:20]} is no number from 0 on; use digits")
        return value

    @property
    def cache(self) -> int:
        """The bytes of originals that may stay at hand."""
        return int(self.number("cache", _CACHE)) << 20
