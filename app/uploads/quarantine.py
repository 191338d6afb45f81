"""The quarantine: files that cannot become an event, kept for a while with the reason."""

from __future__ import annotations

import heapq
import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePath

import structlog

from pylib.errors import Failure, Transient
from pylib.files import durable
from pylib.observability.health import Status

log = structlog.get_logger(__name__)

MAX_SUFFIX = 8
"""Characters of a file's own suffix that are kept."""
ABOUT = ".about.json"
"""Ends the name of what is known of a file."""

_ID = re.compile(r"\w{1,64}", re.ASCII)


class QuarantineUnavailable(Transient):
    """A file cannot be put into quarantine now: disk full, read-only or gone."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A file in quarantine."""

    id: str
    file: str
    """Its name in the quarantine."""
    name: str
    """Its path below the upload area."""
    camera: str
    """The camera's device key; empty when it is unknown."""
    reason: str
    """`code: sentence`."""
    size: int
    at: str
    """When it was put here, ISO 8601."""
    origin: str = ""
    """Where it came from: `ftp`, `folder`, `mail`; empty where an older version put it here."""
    sender: str = ""
    """The address that it came from, where that was known."""

    @property
    def code(self) -> str:
        """That of the reason."""
        return self.reason.partition(":")[0]

    @property
    def detail(self) -> str:
        """The reason's sentence."""
        return self.reason.partition(":")[2].strip()


class Quarantine:
    """One folder of files, each with a small JSON beside it. Every method may be called from any thread."""

    def __init__(
        self,
        folder: Path,
        *,
        keep_days: float = 30,
        max_bytes: int = 500_000_000,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        count: Callable[[str], None] = lambda _code: None,
    ) -> None:
        """`count` gets the code of each reason."""
        self.folder = folder
        self._keep = timedelta(days=keep_days)
        self._max_bytes = max_bytes
        self._now = now
        self._count = count
        self._lock = threading.Lock()
        self._bytes: int | None = None  # until it was measured

    def put(
        self,
        file: Path,
        reason: Failure,
        *,
        file_id: str,
        name: PurePath,
        camera: str = "",
        origin: str = "",
        sender: str = "",
    ) -> None:
        """Move a file here; repeating it under the same id changes nothing. Raises `QuarantineUnavailable`."""
        stored = f"{file_id}{name.suffix.lower()[:MAX_SUFFIX]}"
        try:
            size = file.lstat().st_size
            entry = Quarantined(
                file_id,
                stored,
                str(name),
                camera,
                str(reason),
                size,
                self._now().isoformat(timespec="seconds"),
                origin,
                sender,
            )
            self.folder.mkdir(parents=True, exist_ok=True)
            self._describe(entry)  # first, so that no file is without its reason
            durable.move(file, self.folder / stored)
        except OSError as error:
            text = error.strerror or os.strerror(error.errno or 0)
            raise QuarantineUnavailable("quarantine_unavailable", f"cannot keep {name}: {text}") from error
        log.warning("quarantined", camera=camera or None, name=str(name), reason=str(reason), id=file_id)
        self._count(reason.code)
        self._grow(size)

    def listed(self) -> list[Quarantined]:
        """The files in quarantine, oldest first."""
        return sorted(self._entries(), key=lambda entry: entry.at)

    def status(self) -> Status:
        """How many there are, for health: they harm nobody, and wait for a person."""
        count = sum(1 for _ in self.folder.glob("*.about.json"))
        files = "1 file waits" if count == 1 else f"{count:,} files wait"
        return Status(ok=True, detail=f"{files} in quarantine for somebody to look" if count else "none")

    def newest(self, limit: int) -> tuple[list[Quarantined], int]:
        """The last so many files, newest first, and how many there are; the others are not read."""
        paths = [(path.stat().st_mtime_ns, path) for path in self.folder.glob(f"*{ABOUT}") if path.is_file()]
        found = (_read(path) for _, path in heapq.nlargest(limit, paths))
        return [entry for entry in found if entry and self.holds(entry)], len(paths)

    def find(self, file_id: str) -> Quarantined | None:
        """The file of this id."""
        entry = _read(self._description(file_id)) if _ID.fullmatch(file_id) else None
        return entry if entry and self.holds(entry) else None

    def holds(self, entry: Quarantined) -> bool:
        """Whether its file is here."""
        return os.path.lexists(self.path(entry))

    def path(self, entry: Quarantined) -> Path:
        """Where its file is."""
        return self.folder / PurePath(entry.file).name

    def discard(self, entry: Quarantined) -> None:
        """Forget a file, and delete it if it is still here."""
        self._remove(entry)

    def clean(self) -> None:
        """Delete files that have been here long enough, and the oldest while all together are too large."""
        limit = self._now() - self._keep
        left = []
        for entry in self.listed():
            if datetime.fromisoformat(entry.at) < limit:
                self._remove(entry)
            else:
                left.append(entry)
        total = sum(entry.size for entry in left)
        dropped = 0
        while left and total > self._max_bytes:
            entry = left.pop(0)
            self._remove(entry)
            total -= entry.size
            dropped += 1
        if dropped:
            log.error("quarantine is full, the oldest files are deleted", files=dropped, max_bytes=self._max_bytes)
        with self._lock:
            self._bytes = total

    def _grow(self, size: int) -> None:
        with self._lock:
            known = self._bytes is not None
            self._bytes = (self._bytes or 0) + size
            full = self._bytes > self._max_bytes
        if full or not known:
            self.clean()

    def _describe(self, entry: Quarantined) -> None:
        described = json.dumps(asdict(entry), indent=1).encode()
        durable.write(self._description(entry.id), described, sync=False)

    def _entries(self) -> Iterator[Quarantined]:
        for path in self.folder.glob(f"*{ABOUT}"):
            entry = _read(path)
            if entry and self.holds(entry):
                yield entry

    def _remove(self, entry: Quarantined) -> None:
        with suppress(OSError):
            (self.folder / entry.file).unlink(missing_ok=True)
            self._description(entry.id).unlink(missing_ok=True)

    def _description(self, file_id: str) -> Path:
        return self.folder / f"{file_id}{ABOUT}"


def _read(path: Path) -> Quarantined | None:
    # Another thread may be removing it, or a crash may have left it without its file.
    with suppress(OSError, ValueError, TypeError):
        return Quarantined(**json.loads(path.read_text(encoding="utf-8")))
    return None
