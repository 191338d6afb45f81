"""Who may use the HTTP side."""

from __future__ import annotations

import base64

import pytest
from starlette.requests import Request

from app.web.access import Access, is_loopback
from pylib.credentials import Secret


def status(access: Access, path: str = "/api/cameras", authorization: str = "") -> int:
    headers = [(b"authorization", authorization.encode())] if authorization else []
    refusal = access.refusal(Request({"type": "http", "path": path, "headers": headers, "server": ("h", 80)}))
    return refusal.status_code if refusal else 200


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("192.168.1.4", False),
        ("nas", False),
    ],
)
def test_only_this_machine_reaches_a_loopback_address(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_on_loopback_without_a_password_everybody_is_let_in() -> None:
    assert status(Access("127.0.0.1", Secret(""))) == 200


def test_elsewhere_without_a_password_nobody_is_let_in_but_health_answers() -> None:
    access = Access("0.0.0.0", Secret(""))
    assert access.closed
    assert status(access) == 403
    assert status(access, authorization="Bearer ") == 403
    assert status(access, "/metrics") == 403
    assert status(access, "/health/live") == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
def test_a_password_that_is_set_is_asked_for_everywhere(host: str) -> None:
    access = Access(host, Secret("s3cret:ü"))
    assert not access.closed
    assert status(access) == 401
    assert status(access, authorization="Bearer s3cret:ü") == 200
    assert status(access, authorization=basic("anyone", "s3cret:ü")) == 200


@pytest.mark.parametrize("authorization", ["Bearer wrong", "Basic !!!", basic("a", "wrong"), "Digest x", "Bearer", "x"])
def test_anything_else_is_turned_away(authorization: str) -> None:
    assert status(Access("0.0.0.0", Secret("right")), authorization=authorization) == 401
