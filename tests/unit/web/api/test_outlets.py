"""Test messages, and browsers that want messages, over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.publishers import PublishRejected
from app.rules.push import MOST_SUBSCRIBERS
from app.rules.subscribers import Subscriber
from app.web.application import application
from app.web.context import WebContext
from tests.fakes.browser import FakeBrowser
from tests.fakes.web import Client, close, parts_for, serving

ENDPOINT = "https://push.example.org/send/1"
ANN = FakeBrowser(ENDPOINT)


def refuses() -> None:
    raise PublishRejected("login_refused", "The login or token is refused: ntfy answers 403.")


@pytest.fixture
def sent() -> list[str]:
    return []


@pytest.fixture
def parts(tmp_path: Path, sent: list[str]) -> Iterator[WebContext]:
    made = parts_for(
        tmp_path,
        test_messages={"phone": lambda: sent.append("phone"), "bad": refuses},
        push_outlets={"push": False},
        push_key=lambda: "BKey",
    )
    yield made
    close(made)


@pytest.fixture
def client(parts: WebContext) -> Iterator[Client]:
    with serving(application(parts)) as client:
        yield client


def subscription(endpoint: str = ENDPOINT, **changes: Any) -> dict[str, Any]:
    one = ANN.subscriber
    keys = {"p256dh": one.p256dh, "auth": one.auth}
    return {"endpoint": endpoint, "expirationTime": None, "keys": keys, "person": "Ann", **changes}


def subscribe(client: Client, **changes: Any) -> int:
    return client.post("/api/push/subscriptions", json=subscription(**changes)).status_code


def test_an_outlet_is_tested_and_its_refusal_is_passed_on(client: Client, sent: list[str]) -> None:
    assert client.post("/api/outlets/phone/test").json() == {"outlet": "phone"}
    assert sent == ["phone"]
    refused = client.post("/api/outlets/bad/test")
    assert (refused.status_code, refused.json()["error"].partition(":")[0]) == (502, "login_refused")
    unknown = client.post("/api/outlets/phnoe/test")
    assert (unknown.status_code, "there are: phone, bad" in unknown.text) == (404, True)


def test_one_test_at_a_time_goes_through_an_outlet(tmp_path: Path) -> None:
    asked, goes_on = threading.Event(), threading.Event()

    def hangs() -> None:
        asked.set()
        assert goes_on.wait(10)

    parts = parts_for(tmp_path / "other", test_messages={"phone": hangs, "other": lambda: None})
    with serving(application(parts)) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.post, "/api/outlets/phone/test")
        assert asked.wait(10)
        second = client.post("/api/outlets/phone/test", timeout=5)
        other = client.post("/api/outlets/other/test", timeout=5)
        goes_on.set()
        statuses = [answer.status_code for answer in (first.result(), second, other)]
        assert statuses == [200, 409, 200]
        assert client.post("/api/outlets/phone/test").status_code == 200
    close(parts)


def test_a_browser_subscribes_and_leaves(client: Client, parts: WebContext) -> None:
    assert client.get("/api/push/key").json() == {"key": "BKey", "outlets": ["push"]}
    assert subscribe(client) == 204
    assert parts.journal.subscribers() == [ANN.subscriber]
    gone = client.ask("DELETE", "/api/push/subscriptions", json={"endpoint": ENDPOINT})
    assert (gone.status_code, parts.journal.subscribers()) == (204, [])
    client.post("/api/outlets/phone/test")
    assert [(row.action, row.subject) for row in parts.journal.audited(limit=9)] == [
        ("test outlet", "phone"),
        ("push off", "push.example.org"),
        ("push on", "Ann"),
    ]


def test_a_browser_with_a_new_address_stays_whose_it_was(client: Client, parts: WebContext) -> None:
    assert subscribe(client, person="Ann's phone") == 204
    assert subscribe(client, endpoint=f"{ENDPOINT}0", person="", replaces=ENDPOINT) == 204
    assert [(one.endpoint, one.person) for one in parts.journal.subscribers()] == [(f"{ENDPOINT}0", "Ann's phone")]
    assert subscribe(client, endpoint=f"{ENDPOINT}0", person="", replaces=f"{ENDPOINT}0") == 204
    assert [one.person for one in parts.journal.subscribers()] == ["Ann's phone"]


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"endpoint": "https://192.168.1.1/x"}, 400, "public host"),
        ({"endpoint": "http://push.example.org/x"}, 400, "https://"),
        ({"keys": {"p256dh": "AAAA", "auth": "AAAA"}}, 400, "keys.p256dh"),
        ({"outlet": "phone"}, 404, "there are: push"),
        ({"person": "x" * 61}, 400, "person"),
        ({"color": "red"}, 400, "color is unknown"),
    ],
)
def test_what_is_no_subscription_is_refused_and_the_reason_said(
    client: Client, parts: WebContext, changes: dict[str, Any], status: int, said: str
) -> None:
    answer = client.post("/api/push/subscriptions", json=subscription(**changes))
    assert answer.status_code == status
    assert said in answer.json()["error"]
    assert parts.journal.subscribers() == []


def test_there_are_not_more_than_so_many(client: Client, parts: WebContext) -> None:
    for number in range(MOST_SUBSCRIBERS):
        parts.journal.subscribe(Subscriber(f"{ENDPOINT}{number}", "push", "", "", ""))
    assert subscribe(client) == 400
    assert subscribe(client, endpoint=f"{ENDPOINT}0") == 204  # one that there is may come again
    assert subscribe(client, replaces=f"{ENDPOINT}0") == 204
    assert len(parts.journal.subscribers()) == MOST_SUBSCRIBERS


def test_without_an_outlet_for_browsers_there_is_no_key(tmp_path: Path) -> None:
    parts = parts_for(tmp_path / "other")
    with serving(application(parts)) as client:
        assert client.get("/api/push/key").status_code == 404
        assert subscribe(client) == 404
        assert "Notify me" not in client.get("/status", headers={"Accept": "text/html"}).text
    close(parts)
