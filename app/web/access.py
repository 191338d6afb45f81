"""Who may use the HTTP side: anyone on this machine, elsewhere those who know the password."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pylib.credentials import Secret

OPEN_PATHS = ("/health/live", "/health/ready")


class Access:
    """Open when the server listens on a loopback address; otherwise `password`, by Basic (any user) or Bearer."""

    def __init__(self, host: str, password: Secret) -> None:
        self._open = is_loopback(host)
        self._password = password.get_secret_value()

    @property
    def closed(self) -> bool:
        """Whether nobody can get in: not loopback, and no password to ask for."""
        return not self._open and not self._password

    def refusal(self, request: Request) -> Response | None:
        """The answer for a request that may not pass, or None when it may."""
        if request.url.path in OPEN_PATHS or self._permits(request.headers.get("authorization", "")):
            return None
        if not self._password and not self._open:
            problem = "set WEB_PASSWORD to use the HTTP API from other machines"
            return JSONResponse({"error": problem}, status_code=403)
        headers = {"WWW-Authenticate": 'Basic realm="snapshot-processor"'}
        return JSONResponse({"error": "password required"}, status_code=401, headers=headers)

    def _permits(self, authorization: str) -> bool:
        if not self._password:
            return self._open
        scheme, _, value = authorization.partition(" ")
        # Header bytes reach us as Latin-1; senders mean UTF-8.
        given = _password_of(value) if scheme.lower() == "basic" else value.encode("latin-1")
        return hmac.compare_digest(given, self._password.encode())


class Guard:
    """ASGI middleware that turns away who may not come in."""

    def __init__(self, app: ASGIApp, *, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._access.refusal(Request(scope)) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to `host`."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _password_of(credentials: str) -> bytes:
    """The password in the credentials of the Basic scheme (RFC 7617)."""
    try:
        return base64.b64decode(credentials, validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""
