"""A double of Amazon Rekognition's DetectLabels that checks what it is sent, as a server on loopback.

`python -m tests.simulators.rekognition --port 0 --delay 0.25` prints its port, then serves until it is ended.
It speaks AWS JSON 1.1 (a POST with `X-Amz-Target: RekognitionService.DetectLabels`) and takes any well-formed
signature without computing it.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
import contextlib
import hashlib
import io
import json
import re
import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from PIL import Image

MAX_BYTES = 5 * 1024 * 1024
MIN_SIDE, MAX_SIDE = 80, 10_000
"""Pixels; both limits from the Rekognition developer guide, "Guidelines and quotas"."""

_SIGNATURE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/,\s]+/\d{8}/[a-z0-9-]+/rekognition/aws4_request, "
    r"SignedHeaders=[a-z0-9;-]+, Signature=[0-9a-f]{64}"
)

Answer = Sequence[Mapping[str, Any]]
"""Labels as the API gives them: `Name`, `Confidence` (0..100), `Instances`, `Parents`."""


def label(name: str, confidence: float, *boxes: tuple[float, float, float, float]) -> dict[str, Any]:
    """One label; each box is left, top, width, height as fractions of the picture."""
    keys = ("Left", "Top", "Width", "Height")
    instances = [
        {"BoundingBox": dict(zip(keys, box, strict=True)), "Confidence": confidence - number}
        for number, box in enumerate(boxes)
    ]
    return {"Name": name, "Confidence": confidence, "Instances": instances, "Parents": [], "Categories": []}


DEFAULT_ANSWER: Answer = (
    label("Person", 98.5, (0.31, 0.22, 0.14, 0.66), (0.62, 0.35, 0.1, 0.5)),
    label("Dog", 95.2, (0.1, 0.62, 0.22, 0.25)),
    label("Car", 91.0, (0.7, 0.5, 0.28, 0.3)),
    label("Outdoors", 90.1),
    label("House", 88.7),
    label("Path", 81.3),
    label("Tree", 77.9),
    label("Clothing", 72.4),
    label("Grass", 66.6),
)
"""Two persons and nine things."""


class Refusal(Exception):
    """An answer that is an error: HTTP status, the error's type and its message."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(status, kind, message)
        self.status = status
        self.kind = kind
        self.message = message


FAULTS: Mapping[str, Refusal] = {
    "throttle": Refusal(400, "ThrottlingException", "Rate exceeded"),
    "throughput": Refusal(
        400,
        "ProvisionedThroughputExceededException",
        "The number of requests exceeded your throughput limit.",
    ),
    "internal": Refusal(500, "InternalServerError", "Internal server error"),
    "unavailable": Refusal(503, "ServiceUnavailableException", "Service unavailable"),
    "access_denied": Refusal(
        400,
        "AccessDeniedException",
        "User: arn:aws:iam::123456789012:user/snapshots is not authorized to perform: rekognition:DetectLabels",
    ),
    "bad_key": Refusal(400, "UnrecognizedClientException", "The security token included in the request is invalid."),
    "expired": Refusal(400, "ExpiredTokenException", "The security token included in the request is expired"),
    "clock": Refusal(400, "InvalidSignatureException", "Signature expired: 20200101T000000Z is now earlier than ..."),
    "too_large": Refusal(400, "ImageTooLargeException", "The input image size exceeds the allowed limit."),
}
"""Faults by name. Two more are no answers: `hang` says nothing, `drop` closes the connection."""


@dataclass
class Call:
    """One DetectLabels call that passed the checks."""

    picture: bytes
    format: str
    width: int
    height: int
    parameters: Mapping[str, Any]


