"""Backup and restore, as a person types them: while the service runs, onto another folder, and of what is none."""

from __future__ import annotations

import io
import os
import shutil
import stat
import tarfile
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from app.cli.backup import backup, restore
from app.cli.backup_file import _Padded
from app.cli.check import Verdict, check
from app.config import settings as configuration
from app.journal import Filter
from app.storage.cache import Cache
from tests.fakes.archives import a_picture, event_id, recorded
from tests.fakes.durability import disk
from tests.fakes.journal import opened


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name != "PATH":
            monkeypatch.delenv(name)


def config(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "config.yml"
    path.write_text(
        yaml.safe_dump(
            {
                "data_dir": str(folder / "data"),
                "time_zone": "UTC",
                "web": {"enabled": False},
                "detector": {"kind": "none"},
            }
        )
    )
    return path


def run(command: object, config: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(command, arguments, obj=config)  # type: ignore[arg-type]
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def shown(data: Path) -> dict[str, bytes]:
    """Each event's picture, as the journal says where it is."""
    with opened(data / "journal.db") as journal:
        entries = journal.page(Filter())
    return {entry.id: Path(entry.inspection.snapshot.path).read_bytes() for entry in entries}


def house(folder: Path, pictures: int = 3) -> Path:
    data = folder / "data"
    with opened(data / "journal.db") as journal:
        for number in range(pictures):
            recorded(journal, a_picture(Cache(data / "cache", zone=UTC), number))
    (data / "web").mkdir()
    (data / "web/password").write_text("hush")
    (data / "thumbnails").mkdir()
    (data / "thumbnails/x.jpg").write_bytes(b"made again")
    return data


def findings(config: Path, subject: str) -> list[tuple[Verdict, str]]:
    return [(one.verdict, one.text) for one in check(configuration.load(config, {})) if one.subject == subject]


def test_a_backup_that_is_made_while_the_service_writes_is_restored_elsewhere(tmp_path: Path) -> None:
    home, other = config(tmp_path / "home"), config(tmp_path / "other")
    data = house(home.parent)
    before = shown(data)
    file = data / "backup.tar"
    with opened(data / "journal.db") as journal:
        recorded(journal, a_picture(Cache(data / "cache", zone=UTC), 7))  # in the log of the database only
        with disk(data) as watched:
            made = run(backup, home, str(file))
        assert (watched.torn, watched.left()["backup.tar"]) == ([], file.read_bytes())
        again = run(backup, home, str(file))

    assert (made.exit_code, again.exit_code) == (0, 0), made.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with tarfile.open(file) as archive:
        assert len(archive.getnames()) == len(before) + 3  # one more picture, the journal, the password

    back = run(restore, other, str(file))
    assert back.exit_code == 0, back.output
    shutil.rmtree(data)
    after = shown(other.parent / "data")
    assert set(after) == {*before, event_id(7)}
    assert {key: after[key] for key in before} == before
    assert (other.parent / "data/web/password").read_text() == "hush"
    assert not (other.parent / "data/thumbnails").exists()
    assert findings(other, "pictures") == [(Verdict.OK, "4 recorded, none missing")]


def test_a_file_with_two_names_and_one_of_another_user_do_not_keep_the_others_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, other = config(tmp_path / "home"), config(tmp_path / "other")
    data = house(home.parent)
    (data / "ftp").mkdir()
    (picture, *_) = (data / "cache").rglob("*.jpg")
    (data / "ftp/upload.jpg").hardlink_to(picture)
    (data / "ftp/theirs.jpg").write_bytes(b"theirs")
    real = Path.open

    def guarded(self: Path, *arguments: Any, **options: Any) -> Any:
        if self.name == "theirs.jpg":
            raise PermissionError(13, "Permission denied")
        return real(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", guarded)
        made = run(backup, home, str(tmp_path / "b.tar"))
    assert (made.exit_code, "left out: ftp/theirs.jpg: Permission denied" in made.output) == (1, True)
    assert run(restore, other, str(tmp_path / "b.tar")).exit_code == 0
    assert (other.parent / "data/ftp/upload.jpg").read_bytes() == picture.read_bytes()
    assert len(shown(other.parent / "data")) == 3


def test_a_file_that_gets_shorter_meanwhile_is_filled_up() -> None:
    content = io.BytesIO(b"abc")
    padded = _Padded(content, 5)
    assert padded.read(4) + padded.read(4) + padded.read(4) == b"abc\0\0"


def test_backups_in_the_data_folder_hold_none_of_each_other(tmp_path: Path) -> None:
    home = config(tmp_path / "home")
    data = house(home.parent)
    (data / "backups").mkdir()
    for name in ("one.tar", "two.tar", "backups/three.tar"):
        assert run(backup, home, str(data / name)).exit_code == 0
    with tarfile.open(data / "backups/three.tar") as archive:
        names = archive.getnames()
    assert [name for name in names if name.endswith(".tar")] == []
    assert names.count("journal.db") == 1
    assert len(names) == 5


def test_what_a_kill_left_of_a_restore_is_gone_after_the_next(tmp_path: Path) -> None:
    home, other = config(tmp_path / "home"), config(tmp_path / "other")
    house(home.parent)
    assert run(backup, home, str(tmp_path / "b.tar")).exit_code == 0
    left = tmp_path / "other/data/.backup-left"
    left.mkdir(parents=True)
    assert run(restore, other, str(tmp_path / "b.tar")).exit_code == 0
    assert not left.exists()


def test_a_folder_that_was_moved_shows_every_picture(tmp_path: Path) -> None:
    data = house(tmp_path)
    before = shown(data)
    data.rename(tmp_path / "moved")
    assert shown(tmp_path / "moved") == before


def test_nothing_is_restored_over_a_journal(tmp_path: Path) -> None:
    home = config(tmp_path / "home")
    data = house(home.parent)
    before = shown(data)
    run(backup, home, str(tmp_path / "backup.tar"))
    refused = run(restore, home, str(tmp_path / "backup.tar"))
    assert (refused.exit_code, "folder_taken" in refused.output, "move that folder away" in refused.output) == (
        1,
        True,
        True,
    )
    assert shown(data) == before


@pytest.mark.parametrize("names", [[], ["../journal.db"], ["/etc/passwd"], ["journal.db"]])
def test_what_is_no_backup_changes_nothing(tmp_path: Path, names: list[str]) -> None:
    home = config(tmp_path / "home")
    file = tmp_path / "x.tar"
    (tmp_path / "text").write_text("no database")
    with tarfile.open(file, "w") as archive:
        for name in names:
            archive.add(tmp_path / "text", arcname=name)
    refused = run(restore, home, str(file))
    assert (refused.exit_code, refused.output.count("\n")) == (1, 1), refused.output
    assert refused.output.startswith(f"backup_unusable: cannot restore {file}: ")
    assert [path.name for path in (tmp_path / "home/data").iterdir()] == [".lock"]


def test_without_a_journal_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    refused = run(backup, config(tmp_path / "home"), str(tmp_path / "backup.tar"))
    assert (refused.exit_code, refused.output[:18]) == (1, "nothing_to_back_up")
    assert not (tmp_path / "backup.tar").exists()


def test_check_names_pictures_that_are_recorded_and_not_there(tmp_path: Path) -> None:
    home = config(tmp_path / "home")
    assert findings(home, "pictures") == []
    data = house(home.parent)
    (gone, *_) = (data / "cache").rglob("*.jpg")
    gone.unlink()
    assert findings(home, "pictures") == [(Verdict.WRONG, f"3 recorded, 1 missing: {gone}")]


def test_check_says_who_else_may_look(tmp_path: Path) -> None:
    home = config(tmp_path / "home")
    data = house(home.parent)
    data.chmod(0o755)
    ((verdict, text),) = findings(home, "data")
    assert (verdict, "other users" in text) == (Verdict.WARNING, True)
    data.chmod(0o700)
    assert findings(home, "data") == []
