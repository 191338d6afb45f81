"""HTTP to one camera, limited in time and bytes, with a failure code for every way to fail."""

from __future__ import annotations

import logging
import re
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import requests
from pydantic import ConfigDict, Field, FilePath
from urllib3 import HTTPConnectionPool, HTTPResponse
from urllib3.exceptions import HTTPError, ReadTimeoutError

from app.cameras import CameraError, CameraRejected, CameraSettings, CameraUnavailable
from app.cameras.http.answer import CameraAnswer
from app.cameras.http.body import PictureBody
from app.cameras.http.connection import Attempt, CameraPools, under
from app.cameras.http.tls import TLSSettings
from pylib.net.deadline import within
from pylib.settings.credentials import Secret

SMALL = 65_536
"""Bytes of an error page, or behind a picture, worth reading to keep the connection alive."""
REST_S = 0.1
"""Seconds in which they have to come."""
NEXT_PART_S = 1.0
"""Seconds in which a stream sends its next picture; what is silent for longer was one picture."""

HEADERS = {
    **requests.utils.default_headers(),
    "Accept-Encoding": "identity",  # pictures are compressed already
}

SOAP = {"Content-Type": "application/soap+xml; charset=utf-8"}
"""Of SOAP 1.2."""
MOST_SOAP = 1_000_000
"""Bytes of an answer in SOAP; a recorder's list of profiles has some hundred thousand."""

Authorize = Callable[[str, str], str]
"""Makes the Authorization header for the path and query of a request line, and its method."""


class HTTPCameraSettings(CameraSettings):
    """The settings that all cameras over HTTP have in common."""

    model_config = ConfigDict(hide_input_in_errors=True)  # the input may hold a login

    username: str = Field(default="", repr=False, description="User name; empty for no login.")
    password: Secret = Field(default=Secret(""), description="Password.")
    verify: bool = Field(default=True, description="Check the certificate of an https camera.")
    ca_file: FilePath | None = Field(
        default=None,
        description="PEM file with the certificate of an https camera, which is then enough whatever its name, or of"
        " its authority.",
    )
    legacy_tls: bool = Field(
        default=False,
        description="Allow what an old https camera may know only: TLS 1.0 and 1.1, weak ciphers, short keys.",
    )


@dataclass(frozen=True, slots=True, repr=False)
class _Prepared:
    """A URL, taken apart for the request. Not to be shown: its query may hold the login."""

    url: str
    pool: HTTPConnectionPool
    path: str
    """With the query."""


