"""Blobs in text: what is cut is a blob, the note tells the truth about it, and everything else stays."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import time

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from inputs import FLOODS, corpus

from headroom_cli.compressors._blobs import cut

NOTE = re.compile(
    r"\[\.\.\. (?:([\d,]+) lines: )?(?:[^\[\]]*?, )?([\d,]+) (?:[^\[\]]*? )?characters, sha256 ([0-9a-f]{12})\]"
)
RNG = random.Random(5)
BYTES = RNG.randbytes(60_000)


def blob(size):
    return base64.b64encode(BYTES[:size]).decode()


def xxd(data, offset=8):
    rows = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        pairs = " ".join(row[i : i + 2].hex() for i in range(0, len(row), 2))
        shown = "".join(chr(c) if 32 <= c < 127 else "." for c in row)
        rows.append(f"{at:0{offset}x}: {pairs:<39}  {shown}")
    return "\n".join(rows)


def hexdump(data):
    rows = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        rows.append(f"{at:08x}  {row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}  |{'.' * len(row)}|")
    return "\n".join([*rows, f"{len(data):08x}"])


def od(data):
    rows = [f"{at:07o} {data[at : at + 16].hex(' ', 2)}" for at in range(0, len(data), 16)]
    return "\n".join([*rows, f"{len(data):07o}"])


MINIFIED_JS = (
    "!function(e,t){"
    + "".join(
        f"var a{i}=e.b{i}||{{}};if(a{i}.c){{return t(a{i},function(n){{return n.d{i}&&n.e}})}};" for i in range(60)
    )
    + "}(window,document);"
)
MINIFIED_CSS = "".join(f".c{i}{{display:flex;margin:0 auto;color:#{i:06x}}}" for i in range(80))
CUT = {
    "base64 in a string": f'x = "{blob(3000)}"\nprint(x)\n',
    "data URI": f'<img src="data:image/png;base64,{blob(900)}" alt="a">\n',
    "JSON value": json.dumps({"name": "a.png", "data": blob(3000), "size": 3000}),
    "escaped line ends": json.dumps("\n".join(blob(2000)[i : i + 64] for i in range(0, 2000, 64))),
    "token": f"Bearer eyJhbGciOiJSUzI1NiJ9.{base64.urlsafe_b64encode(BYTES[:330]).decode()}.c2lnbmVk\n",
    "PEM": "-----BEGIN-----\n" + "\n".join(blob(1200)[i : i + 64] for i in range(0, 1600, 64)) + "\n-----END-----\n",
    "indented body": "tls.crt: |\n" + "".join(f"    {blob(1200)[i : i + 76]}\n" for i in range(0, 1600, 76)),
    "hex": "payload=" + BYTES[:600].hex() + "\n",
    "escapes": 'b"' + "".join(f"\\x{c:02x}" for c in BYTES[:300]) + '"\n',
    "byte array": "unsigned char a[] = {" + ", ".join(f"0x{c:02x}" for c in BYTES[:300]) + "};\n",
    "xxd": f"$ xxd a.bin\n{xxd(BYTES[:1600])}\n$ echo done\n",
    "hexdump -C": hexdump(BYTES[:1600]) + "\n",
    "od -x": od(BYTES[:1600]) + "\n",
    "od -An": "\n".join(" " + BYTES[at : at + 16].hex(" ") for at in range(0, 640, 16)) + "\n",
    "minified JavaScript": f"/* jquery */\n{MINIFIED_JS}\n",
    "minified style sheet": f"{MINIFIED_CSS}\n",
    "UUID lines": "".join(f"{BYTES[i:i+4].hex()}-{'1a2b-' * 3}{BYTES[i:i+6].hex()}\n" for i in range(0, 400, 10)),
    "hash list": ",\n".join(f'  "{BYTES[i : i + 20].hex()}"' for i in range(0, 800, 20)),
    "ids in one line": "[" + ", ".join(f'"{BYTES[i : i + 16].hex()}"' for i in range(0, 800, 16)) + "]",
    "one character": "=" * 5000 + "\n",
    "a pattern": "ab, " * 2000 + "\n",
}  # fmt: skip
KEPT = {
    "prose": "The quick brown fox jumps over the lazy dog, and then it rests. " * 200,
    "prose without blanks": "".join(chr(0x4E00 + c) for c in BYTES[:3000]),
    "long statement": "const total = " + " + ".join(f"values[{i}].amount" for i in range(100)) + ";",
    "long import": "from package.module import (" + ", ".join(f"name_{i}" for i in range(200)) + ")",
    "camel case": "get" + "".join(f"User{w}Name" for w in ("First", "Last", "Middle", "Given", "Family") * 20),
    "path": "/".join(f"some-directory-{i}" for i in range(60)),
    "hyphenated": "-".join(["word", "another", "third"] * 60),
    "query": "SELECT " + ", ".join(f"table_{i}.column_{i} AS c{i}" for i in range(100)) + " FROM t;",
    "JSON line": json.dumps({f"key{i}": {"id": i, "name": f"name {i}", "ok": True} for i in range(100)}),
    "dense JSON line": json.dumps({f"key{i}": [i, "a;b", {"c": "d=>e"}] for i in range(300)}, separators=(",", ":")),
    "CSV line": ";".join(f"value {i}" for i in range(400)),
    "short hashes": "".join(f"{BYTES[i : i + 20].hex()}\n" for i in range(0, 200, 20)),
    "sums with names": "".join(f"{BYTES[i : i + 32].hex()}  file{i}.tar.gz\n" for i in range(0, 1600, 32)),
    "one key": f"token={blob(200)}\n",
    "a long number": "9" + str(7**900) + "\n",
    "numbers in columns": "".join(f"{1000 + i} {i:02d} {i * 7 % 90 + 10} {i * 3 % 80 + 10} 55\n" for i in range(100)),
    "rulers": ("=" * 80 + "\n") * 50,
    "padding": "a" + " " * 1500 + "b\n",
    "log": "".join(f"2026-03-05 10:00:{i % 60:02d} INFO id={BYTES[i : i + 16].hex()} done\n" for i in range(200)),
    "git log": "".join(f"{BYTES[i : i + 4].hex()[:7]} Fix the thing number {i}\n" for i in range(100)),
    "word list": "".join(f"{word}{i}\n" for i in range(40) for word in ("internationalization_of_the_configuration",)),
}  # fmt: skip


def undone(original, cutted, missing):
    """Put back what each note names, taking its length and its digest at its word."""
    at = blobs = gone = 0
    pieces = re.split(r"(\[\.\.\. [^\[\]]*?characters, sha256 [0-9a-f]{12}\])", cutted)
    whole = ""
    for number, piece in enumerate(pieces):
        match = NOTE.fullmatch(piece)
        if match is None or number % 2 == 0:
            assert original.startswith(piece, at), piece[:80]
            whole += piece
            at += len(piece)
            continue
        length = int(match[2].replace(",", ""))
        left = original[at : at + length]
        if match[1]:
            assert left.count("\n") + 1 == int(match[1].replace(",", ""))
        # The digest is of the blob with its ends: some beginning before and some end behind the note.
        assert digest_fits(original, at, at + length, match[3]), piece
        blobs += 1
        gone += length
        whole += left
        at += length
        if original[at - 1 : at + 1] == "\r\n" and match[1]:
            at -= 1  # the note has its own line end
            gone += 0
    assert whole.replace("\r", "") == original.replace("\r", "")
    assert missing == f"{blobs:,} blob{'s' if blobs > 1 else ''}, {gone:,} characters"


def digest_fits(original, start, end, digest):
    for head in range(start, max(-1, start - 700), -1):
        for tail in range(end, min(len(original), end + 320) + 1):
            if hashlib.sha256(original[head:tail].encode()).hexdigest().startswith(digest):
                return True
    return False


@pytest.mark.parametrize("name", list(CUT))
def test_blobs_are_told_by_their_ends_length_and_digest(name):
    text = CUT[name]
    cutted, missing = cut(text)
    assert missing, "nothing was cut"
    assert len(cutted) < len(text)
    undone(text, cutted, missing)
    assert cut(cutted) == (cutted, "")


@pytest.mark.parametrize("name", list(KEPT))
def test_what_is_read_stays(name):
    assert cut(KEPT[name]) == (KEPT[name], "")


def test_the_note_reads_as_documented():
    body = blob(3000)
    cutted, missing = cut(f'a = "{body}"')
    digest = hashlib.sha256(body.encode()).hexdigest()[:12]
    assert cutted == f'a = "{body[:40]}[... {len(body) - 52:,} base64 characters, sha256 {digest}]{body[-12:]}"'
    assert missing == f"1 blob, {len(body) - 52:,} characters"


def test_equal_blobs_are_seen_to_be_equal():
    cutted, _ = cut(f'"{blob(3000)}"\n"{blob(3000)}"\n"{blob(2997)}"\n')
    one, two, three = (line[line.index("sha256") :] for line in cutted.splitlines())
    assert one == two != three


def test_lines_around_a_blob_stay_lines():
    text = f"before\r\n{CUT['xxd']}".replace("\n", "\r\n").replace("\r\r", "\r")
    cutted, missing = cut(text)
    assert missing
    assert cutted.count("\n") == cutted.count("\r\n")
    assert cutted.startswith("before\r\n$ xxd a.bin\r\n")
    assert cutted.endswith("$ echo done\r\n")


def test_a_message_around_minified_code_stays():
    line = (
        f"10:00:00 ERROR app.Reporter: message=[TypeError: n is undefined at {MINIFIED_JS} in app.js:1:200 (see above)]"
    )
    cutted, missing = cut(line)
    assert missing
    assert "TypeError: n is undefined" in cutted
    assert "in app.js:1:200 (see above)]" in cutted


def test_longest_is_what_stays_whole():
    body = blob(150)
    assert cut(f'"{body}" ' * 3, longest=400)[1] == ""
    assert cut(f'"{body}" ' * 3, longest=100)[1].startswith("3 blobs")


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=80), st.sampled_from(list(CUT.values())), st.sampled_from(list(KEPT.values())),
            st.text("AZaz09+/=\\n-x", min_size=100, max_size=900), st.integers(1, 3000).map(blob),
            st.sampled_from(["[... 9 base64 characters, sha256 aaaaaaaaaaaa]", "\r\n", "\n", "\x00", '"', " "]),
        ),
        max_size=6,
    ),
    st.sampled_from([50, 400, 1000]),
)  # fmt: skip
def test_any_text_gets_no_longer_and_is_cut_once(parts, longest):
    text = "".join(parts)
    cutted, missing = cut(text, longest=longest)
    assert len(cutted) <= len(text)
    assert bool(missing) == (cutted != text)
    assert len(missing) < 70
    if missing:
        for count, length, _ in NOTE.findall(cutted):
            assert int(length.replace(",", "")) <= len(text)
            assert not count or int(count.replace(",", "")) <= text.count("\n") + 1


@settings(deadline=None, max_examples=60)
@given(st.binary(min_size=320, max_size=1500), st.text(max_size=60), st.text(max_size=60))
@example(BYTES[:1000], "", "")
def test_a_base64_blob_comes_back_from_its_note(data, before, after):
    body = base64.b64encode(data).decode()
    assume(len(set(body)) > 30)
    text = f"{before} {body} {after}"
    cutted, missing = cut(text)
    if missing:
        undone(text, cutted, missing)
        assert cut(cutted) == (cutted, "")


@pytest.mark.parametrize("name", list(FLOODS))
def test_floods_take_linear_time(name):
    text = FLOODS[name](1 << 20)
    start = time.process_time()
    cutted, _ = cut(text)
    assert time.process_time() - start < 1  # a quadratic scanner takes minutes
    assert len(cutted) <= len(text)


def test_ordinary_text_costs_next_to_nothing():
    text = "".join(
        f"2026-03-05 10:00:01 INFO worker-{i % 7} fetched batch {i} in {i % 991} ms\n" for i in range(60_000)
    )
    times = []
    for _ in range(3):
        start = time.process_time()
        assert cut(text)[1] == ""
        times.append(time.process_time() - start)
    assert len(text) / 1e6 / min(times) > 15  # 100 to 180 MB/s when nothing else runs


def test_outside_samples_are_cut_once():
    for name, _, data in corpus("json", "logs", "code", "diff", "search", "html", "prose", "cmdout", limit=200):
        text = data.decode("utf-8", "replace")
        cutted, missing = cut(text)
        assert len(cutted) <= len(text)
        if missing:
            assert cut(cutted) == (cutted, ""), name
