"""Basic and digest logins, and tokens: set in the configuration, or found out from a camera's 401 and remembered.

A login in the query of the URL is not this module's: `app.cameras.still` and `app.cameras.foscam` write it there.
"""

from __future__ import annotations

import base64
from typing import Literal

from app.cameras.address import CameraTarget
from app.cameras.http.answer import CameraAnswer, login_refused
from app.cameras.http.challenges import challenges_in
from app.cameras.http.connection import Attempt
from app.cameras.http.digest import Digest
from app.cameras.http.download import Authorize, Downloader


class Login:
    """The kind of login that one camera wants. State of its session, like the connection kept alive."""

    def __init__(self, kind: Literal["auto", "none", "basic", "digest", "bearer"]) -> None:
        self._kind = kind
        self._known: tuple[CameraTarget, Authorize] | None = None
        """The target of the last login, and the login that was accepted."""

    def ask(self, downloader: Downloader, url: str, attempt: Attempt, *, soap: bytes = b"") -> CameraAnswer:
        """GET with the login this camera wants, or POST of what is given; at most two requests within the one attempt.

        Raises `CameraRejected` (`login_refused`) for a challenge that cannot be answered; a login that was
        refused comes back as an answer of status 401.
        """
        target = attempt.target
        authorize = self._expected(target)
        answer = downloader.ask(url, attempt, authorize=authorize, soap=soap)
        if answer.status != 401 or self._kind in ("none", "bearer"):
            return answer
        # Forgotten until it is accepted again: each wrong login counts towards the camera locking us out.
        self._known = None
        if isinstance(authorize, Basic):
            return answer
        authorize = self._answer_to(answer.challenges, target)
        answer = downloader.ask(url, attempt, authorize=authorize, soap=soap)
        if answer.status != 401:
            self._known = (target, authorize)
        return answer

    def _expected(self, target: CameraTarget) -> Authorize | None:
        """The login to send with the first request."""
        if self._known is not None and self._known[0] == target:
            return self._known[1]
        if self._kind == "basic" and target.username:
            return Basic(target)
        if self._kind == "bearer" and target.password:
            return Bearer(target)
        return None

    def _answer_to(self, challenges: tuple[str, ...], target: CameraTarget) -> Authorize:
        if not target.username:
            raise login_refused(target.shown, "it asks for one, and none is configured")
        offered = challenges_in(challenges)
        if self._kind != "basic":
            for challenge in offered:
                if challenge.scheme == "digest":
                    try:
                        return Digest(challenge, username=target.username, password=target.password)
                    except ValueError:
                        continue
        if self._kind != "digest" and any(challenge.scheme == "basic" for challenge in offered):
            return Basic(target)
        wanted = "basic or digest" if self._kind == "auto" else self._kind
        raise login_refused(target.shown, f"it offers no {wanted} login")


class Basic:
    """The password, as good as in clear text (RFC 7617)."""

    def __init__(self, target: CameraTarget) -> None:
        login = f"{target.username}:{target.password}".encode()
        self._header = f"Basic {base64.b64encode(login).decode()}"

    def __call__(self, uri: str, method: str = "GET") -> str:  # noqa: ARG002 - a digest depends on both
        return self._header


class Bearer:
    """The password is a token, as good as in clear text (RFC 6750)."""

    def __init__(self, target: CameraTarget) -> None:
        self._header = f"Bearer {target.password}"

    def __call__(self, uri: str, method: str = "GET") -> str:  # noqa: ARG002 - a digest depends on both
        return self._header
