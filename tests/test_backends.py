import ast
import json

import httpx
import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from provider import Provider, Reply, text

from headroom_cli import backends
from headroom_cli.backends import _http, anyllm
from headroom_cli.errors import CannotCarryError, ConfigError, FormatError, KeyMissingError

OPENAI = {"OPENAI_API_KEY": "sk-openai"}
ANTHROPIC = {"ANTHROPIC_API_KEY": "sk-ant-api03-x"}
TOKEN = {"ANTHROPIC_AUTH_TOKEN": "gateway-token"}
ROUTER = {"OPENROUTER_API_KEY": "sk-or"}
ROWS = ("anthropic", "openai", "openrouter", "litellm", "anyllm")


def call(name, shape, *, base="", secrets=None, body=None, stream=False, gateway=False, client=(), user=()):
    backend, provider = backends.load(name, gateway=gateway)
    data = body if isinstance(body, bytes) else json.dumps(body or {"model": "m"}).encode()
    outgoing = backends.Outgoing(shape, "m", data, stream=stream, headers=tuple(client))
    target = backends.Target(base=base, provider=provider, secrets=secrets, headers=tuple(user))
    return backend.call(outgoing, target)


def header(made, name):
    found = [value for key, value in made.headers if key.lower() == name]
    assert len(found) < 2, f"{name} stands there {len(found)} times"
    return found[0] if found else None


# --- addresses

OFFICIAL = "https://api.anthropic.com/v1/messages"
ADDRESSES = [
    ("anthropic", "anthropic", "", {}, OFFICIAL),
    ("anthropic", "anthropic", "https://api.anthropic.com", {}, OFFICIAL),
    ("anthropic", "anthropic", "https://api.anthropic.com/", {}, OFFICIAL),
    ("anthropic", "anthropic", "https://api.anthropic.com/v1/", {}, OFFICIAL),
    ("anthropic", "anthropic", "http://h:8080/apis/claude", {}, "http://h:8080/apis/claude/v1/messages"),
    ("anthropic", "anthropic", "", {"ANTHROPIC_TARGET_API_URL": "http://t/v1"}, "http://t/v1/messages"),
    ("anthropic", "anthropic", "http://b", {"ANTHROPIC_TARGET_API_URL": "http://t"}, "http://b/v1/messages"),
    ("openai", "openai", "", {}, "https://api.openai.com/v1/chat/completions"),
    ("openai", "responses", "", {}, "https://api.openai.com/v1/responses"),
    ("openai", "responses", "http://127.0.0.1:1234", {}, "http://127.0.0.1:1234/v1/responses"),
    ("openai", "openai", "http://h/v1/", {}, "http://h/v1/chat/completions"),
    ("openai", "openai", "https://x.azure.com/openai/v1", {}, "https://x.azure.com/openai/v1/chat/completions"),
    ("openai", "openai", "https://h/compat/v4", {}, "https://h/compat/v4/chat/completions"),
    ("openai", "openai", "", {"OPENAI_TARGET_API_URL": "http://t"}, "http://t/v1/chat/completions"),
    ("openrouter", "openai", "", {}, "https://openrouter.ai/api/v1/chat/completions"),
    ("openrouter", "anthropic", "", {}, "https://openrouter.ai/api/v1/messages"),
    ("openrouter", "anthropic", "http://h/api", {}, "http://h/api/v1/messages"),
    ("openrouter", "openai", "", {"OPENROUTER_TARGET_API_URL": "http://t/api/v1"}, "http://t/api/v1/chat/completions"),
    ("litellm", "openai", "http://h:4000", {}, "http://h:4000/v1/chat/completions"),
    ("litellm", "anthropic", "http://h:4000/v1", {}, "http://h:4000/v1/messages"),
    ("litellm", "responses", "http://h/team/", {}, "http://h/team/v1/responses"),
    ("anyllm", "openai", "http://h:8000", {}, "http://h:8000/v1/chat/completions"),
    ("anyllm", "anthropic", "http://h:8000/api/v1", {}, "http://h:8000/api/v1/messages"),
    ("openai", "openai", "http://[::1]:8080", {}, "http://[::1]:8080/v1/chat/completions"),
]


