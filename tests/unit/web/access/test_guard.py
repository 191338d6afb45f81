"""The door, from the side of those who try it: somebody on the network, a page in the operator's browser, a guest."""

from __future__ import annotations

import asyncio
import base64
from http.client import HTTPConnection as RawConnection
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.access.authentication import MOST_IN_ALL
from app.web.access.guard import Guard
from app.web.access.tokens import FILE, Tokens
from tests.fakes.access import PASSWORD, Home
from tests.fakes.asgi import HERE, Answer, ask
from tests.fakes.web import serving

PAGE = ("accept", "text/html,application/xhtml+xml")
LOCAL = {"client": HERE, "host": "127.0.0.1:8080"}


def basic(password: str, *, encoding: str = "utf-8") -> tuple[str, str]:
    return "authorization", "Basic " + base64.b64encode(b"anyone:" + password.encode(encoding)).decode()


def bearer(password: str) -> tuple[str, str]:
    return "authorization", f"Bearer {password.encode().decode('latin-1')}"


def logged_in(home: Home, **options: Any) -> tuple[str, str]:
    answer = ask(home.app, "/login", method="POST", form={"password": PASSWORD}, **options)
    assert answer.status == 303
    return "cookie", answer.cookie


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """On a network, with a password."""
    return Home(tmp_path)


@pytest.fixture
def local(tmp_path: Path) -> Home:
    """On a loopback address, without a password."""
    return Home(tmp_path, host="127.0.0.1", password="")


# -- somebody on the network ----------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/api/cameras", "/api/snapshots/s1/image", "/metrics", "/openapi.json", "/no"])
def test_without_a_login_nothing_is_seen_not_even_what_exists(home: Home, path: str) -> None:
    answer = ask(home.app, path)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert answer.text == '{"error":"password required"}'
    assert not home.reached


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "get", "X"])
def test_no_method_gets_around_the_login(home: Home, method: str) -> None:
    for path in ("/api/cameras", "/api/snapshots/s1", "/logout"):
        assert ask(home.app, path, method=method).status == 401
    assert not home.reached


def test_a_header_that_names_another_method_changes_nothing(home: Home) -> None:
    cookie = logged_in(home)
    headers = [("x-http-method-override", "GET"), ("origin", "http://evil.example"), cookie]
    assert ask(home.app, "/api/snapshots/s1", method="DELETE", headers=headers).status == 403


@pytest.mark.parametrize(
    "path",
    [
        "//api/cameras",
        "/health/live/../../api/cameras",
        "/static/../api/cameras",
        "/static//api/cameras",
        "/static/%2e%2e/api/cameras",
        "/static/..\\api",
        "/static/.git/config",
        "/static/",
        "/health/live/",
        "/health/live\n",
        "/login/",
        "/login/..",
        "//login",
        "/favicon.ico/../api/cameras",
        "/HEALTH/live",
        "",
    ],
)
def test_no_spelling_of_a_path_slips_past(home: Home, path: str) -> None:
    assert ask(home.app, path).status == 401
    assert not home.reached


@given(
    st.lists(
        st.sampled_from(["/", "//", ".", "..", "static", "login", "health", "live", "api", "cameras", "\n", "%2f"])
    )
)
def test_no_mixture_of_open_and_closed_paths_reaches_what_is_closed(home: Home, parts: list[str]) -> None:
    home.reached.clear()
    ask(home.app, "/" + "".join(parts))
    assert all(path in ("/health/live",) or path.startswith("/static/") for path in home.reached)
    assert not any(".." in path or "//" in path for path in home.reached)


