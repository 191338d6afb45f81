"""Authenticates requests, and names the method by which each got in."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal
from weakref import WeakKeyDictionary

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from app.web.access import csrf, key_files, sessions
from app.web.access.client_address import Client, ClientAddresses, is_forwarded, is_loopback
from app.web.access.passwords import ChosenPassword, Password, load_or_make
from app.web.access.sessions import Sessions
from app.web.access.tokens import FILE, ApiToken, Tokens
from app.web.forms import text_of
from app.web.local_token import KEY_FILE, own_token
from app.web.settings import WebSettings
from app.web.site import Site
from pylib.errors import Transient
from pylib.net.login_throttle import LoginThrottle

AuthMethod = Literal["open", "session", "token", "password", "link"]
"""The methods by which a request is authenticated."""


FREE = 5
"""Wrong passwords from one address that cost no wait: people mistype."""
MOST_IN_ALL = 60
"""Wrong passwords a minute from the internet, after which nobody there may try but who was right there before."""
FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 900.0
"""Seconds after one more; each further one doubles them."""
FORGOTTEN_AFTER_S = 3600.0
"""Seconds for which a wrong one counts."""


BOOTH_COOKIE = "snapshot_booth"
"""Of the photo booth's tablet: its token."""

OWN = ApiToken("this machine", "", "")
"""Of the token by which commands use the running service."""


class Locked(Transient):
    """Too many wrong passwords: the next one is checked in `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__("locked", f"too many wrong passwords: try again in {seconds} seconds")
        self.seconds = seconds


class Authentication:
    """Checks requests against the files of the web side's folder. Used in the server's event loop, after `open`."""

    def __init__(
        self,
        settings: WebSettings,
        *,
        folder: Path,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`folder`: for the key, the password's hash and tokens. Reads and writes nothing yet."""
        self.open_health = settings.open_health
        self.open_metrics = settings.open_metrics
        self.site = Site(settings.public_url)
        self._chosen = settings.password.get_secret_value()
        # A public address means clients from elsewhere, whatever proxy stands between.
        self._is_local = is_loopback(settings.host) and is_loopback(self.site.host or settings.host)
        self._folder = folder
        self._clock = clock
        self._client_addresses = ClientAddresses(settings.trusted_proxies)
        self.throttle = LoginThrottle(
            "web",
            after=FREE + 1,
            within=FORGOTTEN_AFTER_S,
            wait=FIRST_WAIT_S,
            longest=LONGEST_WAIT_S,
            most_in_all=MOST_IN_ALL,
            clock=monotonic,
        )
        self._tokens = Tokens(folder / FILE)
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
        self._key = b""
        self._own = ""
        self._password: Password | None = None
        self._sessions: Sessions | None = None

    def open(self) -> str | None:
        """Load key, password and tokens; make what is missing.

        Returns a password that was just made: this is the only time that it is known. Raises `BrokenFile`.
        """
        self._key = key_files.load_key(self._folder / KEY_FILE)
        self._own = own_token(self._key)
        self._tokens.open()
        made = None
        if self._chosen:
            self._password = ChosenPassword(self._chosen)
        elif not self._is_local:
            self._password, made = load_or_make(self._folder / "password")
        if self._password is not None:
            key = key_files.derived(self._key, b"session\0" + self._password.identity)
            self._sessions = Sessions(key, clock=self._clock)
        return made

    @property
    def is_open(self) -> bool:
        """Whether this machine needs no login."""
        return self._is_local and not self._chosen

    def link_key(self) -> bytes:
        """The key of signed links; known after `open`."""
        if not self._key:
            raise RuntimeError("the web side's key was not loaded")
        return key_files.derived(self._key, b"link")

    def client(self, connection: HTTPConnection) -> Client:
        """The client behind a request."""
        return self._client_addresses.client(connection)

    async def auth_method(self, connection: HTTPConnection) -> AuthMethod | None:
        """The method by which a request gets in, links aside; None when it does not. Raises `Locked`."""
        if self.is_open and self._is_from_here(connection):
            return "open"
        if self._has_session(connection):
            return "session"
        if self.token(connection) is not None:
            return "token"
        given = _password_in(connection)
        if given is not None and await self.is_password(given, self.client(connection)):
            return "password"
        return None

    def token(self, connection: HTTPConnection) -> ApiToken | None:
        """The record of the token that a request came with; None when it came with none that opens anything."""
        given = _password_in(connection)
        if given is None:
            return self.booth_token(connection.cookies.get(BOOTH_COOKIE, ""))
        own = hmac.compare_digest(given.encode(), self._own.encode())
        return OWN if own else self._tokens.find(given)

    def booth_token(self, given: str) -> ApiToken | None:
        """The record of a token that opens the booth and nothing else: only such a one may be a cookie."""
        found = self._tokens.find(given) if given else None
        return found if found is not None and found.only_booth else None

    async def is_password(self, given: str, client: Client) -> bool:
        """Whether this is the password; counts wrong ones. Raises `Locked`."""
        if self._password is None:
            return False
        # One at a time, or many guesses at once would all be checked before the first is counted.
        async with self._turn:
            wait = self.throttle.wait(client.address)
            if wait:
                raise Locked(wait)
            if self.throttle.was_wrong(client.address, "", given):  # which is dear to find out again
                return False
            if self._password.is_quick:
                right = self._password.matches(given)
            else:
                right = await run_in_threadpool(self._password.matches, given)
            if right:
                self.throttle.succeeded(client.address)
            else:
                self.throttle.failed(client.address, "", given)
            return right

    @property
    def _turn(self) -> asyncio.Lock:
        """A lock belongs to one event loop, and a restarted server has another."""
        return self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())

    @property
    def asks_password(self) -> bool:
        """Whether there is a password to log in with."""
        return self._password is not None

    def new_session(self) -> str:
        """The value of a session's cookie."""
        if self._sessions is None:
            raise RuntimeError("there are no sessions without a password")
        return self._sessions.issue()

    def _has_session(self, connection: HTTPConnection) -> bool:
        if self._sessions is None:
            return False
        return any(self._sessions.permits(value) for value in sessions.cookies(connection.headers.getlist("cookie")))

    def _is_from_here(self, connection: HTTPConnection) -> bool:
        """Whether a client on this machine asks, not through a proxy, and not sent by another site's page."""
        peer = connection.client.host if connection.client else "localhost"
        return is_loopback(peer) and not is_forwarded(connection) and csrf.is_called_by_our_name(connection)


def _password_in(connection: HTTPConnection) -> str | None:
    """The password or token in the credentials of Basic (RFC 7617) or Bearer; None for neither."""
    scheme, _, value = connection.headers.get("authorization", "").strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer" and value:
        return text_of(value.encode("latin-1"))
    if scheme.lower() != "basic":
        return None
    try:
        user_pass = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return text_of(user_pass.partition(b":")[2])
