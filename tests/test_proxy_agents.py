"""Agents hold whole conversations through the proxy: less goes out, nothing breaks, and no prefix changes a byte."""

import contextlib
import json
import re

import pytest
from agents import AGENTS, Socket, assert_prefixes, elements, members, of_the_conversation, run, script
from provider import Provider, Reply, call, text, thinking
from proxies import Running

OURS = "retrieve_original_content"
LOG = "".join(f"2026-01-01T00:{i // 60:02d}:{i % 60:02d}Z INFO worker {i} took batch {i * 37}\n" for i in range(450))
LOG += "2026-01-01T00:15:00Z ERROR worker 31: no space left on device\n"
SOURCE = "".join(f"def add_{i}(value):\n    return value + {i}\n\n\n" for i in range(200))
ANSWER = "The disk is full."
HANDLE = re.compile(r"<<headroom:([a-z2-7]{12,}) ")


@pytest.fixture(params=AGENTS)
def agent(request, tmp_path):
    return at_home(AGENTS[request.param], tmp_path / "home")


def at_home(kind, home):
    """Return an agent with something to look at."""
    (home / "work").mkdir(parents=True)
    (home / "work" / "build.log").write_text(LOG)
    (home / "work" / "adding.py").write_text(SOURCE)
    return kind(home)


def conversation(agent):
    """Return what a model says that looks around, in two runs."""
    return script(
        Reply([text("I look."), agent.shell(1, "cat build.log")]),
        Reply([agent.read(2, agent.home / "work" / "adding.py"), agent.shell(3, "cat build.log")]),
        Reply([text(ANSWER)]),
        Reply([agent.shell(4, "tail -n 300 build.log")]),
        Reply([text("Nothing else.")]),
    )


@contextlib.contextmanager
def way_to_a_provider(way, place):
    """Yield a provider and the address to ask it at: its own, or a proxy's."""
    with Provider() as provider, contextlib.ExitStack() as stack:
        url = provider.url
        if way == "proxy":
            url = stack.enter_context(Running(place / "store", url)).url
        yield provider, url


def asked(provider):
    """Return the requests of the conversation; everything that an agent asked must have been taken."""
    assert provider.accepted == len(provider.asked)
    return [record for record in provider.requests if of_the_conversation(record)]


def hold(agent, provider, url):
    """Hold the conversation; return its requests."""
    provider.script(conversation(agent))
    assert ANSWER in run(agent, "Why does the build fail?", url)
    assert "Nothing else." in run(agent, "And what else?", url, resumed=True)
    return asked(provider)


def test_a_conversation_fresh_and_resumed(agent, tmp_path):
    with way_to_a_provider("direct", tmp_path) as (provider, url):
        plain = hold(at_home(type(agent), tmp_path / "direct"), provider, url)
    assert_prefixes(plain, agent.items)  # without that the rest would prove nothing
    with way_to_a_provider("proxy", tmp_path) as (provider, url):
        shorter = hold(agent, provider, url)
    assert_prefixes(shorter, agent.items)
    assert len(shorter) == len(plain) == 5
    sizes = [[len(dict(members(record.body))[agent.items]) for record in records] for records in (plain, shorter)]
    assert sizes[1][-1] < sizes[0][-1] * 0.7, sizes
    # The error of the log is read in place, whatever was left out around it.
    assert "no space left on device" in shorter[1].body.decode()
    for record in shorter:
        assert record.json["tools"][-1]["name"] == OURS


def test_a_conversation_over_a_websocket(tmp_path):
    seen = []
    for way in ("direct", "proxy"):
        with way_to_a_provider(way, tmp_path) as (provider, url):
            seen.append(hold(at_home(Socket, tmp_path / way), provider, url))
    assert [record.method for record in seen[1]] == [record.method for record in seen[0]]
    assert {record.method for record in seen[1]} == {"MESSAGE"}
    for one, other in zip(*seen, strict=True):
        assert [item["type"] for item in other.json["input"]] == [item["type"] for item in one.json["input"]]
        assert OURS not in other.body.decode()


def reader(handles):
    """Return a turn of a model that reads the first original that a marker names."""

    def reply(record):
        found = HANDLE.search(record.body.decode().replace("\\u003c", "<"))
        handles.append(found[1])
        return Reply([text("I read it whole. "), call("toolu_ours", OURS, {"handle": found[1]})])

    return reply


