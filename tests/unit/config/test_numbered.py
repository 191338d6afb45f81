"""Lists of sections from numbered variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config.numbered import described, numbered_lists
from app.config.settings import Settings, load
from pylib.settings.draft import ConfigError
from pylib.settings.yaml_file import dotted

ATTIC = {"ARCHIVE_1_KIND": "folder", "ARCHIVE_1_NAME": "attic", "ARCHIVE_1_DIR": "/mnt/attic"}
NEIGHBOUR = {"PUBLISHER_1_KIND": "rabbitmq", "PUBLISHER_1_NAME": "neighbour", "PUBLISHER_1_SERVER_ADDRESS": "10.0.0.9"}


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def in_file(directory: Path, text: str, **environ: str) -> Settings:
    file = directory / "config.yml"
    file.write_text(text, encoding="utf-8")
    return load(file, environ)


def problems(**environ: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as raised:
        load(None, environ)
    return raised.value.problems


def dirs(settings: Settings) -> dict[str, str]:
    return {entry.title: str(entry.dir) for entry in settings.archives}  # type: ignore[attr-defined]


def test_an_entry_can_be_said_with_variables_alone() -> None:
    settings = load(None, {**ATTIC, **NEIGHBOUR, "PUBLISHER_1_PASSWORD": " blank "})
    assert dirs(settings) == {"attic": "/mnt/attic"}
    (publisher,) = settings.publishers
    assert (publisher.title, publisher.server_address) == ("neighbour", "10.0.0.9")  # type: ignore[attr-defined]
    assert publisher.password.get_secret_value() == " blank "  # type: ignore[attr-defined]


def test_a_list_within_a_section_has_them_too() -> None:
    said = {"FTP_LOGIN_2_LOCATION": "Yard", "FTP_LOGIN_2_USERNAME": "yard", "FTP_LOGIN_2_PASSWORD": "a password"}
    (login,) = load(None, {"OUTPUT_1_TYPE": "Camera", "OUTPUT_1_LOCATION": "Yard", **said}).ftp.logins
    assert (login.location, login.username) == ("Yard", "yard")


def test_the_order_is_that_of_the_numbers_whichever_there_are() -> None:
    later = {name.replace("_1_", "_10_"): value.replace("attic", "barn") for name, value in ATTIC.items()}
    sooner = {name.replace("_1_", "_9_"): value for name, value in ATTIC.items()}
    assert list(dirs(load(None, {**later, **sooner}))) == ["attic", "barn"]


def test_variables_go_before_the_file_s_entry_of_the_same_name_and_leave_the_others_alone(directory: Path) -> None:
    text = "archives:\n- {kind: folder, name: barn, dir: /a}\n- {kind: folder, name: attic, dir: /b, concurrency: 7}\n"
    settings = in_file(directory, text, **ATTIC)
    assert dirs(settings) == {"barn": "/a", "attic": "/mnt/attic"}
    assert [entry.concurrency for entry in settings.archives] == [2, 7]  # type: ignore[attr-defined]


def test_an_entry_of_another_name_joins_those_of_the_file(directory: Path) -> None:
    settings = in_file(directory, "archives:\n- {kind: folder, name: barn, dir: /a}\n", **ATTIC)
    assert list(dirs(settings)) == ["barn", "attic"]


@pytest.mark.parametrize("name", ["ARCHIVE_0_KIND", "ARCHIVE_01_KIND", "ARCHIVE_1_NONSENSE", "MY_ARCHIVE_1_KIND"])
def test_other_names_make_no_entry(name: str) -> None:
    assert load(None, {name: "folder"}).archives == ()


def test_a_slip_in_a_name_is_a_warning() -> None:
    settings = load(None, {**ATTIC, "PUBLISHR_2_KIND": "mqtt"})
    assert settings.warnings == ("environment: PUBLISHR_2_KIND is not a setting; did you mean PUBLISHER_2_KIND?",)


def test_an_empty_variable_makes_no_entry() -> None:
    assert load(None, {"ARCHIVE_1_KIND": ""}).archives == ()


def test_what_an_entry_lacks_is_a_problem_with_its_number() -> None:
    assert problems(ARCHIVE_4_KIND="folder", ARCHIVE_4_NAME="attic") == ("environment: ARCHIVE_4_DIR: is required",)


def test_what_is_no_list_in_the_file_is_its_own_problem(directory: Path) -> None:
    with pytest.raises(ConfigError, match=r"archives"):
        in_file(directory, "archives: /mnt/attic\n", **ATTIC)


@pytest.mark.parametrize(
    ("other", "place"),
    [
        ({name.replace("_1_", "_2_"): value for name, value in ATTIC.items()}, "archives[0]"),
        ({**NEIGHBOUR, "PUBLISHER_1_NAME": "attic"}, "publishers[0]"),
    ],
)
def test_no_two_outlets_have_one_name(other: dict[str, str], place: str) -> None:
    (problem,) = problems(**ATTIC, **other)
    assert problem.startswith("environment: ARCHIVE_")
    assert f"'attic' is what {place} is called already" in problem


@pytest.mark.parametrize("name", ["rabbitmq", "google_drive", "s3", "folder", ""])
def test_no_outlet_has_the_name_of_one_with_a_section_of_its_own(name: str) -> None:
    (problem,) = problems(**{**ATTIC, "ARCHIVE_1_NAME": name})
    assert problem.startswith(f"environment: ARCHIVE_1: {name or 'folder'!r} is what the setting of its own is called")


@pytest.mark.parametrize("name", ["", "http", "schedule", "ftp", "mail", "folder", "import"])
def test_no_source_has_the_name_of_one_that_is_there_anyway(name: str) -> None:
    source = {"SOURCE_1_KIND": "rabbitmq", "SOURCE_1_NAME": name, "SOURCE_1_SERVER_ADDRESS": "10.0.0.9"}
    (problem,) = problems(**source)
    assert problem.startswith(f"environment: SOURCE_1: {name or 'rabbitmq'!r} is what")


def test_a_kind_in_capitals_is_the_same_name() -> None:
    said = {"ARCHIVE_1_KIND": " Folder", "ARCHIVE_1_DIR": "/mnt/attic", "ARCHIVE_DIR": "/mnt/cellar"}
    assert any("'folder' is what" in problem for problem in problems(**said))


def test_a_source_and_an_outlet_may_have_one_name() -> None:
    source = {name.replace("PUBLISHER", "SOURCE"): value for name, value in NEIGHBOUR.items()}
    settings = load(None, {**NEIGHBOUR, **source})
    assert [entry.title for entry in (*settings.sources, *settings.publishers)] == ["neighbour", "neighbour"]


def test_devices_have_lists_of_their_own_kind() -> None:
    words = {each.word: dotted(each.location) for each in numbered_lists(Settings)}
    outside = {"SOURCE", "HOOK", "PUBLISHER", "ARCHIVE", "FTP_LOGIN", "RETENTION_CAMERA", "MQTT_TOPIC"}
    assert outside | {"FILM", "RUNNING_FILM"} == set(words)
    assert words["FTP_LOGIN"] == "ftp.logins"
    shown = {variable.name: dotted(variable.location) for variable, _ in described(Settings)}
    assert shown["ARCHIVE_n_DIR"] == "archives[].dir"
    assert len(shown) == len(list(described(Settings)))
