"""What a call leaves in the ledger, whoever makes it: tools, project, conversation, usage, and what of it is ours."""

import csv
import json
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from provider import Provider, Reply, call, text
from proxies import Running
from talks import LOG, OURS, Talk, environment, handle_of
from test_money import check_agrees
from wrapped import Speaker

import headroom_cli
from headroom_cli import ledger, money
from headroom_cli.cli import stats
from headroom_cli.errors import UsageError
from headroom_cli.serve import projects

HANDLE = handle_of(LOG)
# Three calls of a model: it asks for the log, then for an original, then it answers.
USED = (
    {"input": 30, "written": 2000, "output": 20},
    {"input": 12, "cached": 2000, "written": 1000, "output": 9},
    {"input": 7, "cached": 3000, "written": 50, "output": 4},
)
REPLIES = (
    Reply([call("toolu_1", "Bash", {"command": "make"})], usage=USED[0]),
    Reply([call("r1", OURS, {"handle": HANDLE, "grep": "worker 77 "})], usage=USED[1]),
    Reply([text("Worker 77.")], usage=USED[2]),
)
SHAPES = ("anthropic", "openai", "responses")


@pytest.fixture
def provider():
    with Provider() as made:
        yield made


def converse(ask, provider, shape):
    """Have a conversation of two requests, of which the second takes two calls."""
    talk = Talk(shape).says("why does the build fail?")
    provider.script(*REPLIES)
    talk.heard(ask(talk)).result("toolu_1", LOG)
    ask(talk)
    return talk


def lines_of(store, number, wait=20.0):
    """Return the ledger's lines, once there are so many: the proxy writes them every second."""
    end = time.monotonic() + wait
    while len(found := list(ledger.read(str(store)))) < number and time.monotonic() < end:
        time.sleep(0.05)
    assert len(found) == number
    return found


