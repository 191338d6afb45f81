"""Picture formats by Pillow's names (and HEIC), with their suffixes, content types, first and last bytes."""

from __future__ import annotations

import re
from pathlib import PurePath

SUFFIXES = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "BMP": ".bmp",
    "HEIC": ".heic",
    "GIF": ".gif",
    "AVIF": ".avif",
}
CONTENT_TYPES = {suffix: f"image/{kind.lower()}" for kind, suffix in SUFFIXES.items()}
"""By suffix. GIF and AVIF are among them for our own pictures; as uploads they are refused."""

JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")
OTHER_SUFFIXES = (*JPEG_SUFFIXES[1:], ".heif")
"""Further suffixes of pictures."""
_SAME = {**dict.fromkeys(JPEG_SUFFIXES, ".jpg"), ".heif": ".heic"}

VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".wmv", ".asf", ".flv", ".3gp", ".mpg", ".mpeg", ".ts"),
    *(".264", ".265", ".h264", ".h265", ".dav", ".idx"),
)
"""`.dav` is Dahua's own format, and `.idx` the index beside it."""
INDEX_SUFFIXES = (".idx",)
VIDEO_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/mp4",
    ".webm": "video/webm",
    ".3gp": "video/3gpp",
    ".avi": "video/x-msvideo",
    ".mkv": "video/x-matroska",
    ".wmv": "video/x-ms-wmv",
    ".asf": "video/x-ms-asf",
    ".flv": "video/x-flv",
    ".mpg": "video/mpeg",
    ".mpeg": "video/mpeg",
    ".ts": "video/mp2t",
}
"""Content types of videos by suffix. QuickTime holds the same as MP4, and browsers play it under that name only."""
PLAYED = (".mp4", ".m4v", ".mov", ".webm")
"""Suffixes of videos that browsers play, as far as they know what is in them."""

JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
PNG_START, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xae\x42\x60\x82"
"""PNG (RFC 2083), 4.1.4: the last chunk with its check sum."""
GIF_START, BMP_START = b"GIF8", b"BM"

TAKEN = {
    "JPEG": re.compile(re.escape(JPEG_START)),
    "PNG": re.compile(re.escape(PNG_START)),
    "WEBP": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "BMP": re.compile(re.escape(BMP_START)),
    "HEIC": re.compile(rb"....ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1)", re.DOTALL),
}
"""The formats that are accepted -> how they start. HEIC needs pillow-heif."""


def format_of(head: bytes) -> str:
    """The format of a picture by its first bytes; empty for one that is not accepted."""
    return next((kind for kind, start in TAKEN.items() if start.match(head)), "")


def content_type_of(name: str) -> str:
    """The content type of a picture by its file's name; empty where that is no picture's."""
    suffix = PurePath(name).suffix.lower()
    return CONTENT_TYPES.get(_SAME.get(suffix, suffix), "")
