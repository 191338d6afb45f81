"""Tokens: shown once, taken back alone, and a running service hears of both."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.web.access import key_files
from app.web.access.key_files import BrokenFile
from app.web.access.tokens import FILE, TokenRefused, Tokens

BROKEN = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"tokens": 3}',
    b'{"tokens": {"a": 1}}',
    b'{"tokens": ["a"]}',
    b'{"tokens": [{}]}',
    b'{"tokens": [{"name": "a", "sha256": null, "made_at": ""}]}',
    b'{"tokens": [{"name": "a", "sha256": "\xc3\xbc", "made_at": ""}]}',
    b'{"tokens": [{"name": "a", "sha256": "", "made_at": "", "only_triggers": "no"}]}',
    b'{"tokens": [{"name": "a", "sha256": "", "made_at": "", "cameras": "no"}]}',
    b'{"tokens": [{"name": "a", "sha256": "", "made_at": "", "right": "all"}]}',
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b" " * 2_000_000,
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "web" / FILE


def test_a_token_opens_and_no_other_does(path: Path) -> None:
    text = Tokens(path).add("phone")
    service = Tokens(path)
    assert service.find(text)
    for wrong in ("", "phone", text[:-1], text + "=", text.swapcase(), "\ud800"):
        assert not service.find(wrong)


def test_only_its_digest_is_kept_and_for_its_owner_only(path: Path) -> None:
    text = Tokens(path).add("phone")
    assert text not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_opens_with_a_token_is_not_what_is_kept_of_it(path: Path) -> None:
    Tokens(path).add("phone")
    assert not Tokens(path).find(json.loads(path.read_text())["tokens"][0]["sha256"])


def test_a_running_service_hears_of_new_and_of_revoked_ones(path: Path) -> None:
    service, command = Tokens(path), Tokens(path)
    assert not service.find("anything")
    phone, watch = command.add("phone"), command.add("watch")
    assert service.find(phone)
    assert service.find(watch)
    command.revoke("phone")
    assert not service.find(phone)
    assert service.find(watch)
    path.unlink()
    assert not service.find(watch)


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_file_opens_nothing_and_stops_no_running_service(path: Path, content: bytes) -> None:
    text = Tokens(path).add("phone")
    service = Tokens(path)
    assert service.find(text)
    whole = path.read_bytes()
    path.write_bytes(content)
    with capture_logs() as lines:
        assert not service.find(text)
        assert not service.find("")
    assert [line["event"] for line in lines] == ["no token is accepted"]
    assert str(path) in lines[0]["reason"]
    path.write_bytes(whole)
    assert service.find(text)


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_file_is_said_at_the_start_and_by_the_commands_and_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    for act in (Tokens(path).open, Tokens(path).all, lambda: Tokens(path).add("a"), lambda: Tokens(path).revoke("a")):
        with pytest.raises(BrokenFile, match=f"{path}.*delete it"):
            act()
    assert path.read_bytes() == content


def test_a_file_that_could_not_be_read_for_a_moment_is_read_again(path: Path) -> None:
    text = Tokens(path).add("phone")
    away = path.rename(path.with_suffix(".away"))
    path.mkdir()
    service = Tokens(path)
    assert not service.find(text)
    path.rmdir()
    away.rename(path)
    assert service.find(text)


def test_the_same_file_is_read_again_after_a_disk_that_failed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_path: Path) -> bytes:
        raise BrokenFile(path, "cannot be read", remedy="try again")

    text = Tokens(path).add("phone")
    service = Tokens(path)
    with monkeypatch.context() as patch:
        patch.setattr(key_files, "read", fails)
        assert not service.find(text)
    assert service.find(text)


def test_names_are_one_a_token(path: Path) -> None:
    tokens = Tokens(path)
    tokens.add("phone")
    with pytest.raises(TokenRefused, match="there is a token called 'phone'"):
        tokens.add("phone")
    with pytest.raises(TokenRefused, match="no token called 'watch'"):
        tokens.revoke("watch")
    for name in ("", "  ", "a\nb", "\x1b[31m", "x" * 61):
        with pytest.raises(TokenRefused, match="printable"):
            tokens.add(name)
    assert [token.name for token in tokens.all()] == ["phone"]


@given(st.text())
def test_what_somebody_made_up_opens_nothing(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / FILE
    if not path.exists():
        Tokens(path).add("phone")
    assert not Tokens(path).find(text)


def test_a_token_of_before_has_all_rights_and_one_without_limits_looks_like_it(path: Path) -> None:
    text = Tokens(path).add("phone")
    assert list(json.loads(path.read_text())["tokens"][0]) == ["name", "sha256", "made_at"]
    found = Tokens(path).find(text)
    assert found is not None
    assert found.permits("DELETE", "/api/snapshots/x")
    assert found.permits_camera("Yard Camera")


@pytest.mark.parametrize(
    ("method", "path", "permitted"),
    [
        ("POST", "/api/cameras/front-door/trigger", True),
        ("POST", "/api/cameras/a/b/trigger", True),
        ("POST", "/api/hooks/frigate", True),
        ("GET", "/api/hooks/frigate", False),
        ("POST", "/api/hooks/frigate/x", False),
        ("POST", "/api/cameras/trigger", False),
        ("POST", "/api/snapshots", False),
        ("GET", "/api/cameras", False),
        ("GET", "/api/cameras/front-door/trigger", False),
        ("POST", "/x/api/hooks/frigate", False),
        ("POST", "/api/cameras/a/trigger\n", False),
    ],
)
def test_a_token_for_triggers_opens_nothing_else(tmp_path: Path, method: str, path: str, *, permitted: bool) -> None:
    text = Tokens(tmp_path / FILE).add("frigate", only_triggers=True, cameras=["Yard Camera"])
    found = Tokens(tmp_path / FILE).find(text)
    assert found is not None
    assert found.permits(method, path) is permitted
    assert [found.permits_camera(camera) for camera in ("Yard Camera", "Attic Camera")] == [True, False]
