"""The lock of a folder: one holder at a time, and a clear word about everything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from pylib.files.lock import FolderInUse, FolderLock, FolderUnusable


def test_a_folder_is_locked_by_one_at_a_time_and_made_when_missing(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path / "data"), FolderLock(tmp_path / "data")
    first.acquire()
    with pytest.raises(FolderInUse, match="data"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_a_folder_that_cannot_be_written_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderUnusable, match="file/data: Not a directory"):
        FolderLock(tmp_path / "file/data").acquire()
