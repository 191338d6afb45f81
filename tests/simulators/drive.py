"""A double of the Google Drive v2 API and of Google's sign-in, as a server on loopback.

It checks each request against the API's description, and answers wrongly on demand. `python -m
tests.simulators.drive --port 0 --delay 0.3` prints its port, then serves until it is ended.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.simulators.drive_description import Asked, Violation, check_body, recognise, select, selection
from tests.simulators.drive_files import DriveFiles, Refused
from tests.simulators.drive_sign_in import SignIns


@dataclass
class Fault:
    """What goes wrong with the next `times` calls of a method (all methods when empty)."""

    kind: str
    """Refused: `403`, `429` (too many calls), `500`, `html` (a proxy's 502), `quota`, `forbidden`.

    Not answered: `cut` (the connection ends), `hang`, `drip` (a byte now and then), `half` (half of an upload's bytes
    are taken, and no more), and of what was done `lost` (the connection ends), `held` (the same after a long time),
    `lost500` (an error is answered). `wrong`: other content is kept than was sent.
    """
    method: str = ""
    times: int = 1


@dataclass
class DriveDouble:
    """The account, and what became known of the calls."""

    files: DriveFiles = field(default_factory=DriveFiles)
    delay: float = 0.0
    """Seconds that each call takes."""
    port: int = 0
    sign_ins: SignIns = field(default_factory=SignIns)
    calls: list[str] = field(default_factory=list)
    """Methods in the order of their calls: `drive.files.insert`."""
    violations: list[str] = field(default_factory=list)
    """Requests that the API's description does not allow, and unexpected ones; each got a 400."""
    in_flight: int = 0
    peak: int = 0
    """Most calls at once."""
    held: int = 0
    """Uploads that stand still: half taken, or kept and not answered."""

    def __post_init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._uploads: dict[str, dict[str, Any]] = {}
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def counts(self) -> Counter[str]:
        """How often each method was called."""
        return Counter(self.calls)

    def fail(self, kind: str, method: str = "", *, times: int = 1) -> None:
        """Let a fault happen to the next calls."""
        with self._lock:
            self._faults.append(Fault(kind, method and f"drive.{method}", times))

    def heal(self) -> None:
        """No more faults."""
        with self._lock:
            self._faults.clear()

    def take_fault(self, method: str, *, half: bool = False) -> str:
        """What goes wrong with this call; `half`: before its body was read, which is what that fault is about."""
        with self._lock:
            for fault in self._faults:
                if fault.times > 0 and fault.method in ("", method) and (fault.kind == "half") is half:
                    fault.times -= 1
                    return fault.kind
        return ""

    def hold(self) -> None:
        """Let an upload stand still, at most for 30 s."""
        with self._lock:
            self.held += 1
        self.released.wait(30)

    # -- the API ----------------------------------------------------------------------------------

    def answer(self, asked: Asked, headers: Mapping[str, str], body: bytes, *, wrong: bool) -> dict[str, Any]:
        """Do what a method does. Raises `Refused` or `Violation`."""
        given = asked.parameters
        match asked.method.removeprefix("drive."):
            case "files.insert":
                metadata, content = _parts(asked, headers, body)
                return self.insert(metadata, content, wrong=wrong)
            case "files.patch":
                changes = _json(body, asked.request)
                add, remove = (_ids(given.get(name, "")) for name in ("addParents", "removeParents"))
                if "parents" in changes:
                    raise Violation("parents are changed by addParents and removeParents")
                return dict(self.files.patch(given["fileId"], changes, add=add, remove=remove))
            case "files.get":
                return self.files.get(given["fileId"])
            case "files.trash":
                return self.files.trash(given["fileId"])
            case "files.list":
                size = min(int(given.get("maxResults", 100)), self.files.largest_page)
                token = given.get("pageToken", "")
                return self.files.list(
                    given.get("q", "trashed = false"),
                    order=given.get("orderBy", ""),
                    size=size,
                    page_token=token,
                )
            case "about.get":
                quota = {"quotaBytesTotal": str(self.files.quota), "quotaBytesUsed": str(self.files.used)}
                return {"kind": "drive#about", "name": "Home", "user": {"displayName": "Home"}, **quota}
        raise Violation(f"{asked.method} is not expected")

    def insert(self, metadata: Mapping[str, Any], content: bytes | None, *, wrong: bool) -> dict[str, Any]:
        if wrong and content:
            content = content[:-1] + bytes([content[-1] ^ 1])
        return self.files.insert(metadata, content)

    def begin_upload(self, asked: Asked, headers: Mapping[str, str], body: bytes) -> str:
        """Start a resumable upload, and return its id."""
        if not headers.get("X-Upload-Content-Type") or not headers.get("X-Upload-Content-Length"):
            raise Violation("a resumable upload without X-Upload-Content-Type or -Length")
        upload_id = secrets.token_hex(8)
        size = int(headers["X-Upload-Content-Length"])
        self._uploads[upload_id] = {"metadata": _json(body, asked.request), "size": size, "data": b""}
        return upload_id

    def continue_upload(self, upload_id: str, headers: Mapping[str, str], body: bytes, *, wrong: bool) -> Any:
        """Take a piece; the file once it is whole, else how many bytes there are."""
        upload = self._uploads.get(upload_id)
        if upload is None:
            raise Refused(404, "notFound")
        unit, _, span = headers.get("Content-Range", "").partition(" ")
        place, _, total = span.partition("/")
        if unit != "bytes" or int(total) != upload["size"]:
            raise Violation(f"Content-Range: {headers.get('Content-Range')}")
        if not place.startswith(f"{len(upload['data'])}-"):
            raise Violation(f"Content-Range: {span} after {len(upload['data'])} bytes")
        upload["data"] += body
        if len(upload["data"]) < upload["size"]:
            return len(upload["data"])
        return self.insert(upload["metadata"], upload["data"], wrong=wrong)


def _ids(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _json(body: Any, schema: str) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        raise Violation("the body is no JSON") from None
    check_body(value, schema)
    return dict(value)


def _parts(asked: Asked, headers: Mapping[str, str], body: bytes) -> tuple[dict[str, Any], bytes | None]:
    if not asked.upload:
        return _json(body, asked.request), None
    head = f"Content-Type: {headers.get('Content-Type')}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + body)
    parts = message.get_payload()
    if message.get_content_type() != "multipart/related" or not isinstance(parts, list) or len(parts) != 2:
        raise Violation("an upload that is not multipart/related of two parts")
    # The parser's text may lose bytes: the content is taken from the body itself.
    raw = body.split(f"--{message.get_boundary()}".encode())[2]
    blank = re.search(rb"(\r?\n)\r?\n", raw)
    if blank is None:
        raise Violation("a part without an end of its headers")
    first = parts[0]
    metadata = _json(first.get_payload(decode=True) if isinstance(first, Message) else b"", asked.request)
    return metadata, raw[blank.end() :].removesuffix(blank[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    double: DriveDouble

    def _serve(self) -> None:
        url = urlsplit(self.path)
        size = int(self.headers.get("Content-Length") or 0)
        if url.path.startswith("/upload/") and self.double.take_fault("drive.files.insert", half=True):
            self.rfile.read(size // 2)
            self.double.hold()
            self._cut()
            return
        body = self.rfile.read(size)
        try:
            if url.path == "/token":
                status, answer = self.double.sign_ins.token({k: v[0] for k, v in parse_qs(body.decode()).items()})
                self._send(status, answer)
            elif url.path == "/auth":
                place = self.double.sign_ins.authorise({k: v[0] for k, v in parse_qs(url.query).items()})
                self._send(302, {}, {"Location": place})
            else:
                with self._counted():
                    self._api(recognise_upload(self.command, url.path, url.query), body)
        except Violation as violation:
            self.double.violations.append(f"{self.command} {url.path}: {violation}")
            self._refuse(400, "invalid")
        except Refused as refused:
            self._refuse(refused.status, refused.reason)

    do_GET = do_POST = do_PATCH = do_PUT = _serve  # noqa: N815 - names given by http.server

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self.double.in_flight += 1
        self.double.peak = max(self.double.peak, self.double.in_flight)
        try:
            yield
        finally:
            self.double.in_flight -= 1

    def _api(self, asked: Asked, body: bytes) -> None:
        double = self.double
        double.calls.append(asked.method)
        if double.delay:
            time.sleep(double.delay)
        if not double.sign_ins.accepts(self.headers.get("Authorization", "")):
            raise Refused(401, "authError")
        fault = double.take_fault(asked.method)
        if self._fails(fault):
            return
        answer = self._done(asked, body, wrong=fault == "wrong")
        if fault == "held":
            self.double.hold()
        if fault in ("lost", "held"):
            self._cut()
        elif fault == "lost500":
            self._refuse(500, "backendError")
        elif answer is not None:
            fields = asked.parameters.get("fields", "")
            wanted = selection(fields, asked.response) if fields else {}
            self._send(200, select(answer, wanted))

    def _fails(self, fault: str) -> bool:
        """Answer as the fault says, and say that nothing is left to do."""
        match fault:
            case "403":
                self._refuse(403, "userRateLimitExceeded")
            case "forbidden":
                self._refuse(403, "insufficientFilePermissions")
            case "quota":
                self._refuse(403, "storageQuotaExceeded")
            case "429":
                self._refuse(429, "rateLimitExceeded")
            case "500":
                self._refuse(500, "backendError")
            case "html":
                self._send(502, b"<html>Bad gateway</html>")
            case "cut":
                self._cut()
            case "hang":
                self.double.released.wait(30)
                self._cut()
            case "drip":
                self._drip()
            case _:
                return False
        return True

    def _done(self, asked: Asked, body: bytes, *, wrong: bool) -> dict[str, Any] | None:
        headers = dict(self.headers.items())
        headers = {name.title(): value for name, value in headers.items()}
        if asked.parameters.get("uploadType") != "resumable":
            return self.double.answer(asked, headers, body, wrong=wrong)
        if "upload_id" not in asked.parameters:
            upload_id = self.double.begin_upload(asked, headers, body)
            place = f"{self.double.url}{self.path[1:]}&upload_id={upload_id}"
            self._send(200, {}, {"Location": place})
            return None
        made = self.double.continue_upload(asked.parameters["upload_id"], headers, body, wrong=wrong)
        if isinstance(made, int):
            self._send(308, {}, {"Range": f"bytes=0-{made - 1}"})
            return None
        return dict(made)

    def _refuse(self, status: int, reason: str) -> None:
        error = {"domain": "global", "reason": reason, "message": reason}
        self._send(status, {"error": {"errors": [error], "code": status, "message": reason}})

    def _cut(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _drip(self) -> None:
        """A byte now and then, for ever: no single read takes long."""
        self.close_connection = True
        with suppress(OSError):
            while not self.double.released.wait(0.05):
                self.connection.send(b"H")

    def _send(self, status: int, answer: object, headers: Mapping[str, str] | None = None) -> None:
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if isinstance(answer, bytes) else "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Tests look at `calls`."""


def recognise_upload(verb: str, path: str, query: str) -> Asked:
    """`recognise`, for which the pieces of a resumable upload (PUT) belong to the method that began it."""
    if verb == "PUT" and "upload_id=" in query:
        return recognise("POST", path, query)
    return recognise(verb, path, query)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """A client that gave up is what some tests are about."""


@contextmanager
def drive_double(port: int = 0, *, delay: float = 0.0) -> Iterator[DriveDouble]:
    """A running one, on a port that the system chooses."""
    double = DriveDouble(delay=delay)
    server = _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"double": double}))
    double.port = server.server_port
    double.sign_ins.url = double.url
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield double
    finally:
        double.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds that each call takes")
    parser.add_argument("--token-file", type=Path, help="where to leave a token that it accepts")
    parser.add_argument("--fault", default="", help="what goes wrong with every call")
    arguments = parser.parse_args()
    with drive_double(arguments.port, delay=arguments.delay) as double:
        if arguments.fault:
            double.fail(arguments.fault, times=1_000_000_000)
        if arguments.token_file:
            double.sign_ins.sign_in(arguments.token_file)
        print(double.port, flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
