"""Several proxies on one store, as behind a load balancer that remembers nobody, and talks that hop between them.

    with Replicas(folder, store, provider.url, count=3) as replicas:
        talks = [Talk(number, turns=6) for number in range(20)]
        play(replicas, talks)
        assert model.broken(talks) == []

Each proxy has a folder of its own for what it keeps at hand, as if it were on a machine of its own. The balancer leaves
out for a second who refused a connection. A client sends a request again where no answer came (a connection that was
refused or ended), at most twice more, as the SDKs of providers do; an answer of any status counts as one.
"""

import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
from provider import Reply, call, thinking
from proxies import Running

TOOL = "retrieve_original_content"
KEY = {"anthropic-version": "2023-06-01"}
BASH = {"name": "Bash", "description": "run", "input_schema": {"type": "object"}}
AGAIN = (0.5, 1.0)  # seconds before a request is sent again: the waits of the SDKs
_NAME = re.compile(rb"talk-(\d+)-of-(\w+)")
_BREAKPOINT = re.compile(rb',"cache_control":\{"type":"ephemeral"\}')  # stands at the newest turn, and is no text
_MARKER = re.compile(r"<<headroom:([a-z2-7]{12,}) ")


class Replicas:
    """The proxies. ``balance()`` gives the next one's address; ``kill`` and ``start`` end one and start another."""

    def __init__(self, folder, store, provider, *flags, count=3, environment=None):
        """``store(folder)`` is the URL with that folder at hand."""
        self.folder = folder
        self.store = store
        self.provider = provider
        self.flags = flags
        self.environment = environment or {}
        self.count = count
        self.running = [None] * count
        self.started = 0
        self.said = []
        self._next = 0
        self._old = [""] * count  # addresses of those that have ended
        self._refused = {}  # address -> when it refused a connection
        self._lock = threading.Lock()

    def __enter__(self):
        for number in range(self.count):
            self.start(number)
        return self

    def __exit__(self, *_):
        for number, one in enumerate(self.running):
            if one is not None:
                one.process.terminate()
                self._left(number)

    def start(self, number):
        """Start one with nothing at hand."""
        self.started += 1
        home = self.folder / f"machine{self.started}"
        home.mkdir(parents=True)
        environment = {"HOME": str(home), "XDG_DATA_HOME": str(home), **self.environment}
        one = Running(self.store(home / "at-hand"), self.provider, *self.flags, environment=environment)
        self.running[number] = one.__enter__()

    def end(self, number):
        """End one as an upgrade does: with SIGTERM, and it finishes what is under way."""
        self._left(number)

    def kill(self, number):
        """End one with SIGKILL, in the middle of whatever it does."""
        self.running[number].process.kill()
        self._left(number)

    def _left(self, number):
        one, self.running[number] = self.running[number], None
        self._old[number] = one.url
        one.stop()
        self.said += one.said

    def balance(self):
        """Return the address of the next proxy that has not refused a connection within a second."""
        with self._lock:
            for _ in range(self.count):
                self._next += 1
                one = self.running[self._next % self.count]
                url = one.url if one is not None else self._old[self._next % self.count]
                if time.monotonic() - self._refused.get(url, -1.0) > 1.0:
                    break
        return url

    def refused(self, url):
        """Note that nobody listens there."""
        self._refused[url] = time.monotonic()


