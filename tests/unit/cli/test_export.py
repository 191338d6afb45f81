"""A day's work: a day is exported, as a folder or as a ZIP, with a table of what is known."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import export as command
from app.cli import export_file
from app.cli.main import main
from app.messages import Detection
from app.web.context import WebContext
from tests.fakes.durability import disk
from tests.fakes.web import FRONT, KITCHEN, NOW, close, parts_for, shown

DAY = f"{NOW:%Y-%m-%d}"


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebContext]:
    """An album with four pictures of a day, one of the day after, and a failure; a service may have it open."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TIME_ZONE", "UTC")
    monkeypatch.chdir(tmp_path)
    parts = parts_for(tmp_path)
    for number in range(4):
        camera = KITCHEN if number == 3 else FRONT
        shown(parts, tmp_path, f"e{number}", camera=camera, taken_at=NOW + timedelta(hours=number))
    nothing = {"detection": Detection(), "path": "", "size": 0, "problem": "timeout: too late"}
    shown(parts, tmp_path, "none", taken_at=NOW + timedelta(hours=5), **nothing)  # type: ignore[arg-type]
    shown(parts, tmp_path, "later", taken_at=NOW + timedelta(days=1))
    parts.journal.change("e1", starred=True, note="=1+1, the \x1b[2J fox")
    yield parts
    close(parts)


def export(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["export", *arguments])


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))


def test_before_the_first_start_there_is_no_album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    result = export("day.zip")
    assert result.exit_code == 1
    missing = f"There is no album in {tmp_path} yet: start the service once, or name its folder with DATA_DIR."
    assert missing in result.output


def test_days_have_names_and_what_is_none_of_them_names_all(parts: WebContext, tmp_path: Path) -> None:
    yesterday = datetime.combine(datetime.now(UTC).date() - timedelta(days=1), time(12), UTC)
    shown(parts, tmp_path, "yesterday", taken_at=yesterday)
    shown(parts, tmp_path, "before", taken_at=yesterday - timedelta(days=1))
    result = export("day.zip", "--since", "yesterday", "--until", "Today", "--dry-run")
    assert result.stdout.startswith("1 picture, "), result.output
    assert "a duration such as 12h or 7d, a day such as 2026-11-21, today or yesterday" in " ".join(
        export("day.zip", "--since", "last week").output.split()
    )


def test_a_day_of_a_camera_as_a_zip(parts: WebContext, tmp_path: Path) -> None:
    with disk(tmp_path) as watched:
        result = export("day.zip", "--day", DAY, "--camera", "front-door")
    assert result.exit_code == 0, result.output
    before, after = result.stdout.splitlines()
    assert before.startswith("3 pictures, ")
    assert before.endswith(" kB, of 4 events")
    assert after.startswith("day.zip: 3 pictures, ")
    assert (watched.torn, watched.left()["day.zip"]) == ([], Path("day.zip").read_bytes())
    with zipfile.ZipFile("day.zip") as archive:
        assert archive.testzip() is None
        *pictures, table = archive.namelist()
        assert [name.endswith(f"-e{number}.jpg") for number, name in enumerate(pictures)] == [True] * 3
        assert archive.read(pictures[0]) == next((tmp_path / "cache").rglob("*-e0.jpg")).read_bytes()
        assert archive.getinfo(pictures[1]).date_time == (2026, 3, 4, 6, 6, 6)  # of two seconds
        known = rows(archive.read(table).decode())
    assert [(row["file"], row["event_id"]) for row in known[:2]] == [(pictures[0], "e0"), (pictures[1], "e1")]
    assert known[1]["note"] == "'=1+1, the \x1b[2J fox"
    assert (known[1]["starred"], known[1]["labels"]) == ("yes", "Person 0.90")
    assert known[1]["taken_at"] == "2026-03-04T06:06:07+00:00"
    assert (known[3]["file"], known[3]["problem"]) == ("", "timeout: too late")
    assert not list(tmp_path.glob(".*"))


def test_a_folder_is_gone_on_with_where_it_was_interrupted(parts: WebContext, tmp_path: Path) -> None:
    export("out", "--since", "2026-03-04", "--until", "2026-03-05", "--table", "json")
    pictures = sorted((tmp_path / "out").rglob("*.jpg"))
    assert len(pictures) == 4
    pictures[0].write_bytes(b"half")
    pictures[1].unlink()
    kept = pictures[2].stat().st_mtime_ns
    again = export("out", "--day", DAY, "--table", "json")
    assert "4 pictures" in again.stdout
    assert "2 of them there already, and snapshots.json" in again.stdout
    assert pictures[2].stat().st_mtime_ns == kept
    assert {path.stat().st_size for path in pictures} == {pictures[2].stat().st_size}
    known = json.loads((tmp_path / "out" / "snapshots.json").read_text())
    assert [one["event_id"] for one in known] == ["e0", "e1", "e2", "e3", "none"]
    assert "storage_path" not in known[0]


def test_only_what_is_wanted_and_only_said(parts: WebContext, tmp_path: Path) -> None:
    assert export("out", "--starred", "--dry-run").stdout.startswith("1 picture, ")
    assert export("out", "--no-person", "--dry-run").stdout == "0 pictures, 0 kB, of 1 event\n"
    assert export("out", "--label", "Person", "--camera", "Küche", "--dry-run").stdout.startswith("1 picture, ")
    assert export("nothing.zip", "--day", "2020-01-01").stdout == "0 pictures, 0 kB, of 0 events\n"
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "nothing.zip").exists()


def test_a_picture_that_is_gone_is_counted_and_the_rest_is_exported(parts: WebContext, tmp_path: Path) -> None:
    next((tmp_path / "cache").rglob("*-e0.jpg")).unlink()
    result = export("day.zip", "--day", DAY)
    assert (result.exit_code, result.stderr) == (
        0,
        "1 picture no longer in the data folder; archives may have them\n",
    )
    with zipfile.ZipFile("day.zip") as archive:
        assert len(archive.namelist()) == 4
        assert rows(archive.read("snapshots.csv").decode())[0]["file"] == ""


def test_a_zip_that_is_there_stays_and_one_that_fails_leaves_nothing(
    parts: WebContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "day.zip").write_bytes(b"mine")
    refused = export("day.zip", "--day", DAY)
    assert (refused.exit_code, "is there already" in refused.stderr) == (2, True)
    assert (tmp_path / "day.zip").read_bytes() == b"mine"

    def full(*_: object, **__: object) -> bool:
        raise OSError(28, "No space left on device", "other.zip")

    monkeypatch.setattr(export_file.ZipTarget, "add", full)
    failed = export("other.zip", "--day", DAY)
    assert (failed.exit_code, failed.stderr) == (1, "other.zip: No space left on device\n")
    assert not list(tmp_path.glob("*other.zip*"))


def test_what_would_not_fit_is_refused_beforehand(
    parts: WebContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_file, "MOST_IN_ZIP", 3)
    many = export("day.zip", "--day", DAY)
    assert (many.exit_code, "at most 3 go into one ZIP" in many.stderr) == (2, True)
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    full = export("out", "--day", DAY)
    assert (full.exit_code, "that does not fit: 1 kB are free" in full.stderr) == (1, True)
    assert not (tmp_path / "out").exists()


def test_more_than_a_page_is_read_page_by_page(parts: WebContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "PAGE", 2)
    assert "5 pictures" in export("all.zip").stdout
    with zipfile.ZipFile("all.zip") as archive:
        assert len(set(archive.namelist())) == 6
