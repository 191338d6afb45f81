"""Whether bytes are a complete picture, and the one way from bytes to pixels."""

from __future__ import annotations

import importlib
import io
import re
import warnings
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from functools import cache, partial

from PIL import Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from app.media import container
from app.media.formats import format_of
from pylib.errors import Permanent
from pylib.runtime.budget import Budget

MAX_PIXELS = 50_000_000
"""Room for every camera sold today; a picture of that many pixels takes 150 MB once decoded."""

SMALL = 4_000_000
"""Pixels that are decoded at once, whatever else is: 16 MB at most."""

MAX_PROFILE = 65_536
"""Bytes of a colour profile that is passed on: those of cameras and phones have less than 4,000."""

# One line on stderr for each broken tag, of which a hostile EXIF has thousands.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")

# The plugins are called by name, not through Image.open: that one tries every format it knows, and judges
# the size by a global of Pillow's, warning on stderr, where ours is a setting and an error.
_PLUGINS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "WEBP": WebPImageFile,
    "BMP": BmpImageFile,
}
_ROOM = Budget(MAX_PIXELS)
_TAKEN = "JPEG, PNG, WEBP, BMP or HEIC"

_FOREIGN = {
    "a GIF": re.compile(rb"GIF8"),
    "a TIFF": re.compile(rb"II\*\0|MM\0\*"),
    "an AVIF": re.compile(rb"....ftypavi[fs]", re.DOTALL),
    "a video": re.compile(rb"....ftyp|RIFF....AVI |\x1aE\xdf\xa3", re.DOTALL),
    "a PDF": re.compile(rb"%PDF"),
    "an SVG": re.compile(rb"\s*(\xef\xbb\xbf\s*)?<(svg|([?!][^<]*<)+svg)\b", re.IGNORECASE),
}
_WEB_PAGE = re.compile(rb"\s*(\xef\xbb\xbf\s*)?(<[?!][^<]*)*<(html|head|body|title|meta)\b", re.IGNORECASE)
_TEXT = re.compile(rb"(\xef\xbb\xbf)?[\t\r\n\x20-\x7e]*\Z")

ORIENTATION = 0x0112
"""The EXIF tag (EXIF 2.3)."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> what makes the picture upright."""

CODES = {
    "empty": (
        "The picture is empty.",
        "restart the camera; in an upload it may be the probe of a camera that tests its settings",
    ),
    "not_an_image": (
        "What was sent is not a picture.",
        "compare this camera's kind, preset or url with its manual; switch off anything else that it sends",
    ),
    "unsupported_format": (
        "The picture has a format that is not supported.",
        "set the camera to JPEG, PNG, WebP or BMP; for HEIC install the extra `heif`",
    ),
    "truncated": ("The picture broke off half way.", "look at the network; try a smaller picture"),
    "undecodable": ("The picture is damaged.", "look at the network and at the camera; try a smaller picture"),
    "pixel_bomb": (
        "The picture is larger than the limit allows.",
        "raise MAX_PIXELS, or choose a smaller picture in the camera",
    ),
    "metadata_bomb": (
        f"The picture holds far more beside its pixels than a camera writes: over {container.MAX_SEGMENTS} segments, "
        f"or {container.MAX_METADATA / 1e6:g} MB in all.",
        "look at the file before you open it: it may be made to do harm",
    ),
}
"""Code -> what happened, and what to do about it."""


class BadPicture(Permanent):
    """Bytes that are no usable picture; `code` is one of `empty`, `not_an_image`, `unsupported_format`,
    `pixel_bomb`, `metadata_bomb`, `truncated`, `undecodable`."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's format and size, seen upright: width and height in pixels after its EXIF orientation."""

    format: str
    """`JPEG`, `PNG`, `WEBP`, `BMP` or `HEIC`."""
    width: int
    height: int


