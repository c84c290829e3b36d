"""LiteLLM: the library in this process, or with an address a gateway.

The library knows some hundred providers and reads their keys from their own variables.
"""

from __future__ import annotations

from headroom_cli import backends
from headroom_cli.backends import _http, _library
from headroom_cli.errors import ConfigError, HeadroomError
from headroom_cli.keys import provide

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any

    from headroom_cli.backends import Call, Outgoing, Target

_KEYS = ("LITELLM_API_KEY", "LITELLM_MASTER_KEY", "LITELLM_PROXY_API_KEY")


def call(outgoing: Outgoing, target: Target) -> Call:
    """Return the request for a gateway, which may want no key."""
    address = _http.versioned(_http.base(target, "", ""))
    return _http.gateway(outgoing, target, address, _http.bearer(target, _KEYS, needed=False))


def library(outgoing: Outgoing, target: Target) -> Iterator[dict[str, Any]]:
    """Yield the chunks of a stream, or one whole answer. Closing the generator closes the connection.

    The library makes one request: a second one could be paid for twice.
    """
    model = f"{target.provider}/{outgoing.model}" if target.provider else outgoing.model
    members = _library.members(outgoing)
    litellm = _import()
    settings = {
        "model": model,
        "messages": members.pop("messages"),
        "stream": outgoing.stream,
        "timeout": target.timeout,
        "num_retries": 0,
        "max_retries": 0,
    }
    if members.get("tools"):
        # Tools that LiteLLM would run itself, over requests of its own, need a module that it does not install.
        settings["_skip_mcp_handler"] = True
    if target.base:
        settings["api_base"] = _http.checked(target.base, "--base-url")
    if headers := _library.headers(outgoing, target):
        settings["extra_headers"] = headers
    arguments = _arguments(litellm, model, members)
    answer: Any = None
    try:
        answer = litellm.completion(**arguments, **settings)
        yield from _library.answered("LiteLLM", answer, stream=outgoing.stream, invented=lambda: _invented(answer))
    except HeadroomError:
        raise
    except litellm.UnsupportedParamsError as error:
        raise _library.refused("LiteLLM", error) from None
    except Exception as error:  # noqa: BLE001 - some forty classes of its own, and those of the SDKs below it
        raise _library.failure("LiteLLM", error) from None
    finally:
        _library.close(answer)


def _invented(answer: Any) -> bool:
    """Tell whether a stream's end is the library's own: it says "stop" also of one that broke off."""
    return not (getattr(answer, "received_finish_reason", "") or getattr(answer, "intermittent_finish_reason", ""))


def _import() -> ModuleType:
    """Import the library without its download of prices, its advice on standard output, and its telemetry."""
    provide("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    try:
        import litellm
    except ImportError as error:
        raise ConfigError(f"LiteLLM cannot be imported ({error}); pip install 'headroom-cli[litellm]'") from None
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.drop_params = False
    found: ModuleType = litellm
    return found


def _arguments(litellm: ModuleType, model: str, members: dict[str, Any]) -> dict[str, Any]:
    """Return the members of a body as the library takes them.

    To a provider that speaks OpenAI's API what the library has no name for goes as it is. To another it goes under its
    own name, unless that is one of the library's settings (``api_base``, ``fallbacks``): a body does not decide those.
    """
    try:
        _, provider, _, _ = litellm.get_llm_provider(model)
    except litellm.BadRequestError as error:
        raise ConfigError(f"LiteLLM does not know whose model {model[:60]!r} is; use litellm-PROVIDER") from error
    arguments = _library.parameters(litellm.completion)
    known, others = _library.sorted_out(members, arguments)
    if provider == "openai" or provider in litellm.openai_compatible_providers:
        # Which model takes what is an old list in the library; what it does not know of, the provider decides.
        listed = litellm.get_supported_openai_params(model=model, custom_llm_provider=provider) or known
        unlisted = sorted(name for name in known if name not in listed)
        return {
            **known,
            **({"allowed_openai_params": unlisted} if unlisted else {}),
            **({"extra_body": others} if others else {}),
        }
    owned = arguments.union(litellm.types.utils.all_litellm_params)
    _library.refuse("LiteLLM", sorted(name for name in others if name in owned or name.startswith(_SECRET)))
    return {**known, **others}


# How the names begin that the library takes for credentials and addresses of clouds, wherever they come from.
_SECRET = ("_", "api_", "aws_", "azure_", "gcs_", "litellm", "mock_", "oci_", "s3_", "sap_", "vertex_", "watsonx_")

BACKEND = backends.Backend(
    "litellm", ("openai",), variables=(), library=library, extra="litellm", adapt=_http.put_model
)
GATEWAY = backends.Backend(
    "litellm", ("openai", "anthropic", "responses"), variables=_KEYS, call=call, adapt=_http.put_model
)
