"""Listening sockets of servers, bound before anything starts."""

from __future__ import annotations

import socket

from pylib.errors import Permanent

BACKLOG = 128
"""Early clients wait for the server instead of being refused."""


class AddressInUse(Permanent):
    """Another program listens on the port, or the address is not this machine's."""


def listen(host: str, port: int, *, code: str, remedy: str) -> socket.socket:
    """A socket that listens on an address; port 0 is one of the system's choice.

    An IPv6 address takes IPv4 too. Raises `AddressInUse` with this code, and ends its sentence with the remedy.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        # Inherited by what it accepts: an answer in two parts would wait 40 ms for the client's acknowledgement of the
        # first. asyncio sets it only on sockets that it made itself.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise AddressInUse(code, f"cannot listen on {host}:{port}: {error.strerror}; {remedy}") from error
    return listener
