"""Sign a request with AWS Signature Version 4, by botocore and its chain of credentials.

Source: docs.aws.amazon.com/IAM, "Create a signed AWS API request".
"""

from __future__ import annotations

import hashlib
import time

from headroom_cli.backends import Call, _http
from headroom_cli.errors import ConfigError, KeyMissingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MISSING = "botocore is missing, which Bedrock needs; run: pip install 'headroom-cli[bedrock]'"
NO_KEYS = (
    "no AWS credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE,"
    " or AWS_BEARER_TOKEN_BEDROCK"
)
# Headers that a signature sets itself.
_OWN = frozenset(("authorization", "date", "x-amz-date", "x-amz-security-token"))
_HASH = "x-amz-content-sha256"


class Keys:
    """The credentials of one request, under the names that botocore gives them; ``token`` is None for none."""

    __slots__ = ("access_key", "secret_key", "token")

    def __init__(self, access_key: str, secret_key: str, token: str | None) -> None:
        """Hold what the variables say."""
        self.access_key = access_key
        self.secret_key = secret_key
        self.token = token


class Signature:
    """One signature and what it was made from.

    ``canonical``  the canonical request
    ``to_sign``    the string to sign
    ``headers``    the headers to send: those that were given, and those of the signature
    """

    __slots__ = ("canonical", "headers", "to_sign")

    def __init__(self, call: Call, keys: Any, region: str, service: str = "bedrock", moment: str = "") -> None:
        """Sign what is to be sent, byte for byte, with Keys or those of botocore.

        Every header goes into the signature but for those that are known to change on the way (user-agent and the
        like). ``moment`` is written 20150830T123600Z; now, when it is empty. The path is signed as AWS reads it
        everywhere but in S3: as it was sent, encoded once more.
        """
        try:
            from botocore.auth import SigV4Auth
            from botocore.awsrequest import AWSRequest  # both: 100 ms
        except ImportError:
            raise ConfigError(MISSING) from None
        request = AWSRequest(method=call.method, url=call.url, data=call.body)
        headers = [
            # A digest that is given would be signed unseen: it is always this body's.
            (name, hashlib.sha256(call.body).hexdigest() if name.lower() == _HASH else value)
            for name, value in call.headers
            if name.lower() not in _OWN
        ]
        moment = moment or time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        headers.append(("x-amz-date", moment))
        if keys.token:
            headers.append(("x-amz-security-token", keys.token))
        for name, value in headers:
            request.headers[name] = value  # adds: one name may come twice
        request.context["timestamp"] = moment
        signer = SigV4Auth(keys, service, region)
        self.canonical: str = signer.canonical_request(request)
        self.to_sign: str = signer.string_to_sign(request, self.canonical)
        names = signer.signed_headers(signer.headers_to_sign(request))
        authorization = (
            f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, "
            f"Signature={signer.signature(self.to_sign, request)}"
        )
        self.headers = (*headers, ("authorization", authorization))


def sign(call: Call, secrets: Mapping[str, str], region: str) -> Call:
    """Return the request with its signature for Bedrock; raise KeyMissingError, ConfigError."""
    return Call(call.url, Signature(call, keys(secrets), region).headers, call.body, call.method)


def keys(secrets: Mapping[str, str]) -> Any:
    """Return the credentials: those of the variables, else what AWS's own chain finds.

    The chain reads profiles, SSO, a process, containers and instances, in botocore's order, in which the variables come
    first as well. Raise KeyMissingError when there are none or they cannot be had, ConfigError without botocore.
    """
    access, secret = secrets.get("AWS_ACCESS_KEY_ID", ""), secrets.get("AWS_SECRET_ACCESS_KEY", "")
    if access and secret:
        token = secrets.get("AWS_SECURITY_TOKEN") or secrets.get("AWS_SESSION_TOKEN")  # as botocore: the old name first
        return Keys(
            _http.sendable("AWS_ACCESS_KEY_ID", access),
            secret,
            _http.sendable("AWS_SESSION_TOKEN", token) if token else None,
        )
    found = _ask(lambda session: session.get_credentials())
    if found is None:
        raise KeyMissingError(NO_KEYS)
    frozen = _ask(lambda _: found.get_frozen_credentials())  # may fetch new ones: those of SSO and roles run out
    if not (frozen.access_key and frozen.secret_key):
        raise KeyMissingError(NO_KEYS)
    return frozen


def region() -> str:
    """Return the region of the AWS profile in use, "" for none or when botocore is missing."""
    if not there():
        return ""
    return _ask(lambda session: session.get_config_variable("region")) or ""


def there() -> bool:
    """Tell whether botocore is installed."""
    from importlib.util import find_spec

    try:
        return find_spec("botocore") is not None
    except ValueError:  # it stands in sys.modules without a specification: hidden, as tests do
        return False


def _ask(question: Any) -> Any:
    """Ask botocore's session; raise KeyMissingError with its own sentence when it cannot answer."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.session import Session
    except ImportError:
        raise ConfigError(MISSING) from None
    try:
        return question(Session())
    # Besides its own errors the chain lets pass: RuntimeError (expired for good), ValueError (a process that writes no
    # JSON), OSError (a process that is not there), KeyError (an answer without its fields).
    except (BotoCoreError, ClientError, RuntimeError, ValueError, OSError, KeyError) as error:
        raise KeyMissingError(
            f"AWS credentials: {str(error).rstrip('.')}; run: aws configure, or aws sso login"
        ) from error
