"""The table of agents that ``headroom wrap`` knows.

Each is told where its provider is on its command line and in its environment alone; the proxy is told where that was.
"""

from __future__ import annotations

import itertools
import os

from headroom_cli.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

ANTHROPIC, OPENAI, CHATGPT, BEDROCK = (
    "ANTHROPIC_TARGET_API_URL", "OPENAI_TARGET_API_URL", "CHATGPT_TARGET_API_URL", "BEDROCK_TARGET_API_URL",
)  # fmt: skip
# variable of an address -> (whose it is, what follows the proxy's address in it)
VARIABLES = {
    "ANTHROPIC_BASE_URL": (ANTHROPIC, ""),
    "ANTHROPIC_API_BASE": (ANTHROPIC, ""),
    "ANTHROPIC_HOST": (ANTHROPIC, ""),
    "OPENAI_BASE_URL": (OPENAI, "/v1"),
    "OPENAI_API_BASE": (OPENAI, "/v1"),
    "OPENAI_HOST": (OPENAI, ""),
    "ANTHROPIC_BEDROCK_BASE_URL": (BEDROCK, ""),
}
# What a model is told that can run commands, where its client has a place for it.
TOLD = (
    "A line <<headroom:HANDLE WHAT>> at the end of a tool result says that parts of it were left out. To read them, "
    "run `{} retrieve HANDLE`, with --grep PATTERN or --lines A:B for a part of the original. HANDLE is not a file."
)


class Plan:
    """What is changed for one run of a client.

    ``tells`` is the command that its model may be told to run for an original, "" for none, and ``can_redeem`` whether
    it was told. ``words`` is its command line, ``environment`` what is set for it, ``upstream`` what is set for the
    proxy, ``notes`` sentences for the user.
    """

    __slots__ = ("can_redeem", "environment", "notes", "tells", "upstream", "words")

    def __init__(self, words: Sequence[str], tells: str) -> None:
        """Start with nothing changed."""
        self.tells = tells
        self.words = list(words)
        self.environment: dict[str, str] = {}
        self.upstream: dict[str, str] = {}
        self.can_redeem = False
        self.notes: list[str] = []

    def point(self, variable: str, url: str, given: Mapping[str, str]) -> None:
        """Point a variable to the proxy, and the proxy to where it pointed."""
        target, path = VARIABLES[variable]
        before = given.get(variable, "").rstrip("/")
        if before and before.endswith(path):
            self.ask(target, before.removesuffix(path), given)
        elif before:
            self.notes.append(f"{variable} is {before}, which does not end in {path}: it stays, and is not shortened")
            return
        self.environment[variable] = url + path

    def ask(self, target: str, address: str, given: Mapping[str, str]) -> None:
        """Have the proxy ask an address, unless it was told of one or asks another already. Raise ConfigError."""
        if given.get(target):
            return
        if "://" not in address:
            address = f"https://{address}"
        if self.upstream.setdefault(target, address) != address:
            raise ConfigError(
                f"two addresses for one provider: {self.upstream[target]} and {address}; set {target} to one of them"
            )


class Client:
    """A row: ``name`` as it is typed, ``title``, ``program``, variables of its addresses, and what else it needs."""

    __slots__ = ("more", "name", "program", "title", "variables")

    def __init__(
        self, name: str, title: str, variables: tuple[str, ...],
        more: Callable[[Plan, str, Mapping[str, str]], None] | None = None, program: str = "",
    ) -> None:  # fmt: skip
        """Hold a row."""
        self.name = name
        self.title = title
        self.program = program or name
        self.variables = variables
        self.more = more

    def plan(self, arguments: Sequence[str], url: str, given: Mapping[str, str], tells: str = "") -> Plan:
        """Return what to change. ``url`` is the proxy's address, ``given`` the environment. Raise ConfigError."""
        plan = Plan([self.program, *arguments], tells)
        for variable in self.variables:
            plan.point(variable, url, given)
        if self.more is not None:
            self.more(plan, url, given)
        return plan


def _claude(plan: Plan, _url: str, given: Mapping[str, str]) -> None:
    # With an address that is not the provider's own it would send the descriptions of all tools in every request.
    if not given.get("ENABLE_TOOL_SEARCH"):
        plan.environment["ENABLE_TOOL_SEARCH"] = "true"
    if plan.tells and "--append-system-prompt" not in plan.words:
        plan.words[1:1] = ["--append-system-prompt", TOLD.format(plan.tells)]
        plan.can_redeem = True


