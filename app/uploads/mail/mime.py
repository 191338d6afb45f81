"""Takes a mail apart, in time and memory that grow with its size alone, whatever it holds.

The email package reads the few headers that count, after they are found to be short: what it does with a long one
(parameters, encoded words, a boundary as a pattern) costs the square of its length.
"""

from __future__ import annotations

import re
from binascii import Error as NotBase64
from binascii import a2b_base64, a2b_qp, a2b_uu
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from io import BytesIO

from pylib.errors import Permanent

MAX_HEAD = 65_536
"""Bytes of all headers of one part: room for the trail of a mail that was forwarded a dozen times."""
MAX_HEADER = 4_096
"""Bytes of one header that says what a part holds. A file name of 255 bytes takes 800 in the longest notation."""
MAX_PARAMETERS = 64
"""Semicolons in one such header."""
MAX_BOUNDARY = 200
"""Bytes; RFC 2046 (5.1.1) allows 70."""
MAX_PARTS = 200
MAX_DEPTH = 20
"""A camera's mail has a handful of parts, in one or two levels. Each level is searched once more."""
MAX_DELIMITERS = 10_000
"""Occurrences of boundaries: each part has one, and longer boundaries look like shorter ones."""
MAX_PADDINGS = 1_000_000
"""Signs of padding in one part: the largest mail in lines that are padded each has half as many."""
CHUNK = 1_048_576
"""Bytes that are decoded at once, which holds up all other threads for some milliseconds."""

# Lines end with CR LF, with LF, or, as in very old firmware, with CR.
_LINE, _LINE_END = rb"(?:^|(?<=\r)(?!\n))", re.compile(rb"\r\n?|\n")
_HEAD_END = re.compile(_LINE + rb"(?!From |[!-9;-~]*[ \t]*:|[ \t])", re.MULTILINE)
"""The first line that is no header: an empty one, or one where the empty one was forgotten."""
_CONTENT = {
    name: re.compile(
        rb"%s%s[ \t]*:([^\r\n]*(?:(?:\r\n?|\n)[ \t][^\r\n]*)*)" % (_LINE, name.encode()), re.IGNORECASE | re.MULTILINE
    )
    for name in ("Content-Type", "Content-Disposition", "Content-Transfer-Encoding")
}
"""The headers that are read, with the lines that they are folded into."""
_DELIMITER_END = re.compile(rb"(--)?[ \t]*(\r\n?|\n|\Z)")
_ENCODING = re.compile(r"[a-z][a-z0-9-]*")
"""The encoding's name, for there are those who quote it or put a semicolon or a comment behind it."""
_NOT_BASE64 = bytes(byte for byte in range(256) if not re.match(rb"[A-Za-z0-9+/=]", bytes([byte])))
_UNREADABLE = (MessageError, NotBase64, LookupError, ValueError, TypeError, AttributeError)
"""What the email package raises at headers that it cannot make sense of."""


class BadMail(Permanent):
    """A mail that is rejected, however often it is sent: `too_many_parts`, `header_too_long`, `too_many_pictures`."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a mail that has no parts itself."""

    headers: Message
    """Those that say what it holds, as they stand, with bytes beyond ASCII read as UTF-8, which firmware uses
    without declaring it."""
    body: bytes
    """As it was sent, encoded."""

    @property
    def main_type(self) -> str:
        """The content type's first half: `image`."""
        return self.headers.get_content_maintype()

    @property
    def subtype(self) -> str:
        """The content type's second half: `jpeg`."""
        return self.headers.get_content_subtype()

    @property
    def file_name(self) -> str:
        """As the sender meant it: RFC 2231, or RFC 2047 where it does not belong but is found, or plain."""
        try:
            name = self.headers.get_filename() or ""
            return str(make_header(decode_header(name))) if "=?" in name else name
        except _UNREADABLE:
            return ""  # a picture without a name beats no picture

    def decoded(self) -> bytes:
        """Its content, by the encoding that it declares; as it was sent when that is none of them."""
        named = _ENCODING.search(str(self.headers.get("content-transfer-encoding", "")).lower())
        encoding = named[0] if named else ""
        if encoding == "base64":
            return from_base64(self.body)
        if encoding == "quoted-printable":
            return b"".join(map(a2b_qp, pieces(self.body, b"=")))
        if encoding in ("uuencode", "x-uuencode", "uue", "x-uue"):
            return _from_uu(self.body)
        return self.body


def parts(mail: bytes) -> Iterator[Part]:
    """The parts that hold something, in their order. Raises `BadMail` when there are too many of whatever."""
    return _Reader(mail).parts(0, len(mail))


def from_base64(text: bytes) -> bytes:
    """What Base64 says, whatever stands between its characters, in one piece or in several that are padded each.

    Raises `BadMail`.
    """
    if text.count(b"=") > MAX_PADDINGS:
        raise BadMail("too_many_parts", f"a part is in more than {MAX_PADDINGS} pieces of Base64")
    decoded, rest = bytearray(), b""
    for start in range(0, len(text), CHUNK):
        *padded, rest = (rest + text[start : start + CHUNK].translate(None, _NOT_BASE64)).split(b"=")
        for piece in padded:
            decoded += _piece(piece)
        whole = len(rest) // 4 * 4
        decoded += a2b_base64(rest[:whole])
        rest = rest[whole:]
    return bytes(decoded + _piece(rest))


