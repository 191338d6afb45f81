"""Clients of the distribution upload as cameras do, in the clear and by TLS."""

from __future__ import annotations

import contextlib
import ftplib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from pylib.net.limiter import ConnectionLimiter
from tests.integration.ftp import (
    DOOR,
    DOOR_PASSWORD,
    DOOR_USER,
    PASSWORD,
    PICTURE,
    USER,
    Ftp,
    eventually,
    picture,
    reset,
    store,
)
from tests.packages import require

LOGIN = f"{quote(USER)}:{quote(PASSWORD, safe='')}"


@pytest.fixture(scope="session", autouse=True)
def clients() -> None:
    """The clients, installed when they are missing and that is allowed."""
    require(lftp="lftp", curl="curl", ncftpput="ncftp")


@pytest.fixture
def ftp(tmp_path: Path) -> Iterator[Ftp]:
    (tmp_path / "a.jpg").write_bytes(PICTURE)
    with Ftp(tmp_path) as server:
        yield server


@pytest.fixture(params=["offered", "required"])
def ftps(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Ftp]:
    (tmp_path / "a.jpg").write_bytes(PICTURE)
    with Ftp(tmp_path, tls=request.param) as server:
        yield server


def lftp(ftp: Ftp, commands: str, *, tls: bool = False) -> str:
    settings = [
        "set net:max-retries 1",
        "set net:timeout 10",
        f"set ftp:ssl-allow {'yes' if tls else 'no'}",
        f"set ftp:ssl-force {'yes' if tls else 'no'}",
        "set ftp:ssl-protect-data yes",
        f"set ssl:ca-file {ftp.home}/ftp-certificate.pem",
        "set cmd:fail-exit yes",
    ]
    script = "; ".join([*settings, f"open -u '{USER}','{PASSWORD}' -p {ftp.port} localhost", commands])
    return ftp.run("lftp", "--norc", "-c", script)


def curl(ftp: Ftp, *options: str, path: str = f"{DOOR}/a.jpg", fails: bool = False) -> str:
    url = f"ftp://{LOGIN}@localhost:{ftp.port}/{path}"
    return ftp.run("curl", "-q", "-sS", "--max-time", "20", "--ipv4", *options, url, fails=fails)


def ncftpput(ftp: Ftp, *options: str, folder: str = DOOR) -> str:
    login = ("-u", DOOR_USER, "-p", DOOR_PASSWORD) if folder == "/" else ("-u", USER, "-p", PASSWORD)
    return ftp.run(
        "ncftpput", *login, "-P", str(ftp.port), "-t", "10", "-r", "1", *options, "127.0.0.1", folder, "a.jpg"
    )


@pytest.mark.parametrize("passive", ["true", "false"])
def test_lftp_puts_a_file(ftp: Ftp, passive: str) -> None:
    lftp(ftp, f"set ftp:passive-mode {passive}; put -O {DOOR} a.jpg")
    assert (ftp.names, ftp.contents) == ([f"{DOOR}/a.jpg"], [PICTURE])


def test_lftp_puts_one_under_a_temporary_name_first(ftp: Ftp) -> None:
    lftp(ftp, f"set xfer:use-temp-file yes; set xfer:temp-file-name .in.*; put -O {DOOR} a.jpg")
    assert (ftp.names, ftp.contents, ftp.lying) == ([f"{DOOR}/a.jpg"], [PICTURE], {})


def test_lftp_mirrors_a_tree_of_days(ftp: Ftp) -> None:
    sent = {}
    for day in ("20260304", "20260305"):
        for count in range(5):
            path = ftp.home / "tree" / day / f"{count}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture(f"{day} {count}"))
            sent[f"{DOOR}/{day}/{count}.jpg"] = path.read_bytes()
    lftp(ftp, f"mirror -R --parallel=3 tree {DOOR}")
    assert dict(zip(ftp.names, ftp.contents, strict=True)) == sent
    assert len(ftp.taken) == len(sent)


