"""Moving files: whole in the one place or in the other, on whatever devices these are."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.inbox import Inbox
from pylib.files import move
from tests.fakes.durability import another_device, disk


@pytest.fixture
def other_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder out of which nothing can be renamed, as if it were mounted there."""
    folder = tmp_path / "area" / "share"
    folder.mkdir(parents=True)
    another_device(monkeypatch, folder)
    return folder


def test_a_file_moves_to_another_device(other_device: Path, tmp_path: Path) -> None:
    source, target = other_device / "a.jpg", tmp_path / "b.jpg"
    source.write_bytes(b"picture")
    with disk(tmp_path) as watched:
        move(source, target)
        assert watched.left()["b.jpg"] == b"picture"
        assert watched.torn == watched.lost == []
    assert target.read_bytes() == b"picture"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [target]


def test_a_link_moves_to_another_device_as_a_link(other_device: Path, tmp_path: Path) -> None:
    (other_device / "a.jpg").symlink_to("nowhere")
    move(other_device / "a.jpg", tmp_path / "b.jpg")
    assert (tmp_path / "b.jpg").is_symlink()
    assert list(other_device.iterdir()) == []


def test_other_problems_are_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        move(tmp_path / "missing", tmp_path / "b.jpg")


def test_the_inbox_takes_from_a_share_in_its_area(other_device: Path, tmp_path: Path) -> None:
    inbox = Inbox(other_device.parent)
    inbox.open()
    (other_device / "a.jpg").write_bytes(b"picture")
    with disk(tmp_path) as watched:
        taken = inbox.take(other_device / "a.jpg")
        assert watched.torn == watched.lost == []
    assert taken is not None
    assert taken.path.read_bytes() == b"picture"
    assert not (other_device / "a.jpg").exists()
    assert list(inbox.waiting()) == [taken]
