"""What the FTP server does not let anybody do, and what it does not take for whole."""

from __future__ import annotations

import contextlib
import ftplib
import io
import itertools
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from app.uploads.ftp.settings import BANS_FILE
from pylib.net.login_throttle import read
from tests.integration.ftp import (
    DOOR,
    DOOR_PASSWORD,
    DOOR_USER,
    PASSWORD,
    PICTURE,
    UPLOADS,
    USER,
    Ftp,
    at_once,
    eventually,
    reset,
    store,
)


@pytest.fixture
def ftp(tmp_path: Path) -> Iterator[Ftp]:
    with Ftp(tmp_path) as server:
        yield server


# -- cuts -------------------------------------------------------------------------------------------

TENTHS = [len(PICTURE) * tenth // 10 for tenth in range(10)]


def fin(camera: ftplib.FTP, connection: socket.socket) -> None:
    connection.close()
    camera.close()


def rst(camera: ftplib.FTP, connection: socket.socket) -> None:
    reset(connection)
    assert camera.sock is not None
    reset(camera.sock)


def silence(camera: ftplib.FTP, connection: socket.socket) -> None:
    assert connection.recv(1) == b""
    with contextlib.suppress(EOFError, OSError), pytest.raises(ftplib.error_temp, match="421"):
        camera.voidresp()


@pytest.mark.parametrize("cut", [fin, rst, silence])
def test_an_upload_cut_anywhere_is_never_taken_for_whole(
    tmp_path: Path, cut: Callable[[ftplib.FTP, socket.socket], None]
) -> None:
    with Ftp(tmp_path, stall_timeout=1.0, max_connections=len(TENTHS), max_per_address=len(TENTHS)) as ftp:

        def upload(length: int) -> None:
            with ftp.login(DOOR_USER, DOOR_PASSWORD) as camera:
                connection = camera.transfercmd(f"STOR {length}.jpg")
                connection.sendall(PICTURE[:length])
                cut(camera, connection)

        at_once(*(lambda length=length: upload(length) for length in TENTHS))

        def again(length: int) -> None:
            with ftp.login(DOOR_USER, DOOR_PASSWORD) as camera:
                barrier.append(length)
                eventually(lambda: len(barrier) == len(TENTHS))  # every slot is free again, or this one waits
                store(camera, f"{length}.jpg")

        barrier: list[int] = []
        eventually(lambda: not any(ftp.area.joinpath(".arriving").iterdir()))
        assert ftp.taken == []
        at_once(*(lambda length=length: again(length) for length in TENTHS))
        assert sorted(ftp.names) == sorted(f"{DOOR}/{length}.jpg" for length in TENTHS)
        assert ftp.contents == [PICTURE] * len(TENTHS)
        assert ftp.lying == {}


def test_a_reset_after_the_last_byte_loses_nothing(ftp: Ftp) -> None:
    with ftp.login() as camera:
        connection = camera.transfercmd(f"STOR {DOOR}/a.jpg")
        connection.sendall(PICTURE)
        time.sleep(0.2)
        rst(camera, connection)
    eventually(lambda: ftp.contents == [PICTURE])


def holds(ftp: Ftp, data: bytes) -> bool:
    return data in ftp.lying.values()


def test_an_upload_that_is_reset_is_confirmed_only_if_it_is_complete(ftp: Ftp) -> None:
    with ftp.login() as camera:
        for length, confirmed in ((4000, False), (len(PICTURE), True)):
            connection = camera.transfercmd(f"STOR {DOOR}/a.jpg")
            connection.sendall(PICTURE[:length])
            eventually(partial(holds, ftp, PICTURE[:length]))
            reset(connection)
            assert camera.getmultiline().startswith("226" if confirmed else "426")
        assert (ftp.contents, ftp.lying) == ([PICTURE], {})


def test_a_slow_upload_is_not_a_stalled_one(tmp_path: Path) -> None:
    with Ftp(tmp_path, stall_timeout=3.0) as ftp, ftp.login() as camera:
        with camera.transfercmd(f"STOR {DOOR}/a.jpg") as connection:
            for at in range(0, len(PICTURE), len(PICTURE) // 5):
                connection.sendall(PICTURE[at : at + len(PICTURE) // 5])
                time.sleep(0.8)
        camera.voidresp()
        assert ftp.contents == [PICTURE]


def test_an_aborted_upload_is_not_whole(ftp: Ftp) -> None:
    with ftp.login() as camera:
        connection = camera.transfercmd(f"STOR {DOOR}/a.jpg")
        connection.sendall(PICTURE[:3000])
        eventually(lambda: any(len(data) == 3000 for data in ftp.lying.values()))
        camera.putcmd("ABOR")
        assert camera.getmultiline().startswith("426")
        assert camera.getmultiline().startswith("226")
        assert ftp.lying == {f"{DOOR}/a.jpg": PICTURE[:3000]}


# -- confinement ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["../yard/a.jpg", "../../../a.jpg", "/../../../../etc/a.jpg", "x/../../a.jpg"])
def test_a_camera_does_not_leave_its_folder(ftp: Ftp, path: str) -> None:
    with ftp.login(DOOR_USER, DOOR_PASSWORD) as camera:
        store(camera, path)
        store(camera, "probe", b"x")
        camera.rename("probe", f"{path}.txt")
        assert camera.pwd() == "/"
    assert all(name.startswith(f"{DOOR}/") for name in (*ftp.names, *ftp.lying))


def test_it_neither_sees_nor_fetches_what_is_not_its_own(ftp: Ftp) -> None:
    with ftp.login() as home:
        store(home, f"{UPLOADS}/yard/a.txt", b"yard")
        store(home, f"{DOOR}/a.txt", b"door")
        with pytest.raises(ftplib.error_perm, match="550"):
            home.retrbinary(f"RETR {DOOR}/a.txt", lambda _data: None)
    with ftp.login(DOOR_USER, DOOR_PASSWORD) as camera:
        assert camera.nlst() == ["a.txt"]
        got: list[bytes] = []
        camera.retrbinary("RETR a.txt", got.append)
        assert got == [b"door"]
        for path in ("../yard/a.txt", f"/{UPLOADS}/yard/a.txt", "../../../../../../../../etc/passwd"):
            with pytest.raises(ftplib.error_perm, match="550"):
                camera.retrbinary(f"RETR {path}", got.append)


COMMANDS = (
    "CWD {}",
    "STOR {}/a.jpg",
    "APPE {}/a.jpg",
    "MKD {}/new",
    "NLST {}",
    "MLST {}",
    "SIZE {}/a.txt",
    "RNFR {}/a.txt",
)


@pytest.mark.parametrize("command", [*COMMANDS, "RETR {}/a.txt"])
def test_no_link_is_followed(ftp: Ftp, command: str) -> None:
    outside = ftp.home / "outside"
    outside.mkdir()
    (outside / "a.txt").write_text("secret")
    for target in (outside, ftp.area / UPLOADS):
        link = ftp.area / DOOR / f"to-{target.name}"
        link.symlink_to(target)
        with ftp.login(DOOR_USER, DOOR_PASSWORD) as camera, pytest.raises(ftplib.error_perm, match="550"):
            camera.sendcmd(command.format(link.name))
    assert [path.name for path in outside.iterdir()] == ["a.txt"]


def test_a_link_in_a_file_s_place_is_neither_written_nor_read_nor_shown(ftp: Ftp) -> None:
    secret = ftp.home / "secret"
    secret.write_text("secret")
    (ftp.area / DOOR / "a.jpg").symlink_to(secret)
    with ftp.login(DOOR_USER, DOOR_PASSWORD) as camera:
        for command in ("STOR a.jpg", "APPE a.jpg", "RETR a.jpg", "RNFR a.jpg", "SIZE a.jpg"):
            with pytest.raises(ftplib.error_perm, match="550"):
                camera.sendcmd(command)
        assert camera.nlst() == []
    assert secret.read_text() == "secret"


def test_a_folder_that_is_a_link_confines_nobody_elsewhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "ftp" / UPLOADS).mkdir(parents=True)
    (tmp_path / "ftp" / DOOR).symlink_to(outside)
    with Ftp(tmp_path) as ftp, ftp.login(DOOR_USER, DOOR_PASSWORD) as camera:
        with pytest.raises(ftplib.error_perm, match="550"):
            store(camera, "a.jpg")
        assert list(outside.iterdir()) == []


def test_a_data_directory_behind_a_link_works(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "home").symlink_to(tmp_path / "disk")
    with Ftp(tmp_path / "home") as ftp, ftp.login() as camera:
        store(camera, f"{DOOR}/a.jpg")
        assert ftp.contents == [PICTURE]


def test_a_fifo_in_a_file_s_place_blocks_nobody(ftp: Ftp) -> None:
    import os

    os.mkfifo(ftp.area / DOOR / "pipe")
    with ftp.login(DOOR_USER, DOOR_PASSWORD) as camera:
        for command in ("RETR pipe", "SIZE pipe", "RNFR pipe"):
            with pytest.raises(ftplib.error_perm, match="550"):
                camera.sendcmd(command)
        store(camera, "a.jpg")


def test_what_the_service_keeps_in_the_area_is_out_of_reach(ftp: Ftp) -> None:
    with ftp.login() as camera:
        store(camera, f"{DOOR}/a.jpg")
        assert set(camera.nlst()) == {"uploads"}
        for folder in (".taken", ".arriving", "/.taken/../.taken", f".taken/{ftp.taken[0].id}"):
            for command in ("CWD {}", "NLST {}", "STOR {}/a.jpg", "MKD {}/x", "RNFR {}"):
                with pytest.raises(ftplib.error_perm, match="550"):
                    camera.sendcmd(command.format(folder))


def test_folders_keep_their_names(ftp: Ftp) -> None:
    with ftp.login() as camera:
        for path in (DOOR, "uploads", "/"):
            with pytest.raises(ftplib.error_perm, match="550"):
                camera.rename(path, "elsewhere")
        store(camera, "probe", b"x")
        with pytest.raises(ftplib.error_perm, match="550"):
            camera.rename("probe", DOOR)
        with pytest.raises(ftplib.error_perm, match="550"):
            store(camera, DOOR)
    assert (ftp.area / DOOR).is_dir()


def test_control_characters_and_endless_lines_are_refused(ftp: Ftp) -> None:
    with ftp.login() as camera:
        assert camera.sock is not None
        for line in (b"STOR a\0.jpg\r\n", b"MKD a\x1b[2J\r\n", b"STOR a\nb.jpg\r\n"):
            camera.sock.sendall(line)
            assert camera.getmultiline().startswith("501")
        camera.sock.sendall(b"A" * 5000)
        assert camera.getmultiline().startswith("500")


def test_nothing_but_the_login_works_before_it(ftp: Ftp) -> None:
    for command in ("PASV", "STOR a.jpg", "LIST", "SITE CHMOD 777 x", "MKD a", "STAT /"):
        with contextlib.closing(ftp.connect()) as stranger, pytest.raises(ftplib.error_perm, match="530"):
            stranger.sendcmd(command)


# -- quota ------------------------------------------------------------------------------------------


def test_a_camera_that_fills_its_share_is_refused_and_others_are_not(tmp_path: Path) -> None:
    with Ftp(tmp_path, quota=300_000) as ftp:
        with ftp.login() as camera:
            with pytest.raises(ftplib.error_perm, match="552"):
                store(camera, f"{DOOR}/big.bin", bytes(400_000))
            assert ftp.lying == {}
            store(camera, f"{DOOR}/a.bin", bytes(299_000))
            with pytest.raises(ftplib.error_perm, match="552"):
                store(camera, f"{DOOR}/a.jpg")
            store(camera, f"{UPLOADS}/yard/a.jpg")
        assert ftp.names == [f"{UPLOADS}/yard/a.jpg"]
        assert ftp.outcomes == ["over_quota", "left", "over_quota", "taken"]


def test_it_may_send_again_once_there_is_room(tmp_path: Path) -> None:
    with Ftp(tmp_path, quota=300_000) as ftp, ftp.login() as camera:
        store(camera, f"{DOOR}/a.bin", bytes(299_000))
        (ftp.area / DOOR / "a.bin").unlink()

        def accepted() -> bool:
            with contextlib.suppress(ftplib.error_perm):
                store(camera, f"{DOOR}/a.jpg")
            return bool(ftp.taken)

        eventually(accepted, within=20)


# -- bans -------------------------------------------------------------------------------------------


_numbers = itertools.count()


def guess(ftp: Ftp, count: int) -> int:
    """Try so many wrong passwords; how many the server looked at."""
    answered = 0
    for _ in range(count):
        with contextlib.suppress(OSError, EOFError), contextlib.closing(ftp.connect()) as stranger:
            try:
                stranger.login(USER, f"{PASSWORD}{next(_numbers)}")
            except ftplib.error_perm:
                answered += 1
            except ftplib.error_temp:
                pass  # not looked at any more
    return answered


def test_two_thousand_bad_logins_get_an_address_banned_and_cameras_go_on(tmp_path: Path) -> None:
    with Ftp(tmp_path, ban_after=10, max_per_address=50) as ftp, ftp.login(source="127.0.0.2") as camera:
        answers: list[int] = []
        at_once(*[lambda: answers.append(guess(ftp, 100))] * 20)
        assert 9 <= sum(answers) <= 9 + 20  # those under way when the ban came
        store(camera, f"{DOOR}/a.jpg")
        with ftp.login(source="127.0.0.3") as another:
            store(another, f"{DOOR}/b.jpg")
        with pytest.raises(ftplib.error_temp, match="421 Too many bad logins"), ftp.login():
            pass
        assert len(ftp.server.throttle.bans()) == 1
        assert ftp.outcomes.count("banned") == 1
        assert ftp.outcomes.count("bad_login") == 10
        eventually(lambda: [ban.address for ban in read(tmp_path / BANS_FILE)] == ["127.0.0.1"])
        assert ftp.names == [f"{DOOR}/a.jpg", f"{DOOR}/b.jpg"]


def test_a_ban_ends_by_itself(tmp_path: Path) -> None:
    with Ftp(tmp_path, ban_after=1, ban_for=3.0) as ftp:
        assert guess(ftp, 1) == 0  # told at once that it was the last
        with pytest.raises(ftplib.error_temp), ftp.login():
            pass

        def is_let_in() -> bool:
            try:
                with ftp.login() as camera:
                    store(camera, f"{DOOR}/a.jpg")
            except ftplib.error_temp:
                return False
            return True

        eventually(is_let_in)


def test_a_wrong_camera_bans_none_behind_its_address_and_one_that_worked_there_stays_welcome(tmp_path: Path) -> None:
    with Ftp(tmp_path, ban_after=3) as ftp:
        for password in ("old", "wrong", "other"):
            with pytest.raises(ftplib.Error), ftp.login(DOOR_USER, password):
                pass
        with pytest.raises(ftplib.error_temp, match="421"), ftp.login(DOOR_USER, DOOR_PASSWORD):
            pass
        with ftp.login(USER, PASSWORD):
            pass
        for name in ("root", "admin", "guest"):
            with pytest.raises(ftplib.Error), ftp.login(name, "x"):
                pass
        with ftp.login(USER, PASSWORD) as camera:
            store(camera, f"{DOOR}/a.jpg")
        assert [(ban.address, ban.login) for ban in ftp.server.throttle.bans()] == [
            ("127.0.0.1", ""),
            ("127.0.0.1", DOOR_USER),
        ]
        assert ftp.server.throttle.lift("127.0.0.1") == 2
        with ftp.login(DOOR_USER, DOOR_PASSWORD):
            pass


def test_a_camera_that_tries_anonymous_first_is_not_banned(tmp_path: Path) -> None:
    with Ftp(tmp_path, ban_after=2) as ftp:
        for _ in range(3):
            with contextlib.closing(ftp.connect()) as camera:
                with pytest.raises(ftplib.error_perm, match="530"):
                    camera.login()
                camera.login(USER, PASSWORD)
                camera.storbinary(f"STOR {DOOR}/a.jpg", io.BytesIO(PICTURE))
        assert len(ftp.taken) == 3
