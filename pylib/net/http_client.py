"""HTTP to a server that the configuration names: one deadline, a bounded answer, no redirect, no proxy, no retry."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Literal, NamedTuple

import certifi
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as PoolTimeout

from pylib.errors import causes
from pylib.net.deadline import passed, timed_pools, within

Reason = Literal["unreachable", "timeout", "tls", "cut", "too_large"]

_POOLS = timed_pools(HTTPConnectionPool, HTTPSConnectionPool)


class Unanswered(Exception):
    """No whole answer came. Its text is the reason alone: addresses and headers may hold a login."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Answer(NamedTuple):
    """A server's answer."""

    status: int
    body: bytes


class HttpClient:
    """Asks one server, from several threads at once."""

    def __init__(self, *, timeout: float, most_bytes: int, connections: int = 1) -> None:
        """`timeout`: seconds for all of one exchange; `most_bytes`: of an answer."""
        self._timeout = timeout
        self._most_bytes = most_bytes
        self._pools = PoolManager(
            num_pools=2, maxsize=connections, ssl_context=ssl.create_default_context(cafile=certifi.where())
        )
        self._pools.pool_classes_by_scheme = _POOLS

    def send(self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """The answer, whatever its status; a redirect is one. Raises `Unanswered`."""
        with within(self._timeout):
            try:
                return self._exchange(method, url, body, headers or {})
            except (HTTPError, OSError, ValueError) as error:  # ValueError: an address or header that cannot be sent
                raise Unanswered(_reason(error)) from None

    def close(self) -> None:
        """Close the connections."""
        self._pools.clear()

    def _exchange(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        response = self._pools.urlopen(
            method,
            url,
            body=body or None,
            headers=headers,
            timeout=self._timeout,
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            data = response.read(self._most_bytes + 1, decode_content=False)
            whole = len(data) <= self._most_bytes
        except BaseException:
            response.close()
            raise
        if not whole:
            response.close()
            raise Unanswered("too_large")
        response.release_conn()
        return Answer(response.status, data)


def _reason(error: BaseException) -> Reason:
    chain = list(causes(error))
    if any(isinstance(cause, ssl.SSLError) for cause in chain):
        return "tls"
    if any(isinstance(cause, NewConnectionError) for cause in chain):
        return "unreachable"
    if passed() or any(isinstance(cause, TimeoutError | PoolTimeout) for cause in chain):
        return "timeout"
    return "cut"
