"""`make setup`: what it writes, what it refuses to overwrite, and what it keeps."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from app.setup import dotenv_file
from app.setup.__main__ import COMPOSED_BROKER, main
from tests.fakes.connect import TOKEN, Connect, connect_double

TEMPLATE = Path(__file__).parents[3] / "docker-compose.template.yml"

Setup = Callable[..., int]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's directory with the real template, and an environment with nothing in it."""
    for name in list(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / TEMPLATE.name).write_text(TEMPLATE.read_text())
    return tmp_path


@pytest.fixture
def setup(project: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """Runs it with these variables in the environment."""

    def run(*arguments: str, **environ: str) -> int:
        with monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            return main(arguments, directory=project)

    return run


def env(project: Path) -> dict[str, str]:
    return dotenv_file.read(project / ".env")


def services(project: Path) -> dict[str, dict[str, object]]:
    composed: dict[str, dict[str, object]] = yaml.safe_load((project / "docker-compose.yml").read_text())["services"]
    return composed


def test_with_nothing_set_everything_has_a_default_and_a_broker_is_composed(project: Path, setup: Setup) -> None:
    assert setup() == 0
    assert set(services(project)) == {"app", "rabbitmq"}
    values = env(project)
    assert values["RABBITMQ_SERVER_ADDRESS"] == COMPOSED_BROKER
    assert (values["APP_NAME"], values["DEVICE_NAME"]) == ("snapshot-processor", "snapshot-processor")
    assert values["TZ"]
    assert len(values["WEB_PASSWORD"]) >= 12


def test_the_env_file_is_for_its_owner_alone(project: Path, setup: Setup) -> None:
    setup(WEB_PASSWORD="hunter2")
    assert stat.S_IMODE((project / ".env").stat().st_mode) == 0o600
    assert stat.S_IMODE((project / "docker-compose.yml").stat().st_mode) == 0o644
    assert "hunter2" not in (project / "docker-compose.yml").read_text()


def test_the_environment_is_taken_over_but_for_what_differs_inside_the_container(project: Path, setup: Setup) -> None:
    password = 'it\'s $a ${B} \\ "q" #\\'
    (project / "camera-password").write_text("in a file\n")
    setup(
        OUTPUT_1_TYPE="Camera",
        OUTPUT_1_LOCATION="Front Door",
        OUTPUT_1_PASSWORD_FILE=str(project / "camera-password"),
        WEB_PASSWORD=password,
        AWS_PROFILE="home",
        TZ="Europe/Berlin",
        USER="me",
        HOME="/home/me",
        DATA_DIR="/somewhere",
        LOG_LEVEL="",
    )
    values = env(project)
    assert values["WEB_PASSWORD"] == password
    assert (values["OUTPUT_1_LOCATION"], values["OUTPUT_1_PASSWORD"]) == ("Front Door", "in a file")
    assert (values["AWS_PROFILE"], values["TZ"]) == ("home", "Europe/Berlin")
    assert not {"USER", "HOME", "DATA_DIR", "LOG_LEVEL", "OUTPUT_1_PASSWORD_FILE"} & set(values)


def test_names_that_only_the_template_knows_are_taken_over(project: Path, setup: Setup) -> None:
    setup(WEB_BIND="0.0.0.0", WEB_PORT="9090")
    assert env(project)["WEB_BIND"] == "0.0.0.0"
    assert services(project)["app"]["ports"] == ["${WEB_BIND:-127.0.0.1}:9090:8080"]


@pytest.mark.parametrize("address", ["192.168.1.100", "amqp://me:hunter2@broker.home/"])
def test_a_broker_elsewhere_leaves_the_composed_one_out(project: Path, setup: Setup, address: str) -> None:
    assert setup(RABBITMQ_SERVER_ADDRESS=address) == 0
    assert set(services(project)) == {"app"}
    assert env(project)["RABBITMQ_SERVER_ADDRESS"] == address


def test_no_broker_at_all_is_possible_and_remembered(project: Path, setup: Setup) -> None:
    assert setup("--without-rabbitmq") == 0
    assert setup() == 0
    assert set(services(project)) == {"app"}
    assert env(project)["RABBITMQ_SERVER_ADDRESS"] == ""


def test_a_second_setup_keeps_what_the_first_was_told(project: Path, setup: Setup) -> None:
    setup(WEB_PORT="9090", OUTPUT_1_TYPE="Camera", OUTPUT_1_LOCATION="Front")
    made_up = env(project)["WEB_PASSWORD"]
    assert setup(WEB_PORT="9091") == 0
    values = env(project)
    assert (values["WEB_PORT"], values["OUTPUT_1_LOCATION"], values["WEB_PASSWORD"]) == (
        "9091",
        "Front",
        made_up,
    )


def test_a_compose_file_edited_by_hand_is_refused_in_one_sentence(
    project: Path, setup: Setup, capsys: pytest.CaptureFixture[str]
) -> None:
    setup()
    edited = (project / "docker-compose.yml").read_text().replace("mem_limit: 1g", "mem_limit: 2g")
    (project / "docker-compose.yml").write_text(edited)
    assert setup() == 1
    assert (project / "docker-compose.yml").read_text() == edited
    (sentence,) = capsys.readouterr().err.splitlines()
    assert sentence.startswith("docker-compose.yml was edited by hand or is not from here")
    assert "--force" in sentence
    assert setup("--force") == 0
    assert "mem_limit: 2g" not in (project / "docker-compose.yml").read_text()


def test_an_env_file_from_elsewhere_is_kept_as_long_as_it_says_everything(project: Path, setup: Setup) -> None:
    foreign = "DEVICE_NAME=attic\nRABBITMQ_SERVER_ADDRESS=broker\nWEB_PORT='9090' # mine\n"
    (project / ".env").write_text(foreign)
    assert setup() == 0
    assert (project / ".env").read_text() == foreign
    assert services(project)["app"]["ports"] == ["${WEB_BIND:-127.0.0.1}:9090:8080"]


def test_an_env_file_from_elsewhere_that_lacks_something_is_refused_without_showing_values(
    project: Path, setup: Setup, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / ".env").write_text("WEB_PORT=9090\nFOREIGN=x\n")
    assert setup(WEB_PASSWORD="hunter2") == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert "it lacks DEVICE_NAME, RABBITMQ_SERVER_ADDRESS, WEB_PASSWORD:" in sentence
    assert "hunter2" not in sentence
    assert setup("--force", WEB_PASSWORD="hunter2") == 0
    assert env(project)["WEB_PASSWORD"] == "hunter2"
    assert env(project)["FOREIGN"] == "x"


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"WEB_PORT": "x"}, "environment: WEB_PORT: must be a port"),
        ({"WEB_PORT": "70000"}, "environment: WEB_PORT: must be less than or equal to 65535"),
        ({"DEVICE_NAME": "a b"}, "environment: DEVICE_NAME: must be a host name"),
        ({"APP_NAME": "Mine"}, "environment: APP_NAME: must be small letters"),
        ({"SYSLOG_ADDRESS": 'udp://x"'}, "environment: SYSLOG_ADDRESS: must be like"),
        ({"OUTPUT_1_TYPE": "Camera"}, "environment: OUTPUT_1_LOCATION: is required"),
        ({"OP_CONNECT_HOST": "http://x"}, "environment: OP_CONNECT_TOKEN: is required"),
    ],
)
def test_a_bad_value_is_told_and_nothing_written(
    project: Path, setup: Setup, capsys: pytest.CaptureFixture[str], environ: dict[str, str], problem: str
) -> None:
    assert setup(**environ) == 1
    assert capsys.readouterr().err.startswith(problem)
    assert sorted(path.name for path in project.iterdir()) == [TEMPLATE.name]


