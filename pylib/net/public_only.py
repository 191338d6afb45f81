"""Connections to the public internet only, for addresses that strangers or browsers name."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any
from urllib.parse import urlsplit

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from pylib.net.addresses import normal

_OF_HOMES = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "home.arpa")
"""Last parts of names that no public host has."""


_GLOBAL_UNICAST = ip_network("2000::/3")
"""All public addresses of IPv6 (RFC 4291, 2.4): the others are local, reserved, or IPv4 in disguise."""
_NAT64 = ip_network("64:ff9b::/96")


class NotPublic(Exception):
    """The host is in a private network, or on this machine."""


def is_public(address: str) -> bool:
    """Whether this IP address is one of the public internet, or carries an IPv4 address that is (NAT64, 6to4)."""
    ip = normal(address)
    if isinstance(ip, IPv6Address):
        carried = IPv4Address(int(ip) & 0xFFFF_FFFF) if ip in _NAT64 else ip.sixtofour
        if carried is None and ip not in _GLOBAL_UNICAST:
            return False
        ip = carried or ip
    return ip is not None and ip.is_global and not ip.is_multicast


def names_public_host(url: str) -> bool:
    """Whether an address may lead to a public host, by its look alone: what the name resolves to is seen later."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return False
    if normal(host) is not None:
        return is_public(host)
    return "." in host and not host[-1].isdigit() and not any(host.endswith(f".{end}") for end in _OF_HOMES)


class _Public:
    def _new_conn(self: Any) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]
        if not is_public(sock.getpeername()[0]):  # of this very connection: no second look-up to rebind
            sock.close()
            raise NotPublic
        return sock


class _Connection(_Public, HTTPConnection):
    """A connection that ends before anything is sent, where it leads into a private network."""


class _TLSConnection(_Public, HTTPSConnection):
    """The same under TLS."""


class PublicPool(HTTPConnectionPool):
    """urllib3's, to public hosts only. Raises `NotPublic`."""

    ConnectionCls = _Connection


class PublicTLSPool(HTTPSConnectionPool):
    """The same under TLS."""

    ConnectionCls = _TLSConnection
