"""The commands around keeping, as a person types them: what they say, and what they end with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from app.archives.folder import Folder, FolderSettings
from app.cli.archive import archive, clean, drive_login
from app.pipeline.archive import Keep
from app.storage.cache import Cache
from app.web.application import application
from app.web.context import WebContext
from app.web.settings import WebSettings
from pylib.files.lock import FolderLock
from pylib.settings.credentials import Secret
from tests.fakes.archives import a_picture, event_id, recorded
from tests.fakes.journal import opened
from tests.fakes.pictures import busy, encoded
from tests.fakes.web import close, parts_for, serving, shown
from tests.unit.pipeline.test_archive import work_off


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name != "PATH":
            monkeypatch.delenv(name)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Two cameras and an archive in a folder."""
    path = tmp_path / "config.yml"
    settings = {
        "data_dir": str(tmp_path / "data"),
        "time_zone": "UTC",
        "cameras": [{"kind": "demo", "location": "Yard"}, {"kind": "demo", "location": "Gate"}],
        "archive": {"dir": str(tmp_path / "archive")},
    }
    path.write_text(yaml.safe_dump(settings))
    return path


def run(command: object, config: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(command, arguments, obj=config)  # type: ignore[arg-type]
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def a_folder_of_pictures(config: Path) -> Path:
    folder = config.parent / "left"
    folder.mkdir()
    (folder / "snap_20240203-040506.jpg").write_bytes(encoded(busy(64, 48)))
    (folder / "readme.txt").write_text("no picture")
    return folder


def standing(config: Path) -> list[str]:
    """The one row of `archive status`."""
    _, row = run(archive, config, "status").stdout.splitlines()
    return row.split()


def archived(config: Path, numbers: range) -> None:
    """Pictures of these numbers, which the archive in the folder has confirmed."""
    (config.parent / "data").mkdir(exist_ok=True)
    with opened(config.parent / "data/journal.db") as journal:
        cache = Cache(config.parent / "data/cache", zone=UTC)
        for number in numbers:
            recorded(journal, a_picture(cache, number), "folder")
        journal.retry_now("folder")
        work_off(Keep(Folder(FolderSettings(dir=config.parent / "archive")), journal=journal))


def test_pictures_of_a_known_camera_are_taken_up_and_wait_for_the_archive(config: Path) -> None:
    folder = a_folder_of_pictures(config)
    done = run(archive, config, "import", str(folder), "--camera", "Gate Camera")
    assert (done.exit_code, done.stdout) == (0, "1 imported, 0 known before, 1 no pictures\n")
    assert "readme.txt" in done.stderr
    assert standing(config)[:3] == ["folder", "0", "1"]


def test_pictures_of_an_unknown_camera_are_refused_with_the_names_of_those_there_are(config: Path) -> None:
    done = run(archive, config, "import", str(a_folder_of_pictures(config)), "--camera", "Gaet Camera")
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1] == (
        "Error: Invalid value for --camera: there is no camera 'Gaet Camera'; configured: 'Yard Camera', 'Gate Camera'"
    )
    assert standing(config)[:3] == ["folder", "0", "0"]


def test_without_an_archive_it_says_how_to_get_one(config: Path) -> None:
    config.write_text(yaml.safe_dump({"data_dir": str(config.parent / "data")}))
    for command in ("status", "retry"):
        assert run(archive, config, command).stderr.startswith("no archive is configured: set ARCHIVE_DIR")


def test_a_missing_picture_is_named_and_can_be_sent_again(config: Path) -> None:
    archived(config, range(1, 4))
    well = run(archive, config, "verify")
    assert (well.exit_code, well.stdout) == (0, "folder: 3 as they should be, 0 missing, 0 differing, 0 not ours\n")
    next((config.parent / "archive").rglob(f"*{event_id(2)}.jpg")).unlink()
    (compared,) = json.loads(run(archive, config, "verify", "--json").stdout)
    assert (compared["name"], compared["matching"], compared["missing"]) == ("folder", 2, [event_id(2)])
    missing = run(archive, config, "verify", "--again")
    assert missing.exit_code == 1
    assert missing.stdout.splitlines() == [
        "folder: 2 as they should be, 1 missing, 0 differing, 0 not ours, 1 to be sent again",
        f"  {event_id(2)}",
    ]
    assert run(archive, config, "retry").stdout == "folder: 1 waiting, 0 of them queued anew\n"