def examine(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode a picture completely and return what it is; raises `BadPicture`."""
    with ExitStack() as memory:
        opened = _open(data, max_pixels, memory=memory)
        image, size = opened.image, opened.image.size
        if opened.picture.format == "JPEG":
            # At an eighth of its size a JPEG's coded data is still read to the last byte, which finds a truncated one;
            # only the inverse transform and the pixels are saved.
            image.draft(None, (1, 1))
            if "progressive" not in image.info:  # of those the whole is in memory before the first pixel
                size = image.size
        if opened.picture.format != "WEBP":
            memory.enter_context(room_for(*size))
        memory.callback(image.close)  # the pixels go before another picture gets the room
        opened.load()
        return opened.picture


def describe(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """What a picture claims to be, from its header alone; raises `BadPicture`."""
    return _open(data, max_pixels, header_only=True).picture


def upright(
    data: bytes, *, width: int | None = None, faithful: bool = False, max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """Decode a picture to RGB, turned by its EXIF orientation, transparency on white; raises `BadPicture`.

    Only the pixels are kept, at 8 bits a colour. With `width` a JPEG may come out smaller than it is, but not narrower
    than `width`: much cheaper. `faithful`: transparency stays (RGBA then), and the colour profile stands in `info`. Of
    an animated picture it is the first frame.
    """
    opened = _open(data, max_pixels)
    image, picture = opened.image, opened.picture
    orientation = _orientation(image)
    if width is not None:
        size = (width, max(1, width * picture.height // picture.width))
        image.draft("RGB", size if orientation < 5 else size[::-1])
    opened.load()
    turn = _TURNS.get(orientation)
    profile = _profile(image) if faithful else b""
    plain = _plain(_eight_bits(image if turn is None else image.transpose(turn)))
    plain.info.clear()  # Pillow would write a comment found here into what is saved of it
    if profile:
        plain.info["icc_profile"] = profile
    return plain if faithful else on_white(plain)


def on_white(image: Image.Image) -> Image.Image:
    """An RGB or RGBA image without transparency."""
    if image.mode != "RGBA":
        return image
    sheet = Image.new("RGB", image.size, "white")
    sheet.paste(image, mask=image)
    return sheet


def exif(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Image.Exif:
    """The EXIF of a picture, empty when it has none; raises `BadPicture`, and anything at all on hostile EXIF."""
    image = _open(data, max_pixels).image
    return image.getexif() if "exif" in image.info else Image.Exif()  # to look further, Pillow would decode a PNG


@dataclass(frozen=True, slots=True)
class _Opened:
    """A picture whose container was walked, before it is decoded."""

    image: ImageFile.ImageFile
    picture: Picture
    size: int
    """Bytes of its file."""
    whole: bool
    """Whether it goes on to where its format demands."""

    def load(self) -> None:
        """Decode it; raises `BadPicture`."""
        try:
            self.image.load()
        except Exception:  # noqa: BLE001 - as in `_open`
            raise _unreadable(self.picture.format, self.size, whole=self.whole) from None
        if not self.whole:  # decoders that have all pixels do not mind a missing end
            raise _unreadable(self.picture.format, self.size, whole=False)


def room_for(width: int, height: int) -> AbstractContextManager[None]:
    """Memory for so many pixels: of large pictures as many at once as make up the largest that is accepted unasked."""
    return _ROOM.take(width * height) if width * height > SMALL else nullcontext()


def _open(data: bytes, max_pixels: int, *, header_only: bool = False, memory: ExitStack | None = None) -> _Opened:
    """`header_only`: it will not be decoded, so a JPEG's pixels are not walked through.

    `memory`: gets the room for those pixels that are there once it is open.
    """
    kind = _sniff(data)
    to_end = container.first_scan if header_only and kind == "JPEG" else partial(container.end_of, kind)
    try:
        whole = to_end(lambda at, size: data[at : at + size]) > 0
    except container.Overloaded as bomb:
        raise BadPicture(bomb.code, bomb.detail) from None
    if kind == "WEBP":  # its plugin allocates the whole canvas on opening
        _check_size(*_webp_size(data), max_pixels)
        if memory is not None:
            memory.enter_context(room_for(*_webp_size(data)))
    plugin = _heif_plugin() if kind == "HEIC" else _PLUGINS[kind]
    if plugin is None:
        raise BadPicture("unsupported_format", "This is a HEIC file; they need pillow-heif, the extra `heif`.")
    try:
        image = plugin(io.BytesIO(data))
    except Exception:  # noqa: BLE001 - plugins raise anything at all on hostile bytes
        raise _unreadable(kind, len(data), whole=whole) from None
    _check_size(*image.size, max_pixels)
    width, height = image.size if _orientation(image) < 5 else image.size[::-1]
    return _Opened(image, Picture(kind, width, height), len(data), whole)


@cache
def _heif_plugin() -> type[ImageFile.ImageFile] | None:
    """Loaded with the first such picture; None where the extra is not installed."""
    try:
        plugin: type[ImageFile.ImageFile] = importlib.import_module("pillow_heif").HeifImageFile
    except ImportError:
        return None
    return plugin


def _sniff(data: bytes) -> str:
    if not data:
        raise BadPicture("empty", "The picture is empty: it has not one byte.")
    head = data[:1024]
    kind = "" if _TEXT.match(head) else format_of(head)
    if kind:
        return kind
    for name, magic in _FOREIGN.items():
        if magic.match(head):
            raise BadPicture("unsupported_format", f"This is {name} file; a picture has to be {_TAKEN}.")
    if _WEB_PAGE.match(head):
        raise BadPicture("not_an_image", "This is a web page (HTML), not a picture.")
    if _TEXT.match(head):
        raise BadPicture("not_an_image", "This is text, not a picture.")
    raise BadPicture("not_an_image", f"This is no picture: it does not start as {_TAKEN} does.")


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise BadPicture(
            "pixel_bomb", f"The picture claims {width} x {height} pixels; the limit is {max_pixels} in all."
        )


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height in a WEBP's header (RFC 9649, sections 2.5 to 2.7); 0, 0 when it is cut short."""
    head = data[:30].ljust(30, b"\0")
    chunk = head[12:16]
    if chunk == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if chunk == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF


def _unreadable(kind: str, size: int, *, whole: bool) -> BadPicture:
    if not whole:
        return BadPicture("truncated", f"The {kind} picture is cut short: it ends after {size} bytes.")
    return BadPicture("undecodable", f"The {kind} picture is damaged and cannot be decoded.")


def _orientation(image: ImageFile.ImageFile) -> int:
    if "exif" not in image.info:
        return 1
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - a picture with broken EXIF is still a picture
        return 1
    return orientation if orientation in _TURNS else 1


def _plain(image: Image.Image) -> Image.Image:
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _profile(image: Image.Image) -> bytes:
    """The picture's colour profile (ICC.1:2022, 7.2) if it is one of RGB, which is what pixels are converted to."""
    profile = image.info.get("icc_profile") or b""
    sound = len(profile) == int.from_bytes(profile[:4]) <= MAX_PROFILE and profile[36:40] == b"acsp"
    return profile if sound and profile[16:20] == b"RGB " else b""


def _eight_bits(image: Image.Image) -> Image.Image:
    """A picture of 16 bits a pixel with 8: Pillow's own conversion makes white of all above 255."""
    if not image.mode.startswith("I"):
        return image
    grey = image.point(lambda value: value * (1 / 257) + 0.5).convert("L")
    if (clear := image.info.get("transparency")) is not None:
        grey.info["transparency"] = clear // 257
    return grey