def test_without_a_template_it_says_so(project: Path, setup: Setup, capsys: pytest.CaptureFixture[str]) -> None:
    (project / TEMPLATE.name).unlink()
    assert setup() == 1
    assert TEMPLATE.name in capsys.readouterr().err


def test_a_secret_in_the_directory_of_secrets_is_not_repeated(project: Path, setup: Setup) -> None:
    (project / "secrets").mkdir()
    (project / "secrets" / "web_password").write_text("hunter2")
    assert setup() == 0
    assert "WEB_PASSWORD" not in env(project)


@pytest.fixture
def connect() -> Iterator[Connect]:
    with connect_double() as double:
        yield double


def test_the_vault_is_written_out_whole_and_its_own_login_is_not(project: Path, setup: Setup, connect: Connect) -> None:
    fields = {
        "DEVICE_NAME": "attic",
        "FTP_PASS": "it's $ecret",
        "AWS_MAX_ATTEMPTS": "5",
        "OP_CONNECT_TOKEN": "x",
        "USER": "app",
    }
    connect.add("ENV.snapshot-processor", [{"label": name, "value": value} for name, value in fields.items()])
    (project / "secrets").mkdir()
    (project / "secrets" / "op_connect_token").write_text(TOKEN)
    assert setup(OP_CONNECT_HOST=connect.url, OP_VAULT="Home") == 0
    values = env(project)
    assert (values["DEVICE_NAME"], values["FTP_PASS"], values["AWS_MAX_ATTEMPTS"]) == (
        "attic",
        "it's $ecret",
        "5",
    )
    assert not {"OP_CONNECT_HOST", "OP_CONNECT_TOKEN", "OP_VAULT", "USER"} & set(values)
    assert "attic" in (project / "docker-compose.yml").read_text()
