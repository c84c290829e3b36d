"""Requests for Bedrock and for gateways shaped like it: addresses, bodies, keys, and real calls to a local provider."""

import base64
import http.client
import json
import sys
from urllib.parse import urlsplit

import pytest
from provider import Fault, Provider, Reply, text

pytest.importorskip("botocore")

from headroom_cli.backends import BACKENDS, Outgoing, Target, _sigv4, bedrock, load
from headroom_cli.errors import ConfigError, KeyMissingError, UnreachableError
from headroom_cli.wire._frames import Frames

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
ARN = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret/+", "AWS_REGION": "us-east-1"}
BEARER = {"AWS_BEARER_TOKEN_BEDROCK": "bedrock-api-key-1", "AWS_REGION": "us-east-1"}
AICORE = {"AICORE_CLIENT_ID": "sb-1!b2|aicore!b3", "AICORE_CLIENT_SECRET": "s$+/=%41"}
DEPLOYMENT = "https://api.ai.example.com/v2/inference/deployments/d1"
BODY = (
    '{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"grüß"}]}'.encode()
)


@pytest.fixture(autouse=True)
def nobodys_credentials(monkeypatch, tmp_path):
    """Let botocore's chain find nothing of the person who runs the tests, and ask no network."""
    for name in ("PROFILE", "DEFAULT_PROFILE", *(variable.removeprefix("AWS_") for variable in bedrock.VARIABLES)):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


def outgoing(model=MODEL, body=BODY, *, stream=False, headers=()):
    return Outgoing("anthropic", model, body, stream=stream, headers=headers)


def called(secrets, base="", headers=(), **more):
    return bedrock.call(outgoing(**more), Target(base=base, secrets=secrets, headers=headers))


