"""The settings of an MQTT broker."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from pylib.mqtt.topics import is_topic
from pylib.settings.credentials import Secret
from pylib.settings.fields import Section

if TYPE_CHECKING:
    from pylib.mqtt.broker import Broker

_PLACE = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9_.-]+))(?::(?P<port>[0-9]{1,5}))?")


def _split(address: str) -> tuple[str, int]:
    """Host and port; 0 where none is given. Raises ValueError without quoting the address."""
    try:
        return str(IPv6Address(address)), 0
    except ValueError:
        found = _PLACE.fullmatch(address)
    if found is None or not 0 < int(found["port"] or 1) < 65_536:
        raise ValueError("must be host or host:port; the login has settings of its own, and `tls` asks for TLS")
    return found["v6"] or found["host"], int(found["port"] or 0)


def _address(value: str) -> str:
    if address := value.strip():
        _split(address)
    return address


def _prefix(value: str) -> str:
    prefix = value.strip().strip("/")
    if value and not is_topic(prefix):
        raise ValueError("must be the beginning of a topic, without +, # and $")
    return prefix


Prefix = Annotated[str, AfterValidator(_prefix)]
"""The beginning of topics, without a slash at its end."""


class MqttSettings(Section):
    """An MQTT broker."""

    server_address: Annotated[str, AfterValidator(_address)] = Field(
        default="", description="host or host:port; port 1883 unless given, 8883 with TLS. Empty for no broker."
    )
    username: str = Field(default="", description="User name; empty for none.")
    password: Secret = Field(default=Secret(""), description="Password.")
    tls: bool = Field(default=False, description="Use TLS, and check the broker's certificate.")
    ca_file: Path | None = Field(
        default=None,
        description="PEM file of the authority that signed the broker's certificate; the system's unless set.",
    )
    prefix: Prefix = Field(
        default="snapshots",
        min_length=1,
        max_length=100,
        description="Beginning of all own topics; each service at a broker needs its own.",
    )
    client_id: str = Field(
        default="",
        max_length=100,
        pattern="^[A-Za-z0-9_-]*$",
        description="Beginning of our client ids, under which the broker keeps triggers; the prefix unless set.",
    )
    keepalive: int = Field(default=30, ge=5, le=600, description="Seconds after which a silent connection is tested.")

    @property
    def broker(self) -> Broker:
        """The broker that these settings name."""
        from pylib.mqtt.broker import Broker  # settings are read also where nothing connects

        host, port = _split(self.server_address or "localhost")
        return Broker(
            host=host,
            port=port or (8883 if self.tls else 1883),
            username=self.username,
            password=self.password,
            tls=self.tls,
            ca_file=str(self.ca_file or ""),
            keepalive=self.keepalive,
        )

    def client(self, role: str) -> str:
        """The id at the broker of the client with this role."""
        return f"{self.client_id or self.prefix.replace('/', '-')}-{role}"
