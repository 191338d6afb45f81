"""Cameras push pictures by FTP, each with its habits, and every whole picture is handed over once."""

from __future__ import annotations

import contextlib
import ftplib
import io
import re
import socket
import threading
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from app.uploads.camera_folders import CameraFolders, PushingCamera
from app.uploads.ftp.accounts import Account
from app.uploads.ftp.server import AreaUnusable
from pylib.net.listening import AddressInUse
from pylib.settings.credentials import Secret
from tests.integration.ftp import (
    DOOR,
    DOOR_PASSWORD,
    DOOR_USER,
    PICTURE,
    UPLOADS,
    Ftp,
    at_once,
    eventually,
    picture,
    store,
)


@pytest.fixture
def ftp(tmp_path: Path) -> Iterator[Ftp]:
    with Ftp(tmp_path) as server:
        yield server


# -- habits of cameras ------------------------------------------------------------------------------


def test_a_whole_picture_is_handed_over_byte_for_byte(ftp: Ftp) -> None:
    with ftp.login() as camera:
        assert store(camera, f"{DOOR}/a.jpg").startswith("226")
        assert (ftp.names, ftp.contents) == ([f"{DOOR}/a.jpg"], [PICTURE])
    assert ftp.lying == {}


@pytest.mark.parametrize("kind", ["", "TYPE A", "TYPE I", "TYPE A N", "TYPE I N", "TYPE L 8", "type i"])
def test_whatever_type_says_bytes_arrive_as_they_are(ftp: Ftp, kind: str) -> None:
    data = PICTURE[:-2] + b"\r\n\r\r\n\n" * 50 + PICTURE[-2:]
    with ftp.login() as camera:
        if kind:
            camera.voidcmd(kind)
        with camera.transfercmd(f"STOR {DOOR}/a.jpg") as connection:
            connection.sendall(data)
        camera.voidresp()
        assert camera.sendcmd(f"SIZE {DOOR}/a.jpg") == f"213 {len(data)}"
    assert ftp.contents == [data]


TRAILERS = {
    "a camera's mark": lambda number: PICTURE + b"dhav" + bytes([number]) * 4,
    "a film": lambda number: PICTURE + bytes([number]) + b"\0\0\x18ftypmp42" + bytes(40_000),
    "zeros": lambda number: picture(str(number)) + bytes(20_000),
    "a comment longer than it says": lambda number: PICTURE[:2] + b"\xff\xfe\0\3" + bytes([number]) * 9 + PICTURE[2:],
}


@pytest.mark.parametrize("names", [["snap.jpg"] * 3, ["1.jpg", "2.jpg", "3.jpg"]])
@pytest.mark.parametrize("trailer", TRAILERS)
def test_a_picture_with_something_behind_its_end_is_neither_written_over_nor_late(
    ftp: Ftp, trailer: str, names: list[str]
) -> None:
    sent = [TRAILERS[trailer](number) for number in (1, 2, 3)]
    with ftp.login() as camera:
        for name, data in zip(names, sent, strict=True):
            assert store(camera, f"{DOOR}/{name}", data).startswith("226")
    assert ftp.contents == sent
    assert ftp.lying == {}


def test_allo_is_answered_with_plain_success(ftp: Ftp) -> None:
    with ftp.login() as camera:
        assert camera.sendcmd("ALLO 100000").startswith("200")


def test_a_type_that_no_server_knows_is_refused(ftp: Ftp) -> None:
    with ftp.login() as camera, pytest.raises(ftplib.error_perm, match="504"):
        camera.sendcmd("TYPE E")


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("PASV", r"227 Entering Passive Mode \(127,0,0,1,\d+,\d+\)\."),
        ("EPSV", r"229 Entering Extended Passive Mode \(\|\|\|\d+\|\)\."),
        ("EPSV ALL", "200 "),
        ("SYST", "215 UNIX Type: L8"),
        ("PWD", r'257 "/"'),
        ("PWD  ", r'257 "/"'),
        ("NOOP and more", "200 "),
        ("SYST now", "215 "),
        ("OPTS UTF8 ON", "200 "),
        ("OPTS UTF8 NLST", "501|200"),
        ("SITE UMASK 022", "200 "),
        ("ALLO 1000 R 10", "200 "),
        ("STRU F", "200 "),
        ("MODE S", "200 "),
        (f"CWD {DOOR}", f'250 "/{DOOR}"'),
    ],
)
def test_replies_are_in_the_words_that_firmware_looks_for(ftp: Ftp, command: str, reply: str) -> None:
    with ftp.login() as camera:
        store(camera, f"{DOOR}/a.jpg")
        assert re.match(reply, camera.sendcmd(command))
        assert camera.sendcmd(f"SIZE /{DOOR}/a.jpg") == f"213 {len(PICTURE)}"


