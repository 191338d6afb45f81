"""An account at the Drive double, signed in to, and what is put into it."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from pathlib import Path

from app.archives import ArchiveContext
from app.archives.google_drive import TOKEN_FILE, GoogleDrive, GoogleDriveSettings
from app.messages import Detection, Inspection, Label, Snapshot
from tests.simulators.drive import DriveDouble

PAUSES = (0.02, 0.02, 0.02)


def an_archive(
    double: DriveDouble,
    data_dir: Path,
    *,
    folder: str = "Snapshots",
    timeout: float = 5.0,
    zone: tzinfo = UTC,
    pauses: tuple[float, ...] = PAUSES,
) -> GoogleDrive:
    """An adapter that talks to the double; signed in, unless a token file is there already."""
    if not (data_dir / TOKEN_FILE).exists():
        double.sign_ins.sign_in(data_dir / TOKEN_FILE)
    settings = GoogleDriveSettings(folder=folder, api_root_url=double.url, timeout=timeout)
    return GoogleDrive(settings, ArchiveContext(data_dir=data_dir, zone=zone), pauses=pauses)


def an_inspection(
    event_id: str = "e1", *, taken_at: datetime | None = None, labels: tuple[str, ...] = ("Person", "Dog")
) -> Inspection:
    """One of the camera in the yard, which saw a person and a dog."""
    moment = taken_at or datetime.now(UTC)
    snapshot = Snapshot(
        id=event_id,
        camera="Yard Camera",
        label="Yard",
        timestamp=moment,
        taken_at=moment,
        delay_s=0.4,
        origin="rabbitmq",
        path=f"/data/2026/11/20/yard-camera/194006-{event_id}.jpg",
    )
    return Inspection(snapshot, "hog", Detection(tuple(Label(name, 0.9) for name in labels), 1))


def a_picture(event_id: str = "e1", *, size: int = 2000) -> bytes:
    """Bytes that differ from event to event, with the line ends that trip up multipart parsers."""
    start = b"\xff\xd8\xff\xe0\r\n\r\n\n\n--" + event_id.encode() + b"\r\n"
    return start + bytes(range(256)) * (size // 256) + b"\n\r\n"
