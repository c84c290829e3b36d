"""Bodies of requests: whole, decoded, and never more of them in memory than allowed."""

import asyncio
import gzip
import itertools
import os
import random
import subprocess
import sys
import zlib

import pytest
import zstandard
from conftest import ROOT, clean_environment

from headroom_cli.errors import UnreachableError
from headroom_cli.serve import body
from headroom_cli.serve.options import Limits
from headroom_cli.serve.replies import RefusedError

try:
    import brotli
except ImportError:
    brotli = None

TEXT = b'{"messages":[{"role":"user","content":"' + b"tool says hello " * 4000 + bytes(range(32, 127)) * 9 + b'"}]}'
NOISE = random.Random(5).randbytes(300_000)


def raw_deflate(data):
    made = zlib.compressobj(9, zlib.DEFLATED, -15)
    return made.compress(data) + made.flush()


def zstd_streamed(data):
    """A frame that does not say how long its content is, in several blocks, with a sum."""
    made = zstandard.ZstdCompressor(level=3, write_checksum=True, write_content_size=False).compressobj()
    pieces = [made.compress(data[i : i + 10_000]) for i in range(0, len(data), 10_000)]
    return b"".join(pieces) + made.flush()


MAKERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "deflate ": raw_deflate,
    "zstd": zstandard.ZstdCompressor(level=3).compress,
    "ZSTD": zstd_streamed,
    "zstd ": zstandard.ZstdCompressor(level=9, write_checksum=True).compress,
}
if brotli is not None:
    MAKERS["br"] = brotli.compress


def receiver(*pieces, gone=False):
    """An ASGI receive that gives a body in pieces."""
    last = {"type": "http.disconnect"} if gone else {"type": "http.request", "body": b"", "more_body": False}
    messages = iter([*({"type": "http.request", "body": piece, "more_body": True} for piece in pieces), last])

    async def receive():
        return next(messages)

    return receive


def read(receive, headers=(), **limits):
    return asyncio.run(body.read(receive, headers, Limits(**limits)))


def test_a_body_is_read_whole():
    for pieces in (
        (),
        (b"",),
        (TEXT,),
        (b"", TEXT),
        (b"{", b"", b"}"),
        tuple(TEXT[i : i + 999] for i in range(0, len(TEXT), 999)),
    ):
        assert read(receiver(*pieces)) == b"".join(pieces)

    async def at_once():
        return {"type": "http.request", "body": TEXT}

    assert read(at_once) == TEXT


def test_a_body_above_the_cap_is_refused_by_its_length_before_it_is_read():
    async def receive():
        raise AssertionError("read")

    for headers in ([(b"content-length", b"101")], [(b"Content-Length", b"9" * 400)]):
        with pytest.raises(RefusedError) as caught:
            read(receive, headers, body=100)
        assert (caught.value.status, caught.value.close) == (413, True)
    assert read(receiver(b"x" * 100), [(b"content-length", b"100")], body=100) == b"x" * 100


def test_a_body_above_the_cap_is_refused_while_it_is_read():
    taken = []

    async def receive():
        taken.append(1)
        return {"type": "http.request", "body": b"x" * 60, "more_body": True}

    with pytest.raises(RefusedError) as caught:
        read(receive, body=100)
    assert caught.value.status == 413
    assert len(taken) == 2


def test_a_client_that_goes_away_is_noticed():
    for pieces in ((), (b"{",), (b"{", b"}")):
        with pytest.raises(body.GoneError):
            read(receiver(*pieces, gone=True))


@pytest.mark.parametrize("encoding", MAKERS)
def test_each_encoding_is_undone(encoding):
    encoded = MAKERS[encoding]
    for data in (b"{}", TEXT, NOISE, b"\0" * 3_000_000, TEXT * 80):
        assert body.decode(encoded(data), [encoding], Limits()) == data
    assert asyncio.run(body.decoded(encoded(TEXT), [encoding], Limits())) == TEXT
    assert asyncio.run(body.decoded(encoded(b"\0" * 3_000_000), [encoding], Limits())) == b"\0" * 3_000_000
    decoder = body.Decoder(encoding)
    whole = encoded(TEXT)
    assert b"".join(decoder.feed(whole[i : i + 1]) for i in range(len(whole))) + decoder.end() == TEXT


