"""What people are told: why there is no picture or nothing seen in it, how a camera is doing, sizes and times."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from app.journal.entries import Entry
from pylib.runtime.circuit_breaker import State

DETECTORS = {"hog": "HOG (on this machine)", "rekognition": "Amazon Rekognition", "onnx": "ONNX (on this machine)"}
ORIGINS = {
    "rabbitmq": "a sensor, over RabbitMQ",
    "http": "somebody, in the album or over HTTP",
    "schedule": "the schedule",
    "ftp": "the camera itself, by FTP",
    "mail": "the camera itself, by mail",
    "folder": "a file in the upload folder",
}

NO_PICTURE = {
    "timeout": "The camera did not answer in time.",
    "refused": "The camera refused the connection: it may be off, or another port is meant.",
    "unreachable": "The camera could not be reached.",
    "unresolvable": "The camera's name is not known in the network.",
    "disconnected": "The camera hung up without an answer.",
    "network": "The connection to the camera failed.",
    "truncated": "The picture broke off half way.",
    "empty": "The camera sent nothing.",
    "not_a_picture": "What the camera sent is not a picture.",
    "not_an_image": "What was sent is not a picture.",
    "undecodable": "The picture is damaged.",
    "pixel_bomb": "The picture is larger than the limit allows.",
    "too_large": "The picture is larger than the limit allows.",
    "unsupported_format": "The picture has a format that is not supported.",
    "login_refused": "The camera did not accept user name and password.",
    "access_denied": "The camera's account may not take pictures.",
    "certificate_refused": "The camera's certificate is not trusted.",
    "tls_failed": "No secure connection to the camera came about.",
    "wrong_address": "There is no picture at the configured address of the camera.",
    "wrong_command": "The camera does not know the configured command.",
    "not_http": "Something answered that is no web camera: the port may be wrong.",
    "camera_error": "The camera could not take a picture at that moment.",
    "unexpected_status": "The camera answered with something unexpected.",
    "circuit_open": "The camera had failed several times and was left alone for a while.",
    "stale": "The trigger was too old when its turn came: a picture would have shown another moment.",
    "overloaded": "Too many triggers were waiting for this camera.",
    "unknown_camera": "No camera of this name is configured.",
    "internal_error": "Something in the service itself went wrong. The log says more.",
}
"""By the code of a snapshot's problem."""

NOT_LOOKED_AT = {
    "detector_away": "The detector had failed several times and was left alone for a while.",
    "timeout": "The detector did not answer in time.",
    "unreachable": "The detector could not be reached.",
    "unavailable": "The detector was not available.",
    "throttled": "The detector had too much to do.",
    "tls": "No secure connection to the detector came about.",
    "no_credentials": "The detector's credentials are missing or wrong.",
    "refused": "The detector refused to look at this picture.",
    "invalid_region": "The detector's region is not valid.",
    "bad_answer": "Something answered that is not the detector.",
    "too_large": "The picture is too large for the detector.",
    "too_narrow": "The picture is too narrow for the detector.",
    "undecodable": "The detector could not read the picture.",
    "picture_gone": "The picture's file was gone before anybody looked.",
    "internal_error": "The detector itself went wrong. The log says more.",
}
"""By the code of an inspection's problem where there is a picture."""


class Explanation(NamedTuple):
    """Why something is not there, for people, and in the words of whoever failed."""

    title: str
    sentence: str
    detail: str = ""
    alarming: bool = True


def explain(entry: Entry) -> Explanation | None:
    """Why an entry has no picture or no detection; None when it has both."""
    inspection, snapshot = entry.inspection, entry.inspection.snapshot
    if snapshot.problem:
        return _explanation("No picture", NO_PICTURE, snapshot.problem)
    if inspection.problem:
        return _explanation("Not looked at", NOT_LOOKED_AT, inspection.problem)
    if not snapshot.path:
        return Explanation("Picture no longer here", _kept(entry.archived_in), alarming=False)
    if not inspection.detector:
        sentence = "No detector is configured, so nobody looked at this picture."
        return Explanation("Not looked at", sentence, alarming=False)
    if not inspection.detection.labels:
        return Explanation("Nothing seen", f"{detector(inspection.detector)} looked and found nothing.", alarming=False)
    return None


def detector(kind: str) -> str:
    return DETECTORS.get(kind, kind)


def circuit(state: State, retry_in: float) -> str:
    """How a camera is treated."""
    if state is State.OPEN:
        return f"left alone for {duration(retry_in)} after failing"
    return "on trial after failing" if state is State.HALF_OPEN else "working"


def duration(seconds: float) -> str:
    """`0.4 s`, `23 s`, `4 min`, `3 h`, `2 days`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    for unit, length, limit in (("s", 1, 100), ("min", 60, 90), ("h", 3600, 48)):
        if seconds < limit * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"


def size(count: int) -> str:
    """`312 kB`, `4.2 MB`."""
    return f"{count / 1e6:.1f} MB" if count >= 1_000_000 else f"{max(count, 1000) / 1000:.0f} kB" if count else ""


def day(moment: date, today: date) -> str:
    """`Today`, `Yesterday`, `Saturday, 21 November`, with the year where it is another one."""
    if moment == today:
        return "Today"
    if moment == today - timedelta(days=1):
        return "Yesterday"
    return f"{moment:%A}, {moment.day} {moment:%B}" + (f" {moment.year}" if moment.year != today.year else "")


def counted(number: int, one: str, many: str) -> str:
    """`1 person`, `2 people`."""
    return f"{number} {one if number == 1 else many}"


def _explanation(title: str, sentences: dict[str, str], problem: str) -> Explanation:
    code, _, detail = problem.partition(":")
    return Explanation(title, sentences.get(code, "Something went wrong."), detail.strip() or code)


def _kept(archives: tuple[str, ...]) -> str:
    if not archives:
        return "It was removed to make room, or by hand."
    return f"It was removed here to make room. It is kept in {' and '.join(map(archive, archives))}."


def archive(name: str) -> str:
    """What people call an archive."""
    return {"google_drive": "Google Drive", "s3": "S3", "folder": "the archive folder"}.get(name, name)
