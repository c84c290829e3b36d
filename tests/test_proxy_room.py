"""The memory that the bodies of all requests share."""

import asyncio
import gzip
import weakref

import pytest

from headroom_cli.serve import body as bodies
from headroom_cli.serve.engines import EngineError, Engines
from headroom_cli.serve.options import Limits, Serving
from headroom_cli.serve.replies import RefusedError
from headroom_cli.serve.room import SMALL, Room, Share

MB = 1 << 20


def room(together, seconds=30.0):
    return Room(Limits(together=together, together_seconds=seconds))


def body(*pieces):
    """Return what an application receives of a body in such pieces."""
    messages = [
        {"type": "http.request", "body": piece, "more_body": at < len(pieces) - 1} for at, piece in enumerate(pieces)
    ]

    async def receive():
        return messages.pop(0)

    return receive


async def turns(count=5):
    for _ in range(count):
        await asyncio.sleep(0)


def test_room_is_given_in_the_order_in_which_it_was_asked_for():
    async def main():
        shared, got = room(10), []

        async def ask(name, size):
            await shared.take(size)
            got.append(name)

        await shared.take(8)
        tasks = [asyncio.create_task(ask(*one)) for one in (("large", 6), ("would fit", 2), ("last", 4))]
        await turns()
        assert got == []  # who is small does not overtake who is large: he would wait for ever
        shared.give(8)
        await turns()
        assert got == ["large", "would fit"]
        shared.give(6)
        await turns()
        assert got == ["large", "would fit", "last"]
        assert shared.held == 6
        await asyncio.gather(*tasks)

    asyncio.run(main())


def test_more_than_there_is_gets_everything():
    async def main():
        shared = room(10)
        await shared.take(1)
        one = asyncio.create_task(shared.take(100))
        await turns()
        assert not one.done()
        shared.give(1)
        await one
        assert shared.held == 100

    asyncio.run(main())


def test_who_waits_too_long_is_told_to_come_again():
    async def main():
        shared = room(10, seconds=0.01)
        await shared.take(10)
        with pytest.raises(RefusedError) as refused:
            await shared.take(5)
        assert refused.value.status == 503
        shared.give(10)
        await shared.take(10)  # nothing is left of the one that gave up
        assert shared.held == 10

    asyncio.run(main())


@pytest.mark.parametrize("granted", [False, True])
def test_who_goes_away_keeps_nothing(granted):
    async def main():
        shared = room(10)
        await shared.take(10)
        gone, next_one = asyncio.create_task(shared.take(9)), asyncio.create_task(shared.take(3))
        await turns()
        if granted:
            shared.give(10)  # it has it, and has not heard of it
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        if not granted:
            shared.give(10)
        await next_one
        assert shared.held == 3

    asyncio.run(main())


@pytest.mark.parametrize("length", [True, False])
def test_a_large_body_is_read_when_there_is_room_and_a_small_one_at_once(length):
    async def main():
        limits = Limits(body=8 * MB, together=10 * MB)
        shared = Room(limits)
        await shared.take(9 * MB)
        piece, share = b"a" * (SMALL // 2), Share(shared)
        headers = [(b"content-length", b"%d" % (4 * SMALL))] if length else []
        receive = body(*[piece] * 8)
        reading = asyncio.create_task(bodies.read(receive, headers, limits, share))
        assert await bodies.read(body(piece, piece), [], limits, Share(shared)) == piece * 2
        await turns(20)
        assert not reading.done()
        assert (await receive())["body"] == piece  # it was not read to its end
        shared.give(9 * MB)
        read = await reading
        assert shared.held == share.size == len(read)
        share.shrink(0)
        assert shared.held == 0

    asyncio.run(main())


def test_who_only_says_that_much_will_come_takes_nothing():
    async def main():
        limits = Limits(together=10 * MB)
        shared, never = Room(limits), asyncio.Event()

        async def receive():
            await never.wait()

        reading = asyncio.create_task(bodies.read(receive, [(b"content-length", b"60000000")], limits, Share(shared)))
        await turns()
        assert shared.held == 0
        reading.cancel()

    asyncio.run(main())


def test_what_a_small_body_decodes_to_counts_as_well():
    async def main():
        limits = Limits(decoded=8 * MB, together=10 * MB)
        shared = Room(limits)
        share, data = Share(shared), gzip.compress(b"a" * 4 * MB)
        await shared.take(9 * MB)
        decoding = asyncio.create_task(bodies.decoded(data, ["gzip"], limits, share))
        await turns(20)
        assert not decoding.done()
        shared.give(9 * MB)
        plain = await decoding
        assert shared.held == len(data) + len(plain)

    asyncio.run(main())


def test_a_job_that_came_to_nothing_leaves_nothing_in_memory(tmp_path):
    """Without a collector: bodies of 60 MB in rings would wait for one for hours."""

    class Body:
        pass

    async def main():
        engines = Engines(Serving(str(tmp_path)))
        kept = Body()
        seen = weakref.ref(kept)
        with pytest.raises(EngineError, match="stopped"):
            await engines.do("prepare", kept)
        del kept
        assert seen() is None

    import gc

    gc.disable()
    try:
        asyncio.run(main())
    finally:
        gc.enable()