def test_stacked_encodings_come_off_in_the_right_order():
    limits = Limits()
    for names in itertools.product(MAKERS, repeat=2):
        assert body.decode(MAKERS[names[1]](MAKERS[names[0]](TEXT)), list(names), limits) == TEXT
    for names in itertools.islice(itertools.permutations(MAKERS, 3), 0, None, 5):
        data = TEXT
        for name in names:
            data = MAKERS[name](data)
        # Brotli looks back 4 MiB unasked, which is too much on top of two others.
        assert body.decode(data, ["identity", *names], limits) == (None if "br" in names[1:] else TEXT)
    assert body.decode(TEXT, ["gzip"] * 4, limits) is None


def test_what_is_not_encoded_stays_the_same_object():
    for names in ([], ["identity"], ["", "Identity "]):
        assert body.decode(TEXT, names, Limits()) is TEXT
        assert asyncio.run(body.decoded(TEXT, names, Limits(decoded=1))) is TEXT
    assert body.decode(b"", ["gzip"], Limits()) == b""


def test_names_come_from_all_fields_in_their_order():
    headers = [(b"Content-Encoding", b"GZIP, identity"), (b"x", b"y"), (b"content-encoding", b" br ,zstd")]
    assert body.encodings(headers) == ["gzip", "br", "zstd"]
    assert body.encodings([(b"content-encoding", b"identity")]) == []


@pytest.mark.parametrize("name", ["compress", "gzip2", "aws-chunked", "*", "ü"])
def test_an_encoding_that_is_not_known_is_left_alone(name):
    assert body.decode(TEXT, [name], Limits()) is None
    assert body.decode(gzip.compress(TEXT), ["gzip", name], Limits()) is None
    with pytest.raises(UnreachableError):
        body.Decoder(name)


@pytest.mark.parametrize("encoding", MAKERS)
def test_what_is_truncated_is_noticed_at_every_byte(encoding):
    for data in (b"{}", TEXT[:5000] + NOISE[:500], b""):
        whole = MAKERS[encoding](data)
        assert body.decode(whole, [encoding], Limits()) == data
        for size in range(1, len(whole)):
            assert body.decode(whole[:size], [encoding], Limits()) is None, size
        decoder = body.Decoder(encoding)
        decoder.feed(whole[:1])
        decoder.feed(whole[1:-1])
        if len(whole) == 1:  # brotli's nothing
            continue
        with pytest.raises(UnreachableError):
            decoder.end()


@pytest.mark.parametrize("encoding", MAKERS)
def test_what_is_damaged_or_goes_on_behind_its_end_is_left_alone(encoding):
    whole = MAKERS[encoding](TEXT)
    for tail in (b"\0", b"x", b"trailing garbage", b"\x1f", b"\x28\xb5", b"\0" * 512):
        assert body.decode(whole + tail, [encoding], Limits()) is None, tail
    assert body.decode(b"x" + whole, [encoding], Limits()) is None
    assert body.decode(TEXT, [encoding], Limits()) is None
    if encoding in ("gzip", "x-gzip", "deflate", "ZSTD"):  # those that carry a sum
        wrong = bytearray(whole)
        wrong[len(wrong) // 2] ^= 0x55
        assert body.decode(bytes(wrong), [encoding], Limits()) is None


def test_members_and_frames_one_behind_the_other_are_one_body():
    for name in ("gzip", "zstd", "ZSTD"):
        parts = [b"{", TEXT, b"", b"}"]
        whole = b"".join(MAKERS[name](part) for part in parts)
        assert body.decode(whole, [name], Limits()) == b"".join(parts)
        assert body.decode(whole[:-1], [name], Limits()) is None
    skipped = b"\x50\x2a\x4d\x18\x03\0\0\0abc"
    for whole in (skipped + MAKERS["zstd"](TEXT), MAKERS["zstd"](TEXT) + skipped):
        assert body.decode(whole, ["zstd"], Limits()) == TEXT


def test_a_window_above_8_mib_is_left_alone():
    def wide(log):
        parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=log)
        made = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
        return made.compress(TEXT) + made.flush()

    assert body.decode(wide(23), ["zstd"], Limits()) == TEXT
    assert body.decode(wide(24), ["zstd"], Limits()) is None
    assert body.decode(gzip.compress(wide(23)), ["zstd", "gzip"], Limits()) == TEXT
    for log, found in ((22, TEXT), (23, None)):
        frame = zstandard.ZstdCompressor(compression_params=zstandard.ZstdCompressionParameters(window_log=log))
        made = frame.compressobj()
        data = made.compress(gzip.compress(TEXT)) + made.flush()
        assert body.decode(data, ["gzip", "zstd"], Limits()) == found
    if brotli is not None:
        assert body.decode(brotli.compress(TEXT, lgwin=22), ["br"], Limits()) == TEXT
        assert body.decode(b"\x0f" + bytes(50), ["br"], Limits()) is None


