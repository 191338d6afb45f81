"""The login page: a right password gets a session cookie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.web import forms
from app.web.access import csrf, sessions
from app.web.access.authentication import Authentication, Locked
from app.web.access.caller import Caller
from app.web.access.guard import LOGIN
from app.web.access.users import LONGEST_NAME
from app.web.errors import RequestRefused

Render = Callable[[Request, str, Mapping[str, Any]], Response]
"""Of a request, a template's name and its context."""

TEMPLATE = "login.html"
LARGEST_FORM = 16 * 1024
LONGEST_NEXT = 2000
WRONG = ("This is not the password.", "Name and password do not match.")
"""What is said of a wrong password without a name, and with one."""


def login_routes(access: Authentication, render: Render) -> list[Route]:
    """`/login` and `/logout`.

    The template gets `next` (a path of ours, for a hidden field), `problem` (a sentence, or empty), `asks_name` and
    `name`.
    """
    desk = LoginViews(access, render)
    return [
        Route(LOGIN, desk.show, methods=["GET"]),
        Route(LOGIN, desk.log_in, methods=["POST"]),
        Route("/logout", desk.log_out, methods=["POST"]),
    ]


class LoginViews:
    """The handlers of the login page."""

    def __init__(self, access: Authentication, render: Render) -> None:
        self._access = access
        self._render = render

    async def show(self, request: Request) -> Response:
        """The form, unless there is nothing to log in to."""
        wanted = safe_next(request.query_params.get("next", ""))
        if request.state.auth_method in ("open", "session") or not self._access.asks_password:
            return self._on_to(wanted)
        return self._form(request, wanted)

    async def log_in(self, request: Request) -> Response:
        """The cookie for the right password; the form again for a wrong one."""
        form = await _form_of(request)
        wanted = safe_next(form.get("next", ""))
        name = form.get("name", "")
        client = self._access.client(request)
        if not self._access.asks_password:
            return self._on_to(wanted)
        try:
            caller = await self._access.log_in(name, form.get("password", ""), client)
            if caller is None:
                return self._form(request, wanted, name=name, problem=WRONG[bool(name.strip())], status=401)
        except Locked as locked:
            answer = self._form(request, wanted, name=name, problem=f"{locked.detail.capitalize()}.", status=429)
            answer.headers["Retry-After"] = str(locked.seconds)
            return answer
        answer = self._on_to(wanted)
        set_session(answer, request, self._access, caller)
        return answer

    async def log_out(self, request: Request) -> Response:
        """End the session, every copy of it, and delete the cookie; the form comes next."""
        await run_in_threadpool(self._access.end_session, request)
        answer = RedirectResponse(self._access.site.path(LOGIN), 303)
        answer.delete_cookie(sessions.COOKIE, path=self._access.site.path("") or "/", httponly=True, samesite="lax")
        return answer

    def _on_to(self, path: str) -> Response:
        return RedirectResponse(self._access.site.path(path), 303)

    def _form(self, request: Request, wanted: str, *, name: str = "", problem: str = "", status: int = 200) -> Response:
        there_are_users = self._access.users.there_are_any
        context = {"next": wanted, "problem": problem, "name": name[:LONGEST_NAME], "asks_name": there_are_users}
        answer = self._render(request, TEMPLATE, context)
        answer.status_code = status
        return answer


def set_session(answer: Response, request: Request, access: Authentication, caller: Caller) -> None:
    """Give the browser a session of who has just shown a password."""
    answer.set_cookie(
        sessions.COOKIE,
        access.new_session(caller),
        max_age=sessions.LASTS_S,
        path=access.site.path("") or "/",
        secure=csrf.is_secure(request, https=access.client(request).https, site=access.site),
        httponly=True,
        samesite="lax",
    )


def safe_next(wanted: str) -> str:
    """A path on this site, without its prefix: the wanted one, or `/` for every address that leads elsewhere."""
    leads_away = (
        not wanted.startswith("/")
        or "//" in wanted.partition("?")[0]
        or "\\" in wanted  # which browsers take for a slash
        or not wanted.isprintable()
        or len(wanted) > LONGEST_NEXT
    )
    return "/" if leads_away else wanted


async def _form_of(request: Request) -> Mapping[str, str]:
    """The fields of a small form; empty for anything else."""
    try:
        return await forms.fields(request, most=LARGEST_FORM)
    except RequestRefused:
        return {}
