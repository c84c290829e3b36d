"""``headroom proxy --dry-run``: check what a start would check, and say what it would do."""

from __future__ import annotations

import os

from headroom_cli.cli import io, report
from headroom_cli.cli.config import without_user
from headroom_cli.errors import ConfigError, StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.serve.options import Serving
    from headroom_cli.settings import Settings


def show(serving: Serving, settings: Settings) -> int:
    """Print the plan to standard output. Raise ConfigError where a start would, or where no request could be answered.

    The socket is opened and closed again; plugins are loaded and told nothing.
    """
    where = _listened(serving)
    _check_keys(serving)
    rows = [("listening", where), *_providers(serving), *_work(serving), *_clients(serving, where)]
    if settings.json:
        import json

        from headroom_cli.store.url import shown

        told: dict[str, object] = {"v": 1, "listening": where}
        told["providers"] = {} if serving.backend else {name: without_user(at) for name, at in _addresses(serving)}
        told.update(
            backend=serving.backend, keys=_names(serving), store=shown(serving.store),
            plugins=list(serving.plugins), workers=serving.workers, engines=serving.engines,
            policy={name: _plain(value) for name, value in serving.policy.items()},
            shaping={name: _plain(value) for name, value in serving.shaping.items()}, token=bool(serving.token),
        )  # fmt: skip
        io.write(json.dumps(told).encode() + b"\n")
    else:
        lines = [f"{name:<10}{report.clean(value)}\n" for name, value in rows]
        io.write("".join(lines).encode("utf-8", "backslashreplace"))
    return 0


def _listened(serving: Serving) -> str:
    """Return the address that would be listened on, once it was. Raise ConfigError."""
    from headroom_cli.serve import listening

    listeners = listening.bind(serving)
    try:
        if serving.unix:
            return f"unix:{serving.unix}"
        host = listeners[0].getsockname()[0]
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{serving.port or 'PORT'}"
    finally:
        if serving.unix:
            os.unlink(serving.unix)
        for listener in listeners:
            listener.close()


def _check_keys(serving: Serving) -> None:
    """Raise ConfigError for a backend without a key: every request would be refused."""
    if not serving.backend:
        return
    from headroom_cli import backends
    from headroom_cli.keys import is_credential

    row, _ = backends.load(serving.backend, gateway=bool(serving.base_url))
    wanted = [name for name in row.variables if is_credential(name)]
    # A library, and the AWS SDK, find credentials in places of their own.
    if row.library is None and row.name != "bedrock" and wanted and not _names(serving):
        raise ConfigError(f"no key for --backend {serving.backend}; set {wanted[0]}, or name a --key-file")


def _names(serving: Serving) -> list[str]:
    """Return the names of the keys that are there, never a part of one."""
    from headroom_cli.keys import is_credential

    return sorted(name for name in serving.secrets if is_credential(name))


def _addresses(serving: Serving) -> list[tuple[str, str]]:
    return sorted(serving.addresses.items())


def _providers(serving: Serving) -> list[tuple[str, str]]:
    """Return the lines that say who answers."""
    if not serving.backend:
        return [("provider", f"{name} at {without_user(address)}") for name, address in _addresses(serving)]
    at = f" at {without_user(serving.base_url)}" if serving.base_url else ""
    held = ", ".join(_names(serving)) or "none; the library finds its own"
    return [("backend", f"{serving.backend}{at}"), ("keys", held)]


def _work(serving: Serving) -> list[tuple[str, str]]:
    """Return the lines that say what is done to requests, and where originals go."""
    policy = ", ".join(f"{name} {_text(value)}" for name, value in serving.policy.items() if value)
    shares = [name for name in ("output_holdout", "holdout") if serving.shaping.get(name)]
    names = ("level", "effort", *shares) if serving.shaping.get("on") else shares
    shaping = ", ".join(f"{name} {_text(serving.shaping[name])}" for name in names)
    try:
        store = _store(serving.store)
    except StoreError as error:
        store = f"{error}; until then requests go as they come"
    rows = [("policy", policy if serving.policy.get("level") else f"level safe, {policy}"), ("store", store)]
    if shaping:
        rows.append(("shaping", shaping))
    if serving.plugins:
        rows.append(("plugins", ", ".join(serving.plugins)))
    rows.append(("processes", f"{serving.workers} to serve, {serving.workers * serving.engines} to shorten"))
    if serving.token:
        rows.append(("token", "callers must show it in x-headroom-token"))
    return rows


def _store(name: str) -> str:
    """Open the store as a start does and return how it is shown. Raise StoreError, ConfigError."""
    from headroom_cli.store import named
    from headroom_cli.store.url import is_url

    held = named(name)
    if is_url(name):
        held.ping()
        return held.where()
    try:
        with held.open(create=True):
            pass
    except OSError as error:
        from headroom_cli.store import files

        raise files.failure(error, held.root) from error
    return held.where()


def _clients(serving: Serving, where: str) -> list[tuple[str, str]]:
    """Return the lines that clients are started with."""
    if serving.unix:
        return []
    return [
        ("client", f"ANTHROPIC_BASE_URL={where} ENABLE_TOOL_SEARCH=true claude"),
        ("client", f"OPENAI_BASE_URL={where}/v1 COMMAND"),
    ]


def _plain(value: object) -> object:
    """Return a value as JSON has it."""
    if isinstance(value, frozenset | tuple):
        return sorted(map(str, value))
    return value if isinstance(value, str | int | float | None) else str(value)


def _text(value: object) -> str:
    """Return a value for a line of text."""
    plain = _plain(value)
    if isinstance(plain, list):
        return "+".join(plain)
    return {True: "on", False: "off"}.get(plain, str(plain)) if isinstance(plain, bool) else str(plain)
