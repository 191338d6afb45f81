"""What the storage does where the file system does not play along."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from app.ftp.quota import Quota
from app.ftp.storage import Refused, Storage
from app.inbox import Inbox, Taken
from tests.fakes.pictures import busy, encoded

PICTURE = encoded(busy(64, 48))


@pytest.fixture
def taken() -> list[Taken]:
    return []


@pytest.fixture
def storage(tmp_path: Path, taken: list[Taken]) -> Storage:
    inbox = Inbox(tmp_path)
    inbox.open()
    return Storage(
        inbox,
        quota=Quota(tmp_path, limit=0, upload_dir=PurePosixPath("uploads")),
        on_taken=lambda one, _origin: taken.append(one),
        count=lambda _outcome: None,
    )


def upload(storage: Storage, path: Path, data: bytes) -> None:
    one = storage.receive(path)
    one.write(data)
    one.settle(finished=True)


def failing(number: int, into: Path) -> Callable[[Path, Path], Path]:
    """`Path.rename` that fails for everything that goes into a folder."""
    rename = Path.rename

    def instead(source: Path, target: Path) -> Path:
        if into in Path(target).parents:
            raise OSError(number, "injected")
        return rename(source, target)

    return instead


def test_a_camera_s_folder_may_be_a_volume_of_its_own(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "uploads/door/a.txt"
    monkeypatch.setattr(Path, "rename", failing(errno.EXDEV, path.parent))
    upload(storage, path, b"text")
    assert path.read_bytes() == b"text"


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, 452), (errno.EIO, 451)])
@pytest.mark.parametrize("data", [PICTURE, PICTURE[:99]])
def test_what_cannot_be_kept_is_refused_and_leaves_nothing_behind(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int, code: int, data: bytes
) -> None:
    path = tmp_path / "uploads/door/a.jpg"
    monkeypatch.setattr(Path, "rename", failing(number, tmp_path))
    with pytest.raises(Refused, match="try again") as refused:
        upload(storage, path, data)
    assert refused.value.code == code
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []


def test_an_upload_that_never_begins_leaves_nothing_behind(storage: Storage, tmp_path: Path) -> None:
    storage.receive(tmp_path / "uploads/door/a.jpg").settle(finished=False)
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []


def test_a_receiver_that_fails_does_not_fail_the_upload(tmp_path: Path, storage: Storage) -> None:
    def fail(_taken: Taken, _origin: str) -> None:
        raise RuntimeError

    storage._on_taken = fail
    upload(storage, tmp_path / "uploads/door/a.jpg", PICTURE)
    assert [one.path.read_bytes() for one in storage.inbox.waiting()] == [PICTURE]


def test_names_are_remembered_for_a_while_and_not_without_end(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.ftp.storage.REMEMBERED", 3)
    for number in range(5):
        upload(storage, tmp_path / f"uploads/door/{number}.jpg", PICTURE)
    assert storage.remembered_in(tmp_path / "uploads/door") == {"2.jpg", "3.jpg", "4.jpg"}
    monkeypatch.setattr("app.ftp.storage.REMEMBERED_S", -1.0)
    assert storage.remembered_in(tmp_path / "uploads/door") == set()


def test_what_nobody_wants_is_accepted_and_let_go_of(tmp_path: Path, taken: list[Taken]) -> None:
    inbox = Inbox(tmp_path)
    inbox.open()
    counted: list[str] = []
    storage = Storage(
        inbox,
        quota=Quota(tmp_path, limit=0, upload_dir=PurePosixPath("uploads")),
        on_taken=lambda one, _origin: taken.append(one),
        count=counted.append,
        wanted=lambda name: name.suffix != ".mp4",
    )
    upload(storage, tmp_path / "uploads/clip.mp4", b"video" * 100)
    upload(storage, tmp_path / "uploads/a.jpg", PICTURE)
    assert counted == ["ignored", "taken"]
    assert [one.name.name for one in taken] == ["a.jpg"]
    assert not list(tmp_path.rglob("*.mp4"))