@pytest.mark.parametrize(
    "header",
    [
        ("authorization", ""),
        ("authorization", "Basic"),
        ("authorization", "Basic "),
        ("authorization", "Basic !!!"),
        ("authorization", "Basic Og=="),
        ("authorization", "Bearer"),
        ("authorization", "Bearer "),
        ("authorization", "Digest x"),
        ("authorization", "Bearer " + "x" * 60_000),
        ("authorization", "Bearer \xff\xfe"),
        ("cookie", "snapshot_session="),
        ("cookie", "snapshot_session=9999999999." + "0" * 64),
        ("cookie", ";;;=;snapshot_session"),
        ("cookie", "snapshot_session=" + "9" * 60_000),
        ("cookie", "snapshot_session=\xb2.\xff"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-user", "admin"),
        ("user-agent", "Prometheus"),
        ("host", "localhost"),
        ("sec-fetch-site", "same-origin"),
    ],
)
def test_no_header_opens_the_door_but_the_right_one(home: Home, header: tuple[str, str]) -> None:
    assert ask(home.app, "/api/cameras", headers=[header]).status == 401
    assert not home.reached


def test_the_password_opens_in_all_its_forms(home: Home) -> None:
    for header in (basic(PASSWORD), basic(PASSWORD, encoding="latin-1"), bearer(PASSWORD)):
        answer = ask(home.app, "/api/cameras", headers=[header])
        assert (answer.status, answer.text) == (200, "password")
    assert ask(home.app, "/", headers=[logged_in(home)]).text == "session"


def test_people_are_sent_to_the_login_and_back(home: Home) -> None:
    answer = ask(home.app, "/cameras/a b&c?day=2026-03-04&q=%C3%BC", headers=[PAGE])
    assert answer.status == 303
    login = answer.headers["location"]
    assert login.startswith("/login?next=")
    back = ask(home.app, login, headers=[logged_in(home)])
    assert back.headers["location"] == "/cameras/a%20b%26c?day=2026-03-04&q=%C3%BC"


def test_a_page_that_asks_for_a_part_of_itself_is_sent_to_the_login_as_a_whole(home: Home) -> None:
    answer = ask(home.app, "/live", headers=[("hx-request", "true"), PAGE])
    assert (answer.status, answer.headers["hx-redirect"]) == (401, "/login")


def test_guessing_costs_more_and_more_time_whatever_the_way(home: Home) -> None:
    for guess in ("a", "b", "c", "d", "e", "f"):
        assert ask(home.app, "/api/cameras", headers=[basic(guess)]).status == 401
    refused = ask(home.app, "/api/cameras", headers=[basic(PASSWORD)])
    assert (refused.status, refused.headers["retry-after"]) == (429, "2")
    assert ask(home.app, "/login", method="POST", form={"password": PASSWORD}).status == 429
    assert ask(home.app, "/api/cameras", headers=[basic(PASSWORD)], client="192.168.1.5").status == 200
    home.clock.now += 2
    assert ask(home.app, "/api/cameras", headers=[basic(PASSWORD)]).status == 200


def test_a_storm_of_guesses_does_not_lock_out_who_was_right_before(home: Home) -> None:
    assert ask(home.app, "/", headers=[basic(PASSWORD)]).status == 200
    for number in range(MOST_IN_ALL):
        assert ask(home.app, "/", headers=[basic("guess")], client=f"2a02:{number:x}::1").status == 401
    assert ask(home.app, "/", headers=[basic(PASSWORD)], client="2a03::1").status == 429
    assert ask(home.app, "/", headers=[basic(PASSWORD)], client="10.9.9.9").status == 200
    assert ask(home.app, "/", headers=[basic(PASSWORD)]).status == 200


def test_a_lock_does_not_keep_out_who_has_a_session_or_a_token_there(home: Home, tmp_path: Path) -> None:
    token = Tokens(tmp_path / FILE).add("phone")
    cookie = logged_in(home)
    for number in range(10 * 6):  # a login that was right there has ten times as many
        assert ask(home.app, "/api/cameras", headers=[bearer(f"guess {number}")]).status == 401
    assert ask(home.app, "/api/cameras", headers=[bearer("guess")]).status == 429
    assert ask(home.app, "/api/cameras", headers=[bearer(token)]).text == "token"
    assert ask(home.app, "/api/cameras", headers=[cookie]).text == "session"
    assert ask(home.app, "/health/live", headers=[bearer("guess")]).text == "None"


def test_a_token_for_triggers_has_pictures_taken_and_sees_nothing(home: Home, tmp_path: Path) -> None:
    token = Tokens(tmp_path / FILE).add("frigate", only_triggers=True)
    for login in (bearer(token), basic(token)):
        assert ask(home.app, "/api/hooks/frigate", method="POST", headers=[login]).text == "token"
        assert ask(home.app, "/api/cameras/yard/trigger", method="POST", headers=[login]).text == "token"
        for path in ("/", "/api/cameras", "/api/snapshots/s1", "/api/snapshots/s1/image", "/metrics"):
            refused = ask(home.app, path, headers=[login])
            assert refused.status == 403
            assert "this token may only have pictures taken" in refused.text
        assert ask(home.app, "/api/snapshots/s1", method="DELETE", headers=[login]).status == 403
        assert ask(home.app, "/health/live", headers=[login]).text == "None"
    assert set(home.reached) == {"/api/hooks/frigate", "/api/cameras/yard/trigger", "/health/live"}


def test_a_token_comes_as_a_password_too_where_nothing_else_can_be_set(home: Home, tmp_path: Path) -> None:
    token = Tokens(tmp_path / FILE).add("phone")
    assert ask(home.app, "/api/cameras", headers=[basic(token)]).text == "token"
    assert ask(home.app, "/api/cameras", headers=[basic(token[:-1])]).status == 401


def test_health_tells_a_stranger_no_more_than_it_has_to_and_is_no_way_to_guess(home: Home) -> None:
    assert ask(home.app, "/health/live").text == "None"
    assert ask(home.app, "/health/ready", headers=[basic(PASSWORD)]).text == "password"
    for number in range(10 * 6):
        assert ask(home.app, "/health/live", headers=[basic(f"guess {number}")]).text == "None"
    assert ask(home.app, "/health/live", headers=[basic(PASSWORD)]).text == "None"


def test_health_and_metrics_are_open_or_closed_as_the_settings_say(tmp_path: Path) -> None:
    closed = Home(tmp_path / "a", open_health=False, open_metrics=True)
    assert [ask(closed.app, path).status for path in ("/health/live", "/health/ready", "/metrics")] == [401, 401, 200]
    assert ask(closed.app, "/metrics", method="POST").status == 401


def test_what_the_login_page_is_made_of_is_open(home: Home) -> None:
    for path in ("/login", "/favicon.ico", "/static/a1b2/style.css", "/static/icons/icon-192.png"):
        assert ask(home.app, path).status == 200
    assert ask(home.app, "/manifest.webmanifest").status == 404


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_a_stranger_who_claims_to_be_the_proxy_is_not_believed(tmp_path: Path, name: str) -> None:
    home = Home(tmp_path, trusted_proxies=("10.0.0.1/32",))
    headers = [("x-forwarded-for", name), ("forwarded", f"for={name}"), ("x-real-ip", name)]
    for number in range(6):
        assert ask(home.app, "/api/cameras", headers=[*headers, basic(f"{number}")], host=name).status == 401
    assert ask(home.app, "/api/cameras", headers=[basic("guess")]).status == 429


def test_web_sockets_are_refused_whatever_stands_behind(home: Home) -> None:
    sent: list[Any] = []
    reached: list[Any] = []

    async def behind(scope: Any, _receive: Any, _send: Any) -> None:
        reached.append(scope["path"])

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/health/live", "headers": [], "query_string": b""}
    asyncio.run(Guard(behind, access=home.access, links=home.links)(scope, receive, send))
    assert ([message["type"] for message in sent], reached) == (["websocket.close"], [])


# -- a page of another site, in the operator's browser --------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "127.8.8.8"])
def test_on_this_machine_nobody_has_to_log_in(local: Home, host: str) -> None:
    assert ask(local.app, "/", client=HERE, host=host).text == "open"
    assert ask(local.app, "/api/snapshots/s1", method="DELETE", client=HERE, host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8080",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
        "evil.example/127.0.0.1",
        "192.168.1.4:8080",
        "0.0.0.0:8080",
        "[::1",
        "[",
        "",
        None,
    ],
)
def test_a_name_that_was_made_to_lead_here_opens_nothing(local: Home, host: str | None) -> None:
    for path in ("/", "/api/cameras"):
        assert ask(local.app, path, client=HERE, host=host).status == 403
    assert not local.reached


