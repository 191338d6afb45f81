"""IP addresses, normalised for comparison and display."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

IPAddress = IPv4Address | IPv6Address

_LOCAL = ip_network("fc00::/7"), ip_network("fe80::/10")
"""Of IPv6, where a whole LAN shares a /64, and not one party."""


def normal(text: str) -> IPAddress | None:
    """The IP address in a text, in brackets or with a zone or not; None when it is none."""
    try:
        return unmapped(ip_address(text.removeprefix("[").removesuffix("]").partition("%")[0]))
    except ValueError:
        return None


def unmapped(address: IPAddress) -> IPAddress:
    """An IPv4 address, also where a socket for both families writes it as IPv6."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def written(host: str) -> str:
    """An address in its usual form, without a zone; any other host name as it is."""
    return str(normal(host) or host.partition("%")[0])


def neighbourhood(host: str) -> str:
    """The addresses of one party: an IPv4 or local IPv6 address, or the /64 of another one; anything else as it is."""
    address = normal(host)
    if isinstance(address, IPv6Address) and not any(address in network for network in _LOCAL):
        return str(ip_network((address, 64), strict=False))
    return str(address or host)


def same_home(one: str, other: str) -> bool:
    """Whether two addresses are the same, or of the same private /24 (IPv4) or /64 (IPv6)."""
    if one == other:
        return True
    first, second = normal(one), normal(other)
    if first is None or second is None or type(first) is not type(second) or not first.is_private:
        return False
    return second in ip_network(f"{first}/{24 if first.version == 4 else 64}", strict=False)
