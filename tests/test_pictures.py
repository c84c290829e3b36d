"""Pictures in documents: smaller or a reference, with the original behind a marker, the same in every later request."""

import base64
import hashlib
import io
import json
import os
import re
import stat
import sys
import zlib

import pytest

pytest.importorskip("PIL")

from pictures import b64, call, changed, outputs, part, read, request, result, saved, screenshot, size_of
from PIL import Image

from headroom_cli import compress, engine, images, pictures
from headroom_cli.images import area, cost, shrink
from headroom_cli.model import FAITHFUL, LOSSY, Policy
from headroom_cli.store import Store

SHAPES = ("anthropic", "openai", "responses", "mcp")
PAGE, OTHER = screenshot(), screenshot(tuple(f"another page, line {i * 7}" for i in range(26)))
MARKER = re.compile(r"<<headroom:([a-z2-7]{12,}) ([^>]+)>>")


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


@pytest.fixture(autouse=True)
def _fresh():
    pictures._sent.clear()


def crushed(body, store, policy=None, **more):
    """The bytes of a request, its result, and the request that came of it, after the way back was checked."""
    data = json.dumps(body).encode()
    result = engine.crush(data, policy or Policy(), store, stages=("route",), **more)
    back, unknown = engine.expand(result.data, store)
    assert back == data
    assert unknown == []
    return data, result, json.loads(result.data)


def rows(result):
    return [report for report in result.blocks if report.kind == "image"]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_picture_becomes_smaller_and_its_original_is_behind_the_marker(shape, store):
    _, result, body = crushed(request(shape, PAGE), store)
    ((note, (small, media)),) = outputs(body, shape)
    handle, missing = MARKER.fullmatch(note).groups()
    wide, high = size_of(small)
    assert missing == f"original of 1400x900 pixels, here {wide}x{high}"
    assert wide < 1400
    assert len(small) < len(PAGE)
    assert media == {b"\x89PN": "image/png", b"RIF": "image/webp"}[small[:3]]
    assert engine.fetch(store, handle) == PAGE
    (row,) = rows(result)
    assert (row.handle, row.degree, row.compressor) == (handle, LOSSY, "images")
    family = cost.family_of(body["model"], {"mcp": "anthropic"}.get(shape, shape))
    assert row.before == cost.tokens(1400, 900, family)
    assert cost.tokens(wide, high, family) < row.after < 0.97 * row.before
    assert result.after < result.before


@pytest.mark.parametrize("shape", SHAPES)
def test_a_picture_seen_before_becomes_a_reference(shape, store):
    _, result, body = crushed(request(shape, PAGE, OTHER, PAGE), store)
    first, second, third = outputs(body, shape)
    assert len(first) == len(second) == 2
    (note,) = third
    line, marker = note.split("\n")
    assert line == "[the same picture as the picture 2 pictures back (page0.png)]"
    assert MARKER.fullmatch(marker)[1] == MARKER.fullmatch(first[0])[1]
    assert [row.why for row in rows(result)][2] == "seen before"


@pytest.mark.parametrize("shape", SHAPES)
def test_of_a_page_that_changed_in_a_part_that_part_is_shown(shape, store):
    after = changed()
    _, _, body = crushed(request(shape, PAGE, after), store)
    _, (note, (small, _)) = outputs(body, shape)
    found = re.match(
        r"\[the picture before this one \(page0.png\), but for (\d+)x(\d+) pixels at (\d+),(\d+), which", note
    )
    wide, high, left, top = map(int, found.groups())
    assert size_of(small) == (wide, high)
    box = (left, top, left + wide, top + high)
    with Image.open(io.BytesIO(after)) as whole, Image.open(io.BytesIO(small)) as shown:
        assert shown.convert("L").tobytes() == whole.convert("L").crop(box).tobytes()
    assert engine.fetch(store, MARKER.search(note)[1]) == after


def test_the_same_pixels_in_another_file_are_the_same_picture(store):
    again = screenshot(name="PNG", compress_level=1)
    assert again != PAGE
    _, _, body = crushed(request("anthropic", PAGE, again), store)
    assert "encoded otherwise" in outputs(body, "anthropic")[1][0]


