"""From which addresses a data connection is believed."""

from __future__ import annotations

import pytest

from app.uploads.ftp.data import same_home
from pylib.net.addresses import normal


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


def test_an_ipv4_address_reads_as_one_however_it_came() -> None:
    assert str(normal("::ffff:10.0.0.1")) == "10.0.0.1"
