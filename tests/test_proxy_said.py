"""What a proxy says on standard error, and that nobody who does not read it can hold it up."""

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import httpx
import pytest
from proxies import Running

REQUEST = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}


def lose_workers(pid):
    for worker in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(worker), signal.SIGKILL)


def told_something(url, pid):
    """Make the proxy say something, and get an answer all the same."""
    for _ in range(3):
        lose_workers(pid)
        answer = httpx.post(url + "/v1/messages", json=REQUEST, timeout=20)
        assert answer.status_code == 502
        assert "provider" in answer.json()["error"]["message"]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_a_full_pipe_holds_nothing_up(tmp_path):
    made = Running(tmp_path / "store", "http://127.0.0.1:1")
    with subprocess.Popen(made.command, env=made.environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            url = json.loads(process.stderr.readline())["listening"]
            full = os.open(f"/proc/{process.pid}/fd/2", os.O_WRONLY | os.O_NONBLOCK)
            with contextlib.suppress(BlockingIOError):
                while os.write(full, b"x" * 4096):
                    pass
            os.close(full)
            told_something(url, process.pid)
            process.terminate()
            assert process.wait(20) == 0
        finally:
            process.kill()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_what_was_said_last_is_written(tmp_path):
    with Running(tmp_path / "store", "http://127.0.0.1:1") as proxy:
        told_something(proxy.url, proxy.pid)
    assert any("not shortened" in line for line in proxy.said)
