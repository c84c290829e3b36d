"""What the backends over HTTP share: addresses, keys, headers, and members of a body that belong into headers."""

from __future__ import annotations

import json

from headroom_cli import backends
from headroom_cli.errors import CannotCarryError, ConfigError, KeyMissingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.backends import Call, Headers, Outgoing, Target

# Where each API takes a request, below its version.
ENDPOINTS = {"anthropic": "/messages", "openai": "/chat/completions", "responses": "/responses"}

# Credentials come from keys alone, the framing of a message and its encoding from the transport.
_NOT_THE_USERS = frozenset((
    "accept-encoding", "api-key", "authorization", "connection", "content-length", "host", "proxy-authorization",
    "transfer-encoding", "x-api-key",
))  # fmt: skip

# Anthropic's API has had two versions; from the second on an API key is a bearer token like any other.
_FIRST_VERSION = "2023-06-01"
_BEARER_SINCE = "2026-10-21"
_IN_BODY = ("anthropic_version", "anthropic_beta")
_OAUTH_TOKEN = "sk-ant-oat"  # noqa: S105 - how such a token begins, not a token
_OAUTH_BETA = "oauth-2025-04-20"


def checked(address: str, origin: str) -> str:
    """Return an address without its last slash; raise ConfigError for one that no request can be sent to.

    ``origin`` is where the address was written. An address that may hold a password is never shown.
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets that do not close
        raise ConfigError(f"{origin} is no address; write it as https://HOST/PATH") from None
    if not usable or any(not "!" <= letter <= "~" for letter in address):
        raise ConfigError(f"{origin} is no address; write it as https://HOST/PATH")
    if "@" in parts.netloc:
        raise ConfigError(f"{origin} has a name or password in it; give the key by its variable")
    if "?" in address or "#" in address:
        raise ConfigError(f"{origin} has a query or a fragment; leave out what follows the path")
    return address.rstrip("/")


def base(target: Target, variable: str, default: str) -> str:
    """Return the address to build on: what the user gave, else what the variable holds, else the backend's own."""
    if target.base:
        return checked(target.base, "--base-url")
    if target.secrets.get(variable):
        return checked(target.secrets[variable], variable)
    if not default:
        raise ConfigError("no address was given; use --base-url")
    return default


def versioned(address: str, *, rooted: bool = False) -> str:
    """Return an address with its ``/v1``, once. ``rooted``: only an address without any path still needs it.

    >>> versioned("http://127.0.0.1:4000"), versioned("https://openrouter.ai/api/v1")
    ('http://127.0.0.1:4000/v1', 'https://openrouter.ai/api/v1')
    """
    path = address.partition("://")[2].partition("/")[2]
    if path.rpartition("/")[2] == "v1" or (rooted and path):
        return address
    return address + "/v1"


def key(target: Target, names: tuple[str, ...]) -> tuple[str, str]:
    """Return (name, value) of the first of these variables that is set, ("", "") for none.

    Raise ConfigError for a value that no header can carry; it is never shown.
    """
    for name in names:
        value = target.secrets.get(name, "")
        if value:
            return name, sendable(name, value)
    return "", ""


def sendable(name: str, value: str) -> str:
    """Return a value of a variable that goes into a header; raise ConfigError when it would not arrive as it is."""
    if any(not "!" <= letter <= "~" for letter in value):
        raise ConfigError(f"{name} holds a space, a line break or another character that no key has; set it anew")
    return value


def bearer(target: Target, names: tuple[str, ...], *, needed: bool) -> Headers:
    """Return the Authorization header for the first of these variables that is set; none is fine unless ``needed``."""
    _, value = key(target, names)
    if not value and needed:
        raise KeyMissingError(f"no key was given; set {names[0]}")
    return (("authorization", f"Bearer {value}"),) if value else ()


def call(outgoing: Outgoing, target: Target, url: str, own: Headers, body: bytes | None = None) -> Call:
    """Return the request: the headers that every call has, the client's and the user's over them, then ``own``.

    A header of the user takes the place of one of the same name that is not the backend's ``own``.
    Raise ConfigError for a header that is not the user's to set, or that cannot be sent.
    """
    given = users(outgoing, target)
    fixed = {name.lower() for name, _ in own}
    taken = fixed.union(name.lower() for name, _ in given)
    version = __import__("headroom_cli").__version__  # the package stands above its layers, its version does not
    common = (
        ("content-type", "application/json"),
        ("accept", "text/event-stream" if outgoing.stream else "application/json"),
        ("user-agent", f"headroom-cli/{version}"),
    )
    headers = (
        *((name, value) for name, value in common if name not in taken),
        ("accept-encoding", "identity"),  # what arrives is passed on as it is: nobody on the way would decode it
        *((name, value) for name, value in given if name.lower() not in fixed),
        *own,
    )
    return backends.Call(url, headers, outgoing.body if body is None else body)


def gateway(outgoing: Outgoing, target: Target, address: str, own: Headers) -> Call:
    """Return the request for a host that takes several APIs' requests side by side, all with one kind of key."""
    body = None
    if outgoing.shape == "anthropic":
        _, headers, body = anthropic(outgoing, target)
        own = (*headers, *own)
    return call(outgoing, target, address + ENDPOINTS[outgoing.shape], own, body)


