"""What the backends that are libraries share: the members of a request, dicts of what comes, and errors.

Both take a Chat request as arguments of a function. What has no argument is passed on under ``extra_body``, or refused
by name before anything is sent; a request never sets an option of the library, such as where its keys are sent to.
"""

from __future__ import annotations

import json

from headroom_cli.backends import _http
from headroom_cli.errors import (
    AnsweredError,
    BusyError,
    CannotCarryError,
    FormatError,
    HeadroomError,
    KeyMissingError,
    UnreachableError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from headroom_cli.backends import Outgoing, Target

# Members of a Chat request that the libraries name, with the meaning they have there.
_CHAT = frozenset((
    "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens",
    "max_tokens", "modalities", "n", "parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key",
    "reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop", "store",
    "stream_options", "temperature", "thinking", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity",
    "web_search_options",
))  # fmt: skip

# Statuses that errors of the libraries have also when nothing was sent.
_MADE_UP = frozenset((0, 400, 404, 422, 500))

# Where the libraries and the SDKs below them keep what they hold on to: looked through for something to close.
_INSIDE = ("completion_stream", "streaming_response", "response", "_response")


def members(outgoing: Outgoing) -> dict[str, Any]:
    """Return the request's members but for those that say the model and whether to stream."""
    try:
        request = json.loads(outgoing.body)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"the request is no JSON ({error}); it cannot be sent") from None
    if not isinstance(request, dict) or not isinstance(request.get("messages"), list):
        raise FormatError("the request has no list of messages; it cannot be sent")
    for message in request["messages"]:
        calls = message.get("tool_calls") if isinstance(message, dict) else None
        for call in calls if isinstance(calls, list) else ():
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict) and function.get("arguments") == "":
                function["arguments"] = "{}"  # a call without arguments, which the libraries read as JSON
    return {name: value for name, value in request.items() if name not in {"model", "stream"}}


def headers(outgoing: Outgoing, target: Target) -> dict[str, str]:
    """Return the client's and the user's own headers; raise ConfigError for one that cannot be given."""
    return dict(_http.users(outgoing, target))


def parameters(function: Callable[..., Any]) -> frozenset[str]:
    """Return the names of a function's arguments."""
    import inspect

    return frozenset(inspect.signature(function).parameters)


