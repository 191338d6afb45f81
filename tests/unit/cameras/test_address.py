"""Addresses from triggers are read exactly, and reach only the camera networks."""

from __future__ import annotations

import re
import socket
import threading

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.cameras import CameraError, CameraRejected
from app.cameras.address import (
    CameraTarget,
    DeviceParams,
    HostPort,
    Networks,
    choose_target,
    parse_device_params,
    resolve,
)
from app.cameras.foscam import Foscam
from tests.simulators.camera import PASSWORD, CameraSimulator

OUTSIDE = "192.0.2.7"
"""An address of nobody (RFC 5737)."""

sendable = st.text(st.characters(exclude_categories=["Cc", "Cs"]))
usernames = sendable.filter(lambda text: ":" not in text)
hosts = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(str),
    st.from_regex(r"\A[a-z0-9][a-z0-9.-]{0,20}\Z"),
)
ports = st.integers(1, 65535)


@given(usernames, sendable, hosts, st.none() | ports, st.none() | ports)
@example("admin", "p@ss:w,o%rd", "192.168.1.5", 88, 554)
@example("admin", "@", "fe80::1", None, 1)
@example("", "a:b@10.0.0.1:80,554", "cam", 80, None)
@example("admin", "100%41", "10.0.0.1", 80, None)
def test_whatever_the_password_holds_it_is_read_as_it_was_written(
    username: str, password: str, host: str, port: int | None, rtsp_port: int | None
) -> None:
    text = f"{username}:{password}@{f'[{host}]' if ':' in host else host}"
    text += f":{port}" if port else ""
    text += f",{rtsp_port}" if rtsp_port else ""
    assert parse_device_params(text) == DeviceParams(HostPort(host, port or 80), username, password, rtsp_port)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "192.168.1.5:88",
        "admin@192.168.1.5:88",
        "admin:secret",
        "admin:secret@",
        "admin:secret@192.168.1.5:",
        "admin:secret@192.168.1.5:http",
        "admin:secret@192.168.1.5:0",
        "admin:secret@192.168.1.5:65536",
        "admin:secret@192.168.1.5:\N{ARABIC-INDIC DIGIT EIGHT}\N{ARABIC-INDIC DIGIT EIGHT}",
        "admin:secret@192.168.1.5:88,",
        "admin:secret@192.168.1.5:88,rtsp",
        "admin:secret@192.168.1.5:88,554,555",
        "admin:secret@fe80::1:88",
        "admin:secret@[fe80::1",
        "admin:secret@[192.168.1.5]:88",
        "admin:secret@192.168.1.5/path:88",
        "admin:secret@192.168.1.5:88/secret",
        "admin:secret@host name:88",
        "admin:sec\r\nret@192.168.1.5:88",
        "admin:secret\ud800@192.168.1.5:88",
        "admin:secret@192.168.1.5:88\n",
    ],
)
def test_anything_else_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(CameraRejected) as caught:
        parse_device_params(text)
    assert caught.value.code == "bad_device_params"
    assert not re.search(r"secret|admin|192|fe80", str(caught.value))
    assert caught.value.__suppress_context__


@given(st.text())
def test_no_text_at_all_does_anything_worse(text: str) -> None:
    try:
        parse_device_params(text)
    except CameraRejected as error:
        assert error.code == "bad_device_params"  # noqa: PT017 - most texts are refused, some are right


def test_no_repr_shows_the_login() -> None:
    params = parse_device_params("somebody:hush@192.168.1.5:88")
    target = CameraTarget(params.place, params.username, params.password)
    assert not re.search("somebody|hush", repr(params) + repr(target))


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "172.31.0.1", "192.168.1.5", "127.0.0.1", "::1", "fd12::5", "::ffff:10.0.0.1"],
)
def test_a_home_s_addresses_are_inside_by_default(address: str) -> None:
    assert address in Networks()


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "172.32.0.1",
        "0.0.0.0",
        "::",
        "169.254.169.254",
        "2001:db8::1",
        "::ffff:8.8.8.8",
        "100.64.0.1",
        "cam",
        "",
    ],
)
def test_the_rest_of_the_world_is_outside(address: str) -> None:
    assert address not in Networks()


def test_networks_can_be_configured() -> None:
    networks = Networks(["203.0.113.9/24", "2001:db8::/32"])
    assert "203.0.113.200" in networks
    assert "2001:db8::7" in networks
    assert "192.168.1.5" not in networks


def test_a_malformed_network_is_named() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/33"):
        Networks(["10.0.0.0/33"])


