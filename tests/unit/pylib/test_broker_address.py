"""Every form in which people write where their broker is."""

from __future__ import annotations

import pytest

from pylib.rabbitmq.address import BrokerAddress


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("broker", BrokerAddress("broker")),
        ("192.168.1.100", BrokerAddress("192.168.1.100")),
        ("broker.home:5673", BrokerAddress("broker.home", 5673)),
        ("[fe80::1]:5673", BrokerAddress("fe80::1", 5673)),
        ("::1", BrokerAddress("::1")),
        ("amqp://broker", BrokerAddress("broker", tls=False)),
        ("amqps://broker/", BrokerAddress("broker", tls=True)),
        ("amqp://me:pw@broker:1/home", BrokerAddress("broker", 1, "me", "pw", "home", tls=False)),
        ("amqp://m%40e:p%2Fw@broker/%2F", BrokerAddress("broker", None, "m@e", "p/w", "/", tls=False)),
        ("amqp://me:p@s:s/w@broker/home", BrokerAddress("broker", None, "me", "p@s:s/w", "home", tls=False)),
        ("amqp://me@broker", BrokerAddress("broker", None, "me", tls=False)),
        ("me:pw@broker", BrokerAddress("broker", None, "me", "pw")),
    ],
)
def test_an_address_is_taken_apart(text: str, address: BrokerAddress) -> None:
    assert BrokerAddress.parse(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "http://broker",
        "broker/home",
        "a b",
        "broker:0",
        "broker:65536",
        "broker:x",
        "amqp://me:hunter2@",
        "[::1",
        "a,b",
    ],
)
def test_what_is_no_address_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ValueError, match="must be host, host:port or amqp") as failure:
        BrokerAddress.parse(text)
    assert "hunter2" not in str(failure.value)


def test_a_password_is_not_shown() -> None:
    assert "hunter2" not in repr(BrokerAddress.parse("amqp://me:hunter2@broker"))