def sorted_out(given: dict[str, Any], arguments: frozenset[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (those that are arguments with the same meaning, the others). A null argument is one that is not given."""
    named = _CHAT.intersection(arguments)
    known = {name: value for name, value in given.items() if name in named and value is not None}
    return known, {name: value for name, value in given.items() if name not in named}


def refuse(library: str, names: list[str]) -> None:
    """Raise CannotCarryError when there are members that have no place."""
    if names:
        raise CannotCarryError(f"{library} has no place for {', '.join(names)[:200]}; leave it out of the request")


def refused(library: str, error: Exception) -> HeadroomError:
    """Return the error for a part of a request that the library itself refused before it sent anything."""
    said = _first_line(error).partition(" To drop these")[0]  # LiteLLM goes on with how to lose them silently
    return CannotCarryError(f"{library} cannot carry a part of the request: {said}")


def answered(
    library: str, answer: Any, *, stream: bool, invented: Callable[[], bool] = lambda: False
) -> Iterator[dict[str, Any]]:
    """Yield an answer, or each chunk of a stream, as plain values.

    ``invented`` tells of a chunk with a ``finish_reason`` that it is the library's own: the provider sent none. Raise
    UnreachableError for a stream without one, because it broke off, and what ``failure`` makes of an error on the way.
    """
    if not stream:
        yield _whole(_plain(answer))
        return
    identifier, ended = None, False
    try:
        for piece in answer:
            chunk = _plain(piece)
            finished = [choice.setdefault("finish_reason", None) for choice in chunk.get("choices", ())]
            if any(finished) and invented():
                break
            ended = ended or any(finished)
            identifier = identifier or chunk.get("id")  # one library gives every chunk another
            chunk["id"] = identifier
            yield chunk
    except Exception as error:  # noqa: BLE001 - the libraries pass on the errors of many others; none is ours to name
        raise failure(library, error, begun=identifier is not None) from None
    if not ended:
        raise UnreachableError("the answer broke off before its end")


def _plain(answer: Any) -> dict[str, Any]:
    """Return a pydantic object as JSON values, without what the provider did not send."""
    value: dict[str, Any] = answer.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return value


def _whole(answer: dict[str, Any]) -> dict[str, Any]:
    """Return a whole answer with the members that an API's own always has, though they be null."""
    for choice in answer.get("choices", ()):
        choice.setdefault("finish_reason", None)
        choice.get("message", {}).setdefault("content", None)
    return answer


def close(answer: Any) -> None:
    """Close what a stream holds open; the libraries' own objects do not all say how."""
    seen = 0
    while answer is not None and seen < 5:
        shut = getattr(answer, "close", None)
        if callable(shut):
            shut()
            return
        answer = next((found for name in _INSIDE if (found := getattr(answer, name, None)) is not None), None)
        seen += 1


def failure(library: str, error: Exception, *, begun: bool = False) -> HeadroomError:
    """Return our error for one of a library, found in it or in what it was raised for; ``begun``: inside an answer.

    The provider's status and body are those that were kept nearest to the connection: further out libraries make up
    responses of their own, also where nobody answered. A sentence quotes the library only where no body says it better.
    """
    chain = _chain(error)
    code, body = 200 * begun, b""
    for one in reversed(chain):
        response = getattr(one, "response", None)
        code = code or _status(response)
        body = body or _body(one, response)
    code = code or next((found for one in reversed(chain) if (found := _status(one))), 0)
    name = type(error).__name__
    if not body and any(_is_connection(one) for one in chain):
        return UnreachableError(f"the provider could not be reached through {library}, or broke off ({name})")
    said = _first_line(error)
    unsent = not (begun or body) and code in _MADE_UP and not any(_is_answer(one) for one in chain)
    if code in {401, 403} or "ApiKey" in name or (unsent and ("api_key" in said or "redentials" in said)):
        return KeyMissingError(f"no key was given to {library}, or the provider refused it ({name})", body, code)
    if unsent:
        return CannotCarryError(f"{library} did not send the request ({name}): {said}")
    if code in {429, 503, 529}:
        busy = BusyError(f"the provider has no room now ({code}); try again later", body, code)
        busy.wait = next((wait for one in reversed(chain) if (wait := _wait(getattr(one, "response", None)))), "")
        return busy
    what = "broke its answer off with an error" if begun else f"answered with an error ({code})"
    return AnsweredError(f"the provider {what}" + ("" if body else f": {said}"), body, code)


def _is_answer(error: BaseException) -> bool:
    """Tell whether an error holds an answer that somebody gave; the libraries' own errors hold made-up ones too."""
    own = type(error).__module__.partition(".")[0] in {"litellm", "any_llm"}
    return not own and getattr(error, "response", None) is not None


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error and those it was raised for, the outermost first."""
    chain: list[BaseException] = []
    queue: list[BaseException | None] = [error]
    while queue and len(chain) < 20:
        one = queue.pop(0)
        if one is None or any(one is other for other in chain):
            continue
        chain.append(one)
        original = getattr(one, "original_exception", None)
        queue += [original if isinstance(original, BaseException) else None, one.__cause__, one.__context__]
    return chain


def _status(thing: Any) -> int:
    """Return the HTTP status that a response or an error holds, 0 for none; botocore's responses are dicts."""
    if isinstance(thing, dict):
        code = thing.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        code = getattr(thing, "status_code", None)
    return code if isinstance(code, int) and not isinstance(code, bool) else 0


def _wait(response: Any) -> str:
    """Return the seconds or the date of a response's ``retry-after``, "" for none."""
    found = getattr(getattr(response, "headers", None), "get", lambda _name: "")("retry-after")
    return found if isinstance(found, str) and found.isascii() and found.isprintable() else ""


def _body(error: BaseException, response: Any) -> bytes:
    """Return what the provider said: a response's bytes, or the JSON value that an SDK keeps of them."""
    content = b""
    try:
        content = getattr(response, "content", b"")
    except RuntimeError:  # httpx: a stream's response that was not read, or is closed
        content = b""
    if isinstance(content, bytes) and content:
        return content
    kept = response.get("Error") if isinstance(response, dict) else getattr(error, "body", None)
    if isinstance(kept, dict):
        return json.dumps(kept if "error" in kept else {"error": kept}, ensure_ascii=False).encode()
    return b""


def _is_connection(error: BaseException) -> bool:
    """Tell whether an error is of a connection: not made, broken off, or silent for too long."""
    import httpx

    if isinstance(error, httpx.TransportError | ConnectionError | TimeoutError):
        return True
    return any("Connection" in kind.__name__ or "Timeout" in kind.__name__ for kind in type(error).__mro__)


def _first_line(error: Exception) -> str:
    """Return an error's first line, without what looks like a key."""
    from headroom_cli.redact import redact

    return redact(str(error)) or type(error).__name__
