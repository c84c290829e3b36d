"""What the fake provider refuses, as the APIs do: keys, signatures, tokens, and requests that do not hang together."""

import base64
import hashlib
import hmac
import json
import urllib.parse

from provider_replies import Reply


def denied(provider, record):
    """Return the reply to a request that is not let in, or None."""
    bearer = (record.header("authorization") or "").removeprefix("Bearer ")
    own = record.header("x-api-key")
    if record.what == "token":
        return _denied_client(provider, record)
    if record.what not in ("answer", "count", "models"):
        return None
    if record.shape == "anthropic" and own and bearer and provider.check:
        return Reply(status=401, error=("authentication_error", "Send x-api-key or Authorization, not both"))
    if provider.client and "/deployments/" in record.path:
        return None if bearer in provider.tokens else Reply(status=401)
    if provider.aws and record.shape == "bedrock":
        sentence = _wrong_signature(provider.aws, record)
        return Reply(status=403, error=("InvalidSignatureException", sentence)) if sentence else None
    if provider.key is not None and provider.key not in (bearer, own if record.shape != "chat" else None):
        return Reply(status=403 if record.shape == "bedrock" else 401)
    return None


def _denied_client(provider, record):
    """Check client credentials: in a Basic header or in the form."""
    form = dict(urllib.parse.parse_qsl(record.body.decode("latin-1"))) | dict(urllib.parse.parse_qsl(record.query))
    given = (form.get("client_id"), form.get("client_secret"))
    basic = record.header("authorization") or ""
    if basic.startswith("Basic "):
        name, _, secret = base64.b64decode(basic[6:]).decode().partition(":")
        given = (urllib.parse.unquote(name), urllib.parse.unquote(secret))
    if form.get("grant_type") != "client_credentials":
        return _oauth_error(400, "unsupported_grant_type")
    if provider.client and given != tuple(provider.client):
        return _oauth_error(401, "invalid_client")
    return None


def _oauth_error(status, error):
    """Return an error as RFC 6749, section 5.2, has it."""
    body = json.dumps({"error": error, "error_description": "Bad credentials"}).encode()
    return Reply(status=status, body=body)


