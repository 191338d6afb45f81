"""Logging in and out: the cookie, and where it leads."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.web.access.login import safe_next
from tests.fakes.access import PASSWORD, Home
from tests.fakes.asgi import Answer, ask

ELSEWHERE = [
    "",
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/\n/evil.example",
    "/a\r\nSet-Cookie: x=y",
    "javascript:alert(1)",
    "evil.example",
    "@evil.example",
    "/..//evil.example",
    "/\x00",
    "/\u2028",
    "/" + "x" * 3000,
]


def log_in(home: Home, password: str = PASSWORD, *, path: str = "/login", **options: Any) -> Answer:
    fields = {"password": password, **options.pop("fields", {})}
    return ask(home.app, path, method="POST", form=fields, **options)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_the_right_password_gives_a_cookie_that_scripts_and_other_sites_do_not_get(home: Home) -> None:
    answer = log_in(home)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    said = [part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]]
    assert {"httponly", "samesite=lax", "path=/", "max-age=2592000"} <= set(said)
    assert "secure" not in said
    assert not any(part.startswith("domain") for part in said)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_form_of_a_client_that_escapes_no_umlaut_is_read(home: Home, encoding: str) -> None:
    body = b"password=" + PASSWORD.encode(encoding).replace(b" ", b"+")
    assert ask(home.app, "/login", method="POST", body=body).status == 303


@pytest.mark.parametrize(
    ("settings", "headers", "client", "secure"),
    [
        ({"public_url": "https://home.example"}, [], "192.168.1.7", True),
        ({"public_url": "https://home.example"}, [("origin", "https://home.example")], "192.168.1.7", True),
        ({"public_url": "https://home.example"}, [("origin", "http://nas.local:8080")], "192.168.1.7", False),
        ({"trusted_proxies": ("10.0.0.1/32",)}, [("x-forwarded-proto", "https")], "10.0.0.1", True),
        ({"trusted_proxies": ("10.0.0.1/32",)}, [("x-forwarded-proto", "https")], "192.168.1.7", False),
    ],
)
def test_the_cookie_is_for_https_alone_when_the_browser_uses_it(
    tmp_path: Path, settings: Any, headers: Any, client: str, secure: bool
) -> None:
    answer = log_in(Home(tmp_path, **settings), headers=headers, client=client)
    assert answer.status == 303
    assert ("secure" in answer.headers["set-cookie"].lower()) is secure


def test_a_wrong_password_gives_the_form_again_and_no_cookie(home: Home) -> None:
    answer = log_in(home, "wrong", fields={"next": "/cameras?day=1"})
    assert answer.status == 401
    assert answer.text == "login.html next=/cameras?day=1 problem=This is not the password."
    assert "set-cookie" not in answer.headers


def test_what_was_typed_is_in_no_log_and_no_answer(home: Home) -> None:
    with capture_logs() as lines:
        answers = [log_in(home, "hunter2-typed") for _ in range(8)]
        ask(home.app, "/", headers=[("authorization", "Bearer hunter2-typed")])
    assert "hunter2" not in repr(lines)
    assert PASSWORD not in repr(lines)
    assert not any("hunter2" in answer.text or "hunter2" in repr(answer.headers) for answer in answers)
    assert lines[0] == {"event": "login refused", "server": "web", "address": "192.168.1.77", "log_level": "warning"}


def test_who_guesses_too_often_is_told_how_long_to_wait(home: Home) -> None:
    assert [log_in(home, "mistyped").status for _ in range(7)] == [401] * 7, "the same one again is no guess"
    answers = [log_in(home, f"wrong {number}") for number in range(6)]
    assert [answer.status for answer in answers] == [401] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "2"
    assert "try again in 2 seconds" in answers[-1].text


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_the_login_leads_nowhere_else(home: Home, wanted: str) -> None:
    assert log_in(home, fields={"next": wanted}).headers["location"] == "/"
    cookie = log_in(home).cookie
    shown = ask(home.app, f"/login?next={quote(wanted)}", headers=[("cookie", cookie)])
    assert shown.headers["location"] == "/"


@given(st.text() | st.builds(str.__add__, st.sampled_from(["/", "//", "/\\", "/.", "/%"]), st.text()))
def test_whatever_is_wanted_stays_on_this_site(wanted: str) -> None:
    for base in ("http://nas.local:8080/login", "https://home.example/cameras/login"):
        led = urlsplit(urljoin(base, safe_next(wanted)))
        assert led[:2] == urlsplit(base)[:2]


@pytest.mark.parametrize("wanted", ["/", "/cameras/front-door", "/?q=a//b&day=2026-03-04", "/cameras/K%C3%BCche"])
def test_a_path_of_ours_is_kept(wanted: str) -> None:
    assert safe_next(wanted) == wanted


def test_with_a_prefix_everything_begins_with_it(tmp_path: Path) -> None:
    home = Home(tmp_path, public_url="https://home.example/cameras")
    turned = ask(home.app, "/cameras/cameras/front?a=b", headers=[("accept", "text/html")])
    assert turned.headers["location"] == "/cameras/login?next=/cameras/front%3Fa%3Db"
    answer = log_in(home, path="/cameras/login", fields={"next": "/cameras/front?a=b"})
    assert answer.headers["location"] == "/cameras/cameras/front?a=b"
    assert "path=/cameras;" in answer.headers["set-cookie"].lower()
    assert ask(home.app, "/cameras", headers=[("cookie", answer.cookie)]).text == "session"
    out = ask(home.app, "/logout", method="POST", headers=[("cookie", answer.cookie)])
    assert out.headers["location"] == "/cameras/login"
    assert "path=/cameras;" in out.headers["set-cookie"].lower()


def test_logging_out_takes_the_cookie_away(home: Home) -> None:
    out = ask(home.app, "/logout", method="POST", headers=[("cookie", log_in(home).cookie)])
    assert (out.status, out.headers["location"]) == (303, "/login")
    assert "max-age=0" in out.headers["set-cookie"].lower()
    assert ask(home.app, "/logout", headers=[("cookie", log_in(home).cookie)]).status == 405


def test_who_is_in_already_sees_no_login(home: Home) -> None:
    cookie = log_in(home).cookie
    assert ask(home.app, "/login?next=/cameras", headers=[("cookie", cookie)]).headers["location"] == "/cameras"
    assert ask(home.app, "/login?next=/cameras").text == "login.html next=/cameras problem="


def test_without_a_password_there_is_nothing_to_log_in_to(tmp_path: Path) -> None:
    home = Home(tmp_path, host="127.0.0.1", password="")
    for method in ("GET", "POST"):
        answer = ask(home.app, "/login", method=method, client="127.0.0.1", host="localhost")
        assert (answer.status, answer.headers["location"]) == (303, "/")
        assert "set-cookie" not in answer.headers


FIELD = urlencode({"password": PASSWORD}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"a=" + b"x" * 16_384 + b"&" + FIELD,  # right, but larger than any form of ours
        b"a=b&" * 10 + FIELD,  # or of more fields
        b"password",
        b'{"password": "correct horse"}',
    ],
)
def test_no_form_at_all_is_a_wrong_password(home: Home, body: bytes) -> None:
    assert ask(home.app, "/login", method="POST", body=body).status == 401