def test_features_end_as_they_should_and_utf_8_may_be_set_before_the_login(ftp: Ftp) -> None:
    with contextlib.closing(ftp.connect()) as camera:
        features = camera.sendcmd("FEAT").splitlines()
        assert (features[0][:4], features[-1][:4]) == ("211-", "211 ")
        assert {" UTF8", " SIZE", " MDTM", " EPSV"} <= set(features)
        assert camera.sendcmd("OPTS UTF8 ON").startswith("200")
        with pytest.raises(ftplib.error_perm, match="530"):
            camera.sendcmd("PWD")


@pytest.mark.parametrize("command", [f"STOR {DOOR}/a.jpg", f"APPE {DOOR}/a.jpg", "STOU a.jpg", "LIST", "NLST", "MLSD"])
@pytest.mark.parametrize("connected", [False, True])
def test_a_transfer_begins_with_150_and_ends_with_226(ftp: Ftp, command: str, *, connected: bool) -> None:
    with ftp.login() as camera:
        where = camera.makepasv()
        data = socket.create_connection(where) if connected else None
        camera.voidcmd("NOOP")  # the server looks at all connections in turn: it has accepted that one after this
        camera.putcmd(command)
        assert camera.getresp()[:4] == "150 "
        with data or socket.create_connection(where) as connection:
            if command[:4] in ("STOR", "APPE", "STOU"):
                connection.sendall(PICTURE)
                connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
        assert camera.getresp() == "226 Transfer complete."


HAUSTUER = CameraFolders([PushingCamera("Haustür Camera", "", "haustür"), PushingCamera("Yard Camera", "", "yard")])


@pytest.fixture
def umlauts(tmp_path: Path) -> Iterator[Ftp]:
    callbacks: dict[str, Any] = {"names_camera": HAUSTUER.names_camera, "respelled": HAUSTUER.respelled}
    with Ftp(tmp_path, folders=HAUSTUER.folders(), **callbacks) as server:
        yield server