@pytest.mark.parametrize("shape", SHAPES)
def test_what_stands_before_decides_and_nothing_behind(shape, store):
    """Each beginning of a conversation, in a store of its own, becomes the beginning of what the whole becomes."""
    body = request(shape, PAGE, changed(), OTHER, PAGE)
    name = "input" if shape == "responses" else "messages"
    whole = json.loads(engine.crush(json.dumps(body).encode(), Policy(), store, stages=("route",)).data)[name]
    for end in range(1, len(body[name])):
        other = Store(f"{store.root}{end}")
        head = json.loads(
            engine.crush(json.dumps({**body, name: body[name][:end]}).encode(), Policy(), other, stages=("route",)).data
        )
        assert head[name] == whole[:end]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_later_request_has_the_same_bytes_without_a_decoder(shape, store, monkeypatch):
    body = request(shape, PAGE, changed(), PAGE)
    name = "input" if shape == "responses" else "messages"
    _, _, first = crushed(body, store)
    pictures._sent.clear()
    monkeypatch.setattr(shrink, "shrink", lambda *_: pytest.fail("a picture was looked at twice"))
    body[name] += [call(shape, 9, "x"), result(shape, 9, {"type": "text", "text": "ok"})]
    _, _, later = crushed(body, store)
    assert len(MARKER.findall(json.dumps(first))) == 3
    assert later[name][: len(first[name])] == first[name]


