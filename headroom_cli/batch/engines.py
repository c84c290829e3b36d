"""Who does the parts: processes of this machine, Ray Data or Dask. What comes of a part is the same with each.

An engine takes the parts, the job, the folder, how many workers (0: one per core) and the address of a cluster (""
for none), and yields what became of each part, in any order. It is closed when nobody wants more.
"""

from __future__ import annotations

import os

from headroom_cli.batch import shards
from headroom_cli.errors import ConfigError, HeadroomError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future, ProcessPoolExecutor
    from typing import Any

    from headroom_cli.batch.job import Job
    from headroom_cli.batch.places import Part

    Engine = Callable[[list[Part], Job, str, int, str], Iterator[dict[str, Any]]]

_KILLERS = 100  # rows of one part at most that may end their process


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def local(parts: list[Part], job: Job, out: str, workers: int, address: str) -> Iterator[dict[str, Any]]:
    """Do the parts in processes of this machine; one that dies costs the row that it had, not the batch."""
    if address:
        raise ConfigError("--address is for --engine ray and dask; leave it out")
    from concurrent.futures.process import BrokenProcessPool

    waiting = list(parts)
    most = min(workers or cores(), len(parts))
    while waiting:
        try:
            for part, made in _pooled(waiting[:], job, out, most):
                waiting.remove(part)
                yield made
                if made.get("store"):
                    return
        except BrokenProcessPool:
            # Which part it was is not known; it was among the first of those that wait, and each of these is done in a
            # process of its own now, which writes down the row that it is at.
            for part in waiting[: 2 * most]:
                waiting.remove(part)
                yield _alone(part, job, out)


def _pool(most: int) -> ProcessPoolExecutor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Each process is a new one, with nothing of this one's threads and locks in it.
    return ProcessPoolExecutor(most, multiprocessing.get_context("spawn"), initializer=_begin)


def _pooled(parts: list[Part], job: Job, out: str, most: int) -> Iterator[tuple[Part, dict[str, Any]]]:
    """Yield each part when it is done, and give no worker more than one in advance. Raise BrokenProcessPool."""
    from concurrent.futures import FIRST_COMPLETED, wait

    pool = _pool(most)
    try:
        todo = iter(parts)
        running: dict[Future[dict[str, Any]], Part] = {}
        while True:
            for part in todo:
                running[pool.submit(shards.attempt, part, job, out)] = part
                if len(running) >= 2 * most:
                    break
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for one in done:
                yield running.pop(one), one.result()
    except BaseException:
        _end()  # what they were at is done again by the next run
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _alone(part: Part, job: Job, out: str) -> dict[str, Any]:
    """Do a part whose process may die; the row that it dies of stays as it is."""
    import tempfile
    from concurrent.futures.process import BrokenProcessPool

    left: set[int] = set()
    with tempfile.NamedTemporaryFile() as noted:
        while True:
            pool = _pool(1)
            try:
                return pool.submit(_noting, part, job, out, sorted(left), noted.name).result()
            except BrokenProcessPool:
                row = int.from_bytes(noted.read(8), "little", signed=True)
                noted.seek(0)
                if row in left or len(left) >= _KILLERS:
                    failed = f"{part.input}: the process that does {part.shard} ends each time; check memory"
                    return {"shard": part.shard, "input": part.input, "failed": failed, "status": 70}
                left.add(row)
            except BaseException:
                _end()
                raise
            finally:
                pool.shutdown(cancel_futures=True)


def _noting(part: Part, job: Job, out: str, left: list[int], noted: str) -> dict[str, Any]:
    """Do a part and write down which row is next, where it outlives this process."""
    descriptor = os.open(noted, os.O_WRONLY)
    try:
        return shards.attempt(
            part, job, out, frozenset(left),
            lambda row: os.pwrite(descriptor, row.to_bytes(8, "little", signed=True), 0),
        )  # fmt: skip
    finally:
        os.close(descriptor)


def _begin() -> None:
    """Begin as a worker: Ctrl-C is for whoever asked, and a worker whose parent is gone ends."""
    import multiprocessing
    import signal
    import threading

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _end() -> None:
    """End the workers that are left."""
    import multiprocessing

    for child in multiprocessing.active_children():
        child.kill()


