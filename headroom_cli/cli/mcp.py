"""``headroom mcp``: our tools for any client of the Model Context Protocol, and less output from everybody else's."""

from __future__ import annotations

import os

from headroom_cli.cli import filters, io
from headroom_cli.cli.options import Argument, Verb
from headroom_cli.errors import ConfigError, UsageError
from headroom_cli.settings import Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from headroom_cli.serve.options import Serving
    from headroom_cli.settings import Settings

PORT = 8_788
_BODY = 26 << 20  # bytes of a request: the largest content with every character escaped, and what is around it
_WORK_SECONDS = 20.0  # what one call may take
_WRAP_SECONDS = 5.0  # what a result of somebody else's tool may wait for
_MISSING = "the tools are served with headroom-cli[mcp]; headroom doctor says how to add it"
_CONFIGURE = ("install", "uninstall")
_OF_HTTP = ("host", "port", "token_file", "allow_host", "allow_origin")
_OF_CONFIGURE = ("client", "project", "dry_run", "yes")


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Serve, stand in front of another server, or change a client's configuration."""
    action = own.get("action", "")
    command = own["command"].split("\0") if "command" in own else []
    if action not in {"", "wrap", *_CONFIGURE}:
        raise UsageError(f"{action[:40]!r} is nothing that headroom mcp does; use install, uninstall, wrap, or nothing")
    if command and action != "wrap":
        raise UsageError(
            f"{command[0][:40]!r} is one word too many; a server's command belongs to headroom mcp wrap --"
        )
    if stray := next((name for name in _OF_CONFIGURE if own.get(name) and action not in _CONFIGURE), ""):
        raise UsageError(f"--{stray.replace('_', '-')} belongs to headroom mcp install and uninstall")
    if stray := next((name for name in _OF_HTTP if own.get(name) and own.get("http") != "true"), ""):
        raise UsageError(f"--{stray.replace('_', '-')} belongs to --http")
    if action in _CONFIGURE:
        from headroom_cli.cli import mcp_install

        return mcp_install.run(action, settings, own)
    serving = _serving(settings, own, wraps=action == "wrap")
    if action == "wrap":
        if not command:
            raise UsageError("name the server's command: headroom mcp wrap -- SERVER ARGUMENTS")
        if own.get("http") == "true":
            raise UsageError("wrap speaks over standard input and output; leave --http out")
        from headroom_cli.serve.mcp import wrap

        return wrap.run(serving, command, _told(settings))
    _check()
    if own.get("http") == "true":
        return _over_http(serving, settings)
    if io.is_terminal(io.STDIN):
        io.tell(f"headroom mcp: {VERB.about}")
        io.tell("headroom: standard input is a terminal; a client starts this: headroom mcp install --client claude")
        return UsageError.status
    from headroom_cli.serve.mcp import stdio

    return stdio.run(serving)


def _check() -> None:
    """Raise ConfigError where the SDK is not installed."""
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in ("mcp", "mcp_types")):
        raise ConfigError(_MISSING)


def _over_http(serving: Serving, settings: Settings) -> int:
    """Serve on a port. Raise ConfigError."""
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in ("uvicorn", "httptools", "uvloop")):
        raise ConfigError(_MISSING)
    from headroom_cli.serve.mcp import http

    def listening(where: str) -> None:
        if settings.quiet:
            return
        if settings.json:
            import json

            io.tell(json.dumps({"v": 1, "listening": where + http.PATH, "pid": os.getpid()}))
            return
        io.tell(f"headroom mcp: listening on {where}{http.PATH}")

    try:
        return http.run(serving, listening)
    except OSError as error:
        place = f"{serving.host}:{serving.port}"
        raise ConfigError(f"cannot listen on {place}: {error.strerror or error}; choose another with --port") from error


