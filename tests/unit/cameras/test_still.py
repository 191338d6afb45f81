"""Still pictures from any HTTP camera: logins found out or told, presets, certificates."""

from __future__ import annotations

import datetime
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import ValidationError

from app.cameras import CameraError, CameraRejected, CameraUnavailable
from app.cameras.address import Networks
from app.cameras.http.challenges import Challenge, challenges_in
from app.cameras.http.digest import Digest
from app.cameras.still import PRESETS, Still
from tests.simulators.camera import PASSWORD, USERNAME, CameraSimulator


def still(**settings: object) -> Still:
    defaults = {"location": "Door", "timeout": 2}
    if "@" not in str(settings.get("url", "")):
        defaults |= {"username": USERNAME, "password": PASSWORD}
    return Still(Still.Settings.model_validate(defaults | settings), networks=Networks())


def failure(camera: Still, device_params: str | None = None) -> CameraError:
    with pytest.raises(CameraError) as caught:
        camera.snapshot(device_params)
    assert PASSWORD not in repr(caught.value)
    return caught.value


def only(header: str) -> Challenge:
    (challenge,) = challenges_in([header])
    return challenge


def logins(cameras: CameraSimulator) -> list[str]:
    """The kind of login of each request so far."""
    return [request.headers.get("authorization", "none").split(" ")[0].lower() for request in cameras.seen]


@pytest.mark.parametrize(
    ("wanted", "auth", "requests"),
    [
        ("ok", "none", ["none"]),
        ("ok", "auto", ["none"]),
        ("basic", "basic", ["basic"]),
        ("basic", "auto", ["none", "basic"]),
        ("digest", "digest", ["none", "digest"]),
        ("digest", "auto", ["none", "digest"]),
        ("query", "query", ["none"]),
        ("odd", "auto", ["none", "basic"]),  # which offers a digest that nobody can answer, and basic
    ],
)
def test_a_camera_gets_the_login_it_wants(
    cameras: CameraSimulator, picture: bytes, wanted: str, auth: str, requests: list[str]
) -> None:
    assert still(url=cameras.url(wanted), auth=auth).snapshot().data == picture
    assert logins(cameras) == requests


@pytest.mark.parametrize("wanted", ["basic", "digest"])
def test_what_was_found_out_is_remembered(cameras: CameraSimulator, wanted: str) -> None:
    camera = still(url=cameras.url(wanted))
    camera.snapshot()
    camera.snapshot()
    assert logins(cameras) == ["none", wanted, wanted]
    assert cameras.connections == 1


def test_a_digest_that_went_stale_is_renewed(cameras: CameraSimulator, picture: bytes) -> None:
    camera = still(url=cameras.url("digest"))
    assert all(camera.snapshot().data == picture for _ in range(8))


@pytest.mark.parametrize(
    ("wanted", "auth"),
    [
        ("basic", "none"),
        ("basic", "digest"),
        ("digest", "basic"),
        ("query", "auto"),
        ("basic", "query"),
        ("odd", "digest"),
    ],
)
def test_a_login_of_the_wrong_kind_is_refused_in_one_word(cameras: CameraSimulator, wanted: str, auth: str) -> None:
    error = failure(still(url=cameras.url(wanted), auth=auth))
    assert (type(error), error.code) == (CameraRejected, "login_refused")


@pytest.mark.parametrize("wanted", ["basic", "digest"])
def test_a_wrong_password_is_tried_once_for_each_snapshot(cameras: CameraSimulator, wanted: str) -> None:
    camera = still(url=cameras.url(wanted), password="wrong")
    assert failure(camera).code == "login_refused"
    assert failure(camera).code == "login_refused"
    assert logins(cameras) == ["none", wanted, "none", wanted]


def test_a_basic_login_that_is_refused_is_not_repeated(cameras: CameraSimulator) -> None:
    failure(still(url=cameras.url("basic"), auth="basic", password="wrong"))
    assert logins(cameras) == ["basic"]


def test_a_login_that_is_no_longer_accepted_is_forgotten(cameras: CameraSimulator) -> None:
    camera = still(url=cameras.url("digest"))
    camera.snapshot()
    cameras.behaviours["/digest/cam"] = "locked"
    cameras.seen.clear()
    failure(camera)
    failure(camera)
    assert logins(cameras) == ["digest", "digest", "none", "digest"]


def test_a_camera_that_wants_a_login_when_none_is_configured_says_so(cameras: CameraSimulator) -> None:
    error = failure(still(url=cameras.url("digest"), username="", password=""))
    assert error.code == "login_refused"
    assert "none is configured" in error.detail


