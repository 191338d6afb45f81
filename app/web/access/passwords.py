"""The password: one that a user set, or a generated one of which only the hash is stored."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Protocol

from app.web.access import hashing, key_files
from app.web.access.users import User
from pylib.text import normalised

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""No characters that look like others, or need a shift on a phone."""
GROUPS, GROUP = 4, 5
"""Four groups of five: 99 bits."""

COST, BLOCK, PARALLEL = 2**14, 8, 1
"""Of scrypt: 16 MB and some 50 ms."""


class Password(Protocol):
    """The password that is asked for."""

    @property
    def identity(self) -> bytes:
        """Different for each password."""

    @property
    def is_quick(self) -> bool:
        """Whether `matches` returns at once."""

    def matches(self, given: str) -> bool:
        """Compare in constant time; may take a moment."""


class ChosenPassword:
    """A password from the settings."""

    is_quick = True

    def __init__(self, text: str) -> None:
        self._known = _VerifiedPassword()
        self._known.remember(text)
        self.identity = hashlib.sha256(b"chosen\0" + _encoded(text)).digest()

    def matches(self, given: str) -> bool:
        return self._known.is_it(given)


class MadePassword:
    """A generated password, known by its hash only; after it was right once, comparing is quick."""

    def __init__(self, line: str) -> None:
        """`line`: what `hashed` gave. Raises ValueError."""
        scheme, salt, digest = line.strip().split("$")
        if scheme != "scrypt":
            raise ValueError("unknown hash")
        self._salt, self._digest = bytes.fromhex(salt), bytes.fromhex(digest)
        if len(self._digest) != hashlib.sha256().digest_size:
            raise ValueError("not a whole hash")
        self._known = _VerifiedPassword()
        self.identity = hashlib.sha256(b"made\0" + self._salt + self._digest).digest()

    @property
    def is_quick(self) -> bool:
        return bool(self._known)

    def matches(self, given: str) -> bool:
        if self._known:
            return self._known.is_it(given)
        right = hmac.compare_digest(_scrypt(given, self._salt), self._digest)
        if right:
            self._known.remember(given)
        return right


class UserPasswords:
    """Checks the passwords of users; comparing with one that was right once is quick."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, _VerifiedPassword]] = {}

    def quickly(self, user: User, given: str) -> bool | None:
        """Whether it is this user's, if that takes no time; else None."""
        line, known = self._known.get(user.key, ("", None))
        return True if known is not None and line == user.hash and known.is_it(given) else None

    def matches(self, user: User, given: str) -> bool:
        """Whether it is this user's; takes a moment, and 64 MiB."""
        right = hashing.matches(user.hash, given)
        if right:
            known = _VerifiedPassword()
            known.remember(given)
            self._known[user.key] = user.hash, known
        return right


class _VerifiedPassword:
    """Remembers one password as a digest that is worthless in another process."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._digest = b""

    def __bool__(self) -> bool:
        return bool(self._digest)

    def remember(self, text: str) -> None:
        self._digest = self._digest_of(text)

    def is_it(self, given: str) -> bool:
        return hmac.compare_digest(self._digest_of(given), self._digest)

    def _digest_of(self, text: str) -> bytes:
        return hmac.new(self._key, _encoded(text), hashlib.sha256).digest()


def load_or_make(path: Path) -> tuple[MadePassword, str | None]:
    """The password whose hash is in `path`; a new one, and its text, when there is none.

    Raises `app.web.access.key_files.BrokenFile`.
    """
    content = key_files.read(path)
    if content is None:
        text = made()
        line = hashed(text)
        key_files.write(path, f"{line}\n".encode())
        return MadePassword(line), text
    try:
        return MadePassword(content.decode("ascii")), None
    except ValueError:
        raise key_files.BrokenFile(
            path, "holds no password's hash", remedy="delete it to have a new password made, or set WEB_PASSWORD"
        ) from None


def made() -> str:
    """A password that is impossible to guess and easy to type."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))


def hashed(text: str) -> str:
    """A line with the hash, from which the password cannot be recovered."""
    salt = secrets.token_bytes(16)
    return f"scrypt${salt.hex()}${_scrypt(text, salt).hex()}"


def _scrypt(text: str, salt: bytes) -> bytes:
    return hashlib.scrypt(_encoded(text), salt=salt, n=COST, r=BLOCK, p=PARALLEL, dklen=32)


def _encoded(text: str) -> bytes:
    # A keyboard may send a letter with an accent in one character or in two.
    return normalised(text, "NFC").encode("utf-8", "surrogatepass")
