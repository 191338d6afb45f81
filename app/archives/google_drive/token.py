"""The token that a person's sign-in left: read, refreshed under one lock, and written whole with mode 0600."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.archives import ArchiveBlocked, ArchiveError, ArchiveUnavailable
from app.archives.google_drive.errors import SIGN_IN
from app.archives.google_drive.transport import Transport

SCOPE = "https://www.googleapis.com/auth/drive.file"
"""Only what this app itself made in Drive."""

LEEWAY = timedelta(minutes=2)
"""A token that ends sooner than this is refreshed before the call, not by it."""

_NEEDS_A_PERSON = {"invalid_grant", "invalid_client", "unauthorized_client", "deleted_client", "disabled_client"}
"""Errors of the token endpoint (RFC 6749 section 5.2, and two of Google's) that no waiting mends."""


class Token:
    """The token in a file, in the format of oauth2client that PyDrive2 keeps its tokens in.

    Thread-safe. A file that another process replaced (a new sign-in, a restored backup) is noticed on the next use.
    """

    def __init__(self, path: Path, *, timeout: float) -> None:
        """`timeout`: seconds that a refresh may take."""
        self.path = path
        self._timeout = timeout
        self._lock = threading.Lock()
        self._credentials: Any = None
        self._version: tuple[int, int] | None = None
        self._dead: ArchiveBlocked | None = None

    def access(self, *, refused: str = "") -> str:
        """An access token that is good now and is not `refused`.

        Raises `ArchiveBlocked` where a person has to sign in, `ArchiveUnavailable` where Google is away.
        """
        with self._lock:
            self._reload()
            if self._dead is not None:
                raise ArchiveBlocked(self._dead.code, self._dead.detail)
            credentials = self._credentials
            if not credentials.access_token or credentials.access_token == refused or self._ends_soon():
                self._refresh()
            return str(self._credentials.access_token)

    def peek(self) -> Any:
        """The stored credentials (oauth2client's), refreshed or not. Raises `ArchiveBlocked` where there are none."""
        with self._lock:
            self._reload()
            return self._credentials

    def _ends_soon(self) -> bool:
        expiry: datetime | None = self._credentials.token_expiry  # naive, UTC
        return expiry is not None and expiry.replace(tzinfo=UTC) - LEEWAY <= datetime.now(UTC)

    def _reload(self) -> None:
        try:
            version = version_of(self.path)
            if version == self._version:
                return
            self._credentials = load(self.path)
        except FileNotFoundError:
            self._version = None
            raise ArchiveBlocked("no_token", f"Nobody has signed in to Google yet: {SIGN_IN}.") from None
        except (OSError, ValueError, KeyError, TypeError):
            self._version = None
            raise ArchiveBlocked("bad_token", f"The file of the Google token cannot be read: {SIGN_IN}.") from None
        self._version = version
        self._dead = None

    def _refresh(self) -> None:
        if not self._credentials.refresh_token:
            raise self._give_up("no_refresh", f"The Google token has ended and cannot be renewed: {SIGN_IN}.")
        transport = Transport(timeout=self._timeout)
        try:
            self._credentials.refresh(transport)
        except ArchiveError:
            raise
        except Exception as error:  # noqa: BLE001 - oauth2client's, and whatever an odd answer sets off in it
            # oauth2client takes any error for the token's end, also a server's; and its text may quote the answer.
            self._credentials.invalid = False
            self._explain(error)
        finally:
            transport.close()
        self._keep()

    def _keep(self) -> None:
        try:
            if version_of(self.path) == self._version:  # else someone signed in anew meanwhile
                save(self.path, self._credentials)
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


def version_of(path: Path) -> tuple[int, int]:
    """What changes whenever a file is replaced. Raises OSError."""
    status = path.stat()
    return status.st_mtime_ns, status.st_ino


def load(path: Path) -> Any:
    """The credentials in a token file (oauth2client's). Raises OSError, ValueError, KeyError or TypeError."""
    from oauth2client.client import OAuth2Credentials

    text = path.read_text("utf-8")
    if not isinstance(json.loads(text), dict):
        raise TypeError("not a token")
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return OAuth2Credentials.from_json(text)


def save(path: Path, credentials: Any) -> None:
    """Put credentials in place whole, readable by us only from the first byte on. Raises OSError."""
    write_private(path, credentials.to_json().encode())


def write_private(path: Path, content: bytes) -> None:
    """Replace a file by one with mode 0600, durably and at once. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