def _wrong_signature(aws, record):
    """Return what is wrong with a request's SigV4 signature, "" for nothing.

    Made anew from AWS's description: a canonical request over method, path (each segment encoded once more than on the
    wire), query, the signed headers and the body's hash; its hash, date and scope signed with a key derived from the
    secret by date, region and service.
    """
    access, secret, region = aws
    given = record.header("authorization") or ""
    if not given.startswith("AWS4-HMAC-SHA256 "):
        return "Missing Authentication Token"
    fields = dict(part.strip().split("=", 1) for part in given.removeprefix("AWS4-HMAC-SHA256 ").split(","))
    scope = fields["Credential"].split("/")
    date = record.header("x-amz-date") or ""
    if scope != [access, date[:8], region, "bedrock", "aws4_request"]:
        return f"Credential should be scoped to a valid region and service: {'/'.join(scope[1:])}"
    path, _, query = record.path.partition("?")
    signed = fields["SignedHeaders"].split(";")
    if "host" not in signed or "x-amz-date" not in signed:
        return "host and x-amz-date must be signed"
    canonical = "\n".join(
        [
            record.method,
            urllib.parse.quote(path, safe="/-_.~"),
            "&".join(sorted(query.split("&"))),
            *(f"{name}:{' '.join((record.header(name) or '').split())}" for name in signed),
            "",
            ";".join(signed),
            hashlib.sha256(record.body).hexdigest(),
        ]
    )
    text = "\n".join(["AWS4-HMAC-SHA256", date, "/".join(scope[1:]), hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4" + secret.encode()
    for part in scope[1:]:
        key = hmac.digest(key, part.encode(), "sha256")
    right = hmac.digest(key, text.encode(), "sha256").hex()
    if not hmac.compare_digest(right, fields["Signature"]):
        return "The request signature we calculated does not match the signature you provided."
    return ""


def refused(record):
    """Return the reply to a request that the API would not take, or None."""
    request = record.json
    sentence = "The body is not a JSON object"
    if isinstance(request, dict):
        try:
            sentence = CHECKS[record.shape](record, request)
        except (AttributeError, TypeError, KeyError) as error:
            sentence = f"The request is not of the right form: {error}"
    return Reply(status=400, error=("invalid_request_error", sentence)) if sentence else None


def _anthropic(record, request):
    """Return what is wrong with a Messages request, "" for nothing."""
    if record.shape == "bedrock":
        if not request.get("anthropic_version"):
            return "anthropic_version: Field required"
        for name in ("model", "stream"):
            if name in request:
                return f"{name}: Extra inputs are not permitted"
        version = request["anthropic_version"]
    else:
        version = record.header("anthropic-version")
        if not version:
            return "anthropic-version: header is required"
        if not request.get("model"):
            return "model: Field required"
    messages = request.get("messages")
    if not isinstance(messages, list) or not messages:
        return "messages: at least one message is required"
    if record.what == "answer" and not isinstance(request.get("max_tokens"), int):
        return "max_tokens: Field required"
    if version == "2026-10-21":
        for name in ("temperature", "top_p", "top_k"):
            if name in request:
                return f"{name}: Extra inputs are not permitted"
    thread = request.get("thread")
    held = isinstance(thread, dict) and thread.get("type") == "continue"
    return "" if held and thread.get("previous_message_id") else _anthropic_calls(messages)


def _blocks(message, kind):
    """Return a message's blocks of one type."""
    content = message.get("content")
    return [block for block in content if block.get("type") == kind] if isinstance(content, list) else []


def _anthropic_calls(messages):
    """Return what is wrong with calls and results: a result belongs right behind its call, and no call goes without."""
    waiting = []
    for index, message in enumerate(messages):
        role = message.get("role")
        if role not in ("user", "assistant", "system"):
            return f"messages.{index}.role: Input should be 'user' or 'assistant'"
        results = [block.get("tool_use_id") for block in _blocks(message, "tool_result")]
        for name in results:
            if name not in waiting:
                return f"messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: {name}"
        if len(set(results)) < len(results):
            return f"messages.{index}: each tool_use must have a single result"
        if missing := [name for name in waiting if name not in results]:
            return f"messages.{index - 1}: `tool_use` ids were found without `tool_result` blocks: {', '.join(missing)}"
        waiting = [block.get("id") for block in _blocks(message, "tool_use")]
        if len(set(waiting)) < len(waiting):
            return f"messages.{index}: `tool_use` ids must be unique"
    return f"`tool_use` ids were found without `tool_result` blocks: {', '.join(waiting)}" if waiting else ""


def _chat(_record, request):
    """Return what is wrong with a Chat Completions request, "" for nothing."""
    if not request.get("model"):
        return "you must provide a model parameter"
    messages = request.get("messages")
    if not isinstance(messages, list) or not messages:
        return "[] is too short - 'messages'"
    waiting = []
    for index, message in enumerate(messages):
        role = message.get("role")
        if role == "tool":
            if message.get("tool_call_id") not in waiting:
                return (
                    f"messages.[{index}]: messages with role 'tool' must be a response to a preceding message with "
                    "'tool_calls'."
                )
            waiting.remove(message["tool_call_id"])
            continue
        if waiting:
            break
        if role not in ("system", "developer", "user", "assistant", "function"):
            return f"Invalid value: {role!r}. messages[{index}].role"
        waiting = [made.get("id") for made in message.get("tool_calls") or ()]
    if waiting:
        return (
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(waiting)}"
        )
    return ""


def _responses(_record, request):
    """Return what is wrong with a Responses request, "" for nothing."""
    if not request.get("model"):
        return "you must provide a model parameter"
    given = request.get("input")
    if isinstance(given, str):
        return ""
    if not isinstance(given, list):
        return "Missing required parameter: 'input'."
    held = request.get("previous_response_id") or request.get("conversation")
    calls = [item.get("call_id") for item in given if item.get("type") == "function_call"]
    results = [item.get("call_id") for item in given if item.get("type") == "function_call_output"]
    for name in calls:
        if name not in results:
            return f"No tool output found for function call {name}."
    for name in results:
        if name not in calls and not held:
            return f"No tool call found for function call output with call_id {name}."
    return ""


CHECKS = {
    "anthropic": _anthropic,
    "bedrock": _anthropic,
    "chat": _chat,
    "openrouter": _chat,
    "responses": _responses,
}