def check(lines, verb, project):
    """Look at the two lines of ``converse``."""
    first, second = lines
    assert [line["verb"] for line in lines] == [verb, verb]
    assert first["conversation"] == second["conversation"] != ""
    assert "tools" not in first
    row = second["tools"]["Bash"]
    assert row["blocks"] == 1
    assert row["before"] > 10_000 > row["after"]
    assert [line.get("project", "") for line in lines] == [project, project]
    assert (first["hops"], second["hops"]) == (1, 2)
    assert "hops" not in first["overhead"]
    assert 100 < first["overhead"]["tool"] == second["overhead"]["tool"] < 1000
    assert "markers" not in first["overhead"]
    assert 10 < second["overhead"]["markers"] < 60
    sums = money.report(lines)
    check_agrees(sums)
    whole = sums["all"]
    keys = {"input": "plain", "cached": "cache_read", "written": "cache_write", "output": "output"}
    assert {name: whole["usage"][part] for name, part in keys.items()} == {
        name: sum(used.get(name, 0) for used in USED) for name in keys
    }
    # Blocks and what is outside of them are the request.
    for line in lines:
        blocks = line["kinds"].values()
        assert sum(kind["before"] for kind in blocks) == line["tokens"]["before"]
        assert sum(kind["after"] for kind in blocks) == line["tokens"]["after"]
    # By the rules of Claude: the second call of the second request is a detour that we brought about.
    assert whole["money"]["hops"] == 7 * 1000 + 3000 * 100 + 50 * 1250
    assert whole["money"]["cost"] == sum(
        1000 * used["input"] + 100 * used.get("cached", 0) + 1250 * used["written"] for used in USED
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_a_call_of_send(shape, headroom, provider, tmp_path):
    (tmp_path / "shop" / ".git").mkdir(parents=True)

    def ask(talk):
        done = headroom(
            "send", "--backend", {"responses": "openai"}.get(shape, shape), "--message", "--store", str(tmp_path / "s"),
            "--project", "my shop", stdin=json.dumps(talk.request).encode(), env=environment(provider),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    converse(ask, provider, shape)
    check(lines_of(tmp_path / "s", 2), "send", "my shop")


# Importing an SDK takes seconds: one of the two at each commit.
@pytest.mark.parametrize(
    "shape", ["anthropic", *(pytest.param(shape, marks=pytest.mark.long) for shape in ("openai", "responses"))]
)
def test_a_call_of_a_wrapped_client(shape, provider, tmp_path, monkeypatch):
    (tmp_path / "shop" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "shop")
    store = str(tmp_path / "s")
    speaker = Speaker(shape, "whole", provider.url, lambda client: headroom_cli.wrap(client, store=store), key="sk")
    try:
        converse(speaker.ask, provider, shape)
    finally:
        speaker.close()
    check(lines_of(store, 2), "library", "shop")


def test_what_a_proxy_of_ours_answered_is_not_paid_for_twice(provider, tmp_path):
    store = str(tmp_path / "s")
    speaker = Speaker(
        "anthropic", "whole", provider.url, lambda client: headroom_cli.wrap(client, store=store), key="sk"
    )
    talk = Talk("anthropic").says("why?")
    try:
        for headers in ({}, {"X-Headroom-Request": "7"}):  # as proxies of ours write, and let nobody else write
            provider.script(Reply([text("so")], usage={"input": 30, "output": 2}, headers=headers))
            speaker.ask(talk)
    finally:
        speaker.close()
    paid, by_proxy = lines_of(store, 2)
    assert (paid["usage"]["input_tokens"], "usage" in by_proxy, by_proxy["hops"]) == (30, False, 1)


def test_a_call_of_the_proxy_and_its_project(provider, tmp_path):
    store = tmp_path / "s"
    with Running(store, provider.url, environment={"HEADROOM_PROJECT": "usual"}) as proxy:

        def post(path, value, **headers):
            asked = urllib.request.Request(
                proxy.url + path, json.dumps(value).encode(),
                {"content-type": "application/json", "x-api-key": "k", "anthropic-version": "2023-06-01", **headers},
            )  # fmt: skip
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return json.load(answer)

        talk = converse(lambda talk: post("/v1/messages", talk.request), provider, "anthropic")
        check(lines_of(store, 2), "proxy", "usual")
        plain = Talk("anthropic", tools=()).says("hello").request
        post("/p/my%20shop/v1/messages", plain)
        post("/p/shop/v1/messages", plain, **{"x-headroom-project": "from the header"})
        post("/v1/messages/count_tokens", plain)  # nobody charges for it
        provider.script(Reply(status=400))
        with pytest.raises(urllib.error.HTTPError):
            post("/v1/messages", plain)
        lines = lines_of(store, 5)
        assert [line["project"] for line in lines[2:]] == ["my shop", "from the header", "usual"]
        assert all("headroom" not in name for record in provider.requests for name in record.headers)
        stats = proxy.stats()
        asked = post("/p/shop/v1/compress", {"messages": talk.request["messages"], "model": "claude-opus-5"})
        made = lines_of(store, 6)[5]
        assert (made["verb"], made["project"], made["model"]) == ("library", "shop", "claude-opus-5")
        assert made["tokens"] == {"before": asked["tokens_before"], "after": asked["tokens_after"]}
        for path in ("/v1/retrieve/abcdefgh2345", "/stats/requests/1"):  # a prefix opens nothing
            statuses = set()
            for prefix in ("", "/p/x"):
                with pytest.raises(urllib.error.HTTPError) as refused:
                    urllib.request.urlopen(proxy.url + prefix + path, timeout=30)
                statuses.add(refused.value.code)
                refused.value.close()
            assert len(statuses) == 1
            assert statuses <= {401, 403, 404}
    sums = money.report(lines)
    check_agrees(sums)
    assert sums["all"]["money"]["cost"] == round(1000 * stats["money"]["measured"])
    assert sums["all"]["money"]["saved"] == round(1000 * stats["money"]["estimated_saving"])
    assert sums["all"]["usage"]["input"] == stats["usage"]["input"]
    assert (sums["all"]["before"], sums["all"]["after"]) == (stats["tokens"]["before"], stats["tokens"]["after"])


PATHS = {
    b"/p/shop/v1/messages": (b"/v1/messages", "shop"),
    b"/p/a%2Fb%0A/v1/messages": (b"/v1/messages", "a/b"),
    b"/p/shop/p/other/v1": (b"/p/other/v1", "shop"),
    b"/p/%20%0A/v1": (b"/v1", ""),
    b"/p/shop": (b"/p/shop", ""),
    b"/p//v1/messages": (b"/p//v1/messages", ""),
    b"/pets/shop/v1": (b"/pets/shop/v1", ""),
    b"/p/" + b"x" * 301 + b"/v1": (b"/p/" + b"x" * 301 + b"/v1", ""),
    b"/v1/messages": (b"/v1/messages", ""),
}


@pytest.mark.parametrize(("raw", "wanted"), PATHS.items(), ids=range(len(PATHS)))
def test_a_prefix_names_a_project(raw, wanted):
    scope = {"type": "http", "headers": [], "raw_path": raw, "path": raw.decode()}
    made = projects.labelled(scope, "")
    assert (made["raw_path"], made["headroom.project"]) == wanted
    assert projects.labelled(scope, "usual")["headroom.project"] == (wanted[1] or "usual")
    assert projects.labelled({"type": "lifespan"}, "x") == {"type": "lifespan"}


def test_the_library_keeps_the_ledger_where_there_is_a_store(tmp_path, monkeypatch):
    store = tmp_path / "s"
    talk = Talk("anthropic").says("why?")
    headroom_cli.compress([{"role": "user", "content": "hello"}], store=str(store))
    assert not store.exists()
    talk.heard({"content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "make"}}]})
    messages = talk.result("t1", LOG).items
    made = headroom_cli.compress(messages, model="claude-opus-5", store=str(store))
    headroom_cli.compress_many([messages, messages], store=str(store), workers=1)
    lines = lines_of(store, 3)
    assert [line["verb"] for line in lines] == ["library"] * 3
    assert lines[0]["tokens"] == {"before": made.tokens_before, "after": made.tokens_after}
    assert lines[0]["tools"]["Bash"]["blocks"] == 1
    assert lines[0]["model"] == "claude-opus-5"
    check_agrees(sums := money.report(lines))
    assert sums["all"]["uncalled"]["runs"] == 3
    # A ledger that cannot be written costs nothing else.
    (store / "ledger").rename(tmp_path / "gone")
    (store / "ledger").write_text("")
    again = headroom_cli.compress(messages, model="claude-opus-5", store=str(store))
    assert again.messages == made.messages
    assert not again.warnings


def test_a_pipe_names_the_tool_and_the_working_tree(headroom, tmp_path):
    (tmp_path / ".git").mkdir()
    talk = Talk("anthropic").says("why?")
    talk.heard({"content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "make"}}]})
    data = json.dumps(talk.result("t1", LOG).request).encode()
    for flags in ((), ("--project", "other")):
        done = headroom("crush", "-q", "--store", str(tmp_path / "s"), *flags, stdin=data, env={"HOME": "/nowhere"})
        assert done.returncode == 0
    lines = lines_of(tmp_path / "s", 2)
    assert [line["project"] for line in lines] == [tmp_path.name, "other"]
    assert lines[0]["tools"]["Bash"]["before"] > 10_000
    assert subprocess.run(["grep", "-r", "worker", tmp_path / "s" / "ledger"], check=False).returncode == 1


@pytest.mark.parametrize(("said", "seconds"), [
    ("7d", 7 * 86_400), ("24h", 86_400), ("30m", 1800), ("2w", 14 * 86_400), ("0d", 0), ("999999w", 999_999 * 604_800),
])  # fmt: skip
def test_since_takes_a_span(said, seconds):
    assert stats._since(said) == pytest.approx(time.time() - seconds, abs=60)


@pytest.mark.parametrize(("said", "when"), [
    ("2026-11-01", 1_793_491_200), ("2026-11-01T12:00", 1_793_534_400), ("2026-11-01T12:00+02:00", 1_793_527_200),
    ("1970-01-01", 0),
])  # fmt: skip
def test_since_takes_a_time(said, when):
    assert stats._since(said) == when


@pytest.mark.parametrize("said", ["d", "-7d", "7", "soon", "7.5d", "\u0667d", "2026-13-01", "1e3d", "7d7d", "\ud800"])
def test_since_refuses_what_is_no_time(said):
    with pytest.raises(UsageError, match="since"):
        stats._since(said)


def test_the_table_for_programs_adds_up_and_holds_no_formula(headroom, tmp_path):
    store = str(tmp_path / "s")
    for name, saved in (("=1+1", 5), ("-x", 7), ('a,b\n"c"', 9), ("plain", 11), ("\uff1d1", 0)):
        kinds = {"log": {"blocks": 1, "before": 100, "after": 100 - saved}}
        ledger.append(store, {"when": 1.7e9, "verb": "crush", "model": name, "project": name, "kinds": kinds})
    done = headroom("stats", "--csv", "--store", store)
    rows = list(csv.DictReader(done.stdout.decode().splitlines()))
    assert rows[0]["saved"] == "32"
    for group in ("verb", "model", "project", "day"):
        assert sum(int(row["saved"]) for row in rows if row["group"] == group) == 32
    assert {row["name"] for row in rows if row["group"] == "model"} == {
        "'=1+1", "'-x", 'a,b\\n"c"', "plain", "'\uff1d1",
    }  # fmt: skip
    shown = headroom("stats", "--store", store, "--by", "model").stdout.decode()
    assert "=1+1" in shown
    assert "cost" not in shown.splitlines()[0]  # nothing was called
