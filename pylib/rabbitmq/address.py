"""The broker's address, read from `host`, `host:port` or an `amqp(s)://` URL."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from urllib.parse import unquote

_PLACE = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9_.-]+))(?::(?P<port>[0-9]{1,5}))?")
_FORMS = "must be host, host:port or amqp(s)://user:password@host:port/vhost"


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """The parts of an address; None for a part that is not given."""

    host: str
    port: int | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    vhost: str | None = None
    tls: bool | None = None

    @classmethod
    def parse(cls, text: str) -> BrokerAddress:
        """Read an address (https://www.rabbitmq.com/docs/uri-spec). Raises ValueError without quoting it.

        Login and virtual host are percent-decoded; a password that holds `@`, `:` or `/` as they stand is
        also accepted, as long as the virtual host has no `@`.
        """
        scheme, separator, rest = text.rpartition("://") if text.startswith("amqp") else ("", "", text)
        if scheme not in ("", "amqp", "amqps"):
            raise ValueError(_FORMS)
        login, at, rest = rest.rpartition("@")
        place, slash, vhost = rest.partition("/")
        if _is_ipv6(place):
            place = f"[{place}]"
        match = _PLACE.fullmatch(place)
        if match is None or (slash and not separator) or not 0 < int(match["port"] or 1) < 65_536:
            raise ValueError(_FORMS)
        username, colon, password = login.partition(":")
        return cls(
            host=match["v6"] or match["host"],
            port=int(match["port"]) if match["port"] else None,
            username=unquote(username) if at else None,
            password=unquote(password) if colon else None,
            vhost=unquote(vhost) if vhost else None,
            tls=scheme == "amqps" if scheme else None,
        )

    def settings(self) -> dict[str, object]:
        """The given parts, under the names of the broker's settings."""
        parts = {
            "server_address": self.host,
            "port": self.port,
            "username": self.username,
            "password": self.password,
            "vhost": self.vhost,
            "tls": self.tls,
        }
        return {name: part for name, part in parts.items() if part is not None}


def _is_ipv6(text: str) -> bool:
    with suppress(ValueError):
        return bool(IPv6Address(text))
    return False
