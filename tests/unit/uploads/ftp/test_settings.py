"""What can be said about the FTP server, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.uploads.ftp.settings import FtpSettings


def test_folders_are_written_with_or_without_slashes_around() -> None:
    settings = FtpSettings(upload_dir="/in/", create_dirs=("a/b/", " /c"))
    assert (settings.upload_dir, settings.create_dirs) == ("in", ("a/b", "c"))


@pytest.mark.parametrize("ports", ["40000-40003", " 40000 - 40003 "])
def test_passive_ports_are_a_range(ports: str) -> None:
    assert FtpSettings(passive_ports=ports).passive_range == range(40000, 40004)
    assert FtpSettings(passive_ports="40000").passive_range == range(40000, 40001)


@pytest.mark.parametrize(
    "wrong",
    [
        {"passive_ports": "40003-40000"},
        {"passive_ports": "0-70000"},
        {"passive_ports": "many"},
        {"upload_dir": "../elsewhere"},
        {"create_dirs": ["a/../.."]},
        {"upload_dir": ".taken"},
        {"masquerade_address": "camera.local"},
        {"tls": "maybe"},
        {"certificate_file": "a.pem"},
        {"logins": [{"location": "Front Door", "username": "door", "password": ""}]},
    ],
)
def test_what_cannot_work_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FtpSettings(**wrong)
