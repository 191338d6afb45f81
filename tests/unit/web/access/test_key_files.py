"""The key on disk: made once, private, and never guessed at when it is broken."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from app.web.access import key_files
from pylib.files import durable


def test_a_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "web" / "key"
    first = key_files.load_key(path)
    assert key_files.load_key(path) == first == path.read_bytes()
    assert len(first) == key_files.KEY_BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_services_that_start_at_once_on_one_folder_have_one_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write = tmp_path / "key", durable.write_first
    others: list[bytes] = []

    def beaten(target: Path, data: bytes) -> None:
        monkeypatch.setattr(durable, "write_first", write)
        others.append(key_files.load_key(target))
        write(target, data)

    monkeypatch.setattr(durable, "write_first", beaten)
    assert [key_files.load_key(path)] == others
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33, b"x" * 2_000_000])
def test_a_broken_key_is_said_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(key_files.BrokenFile, match=r"key .*delete it"):
        key_files.load_key(path)
    assert path.read_bytes() == content


def test_what_cannot_be_read_or_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()
    with pytest.raises(key_files.BrokenFile, match=r"cannot be read.*user that the service runs as"):
        key_files.load_key(tmp_path / "key")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(key_files.BrokenFile, match="cannot be written"):
        key_files.write(tmp_path / "file" / "key", b"")


def test_a_key_for_one_purpose_is_none_for_another() -> None:
    assert (
        len({key_files.derived(b"k", b"link"), key_files.derived(b"k", b"session"), key_files.derived(b"j", b"link")})
        == 3
    )
