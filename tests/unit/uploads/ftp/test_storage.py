"""What the storage does where the file system does not play along."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from types import SimpleNamespace

import pytest
from pyftpdlib.exceptions import FilesystemError

from app.uploads.ftp.quota import Quota
from app.uploads.ftp.storage import Storage, StoreRefused
from app.uploads.ftp.view import View
from app.uploads.inbox import Inbox, InboxFile
from tests.fakes.pictures import busy, encoded

PICTURE = encoded(busy(64, 48))


@pytest.fixture
def taken() -> list[InboxFile]:
    return []


@pytest.fixture
def storage(tmp_path: Path, taken: list[InboxFile]) -> Storage:
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
    """`Path.rename` that fails for everything that goes into a folder from elsewhere."""
    rename = Path.rename

    def instead(source: Path, target: Path) -> Path:
        folder = target.parent.resolve()
        if into in (folder, *folder.parents) and source.parent.resolve() != folder:
            raise OSError(number, "injected")
        return rename(source, target)

    return instead


def of(inbox_area: Path, *, limit: int = 0, on_taken: Callable[[InboxFile, str], None] | None = None) -> Storage:
    """A storage with a quota, or for somebody else's watcher."""
    inbox = Inbox(inbox_area)
    inbox.open()
    quota = Quota(inbox_area, limit=limit, upload_dir=PurePosixPath("uploads"))
    return Storage(inbox, quota=quota, on_taken=on_taken, count=lambda _outcome: None)


def test_who_sent_a_file_is_known_with_it(storage: Storage, taken: list[InboxFile], tmp_path: Path) -> None:
    one = storage.receive(tmp_path / "uploads/door/a.jpg", sender="192.0.2.7")
    one.write(PICTURE)
    one.settle(finished=True)
    assert [file.sender for file in taken] == ["192.0.2.7"]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_picture_is_handed_over_when_it_is_in_the_inbox_and_an_earlier_try_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "uploads/door/a.jpg"
    seen: list[tuple[bytes, bool, str]] = []
    storage = of(tmp_path, on_taken=lambda one, origin: seen.append((one.path.read_bytes(), path.exists(), origin)))
    upload(storage, path, PICTURE[:99])
    assert path.read_bytes() == PICTURE[:99]
    upload(storage, path, PICTURE)
    assert seen == [(PICTURE, False, "ftp")]


def test_a_video_is_handed_over_when_it_is_whole_or_the_client_has_finished_one_that_does_not_say(
    storage: Storage, tmp_path: Path, taken: list[InboxFile]
) -> None:
    door, film = tmp_path / "uploads/door", b"\0\0\0\x0cftypmp42" + b"\0\0\0\x08moov" + b"\0\0\0\x0emdat123456"
    upload(storage, door / "cut.mp4", film[:-1])
    dahua = b"DHAV" * 9
    for name, data, finished in (("a.mp4", film, True), ("a.dav", dahua, True), ("cut.dav", dahua, False)):
        one = storage.receive(door / name)
        one.write(data)
        one.settle(finished=finished)
    upload(storage, door / "b.mkv.part", b"\x1aE\xdf\xa3" * 9)
    storage.rename(door / "b.mkv.part", door / "b.mkv")
    assert [(one.name.name, one.origin) for one in taken] == [("a.mp4", "ftp"), ("a.dav", "ftp"), ("b.mkv", "ftp")]
    assert names(door) == ["cut.dav", "cut.mp4"]


def test_a_picture_that_nobody_has_taken_is_not_written_over(tmp_path: Path) -> None:
    storage, path = of(tmp_path), tmp_path / "uploads/door/a.jpg"
    for data in (PICTURE, encoded(busy(32, 32)), b"half"):
        upload(storage, path, data)
    assert path.read_bytes() == b"half"
    assert len(names(path.parent)) == 3


@pytest.mark.parametrize(
    ("append", "offset", "result"), [(True, 0, b"0123456789abc"), (False, 4, b"0123abc"), (False, 10, b"0123456789abc")]
)
def test_an_upload_may_go_on_where_an_earlier_one_was_cut(
    storage: Storage, tmp_path: Path, result: bytes, *, append: bool, offset: int
) -> None:
    path = tmp_path / "uploads/door/a.txt"
    upload(storage, path, b"0123456789")
    one = storage.receive(path, append=append, offset=offset)
    one.write(b"abc")
    assert not path.exists()  # while it grows
    one.settle(finished=True)
    assert path.read_bytes() == result