def send(call):
    """Send a call as it is, without a library that would change it; return (status, head, bytes)."""
    parts = urlsplit(call.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        connection.putrequest(
            call.method, call.url[len(f"{parts.scheme}://{parts.netloc}") :], skip_accept_encoding=True
        )
        for name, value in call.headers:
            connection.putheader(name, value)
        connection.putheader("content-length", str(len(call.body)))
        connection.endheaders(call.body)
        answer = connection.getresponse()
        data = b""
        try:
            while piece := answer.read1(7000):
                data += piece
        except (http.client.IncompleteRead, ConnectionError):
            pass
        return answer.status, answer.headers, data
    finally:
        connection.close()


def test_the_row():
    row, provider = load("bedrock")
    assert (row, provider) == (bedrock.BACKEND, "")
    assert (row.name, row.shapes, row.framing, row.extra) == ("bedrock", ("anthropic",), "eventstream", "bedrock")
    assert row.name in BACKENDS
    assert row.library is None
    assert len(set(row.variables)) == len(row.variables)


def test_the_body_loses_its_model_and_stream_and_has_a_version():
    request = {"model": "m", "stream": True, "max_tokens": 1, "messages": [], "unheard_of": {"a": [1]}}
    assert bedrock.adapt("anthropic", request, "m") == (
        {"anthropic_version": "bedrock-2023-05-31"},
        ("model", "stream"),
    )
    for version in ("bedrock-2023-05-31", "2026-10-21", "2099-01-01"):
        assert bedrock.adapt("anthropic", {"anthropic_version": version}, "m") == ({}, ("model", "stream"))


@pytest.mark.parametrize(
    ("secrets", "model", "url"),
    [
        ({"AWS_REGION": "eu-west-3"}, MODEL, f"https://bedrock-runtime.eu-west-3.amazonaws.com/model/{MODEL}/invoke"),
        ({"AWS_DEFAULT_REGION": "eu-west-3"}, "a", "https://bedrock-runtime.eu-west-3.amazonaws.com/model/a/invoke"),
        (
            {"AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "x"},
            "a",
            "https://bedrock-runtime.eu-west-3.amazonaws.com/model/a/invoke",
        ),
        ({"AWS_REGION": "cn-north-1"}, "a", "https://bedrock-runtime.cn-north-1.amazonaws.com.cn/model/a/invoke"),
        (
            {"AWS_REGION": "us-east-1"},
            ARN,
            "https://bedrock-runtime.eu-west-1.amazonaws.com/model/" + ARN.replace("/", "%2F") + "/invoke",
        ),
        (
            {"AWS_REGION": "us-east-1"},
            "a b/ü?#%+;\n",
            "https://bedrock-runtime.us-east-1.amazonaws.com/model/a%20b%2F%C3%BC%3F%23%25%2B%3B%0A/invoke",
        ),
        ({"BEDROCK_TARGET_API_URL": "http://h:1/bedrock/"}, "a", "http://h:1/bedrock/model/a/invoke"),
        ({"BEDROCK_TARGET_API_URL": "http://h:1/{x}"}, "a", "http://h:1/%7Bx%7D/model/a/invoke"),
    ],
)
def test_addresses(secrets, model, url):
    key = {"AWS_BEARER_TOKEN_BEDROCK": "k"}
    assert called({**key, **secrets}, model=model).url == url
    assert called({**key, **secrets}, model=model, stream=True).url == url + "-with-response-stream"


def test_the_region_of_the_profile(nobodys_credentials):
    (nobodys_credentials / "config").write_text("[default]\nregion = ap-south-1\n")
    call = called({"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"})
    assert call.url.startswith("https://bedrock-runtime.ap-south-1.amazonaws.com/")
    assert "/ap-south-1/bedrock/aws4_request" in dict(call.headers)["authorization"]


@pytest.mark.parametrize(
    ("base", "model", "region"),
    [
        ("https://bedrock-runtime.eu-north-1.amazonaws.com", ARN, "eu-north-1"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com/", MODEL, "us-gov-west-1"),
        ("https://vpce-1-2.bedrock-runtime.eu-north-1.vpce.amazonaws.com", MODEL, "eu-north-1"),
        ("https://gateway.example.com", MODEL, "us-east-1"),
        ("https://gateway.example.com/to/bedrock-runtime.eu-north-1.amazonaws.com", MODEL, "us-east-1"),
        ("https://gateway.example.com", ARN, "eu-west-1"),
        ("https://gateway.example.com", "arn:odd", "us-east-1"),
    ],
)
def test_the_region_that_is_signed(base, model, region):
    authorization = dict(called(KEYS, base, model=model).headers)["authorization"]
    assert f"/{region}/bedrock/aws4_request" in authorization


@pytest.mark.parametrize(
    "base",
    [
        DEPLOYMENT,
        DEPLOYMENT + "/",
        DEPLOYMENT + "/invoke",
        DEPLOYMENT + "/invoke-with-response-stream",
        "https://gateway.example.com/claude/invoke",
        "https://gateway.example.com/claude/invoke-with-response-stream/",
    ],
)
def test_an_address_that_is_whole_has_no_model(base):
    stem = DEPLOYMENT if base.startswith(DEPLOYMENT) else "https://gateway.example.com/claude"
    key = {"AWS_BEARER_TOKEN_BEDROCK": "k"}
    for model in (MODEL, ""):
        call = called(key, base, model=model)
        assert call.url == stem + "/invoke"
        assert called(key, base, model=model, stream=True).url == stem + "/invoke-with-response-stream"
        assert ("ai-resource-group" in dict(call.headers)) == (stem == DEPLOYMENT)


@pytest.mark.parametrize("model", ["", ".", ".."])
def test_no_model(model):
    with pytest.raises(ConfigError, match="--model"):
        called(BEARER, model=model)


@pytest.mark.parametrize(
    ("secrets", "base", "error", "said"),
    [
        ({}, "", ConfigError, "no AWS region was given; set AWS_REGION"),
        ({**KEYS, "AWS_REGION": "x.evil.com/"}, "", ConfigError, "is no AWS region"),
        ({**KEYS, "AWS_REGION": "us-east-1\n"}, "", ConfigError, "is no AWS region"),
        (KEYS, "ftp://h", ConfigError, "--base-url is no address"),
        (KEYS, "https://name:word@h", ConfigError, "has a name or password in it"),
        ({**KEYS, "BEDROCK_TARGET_API_URL": "h"}, "", ConfigError, "BEDROCK_TARGET_API_URL is no address"),
        ({"AWS_REGION": "us-east-1"}, "", KeyMissingError, "no AWS credentials were found; set AWS_ACCESS_KEY_ID"),
        ({**BEARER, "AWS_BEARER_TOKEN_BEDROCK": "a\nb"}, "", ConfigError, "AWS_BEARER_TOKEN_BEDROCK holds"),
        ({**KEYS, "AWS_ACCESS_KEY_ID": "a\nb"}, "", ConfigError, "AWS_ACCESS_KEY_ID holds"),
        ({**KEYS, "AWS_SESSION_TOKEN": "a\r\nb: c"}, "", ConfigError, "AWS_SESSION_TOKEN holds"),
        (KEYS, DEPLOYMENT, KeyMissingError, "set AICORE_AUTH_URL, AICORE_CLIENT_ID, AICORE_CLIENT_SECRET"),
        (AICORE, DEPLOYMENT, KeyMissingError, "no key was given; set AICORE_AUTH_URL$"),
        ({**AICORE, "AICORE_AUTH_URL": "http://h"}, DEPLOYMENT, KeyMissingError, "no access token was got"),
        ({**AICORE, "AICORE_AUTH_URL": "h"}, DEPLOYMENT, ConfigError, "AICORE_AUTH_URL is no address"),
        ({"AICORE_SERVICE_KEY": "{"}, DEPLOYMENT, ConfigError, "AICORE_SERVICE_KEY is no JSON object"),
        ({"AICORE_SERVICE_KEY": '{"url":"http://h"}'}, DEPLOYMENT, KeyMissingError, "AICORE_CLIENT_ID and AICORE_"),
        ({"BEDROCK_OAUTH_TOKEN_URL": "http://h"}, "http://g", KeyMissingError, "BEDROCK_OAUTH_CLIENT_ID and"),
        (
            {**BEARER, "AICORE_RESOURCE_GROUP": "a\nb"},
            DEPLOYMENT,
            ConfigError,
            "AICORE_RESOURCE_GROUP holds",
        ),
    ],
)
def test_what_is_missing_is_named(secrets, base, error, said):
    with pytest.raises(error, match=said) as raised:
        called(secrets, base)
    assert "secret/+" not in str(raised.value)
    assert raised.value.status == (77 if error is KeyMissingError else 78)


def test_without_botocore_there_is_a_sentence(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "botocore"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "botocore", None)
    for secrets, stream in ((KEYS, False), (KEYS, True), (BEARER, True), ({"AWS_REGION": "us-east-1"}, False)):
        with pytest.raises(ConfigError, match=r"pip install 'headroom-cli\[bedrock\]'"):
            called(secrets, stream=stream)
    assert dict(called(BEARER).headers)["authorization"] == "Bearer bedrock-api-key-1"  # nothing here needs it
    with pytest.raises(ConfigError, match="no AWS region"):
        called({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"})


def test_keys_have_an_order():
    both = {**KEYS, **BEARER}
    assert dict(called(both).headers)["authorization"] == "Bearer bedrock-api-key-1"
    assert dict(called(KEYS).headers)["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    target = Target(base="https://g.example.com", secrets=both)
    target.token = "fresh"
    assert dict(bedrock.call(outgoing(), target).headers)["authorization"] == "Bearer fresh"
    target.token = "fresh\nx: y"
    with pytest.raises(ConfigError, match="the access token holds"):
        bedrock.call(outgoing(), target)


@pytest.mark.parametrize("name", ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"])
def test_a_session_token_goes_along_and_is_signed(name):
    headers = dict(called({**KEYS, name: "TOKEN/+="}).headers)
    assert headers["x-amz-security-token"] == "TOKEN/+="
    assert "x-amz-security-token" in headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(
        ";"
    )


def test_the_chain_of_botocore_is_asked(nobodys_credentials, monkeypatch):
    (nobodys_credentials / "credentials").write_text(
        "[default]\naws_access_key_id = AKIDDEFAULT\naws_secret_access_key = s\n"
        "[work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = s\naws_session_token = T\n"
    )
    region = {"AWS_REGION": "us-east-1"}
    assert "Credential=AKIDDEFAULT/" in dict(called(region).headers)["authorization"]
    monkeypatch.setenv("AWS_PROFILE", "work")
    headers = dict(called(region).headers)
    assert "Credential=AKIDWORK/" in headers["authorization"]
    assert headers["x-amz-security-token"] == "T"
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    with pytest.raises(
        KeyMissingError, match=r"AWS credentials: The config profile \(nowhere\) could not be found; run: aws"
    ):
        called(region)


@pytest.mark.parametrize(
    ("process", "said"),
    [
        (f"{sys.executable} -c 'raise SystemExit(3)'", "AWS credentials: "),
        ("/no/such/program", "AWS credentials: "),
        ("echo no JSON", "AWS credentials: "),
        ("echo {}", "AWS credentials: "),
        ('echo {"Version":1,"AccessKeyId":"A"}', "AWS credentials: "),
        (
            'echo {"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","Expiration":"2001-01-01T00:00:00Z"}',
            "AWS credentials: .*expired",
        ),
    ],
)
def test_a_chain_that_breaks_is_a_sentence(nobodys_credentials, process, said):
    process = (
        process.replace('echo {"', "echo '{\"").replace('"}', "\"}'") if process.startswith('echo {"') else process
    )
    (nobodys_credentials / "config").write_text(f"[default]\ncredential_process = {process}\n")
    with pytest.raises(KeyMissingError, match=said) as raised:
        called({"AWS_REGION": "us-east-1"})
    assert raised.value.status == 77


def test_headers_of_the_user_are_sent_and_signed():
    users = (("X-Amzn-Bedrock-Trace", "ENABLED"), ("User-Agent", "mine"), ("accept-language", "de"))
    call = called(KEYS, headers=users)
    assert [pair for pair in call.headers if pair in users] == list(users)
    headers = {name.lower(): value for name, value in call.headers}
    signed = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {*signed} == {*headers, "host"} - {"authorization", "user-agent"}
    assert len(headers) == len(call.headers)
    with pytest.raises(ConfigError, match="cannot be given"):
        called(KEYS, headers=(("Authorization", "Bearer mine"),))


@pytest.mark.parametrize(
    ("body", "betas", "sent"),
    [
        (b'{"a":1}', ("x-1",), b'{"anthropic_beta":["x-1"],"a":1}'),
        (b" \n{ }", ("x-1, y-2", "x-1,z"), b' \n{"anthropic_beta":["x-1","y-2","z"] }'),
        (b'{"a":"{"}', ("x-1",), b'{"anthropic_beta":["x-1"],"a":"{"}'),
        (b'{"a":1,"anthropic_beta":["own"]}', ("x-1",), b'{"anthropic_beta":["own","x-1"],"a":1}'),
        (b'[{"a":1}]', ("x-1",), b'[{"a":1}]'),
        (b'{"a":{"anthropic_beta":[]}}', ("x",), b'{"anthropic_beta":["x"],"a":{"anthropic_beta":[]}}'),
        (b'{"a":1}', (" ,",), b'{"a":1}'),
        (b'{"a":1.50, "a":2}', (), b'{"a":1.50, "a":2}'),
        (b"no JSON", ("x-1",), b"no JSON"),
        (b"[1]", ("x-1",), b"[1]"),
        (b"[" * 100_000, ("x-1",), b"[" * 100_000),
    ],
)
def test_betas_of_the_header_stand_in_the_body(body, betas, sent):
    headers = tuple(("Anthropic-Beta", value) for value in betas)
    assert called(BEARER, body=body, headers=()).body == body
    assert bedrock.call(outgoing(body=body, headers=headers), Target(secrets=BEARER)).body == sent
    signed = bedrock.call(outgoing(body=body, headers=headers), Target(secrets=KEYS))
    assert signed.body == sent


def test_a_version_of_the_header_counts_where_bedrock_knows_it():
    body = b'{"anthropic_version":"bedrock-2023-05-31","a":1}'
    for version, sent in (("2023-06-01", body), ("2026-10-21", b'{"anthropic_version":"2026-10-21","a":1}')):
        headers = (("anthropic-version", version),)
        assert bedrock.call(outgoing(body=body, headers=headers), Target(secrets=BEARER)).body == sent


def test_a_token_is_asked_for_only_where_one_is_taken():
    gateway = {
        "BEDROCK_OAUTH_TOKEN_URL": "https://issuer.example.com/t", "BEDROCK_OAUTH_CLIENT_ID": "me+",
        "BEDROCK_OAUTH_CLIENT_SECRET": "a/b c",
    }  # fmt: skip
    full = {**AICORE, "AICORE_AUTH_URL": "https://issuer.example.com"}
    assert bedrock.token(Target(secrets={**KEYS, **gateway, **full})) is None  # AWS itself
    assert bedrock.token(Target(base="https://g.example.com", secrets=KEYS)) is None
    assert bedrock.token(Target(base="https://g.example.com", secrets=full)) is None  # not one deployment
    call = bedrock.token(Target(base="https://g.example.com", secrets={**gateway, "BEDROCK_OAUTH_SCOPE": "llm read"}))
    assert (call.method, call.url) == ("POST", "https://issuer.example.com/t")
    assert call.body == b"grant_type=client_credentials&scope=llm+read"
    headers = dict(call.headers)
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    # RFC 6749, section 2.3.1: both are form-encoded first
    assert base64.b64decode(headers["authorization"].removeprefix("Basic ")) == b"me%2B:a%2Fb+c"
    both = bedrock.token(Target(base=DEPLOYMENT, secrets={**gateway, **full}))
    assert both.url == "https://issuer.example.com/oauth/token"


@pytest.mark.parametrize(
    "secrets",
    [
        {**AICORE, "AICORE_AUTH_URL": "https://issuer.example.com"},
        {**AICORE, "AICORE_AUTH_URL": "https://issuer.example.com/oauth/token"},
        {
            "AICORE_SERVICE_KEY": json.dumps({
                "url": "https://issuer.example.com/", "clientid": AICORE["AICORE_CLIENT_ID"],
                "clientsecret": AICORE["AICORE_CLIENT_SECRET"], "serviceurls": {},
            })
        },
    ],
)  # fmt: skip
@pytest.mark.parametrize("base", [DEPLOYMENT, "https://gateway.example.com/x/invoke"])
def test_the_token_of_ai_core(secrets, base):
    call = bedrock.token(Target(base=base, secrets=secrets))
    assert call.url == "https://issuer.example.com/oauth/token"
    assert call.body == b"grant_type=client_credentials"
    basic = dict(call.headers)["authorization"].removeprefix("Basic ")
    assert base64.b64decode(basic).decode() == ":".join(AICORE.values())


def test_the_resource_group_is_the_users():
    key = {"AWS_BEARER_TOKEN_BEDROCK": "k"}
    assert dict(called(key, DEPLOYMENT).headers)["ai-resource-group"] == "default"
    assert dict(called({**key, "AICORE_RESOURCE_GROUP": "g2"}, DEPLOYMENT).headers)["ai-resource-group"] == "g2"
    own = called(key, DEPLOYMENT, headers=(("AI-Resource-Group", "mine"),))
    assert [value for name, value in own.headers if name.lower() == "ai-resource-group"] == ["mine"]


AWS = ("AKIDEXAMPLE", "secret/+", "us-east-1")


@pytest.mark.parametrize("model", [MODEL, "a b+c~d@e'()*!;,=", "arn:aws:bedrock:us-east-1:1:inference-profile/x"])
def test_a_signed_request_is_taken(model):
    with Provider(Reply([text("hello")]), aws=AWS) as provider:
        call = called(KEYS, provider.url, model=model)
        status, _, data = send(call)
        assert (status, json.loads(data)["content"]) == (200, [{"type": "text", "text": "hello"}])
        [record] = provider.requests
        assert record.body == BODY
        assert record.model == model
        for name, value in call.headers:
            assert record.header(name) == value
        # One letter more in the body, and it is refused.
        call.body = BODY + b" "
        assert send(call)[0] == 403
        assert provider.accepted == 1


def test_the_transport_of_the_program_sends_what_was_signed():
    import httpx

    with Provider(aws=AWS) as provider, httpx.Client(trust_env=False) as client:
        for base in (provider.url, provider.url + "/"):
            for model in (MODEL, "a b+c~d@e'()*!;,=\"<>|", "arn:aws:bedrock:us-east-1:1:inference-profile/x"):
                call = called(KEYS, base, model=model)
                request = httpx.Request(call.method, call.url, headers=list(call.headers), content=call.body)
                assert client.send(request).status_code == 200
        assert provider.accepted == 6


def test_wrong_credentials_are_refused():
    with Provider(aws=AWS) as provider:
        status, _, data = send(called({**KEYS, "AWS_SECRET_ACCESS_KEY": "other"}, provider.url))
        assert status == 403
        assert b"signature" in data
        assert send(called({**KEYS, "AWS_REGION": "us-west-2"}, provider.url))[0] == 403
        assert provider.accepted == 0


@pytest.mark.parametrize("secrets", [KEYS, BEARER])
def test_a_stream_of_frames_becomes_events(secrets):
    client = {"aws": AWS} if secrets is KEYS else {"key": "bedrock-api-key-1"}
    with Provider(Reply([text("hello there, said the model")], pieces=5, extras=True), **client) as provider:
        status, head, data = send(called(secrets, provider.url, stream=True))
        assert status == 200
        assert head["content-type"] == "application/vnd.amazon.eventstream"
        frames = Frames()
        events = frames.feed(data)
        assert frames.end() == b""
        texts = [event.value.get("delta", {}).get("text", "") for event in events]
        assert "".join(texts) == "hello there, said the model"
        assert events[-1].name == "message_stop"
        assert "future-event" in [event.name for event in events]
        assert all(event.raw == f"event: {event.name}\ndata: {event.data}\n\n".encode() for event in events)


def test_errors_inside_a_stream():
    failure = Reply([text("hello there")], pieces=2, error=("overloaded_error", "busy"), fault=Fault("error", events=3))
    with Provider(failure, Reply([text("hello there")], pieces=2, fault=Fault("crc", events=3))) as provider:
        events = Frames().feed(send(called(BEARER, provider.url, stream=True))[2])
        assert events[-1].name == "error"
        assert events[-1].value["error"]["type"] in {"overloaded_error", "api_error"}
        frames = Frames()
        before = frames.feed(send(called(BEARER, provider.url, stream=True))[2])
        assert before
        assert "message_stop" not in [event.name for event in before]
        with pytest.raises(UnreachableError, match="damaged: Checksum mismatch"):
            frames.end()


def test_ai_core_from_token_to_answer():
    client = ("sb-1!b2|aicore!b3", "s$+/=")
    with Provider(Reply([text("from a deployment")]), client=client) as provider:
        secrets = {"AICORE_AUTH_URL": provider.url, "AICORE_CLIENT_ID": client[0], "AICORE_CLIENT_SECRET": client[1]}
        target = Target(base=f"{provider.url}/v2/inference/deployments/d7", secrets=secrets)
        status, _, data = send(bedrock.token(target))
        assert status == 200
        target.token = json.loads(data)["access_token"]
        status, _, data = send(bedrock.call(outgoing(), target))
        assert (status, json.loads(data)["content"][0]["text"]) == (200, "from a deployment")
        events = Frames().feed(send(bedrock.call(outgoing(stream=True), target))[2])
        assert events[-1].name == "message_stop"
        token, whole, streamed = provider.requests
        assert token.path == "/oauth/token"
        assert whole.path == "/v2/inference/deployments/d7/invoke"
        assert streamed.path == "/v2/inference/deployments/d7/invoke-with-response-stream"
        assert whole.header("ai-resource-group") == "default"
        wrong = Target(base=target.base, secrets={**secrets, "AICORE_CLIENT_SECRET": "no"})
        assert send(bedrock.token(wrong))[0] == 401


@pytest.mark.parametrize("stream", [False, True])
def test_the_official_client_asks_for_the_same(stream):
    sdk = pytest.importorskip("anthropic")
    with Provider() as provider:
        client = sdk.AnthropicBedrock(api_key="k", aws_region="us-east-1", base_url=provider.url, max_retries=0)
        request = {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
        answer = client.messages.create(
            model=ARN, **request, stream=stream, extra_headers={"anthropic-beta": "x-1,y-2"}
        )
        answer = list(answer) if stream else answer
        put, left_out = bedrock.adapt("anthropic", {"model": ARN, "stream": stream, **request}, ARN)
        assert {*left_out} == {"model", "stream"}
        body = json.dumps({**request, **put}).encode()
        headers = (("anthropic-beta", "x-1,y-2"),)
        target = Target(base=provider.url, secrets={"AWS_BEARER_TOKEN_BEDROCK": "k"})
        status, _, data = send(bedrock.call(outgoing(ARN, body, stream=stream, headers=headers), target))
        assert status == 200
        theirs, ours = provider.requests
        assert ours.path == theirs.path
        assert ours.json == {**theirs.json, "anthropic_version": bedrock.VERSION}
        assert ours.header("authorization") == theirs.header("authorization") == "Bearer k"
        if stream:
            assert [event.name for event in Frames().feed(data)] == [event.type for event in answer]


def test_there_tells_whether_botocore_is_here():
    assert _sigv4.there()