def test_what_went_out_raw_stays_raw(store):
    body = request("anthropic", PAGE, OTHER)
    _, result, made = crushed(body, store, Policy(live=True))
    first, second = outputs(made, "anthropic")
    assert first == [(PAGE, "image/png")]
    assert len(second) == 2
    assert rows(result)[0].kept == "was sent as it is"
    body["messages"] += [call("anthropic", 5, "y"), {"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "t5", "content": [part("anthropic", PAGE)]}]}]  # fmt: skip
    _, _, made = crushed(body, store, Policy(live=True))
    assert outputs(made, "anthropic")[:2] == [first, second]
    assert "the same picture" in outputs(made, "anthropic")[2][0]


POINTING = [
    {"tools": [{"type": "computer_20250124", "name": "computer", "display_width_px": 1400, "display_height_px": 900}]},
    {"tools": [{"name": "click", "input_schema": {"type": "object", "properties": {"x": {}, "y": {}}}}]},
    {"tools": [{"name": "tap", "input_schema": {"type": "object", "properties": {"coordinate": {}}}}]},
    {"tools": [{"name": "Click-Tool", "input_schema": {"type": "object", "properties": {"loc": {}, "button": {}}}}]},
]


@pytest.mark.parametrize("more", POINTING, ids=["computer", "x and y", "coordinate", "loc"])
def test_a_picture_that_the_model_points_into_keeps_its_size(more, store):
    _, result, body = crushed({**request("anthropic", PAGE, changed(), PAGE), **more}, store)
    first, second, third = outputs(body, "anthropic")
    assert first == [(PAGE, "image/png")]
    assert second == [(changed(), "image/png")]
    assert "the same picture" in third[0]
    assert rows(result)[0].kept == "its coordinates are used"


def test_a_call_with_coordinates_is_enough_and_only_later_pictures_know_of_it(store):
    body = request("openai", PAGE, OTHER)
    click = call("openai", 7, "z", tool="click")
    click["tool_calls"][0]["function"]["arguments"] = '{"x": 10, "y": 20}'
    body["messages"][3:3] = [click, result("openai", 7, {"type": "text", "text": "clicked"})]
    _, _, made = crushed(body, store)
    found = outputs(made, "openai")
    assert len(found[0]) == 2
    assert found[2] == [(OTHER, "image/png")]


def test_a_screen_of_a_computer_call_stays(store):
    body = request("responses")
    body["input"] += [
        {"type": "computer_call", "call_id": "c", "action": {"type": "screenshot"}},
        {"type": "computer_call_output", "call_id": "c",
         "output": {"type": "computer_screenshot", "image_url": f"data:image/png;base64,{b64(PAGE)}"}},
    ]  # fmt: skip
    data, result, _ = crushed(body, store)
    assert result.data == data
    assert rows(result)[0].kept == "its coordinates are used"


def test_the_users_pictures_stay_unless_a_level_was_asked_for(store):
    turn = {"role": "user", "content": [part("anthropic", PAGE), {"type": "text", "text": "what is this?"}]}
    body = {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": [turn]}
    data, result, _ = crushed(body, store)
    assert result.data == data
    assert rows(result)[0].kept == "user's picture"
    _, result, made = crushed(body, store, Policy(level="balanced"))
    picture, note, question = made["messages"][0]["content"]
    assert size_of(read(picture)[0]) < (1400, 900)
    assert note["text"].startswith("[headroom: the picture above is smaller than it was]\n<<headroom:")
    assert question == turn["content"][1]


def test_without_loss_only_what_can_be_seen_is_referred_to(store):
    _, result, body = crushed(request("anthropic", PAGE, PAGE, changed()), store, Policy(lossless=True))
    first, second, third = outputs(body, "anthropic")
    assert first == [(PAGE, "image/png")]
    assert second == ["[the same picture as the picture before this one (page0.png)]"]
    assert third == [(changed(), "image/png")]
    assert rows(result)[1].degree == FAITHFUL
    assert not MARKER.search(result.data.decode())


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        (Policy(skip=frozenset(["image"])), "--skip image"),
        (Policy(only=frozenset(["log"])), "not among --only (image)"),
        (Policy(as_kind="log"), "--as another kind"),
        (Policy(protect_tools=("screen*",)), "protected by --protect-tool"),
        (Policy(only_tools=("Bash",)), "not in --only-tool"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_flags_hold_for_pictures(policy, why, store):
    data, result, _ = crushed(request("anthropic", PAGE), store, policy)
    assert result.data == data
    assert rows(result)[0].kept == why


def test_only_pictures(store):
    body = request("anthropic", PAGE)
    log = "".join(f"INFO worker {i} ready\n" for i in range(400))
    body["messages"] += [call("anthropic", 8, "x", "Bash"), result("anthropic", 8, {"type": "text", "text": log})]
    _, result_, made = crushed(body, store, Policy(level="balanced", only=frozenset(["image"])))
    assert rows(result_)[0].degree == LOSSY
    assert outputs(made, "anthropic")[1] == [log]


def address(url):
    return {"type": "image_url", "image_url": {"url": url}}


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ([address("https://example.com/a.png")], "an address: the provider fetches it"),
        ([part("openai", PAGE, detail="low")], "costs the same at any size"),
        ([address("data:image/png;base64,%%%%")], "no picture that can be read"),
        ([address(f"data:image/png;base64,{b64(PAGE)[:4001]}")], "no picture that can be read"),
        ([part("openai", b"\x89PNG\r\n\x1a\n" + b"x" * 4000)], "no picture that can be read"),
        ([part("openai", PAGE[:3000])], "nothing to gain"),
        ([part("openai", screenshot(size=(120, 80)))], "nothing to gain"),
        ([{"type": "image_url", "image_url": None}], "an address: the provider fetches it"),
        ([{"type": "image_url"}], "an address: the provider fetches it"),
    ],
    ids=["address", "low", "no base64", "cut base64", "no picture", "cut picture", "small", "null", "nothing"],
)  # fmt: skip
def test_what_cannot_become_smaller_stays_byte_for_byte(parts, why, store):
    body = request("openai")
    body["messages"] += [call("openai", 0, "x"), result("openai", 0, *parts)]
    data, outcome, _ = crushed(body, store)
    assert outcome.data == data
    assert rows(outcome)[0].kept == why


def test_base64_that_could_not_be_given_back_stays(store):
    data = PAGE + b"\0" * (2 - len(PAGE) % 3)  # two bytes in the last four characters: two bits are free
    text = b64(data)
    odd = text[:-2] + chr(ord(text[-2]) + 1) + "="
    assert base64.b64decode(odd, validate=True) == data
    for tools in (True, False):  # for a later request too
        body = json.loads(json.dumps(request("anthropic", data, tools=tools)).replace(text, odd))
        sent, outcome, _ = crushed(body, store)
        assert outcome.data == sent
        assert rows(outcome)[0].kept == "no picture that can be read"


def test_base64_in_lines_stays(store):
    body = request("anthropic", PAGE)
    source = body["messages"][2]["content"][0]["content"][0]["source"]
    source["data"] = base64.encodebytes(PAGE).decode()
    data, outcome, _ = crushed(body, store)
    assert outcome.data == data


def test_slashes_escaped_by_the_client_come_back(store):
    data = json.dumps(request("anthropic", PAGE)).replace("/", "\\/").encode()
    made = engine.crush(data, Policy(), store)
    assert len(made.data) < len(data)
    assert engine.expand(made.data, store) == (data, [])


def test_a_bomb_is_refused_by_its_head(store):
    head = b"\x00\x00\xc3\x50\x00\x00\xc3\x50\x08\x02\x00\x00\x00"  # 50,000 x 50,000 pixels
    chunk = b"IHDR" + head
    bomb = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d" + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    rest = b"IDAT" + zlib.compress(b"\0" * 5_000_000)
    bomb += (len(rest) - 4).to_bytes(4, "big") + rest + zlib.crc32(rest).to_bytes(4, "big")
    data, outcome, _ = crushed(request("anthropic", bomb), store)
    assert outcome.data == data
    assert rows(outcome)[0].kept == "too many pixels"


def test_whatever_a_decoder_raises_the_picture_goes_through(store, monkeypatch):
    def broken(*_):
        raise RuntimeError("decoder")

    monkeypatch.setattr(shrink, "shrink", broken)
    data, outcome, _ = crushed(request("anthropic", PAGE), store)
    assert outcome.data == data
    assert outcome.warnings == ["messages.2.content.0.content.0: images failed; passed through"]
    assert "RuntimeError: decoder" in str(outcome.failure)


def test_without_a_decoder_repeats_are_still_found(store, monkeypatch):
    monkeypatch.delattr(images, "pixels", raising=False)
    monkeypatch.setitem(sys.modules, "headroom_cli.images.pixels", None)
    _, _, body = crushed(request("anthropic", PAGE, PAGE), store)
    first, second = outputs(body, "anthropic")
    assert first == [(PAGE, "image/png")]
    assert "the same picture" in second[0]


def test_without_a_store_nothing_changes(tmp_path):
    data = json.dumps(request("anthropic", PAGE, PAGE)).encode()
    assert engine.crush(data, Policy(), None).data == data
    blocked = tmp_path / "file"
    blocked.write_text("")
    result = engine.crush(data, Policy(), Store(str(blocked / "store")))
    assert result.data == data
    assert all(row.kept == "not stored" and row.before == row.after for row in rows(result))


def test_explaining_stores_nothing(store):
    result = engine.crush(json.dumps(request("anthropic", PAGE, PAGE)).encode(), Policy(), store, dry=True)
    assert [row.why.partition(":")[0] for row in rows(result)] == ["screenshot", "seen before"]
    assert not os.path.exists(store.root)


def test_of_several_pictures_the_nearest_is_named(store):
    other = screenshot(tuple(f"{i:02d}" for i in range(26)))  # differs from both in a part, a larger one
    _, _, body = crushed(request("anthropic", PAGE, other, changed()), store)
    note, (small, _) = outputs(body, "anthropic")[2]
    assert note.startswith("[the picture 2 pictures back (page0.png), but for")
    assert size_of(small)[1] < 100


def test_a_picture_asked_for_in_detail_is_not_the_one_shown_without(store):
    body = request("openai", PAGE, PAGE, PAGE)
    for turn, detail in zip(body["messages"][2::2], ("low", "high", "low"), strict=True):
        turn["content"][0]["image_url"]["detail"] = detail
    _, _, made = crushed(body, store)
    assert [len(output) for output in outputs(made, "openai")] == [1, 2, 1]
    assert "original of 1400x900" in outputs(made, "openai")[1][0]
    assert outputs(made, "openai")[2] == [(PAGE, "image/png")]


def test_a_picture_that_cannot_be_read_hides_none_further_up(store):
    _, _, body = crushed(request("anthropic", PAGE, PAGE[:3000], changed()), store)
    assert outputs(body, "anthropic")[2][0].startswith("[the picture 2 pictures back (page0.png), but for")


def test_a_part_of_a_picture_has_its_very_pixels():
    mandelbrot = Image.effect_mandelbrot((400, 300), (-2, -1.5, 1, 1.5), 90).convert("RGB")
    colours = Image.merge(
        "RGB", (mandelbrot.getchannel(0), mandelbrot.rotate(90).getchannel(0), mandelbrot.getchannel(0))
    )
    for name in ("PNG", "WEBP"):
        data, media_type = area.crop(
            saved(colours, name, **({"lossless": True} if name == "WEBP" else {})), (9, 7, 300, 200)
        )
        assert media_type == "image/png"
        with Image.open(io.BytesIO(data)) as part:
            assert part.convert("RGB").tobytes() == colours.crop((9, 7, 309, 207)).tobytes()


def test_cache_marks_stay_behind_the_picture_they_marked(store):
    mark = {"cache_control": {"type": "ephemeral"}}
    body = request("anthropic", PAGE, PAGE, **mark)
    _, _, made = crushed(body, store)
    first, second = (turn["content"][0]["content"] for turn in made["messages"][2::2])
    assert "cache_control" not in first[0]
    assert first[1]["cache_control"] == {"type": "ephemeral"}
    assert second[0]["cache_control"] == {"type": "ephemeral"}


def test_values_are_copied_and_not_changed(store, monkeypatch):
    monkeypatch.setenv("HEADROOM_STORE", store.root)
    body = request("anthropic", PAGE, PAGE)
    before = json.dumps(body)
    made = compress(body["messages"])
    assert json.dumps(body) == before
    small, again = (turn["content"][0]["content"] for turn in made.messages[2::2])
    assert size_of(read(small[1])[0]) < (1400, 900)
    assert "the same picture" in again[0]["text"]
    assert made.tokens_after < made.tokens_before
    assert made.handles


def test_a_conversation_of_many_requests_stores_each_picture_once(store):
    pages = [screenshot(tuple(f"page {n} line {i * n}" for i in range(26))) for n in range(2, 8)]
    for end in range(1, len(pages) + 1):
        crushed(request("anthropic", *pages[:end]), store, Policy(live=True))
    held = sum(entry.stat().st_size for entry in os.scandir(f"{store.root}/objects"))
    assert held < 1.6 * sum(map(len, pages))
    modes = {stat.S_IMODE(entry.stat().st_mode) for entry in os.scandir(f"{store.root}/objects")}
    assert modes == {0o600}


@pytest.mark.parametrize("live", [False, True])
def test_what_was_sent_is_made_again_when_its_object_is_gone(live, store):
    body = request("anthropic", PAGE)
    _, _, first = crushed(body, store, Policy(live=live))
    (note, (small, _)) = outputs(first, "anthropic")[0]
    os.unlink(f"{store.root}/objects/{hashlib.sha256(small).hexdigest()}")
    os.unlink(f"{store.root}/objects/{hashlib.sha256(PAGE).hexdigest()}")
    pictures._sent.clear()
    body["messages"] += [{"role": "assistant", "content": "It says 991."}, {"role": "user", "content": "Thanks."}]
    _, _, again = crushed(body, store, Policy(live=live))
    assert outputs(again, "anthropic")[0] == [note, (small, "image/png" if small[:3] == b"\x89PN" else "image/webp")]


def test_crushing_twice_changes_nothing_more(store):
    _, result, _ = crushed(request("anthropic", PAGE, changed(), PAGE), store)
    again = engine.crush(result.data, Policy(), store, stages=("route",))
    assert again.data == result.data
    assert [row.kept for row in rows(again)] == ["made smaller before, or asked for"] * 2


def test_other_parts_and_odd_values_are_stepped_over(store):
    odd = [
        {"type": "image"}, {"type": "image", "source": 5}, {"type": ["image"]}, "image", None, 7,
        {"type": "image", "source": {"type": "url", "url": "https://example.com"}},
        {"type": "image", "source": {"type": "base64", "media_type": 5, "data": []}},
        {"type": "image", "source": {"type": "file", "file_id": "f"}},
    ]  # fmt: skip
    body = request("anthropic")
    body["messages"] += [call("anthropic", 0, "x"), result("anthropic", 0, *odd)]
    data, outcome, _ = crushed(body, store)
    assert outcome.data == data


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "I;16"])
def test_every_mode_of_pixels_passes_or_comes_back(mode, store):
    picture = Image.effect_mandelbrot((900, 700), (-2, -1.5, 1, 1.5), 50)
    made = picture.convert("I").convert("I;16") if mode == "I;16" else picture.convert(mode)
    data = saved(made, "JPEG" if mode == "CMYK" else "PNG")
    crushed(request("anthropic", data), store)