@pytest.mark.parametrize("hosts", [("evil.example", "localhost"), ("localhost", "evil.example")])
def test_two_hosts_are_none(local: Home, hosts: tuple[str, str]) -> None:
    assert ask(local.app, headers=[("host", hosts[0])], client=HERE, host=hosts[1]).status == 403


def test_who_gives_a_public_address_has_to_log_in_on_this_machine_too(tmp_path: Path) -> None:
    home = Home(tmp_path, host="127.0.0.1", password="", public_url="http://album.home:8080")
    for host in ("album.home:8080", "127.0.0.1"):
        assert ask(home.app, "/api/cameras", client=HERE, host=host).status == 401
    assert not home.reached


@pytest.mark.parametrize(
    "header",
    ["x-forwarded-for", "forwarded", "x-real-ip", "via", "x-forwarded-host", "x-forwarded-proto"],
)
def test_what_comes_through_a_proxy_is_not_from_this_machine(local: Home, header: str) -> None:
    answer = ask(local.app, "/", headers=[(header, "for=127.0.0.1"), PAGE], **LOCAL)  # type: ignore[arg-type]
    assert answer.status == 403
    assert "WEB_PASSWORD" in answer.text
    assert not local.reached


def test_what_reaches_a_loopback_address_from_elsewhere_is_not_from_this_machine(local: Home) -> None:
    assert ask(local.app, client="192.168.1.77", host="127.0.0.1").status == 403


