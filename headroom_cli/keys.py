"""Keys of providers: out of the environment, or out of a file that nobody else can read; never out of a flag.

No value of a key ever stands in a message.
"""

from __future__ import annotations

import os

from headroom_cli.errors import ConfigError
from headroom_cli.settings import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def provide(name: str, value: str) -> None:
    """Set a variable for the libraries of this process, unless the user has set it."""
    environment().setdefault(name, value)


def override(name: str, value: str) -> None:
    """Set a credential for the libraries of this process, whatever the user's environment says. Raise ConfigError."""
    if not is_credential(name) and not name.endswith("_REGION"):
        raise ConfigError(f"{name} is no name of a key; a key file holds keys alone")
    environment()[name] = value


def fill(path: str) -> None:
    """Set the credentials of a key file for the libraries of this process. Raise ConfigError."""
    for variable, value in key_lines(path):
        if not variable:
            raise ConfigError(f"{path}: a library wants lines NAME=VALUE with its provider's own names")
        override(variable, value)


def secrets(names: Iterable[str], key_file: str = "", given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the values of those variables that are set; with a ``key_file``, the credentials of that file alone.

    The file holds lines NAME=VALUE, or one key alone: that of the first name with API_KEY or TOKEN in it. Raise
    ConfigError for a file that others can read, or that holds no key for these names. No value stands in a message.
    """
    given = environment() if given is None else given
    names = tuple(names)
    found = {name: given[name] for name in names if given.get(name)}
    if not key_file or not names:
        return found
    pairs = key_lines(key_file)
    alone = [value for name, value in pairs if not name]
    if alone:
        if len(pairs) > 1:
            raise ConfigError(f"{key_file}: more than one key without a name; write lines NAME=VALUE")
        pairs = [(next((name for name in names if "API_KEY" in name or "TOKEN" in name), ""), alone[0])]
    filed = {name: value for name, value in pairs if name in names}
    if not any(is_credential(name) for name in filed):
        raise ConfigError(f"{key_file}: no key for this backend; write NAME=VALUE with a name of its own")
    # Credentials belong together: those of the environment are another account's.
    return {**{name: value for name, value in found.items() if not is_credential(name)}, **filed}


def is_credential(name: str) -> bool:
    """Tell whether a variable of this name holds a key, a token or a secret."""
    return any(word in name for word in ("KEY", "SECRET", "CLIENT_ID")) or name.endswith("TOKEN") or "TOKEN_B" in name


def key_lines(path: str) -> list[tuple[str, str]]:
    """Return the lines NAME=VALUE of a file of keys; a line without a name is a key alone. Raise ConfigError."""
    found = []
    for line in _private(path).splitlines():
        text = line.strip().removeprefix("export ").strip()
        if not text or text.startswith("#"):
            continue
        name, _, value = text.partition("=")
        name = name.strip()
        # Keys may hold signs of their own (base64), but no underscore in front of them.
        named = "_" in name and name.replace("_", "").isalnum() and (name.isupper() or is_credential(name.upper()))
        if named and not value.strip().strip("\"'"):
            raise ConfigError(f"{path}: {name[:40]} has no value; write {name.upper()[:40]}=KEY")
        found.append((name.upper(), value.strip().strip("\"'")) if named else ("", text.strip("\"'")))
    if not found:
        raise ConfigError(f"{path}: this file holds no key; write one into it")
    return found


def _private(path: str) -> str:
    """Return the text of a file that nobody else can read. Raise ConfigError."""
    from stat import S_ISFIFO, S_ISREG

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe that nobody writes ends at once
        try:
            status = os.fstat(descriptor)
            mode = status.st_mode
            if not S_ISREG(mode) and not S_ISFIFO(mode):
                raise ConfigError(f"{path}: this is no file; name one with a key")
            # What root lets a group of ours read was handed to us so: systemd and Kubernetes give secrets to services.
            handed = status.st_uid == 0 and os.geteuid() != 0
            if S_ISREG(mode) and mode & (0o037 if handed else 0o077):
                raise ConfigError(f"{path}: others can read this file; run chmod 600 on it")
            os.set_blocking(descriptor, True)
            text = b""
            while len(text) < 65_536 and (piece := os.read(descriptor, 65_536)):
                text += piece
            return text.decode("utf-8")
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {getattr(error, 'strerror', None) or error}; name a file with a key") from error