def test_of_two_kinds_offered_digest_is_taken(cameras: CameraSimulator) -> None:
    failure(still(url=cameras.url("locked")))
    assert logins(cameras) == ["none", "digest"]


def test_a_realm_that_names_basic_offers_none(cameras: CameraSimulator) -> None:
    failure(still(url=cameras.url("quoting")))
    assert logins(cameras) == ["none", "digest"]


def test_challenges_of_nonsense_are_refused_in_no_time(cameras: CameraSimulator) -> None:
    began = time.thread_time()
    assert failure(still(url=cameras.url("nonsense-login"))).code == "login_refused"
    assert time.thread_time() - began < 1  # it was four


def test_the_query_s_parameters_have_names_by_setting(cameras: CameraSimulator) -> None:
    settings = {"auth": "query", "username_parameter": "u", "password_parameter": "p"}
    still(url=cameras.url("ok") + "?size=full", **settings).snapshot()
    assert cameras.seen[0].query == {"size": "full", "u": USERNAME, "p": PASSWORD}


def test_a_trigger_overrides_host_port_and_login_and_keeps_the_path(cameras: CameraSimulator, picture: bytes) -> None:
    camera = still(url="http://192.0.2.1/basic/cam?size=full", username="", password="")
    assert camera.snapshot(f"{USERNAME}:{PASSWORD}@{cameras.address}").data == picture
    assert cameras.seen[-1].target == "/basic/cam?size=full"


def test_a_login_accepted_at_one_place_is_not_sent_to_another(cameras: CameraSimulator) -> None:
    camera = still(url=cameras.url("basic"))
    camera.snapshot()
    failure(camera, f"other:else@{cameras.address}")
    assert logins(cameras) == ["none", "basic", "none", "basic"]
    assert cameras.seen[1].headers["authorization"] != cameras.seen[3].headers["authorization"]


PRESET_TARGETS = {
    "hikvision": "/ISAPI/Streaming/channels/201/picture",
    "dahua": "/cgi-bin/snapshot.cgi?channel=2",
    "amcrest": "/cgi-bin/snapshot.cgi?channel=2",
    "axis": "/axis-cgi/jpg/image.cgi?camera=2",
    "reolink": f"/cgi-bin/api.cgi?cmd=Snap&channel=1&user={USERNAME}&password=p%40ss%3Aw%2Co%25rd",
    "unifi": "/snap.jpeg",
    "esphome": "/",
    "vivotek": "/cgi-bin/viewer/video.jpg?channel=1",
    "dlink": "/image/jpeg.cgi",
    "dlink-profile": "/dms?nowprofileid=2",
    "vigi": "/snapshot",
    "go2rtc": "/api/frame.jpeg?src=front%20door%2F1",
    "frigate": "/api/front%20door%2F1/latest.jpg",
}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_asks_where_its_make_has_the_picture(cameras: CameraSimulator, picture: bytes, preset: str) -> None:
    target = PRESET_TARGETS[preset]
    behaviour = {"reolink": "query", "frigate": "bearer"}.get(preset, "digest")
    cameras.behaviours[target.partition("?")[0]] = behaviour
    named = {"stream": "front door/1"} if PRESETS[preset].wants_stream else {}
    assert still(preset=preset, address=cameras.address, channel=2, **named).snapshot().data == picture
    assert cameras.seen[-1].target == target


@pytest.mark.parametrize(("preset", "mark"), [("go2rtc", "&"), ("frigate", "?")])
def test_go2rtc_and_frigate_are_asked_for_a_height(cameras: CameraSimulator, preset: str, mark: str) -> None:
    path = PRESET_TARGETS[preset].replace("front%20door%2F1", "yard")
    cameras.behaviours[path.partition("?")[0]] = "ok"
    still(preset=preset, address=cameras.address, stream="yard", height=720).snapshot()
    assert cameras.seen[-1].target == f"{path}{mark}h=720"


def test_a_token_goes_with_the_first_request_and_is_not_tried_twice(cameras: CameraSimulator, picture: bytes) -> None:
    assert still(url=cameras.url("bearer"), auth="bearer").snapshot().data == picture
    assert failure(still(url=cameras.url("bearer"), auth="bearer", password="old")).code == "login_refused"
    assert failure(still(url=cameras.url("basic"), auth="bearer", password="")).code == "login_refused"
    assert logins(cameras) == ["bearer", "bearer", "none"]