@pytest.mark.parametrize(
    "headers",
    [
        [("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-site")],
        [("sec-fetch-site", "cross-site"), ("origin", "http://127.0.0.1:8080")],
        [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "")],
        [("origin", "http://evil.example")],
        [("origin", "http://127.0.0.1:9999")],
        [("origin", "http://127.0.0.1.evil.example:8080")],
        [("origin", "null")],
        [("origin", "")],
        [("origin", "http://[")],
        [("origin", "http://127.0.0.1:8080"), ("origin", "http://evil.example")],
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_another_site_s_page_can_change_nothing(local: Home, method: str, headers: list[tuple[str, str]]) -> None:
    for path in ("/api/snapshots/s1", "/login", "/logout"):
        assert ask(local.app, path, method=method, headers=headers, **LOCAL).status == 403  # type: ignore[arg-type]
    assert not local.reached


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("sec-fetch-site", "same-origin")],
        [("sec-fetch-site", "none")],
        [("origin", "http://nas.local:8080")],
        [("origin", "http://NAS.local:8080")],
    ],
)
def test_our_own_pages_and_programs_can(home: Home, headers: list[tuple[str, str]]) -> None:
    answer = ask(home.app, "/api/snapshots/s1", method="PATCH", headers=[*headers, logged_in(home)])
    assert answer.text == "session"


def test_behind_a_proxy_that_changes_the_host_our_pages_can_by_the_public_address(tmp_path: Path) -> None:
    home = Home(tmp_path, public_url="https://home.example/album")
    cookie = logged_in(home)
    for origin, status in (("https://home.example", 200), ("https://other.example", 403), ("null", 403)):
        answer = ask(
            home.app, "/api/snapshots/s1", method="DELETE", headers=[cookie, ("origin", origin)], host="127.0.0.1:8080"
        )
        assert answer.status == status


def test_a_neighbour_s_cookie_beside_ours_logs_nobody_out_or_in(home: Home) -> None:
    name, ours = logged_in(home)
    for both in (f"snapshot_session=forged; {ours}", f"{ours}; snapshot_session=forged"):
        assert ask(home.app, headers=[(name, both)]).text == "session"
    assert ask(home.app, headers=[(name, "snapshot_session=a; snapshot_session=b")]).status == 401


# -- a guest with a link --------------------------------------------------------------------------


