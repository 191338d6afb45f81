"""`make setup`: what it writes, what it refuses to overwrite, and what it keeps."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.setup import dotenv_file, managed_file
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
    """What starts unless more is asked for."""
    composed: dict[str, dict[str, object]] = yaml.safe_load((project / "docker-compose.yml").read_text())["services"]
    return {name: service for name, service in composed.items() if "profiles" not in service}


def test_with_nothing_set_everything_has_a_default_and_a_broker_is_composed(
    project: Path, setup: Setup, capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup() == 0
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "Next: make rund; then the album is http://127.0.0.1:8080/",
        "Its password: secrets/web_password, or WEB_PASSWORD in .env",
        "No camera is configured yet: .venv/bin/snapshot-processor init asks, and writes config/config.yml",
    ]
    assert set(services(project)) == {"app", "rabbitmq"}
    values = env(project)
    assert values["RABBITMQ_SERVER_ADDRESS"] == COMPOSED_BROKER
    assert (values["APP_NAME"], values["DEVICE_NAME"]) == ("snapshot-processor", "snapshot-processor")
    assert values["TZ"]
    assert "WEB_PASSWORD" not in values
    password = project / "secrets" / "web_password"
    assert len(password.read_text()) >= 12
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert stat.S_IMODE(password.parent.stat().st_mode) == 0o700


def test_it_ends_with_the_folders_that_cameras_upload_to(
    project: Path, setup: Setup, capsys: pytest.CaptureFixture[str]
) -> None:
    setup(FTP_USER="cams", OUTPUT_1_TYPE="Camera", OUTPUT_1_LOCATION="Front Door")
    assert capsys.readouterr().out.splitlines()[-1] == "FTP for cameras: port 2121, folders uploads/snapshots/frontdoor"


def test_mosquitto_is_composed_for_whoever_asks_and_lets_nobody_in_without_a_login(project: Path, setup: Setup) -> None:
    setup()
    composed = yaml.safe_load((project / "docker-compose.yml").read_text())
    mosquitto = composed["services"]["mosquitto"]
    assert mosquitto["profiles"] == ["mqtt"]
    assert mosquitto["ports"] == ["${MQTT_BIND:-127.0.0.1}:${MQTT_PORT:-1883}:1883"]
    (script,) = mosquitto["command"]
    assert "'allow_anonymous false'" in script
    assert set(composed["volumes"]) == {"rabbitmq", "mosquitto"}


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
        INPUT_1_TYPE="Camera",
        INPUT_1_LOCATION="Yard",
        INPUT_1_TIMEOUT="3",
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
    assert (values["INPUT_1_LOCATION"], values["INPUT_1_TIMEOUT"]) == ("Yard", "3")
    assert (values["AWS_PROFILE"], values["TZ"]) == ("home", "Europe/Berlin")
    assert not {"USER", "HOME", "DATA_DIR", "LOG_LEVEL", "OUTPUT_1_PASSWORD_FILE"} & set(values)


def test_names_that_only_the_template_knows_are_taken_over(project: Path, setup: Setup) -> None:
    setup(WEB_BIND="0.0.0.0", WEB_PORT="9090")
    assert env(project)["WEB_BIND"] == "0.0.0.0"
    assert services(project)["app"]["ports"] == ["${WEB_BIND:-127.0.0.1}:9090:8080"]


MAIL = {"MAIL_USERNAME": "cam", "MAIL_PASSWORD": "hunter2"}
WEB = "${WEB_BIND:-127.0.0.1}:8080:8080"


@pytest.mark.parametrize(
    ("environ", "ports"),
    [
        ({"FTP_PASSIVE_PORTS": "3000", "MAIL_PORT": "25"}, [WEB]),
        ({**MAIL, "MAIL_ENABLED": "Yes"}, [WEB, "${MAIL_BIND:-0.0.0.0}:2525:2525"]),
        ({**MAIL, "MAIL_ENABLED": "true", "MAIL_PORT": "25"}, [WEB, "${MAIL_BIND:-0.0.0.0}:25:2525"]),
        (
            {"FTP_USER": "cam", "FTP_PASS": "hunter2"},
            [WEB, "${FTP_BIND:-0.0.0.0}:2121:2121", "${FTP_BIND:-0.0.0.0}:30000-30019:30000-30019"],
        ),
        (
            {"FTP_PORT": "21", "FTP_PASSIVE_PORTS": "40000-40009"},
            [WEB, "${FTP_BIND:-0.0.0.0}:21:2121", "${FTP_BIND:-0.0.0.0}:40000-40009:40000-40009"],
        ),
    ],
)
def test_the_ports_are_published_that_cameras_push_to(
    project: Path, setup: Setup, environ: dict[str, str], ports: list[str]
) -> None:
    assert setup(**environ) == 0
    assert services(project)["app"]["ports"] == ports
    assert ("FTP_MASQUERADE_ADDRESS" in env(project)) == any("FTP" in port for port in ports)


def test_cameras_are_told_an_address_of_the_host_s_unless_one_is_named(project: Path, setup: Setup) -> None:
    setup(FTP_PORT="2121", FTP_MASQUERADE_ADDRESS="192.0.2.7")
    assert env(project)["FTP_MASQUERADE_ADDRESS"] == "192.0.2.7"


def test_the_containers_log_to_the_syslog_that_is_named(project: Path, setup: Setup) -> None:
    setup(SYSLOG_ADDRESS="udp://log:514")
    logging: Any = [service["logging"] for service in services(project).values()]
    assert [one["options"]["syslog-address"] for one in logging] == ["udp://log:514"] * 2


@pytest.mark.parametrize(("root", "user"), [(True, "10001:10001"), (False, "1000:1001")])
def test_the_service_runs_as_who_sets_it_up_but_never_as_root(
    project: Path, setup: Setup, monkeypatch: pytest.MonkeyPatch, root: bool, user: str
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0 if root else 1000)
    monkeypatch.setattr(os, "getgid", lambda: 0 if root else 1001)
    setup()
    assert services(project)["app"]["user"] == user


@pytest.mark.parametrize(
    ("environ", "zone"),
    [
        ({"TZ": "Europe/Berlin", "TIME_ZONE": "Asia/Tokyo"}, "Europe/Berlin"),
        ({"TIME_ZONE": "Asia/Tokyo"}, "Asia/Tokyo"),
    ],
)
def test_the_container_has_the_time_zone_that_is_named(
    project: Path, setup: Setup, environ: dict[str, str], zone: str
) -> None:
    setup(**environ)
    environment: Any = services(project)["app"]["environment"]
    assert environment["TZ"] == zone


@pytest.mark.parametrize("address", ["192.168.1.100", "amqp://me:hunter2@broker.home/"])
def test_a_broker_elsewhere_leaves_the_composed_one_out(project: Path, setup: Setup, address: str) -> None:
    assert setup(RABBITMQ_SERVER_ADDRESS=address) == 0
    assert set(services(project)) == {"app"}
    assert env(project)["RABBITMQ_SERVER_ADDRESS"] == address


def test_no_broker_at_all_is_possible_and_remembered(project: Path, setup: Setup) -> None:
    for arguments in (["--without-rabbitmq"], []):
        assert setup(*arguments) == 0
        assert set(services(project)) == {"app"}
    assert env(project)["RABBITMQ_SERVER_ADDRESS"] == ""


def test_a_second_setup_keeps_what_the_first_was_told(project: Path, setup: Setup) -> None:
    setup(WEB_PORT="9090", OUTPUT_1_TYPE="Camera", OUTPUT_1_LOCATION="Front")
    made_up = (project / "secrets" / "web_password").read_text()
    assert setup(WEB_PORT="9091") == 0
    values = env(project)
    assert (values["WEB_PORT"], values["OUTPUT_1_LOCATION"]) == ("9091", "Front")
    assert (project / "secrets" / "web_password").read_text() == made_up


def test_the_password_that_an_earlier_release_put_into_the_env_file_stays_there(project: Path, setup: Setup) -> None:
    setup(WEB_PASSWORD="made by an earlier release")
    assert setup() == 0
    assert env(project)["WEB_PASSWORD"] == "made by an earlier release"
    assert not (project / "secrets" / "web_password").exists()


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


def test_a_refused_env_file_leaves_the_compose_file_and_the_secrets_as_they_were(project: Path, setup: Setup) -> None:
    setup(WEB_PASSWORD="hunter2")
    composed = (project / "docker-compose.yml").read_text()
    with (project / ".env").open("a") as file:
        file.write("FTP_USER=cam\nFTP_PASS=hunter2\nWEB_PASSWORD=\n")
    edited = (project / ".env").read_text()
    assert setup() == 1
    assert (project / "docker-compose.yml").read_text() == composed
    assert (project / ".env").read_text() == edited
    assert not (project / "secrets").exists()
    assert setup("--force") == 0
    assert "${FTP_BIND:-0.0.0.0}:2121:2121" in services(project)["app"]["ports"]  # type: ignore[operator]
    assert env(project)["FTP_USER"] == "cam"


def test_a_refused_compose_file_leaves_the_env_file_as_it_was(project: Path, setup: Setup) -> None:
    setup(WEB_PASSWORD="hunter2")
    written = (project / ".env").read_text()
    with (project / "docker-compose.yml").open("a") as file:
        file.write("# mine\n")
    assert setup(FTP_USER="cam", FTP_PASS="hunter2") == 1
    assert (project / ".env").read_text() == written


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


def test_a_configuration_file_that_the_service_would_refuse_is_told(
    project: Path, setup: Setup, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "config").mkdir()
    (project / "config" / "config.yml").write_text("max_age: x\n")
    assert setup() == 1
    assert "max_age (line 1): 'x' is not a number" in capsys.readouterr().err
    assert not (project / ".env").exists()


def test_what_is_written_is_whole_and_closed_before_it_is_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    seen: list[tuple[int, str]] = []
    rename, chmod = Path.rename, os.fchmod

    def changed(descriptor: int, mode: int) -> None:
        modes.append(mode)
        chmod(descriptor, mode)

    def watched(self: Path, target: Path) -> Path:
        seen.append((stat.S_IMODE(self.stat().st_mode), self.read_text()))
        return rename(self, target)

    monkeypatch.setattr(os, "fchmod", changed)
    monkeypatch.setattr(Path, "rename", watched)
    managed_file.write(tmp_path / ".env", "A=1\n", mode=0o600)
    assert modes == [0o600]
    assert seen == [(0o600, managed_file.marked("A=1\n"))]


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
        "not a name": "x",
    }
    (project / ".env").write_text(managed_file.marked("APP_NAME=attic-cameras\n"))
    connect.add("ENV.attic-cameras", [{"label": name, "value": value} for name, value in fields.items()])
    (project / "secrets").mkdir()
    (project / "secrets" / "op_connect_token").write_text(TOKEN)
    assert setup(OP_CONNECT_HOST=connect.url, OP_VAULT="Home") == 0
    values = env(project)
    assert (values["DEVICE_NAME"], values["FTP_PASS"], values["AWS_MAX_ATTEMPTS"]) == (
        "attic",
        "it's $ecret",
        "5",
    )
    assert not {"OP_CONNECT_HOST", "OP_CONNECT_TOKEN", "OP_VAULT", "USER", "not a name"} & set(values)
    assert "attic" in (project / "docker-compose.yml").read_text()


def test_the_profile_of_many_machines_changes_nothing_for_who_does_not_ask_for_it(project: Path, setup: Setup) -> None:
    setup(COMPOSE_PROFILES="mqtt")
    composed = yaml.safe_load((project / "docker-compose.yml").read_text())
    assert set(composed["services"]) == {"app", "rabbitmq", "mosquitto"}
    assert "REPLICAS_GROUP" not in env(project)
    assert [path.name for path in (project / "secrets").iterdir()] == ["web_password"]


def test_many_machines_are_three_services_and_what_they_share(
    project: Path, setup: Setup, capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup(COMPOSE_PROFILES="mqtt,many", DEVICE_NAME="den") == 0
    assert "That of all replicas, through the balancer: http://127.0.0.1:8090/" in capsys.readouterr().out
    values = env(project)
    assert (values["COMPOSE_PROFILES"], values["REPLICAS_GROUP"]) == ("mqtt,many", "snapshot")
    assert (values["S3_BUCKET"], values["S3_ENDPOINT_URL"]) == ("snapshots", "http://s3:8333")
    made = {path.name: path.read_text() for path in (project / "secrets").iterdir()}
    assert set(made) == {
        "aws_access_key_id",
        "aws_secret_access_key",
        "database_url",
        "postgres_password",
        "web_password",
    }
    assert made["database_url"] == f"postgresql://snapshots:{made['postgres_password']}@postgres:5432/snapshots"
    written = (project / "docker-compose.yml").read_text() + (project / ".env").read_text()
    assert not [name for name, content in made.items() if content in written]
    composed: Any = yaml.safe_load((project / "docker-compose.yml").read_text())["services"]
    assert {name for name, one in composed.items() if one.get("profiles") == ["many"]} == {
        "app-2",
        "app-3",
        "balancer",
        "postgres",
        "s3",
    }
    assert [composed[name]["environment"]["DEVICE_NAME"] for name in ("app-2", "app-3")] == ["den-2", "den-3"]
    assert "build" not in composed["app-2"]
    assert "ports" not in composed["app-2"]
    assert services(project)["app"]["ports"] == [WEB], "as without it"


def test_cameras_of_many_machines_upload_through_the_balancer(project: Path, setup: Setup) -> None:
    assert (
        setup(COMPOSE_PROFILES="many", **MAIL, MAIL_ENABLED="yes", FTP_USER="cam", FTP_PASSIVE_PORTS="4000-4004") == 0
    )
    composed: Any = yaml.safe_load((project / "docker-compose.yml").read_text())["services"]
    ports = ["4000-4004", "4005-4009", "4010-4014"]
    assert composed["balancer"]["ports"][1:] == [
        "${FTP_BIND:-0.0.0.0}:2121:2121",
        *(f"${{FTP_BIND:-0.0.0.0}}:{each}:{each}" for each in ports),
        "${MAIL_BIND:-0.0.0.0}:2525:2525",
    ]
    assert composed["app"]["ports"] == [WEB]
    for name, passive in zip(("app", "app-2", "app-3"), ports, strict=True):
        environment = composed[name]["environment"]
        assert environment["FTP_PASSIVE_PORTS"] == passive
        assert environment["FTP_TRUSTED_PROXIES"] == environment["MAIL_TRUSTED_PROXIES"] == "0.0.0.0/0,::/0"
        assert f"server {name} {name}\n" in composed["balancer"]["command"][0]


def test_ports_for_three_replicas_have_to_be_there(
    project: Path, setup: Setup, capsys: pytest.CaptureFixture[str]
) -> None:
    one = {"COMPOSE_PROFILES": "many", "FTP_USER": "cam"}
    assert setup(**one, FTP_PASSIVE_PORTS="65533-65533") == 0
    assert setup(**one, FTP_PASSIVE_PORTS="65500-65519") == 1
    assert "FTP_PASSIVE_PORTS: 3 ranges of 20 ports must fit below 65536" in capsys.readouterr().err


def test_a_second_setup_of_many_machines_keeps_their_logins(project: Path, setup: Setup) -> None:
    setup(COMPOSE_PROFILES="many")
    made = {path.name: path.read_text() for path in (project / "secrets").iterdir()}
    assert setup(BALANCER_PORT="9000") == 0
    assert {path.name: path.read_text() for path in (project / "secrets").iterdir()} == made
    assert env(project)["BALANCER_PORT"] == "9000"
    composed = yaml.safe_load((project / "docker-compose.yml").read_text())["services"]
    assert {"postgres", "s3"} <= set(composed)


@pytest.mark.parametrize(
    ("environ", "without"),
    [
        ({"DATABASE_URL": "postgresql://me@db/home"}, "postgres"),
        ({"S3_BUCKET": "mine"}, "s3"),
        ({"AWS_ACCESS_KEY_ID": "AKIA"}, "s3"),
    ],
)
def test_what_many_machines_have_already_is_not_composed(
    project: Path, setup: Setup, capsys: pytest.CaptureFixture[str], environ: dict[str, str], without: str
) -> None:
    assert setup(COMPOSE_PROFILES="many", **environ) == 0
    composed = yaml.safe_load((project / "docker-compose.yml").read_text())["services"]
    assert {"postgres", "s3"} - set(composed) == {without}
    assert ("set S3_BUCKET" in capsys.readouterr().out) == ("AWS_ACCESS_KEY_ID" in environ)