@pytest.mark.parametrize(("name", "shape", "base", "secrets", "url"), ADDRESSES)
def test_an_address_is_joined_with_its_version_once(name, shape, base, secrets, url):
    made = call(name, shape, base=base, secrets={**OPENAI, **ANTHROPIC, **ROUTER, **secrets}, gateway=True)
    assert made.url == url
    assert made.method == "POST"


@pytest.mark.parametrize(
    "base",
    [
        "localhost:8080", "ftp://h", "http://", "http:///v1", "h", "http://h:port", "http://h:99999", "http://h:0",
        "http://[::1", "http://h/a b", "http://h/\x00", "http://h\r\nx: y", "http://h\u00e9.example",
        "https://me:pa55word@h/v1", "https://pa55word@h", "http://h?key=pa55word", "http://h/v1?", "http://h/#pa55word",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ROWS)
def test_a_bad_address_is_a_plain_error_that_shows_no_password(name, base):
    with pytest.raises(ConfigError) as caught:
        call(name, "anthropic" if name == "anthropic" else "openai", base=base, secrets=OPENAI, gateway=True)
    assert "--base-url" in str(caught.value)
    assert "pa55word" not in str(caught.value)


def test_a_bad_address_in_a_variable_is_named_by_the_variable():
    with pytest.raises(ConfigError, match="OPENAI_TARGET_API_URL"):
        call("openai", "openai", secrets={**OPENAI, "OPENAI_TARGET_API_URL": "nowhere"})


@pytest.mark.parametrize("name", ["litellm", "anyllm"])
def test_a_gateway_needs_an_address(name):
    with pytest.raises(ConfigError, match="--base-url"):
        call(name, "openai", gateway=True)


# --- keys

OLD, NEW, OAUTH = "2023-06-01", "2026-10-21", "oauth-2025-04-20"


@pytest.mark.parametrize(
    ("secrets", "version", "own", "bearer", "beta"),
    [
        (ANTHROPIC, None, "sk-ant-api03-x", None, None),
        (ANTHROPIC, OLD, "sk-ant-api03-x", None, None),
        (ANTHROPIC, NEW, None, "Bearer sk-ant-api03-x", None),
        (ANTHROPIC, "2027-01-01", None, "Bearer sk-ant-api03-x", None),
        (ANTHROPIC, "preview", "sk-ant-api03-x", None, None),
        (TOKEN, None, None, "Bearer gateway-token", None),
        (TOKEN, NEW, None, "Bearer gateway-token", None),
        ({**TOKEN, **ANTHROPIC}, None, "sk-ant-api03-x", None, None),
        ({"ANTHROPIC_AUTH_TOKEN": "sk-ant-oat01-x"}, None, None, "Bearer sk-ant-oat01-x", OAUTH),
        ({"ANTHROPIC_API_KEY": "sk-ant-oat01-x"}, OLD, None, "Bearer sk-ant-oat01-x", OAUTH),
    ],
)
def test_anthropic_gets_its_key_one_way(secrets, version, own, bearer, beta):
    client = [("anthropic-version", version)] if version else []
    made = call("anthropic", "anthropic", secrets=secrets, client=client)
    assert header(made, "anthropic-version") == (version or OLD)
    assert header(made, "x-api-key") == own
    assert header(made, "authorization") == bearer
    assert header(made, "anthropic-beta") == beta


@pytest.mark.parametrize(
    ("name", "shape"), [("anthropic", "anthropic"), ("openai", "openai"), ("openrouter", "openai")]
)
def test_no_key_is_an_error_toward_the_provider_itself_and_none_toward_an_address_of_ones_own(name, shape):
    with pytest.raises(KeyMissingError, match=f"{name.upper()}_API_KEY"):
        call(name, shape)
    made = call(name, shape, base="http://127.0.0.1:1")
    assert header(made, "authorization") is header(made, "x-api-key") is None


@pytest.mark.parametrize(
    ("name", "secrets", "bearer"),
    [
        ("litellm", {}, None),
        ("litellm", {"LITELLM_MASTER_KEY": "sk-m"}, "Bearer sk-m"),
        ("litellm", {"LITELLM_MASTER_KEY": "sk-m", "LITELLM_API_KEY": "sk-v"}, "Bearer sk-v"),
        ("anyllm", {}, None),
        ("anyllm", {"GATEWAY_API_KEY": "gw-1"}, "Bearer gw-1"),
        ("anyllm", {"OTARI_API_KEY": "otk"}, "Bearer otk"),
    ],
)
def test_a_gateway_gets_one_bearer_key_or_none(name, secrets, bearer):
    for shape in backends.load(name, gateway=True)[0].shapes:
        made = call(name, shape, base="http://h", secrets=secrets, gateway=True)
        assert header(made, "authorization") == bearer
        assert header(made, "x-api-key") is None


@pytest.mark.parametrize(
    "value", ["sk-secret\n", "sk-\r\nx: y", "sk secret", "sk-secr\u00e9t", "\tsk-secret", "sk\x7f"]
)
@pytest.mark.parametrize("name", ROWS)
def test_a_key_that_no_header_can_carry_is_never_sent_and_never_shown(name, value):
    backend, _ = backends.load(name, gateway=True)
    for variable in (variable for variable in backend.variables if "URL" not in variable):
        secrets = {**(OPENAI if name == "openai" else {}), variable: value}
        with pytest.raises(ConfigError) as caught:
            call(name, backend.shapes[0], base="http://h", secrets=secrets, gateway=True)
        assert str(caught.value).startswith(variable)
        assert "sk" not in str(caught.value)


def test_openai_is_told_the_organization_and_the_project_that_pay():
    billed = {**OPENAI, "OPENAI_ORG_ID": "org-1", "OPENAI_PROJECT_ID": "proj-1"}
    made = call("openai", "responses", secrets=billed)
    assert header(made, "openai-organization") == "org-1"
    assert header(made, "openai-project") == "proj-1"
    made = call("openai", "responses", secrets=billed, user=[("OpenAI-Project", "proj-2")])
    assert header(made, "openai-project") == "proj-2"


# --- headers


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("name", ROWS)
def test_every_call_says_what_it_is_and_wants_its_bytes_as_they_are(name, stream):
    shape = "anthropic" if name == "anthropic" else "openai"
    made = call(name, shape, base="http://h", secrets={**OPENAI, **ANTHROPIC}, stream=stream, gateway=True)
    assert header(made, "content-type") == "application/json"
    assert header(made, "accept") == ("text/event-stream" if stream else "application/json")
    assert header(made, "accept-encoding") == "identity"
    assert header(made, "user-agent") == f"headroom-cli/{__import__('headroom_cli').__version__}"
    assert made.body == b'{"model": "m"}'


@pytest.mark.parametrize(
    "name",
    ["Authorization", "x-api-key", "API-KEY", "host", "Content-Length", "Transfer-Encoding", "accept-encoding",
     "connection", "proxy-authorization"],
)  # fmt: skip
@pytest.mark.parametrize("side", ["client", "user"])
def test_credentials_and_framing_are_not_the_users_to_set(name, side):
    for row in ROWS:
        with pytest.raises(ConfigError) as caught:
            call(row, "anthropic" if row == "anthropic" else "openai", base="http://h", gateway=True,
                 **{side: [(name, "pa55word")]})  # fmt: skip
        assert name.lower() in str(caught.value)
        assert "pa55word" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"), [("x-a", "b\r\nc: d"), ("x-a", "\x00"), ("x:a", "b"), ("", "b"), ("x a", "b")]
)
def test_a_header_that_cannot_be_sent_is_refused(name, value):
    with pytest.raises(ConfigError, match="cannot be sent"):
        call("openai", "openai", secrets=OPENAI, user=[(name, value)])


