"""How taking in is put together from settings: which servers there are, whose a file is, and what becomes of it."""

from __future__ import annotations

import time
from datetime import UTC
from pathlib import Path, PurePosixPath

import pytest
import yaml

from app.bootstrap.uploads import LoginWithoutCamera, UploadParts
from app.config.settings import load
from app.journal import Journal
from app.media.adjustments import AS_IT_CAME
from app.monitoring.metrics import SnapshotMetrics
from app.monitoring.outcomes import Outcomes
from app.monitoring.tally import Tally
from app.storage.cache import Cache
from app.uploads.camera_folders import DuplicateFolder
from tests.broker import free_ports
from tests.fakes.cameras import jpeg

LOGIN = {"username": "camera", "password": "secret"}
SOON = {"quiet_time": 0.1, "patience": 0.1}
OWN = {"location": "Gate", "username": "gate", "password": "own"}


class Home:
    """A reception in a folder of its own, with cameras at the yard and the gate."""

    def __init__(self, folder: Path, journal: Journal) -> None:
        self.folder = folder
        self._journal = journal

    def reception(self, **config: object) -> UploadParts:
        ftp = {"host": "127.0.0.1", "port": free_ports(1)[0], **(config.pop("ftp", None) or {})}  # type: ignore[dict-item]
        cameras = [{"kind": "demo", "location": place} for place in ("Yard", "Gate")]
        path = self.folder / "config.yml"
        path.write_text(yaml.safe_dump({"cameras": cameras, "time_zone": "UTC", "ftp": ftp, **config}))
        settings = load(path, environ={"DATA_DIR": str(self.folder)})
        cache = Cache(self.folder / "cache", zone=UTC)
        return UploadParts(
            settings,
            journal=self._journal,
            cache=cache,
            tally=Tally(SnapshotMetrics(version="0"), Outcomes(self._journal)),
            adjustments=lambda _camera: AS_IT_CAME,
        )

    def put(self, name: str, data: bytes) -> Path:
        path = self.folder / "ftp" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def take_all(self, reception: UploadParts, count: int) -> list[str]:
        """Whose the next files are, each of which has been handled."""
        cameras: list[str] = []
        deadline = time.monotonic() + 20
        while len(cameras) < count and time.monotonic() < deadline:
            for upload in reception.source.poll(0.1):
                list(reception.receive.handle(upload))
                cameras.append(upload.camera)
        reception.source.close()
        return sorted(cameras)


@pytest.fixture
def home(tmp_path: Path, journal: Journal) -> Home:
    return Home(tmp_path, journal)


def test_without_a_login_there_is_no_ftp_server_and_the_folder_is_watched_all_the_same(home: Home) -> None:
    reception = home.reception(uploads=SOON)
    assert [thread.name for thread in reception.threads] == ["quarantine"]
    reception.open()
    home.put("uploads/snapshots/yard/a.jpg", jpeg())
    assert home.take_all(reception, 1) == ["Yard Camera"]
    assert len(list((home.folder / "cache").rglob("*.jpg"))) == 1


@pytest.mark.parametrize(
    ("config", "servers"),
    [
        ({"ftp": LOGIN}, ["ftp"]),
        ({"ftp": {"logins": [OWN]}}, ["ftp"]),
        ({"ftp": {**LOGIN, "enabled": False}}, []),
        ({"mail": {"enabled": True, "host": "127.0.0.1", **LOGIN}}, ["mail"]),
        ({"ftp": LOGIN, "mail": {"enabled": True, "host": "127.0.0.1", **LOGIN}}, ["ftp", "mail"]),
    ],
    ids=["shared login", "own login", "switched off", "mail", "both"],
)
def test_servers_are_those_that_somebody_can_log_in_to(
    home: Home, config: dict[str, object], servers: list[str]
) -> None:
    assert [thread.name for thread in home.reception(**config).threads] == ["quarantine", *servers]


def test_a_login_for_no_camera_is_refused_with_its_name(home: Home) -> None:
    with pytest.raises(LoginWithoutCamera, match="'Shed'"):
        home.reception(ftp={"logins": [{**OWN, "location": "Shed"}]})


def test_two_cameras_of_one_folder_are_refused(home: Home) -> None:
    cameras = [{"kind": "demo", "location": place} for place in ("Front Door", "Front  door")]
    with pytest.raises(DuplicateFolder):
        home.reception(cameras=cameras)


def test_each_camera_finds_its_folder_made(home: Home) -> None:
    reception = home.reception(ftp={"create_dirs": ["pictures/special"]})
    reception.open()
    reception.source.close()
    for folder in ("uploads/snapshots/yard", "uploads/snapshots/gate", "pictures/special"):
        assert (home.folder / "ftp" / PurePosixPath(folder)).is_dir()


def test_what_belongs_to_nobody_and_what_is_no_picture_is_quarantined(home: Home) -> None:
    reception = home.reception(uploads=SOON)
    reception.open()
    home.put("uploads/snapshots/cellar/a.jpg", jpeg())
    home.put("uploads/snapshots/gate/readme.txt", b"not a picture at all" * 50)
    assert home.take_all(reception, 2) == ["", "Gate Camera"]
    reasons = {entry.name: entry.reason.partition(":")[0] for entry in reception.quarantine.listed()}
    assert reasons == {
        "uploads/snapshots/cellar/a.jpg": "unknown_camera",
        "uploads/snapshots/gate/readme.txt": "not_an_image",
    }


def test_videos_are_kept_aside_or_left_where_they_are(home: Home) -> None:
    keeping = home.reception(uploads=SOON)
    keeping.open()
    home.put("uploads/snapshots/yard/a.mp4", b"a video")
    assert home.take_all(keeping, 1) == ["Yard Camera"]
    (kept,) = (home.folder / "videos/yard-camera").iterdir()
    assert kept.read_bytes() == b"a video"

    ignoring = home.reception(uploads={**SOON, "videos": "ignore"})
    ignoring.open()
    left = home.put("uploads/snapshots/yard/b.mp4", b"another")
    home.put("uploads/snapshots/yard/b.jpg", jpeg())
    assert home.take_all(ignoring, 1) == ["Yard Camera"]
    assert left.read_bytes() == b"another"
