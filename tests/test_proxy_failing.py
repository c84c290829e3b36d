"""Whatever happens to what shortens requests, they go on: a plugin does here what a broken part of ours might do."""

import json
import time

import httpx
import pytest
from provider import Provider, Reply, call, text
from proxies import Running
from test_proxy import ANTHROPIC, MARKED, first, then

PLUGIN = """
import ctypes, time

class Plugin:
    def on_pipeline_event(self, event):
        if event.stage != "input_received":
            return None
        words = str(event.messages[0]["content"])
        if "raise" in words:
            raise ValueError("a secret of the conversation")
        if "hang" in words:
            while True:
                pass
        if "sleep" in words:
            time.sleep(600)
        if "grow" in words:
            self.kept = []
            size = 1 << 20
            while size:  # and what is left over in small pieces
                try:
                    self.kept.append(bytes(size))
                except MemoryError:
                    size //= 2
        if "crash" in words:
            ctypes.string_at(0)
        return None

PLUGIN = Plugin()
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("failing")
    (folder / "bad_plugin.py").write_text(PLUGIN)
    made = folder / "bad_plugin-1.0.dist-info"
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: bad-plugin\nVersion: 1.0\n")
    (made / "entry_points.txt").write_text("[headroom.plugins.v1]\nbad = bad_plugin:PLUGIN\n")
    flags = ("--plugin", "bad", "--time-limit", "1")
    with Provider() as provider, Running(
        folder / "store", provider.url, *flags, environment={"PYTHONPATH": str(folder)}
    ) as proxy:  # fmt: skip
        yield provider, proxy


def post(proxy, request):
    body = json.dumps(request).encode()
    headers = {**ANTHROPIC, "content-type": "application/json"}
    return body, httpx.post(f"{proxy.url}/v1/messages", content=body, headers=headers, timeout=60)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("hang", "the worker took too long"),
        ("sleep", "the worker took too long"),
        ("grow", "the worker needed too much memory"),
        ("crash", "the worker crashed"),
    ],
)
def test_a_worker_that_fails_costs_its_request_the_savings_and_nothing_else(running, fault, why):
    provider, proxy = running
    provider.script(Reply([text("ok")]))
    begun = time.monotonic()
    body, answer = post(proxy, then(first(f"please {fault}")))
    assert time.monotonic() - begun < 20  # of which one second is the limit
    assert answer.json()["content"][0]["text"] == "ok"
    assert provider.requests[-1].body == body
    assert answer.headers["x-headroom-why-not"] == why
    proxy.wait_said(why)
    provider.script(Reply([call("t1", "Bash", {"command": "cat worker.log"})]))
    request = first(f"be good after {fault[:2]}")
    post(proxy, request)
    provider.script(Reply([text("ok")]))
    post(proxy, then(request))
    assert MARKED.search(provider.requests[-1].body)
    assert proxy.stats()["why_not"][why] >= 1


def test_a_plugin_that_raises_is_left_aside(running):
    provider, proxy = running
    provider.script(Reply([call("t1", "Bash", {"command": "cat worker.log"})]))
    request = first("please raise")
    post(proxy, request)
    provider.script(Reply([text("ok")]))
    post(proxy, then(request))
    assert MARKED.search(provider.requests[-1].body)
    assert not [line for line in proxy.said if "secret" in line]