def test_clean_says_what_would_go_before_it_goes(config: Path) -> None:
    archived(config, range(1, 3))  # of spring 2026: older than any rule allows
    video = config.parent / f"data/videos/yard-camera/20260304-120000-{event_id(9)}.mp4"
    video.parent.mkdir(parents=True)
    video.write_bytes(b"a video")
    pictures = list((config.parent / "data/cache").rglob("*.jpg"))
    looked = run(clean, config, "--dry-run").stdout.splitlines()
    assert sorted(looked[:-2]) == sorted(map(str, [video, *pictures]))
    assert looked[-2:] == ["1 videos (0.0 MB) would go", "2 pictures (0.0 MB) and 0 stray files would go"]
    assert all(path.exists() for path in [video, *pictures])
    assert "2 pictures (0.0 MB) and 0 stray files gone" in run(clean, config).stdout
    assert not any(path.exists() for path in [video, *pictures])
    assert run(clean, config).stdout == "0 pictures (0.0 MB) and 0 stray files gone\n"


@pytest.fixture
def running(config: Path) -> Iterator[WebContext]:
    """A service that runs, with the same data and one picture that its archive gave up."""
    data = config.parent / "data"
    data.mkdir()
    parts = parts_for(data, settings=WebSettings(password=Secret("open sesame")))
    given_up = shown(parts, data, targets=("folder",))
    parts.journal.abandon(given_up.id, "folder", problem="too_large: no")
    lock = FolderLock(data)
    lock.acquire()
    with serving(application(parts)) as client:
        config.write_text(config.read_text() + yaml.safe_dump({"web": {"port": client.port}}))
        yield parts
    lock.release()
    close(parts)


def test_a_service_that_runs_says_how_its_archives_stand(config: Path, running: WebContext) -> None:
    assert standing(config)[:4] == ["folder", "0", "0", "1"]
    (said,) = json.loads(run(archive, config, "status", "--json").stdout)
    assert (said["name"], said["given_up"]) == ("folder", 1)


def test_a_service_that_runs_tries_again_at_once(config: Path, running: WebContext) -> None:
    assert run(archive, config, "retry").stdout == "folder: 1 waiting, 1 of them queued anew\n"
    assert running.journal.backlog("folder").count == 1


def test_a_service_that_does_not_answer_is_named(config: Path, running: WebContext) -> None:
    config.write_text(config.read_text().replace("port: ", "port: 9 # "))
    refused = run(archive, config, "status")
    assert refused.exit_code == 1
    assert "no service answers at http://127.0.0.1:9" in refused.stderr


@pytest.mark.parametrize("command", [(archive, "verify"), (clean,)])
def test_while_the_service_runs_others_ask_for_it_to_be_stopped(config: Path, command: tuple[object, ...]) -> None:
    lock = FolderLock(config.parent / "data")
    lock.acquire()
    refused = run(command[0], config, *map(str, command[1:]))
    lock.release()
    assert refused.exit_code == 1
    assert "stop the service first" in refused.stderr


def test_a_wrong_configuration_is_said_and_not_thrown(config: Path) -> None:
    config.write_text("archive: {dri: /mnt}\n")
    refused = run(archive, config, "status")
    assert refused.exit_code == 78
    assert "archive.dri" in refused.stderr


def test_signing_in_to_drive_needs_the_file_from_google_s_console(config: Path) -> None:
    refused = run(drive_login, config)
    assert refused.exit_code == 2
    assert "GOOGLE_CLIENT_SECRETS_FILE" in refused.stderr
