"""Pixels in and out: decode within limits, upright and in sRGB; resize; test the contrast; encode. Needs Pillow."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageChops, ImageStat, UnidentifiedImageError

from headroom_cli.images import head as heads
from headroom_cli.images import measure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from headroom_cli.images.head import Head

_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}
# What Pillow raises for pictures that are not what their heads say; DecompressionBombError is an Exception of its own.
_UNREADABLE = (
    OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, OverflowError, MemoryError,
    ZeroDivisionError, AttributeError, NotImplementedError, RuntimeError, UnidentifiedImageError,
    Image.DecompressionBombError,
)  # fmt: skip
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SCAN = b"\xff\xda"
_MOST_SCANS = 100  # of a JPEG: each may be thirty bytes and changes every pixel; encoders make about ten
_GREY = 128  # behind what is transparent while it is measured: black and white both show on it
# What a palette may change of a drawing, of 255: on average, and at more than three of 4 x 4 pixels.
_PALETTES = (256, 64, 32)
_CLOSE = 1.2
_FAR = 48


def decode(data: bytes, told: Head, wanted: tuple[int, int]) -> Image.Image | None:
    """Return the picture upright, in RGB or RGBA and sRGB; None when its bytes are damaged or not what they say.

    ``wanted`` is the size (width, height) that will be used at most: a JPEG is decoded at an eighth, a quarter or half
    of its size where that is enough, and may come back at that size.
    """
    if told.media_type == "image/jpeg" and data.count(_SCAN) > _MOST_SCANS:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a bomb by its head is refused before; odd metadata does not matter here
        try:
            with Image.open(io.BytesIO(data), formats=[_FORMATS[told.media_type]]) as opened:
                if opened.size != (told.width, told.height) or heads.too_large(told):
                    return None
                if told.media_type == "image/jpeg":
                    turned = told.upright != (told.width, told.height)
                    opened.draft(None, wanted[::-1] if turned else wanted)
                profile = opened.info.get("icc_profile")
                opened.load()
                picture = _plain(opened, profile)
        except _UNREADABLE:
            return None
    turn = _TURNS.get(told.orientation)
    return picture if turn is None else picture.transpose(turn)


def _plain(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Return a picture in mode RGB, or RGBA where something is transparent, its colours in sRGB."""
    if picture.mode.startswith("I"):  # 16 bits: the upper eight; converting would clip
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    see_through = "A" in picture.getbands() or "transparency" in picture.info
    if profile and not see_through and picture.mode in {"RGB", "CMYK", "L"}:
        picture = _in_srgb(picture, profile)
    if not see_through:
        return picture.convert("RGB")
    picture = picture.convert("RGBA")
    return picture.convert("RGB") if picture.getchannel("A").getextrema()[0] == 255 else picture


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Return the colours that a profile means; a profile that does not fit is left aside, as viewers do."""
    if b"sRGB" in profile[:4096] or len(profile) < 128:
        return picture
    try:
        from PIL import ImageCms

        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        changed = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImportError, OSError, ValueError, TypeError, RuntimeError):
        return picture
    except Exception as error:
        if type(error).__name__ != "PyCMSError":  # derives from Exception alone
            raise
        return picture
    return changed or picture


def resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a picture in another size, averaged over what falls together."""
    if picture.size == size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def opaque(picture: Image.Image) -> Image.Image:
    """Return a picture on grey ground where it is transparent."""
    if picture.mode == "RGB":
        return picture
    ground = Image.new("RGBA", picture.size, (_GREY, _GREY, _GREY, 255))
    return Image.alpha_composite(ground, picture).convert("RGB")


def contrast(shown: Image.Image, size: tuple[int, int]) -> float:
    """Return how much of the contrast at a picture's edges is left at a smaller size (0 to 1)."""
    edges = measure.edge_map(shown)
    where = measure.strong(edges)
    before = ImageStat.Stat(edges, where).mean[0] if where.getbbox() else 0.0
    if not before:
        return 1.0
    again = resized(shown, size).resize(shown.size, Image.Resampling.BICUBIC)
    return float(ImageStat.Stat(measure.edge_map(again), where).mean[0] / before)


def encode(picture: Image.Image, most: int, *, lossy: bool, quality: int) -> tuple[bytes, str] | None:
    """Return bytes and media type of the first encoding that has fewer than ``most`` bytes, None when none has.

    What was lossy already, and photos, become JPEG, or WebP where something is transparent. Drawings become PNG, with a
    palette if that changes next to nothing, else in full colours, else WebP without loss. Transparency is kept.
    """
    if lossy:
        if picture.mode == "RGB":
            data, media_type = _saved(picture, "JPEG", quality=quality, optimize=True), "image/jpeg"
        else:
            data, media_type = _saved(picture, "WEBP", quality=quality, method=3), "image/webp"
        return (data, media_type) if len(data) < most else None
    for candidate in _drawn(picture):
        data = _saved(candidate, "PNG")
        if len(data) < most:
            return data, "image/png"
    data = _saved(picture, "WEBP", lossless=True, quality=60, method=2, exact=False)
    if len(data) < most:
        return data, "image/webp"
    few = _palette(picture, _PALETTES[0], rounds=1)  # takes longest
    data = _saved(few, "PNG") if few is not None else b""
    return (data, "image/png") if 0 < len(data) < most else None


def cut_out(picture: Image.Image, *, lossy: bool, quality: int) -> tuple[bytes, str]:
    """Return bytes and media type of a part of a picture, whatever it takes: JPEG for what was lossy, else PNG."""
    if lossy and picture.mode == "RGB":
        return _saved(picture, "JPEG", quality=quality, optimize=True), "image/jpeg"
    return _saved(picture, "PNG"), "image/png"


def _drawn(picture: Image.Image) -> Iterator[Image.Image]:
    """Yield a drawing with ever fewer colours as long as that cannot be seen, at last as it is."""
    for colours in _PALETTES:
        few = _palette(picture, colours)
        if few is None:
            break
        yield few
    yield picture


def _palette(picture: Image.Image, colours: int, rounds: int = 0) -> Image.Image | None:
    """Return a picture with so many colours, bettered by so many rounds of k-means, None if the loss can be seen."""
    method = Image.Quantize.MEDIANCUT if picture.mode == "RGB" else Image.Quantize.FASTOCTREE  # that one knows alpha
    few = picture.quantize(colours, method=method, kmeans=rounds, dither=Image.Dither.NONE)
    changed = ImageChops.difference(picture, few.convert(picture.mode))
    return None if max(ImageStat.Stat(changed).mean) > _CLOSE or _cluster(changed) else few


def _cluster(changed: Image.Image) -> bool:
    """Tell whether a spot changed much: a red dot among greys, the rare colour that a palette gives up first."""
    bands = changed.split()
    most = bands[0]
    for band in bands[1:]:
        most = ImageChops.lighter(most, band)
    spots = most.point([0] * _FAR + [255] * (256 - _FAR)).reduce(4)
    return max(spots.histogram()[255 * 3 // 16 + 1 :]) > 0


def _saved(picture: Image.Image, name: str, **options: object) -> bytes:
    target = io.BytesIO()
    picture.info.clear()  # no profile, no comment, no gamma
    picture.save(target, name, **options)
    return target.getvalue()