def guest(home: Home, path: str, **options: Any) -> Answer:
    return ask(home.app, f"{path}?{home.links.sign('s1', 'image', seconds=60)}", **options)


def test_a_link_opens_its_picture_and_nothing_else(home: Home) -> None:
    answer = guest(home, "/api/snapshots/s1/image")
    assert (answer.status, answer.body) == (200, b"picture")
    home.reached.clear()
    for path in (
        "/",
        "/api/snapshots/s1",
        "/api/snapshots/s2/image",
        "/api/snapshots/s1/thumbnail",
        "/api/snapshots/s1/annotated",
        "/api/snapshots/s1/image/",
        "//api/snapshots/s1/image",
        "/api/snapshots/s1/image\n",
        "/api/snapshots/s1/image/../../s2/image",
    ):
        assert guest(home, path).status in (401, 403)
    assert not home.reached


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH", "PUT", "OPTIONS"])
def test_a_link_is_for_looking(home: Home, method: str) -> None:
    assert guest(home, "/api/snapshots/s1/image", method=method).status == 401


def test_a_link_gives_no_session(home: Home) -> None:
    assert "set-cookie" not in guest(home, "/api/snapshots/s1/image").headers


def test_an_old_link_says_so_to_people_and_programs(home: Home) -> None:
    path = f"/api/snapshots/s1/image?{home.links.sign('s1', 'image', seconds=60)}"
    home.clock.now += 61
    for headers in ([], [PAGE]):
        answer = ask(home.app, path, headers=headers)
        assert answer.status == 403
        assert "expired" in answer.text.lower()
    assert ask(home.app, path, headers=[logged_in(home)]).status == 200


# -- over a real server ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "/api/cameras",
        "//api/cameras",
        "/static/..%2fapi/cameras",
        "/static/%2e%2e/api/cameras",
        "/%61pi/cameras",
        "/health/live%0a",
        "/health%2flive/../../api/cameras",
        "http://evil.example/api/cameras",
        "/static/x%00",
        "/login%3f/../api/cameras",
    ],
)
def test_as_sent_over_the_wire_too(home: Home, target: str) -> None:
    with serving(home.app) as client:
        raw = RawConnection("127.0.0.1", client.port, timeout=10)
        raw.request("GET", target, headers={"X-Forwarded-For": "127.0.0.1"})
        assert raw.getresponse().status in (400, 401)
        raw.close()
    assert not home.reached


def test_the_server_does_not_let_a_program_on_this_machine_choose_its_address(local: Home) -> None:
    with serving(local.app) as client:
        assert client.get("/", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403
        assert client.get("/").text == "open"


def test_nor_does_it_let_one_guess_from_many_addresses(home: Home) -> None:
    with serving(home.app) as client:
        for number in range(6):
            headers = {"X-Forwarded-For": f"10.0.0.{number}", "Authorization": f"Bearer guess {number}"}
            assert client.get("/", headers=headers).status_code == 401
        assert client.get("/", headers={"X-Forwarded-For": "10.0.0.9", "Authorization": "Bearer x"}).status_code == 429


# -- the photo booth's tablet -----------------------------------------------------------------------


def test_the_tablet_s_cookie_opens_the_booth_and_nothing_else(home: Home, tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / FILE)
    booth, ordinary = tokens.add("tablet", only_booth=True), tokens.add("script")
    cookie = ("cookie", f"snapshot_booth={booth}")
    for path in ("/", "/api/cameras", "/api/snapshots/s1", "/api/booth/guests.csv", "/booth/guests/1"):
        assert ask(home.app, path, headers=[cookie]).status == 403
    for path in ("/booth", "/api/booth", f"/api/booth/animation/{'a' * 32}"):
        assert ask(home.app, path, headers=[cookie]).status == 404  # behind the guard: this house has no booth
    assert ask(home.app, "/", headers=[("cookie", f"snapshot_booth={ordinary}")]).status == 401
    tokens.revoke("tablet")
    assert ask(home.app, "/booth", headers=[cookie]).status == 401