def _serving(settings: Settings, own: Mapping[str, str], *, wraps: bool) -> Serving:
    """Return what was asked for. Raise ConfigError, UsageError."""
    from headroom_cli.cli import proxy
    from headroom_cli.serve.options import Limits, Serving

    policy = {
        "level": settings.level, "lossless": settings.lossless, "only": settings.only, "skip": settings.skip,
        "only_tools": settings.only_tool, "protect_tools": settings.protect_tool, "kompress": settings.kompress,
    }  # fmt: skip
    filters.policy_of(settings)  # says what is wrong with it before anything is served
    limits = Limits(
        job_seconds=_WRAP_SECONDS if wraps else _WORK_SECONDS, body=_BODY, decoded=_BODY, shutdown_seconds=2.0,
        model_memory=proxy.model_memory(settings, "safe" if wraps else "balanced"),
    )  # fmt: skip
    http = own.get("http") == "true"
    port = proxy.number(own, "port", zero=True)
    return Serving(
        settings.store, host=own.get("host") or "127.0.0.1", port=PORT if port is None else port,
        engines=2 if http else 1, policy=policy, hosts=proxy.hosts(own), origins=proxy.lines_of(own, "allow_origin"),
        token=proxy.token_in(own.get("token_file", "")), ranks=settings.ranks, verbose=settings.verbose, limits=limits,
    )  # fmt: skip


def _told(settings: Settings) -> Callable[[str], None]:
    from headroom_cli.cli import report

    return lambda sentence: report.warn(sentence, settings)


VERB = Verb(
    "mcp",
    run,
    about="give clients of the Model Context Protocol our tools, or shorten what other servers' tools say",
    text="""
    Alone, serves three tools on standard input and output, as clients start servers: headroom_compress shortens a text,
    headroom_retrieve gives an original or a part of it, headroom_stats says what was saved. With --http it listens on
    127.0.0.1, path /mcp. Clients of all revisions of the protocol are understood.

    install puts the server into a client's own configuration file, after it has shown the change and asked; uninstall
    takes it out again, and the file is what it was before, byte for byte.

    wrap starts any other server and stands in front of it: what its tools return comes out smaller, everything else
    goes through as it is. Clients that list its tools find headroom_retrieve among them; until then nothing is left
    out that could not be read back in place.
    """,
    arguments=(
        Argument("action", "what to do; nothing to serve the tools", choices=("install", "uninstall", "wrap")),
        Argument("command", "wrap: the server's command and its arguments, after --", several=True),
    ),
    flags=(
        "ranks", "store", "level", "lossless", "kompress", "only", "skip", "only_tool", "protect_tool", "json", "quiet",
        "verbose", "no_color",
    ),
    own=(
        Setting("http", ("--http",), "", "switch", "", "listen on a port instead of standard input"),
        Setting("port", ("--port",), "", "text", "N", "the port; 0 takes a free one", shown=str(PORT)),
        Setting("host", ("--host",), "", "text", "ADDRESS", "any but loopback needs --token-file", shown="127.0.0.1"),
        Setting(
            "token_file", ("--token-file",), "", "text", "FILE",
            "a file with a token that callers must show in x-headroom-token",
        ),
        Setting("allow_host", ("--allow-host",), "", "texts", "NAME", "a further name of this machine for callers"),
        Setting("allow_origin", ("--allow-origin",), "", "texts", "ORIGIN", "pages that may call, as https://HOST"),
        Setting(
            "client", ("--client",), "", "text", "NAME", "whose configuration to change",
            choices=("claude", "codex", "cursor"),
        ),
        Setting(
            "project", ("--project",), "", "switch", "", "change this directory's configuration instead of the user's"
        ),
        Setting("dry_run", ("--dry-run",), "", "switch", "", "show the change and make none"),
        Setting("yes", ("--yes",), "", "switch", "", "make the change without asking"),
    ),
    examples=(
        ("headroom mcp install --client claude", "give Claude Code the tools"),
        ("headroom mcp wrap -- npx -y @modelcontextprotocol/server-filesystem .", "shorten what another returns"),
        ("headroom mcp --http --port 8788", "listen for clients on this machine"),
    ),
    statuses=(
        (0, "the client went away, or a signal ended it"),
        (1, "install or uninstall: not wanted, or there was nothing to do"),
        (78, "a configuration file that cannot be changed safely, or an address that cannot be used"),
    ),
)  # fmt: skip
