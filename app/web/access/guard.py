"""The guard of the web side: admits a request, sends it to the login, or rejects it."""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from app.web.access import csrf
from app.web.access.authentication import Authentication, Locked, UnknownUser
from app.web.access.caller import NOBODY, Caller
from app.web.access.tokens import ApiToken
from app.web.links import LOOKS, Links, is_link

LOGIN = "/login"
BOOTH_ENTRANCE = "/booth/enter"
ENTRANCES = frozenset({LOGIN, BOOTH_ENTRANCE})
HEALTH = frozenset({"/health/live", "/health/ready"})
METRICS = "/metrics"

PUBLIC_PATHS = re.compile(
    r"/favicon\.ico|/manifest\.webmanifest|/service-worker\.js|/static(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+"
)
"""What the login page and a device's messages need; no name in it begins with a dot."""


class Guard:
    """ASGI middleware; sets `scope["state"]["caller"]` to who asks, and `"auth_method"` to how they got in.

    That is None where all may. With a token, `scope["state"]["token"]` is its record.

    It decides on `scope["path"]`, as the routing does: the prefix has to be off by then.
    """

    def __init__(self, app: ASGIApp, *, access: Authentication, links: Links) -> None:
        self._app = app
        self._access = access
        self._links = links

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        if scope["type"] == "http":
            refusal = await self._refusal(Request(scope))
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _refusal(self, request: Request) -> Response | None:
        """The response for a rejected request; None for an admitted one, whose method is noted."""
        if csrf.is_cross_site(request, method=request.method, site=self._access.site):
            return _error_response(request, 403, "another site asked for this; set WEB_PUBLIC_URL if it was your own")
        is_open = self._is_open(request.method, request.scope["path"])
        try:
            caller = await self._caller(request)
        except Locked as locked:
            if not is_open:
                return too_many(request, locked)
            caller = None
        except UnknownUser as unknown:
            if not is_open:
                return _error_response(request, 403, unknown.detail)
            caller = None
        state = request.scope.setdefault("state", {})
        if caller is not None and caller.method == "token":
            state["token"] = token = self._access.token(request)
            if token is None or not token.permits(request.method, request.scope["path"]):
                if not is_open:
                    return _error_response(request, 403, f"this token {_limit(token)}")
                caller = None
        state["auth_method"] = caller.method if caller is not None else None
        state["caller"] = caller or NOBODY
        return None if is_open or caller is not None else self._turned_away(request)

    async def _caller(self, request: Request) -> Caller | None:
        if self._links.permits(request.scope["path"], _query(request), method=request.method):
            return Caller(method="link", narrow=True)
        return await self._access.caller(request)

    def _is_open(self, method: str, path: str) -> bool:
        """Whether everybody may ask for this."""
        if path in ENTRANCES and method == "POST":
            return True
        return method in LOOKS and (
            path in ENTRANCES
            or (path in HEALTH and self._access.open_health)
            or (path == METRICS and self._access.open_metrics)
            or PUBLIC_PATHS.fullmatch(path) is not None
        )

    def _turned_away(self, request: Request) -> Response:
        if not self._access.asks_password:
            return _error_response(request, 403, "open to this machine only, and not through a proxy: set WEB_PASSWORD")
        if request.method in LOOKS and is_link(request.scope["path"], _query(request)):
            return _error_response(request, 403, "this link has expired, or is incomplete")
        login = self._access.site.path(LOGIN)
        if request.headers.get("hx-request"):
            return _error_response(request, 401, "login required", {"HX-Redirect": login, "WWW-Authenticate": "Bearer"})
        if _is_person(request):
            return RedirectResponse(login + _return_to(request), 303)
        return _error_response(
            request, 401, "password required", {"WWW-Authenticate": 'Basic realm="snapshot-processor"'}
        )


def _limit(token: ApiToken | None) -> str:
    return "opens the photo booth only" if token is not None and token.only_booth else "may only have pictures taken"


def too_many(request: Request, locked: Locked) -> Response:
    """The response to a client that has to wait."""
    return _error_response(request, 429, locked.detail, {"Retry-After": str(locked.seconds)})


def _return_to(request: Request) -> str:
    """The query that leads back, after the login, to a page that can be viewed."""
    path, query = request.scope["path"], _query(request)
    if request.method not in LOOKS or (path == "/" and not query):
        return ""
    return "?next=" + quote(quote(path) + (f"?{query}" if query else ""), safe="/")


def _query(request: Request) -> str:
    # Not `request.url`: that is built from the Host header, which may contain anything.
    return str(request.scope.get("query_string", b"").decode("latin-1"))


def _is_person(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _error_response(request: Request, status: int, problem: str, headers: dict[str, str] | None = None) -> Response:
    if _is_person(request):
        return PlainTextResponse(f"{problem[0].upper()}{problem[1:]}.\n", status, headers=headers)
    return JSONResponse({"error": problem}, status, headers=headers)