@pytest.mark.parametrize(
    ("said", "kind", "code"),
    [
        (-6, CameraRejected, "login_refused"),
        (-7, CameraRejected, "login_refused"),
        (-27, CameraRejected, "login_refused"),
        (-17, CameraUnavailable, "camera_error"),
    ],
)
def test_what_a_reolink_says_inside_an_http_200_is_understood(
    cameras: CameraSimulator, said: int, kind: type[CameraError], code: str
) -> None:
    cameras.reolink_code = said
    cameras.behaviours["/cgi-bin/api.cgi"] = "json"
    error = failure(still(preset="reolink", address=cameras.address))
    assert (type(error), error.code) == (kind, code)


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"url": "http://cam.lan/x"}, "cam.lan:80"),
        ({"url": "https://cam.lan/x"}, "cam.lan:443"),
        ({"preset": "axis", "address": "cam.lan"}, "cam.lan:80"),
        ({"preset": "axis", "address": "cam.lan", "https": True}, "cam.lan:443"),
        ({"preset": "frigate", "stream": "yard", "address": "nvr.lan"}, "nvr.lan:5000"),
        ({"preset": "frigate", "stream": "yard", "address": "nvr.lan", "https": True}, "nvr.lan:8971"),
        ({"preset": "esphome", "address": "cam.lan"}, "cam.lan:8081"),
    ],
)
def test_the_port_is_that_of_the_scheme_unless_given(settings: dict[str, object], place: str) -> None:
    camera = still(**settings)
    assert camera._configured is not None
    assert str(camera._configured.place) == place


def test_a_login_in_any_letters_is_only_refused(cameras: CameraSimulator) -> None:
    for wanted in ("basic", "digest"):
        assert failure(still(url=cameras.url(wanted), username="Jürgen €")).code == "login_refused"


