"""A folder below another is reached without following a link, and stays the one that was reached."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from pylib.files import beneath


def test_a_folder_is_reached_and_made_where_that_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), beneath.folder(tmp_path, PurePath("a/b")):
        pass
    with beneath.folder(tmp_path, PurePath("a/b"), make=True) as folder:
        (folder / "file").write_bytes(b"1")
    assert (tmp_path / "a/b/file").read_bytes() == b"1"


def test_the_root_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "real")
    with beneath.folder(tmp_path / "root", PurePath()) as folder:
        (folder / "file").touch()
    assert (tmp_path / "real/file").exists()


@pytest.mark.parametrize("below", ["link", "link/inside", "a/link", "file", "a/..", "../x"])
@pytest.mark.parametrize("make", [True, False])
def test_nothing_leads_out(tmp_path: Path, below: str, *, make: bool) -> None:
    (tmp_path / "outside/inside").mkdir(parents=True)
    (tmp_path / "root/a").mkdir(parents=True)
    (tmp_path / "root/file").touch()
    for link in ("link", "a/link"):
        (tmp_path / "root" / link).symlink_to(tmp_path / "outside")
    with pytest.raises(NotADirectoryError), beneath.folder(tmp_path / "root", PurePath(below), make=make):
        pass
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["inside"]


def test_what_is_put_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "root/a").mkdir(parents=True)
    with beneath.folder(tmp_path / "root", PurePath("a")) as folder:
        (tmp_path / "root/a").rename(tmp_path / "root/b")
        (tmp_path / "root/a").symlink_to(tmp_path / "outside")
        (folder / "file").touch()
    assert (tmp_path / "root/b/file").exists()
    assert not (tmp_path / "outside/file").exists()