def test_lftp_resumes_what_was_cut(ftp: Ftp) -> None:
    with ftp.login() as camera:
        store(camera, f"{DOOR}/a.jpg", PICTURE[:1500])
    lftp(ftp, f"put -c -O {DOOR} a.jpg")
    assert (ftp.contents, ftp.lying) == ([PICTURE], {})


@pytest.mark.parametrize("mode", ["--ftp-pasv", "--disable-epsv", "--ftp-port=-", "--disable-eprt"])
def test_curl_uploads(ftp: Ftp, mode: str) -> None:
    options = ["--disable-eprt", "--ftp-port", "-"] if mode == "--disable-eprt" else mode.split("=")
    curl(ftp, "-T", "a.jpg", *options)
    assert (ftp.names, ftp.contents) == ([f"{DOOR}/a.jpg"], [PICTURE])


def test_curl_makes_folders(ftp: Ftp) -> None:
    curl(ftp, "-T", "a.jpg", "--ftp-create-dirs", path=f"{DOOR}/2026/03/04/a.jpg")
    assert (ftp.names, ftp.contents) == ([f"{DOOR}/2026/03/04/a.jpg"], [PICTURE])


def test_curl_appends_and_renames(ftp: Ftp) -> None:
    with ftp.login() as camera:
        store(camera, f"{DOOR}/a.jpg.tmp", PICTURE[:700])
    (ftp.home / "rest").write_bytes(PICTURE[700:])
    rename = ("-Q", "-RNFR a.jpg.tmp", "-Q", "-RNTO a.jpg")
    curl(ftp, "-T", "rest", "--append", *rename, path=f"{DOOR}/a.jpg.tmp")
    assert (ftp.names, ftp.contents, ftp.lying) == ([f"{DOOR}/a.jpg"], [PICTURE], {})


@pytest.mark.parametrize("mode", ["-F", "-E"])
def test_ncftpput_uploads(ftp: Ftp, mode: str) -> None:
    ncftpput(ftp, mode)
    assert (ftp.names, ftp.contents) == ([f"{DOOR}/a.jpg"], [PICTURE])


def test_ncftpput_makes_the_folder_and_uses_a_temporary_suffix(ftp: Ftp) -> None:
    ncftpput(ftp, "-m", "-S", ".tmp", folder=f"{DOOR}/20260304")
    assert (ftp.names, ftp.contents, ftp.lying) == ([f"{DOOR}/20260304/a.jpg"], [PICTURE], {})


def test_ncftpput_uploads_with_a_camera_s_own_login(ftp: Ftp) -> None:
    ncftpput(ftp, folder="/")
    assert ftp.names == [f"{DOOR}/a.jpg"]


# -- TLS --------------------------------------------------------------------------------------------


def test_ftplib_uploads_by_tls(ftps: Ftp) -> None:
    with ftps.tls() as camera:
        store(camera, f"{DOOR}/a.jpg")
        store(camera, f"{DOOR}/a.jpg", PICTURE + bytes(3_000))
        assert camera.nlst(DOOR) == ["a.jpg"]
        camera.quit()
    assert ftps.contents == [PICTURE, PICTURE + bytes(3_000)]


@pytest.mark.parametrize("passive", ["true", "false"])
def test_lftp_uploads_by_tls(ftps: Ftp, passive: str) -> None:
    lftp(ftps, f"set ftp:passive-mode {passive}; put -O {DOOR} a.jpg", tls=True)
    assert ftps.contents == [PICTURE]


def test_curl_uploads_by_tls(ftps: Ftp) -> None:
    curl(ftps, "--ssl-reqd", "--cacert", "ftp-certificate.pem", "-T", "a.jpg")
    assert ftps.contents == [PICTURE]


def test_when_tls_is_offered_the_clear_works_too(tmp_path: Path) -> None:
    with Ftp(tmp_path, tls="offered") as ftp, ftp.login() as camera:
        store(camera, f"{DOOR}/a.jpg")
        assert ftp.contents == [PICTURE]


