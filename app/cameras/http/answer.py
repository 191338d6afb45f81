"""A camera's HTTP response, and whether it is a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.cameras import CameraError, CameraRejected, CameraUnavailable
from app.media.formats import GIF_START, format_of


@dataclass(frozen=True, slots=True)
class CameraAnswer:
    """One HTTP response, read within limits."""

    status: int
    headers: Mapping[str, str]
    """Looked up without regard to case."""
    challenges: tuple[str, ...]
    """The WWW-Authenticate headers."""
    body: bytes
    """Empty unless the status is 200 or it answers SOAP; ends with the picture, if that is whole."""
    is_whole: bool = False
    """Whether the picture in the body came to its end."""


def picture(answer: CameraAnswer, shown: str) -> bytes:
    """The picture in an answer; `shown` names the camera. Raises `CameraUnavailable` or `CameraRejected`.

    Only its container is looked at: the pipeline decodes it.
    """
    if answer.status != 200:
        raise _refusal(answer, shown)
    if not answer.body:
        raise CameraUnavailable("empty", f"{shown} answered with nothing in it")
    kind = format_of(answer.body[:16])
    if not kind and not answer.body.startswith(GIF_START):  # which the pipeline refuses by its name
        raise CameraUnavailable("not_a_picture", f"{shown} answered with {_kind(answer.body)}, not a picture")
    # Over HTTP, a body of unannounced length that was cut off looks complete.
    if "Content-Length" not in answer.headers and kind and not answer.is_whole:
        raise CameraUnavailable("truncated", f"{shown} broke off in the middle of its picture")
    return answer.body


def login_refused(shown: str, why: str) -> CameraRejected:
    """The error for every way in which a camera refuses a login."""
    return CameraRejected("login_refused", f"{shown} refuses the login: {why}")


def _refusal(answer: CameraAnswer, shown: str) -> CameraError:
    status = answer.status
    if status in (401, 403):
        return login_refused(shown, f"status {status}")
    if status == 404:
        return CameraRejected("wrong_address", f"{shown} has nothing at the configured path (status 404)")
    if 300 <= status < 400:
        secure = answer.headers.get("Location", "").startswith("https:")
        where = "to https, so configure that" if secure else "elsewhere, which is not followed"
        return CameraRejected("wrong_address", f"{shown} redirects {where} (status {status})")
    if status == 429 or status >= 500:
        return CameraUnavailable("camera_error", f"{shown} cannot answer now (status {status})")
    return CameraUnavailable("unexpected_status", f"{shown} answered with status {status}")


def _kind(body: bytes) -> str:
    start = body[:512].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if start.startswith((b"<", b"{", b"[")):
        return "a message (XML or JSON)"
    return "something else"
