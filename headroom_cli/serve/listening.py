"""Where the proxy may listen, and the sockets it listens on: this machine alone, unless who asks must show a token."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import socket
import stat

from headroom_cli.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from headroom_cli.serve.options import Serving

_BACKLOG = 2048
_BYTE = r"(?:0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"
_LOOPBACK = re.compile(rf"localhost|127(?:\.{_BYTE}){{3}}|\[?::1\]?", re.ASCII)


def is_loopback(host: str) -> bool:
    """Tell a name of this machine that needs no resolving, in its one usual form: 127.1 and 0x7f000001 are none."""
    return _LOOPBACK.fullmatch(host) is not None


def may_bind(serving: Serving) -> None:
    """Raise ConfigError where others could reach the proxy and need show nothing."""
    if not serving.unix and not is_loopback(serving.host) and not serving.token:
        raise ConfigError(
            f"listening on {serving.host or 'all addresses'} lets others use your keys; "
            "set a token, or listen on 127.0.0.1"
        )


def bind(serving: Serving) -> list[socket.socket]:
    """Return the sockets to serve, listening: one for each address of the host, or the one at a path.

    Raise ConfigError when these may not be used, or are in use.
    """
    may_bind(serving)
    if not 0 <= serving.port < 65536:
        raise ConfigError(f"cannot listen on port {serving.port}; ports are 1 to 65535, 0 for any that is free")
    try:
        return [_unix(serving.unix)] if serving.unix else _tcp(serving.host, serving.port)
    except (OSError, ValueError) as error:  # a ValueError: a name that no address can hold
        where = serving.unix or f"{serving.host}:{serving.port}"
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        advice = "; somebody listens there: choose another with --port" if taken else ""
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise ConfigError(f"cannot listen on {where}: {reason}{advice}") from None


def _tcp(host: str, port: int) -> list[socket.socket]:
    found = socket.getaddrinfo(host.strip("[]") or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    if host == "localhost":  # whatever a hosts file says
        found = [one for one in found if is_loopback(str(one[4][0]))]
    made: list[socket.socket] = []
    failed: OSError | None = None
    for family, kind, protocol, _, address in dict.fromkeys(found):
        try:
            listener = socket.socket(family, kind, protocol)
        except OSError as error:
            failed = error  # no such family on this machine; another may do
            continue
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # Port 0 is any that is free: then the same for each address.
            listener.bind((address[0], made[0].getsockname()[1] if made else port, *address[2:]))
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            failed = error
            if error.errno == errno.EADDRNOTAVAIL:
                continue  # the family is there, the address is not
            for other in made:
                other.close()
            raise
        made.append(listener)
    if not made:
        raise failed or OSError(errno.EADDRNOTAVAIL, "this name has no address here")
    return made


def _unix(path: str) -> socket.socket:
    folder = os.path.dirname(os.path.abspath(path))
    with _held(folder) as status:
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) != 0o700:
            raise ConfigError(f"{folder} must be yours and closed to others to hold a socket; chmod 700 {folder}")
        _clear(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(path)
            os.chmod(path, 0o600)  # nobody else can be here before: the directory is closed
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            if error.errno is None:  # Python's own words for a path that does not fit into an address
                raise ConfigError(f"{path} is too long for a socket; choose a shorter path") from None
            raise
        return listener


@contextlib.contextmanager
def _held(folder: str) -> Iterator[os.stat_result]:
    """Hold a directory, so that of two that start at once one sees that the other listens."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ConfigError(f"{folder} is missing; mkdir -m 700 {folder}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield os.fstat(handle)
    finally:
        os.close(handle)


def _clear(path: str) -> None:
    """Take away a socket's file that nobody listens on any more; raise ConfigError for anything else that is there."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(status.st_mode):
        raise ConfigError(f"{path} is there and is no socket; choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except FileNotFoundError:
            return
    raise ConfigError(f"somebody listens on {path}; choose another path")