def test_a_turned_photo_is_sent_upright_and_without_its_metadata(store):
    picture = Image.effect_noise((1200, 800), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "a maker's name"
    photo = saved(picture, "JPEG", exif=exif, quality=95)
    _, _, body = crushed(request("anthropic", photo), store)
    note, (small, media) = outputs(body, "anthropic")[0]
    assert media == "image/jpeg"
    wide, high = size_of(small)
    assert wide < high
    assert b"maker" not in small
    assert "original of 800x1200 pixels" in note


def test_stats_count_pictures_and_name_those_that_nobody_can_count(store, headroom, tmp_path):
    body = request("anthropic", PAGE, PAGE)
    missing = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    body["messages"] += [call("anthropic", 8, "x"), result("anthropic", 8, missing)]
    file = tmp_path / "request.json"
    file.write_text(json.dumps(body))
    done = headroom("stats", "--json", str(file))
    told = json.loads(done.stdout)
    (row,) = (part for part in told["parts"] if part["kind"] == "image" and part["tokens"])
    assert (row["role"], row["tool"]) == ("tool", "screenshot")
    assert row["tokens"] == 2 * cost.tokens(1400, 900, "anthropic")
    assert row["crushed"] < 0.7 * row["tokens"]
    assert told["uncounted_media"] == 1
    assert "1 pictures or files are not counted" in told["warnings"][0]
