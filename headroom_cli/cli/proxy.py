"""``headroom proxy``: between an agent and its provider, on this machine."""

from __future__ import annotations

import os

from headroom_cli.cli import filters, io, report
from headroom_cli.cli.options import Verb
from headroom_cli.errors import ConfigError, UsageError
from headroom_cli.settings import Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from headroom_cli.backends import Backend
    from headroom_cli.serve.options import Serving
    from headroom_cli.settings import Settings

PORT = 8_787
_MISSING = "the proxy needs headroom-cli[proxy]; headroom doctor says how to add it"
_LATER = ("aiohttp", "uvloop", "websockets", "brotli")  # what it needs and imports when it is used
_LIBRARIES = {"litellm": "litellm", "anyllm": "any_llm"}  # backend -> the module that answers
_MODEL_SECONDS = 15.0  # what shortening one request may take where a model rates words
_MODEL_ROOM = 1 << 30  # bytes of address space for the libraries behind a model, their threads and a text
_MODEL_TIMES = 3  # the file, its weights as they are used, and what loading takes besides
_LARGEST = {"port": 65_535, "workers": 64, "engines": 64, "max_body": 2_048, "time_limit": 600, "drain": 600}


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Serve until told to end."""
    try:
        from headroom_cli.serve import server
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("headroom_cli"):
            raise
        raise ConfigError(_MISSING) from error
    from importlib.util import find_spec

    from headroom_cli.serve import work_told

    if any(find_spec(name) is None for name in _LATER):
        raise ConfigError(_MISSING)
    serving = _serving(settings, own)
    plugins = work_told.plugins(serving)  # says which cannot be used, before anything listens
    if own.get("dry_run") == "true":
        from headroom_cli.cli import proxy_dry

        return proxy_dry.show(serving, settings)
    if plugins is not None:
        plugins.emit("pre_start")

    def listening(where: str) -> None:
        if plugins is not None:
            plugins.emit("post_start")
        if settings.json:  # also with --quiet: whoever reads it cannot know the port otherwise
            import json

            io.tell(json.dumps({"v": 1, "listening": where, "pid": os.getpid()}))
            return
        if settings.quiet:
            return
        io.tell(f"headroom proxy: listening on {where}")
        if io.is_terminal(io.STDERR) or settings.verbose:
            io.tell(f"  Claude Code   ANTHROPIC_BASE_URL={where} ENABLE_TOOL_SEARCH=true claude")
            io.tell(f"  OpenAI SDKs   OPENAI_BASE_URL={where}/v1")
            io.tell(f"  dashboard     {where}/dashboard#key={serving.key}")

    try:
        return server.run(serving, listening)
    except OSError as error:
        place = serving.unix or f"{serving.host}:{serving.port}"
        raise ConfigError(f"cannot listen on {place}: {error.strerror or error}; choose another with --port") from error


def _serving(settings: Settings, own: Mapping[str, str]) -> Serving:
    """Return what was asked for. Raise ConfigError, UsageError."""
    from headroom_cli import keys
    from headroom_cli.identity import Identity
    from headroom_cli.serve.options import Limits, Serving
    from headroom_cli.settings import environment
    from headroom_cli.shaping.asked import of

    policy = {
        "level": settings.level, "lossless": settings.lossless, "only": settings.only, "skip": settings.skip,
        "only_tools": settings.only_tool, "protect_tools": settings.protect_tool,
        "redeem": settings.redeem or "tool", "kompress": settings.kompress,
    }  # fmt: skip
    filters.policy_of(settings)  # says what is wrong with it before anything is bound
    usual = _MODEL_SECONDS if settings.kompress else Limits().job_seconds
    limits = Limits(
        silence=float(settings.timeout or Limits().silence),
        job_seconds=float(number(own, "time_limit") or usual),
        model_memory=model_memory(settings),
    )
    limits.drain_seconds = float(number(own, "drain", zero=True) or 0)
    if size := number(own, "max_body"):
        limits.body = limits.decoded = size << 20
    from headroom_cli.backends import bedrock

    secrets: dict[str, str] = {}
    if settings.backend:
        from headroom_cli import backends

        backend, _ = backends.load(settings.backend, gateway=bool(settings.base_url))
        secrets = keys.secrets(backend.variables, settings.key_file)
        _check(backend, settings)
    identity = Identity(settings.store)
    port = number(own, "port", zero=True)
    return Serving(
        settings.store, host=own.get("host") or "127.0.0.1", port=PORT if port is None else port,
        unix=own.get("unix", ""), workers=number(own, "workers") or 1, engines=number(own, "engines") or 2,
        addresses=addresses(settings, environment()), aws=keys.secrets(bedrock.VARIABLES, ""),
        backend=settings.backend, base_url=settings.base_url if settings.backend else "", secrets=secrets,
        policy=policy, shaping=of(settings),
        hosts=hosts(own), origins=lines_of(own, "allow_origin"), token=token_in(own.get("token_file", "")),
        key=identity.derived("dashboard"), plugins=settings.plugins, ranks=settings.ranks, project=settings.project,
        verbose=settings.verbose,
        limits=limits,
    )  # fmt: skip


def model_memory(settings: Settings, usual: str = "safe") -> int:
    """Return the bytes of address space that a model needs, 0 without one. Raise ConfigError when it cannot be used.

    ``usual`` is the level where none is named.
    """
    if not settings.kompress:
        return 0
    from headroom_cli.kompress import runtime

    if missing := runtime.check(settings.kompress):
        raise ConfigError(missing)
    if (settings.level or usual) == "safe":
        report.warn("--kompress does nothing at level safe, the default here; add --level balanced", settings)
    return _MODEL_ROOM + _MODEL_TIMES * runtime.Model(settings.kompress).bytes


def _check(backend: Backend, settings: Settings) -> None:
    """Say now what would keep each request from being answered. Raise ConfigError."""
    from importlib.util import find_spec

    from headroom_cli import keys
    from headroom_cli.backends import _http

    if settings.base_url:
        _http.checked(settings.base_url, "--base-url")
    if backend.library is None:
        return
    if find_spec(_LIBRARIES[backend.name]) is None:
        raise ConfigError(f"--backend {settings.backend} needs headroom-cli[{backend.extra}]; install it")
    if settings.key_file:
        keys.fill(settings.key_file)


def addresses(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """Return where each provider is. Raise ConfigError for an address that is none."""
    from headroom_cli.backends import _http
    from headroom_cli.serve.routes import AWS, PROVIDERS

    found = {}
    for provider, (variable, usual) in PROVIDERS.items():
        given = environment.get(variable, "")
        address = _http.checked(given, variable) if given else usual
        if provider == AWS and not address:
            region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
            address = f"https://bedrock-runtime.{region}.amazonaws.com"
        found[provider] = address
    if settings.base_url and not settings.backend:
        address = _http.checked(settings.base_url, "--base-url")
        found.update(anthropic=address, openai=address)
    return found


def number(own: Mapping[str, str], name: str, *, zero: bool = False) -> int | None:
    """Read a flag that is a whole number. Raise UsageError."""
    text = own.get(name, "")
    if not text:
        return None
    if not (
        text.isascii() and text.isdigit() and len(text) <= 6 and (zero or int(text)) and int(text) <= _LARGEST[name]
    ):
        raise UsageError(f"--{name.replace('_', '-')} {text[:40]!r}: write a whole number up to {_LARGEST[name]:,}")
    return int(text)


def hosts(own: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names that callers may use for this machine: those that were allowed, and the address to listen on."""
    host = own.get("host", "")
    return (*lines_of(own, "allow_host"), *((host,) if host not in {"", "0.0.0.0", "::", "[::]"} else ()))  # noqa: S104 - not bound here


