"""The paths below the data folder."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from app.publishers import MESSAGES
from app.uploads.ftp.settings import BANS_FILE as FTP_BANS
from app.uploads.mail.settings import BANS_FILE as MAIL_BANS
from app.web.local_token import FOLDER as WEB

INSTALLED_MODELS = Path(sys.prefix) / "share" / "snapshot-processor" / "models"
"""The image has one there."""


@dataclass(frozen=True, slots=True)
class DataDir:
    """The data folder. Its names are a contract: the next version must find its files again."""

    path: Path

    @property
    def journal(self) -> Path:
        """The SQLite database."""
        return self.path / "journal.db"

    @property
    def cache(self) -> Path:
        """Pictures."""
        return self.path / "cache"

    @property
    def thumbnails(self) -> Path:
        """Small pictures, which can be made again."""
        return self.path / "thumbnails"

    @property
    def elsewhere(self) -> Path:
        """Pictures of other replicas, which can be read from the archive again."""
        return self.path / "elsewhere"

    @property
    def media(self) -> Path:
        """What belongs to events beside their pictures."""
        return self.path / "media"

    @property
    def videos(self) -> Path:
        """Videos that cameras sent."""
        return self.path / "videos"

    @property
    def films(self) -> Path:
        """Films of the album's pictures."""
        return self.path / "films"

    @property
    def running_films(self) -> Path:
        """Films that grow, each with a folder of its parts."""
        return self.films / "running"

    @property
    def models(self) -> tuple[Path, Path]:
        """Models of detectors: those that were added, and those that came with the installation."""
        return self.path / "models", INSTALLED_MODELS

    @property
    def booth(self) -> Path:
        """What guests of the photo booth kept, where it goes to no bucket."""
        return self.path / "booth"

    @property
    def booth_now(self) -> Path:
        """The pictures of the guest who stands before the photo booth."""
        return self.path / "booth-now"

    @property
    def uploads(self) -> Path:
        """The upload area: FTP and mail put files there, and people and scripts may."""
        return self.path / "ftp"

    @property
    def quarantine(self) -> Path:
        """Files that became no event."""
        return self.path / "quarantine"

    @property
    def messages(self) -> Path:
        """The pictures of messages that are being sent."""
        return self.path / MESSAGES

    @property
    def rules(self) -> Path:
        """Who is told of what: written by people, and by the album."""
        return self.path / "rules.yml"

    @property
    def web(self) -> Path:
        """Password, tokens and keys of the web side."""
        return self.path / WEB

    @property
    def mail_bans(self) -> Path:
        """The addresses that are banned from mail."""
        return self.path / MAIL_BANS

    @property
    def bans(self) -> tuple[Path, ...]:
        """The addresses that are banned from FTP, and from mail."""
        return self.path / FTP_BANS, self.mail_bans

    @property
    def demo(self) -> Path:
        """The data folder of `snapshot-processor demo`."""
        return self.path / "demo"
