"""Which subscriptions of browsers are taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.push import LONGEST_ENDPOINT, endpoint_problem, keys_problem
from tests.fakes.browser import FakeBrowser

PUBLIC = "https://push.example.org/send/abc"


@pytest.mark.parametrize(
    ("endpoint", "private", "problem"),
    [
        (PUBLIC, False, ""),
        ("https://push.example.org:8443/x", False, ""),
        ("http://push.example.org/x", False, "https://"),
        ("https://ann:secret@push.example.org/x", False, "no login"),
        ("https://192.168.1.7/x", False, "allow_private"),
        ("https://nas.local/x", False, "allow_private"),
        ("http://192.168.1.7:8080/x", True, ""),
        ("ftp://192.168.1.7/x", True, "https://"),
        ("https://push.example.org/a b", False, "address of a push service"),
        ("https://push.example.org/\n", False, "address of a push service"),
        ("https://push.example.org:99999/x", False, "address of a push service"),
        ("https://push.example.org/" + "x" * LONGEST_ENDPOINT, False, "address of a push service"),
        ("", False, "address of a push service"),
    ],
)
def test_an_endpoint_is_one_of_a_push_service(endpoint: str, private: bool, problem: str) -> None:
    found = endpoint_problem(endpoint, private=private)
    assert problem in found
    assert bool(found) == bool(problem)


@given(st.text(), st.booleans())
def test_any_text_is_answered(endpoint: str, private: bool) -> None:
    endpoint_problem(endpoint, private=private)
    endpoint_problem(f"https://{endpoint}", private=private)
    assert keys_problem(endpoint, endpoint)


def test_keys_are_those_of_a_browser() -> None:
    one = FakeBrowser(PUBLIC).subscriber
    assert keys_problem(one.p256dh, one.auth) == ""
    assert keys_problem(one.p256dh + "=", one.auth + "==") == ""
    assert "p256dh" in keys_problem(one.p256dh[:-4] + "AAAA", one.auth)
    assert "p256dh" in keys_problem(one.auth, one.auth)
    assert "auth" in keys_problem(one.p256dh, one.auth[:-4])
    assert "auth" in keys_problem(one.p256dh, "!" * 22)
