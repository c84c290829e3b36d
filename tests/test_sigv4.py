"""Signatures of AWS: the public vectors, a signature worked out by hand, and botocore's own client."""

import hashlib
import hmac
import json
import re
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from conftest import ROOT

botocore = pytest.importorskip("botocore")
from botocore.auth import SigV4Auth, SigV4QueryAuth  # noqa: E402 - only where botocore is installed
from botocore.awsrequest import AWSRequest, AWSResponse  # noqa: E402 - the same
from botocore.credentials import ReadOnlyCredentials  # noqa: E402 - the same

from headroom_cli.backends import Call, Outgoing, Target, _sigv4, bedrock  # noqa: E402 - after the skip

HOSTILE = ROOT.parent / "shared" / "hostile"
SUITE = HOSTILE / "aws-c-auth" / "tests" / "aws-signing-test-suite" / "v4"
CLASSIC = HOSTILE / "botocore-aws4" / "tests" / "unit" / "auth" / "aws4_testsuite"
SUITE_CASES = sorted(path.parent.name for path in SUITE.glob("*/context.json")) or ["none"]
CLASSIC_CASES = sorted(str(path.relative_to(CLASSIC)) for path in CLASSIC.rglob("*.req")) or ["none"]
MOMENT = "20150830T123600Z"
EXAMPLE = ReadOnlyCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None)
elsewhere = pytest.mark.skipif(not SUITE.is_dir(), reason="the vectors lie beside this checkout")


def read(text):
    """Read a request as the vectors write it: no colon-space, folded lines, raw spaces and letters in the path."""
    head, _, body = text.partition("\n\n")
    first, *lines = head.split("\n")
    method, _, rest = first.partition(" ")
    path = rest.removesuffix(" HTTP/1.1")
    headers = []
    for line in lines:
        if line[:1] in {" ", "\t"}:
            headers[-1] = (headers[-1][0], headers[-1][1] + "\n" + line)
        elif line:
            name, _, value = line.partition(":")
            headers.append((name, value))
    host = next(value for name, value in headers if name.lower() == "host").strip()
    path, mark, query = path.partition("?")
    # A query is signed as it is sent, and nobody sends one that is not encoded.
    query = quote(query, safe="%&=-_.~+/!$'()*,;:@?")
    return Call(f"https://{host}{path}{mark}{query}", tuple(headers), body.encode(), method)


def authorization(signature):
    return dict(signature.headers)["authorization"]


@elsewhere
def test_the_suites_are_whole():
    assert len(SUITE_CASES) == 38
    assert len(CLASSIC_CASES) == 34


@elsewhere
@pytest.mark.parametrize("name", SUITE_CASES)
def test_the_aws_suite(name):
    folder = SUITE / name
    context = json.loads((folder / "context.json").read_text())
    given = context["credentials"]
    omit = context.get("omit_session_token")  # then the token is sent, but not signed
    keys = ReadOnlyCredentials(given["access_key_id"], given["secret_access_key"], None if omit else given.get("token"))
    call = read((folder / "request.txt").read_text())
    if context["sign_body"]:
        call.headers = (*call.headers, ("X-Amz-Content-SHA256", "replaced"))
    expected = {
        part: (folder / f"header-{part}.txt").read_text()
        for part in ("canonical-request", "string-to-sign", "signature")
    }
    if not context["normalize"]:
        # Only S3 takes a path as it stands. What Bedrock never needs is left to botocore; ours gives the other reading.
        assert_unnormalized(call, keys, context, expected)
        return
    signature = _sigv4.Signature(call, keys, context["region"], context["service"], MOMENT)
    assert signature.canonical == expected["canonical-request"]
    assert signature.to_sign == expected["string-to-sign"]
    assert authorization(signature).endswith(f"Signature={expected['signature']}")
    sent = re.search("^Authorization:(.*)$", (folder / "header-signed-request.txt").read_text(), re.MULTILINE)
    assert authorization(signature) == sent[1].strip()


