"""What is made, kept and ended: keys, passwords and sessions over restarts."""

from __future__ import annotations

import asyncio
import stat
import threading
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from starlette.requests import HTTPConnection

from app.web.access import Authentication, hashing
from app.web.access.authentication import Locked
from app.web.access.caller import Right
from app.web.access.client_address import Client
from app.web.access.key_files import BrokenFile
from app.web.links import Links
from app.web.settings import WebSettings
from pylib.errors import Permanent
from tests.fakes.access import Home
from tests.fakes.asgi import ask


def session(home: Home, password: str) -> tuple[str, str]:
    answer = ask(home.app, "/login", method="POST", form={"password": password})
    assert answer.status == 303
    return "cookie", answer.cookie


@pytest.mark.parametrize("public_url", ["", "http://localhost:8080"])
def test_elsewhere_without_a_password_one_is_made_told_once_and_asked_for(tmp_path: Path, public_url: str) -> None:
    first = Home(tmp_path, password="", public_url=public_url)
    assert first.made is not None
    assert not first.access.is_open
    assert ask(first.app).status == 401
    cookie = session(first, first.made)
    second = Home(tmp_path, password="")
    assert second.made is None
    assert ask(second.app, headers=[cookie]).text == "session", "a restart ends no session"
    assert session(second, first.made)
    for file in tmp_path.iterdir():
        assert first.made.encode() not in file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_needs_no_password_and_none_is_made(tmp_path: Path, host: str) -> None:
    home = Home(tmp_path, host=host, password="")
    assert home.access.is_open
    assert home.made is None
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::", "192.168.1.4", "nas"])
def test_a_password_that_is_set_is_asked_for_everywhere(tmp_path: Path, host: str) -> None:
    home = Home(tmp_path, host=host)
    assert home.made is None
    assert not home.access.is_open
    assert ask(home.app, client="127.0.0.1", host="localhost").status == 401


def test_another_password_ends_all_sessions(tmp_path: Path) -> None:
    made = Home(tmp_path, password="")
    cookies = [session(made, made.made or ""), session(Home(tmp_path, password="one"), "one")]
    other = Home(tmp_path, password="two")
    for cookie in cookies:
        assert ask(other.app, headers=[cookie]).status == 401
    assert ask(Home(tmp_path, password="one").app, headers=[cookies[1]]).text == "session"


def test_another_key_ends_sessions_and_links(tmp_path: Path) -> None:
    home = Home(tmp_path)
    cookie = session(home, "correct horse: ü")
    query = home.links.sign("s1", "image", seconds=60)
    (tmp_path / "key").unlink()
    other = Home(tmp_path)
    assert ask(other.app, headers=[cookie]).status == 401
    assert ask(other.app, f"/api/snapshots/s1/image?{query}").status == 403


def test_a_session_is_no_link_and_a_link_no_session(tmp_path: Path) -> None:
    home = Home(tmp_path)
    _, _, value = session(home, "correct horse: ü")[1].partition("=")
    expires, _, signature = value.partition(".")
    assert not home.links.permits("/api/snapshots/s1/image", f"expires={expires}&signature={signature}")


@pytest.mark.parametrize(
    ("file", "content"), [("key", b"short"), ("password", b"plain"), ("tokens.json", b"{}"), ("tokens.json", b"")]
)
def test_a_broken_file_is_one_clear_error_at_the_start(tmp_path: Path, file: str, content: bytes) -> None:
    Home(tmp_path, password="")
    (tmp_path / file).write_bytes(content)
    with pytest.raises(BrokenFile, match=f"{tmp_path / file} .*: (delete it|restore)") as caught:
        Home(tmp_path, password="")
    assert isinstance(caught.value, Permanent)


def test_before_it_was_opened_nobody_comes_in_from_elsewhere(tmp_path: Path) -> None:
    access = Authentication(WebSettings(host="0.0.0.0"), folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
    scope = {"type": "http", "headers": [(b"authorization", b"Bearer x")], "client": ("127.0.0.1", 1)}
    assert asyncio.run(access.caller(HTTPConnection(scope))) is None
    with pytest.raises(RuntimeError):
        Links(access.link_key).sign("s1", "image", seconds=1)


def test_many_guesses_at_once_are_no_more_than_one_after_another(tmp_path: Path) -> None:
    access = Home(tmp_path, password="").access
    client = Client("10.0.0.1", https=False)

    async def guess(number: int) -> bool | None:
        try:
            return await access.log_in("", f"guess {number}", client) is not None
        except Locked:
            return None

    async def burst() -> list[bool | None]:
        return list(await asyncio.gather(*(guess(number) for number in range(40))))

    answers = asyncio.run(burst())
    assert answers.count(False) == 6
    assert answers.count(None) == 34


def test_waits_do_not_tell_which_users_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(hashing, "_hasher", lambda: hasher)
    access = Home(tmp_path, password="").access
    access.users.add("Anna", "the sea is blue", Right.VIEWER)
    access.users.add("Ben", "the sky is wide", Right.VIEWER)

    async def answers(address: str, tries: list[tuple[str, str]]) -> list[str]:
        found = []
        for name, given in tries:
            try:
                found.append("right" if await access.log_in(name, given, Client(address, https=False)) else "wrong")
            except Locked:
                found.append("locked")
        return found

    for number, probe in enumerate(["Anna", "Zed"]):
        tries = [("Ben", "no"), ("Zed", "no"), *((probe, f"guess {count}") for count in range(5)), ("Yan", "no")]
        assert asyncio.run(answers(f"10.0.0.{number}", tries)) == ["wrong"] * 6 + ["locked"] * 2
    known, unknown = (
        asyncio.run(answers(f"10.0.1.{number}", [(probe, f"guess {count}") for count in range(7)]))
        for number, probe in enumerate(["Anna", "Zed"])
    )
    assert known == unknown
    for address, name in (("10.0.2.1", "Anna"), ("10.0.2.2", "Zed")):
        assert asyncio.run(answers(address, [(name, f"guess {count}") for count in range(6)])) == ["wrong"] * 6
        assert asyncio.run(answers(address, [("Ben", "no")])) == ["locked"], "no other name tells it either"
    assert not any("zed" in ban.login for ban in access.throttle.bans())
    spread = [(f"Nobody {number}", "one password for all") for number in range(7)]
    assert asyncio.run(answers("10.0.3.1", spread)) == ["wrong"] * 6 + ["locked"], "each name is a guess of its own"


def test_the_server_goes_on_while_a_slow_password_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    access = Home(tmp_path, password="").access
    threads: list[int] = []

    class Slow:
        identity = b""
        is_quick = False

        def matches(self, given: str) -> bool:
            threads.append(threading.get_ident())
            return given == "right"

    monkeypatch.setattr(access, "_password", Slow())
    assert asyncio.run(access.log_in("", "right", Client("10.0.0.1", https=False)))
    assert threads != [threading.get_ident()]
