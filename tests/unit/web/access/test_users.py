"""Users: who there may be, what their passwords are, and that a change counts at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from app.web.access import hashing
from app.web.access.caller import Right
from app.web.access.hashing import WeakPassword, check
from app.web.access.key_files import BrokenFile
from app.web.access.users import LONGEST_NAME, UserRefused, Users
from pylib.files.lock import FolderInUse, FolderLock

GOOD = "long enough, Anna"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(hashing, "_hasher", lambda: hasher)


@pytest.fixture
def users(tmp_path: Path) -> Users:
    return Users(tmp_path / "users.json", admin_needed=True)


def test_a_user_is_found_in_any_spelling_and_stored_without_the_password(users: Users, tmp_path: Path) -> None:
    users.add("  Jürgen  Ähm ", GOOD, Right.VIEWER, ["Front"])
    for name in ("Jürgen Ähm", "jürgen ähm", "JU\u0308RGEN A\u0308HM", "Jürgen\u00a0Ähm"):
        found = users.find(name)
        assert found is not None
        assert (found.name, found.right, found.cameras) == ("Jürgen Ähm", Right.VIEWER, ("Front",))
    assert GOOD not in (tmp_path / "users.json").read_text()
    assert (tmp_path / "users.json").stat().st_mode & 0o077 == 0
    assert hashing.matches(users.all()[0].hash, GOOD)
    assert not hashing.matches(users.all()[0].hash, GOOD + "!")


@pytest.mark.parametrize(
    "name", ["", "  ", "a\x1bb", "..", "a/b", "\u202eanna", "x" * (LONGEST_NAME + 1), "ﷺ" * 20, "a\u0000"]
)
def test_a_name_has_1_to_60_printable_characters(users: Users, name: str) -> None:
    with pytest.raises(UserRefused, match="a name has 1 to 60 printable characters"):
        users.add(name, GOOD, Right.VIEWER)
    assert users.all() == []


@given(st.text())
def test_any_name_can_be_asked_for(name: str) -> None:
    assert Users(Path("/nowhere/users.json"), admin_needed=False).find(name) is None


def test_a_name_is_there_once(users: Users) -> None:
    users.add("Anna", GOOD, Right.ADMIN)
    with pytest.raises(UserRefused, match="there is a user called 'ANNA' already"):
        users.add("ANNA", GOOD, Right.VIEWER)
    assert [user.right for user in users.all()] == [Right.ADMIN]


@pytest.mark.parametrize(
    "password", ["", "short", "123456789", "Password123", "qwertyuiop", "aaaaaaaaaaaa", "ababababab", "x" * 201]
)
def test_weak_passwords_are_refused(users: Users, password: str) -> None:
    with pytest.raises(WeakPassword):
        users.add("Anna", password, Right.VIEWER)
    assert users.all() == []


@pytest.mark.parametrize("password", ["abcdeabcde", "abcde" * 40], ids=len)
def test_the_shortest_and_the_longest_password_are_taken(password: str) -> None:
    check(password)


def test_a_name_is_no_password() -> None:
    with pytest.raises(WeakPassword, match="is the name"):
        check("Annemarie12345", name="annemarie")
    check("Annemarie und das Meer", name="annemarie")


def test_the_last_admin_stays_while_the_album_has_no_password(users: Users) -> None:
    users.add("Anna", GOOD, Right.ADMIN)
    users.add("Ben", GOOD, Right.ADMIN)
    users.remove("ben")
    with pytest.raises(UserRefused, match="this is the last admin"):
        users.remove("Anna")
    with pytest.raises(UserRefused, match="this is the last admin"):
        users.change("Anna", right=Right.OPERATOR)
    assert [(user.name, user.right) for user in users.all()] == [("Anna", Right.ADMIN)]


def test_beside_a_password_of_the_album_the_last_admin_may_go(tmp_path: Path) -> None:
    users = Users(tmp_path / "users.json", admin_needed=False)
    users.add("Anna", GOOD, Right.ADMIN)
    users.remove("Anna")
    assert not users.there_are_any


def test_an_admin_is_not_limited_to_cameras(users: Users) -> None:
    with pytest.raises(UserRefused, match="an admin sees all cameras"):
        users.add("Anna", GOOD, Right.ADMIN, ["Front"])


def test_each_change_that_ends_sessions_makes_another_identity(users: Users) -> None:
    first = users.add("Anna", GOOD, Right.ADMIN)
    ended = users.end_sessions("Anna")
    changed = users.set_password("Anna", "another long one")
    users.add("Ben", GOOD, Right.ADMIN)
    users.remove("Anna")
    again = users.add("Anna", GOOD, Right.ADMIN)
    assert len({user.identity for user in (first, ended, changed, again)}) == 4
    assert users.change("Anna", right=Right.VIEWER).identity == again.identity


def test_what_a_command_changes_counts_at_once(users: Users, tmp_path: Path) -> None:
    users.add("Anna", GOOD, Right.ADMIN)
    assert users.find("Anna")
    Users(tmp_path / "users.json", admin_needed=False).remove("Anna")
    assert users.find("Anna") is None


def test_while_another_process_changes_them_nobody_else_does(users: Users, tmp_path: Path) -> None:
    other = FolderLock(tmp_path)
    other.acquire()
    with pytest.raises(FolderInUse):
        users.add("Anna", GOOD, Right.ADMIN)
    other.release()
    users.add("Anna", GOOD, Right.ADMIN)


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{}", '{"users": [1]}', '{"users": [{"name": "x"}]}', "[" * 100_000),
        json.dumps({"users": [{"name": "x", "right": "king", "hash": "", "made_at": ""}]}),
    ],
)
def test_a_broken_file_lets_nobody_in_and_says_so(users: Users, tmp_path: Path, content: str) -> None:
    (tmp_path / "users.json").write_text(content)
    assert users.find("x") is None
    with pytest.raises(BrokenFile, match="is no list of users"):
        users.all()


def test_a_line_that_is_no_hash_matches_nothing() -> None:
    assert not hashing.matches("", "")
    assert not hashing.matches("$argon2id$v=19$m=8,t=1,p=1$x$y", "x")


def test_the_cost_is_that_of_rfc_9106s_second_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    hasher = hashing._hasher()
    assert (hasher.time_cost, hasher.memory_cost, hasher.parallelism) == (3, 65_536, 4)
