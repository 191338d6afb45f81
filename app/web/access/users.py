"""The people who use the album, each with a name, a right and a password."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.web.access import hashing, key_files
from app.web.access.caller import AuthMethod, Caller, Right
from app.web.access.followed import FollowedFile
from pylib.errors import Permanent
from pylib.files.lock import FolderLock
from pylib.text import normalised

FILE = "users.json"
LONGEST_NAME = 60
MOST_USERS = 1_000
MOST_CAMERAS = 100


class UserRefused(Permanent):
    """It cannot be so; `code` is `user_name`, `user_exists`, `unknown_user`, `last_admin`, `user_cameras`."""


@dataclass(frozen=True, slots=True)
class User:
    """A person."""

    name: str
    right: Right
    hash: str
    made_at: str
    """ISO 8601."""
    cameras: tuple[str, ...] = ()
    """Device keys of those that a viewer or operator may see; all when empty."""
    generation: int = 0
    """Sessions of an earlier one are over."""

    @property
    def key(self) -> str:
        """The name as it is compared."""
        return key_of(self.name)

    @property
    def identity(self) -> bytes:
        """Different for each password and generation: what sessions are signed for."""
        text = json.dumps([self.key, self.made_at, self.hash, self.generation])
        return hashlib.sha256(b"user\0" + text.encode()).digest()

    @property
    def summary(self) -> str:
        """`viewer, Front Camera`, as the audit log has it."""
        return ", ".join((self.right.word, *(self.cameras or ("all cameras",))))

    def caller(self, method: AuthMethod) -> Caller:
        """This person, who got in by this method."""
        return Caller(self.right, self.name, method, frozenset(self.cameras))


def key_of(name: str) -> str:
    """A name as it is compared: in any case, however its letters were typed."""
    return normalised(name.strip(), "NFKC").casefold()


class Users:
    """The users of one file, which commands change while a service reads it. Thread-safe."""

    def __init__(self, path: Path, *, admin_needed: bool, clock: Callable[[], float] = time.time) -> None:
        """`admin_needed`: whether one of them has to be an admin, since no password of the album is one."""
        self._path = path
        self._admin_needed = admin_needed
        self._clock = clock
        self._lock = threading.RLock()
        self._file = FollowedFile(path, self.all, broken="no user can log in")

    def find(self, name: str) -> User | None:
        """The user of this name now, in any spelling. An unreadable file has none."""
        key = key_of(name)
        with self._lock:
            return next((user for user in self._file.now() if user.key == key), None)

    @property
    def there_are_any(self) -> bool:
        """Whether there are users now."""
        with self._lock:
            return bool(self._file.now())

    def all(self) -> list[User]:
        """All of them, by name. Raises `app.web.access.key_files.BrokenFile`."""
        content = key_files.read(self._path)
        if content is None:
            return []
        try:
            return sorted((_user(one) for one in json.loads(content)["users"]), key=lambda user: user.key)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise key_files.BrokenFile(
                self._path, "is no list of users", remedy="restore it, or delete it and add the users again"
            ) from None

    def add(self, name: str, password: str, right: Right, cameras: Collection[str] = ()) -> User:
        """Add one. Raises `UserRefused`, `WeakPassword`, `BrokenFile`."""
        name = " ".join(normalised(name, "NFKC").split())
        is_short, has_word = len(name) <= LONGEST_NAME, any(map(str.isalnum, name))
        if not (is_short and has_word and name.isprintable() and "/" not in name):
            raise UserRefused("user_name", f"a name has 1 to {LONGEST_NAME} printable characters, a letter, and no /")
        hashing.check(password, name=name)
        line = hashing.hashed(password)
        with self._changing():
            known = self.all()
            if any(user.key == key_of(name) for user in known):
                raise UserRefused("user_exists", f"there is a user called {name!r} already: take another name")
            if len(known) >= MOST_USERS:
                raise UserRefused("user_exists", f"there are {MOST_USERS} users already: delete one first")
            made_at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="microseconds")
            user = User(name, right, line, made_at, _limited(right, cameras))
            self._write([*known, user])
        return user

    def change(self, name: str, *, right: Right, cameras: Collection[str] | None = None) -> User:
        """Give one another right and other cameras; it counts at once. Raises `UserRefused`, `BrokenFile`.

        `cameras`: None for those of before, which an admin has not.
        """

        def changed(user: User) -> User:
            kept = () if right is Right.ADMIN else user.cameras
            return replace(user, right=right, cameras=_limited(right, kept if cameras is None else cameras))

        return self._replaced(name, changed)

    def set_password(self, name: str, password: str) -> User:
        """Give one another password; its sessions are over. Raises `UserRefused`, `WeakPassword`, `BrokenFile`."""
        hashing.check(password, name=name)
        line = hashing.hashed(password)
        return self._replaced(name, lambda user: replace(user, hash=line, generation=user.generation + 1))

    def end_sessions(self, name: str) -> User:
        """Log one out everywhere. Raises `UserRefused`, `BrokenFile`."""
        return self._replaced(name, lambda user: replace(user, generation=user.generation + 1))

    def remove(self, name: str) -> User:
        """Delete one, who is out at once. Raises `UserRefused`, `BrokenFile`."""
        with self._changing():
            user = self._named(name)
            self._write([other for other in self.all() if other.key != user.key])
        return user

    def _replaced(self, name: str, change: Callable[[User], User]) -> User:
        with self._changing():
            changed = change(self._named(name))
            self._write([changed if user.key == changed.key else user for user in self.all()])
        return changed

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Locked against other threads, and other processes. Raises `FolderInUse`, `FolderUnusable`."""
        with self._lock:
            lock = FolderLock(self._path.parent)
            lock.acquire()
            try:
                yield
            finally:
                lock.release()

    def _named(self, name: str) -> User:
        found = next((user for user in self.all() if user.key == key_of(name)), None)
        if found is None:
            raise UserRefused("unknown_user", f"there is no user called {name[:LONGEST_NAME]!r}")
        return found

    def _write(self, users: list[User]) -> None:
        had, has = (any(user.right is Right.ADMIN for user in group) for group in (self.all(), users))
        if self._admin_needed and had and not has:
            raise UserRefused(
                "last_admin", "this is the last admin, and the album has no password of its own: make another first"
            )
        content = json.dumps({"users": [_record(user) for user in users]}, indent=2, ensure_ascii=False)
        key_files.write(self._path, f"{content}\n".encode())


def _limited(right: Right, cameras: Collection[str]) -> tuple[str, ...]:
    if cameras and right is Right.ADMIN:
        raise UserRefused("user_cameras", "an admin sees all cameras: leave them out, or give another right")
    if len(cameras) > MOST_CAMERAS:
        raise UserRefused("user_cameras", f"a user may be limited to {MOST_CAMERAS} cameras at most")
    return tuple(sorted(set(cameras)))


def _record(user: User) -> dict[str, Any]:
    return {**asdict(user), "right": user.right.word}


def _user(record: dict[str, Any]) -> User:
    user = User(**{**record, "right": Right.of(record["right"]), "cameras": tuple(record.get("cameras", ()))})
    texts = (user.name, user.hash, user.made_at, *user.cameras)
    if not all(isinstance(text, str) for text in texts) or type(user.generation) is not int:
        raise TypeError("not a user")
    return user
