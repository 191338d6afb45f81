"""The password: compared in every spelling of its letters, and a made one is kept as a hash only."""

from __future__ import annotations

import hashlib
import stat
import unicodedata
from pathlib import Path

import pytest

from app.web.access.key_files import BrokenFile
from app.web.access.passwords import ChosenPassword, MadePassword, Password, hashed, load_or_make, made


def test_a_chosen_password_is_that_one_and_no_other() -> None:
    password = ChosenPassword("s3cret:ü")
    assert password.matches("s3cret:ü")
    assert password.matches(unicodedata.normalize("NFD", "s3cret:ü"))
    for wrong in ("", "s3cret:u", "s3cret:ü ", "S3CRET:Ü", "s3cret:ü\0", "\ud800"):
        assert not password.matches(wrong)


def test_accents_without_end_are_compared_as_they_are_and_not_put_in_order_first() -> None:
    password = ChosenPassword("\u0315\u0300" * 80_000)
    assert password.matches("\u0315\u0300" * 80_000)
    assert not password.matches("\u0300\u0315" * 80_000)


def test_a_made_one_is_known_by_its_hash_and_quick_once_it_was_right() -> None:
    password = MadePassword(hashed("right"))
    assert not password.matches("wrong")
    assert not password.is_quick
    assert password.matches("right")
    assert password.is_quick
    assert password.matches("right")
    assert not password.matches("wrong")


def test_a_made_one_costs_a_guesser_16_megabytes_and_its_hash_can_be_read_by_every_version() -> None:
    scheme, salt, digest = hashed("right").split("$")
    cost = hashlib.scrypt(b"right", salt=bytes.fromhex(salt), n=2**14, r=8, p=1, dklen=32)
    assert (scheme, len(bytes.fromhex(salt)), digest) == ("scrypt", 16, cost.hex())


def test_a_made_one_is_kept_across_restarts_and_told_once(tmp_path: Path) -> None:
    path = tmp_path / "web" / "password"
    first, text = load_or_make(path)
    assert text is not None
    assert first.matches(text)
    second, told = load_or_make(path)
    assert told is None
    assert second.matches(text)
    assert second.identity == first.identity
    assert text not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_each_made_one_is_another_and_can_be_typed() -> None:
    texts = {made() for _ in range(100)}
    assert len(texts) == 100
    assert all(len(text) == 23 and text.replace("-", "").isalnum() and text == text.lower() for text in texts)


@pytest.mark.parametrize(
    "content",
    [b"", b"hunter2\n", b"scrypt$zz$zz", b"scrypt$00$00", b"md5$00$" + b"00" * 32, b"\xff\xfe", b"a$b$c$d", b"\n" * 9],
)
def test_a_broken_file_is_named_and_opens_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "password"
    path.write_bytes(content)
    with pytest.raises(BrokenFile, match=r"password.*delete it") as caught:
        load_or_make(path)
    assert "hunter2" not in str(caught.value)
    assert path.read_bytes() == content


def test_another_password_is_another_identity() -> None:
    line = hashed("a")
    identities: list[Password] = [
        ChosenPassword("a"),
        ChosenPassword("b"),
        MadePassword(line),
        MadePassword(hashed("a")),
    ]
    assert len({password.identity for password in identities}) == 4
    assert MadePassword(line).identity == MadePassword(f"{line}\n").identity
