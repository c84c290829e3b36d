"""What ``headroom doctor`` looks at around this program: extras, models, keys, the proxy's port, clients, providers."""

from __future__ import annotations

import os
import re
import shlex

from headroom_cli.cli.checkup import DO, NOTE, OK, Finding, of_error
from headroom_cli.errors import ConfigError, HeadroomError
from headroom_cli.settings import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from headroom_cli.settings import Settings

PORT = 8_787
SECONDS = 3.0  # for what is on this machine
ONLINE_SECONDS = 10.0
NAME = "headroom-cli"
_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)[^;]*(?:;.*extra\s*==\s*['\"]([a-z]+)['\"])?")
_NO_EXTRAS = ("all", "dev")  # of others' parts, and for those who work on the program
CLIENTS = ("claude", "codex", "aider", "gemini", "opencode", "cursor-agent")
# client -> the variable of its provider's address
ADDRESSES = {"claude": "ANTHROPIC_BASE_URL", "codex": "OPENAI_BASE_URL"}
_TOOL_SEARCH = "ENABLE_TOOL_SEARCH"


# --- what is installed


def libraries() -> Iterator[Finding]:
    """Look at what the program needs, and at what its extras do, by the requirements that it was installed with."""
    from importlib import metadata

    try:
        stated = metadata.requires(NAME) or []
    except metadata.PackageNotFoundError:
        yield Finding("libraries", NOTE, f"{NAME} runs without being installed; its requirements are unknown")
        return
    groups: dict[str, list[str]] = {}
    for line in stated:
        found = _REQUIREMENT.match(line)
        if found is not None and found[1] != NAME:
            groups.setdefault(found[2] or "", []).append(found[1])
    versions = {name: _version(name) for names in groups.values() for name in names}
    missing = [name for name in groups.get("", []) if not versions[name]]
    if missing:
        yield Finding("libraries", DO, f"{', '.join(missing)} missing", f"run pip install {NAME} again")
    else:
        yield Finding("libraries", OK, f"all {len(groups.get('', []))} that every command needs")
    for extra in sorted(set(groups).difference(_NO_EXTRAS, ("",))):
        yield _extra(extra, {name: versions[name] for name in groups[extra]})


def _extra(extra: str, versions: dict[str, str]) -> Finding:
    """Say what of an extra is there; none of it is a choice, a part of it a fault."""
    check = f"extra {extra}"
    missing = [name for name, version in versions.items() if not version]
    there = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    if not missing:
        return Finding(check, OK, there)
    how = _adding(f"'{NAME}[{extra}]'")
    if not there:
        return Finding(check, NOTE, f"not installed; {how} adds it")
    return Finding(check, NOTE, f"{', '.join(missing)} missing beside {there}; {how} adds it")


def _adding(wanted: str) -> str:
    """Return the command that adds an extra to this installation: the pip on PATH may be another's."""
    import shutil
    import sys

    if "/pipx/venvs/" in sys.prefix:
        return f"pipx inject {NAME} {wanted}"
    python = shlex.quote(sys.executable)
    if "/uv/tools/" in sys.prefix:
        return f"uv pip install --python {python} {wanted}"
    pip = shutil.which("pip")
    is_ours = pip is not None and os.path.dirname(os.path.abspath(pip)) == os.path.dirname(sys.executable)
    return f"pip install {wanted}" if is_ours else f"{python} -m pip install {wanted}"


def _version(name: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def models(settings: Settings) -> Iterator[Finding]:
    """Look at the models that shorten prose: that they are whole, and that the one that is named can be used."""
    from headroom_cli.kompress import find, manifest, runtime

    for folder, row in sorted(manifest.read().items()):
        place = os.path.join(find.models_folder(), folder)
        named = str(row.get("name", folder))
        damaged = manifest.damaged(place, row)
        if damaged:
            yield Finding("models", DO, f"{named}: {', '.join(damaged)} damaged", f"run headroom models pull {named}")
        else:
            yield Finding("models", OK, f"{named} is sound, revision {str(row.get('revision', ''))[:12]}")
    try:
        find.find("embedded")
        yield Finding("models", OK, "embedded is there")
    except HeadroomError as error:
        yield of_error("models", error)
    if settings.kompress and (trouble := runtime.check(settings.kompress)):
        yield of_error("models", ConfigError(trouble))


# --- keys: their names, never a part of them


def keys(settings: Settings) -> Iterator[Finding]:
    """Say which provider's keys are present."""
    from headroom_cli import backends
    from headroom_cli.keys import is_credential, key_lines

    given = environment()
    for name in backends.BACKENDS:
        if name in backends.LIBRARIES:
            continue
        row, _ = backends.load(name)
        present = [variable for variable in row.variables if is_credential(variable) and given.get(variable)]
        if present:
            yield Finding(f"key {name}", OK, f"{', '.join(present)} set")
        else:
            wanted = next((variable for variable in row.variables if is_credential(variable)), "")
            yield Finding(f"key {name}", NOTE, f"none; send needs {wanted}, the proxy takes its clients' keys")
    if settings.key_file:
        try:
            names = [name or "a key without a name" for name, _ in key_lines(settings.key_file)]
            yield Finding("key file", OK, f"{settings.key_file}: {', '.join(names)}")
        except ConfigError as error:
            yield of_error("key file", error)


# --- the proxy, and those who call it


def port(number: int) -> Iterator[Finding]:
    """Look at who listens on the proxy's port."""
    answer = livez("127.0.0.1", number)
    if answer is None:
        yield Finding("port", OK, f"{number} is free for headroom proxy")
    elif answer == b"ok\n":
        yield Finding("port", OK, f"a proxy answers on {number}")
    else:
        yield Finding("port", DO, f"another program listens on {number}", "name another: headroom proxy --port")


def livez(host: str, number: int) -> bytes | None:
    """Return what answers to /livez, b"" for what is no web server, None for nobody there."""
    import http.client

    connection = http.client.HTTPConnection(host, number, timeout=SECONDS)
    try:
        connection.connect()
    except OSError:
        return None
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().read(100)
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        connection.close()


def clients() -> Iterator[Finding]:
    """Look for agents, and at what the environment tells them."""
    import shutil

    found = [name for name in CLIENTS if shutil.which(name)]
    yield Finding("clients", OK if found else NOTE, f"found: {', '.join(found)}" if found else "none of those known")
    given = environment()
    for client, variable in ADDRESSES.items():
        address = given.get(variable, "")
        if not address:
            continue
        trouble = _unanswered(address)
        if trouble:
            yield Finding(client, DO, f"{variable}: {trouble}", f"start headroom proxy, or unset {variable}")
        else:
            yield Finding(client, OK, f"{variable} names {_shown(address)}")
        official = "://api.anthropic.com" in address
        if client == "claude" and not official and not given.get(_TOOL_SEARCH):
            yield Finding(
                client, DO, "Claude Code turns tool search off at addresses that are not Anthropic's",
                f"set {_TOOL_SEARCH}=true beside {variable}",
            )  # fmt: skip


def _unanswered(address: str) -> str:
    """Return why nobody on this machine answers at an address, "" when somebody does or it is elsewhere."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(address)
        number = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return f"{_shown(address)} is no address"
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host:
        return f"{_shown(address)} is no address"
    if host not in {"localhost", "127.0.0.1", "::1"}:
        return ""
    return "" if livez(host, number) is not None else f"nobody answers at {_shown(address)}"


def _shown(address: str) -> str:
    """Return an address without who calls and without its query, which may hold a key."""
    from headroom_cli.cli.config import without_user

    return without_user(address.partition("?")[0])


def online(settings: Settings) -> Iterator[Finding]:
    """Ask each provider's address for its head, without a key: any answer will do."""
    from headroom_cli.cli.proxy import addresses

    for provider, address in addresses(settings, environment()).items():
        yield _reached(provider, address)


def _reached(provider: str, address: str) -> Finding:
    import time

    import httpx

    check = f"online {provider}"
    started = time.perf_counter()
    try:
        answer = httpx.head(address, timeout=ONLINE_SECONDS, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        said = f"{_shown(address)}: {type(error).__name__}" + (f", {str(error)[:120]}" if str(error) else "")
        return Finding(check, DO, said, "check the network, the address, and HTTPS_PROXY")
    taken = (time.perf_counter() - started) * 1000
    return Finding(check, OK, f"{_shown(address)} answers with {answer.status_code} in {taken:.0f} ms")
