"""Small pictures on disk: made once, always whole, and gone with their picture."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from app.media.picture import BadPicture
from app.messages import Snapshot
from app.storage.thumbnails import PictureGone, Size, Thumbnails
from tests.fakes.cameras import jpeg
from tests.fakes.pictures import busy, decoded, encoded, turned

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
SIZES: tuple[Size, ...] = ("thumbnail", "preview")

Take = Callable[..., Snapshot]


@pytest.fixture
def thumbnails(tmp_path: Path) -> Thumbnails:
    return Thumbnails(tmp_path / "thumbnails", max_pixels=20_000_000)


@pytest.fixture
def take(tmp_path: Path) -> Take:
    def take(data: bytes = b"", event_id: str = "") -> Snapshot:
        event_id = event_id or uuid4().hex
        path = tmp_path / f"{event_id}.jpg"
        path.write_bytes(data or jpeg(640, 480))
        return Snapshot(event_id, "Yard Camera", "Yard", NOON, NOON, 0.1, "http", str(path))

    return take


def path_of(thumbnails: Thumbnails, snapshot: Snapshot, size: Size) -> Path:
    """Where it lies, made now if it was not before."""
    thumbnails.read(snapshot, size)
    return thumbnails.root / snapshot.id[:2] / f"{snapshot.id}-{size}.jpg"


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_thumbnail_is_480_wide_and_a_preview_fits_a_screen(thumbnails: Thumbnails, take: Take) -> None:
    snapshot = take(encoded(Image.new("RGB", (3840, 2160))))
    sizes = {size: decoded(path_of(thumbnails, snapshot, size).read_bytes()).size for size in SIZES}
    assert sizes == {"thumbnail": (480, 270), "preview": (2048, 1152)}


def test_a_thumbnail_of_another_width_is_one_of_its_own_and_goes_with_the_others(tmp_path: Path, take: Take) -> None:
    thumbnails, snapshot = Thumbnails(tmp_path / "small", max_pixels=20_000_000, widths=(160,)), take()
    assert decoded(thumbnails.read(snapshot, 160)).size == (160, 120)
    assert thumbnails.found(snapshot, 160) is not None
    assert thumbnails.found(snapshot, "thumbnail") is None
    thumbnails.drop(snapshot.id)
    assert files_in(thumbnails.root) == []


@pytest.mark.parametrize("size", SIZES)
def test_it_stands_upright(thumbnails: Thumbnails, take: Take, size: Size) -> None:
    assert decoded(thumbnails.read(take(turned(busy(300, 200), 6)), size)).size == (300, 200)


@pytest.mark.parametrize("size", SIZES)
def test_nothing_that_the_camera_wrote_beside_the_pixels_is_in_it(
    thumbnails: Thumbnails, take: Take, size: Size
) -> None:
    secret = b"52.5200 N, 13.4050 E"
    image = busy(300, 200)
    exif = image.getexif()
    exif[0x010E] = secret.decode()
    data = encoded(image, exif=exif, comment=secret, icc_profile=secret, xmp=secret)
    assert data.count(secret) == 4
    assert secret not in thumbnails.read(take(data), size)


def test_it_is_made_once_however_many_ask_at_once(thumbnails: Thumbnails, take: Take) -> None:
    snapshot = take(encoded(busy(1920, 1080)))
    together = threading.Barrier(8)

    def ask(_: int) -> tuple[int, bytes]:
        together.wait(5)
        path = path_of(thumbnails, snapshot, "thumbnail")
        return path.stat().st_ino, path.read_bytes()

    with ThreadPoolExecutor(8) as asking:
        assert len(set(asking.map(ask, range(8)))) == 1
    assert len(files_in(thumbnails.root)) == 1


def test_what_was_made_is_not_made_again(thumbnails: Thumbnails, take: Take) -> None:
    snapshot = take()
    made = thumbnails.read(snapshot, "thumbnail")
    Path(snapshot.path).write_bytes(jpeg(color="red"))
    assert thumbnails.found(snapshot, "thumbnail") == made == thumbnails.read(snapshot, "thumbnail")


@pytest.mark.parametrize("left", [b"", b"\0" * 5000, jpeg()[:-10]])
def test_what_a_power_cut_spoilt_is_made_again(thumbnails: Thumbnails, take: Take, left: bytes) -> None:
    snapshot = take()
    path = path_of(thumbnails, snapshot, "thumbnail")
    whole = path.read_bytes()
    path.write_bytes(left)
    assert path_of(thumbnails, snapshot, "thumbnail").read_bytes() == whole


def test_a_picture_that_is_gone_is_said_to_be_gone(thumbnails: Thumbnails, take: Take) -> None:
    snapshot = take()
    path_of(thumbnails, snapshot, "thumbnail")
    for size in SIZES:
        with pytest.raises(PictureGone, match="picture_gone"):
            path_of(thumbnails, replace(snapshot, path=""), size)
    Path(snapshot.path).unlink()
    with pytest.raises(PictureGone):
        path_of(thumbnails, snapshot, "preview")


def test_why_there_never_was_a_picture_is_said(thumbnails: Thumbnails, take: Take) -> None:
    with pytest.raises(PictureGone, match="the camera does not answer"):
        thumbnails.read(replace(take(), path="", problem="timeout: the camera does not answer"), "thumbnail")


def test_what_is_no_picture_is_refused_and_leaves_nothing(thumbnails: Thumbnails, take: Take) -> None:
    for data in (b"<html>", encoded(busy(300, 200))[:-500]):
        with pytest.raises(BadPicture):
            path_of(thumbnails, take(data), "thumbnail")
    assert not files_in(thumbnails.root)


@pytest.mark.parametrize("size", SIZES)
def test_a_picture_of_too_many_pixels_is_refused(tmp_path: Path, take: Take, size: Size) -> None:
    with pytest.raises(BadPicture, match="pixel_bomb"):
        Thumbnails(tmp_path / "thumbnails", max_pixels=1000).read(take(), size)


def test_where_nothing_can_be_kept_it_is_answered_all_the_same(tmp_path: Path, take: Take) -> None:
    (tmp_path / "file").write_text("where the folder should be")
    thumbnails = Thumbnails(tmp_path / "file", max_pixels=20_000_000)
    snapshot = take()
    assert decoded(thumbnails.read(snapshot, "thumbnail")).size == (480, 360)
    assert thumbnails.found(snapshot, "thumbnail") is None


def test_a_disk_that_fills_up_leaves_no_half_file(
    thumbnails: Thumbnails, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        write(descriptor, data[:100])
        raise OSError(28, "No space left on device")

    snapshot = take()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        assert decoded(thumbnails.read(snapshot, "thumbnail")).size == (480, 360)
    assert not files_in(thumbnails.root)
    assert path_of(thumbnails, snapshot, "thumbnail").exists()


def test_a_picture_that_is_deleted_while_it_is_looked_at_leaves_nothing(
    thumbnails: Thumbnails, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = take()
    write = os.write

    def deleted_first(descriptor: int, data: bytes) -> int:
        Path(snapshot.path).unlink(missing_ok=True)
        thumbnails.drop(snapshot.id)
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", deleted_first)
    with pytest.raises(PictureGone):
        thumbnails.read(snapshot, "thumbnail")
    assert not files_in(thumbnails.root)


def test_what_is_dropped_is_gone_in_all_sizes_and_nothing_else_is(thumbnails: Thumbnails, take: Take) -> None:
    one, other = take(), take()
    paths = [path_of(thumbnails, snapshot, size) for snapshot in (one, other) for size in SIZES]
    thumbnails.drop(one.id)
    thumbnails.drop(one.id)
    assert [path.exists() for path in paths] == [False, False, True, True]


def test_a_search_finds_what_is_left_of_pictures_that_are_gone(thumbnails: Thumbnails, take: Take) -> None:
    snapshots = [take(jpeg()) for _ in range(20)]
    paths = [path_of(thumbnails, snapshot, "thumbnail") for snapshot in snapshots]
    half = paths[0].with_name(paths[0].name + ".part")
    half.write_bytes(b"half")
    known = {snapshot.id for snapshot in snapshots[10:]}
    assert thumbnails.sweep(lambda ids: known & set(ids), beat=lambda: None) == 10
    assert [path.exists() for path in paths] == [False] * 10 + [True] * 10
    assert not half.exists()
    assert thumbnails.sweep(lambda ids: known & set(ids), beat=lambda: None) == 0


def test_a_search_before_anything_was_made_finds_nothing(thumbnails: Thumbnails) -> None:
    assert thumbnails.sweep(lambda _: (), beat=lambda: None) == 0


def test_no_folder_holds_them_all(thumbnails: Thumbnails, take: Take) -> None:
    paths = [path_of(thumbnails, take(jpeg()), "thumbnail") for _ in range(100)]
    assert len({path.parent for path in paths}) > 50
