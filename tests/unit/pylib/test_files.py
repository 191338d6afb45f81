"""Reading files: all of it or an error."""

from pathlib import Path

import pytest

from pylib import files


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    content = bytes(range(256)) * 20_000
    (tmp_path / "picture.jpg").write_bytes(content)
    assert files.read(str(tmp_path / "picture.jpg")) == content


def test_an_empty_file_is_read_as_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert files.read(str(tmp_path / "empty")) == b""


@pytest.mark.parametrize("name", ["missing", "."])
def test_what_is_no_file_is_an_error_of_the_system(tmp_path: Path, name: str) -> None:
    with pytest.raises(OSError, match="Errno"):
        files.read(str(tmp_path / name))
