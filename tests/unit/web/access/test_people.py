"""People at the door: users with names, sessions that end, and proxies that say who somebody is."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from starlette.requests import HTTPConnection

from app.web.access import hashing
from app.web.access.caller import Right, caller_of
from app.web.access.tokens import FILE, TokenRefused, Tokens
from tests.fakes.access import PASSWORD, Home
from tests.fakes.asgi import HERE, LAN, Answer, ask

ANNAS = "the sea is blue, Ä"
PROXY = "192.168.1.2"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(hashing, "_hasher", lambda: hasher)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path, remote_user_header="Remote-User", trusted_proxies=(f"{PROXY}/32",))
    home.access.users.add("Anna", ANNAS, Right.VIEWER, ["Front"])
    home.access.users.add("Ben", "another long password", Right.OPERATOR)
    return home


def log_in(home: Home, name: str, password: str) -> Answer:
    return ask(home.app, "/login", method="POST", form={"name": name, "password": password})


def cookie(home: Home, name: str = "Anna", password: str = ANNAS) -> tuple[str, str]:
    answer = log_in(home, name, password)
    assert answer.status == 303, answer.text
    return "cookie", answer.cookie


def who(home: Home, *headers: tuple[str, str], **options: Any) -> tuple[str, str, frozenset[str]] | int:
    answer = ask(home.app, "/cameras", headers=headers, **options)
    if answer.status != 200:
        return answer.status
    caller = caller_of(type("Asked", (), {"scope": answer.scope})())
    return caller.name, caller.right.word, caller.cameras


def basic(name: str, password: str) -> tuple[str, str]:
    return "authorization", "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


FRONT = frozenset({"Front"})


def test_a_user_logs_in_with_a_name_in_any_case(home: Home) -> None:
    assert who(home, cookie(home, "aNNa")) == ("Anna", "viewer", FRONT)
    assert who(home, cookie(home, "Ben", "another long password")) == ("Ben", "operator", frozenset())
    assert log_in(home, "Anna", "another long password").status == 401
    assert log_in(home, "Nobody", ANNAS).status == 401
    assert "Name and password do not match" in log_in(home, "Anna", "x").text


def test_the_one_password_is_the_admin_beside_users_with_any_name_or_none(home: Home) -> None:
    assert who(home, cookie(home, "", PASSWORD)) == ("", "admin", frozenset())
    assert who(home, basic("whatever", PASSWORD)) == ("", "admin", frozenset())
    assert who(home, basic("anna", ANNAS)) == ("Anna", "viewer", FRONT)
    assert who(home, basic("anna", PASSWORD[:-1])) == 401


def test_logout_ends_every_copy_of_a_session_and_no_other(home: Home, tmp_path: Path) -> None:
    mine, elsewhere, own = cookie(home), cookie(home), cookie(home, "", PASSWORD)
    assert mine != elsewhere
    assert ask(home.app, "/logout", method="POST", headers=[mine]).status == 303
    assert (who(home, mine), who(home, elsewhere)) == (401, ("Anna", "viewer", FRONT))
    ask(home.app, "/logout", method="POST", headers=[own])
    assert who(home, own) == 401
    again = Home(tmp_path)  # the service was started anew
    assert (who(again, mine), who(again, own)) == (401, 401)
    assert who(again, elsewhere) == ("Anna", "viewer", FRONT)


def test_ended_sessions_are_forgotten_when_they_would_have_expired(home: Home, tmp_path: Path) -> None:
    for _ in range(3):
        ask(home.app, "/logout", method="POST", headers=[cookie(home)])
    home.clock.now += 31 * 86_400
    ask(home.app, "/logout", method="POST", headers=[cookie(home)])
    assert (tmp_path / "ended_sessions.json").read_text().count(":") == 1


def test_another_password_ends_all_sessions_of_that_user(home: Home) -> None:
    before, other = cookie(home), cookie(home, "Ben", "another long password")
    home.access.users.set_password("Anna", "a third long password")
    assert (who(home, before), who(home, other)) == (401, ("Ben", "operator", frozenset()))
    assert log_in(home, "Anna", ANNAS).status == 401
    after = cookie(home, "Anna", "a third long password")
    home.access.users.end_sessions("Anna")
    assert who(home, after) == 401


def test_a_deleted_user_is_out_at_once_and_a_new_one_of_that_name_does_not_inherit_the_session(home: Home) -> None:
    before = cookie(home)
    home.access.users.remove("Anna")
    assert who(home, before) == 401
    home.access.users.add("Anna", ANNAS, Right.ADMIN)
    assert who(home, before) == 401


def test_another_right_counts_in_sessions_that_there_are(home: Home) -> None:
    mine = cookie(home)
    home.access.users.change("Anna", right=Right.OPERATOR, cameras=())
    assert who(home, mine) == ("Anna", "operator", frozenset())


def test_nobody_writes_another_name_into_a_session(home: Home) -> None:
    name, value = cookie(home)
    expires, number, _, signature = value.partition("=")[2].split(".")
    bens = base64.urlsafe_b64encode(b"Ben").decode().rstrip("=")
    for forged in (
        f"{expires}.{number}.{bens}.{signature}",
        f"{expires}.{number}..{signature}",
        f"{expires}.{signature}",
    ):
        assert who(home, (name, f"snapshot_session={forged}")) == 401


def test_a_stream_ends_with_the_session_the_user_and_the_right(home: Home) -> None:
    def opened() -> tuple[Any, HTTPConnection]:
        answer = ask(home.app, "/cameras", headers=[cookie(home)])
        connection = HTTPConnection(answer.scope)
        return caller_of(connection), connection

    caller, connection = opened()
    assert home.access.is_still(caller, connection)
    home.access.end_session(connection)
    assert not home.access.is_still(caller, connection)
    caller, connection = opened()
    home.access.users.change("Anna", right=Right.VIEWER, cameras=["Back"])
    assert not home.access.is_still(caller, connection)
    caller, connection = opened()
    home.access.users.remove("Anna")
    assert not home.access.is_still(caller, connection)


def test_a_stream_of_whoever_a_proxy_or_a_password_named_ends_with_the_user(home: Home) -> None:
    for headers, client in (([("remote-user", "Ben")], PROXY), ([basic("Ben", "another long password")], LAN)):
        connection = HTTPConnection(ask(home.app, "/cameras", headers=headers, client=client).scope)
        caller = caller_of(connection)
        assert (caller.name, home.access.is_still(caller, connection)) == ("Ben", True)
        home.access.users.change("Ben", right=Right.VIEWER)
        assert not home.access.is_still(caller, connection)
        home.access.users.change("Ben", right=Right.OPERATOR)
        assert home.access.is_still(caller, connection)


# -- a proxy --------------------------------------------------------------------------------------


def test_a_trusted_proxy_names_the_user(home: Home) -> None:
    assert who(home, ("remote-user", "anna"), client=PROXY) == ("Anna", "viewer", FRONT)
    assert who(home, ("remote-user", "anna"), basic("", PASSWORD), client=PROXY) == ("Anna", "viewer", FRONT)


@pytest.mark.parametrize("client", [LAN, HERE, "10.0.0.1", None])
def test_nobody_else_does(home: Home, client: str | None) -> None:
    assert who(home, ("remote-user", "Ben"), client=client) == 401
    forged = [("remote-user", "Ben"), ("x-forwarded-for", PROXY), ("forwarded", f"for={PROXY}")]
    assert who(home, *forged, client=client) == 401


def test_a_name_that_is_no_user_is_refused_whoever_else_it_may_be(home: Home) -> None:
    mine = cookie(home)
    assert who(home, ("remote-user", "Nobody"), mine, client=PROXY) == 403
    assert who(home, ("remote-user", "Anna"), ("remote-user", "Ben"), client=PROXY) == 403
    answer = ask(home.app, "/cameras", headers=[("remote-user", "Nobody")], client=PROXY)
    assert answer.text == '{"error":"the proxy names somebody who is no user of the album"}'


def test_without_the_header_or_the_setting_a_proxy_is_like_anybody(home: Home, tmp_path: Path) -> None:
    assert who(home, client=PROXY) == 401
    assert who(home, ("remote-user", " "), client=PROXY) == 401
    unset = Home(tmp_path, trusted_proxies=(f"{PROXY}/32",))
    assert who(unset, ("remote-user", "Anna"), client=PROXY) == 401


# -- tokens ---------------------------------------------------------------------------------------


def test_a_token_has_a_right_and_cameras_and_expires(home: Home, tmp_path: Path) -> None:
    now = datetime.fromtimestamp(home.clock(), UTC)
    tokens = Tokens(tmp_path / FILE, clock=home.clock)
    text = tokens.add("wall", right=Right.VIEWER, cameras=["Front"], expires_at=now + timedelta(days=1))
    bearer = ("authorization", f"Bearer {text}")
    assert who(home, bearer) == ("wall", "viewer", FRONT)
    home.clock.now += 86_399
    assert who(home, bearer) == ("wall", "viewer", FRONT)
    home.clock.now += 1
    assert who(home, bearer) == 401
    with pytest.raises(TokenRefused, match="expires in the future"):
        tokens.add("late", expires_at=now)


def test_a_token_of_an_earlier_release_keeps_what_it_may(home: Home, tmp_path: Path) -> None:
    text = Tokens(tmp_path / FILE).add("old")
    assert '"right"' not in (tmp_path / FILE).read_text()
    assert who(home, ("authorization", f"Bearer {text}")) == ("old", "admin", frozenset())
