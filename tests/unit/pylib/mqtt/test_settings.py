"""The settings of a broker, and what is wrong with others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from pylib.mqtt.broker import Broker
from pylib.mqtt.settings import MqttSettings


@pytest.mark.parametrize(
    ("address", "tls", "host", "port"),
    [
        ("broker", False, "broker", 1883),
        ("broker", True, "broker", 8883),
        (" broker:1884 ", True, "broker", 1884),
        ("::1", False, "::1", 1883),
        ("[::1]:1884", False, "::1", 1884),
    ],
)
def test_an_address_has_the_usual_port_unless_it_names_another(address: str, tls: bool, host: str, port: int) -> None:
    broker = MqttSettings(server_address=address, tls=tls).broker
    assert (broker.host, broker.port) == (host, port)


def test_all_that_is_set_reaches_the_broker(tmp_path: Path) -> None:
    login: dict[str, Any] = {"username": "anna", "password": SecretStr("hunter2")}
    settings = MqttSettings(server_address="mq", **login, tls=True, ca_file=tmp_path / "ca.pem", keepalive=7)
    assert settings.broker == Broker(
        host="mq", port=8883, **login, tls=True, ca_file=str(tmp_path / "ca.pem"), keepalive=7
    )


@pytest.mark.parametrize("address", ["mqtt://bob:hush@broker", "broker:0", "broker:70000", "bro ker", "a/b"])
def test_another_address_is_refused_and_not_quoted(address: str) -> None:
    with pytest.raises(ValidationError) as raised:
        MqttSettings(server_address=address)
    assert "must be host or host:port" in str(raised.value)
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize("prefix", ["a/+", "#", "a\0", "$SYS", "/", " ", ""])
def test_a_prefix_is_the_beginning_of_a_topic(prefix: str) -> None:
    with pytest.raises(ValidationError):
        MqttSettings(prefix=prefix)
    assert MqttSettings(prefix="/home/cams/").prefix == "home/cams"


def test_each_service_at_a_broker_has_client_ids_of_its_own() -> None:
    assert MqttSettings(prefix="home/cams").client("triggers") == "home-cams-triggers"
    assert MqttSettings(client_id="attic").client("triggers") == "attic-triggers"
