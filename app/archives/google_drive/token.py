"""The token of a person's sign-in: read, refreshed under one lock, and written atomically with mode 0600."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.archives import ArchiveBlocked, ArchiveError, ArchiveUnavailable
from app.archives.google_drive.errors import SIGN_IN
from app.archives.google_drive.patched import refresh
from app.archives.google_drive.transport import DriveTransport
from pylib.files import durable

SCOPE = "https://www.googleapis.com/auth/drive.file"
"""Access only to files that this app itself made in Drive."""

SIGNED_IN_AT = "signed_in_at"
"""Our own key in the token file, beside oauth2client's, which ignores it: Unix seconds."""

LEEWAY = timedelta(minutes=2)
"""A token that ends sooner than this is refreshed before the call, not by it."""

_NEEDS_A_PERSON = {
    "invalid_grant",
    "invalid_client",
    "unauthorized_client",
    "deleted_client",
    "disabled_client",
}
"""Errors of the token endpoint (RFC 6749 section 5.2, and two of Google's) that waiting does not cure."""


class DriveToken:
    """The token in a file, in the format of oauth2client that PyDrive2 uses.

    Thread-safe. A file that another process replaced (a new sign-in, a restored backup) is noticed on the next use.
    """

    def __init__(self, path: Path, *, timeout: float) -> None:
        """`timeout`: seconds that a refresh may take."""
        self.path = path
        self._timeout = timeout
        self._lock = threading.Lock()
        self._stored: StoredToken | None = None
        self._version: tuple[int, int] | None = None
        self._dead: ArchiveBlocked | None = None

    def access(self, *, refused: str = "") -> str:
        """An access token that is valid now and is not `refused`.

        Raises `ArchiveBlocked` where a person has to sign in, `ArchiveUnavailable` where Google is unreachable.
        """
        with self._lock:
            stored = self._reload()
            if self._dead is not None:
                raise ArchiveBlocked(self._dead.code, self._dead.detail)
            if stored.credentials.access_token in (None, "", refused) or _ends_soon(stored):
                self._refresh(stored)
            return str(stored.credentials.access_token)

    def stored(self) -> StoredToken:
        """The file's token. Raises `ArchiveBlocked` where it is none."""
        with self._lock:
            return self._reload()

    def _reload(self) -> StoredToken:
        try:
            version = version_of(self.path)
            if self._stored is None or version != self._version:
                self._stored = load(self.path)
                self._version = version_of(self.path)  # its mode may have been mended
                self._dead = None
            return self._stored
        except FileNotFoundError:
            self._stored = None
            raise ArchiveBlocked("no_token", f"Nobody has signed in to Google yet: {SIGN_IN}.") from None
        except (OSError, ValueError, KeyError, TypeError):
            self._stored = None
            raise ArchiveBlocked("bad_token", f"The file of the Google token cannot be read: {SIGN_IN}.") from None

    def _refresh(self, stored: StoredToken) -> None:
        if not stored.credentials.refresh_token:
            raise self._give_up("no_refresh", f"The Google token has ended and cannot be renewed: {SIGN_IN}.")
        transport = DriveTransport(timeout=self._timeout)
        try:
            refresh(stored.credentials, transport)
        except ArchiveError:
            raise
        except Exception as error:  # noqa: BLE001 - oauth2client's, and whatever an odd answer sets off in it
            self._explain(error)  # not in oauth2client's words, which may quote the answer
        finally:
            transport.close()
        self._keep(stored)

    def _keep(self, stored: StoredToken) -> None:
        try:
            if version_of(self.path) == self._version:  # else someone signed in anew meanwhile
                save(self.path, stored)
                self._version = version_of(self.path)
        except OSError:
            return  # it is good for an hour all the same, and renewed again after a restart

    def _explain(self, error: Exception) -> None:
        status = getattr(error, "status", None)
        reason = str(error).split(":")[0].strip()
        if reason in _NEEDS_A_PERSON or status in (400, 401, 403):
            raise self._give_up(
                "sign_in_needed",
                f"Google has withdrawn the token (of an app in «Testing» after 7 days): {SIGN_IN}.",
            ) from None
        raise ArchiveUnavailable("token_unavailable", "Google did not renew the token") from None

    def _give_up(self, code: str, detail: str) -> ArchiveBlocked:
        self._dead = ArchiveBlocked(code, detail)
        return ArchiveBlocked(code, detail)


def _ends_soon(stored: StoredToken) -> bool:
    expiry: datetime | None = stored.credentials.token_expiry  # naive, UTC
    return expiry is not None and expiry.replace(tzinfo=UTC) - LEEWAY <= datetime.now(UTC)


def version_of(path: Path) -> tuple[int, int]:
    """A value that changes whenever a file is replaced. Raises OSError."""
    status = path.stat()
    return status.st_mtime_ns, status.st_ino


@dataclass(frozen=True, slots=True)
class StoredToken:
    """The content of a token file."""

    credentials: Any = field(repr=False)
    """oauth2client's, which contains secrets and is changed by a refresh."""
    signed_in_at: datetime | None
    """When a person signed in; None for a token of another tool, which does not record that."""


def load(path: Path) -> StoredToken:
    """Read a token file, and make it private. Raises OSError, ValueError, KeyError or TypeError."""
    from oauth2client.client import OAuth2Credentials

    text = path.read_text("utf-8")
    values = json.loads(text)
    if not isinstance(values, dict):
        raise TypeError("not a token")
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    noted = values.get(SIGNED_IN_AT)
    signed_in_at = datetime.fromtimestamp(noted, UTC) if isinstance(noted, int | float) else None
    return StoredToken(OAuth2Credentials.from_json(text), signed_in_at)


def save(path: Path, stored: StoredToken) -> None:
    """Write a token atomically, readable by us only from the first byte on. Raises OSError."""
    values = json.loads(stored.credentials.to_json())
    if stored.signed_in_at:
        values[SIGNED_IN_AT] = stored.signed_in_at.timestamp()
    durable.write_private(path, json.dumps(values).encode())
