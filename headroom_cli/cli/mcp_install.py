"""``headroom mcp install`` and ``uninstall``: one entry in a client's own configuration, shown, asked for, undone.

The file keeps its bytes but for the entry. What it was before is kept beside it (mode 0600) under a name that holds a
digest of what was made of it: as long as nobody changed the file since, uninstall gives the old bytes back; else it
takes out the entry alone.
"""

from __future__ import annotations

import os
import sys

from headroom_cli.cli import io, mcp_json, mcp_toml
from headroom_cli.cli.mcp_file import File
from headroom_cli.errors import ConfigError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType
    from typing import Any

    from headroom_cli.settings import Settings

NAME = "headroom"
_LONG = 300  # characters; a longer line is shown by its change alone


class Client:
    """Where a client's configuration is, and what an entry looks like there."""

    __slots__ = ("about", "form", "path", "typed")

    def __init__(self, path: str, form: ModuleType, about: str, *, typed: bool = False) -> None:
        """``form`` is mcp_json or mcp_toml; ``typed``: an entry says how the server is spoken to."""
        self.path = path
        self.form = form
        self.about = about
        self.typed = typed


def client_of(name: str, *, project: bool) -> Client:
    """Return a client by its name. Raise UsageError."""
    from headroom_cli.settings import environment

    known = environment()
    home = os.path.expanduser("~")
    here = os.getcwd()
    if name == "claude":
        place = known.get("CLAUDE_CONFIG_DIR") or home
        path = os.path.join(here, ".mcp.json") if project else os.path.join(place, ".claude.json")
        return Client(path, mcp_json, "Claude Code", typed=True)
    if name == "codex":
        place = os.path.join(here, ".codex") if project else known.get("CODEX_HOME") or os.path.join(home, ".codex")
        return Client(os.path.join(place, "config.toml"), mcp_toml, "Codex")
    if name == "cursor":
        return Client(os.path.join(here if project else home, ".cursor", "mcp.json"), mcp_json, "Cursor")
    raise UsageError(f"--client {name[:40]!r}: use claude, codex or cursor" if name else "name a --client")


def run(action: str, settings: Settings, own: Mapping[str, str]) -> int:
    """Change a configuration, or say what would change. Raise ConfigError, UsageError."""
    client = client_of(own.get("client", ""), project=own.get("project") == "true")
    file = File(client.path)
    made: str | None
    try:
        if action == "install":
            made, backup = _installed(client, file.text, settings), ""
        else:
            made, backup = _uninstalled(client, file)
    except ConfigError as error:
        raise ConfigError(f"{client.path}: {error}; change it by hand") from None
    if made == file.text:
        has = "has the server already" if action == "install" else "has no server of ours"
        io.write(f"{client.path} {has}; nothing to do\n".encode())
        return 1
    io.write(_difference(file, made).encode("utf-8", "backslashreplace"))
    if own.get("dry_run") == "true":
        return 0
    if own.get("yes") != "true" and not _agreed():
        io.write(b"nothing was changed\n")
        return 1
    if action == "install" and made is not None:
        kept = file.change(made)
        io.write(f"{client.path} changed; as it was: {kept}\nStart {client.about} anew to use it.\n".encode())
    else:
        file.restore(made, backup)
        io.write(f"{client.path} {'is gone again' if made is None else 'changed'}\n".encode())
        for name in file.older():
            io.write(f"an older copy is still there: {name}\n".encode())
    return 0


def _installed(client: Client, text: str | None, settings: Settings) -> str:
    """Return the text with our entry. Raise ConfigError."""
    value = entry_for(client, settings)
    if client.form.entry(text or "", NAME) == value:
        return text or ""
    made: str = client.form.put(text or "", NAME, value)
    if client.form.entry(made, NAME) != value:
        raise ConfigError("the entry cannot be put in safely")
    return made


def _uninstalled(client: Client, file: File) -> tuple[str | None, str]:
    """Return the text without our entry, None for no file at all, and the backup that it is of ("" for none)."""
    text = file.text or ""
    if not is_ours(client.form.entry(text, NAME)):
        return file.text, ""
    backup = file.backup()
    if backup:
        before = file.read_backup(backup)
        if before is None or not is_ours(client.form.entry(before, NAME)):
            return before, backup
    made: str = client.form.without(text, NAME)
    if client.form.entry(made, NAME) is not None:
        raise ConfigError("the entry cannot be taken out safely")
    return made, backup


def entry_for(client: Client, settings: Settings) -> dict[str, Any]:
    """Return the entry: the very program that runs now, by its whole path, for clients that have no PATH of a shell."""
    command = [*program(), "mcp"]
    if settings.store != _usual_store():
        command += ["--store", settings.store if "://" in settings.store else os.path.abspath(settings.store)]
    value = {"command": command[0], "args": command[1:]}
    return {"type": "stdio", **value} if client.typed else value


def program() -> list[str]:
    """Return the command that starts this program."""
    script = os.path.join(os.path.dirname(os.path.abspath(sys.executable)), "headroom")
    if os.access(script, os.X_OK):
        return [script]
    return [os.path.abspath(sys.executable), "-m", "headroom_cli"]


def is_ours(value: Any) -> bool:
    """Tell an entry that we made, whatever program was installed then."""
    if not isinstance(value, dict) or not isinstance(value.get("args"), list):
        return False
    words = [value.get("command"), *value["args"]]
    if not all(isinstance(word, str) for word in words):
        return False
    if words[1:3] == ["-m", "headroom_cli"]:
        words[:3] = ["headroom"]
    return os.path.basename(words[0]) == "headroom" and (words[1:] == ["mcp"] or words[1:3] == ["mcp", "--store"])


def _usual_store() -> str:
    """Return the store that a process has which is told of none."""
    from headroom_cli.settings import data_folder, environment

    return os.path.join(data_folder({"HOME": environment().get("HOME", "")}), "store")


def _difference(file: File, made: str | None) -> str:
    """Return the exact change, as a unified diff; of lines without end only what goes in and out."""
    import difflib

    before, after = file.text or "", made or ""
    if max(map(len, [*before.splitlines(), *after.splitlines(), ""])) > _LONG:
        start = _shared(before, after)
        same = _shared(before[start:][::-1], after[start:][::-1])
        out, put = before[start : len(before) - same], after[start : len(after) - same]
        return f"{file.path}, character {start:,}\n" + (f"- {out}\n" if out else "") + (f"+ {put}\n" if put else "")
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True),
        "/dev/null" if file.text is None else file.path, "/dev/null" if made is None else file.path, n=2,
    )  # fmt: skip
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _shared(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _agreed() -> bool:
    """Ask the person at the terminal. Raise UsageError where there is none."""
    if not (io.is_terminal(io.STDIN) and io.is_terminal(io.STDERR)):
        raise UsageError("nobody can be asked here; look at the change and add --yes")
    try:
        os.write(io.STDERR, b"Make this change? [y/N] ")
        answer = os.read(io.STDIN, 1_024)
    except OSError:
        return False
    return answer.strip().lower() in {b"y", b"yes"}