def assert_unnormalized(call, keys, context, expected):
    class AsItStands(SigV4Auth):
        def _normalize_url_path(self, path):
            return quote(path, safe="/~%")

    request = AWSRequest(method=call.method, url=call.url, headers=dict(call.headers), data=call.body)
    request.headers["x-amz-date"] = request.context["timestamp"] = MOMENT
    signer = AsItStands(keys, context["service"], context["region"])
    assert signer.canonical_request(request) == expected["canonical-request"]
    to_sign = signer.string_to_sign(request, expected["canonical-request"])
    assert (to_sign, signer.signature(to_sign, request)) == (expected["string-to-sign"], expected["signature"])
    ours = _sigv4.Signature(call, keys, context["region"], context["service"], MOMENT)
    path = ours.canonical.split("\n")[1]
    assert "//" not in path
    assert "/." not in path


@elsewhere
@pytest.mark.parametrize("name", SUITE_CASES)
def test_the_aws_suite_signed_in_the_query_by_botocore(name, monkeypatch):
    """Bedrock's requests are never signed that way; the library that would do it is checked all the same."""
    folder = SUITE / name
    context = json.loads((folder / "context.json").read_text())
    given = context["credentials"]
    omit = context.get("omit_session_token")
    keys = ReadOnlyCredentials(given["access_key_id"], given["secret_access_key"], given.get("token"))
    expected = {part: (folder / f"query-{part}.txt").read_text() for part in ("canonical-request", "string-to-sign")}
    call = read((folder / "request.txt").read_text())
    request = AWSRequest(method=call.method, url="https://example.amazonaws.com" + urlsplit(call.url).path)
    for header, value in call.headers:
        request.headers[header] = value
    query = re.search(r"\?(\S*) HTTP/1.1", (folder / "query-signed-request.txt").read_text())[1]
    signed = dict(parse_qsl(query, keep_blank_values=True))
    wanted = signed.pop("X-Amz-Signature")
    if omit:
        signed.pop("X-Amz-Security-Token")
    request.params = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] in signed]

    class Query(SigV4QueryAuth):
        def _normalize_url_path(self, path):
            if context["normalize"]:
                return super()._normalize_url_path(path)
            return quote(path, safe="/~%")

        def payload(self, request):
            return SigV4Auth.payload(self, request)

    request.data = call.body
    request.context["timestamp"] = MOMENT
    signer = Query(keys, context["service"], context["region"])
    assert signer.canonical_request(request) == expected["canonical-request"]
    to_sign = signer.string_to_sign(request, expected["canonical-request"])
    assert to_sign == expected["string-to-sign"]
    assert signer.signature(to_sign, request) == wanted == (folder / "query-signature.txt").read_text()


@elsewhere
@pytest.mark.parametrize("name", CLASSIC_CASES)
def test_the_classic_suite(name):
    path = CLASSIC / name

    def part(suffix):
        return path.with_suffix(suffix).read_text()

    token = re.search("^x-amz-security-token:(.*)$", part(".creq"), re.MULTILINE)
    keys = EXAMPLE._replace(token=token[1] if token else None)
    signature = _sigv4.Signature(read(part(".req")), keys, "us-east-1", "service", MOMENT)
    assert signature.canonical == part(".creq")
    assert signature.to_sign == part(".sts")
    assert authorization(signature) == part(".authz")


