"""The HTTP client of the command line: who may read the running service's key file needs no password."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

from app.web.local_token import FOLDER, KEY_FILE, own_token
from app.web.settings import WebSettings
from pylib.errors import Permanent, Transient


class ServiceAway(Transient):
    """No service answers at the configured address."""


class ServiceRefused(Permanent):
    """The service answers with an error."""


class ApiClient:
    """The service with these settings and this data directory."""

    def __init__(self, web: WebSettings, data_dir: Path) -> None:
        self._url = web.own_url
        self._key_file = data_dir / FOLDER / KEY_FILE

    def get(self, path: str, *, timeout: float) -> tuple[int, Mapping[str, Any]]:
        """Status and JSON of a response, whatever its status. Raises `ServiceAway`."""
        return self._ask("GET", path, timeout)

    def get_well(self, path: str, *, timeout: float) -> Mapping[str, Any]:
        """The JSON of a successful response. Raises `ServiceAway`, `ServiceRefused`."""
        return _well(*self._ask("GET", path, timeout))

    def post(self, path: str, *, timeout: float, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """The JSON of a successful response. Raises `ServiceAway`, `ServiceRefused`."""
        return _well(*self._ask("POST", path, timeout, body))

    def put(self, path: str, body: Mapping[str, Any], *, timeout: float) -> Mapping[str, Any]:
        """The JSON of a successful response. Raises `ServiceAway`, `ServiceRefused`."""
        return _well(*self._ask("PUT", path, timeout, body))

    def delete(self, path: str, *, timeout: float) -> Mapping[str, Any]:
        """The JSON of a successful response. Raises `ServiceAway`, `ServiceRefused`."""
        return _well(*self._ask("DELETE", path, timeout))

    def read(self, path: str, *, timeout: float) -> bytes:
        """The bytes of a successful response. Raises `ServiceAway`, `ServiceRefused`."""
        return b"".join(self._open(self._request("GET", path), timeout))

    def lines(self, path: str, *, timeout: float, headers: Mapping[str, str] | None = None) -> Iterator[str]:
        """The lines of a response that goes on, as they come.

        Raises `ServiceAway` when it ends, or is silent for `timeout` seconds; `ServiceRefused`.
        """
        request = self._request("GET", path)
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        for line in self._open(request, timeout):
            yield line.decode("utf-8", "replace").rstrip("\r\n")
        raise ServiceAway("no_answer", f"the service at {self._url} ended the stream")

    def _open(self, request: Request, timeout: float) -> Iterator[bytes]:
        try:
            with _opener().open(request, timeout=timeout) as answer:
                yield from answer
        except HTTPError as error:
            _well(error.code, _json_of(error))
        except (OSError, HTTPException) as error:
            raise self._away(error) from None

    def _ask(
        self, method: str, path: str, timeout: float, body: Mapping[str, Any] | None = None
    ) -> tuple[int, Mapping[str, Any]]:
        try:
            with _opener().open(self._request(method, path, body), timeout=timeout) as answer:
                return answer.status, {} if answer.status == 204 else json.load(answer)
        except HTTPError as error:
            return error.code, _json_of(error)
        except (OSError, ValueError) as error:
            raise self._away(error) from None

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Request:
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data, method=method)  # noqa: S310 - http, to this machine
        if data is not None:
            request.add_header("Content-Type", "application/json")
        with suppress(OSError):  # before the first start there is none, and others may not read it
            request.add_header("Authorization", f"Bearer {own_token(self._key_file.read_bytes())}")
        return request

    def _away(self, error: Exception) -> ServiceAway:
        reason = getattr(error, "reason", None) or type(error).__name__
        return ServiceAway("no_answer", f"no service answers at {self._url} ({reason})")


def _opener() -> OpenerDirector:
    return build_opener(ProxyHandler({}))


def _well(status: int, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    if status >= 400:
        raise ServiceRefused("refused", str(answer.get("error", status)))
    return answer


def _json_of(error: HTTPError) -> Mapping[str, Any]:
    with suppress(ValueError, OSError):
        found = json.load(error)
        if isinstance(found, dict):
            return found
    return {}
