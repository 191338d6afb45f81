"""IP addresses as people and rules compare them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address


def normal(text: str) -> IPv4Address | IPv6Address | None:
    """The address, an IPv4 one also where a socket for both writes it as IPv6; None when it is none."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
