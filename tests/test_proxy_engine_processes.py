"""Worker processes come and go with the pool, leave nothing behind, and know no keys."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from types import MappingProxyType

import pytest
from conftest import ROOT
from engine_pool import LONG, LOOPS, alive, fails, free, on, once, pool, until

from headroom_cli.serve import engines as pool_module
from headroom_cli.serve.engine_process import variables
from headroom_cli.serve.engines import EngineError, Engines
from headroom_cli.serve.options import Serving


@pytest.fixture(params=LOOPS, ids=lambda factory: factory.__module__.split(".", maxsplit=1)[0])
def run(request):
    return on(request.param)


# --- processes that come and go


def test_starting_does_not_wait_for_the_processes():
    async def body():
        made = Engines(Serving("store"), jobs="engine_jobs")
        assert await fails(made, "echo", 1) == "stopped"
        await made.start()
        assert not made.ready
        assert await made.do("echo", 1, seconds=LONG) == 1
        assert made.ready
        await made.close()
        assert not made.ready
        assert await fails(made, "echo", 1) == "stopped"
        await made.close()

    once(body)


def test_an_idle_process_that_dies_is_replaced(run):
    async def body():
        async with pool(engines=2) as engines:
            await until(lambda: free(engines) == 2)
            assert await asyncio.gather(*(engines.do("echo", i, seconds=LONG) for i in range(2))) == [0, 1]
            for process in list(engines._processes):
                os.kill(process.pid, signal.SIGKILL)
            await until(lambda: engines.counters["restarts"] == 2)
            assert await engines.do("echo", 1, seconds=LONG) == 1
            await until(lambda: free(engines) == 2)
            assert engines.counters["failed"] == {}

    run(body)


def test_signals_that_are_meant_for_the_parent_do_not_end_a_process():
    async def body():
        async with pool(engines=1) as engines:
            pid = await engines.do("pid", seconds=LONG)
            running = asyncio.create_task(engines.do("sleeps", 0.2, seconds=LONG))
            await asyncio.sleep(0.05)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(pid, number)
            assert await running == pid

    once(body)


def test_processes_that_cannot_start_do_not_spin():
    async def body():
        async with pool(engines=2, jobs="there_is_no_such_module") as engines:
            assert await fails(engines, "echo", 1) == "crashed"
            began = time.monotonic()
            assert await fails(engines, "echo", 1) == "crashed"
            await asyncio.sleep(1.0)
            tries = engines.counters["restarts"]
            # 0.2 + 0.4 + 0.8 s... after the first three.
            assert tries <= 4 + (time.monotonic() - began) / 0.4
            assert not engines.ready

    once(body)


def test_processes_that_can_start_again_do(monkeypatch, tmp_path):
    (tmp_path / "sometimes_jobs.py").write_text(
        "import os\n"
        f"def open(serving):\n    assert os.path.exists({str(tmp_path / 'flag')!r})\n"
        "JOBS = {'pid': lambda state: os.getpid()}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    async def body():
        async with pool(engines=2, jobs="sometimes_jobs") as engines:
            assert await fails(engines, "pid") == "crashed"
            await until(lambda: not engines._processes)  # now one is tried, and when that lives the other is started
            (tmp_path / "flag").write_text("")
            await until(lambda: free(engines) == 2)
            assert await engines.do("pid", seconds=LONG)

    once(body)


def test_a_machine_without_room_for_processes_is_asked_again(monkeypatch):
    real, refused = pool_module.Process, []

    def sometimes(*arguments):
        if len(refused) < 4:
            refused.append(1)
            raise BlockingIOError
        return real(*arguments)

    monkeypatch.setattr(pool_module, "Process", sometimes)

    async def body():
        async with pool(engines=2) as engines:
            assert await fails(engines, "echo", 1) == "crashed"
            await until(lambda: free(engines) == 2)
            assert await engines.do("echo", 1, seconds=LONG) == 1

    once(body)


def test_what_cannot_travel_to_a_process_is_said_at_once():
    async def body():
        with pytest.raises((TypeError, AttributeError)):
            await Engines(Serving("store", plugins=(lambda: None,)), jobs="engine_jobs").start()

    once(body)


def test_a_process_that_hangs_at_its_start_is_ended(monkeypatch, tmp_path):
    (tmp_path / "hanging_jobs.py").write_text("while True: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(pool_module, "START_SECONDS", 0.3)

    async def body():
        async with pool(engines=1, jobs="hanging_jobs") as engines:
            pids = [process.pid for process in engines._processes]
            assert await fails(engines, "pid") == "crashed"
            await until(lambda: not any(map(alive, pids)))

    once(body)


def test_a_process_that_did_much_is_replaced_without_a_gap():
    async def body():
        async with pool(engines=1) as engines:
            pid = await engines.do("pid", seconds=LONG)
            for _ in range(1900):
                await engines.do("echo", 1, seconds=LONG)
            assert await engines.do("pid", seconds=LONG) == pid
            while await engines.do("pid", seconds=LONG) == pid:
                assert engines.ready
                assert engines.counters["done"] < 200_000
            await until(lambda: not alive(pid))
            assert engines.counters["failed"] == {}
            assert engines.counters["restarts"] == 1
            assert engines.counters["done"] > 2000

    once(body)


def test_a_process_that_grew_is_replaced_without_a_gap():
    async def body():
        async with pool(engines=1) as engines:
            pid = await engines.do("keeps", 420 << 20, seconds=LONG)
            while await engines.do("sleeps", 0.05, seconds=LONG) == pid:
                assert engines.counters["done"] < 1000  # far from having done much
            await until(lambda: not alive(pid))
            assert engines.counters["failed"] == {}
            assert engines.counters["restarts"] == 1

    once(body)


# --- what stays behind: nothing


def test_closing_in_the_middle_of_jobs_leaves_nothing(run, tmp_path):
    async def body():
        await asyncio.to_thread(int)  # what the loop itself opens, it has now
        before = set(os.listdir("/dev/fd"))
        for count in range(3):
            engines = Engines(Serving("store"), jobs="engine_jobs")
            await engines.start()
            path = str(tmp_path / f"begun{count}")
            jobs = [asyncio.create_task(fails(engines, "spins", path)) for _ in range(4)]
            if count:
                await until(lambda: os.path.exists(path))  # noqa: B023 - called now
            else:
                await asyncio.sleep(0)  # processes that have not begun either
            pids = [process.pid for process in engines._processes]
            await engines.close()
            assert await asyncio.gather(*jobs) == ["stopped"] * 4
            assert len(pids) == 2
            for pid in pids:
                with pytest.raises(ProcessLookupError):  # not even a zombie
                    os.kill(pid, 0)
        assert len(set(os.listdir("/dev/fd")) - before) <= 1  # the listing's own
        assert {task.get_name() for task in asyncio.all_tasks()} == {asyncio.current_task().get_name()}

    run(body)


def test_crashes_leave_no_files_open(run):
    async def body():
        async with pool(engines=2) as engines:
            await until(lambda: free(engines) == 2)
            before = len(os.listdir("/dev/fd"))
            for _ in range(5):
                assert await fails(engines, "exits") == "crashed"
            await until(lambda: free(engines) == 2)
            await until(lambda: len(os.listdir("/dev/fd")) == before)

    run(body)


PARENT = """
import asyncio, sys
from headroom_cli.serve.engines import Engines
from headroom_cli.serve.options import Serving

