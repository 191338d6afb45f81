"""Tokens: passwords for programs, each with a name, and each revoked on its own."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from app.web.access import key_files
from pylib.errors import Permanent

log = structlog.get_logger(__name__)

FILE = "tokens.json"
LONGEST_NAME = 60


class TokenRefused(Permanent):
    """A token of that name exists already, or none does."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """The record of a token: enough to recognise it, not enough to use it."""

    name: str
    sha256: str
    made_at: str
    """ISO 8601."""


class Tokens:
    """The tokens of one file, which commands change while a service reads it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] | None = None
        self._is_broken = False
        self._digests: tuple[str, ...] = ()

    def open(self) -> None:
        """Check that the file is readable, if there is one. Raises `app.web.access.key_files.BrokenFile`."""
        self.all()

    def permits(self, token: str) -> bool:
        """Whether this token exists now. An unreadable file has none."""
        self._look_again()
        given = _digest(token)
        # All are compared, so that the time does not reveal which one came close.
        return sum(hmac.compare_digest(given, digest) for digest in self._digests) > 0

    def all(self) -> list[ApiToken]:
        """All tokens, oldest first. Raises `app.web.access.key_files.BrokenFile`."""
        content = key_files.read(self._path)
        if content is None:
            return []
        try:
            return [_token(**one) for one in json.loads(content)["tokens"]]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise key_files.BrokenFile(
                self._path, "is no list of tokens", remedy="delete it and add the tokens again"
            ) from None

    def add(self, name: str) -> str:
        """Make a token and return it: it is never shown again. Raises `TokenRefused`, `BrokenFile`."""
        if not name.isprintable() or not name.strip() or len(name) > LONGEST_NAME:
            raise TokenRefused("token_name", f"a token's name has 1 to {LONGEST_NAME} printable characters")
        known = self.all()
        if any(token.name == name for token in known):
            raise TokenRefused("token_exists", f"there is a token called {name!r}: revoke it, or take another name")
        text = secrets.token_urlsafe(32)
        made = ApiToken(name, _digest(text), datetime.now(UTC).isoformat(timespec="seconds"))
        self._write([*known, made])
        return text

    def revoke(self, name: str) -> None:
        """Revoke a token. Raises `TokenRefused`, `BrokenFile`."""
        known = self.all()
        left = [token for token in known if token.name != name]
        if left == known:
            raise TokenRefused("unknown_token", f"there is no token called {name!r}")
        self._write(left)

    def _write(self, tokens: list[ApiToken]) -> None:
        content = json.dumps({"tokens": [asdict(token) for token in tokens]}, indent=2)
        key_files.write(self._path, f"{content}\n".encode())

    def _look_again(self) -> None:
        """Read the file if it has changed."""
        seen, before = self._state(), self._seen
        if seen == before and not self._is_broken:
            return
        try:
            self._digests, self._is_broken = tuple(token.sha256 for token in self.all()), False
        except key_files.BrokenFile as error:
            self._digests, self._is_broken = (), True
            if seen != before:
                log.error("no token is accepted", reason=error.detail)
        self._seen = seen

    def _state(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError as error:
            return (error.errno or 0,)
        return (found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)


def _token(name: str, sha256: str, made_at: str) -> ApiToken:
    if not all(isinstance(value, str) for value in (name, sha256, made_at)) or not sha256.isascii():
        raise ValueError("not a token")
    return ApiToken(name, sha256, made_at)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
