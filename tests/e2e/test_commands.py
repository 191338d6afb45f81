"""A day's work by command: cameras that upload by FTP, a look at what came, a backup and its restoration, an export."""

from __future__ import annotations

import ftplib
import io
import json
import shutil
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from tests.broker import free_ports, free_range
from tests.e2e.conftest import Launch
from tests.e2e.pictures import jpeg
from tests.e2e.process import ServiceProcess, until
from tests.simulators.camera import CameraSimulator


@pytest.fixture
def service(launch: Launch, cameras: CameraSimulator) -> ServiceProcess:
    """Without a broker: one camera that is asked, one that uploads, and one that is away."""
    (port,) = free_ports(1)
    passive = free_range(4)
    ftp = {"host": "127.0.0.1", "port": port, "passive_ports": f"{passive[0]}-{passive[-1]}", "tls": "off"}
    configured = [
        {"kind": "still", "location": "Yard", "url": cameras.url("stamped", "yard")},
        {"kind": "foscam", "location": "Front Door"},
        {"kind": "still", "location": "Shed", "url": "http://127.0.0.1:1/"},
    ]
    login = {"username": "cams", "password": "s3cret"}
    settings = {"cameras": configured, "ftp": {**ftp, **login}, "uploads": {"settle": 0}, "time_zone": "UTC"}
    return launch(**settings).start().wait_ready()


def said(service: ServiceProcess, *arguments: str) -> str:
    done = service.command(*arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_from_the_line_in_the_configuration_to_the_picture_by_ftp_to_backup_and_export(
    service: ServiceProcess, tmp_path: Path
) -> None:
    (ftp,) = service.log_lines("FTP for cameras", logins="cams")
    (album,) = service.log_lines("the album")
    assert album["address"] == f"http://127.0.0.1:{service.port}/"
    door = next(folder for folder in ftp["folders"].split(", ") if folder.endswith("frontdoor"))
    with closing(ftplib.FTP()) as client:
        client.connect("127.0.0.1", ftp["port"], timeout=30)
        client.login("cams", "s3cret")
        client.storbinary(f"STOR /{door}/20260304_050607.jpg", io.BytesIO(jpeg()))
    uploaded = until(lambda: said(service, "events", "--json", "--camera", "front door").splitlines(), what="upload")
    assert json.loads(uploaded[0])["origin"] == "ftp"

    assert "  Yard  " in said(service, "trigger", "yard")
    away = service.command("trigger", "shed")
    assert (away.returncode, "refused: " in away.stdout, away.stderr) == (1, True, "")

    # What was kept comes back on another machine, and the day can be exported there without a service.
    assert "files" in said(service, "backup", str(tmp_path / "kept.tar"))
    service.terminate()
    assert service.wait() == 0
    shutil.rmtree(service.home / "data")
    assert "restored" in said(service, "restore", str(tmp_path / "kept.tar"))
    listed = {one["camera"]: one for one in json.loads(said(service, "cameras", "list", "--json"))}
    assert listed["Yard Camera"]["last_picture"]
    assert listed["Shed Camera"]["problem"].startswith("refused: ")
    day = listed["Yard Camera"]["last_picture"][:10]
    assert "1 picture, " in said(service, "export", str(tmp_path / "day.zip"), "--day", day, "--camera", "yard")
    with zipfile.ZipFile(tmp_path / "day.zip") as archive:
        assert [Path(name).suffix for name in archive.namelist()] == [".jpg", ".csv"]