def ray(parts: list[Part], job: Job, out: str, workers: int, address: str) -> Iterator[dict[str, Any]]:
    """Map the parts with Ray Data, on this machine or on the cluster at ``address`` ("auto" where one is around)."""
    try:
        import ray as library
        from ray import data
    except ImportError as error:
        raise ConfigError("--engine ray needs headroom-cli[ray]; install that") from error
    import logging
    import pickle

    started = not library.is_initialized()
    if started:
        library.init(
            address=address or "local", num_cpus=None if address else workers or cores(), log_to_driver=False,
            include_dashboard=None if address else False, configure_logging=True, logging_level="ERROR",
        )  # fmt: skip
    context = data.DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    for name in ("ray.data", "ray"):
        logging.getLogger(name).setLevel(logging.ERROR)  # standard error is for what this program says
    try:
        rows = [{"part": pickle.dumps((part, job, out))} for part in parts]
        made = data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            _of_ray, batch_size=1, batch_format="pyarrow",
            **({"compute": data.TaskPoolStrategy(size=workers)} if workers else {}),
        )  # fmt: skip
        for row in made.iter_rows():
            yield pickle.loads(row["made"])  # noqa: S301 - what a worker of ours wrote a moment ago
    except library.exceptions.RayError as error:
        raise _given_up("ray", error) from error
    finally:
        if started:
            library.shutdown()


def _of_ray(table: Any) -> Any:
    """Do the parts in a table of them."""
    import pickle

    import pyarrow as pa

    asked = [pickle.loads(part) for part in table.column("part").to_pylist()]  # noqa: S301 - from the line above
    return pa.table({"made": pa.array([pickle.dumps(shards.attempt(*one)) for one in asked], pa.binary())})


def dask(parts: list[Part], job: Job, out: str, workers: int, address: str) -> Iterator[dict[str, Any]]:
    """Map the parts with a bag of Dask, in processes of this machine or on the cluster at ``address``."""
    try:
        from dask import bag, config
    except ImportError as error:
        raise ConfigError("--engine dask needs headroom-cli[dask]; install that") from error
    if address:
        yield from _distributed(parts, job, out, address)
        return
    import queue
    import threading

    from dask.callbacks import Callback

    made: queue.SimpleQueue[Any] = queue.SimpleQueue()

    class Telling(Callback):
        def _posttask(self, key: Any, result: Any, dsk: Any, state: Any, worker_id: Any) -> None:  # noqa: ARG002 - the library's names
            for one in result if isinstance(result, list) else ():
                made.put(one)  # once for its partition, and once more in the list of all

    telling: Any = Telling
    from_sequence: Any = bag.from_sequence

    def compute() -> None:
        try:
            how = {"multiprocessing.context": "spawn", "multiprocessing.initializer": _begin}
            with config.set(how), telling():
                from_sequence(parts, npartitions=len(parts)).map(shards.attempt, job, out).compute(
                    scheduler="processes", num_workers=workers or cores(), chunksize=1
                )
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            made.put(error)

    waiting = {part.shard for part in parts}
    thread = threading.Thread(target=compute, daemon=True)
    thread.start()
    try:
        while waiting:
            one = made.get()
            if isinstance(one, BaseException):
                raise _given_up("dask", one) from one
            if isinstance(one, dict) and one.get("shard") in waiting:
                waiting.remove(one["shard"])
                yield one
                if one.get("store"):
                    return
    finally:
        if waiting:
            _end()
        thread.join()


def _given_up(engine: str, error: BaseException) -> HeadroomError:
    """Return what is said when a library ends a batch: a worker died again and again, or a cluster is gone."""
    return HeadroomError(
        f"{engine} gave up ({type(error).__name__}); run it again to go on, or with --engine local to get past a row "
        "that ends its worker"
    )


def _distributed(parts: list[Part], job: Job, out: str, address: str) -> Iterator[dict[str, Any]]:
    """Have a cluster of Dask do the parts."""
    try:
        import distributed
    except ImportError as error:
        raise ConfigError("--address with --engine dask needs the package distributed; install that") from error
    try:
        with distributed.Client(address) as client:
            futures = client.map(shards.attempt, parts, job=job, out=out, pure=False)
            for _, made in distributed.as_completed(futures, with_results=True):
                yield made
    except (OSError, RuntimeError) as error:  # what the library raises for schedulers and workers that are gone
        raise _given_up("dask", error) from error


ENGINES: dict[str, Engine] = {"local": local, "ray": ray, "dask": dask}
