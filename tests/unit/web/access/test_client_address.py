"""Who calls: proxies are believed if they are trusted, and only as far as they could know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from app.web.access.client_address import Client, ClientAddresses, is_loopback

PROXIES = ("10.0.0.0/24", "fd00::/64")


def call(peer: str, *headers: tuple[str, str], proxies: tuple[str, ...] = PROXIES, scheme: str = "http") -> Client:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": "http", "headers": raw, "client": (peer, 1) if peer else None, "scheme": scheme}
    return ClientAddresses(proxies).client(HTTPConnection(scope))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.4", False),
        ("nas", False),
        ("", False),
    ],
)
def test_only_this_machine_reaches_a_loopback_address(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_the_peer_is_the_client_unless_it_is_a_trusted_proxy() -> None:
    forged = ("x-forwarded-for", "1.1.1.1")
    assert call("192.168.1.7", forged) == Client("192.168.1.7", https=False)
    assert call("127.0.0.1", forged).address == "127.0.0.1"
    assert call("10.0.0.9", forged).address == "1.1.1.1"
    assert call("10.0.0.9", forged, proxies=()).address == "10.0.0.9"
    assert call("fd00::5", ("x-forwarded-for", "2001:db8::1")).address == "2001:db8::1"
    assert call("").address == ""


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("6.6.6.6, 1.1.1.1", "1.1.1.1"),
        ("6.6.6.6, 1.1.1.1, 10.0.0.3", "1.1.1.1"),
        ("6.6.6.6, nonsense, 10.0.0.3", "10.0.0.3"),
        ("10.0.0.4", "10.0.0.4"),
        ("", "10.0.0.9"),
        (",,", "10.0.0.9"),
        ("\xff<script>", "10.0.0.9"),
        ("::ffff:1.1.1.1", "1.1.1.1"),
    ],
)
def test_what_stands_before_the_last_untrusted_address_anybody_may_have_written(forwarded: str, address: str) -> None:
    assert call("10.0.0.9", ("x-forwarded-for", forwarded)).address == address


def test_several_headers_are_one_list() -> None:
    hops = (("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "1.1.1.1, 10.0.0.3"))
    assert call("10.0.0.9", *hops).address == "1.1.1.1"


def test_an_ipv4_client_of_a_server_for_both_is_the_same_client() -> None:
    assert call("::ffff:192.168.1.7").address == "192.168.1.7"
    assert call("::ffff:10.0.0.9", ("x-forwarded-for", "1.1.1.1")).address == "1.1.1.1"


def test_https_is_what_a_trusted_proxy_or_the_server_itself_says() -> None:
    https = ("x-forwarded-proto", "https")
    assert call("10.0.0.9", https).https
    assert not call("192.168.1.7", https).https
    assert not call("10.0.0.9", ("x-forwarded-proto", "https, http")).https
    assert call("192.168.1.7", scheme="https").https


@given(st.text(st.characters(max_codepoint=255)))
def test_nothing_that_is_forwarded_breaks_it(forwarded: str) -> None:
    call("10.0.0.9", ("x-forwarded-for", forwarded), ("x-forwarded-proto", forwarded))
