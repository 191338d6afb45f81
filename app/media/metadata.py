"""Takes out of a picture's file what it says beside its pixels, without decoding it."""

from __future__ import annotations

from collections.abc import Callable
from zlib import crc32

from PIL import Image

from app.media.container import MARKER, SCAN, WITH_LENGTH, end_of
from app.media.picture import ORIENTATION

ORIENTED = range(1, 9)
"""Values of EXIF's orientation; 1 is upright."""

_END, _PROFILE, _COMMENT = 0xD9, 0xE2, 0xFE
_APPLICATION = range(0xE0, 0xF0)
_KEPT_APPLICATIONS = {0xE0: b"JFIF\0", _PROFILE: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
"""A JPEG's segments of applications that decide how its pixels look -> how these begin."""
_PNG_KEPT = frozenset(
    {b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"bKGD", b"pHYs", b"tRNS", b"acTL", b"fcTL", b"fdAT"}
)
_WEBP_KEPT = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_WEBP_EXIF, _WEBP_XMP = 0x08, 0x04
"""Flags of a WebP's first chunk (RFC 9649, 2.7.1)."""


def without_metadata(data: bytes, kind: str, *, orientation: int = 1) -> bytes | None:
    """The same picture, to the bit, without EXIF, XMP, IPTC, texts, thumbnails and whatever follows it.

    Colour profile and orientation stay. `data` is a whole picture of the format `kind`; of a HEIC it is None.
    """
    strip = _STRIPS.get(kind)
    end = end_of(kind, lambda at, size: data[at : at + size]) if strip else 0
    return strip(data[:end] if end else data, orientation) if strip else None


def _exif(orientation: int) -> bytes:
    """EXIF that says nothing but how the picture is turned."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif.tobytes()


def _jpeg(data: bytes, orientation: int) -> bytes:
    parts, behind, scans = [data[:2]], 2, False
    if orientation != 1:
        exif = _exif(orientation)
        parts.append(b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif)
    while marker := MARKER.search(data, behind):
        at, code = marker.start(), data[marker.start() + 1]
        if scans:
            parts.append(data[behind:at])  # coded pixels
        length = max(2, int.from_bytes(data[at + 2 : at + 4])) if code in WITH_LENGTH else 0
        behind = at + 2 + length
        if _stays(code, data[at + 4 : at + 16]):
            parts.append(data[at:behind])
        if code == _END:
            break
        scans = scans or code == SCAN
    else:
        parts.append(data[behind:])
    return b"".join(parts)


def _stays(code: int, start: bytes) -> bool:
    if code in _APPLICATION:
        return code in _KEPT_APPLICATIONS and start.startswith(_KEPT_APPLICATIONS[code])
    return code != _COMMENT


def _png(data: bytes, orientation: int) -> bytes:
    parts, at = [data[:8]], 8
    while at + 8 <= len(data):
        size, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if name == b"IDAT" and orientation != 1:
            body = b"eXIf" + _exif(orientation).removeprefix(b"Exif\0\0")
            parts.append((len(body) - 4).to_bytes(4) + body + crc32(body).to_bytes(4))
            orientation = 1
        if name[:1].isupper() or name in _PNG_KEPT:
            parts.append(data[at : at + 12 + size])
        at += 12 + size
    return b"".join(parts)


def _webp(data: bytes, orientation: int) -> bytes:
    parts, at = [], 12
    while at + 8 <= len(data):
        size, name = int.from_bytes(data[at + 4 : at + 8], "little"), data[at : at + 4]
        chunk = data[at : at + 8 + size + size % 2]
        if name == b"VP8X":
            flags = chunk[8] & ~(_WEBP_EXIF | _WEBP_XMP) | (_WEBP_EXIF if orientation != 1 else 0)
            chunk = chunk[:8] + bytes([flags]) + chunk[9:]
        if name in _WEBP_KEPT:
            parts.append(chunk)
        at += 8 + size + size % 2
    if orientation != 1:
        exif = _exif(orientation).removeprefix(b"Exif\0\0")
        parts.append(b"EXIF" + len(exif).to_bytes(4, "little") + exif + b"\0" * (len(exif) % 2))
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _bmp(data: bytes, orientation: int) -> bytes:
    del orientation  # it has no place for one
    return data


_STRIPS: dict[str, Callable[[bytes, int], bytes]] = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp, "BMP": _bmp}