def test_no_brotli_is_an_encoding_that_is_not_known(monkeypatch):
    monkeypatch.setitem(sys.modules, "brotli", None)
    assert body.decode(b"\x0b\x02\x80{}\x03", ["br"], Limits()) is None


@pytest.mark.parametrize("encoding", MAKERS)
def test_the_cap_holds_to_the_byte(encoding):
    whole = MAKERS[encoding](TEXT)
    for decode in (body.decode, lambda *given: asyncio.run(body.decoded(*given))):
        assert decode(whole, [encoding], Limits(decoded=len(TEXT))) == TEXT
        with pytest.raises(RefusedError) as caught:
            decode(whole, [encoding], Limits(decoded=len(TEXT) - 1))
        assert (caught.value.status, caught.value.close) == (413, True)


def test_what_lies_between_two_encodings_is_capped_as_well():
    inner = gzip.compress(NOISE)  # larger than what is allowed, and would be nothing in the end
    broken = zlib.compress(inner)
    with pytest.raises(RefusedError):
        body.decode(broken, ["gzip", "deflate"], Limits(decoded=len(inner) - 1))


def test_an_answer_that_grows_without_end_is_stopped():
    with pytest.raises(UnreachableError):
        body.Decoder("gzip").feed(gzip.compress(bytes(70 << 20), 1))
    decoder = body.Decoder("")
    assert decoder.feed(b"abc") + decoder.end() == b"abc"
    assert body.Decoder("gzip").end() == b""  # an answer without a body


BOMBS = ("gzip", "zstd", "br", "gzip,gzip,gzip", "zstd,zstd ,zstd ", "br,gzip,zstd", "deflate,br")
BOMB = """
import asyncio, gc, os, resource, sys, zlib
from headroom_cli.serve import body
from headroom_cli.serve.options import Limits
from headroom_cli.serve.replies import RefusedError
import zstandard
try:
    import brotli
except ImportError:
    pass
names = sys.argv[1].split(",")
with open(sys.argv[2], "rb") as file:
    data = file.read()
cap = 8 << 20
limits = Limits(decoded=cap)
async def once(data):
    pieces = [data[i : i + 65536] for i in range(0, len(data), 65536)]
    left = iter(pieces)
    async def receive():
        piece = next(left, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}
    whole = await body.read(receive, [], limits)
    return await body.decoded(whole, names, limits)
async def warm():
    small = b"{}"
    await asyncio.to_thread(body.decode, zlib.compress(small), ["deflate"], limits)
asyncio.run(warm())
with open("/proc/self/statm") as file:
    before = int(file.read().split()[1]) * resource.getpagesize()
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")
try:
    asyncio.run(once(data))
except RefusedError as error:
    print("refused", error.status)
with open("/proc/self/status") as file:
    high = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
print(high - before - cap)
"""


def zeros(count, encoding):
    """Compress many zeros without ever having them in memory."""
    block = bytes(1 << 20)
    if encoding == "gzip":
        made = zlib.compressobj(9, zlib.DEFLATED, 31)
        return b"".join(made.compress(block) for _ in range(count)) + made.flush()
    if encoding == "zstd":
        made = zstandard.ZstdCompressor(level=19).compressobj()
        return b"".join(made.compress(block) for _ in range(count)) + made.flush()
    made = brotli.Compressor(quality=5)
    return b"".join(made.process(block) for _ in range(count)) + made.finish()


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="measures memory by /proc")
@pytest.mark.parametrize(
    "names", ["gzip", "zstd", "br", "gzip,gzip,gzip", "zstd,zstd ,zstd ", "br,gzip,zstd", "deflate,br"]
)
def test_bombs_stay_within_the_cap_and_16_mb(names, tmp_path):
    if "br" in names and brotli is None:
        pytest.skip("brotli is not installed")
    first, *more = names.split(",")
    data = zlib.compress(bytes(200 << 20)) if first == "deflate" else zeros(300, first)
    for name in more:
        data = MAKERS[name](data)
    names = names.replace(" ", "")
    (tmp_path / "bomb").write_bytes(data)
    ran = subprocess.run(
        [sys.executable, "-c", BOMB, names, str(tmp_path / "bomb")],
        capture_output=True, text=True, timeout=60, cwd=ROOT, env=clean_environment(tmp_path),
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    said, above = ran.stdout.split("\n")[:2]
    assert said == "refused 413"
    assert int(above) <= 16_000_000, above
