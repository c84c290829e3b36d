"""Amazon Bedrock (InvokeModel), or a gateway shaped like it, such as SAP AI Core.

Bodies are Anthropic's, but for the model, which stands in the address, ``stream``, which is another address, and the
versions and betas, which stand in the body: ``anthropic_version``, ``anthropic_beta``.

Source: docs.aws.amazon.com/bedrock (API_runtime_InvokeModel, model-parameters-anthropic-claude-messages), and what
anthropic-py's AnthropicBedrock and botocore send. A gateway that is one deployment of one model (SAP AI Core) has no
``/model/ID`` in its address: ``/invoke`` follows it at once.
"""

from __future__ import annotations

import json

from headroom_cli.backends import Backend, Call, _http, _sigv4
from headroom_cli.errors import CannotCarryError, ConfigError, KeyMissingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.backends import Headers, Outgoing, Target

VERSION = "bedrock-2023-05-31"
_ADDRESS = "BEDROCK_TARGET_API_URL"
_BEARER = "AWS_BEARER_TOKEN_BEDROCK"
_AICORE = ("AICORE_AUTH_URL", "AICORE_CLIENT_ID", "AICORE_CLIENT_SECRET")
_GATEWAY = ("BEDROCK_OAUTH_TOKEN_URL", "BEDROCK_OAUTH_CLIENT_ID", "BEDROCK_OAUTH_CLIENT_SECRET")
VARIABLES = (
    _ADDRESS, _BEARER, *_AICORE, "AICORE_SERVICE_KEY", "AICORE_RESOURCE_GROUP", *_GATEWAY, "BEDROCK_OAUTH_SCOPE",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_REGION",
    "AWS_DEFAULT_REGION",
)  # fmt: skip
_WHOLE, _STREAMED = "/invoke", "/invoke-with-response-stream"
_DEPLOYMENTS = "/inference/deployments/"  # SAP AI Core


def adapt(_shape: str, request: dict[str, Any], _model: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return (members to put, members to leave out). A version that the body has stays, whichever it is."""
    put = {} if "anthropic_version" in request else {"anthropic_version": VERSION}
    return put, ("model", "stream")


def call(outgoing: Outgoing, target: Target) -> Call:
    """Return the request; raise KeyMissingError, ConfigError.

    Keys, in this order: the token of OAuth, a bearer key of Bedrock, a signature with AWS credentials.
    """
    given = _given(target)
    address = given or _regional(_region(outgoing.model, "", target))
    own: Headers = (("accept", "*/*" if outgoing.stream else "application/json"),)
    if outgoing.stream and not _sigv4.there():  # its frames are read by botocore: say so before the call is paid
        raise ConfigError(_sigv4.MISSING)
    if _DEPLOYMENTS in given and not _has(outgoing, target, "ai-resource-group"):
        group = target.secrets.get("AICORE_RESOURCE_GROUP") or "default"
        own = (*own, ("ai-resource-group", _http.sendable("AICORE_RESOURCE_GROUP", group)))
    url, body = _url(address, outgoing), _with_betas(outgoing, target)
    bearer = _bearer(target)
    if bearer:
        return _http.call(outgoing, target, url, (*own, ("authorization", f"Bearer {bearer}")), body)
    if _DEPLOYMENTS in given:
        raise KeyMissingError(f"no key was given; set {', '.join(_AICORE)}, or AICORE_SERVICE_KEY")
    unsigned = _http.call(outgoing, target, url, own, body)
    return _sigv4.sign(unsigned, target.secrets, _region(outgoing.model, given, target))


def token(target: Target) -> Call | None:
    """Return the request for an access token (RFC 6749, section 4.4), None where none is needed.

    Only an address of the user's has one: AWS takes no tokens of other issuers.
    """
    address = _given(target)
    if not address:
        return None
    if _is_whole(address) and (issuer := _aicore(target)):
        where, name, secret = issuer
        where = _http.checked(where, _AICORE[0])
        where = where if where.endswith("/oauth/token") else where + "/oauth/token"
        return _token_call(where, name, secret, "")  # this issuer takes both as they are
    where, name, secret = (target.secrets.get(variable, "") for variable in _GATEWAY)
    if not where:
        return None
    if not (name and secret):
        raise KeyMissingError(f"no key was given; set {_GATEWAY[1]} and {_GATEWAY[2]}")
    from urllib.parse import quote_plus

    return _token_call(
        _http.checked(where, _GATEWAY[0]),
        quote_plus(name),
        quote_plus(secret),
        target.secrets.get("BEDROCK_OAUTH_SCOPE", ""),
    )


def _token_call(where: str, name: str, secret: str, scope: str) -> Call:
    """Return the request for a token by the client's own name and secret."""
    import base64
    from urllib.parse import urlencode

    basic = base64.b64encode(f"{name}:{secret}".encode()).decode()
    form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
    headers = (
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "application/json"),
        ("authorization", f"Basic {basic}"),
    )
    return Call(where, headers, urlencode(form).encode())