async def main():
    engines = Engines(Serving("store", engines=4), jobs="engine_jobs")
    await engines.start()
    jobs = [("spins", sys.argv[1] + "0"), ("sleeps", 600, sys.argv[1] + "1"),
            ("holds_the_interpreter", sys.argv[1] + "2")]
    running = [asyncio.create_task(engines.do(*job, seconds=600)) for job in jobs]
    await engines.do("echo", 1, seconds=600)
    print(*(process.pid for process in engines._processes), flush=True)
    await asyncio.gather(*running)

asyncio.run(main())
"""


def test_processes_do_not_outlive_a_parent_that_is_killed(tmp_path):
    path = str(tmp_path / "begun")
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, path], stdout=subprocess.PIPE, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))},
    ) as parent:  # fmt: skip
        try:
            pids = [int(word) for word in parent.stdout.readline().split()]
            assert len(pids) == 4
            end = time.monotonic() + 30
            while not all(os.path.exists(path + which) for which in "012"):
                assert time.monotonic() < end
                time.sleep(0.01)
            assert all(map(alive, pids))
        finally:
            parent.kill()
    end = time.monotonic() + 5  # it takes milliseconds, on a machine that has them
    while any(map(alive, pids)):
        assert time.monotonic() < end, [pid for pid in pids if alive(pid)]
        time.sleep(0.005)


# --- what they may know


def seen_from_outside(pid):
    """Return what the system shows of a process's environment and command line, to those that may look."""
    seen = b""
    for name in ("cmdline", "environ"):
        with suppress(PermissionError, FileNotFoundError), open(f"/proc/{pid}/{name}", "rb") as stream:
            seen += stream.read()
    return seen


