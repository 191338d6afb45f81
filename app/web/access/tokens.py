"""Tokens: passwords for programs, each with a name, and each revoked on its own."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.web.access import key_files
from app.web.access.caller import Caller, Right
from app.web.access.followed import FollowedFile
from pylib.errors import Permanent

FILE = "tokens.json"
LONGEST_NAME = 60
_TRIGGERS = re.compile(r"/api/(cameras/.+/trigger|hooks/[^/]+)")
"""Paths that have a picture taken, and nothing else."""
_BOOTH = re.compile(r"/booth|/api/booth(/(start|pictures|events|guest|(animation|code|gallery)(/[0-9a-f]{32})?))?")
"""Paths of the photo booth's tablet: nobody's name, and nothing of the album."""


class TokenRefused(Permanent):
    """A token of that name exists already, or none does."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """The record of a token: enough to recognise it, not enough to use it."""

    name: str
    sha256: str
    made_at: str
    """ISO 8601."""
    only_triggers: bool = False
    """It may have pictures taken, and see nothing."""
    cameras: tuple[str, ...] = ()
    """Device keys of those that it may see, or have pictures taken with; all when empty."""
    only_booth: bool = False
    """It opens the photo booth, and nothing else."""
    right: str = "admin"
    """What it may do, unless it is for one purpose only: viewer, operator, admin."""
    expires_at: str = ""
    """ISO 8601; it opens nothing from then on. Empty for never."""

    @property
    def is_narrow(self) -> bool:
        """Whether it is for one purpose only."""
        return self.only_triggers or self.only_booth

    def has_expired(self, now: datetime) -> bool:
        return bool(self.expires_at) and datetime.fromisoformat(self.expires_at) <= now

    def caller(self) -> Caller:
        """Who has it."""
        right = Right.NOTHING if self.is_narrow else Right.of(self.right)
        return Caller(right, self.name, "token", frozenset(self.cameras), self.is_narrow)

    def permits(self, method: str, path: str) -> bool:
        """Whether it opens this path, decoded and without the site's prefix."""
        if self.only_booth:
            return _BOOTH.fullmatch(path) is not None
        return not self.only_triggers or (method == "POST" and _TRIGGERS.fullmatch(path) is not None)

    def permits_camera(self, camera: str) -> bool:
        """Whether it may have this camera, a device key, take a picture."""
        return not self.cameras or camera in self.cameras


class Tokens:
    """The tokens of one file, which commands change while a service reads it."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._file = FollowedFile(path, self.all, broken="no token is accepted")

    def open(self) -> None:
        """Check that the file is readable, if there is one. Raises `app.web.access.key_files.BrokenFile`."""
        self.all()

    def find(self, token: str) -> ApiToken | None:
        """The record of this token, if it exists now. An unreadable file has none."""
        given = _digest(token)
        # All are compared, so that the time does not reveal which one came close.
        found = [one for one in self._file.now() if hmac.compare_digest(given, one.sha256)]
        return found[0] if found and not found[0].has_expired(self._now()) else None

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

    def add(
        self,
        name: str,
        *,
        only_triggers: bool = False,
        cameras: Collection[str] = (),
        only_booth: bool = False,
        right: Right = Right.ADMIN,
        expires_at: datetime | None = None,
    ) -> str:
        """Make a token and return it: it is never shown again. Raises `TokenRefused`, `BrokenFile`.

        `cameras`: device keys, for all but an admin's. `expires_at`: with a zone.
        """
        if not name.isprintable() or not name.strip() or len(name) > LONGEST_NAME:
            raise TokenRefused("token_name", f"a token's name has 1 to {LONGEST_NAME} printable characters")
        known = self.all()
        if any(token.name == name for token in known):
            raise TokenRefused("token_exists", f"there is a token called {name!r}: revoke it, or take another name")
        text = secrets.token_urlsafe(32)
        if expires_at is not None and expires_at <= self._now():
            raise TokenRefused("token_expiry", "a token expires in the future: name a later day")
        now = self._now().isoformat(timespec="seconds")
        ends = expires_at.astimezone(UTC).isoformat(timespec="seconds") if expires_at else ""
        made = ApiToken(name, _digest(text), now, only_triggers, tuple(cameras), only_booth, right.word, ends)
        self._write([*known, made])
        return text

    def revoke(self, name: str) -> None:
        """Revoke a token. Raises `TokenRefused`, `BrokenFile`."""
        known = self.all()
        left = [token for token in known if token.name != name]
        if left == known:
            raise TokenRefused("unknown_token", f"there is no token called {name!r}")
        self._write(left)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _write(self, tokens: list[ApiToken]) -> None:
        content = json.dumps({"tokens": [_record(token) for token in tokens]}, indent=2)
        key_files.write(self._path, f"{content}\n".encode())


def _record(token: ApiToken) -> dict[str, object]:
    """What is written of it: one without limits looks as it always did."""
    usual = {"right": "admin", "expires_at": ""}
    return {
        name: value for name, value in asdict(token).items() if value not in (False, ()) and value != usual.get(name)
    }


def _token(
    name: str,
    sha256: str,
    made_at: str,
    only_triggers: bool = False,
    cameras: object = (),
    only_booth: bool = False,
    right: str = "admin",
    expires_at: str = "",
) -> ApiToken:
    texts = (name, sha256, made_at, right, expires_at)
    if not all(isinstance(value, str) for value in texts) or not sha256.isascii():
        raise ValueError("not a token")
    if not isinstance(only_triggers, bool) or not isinstance(only_booth, bool) or not isinstance(cameras, list | tuple):
        raise TypeError("not a token")
    Right.of(right)
    if expires_at and datetime.fromisoformat(expires_at).tzinfo is None:
        raise ValueError("an expiry without a zone")
    return ApiToken(name, sha256, made_at, only_triggers, tuple(map(str, cameras)), only_booth, right, expires_at)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