def test_the_users_headers_stand_over_the_clients_and_the_defaults():
    client = [("anthropic-version", OLD), ("X-Request", "1"), ("x-a", "client")]
    user = [("Anthropic-Version", NEW), ("User-Agent", "mine"), ("X-A", "user"), ("HTTP-Referer", "https://me")]
    made = call("anthropic", "anthropic", secrets=ANTHROPIC, client=client, user=user)
    assert header(made, "anthropic-version") == NEW
    assert header(made, "authorization") == "Bearer sk-ant-api03-x"
    assert (header(made, "user-agent"), header(made, "x-a"), header(made, "x-request")) == ("mine", "user", "1")
    assert header(made, "http-referer") == "https://me"


def test_betas_go_byte_for_byte_and_more_follow_them():
    odd = "context-1m-2025-08-07 ,oauth-2025-04-20b"
    made = call("anthropic", "anthropic", secrets=ANTHROPIC, client=[("Anthropic-Beta", odd)])
    assert header(made, "anthropic-beta") == odd
    made = call(
        "anthropic", "anthropic", secrets={"ANTHROPIC_AUTH_TOKEN": "sk-ant-oat01"}, client=[("anthropic-beta", odd)]
    )
    assert header(made, "anthropic-beta") == f"{odd},{OAUTH}"
    made = call(
        "anthropic", "anthropic", secrets={"ANTHROPIC_AUTH_TOKEN": "sk-ant-oat01"},
        client=[("anthropic-beta", OAUTH)], user=[("anthropic-beta", "b")],
        body={"anthropic_beta": ["b", "c"]},
    )  # fmt: skip
    assert header(made, "anthropic-beta") == f"{OAUTH},b,c"


