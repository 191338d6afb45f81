"""Admission to the mail server: with which login, from which address."""

from __future__ import annotations

import hashlib
import hmac
from ipaddress import ip_network

from app.uploads.mail.settings import MailSettings
from pylib.net.addresses import normal
from pylib.net.login_throttle import LoginThrottle


class Admission:
    """Checks logins. For the server's thread only."""

    def __init__(self, settings: MailSettings, throttle: LoginThrottle) -> None:
        self._settings = settings
        self._throttle = throttle
        self._networks = [ip_network(network) for network in settings.open_networks]

    def banned(self, address: str) -> bool:
        """Whether the login is not checked from there now; in open networks any is right, and none is banned."""
        return not self.is_open(address) and self._throttle.wait(address, self._settings.username) > 0

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
            self._throttle.succeeded(address, given)
            return True
        self._throttle.failed(address, given if given == settings.username else "", (given, password))
        return False


def _same(given: bytes, expected: str) -> bool:
    """Digests have one length, or the comparison's time would reveal the password's."""
    return hmac.compare_digest(hashlib.sha256(given).digest(), hashlib.sha256(expected.encode()).digest())
