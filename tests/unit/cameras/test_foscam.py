"""Foscam cameras: a picture, or what the code inside their HTTP 200 means."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.cameras import CameraError, CameraRejected, CameraUnavailable
from app.cameras.address import Networks
from app.cameras.foscam import Foscam
from tests.simulators.camera import PASSWORD, CameraSimulator

CGI = "/cgi-bin/CGIProxy.fcgi"


def foscam(**settings: object) -> Foscam:
    defaults = {"location": "Door", "username": "admin", "password": PASSWORD, "timeout": 1}
    return Foscam(Foscam.Settings.model_validate(defaults | settings), networks=Networks())


def failure(camera: Foscam, device_params: str | None = None) -> CameraError:
    with pytest.raises(CameraError) as caught:
        camera.snapshot(device_params)
    assert PASSWORD not in str(caught.value)
    return caught.value


def test_the_picture_comes_by_the_documented_request(cameras: CameraSimulator, picture: bytes) -> None:
    assert foscam(address=cameras.address).snapshot().data == picture
    assert cameras.seen[0].path == CGI
    assert cameras.seen[0].query == {"cmd": "snapPicture2", "usr": "admin", "pwd": PASSWORD}


def test_every_special_character_of_a_login_is_encoded(cameras: CameraSimulator) -> None:
    assert failure(foscam(address=cameras.address, password="a/b&c=d #?+%41ü")).code == "login_refused"
    assert cameras.seen[0].target.endswith("&usr=admin&pwd=a%2Fb%26c%3Dd%20%23%3F%2B%2541%C3%BC")


def test_a_trigger_may_bring_address_and_login(cameras: CameraSimulator, picture: bytes) -> None:
    assert foscam(username="", password="").snapshot(f"admin:{PASSWORD}@{cameras.address},554").data == picture


def test_a_trigger_s_login_is_used_once_and_not_kept(cameras: CameraSimulator, picture: bytes) -> None:
    camera = foscam(address=cameras.address)
    assert failure(camera, f"admin:wrong@{cameras.address}").code == "login_refused"
    assert camera.snapshot().data == picture


@pytest.mark.parametrize(
    ("result", "kind", "code", "why"),
    [
        (-1, CameraRejected, "wrong_command", "does not understand"),
        (-2, CameraRejected, "login_refused", "wrong user name or password"),
        (-3, CameraRejected, "access_denied", "denies access"),
        (-4, CameraUnavailable, "camera_error", "the command failed"),
        (-5, CameraUnavailable, "camera_error", "timed out inside"),
        (-6, CameraUnavailable, "camera_error", "unknown reason"),
        (-8, CameraUnavailable, "camera_error", "unknown reason"),
    ],
)
def test_the_codes_inside_an_http_200_are_told_apart(
    cameras: CameraSimulator, result: int, kind: type[CameraError], code: str, why: str
) -> None:
    cameras.foscam_result = result
    error = failure(foscam(address=cameras.address))
    assert (type(error), error.code) == (kind, code)
    assert f"(code {result})" in error.detail
    assert why in error.detail


def test_a_command_that_yields_no_picture_is_said_so(cameras: CameraSimulator) -> None:
    class Obedient(CameraSimulator):
        def be_obedient(self, request: object, connection: object) -> None:
            connection.reply(b"<CGI_Result><result>0</result></CGI_Result>")  # type: ignore[attr-defined]

    with Obedient(b"", behaviours={CGI: "obedient"}) as simulator:
        assert failure(foscam(address=simulator.address, command="getDevInfo")).code == "wrong_command"


@pytest.mark.parametrize(
    ("behaviour", "code"), [("html", "not_a_picture"), ("hang", "timeout"), ("500", "camera_error")]
)
def test_other_bad_answers_are_those_of_any_camera(cameras: CameraSimulator, behaviour: str, code: str) -> None:
    cameras.behaviours[CGI] = behaviour
    timeout = 0.2 if behaviour == "hang" else 10
    assert failure(foscam(address=cameras.address, timeout=timeout)).code == code


def test_without_an_address_it_says_what_is_missing() -> None:
    assert failure(foscam()).code == "no_address"


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"address": "192.168.1.5"}, "192.168.1.5:88"),
        ({"address": "192.168.1.5:8080"}, "192.168.1.5:8080"),
        ({"address": "cam.lan", "https": True}, "cam.lan:443"),
        ({"address": "[fd00::5]"}, "[fd00::5]:88"),
    ],
)
def test_the_port_is_a_foscam_s_own_unless_given(settings: dict[str, object], place: str) -> None:
    camera = foscam(**settings)
    assert camera._configured is not None
    assert str(camera._configured.place) == place


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("admin:hush@192.168.1.5", "host, host:port or [IPv6 address]:port"),
        ("http://192.168.1.5", "host, host:port or [IPv6 address]:port"),
        ("fe80::1", "host, host:port or [IPv6 address]:port"),
        ("a b", "host, host:port or [IPv6 address]:port"),
        ("[192.168.1.5]", "an IPv6 address in the brackets"),
        ("192.168.1.5:0", "a port from 1 to 65535"),
    ],
)
def test_a_malformed_address_is_refused_at_load_without_being_quoted(address: str, complaint: str) -> None:
    with pytest.raises(ValidationError) as caught:
        foscam(address=address)
    assert "hush" not in str(caught.value)
    assert f"expected {complaint}" in str(caught.value)


def test_settings_do_not_show_the_login() -> None:
    settings = Foscam.Settings.model_validate({"location": "Door", "username": "somebody", "password": "hush"})
    assert "somebody" not in repr(settings)
    assert "hush" not in repr(settings)
