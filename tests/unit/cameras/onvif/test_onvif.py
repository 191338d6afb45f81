"""Pictures of ONVIF devices that are as they are: odd logins, wrong clocks, addresses that lie."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.cameras import CameraError, CameraRejected
from app.cameras.address import CameraTarget, HostPort, Networks
from app.cameras.onvif import Onvif, _without_login
from tests.simulators.onvif import HTML, MEDIA2, PASSWORD, USERNAME, OnvifDevice

SETUP = ["GetSystemDateAndTime", "GetServices", "GetProfiles", "GetSnapshotUri"]


def onvif(device: OnvifDevice, **settings: object) -> Onvif:
    defaults = {"location": "Door", "timeout": 5, "address": device.address}
    login = {"username": USERNAME, "password": PASSWORD} if device.login != "none" else {}
    return Onvif(Onvif.Settings.model_validate(defaults | login | settings), networks=Networks())


def failure(camera: Onvif, device_params: str | None = None) -> CameraError:
    with pytest.raises(CameraError) as caught:
        camera.snapshot(device_params)
    for secret in (PASSWORD, "secret"):
        assert secret not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    "behaviour",
    [
        {"login": "none"},
        {"login": "digest"},
        {"login": "token"},
        {"login": "token", "clock_ahead": timedelta(days=1)},
        {"login": "token", "clock_ahead": timedelta(days=-20_000)},
        {"login": "token", "media": MEDIA2},
        {"knows_services": False},
    ],
    ids=str,
)
def test_a_device_gives_its_picture_whatever_login_clock_and_edition_it_has(
    picture: bytes, behaviour: dict[str, Any]
) -> None:
    with OnvifDevice(picture, **behaviour) as device:
        assert onvif(device).snapshot().data == picture
        assert device.refused == 0


def test_what_a_device_said_of_its_picture_is_asked_again_only_after_its_restart(picture: bytes) -> None:
    with OnvifDevice(picture, login="none") as device:
        camera = onvif(device)
        assert camera.snapshot().data == picture
        assert device.calls == [*SETUP, "picture"]
        camera.snapshot()
        assert device.calls[5:] == ["picture"]
        device.restart()
        assert camera.snapshot().data == picture
        assert device.calls[6:] == ["picture", "GetProfiles", "GetSnapshotUri", "picture"]


def test_a_clock_that_is_set_while_we_look_is_read_again(picture: bytes) -> None:
    with OnvifDevice(picture, login="token") as device:
        camera = onvif(device)
        camera.snapshot()
        device.clock_ahead = timedelta(hours=-3)
        device.restart()
        assert camera.snapshot().data == picture
        assert device.refused == 1


@pytest.mark.parametrize("login", ["digest", "token"])
def test_a_wrong_login_is_tried_once_and_said(picture: bytes, login: Any) -> None:
    with OnvifDevice(picture, login=login) as device:
        error = failure(onvif(device, password="wrong"))
        assert (error.code, type(error), device.refused) == ("login_refused", CameraRejected, 1)
        assert failure(onvif(device, username="", password="")).code == "login_refused"
        assert device.refused == 1


def test_a_host_that_is_wrong_behind_nat_is_replaced(picture: bytes) -> None:
    with OnvifDevice(picture, login="none", named="192.0.2.7") as device:
        camera = onvif(device)
        assert camera.snapshot().data == picture
        remarks = {remark.text: remark.remedy for remark in camera.describe()}
        assert [text for text, remedy in remarks.items() if remedy] == [
            "it names 192.0.2.7 for its pictures; 127.0.0.1 is asked instead"
        ]


def test_the_largest_profile_is_taken_unless_another_is_named(picture: bytes) -> None:
    with OnvifDevice(picture) as device:
        for profile, taken in (("", "P_main"), ("P_more", "P_more"), ("sub", "P_sub")):
            camera = onvif(device, profile=profile)
            camera.snapshot()
            assert camera._picture is not None
            assert f"/{taken}?" in camera._picture.url
        error = failure(onvif(device, profile="Big"))
        assert (error.code, type(error)) == ("no_such_profile", CameraRejected)
        assert error.detail.endswith("there are: Sub, Main, More")
        device.profiles.clear()
        assert failure(onvif(device)).code == "no_profiles"


@pytest.mark.parametrize("snapshot", ["fault", "nothing"])
@pytest.mark.parametrize("edition", [{}, {"media": MEDIA2}], ids=["media", "media2"])
def test_a_device_without_still_pictures_says_where_its_stream_is(
    picture: bytes, snapshot: Any, edition: dict[str, Any]
) -> None:
    with OnvifDevice(picture, snapshot=snapshot, named="192.0.2.7:80", **edition) as device:
        error = failure(onvif(device))
    assert (error.code, type(error)) == ("no_still_pictures", CameraRejected)
    assert error.detail.endswith("use kind rtsp with url rtsp://127.0.0.1:8554/live/P_main")


def test_a_web_page_in_place_of_a_picture_is_an_address_that_lies(picture: bytes) -> None:
    with OnvifDevice(picture, snapshot="html") as device:
        camera = onvif(device)
        error = failure(camera)
        assert error.code == "picture_address_lies"
        assert "names /snap/1/P_main for its pictures, and there answered with a web page" in error.detail
        device.snapshot = "ok"
        assert camera.snapshot().data == picture


@pytest.mark.parametrize(
    "body", [HTML, b"", b"<a/>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b"\xff\xfe<", b"<a>" * 99]
)
def test_what_does_not_speak_onvif_is_told_apart(picture: bytes, body: bytes) -> None:
    with OnvifDevice(picture, body=body) as device:
        error = failure(onvif(device))
    assert (error.code, type(error)) == ("not_onvif", CameraRejected)


def test_an_answer_that_is_too_large_is_not_read(picture: bytes) -> None:
    with OnvifDevice(picture, body=b" " * 1_000_001) as device:
        assert failure(onvif(device)).code == "too_large"


def test_a_device_that_is_away_is_not_asked_twice_and_is_there_again_later(picture: bytes) -> None:
    with OnvifDevice(picture) as device:
        camera = onvif(device)
        camera.snapshot()
        port = device.port
    assert failure(camera).code == "refused"
    with OnvifDevice(picture, port=port):
        assert camera.snapshot().data == picture


def test_a_trigger_may_bring_address_and_login(picture: bytes) -> None:
    with OnvifDevice(picture, login="token") as device:
        camera = onvif(device, address="", username="", password="")
        assert failure(camera).code == "no_address"
        assert camera.snapshot(f"{USERNAME}:{PASSWORD}@{device.address}").data == picture
        assert failure(camera, f"{USERNAME}:x@{device.address}").code == "login_refused"
        assert failure(camera, f"{USERNAME}:x@8.8.8.8").code == "address_not_allowed"


def test_it_says_what_it_is_and_how_wrong_its_clock_is(picture: bytes) -> None:
    with OnvifDevice(picture, login="token", clock_ahead=timedelta(days=-1, minutes=-1)) as device:
        said = [remark.text for remark in onvif(device).describe()]
        assert said == [
            "Acme Eye 1, firmware 1.2",
            "its clock is 24 hours behind this machine's; the login allows for it",
            "its profiles are Sub 640x360, Main 1920x1080, More 1920x1080; the picture is that of Main 1920x1080",
        ]
        device.clock_ahead = timedelta(seconds=30)
        assert len([*onvif(device).describe()]) == 2


def test_an_address_that_is_none_is_refused_by_the_settings() -> None:
    with pytest.raises(ValueError, match="expected host"):
        Onvif.Settings.model_validate({"location": "Door", "address": "http://camera/"})


@pytest.mark.parametrize(
    "way",
    [
        "/live?user=admin&password=s3cret",
        "/user=admin_password=s3cret_channel=1_stream=0.sdp",
        "/admin:s3cret@stream",
        "/live/s3cret/1",
    ],
)
def test_a_stream_whose_path_holds_a_login_is_not_shown(way: str) -> None:
    target = CameraTarget(HostPort("10.0.0.5", 80), "admin", "s3cret")
    shown = _without_login(f"rtsp://10.0.0.5{way}", target)
    assert shown == "rtsp://10.0.0.5:554/... (the rest holds a login)"
    assert _without_login("rtsp://a:b@10.9.9.9/cam/realmonitor?channel=1&subtype=0", target) == (
        "rtsp://10.0.0.5:554/cam/realmonitor?channel=1&subtype=0"
    )