def test_no_keys_are_in_an_environment(monkeypatch):
    for name in ("ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY", "HEADROOM_TOKEN", "https_proxy", "SOMEONES_PASSWORD"):
        monkeypatch.setenv(name, "sesame-0123")
    monkeypatch.setenv("HEADROOM_LEVEL", "max")
    secrets = MappingProxyType({"ANTHROPIC_API_KEY": "sesame-of-the-backend"})

    async def body():
        async with pool(engines=1, secrets=secrets, token="sesame-door", policy=MappingProxyType({"a": 1})) as engines:
            held = await engines.do("environment", seconds=LONG)
            assert "sesame" not in str(held)
            assert held["HEADROOM_LEVEL"] == "max"
            assert held["PATH"] == os.environ["PATH"]
            assert b"sesame" not in seen_from_outside(engines._processes[0].pid)
            # What it needs of keys came through the socket; what opens the proxy did not.
            assert await engines.do("secrets", seconds=LONG) == (dict(secrets), "", {"a": 1})

    once(body)


def test_a_backend_with_keys_of_its_own_finds_what_its_library_reads(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:3128")
    plain, backend = variables(Serving("store")), variables(Serving("store", backend="bedrock"))
    assert "https_proxy" not in plain
    assert "AWS_PROFILE" in plain  # says where credentials are, for requests that are signed anew
    assert {"AWS_PROFILE", "https_proxy"} <= set(backend)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits address space")
def test_memory_is_limited_and_written_nowhere():
    async def body():
        async with pool(engines=1, limits={"job_memory": 300 << 20}) as engines:
            memory, core = await engines.do("limits", seconds=LONG)
            assert memory == 300 << 20
            assert core == (0, 0)
            assert await fails(engines, "eats", 400 << 20) == "needed too much memory"
            assert await engines.do("eats", 1 << 20, seconds=LONG) == 1 << 20

    once(body)


# --- all of it together, in the order that chance gives

CHANCES = (
    (("spins",), 1), (("exits",), 1), (("segfaults",), 1), (("eats", 2 << 30), 1), (("raises",), 1),
    (("sleeps", 0.05), 1), (("goes_mad",), 1), (("echo", b"a"), 2), (("echo", b"b" * 3_000_000), 2),
)  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_at_once_the_pool_recovers(run, seed):
    chance = random.Random(seed)

    async def client(engines, answered):
        for _ in range(12):
            ((job, *arguments),) = chance.choices([job for job, _ in CHANCES], [weight for _, weight in CHANCES])
            asked = asyncio.create_task(engines.do(job, *arguments, seconds=chance.choice((0.2, 1.0, 5.0))))
            if chance.random() < 0.3:
                await asyncio.sleep(chance.random() * 0.1)
                asked.cancel()
            if chance.random() < 0.05 and engines._processes:
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(engines._processes).pid, signal.SIGKILL)
            with suppress(EngineError, asyncio.CancelledError):
                said = await asyncio.wait_for(asked, LONG)
                assert job != "echo" or [said] == arguments
            answered.append(job)

    async def body():
        complaints, answered = [], []
        asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
        async with pool(engines=3) as engines:
            await asyncio.gather(*(client(engines, answered) for _ in range(20)))
            await until(lambda: free(engines) == 3, 60)
            assert [await engines.do("echo", i, seconds=LONG) for i in range(5)] == list(range(5))
        assert len(answered) == 240
        assert complaints == []

    run(body)
