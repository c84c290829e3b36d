"""Who may ask the proxy at all."""

import pytest
from raw_http import guarded, statuses

from headroom_cli.errors import ConfigError
from headroom_cli.serve.gate import TOKEN_HEADERS, Gate
from headroom_cli.serve.options import Serving

PATHS = (
    "/", "/v1/messages", "/v1/messages/count_tokens", "/v1/chat/completions", "/v1/responses", "/v1/models",
    "/model/anthropic.claude/invoke", "/v1/compress", "/v1/retrieve/abcdefghijkl", "/livez", "/readyz", "/stats",
    "/metrics", "/dashboard", "/nowhere",
)  # fmt: skip
OURS = {"/v1/compress", "/v1/retrieve/abcdefghijkl", "/livez", "/readyz", "/stats", "/metrics", "/dashboard"}
GOOD_HOSTS = (
    "localhost", "LocalHost:8787", "127.0.0.1", "127.0.0.1:8787", "127.255.0.3:1", "[::1]", "[::1]:65535", "box.lan",
    "box.lan:99", "exact.lan:5",
)  # fmt: skip
# A name, an address or a form that is not in its one usual spelling.
BAD_HOSTS = [
    [], [""], ["127.0.0.1", "127.0.0.1"], ["localhost", "evil.example"],
    *([host] for host in (
        "localhost.", "127.0.0.1.", "[::ffff:127.0.0.1]", "::1", "[::1", "[0:0:0:0:0:0:0:1]", "2130706433",
        "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.1", "127.0.1", "127.0.0.01", "127.0.0.256", "127.0.0.1.evil",
        "127.0.0.1.evil.example", "evil.example", "evil.example:8787", "localhost.evil.example", "user@localhost",
        "localhost@evil.example", "localhost:", "localhost:0", "localhost:65536", "localhost:http", "localhost:80:80",
        "localhost:8787/", "localhost,evil.example", "localhost evil", "0.0.0.0", "[::]", "10.0.0.1", "128.0.0.1",
        "exact.lan", "exact.lan:6", "sub.box.lan", "localhost\x00", "l\xf6calhost", "\u0661\u0662\u0667.0.0.1",
    )),
]  # fmt: skip
SERVING = Serving("nowhere", hosts=("Box.lan", "exact.lan:5"), origins=("https://app.example",))


def ask(gate, path="/v1/messages", *, kind="http", method="GET", hosts=("localhost:8787",), **fields):
    """Return the status with which a request is refused, 0 for none."""
    headers = [(b"host", host.encode("utf-8", "surrogatepass")) for host in hosts]
    for name, values in fields.items():
        for value in [values] if isinstance(values, str) else values:
            headers.append((name.replace("_", "-").encode(), value.encode()))  # noqa: PERF401
    scope = {"type": kind, "path": path, "raw_path": path.encode(), "headers": headers}
    if kind == "http":
        scope["method"] = method
    refused = gate.check(scope)
    return refused.status if refused else 0


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("path", PATHS)
def test_host_comes_first_on_every_path(path, kind):
    gate = Gate(SERVING)
    for host in GOOD_HOSTS:
        assert ask(gate, path, kind=kind, hosts=[host]) == 0, host
    for hosts in BAD_HOSTS:
        # Nothing else is looked at: not the page that asks, not what it brings.
        assert ask(gate, path, kind=kind, hosts=hosts) == 421, hosts
        assert ask(gate, path, kind=kind, hosts=hosts, origin="https://app.example") == 421, hosts


@pytest.mark.parametrize("path", PATHS)
def test_a_page_may_not_ask_unless_it_was_allowed_or_is_ours(path):
    gate = Gate(SERVING)
    cases = {
        "null": 403,
        "": 403,
        "https://evil.example": 403,
        "https://app.example": 0,
        "http://app.example": 403,
        "https://app.example:444": 403,
        "https://app.example.evil": 403,
        "http://localhost": 403,
        "http://localhost:3000": 403,  # another program of this machine
        "http://127.0.0.1:8787": 403,
        "file://localhost:8787": 403,
        "http://localhost:8787/": 403,
        "http://evil@localhost:8787": 403,
        "http://localhost:8787": 0 if path in OURS else 403,
        "https://localhost:8787": 0 if path in OURS else 403,
    }
    for origin, status in cases.items():
        for kind in ("http", "websocket"):
            for method in ("GET", "POST", "OPTIONS"):
                asked = ask(gate, path, kind=kind, method=method, origin=origin, content_type="application/json")
                assert asked == status, (origin, kind, method)
    assert ask(gate, path, origin=["https://app.example"] * 2) == 403
    assert ask(gate, path, origin=["http://localhost:8787", "https://evil.example"]) == 403