def by_hand(path, query, headers, body):
    """Work a signature for POST out from the documentation alone."""
    fields = {}
    for name, value in headers:
        fields.setdefault(name.lower(), []).append(" ".join(value.split()))
    names = ";".join(sorted(fields))
    lines = "".join(f"{name}:{','.join(fields[name])}\n" for name in sorted(fields))
    query = "&".join(sorted(query.split("&")))
    canonical = "\n".join(("POST", quote(path, safe="/"), query, lines, names, hashlib.sha256(body).hexdigest()))
    moment = fields["x-amz-date"][0]
    scope = f"{moment[:8]}/eu-west-1/bedrock/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{EXAMPLE.secret_key}".encode()
    for step in scope.split("/"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    return canonical, hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("token", [None, "TOKEN//+=="])
@pytest.mark.parametrize(
    "path", ["/model/a.b-v1:0/invoke", "/model/arn:aws:bedrock:eu-west-1:1:x%2Fy/invoke", "/~a%20b"]
)
def test_a_signature_worked_out_by_hand(path, token):
    headers = (("content-type", "application/json"), ("x-own", "b"), ("X-Own", " a  c "), ("user-agent", "me"))
    call = Call(f"https://h.example:8443{path}?b=2&a=%2F", headers, b'{"a": 1}')
    signature = _sigv4.Signature(call, EXAMPLE._replace(token=token), "eu-west-1", "bedrock", MOMENT)
    signed = [header for header in headers if header[0] != "user-agent"]
    signed += [("host", "h.example:8443"), ("x-amz-date", MOMENT)]
    if token:
        signed.append(("x-amz-security-token", token))
    canonical, expected = by_hand(path, "b=2&a=%2F", signed, call.body)
    assert signature.canonical == canonical
    assert authorization(signature).endswith(expected)
    assert signature.headers[: len(headers)] == headers


def test_the_signature_is_over_the_body_whatever_hash_was_given():
    keys = (EXAMPLE, "us-east-1", "bedrock", MOMENT)
    call = Call("https://h/x", (("X-Amz-Content-Sha256", "0" * 64),), b"body")
    signature = _sigv4.Signature(call, *keys)
    digest = hashlib.sha256(b"body").hexdigest()
    assert signature.canonical.endswith(f"\n{digest}")
    assert ("X-Amz-Content-Sha256", digest) in signature.headers
    assert authorization(signature) != authorization(_sigv4.Signature(Call("https://h/x", (), b"Body"), *keys))


def test_headers_of_an_earlier_signature_are_replaced():
    old = (
        ("Authorization", "old"),
        ("X-Amz-Date", "20000101T000000Z"),
        ("x-amz-security-token", "old"),
        ("date", "old"),
    )
    fresh = _sigv4.Signature(Call("https://h/x", (), b"body"), EXAMPLE, "us-east-1", "bedrock", MOMENT)
    again = _sigv4.Signature(Call("https://h/x", old, b"body"), EXAMPLE, "us-east-1", "bedrock", MOMENT)
    assert again.headers == fresh.headers


MODELS = (
    "anthropic.claude-3-haiku-20240307-v1:0",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "arn:aws:bedrock:us-west-2:123456789012:application-inference-profile/abc1",
    "a b+c~d@e",
)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_botocores_own_client_sends_and_signs_the_same(model, stream, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    from botocore.session import Session

    client = Session().create_client(
        "bedrock-runtime", region_name="us-west-2", aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret",
        aws_session_token="TOKEN/1",
    )  # fmt: skip
    seen = []

    class Nothing:
        def stream(self, *_):
            return iter(())

    def intercept(request, **_):
        seen.append(request)
        return AWSResponse(request.url, 200, {}, Nothing())

    client.meta.events.register("before-send.bedrock-runtime.*", intercept)
    body = b'{"anthropic_version":"bedrock-2023-05-31","max_tokens":1,"messages":[]}'
    ask = client.invoke_model_with_response_stream if stream else client.invoke_model
    ask(modelId=model, body=body, contentType="application/json", accept="application/json")
    theirs = {
        name.lower(): value if isinstance(value, str) else value.decode() for name, value in seen[0].headers.items()
    }

    secrets = {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "TOKEN/1",
        "AWS_REGION": "us-west-2",
    }  # fmt: skip
    ours = bedrock.call(Outgoing("anthropic", model, body, stream=stream), Target(secrets=secrets))
    assert ours.method == seen[0].method
    assert ours.body == seen[0].body
    # They write ":" as %3A, which is the same path; kept, it reads as every other client writes it.
    assert ours.url.replace(":", "%3A").replace("https%3A", "https:") == seen[0].url
    headers = dict(ours.headers)
    for name in ("content-type", "x-amz-security-token", *(() if stream else ("accept",))):
        assert headers[name] == theirs[name]

    # The same request by our signer, at their path, their headers and their moment, has their signature.
    mine = re.search("SignedHeaders=([^,]*)", theirs["authorization"])[1].split(";")
    call = Call(seen[0].url, tuple((name, theirs[name]) for name in mine if name != "host"), body)
    keys = ReadOnlyCredentials("AKIDEXAMPLE", "secret", "TOKEN/1")
    again = _sigv4.Signature(call, keys, "us-west-2", "bedrock", theirs["x-amz-date"])
    assert authorization(again) == theirs["authorization"]
    # And every header that we send is signed, but for what may change on the way.
    signed = re.search("SignedHeaders=([^,]*)", headers["authorization"])[1].split(";")
    assert {*signed} == {*headers, "host"} - {"authorization", "user-agent"}