def test_when_tls_is_required_no_password_and_no_picture_goes_in_the_clear(tmp_path: Path) -> None:
    with Ftp(tmp_path, tls="required") as ftp:
        with pytest.raises(ftplib.error_perm, match="550"):
            ftp.login().__enter__()
        with ftp.tls() as camera:
            camera.prot_c()
            with pytest.raises(ftplib.error_perm, match="550"):
                store(camera, f"{DOOR}/a.jpg")
        assert ftp.taken == []


def test_what_was_sent_in_the_clear_behind_auth_tls_is_nobody_s_command(tmp_path: Path) -> None:
    with Ftp(tmp_path, tls="required") as ftp, contextlib.closing(ftp.tls_client()) as camera:
        camera.connect("localhost", ftp.port)
        assert camera.sock is not None
        camera.sock.sendall(b"AUTH TLS\r\nSYST\r\nUSER mallory\r\nNOO")
        assert camera.getresp().startswith("234")
        camera.sock = camera.context.wrap_socket(camera.sock, server_hostname="localhost")
        camera.file = camera.sock.makefile(mode="r", encoding=camera.encoding)
        assert camera.sendcmd("NOOP").startswith("200")  # the first reply is to the first command inside
        assert camera.sendcmd(f"USER {USER}").startswith("331")
        assert camera.sendcmd(f"PASS {PASSWORD}").startswith("230")


def test_a_session_that_is_encrypted_says_so_and_goes_back_to_clear_data_when_told(tmp_path: Path) -> None:
    with Ftp(tmp_path, tls="offered") as ftp, contextlib.closing(ftp.connect()) as camera:
        for command, reply in (("PBSZ 0", "503"), ("PROT P", "503"), ("AUTH KERBEROS", "502")):
            with pytest.raises(ftplib.error_perm, match=reply):
                camera.sendcmd(command)
        with ftp.tls() as encrypted:
            assert " AUTH TLS" in encrypted.sendcmd("FEAT").splitlines()
            with pytest.raises(ftplib.error_perm, match="503"):
                encrypted.sendcmd("AUTH TLS")
            with pytest.raises(ftplib.error_perm, match="536"):
                encrypted.sendcmd("PROT E")
            encrypted.prot_c()
            store(encrypted, f"{DOOR}/a.jpg")
        assert ftp.contents == [PICTURE]


def test_a_client_that_knows_old_ciphers_only_is_served(tmp_path: Path) -> None:
    with Ftp(tmp_path, tls="required") as ftp, contextlib.closing(ftp.tls_client()) as camera:
        camera.context.maximum_version = ssl.TLSVersion.TLSv1_2
        camera.context.set_ciphers("AES128-SHA")
        camera.connect("localhost", ftp.port)
        camera.login(USER, PASSWORD)
        camera.prot_p()
        store(camera, f"{DOOR}/a.jpg")
        assert ftp.contents == [PICTURE]


@pytest.mark.parametrize("garbage", [b"", b"GET / HTTP/1.0\r\n\r\n"])
def test_a_handshake_that_fails_ends_that_connection_only(tmp_path: Path, garbage: bytes) -> None:
    with Ftp(tmp_path, tls="offered") as ftp:
        with contextlib.closing(ftp.connect()) as camera:
            assert camera.sendcmd("AUTH TLS").startswith("234")
            assert camera.sock is not None
            with contextlib.suppress(OSError):  # the server may be quicker
                camera.sock.sendall(garbage)
                camera.sock.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):  # which says that not everything was read
                while camera.sock.recv(4096):
                    pass
        with ftp.tls() as camera:
            connection = socket.create_connection(camera.makepasv())
            camera.putcmd(f"STOR {DOOR}/a.jpg")
            assert camera.getresp().startswith("150")
            with connection:
                with contextlib.suppress(OSError):
                    connection.sendall(garbage)
                    connection.shutdown(socket.SHUT_WR)
                with pytest.raises(ftplib.error_perm, match="522"):
                    camera.voidresp()
            store(camera, f"{DOOR}/a.jpg")
        assert ftp.contents == [PICTURE]


