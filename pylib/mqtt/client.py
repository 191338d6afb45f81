"""paho's client, which holds no more of a message than anybody looks at."""

from __future__ import annotations

from paho.mqtt.client import Client

LONGEST = 1_000_000
"""Bytes of a packet that are kept at least; what a longer one has beyond that is let go."""
CHUNK = 65_536


class BoundedClient(Client):
    """paho's, but a message of 256 MB, as MQTT allows, takes `LONGEST` bytes: it is delivered, cut off.

    paho has no limit of its own, and MQTT before 5 none that a client could ask for. A connection that ended instead
    would be sent the same message again.
    """

    def _sock_recv(self, bufsize: int) -> bytes:
        del self._in_packet["packet"][LONGEST:]
        return super()._sock_recv(min(bufsize, CHUNK))