@dataclass
class Rekognition:
    """The double; a context manager that serves from a thread of its own."""

    delay: float = 0.0
    """Seconds each answer takes, faults included."""
    default: Answer = DEFAULT_ANSWER
    answers: dict[str, Answer] = field(default_factory=dict)
    """What is seen in a picture, by the SHA-256 of its bytes in hex; others get `default`."""
    faults: deque[str] = field(default_factory=deque)
    """What happens to the next requests, one each: names of `FAULTS`, `hang` or `drop`."""
    keep_calls: bool = True
    calls: list[Call] = field(default_factory=list)
    requests: int = 0
    """Requests of any kind, refused ones too."""
    busiest: int = 0
    """The most requests that were being answered at once."""
    port: int = 0
    _now: int = 0
    _stop: Callable[[], object] = lambda: None
    _thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Rekognition:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve(lambda _: ready.set())), daemon=True)
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the Rekognition double did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        if self._thread is not None:
            self._thread.join(10)

    async def serve(self, started: Callable[[int], object]) -> None:
        """Serve until stopped; `started` is told the port."""
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(stopped.set)
        server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, limit=1 << 20, backlog=256)
        self.port = server.sockets[0].getsockname()[1]
        started(self.port)
        await stopped.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while await self._exchange(reader, writer):
                pass
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        if headers.get("expect") == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests += 1
        self._now += 1
        self.busiest = max(self.busiest, self._now)
        try:
            fault = self.faults.popleft() if self.faults else ""
            if fault == "hang":
                await asyncio.sleep(3600)
            await asyncio.sleep(self.delay)
            if fault == "drop":
                return False
            status, answer = self._answer(head[0], headers, body, fault)
        finally:
            self._now -= 1
        payload = json.dumps(answer).encode()
        writer.write(
            f"HTTP/1.1 {status} -\r\nx-amzn-requestid: {uuid.uuid4()}\r\ncontent-type: application/x-amz-json-1.1\r\n"
            f"content-length: {len(payload)}\r\n\r\n".encode()
            + payload
        )
        await writer.drain()
        return True

    def _answer(self, request: str, headers: Mapping[str, str], body: bytes, fault: str) -> tuple[int, object]:
        try:
            if fault:
                raise FAULTS[fault]
            check_protocol(request, headers)
            call = check_call(body)
        except Refusal as refusal:
            return refusal.status, {"__type": refusal.kind, "message": refusal.message}
        if self.keep_calls:
            self.calls.append(call)
        labels = self.answers.get(hashlib.sha256(call.picture).hexdigest(), self.default)
        least = call.parameters.get("MinConfidence", 55)
        chosen = [label for label in labels if label["Confidence"] >= least]
        return 200, {"Labels": chosen[: call.parameters.get("MaxLabels", 1000)], "LabelModelVersion": "3.0"}


def check_protocol(request: str, headers: Mapping[str, str]) -> None:
    """Refuse what is not a signed DetectLabels call."""
    if not request.startswith("POST / "):
        raise Refusal(404, "UnknownOperationException", "")
    if not headers.get("content-type", "").startswith("application/x-amz-json-1.1"):
        raise Refusal(400, "SerializationException", "Content-Type has to be application/x-amz-json-1.1")
    if headers.get("x-amz-target") != "RekognitionService.DetectLabels":
        raise Refusal(400, "UnknownOperationException", "")
    if "authorization" not in headers:
        raise Refusal(400, "MissingAuthenticationTokenException", "Missing Authentication Token")
    if not _SIGNATURE.fullmatch(headers["authorization"]) or "x-amz-date" not in headers:
        raise Refusal(400, "IncompleteSignatureException", "The signature is not well-formed.")


def check_call(body: bytes) -> Call:
    """The call in a request's body; refuses what the service would refuse."""
    try:
        parameters = json.loads(body)
        picture = base64.b64decode(parameters["Image"]["Bytes"], validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise Refusal(400, "SerializationException", "The body is not a DetectLabels request") from None
    if (
        not 0 <= _number(parameters, "MaxLabels", 1000) <= 1000
        or not 0 <= _number(parameters, "MinConfidence", 55) <= 100
    ):
        raise Refusal(400, "InvalidParameterException", "Request has invalid parameters")
    if not 1 <= len(picture) <= MAX_BYTES:
        raise Refusal(400, "ImageTooLargeException", "The input image size exceeds the allowed limit.")
    return _seen(picture, parameters)


def _seen(picture: bytes, parameters: Mapping[str, Any]) -> Call:
    try:
        image = Image.open(io.BytesIO(picture), formats=("JPEG", "PNG"))
    except Exception:
        raise Refusal(400, "InvalidImageFormatException", "Request has invalid image format") from None
    if min(image.size) < MIN_SIDE or max(image.size) > MAX_SIDE:
        raise Refusal(400, "InvalidParameterException", "Request has invalid parameters")
    rest = {name: value for name, value in parameters.items() if name != "Image"}
    return Call(picture, str(image.format), *image.size, parameters=rest)


def _number(parameters: Mapping[str, Any], name: str, default: float) -> float:
    value = parameters.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refusal(400, "SerializationException", f"{name} is no number")
    return value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose")
    parser.add_argument("--delay", type=float, default=0.25, help="seconds each answer takes")
    options = parser.parse_args()
    double = Rekognition(delay=options.delay, port=options.port, keep_calls=False)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(double.serve(lambda port: print(port, flush=True)))


if __name__ == "__main__":
    main()
