"""What is fuzzed: each reads bytes that a stranger sends, and may do no more than refuse them."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import PurePosixPath

import msgpack
from hypothesis import strategies as st

from app import wire
from app.cameras.http.body import PictureBody
from app.cameras.http.challenges import challenges_in
from app.cameras.http.digest import Digest
from app.media.picture import examine
from app.media.thumbnail import thumbnail
from app.sources.hooks import Hook, HookSettings
from app.uploads.capture_time import CaptureTime
from app.uploads.mail.pictures import pictures_in
from app.wire import fields
from pylib.errors import Failure
from pylib.rabbitmq.delivery import Delivery
from tests.fakes.pictures import busy, encoded
from tests.hostile.attacks import NONSENSE, pictures

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Target:
    """One reader of bytes, and the inputs that it is given."""

    name: str
    inputs: st.SearchStrategy[bytes]
    read: Callable[[bytes], object]
    """Raises what it likes of `refusals`; anything else is a finding."""
    refusals: tuple[type[Exception], ...] = (Failure,)

    def try_one(self, data: bytes) -> None:
        """Raises what is none of its refusals."""
        with suppress(*self.refusals):
            self.read(data)


@st.composite
def mutated(draw: st.DrawFn, seeds: Callable[[], Sequence[bytes]]) -> bytes:
    """A seed that was cut, overwritten, repeated and grown in a few places."""
    data = bytearray(draw(st.sampled_from(seeds())))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.sampled_from(("cut", "write", "insert", "repeat", "drop"))):
            case "cut":
                del data[at:]
            case "write":
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=8))
            case "insert":
                data[at:at] = draw(st.sampled_from(list(NONSENSE.values())))[: draw(st.integers(1, 100_000))]
            case "repeat":
                piece = bytes(data[at : at + draw(st.integers(1, 64))])
                data[at:at] = piece * draw(st.integers(1, 5_000))
            case "drop":
                del data[at : at + draw(st.integers(1, 1_000))]
    return bytes(data)


@cache
def _pictures() -> tuple[bytes, ...]:
    image = busy(160, 120)
    kinds = [encoded(image, kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "GIF")]
    return (*kinds, *(data for _, data in pictures()))


@cache
def _mails() -> tuple[bytes, ...]:
    picture = base64.encodebytes(_pictures()[0])
    plain = b"Subject: x\r\nContent-Type: image/jpeg; name=a.jpg\r\nContent-Transfer-Encoding: base64\r\n\r\n" + picture
    many = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + (b"--b\r\n" + plain) * 3 + b"--b--\r\n"
    nested = b'Content-Type: multipart/mixed; boundary="c"\r\n\r\n--c\r\n' + many + b"--c--\r\n"
    return plain, many, nested


_TRIGGER = {
    "timestamp": "2026-03-04T12:00:00Z",
    "output": {"device_key": "Yard Camera", "device_params": "a:b@1.2.3.4"},
}
_TRIGGERS = (msgpack.packb(_TRIGGER), repr(_TRIGGER).replace("'", '"').encode())
_PAYLOADS = (b'{"after": {"camera": "yard", "score": 0.7}, "at": 1795201394.7}',)
_EVENTS = (msgpack.packb({"inputs": [_TRIGGER]}),)
_CHALLENGES = (
    b'Digest realm="a", nonce="b", qop="auth,auth-int", algorithm=MD5, opaque="c"',
    b'Basic realm="Login to cam, Digest", Digest realm="x\\"y", nonce=abc',
)
_NAMES = (
    b"20260304-120000.jpg",
    b"PXL_20260304_120000123.jpg",
    b"FRONT_09-24-25_PM_2026-03-04.jpg",
    "Haustür.jpg".encode(),
)


def _named(data: bytes) -> object:
    name = data.decode("utf-8", "surrogateescape").replace("/", "_").replace("\0", "_") or "_"
    return CaptureTime(zone=UTC).taken_at(PurePosixPath(name), b"", written=AT)


def _timed(data: bytes) -> object:
    return CaptureTime(zone=UTC).taken_at(PurePosixPath("x.jpg"), data, written=AT)


_HOOK = Hook(
    HookSettings(name="x", camera_from="after.camera", when={"after.score": {"above": 0.5}}, timestamp_from="at"),
    cameras={"Yard Camera": "Yard"},
)


def _hooked(data: bytes) -> object:
    payload = fields.from_json(data)
    return _HOOK.unmet(payload) or _HOOK.trigger(payload)


@cache
def _answers() -> tuple[bytes, ...]:
    part = b"--edge\r\nContent-Type: image/jpeg\r\n\r\n" + _pictures()[0] + b"\r\n"
    return (*_pictures()[:5], gzip.compress(_pictures()[0]), part + b"--edge--\r\n", part * 2)


def _challenged(data: bytes) -> None:
    for challenge in challenges_in([data.decode("latin-1")]):
        Digest(challenge, username="u", password="p")("/")


def _answered(data: bytes) -> bytes:
    body = PictureBody(1_000_000)
    for at in range(0, len(data), 1_000):
        body.add(data[at : at + 1_000])
    return body.picture


_ALL = (
    Target("picture", mutated(_pictures), examine),
    Target("thumbnail", mutated(_pictures), thumbnail),
    Target("capture time", mutated(lambda: _pictures()[:3]), _timed),
    Target("file name", mutated(lambda: _NAMES), _named),
    Target("mail", mutated(_mails), lambda data: pictures_in(data, most=20)),
    Target("trigger", mutated(lambda: _TRIGGERS), lambda data: wire.parse_trigger(Delivery(data))),
    Target("hook", mutated(lambda: _PAYLOADS), _hooked),
    Target("event", mutated(lambda: _EVENTS), wire.parse_event),
    Target(
        "login challenge",
        mutated(lambda: _CHALLENGES),
        _challenged,
        (ValueError,),
    ),
    Target("camera's answer", mutated(_answers), _answered, (zlib.error,)),
)

TARGETS = {target.name: target for target in _ALL}
