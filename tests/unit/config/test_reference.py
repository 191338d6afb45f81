"""The reference of settings says what a person needs to set one."""

from __future__ import annotations

from functools import cache

import pytest

from app.config.reference import reference

PAGE = cache(reference)


def section(title: str) -> str:
    _, _, rest = PAGE().partition(f"\n## {title}\n")
    return rest.partition("\n## ")[0]


def row(start: str) -> list[str]:
    (line,) = (line for line in PAGE().splitlines() if line.startswith(f"| {start} |"))
    return [cell.strip() for cell in line.strip("|").split(" | ")]


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("`WEB_PORT`", "1 to 65535"),
        ("`WEB_MAX_UPLOAD_MB`", "above 0, up to 1000"),
        ("`FTP_QUOTA`", "0 or more"),
        ("`WEB_ENABLED`", "`true` or `false`"),
        ("`FTP_TLS`", "`off`, `offered` or `required`"),
        ("`OUTPUT_n_PLACE`", "`front`, `garden` or `drive`"),
        ("`APP_NAME`", "not empty, up to 64 characters"),
        ("`S3_STORAGE_CLASS`", "`^[A-Z_]*$`"),
        ("`CAMERA_NETWORKS`", "list"),
    ],
)
def test_a_settings_limits_are_those_that_it_is_checked_by(name: str, limits: str) -> None:
    assert row(name)[-1] == limits


def test_a_row_has_both_names_what_it_does_and_its_default() -> None:
    assert row("`WEB_PORT`")[:4] == ["`WEB_PORT`", "`web.port`", "Port it listens on.", "`8080`"]


def test_all_names_of_a_setting_share_a_row() -> None:
    assert "`ftp.password`" in row("`FTP_PASSWORD`<br>`FTP_PASS`")


def test_a_secrets_default_is_not_shown() -> None:
    assert row("`RABBITMQ_PASSWORD`")[3] == ""


def test_a_list_of_sections_is_followed_by_what_each_has() -> None:
    assert "| `ftp.logins[].username` |" in section("`ftp`")


def test_a_setting_of_one_kind_says_so() -> None:
    assert row("`DETECTOR_MONTHLY_CAP`")[2].endswith("Only for `rekognition`.")
    assert "Only for" not in row("`DETECTOR_MINIMUM_CONFIDENCE`<br>`MINIMUM_HUMAN_CONFIDENCE`")[2]


def test_cameras_have_a_table_for_what_all_have_and_one_for_each_set_of_kinds() -> None:
    assert "`OUTPUT_n_LOCATION`" in section("Cameras")
    assert "`OUTPUT_n_PASSWORD`" in section("Cameras of kind `foscam`, `still`, `onvif` and `rtsp`")
    assert "`OUTPUT_n_CA_FILE`" in section("Cameras of kind `foscam`, `still` and `onvif`")
    assert "`OUTPUT_n_COMMAND`" in section("Cameras of kind `foscam`")
    assert "port 88 unless given" not in section("Cameras of kind `still`")
    assert "`INPUT_n_LOCATION`" in section("Sensors")


def test_every_table_has_rows_of_five_cells() -> None:
    rows = [line for line in PAGE().splitlines() if line.startswith("|")]
    assert len(rows) > 150
    assert {line.replace(r"\|", "").count("|") for line in rows} == {6}