class Talk:
    """One conversation as its client has it."""

    def __init__(self, number, turns, *, family="x", lines=120):
        self.name = f"talk-{number}-of-{family}"
        self.number = number
        self.turns = turns
        self.stream = number % 2 == 1
        self.lines = lines
        self.request = {
            "model": "claude-opus-4-8", "max_tokens": 2000, "stream": self.stream, "tools": [BASH],
            "messages": [{"role": "user", "content": f"What do the logs of {self.name} say?"}],
        }  # fmt: skip
        self.retries = 0
        self.failed = []  # statuses that are none of success, and requests that nobody answered
        self.took = []

    def output(self, turn):
        """Return what the tool gives in a turn."""
        said = "".join(
            f"2026-01-01 00:{i // 60:02d}:{i % 60:02d} INFO worker {i % 7} of {self.name} has parcel {i * 3 + turn}\n"
            for i in range(self.lines)
        )
        return f"{said}2026-01-01 01:00:00 ERROR worker {turn} of {self.name} lost parcel {turn * 977}\n"

    def key(self):
        """Return the credential: three talks share one."""
        return {**KEY, "x-api-key": f"sk-ant-{self.number % 3}"}

    def step(self, client, replicas, turn):
        """Have one turn answered."""
        began = time.monotonic()
        answer = None
        for wait in (*AGAIN, None):
            try:
                url = replicas.balance()
                answer = client.post(f"{url}/v1/messages", json=self.request, headers=self.key())
                break
            except httpx.TransportError as error:
                if isinstance(error, httpx.ConnectError):
                    replicas.refused(url)
                if wait is None:
                    self.failed.append(f"{self.name} turn {turn}: {error!r}")
                    return False
                self.retries += 1
                time.sleep(wait)
        self.took.append(time.monotonic() - began)
        if answer.status_code != 200:
            self.failed.append(f"{self.name} turn {turn}: {answer.status_code} {answer.text[:200]}")
            return False
        content = streamed(answer.text) if self.stream else answer.json()["content"]
        calls = [block for block in content if block["type"] == "tool_use"]
        if [block["name"] for block in calls] != ["Bash"]:
            self.failed.append(f"{self.name} turn {turn}: {content}")
            return False
        result = {"type": "tool_result", "tool_use_id": calls[0]["id"], "content": self.output(turn)}
        self.request["messages"] += [{"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
        return True


def streamed(text):
    """Return the blocks of an answer from its events; [] where its end is missing."""
    blocks = []
    for line in text.splitlines():
        if not line.startswith("data: "):
            continue
        event = json.loads(line[6:])
        if event["type"] == "content_block_start":
            blocks.append(dict(event["content_block"]))
            blocks[-1].pop("input", None)
        elif event["type"] == "content_block_delta":
            delta = event["delta"]
            for name in ("text", "thinking", "signature", "partial_json"):
                if name in delta:
                    blocks[-1][name] = blocks[-1].get(name, "") + delta[name]
        elif event["type"] == "message_stop":
            for block in blocks:
                if block["type"] == "tool_use":
                    block["input"] = json.loads(block.pop("partial_json", "") or "{}")
            return blocks
    return []


class Model:
    """What the provider answers, and what it was sent: ``seen[talk][turn]`` are the bodies of a turn.

    It calls the client's tool in every turn, and ours first where there is a marker, every ``often`` turns.
    """

    def __init__(self, often=3):
        self.often = often
        self.seen = {}
        self.wants = []  # (talk, turn, handle) of each original that was asked for
        self.given = 0
        self.refused = []
        self._lock = threading.Lock()

    def __call__(self, record):
        """Answer one request."""
        body = _BREAKPOINT.sub(b"", record.body)
        name = _NAME.search(body)[0].decode()
        value = json.loads(body)
        turns = sum(
            block["tool_use_id"].startswith("t") for turn in value["messages"] if isinstance(turn["content"], list)
            for block in turn["content"] if block["type"] == "tool_result"
        )  # fmt: skip
        last = value["messages"][-1]["content"]
        hop = isinstance(last, list) and str(last[-1].get("tool_use_id", "")).startswith("r")
        with self._lock:
            self.seen.setdefault(name, {}).setdefault(turns, []).append(body)
        thought = thinking(f"turn {turns}, {'again' if hop else 'first'}")
        if hop:
            self._look(name, turns, json.dumps(last[-1]))
        elif turns and turns % self.often == 0 and TOOL in json.dumps(value.get("tools")):
            handles = _MARKER.findall(json.dumps(value["messages"]))
            if handles:
                handle = handles[turns // 2 % len(handles)]
                with self._lock:
                    self.wants.append((name, turns, handle))
                return Reply([thought, call(f"r{turns}", TOOL, {"handle": handle})])
        return Reply([thought, call(f"t{turns + 1}", "Bash", {"command": f"logs {turns + 1}"})])

    def _look(self, name, turn, result):
        with self._lock:
            if f"of {name} has parcel 18" in result:  # in a line that every rendering leaves out
                self.given += 1
            else:
                self.refused.append((name, turn, result[:300]))

    def broken(self, talks):
        """Return (talk, turn, what) for every turn that does not begin with the bytes of the turn before it."""
        found = []
        for talk in talks:
            turns = self.seen.get(talk.name, {})
            for turn in sorted(turns)[1:]:
                if turn - 1 in turns:
                    before, after = turns[turn - 1][-1], turns[turn][-1]
                    first = next((b for b in turns[turn] if b == turns[turn][0]), after)
                    end = len(before) - len(tail(before))
                    if first[:end] != before[:end]:
                        found.append((talk.name, turn, where(before[:end], first)))
        return found

    def handles(self):
        """Return every handle that the provider was shown, with the talk that it was shown in."""
        found = {}
        for name, turns in self.seen.items():
            for bodies in turns.values():
                for body in bodies:
                    for handle in _MARKER.findall(body.decode()):
                        found[handle] = name
        return found

    def shortened(self, talk):
        """Return how many outputs were shortened in the last request of a talk."""
        turns = self.seen.get(talk.name, {})
        return len(set(_MARKER.findall(turns[max(turns)][-1].decode()))) if turns else 0


def tail(body):
    """Return what stands behind the last turn of a request."""
    return re.search(rb"\]\s*(,[^\[\]]*)?\}$", body)[0]


def where(before, after):
    """Say where two bodies part."""
    at = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after)))
    return f"at {at} of {len(before)}: {before[max(0, at - 60) : at + 60]!r} / {after[max(0, at - 60) : at + 60]!r}"


def play(replicas, talks, *, threads=6, each=None):
    """Play all talks, some at a time; ``each(done)`` is called after every turn with how many there were."""
    done = [0]
    lock = threading.Lock()

    def run(talk):
        with httpx.Client(timeout=60, limits=httpx.Limits(max_keepalive_connections=0)) as client:
            for turn in range(1, talk.turns + 1):
                if not talk.step(client, replicas, turn):
                    return
                with lock:
                    done[0] += 1
                    number = done[0]
                if each is not None:
                    each(number)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, talks))
