"""Extracts the pictures from a mail, however a camera's firmware has packed them."""

from __future__ import annotations

import re
import unicodedata
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass
from email._policybase import Compat32
from email.errors import MessageError
from email.feedparser import BytesFeedParser
from email.header import decode_header, make_header
from email.message import Message
from pathlib import PurePosixPath
from typing import Any

from app.media.formats import OTHER_SUFFIXES, SUFFIXES
from app.media.picture import BadPicture, describe
from pylib.errors import Permanent

MAX_PARTS = 200
MAX_NESTED = 20
"""A camera's mail has a handful of parts, in one or two levels. Each level is searched for each line."""
MAX_NAME = 100
"""Bytes of a file name, of the 255 that file systems have room for."""

_CHUNK = 65_536
_NESTING = re.compile(rb"content-type:\s*(multipart|message)/", re.IGNORECASE)
_PICTURE_NAMES = {*SUFFIXES.values(), *OTHER_SUFFIXES}
_UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"|?*\ud800-\udfff\ufffd]+')


class BadMail(Permanent):
    """A mail that is rejected, however often it is sent: `too_many_parts`, `too_many_pictures`."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A picture in a mail, by its content or its declared type."""

    name: str
    """Its file name, safe in a path: one part, not hidden, of at most `MAX_NAME` bytes of UTF-8."""
    data: bytes


class _Lenient(Compat32):
    """Headers as they stand, with bytes beyond ASCII read as UTF-8, which firmware uses without declaring it.

    The modern policies parse headers by the whole grammar: slower by far, and less tolerant.
    """

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002
        return value.encode("ascii", "surrogateescape").decode("utf-8", "replace")


def pictures_in(mail: bytes, *, most: int) -> list[Attached]:
    """Every part of the mail that is a picture by its content or its declared type (its bytes are checked later).

    Raises `BadMail` when there are more than `most` of them, or when it is nested or divided beyond measure.
    """
    if len(_NESTING.findall(mail)) > MAX_NESTED:
        raise BadMail("too_many_parts", "the mail is nested too deeply")
    found: list[Attached] = []
    for part in _parse(mail).walk():
        if part.is_multipart():
            continue
        data = part.get_payload(decode=True)
        if not isinstance(data, bytes) or not data:
            continue
        name = _file_name(part)
        kind = _kind(data)
        if kind is None and not _says_picture(part, name):
            continue
        if len(found) == most:
            raise BadMail("too_many_pictures", f"more than {most} pictures in one mail; set MAIL_MAX_PICTURES")
        suffix = SUFFIXES.get(kind or "", ".jpg")
        found.append(Attached(safe_name(name, fallback=f"picture-{len(found) + 1}", suffix=suffix), data))
    return found


def safe_name(name: str, *, fallback: str, suffix: str) -> str:
    """A sender's file name as one harmless part of a path; `suffix` is appended unless it has a picture's."""
    last = re.split(r"[/\\]", name)[-1]
    plain = " ".join(_UNFIT.sub("_", unicodedata.normalize("NFC", last)).split()).strip(". ")
    stem, ending = plain, suffix
    if PurePosixPath(plain).suffix.lower() in _PICTURE_NAMES:
        stem, _, ending = plain.rpartition(".")
        ending = f".{ending}"
    if not stem.strip("._ "):
        stem = fallback
    room = MAX_NAME - len(ending.encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ") + ending


def _parse(mail: bytes) -> Message:
    parser = BytesFeedParser(_counted(MAX_PARTS), policy=_Lenient())
    for start in range(0, len(mail), _CHUNK):  # at once it would make copies of four bytes a character
        parser.feed(mail[start : start + _CHUNK])
    return parser.close()


def _counted(most: int) -> Callable[..., Message]:
    """A factory of messages with a limit: a line each is enough to make the parser build millions."""
    made = 0

    def make(policy: Any = None) -> Message:
        nonlocal made
        made += 1
        if made > most:
            raise BadMail("too_many_parts", f"the mail has more than {most} parts")
        return Message(policy=policy)

    return make


def _kind(data: bytes) -> str | None:
    try:
        return describe(data).format
    except BadPicture:
        return None


def _says_picture(part: Message, name: str) -> bool:
    return part.get_content_maintype() == "image" or PurePosixPath(name.lower()).suffix in _PICTURE_NAMES


def _file_name(part: Message) -> str:
    """As the sender meant it: RFC 2231, or RFC 2047 where it does not belong but is found, or plain."""
    try:
        name = part.get_filename() or ""
        return str(make_header(decode_header(name))) if "=?" in name else name
    except (MessageError, NotBase64, LookupError, ValueError, TypeError, IndexError):
        return ""  # a picture without a name beats no picture