@pytest.mark.parametrize("present", [b"", b"012"])
def test_nobody_goes_on_behind_the_end(storage: Storage, tmp_path: Path, present: bytes) -> None:
    path = tmp_path / "uploads/door/a.txt"
    if present:
        upload(storage, path, present)
    with pytest.raises(StoreRefused) as refused:
        storage.receive(path, offset=4)
    assert refused.value.code == 554


def test_what_is_given_up_leaves_nothing_and_gives_its_room_back(tmp_path: Path) -> None:
    storage, path = of(tmp_path, limit=8192), tmp_path / "uploads/door/a.jpg"
    one = storage.receive(path)
    one.write(bytes(8000))
    with pytest.raises(OSError, match="quota") as raised:
        one.write(bytes(193))
    assert raised.value.errno == errno.EDQUOT
    with pytest.raises(StoreRefused) as refused:
        storage.receive(tmp_path / "uploads/door/b.jpg")
    assert refused.value.code == 552
    one.discard()
    one.settle(finished=True)  # pyftpdlib closes it all the same
    assert names(tmp_path) == []
    storage.receive(path).write(bytes(8192))


def test_what_is_kept_counts_once_however_often_it_is_closed(tmp_path: Path) -> None:
    storage = of(tmp_path, limit=20_000)
    one = storage.receive(tmp_path / "uploads/door/a.txt")
    one.write(bytes(10_000))
    for _ in range(3):
        one.settle(finished=True)
    assert storage.quota.add(PurePosixPath("uploads/door/b.txt"), 10_000)
    assert not storage.quota.add(PurePosixPath("uploads/door/b.txt"), 1)


def test_an_empty_file_is_a_file(storage: Storage, tmp_path: Path) -> None:
    storage.receive(tmp_path / "uploads/door/a.txt").settle(finished=True)
    assert (tmp_path / "uploads/door/a.txt").read_bytes() == b""


@pytest.mark.parametrize("temporary", [".a.jpg", "a.jpg.part", "a.jpg.tmp"])
def test_a_picture_is_taken_under_its_last_name(
    storage: Storage, taken: list[InboxFile], tmp_path: Path, temporary: str
) -> None:
    source, target = tmp_path / "uploads/door" / temporary, tmp_path / "uploads/door/a.jpg"
    upload(storage, source, PICTURE)
    assert taken == []
    storage.rename(source, target)
    assert [one.name for one in taken] == [PurePosixPath("uploads/door/a.jpg")]
    assert not source.exists()
    assert storage.remembered_in(target.parent) == {"a.jpg"}


def test_a_picture_that_was_taken_before_it_was_renamed_is_not_missing(storage: Storage, tmp_path: Path) -> None:
    source, target = tmp_path / "uploads/door/1.jpg", tmp_path / "uploads/door/a.jpg"
    upload(storage, source, PICTURE)
    storage.rename(source, target)
    assert storage.remembered_in(target.parent) == {"a.jpg"}
    with pytest.raises(StoreRefused, match="550 No such file"):
        storage.rename(source, target)


def test_a_folder_in_the_last_name_s_place_leaves_the_file_where_it_is(storage: Storage, tmp_path: Path) -> None:
    source = tmp_path / "uploads/door/a.txt"
    upload(storage, source, b"text")
    (tmp_path / "uploads/door/b").mkdir()
    with pytest.raises(StoreRefused, match="folder"):
        storage.rename(source, tmp_path / "uploads/door/b")
    assert source.read_bytes() == b"text"


def test_what_is_too_deep_ours_or_behind_a_link_may_not_be_touched(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "uploads")
    allowed = ["a.jpg", "uploads/door/a.jpg", "/".join("abcdefghijkl")]
    refused = ["link/a.jpg", ".taken/a.jpg", ".arriving/a.jpg", ".taken", "/".join("abcdefghijklm"), "x/../a"]
    assert [storage.permits(f"{tmp_path}/{name}") for name in allowed + refused] == [True] * 3 + [False] * 6


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
    with pytest.raises(StoreRefused, match="try again") as refused:
        upload(storage, path, data)
    assert refused.value.code == code
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []


def test_an_upload_that_never_begins_leaves_nothing_behind(storage: Storage, tmp_path: Path) -> None:
    storage.receive(tmp_path / "uploads/door/a.jpg").settle(finished=False)
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []


