"""Asks a server on the home's network for what is in a picture: CodeProject.AI, DeepStack, or what speaks as they do.

`POST /v1/vision/detection` (or `/v1/vision/custom/<model>`) takes a form with the `image`, and answers with JSON:
`success`, and `predictions` or an `error`. CodeProject.AI answers failures with HTTP 200, DeepStack with a status.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field
from urllib3.filepost import encode_multipart_formdata

from app.detectors import DetectorContext, DetectorError, DetectorRejected, DetectorSettings, DetectorUnavailable
from app.detectors.labels import detection_of
from app.media.picture import BadPicture, Picture, describe
from app.media.thumbnail import preview
from app.messages import Box, Detection, Label
from pylib.net.http_client import Answer, HttpClient, Reason, Unanswered
from pylib.settings.credentials import Secret
from pylib.settings.fields import ServerUrl
from pylib.text import one_line

MAX_SIDE = 1920
"""Pixels of the longest side of what is sent: these servers scale it to 640, or to 1,280, themselves."""
MAX_ANSWER = 1_000_000
"""Bytes."""
MAX_PREDICTIONS = 500
LONGEST_NAME = 60
LONGEST_REASON = 120

CODES = {
    "no_server": ("No address of the detection server is set.", "set DETECTOR_URL, such as http://192.168.1.20:32168"),
    "unreachable": (
        "The detector could not be reached.",
        "is the server on? correct DETECTOR_URL: CodeProject.AI listens on port 32168, DeepStack on 80 or 5000",
    ),
    "timeout": ("The detector did not answer in time.", "choose a smaller model there, or raise DETECTOR_TIMEOUT"),
    "tls": ("No secure connection to the detector came about.", "look at its certificate, or use http at home"),
    "wrong_server": (
        "What answers at the address is no detection server.",
        "correct DETECTOR_URL: host and port of CodeProject.AI or DeepStack, without a path",
    ),
    "no_module": (
        "The server has no object detection that runs.",
        "CodeProject.AI: install or start an Object Detection module; DeepStack: start it with VISION-DETECTION=True",
    ),
    "no_custom_model": (
        "The detection server does not have this model.",
        "correct DETECTOR_CUSTOM_MODEL, or put the model there",
    ),
    "login_refused": ("The server did not accept the key.", "correct DETECTOR_API_KEY"),
    "invalid_image": (
        "The detector could not read the picture.",
        "choose another picture size or format in the camera",
    ),
    "unavailable": ("The detector was not available.", "look at the server's own log; restart it"),
    "refused": ("The detector refused to look at this picture.", "look at the reason"),
}
"""Code -> what happened, and what to do about it."""

_UNANSWERED: Mapping[Reason, tuple[str, str]] = {
    "unreachable": ("unreachable", "No connection to {server}."),
    "timeout": ("timeout", "{server} did not answer within {timeout:g} s."),
    "tls": ("tls", "No trusted connection to {server}: check its certificate."),
    "cut": ("unavailable", "{server} ended the connection without a whole answer."),
    "too_large": ("wrong_server", "{server} answers with more than a detection server does."),
}


class CodeProjectSettings(DetectorSettings):
    """CodeProject.AI, DeepStack, and servers with their HTTP interface."""

    kind: Literal["codeproject", "deepstack"] = "codeproject"
    url: ServerUrl = Field(
        default="", description="Where the server is, such as `http://192.168.1.20:32168`; without a path."
    )
    custom_model: str = Field(
        default="",
        max_length=100,
        pattern=r"^[\w.-]*$",
        description="A custom model of that server by its name, such as `ipcam-combined`; its usual one unless set.",
    )
    api_key: Secret = Field(default=Secret(""), description="DeepStack's key; empty for none.")
    timeout: float = Field(default=10.0, gt=0, le=120, description="Seconds that one answer may take.")
    concurrency: int = Field(default=2, ge=1, le=32, description="Calls at once.")


class CodeProject:
    """Labels with boxes, as the server's model names them."""

    name = "codeproject"
    title = "CodeProject.AI or DeepStack"
    environment: ClassVar[tuple[str, ...]] = ("DETECTOR_URL",)
    cost_usd = 0.0
    Settings = CodeProjectSettings

    def __init__(self, settings: CodeProjectSettings, _: DetectorContext = DetectorContext()) -> None:  # noqa: B008 - frozen
        """Connects to nothing. Raises `DetectorRejected` without an address."""
        if not settings.url:
            raise DetectorRejected("no_server", "No address is set: DETECTOR_URL names the server.")
        self.name = settings.kind
        self.concurrency = settings.concurrency
        self._settings = settings
        path = f"custom/{settings.custom_model}" if settings.custom_model else "detection"
        self._url = f"{settings.url}/v1/vision/{path}"
        self._client = HttpClient(timeout=settings.timeout, most_bytes=MAX_ANSWER, connections=settings.concurrency)

    def detect(self, picture: bytes) -> Detection:
        """What the server's model sees; boxes are relative to the picture as seen upright.

        Raises `DetectorUnavailable` or `DetectorRejected`, within `timeout`.
        """
        try:
            sent = preview(picture, side=MAX_SIDE)
        except BadPicture as bad:
            raise DetectorRejected(bad.code, bad.detail) from None
        size = describe(sent)
        answer = self._answered(self._ask(sent))
        try:
            return detection_of(_labels(answer["predictions"], size, self._settings.minimum_confidence))
        except (KeyError, TypeError, ValueError, OverflowError):
            raise self._wrong_server() from None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, picture: bytes) -> Answer:
        settings = self._settings
        fields: dict[str, Any] = {
            "image": ("picture.jpg", picture, "image/jpeg"),
            "min_confidence": f"{settings.minimum_confidence:g}",
        }
        if key := settings.api_key.get_secret_value():
            fields["api_key"] = key
        body, kind = encode_multipart_formdata(fields)
        try:
            return self._client.send("POST", self._url, body=body, headers={"Content-Type": kind})
        except Unanswered as failure:
            code, sentence = _UNANSWERED[failure.reason]
            raise DetectorUnavailable(code, sentence.format(server=settings.url, timeout=settings.timeout)) from None

    def _answered(self, answer: Answer) -> Mapping[str, Any]:
        """The answer of a call that went well."""
        try:
            said = json.loads(answer.body)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or not isinstance(said.get("success"), bool):
            if answer.status == 404 and self._settings.custom_model:  # DeepStack has a path for each model
                raise self._no_model()
            raise self._wrong_server()
        if said["success"]:
            return said
        raise self._failure(said, answer.status)

    def _failure(self, said: Mapping[str, Any], status: int) -> DetectorError:
        server, reason = self._settings.url, self._reason(said.get("error"))
        words = reason.lower()
        if status in (401, 403) and "key" in words:
            return DetectorRejected("login_refused", f"{server} does not accept this key.")
        if status == 404 or "not activated" in words or "module" in words:
            return DetectorRejected("no_module", f"{server} has no object detection that runs ({reason}).")
        if self._settings.custom_model and "model" in words:
            return self._no_model()
        if "image" in words:
            return DetectorRejected("invalid_image", f"{server} cannot read the picture ({reason}).")
        if status >= 500 or status == 200:
            return DetectorUnavailable("unavailable", f"{server} failed ({reason}).")
        return DetectorRejected("refused", f"{server} refuses the call ({reason}).")

    def _reason(self, error: object) -> str:
        """The server's own words, should it repeat the key without that."""
        reason = one_line(error, longest=LONGEST_REASON) if isinstance(error, str) else ""
        key = self._settings.api_key.get_secret_value()
        return (reason.replace(key, "***") if key else reason) or "no reason given"

    def _no_model(self) -> DetectorRejected:
        settings = self._settings
        return DetectorRejected("no_custom_model", f"{settings.url} has no model {settings.custom_model!r}.")

    def _wrong_server(self) -> DetectorUnavailable:
        return DetectorUnavailable("wrong_server", f"What answers at {self._settings.url} is no detection server.")


def _labels(predictions: Any, size: Picture, minimum: float) -> Iterator[Label]:
    """One label for each name, with all its boxes, the surest first. Raises for what is no list of predictions."""
    found: dict[str, list[tuple[float, Box]]] = {}
    for each in (predictions or [])[:MAX_PREDICTIONS]:
        name, confidence = one_line(str(each["label"]), longest=LONGEST_NAME), min(1.0, _number(each["confidence"]))
        corners = [_number(each[corner]) for corner in ("x_min", "y_min", "x_max", "y_max")]
        if name and confidence >= minimum:
            found.setdefault(name, []).append((confidence, _box(corners, size)))
    for name, seen in found.items():
        seen.sort(key=lambda one: -one[0])
        yield Label(name, round(seen[0][0], 4), tuple(box for _, box in seen))


def _box(corners: Sequence[float], size: Picture) -> Box:
    """Of pixels, cut to the picture."""
    x1, y1, x2, y2 = corners
    (left, right), (top, bottom) = (
        sorted(min(1.0, max(0.0, side / of)) for side in sides)
        for sides, of in (((x1, x2), size.width), ((y1, y2), size.height))
    )
    return Box(round(left, 4), round(top, 4), round(right - left, 4), round(bottom - top, 4))


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number
