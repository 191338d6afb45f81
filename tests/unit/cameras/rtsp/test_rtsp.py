"""Pictures of RTSP streams: the next keyframe, each way to fail by its name, the deadline."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image, ImageStat
from pydantic import ValidationError

from app.cameras import CameraError
from app.cameras.address import Networks
from app.cameras.rtsp import Rtsp
from app.cameras.rtsp.stream import LONGEST_LOGIN
from tests.simulators.rtsp import PASSWORD, SIZE, USERNAME, RtspSimulator, grey

LOGIN = {"username": USERNAME, "password": PASSWORD}


@pytest.fixture(scope="module")
def streams() -> Iterator[RtspSimulator]:
    with RtspSimulator() as simulator:
        yield simulator


def rtsp(url: str, **settings: Any) -> Rtsp:
    values = {"location": "Door", "timeout": 2, "url": url, **settings}
    return Rtsp(Rtsp.Settings.model_validate(values), networks=Networks())


def shade(picture: bytes) -> float:
    """The mean brightness of a JPEG."""
    with Image.open(io.BytesIO(picture)) as image:
        assert (image.format, image.size) == ("JPEG", SIZE)
        return float(ImageStat.Stat(image.convert("L")).mean[0])


def failure(camera: Rtsp, device_params: str | None = None) -> CameraError:
    with pytest.raises(CameraError) as caught:
        camera.snapshot(device_params)
    assert PASSWORD not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


def test_the_picture_is_the_first_keyframe(streams: RtspSimulator) -> None:
    assert shade(rtsp(streams.url("live")).snapshot().data) == pytest.approx(grey(0), abs=4)


@pytest.mark.parametrize("path", ["login", "basic"])
def test_the_login_goes_as_the_camera_asks_whatever_letters_it_has(streams: RtspSimulator, path: str) -> None:
    rtsp(streams.url(path), **LOGIN).snapshot()
    assert f"DESCRIBE {path} {'digest' if path == 'login' else 'basic'}" in streams.requests


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("login", "login_refused"),
        ("nowhere", "wrong_path"),
        ("audio", "unsupported_codec"),
        ("odd", "unsupported_codec"),
        ("ends", "stream_ended"),
        ("web", "not_rtsp"),
        ("full", "camera_error"),
    ],
)
def test_each_failure_has_its_name(streams: RtspSimulator, path: str, code: str) -> None:
    error = failure(rtsp(streams.url(path), username=USERNAME, password="wrong" + PASSWORD))
    assert error.code == code
    assert f"127.0.0.1:{streams.port}" in error.detail


@pytest.mark.parametrize(
    ("path", "timeout", "code"),
    [("late", 3, "no_keyframe"), ("silent", 0.3, "timeout"), ("hangs", 0.3, "timeout"), ("drips", 0.3, "timeout")],
)
def test_no_camera_takes_longer_than_its_timeout(streams: RtspSimulator, path: str, timeout: float, code: str) -> None:
    assert failure(rtsp(streams.url(path), timeout=timeout)).code == code  # FFmpeg alone would wait for ever


def test_a_port_that_nobody_listens_to(streams: RtspSimulator) -> None:
    assert failure(rtsp("rtsp://127.0.0.1:1/live")).code == "refused"
    assert failure(rtsp("rtsp://no-such-host.invalid/live")).code == "unresolvable"


def test_a_login_that_ffmpeg_would_cut_off_is_refused_before_it_goes_out(streams: RtspSimulator) -> None:
    error = failure(rtsp(streams.url("login"), username="u", password="x" * LONGEST_LOGIN))
    assert (error.code, "too long" in error.detail) == ("login_refused", True)


def test_a_trigger_brings_host_login_and_rtsp_port(streams: RtspSimulator) -> None:
    camera = rtsp("rtsp:///login")
    assert failure(camera).code == "no_address"
    camera.snapshot(f"{USERNAME}:{PASSWORD}@127.0.0.1:80,{streams.port}")
    assert failure(camera, f"{USERNAME}:{PASSWORD}@127.0.0.1:80").code in ("refused", "unreachable")  # port 554
    assert failure(camera, f"{USERNAME}:{PASSWORD}@8.8.8.8:80,554").code == "address_not_allowed"


def test_the_configured_login_never_goes_to_an_address_from_a_trigger(streams: RtspSimulator) -> None:
    camera = rtsp(streams.url("login"), **LOGIN)
    assert failure(camera, f"a:b@127.0.0.1:80,{streams.port}").code == "login_refused"


def test_pictures_have_a_limit_of_bytes_and_a_quality(streams: RtspSimulator) -> None:
    assert failure(rtsp(streams.url("live"), max_bytes=1000)).code == "too_large"
    few, many = (len(rtsp(streams.url("live"), quality=quality).snapshot().data) for quality in (30, 98))
    assert few < many


def test_without_the_package_the_error_says_how_to_get_it(
    streams: RtspSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cameras.rtsp.find_spec", lambda _name: None)
    error = failure(rtsp(streams.url("live"), warm=True))
    assert (error.code, "snapshot-processor[streams]" in error.detail) == ("no_streams", True)


def test_a_login_in_the_url_is_taken_out_of_it() -> None:
    settings = Rtsp.Settings.model_validate({"location": "Door", "url": "rtsp://u:p%40ss@host/a?b=c"})
    assert (settings.url, settings.username, settings.password.get_secret_value()) == ("rtsp://host/a?b=c", "u", "p@ss")


@pytest.mark.parametrize("url", ["http://host/", "rtsps://host/", "rtsp://host/a b", "rtsp://host:0/", "rtsp://["])
def test_an_address_that_can_never_work_is_refused_before_the_start(url: str) -> None:
    with pytest.raises(ValidationError):
        Rtsp.Settings.model_validate({"location": "Door", "url": url})


def test_a_login_that_is_given_twice_is_not_shown_in_the_error() -> None:
    with pytest.raises(ValidationError) as caught:
        Rtsp.Settings.model_validate({"location": "Door", "url": f"rtsp://u:{PASSWORD}@host/", "username": "u"})
    assert PASSWORD not in str(caught.value)