def put_model(_shape: str, request: dict[str, Any], model: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return what the body still needs: the model, when another one was asked for than it names."""
    return ({"model": model} if model and request.get("model") != model else {}), ()


def anthropic(outgoing: Outgoing, target: Target) -> tuple[str, Headers, bytes]:
    """Return (version, headers, body) for an API that speaks Anthropic's Messages.

    The version is the user's, the client's, the body's, or the first. On Bedrock both are members of the body
    (``anthropic_version``, ``anthropic_beta``); elsewhere they are headers, and the body goes without them. A value
    that only names a cloud ("bedrock-2023-05-31") means the first version. Betas go as they came, byte for byte; where
    the body has some besides, they follow.
    """
    given = users(outgoing, target)
    body, inside = without(outgoing.body, _IN_BODY)
    version = next((value for name, value in reversed(given) if name.lower() == "anthropic-version"), "")
    if not version:
        written = inside.get("anthropic_version")
        version = written if isinstance(written, str) and written[:4].isdigit() else _FIRST_VERSION
    if not isinstance(inside.get("anthropic_version") or "", str):
        raise CannotCarryError("anthropic_version: this is to be a text; it cannot be sent as a header")
    listed = inside.get("anthropic_beta") or []
    if not isinstance(listed, list) or not all(isinstance(beta, str) for beta in listed):
        raise CannotCarryError("anthropic_beta: this is to be a list of texts; it cannot be sent as a header")
    betas = ",".join(value for name, value in given if name.lower() == "anthropic-beta")
    for beta in listed:
        betas = with_beta(betas, beta)
    return version, (("anthropic-version", version), *((("anthropic-beta", betas),) if betas else ())), body


def anthropic_key(version: str, headers: Headers, name: str, value: str) -> Headers:
    """Return the headers with the key: never both ways of sending it, which the API refuses with 401.

    A token of OAuth, told by how it begins, counts only with its beta (anthropic-py 2.11, lib/credentials).
    """
    if value.startswith(_OAUTH_TOKEN):
        betas = next((betas for header, betas in headers if header == "anthropic-beta"), "")
        headers = tuple((header, betas) for header, betas in headers if header != "anthropic-beta")
        headers = (*headers, ("anthropic-beta", with_beta(betas, _OAUTH_BETA)))
    elif name == "ANTHROPIC_API_KEY" and not (version[:4].isdigit() and version >= _BEARER_SINCE):
        return (*headers, ("x-api-key", value))
    return (*headers, ("authorization", f"Bearer {value}"))


def with_beta(betas: str, beta: str) -> str:
    """Return a list of betas with one more at its end, unless it is there."""
    if beta in (one.strip() for one in betas.split(",")):
        return betas
    return f"{betas},{beta}" if betas else beta


def without(body: bytes, names: tuple[str, ...]) -> tuple[bytes, dict[str, Any]]:
    """Return a JSON object without some of its own members, and those; every other byte stays as it is.

    A body that is no JSON object, or that names none of them, comes back as it is.
    """
    if not any(name.encode() in body for name in names):
        return body, {}
    try:
        text = body.decode()
        members = _members(text)
    except (ValueError, RecursionError):  # not ours to judge: the provider says what is wrong with it
        return body, {}
    taken = {name: value for name, value, _, _ in members if name in names}
    if not taken:
        return body, {}
    kept = [position for position, (name, _, _, _) in enumerate(members) if name not in names]
    # Each member that stays brings what follows it up to the next one, the comma among it; the last brings none.
    pieces = [text[members[position][2] : members[position + 1][2]] for position in kept[:-1]]
    pieces += [text[members[position][2] : members[position][3]] for position in kept[-1:]]
    return (text[: members[0][2]] + "".join(pieces) + text[members[-1][3] :]).encode(), taken


def _members(text: str) -> list[tuple[str, Any, int, int]]:
    """Return (name, value, start, end) of an object's own members; raise ValueError for anything else."""
    read = json.JSONDecoder().raw_decode
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        raise ValueError("no object")
    members: list[tuple[str, Any, int, int]] = []
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        start = at
        name, at = read(text, at)
        at = _skip(text, at)
        if not isinstance(name, str) or text[at : at + 1] != ":":
            raise ValueError("no member")
        value, end = read(text, _skip(text, at + 1))
        members.append((name, value, start, end))
        at = _skip(text, end)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "}":
            raise ValueError("no end")
    return members


def _skip(text: str, at: int) -> int:
    """Return where JSON's white space ends."""
    while text[at : at + 1] in {" ", "\t", "\n", "\r"}:
        at += 1
    return at


def users(outgoing: Outgoing, target: Target) -> Headers:
    """Return the client's headers and the user's; the user's take the place of the client's, betas aside."""
    taken = {name.lower() for name, _ in target.headers} - {"anthropic-beta"}
    given = (*((name, value) for name, value in outgoing.headers if name.lower() not in taken), *target.headers)
    for name, value in given:
        if name.lower() in _NOT_THE_USERS:
            raise ConfigError(f"the header {name.lower()!r} cannot be given; keys come from the environment")
        printable = all(" " <= letter <= "~" or letter == "\t" for letter in value)
        if not printable or not name or any(not "!" <= letter <= "~" or letter == ":" for letter in name):
            raise ConfigError(f"the header {name[:40]!r} cannot be sent; write it in plain ASCII on one line")
    return given
