"""Addresses have one spelling, and those of one party are told from those of another."""

from __future__ import annotations

import pytest

from pylib.net.addresses import neighbourhood, normal, same_home, written


@pytest.mark.parametrize(
    ("control", "data"),
    [
        ("192.168.1.7", "192.168.1.7"),
        ("192.168.1.7", "192.168.1.8"),
        ("::ffff:192.168.1.7", "192.168.1.8"),
        ("fd00::1", "fd00::2"),
        ("fe80::1%eth0", "fe80::2%eth0"),
        ("8.8.8.8", "8.8.8.8"),
    ],
)
def test_the_same_or_the_same_home_is(control: str, data: str) -> None:
    assert same_home(control, data)


@pytest.mark.parametrize(
    ("control", "data"),
    [
        ("192.168.1.7", "192.168.2.7"),
        ("192.168.1.7", "8.8.8.8"),
        ("8.8.8.8", "8.8.8.9"),
        ("2001:4860::1", "2001:4860::2"),
        ("fd00::1", "fd00:0:0:1::1"),
        ("192.168.1.7", "fd00::1"),
        ("", "192.168.1.7"),
    ],
)
def test_anything_else_is_not(control: str, data: str) -> None:
    assert not same_home(control, data)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("[::ffff:10.0.0.1]", "10.0.0.1"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("10.0.0.1", "10.0.0.1"),
        ("camera.lan", "camera.lan"),
    ],
)
def test_an_address_has_one_spelling(host: str, address: str) -> None:
    assert written(host) == address


@pytest.mark.parametrize("text", ["", "camera.lan", "10.0.0.1:80", "10.0.0.256"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert normal(text) is None


@pytest.mark.parametrize(
    ("host", "party"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::1"),
        ("fd12:3456::7", "fd12:3456::7"),
        ("", ""),
    ],
)
def test_a_party_has_an_ipv4_or_local_address_or_a_64_of_ipv6(host: str, party: str) -> None:
    assert neighbourhood(host) == party