def test_a_login_in_the_url_is_used_and_taken_out_of_it(cameras: CameraSimulator, picture: bytes) -> None:
    url = cameras.url("basic").replace("http://", f"http://{USERNAME}:p%40ss%3Aw%2Co%25rd@")
    camera = still(url=url)
    assert camera.snapshot().data == picture
    settings = Still.Settings.model_validate({"location": "Door", "url": "http://somebody:hush@cam.lan/snap.jpg"})
    assert settings.url == "http://cam.lan/snap.jpg"
    assert (settings.username, settings.password.get_secret_value()) == ("somebody", "hush")
    assert not re.search("somebody|hush", repr(settings) + settings.model_dump_json(exclude={"username"}))


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({}, "either url or preset"),
        ({"url": "http://cam/x", "preset": "axis"}, "either url or preset"),
        ({"url": "http://cam/x", "address": "cam"}, "belong to a preset"),
        ({"url": "ftp://cam/x"}, "http://"),
        ({"url": "http://"}, "host, host:port"),
        ({"url": "http://hush:hush@[cam/"}, "not a URL"),
        ({"url": "http://hush:hush@cam:port/"}, "host, host:port"),
        ({"url": "http://hush:hush@cam/", "username": "admin"}, "give it once"),
        ({"url": "http://hush@cam/", "password": "hush"}, "give it once"),
        ({"preset": "acme", "address": "cam"}, "'hikvision'"),
        ({"preset": "axis", "address": "hush@cam"}, "host, host:port"),
        ({"preset": "axis", "channel": 0}, "greater than or equal to 1"),
        ({"preset": "frigate", "address": "nvr"}, "stream names the camera"),
        ({"preset": "axis", "address": "cam", "stream": "yard"}, "stream names the camera"),
        ({"url": "http://cam/", "height": 720}, "height belongs"),
        ({"url": "http://cam/", "auth": "magic"}, "'digest'"),
        ({"url": "https://cam/", "ca_file": "/nowhere/ca.pem"}, "does not point to a file"),
    ],
)
def test_bad_settings_are_refused_with_one_clear_line_and_without_a_login(
    settings: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        Still.Settings.model_validate({"location": "Door", **settings})
    assert complaint in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of certificates with their keys as PEM: `own.pem`, which a camera made for itself, without a name that
    counts; `ca.pem`, of an authority, and `signed.pem`, which that signed for `localhost`, and `common.pem`, which says
    so in its common name only; `short.pem`, whose key is one that was long enough in 2005."""
    folder = tmp_path_factory.mktemp("tls")
    own, authority, server, short = (
        *(ec.generate_private_key(ec.SECP256R1()) for _ in range(3)),
        rsa.generate_private_key(65537, 1024),
    )
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    is_authority = x509.BasicConstraints(ca=True, path_length=None)
    write(folder / "own.pem", own, certificate("IP Camera", own, signer=own))
    write(folder / "short.pem", short, certificate("IP Camera", short, signer=short))
    write(folder / "ca.pem", authority, certificate("home", authority, is_authority, signer=authority))
    write(folder / "signed.pem", server, certificate("cam", server, names, issuer="home", signer=authority))
    write(folder / "common.pem", server, certificate("localhost", server, issuer="home", signer=authority))
    return folder


def certificate(
    name: str, key: Any, *extensions: x509.ExtensionType, signer: Any, issuer: str = ""
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    subject, signed_by = (
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in (name, issuer or name)
    )
    builder = (
        x509.CertificateBuilder(signed_by, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(signer, hashes.SHA256())


def write(file: Path, key: Any, made: x509.Certificate) -> None:
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + made.public_bytes(pem))


def https_camera(
    picture: bytes, certificate: Path, *, newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED
) -> CameraSimulator:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = newest
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(certificate)
    return CameraSimulator(picture, interval=0.05, tls=context)


@pytest.fixture
def secure(picture: bytes, certificates: Path) -> Iterator[CameraSimulator]:
    """A camera with a certificate of its own."""
    with https_camera(picture, certificates / "own.pem") as simulator:
        yield simulator


@pytest.fixture
def signed(picture: bytes, certificates: Path) -> Iterator[CameraSimulator]:
    """A camera called `localhost`, as an authority says."""
    with https_camera(picture, certificates / "signed.pem") as simulator:
        yield simulator


def test_a_certificate_nobody_vouches_for_is_refused(secure: CameraSimulator) -> None:
    error = failure(still(url=f"https://localhost:{secure.port}/ok/cam"))
    assert (type(error), error.code) == (CameraRejected, "certificate_refused")


def test_a_camera_s_own_certificate_is_enough_whatever_it_names(
    secure: CameraSimulator, certificates: Path, picture: bytes
) -> None:
    for url in (secure.url("ok"), f"https://localhost:{secure.port}/ok/cam"):
        assert still(url=url, ca_file=certificates / "own.pem").snapshot().data == picture


def test_a_certificate_that_somebody_else_signed_is_enough_by_itself(
    signed: CameraSimulator, certificates: Path, picture: bytes
) -> None:
    assert still(url=signed.url("ok"), ca_file=certificates / "signed.pem").snapshot().data == picture


def test_another_certificate_than_the_camera_s_own_is_refused(
    secure: CameraSimulator, signed: CameraSimulator, certificates: Path
) -> None:
    for camera, file in ((secure, "signed.pem"), (signed, "own.pem")):
        error = failure(still(url=f"https://localhost:{camera.port}/ok/cam", ca_file=certificates / file))
        assert (type(error), error.code) == (CameraRejected, "certificate_refused")


def test_what_an_authority_signed_is_trusted_for_its_name_only(
    signed: CameraSimulator, certificates: Path, picture: bytes
) -> None:
    file = certificates / "ca.pem"
    assert still(url=f"https://localhost:{signed.port}/ok/cam", ca_file=file).snapshot().data == picture
    error = failure(still(url=signed.url("ok"), ca_file=file))
    assert error.code == "certificate_refused"
    assert "another name" in error.detail
    assert len(signed.seen) == 1  # nothing was said to the other


def test_a_common_name_counts_where_a_certificate_has_no_other(picture: bytes, certificates: Path) -> None:
    with https_camera(picture, certificates / "common.pem") as camera:
        file = certificates / "ca.pem"
        assert still(url=f"https://localhost:{camera.port}/ok/cam", ca_file=file).snapshot().data == picture
        assert failure(still(url=camera.url("ok"), ca_file=file)).code == "certificate_refused"


def test_a_name_out_of_a_trigger_is_the_one_the_certificate_is_checked_for(
    signed: CameraSimulator, certificates: Path, picture: bytes
) -> None:
    camera = still(preset="axis", https=True, ca_file=certificates / "ca.pem")
    signed.behaviours["/axis-cgi/jpg/image.cgi"] = "digest"
    assert camera.snapshot(f"{USERNAME}:{PASSWORD}@localhost:{signed.port}").data == picture
    assert failure(camera, f"{USERNAME}:{PASSWORD}@127.0.0.1:{signed.port}").code == "certificate_refused"


def test_an_outdated_version_is_spoken_with_the_camera_that_is_said_to_need_it(
    picture: bytes, certificates: Path, recwarn: pytest.WarningsRecorder
) -> None:
    with https_camera(picture, certificates / "own.pem", newest=ssl.TLSVersion.TLSv1) as old:
        assert failure(still(url=old.url("ok"), verify=False)).code == "tls_failed"
        recwarn.clear()  # of the simulator's
        assert still(url=old.url("ok"), verify=False, legacy_tls=True).snapshot().data == picture
        assert not list(recwarn)


def test_a_short_key_is_trusted_of_the_camera_that_is_said_to_need_it(picture: bytes, certificates: Path) -> None:
    file = certificates / "short.pem"
    with https_camera(picture, file) as old:
        assert failure(still(url=old.url("ok"), ca_file=file)).code == "certificate_refused"
        assert still(url=old.url("ok"), ca_file=file, legacy_tls=True).snapshot().data == picture


def test_verification_can_be_switched_off_and_nothing_warns(
    secure: CameraSimulator, picture: bytes, recwarn: pytest.WarningsRecorder
) -> None:
    camera = still(url=secure.url("digest"), verify=False)
    assert [camera.snapshot().data for _ in range(2)] == [picture, picture]
    assert secure.connections == 1
    assert not list(recwarn)


def test_the_deadline_holds_under_tls(secure: CameraSimulator) -> None:
    assert failure(still(url=secure.url("drip"), verify=False, timeout=1)).code == "timeout"


def test_tls_with_a_camera_that_speaks_none_fails_clearly() -> None:
    def serve(listener: socket.socket) -> None:
        with listener.accept()[0] as connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        error = failure(still(url=f"https://127.0.0.1:{listener.getsockname()[1]}/"))
        server.join()
    assert error.code == "tls_failed"


def test_a_handshake_that_hangs_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        error = failure(still(url=f"https://127.0.0.1:{listener.getsockname()[1]}/", timeout=0.3))
    assert error.code == "timeout"


def test_a_ca_file_without_certificates_is_named(secure: CameraSimulator, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    error = failure(still(url=secure.url("ok"), ca_file=tmp_path / "ca.pem"))
    assert error.code == "certificate_refused"
    assert "ca.pem" in error.detail


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_digests_are_those_of_the_standard_s_example(
    algorithm: str, response: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 7616, section 3.9.1."""
    client_nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    monkeypatch.setattr("secrets.token_hex", lambda _: client_nonce)
    challenge = (
        'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=' + algorithm + ", "
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    digest = Digest(only(challenge), username="Mufasa", password="Circle of Life")
    header = digest("/dir/index.html")
    assert header.startswith('Digest username="Mufasa", realm="http-auth@example.org", ')
    assert f'response="{response}", algorithm={algorithm}, ' in header
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", qop=auth, nc=00000001, ' in header
    assert "nc=00000002" in digest("/dir/index.html")


def test_a_digest_for_a_session_is_made_of_the_password_and_both_nonces(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 7616, section 3.4.2: MD5(MD5(user:realm:password):nonce:cnonce) stands for the password."""
    monkeypatch.setattr("secrets.token_hex", lambda _: "0a4f113b")
    challenge = r'Digest realm="the \"door\"", nonce="dcd98b71", qop="auth", algorithm=MD5-sess'
    header = Digest(only(challenge), username="Mufasa", password="Circle Of Life")("/dir/index.html")
    assert r'realm="the \"door\"", ' in header
    assert (
        'response="dec0bd2a7753effd47b733d6993f6cc6", algorithm=MD5-sess, qop=auth' in header
    )  # without an opaque, for there was none


def test_a_digest_without_qop_is_answered_as_cameras_of_its_age_expect() -> None:
    """RFC 2069's example, with the response of its erratum 749."""
    challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc"'
    header = Digest(only(challenge), username="Mufasa", password="CircleOfLife")("/dir/index.html")
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in header
    assert 'opaque="5ccc"' in header
    assert "cnonce" not in header


@pytest.mark.parametrize(
    "challenge",
    ["Digest", 'Digest realm="x"', 'Digest nonce="x", algorithm="SHA3"', 'Digest nonce="x", qop="auth-int"'],
)
def test_a_challenge_that_cannot_be_answered_is_not_answered(challenge: str) -> None:
    with pytest.raises(ValueError, match="cannot be answered"):
        Digest(only(challenge), username="a", password="b")


def test_a_quote_in_a_user_name_does_not_forge_parameters() -> None:
    header = Digest(only('Digest realm="x", nonce="y"'), username='a", uri="/else', password="b")("/")
    assert r'username="a\", uri=\"/else"' in header
