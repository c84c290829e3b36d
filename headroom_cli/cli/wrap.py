"""``headroom wrap``: an agent behind a proxy of its own, which ends with it."""

from __future__ import annotations

import os
import signal
import sys
import time

from headroom_cli.cli import _child, io, report
from headroom_cli.cli.clients import CLIENTS, any_command
from headroom_cli.cli.options import Argument, Verb, load
from headroom_cli.errors import CommandMissingError, ConfigError, UsageError
from headroom_cli.settings import TABLE, Setting, child_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from headroom_cli.settings import Settings

_START_SECONDS = 60.0
_END_SECONDS = 5.0
_ASK_SECONDS = 2.0
_NOWHERE = "http://127.0.0.1:0"
_EVERYWHERE = "/usr/local/bin:/usr/bin:/bin"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.~/-")
_LISTS = ("choices", "words")
_LINES = 20  # of what the proxy said, that are shown afterwards


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Run the client; return its exit status, or die of the signal that killed it."""
    words = [own["client"]] if "client" in own else []
    words += own["arguments"].split("\0") if "arguments" in own else []
    if not words:
        raise UsageError(f"wrap needs a client: {', '.join(CLIENTS)}, or any command; see headroom wrap --help")
    from headroom_cli.cli.proxy import number

    number(own, "port", zero=True)
    client = CLIENTS.get(words[0]) or any_command(words[0])
    given = child_environment()
    _check(client.program, client.title, given)
    tells = _retrieving(given) if settings.redeem in {"", "shell"} else ""
    trial = client.plan(words[1:], _NOWHERE, given, tells)  # what is wrong is said before anything starts
    settings.redeem = settings.redeem or ("shell" if trial.can_redeem else "tool")
    settings.project = settings.project or _working_tree()
    with _Proxy(settings, own, {**given, **trial.upstream}) as proxy:
        plan = client.plan(words[1:], proxy.url, given, tells)
        for note in plan.notes:
            report.warn(note, settings)
        child = _child.Child(plan.words, {**given, **plan.environment, **_ours(settings)})
        proxy.keep_words()
        status = child.wait()
        counts = proxy.counts()
    proxy.show(settings)
    if report.wants_summary(settings) and counts:
        io.tell(_summary(client.title, counts, settings))
    return _child.end_as(status)


def _check(program: str, title: str, given: Mapping[str, str]) -> None:
    """Say what is missing before anything starts. Raise CommandMissingError."""
    from shutil import which

    if which(program, path=given.get("PATH")) is None:
        named = program if program == title else f"{title} ({program})"
        raise CommandMissingError(f"{named} is not installed, or not on PATH; install it")


def _retrieving(given: Mapping[str, str]) -> str:
    """Return the command that every shell of this machine finds, "" when it has none that a model could be told.

    An agent may run its commands in a login shell, whose PATH is another than ours.
    """
    from shutil import which

    found = which("headroom", path=given.get("PATH")) or which("headroom", path=os.path.dirname(sys.executable))
    if found is None:
        return ""
    found = os.path.abspath(found)
    if found == which("headroom", path=_EVERYWHERE):
        return "headroom"
    return found if _PLAIN.issuperset(found) else ""


def _ours(settings: Settings) -> dict[str, str]:
    """Return what the client's own commands need to reach this store, from any folder."""
    place = settings.store if "://" in settings.store else os.path.abspath(settings.store)
    found = {"HEADROOM_STORE": place, "HEADROOM_PROJECT": settings.project}
    return {name: value for name, value in found.items() if value}


def _working_tree() -> str:
    """Return the name of the working tree that we are in, of this folder where there is none."""
    here = place = os.getcwd()
    while not os.path.exists(os.path.join(place, ".git")):
        above = os.path.dirname(place)
        if above == place:
            return os.path.basename(here)
        place = above
    return os.path.basename(place)