def test_a_receiver_that_fails_does_not_fail_the_upload(tmp_path: Path, storage: Storage) -> None:
    def fail(_taken: InboxFile, _origin: str) -> None:
        raise RuntimeError

    storage._on_taken = fail
    upload(storage, tmp_path / "uploads/door/a.jpg", PICTURE)
    assert [one.path.read_bytes() for one in storage.inbox.waiting()] == [PICTURE]


def test_names_are_remembered_for_a_while_and_not_without_end(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.uploads.ftp.storage.REMEMBERED", 3)
    for number in range(5):
        upload(storage, tmp_path / f"uploads/door/{number}.jpg", PICTURE)
    assert storage.remembered_in(tmp_path / "uploads/door") == {"2.jpg", "3.jpg", "4.jpg"}
    monkeypatch.setattr("app.uploads.ftp.storage.REMEMBERED_S", -1.0)
    assert storage.remembered_in(tmp_path / "uploads/door") == set()


def test_what_nobody_wants_is_accepted_and_let_go_of(tmp_path: Path, taken: list[InboxFile]) -> None:
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
    assert names(tmp_path / "uploads") == []
    assert [one.name.name for one in taken] == ["a.jpg"]
    assert not list(tmp_path.rglob("*.mp4"))


def test_what_is_ignored_stays_in_its_place(tmp_path: Path, taken: list[InboxFile]) -> None:
    inbox = Inbox(tmp_path)
    inbox.open()
    storage = Storage(
        inbox,
        quota=Quota(tmp_path, limit=0, upload_dir=PurePosixPath("uploads")),
        on_taken=lambda one, _origin: taken.append(one),
        count=lambda _outcome: None,
        ignored=lambda name: "@eaDir" in name.parts,
    )
    upload(storage, tmp_path / "uploads/door/@eaDir/a.jpg", PICTURE)
    assert taken == []
    assert (tmp_path / "uploads/door/@eaDir/a.jpg").read_bytes() == PICTURE


def linked(folder: Path, outside: Path) -> None:
    """Put a link in a folder's place."""
    outside.mkdir()
    folder.rename(folder.with_name("moved"))
    folder.symlink_to(outside)


@pytest.mark.parametrize("data", [PICTURE[:99], b"text"])
def test_an_upload_does_not_follow_a_link_that_replaces_its_folder_meanwhile(
    storage: Storage, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    outside = tmp_path_factory.mktemp("other") / "outside"
    one = storage.receive(tmp_path / "uploads/door/a.jpg")
    one.write(data)
    linked(tmp_path / "uploads/door", outside)
    with pytest.raises(StoreRefused, match="451"):
        one.settle(finished=True)
    assert list(outside.iterdir()) == []


def test_nothing_behind_such_a_link_is_renamed_gone_on_with_or_made(
    storage: Storage, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside, folder = tmp_path_factory.mktemp("other") / "outside", tmp_path / "uploads/door"
    upload(storage, folder / "a.txt", b"text")
    linked(folder, outside)
    (outside / "c.txt").write_bytes(b"secret")
    for attempt in (
        lambda: storage.rename(folder / "c.txt", tmp_path / "uploads/b.txt"),
        lambda: storage.rename(tmp_path / "uploads/moved/a.txt", folder / "b.txt"),
        lambda: storage.receive(folder / "c.txt", append=True),
        lambda: storage.make_folder(folder / "new"),
    ):
        with pytest.raises(StoreRefused):
            attempt()
    assert [(path.name, path.read_bytes()) for path in outside.iterdir()] == [("c.txt", b"secret")]


def test_nothing_behind_such_a_link_is_seen(
    storage: Storage, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside, folder = tmp_path_factory.mktemp("other") / "outside", tmp_path / "uploads/door"
    upload(storage, folder / "a.txt", b"text")
    view = View(
        str(tmp_path),
        SimpleNamespace(
            storage=storage, names_camera=lambda _name: True, respelled=lambda name: name, camera_folder=None
        ),
    )
    assert view.listdir(str(folder)) == ["a.txt"]
    assert view.getsize(str(folder / "a.txt")) == 4
    linked(folder, outside)
    (outside / "b.txt").write_bytes(b"secret")
    for look in (
        lambda: view.listdir(str(folder)),
        lambda: view.lstat(str(folder / "b.txt")),
        lambda: view.open(str(folder / "b.txt"), "rb"),
        lambda: view.chdir(str(folder)),
        lambda: view.mkdir(str(folder / "new")),
    ):
        with pytest.raises((OSError, FilesystemError)):
            look()
    assert [path.name for path in outside.iterdir()] == ["b.txt"]
