"""The state of token, account and folder, for people to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from app.archives import ArchiveError
from app.archives.google_drive.folders import Folders
from app.archives.google_drive.session import DriveSession
from app.archives.google_drive.token import DriveToken


@dataclass(frozen=True, slots=True)
class DriveStatus:
    """What was found out, up to the `problem`."""

    problem: ArchiveError | None = None
    signed_in_at: datetime | None = None
    """When a person signed in; None where that is unknown, or did not happen yet."""
    renewed_at: datetime | None = None
    """When the token was written last, by a sign-in or a renewal; None without a token."""
    renewable: bool = False
    """The token can be renewed without a person."""
    expires_at: datetime | None = None
    """When the current access token ends; it is renewed on its next use after that."""
    account: str = ""
    folder: str = ""
    """The folder's link; empty where it does not exist yet."""
    used: int = 0
    """Bytes of storage that the account uses."""
    total: int = 0
    """Bytes of storage that the account owns; 0 for no limit."""


def examine(token: DriveToken, session: DriveSession, folders: Folders) -> DriveStatus:
    """Check everything in turn; the first failure ends it and is reported."""
    known: dict[str, object] = {}
    try:
        stored = token.stored()
        expiry = stored.credentials.token_expiry
        known["signed_in_at"] = stored.signed_in_at
        known["renewed_at"] = datetime.fromtimestamp(token.path.stat().st_mtime, UTC)
        known["renewable"] = bool(stored.credentials.refresh_token)
        known["expires_at"] = expiry and expiry.replace(tzinfo=UTC)
        about = session.about()
        known["account"] = about.get("name", "")
        known["used"] = int(about.get("quotaBytesUsed", 0))
        known["total"] = int(about.get("quotaBytesTotal", 0)) if about.get("quotaType") != "UNLIMITED" else 0
        top = folders.look()
        known["folder"] = top.url if top else ""
    except ArchiveError as problem:
        known["problem"] = problem
    return DriveStatus(**known)  # type: ignore[arg-type]