class Downloader:
    """One camera's HTTP session. Used by one thread at a time, not always by the same one."""

    def __init__(self, settings: HTTPCameraSettings) -> None:
        _keep_queries_out_of_logs()
        self._max_bytes = settings.max_bytes
        # No session of requests: no cookies, no redirects, no proxy and no .netrc between us and a camera.
        self._pools = CameraPools(
            TLSSettings(verify=settings.verify, ca_file=settings.ca_file, legacy=settings.legacy_tls)
        )
        self._prepared: _Prepared | None = None

    def get(self, url: str, attempt: Attempt, *, authorize: Authorize | None = None) -> CameraAnswer:
        """Ask for a picture: one request, and a second only where a kept-alive connection turns out stale.

        Redirects are not followed. Raises `CameraUnavailable` or `CameraRejected` when there is no complete
        HTTP response within the limits.
        """
        return self.ask(url, attempt, authorize=authorize)

    def ask(self, url: str, attempt: Attempt, *, authorize: Authorize | None = None, soap: bytes = b"") -> CameraAnswer:
        """The same; with a message in `soap`, a POST of it, whose answer counts whatever its status."""
        request = self._prepare(url, attempt)
        headers = dict(HEADERS) | (SOAP if soap else {})
        if authorize is not None:
            # http.client takes Latin-1 only; the bytes that go out are UTF-8.
            header = authorize(request.path, "POST" if soap else "GET")
            headers["Authorization"] = header.encode().decode("latin-1")
        with under(attempt):
            try:
                return self._send(request, headers, attempt, soap)
            except CameraUnavailable as error:
                if error.code != "disconnected" or attempt.connected:
                    raise
            return self._send(request, headers, attempt, soap)

    def close(self) -> None:
        """Close the connections."""
        self._pools.close()

    def _prepare(self, url: str, attempt: Attempt) -> _Prepared:
        # Preparing costs as much as the exchange itself, and the URL is nearly always the one before.
        if self._prepared is None or self._prepared.url != url:
            try:
                request = requests.Request("GET", url).prepare()
                pool = self._pools.of(str(request.url))
            except (requests.RequestException, HTTPError, ValueError):
                shown = attempt.target.shown
                raise CameraRejected("wrong_address", f"{shown} is no address that can be asked") from None
            self._prepared = _Prepared(url, pool, "/" + request.path_url.lstrip("/"))
        return self._prepared

    def _send(self, request: _Prepared, headers: dict[str, str], attempt: Attempt, soap: bytes) -> CameraAnswer:
        attempt.connected = False
        try:
            response = request.pool.urlopen(
                "POST" if soap else "GET",
                request.path,
                body=soap or None,
                headers=headers,
                redirect=False,
                retries=False,
                timeout=attempt.timeout,
                preload_content=False,
                decode_content=False,
            )
            try:
                return self._read(cast(HTTPResponse, response), attempt, soap=bool(soap))
            finally:
                response.close()
                response.release_conn()
        except CameraError:
            raise
        except (HTTPError, OSError) as error:  # their text holds the URL
            raise CameraUnavailable(
                "network", f"the request to {attempt.target.shown} failed: {type(error).__name__}"
            ) from None

    def _read(self, response: HTTPResponse, attempt: Attempt, *, soap: bool) -> CameraAnswer:
        shown, body = attempt.target.shown, PictureBody(MOST_SOAP if soap else self._max_bytes)
        try:
            if response.status == 200 or soap:  # a fault comes with 400 or 500
                self._fill(body, response, shown)
            elif (length := response.length_remaining) is not None and length <= SMALL:
                response.read()  # leaves the connection fit for the next request
        except (ReadTimeoutError, TimeoutError):
            raise attempt.timed_out("did not finish its answer") from None
        except (HTTPError, zlib.error):
            raise CameraUnavailable("truncated", f"{shown} broke off in the middle of its answer") from None
        headers = response.headers
        challenges = tuple(_text(challenge) for challenge in headers.getlist("WWW-Authenticate"))
        return CameraAnswer(response.status, headers, challenges, body.picture, body.has_picture)

    def _fill(self, body: PictureBody, response: HTTPResponse, shown: str) -> None:
        """Read the body up to the picture's end, or to its own where it holds no whole picture."""
        while not body.whole and (piece := _next_piece(response, body)):
            body.add(piece)
            if body.is_stream or (body.too_large and _is_multipart(response)):
                raise CameraRejected("wrong_address", f"{shown} answers with a video stream, not a picture")
            if body.too_large:
                raise CameraUnavailable("too_large", f"{shown} sent more than the {body.max_bytes} bytes allowed")
        _read_rest(response)


def _next_piece(response: HTTPResponse, body: PictureBody) -> bytes:
    """What has come since; empty at the end, and where nothing follows a part's picture."""
    if not body.has_picture:
        return response.read1(SMALL)
    with within(NEXT_PART_S), suppress(HTTPError, TimeoutError):
        return response.read1(SMALL)
    return b""


def _read_rest(response: HTTPResponse) -> None:
    """Read what little belongs behind the picture: that leaves the connection fit for the next request."""
    length = response.length_remaining
    if response.chunked or (length is not None and 0 < length <= SMALL):
        left = SMALL
        with within(REST_S), suppress(HTTPError, TimeoutError):
            while left > 0 and (piece := response.read1(left)):
                left -= len(piece)


def _is_multipart(response: HTTPResponse) -> bool:
    return response.headers.get("Content-Type", "").lower().startswith("multipart/")


def _text(header: str) -> str:
    """A header's text, which http.client decodes as Latin-1 and cameras send as UTF-8."""
    return header.encode("latin-1", "replace").decode("utf-8", "replace")


class _QueriesLeftOut(logging.Filter):
    """urllib3 logs URLs, at debug level and beside malformed headers, and the query may hold the login."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(re.sub(r"\?.*", "?...", a) if isinstance(a, str) else a for a in record.args)
        return True


_queries_left_out = _QueriesLeftOut()


def _keep_queries_out_of_logs() -> None:
    for name in ("urllib3.connection", "urllib3.connectionpool"):
        logging.getLogger(name).addFilter(_queries_left_out)  # adds it once, however often it is called
