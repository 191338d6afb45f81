"""Connections to the public internet only."""

from __future__ import annotations

import pytest
from urllib3 import PoolManager

from pylib.net.public_only import NotPublic, PublicPool, is_public, names_public_host
from tests.fakes.http_double import http_double


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::1111", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
        *("::1", "fe80::1", "fd00::1", "::ffff:192.168.1.1", "::ffff:127.0.0.1", "no address"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::c0a8:101"),  # NAT64
        *("2002:7f00:1::", "2002:c0a8:101::1"),  # 6to4
        *("2001:0:7f00:1::", "2001:0:5db8:d70e::3f57:fefe"),  # Teredo
        *("::127.0.0.1", "::ffff:0:127.0.0.1", "fec0::1", "feff::1"),
    ],
)
def test_one_of_a_home_a_machine_or_many_is_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://updates.push.services.mozilla.com/wpush/v2/abc", True),
        ("https://93.184.215.14/x", True),
        ("https://localhost/x", False),
        ("https://nas/x", False),
        ("https://nas.local./x", False),
        ("https://printer.home.arpa/x", False),
        ("https://192.168.1.1/x", False),
        ("https://[::1]/x", False),
        ("https://[fe80::1%25eth0]/x", False),
        ("https://127.1/x", False),
        ("https://0x7f.0.0.1/x", False),
        ("https://[/x", False),
        ("https:///x", False),
    ],
)
def test_a_name_of_a_home_is_seen_before_it_is_asked(url: str, public: bool) -> None:
    assert names_public_host(url) is public


def test_a_connection_into_a_private_network_ends_before_anything_is_sent() -> None:
    manager = PoolManager(retries=False)
    manager.pool_classes_by_scheme = {"http": PublicPool}
    with http_double() as double:
        with pytest.raises(NotPublic):
            manager.request("POST", f"http://localhost:{double.port}/", body=b"x")
        assert double.seen == []
