"""Where requests come from; what the guard makes of it is in `test_guard`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from app.web.access.csrf import is_called_by_our_name, is_cross_site, is_secure
from app.web.site import Site

LATIN = st.text(st.characters(max_codepoint=255))


def connection(**headers: str) -> HTTPConnection:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "headers": raw})


@given(LATIN, LATIN)
def test_an_origin_that_is_not_ours_is_another_site_whatever_it_looks_like(host: str, origin: str) -> None:
    forged = is_cross_site(connection(host=host, origin=origin), method="POST", site=Site())
    assert forged or origin.lower().partition("//")[2].split("/")[0].split(":")[0]


@pytest.mark.parametrize(("host", "origin"), [("", "null"), ("[", "null"), ("", ""), ("a:b", "null"), ("", "http://")])
def test_two_things_that_are_no_address_are_not_the_same_one(host: str, origin: str) -> None:
    assert is_cross_site(connection(host=host, origin=origin), method="POST", site=Site())
    assert is_cross_site(connection(origin=origin), method="POST", site=Site("http://a.example"))


def test_a_usual_port_may_be_left_out() -> None:
    assert not is_cross_site(connection(host="nas:80", origin="http://nas"), method="POST", site=Site())
    assert not is_cross_site(connection(host="nas", origin="https://nas:443"), method="POST", site=Site())
    assert is_cross_site(connection(host="nas:8080", origin="http://nas"), method="POST", site=Site())


@given(LATIN)
def test_any_host_can_be_looked_at(host: str) -> None:
    is_called_by_our_name(connection(host=host))


def test_this_machine_has_a_few_names() -> None:
    assert all(is_called_by_our_name(connection(host=host)) for host in ("localhost:8080", "[::1]:80", "127.0.0.1"))
    assert not any(is_called_by_our_name(connection(host=host)) for host in ("[]", "192.168.1.7", "localhost.evil"))


def test_the_browser_knows_best_whether_it_came_by_https() -> None:
    public = Site("https://home.example")
    assert is_secure(connection(), https=True, site=Site())
    assert is_secure(connection(), https=False, site=public)
    assert is_secure(connection(origin="https://nas"), https=False, site=Site())
    assert not is_secure(connection(origin="http://nas:8080"), https=False, site=public)
    assert not is_secure(connection(), https=False, site=Site("http://home.example"))
