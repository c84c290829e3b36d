"""A configuration file of another program: read with care, replaced in one step, its old bytes kept beside it."""

from __future__ import annotations

import contextlib
import os
import stat

from headroom_cli.errors import ConfigError
from headroom_cli.hashing import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST = 64 << 20  # bytes
_MARK = 16  # characters of a digest in a backup's name


class File:
    """The file at a path as it is now: ``text`` is None where there is none."""

    __slots__ = ("_data", "_mode", "_real", "path", "text")

    def __init__(self, path: str) -> None:
        """Read it; a link is followed. Raise ConfigError for one that is not ours to change."""
        self.path = path
        self._real = os.path.realpath(path)
        self._mode = 0o600
        self._data: bytes | None = None
        try:
            self._data = self._read(self._real)
        except FileNotFoundError:
            self._check_folder()
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror or error}; change it by hand") from error
        try:
            self.text = None if self._data is None else self._data.decode()
        except UnicodeDecodeError:
            raise ConfigError(f"{path} is not UTF-8 text; change it by hand") from None

    def _read(self, path: str) -> bytes:
        """Return a file's bytes and note its mode. Raise OSError, ConfigError."""
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST:
                raise ConfigError(f"{self.path} is no plain file of a configuration's size; change it by hand")
            if status.st_uid != os.geteuid():
                raise ConfigError(f"{self.path} belongs to somebody else; change it as its owner")
            self._mode = stat.S_IMODE(status.st_mode)
            return stream.read()

    def _check_folder(self) -> None:
        """Raise ConfigError where a new file would be made in somebody else's directory."""
        folder = os.path.dirname(self._real)
        while not os.path.isdir(folder) and folder != os.path.dirname(folder):
            folder = os.path.dirname(folder)
        if os.stat(folder).st_uid != os.geteuid():
            raise ConfigError(f"{folder} belongs to somebody else; make {self.path} as its owner")

    def backup(self) -> str:
        """Return the backup that was made when this file became what it is now, "" for none."""
        if self._data is None:
            return ""
        return next((name for name in self._names(self._data) if os.path.lexists(name)), "")

    def older(self) -> list[str]:
        """Return the backups that are left."""
        import glob

        return sorted(glob.glob(f"{glob.escape(self._real)}.headroom-*.bak"))

    def read_backup(self, name: str) -> str | None:
        """Return what a backup holds, None for no file at all. Raise ConfigError."""
        if name.endswith(".none"):
            return None
        try:
            mode, before = self._mode, self._read(name).decode()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{name} cannot be read") from error
        self._mode = mode
        return before

    def change(self, text: str) -> str:
        """Replace the file; return the name of the backup. Raise ConfigError."""
        data = text.encode()
        kept, none = self._names(data)
        earlier = self.backup()
        with self._failing():
            os.makedirs(os.path.dirname(self._real), mode=0o700, exist_ok=True)
            name = kept if self._data is not None else none
            if earlier:  # what was before the first change counts
                name = none if earlier.endswith(".none") else kept
                os.replace(earlier, name)
            else:
                self._write(name, self._data or b"", 0o600)
            try:
                self._replace(data)
            except BaseException:
                if earlier:
                    os.replace(name, earlier)
                else:
                    os.unlink(name)
                raise
        return name

    def restore(self, text: str | None, backup: str) -> None:
        """Replace the file, or take it away where there was none; then the backup. Raise ConfigError."""
        with self._failing():
            if text is None:
                self._check_unchanged()
                os.unlink(self._real)
            else:
                self._replace(text.encode())
            if backup:
                os.unlink(backup)

    def _names(self, data: bytes) -> tuple[str, str]:
        """Return what the backup is called that belongs to these bytes: of a file, and of none."""
        name = f"{self._real}.headroom-{sha256(data)[:_MARK]}"
        return f"{name}.bak", f"{name}.none"

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be changed: {error.strerror or error}; change it by hand") from error

    def _check_unchanged(self) -> None:
        """Raise ConfigError when somebody changed the file since it was read."""
        try:
            now: bytes | None = self._read(self._real)
        except FileNotFoundError:
            now = None
        if now != self._data:
            raise ConfigError(f"{self.path} was changed meanwhile; try again")

    def _replace(self, data: bytes) -> None:
        """Put other bytes into the file's place at once. Raise OSError, ConfigError."""
        new = f"{self._real}.headroom-{os.getpid()}.new"
        self._write(new, data, self._mode)
        try:
            self._check_unchanged()
            os.replace(new, self._real)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(new)
            raise
        folder = os.open(os.path.dirname(self._real), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @staticmethod
    def _write(path: str, data: bytes, mode: int) -> None:
        """Write a new file and have it on the disk. Raise OSError."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as stream:
            os.fchmod(descriptor, mode)
            stream.write(data)
            stream.flush()
            os.fsync(descriptor)
