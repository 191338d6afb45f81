"""What a guest says about themselves, and how it is carried: any script, within limits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from pylib.errors import Permanent
from pylib.text import normalised

LONGEST_NAME = 300
"""Characters."""
LONGEST_EMAIL = 254
"""Characters of an address (RFC 5321, 4.5.3.1.3, less the angle brackets)."""
METADATA_BYTES = {"name": 900, "email": 600, "event": 450}
"""Bytes that each may have in an object's metadata: 2,048 are allowed in all, with names (S3 user guide)."""

_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_ADDRESS = re.compile(rf"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]{{1,64}}@{_LABEL}(?:\.{_LABEL})+")
_JOINERS = "\u200c\u200d\u200e\u200f"
"""Marks that scripts are written with, though nothing is printed for them."""
_SAFE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")


class BadGuest(Permanent):
    """What a guest typed cannot be taken; the code says which field."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest who wants the animation."""

    name: str
    email: str

    @classmethod
    def checked(cls, name: str, email: str, *, consent: bool) -> Guest:
        """What was typed, without blanks around it. Raises `BadGuest`."""
        name, email = _line(name), _line(email).replace(" ", "")
        if not name or len(name) > LONGEST_NAME:
            raise BadGuest("bad_name", f"a name has 1 to {LONGEST_NAME} letters")
        local = email.partition("@")[0]
        dots = local.startswith(".") or local.endswith(".") or ".." in local
        if len(email) > LONGEST_EMAIL or dots or not _ADDRESS.fullmatch(email) or not ascii_address(email):
            raise BadGuest("bad_email", "this cannot be an e-mail address: it looks like name@example.org")
        if not consent:
            raise BadGuest("no_consent", "without consent nothing is kept")
        return cls(name, email)


def ascii_address(email: str) -> str:
    """The address with its domain as mail servers have it (IDNA); empty where there is no such domain."""
    local, _, domain = email.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return ""


def metadata(value: str, *, of: str) -> str:
    """As an object's metadata carry it: ASCII but `%` as it is, all else percent-encoded UTF-8; cut to its limit."""
    carried = ""
    for letter in value:
        one = quote(letter, safe=_SAFE)
        if len(carried) + len(one) > METADATA_BYTES[of]:
            break
        carried += one
    return carried.strip()


def _line(text: str) -> str:
    """One line without control characters; the marks that give a script its direction stay."""
    letters = (letter if letter.isprintable() or letter in _JOINERS else " " for letter in normalised(text, "NFC"))
    return " ".join("".join(letters).split())
