"""HTTP transport for Google's client library: one deadline for each exchange, and no request is sent twice."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from app.archives import ArchiveUnavailable
from app.archives.google_drive.errors import Unanswered, refusal
from pylib.errors import causes
from pylib.net.deadline import passed, timed_pools, within

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes; a page of a thousand files with all fields asked for stays far below."""

_PIECE = 65_536


class AccessToken(Protocol):
    """The source of the transport's tokens."""

    def access(self, *, refused: str = "") -> str:
        """A token that is valid now and is not `refused`. Raises `ArchiveError`."""
        ...


_POOLS = timed_pools(HTTPConnectionPool, HTTPSConnectionPool)
_tls_context = cache(ssl.create_default_context)


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=_tls_context(), **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS


class _Bearer(requests.auth.AuthBase):
    """Signs with the current token; its presence also keeps requests from a login in ~/.netrc."""

    token = ""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class DriveTransport:
    """The object that Google's client library and oauth2client call `http`, in place of httplib2.

    httplib2 sends a request again by itself when the connection breaks before the answer: an upload whose
    answer is lost would become two files. Used by one thread at a time.
    """

    def __init__(self, *, timeout: float, token: AccessToken | None = None) -> None:
        """`timeout`: seconds for one exchange in all. Without a token calls go unsigned."""
        self._timeout = timeout
        self._token = token
        self._bearer = _Bearer()
        self._session = requests.Session()
        self._session.auth = self._bearer
        adapter = _Adapter(max_retries=0, pool_connections=2, pool_maxsize=1)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[Any, Any] | None = None,
        **_: Any,
    ) -> tuple[Any, bytes]:
        """One exchange: the answer's head as httplib2 has it, and its body.

        Signed, a status of 400 or more is raised as the matching failure (`errors.refusal`); unsigned, it is returned.
        """
        from httplib2 import Response

        token = self._token.access() if self._token else ""
        status, answer, content = self._exchange(uri, method, body, headers, token)
        if status == 401 and self._token:  # not done, so it may be sent again
            token = self._token.access(refused=token)
            status, answer, content = self._exchange(uri, method, body, headers, token)
        if self._token and status >= 400:
            raise refusal(status, content)
        return Response({**{k.lower(): v for k, v in answer.items()}, "status": str(status)}), content

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _exchange(
        self, uri: str, method: str, body: Any, headers: Mapping[Any, Any] | None, token: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        self._bearer.token = token
        if hasattr(body, "read"):
            body = body.read()
        with self._bounded():
            response = self._session.request(
                method,
                uri,
                data=body,
                headers={_text(name): _text(value) for name, value in (headers or {}).items()},
                timeout=min(self._timeout, 3600.0),
                allow_redirects=False,
                stream=True,
            )
            with response:
                return response.status_code, response.headers, self._read(response)

    def _read(self, response: requests.Response) -> bytes:
        content = bytearray()
        for piece in response.iter_content(_PIECE):
            content += piece
            if len(content) > MAX_ANSWER:
                raise Unanswered("too_large", "Drive's answer is too large")
        return bytes(content)

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """One deadline for the block; failures in it are raised without a URL (it may hold a login)."""
        with within(self._timeout):
            try:
                yield
            except requests.ConnectTimeout:
                raise ArchiveUnavailable("unreachable", "Google cannot be reached: no connection in time") from None
            except (requests.Timeout, TimeoutError):
                raise self._timed_out() from None
            except (requests.RequestException, HTTPError, OSError) as error:
                if passed() or _is_timeout(error):
                    raise self._timed_out() from None
                if _never_sent(error):
                    raise ArchiveUnavailable("unreachable", "Google cannot be reached") from None
                raise Unanswered("disconnected", "Google closed the connection without an answer") from None

    def _timed_out(self) -> Unanswered:
        return Unanswered("timeout", f"Google did not answer within {self._timeout:g} s")


def _is_timeout(error: BaseException) -> bool:
    return any(isinstance(one, TimeoutError) for one in causes(error))


def _never_sent(error: BaseException) -> bool:
    from urllib3.exceptions import NewConnectionError

    return any(isinstance(one, NewConnectionError | ssl.SSLCertVerificationError) for one in causes(error))


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
