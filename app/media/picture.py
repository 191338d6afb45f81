"""Whether bytes are a complete picture, and the one way from bytes to pixels."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from PIL import Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from app.media.formats import JPEG_END, JPEG_SCAN, PNG_END, format_of
from pylib.errors import Permanent

MAX_PIXELS = 50_000_000
"""Room for every camera sold today; a picture of that many pixels takes 150 MB once decoded."""

_MAX_SCANS = 100
"""A progressive JPEG has about ten. Each is a pass over all pixels: a file with 100,000 costs minutes."""
_SCAN = re.compile(re.escape(JPEG_SCAN))
"""The marker of a scan. Counting by a regular expression takes a third of the time of `bytes.count`."""

# The plugins are called by name, not through Image.open: that one tries every format it knows, and judges
# the size by a global of Pillow's, warning on stderr, where ours is a setting and an error.
_PLUGINS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "WEBP": WebPImageFile,
    "BMP": BmpImageFile,
}
_TAKEN = "JPEG, PNG, WEBP or BMP"

_FOREIGN = {
    "a GIF": re.compile(rb"GIF8"),
    "a TIFF": re.compile(rb"II\*\0|MM\0\*"),
    "an AVIF": re.compile(rb"....ftypavi[fs]", re.DOTALL),
    "a HEIC": re.compile(rb"....ftyp(hei|hev|mif1|msf1)", re.DOTALL),
    "a video": re.compile(rb"....ftyp|RIFF....AVI |\x1aE\xdf\xa3", re.DOTALL),
    "a PDF": re.compile(rb"%PDF"),
    "an SVG": re.compile(rb"\s*(\xef\xbb\xbf\s*)?<(svg|([?!][^<]*<)+svg)\b", re.IGNORECASE),
}
_WEB_PAGE = re.compile(rb"\s*(\xef\xbb\xbf\s*)?(<[?!][^<]*)*<(html|head|body|title|meta)\b", re.IGNORECASE)
_TEXT = re.compile(rb"(\xef\xbb\xbf)?[\t\r\n\x20-\x7e]*\Z")

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> what makes the picture upright (EXIF 2.3, tag 0x0112)."""

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
        "set the camera to JPEG, PNG, WebP or BMP",
    ),
    "truncated": ("The picture broke off half way.", "look at the network; try a smaller picture"),
    "undecodable": ("The picture is damaged.", "look at the network and at the camera; try a smaller picture"),
    "pixel_bomb": (
        "The picture is larger than the limit allows.",
        "raise MAX_PIXELS, or choose a smaller picture in the camera",
    ),
}
"""Code -> what happened, and what to do about it."""


class BadPicture(Permanent):
    """Bytes that are no usable picture; `code` is one of `empty`, `not_an_image`, `unsupported_format`,
    `pixel_bomb`, `truncated`, `undecodable`."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's format and size, seen upright: width and height in pixels after its EXIF orientation."""

    format: str
    """`JPEG`, `PNG`, `WEBP` or `BMP`."""
    width: int
    height: int


def examine(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode a picture completely and return what it is; raises `BadPicture`."""
    image, picture = _open(data, max_pixels)
    # At an eighth of its size a JPEG's coded data is still read to the last byte, which finds a truncated one; only
    # the inverse transform and the pixels are saved.
    image.draft(None, (1, 1))
    _load(image, data)
    return picture


def describe(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """What a picture claims to be, from its header alone; raises `BadPicture`."""
    return _open(data, max_pixels)[1]


def upright(data: bytes, *, width: int | None = None, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode a picture to RGB, turned by its EXIF orientation, transparency on white; raises `BadPicture`.

    Only the pixels are kept. With `width` a JPEG may come out smaller than it is, but not narrower
    than `width`: much cheaper.
    """
    image, picture = _open(data, max_pixels)
    orientation = _orientation(image)
    if width is not None:
        size = (width, max(1, width * picture.height // picture.width))
        image.draft("RGB", size if orientation < 5 else size[::-1])
    _load(image, data)
    turn = _TURNS.get(orientation)
    flat = _flat(image if turn is None else image.transpose(turn))
    flat.info.clear()  # Pillow would write a comment found here into what is saved of it
    return flat


def _open(data: bytes, max_pixels: int) -> tuple[ImageFile.ImageFile, Picture]:
    kind = _sniff(data)
    if kind == "WEBP":  # its plugin allocates the whole canvas on opening
        _check_size(*_webp_size(data), max_pixels)
    try:
        image = _PLUGINS[kind](io.BytesIO(data))
    except Exception:  # noqa: BLE001 - plugins raise anything at all on hostile bytes
        raise _unreadable(kind, data) from None
    _check_size(*image.size, max_pixels)
    width, height = image.size if _orientation(image) < 5 else image.size[::-1]
    return image, Picture(kind, width, height)


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


def _load(image: ImageFile.ImageFile, data: bytes) -> None:
    kind = str(image.format)
    if kind == "JPEG" and len(_SCAN.findall(data)) > _MAX_SCANS:
        raise BadPicture("pixel_bomb", f"This JPEG has more than {_MAX_SCANS} scans, which no camera makes.")
    try:
        image.load()
    except Exception:  # noqa: BLE001 - as above
        raise _unreadable(kind, data) from None
    if _cut_short(kind, data):  # decoders that have all pixels do not mind a missing end
        raise _unreadable(kind, data)


def _unreadable(kind: str, data: bytes) -> BadPicture:
    if _cut_short(kind, data):
        return BadPicture("truncated", f"The {kind} picture is cut short: it ends after {len(data)} bytes.")
    return BadPicture("undecodable", f"The {kind} picture is damaged and cannot be decoded.")


def _cut_short(kind: str, data: bytes) -> bool:
    """Whether the file ends before its format demands."""
    if kind == "JPEG":  # more may follow: padding, a second view, a video
        return data.rfind(JPEG_END, _first_scan(data)) < 0
    if kind == "PNG":
        return PNG_END not in data
    if kind == "WEBP":
        return len(data) < 8 + int.from_bytes(data[4:8], "little")
    return len(data) < int.from_bytes(data[2:6], "little")


def _first_scan(data: bytes) -> int:
    """Where a JPEG's coded data begin: after the segments of its header, one of which may hold a complete thumbnail."""
    at = 2
    while data[at : at + 1] == b"\xff":
        if data[at + 1 : at + 2] == b"\xda":
            return at
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return max(0, data.find(JPEG_SCAN))


def _orientation(image: ImageFile.ImageFile) -> int:
    if "exif" not in image.info:
        return 1
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - a picture with broken EXIF is still a picture
        return 1
    return orientation if orientation in _TURNS else 1


def _flat(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    pixels = image.convert("RGBA")
    sheet = Image.new("RGB", image.size, "white")
    sheet.paste(pixels, mask=pixels)
    return sheet
