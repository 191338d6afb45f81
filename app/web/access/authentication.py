"""Authenticates requests, and names the method by which each got in."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from weakref import WeakKeyDictionary

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from app.web.access import csrf, hashing, key_files, sessions, users
from app.web.access.caller import Caller, Right
from app.web.access.client_address import Client, ClientAddresses, is_forwarded, is_loopback
from app.web.access.passwords import ChosenPassword, Password, UserPasswords, load_or_make
from app.web.access.sessions import EndedSessions, Sessions
from app.web.access.tokens import FILE, ApiToken, Tokens
from app.web.access.users import User, Users
from app.web.forms import text_of
from app.web.local_token import KEY_FILE, own_token
from app.web.settings import WebSettings
from app.web.site import Site
from pylib.errors import Permanent, Transient
from pylib.net.login_throttle import LoginThrottle

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


class UnknownUser(Permanent):
    """A proxy names somebody who is no user."""


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
            hides_logins=True,
            clock=monotonic,
        )
        self._remote_user_header = settings.remote_user_header
        self._tokens = Tokens(folder / FILE, clock=clock)
        self.users = Users(folder / users.FILE, admin_needed=not self.has_own_password(settings), clock=clock)
        self._passwords = UserPasswords()
        self._ended = EndedSessions(folder / sessions.ENDED_FILE, clock=clock)
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
        self.users.all()
        self._ended.open()
        made = None
        if self._chosen:
            self._password = ChosenPassword(self._chosen)
        elif not self._is_local:
            self._password, made = load_or_make(self._folder / "password")
        if self._password is not None:
            self._sessions = self._sessions_for(self._password.identity)
        return made

    @staticmethod
    def has_own_password(settings: WebSettings) -> bool:
        """Whether the album has one password of its own, whose owner is an admin."""
        site = Site(settings.public_url)
        is_local = is_loopback(settings.host) and is_loopback(site.host or settings.host)
        return bool(settings.password.get_secret_value()) or not is_local

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

    async def caller(self, connection: HTTPConnection) -> Caller | None:
        """Who asks, links aside; None for somebody who is not known. Raises `Locked`, `UnknownUser`."""
        return self._known(connection) or await self._by_password(connection)

    def is_still(self, caller: Caller, connection: HTTPConnection) -> bool:
        """Whether a request that `caller` made is still theirs, with the same rights: for those that last.

        Asked for each open page each second, so it looks at nothing that cannot have changed since the request came.
        """
        match caller.method:
            case "session":
                return self._by_session(connection) == caller
            case "token":
                token = self.token(connection)
                return token is not None and token.caller() == caller
            case method if method is not None and caller.name:
                user = self.users.find(caller.name)
                return user is not None and user.caller(method) == caller
        return True  # this machine, or the one password: neither changes while the service runs

    def _known(self, connection: HTTPConnection) -> Caller | None:
        """Who asks, as far as that is known without a password."""
        if (named := self._named_by_proxy(connection)) is not None:
            return named
        if self.is_open and self._is_from_here(connection):
            return Caller(Right.ADMIN, method="open")
        if (person := self._by_session(connection)) is not None:
            return person
        token = self.token(connection)
        return token.caller() if token is not None else None

    def _named_by_proxy(self, connection: HTTPConnection) -> Caller | None:
        """Whom a trusted proxy names. Raises `UnknownUser`."""
        if not self._remote_user_header or not self._client_addresses.is_from_proxy(connection):
            return None
        named = [name for name in connection.headers.getlist(self._remote_user_header) if name.strip()]
        if not named:
            return None
        user = self.users.find(text_of(named[0].encode("latin-1"))) if len(named) == 1 else None
        if user is None:
            raise UnknownUser("unknown_user", "the proxy names somebody who is no user of the album")
        return user.caller("proxy")

    def _by_session(self, connection: HTTPConnection) -> Caller | None:
        for value in self._values(connection):
            user = self.users.find(name) if (name := sessions.name_in(value)) else None
            return user.caller("session") if user is not None else Caller(Right.ADMIN, method="session")
        return None

    async def _by_password(self, connection: HTTPConnection) -> Caller | None:
        name, given = _credentials_in(connection)
        return None if given is None else await self.log_in(name, given, self.client(connection))

    def token(self, connection: HTTPConnection) -> ApiToken | None:
        """The record of the token that a request came with; None when it came with none that opens anything."""
        given = _credentials_in(connection)[1]
        if given is None:
            return self.booth_token(connection.cookies.get(BOOTH_COOKIE, ""))
        own = hmac.compare_digest(given.encode(), self._own.encode())
        return OWN if own else self._tokens.find(given)

    def booth_token(self, given: str) -> ApiToken | None:
        """The record of a token that opens the booth and nothing else: only such a one may be a cookie."""
        found = self._tokens.find(given) if given else None
        return found if found is not None and found.only_booth else None

    async def log_in(self, name: str, given: str, client: Client) -> Caller | None:
        """Who has this password: the user of that name, or whoever has the album's own, under any name or none.

        Counts wrong ones; None for them. Raises `Locked`.
        """
        if not self.asks_password:
            return None
        user = self.users.find(name) if name.strip() else None
        login = user.key if user is not None else self._unknown(name)
        guess = (user.hash if user is not None else "", given)  # what was wrong may be right with another password
        # One at a time, or many guesses at once would all be checked before the first is counted, and each takes
        # 64 MiB.
        async with self._turn:
            wait = self.throttle.wait(client.address, login)
            if wait:
                raise Locked(wait)
            if self.throttle.was_wrong(client.address, login, guess):  # which is dear to find out again
                return None
            found = await self._matching(user, name, given)
            if found is None:
                self.throttle.failed(client.address, login, guess)
            else:
                self.throttle.succeeded(client.address, login)
            return found

    def _unknown(self, name: str) -> str:
        """The login that counts guesses for a name of nobody, as for a user; the name may be a mistyped password."""
        key = users.key_of(name)
        digest = hmac.new(key_files.derived(self._key, b"login"), key.encode(), "sha256").hexdigest()
        return f"unknown-{digest[:12]}" if key else ""

    async def _matching(self, user: User | None, name: str, given: str) -> Caller | None:
        if await self._is_own_password(given):
            return Caller(Right.ADMIN, method="password")
        if user is not None:
            matches = self._passwords.quickly(user, given)
            if matches is None:
                matches = await run_in_threadpool(self._passwords.matches, user, given)
            return user.caller("password") if matches else None
        if name.strip() and self.users.there_are_any:
            await run_in_threadpool(hashing.waste)
        return None

    async def _is_own_password(self, given: str) -> bool:
        if self._password is None:
            return False
        if self._password.is_quick:
            return self._password.matches(given)
        return await run_in_threadpool(self._password.matches, given)

    @property
    def _turn(self) -> asyncio.Lock:
        """A lock belongs to one event loop, and a restarted server has another."""
        return self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())

    @property
    def asks_password(self) -> bool:
        """Whether there is a password to log in with."""
        return self._password is not None or self.users.there_are_any

    def new_session(self, caller: Caller) -> str:
        """The value of a session's cookie, of who has just shown a password. Raises RuntimeError for others."""
        user = self.users.find(caller.name) if caller.name else None
        own = self._sessions if not caller.name else self._sessions_for(user.identity) if user else None
        if own is None:
            raise RuntimeError("there are no sessions without a password")
        return own.issue(caller.name)

    def end_session(self, connection: HTTPConnection) -> None:
        """Log out: no copy of its cookie opens anything any more. Raises `BrokenFile`."""
        for value in list(self._values(connection)):
            self._ended.add(value)

    def _values(self, connection: HTTPConnection) -> Iterator[str]:
        """The cookies of this request that are sessions now."""
        for value in sessions.cookies(connection.headers.getlist("cookie")):
            name = sessions.name_in(value)
            user = self.users.find(name) if name else None
            own = self._sessions if not name else self._sessions_for(user.identity) if user else None
            if own is not None and own.permits(value) and value not in self._ended:
                yield value

    def _sessions_for(self, identity: bytes) -> Sessions:
        return Sessions(key_files.derived(self._key, b"session\0" + identity), clock=self._clock)

    def _is_from_here(self, connection: HTTPConnection) -> bool:
        """Whether a client on this machine asks, not through a proxy, and not sent by another site's page."""
        peer = connection.client.host if connection.client else "localhost"
        return is_loopback(peer) and not is_forwarded(connection) and csrf.is_called_by_our_name(connection)


def _credentials_in(connection: HTTPConnection) -> tuple[str, str | None]:
    """Name and password, or token, in the credentials of Basic (RFC 7617) or Bearer; None for neither."""
    scheme, _, value = connection.headers.get("authorization", "").strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer" and value:
        return "", text_of(value.encode("latin-1"))
    if scheme.lower() != "basic":
        return "", None
    try:
        name, _, password = base64.b64decode(value, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return "", None
    return text_of(name), text_of(password)
