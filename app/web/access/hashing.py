"""Passwords of people: which are too weak, and hashes by argon2, from which none can be recovered."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pylib.errors import Permanent
from pylib.text import normalised

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 10, 200
"""Characters of a password."""
DIFFERENT = 5
"""Different characters that it has at least."""
RULE = f"A password has at least {SHORTEST} characters, is none of the most used ones, and is not the name."

_WORST = """
1234567890 0123456789 0987654321 12345678910 123456789a 123123123123 1q2w3e4r5t 1qaz2wsx3edc q1w2e3r4t5 qwertyuiop
qwertzuiop qwerty12345 qwertz12345 qwerty123456 asdfghjkl1 asdfghjklö password12 password123 password1234 passwort12
passwort123 passwort1234 passw0rd12 p@ssw0rd12 p@ssword123 adminadmin admin12345 admin123456 administrator
welcome123 welcome1234 willkommen willkommen1 letmein123 iloveyou123 iloveyou12 ichliebedich changeme123 abcdefghij
abcdefghijk abc1234567 abcd1234567 hallo12345 hallo123456 fussball123 football123 baseball123 sunshine123
princess123 superman123 schatz12345 secret1234 geheim12345 familie123 snapshot-processor correcthorsebatterystaple
"""
"""Of those that are long enough."""


class WeakPassword(Permanent):
    """It would be guessed."""


def check(password: str, *, name: str = "") -> None:
    """Raise `WeakPassword` for one that is too short, too long or too well known. `name`: of the user."""
    text = normalised(password, "NFC")
    small = text.casefold()
    if not SHORTEST <= len(text) <= LONGEST:
        raise WeakPassword("weak_password", f"a password has {SHORTEST} to {LONGEST} characters")
    if small in _WORST.split() or len(set(small)) < DIFFERENT:
        raise WeakPassword("weak_password", "this password is among the first that anybody would try: choose another")
    if name and small.replace(name.casefold(), "") in ("", "1", "123", "1234", "12345"):
        raise WeakPassword("weak_password", "this password is the name: choose another")


def hashed(password: str) -> str:
    """A hash of it in argon2's own notation, with salt and cost. Takes 64 MiB and some 50 ms."""
    return _hasher().hash(_encoded(password))


def matches(line: str, given: str) -> bool:
    """Whether this is the password of a hash; takes as long as `hashed`. False for a line that is no hash."""
    # Loaded here: only where there are users.
    from argon2.exceptions import Argon2Error, InvalidHashError

    try:
        return _hasher().verify(line, _encoded(given))
    except (Argon2Error, InvalidHashError):
        return False


def waste() -> None:
    """Take as long as `matches`, so that time does not tell which names there are."""
    matches(_nobodys(), "")


@cache
def _nobodys() -> str:
    return hashed("\0")


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()  # RFC 9106's second choice


def _encoded(text: str) -> bytes:
    # A keyboard may send a letter with an accent in one character or in two.
    return normalised(text, "NFC").encode("utf-8", "surrogatepass")
