"""Who answers: one provider per file, and the table BACKENDS.

A backend builds requests and opens the framing of answers. It has no sockets and reads no environment: what it needs to
know of keys and addresses comes in a Target, and what it wants to be sent goes out in a Call.
"""

from __future__ import annotations

from headroom_cli.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    Headers = tuple[tuple[str, str], ...]

# name -> what it is. "litellm-PROVIDER" and "anyllm-PROVIDER" name the provider that the library is to call.
BACKENDS: dict[str, str] = {
    "anthropic": "Anthropic's API, or one that speaks it",
    "openai": "OpenAI's API (Chat Completions and Responses), or one that speaks it",
    "openrouter": "OpenRouter",
    "bedrock": "Amazon Bedrock (InvokeModel), or a gateway shaped like it, such as SAP AI Core",
    "litellm": "the LiteLLM library, or with --base-url a LiteLLM gateway",
    "anyllm": "the any-llm library, or with --base-url an any-llm gateway",
}
LIBRARIES = ("litellm", "anyllm")


class Target:
    """Where a request goes and with what.

    ``base``      the address the user gave, "" for the backend's own
    ``provider``  what follows the backend's name ("openai" of litellm-openai), "" for nothing
    ``secrets``   values of the backend's ``variables`` that are set
    ``headers``   the user's own headers; never credentials
    ``token``     the token that a TokenCall got, "" for none
    ``timeout``   seconds without a byte
    """

    __slots__ = ("base", "headers", "provider", "secrets", "timeout", "token")

    def __init__(
        self, *, base: str = "", provider: str = "", secrets: Mapping[str, str] | None = None, headers: Headers = (),
        timeout: float = 600.0,
    ) -> None:  # fmt: skip
        """All may be left out."""
        self.base = base.rstrip("/")
        self.provider = provider
        self.secrets = dict(secrets or {})
        self.headers = headers
        self.token = ""
        self.timeout = timeout


class Outgoing:
    """A request that is ready but for its address: its shape (a row of WIRES), model, and bytes."""

    __slots__ = ("body", "headers", "model", "shape", "stream")

    def __init__(self, shape: str, model: str, body: bytes, *, stream: bool, headers: Headers = ()) -> None:
        """``headers`` are a client's own that belong to the API (anthropic-version, anthropic-beta)."""
        self.shape = shape
        self.model = model
        self.body = body
        self.stream = stream
        self.headers = headers


class Call:
    """One HTTP request, as it is to be sent byte for byte."""

    __slots__ = ("body", "headers", "method", "url")

    def __init__(self, url: str, headers: Headers, body: bytes, method: str = "POST") -> None:
        """``headers`` in their order; the transport adds host and content-length only."""
        self.url = url
        self.headers = headers
        self.body = body
        self.method = method


class Backend:
    """One provider: a row.

    ``name``       as it is typed
    ``shapes``     what it understands, a row of WIRES each; requests in another are converted to the first
    ``variables``  names of the environment variables that it looks at, for keys and addresses
    ``extra``      the optional dependency it needs, "" for none
    ``adapt``      (shape, request, model) -> (members to put, members to leave out) of the body's outermost object
    ``call``       (outgoing, target) -> Call; raise KeyMissingError, ConfigError
    ``token``      (target) -> Call for an access token, or None; its JSON answer has ``access_token``
    ``framing``    "sse", or "eventstream" for streams in AWS frames
    ``library``    for a backend that is a library in this process: (outgoing, target) -> the chunks of a stream, or one
                   whole answer, in the shape of ``outgoing``; raise AnsweredError and the like. None for HTTP
    """

    __slots__ = ("adapt", "call", "extra", "framing", "library", "name", "shapes", "token", "variables")

    def __init__(
        self,
        name: str,
        shapes: tuple[str, ...],
        *,
        variables: tuple[str, ...],
        call: Callable[[Outgoing, Target], Call] | None = None,
        adapt: Callable[[str, dict[str, Any], str], tuple[dict[str, Any], tuple[str, ...]]] = lambda *_: ({}, ()),
        token: Callable[[Target], Call | None] = lambda _target: None,
        framing: str = "sse",
        library: Callable[[Outgoing, Target], Iterator[dict[str, Any]]] | None = None,
        extra: str = "",
    ) -> None:
        """Hold one row."""
        self.name = name
        self.shapes = shapes
        self.variables = variables
        self.call = call
        self.adapt = adapt
        self.token = token
        self.framing = framing
        self.library = library
        self.extra = extra


def load(name: str, *, gateway: bool = False) -> tuple[Backend, str]:
    """Return a row and the provider named behind it; ``gateway``: an address was given. Raise ConfigError."""
    head, _, provider = name.partition("-")
    if head not in BACKENDS or (provider and head not in LIBRARIES) or name.endswith("-"):
        raise ConfigError(f"unknown backend {name[:40]!r}; use one of {', '.join(BACKENDS)}, or litellm-PROVIDER")
    module = __import__(f"headroom_cli.backends.{head}", fromlist=["BACKEND"])
    found: Backend = module.GATEWAY if head in LIBRARIES and gateway and not provider else module.BACKEND
    return found, provider
