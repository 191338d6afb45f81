"""Servers take their address before anything starts, or say in one sentence why they cannot."""

from __future__ import annotations

import socket

import pytest

from pylib.net.listening import AddressInUse, listen


def test_a_port_that_is_taken_names_the_settings_to_change() -> None:
    with listen("127.0.0.1", 0, code="ftp_address", remedy="") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressInUse, match=f"127.0.0.1:{port}.*set FTP_HOST or FTP_PORT") as raised:
            listen("127.0.0.1", port, code="ftp_address", remedy="set FTP_HOST or FTP_PORT")
    assert raised.value.code == "ftp_address"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_all_addresses_of_ipv6_take_ipv4_too(address: str) -> None:
    with listen("::", 0, code="", remedy="") as listener:
        socket.create_connection((address, listener.getsockname()[1]), timeout=5).close()
        accepted, _ = listener.accept()
        accepted.close()


def test_an_answer_in_two_parts_waits_for_no_acknowledgement() -> None:
    with listen("127.0.0.1", 0, code="x", remedy="y") as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