def lines_of(own: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return the values of a flag that may be repeated."""
    return tuple(line for line in own.get(name, "").split("\n") if line)


def token_in(path: str) -> str:
    """Return the token that callers must show. Raise ConfigError for a file that others can read."""
    if not path:
        return ""
    from headroom_cli.keys import key_lines

    lines = key_lines(path)
    if len(lines) != 1 or len(lines[0][1]) < 16:
        raise ConfigError(f"{path}: a token is one line of 16 characters or more; write one")
    return lines[0][1]


VERB = Verb(
    "proxy",
    run,
    about="stand between agents and their providers, and make what they send smaller",
    text="""
    Listens on 127.0.0.1 and answers as the providers do: Anthropic's Messages, OpenAI's Chat Completions and Responses,
    Amazon Bedrock's InvokeModel. Requests go on to the provider they are meant for with the client's own keys, tool
    results in them smaller; answers come back as they arrive. What was sent once is sent again in the same bytes, so
    the provider's caches keep hitting.

    Addresses of providers come from ANTHROPIC_TARGET_API_URL, OPENAI_TARGET_API_URL, CHATGPT_TARGET_API_URL and
    BEDROCK_TARGET_API_URL. With --backend another provider answers, with keys of the proxy's own environment.

    If anything fails in between, the request goes as it came, and the header x-headroom-why-not says why. The headers
    x-headroom-bypass: true and x-headroom-mode: safe, balanced, max, lossless or off change one request.

    With --dry-run nothing is served: it checks the addresses, the port, the keys of --backend, the plugins, the store
    and what is installed, prints what a start would do, and ends with status 78 where it could not serve.
    """,
    flags=(
        "ranks", "store", "level", "lossless", "redeem", "kompress", "only", "skip", "only_tool", "protect_tool",
        "output_shaper", "verbosity", "effort", "output_holdout", "holdout", "project", "plugins", "backend",
        "base_url", "key_file", "timeout", "json", "quiet", "verbose", "no_color",
    ),
    own=(
        Setting("port", ("--port",), "", "text", "N", "the port; 0 takes a free one", shown=str(PORT)),
        Setting("host", ("--host",), "", "text", "ADDRESS", "any but loopback needs --token-file", shown="127.0.0.1"),
        Setting("unix", ("--unix",), "", "text", "PATH", "a unix socket for you alone, instead of a port"),
        Setting("workers", ("--workers",), "", "text", "N", "processes that serve", shown="1"),
        Setting("engines", ("--engines",), "", "text", "N", "processes that shorten, for each that serves", shown="2"),
        Setting(
            "token_file", ("--token-file",), "", "text", "FILE",
            "a file with a token that callers must show in x-headroom-token",
        ),
        Setting("allow_host", ("--allow-host",), "", "texts", "NAME", "a further name of this machine for callers"),
        Setting("allow_origin", ("--allow-origin",), "", "texts", "ORIGIN", "pages that may call, as https://HOST"),
        Setting("max_body", ("--max-body",), "", "text", "MIB", "the largest request", shown="64"),
        Setting(
            "time_limit", ("--time-limit",), "", "text", "SECONDS", "what shortening one request may take",
            shown="5; 15 with --kompress",
        ),
        Setting(
            "drain", ("--drain",), "", "text", "SECONDS",
            "at SIGTERM go on for so long, while /readyz tells load balancers to ask others", shown="0",
        ),
        Setting(
            "dry_run", ("--dry-run",), "", "switch", "",
            "check everything as a start would, say what would be done, and end",
        ),
    ),
    examples=(
        ("headroom proxy --port 8787", "listen for agents on this machine"),
        ("ANTHROPIC_BASE_URL=http://127.0.0.1:8787 claude", "run Claude Code through it"),
        ("headroom proxy --backend bedrock", "answer requests in Anthropic's form by Amazon Bedrock"),
        ("headroom stats --follow", "watch what is saved"),
        ("headroom proxy --backend openrouter --dry-run", "see whether it would start, and with what"),
    ),
    statuses=((0, "ended by SIGTERM, after all that was under way"), (78, "the address may not or cannot be used")),
)  # fmt: skip
