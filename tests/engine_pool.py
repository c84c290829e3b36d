"""What tests of worker processes share: pools of jobs that misbehave, on each kind of loop."""

import asyncio
import gc
import os
import time
from contextlib import asynccontextmanager, suppress

import pytest

from headroom_cli.serve.engines import EngineError, Engines
from headroom_cli.serve.options import Limits, Serving

LOOPS = [asyncio.new_event_loop]
with suppress(ImportError):
    import uvloop

    LOOPS.append(uvloop.new_event_loop)

LONG = 60.0  # seconds: where no limit should be met


def on(loop_factory):
    """Return what runs a coroutine function to its end on one kind of loop."""

    def run(body):
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            done = runner.run(body())
        gc.collect()  # a process or a socket that was left open warns now, and warnings are errors here
        return done

    return run


once = on(LOOPS[-1])  # where the kind makes no difference


@asynccontextmanager
async def pool(*, engines=2, jobs="engine_jobs", limits=(), **given):
    made = Engines(Serving("store", engines=engines, limits=Limits(**dict(limits)), **given), jobs=jobs)
    await made.start()
    try:
        yield made
    finally:
        await made.close()


async def fails(engines, job, *arguments, seconds=LONG):
    """Return the reason why a job came to nothing."""
    with pytest.raises(EngineError) as error:
        await engines.do(job, *arguments, seconds=seconds)
    assert "conversation" not in str(error.value)
    return error.value.reason


async def until(true, seconds=20.0):
    """Wait for something that comes about elsewhere."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about"
        await asyncio.sleep(0.01)


def alive(pid):
    """Tell whether a process is there and not only waiting to be asked for its status."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as stream:
            return stream.read().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not os.path.isdir("/proc/self")  # macOS; elsewhere it went just now


def free(engines):
    """Return how many processes wait for a job."""
    return sum(process.state == "free" for process in engines._processes)
