"""Admission to the mail server: with which login, from which address."""

from __future__ import annotations

import hashlib
import hmac
from ipaddress import ip_network

from app.uploads.bans import Bans
from app.uploads.mail.settings import MailSettings
from pylib.net.addresses import normal


class Admission:
    """Checks logins. For the server's thread only."""

    def __init__(self, settings: MailSettings, bans: Bans) -> None:
        self._settings = settings
        self._bans = bans
        self._networks = [ip_network(network) for network in settings.open_networks]

    def banned(self, address: str) -> bool:
        """Whether all logins from there are refused now."""
        return self._bans.banned(address)

    def is_open(self, address: str) -> bool:
        """Whether clients there need no login."""
        peer = normal(address)
        return peer is not None and any(peer in network for network in self._networks)

    def admits(self, address: str, username: bytes, password: bytes) -> bool:
        """Whether the login is right; any is in open networks, as some cameras always send one."""
        if self.is_open(address):
            return True
        settings, given = self._settings, username.decode(errors="replace")
        # Both are compared, in constant time, whatever the first gives.
        right = [_same(username, settings.username), _same(password, settings.password.get_secret_value())]
        if settings.username and all(right):
            self._bans.succeeded(address, given)
            return True
        self._bans.failed(address, given)
        return False


def _same(given: bytes, expected: str) -> bool:
    """Digests have one length, or the comparison's time would reveal the password's."""
    return hmac.compare_digest(hashlib.sha256(given).digest(), hashlib.sha256(expected.encode()).digest())