def test_an_original_is_read_where_the_agent_does_not_see_it(agent, tmp_path):
    handles = []
    with way_to_a_provider("proxy", tmp_path) as (provider, url):
        provider.script(
            script(
                Reply([agent.shell(1, "cat build.log")]),
                reader(handles),
                Reply([text(ANSWER)]),
                Reply([agent.shell(2, "cat adding.py")]),
                Reply([text("Nothing else.")]),
            )
        )
        said = run(agent, "Why does the build fail?", url)
        said += run(agent, "And what else?", url, resumed=True)
        requests = asked(provider)
    assert ANSWER in said
    assert OURS not in said
    # What the agent keeps of the conversation has no word of it either.
    kept = [path.read_text(errors="replace") for path in agent.home.rglob("*.jsonl")]
    assert any(ANSWER in words for words in kept)
    assert not any(OURS in words or "<<headroom:" in words for words in kept)
    # The call went on with the original, and that turn stands in every later request in the same bytes.
    assert len(requests) == 5
    original = json.dumps(LOG.splitlines()[200])[1:-1]
    assert original not in requests[1].body.decode()
    assert original in elements(dict(members(requests[2].body))[agent.items])[-1]
    assert_prefixes(requests, agent.items, ours={2})


LOOKS = (
    "head -n 200 build.log", "cat adding.py", "ls -laR /usr/share/zoneinfo | head -n 300", "grep -n return adding.py",
    "tail -n 250 build.log", "python3 -c 'import json; print(json.dumps([dict(id=i, n=str(i)) for i in range(400)]))'",
    "grep -c INFO build.log", "head -n 200 build.log | sed s/took/left/",
)  # fmt: skip


@pytest.mark.parametrize("name", ["claude", "codex", pytest.param("bedrock", marks=pytest.mark.long)])
def test_thirty_turns_change_no_byte_of_a_prefix(name, tmp_path):
    """Thinking is signed in each turn; marks for a cache are where and what the agent set."""

    def replies(agent):
        for turn in range(30):
            signed = thinking(f"Step {turn}.", signature=f"c2ln{turn:04d}")
            yield Reply([signed, agent.shell(turn, LOOKS[turn % len(LOOKS)])])

    seen = []
    for way in ("direct", "proxy"):
        with way_to_a_provider(way, tmp_path) as (provider, url):
            agent = at_home(AGENTS[name], tmp_path / way)
            provider.script(script(*replies(agent), Reply([text(ANSWER)])))
            assert ANSWER in run(agent, "Why does the build fail?", url)
            seen.append(asked(provider))
    plain, shorter = seen
    assert len(shorter) == len(plain) == 31
    assert_prefixes(plain, agent.items)
    assert_prefixes(shorter, agent.items)
    assert len(shorter[-1].body) < len(plain[-1].body) * 0.7
    for one, other in zip(plain, shorter, strict=True):
        assert marks(other) == marks(one)
        assert thoughts(other) == thoughts(one)
    assert len(thoughts(shorter[-1])) == 30


def marks(record):
    """Return every cache_control of a request."""
    return re.findall(r'"cache_control":\{[^{}]*\}', record.body.decode())


def thoughts(record):
    """Return the thinking of a request as its bytes stand."""
    found = r'\{"type":"thinking"[^{}]*\}|\{"type":"reasoning".*?"encrypted_content":"[^"]*"'
    return re.findall(found, record.body.decode())


def test_agents_of_an_agent_have_conversations_of_their_own(tmp_path):
    """Two at a time, with the session of the one that called them."""
    names = ("build.log", "adding.py")
    calls = [
        call(
            f"toolu_{name}", "Agent", {"description": "look", "prompt": f"Look into {name}", "subagent_type": "Explore"}
        )
        for name in names
    ]

    def whose(record):
        begin = json.dumps(record.json["messages"][0])
        return next((name for name in names if f"Look into {name}" in begin), "")

    def reply(record):
        again = any(message["role"] == "assistant" for message in record.json["messages"])
        name = whose(record)
        if not name:
            return Reply([text(ANSWER)] if again else calls)
        look = agent.shell(name, f"cat {name}")
        return Reply([text(f"I looked into {name}.")] if again else [look])

    agent = at_home(AGENTS["claude"], tmp_path / "home")
    with way_to_a_provider("proxy", tmp_path) as (provider, url):
        provider.script(reply)
        assert ANSWER in run(agent, "Why does the build fail?", url)
        requests = asked(provider)
    assert len(requests) == 6
    for name in ("", *names):
        assert_prefixes([record for record in requests if whose(record) == name], agent.items)
    of_the_log = max(len(record.body) for record in requests if whose(record) == "build.log")
    assert of_the_log < min(len(record.body) for record in requests if whose(record) == "build.log") + len(LOG) / 4
    assert all(f"I looked into {name}." in requests[-1].body.decode() for name in names)