# --- members of the body that belong into headers


@pytest.mark.parametrize(
    ("written", "version"),
    [("bedrock-2023-05-31", OLD), ("vertex-2023-10-16", OLD), (NEW, NEW), (None, OLD), ("", OLD)],
)
@pytest.mark.parametrize(("name", "secrets"), [("anthropic", ANTHROPIC), ("openrouter", ROUTER), ("litellm", {})])
def test_a_body_for_bedrock_is_one_for_anthropic(name, secrets, written, version):
    body = (
        b'{ "anthropic_version":%s , "max_tokens":1e2,\n"anthropic_beta" : ["a","b"],"n":1.0}'
        % json.dumps(written).encode()
    )
    made = call(name, "anthropic", base="http://h", secrets=secrets, body=body, gateway=True)
    assert made.body == b'{ "max_tokens":1e2,\n"n":1.0}'
    assert header(made, "anthropic-version") == version
    assert header(made, "anthropic-beta") == "a,b"


@pytest.mark.parametrize("odd", [b'"anthropic_version":7', b'"anthropic_beta":"a,b"', b'"anthropic_beta":[5]'])
def test_what_no_header_can_say_is_refused_by_name(odd):
    with pytest.raises(CannotCarryError, match=r"^anthropic_"):
        call("anthropic", "anthropic", base="http://h", secrets=ANTHROPIC, body=b"{%b}" % odd)


def test_a_clients_version_stands_over_the_bodys():
    made = call(
        "anthropic",
        "anthropic",
        secrets=ANTHROPIC,
        client=[("anthropic-version", OLD)],
        body={"anthropic_version": NEW},
    )
    assert (header(made, "anthropic-version"), made.body) == (OLD, b"{}")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b'{"anthropic_beta"', b'{"anthropic_beta": [}', b'{"anthropic_beta":1 "a":2}',
        b"\xff anthropic_beta",
        b'["anthropic_beta"]', b'{"a": "anthropic_beta"}', b'{"a": {"anthropic_beta": ["x"]}}', b'"anthropic_version"',
        b'{"anthropic_beta":' + b"[" * 100_000, b"{1:2, anthropic_beta}",
    ],
)  # fmt: skip
def test_a_body_without_such_members_of_its_own_passes_as_it_is(body):
    assert call("anthropic", "anthropic", secrets=ANTHROPIC, body=body).body == body


