"""The official SDKs see no difference between a provider and a provider behind the proxy."""

import contextlib
import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from agents import packages
from clients import OFFLINE, clients_python
from conftest import ROOT, clean_environment
from provider import Provider
from proxies import Running
from scenarios import HEADER, TABLE, scripted
from scenarios_play import play

OURS = "retrieve_original_content"
# What a client says about the connection or to the proxy, not to the API.
OF_THE_CONNECTION = (
    "host", "connection", "content-length", "transfer-encoding", "accept-encoding", "te", "keep-alive", "upgrade",
    "sec-websocket-", "x-headroom-",
)  # fmt: skip


class Pair:
    """One provider asked directly, and one just like it behind a proxy."""

    def __init__(self, direct, behind, proxy):
        self.direct = direct
        self.behind = behind
        self.proxy = proxy

    def compare(self, name, client, seen):
        """Assert that a client saw the same both ways, and that the providers did where they should."""
        urls = {"direct": self.direct.url, "proxy": self.proxy.url}
        direct, through = (
            json.loads(json.dumps(seen[way]).replace(self.direct.url, "URL").replace(self.behind.url, "URL"))
            for way in urls
        )
        assert through == direct
        asked, came = (_of(provider, name, client) for provider in (self.direct, self.behind))
        assert [(record.method, record.path) for record in came] == [(record.method, record.path) for record in asked]
        for one, other in zip(asked, came, strict=True):
            _compare_records(TABLE[name].body, one, other)
        if TABLE[name].body == "less" and not any("thread" in record.json for record in asked):
            assert sum(len(record.body) for record in came) < sum(len(record.body) for record in asked) * 0.8
        if TABLE[name].left:
            _wait_left(self.direct, asked[-1])
            _wait_left(self.behind, came[-1])


def _of(provider, name, client):
    """Return what a scenario asked a provider."""
    return [record for record in list(provider.requests) if record.header(HEADER) == f"{name}.{client}"]


def _headers(record, boundary):
    """Return the headers that are for the API, in their order."""
    kept = [(name.lower(), value.replace(boundary, "B")) for name, value in record.headers]
    return [pair for pair in kept if not pair[0].startswith(OF_THE_CONNECTION)]


def _boundary(record):
    """Return what a form's parts lie between: clients throw dice for it."""
    return (record.header("content-type") or "").partition("boundary=")[2] or "no boundary"


def _compare_records(rule, one, other):
    """Assert that a request came as the scenario says."""
    boundaries = _boundary(one), _boundary(other)
    assert _headers(other, boundaries[1]) == _headers(one, boundaries[0])
    if rule == "same":
        bodies = (made.body.replace(line.encode(), b"B") for made, line in zip((one, other), boundaries, strict=True))
        first, second = map(hashlib.sha256, bodies)
        assert second.hexdigest() == first.hexdigest()
        return
    first, second = one.json, other.json
    # In a thread the provider holds what was said, and nobody can put turns of ours back.
    if "tools" in first and "thread" not in first and rule != "any":
        # Where: behind those of the client, or as an earlier conversation with the same first words had it.
        names = [_name(tool) for tool in second["tools"]]
        second["tools"].pop(names.index(OURS))
    assert _alike(first, second, shorter=rule == "less")


def _name(tool):
    return (tool.get("function") or tool)["name"]


def _alike(first, second, *, shorter, result=False):
    """Return whether a value came as it was sent, apart from what the proxy may do."""
    if isinstance(first, list) and isinstance(second, list):
        pairs = zip(first, second, strict=False)
        return len(first) == len(second) and all(_alike(*pair, shorter=shorter, result=result) for pair in pairs)
    if isinstance(first, dict) and isinstance(second, dict):
        result = result or first.get("type") in ("tool_result", "function_call_output") or first.get("role") == "tool"
        # Where a client sets no mark for a cache, there is room for ours.
        more = set(second) - set(first) - {"cache_control"}
        return not more and all(
            name in second and _alike(value, second[name], shorter=shorter, result=result)
            for name, value in first.items()
        )
    if isinstance(first, str) and isinstance(second, list):
        # A text that is a whole input becomes an item, behind which others can stand.
        return second == [{"type": "message", "role": "user", "content": first}]
    return second == first or (result and shorter and len(second) < len(first))


def _wait_left(provider, record):
    """Wait until a provider has noticed that the client left while it was being answered."""
    for count in range(1, 1 + len(TABLE)):
        gone = provider.wait_gone(count=count)
        if gone.number == record.number:
            assert gone.phase in ("head", "body")
            return


@contextlib.contextmanager
def running(store):
    """Yield a Pair of its own: the numbers of requests and answers are the same in both providers."""
    with Provider() as direct, Provider() as behind:
        direct.script(scripted({}))
        behind.script(scripted({}))
        with Running(store, behind.url) as proxy:
            yield Pair(direct, behind, proxy)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    with running(tmp_path_factory.mktemp("clients") / "store") as made:
        yield made


@pytest.mark.parametrize("name", TABLE)
def test_the_newest_python_sdks_see_no_difference(pair, name):
    seen = {"direct": play(name, pair.direct.url, "newest"), "proxy": play(name, pair.proxy.url, "newest")}
    pair.compare(name, "newest", seen)


def test_the_older_python_sdks_see_no_difference(tmp_path):
    names = [name for name, made in TABLE.items() if made.older]
    command = [clients_python(), ROOT / "tests" / "scenarios_play.py", "older"]
    compare_all(tmp_path, "older", command, names)


def test_the_typescript_sdks_see_no_difference(tmp_path):
    node = Path(clients_python()).parent / "node"
    if not node.exists():
        pytest.skip("no node: make clients installs it")
    command = [node, ROOT / "tests" / "typescript" / "play.cjs", packages(), "typescript"]
    assert len(compare_all(tmp_path, "typescript", command, [])) >= 40


def compare_all(place, client, command, names):
    """Play scenarios with a program, both ways; return the names of those that were played."""
    with running(place / "store") as pair:
        environment = clean_environment(Path("/nonexistent"), **OFFLINE)
        command = [*map(str, command), f"{pair.direct.url},{pair.proxy.url}", *names]
        done = subprocess.run(command, capture_output=True, env=environment, timeout=240, text=True)
        assert done.returncode == 0, done.stderr[-4000:]
        seen = [json.loads(line) for line in done.stdout.splitlines()]
        for name, direct, proxy in seen:
            pair.compare(name, client, {"direct": direct, "proxy": proxy})
    played = [name for name, *_ in seen]
    assert not names or played == names
    return played