SPELLINGS = {
    "composed": "haustür".encode(),
    "decomposed": unicodedata.normalize("NFD", "Haustür").encode(),
    "latin-1": "Haustür".encode("latin-1"),
    "ue": b"Haustuer",
    "u": b"haustur",
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_a_folder_with_an_umlaut_is_the_camera_s_in_each_spelling(umlauts: Ftp, spelling: bytes) -> None:
    with umlauts.login() as camera:
        camera.encoding = "latin-1"  # bytes as they are
        folder = f"/{UPLOADS}/{spelling.decode('latin-1')}"
        store(camera, f"{folder}/a.jpg")
        camera.cwd(folder)
        camera.mkd("20260304")
        camera.cwd("20260304")
        store(camera, "b.jpg")
        assert camera.nlst(folder) == ["20260304", "a.jpg"]
    assert umlauts.names == [f"{UPLOADS}/haustür/a.jpg", f"{UPLOADS}/haustür/20260304/b.jpg"]


def test_a_folder_that_somebody_made_in_another_spelling_stays_the_one_that_it_is(umlauts: Ftp) -> None:
    (umlauts.area / UPLOADS / "Haustuer").mkdir()
    with umlauts.login() as camera:
        camera.cwd(f"{UPLOADS}/Haustuer")
        store(camera, "a.jpg")
        assert camera.nlst() == ["a.jpg"]
    assert umlauts.names == [f"{UPLOADS}/Haustuer/a.jpg"]


def test_missing_parents_are_made(ftp: Ftp) -> None:
    with ftp.login(DOOR_USER, DOOR_PASSWORD) as camera:
        store(camera, "2026/03/04/a.jpg")
        camera.mkd("2026/04/05")
        camera.cwd("/2026/04/05")
        with pytest.raises(ftplib.error_perm, match="550"):
            camera.mkd("/2026/04/05")
    assert ftp.names == [f"{DOOR}/2026/03/04/a.jpg"]


def test_but_not_without_end(ftp: Ftp) -> None:
    with ftp.login() as camera:
        for command in (f"MKD {'d/' * 40}", f"STOR {'d/' * 40}a.jpg", "MKD " + "x" * 300):
            with pytest.raises(ftplib.error_perm, match="550"):
                camera.sendcmd(command)


def test_a_folder_for_each_day_and_hour(ftp: Ftp) -> None:
    with ftp.login(DOOR_USER, DOOR_PASSWORD) as camera:
        for folder in ("20260304", "13"):
            with pytest.raises(ftplib.error_perm):
                camera.cwd(folder)
            camera.mkd(folder)
            camera.cwd(folder)
        assert camera.pwd() == "/20260304/13"
        store(camera, "a.jpg")
    assert ftp.names == [f"{DOOR}/20260304/13/a.jpg"]


def test_a_probe_is_stored_and_measured_and_its_removal_refused(ftp: Ftp) -> None:
    with ftp.login() as camera:
        assert store(camera, f"{DOOR}/test.txt", b"probe").startswith("226")
        assert camera.size(f"{DOOR}/test.txt") == 5
        with pytest.raises(ftplib.error_perm, match="550"):
            camera.delete(f"{DOOR}/test.txt")
        with pytest.raises(ftplib.error_perm, match="550"):
            camera.rmd(DOOR)
    assert ftp.taken == []
    assert ftp.lying == {f"{DOOR}/test.txt": b"probe"}


def test_a_temporary_name_is_waited_for_to_be_changed(ftp: Ftp) -> None:
    with ftp.login() as camera:
        for name in ("a.jpg.tmp", ".b.jpg", "c.part"):
            store(camera, f"{DOOR}/{name}")
        assert ftp.taken == []
        camera.rename(f"{DOOR}/a.jpg.tmp", f"{DOOR}/a.jpg")
        assert (ftp.names, ftp.contents) == ([f"{DOOR}/a.jpg"], [PICTURE])
        camera.rename(f"{DOOR}/c.part", f"{DOOR}/20260304/c.jpg")
    assert ftp.names[1:] == [f"{DOOR}/20260304/c.jpg"]
    assert set(ftp.lying) == {f"{DOOR}/.b.jpg"}


def test_what_was_taken_still_seems_to_be_there(ftp: Ftp) -> None:
    with ftp.login() as camera:
        camera.cwd(DOOR)
        store(camera, "a.jpg")
        assert camera.size("a.jpg") == len(PICTURE)
        assert camera.sendcmd("MDTM a.jpg").startswith("213 2")
        assert camera.nlst() == ["a.jpg"]
        camera.rename("a.jpg", "b.jpg")
        assert camera.nlst() == ["b.jpg"]
        assert camera.sendcmd("MFMT 20200101000000 b.jpg").startswith("213")
    assert ftp.names == [f"{DOOR}/a.jpg"]


def test_a_name_used_again_and_again_is_a_new_file_each_time(ftp: Ftp) -> None:
    with ftp.login() as camera:
        pictures = [PICTURE + b"\0" * count for count in range(5)]
        for data in pictures:
            store(camera, f"{DOOR}/snapshot.jpg", data)
    assert ftp.contents == pictures
    assert len({taken.id for taken in ftp.taken}) == 5


def test_stou_finds_a_name(ftp: Ftp) -> None:
    with ftp.login(DOOR_USER, DOOR_PASSWORD) as camera:
        for command in ("STOU", "STOU a.jpg"):
            camera.storbinary(command, io.BytesIO(PICTURE))
    assert ftp.contents == [PICTURE, PICTURE]


@pytest.mark.parametrize("kept", [0, 1, 1000, -1])
def test_appe_completes_what_was_cut(ftp: Ftp, kept: int) -> None:
    with ftp.login() as camera:
        store(camera, f"{DOOR}/a.jpg", PICTURE[:kept])
        assert ftp.lying == {f"{DOOR}/a.jpg": PICTURE[:kept]}
        camera.storbinary(f"APPE {DOOR}/a.jpg", io.BytesIO(PICTURE[kept:]))
    assert (ftp.contents, ftp.lying) == ([PICTURE], {})


def test_rest_goes_on_where_it_was_cut(ftp: Ftp) -> None:
    with ftp.login() as camera:
        store(camera, f"{DOOR}/a.jpg", PICTURE[:2000])
        with pytest.raises(ftplib.error_perm, match="554"):
            camera.storbinary(f"STOR {DOOR}/a.jpg", io.BytesIO(PICTURE[3000:]), rest=3000)
        camera.storbinary(f"STOR {DOOR}/a.jpg", io.BytesIO(PICTURE[1500:]), rest=1500)
    assert (ftp.contents, ftp.lying) == ([PICTURE], {})


def test_a_second_try_replaces_what_was_cut(ftp: Ftp) -> None:
    with ftp.login() as camera:
        store(camera, f"{DOOR}/a.jpg", PICTURE[:2000])
        store(camera, f"{DOOR}/a.jpg")
    assert (ftp.contents, ftp.lying) == ([PICTURE], {})


def test_an_empty_file_is_left_to_the_watcher(ftp: Ftp) -> None:
    with ftp.login() as camera:
        store(camera, f"{DOOR}/a.jpg", b"")
        assert camera.size(f"{DOOR}/a.jpg") == 0
    assert (ftp.taken, ftp.lying) == ([], {f"{DOOR}/a.jpg": b""})


def test_a_video_that_breaks_off_is_left_to_the_watcher(ftp: Ftp) -> None:
    video = b"\0\0\0\x18ftypmp42" + bytes(10_000)
    with ftp.login() as camera:
        for name, data in (("a.jpg", PICTURE), ("a.mp4", video), ("b.jpg", PICTURE)):
            store(camera, f"{DOOR}/{name}", data)
    assert ftp.names == [f"{DOOR}/a.jpg", f"{DOOR}/b.jpg"]
    assert ftp.lying == {f"{DOOR}/a.mp4": video}


def test_site_commands_do_no_harm(ftp: Ftp) -> None:
    with ftp.login() as camera:
        for command in ("CHMOD 777 /", "UMASK 000", "UTIME x", "EXEC /bin/sh"):
            assert camera.sendcmd(f"SITE {command}").startswith("200")
    assert ftp.area.stat().st_mode & 0o022 == 0


def test_two_uploads_under_one_name_do_not_mix(ftp: Ftp) -> None:
    other = PICTURE[:-2] + bytes(5000) + PICTURE[-2:]
    with ftp.login() as one, ftp.login() as two:
        first, second = one.transfercmd(f"STOR {DOOR}/a.jpg"), two.transfercmd(f"STOR {DOOR}/a.jpg")
        for at in range(0, len(other), 1000):
            first.sendall(PICTURE[at : at + 1000])
            second.sendall(other[at : at + 1000])
        for session, connection in ((one, first), (two, second)):
            connection.close()
            session.voidresp()
    assert sorted(ftp.contents, key=len) == [PICTURE, other]


def test_nobody_sees_half_a_file_under_its_name(ftp: Ftp) -> None:
    with ftp.login() as camera:
        with camera.transfercmd(f"STOR {DOOR}/a.jpg") as connection:
            connection.sendall(PICTURE[:3000])
            eventually(lambda: any(len(data) == 3000 for data in ftp.lying.values()))
            assert not (ftp.area / DOOR / "a.jpg").exists()
            assert camera.host  # the session is still there
        camera.voidresp()


def test_a_camera_that_hangs_up_without_waiting_has_uploaded_all_the_same(ftp: Ftp) -> None:
    data = PICTURE[:-2] + bytes(400_000) + PICTURE[-2:]
    with ftp.login() as camera:
        connection = camera.transfercmd(f"STOR {DOOR}/a.jpg")
        connection.sendall(data)
        connection.close()
        camera.close()
    eventually(lambda: ftp.contents == [data])


# -- connections ------------------------------------------------------------------------------------


@pytest.mark.parametrize("passive", [True, False])
def test_active_and_passive(ftp: Ftp, passive: bool) -> None:
    with ftp.login() as camera:
        camera.set_pasv(passive)
        store(camera, f"{DOOR}/a.jpg")
    assert ftp.contents == [PICTURE]


@pytest.mark.parametrize("host", ["::1", "::"])
@pytest.mark.parametrize("passive", [True, False])
def test_ipv6_with_epsv_and_eprt(tmp_path: Path, host: str, passive: bool) -> None:
    with Ftp(tmp_path, host=host) as ftp, contextlib.closing(ftplib.FTP()) as camera:
        camera.connect("::1", ftp.port, timeout=10)
        camera.login(DOOR_USER, DOOR_PASSWORD)
        camera.set_pasv(passive)
        store(camera, "a.jpg")
        assert ftp.contents == [PICTURE]


@pytest.mark.parametrize("passive", [True, False])
def test_ipv4_on_a_socket_for_both(tmp_path: Path, passive: bool) -> None:
    with Ftp(tmp_path, host="::") as ftp, contextlib.closing(ftplib.FTP()) as camera:
        camera.connect("127.0.0.1", ftp.port, timeout=10)
        camera.login(DOOR_USER, DOOR_PASSWORD)
        camera.set_pasv(passive)
        store(camera, "a.jpg")
        assert ftp.contents == [PICTURE]


def passive_port(camera: ftplib.FTP) -> int:
    return ftplib.parse227(camera.sendcmd("PASV"))[1]


def test_passive_ports_and_the_masquerade_address_are_told(tmp_path: Path) -> None:
    with Ftp(tmp_path, masquerade_address="192.168.1.10") as ftp, ftp.login() as camera:
        host, port = ftplib.parse227(camera.sendcmd("PASV"))
        assert host == "192.168.1.10"
        assert port in ftp.settings.passive_range


def test_when_no_passive_port_is_free_the_client_is_told_at_once(tmp_path: Path) -> None:
    with Ftp(tmp_path, passive=2) as ftp, contextlib.ExitStack() as stack:
        cameras = [stack.enter_context(ftp.login()) for _ in range(3)]
        assert {passive_port(camera) for camera in cameras[:2]} == set(ftp.settings.passive_range)
        with pytest.raises(ftplib.error_temp, match="425"):
            cameras[2].sendcmd("PASV")
        cameras[0].close()
        eventually(lambda: cameras[2].sendcmd("NOOP") and _try_passive(cameras[2]))


def _try_passive(camera: ftplib.FTP) -> bool:
    with contextlib.suppress(ftplib.error_temp):
        return passive_port(camera) > 0
    return False


def test_data_may_come_from_another_address_of_the_same_home_but_of_no_other(ftp: Ftp) -> None:
    with ftp.login() as camera:
        port = passive_port(camera)
        camera.putcmd(f"STOR {DOOR}/a.jpg")
        assert camera.getresp().startswith("150")
        with socket.create_connection(("127.0.0.1", port), 5, ("127.9.0.1", 0)) as stranger:
            assert stranger.recv(1) == b""
        with pytest.raises(ftplib.error_temp, match="425"):
            camera.getresp()
        with socket.create_connection(("127.0.0.1", port), 5, ("127.0.0.9", 0)) as own:
            own.sendall(PICTURE)
        assert camera.getresp().startswith("226")
    assert ftp.contents == [PICTURE]


def test_active_mode_reaches_nobody_but_the_client(ftp: Ftp) -> None:
    with ftp.login() as camera:
        for command in ("PORT 127,0,0,2,100,0", "EPRT |1|192.168.1.1|8080|", "PORT 127,0,0,1,0,80"):
            with pytest.raises(ftplib.error_perm, match="501"):
                camera.sendcmd(command)


def test_sessions_are_limited_for_each_address(tmp_path: Path) -> None:
    with Ftp(tmp_path, max_per_address=2) as ftp, ftp.login(), ftp.login() as second:
        with pytest.raises(ftplib.error_temp, match="421"):
            ftp.connect()
        with ftp.login(source="127.0.0.2") as other:
            store(other, f"{DOOR}/a.jpg")
        second.close()
        eventually(lambda: _can_connect(ftp))


def _can_connect(ftp: Ftp) -> bool:
    with contextlib.suppress(ftplib.Error, EOFError), contextlib.closing(ftp.connect()):
        return True
    return False


def test_data_connections_take_no_session_s_place(tmp_path: Path) -> None:
    with Ftp(tmp_path, max_connections=3) as ftp, contextlib.ExitStack() as stack:
        cameras = [stack.enter_context(ftp.login()) for _ in range(3)]
        uploads = [stack.enter_context(camera.transfercmd(f"STOR {DOOR}/a.jpg")) for camera in cameras]
        with pytest.raises(ftplib.error_temp, match="421"):
            ftp.connect()
        for camera, connection in zip(cameras, uploads, strict=True):
            connection.sendall(PICTURE)
            connection.close()
            camera.voidresp()
        assert ftp.contents == [PICTURE] * 3


def _is_cut(client: ftplib.FTP) -> bool:
    try:
        client.sendcmd("NOOP")
    except (EOFError, OSError):
        return True
    return False


def test_chatter_keeps_no_connection_that_never_logs_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.uploads.ftp.handler.HEAD_S", 0.3)
    with Ftp(tmp_path) as ftp, ftp.login() as camera, contextlib.closing(ftp.connect()) as stranger:
        while not _is_cut(stranger):
            pass
        store(camera, f"{DOOR}/a.jpg")


def test_a_file_that_comes_byte_by_byte_is_a_stall(tmp_path: Path) -> None:
    with Ftp(tmp_path, stall_timeout=1.0) as ftp, ftp.login() as camera:
        with camera.transfercmd(f"STOR {DOOR}/a.jpg") as connection, contextlib.suppress(OSError):
            for _ in range(3000):
                connection.sendall(b"x")
                if ftp.outcomes:
                    break
                time.sleep(0.01)
        assert ftp.outcomes[0] == "stalled"


def test_silence_ends_a_session_that_never_logs_in(tmp_path: Path) -> None:
    with Ftp(tmp_path, stall_timeout=1.0) as ftp, contextlib.closing(ftp.connect()) as camera:
        assert camera.sock is not None
        with pytest.raises(ftplib.error_temp, match="421"):
            camera.getresp()


# -- whose ------------------------------------------------------------------------------------------


def test_with_the_shared_login_the_address_says_whose_it_is_where_the_path_does_not(tmp_path: Path) -> None:
    camera_folders = {"127.0.0.1": PurePosixPath(DOOR)}
    with Ftp(
        tmp_path,
        folder_by_address=camera_folders.get,
        names_camera=lambda name: name.parts[:2] == ("uploads", "snapshots") and len(name.parts) > 2,
    ) as ftp:
        with ftp.login() as camera:
            store(camera, "/a.jpg")
            assert camera.size("/a.jpg") == len(PICTURE)
            camera.mkd("20260304")
            camera.cwd("20260304")
            store(camera, "b.jpg", PICTURE[:99])
            camera.storbinary("APPE b.jpg", io.BytesIO(PICTURE[99:]))
            store(camera, f"/{UPLOADS}/yard/c.jpg")
        with ftp.login(source="127.0.0.2") as stranger:
            store(stranger, "/d.jpg")
        assert ftp.names == [f"{DOOR}/a.jpg", f"{DOOR}/20260304/b.jpg", f"{UPLOADS}/yard/c.jpg", "d.jpg"]
        assert ftp.contents == [PICTURE] * 4


# -- alone, and the thread --------------------------------------------------------------------------


def test_alone_it_leaves_files_under_their_names_and_none_is_overwritten(tmp_path: Path) -> None:
    with Ftp(tmp_path, alone=True) as ftp:
        with ftp.login() as camera:
            for count in range(3):
                store(camera, f"{DOOR}/a.jpg", PICTURE + b"\0" * count)
            store(camera, f"{DOOR}/b.jpg", PICTURE[:100])
            store(camera, f"{DOOR}/b.jpg")
        assert sorted(map(len, ftp.lying.values())) == [len(PICTURE)] * 2 + [
            len(PICTURE) + 1,
            len(PICTURE) + 2,
        ]
        assert ftp.lying[f"{DOOR}/a.jpg"] == PICTURE + b"\0\0"


def test_folders_are_made_on_start(tmp_path: Path) -> None:
    with Ftp(tmp_path, create_dirs=("a/b",)) as ftp:
        assert (ftp.area / "a/b").is_dir()
        assert (ftp.area / DOOR).is_dir()


def test_an_address_in_use_is_said_before_anything_starts(tmp_path: Path, ftp: Ftp) -> None:
    with pytest.raises(AddressInUse, match="FTP_PORT"):
        Ftp(tmp_path / "other", port=ftp.port).server.open()


def test_an_area_that_cannot_be_written_is_too(tmp_path: Path) -> None:
    (tmp_path / "ftp").mkdir()
    (tmp_path / "ftp/uploads").write_bytes(b"")
    with pytest.raises(AreaUnusable, match="cannot make folders"):
        Ftp(tmp_path).server.open()


def _is_turned_away(ftp: Ftp) -> bool:
    try:
        with ftp.login():
            return False
    except (ftplib.error_temp, EOFError):
        return True


def test_an_upload_under_way_is_finished_when_the_service_stops(tmp_path: Path) -> None:
    with Ftp(tmp_path) as ftp, ftp.login() as camera:
        connection = camera.transfercmd(f"STOR {DOOR}/a.jpg")
        connection.sendall(PICTURE[:2000])
        eventually(lambda: ftp.lying)
        ftp.server.stop()
        eventually(lambda: _is_turned_away(ftp))
        connection.sendall(PICTURE[2000:])
        connection.close()
        assert camera.voidresp().startswith("226")
        assert ftp.server.join(60)
        assert ftp.contents == [PICTURE]


def test_one_that_does_not_end_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    with Ftp(tmp_path) as ftp, ftp.login() as camera, camera.transfercmd(f"STOR {DOOR}/a.jpg") as connection:
        connection.sendall(PICTURE[:2000])
        eventually(lambda: ftp.lying)
        ftp.server.stop()
        assert ftp.server.join(8)
        assert ftp.taken == []


def test_the_thread_can_be_started_again_on_the_same_port(tmp_path: Path) -> None:
    with Ftp(tmp_path) as ftp:
        ftp.server._abandoned.set()  # as near to a crash as can be had from outside: the loop ends, nobody asked
        assert ftp.server.join(60)
        ftp.server._abandoned = threading.Event()
        ftp.server.start()
        with ftp.login() as camera:
            store(camera, f"{DOOR}/a.jpg")
        assert ftp.contents == [PICTURE]


def test_a_file_that_cannot_be_kept_is_not_acknowledged(ftp: Ftp) -> None:
    (ftp.area / ".taken").rmdir()
    (ftp.area / ".taken").write_bytes(b"")
    with ftp.login() as camera:
        with pytest.raises(ftplib.error_temp, match="451"):
            store(camera, f"{DOOR}/a.jpg")
        (ftp.area / ".taken").unlink()
        store(camera, f"{DOOR}/a.jpg")
    assert (ftp.contents, ftp.outcomes) == ([PICTURE], ["failed", "taken"])


# -- many -------------------------------------------------------------------------------------------


def test_twenty_cameras_at_once_upload_fifty_pictures_each(tmp_path: Path) -> None:
    accounts = [Account(f"camera{one}", Secret("x"), PurePosixPath(f"{UPLOADS}/camera{one}")) for one in range(20)]
    sent = {f"{UPLOADS}/camera{one}/{count}.jpg": picture(f"{one} {count}") for one in range(20) for count in range(50)}
    with Ftp(tmp_path, accounts=accounts, max_per_address=20) as ftp:

        def upload(one: int) -> None:
            with ftp.login(f"camera{one}", "x") as camera:
                for count in range(50):
                    store(camera, f"{count}.jpg", sent[f"{UPLOADS}/camera{one}/{count}.jpg"])

        at_once(*(lambda one=one: upload(one) for one in range(20)))
        assert len(ftp.taken) == 1000
        assert dict(zip(ftp.names, ftp.contents, strict=True)) == sent
        assert ftp.lying == {}