@pytest.mark.parametrize("path", PATHS)
def test_a_request_from_another_site_is_refused_also_without_origin(path):
    gate = Gate(SERVING)
    for site, status in {"cross-site": 403, "Cross-Site": 403, "same-origin": 0, "none": 0}.items():
        assert ask(gate, path, sec_fetch_site=site) == status, site
    # An allowed page is of another site, and says so.
    assert ask(gate, path, origin="https://app.example", sec_fetch_site="cross-site") == 0


def test_null_cannot_be_allowed():
    assert ask(Gate(Serving("nowhere", origins=("null",))), origin="null") == 403


def test_what_changes_something_must_be_json():
    gate = Gate(SERVING)
    forms = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", "text/json", "")
    for path in ("/v1/compress", "/v1/retrieve", "/v1/retrieve/abcdefghijkl"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert ask(gate, path, method=method) == 415
            assert ask(gate, path, method=method, content_type="application/json") == 0
            assert ask(gate, path, method=method, content_type="Application/JSON; charset=utf-8") == 0
            assert ask(gate, path, method=method, content_type=["application/json", "text/plain"]) == 415
            for form in forms:
                assert ask(gate, path, method=method, content_type=form) == 415, form
        assert ask(gate, path, method="GET") == 0
    assert ask(gate, "/v1/messages", method="POST", content_type="text/plain") == 0  # the provider's to judge


@pytest.mark.parametrize("path", PATHS)
def test_a_token_is_asked_for_everywhere_but_where_life_is_asked_for(path):
    gate = Gate(Serving("nowhere", host="0.0.0.0", token="open-sesame"))
    closed = 0 if path in {"/livez", "/readyz", "/dashboard"} else 401
    for kind in ("http", "websocket"):
        for shown in (
            {}, {"x_headroom_token": "open-sesam"}, {"x_headroom_token": "open-sesame!"}, {"x_headroom_token": ""},
            {"proxy_authorization": "open-sesame"}, {"proxy_authorization": "Basic open-sesame"},
            {"authorization": "Bearer open-sesame"}, {"x_headroom_token": "OPEN-SESAME"}, {"x_api_key": "open-sesame"},
        ):  # fmt: skip
            assert ask(gate, path, kind=kind, **shown) == closed, shown
        for shown in (
            {"x_headroom_token": "open-sesame"}, {"proxy_authorization": "Bearer open-sesame"},
            {"proxy_authorization": "bearer  open-sesame"}, {"x_headroom_token": ["wrong", "open-sesame"]},
        ):  # fmt: skip
            assert ask(gate, path, kind=kind, **shown) == 0, shown
            assert ask(gate, path, kind=kind, hosts=["evil.example"], **shown) == 421
    assert {b"x-headroom-token", b"proxy-authorization"} == set(TOKEN_HEADERS)


def test_a_token_that_no_header_can_carry_is_refused():
    for token in ("open sesame", "s\xe9same", "a\nb", "a\x00b"):
        with pytest.raises(ConfigError):
            Gate(Serving("nowhere", token=token))


def test_over_a_unix_socket_host_may_be_anything_sane():
    gate = Gate(Serving("nowhere", unix="/run/headroom.sock"))
    for host in ("localhost", "headroom", "evil.example:80", "[::1]"):
        assert ask(gate, hosts=[host]) == 0
    for hosts in ([], ["a", "b"], [""], ["a b"], ["a:b"], ["a/b"], ["u@a"]):
        assert ask(gate, hosts=hosts) == 421, hosts
    assert ask(gate, hosts=["localhost"], origin="https://evil.example") == 403


# --- with real connections


def test_nothing_gets_through_that_may_not():
    with guarded(SERVING) as (served, through):
        for path in PATHS:
            for hosts in BAD_HOSTS:
                fields = "".join(f"Host: {host}\r\n" for host in hosts)
                raw = f"GET {path} HTTP/1.1\r\n{fields}Connection: close\r\n\r\n".encode()
                answer = served.say(raw)
                assert statuses(answer) in ([421], [400]), (hosts, answer)
                assert b"access-control" not in answer.lower()
        raw = b"GET http://localhost/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
        assert statuses(served.say(raw)) == [400]
        raw = b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
        assert statuses(served.say(raw)) == [421]
        assert through == []
        raw = b"GET /stats HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        assert statuses(served.say(raw)) == [200]
        assert through == ["/stats"]


def test_a_page_cannot_open_a_websocket():
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    with guarded(SERVING) as (served, _):
        url = f"ws://127.0.0.1:{served.port}/v1/responses"
        with connect(url, proxy=None):
            pass
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            with pytest.raises(InvalidStatus) as caught, connect(url, proxy=None, additional_headers=headers):
                pass
            assert caught.value.response.status_code == 403
