"""HTTP to a webhook: one deadline over connecting, sending and reading, and a bounded answer."""

from __future__ import annotations

import logging
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from functools import cached_property
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from time import time
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

import certifi
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError

from app.publishers import PublishUnavailable
from pylib.errors import causes
from pylib.net.deadline import passed, timed_pools, within

MOST_ANSWER = 65_536
"""Bytes of an answer that are read."""
REST_S = 1.0
"""Seconds for that."""
MOST_REDIRECTS = 3
REDIRECTS = frozenset({301, 307, 308})
"""Those that are followed. 302 and 303 lead to login pages more often than to where the event should go."""


class Unreachable(PublishUnavailable):
    """No connection came about, so it was not for the event's sake."""


class Answer(NamedTuple):
    """What counts of an answer."""

    status: int
    retry_after: float
    """Seconds that the target asks to be left alone; 0 when it does not."""


class Transport:
    """The connection to one target. Used by one thread at a time."""

    def __init__(self, *, shown: str, timeout: float, verify: bool, ca_file: Path | None) -> None:
        """`shown`: the target in error texts."""
        for name in ("urllib3.connection", "urllib3.connectionpool"):
            logging.getLogger(name).addFilter(_paths_left_out)  # adds it once, however often it is called
        self._shown = shown
        self._timeout = timeout
        self._session = _SessionWithoutRedirects()
        self._session.trust_env = False  # no proxy and no .netrc between us and the target
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = _Adapter(verify=verify, ca_file=ca_file)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def send(self, method: str, url: str, body: bytes, headers: Mapping[str, str | bytes]) -> Answer:
        """Send it, also to where the same host redirects to. Raises `PublishUnavailable`, which never holds the URL."""
        with within(self._timeout):
            for _ in range(MOST_REDIRECTS + 1):
                answer, location = self._exchange(method, url, body, headers)
                if answer.status not in REDIRECTS:
                    return answer
                url = self._followed(url, location)
        raise PublishUnavailable("webhook_redirected", f"{self._shown} redirects more than {MOST_REDIRECTS} times")

    def _exchange(self, method: str, url: str, body: bytes, headers: Mapping[str, str | bytes]) -> tuple[Answer, str]:
        try:
            request = requests.Request(method, url, headers=headers, data=body)
            prepared = self._session.prepare_request(request)
            with self._session.send(prepared, stream=True, timeout=self._timeout) as response:
                # It has answered: what follows leaves the connection fit for the next event, or not.
                with within(REST_S), suppress(HTTPError, OSError):
                    response.raw.read(MOST_ANSWER, decode_content=False)
                head = response.headers
                return Answer(response.status_code, _seconds(head.get("Retry-After", ""))), head.get("Location", "")
        except (requests.RequestException, HTTPError, OSError) as error:  # their texts hold the URL
            raise self._failure(error) from None

    def _followed(self, url: str, location: str) -> str:
        here = urlsplit(url)
        try:
            there = urlsplit(urljoin(url, location))
            allowed = _origin(there) == _origin(here) or (
                there.hostname == here.hostname and (here.scheme, there.scheme) == ("http", "https")
            )
        except ValueError:
            allowed = False
        if not location or not allowed:
            raise PublishUnavailable("webhook_redirected", f"{self._shown} redirects to another host")
        return there.geturl()

    def _failure(self, error: Exception) -> PublishUnavailable:
        chain = list(causes(error))
        for cause in chain:
            if isinstance(cause, ssl.SSLError):
                reason = getattr(cause, "verify_message", "") or cause.reason or "connection lost"
                return Unreachable("webhook_tls", f"{self._shown} failed the TLS handshake: {reason}")
        if isinstance(error, requests.ConnectTimeout) or any(isinstance(each, NewConnectionError) for each in chain):
            return Unreachable("webhook_unreachable", f"{self._shown} cannot be reached")
        if passed() or any(isinstance(cause, TimeoutError | requests.Timeout) for cause in chain):
            return PublishUnavailable("webhook_timeout", f"{self._shown} did not answer within {self._timeout:g} s")
        return PublishUnavailable("webhook_cut", f"{self._shown} closed the connection without an answer")


class _TLSPool(HTTPSConnectionPool):
    def _validate_conn(self, conn: Any) -> None:
        if conn.is_closed:  # where verification is off by setting, urllib3 would warn here at each request
            conn.connect()


_POOLS = timed_pools(HTTPConnectionPool, _TLSPool)


class _Adapter(HTTPAdapter):
    def __init__(self, *, verify: bool, ca_file: Path | None) -> None:
        super().__init__(pool_connections=2, pool_maxsize=1, max_retries=0)
        self.poolmanager.pool_classes_by_scheme = _POOLS
        self._verify = verify
        self._ca_file = ca_file

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._context} if host["scheme"] == "https" else {}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing to do: the TLS context has all of it."""

    @cached_property
    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self._ca_file or certifi.where()))
        if not self._verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class _SessionWithoutRedirects(requests.Session):
    """With `allow_redirects=False` alone, requests still reads a redirect's whole body, however large."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - the parent has it
        return None


class _PathsLeftOut(logging.Filter):
    """urllib3 logs addresses beside malformed headers, and of many webhooks the path is the password."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                re.sub(r"(://[^/\s]*|^)/.*", r"\1/...", arg) if isinstance(arg, str) else arg for arg in record.args
            )
        return True


_paths_left_out = _PathsLeftOut()


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _seconds(retry_after: str) -> float:
    """Retry-After (RFC 9110, 10.2.3): seconds, or a date."""
    if retry_after.isascii() and retry_after.isdecimal():
        return float(retry_after[:9])
    with suppress(ValueError, TypeError, OverflowError):
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time())
    return 0.0
