"""any-llm: the library in this process, or with an address a gateway (Otari).

Source of the gateway's protocol: github.com/mozilla-ai/otari, docs/api-reference.md.
"""

from __future__ import annotations

from headroom_cli import backends
from headroom_cli.backends import _http, _library
from headroom_cli.errors import CannotCarryError, ConfigError, HeadroomError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any

    from headroom_cli.backends import Call, Outgoing, Target

# The gateway's name was any-llm-gateway; the library's own variables for it are the first and the last.
_KEYS = ("OTARI_API_KEY", "ANY_LLM_API_KEY", "GATEWAY_API_KEY")


def call(outgoing: Outgoing, target: Target) -> Call:
    """Return the request for a gateway, which may want no key."""
    address = _http.versioned(_http.base(target, "", ""))
    return _http.gateway(outgoing, target, address, _http.bearer(target, _KEYS, needed=False))


def library(outgoing: Outgoing, target: Target) -> Iterator[dict[str, Any]]:
    """Yield the chunks of a stream, or one whole answer. Closing the generator closes the connection.

    The library makes one request: a second one could be paid for twice.
    """
    members = _library.members(outgoing)
    any_llm = _import()
    provider, model, row = _provider(any_llm, outgoing, target)
    options = {"unified_exceptions": True, **_once(provider, row)}
    if target.base:
        options["api_base"] = _http.checked(target.base, "--base-url")
    messages = members.pop("messages")
    if provider == "anthropic":
        messages = _for_anthropic(messages, members)
    settings = {"model": model, "messages": messages, "stream": outgoing.stream}
    if row.TIMEOUT_SUPPORT != "unsupported":
        settings["timeout"] = target.timeout
    if headers := _library.headers(outgoing, target):
        settings["extra_headers"] = headers
    known, others = _library.sorted_out(members, _library.parameters(any_llm.completion))
    if "max_completion_tokens" in known and "max_tokens" not in known:
        known["max_tokens"] = known.pop("max_completion_tokens")  # which it writes as each provider has it
    if others and not _takes_more(row):
        _library.refuse("any-llm", sorted(others))
    if others:
        settings["extra_body"] = others
    caller: Any = None
    answer: Any = None
    try:
        caller = any_llm.AnyLLM.create(provider, **options)
        answer = caller.completion(**known, **settings)
        yield from _library.answered("any-llm", answer, stream=outgoing.stream)
    except HeadroomError:
        raise
    except any_llm.exceptions.UnsupportedParameterError as error:
        raise _library.refused("any-llm", error) from None
    except Exception as error:  # noqa: BLE001 - the library passes on the errors of many others
        raise _library.failure("any-llm", error) from None
    finally:
        _library.close(answer)
        _close(caller)


def _for_anthropic(messages: list[Any], members: dict[str, Any]) -> list[Any]:
    """Return messages that any-llm hands on to Anthropic as they are meant. Raise CannotCarryError where it cannot.

    It takes instructions as one text at the head (1.40 spells others out letter by letter), and gives no thinking back,
    which Anthropic wants to see again with the results of calls.
    """
    thinking = members.get("thinking")
    thinks = isinstance(thinking, dict) and thinking.get("type") != "disabled"
    if members.get("tools") and (thinks or members.get("reasoning_effort") not in {None, "none"}):
        raise CannotCarryError(
            "reasoning_effort: any-llm loses the thinking that Anthropic wants back with tools; use --backend anthropic"
        )
    roles = [message.get("role") if isinstance(message, dict) else None for message in messages]
    told = next((n for n, role in enumerate(roles) if role not in {"system", "developer"}), len(messages))
    for number, role in enumerate(roles[told:], told):
        if role in {"system", "developer"}:
            raise CannotCarryError(
                f"messages.{number}: any-llm has no place for a {role} message within a conversation with Anthropic; "
                "use --backend anthropic"
            )
    texts: list[str] = []
    for message in messages[:told]:
        content = message.get("content")
        parts = content if isinstance(content, list) else []
        texts += [content] if isinstance(content, str) else [_text_of(part) for part in parts]
    return [*([{"role": "system", "content": "\n\n".join(texts)}] if texts else []), *messages[told:]]


def _text_of(part: Any) -> str:
    return str(part.get("text") or "") if isinstance(part, dict) else str(part)


def _close(caller: Any) -> None:
    """Close the client under the library with all its connections.

    Closing a stream does not always do that: where its last event has just come, any-llm 1.40 cancels its own closing.
    """
    import inspect

    shut = getattr(getattr(caller, "client", None), "close", None)
    closing = shut() if callable(shut) else None
    if inspect.iscoroutine(closing):
        from any_llm.utils.aio import run_async_in_sync

        run_async_in_sync(closing)


def _import() -> ModuleType:
    """Import the library."""
    try:
        import any_llm
    except ImportError as error:
        raise ConfigError(f"any-llm cannot be imported ({error}); pip install 'headroom-cli[anyllm]'") from None
    found: ModuleType = any_llm
    return found


def _provider(any_llm: ModuleType, outgoing: Outgoing, target: Target) -> tuple[str, str, Any]:
    """Return (provider, model, the library's class for it); raise ConfigError for one it does not know."""
    provider, model = target.provider, outgoing.model
    if not provider:
        provider, _, model = model.partition(":")
        if not model:
            raise ConfigError("any-llm is not told whose model this is; use anyllm-PROVIDER, or --model PROVIDER:MODEL")
    try:
        row = any_llm.AnyLLM.get_provider_class(provider)
    except (any_llm.UnsupportedProviderError, ImportError) as error:
        raise ConfigError(f"any-llm cannot call {provider[:40]!r} ({type(error).__name__})") from None
    if row.MISSING_PACKAGES_ERROR is not None:
        raise ConfigError(f"any-llm lacks what it calls {provider} with; pip install 'any-llm-sdk[{provider}]'")
    return provider, model, row


def _once(provider: str, row: Any) -> dict[str, Any]:
    """Return the options by which the client under the library makes one request and no second.

    Raise ConfigError for a provider whose client cannot be told so.
    """
    if row.MAX_RETRIES_SUPPORT != "unsupported":
        return {"max_retries": 0}
    if provider == "bedrock":
        from botocore.config import Config

        return {"config": Config(retries={"total_max_attempts": 1})}
    if provider in _ONCE_ANYWAY:
        return {}
    raise ConfigError(f"any-llm cannot keep {provider[:40]!r} from sending a request twice; use another backend")


def _takes_more(row: Any) -> bool:
    """Tell whether a provider's client puts ``extra_body`` into the body as it is: OpenAI's and Anthropic's do."""
    return any(kind.__name__ in {"BaseOpenAIProvider", "BaseAnthropicProvider"} for kind in row.__mro__)


# Their clients have no retries unless they are asked for.
_ONCE_ANYWAY = ("mistral", "ollama")

BACKEND = backends.Backend("anyllm", ("openai",), variables=(), library=library, extra="anyllm", adapt=_http.put_model)
GATEWAY = backends.Backend("anyllm", ("openai", "anthropic"), variables=_KEYS, call=call, adapt=_http.put_model)