def _codex(plan: Plan, url: str, given: Mapping[str, str]) -> None:
    config = _codex_config(given, plan.words)
    if plan.tells and not any("developer_instructions" in words for words in (config, " ".join(plan.words))):
        _override(plan, "developer_instructions", TOLD.format(plan.tells))
        plan.can_redeem = True
    name = config.get("model_provider", "openai")
    providers = config.get("model_providers")
    row = providers.get(name, {}) if isinstance(providers, dict) else {}
    before = row.get("base_url") if isinstance(row, dict) else None
    if isinstance(before, str) and before:
        if not before.rstrip("/").endswith("/v1"):
            plan.notes.append(f"Codex asks {before}, which does not end in /v1: it is not shortened")
            return
        plan.ask(OPENAI, before.rstrip("/").removesuffix("/v1"), given)
        _override(plan, f"model_providers.{name}.base_url", url + "/v1")
        return
    if name != "openai":
        plan.notes.append(f"Codex asks {name}, whose address is not in its configuration: it is not shortened")
        return
    before = config.get("openai_base_url") or given.get("OPENAI_BASE_URL", "")
    if isinstance(before, str) and before:
        plan.ask(OPENAI, before.rstrip("/").removesuffix("/v1"), given)
    elif _codex_subscribes(given):
        _override(plan, "openai_base_url", url + "/backend-api/codex")
        return
    _override(plan, "openai_base_url", url + "/v1")


def _override(plan: Plan, key: str, value: str) -> None:
    plan.words[1:1] = ["-c", f'{key}="{value}"']


def _codex_home(given: Mapping[str, str]) -> str:
    return given.get("CODEX_HOME") or os.path.join(given.get("HOME", ""), ".codex")


def _codex_config(given: Mapping[str, str], words: Sequence[str]) -> dict[str, Any]:
    """Return what Codex was configured with: its file, its profile, and -c model_provider=... of the command line."""
    import tomllib

    path = os.path.join(_codex_home(given), "config.toml")
    config: dict[str, Any] = {}
    try:
        with open(path, "rb") as stream:
            config = tomllib.load(stream)
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}; Codex cannot read it either") from error
    profile, chosen = config.get("profile", ""), ""
    for flag, value in itertools.pairwise(words):
        if flag in {"-p", "--profile"}:
            profile = value
        if flag in {"-c", "--config"} and value.startswith("model_provider="):
            chosen = value.partition("=")[2].strip("\"'")
    profiles = config.get("profiles")
    if isinstance(profiles, dict) and isinstance(profiles.get(profile), dict):
        config = {**config, **profiles[profile]}
    return {**config, "model_provider": chosen} if chosen else config


def _codex_subscribes(given: Mapping[str, str]) -> bool:
    """Tell whether Codex was logged in with a ChatGPT account; no secret is kept."""
    import json

    try:
        with open(os.path.join(_codex_home(given), "auth.json"), "rb") as stream:
            found = json.load(stream)
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and bool(found.get("tokens")) and not found.get("OPENAI_API_KEY")


def _opencode(plan: Plan, url: str, given: Mapping[str, str]) -> None:
    import json

    text = given.get("OPENCODE_CONFIG_CONTENT", "")
    try:
        config = json.loads(text) if text else {}
        for name, target in (("anthropic", ANTHROPIC), ("openai", OPENAI)):
            options = config.setdefault("provider", {}).setdefault(name, {}).setdefault("options", {})
            if before := options.get("baseURL", ""):
                plan.ask(target, before.rstrip("/").removesuffix("/v1"), given)
            options["baseURL"] = url + "/v1"
    except (ValueError, AttributeError, TypeError) as error:  # JSON that is no such configuration
        raise ConfigError(f"OPENCODE_CONFIG_CONTENT: {error}; write it as OpenCode reads it") from error
    plan.environment["OPENCODE_CONFIG_CONTENT"] = json.dumps(config)


_SDKS = ("ANTHROPIC_BASE_URL", "OPENAI_BASE_URL")
_LITELLM = ("ANTHROPIC_API_BASE", "OPENAI_API_BASE")
_BEDROCK = "ANTHROPIC_BEDROCK_BASE_URL"

CLIENTS = {
    client.name: client for client in (
        Client("claude", "Claude Code", ("ANTHROPIC_BASE_URL", _BEDROCK), _claude),
        Client("codex", "Codex", (), _codex),
        Client("aider", "aider", (*_SDKS, *_LITELLM)),
        Client("opencode", "OpenCode", (), _opencode),
        Client("goose", "goose", ("ANTHROPIC_HOST", "OPENAI_HOST")),
        Client("mini", "mini-swe-agent", (*_SDKS, *_LITELLM)),
    )
}  # fmt: skip


def any_command(program: str) -> Client:
    """Return a row for a command that is in none: all variables are set."""

    def more(plan: Plan, _url: str, given: Mapping[str, str]) -> None:
        if not given.get("ENABLE_TOOL_SEARCH"):
            plan.environment["ENABLE_TOOL_SEARCH"] = "true"

    return Client(program, program, tuple(VARIABLES), more)
