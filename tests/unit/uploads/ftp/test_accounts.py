"""Who may log in, and what they may do."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from pyftpdlib.exceptions import AuthenticationFailed

from app.uploads.ftp.accounts import Account, Accounts, DuplicateLogin
from pylib.settings.credentials import Secret

AREA = Path("/data/ftp")
DOOR = PurePosixPath("uploads/snapshots/frontdoor")
ACCOUNTS = Accounts([Account("home", Secret("sécret")), Account("door", Secret("open"), DOOR)], area=AREA)


def test_the_right_password_lets_in() -> None:
    ACCOUNTS.validate_authentication("home", "sécret", None)
    ACCOUNTS.validate_authentication("door", "open", None)


@pytest.mark.parametrize(
    ("username", "password"),
    [("home", ""), ("home", "secret"), ("home", "sécretx"), ("door", "sécret"), ("nobody", ""), ("", "")],
)
def test_anything_else_does_not(username: str, password: str) -> None:
    with pytest.raises(AuthenticationFailed):
        ACCOUNTS.validate_authentication(username, password, None)


def test_an_account_without_a_password_is_none() -> None:
    accounts = Accounts([Account("home", Secret("")), Account("", Secret("x"))], area=AREA)
    assert len(accounts) == 0
    with pytest.raises(AuthenticationFailed):
        accounts.validate_authentication("home", "", None)


def test_a_camera_s_root_is_its_folder_and_the_shared_login_s_the_area() -> None:
    assert ACCOUNTS.get_home_dir("door") == "/data/ftp/uploads/snapshots/frontdoor"
    assert ACCOUNTS.get_home_dir("home") == "/data/ftp"


def test_nobody_deletes_and_only_a_camera_fetches_what_is_its_own() -> None:
    for username in ("home", "door"):
        assert not ACCOUNTS.has_perm(username, "d", "/data/ftp/x")
        assert all(ACCOUNTS.has_perm(username, letter) for letter in "elafmw")
    assert ACCOUNTS.has_perm("door", "r")
    assert not ACCOUNTS.has_perm("home", "r")


def test_two_accounts_of_one_name_are_refused() -> None:
    with pytest.raises(DuplicateLogin, match="'home'"):
        Accounts([Account("home", Secret("a")), Account("home", Secret("b"), DOOR)], area=AREA)


def test_no_password_is_shown() -> None:
    assert "open" not in repr(ACCOUNTS["door"])
