"""Several serving processes and the one that watches: none outlives it; a closed terminal ends all that began there."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from proxies import Running
from proxy_cases import family


def is_there(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1] != "Z"
    except OSError:
        return False


def wait_gone(pids, seconds=20):
    until = time.monotonic() + seconds
    while any(is_there(pid) for pid in pids):
        assert time.monotonic() < until, "still there"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_nobody_serves_on_without_the_one_that_watches(tmp_path, number):
    with Running(tmp_path / "store", "", "--workers", "2") as proxy:
        pids = family(proxy.pid)
        assert len(pids) >= 3
        assert proxy.stop(number) == (-9 if number == signal.SIGKILL else 0)
        wait_gone(pids)


def test_a_closed_terminal_ends_it_in_good_order(tmp_path):
    path = tmp_path / "socket"
    with Running(tmp_path / "store", "", "--unix", path) as proxy:
        assert proxy.stop(signal.SIGHUP) == 0
    assert not path.exists()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_who_is_to_outlive_its_terminal_does(tmp_path, workers):
    made = Running(tmp_path / "store", "", "--workers", workers)
    process = subprocess.Popen(
        ["nohup", *made.command], env=made.environment, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    with process:
        try:
            while "listening" not in process.stderr.readline():
                pass
            pids = family(process.pid)
            for pid in pids:
                os.kill(pid, signal.SIGHUP)
            time.sleep(0.3)
            assert all(is_there(pid) for pid in pids)
            process.terminate()
            assert process.wait(20) == 0
        finally:
            process.kill()
