"""The pages of people: the users with their rights, and one's own password."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.web import audit, forms
from app.web.access import hashing
from app.web.access.caller import Right, caller_of
from app.web.access.login import set_session
from app.web.access.users import User, Users
from app.web.album.languages import tr
from app.web.album.rendering import Rendering
from app.web.album.texts import sentence
from app.web.album.view import Moment, Viewer, camera_labels
from app.web.context import WebContext
from app.web.errors import BadRequest, Conflict, RequestRefused
from pylib.errors import Permanent
from pylib.sqlite import DatabaseUnusable

T = TypeVar("T")

RIGHTS = {"viewer": "Viewer: may look", "operator": "Operator: also takes, stars, notes, reviews", "admin": "Admin"}
"""Rights in words, for forms."""


class UserRow(NamedTuple):
    """A user as the page shows it."""

    name: str
    right: str
    cameras: Sequence[str]
    """Device keys."""
    places: Sequence[str]
    """The same, as people call them."""
    choices: Mapping[str, str]
    """All that there are by device key, and those of this user that are gone."""
    since: Moment
    is_reader: bool


class PeoplePages:
    """The handlers of the pages of people."""

    def __init__(self, context: WebContext, rendering: Rendering, view: Viewer) -> None:
        self._context = context
        self._rendering = rendering
        self._view = view

    def routes(self) -> list[Route]:
        return [
            Route("/account", self.account),
            Route("/account/password", self.own_password, methods=["POST"]),
            Route("/account/everywhere", self.everywhere, methods=["POST"]),
            Route("/users", self.users),
            Route("/users", self.add, methods=["POST"]),
            Route("/users/{name}", self.change, methods=["POST"]),
            Route("/users/{name}/password", self.password, methods=["POST"]),
            Route("/users/{name}/delete", self.delete, methods=["POST"]),
        ]

    # -- oneself --------------------------------------------------------------------------------------

    async def account(self, request: Request) -> Response:
        """Who one is, one's own password, and the way to the other pages of people."""
        return self._account(request)

    async def own_password(self, request: Request) -> Response:
        """Change one's own password, which has to be shown once more; all other sessions are over."""
        caller, form = caller_of(request), await forms.fields(request)
        client = self._context.access.client(request)
        if self._user(request) is None:
            raise Conflict("no_user", "you are no user: the password of the album is changed where it is set")
        known = await self._context.access.log_in(caller.name, form.get("old", ""), client)
        if known is None or known.name != caller.name:
            return self._account(request, problem=tr("This is not your password."), status=403)
        try:
            new = _twice(form)
            await _done(lambda: self._users.set_password(caller.name, new))
        except RequestRefused as error:
            return self._account(request, problem=sentence(tr(error.detail)), status=error.status)
        audit.say(request, "own", subject=caller.name)
        return self._logged_in_anew(request, "/account?changed=1")

    async def everywhere(self, request: Request) -> Response:
        """Log out everywhere else."""
        caller = caller_of(request)
        if self._user(request) is None:
            raise Conflict("no_user", "you are no user: change the password of the album to end its sessions")
        await _done(lambda: self._users.end_sessions(caller.name))
        audit.say(request, "", subject=caller.name)
        return self._logged_in_anew(request, "/account?ended=1")

    def _logged_in_anew(self, request: Request, path: str) -> Response:
        answer = RedirectResponse(self._context.site.path(path), 303)
        if caller_of(request).method == "session":
            set_session(answer, request, self._context.access, caller_of(request))
        return answer

    def _account(self, request: Request, *, problem: str = "", status: int = 200) -> Response:
        user = self._user(request)
        caller = caller_of(request)
        context = {
            "user": user,
            "right": caller.right.word,
            "places": list(self._labels(sorted(caller.cameras)).values()),
            "is_open": self._context.access.is_open,
            "rule": tr(hashing.RULE),
            "problem": problem,
            "said": _said(request),
        }
        return self._rendering.page(request, "account.html", context, status_code=status)

    def _user(self, request: Request) -> User | None:
        """The user who asks; None for the password of the album, a token, and this machine."""
        caller = caller_of(request)
        has_name = caller.name and caller.method in ("session", "proxy", "password")
        return self._users.find(caller.name) if has_name else None

    # -- all of them ----------------------------------------------------------------------------------

    async def users(self, request: Request) -> Response:
        return await run_in_threadpool(self._page, request)

    async def add(self, request: Request) -> Response:
        form = await forms.lists(request)
        name = _first(form, "name")

        def add() -> User:
            right, cameras = self._wanted(form)
            new = _twice({key: values[-1] for key, values in form.items()})
            added = self._users.add(name, new, right, cameras)
            audit.say(request, added.summary, subject=added.name)
            return added

        return await self._changed(request, add, "added", form)

    async def change(self, request: Request) -> Response:
        """Another right, other cameras."""
        form = await forms.lists(request)
        name = request.path_params["name"]

        def change() -> User:
            user = self._users.find(name)
            right, cameras = self._wanted(form, had=user.cameras if user else ())
            changed = self._users.change(name, right=right, cameras=cameras)
            audit.say(request, changed.summary)
            return changed

        return await self._changed(request, change, "changed", {})

    async def password(self, request: Request) -> Response:
        """Give a user another password, whose sessions are over."""
        form, name = await forms.fields(request), request.path_params["name"]
        return await self._changed(request, lambda: self._users.set_password(name, _twice(form)), "password", {})

    async def delete(self, request: Request) -> Response:
        """Delete a user, who is out at once."""
        name = request.path_params["name"]
        return await self._changed(request, lambda: self._users.remove(name), "deleted", {})

    async def _changed(
        self, request: Request, change: Callable[[], User], said: str, form: Mapping[str, list[str]]
    ) -> Response:
        try:
            await _done(change)
        except RequestRefused as error:
            problem, status = sentence(tr(error.detail)), error.status
            return await run_in_threadpool(lambda: self._page(request, problem=problem, form=form, status_code=status))
        return RedirectResponse(self._context.site.path(f"/users?{said}=1"), 303)

    def _page(
        self,
        request: Request,
        *,
        problem: str = "",
        form: Mapping[str, list[str]] | None = None,
        status_code: int = 200,
    ) -> Response:
        reader, cameras = caller_of(request), self._labels(self._context.cameras)
        rows = [
            UserRow(
                user.name,
                user.right.word,
                user.cameras,
                list((own := self._labels(user.cameras)).values()),
                {**cameras, **own},
                self._view.moment(datetime.fromisoformat(user.made_at)),
                user.name == reader.name,
            )
            for user in self._users.all()
        ]
        context = {
            "users": rows,
            "rights": {word: tr(text) for word, text in RIGHTS.items()},
            "cameras": cameras,
            "is_open": self._context.access.is_open,
            "rule": tr(hashing.RULE),
            "problem": problem,
            "given": form or {},
            "said": _said(request),
        }
        return self._rendering.page(request, "users.html", context, status_code=status_code)

    def _labels(self, keys: Iterable[str]) -> dict[str, str]:
        return camera_labels(self._context.cameras, keys, self._context.index.camera_label)

    def _wanted(self, form: Mapping[str, list[str]], *, had: Collection[str] = ()) -> tuple[Right, list[str]]:
        """The right and the cameras of a form; `had`: those that it may name though they are gone.

        Raises `BadRequest` where it is not plain which cameras are meant: nobody sees all of them by mistake.
        """
        try:
            right = Right.of(_first(form, "right"))
        except ValueError as error:
            raise BadRequest("bad_field", str(error)) from None
        if right is Right.ADMIN:
            return right, []
        cameras = [self._camera(name, had) for name in form.get("camera", ())]
        if bool(cameras) == bool(_first(form, "all_cameras")):
            raise BadRequest("bad_field", "choose all cameras, or some of them")
        return right, cameras

    def _camera(self, name: str, had: Collection[str]) -> str:
        key = name if name in had else self._context.camera(name)
        if key is None:
            raise BadRequest("bad_field", tr("there is no camera {name}: choose again", name=repr(name[:60])))
        return key

    @property
    def _users(self) -> Users:
        return self._context.access.users


async def _done(change: Callable[[], T]) -> T:
    """Make a change of the users in another thread. Raises `Conflict` with what is wrong with it."""

    def changed() -> T:
        try:
            return change()
        except (RequestRefused, DatabaseUnusable):
            raise
        except Permanent as error:
            raise Conflict(error.code, error.detail) from None

    return await run_in_threadpool(changed)


def _twice(form: Mapping[str, str]) -> str:
    """The new password of a form, which has it twice."""
    new = form.get("new", "")
    if new != form.get("again", ""):
        raise BadRequest("password_twice", "the two new passwords differ")
    return new


def _first(form: Mapping[str, list[str]], name: str) -> str:
    return form.get(name, [""])[-1]


def _said(request: Request) -> str:
    """What the page before this one did; empty for nothing."""
    done = ("added", "changed", "password", "deleted", "ended")
    return next((name for name in done if name in request.query_params), "")