def test_one_address_outside_is_enough_to_refuse_a_name() -> None:
    with pytest.raises(CameraRejected) as caught:
        Networks().require([(socket.AF_INET, ("192.168.1.5", 80)), (socket.AF_INET, (OUTSIDE, 80))])
    assert caught.value.code == "address_not_allowed"
    assert OUTSIDE in caught.value.detail


def test_numbers_that_hide_an_address_are_resolved_before_they_are_checked() -> None:
    for text, inside in (("0x7f000001", True), ("2130706433", True), ("0x08080808", False)):
        (_, address), *_ = resolve(HostPort(text, 80), timeout=1)
        assert (address[0] in Networks()) is inside


@pytest.mark.timeout(30)
def test_a_name_server_that_does_not_answer_costs_no_more_than_the_time_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tested = threading.Event()

    def away(*args: object, flags: int = 0, **kwargs: object) -> list[object]:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror
        tested.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", away)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            resolve(HostPort("camera.lan", 80), timeout=0.05)
    assert [thread.name for thread in threading.enumerate()].count("resolve") == 1, "those who ask wait for the same"
    tested.set()
    assert resolve(HostPort("camera.lan", 80), timeout=10) == []


def test_a_trigger_s_address_never_gets_the_configured_login() -> None:
    configured = CameraTarget(HostPort("192.168.1.5", 88), "admin", "hush")
    target = choose_target(configured, ":@192.168.1.6:80", networks=Networks(), default_port=80)
    assert (target.username, target.password) == ("", "")


def test_without_any_address_there_is_a_clear_refusal() -> None:
    for nothing in (None, ""):
        with pytest.raises(CameraRejected) as caught:
            choose_target(None, nothing, networks=Networks(), default_port=80)
        assert caught.value.code == "no_address"


def test_a_name_from_a_trigger_is_not_quoted_for_it_may_be_half_a_password() -> None:
    half = CameraTarget(HostPort("hush", 80), networks=Networks())
    assert "hush" not in half.shown
    assert CameraTarget(HostPort("192.168.1.5", 88), networks=Networks()).shown == "192.168.1.5:88"


def foscam(networks: Networks, address: str = "") -> Foscam:
    settings = {
        "location": "Door",
        "address": address,
        "username": "admin",
        "password": PASSWORD,
        "timeout": 1,
    }
    return Foscam(Foscam.Settings.model_validate(settings), networks=networks)


def test_an_address_outside_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(CameraRejected) as caught:
        foscam(Networks(["192.168.0.0/16"])).snapshot("admin:hush@127.0.0.1:80")
    assert caught.value.code == "address_not_allowed"


def test_the_configured_address_may_lie_outside(cameras: CameraSimulator, picture: bytes) -> None:
    assert foscam(Networks(["192.168.0.0/16"]), cameras.address).snapshot().data == picture


def test_a_connection_kept_alive_to_the_configured_address_does_not_serve_a_trigger_from_outside(
    cameras: CameraSimulator,
) -> None:
    camera = foscam(Networks(["192.168.0.0/16"]), cameras.address)
    camera.snapshot()
    with pytest.raises(CameraRejected) as caught:
        camera.snapshot(f"admin:{PASSWORD}@{cameras.address}")
    assert caught.value.code == "address_not_allowed"
    assert cameras.load("admin").requests == 1


def test_a_name_is_looked_up_once_and_the_address_that_was_checked_is_connected_to(
    cameras: CameraSimulator, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that answers with an address outside from the second question on finds no second question."""
    real = socket.getaddrinfo
    questions: list[str] = []

    def rebinding(host: str, port: int, *args: object, **kwargs: object) -> object:
        if host != "rebinding.lan":
            return real(host, port, *args, **kwargs)  # type: ignore[arg-type]
        if kwargs.get("flags"):
            raise socket.gaierror
        questions.append(host)
        return real("127.0.0.1" if len(questions) == 1 else OUTSIDE, port, type=socket.SOCK_STREAM)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    camera = foscam(Networks())
    assert camera.snapshot(f"admin:{PASSWORD}@rebinding.lan:{cameras.port}").data == picture
    assert questions == ["rebinding.lan"]
    assert cameras.seen[0].headers["host"] == f"rebinding.lan:{cameras.port}"


@given(st.from_regex(r"\A[ -~]{0,12}:[ -~]{0,12}@(127\.0\.0\.1|\[::1\]|0|127\.1|x\.invalid)(:1)?(,554)?\Z"))
def test_no_device_params_make_a_camera_raise_anything_but_camera_errors(text: str) -> None:
    with pytest.raises(CameraError):
        foscam(Networks(["192.0.2.0/24"])).snapshot(text)