class _Proxy:
    """A proxy of our own, from its first answer to its end, in a session of its own: no Ctrl-C reaches it."""

    def __init__(self, settings: Settings, own: Mapping[str, str], environment: Mapping[str, str]) -> None:
        """Start it. Raise ConfigError with what it said when it does not."""
        self.url = ""
        self.said: list[str] = []
        flags = ["--port", own.get("port") or "0", "--json", *_flags(settings)]
        told, tell = os.pipe()
        null = os.open(os.devnull, os.O_RDWR)
        try:
            self._pid = _child.start(
                [sys.executable, "-m", "headroom_cli", "proxy", *flags], environment,
                {0: null, 1: null, 2: tell}, apart=True,
            )  # fmt: skip
        finally:
            os.close(tell)
            os.close(null)
        self._stream = os.fdopen(told, "rb")
        self._guard = 0
        try:
            if sys.platform != "linux":
                self._guard, _ = _child.guard(self._pid, environment)
            self._listen()
        except BaseException:
            self._end(signal.SIGKILL)
            raise

    def _listen(self) -> None:
        import json
        import select

        until = time.monotonic() + _START_SECONDS
        while not self.url:
            ready = select.select([self._stream], [], [], max(0.0, until - time.monotonic()))[0]
            line = self._stream.readline() if ready else b""
            if not line:
                reason = " ".join(self.said) or "headroom: the proxy does not answer; try headroom proxy by itself"
                raise ConfigError(reason.removeprefix("headroom: "))
            try:
                self.url = json.loads(line)["listening"]
            except (ValueError, TypeError, KeyError):
                self.said.append(line.decode("utf-8", "replace").strip())

    def keep_words(self) -> None:
        """Hear it from now on: nothing it says may disturb what the client draws, so it is kept until the end.

        Called when the client runs: a thread from before would be one that takes the signals meant for it.
        """
        import threading

        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self) -> None:
        for line in self._stream:
            self.said.append(line.decode("utf-8", "replace").strip())
            del self.said[:-_LINES]

    def __enter__(self) -> _Proxy:  # noqa: PYI034 - Self is in typing, which this project does not import
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it, whatever happened to the client."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._guard:
            os.kill(self._guard, signal.SIGKILL)
            os.waitpid(self._guard, 0)
            self._guard = 0
        for sent in (number, signal.SIGKILL):
            try:
                os.kill(self._pid, sent)
            except ProcessLookupError:
                return
            until = time.monotonic() + _END_SECONDS
            while time.monotonic() < until:
                if os.waitpid(self._pid, os.WNOHANG)[0]:
                    return
                time.sleep(0.01)

    def counts(self) -> dict[str, Any]:
        """Return its counts, {} when it does not answer any more."""
        import json
        from http.client import HTTPConnection, HTTPException
        from urllib.parse import urlsplit

        where = urlsplit(self.url)
        connection = HTTPConnection(where.hostname or "", where.port, timeout=_ASK_SECONDS)
        try:
            connection.request("GET", "/stats")
            found = json.loads(connection.getresponse().read())
        except (OSError, ValueError, HTTPException):
            return {}
        finally:
            connection.close()
        return found if isinstance(found, dict) else {}

    def show(self, settings: Settings) -> None:
        """Show what it said while the client had the terminal."""
        for line in self.said:
            report.warn(line.removeprefix("headroom: "), settings)


def _flags(settings: Settings) -> list[str]:
    """Return the flags that give the proxy the same settings."""
    passed = [row for row in TABLE if row.name in VERB.flags and row.name in load("proxy").flags and row.name != "json"]
    flags: list[str] = []
    for row in passed:
        value = getattr(settings, row.name)
        if not value:
            continue
        if row.kind == "switch":
            flags.append(row.flags[0])
        elif row.kind == "texts":
            flags += [f"{row.flags[0]}={one}" for one in value]
        else:
            text = ",".join(sorted(value) if row.kind == "choices" else value) if row.kind in _LISTS else str(value)
            flags.append(f"{row.flags[0]}={text}")
    return flags


def _summary(title: str, counts: Mapping[str, Any], settings: Settings) -> str:
    """Return the line for a person, or for a program that asked with --json."""
    requests, tokens = counts.get("requests", {}), counts.get("tokens", {})
    total, before, after = requests.get("total", 0), tokens.get("before", 0), tokens.get("after", 0)
    if settings.json:
        import json

        return json.dumps({
            "v": 1, "verb": "wrap", "client": title, "requests": total, "tokens_before": before, "tokens_after": after,
            "estimated": True, "money": counts.get("money", {}),
        })  # fmt: skip
    several = "" if total == 1 else "s"
    line = f"headroom wrap: {title}, {total:,} request{several}, {before:,} -> {after:,} tokens (estimated)"
    money = counts.get("money", {})
    if (saving := money.get("estimated_saving", 0)) > 0:
        line += f"; about {saving:,.0f} {money.get('unit', '')} saved"
    return line


VERB = Verb(
    "wrap",
    run,
    about="run an agent behind a proxy of its own, which ends with it",
    text=f"""
        Starts headroom proxy on a free port of this machine, runs CLIENT with the environment that leads it there, and
        ends the proxy when the client ends. The terminal is the client's; the exit status is the client's. No settings
        are written, so there is nothing to undo.

        CLIENT is {", ".join(CLIENTS)}; for any other command all variables are set that SDKs and agents read. What
        follows -- goes to the client. An address that the client was given already (ANTHROPIC_BASE_URL, the
        base_url of a provider of Codex) becomes the address that the proxy asks.

        Claude Code also gets ENABLE_TOOL_SEARCH=true: for addresses it does not know it turns that off by itself.
        Claude Code and Codex get a sentence in their instructions that says how to ask for an original by headroom
        retrieve; with --redeem tool, and for others, the proxy offers a tool for it and answers its calls itself.
    """,
    arguments=(
        Argument("client", f"the agent: {', '.join(CLIENTS)}, or any command"),
        Argument("arguments", "the client's own arguments, after --", several=True),
    ),
    flags=(
        "ranks", "store", "level", "lossless", "redeem", "kompress", "only", "skip", "only_tool", "protect_tool",
        "backend", "base_url", "key_file", "timeout", "plugins", "output_shaper", "verbosity", "effort",
        "output_holdout", "holdout", "project", "prices", "json", "quiet", "verbose", "no_color",
    ),
    own=(Setting("port", ("--port",), "", "text", "N", "the port of the proxy", shown="a free one"),),
    examples=(
        ("headroom wrap claude", "run Claude Code"),
        ("headroom wrap --level balanced codex -- exec 'fix the tests'", "run Codex, and compress harder"),
        ("headroom wrap -- python agent.py", "run a program that uses the SDK of Anthropic or OpenAI"),
    ),
    statuses=(
        (0, "that of the client, whatever it is"),
        (78, "the proxy cannot be started"),
        (127, "the client is not installed"),
    ),
)  # fmt: skip