NAMES = st.sampled_from(["a", "b", "c", "\u00e9", "anthropic_beta", "anthropic_version", 'x"y', ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
SPACE = st.sampled_from(["", " ", "\n", " \t\r\n"])


@given(st.lists(st.tuples(NAMES, VALUES, SPACE, SPACE, SPACE, SPACE), max_size=6), SPACE)
def test_members_go_with_their_commas_and_all_else_stays(members, end):
    parts = [f"{a}{json.dumps(name)}{b}:{c}{json.dumps(value)}{d}" for name, value, a, b, c, d in members]
    body = ("{" + ",".join(parts) + "}" + end).encode()
    gone = ("anthropic_beta", "anthropic_version")
    left, taken = _http.without(body, gone)
    assert json.loads(left) == {name: value for name, value, *_ in members if name not in gone}
    assert taken == {name: value for name, value, *_ in members if name in gone}
    assert list(taken) or left == body
    for name, value, *_ in members:
        assert name in gone or json.dumps(value).encode() in left


# --- rows


@pytest.mark.parametrize("name", ROWS)
def test_the_body_is_given_the_model_that_was_asked_for(name):
    for gateway in (False, True):
        adapt = backends.load(name, gateway=gateway)[0].adapt
        assert adapt("openai", {"model": "a", "stream": True}, "b") == ({"model": "b"}, ())
        assert adapt("openai", {"messages": []}, "b") == ({"model": "b"}, ())
        assert adapt("openai", {"model": "a"}, "a") == adapt("openai", {"model": "a"}, "") == ({}, ())


def test_rows_are_found_by_their_names():
    for name in ROWS:
        assert backends.load(name)[0].name == name
    assert backends.load("litellm")[0].library
    assert backends.load("litellm", gateway=True)[0].call
    row, provider = backends.load("anyllm-mistral", gateway=True)
    assert (row.library is not None, provider) == (True, "mistral")
    for wrong in ("openai-x", "litellm-", "nobody", ""):
        with pytest.raises(ConfigError, match="unknown backend"):
            backends.load(wrong)


@pytest.mark.parametrize("path", sorted((ROOT / "headroom_cli" / "backends").glob("*.py")), ids=lambda path: path.stem)
def test_backends_have_no_sockets(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not {"socket", "ssl", "http", "urllib.request", "requests"}.intersection(names)


@pytest.mark.parametrize("name", ["litellm", "anyllm"])
def test_a_library_that_is_not_there_is_asked_for_by_name(name, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, {"litellm": "litellm", "anyllm": "any_llm"}[name], None)
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # so that what is set in passing goes again
    backend, provider = backends.load(f"{name}-openai")
    assert backend.extra == name
    outgoing = backends.Outgoing("openai", "m", b'{"messages":[]}', stream=False)
    with pytest.raises(ConfigError) as caught:
        next(backend.library(outgoing, backends.Target(provider=provider)))
    assert f"pip install 'headroom-cli[{name}]'" in str(caught.value)


def test_any_llm_is_asked_only_where_it_asks_once():
    def row(support):
        return type("Row", (), {"MAX_RETRIES_SUPPORT": support})

    assert anyllm._once("openai", row("native")) == anyllm._once("gemini", row("mapped")) == {"max_retries": 0}
    assert anyllm._once("ollama", row("unsupported")) == {}
    config = anyllm._once("bedrock", row("unsupported"))["config"]
    assert config.retries == {"total_max_attempts": 1}
    with pytest.raises(ConfigError, match="twice"):
        anyllm._once("xai", row("unsupported"))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"messages":{}}', b"\xff", b"[" * 100_000])
@pytest.mark.parametrize("name", ["litellm", "anyllm"])
def test_a_library_is_not_asked_with_what_is_no_request(name, body):
    backend, provider = backends.load(f"{name}-openai")
    with pytest.raises(FormatError):
        next(backend.library(backends.Outgoing("openai", "m", body, stream=False), backends.Target(provider=provider)))


# --- over a real connection

MESSAGES = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
RESPONSES = {"model": "m", "input": "hi"}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("name", "secret"),
    [("anthropic", "ANTHROPIC_API_KEY"), ("anthropic", "ANTHROPIC_AUTH_TOKEN"), ("openai", "OPENAI_API_KEY"),
     ("openrouter", "OPENROUTER_API_KEY"), ("litellm", "LITELLM_API_KEY"), ("anyllm", "OTARI_API_KEY")],
)  # fmt: skip
def test_a_provider_takes_every_call(name, secret, stream):
    path = "/api/v1" if name == "openrouter" else ""
    with Provider(Reply([text("hello")]), key="sk-the-key") as provider:
        for shape in backends.load(name, gateway=True)[0].shapes:
            body = {**(RESPONSES if shape == "responses" else MESSAGES), "stream": stream}
            made = call(
                name,
                shape,
                base=provider.url + path,
                secrets={secret: "sk-the-key"},
                body=body,
                stream=stream,
                gateway=True,
            )
            answer = httpx.request(
                made.method, made.url, headers=list(made.headers), content=made.body, trust_env=False
            )
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"].startswith("text/event-stream" if stream else "application/json")
            assert "hello" in answer.text
            assert provider.requests[-1].body == made.body
        assert provider.accepted == len(backends.load(name, gateway=True)[0].shapes)