def test_an_encrypted_upload_cut_short_is_not_whole_and_one_without_goodbye_is(tmp_path: Path) -> None:
    with Ftp(tmp_path, tls="required") as ftp, ftp.tls() as camera:
        for name, data in (("a.jpg", PICTURE[:4000]), ("b.jpg", PICTURE)):
            connection = camera.transfercmd(f"STOR {DOOR}/{name}")
            assert isinstance(connection, ssl.SSLSocket)
            connection.sendall(data)
            connection.close()  # without unwrap(): FIN and no close_notify
            camera.voidresp()
        assert (ftp.names, ftp.lying) == ([f"{DOOR}/b.jpg"], {f"{DOOR}/a.jpg": PICTURE[:4000]})


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_that_only_sends_loses_nothing_and_may_resume_its_session(
    tmp_path: Path, version: ssl.TLSVersion
) -> None:
    with Ftp(tmp_path, tls="required") as ftp, ftp.tls() as camera:
        camera.context.maximum_version = version
        first = None
        for number in range(5):
            large = picture(str(number)) + bytes(2_000_000)
            connection = socket.create_connection(camera.makepasv(), timeout=10)
            camera.sendcmd(f"STOR {DOOR}/{number}.jpg")
            with camera.context.wrap_socket(connection, server_hostname="localhost", session=first) as encrypted:
                encrypted.sendall(large)
                first = first or encrypted.session
                assert encrypted.session_reused == (number > 0 and version == ssl.TLSVersion.TLSv1_2)
            assert camera.voidresp().startswith("226")
            assert ftp.contents[-1] == large


def test_an_encrypted_session_is_counted_until_it_is_closed(tmp_path: Path) -> None:
    limiter = ConnectionLimiter(100)
    with Ftp(tmp_path, tls="offered", limiter=limiter, max_per_address=1) as ftp:
        with ftp.tls():
            assert limiter.open == 1
            with pytest.raises(ftplib.error_temp, match="421"), ftp.tls():
                pass
        eventually(lambda: limiter.open == 0)
        with ftp.tls() as camera:
            store(camera, f"{DOOR}/a.jpg")


def test_an_encrypted_upload_that_is_reset_is_not_confirmed(tmp_path: Path) -> None:
    with Ftp(tmp_path, tls="required") as ftp, ftp.tls() as camera:
        connection = camera.transfercmd(f"STOR {DOOR}/a.jpg")
        connection.sendall(PICTURE[:4000])
        eventually(lambda: PICTURE[:4000] in ftp.lying.values())
        reset(connection)
        with pytest.raises(ftplib.error_temp, match="426"):
            camera.voidresp()
        assert (ftp.taken, ftp.lying) == ([], {f"{DOOR}/a.jpg": PICTURE[:4000]})


def test_a_silent_encrypted_upload_is_ended_too(tmp_path: Path) -> None:
    with Ftp(tmp_path, tls="required", stall_timeout=1.0) as ftp, ftp.tls() as camera:
        connection = camera.transfercmd(f"STOR {DOOR}/a.jpg")
        connection.sendall(PICTURE[:4000])
        with pytest.raises(ftplib.error_temp, match="421"):
            camera.voidresp()
        assert ftp.taken == []


def test_a_certificate_of_one_s_own_is_shown(tmp_path: Path) -> None:
    with Ftp(tmp_path / "first", tls="offered"):
        pass
    certificate, key = tmp_path / "first/ftp-certificate.pem", tmp_path / "first/ftp-key.pem"
    with Ftp(tmp_path / "second", tls="required", certificate_file=certificate, key_file=key) as ftp:
        (ftp.home / "ftp-certificate.pem").symlink_to(certificate)
        with ftp.tls() as camera:
            store(camera, f"{DOOR}/a.jpg")
        assert ftp.contents == [PICTURE]
