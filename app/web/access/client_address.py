"""The client's address and whether it came by https, as far as trusted proxies report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network

from starlette.requests import HTTPConnection

from pylib.net.addresses import normal, written

FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
"""Headers that a reverse proxy adds."""


@dataclass(frozen=True, slots=True)
class Client:
    """The client of a request."""

    address: str
    """Of the client, without a port; empty when the server does not know."""
    https: bool
    """Whether the client talks TLS, to us or to a trusted proxy."""


class ClientAddresses:
    """Finds a request's client; only proxies in trusted networks may report another one than themselves."""

    def __init__(self, trusted_proxies: Sequence[str]) -> None:
        self._trusted = [ip_network(network) for network in trusted_proxies]

    def client(self, connection: HTTPConnection) -> Client:
        """The client behind a request."""
        peer = written(connection.client.host) if connection.client else ""
        https = connection.scope.get("scheme") == "https"
        if not self._trusts(peer):
            return Client(peer, https)
        protocols = _listed(connection, "x-forwarded-proto")
        return Client(self._client(peer, _listed(connection, "x-forwarded-for")), https or protocols[-1:] == ["https"])

    def is_from_proxy(self, connection: HTTPConnection) -> bool:
        """Whether a trusted proxy itself talks to us."""
        return self._trusts(written(connection.client.host) if connection.client else "")

    def _client(self, peer: str, hops: list[str]) -> str:
        """The last address that is no trusted proxy's: anybody may have written those before it."""
        address = peer
        for hop in reversed(hops):
            parsed = normal(hop)
            if parsed is None:
                break
            address = str(parsed)
            if not self._trusts(address):
                break
        return address

    def _trusts(self, address: str) -> bool:
        parsed = normal(address)
        return parsed is not None and any(parsed in network for network in self._trusted)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to `host`."""
    parsed = normal(host)
    return parsed.is_loopback if parsed is not None else host == "localhost"


def is_forwarded(connection: HTTPConnection) -> bool:
    """Whether the request came through a proxy, by its headers."""
    return any(name in connection.headers for name in FORWARDED)


def _listed(connection: HTTPConnection, name: str) -> list[str]:
    values = ",".join(connection.headers.getlist(name)).split(",")
    return [value.strip() for value in values if value.strip()]