def pieces(text: bytes, mark: bytes) -> Iterator[bytes]:
    """The text in pieces of about `CHUNK` bytes, none of which ends within three bytes that begin with `mark`."""
    rest = b""
    for start in range(0, len(text), CHUNK):
        piece = rest + text[start : start + CHUNK]
        cut = piece.rfind(mark, -2)
        rest = piece[cut:] if cut >= 0 else b""
        yield piece[:cut] if cut >= 0 else piece
    yield rest


@dataclass(slots=True)
class _Reader:
    """Reads one mail, of which no part is copied before it is the last one down."""

    mail: bytes
    _parts: int = field(default=0, init=False)
    _delimiters: int = field(default=0, init=False)

    def parts(self, start: int, end: int, *, depth: int = 0, default: str = "text/plain") -> Iterator[Part]:
        """The parts in this stretch, whose type is `default` when it names none."""
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise BadMail("too_many_parts", f"the mail has more than {MAX_PARTS} parts")
        if depth > MAX_DEPTH:
            raise BadMail("too_many_parts", "the mail is nested too deeply")
        headers, body = self._head(start, end)
        headers.set_default_type(default)
        inside = [(body, end)] if headers.get_content_maintype() == "message" else []
        if headers.get_content_maintype() == "multipart":
            inside = self._between(_boundary(headers), body, end)
        if not inside:
            yield Part(headers, self.mail[body:end])
        default = "message/rfc822" if headers.get_content_type() == "multipart/digest" else "text/plain"
        for first, last in inside:
            yield from self.parts(first, last, depth=depth + 1, default=default)

    def _head(self, start: int, end: int) -> tuple[Message, int]:
        """The headers that count, and where the body begins."""
        limit = min(end, start + 2 * MAX_HEAD)  # so that no header of a bearable head is cut
        found = _HEAD_END.search(self.mail, start, limit)
        head_end = found.start() if found else limit
        if head_end > start + MAX_HEAD:
            raise BadMail("header_too_long", f"the headers of one part have more than {MAX_HEAD} bytes")
        headers = Message()
        for name, pattern in _CONTENT.items():
            if not (header := pattern.search(self.mail, start, head_end)):
                continue
            if len(header[1]) > MAX_HEADER or header[1].count(b";") > MAX_PARAMETERS:
                raise BadMail(
                    "header_too_long", f"one {name} has more than {MAX_HEADER} bytes or {MAX_PARAMETERS} parameters"
                )
            headers[name] = _LINE_END.sub(b"", header[1]).strip().decode("utf-8", "replace")
        empty = _LINE_END.match(self.mail, head_end, end)
        return headers, empty.end() if empty else head_end

    def _between(self, boundary: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """Where the parts between these delimiters begin and end; none when there is no delimiter."""
        found: list[tuple[int, int]] = []
        delimiter = b"--" + boundary
        at, first = self.mail.find(delimiter, start, end), -1
        while boundary and at >= 0:
            self._delimiters += 1
            if self._delimiters > MAX_DELIMITERS:
                raise BadMail("too_many_parts", f"the mail has more than {MAX_DELIMITERS} boundaries")
            begins_line = at == start or self.mail[at - 1] in b"\r\n"
            rest = _DELIMITER_END.match(self.mail, at + len(delimiter), end) if begins_line else None
            if rest:
                if first >= 0:
                    found.append((first, max(first, self._before(at))))
                first = rest.end()
                if rest[1]:
                    return found
            at = self.mail.find(delimiter, at + 1, end)
        return [*found, (first, end)] if first >= 0 else found

    def _before(self, line: int) -> int:
        """The end of the text before a line: the line break belongs to the delimiter."""
        return line - 2 if self.mail[line - 2 : line] == b"\r\n" else line - 1


def _boundary(headers: Message) -> bytes:
    try:
        boundary = (headers.get_boundary() or "").encode("utf-8", "replace")
    except _UNREADABLE:
        return b""
    if len(boundary) > MAX_BOUNDARY:
        raise BadMail("header_too_long", f"a boundary has more than {MAX_BOUNDARY} bytes")
    return boundary


def _piece(text: bytes) -> bytes:
    """Base64 without its padding; a last character alone holds nothing."""
    return a2b_base64(text[: len(text) - (len(text) % 4 == 1)] + b"==") if text else b""


def _from_uu(text: bytes) -> bytes:
    decoded = bytearray()
    lines = BytesIO(text)
    if not any(line.startswith(b"begin ") for line in lines):
        return b""
    for line in lines:
        if line.strip() in (b"", b"`", b"end"):
            break
        whole = 1 + ((line[0] - 32 & 63) + 2) // 3 * 4  # some append a check sum, and some drop blanks
        if 2 * len(line) >= whole:  # else a line of one byte would become 63
            with suppress(NotBase64):
                decoded += a2b_uu(line[:whole])
    return bytes(decoded)
