"""Extracts the pictures and videos from a mail, however a camera's firmware has packed them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from app.media.formats import OTHER_SUFFIXES, SUFFIXES, TAKEN, VIDEO_SUFFIXES
from app.media.picture import BadPicture, describe
from app.naming import composed
from app.uploads.mail.mime import BadMail, Part, from_base64, parts

MAX_NAME = 100
"""Bytes of a file name, of the 255 that file systems have room for."""

_PICTURE_NAMES = {*SUFFIXES.values(), *OTHER_SUFFIXES}
_TAKEN_NAMES = {*(SUFFIXES[kind] for kind in TAKEN), *OTHER_SUFFIXES}
_TAKEN_TYPES = {*(kind.lower() for kind in TAKEN), "jpg", "pjpeg", "x-png", "x-ms-bmp", "heif"}
_UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"|?*\ud800-\udfff\ufffd]+')


@dataclass(frozen=True, slots=True)
class Attached:
    """A picture in a mail, by its content or its declared type; or a video, by its name or its declared type."""

    name: str
    """Its file name, safe in a path: one part, not hidden, of at most `MAX_NAME` bytes of UTF-8."""
    data: bytes
    is_claimed: bool
    """Whether its name or its declared type is one of a format that is taken."""
    is_video: bool = False


def pictures_in(mail: bytes, *, most: int, videos: bool = False) -> list[Attached]:
    """Every part of the mail that is a picture by its content or its declared type (its bytes are checked later).

    With `videos`, those too, by their name or their declared type.

    Raises `BadMail` when there are more than `most` of them, or when it is nested, divided or labelled beyond measure.
    """
    found: list[Attached] = []
    for part in parts(mail):
        name = part.file_name
        ending, is_image = PurePosixPath(name.lower()).suffix, part.main_type == "image"
        is_video = videos and (ending in VIDEO_SUFFIXES or part.main_type == "video")
        says_picture = is_image or ending in _PICTURE_NAMES
        data, kind = (part.decoded(), None) if is_video else _content(part, says_picture=says_picture)
        if not data or (kind is None and not says_picture and not is_video):
            continue
        if len(found) == most:
            raise BadMail("too_many_pictures", f"more than {most} pictures in one mail; set MAIL_MAX_PICTURES")
        suffix = ".mp4" if is_video else SUFFIXES.get(kind or "", ".jpg")
        is_claimed = ending in _TAKEN_NAMES or (is_image and part.subtype in _TAKEN_TYPES)
        fallback = f"{'video' if is_video else 'picture'}-{len(found) + 1}"
        found.append(Attached(safe_name(name, fallback=fallback, suffix=suffix), data, is_claimed, is_video))
    return found


def safe_name(name: str, *, fallback: str, suffix: str) -> str:
    """A sender's file name as one harmless part of a path; `suffix` is appended unless it has one of its kind."""
    last = re.split(r"[/\\]", name)[-1]
    plain = " ".join(_UNFIT.sub("_", composed(last)).split()).strip(". ")
    stem, ending = plain, suffix
    if PurePosixPath(plain).suffix.lower() in (VIDEO_SUFFIXES if suffix in VIDEO_SUFFIXES else _PICTURE_NAMES):
        stem, _, ending = plain.rpartition(".")
        ending = f".{ending}"
    if not stem.strip("._ "):
        stem = fallback
    room = MAX_NAME - len(ending.encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ") + ending


def _content(part: Part, *, says_picture: bool) -> tuple[bytes, str | None]:
    """What a part holds, and its format if that is a picture's; one that says so is read in the other way, too."""
    decoded = part.decoded()
    kind = _kind(decoded)
    if kind is None and says_picture:
        other = part.body if decoded is not part.body else from_base64(part.body)
        if (found := _kind(other)) is not None:
            return other, found
    return decoded, kind


def _kind(data: bytes) -> str | None:
    try:
        return describe(data).format
    except BadPicture:
        return None
