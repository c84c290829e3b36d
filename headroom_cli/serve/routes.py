"""The table of paths: what each is, how its requests are written, and whose they are.

What is ours never goes to a provider, whatever else stands in the path; what is in no row is answered with 404: a proxy
that relays any path is a proxy for anything.
"""

from __future__ import annotations

from urllib.parse import unquote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# What a row may be.
MESSAGES = "messages"  # a conversation: shortened, its answer may hold calls of our tool
COUNT = "count"  # a conversation whose tokens are asked for: shortened alike
BEDROCK = "bedrock"  # a conversation in InvokeModel's form; ``model`` stands in the path
PASS = "pass"  # goes as it comes  # noqa: S105 - no password
OWN = "own"  # answered here

ANTHROPIC, OPENAI, CHATGPT, AWS = "anthropic", "openai", "chatgpt", "bedrock"

# provider -> (variable of its address, the address it has by itself; Bedrock's depends on the region)
PROVIDERS = {
    ANTHROPIC: ("ANTHROPIC_TARGET_API_URL", "https://api.anthropic.com"),
    OPENAI: ("OPENAI_TARGET_API_URL", "https://api.openai.com"),
    CHATGPT: ("CHATGPT_TARGET_API_URL", "https://chatgpt.com"),
    AWS: ("BEDROCK_TARGET_API_URL", ""),
}

_EXACT = {
    "/v1/messages": ("anthropic", MESSAGES, ANTHROPIC),
    "/v1/messages/count_tokens": ("anthropic", COUNT, ANTHROPIC),
    "/v1/chat/completions": ("openai", MESSAGES, OPENAI),
    "/chat/completions": ("openai", MESSAGES, OPENAI),
    "/v1/responses": ("responses", MESSAGES, OPENAI),
    "/responses": ("responses", MESSAGES, OPENAI),
    "/v1/codex/responses": ("responses", MESSAGES, OPENAI),
    "/backend-api/codex/responses": ("responses", MESSAGES, CHATGPT),
    "/backend-api/responses": ("responses", MESSAGES, CHATGPT),
}
# Without /v1, as clients write them whose base address is meant to end in it.
_VERSIONED = frozenset(("/chat/completions", "/responses", "/models", "/embeddings"))
OWN_PATHS = ("/livez", "/readyz", "/health", "/stats", "/metrics", "/dashboard", "/v1/compress", "/v1/retrieve")
# Requests to these change something here: they must say that they are JSON, which no form of a page can.
OWN_JSON = frozenset(("/v1/compress", "/v1/retrieve"))
# The rows of backends.BACKENDS that speak the APIs themselves, by the shape of the request.
ROWS = {"anthropic": "anthropic", "openai": "openai", "responses": "openai"}
_PREFIXES = {"/anthropic": ANTHROPIC, "/openai": OPENAI}


class Route:
    """What a path is.

    ``name`` is its row for counts; ``shape`` a row of wire.WIRES, "" where nothing is read; ``what`` one of the above;
    ``provider`` whose it is; ``path`` what is asked of it; ``model`` where it stands in the path.
    """

    __slots__ = ("model", "name", "path", "provider", "shape", "what")

    def __init__(  # noqa: PLR0917 - a row reads best without keywords
        self, name: str, shape: str, what: str, provider: str, path: str, model: str = ""
    ) -> None:
        """Hold what was found."""
        self.name = name
        self.shape = shape
        self.what = what
        self.provider = provider
        self.path = path
        self.model = model


def is_own(path: str) -> bool:
    """Tell a path of ours, or below one, with slashes too many in it as well."""
    while "//" in path:
        path = path.replace("//", "/")
    return any(path == own or path.startswith(own + "/") for own in OWN_PATHS)


def _walks(path: str) -> bool:
    """Tell a path with steps in it that somebody else may walk: what it means is not ours to guess."""
    return not {".", ".."}.isdisjoint(path.replace("\\", "/").split("/"))


def find(method: str, path: str, headers: Iterable[tuple[bytes, bytes]]) -> Route | None:
    """Return what ``path`` (as it stands in the request, without its query) is; None for what is nobody's."""
    plain = unquote(path)
    if is_own(plain):
        return Route(path, "", OWN, "", path)
    if _walks(plain):
        return None
    whole, provider = path, ""
    for prefix, owner in _PREFIXES.items():
        if path == prefix or path.startswith(prefix + "/"):
            path, provider = path[len(prefix) :] or "/", owner
    found = _EXACT.get(path)
    if found is not None and method == "POST" and provider in {"", found[2]}:
        shape, what, owner = found
        return Route(path, shape, what, provider or owner, _full(path))
    if path.startswith("/model/") and not provider:
        return _bedrock(method, path)
    if path.startswith(("/v1/", "/api/")) or path == "/" or path in _VERSIONED:
        return Route("other", "", PASS, provider or _owner(path, headers), _full(path))
    if path.startswith("/backend-api/") and not provider:
        return Route("other", "", PASS, CHATGPT, path)
    if path.startswith(("/inference-profiles", "/foundation-models")) and not provider:
        return Route("other", "", PASS, AWS, path)
    # Behind a prefix the rest is the provider's own business.
    return Route("other", "", PASS, provider, path) if provider and whole != path else None


def _full(path: str) -> str:
    """Return a path with its version."""
    return "/v1" + path if path in _VERSIONED else path


def _bedrock(method: str, path: str) -> Route:
    model, _, verb = path[len("/model/") :].rpartition("/")
    if method == "POST" and model and verb in {"invoke", "invoke-with-response-stream"}:
        return Route(f"/model/invoke{verb[6:]}", "anthropic", BEDROCK, AWS, path, model)
    return Route("other", "", PASS, AWS, path)


def _owner(path: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return whose a path is that several providers have, by the headers that only one API has."""
    if path.startswith(("/v1/messages", "/v1/complete", "/api/")) or path == "/":
        return ANTHROPIC
    names = {name for name, _ in headers}
    return ANTHROPIC if b"anthropic-version" in names or b"x-api-key" in names else OPENAI