def _aicore(target: Target) -> tuple[str, str, str] | None:
    """Return (address, name, secret) of SAP AI Core's issuer of tokens: each variable, else the service key."""
    secrets = target.secrets
    filed: Any = {}
    if secrets.get("AICORE_SERVICE_KEY"):
        try:
            filed = json.loads(secrets["AICORE_SERVICE_KEY"])
        except (ValueError, RecursionError):
            filed = None
        if not isinstance(filed, dict):
            raise ConfigError("AICORE_SERVICE_KEY is no JSON object; set it to the service key as SAP writes it")
    found = [
        secrets.get(variable) or str(filed.get(member) or "")
        for variable, member in zip(_AICORE, ("url", "clientid", "clientsecret"), strict=True)
    ]
    missing = [variable for variable, value in zip(_AICORE, found, strict=True) if not value]
    if len(missing) == len(_AICORE):
        return None
    if missing:
        raise KeyMissingError(f"no key was given; set {' and '.join(missing)}")
    return found[0], found[1], found[2]


def _bearer(target: Target) -> str:
    """Return the token to send, "" for none: then a signature is made."""
    if target.token:
        return _http.sendable("the access token", target.token)
    if token(target) is not None:
        raise KeyMissingError("no access token was got; run it again")
    return _http.key(target, (_BEARER,))[1]


def _given(target: Target) -> str:
    """Return the address that the user gave, "" for none."""
    if not (target.base or target.secrets.get(_ADDRESS)):
        return ""
    from urllib.parse import quote

    # What no path may hold is encoded here and not by the transport: the signature is over the path that is sent.
    return quote(_http.base(target, _ADDRESS, ""), safe="%/:[]@!$&'()*+,;=~")


def _is_whole(address: str) -> bool:
    """Tell whether an address is already that of one model."""
    return _DEPLOYMENTS in address or address.endswith((_WHOLE, _STREAMED))


def _url(address: str, outgoing: Outgoing) -> str:
    """Return where the request goes."""
    end = _STREAMED if outgoing.stream else _WHOLE
    if _is_whole(address):
        return address.removesuffix(_STREAMED).removesuffix(_WHOLE) + end
    if outgoing.model in {"", ".", ".."}:  # dots would be resolved on the way and name another resource
        raise ConfigError(
            'no model was given, which Bedrock has in its address; use --model, or "model" in the request'
        )
    from urllib.parse import quote

    try:
        return f"{address}/model/{quote(outgoing.model, safe=':')}{end}"
    except UnicodeEncodeError:
        raise ConfigError("the model's name holds half a character; write it anew") from None


def _regional(region: str) -> str:
    """Return AWS's own address in a region."""
    return f"https://bedrock-runtime.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")


def _region(model: str, address: str, target: Target) -> str:
    """Return the region: the address's, the ARN's, the variables', the profile's; raise ConfigError for none.

    An ARN (``arn:aws:bedrock:REGION:ACCOUNT:inference-profile/NAME``) is known in its own region alone.
    """
    import re

    host = re.search(r"//(?:[^/]*\.)?bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?amazonaws\.com", address)
    arn = model.split(":")
    found = (
        (host[1] if host else "")
        or (arn[3] if arn[0] == "arn" and len(arn) > 5 else "")
        or target.secrets.get("AWS_REGION")
        or target.secrets.get("AWS_DEFAULT_REGION")
        or _sigv4.region()
    )
    if not found:
        raise ConfigError("no AWS region was given; set AWS_REGION")
    if not re.fullmatch("[a-z0-9-]+", found):  # it becomes part of a host name
        raise ConfigError(f"{found[:40]!r} is no AWS region; set AWS_REGION")
    return found


def _has(outgoing: Outgoing, target: Target, name: str) -> bool:
    """Tell whether a header is already given."""
    return any(header.lower() == name for header, _ in (*outgoing.headers, *target.headers))


def _with_betas(outgoing: Outgoing, target: Target) -> bytes:
    """Return the body with the version and the betas of the headers in it: Bedrock reads them there alone.

    A version that somebody gave as a header takes the place of the body's; betas come behind those of the body.
    """
    given = (*outgoing.headers, *target.headers)
    version = next((value for name, value in reversed(given) if name.lower() == "anthropic-version"), "")
    if version < "2026":  # the first one has a name of its own here, which is in the body
        version = ""
    written = [value for name, value in given if name.lower() == "anthropic-beta"]
    betas = [beta.strip() for value in written for beta in value.split(",") if beta.strip()]
    names = (*(("anthropic_version",) if version else ()), *(("anthropic_beta",) if betas else ()))
    if not names:
        return outgoing.body
    body, inside = _http.without(outgoing.body, names)
    listed = inside.get("anthropic_beta") or []
    if not isinstance(listed, list):
        raise CannotCarryError("anthropic_beta: this is to be a list of texts; it cannot be joined with a header")
    betas = [*listed, *betas]
    added = {"anthropic_version": version} if version else {}
    members = json.dumps(
        {**added, **({"anthropic_beta": list(dict.fromkeys(betas))} if betas else {})}, separators=(",", ":")
    )
    if body.lstrip()[:1] != b"{":
        return outgoing.body
    opened = body.index(b"{") + 1
    rest = body[opened:]
    return body[:opened] + members[1:-1].encode() + (b"" if rest.strip() == b"}" else b",") + rest


BACKEND = Backend(
    "bedrock",
    ("anthropic",),
    variables=VARIABLES,
    call=call,
    adapt=adapt,
    token=token,
    framing="eventstream",
    extra="bedrock",
)
