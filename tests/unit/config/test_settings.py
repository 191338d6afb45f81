"""The service's configuration as its users write it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from app import cameras
from app.cameras import CameraSettings
from app.cameras.address import HOME_NETWORKS
from app.config.auto_detector import DETECTOR_KINDS
from app.config.environment import AWS, LATER, OTHERS
from app.config.settings import CAMERA_KINDS, Settings, environment_table, json_schema, load
from app.media.adjustments import AS_IT_CAME, Adjustments
from app.messages import Box
from pylib.settings.draft import ConfigError
from pylib.settings.variables import variables
from pylib.settings.yaml_file import dotted
from tests.fakes.connect import TOKEN, Connect, connect_double

EXAMPLE = Path(__file__).parents[3] / "config" / "config.example.yml"

ORIGINAL_TABLE = {
    "APP_NAME": "snapshot-processor",
    "AWS_ALT_REGION": "eu-west-1",
    "AWS_CONFIG_FILE": "/home/app/.aws/config",
    "AWS_DEFAULT_REGION": "us-east-1",
    "CRONITOR_MONITOR_KEY": "abc123",
    "DEVICE_NAME": "attic",
    "FTP_CREATE_DIRS": "snapshots/cam1,snapshots/cam2",
    "FTP_PASS": "hunter2",
    "FTP_UPLOAD_DIR": "uploads/snapshots",
    "FTP_USER": "ftp",
    "GOOGLE_DRIVE_FOLDER": "snapshots",
    "HC_PING_URL": "https://hc-ping.com/uuid",
    "INPUT_1_LOCATION": "Front",
    "INPUT_1_TYPE": "Camera",
    "MINIMUM_HUMAN_CONFIDENCE": "0.8",
    "OBJECT_DETECTION_ENABLED": "true",
    "OBJECT_DETECTION_MODEL": "yolov8n",
    "OUTPUT_1_LOCATION": "Front Door",
    "OUTPUT_1_TYPE": "Camera",
    "RABBITMQ_DEVICE_TOPIC": "snap",
    "RABBITMQ_EXCHANGE": "home",
    "RABBITMQ_SERVER_ADDRESS": "192.168.1.100",
    "RUN_FTP_SERVER": "true",
    "USER": "app",
}


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(text: str = "", **environ: str) -> Settings:
    """What file and environment together say."""
    Path("config.yml").write_text(text)
    return load(None, environ, secrets=Path("no secrets"), patience=0)


def problems(text: str = "", **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as failure:
        read(text, **environ)
    return list(failure.value.problems)


def cameras_in(count: int) -> dict[str, str]:
    environ = {}
    for number in range(1, count + 1):
        environ[f"OUTPUT_{number}_TYPE"] = "Camera"
        environ[f"OUTPUT_{number}_LOCATION"] = f"Cam {number - 1:03}"
    return environ


def test_nothing_need_be_configured() -> None:
    settings = load(None, {}, secrets=Path("no secrets"))
    assert settings.config_file is None
    assert (settings.cameras, settings.rabbitmq.server_address) == ((), "")
    assert (settings.detector.kind, settings.web.host, settings.web.port) == ("hog", "127.0.0.1", 8080)
    assert settings.data_dir == Path.cwd() / "data"
    assert settings.warnings == ()


def test_a_hundred_cameras_are_given_by_type_and_location_alone() -> None:
    settings = load(None, cameras_in(100), secrets=Path("no secrets"))
    assert [camera.device_key for camera in settings.cameras] == [f"Cam {n:03} Camera" for n in range(100)]
    assert {camera.kind for camera in settings.cameras} == {"foscam"}
    assert [device.device_key for device in settings.outputs] == [f"Cam {n:03} Camera" for n in range(100)]
    assert (settings.fetch_threads, settings.warnings) == (100, ())


def test_the_table_of_the_original_is_understood_as_it_stands() -> None:
    settings = load(None, ORIGINAL_TABLE, secrets=Path("no secrets"))
    assert settings.warnings == ()
    assert (settings.app_name, settings.device_name) == ("snapshot-processor", "attic")
    assert settings.rabbitmq.server_address == "192.168.1.100"
    assert (settings.rabbitmq.exchange, settings.rabbitmq.device_topic) == ("home", "snap")
    assert (settings.detector.kind, settings.detector.minimum_confidence) == ("rekognition", 0.8)
    assert settings.monitors.hc_ping_url.get_secret_value() == "https://hc-ping.com/uuid"
    assert settings.monitors.cronitor_monitor_key.get_secret_value() == "abc123"
    assert [camera.device_key for camera in settings.cameras] == ["Front Door Camera", "Front Camera"]
    assert [device.device_key for device in settings.inputs] == ["Front Camera"]
    assert [device.device_key for device in settings.outputs] == ["Front Door Camera"]


def test_any_setting_of_a_camera_has_a_numbered_name() -> None:
    settings = read(
        "",
        OUTPUT_7_TYPE="camera",
        OUTPUT_7_LOCATION="Garden",
        OUTPUT_7_KIND="Still",
        OUTPUT_7_URL="http://192.168.1.7/snap.jpg",
        OUTPUT_7_USERNAME="me",
        OUTPUT_7_PASSWORD="a:b@c,d%e",
        OUTPUT_7_TIMEOUT="3.5",
        OUTPUT_7_VERIFY="no",
        OUTPUT_7_CA_FILE=__file__,
    )
    camera: Any = settings.cameras[0]
    assert (camera.kind, camera.device_key, camera.url) == (
        "still",
        "Garden camera",
        "http://192.168.1.7/snap.jpg",
    )
    assert (camera.username, camera.password.get_secret_value()) == ("me", "a:b@c,d%e")
    assert (camera.timeout, camera.verify, camera.ca_file) == (3.5, False, Path(__file__))
    assert settings.warnings == ("environment: OUTPUT_1_TYPE is not set, but OUTPUT_7_TYPE is",)


def test_a_camera_s_pictures_are_turned_cut_and_masked_as_settings_say() -> None:
    mask = ((0.0, 0.0), (0.3, 0.0), (0.3, 0.2))
    (camera,) = read(
        OUTPUT_1_TYPE="Camera",
        OUTPUT_1_LOCATION="Yard",
        OUTPUT_1_ROTATE="90",
        OUTPUT_1_CROP_LEFT="0.5",
        OUTPUT_1_MASKS="[[[0, 0], [0.3, 0], [0.3, 0.2]]]",
    ).cameras
    assert camera.adjustments == Adjustments(90, Box(0.5, 0.0, 0.5, 1.0), (mask,))
    plain = read(OUTPUT_1_TYPE="Camera", OUTPUT_1_LOCATION="Yard").cameras[0].adjustments
    assert (plain, plain.repaints) == (AS_IT_CAME, False)


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("masks: [[[0, 0], [1, 0], [1, 1], [0, 1]]]", "must leave something of the picture"),
        ("masks: [[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]]", "must leave something of the picture"),
        ("masks: [[[0, 0], [1, 1], [1, 0], [0, 1]]]", "must not cross its own edges"),
        ("masks: [[[0, 0], [0.5, 0.5], [1, 1]]]", "must cover something"),
        ("masks: [[[0, 0], [1, 1.5], [1, 0]]]", "must have corners from 0 to 1"),
        ("rotate: 45", "rotate"),
        ("crop: {width: 0}", "must be greater than 0"),
    ],
)
def test_adjustments_that_make_no_sense_are_problems(setting: str, problem: str) -> None:
    (said,) = problems(f"cameras: [{{kind: demo, location: Yard, {setting}}}]")
    assert problem in said


def test_a_numbered_password_may_lie_in_a_file(directory: Path) -> None:
    (directory / "output_1_password").write_text("from a mounted file\n")
    (directory / "named").write_text("from a named file\n")
    environ = cameras_in(2) | {"OUTPUT_2_PASSWORD_FILE": str(directory / "named")}
    passwords = [camera.password.get_secret_value() for camera in _any(load(None, environ, secrets=directory))]
    assert passwords == ["from a mounted file", "from a named file"]


def test_a_gap_in_the_numbers_is_a_warning_and_an_empty_value_is_no_device() -> None:
    settings = read(
        "",
        **cameras_in(1),
        OUTPUT_2_TYPE="",
        OUTPUT_2_LOCATION="",
        INPUT_2_TYPE="Door",
        INPUT_2_LOCATION="Hall",
    )
    assert [device.device_key for device in settings.inputs] == ["Hall Door"]
    assert settings.warnings == ("environment: INPUT_1_TYPE is not set, but INPUT_2_TYPE is",)


def test_half_a_device_is_a_problem_with_the_name_that_lacks() -> None:
    assert problems("", OUTPUT_1_TYPE="Camera", INPUT_1_LOCATION="Hall", OUTPUT_2_ADDRESS="x") == [
        "environment: OUTPUT_1_LOCATION: is required",
        "environment: OUTPUT_2_TYPE: is required",
        "environment: OUTPUT_2_LOCATION: is required",
        "environment: INPUT_1_TYPE: is required",
    ]


def test_a_setting_of_another_kind_of_camera_is_a_problem_with_its_kind() -> None:
    assert problems("", **cameras_in(1), OUTPUT_1_URL="http://camera/") == [
        "environment: OUTPUT_1_URL: is a setting of kind still or rtsp only"
    ]


def test_what_a_numbered_camera_lacks_is_a_problem_with_its_name() -> None:
    (problem,) = problems("", **cameras_in(1), OUTPUT_1_KIND="still")
    assert problem == "environment: OUTPUT_1: expected either url or preset"


def test_a_numbered_setting_goes_before_the_files_for_the_same_camera() -> None:
    text = "cameras:\n  - {location: Front, address: '1.2.3.4', timeout: 3}\n  - {location: Back}\n"
    settings = read(text, OUTPUT_1_TYPE="Camera", OUTPUT_1_LOCATION="Front", OUTPUT_1_TIMEOUT="4")
    front, back = _any(settings)
    assert (front.address, front.timeout, back.location) == ("1.2.3.4", 4, "Back")
    assert [device.device_key for device in settings.outputs] == ["Front Camera", "Back Camera"]


def test_where_output_and_input_speak_of_one_camera_the_output_counts() -> None:
    both = cameras_in(1) | {name.replace("OUTPUT", "INPUT"): value for name, value in cameras_in(1).items()}
    settings = read("", **both, OUTPUT_1_TIMEOUT="3", INPUT_1_TIMEOUT="4", INPUT_1_COMMAND="snapPicture")
    (camera,) = _any(settings)
    assert (camera.timeout, camera.command) == (3, "snapPicture")
    assert settings.warnings == ()


def test_a_numbered_kind_leaves_nothing_of_the_files_other_kind() -> None:
    text = "cameras:\n  - {location: Cam 000, kind: still, url: 'http://1.2.3.4/', timeout: 3}\n"
    (camera,) = _any(read(text, **cameras_in(1), OUTPUT_1_KIND="foscam"))
    assert (camera.kind, camera.timeout) == ("foscam", 3)


def test_blanks_around_a_numbered_location_say_nothing() -> None:
    settings = read("", OUTPUT_1_TYPE=" Camera", OUTPUT_1_LOCATION=" Front Door ")
    assert [camera.device_key for camera in settings.cameras] == ["Front Door Camera"]


def test_a_type_that_only_begins_like_a_camera_is_none() -> None:
    settings = read("inputs: [{type: Camera light, location: Hall}]", OUTPUT_1_TYPE="Cameras", OUTPUT_1_LOCATION="Yard")
    assert settings.cameras == ()


def test_devices_of_the_file_are_cameras_by_their_type_too() -> None:
    yard, hall, attic = (
        "{type: Camera, location: Yard}",
        "{type: Door, location: Hall}",
        "{type: Siren, location: Attic}",
    )
    text = f"inputs: [{yard}, {hall}]\noutputs: [{attic}]"
    settings = read(text)
    assert [camera.device_key for camera in settings.cameras] == ["Yard Camera"]
    assert [device.device_key for device in settings.outputs] == ["Attic Siren"]


@pytest.mark.parametrize(
    ("text", "environ", "problem"),
    [
        (
            "cameras:\n  - {location: A}\n  - {location: B}\n  - {kind: demo, location: A}\n",
            {},
            "config.yml: cameras[2] (line 4): 'A Camera' is what cameras[0] is called already",
        ),
        (
            "",
            {**cameras_in(1), "OUTPUT_2_TYPE": "Camera", "OUTPUT_2_LOCATION": "Cam 000"},
            "environment: OUTPUT_2_LOCATION: 'Cam 000 Camera' is what OUTPUT_1 is called already",
        ),
        (
            "inputs:\n  - {type: Door, location: A}\n  - {type: Door, location: A}\n",
            {},
            "config.yml: inputs[1] (line 3): 'A Door' is what inputs[0] is called already",
        ),
        ("outputs: none", cameras_in(1), "config.yml: outputs (line 1): must be a list"),
    ],
)
def test_a_device_key_given_twice_is_a_problem(text: str, environ: dict[str, str], problem: str) -> None:
    assert problems(text, **environ) == [problem]


def test_an_unknown_kind_is_told_with_those_there_are() -> None:
    assert problems("cameras: [{location: A, kind: stil}]", DETECTOR_KIND="hogg") == [
        f"config.yml: cameras[0].kind (line 1): 'stil' is not one of {', '.join(cameras.KINDS)}; did you mean still?",
        f"environment: DETECTOR_KIND: 'hogg' is not one of {', '.join(DETECTOR_KINDS.names)}; did you mean hog?",
    ]


@pytest.mark.parametrize(
    ("text", "environ", "kind"),
    [
        ("", {}, "hog"),
        ("", {"AWS_DEFAULT_REGION": "eu-west-1"}, "hog"),
        ("", {"AWS_ALT_REGION": "eu-west-1"}, "rekognition"),
        ("", {"AWS_ENDPOINT_URL_REKOGNITION": "http://double"}, "rekognition"),
        ("", {"DETECTOR_REGION": "eu-west-1"}, "rekognition"),
        ("", {"DETECTOR_ENDPOINT_URL": "http://double"}, "rekognition"),
        ("detector: {region: eu-west-1}", {}, "rekognition"),
        ("detector: {endpoint_url: 'http://double'}", {}, "rekognition"),
        ("detector: {kind: hog}", {"AWS_ALT_REGION": "eu-west-1"}, "hog"),
        ("detector: {kind: hog, long_side: 800}", {"DETECTOR_KIND": "rekognition"}, "rekognition"),
        ("detector: {kind: auto, long_side: 800, region: ''}", {}, "hog"),
        ("detector: {kind: hog, long_side: 800}", {"OBJECT_DETECTION_ENABLED": "False"}, "none"),
        ("", {"OBJECT_DETECTION_ENABLED": "on", "MINIMUM_HUMAN_CONFIDENCE": "0.9"}, "hog"),
        ("", {"OBJECT_DETECTION_ENABLED": "false", "DETECTOR_KIND": "hog"}, "none"),
        ("detector: {kind: none}", {}, "none"),
    ],
)
def test_the_detector_is_chosen(text: str, environ: dict[str, str], kind: str) -> None:
    assert read(text, **environ).detector.kind == kind


@pytest.mark.parametrize(
    ("text", "environ", "kind"),
    [
        ("", {}, "onnx"),
        ("detector: {kind: auto, tiles: 2}", {}, "onnx"),
        ("", {"DETECTOR_REGION": "eu-west-1"}, "rekognition"),
        ("detector: {kind: hog}", {}, "hog"),
    ],
)
def test_a_model_that_is_there_looks_unless_another_detector_is_asked_for(
    directory: Path, text: str, environ: dict[str, str], kind: str
) -> None:
    for folder in ("data/models", "elsewhere/models"):
        (directory / folder).mkdir(parents=True)
    (directory / "data/models/mine.onnx.part").write_bytes(b"half a model")
    assert read("").detector.kind == "hog"
    assert read("", DETECTOR_MODEL="mine").detector.kind == "onnx"
    (directory / "data/models/mine.onnx").write_bytes(b"a model")
    assert read(text, **environ).detector.kind == kind
    assert read("data_dir: elsewhere").detector.kind == "hog"


def test_rekognitions_region_is_the_alternate_one_before_the_default() -> None:
    both: Any = read("", AWS_ALT_REGION="eu-west-1", AWS_DEFAULT_REGION="us-east-1").detector
    default: Any = read("detector: {kind: rekognition}", AWS_DEFAULT_REGION="us-east-1").detector
    own: Any = read("detector: {region: eu-north-1}", AWS_DEFAULT_REGION="us-east-1").detector
    assert (both.region, default.region, own.region) == ("eu-west-1", "us-east-1", "eu-north-1")


def test_what_no_replica_can_be_is_a_problem() -> None:
    alone = problems("", REPLICAS_GROUP="home", DEVICE_NAME="Küche", BOOTH_ENABLED="true", **cameras_in(1))
    assert [said.split(": ", 1)[1].split(":")[-1].strip().split(",")[0] for said in alone] == [
        "set RABBITMQ_SERVER_ADDRESS",
        "the name of a replica has plain letters",
        "run it as a service of its own",
    ]
    (odd,) = problems("", REPLICAS_GROUP="my home", RABBITMQ_SERVER_ADDRESS="mq")
    assert "REPLICAS_GROUP" in odd


def test_wrong_settings_of_a_detector_are_problems() -> None:
    assert problems("detector: {kind: hog, region: x}", OBJECT_DETECTION_ENABLED="perhaps") == [
        "environment: OBJECT_DETECTION_ENABLED: is neither true nor false",
        "config.yml: detector.region (line 1): is a setting of kind auto or rekognition only",
    ]
    assert problems("detector: hog", AWS_DEFAULT_REGION="eu-west-1") == [
        "config.yml: detector (line 1): must be a section with settings of its own"
    ]
    assert problems("detector: {minimum_confidence: 80, lng_side: 1}") == [
        "config.yml: detector.minimum_confidence (line 1): must be less than or equal to 1, not 80",
        "config.yml: detector.lng_side (line 1): is not a setting; did you mean long_side?",
    ]


def test_a_brokers_url_is_taken_apart_and_its_password_not_shown() -> None:
    broker = read("", RABBITMQ_SERVER_ADDRESS="amqps://me:hunter2@broker/home", RABBITMQ_USERNAME="other").rabbitmq
    assert (broker.server_address, broker.broker_port, broker.username) == ("broker", 5671, "me")
    assert (broker.password.get_secret_value(), broker.vhost, broker.tls) == ("hunter2", "home", True)
    assert "hunter2" not in repr(broker)
    assert read("rabbitmq: {server_address: 'broker:5673'}").rabbitmq.broker_port == 5673
    assert read("rabbitmq: {server_address: broker}").rabbitmq.broker_port == 5672


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "rabbitmq: {server_address: 'http://broker'}",
            "rabbitmq.server_address (line 1): must be host, host:port",
        ),
        ("camera_networks: [10.0.0.0/8, home]", "camera_networks[1] (line 1): must be a network such as"),
        ("sentry_dsn: hunter2", "sentry_dsn (line 1): must be an http or https address"),
        ("time_zone: Mars/Olympus", "time_zone (line 1): must be a time zone such as Europe/Berlin"),
        ("log: {syslog: somewhere}", "log.syslog (line 1): "),
        ("log: {level: LOUD}", "log.level (line 1): 'loud' is not one of debug, info"),
        ("max_age: .inf", "max_age (line 1): must be less than or equal to"),
        ("max_age: -1", "max_age (line 1): must be greater than or equal to 0, not -1"),
        ("web: {port: 65536}", "web.port (line 1): must be less than or equal to 65535, not 65536"),
        ("device_name: 5", "device_name (line 1): must be text: put it in quotes"),
        ("data_dir: [a]", "data_dir (line 1): "),
    ],
)
def test_a_bad_value_gets_one_line_with_its_place(text: str, problem: str) -> None:
    (line,) = problems(text)
    assert line.startswith(f"config.yml: {problem}")
    assert "\n" not in line
    assert "hunter2" not in line


def test_values_are_taken_as_people_write_them() -> None:
    settings = read(
        "log: {level: WARNING, format: Json}", CAMERA_NETWORKS="192.168.1.5/24, ::1/128", TZ=":Europe/Berlin"
    )
    assert (settings.log.level, settings.log.format) == ("warning", "json")
    assert settings.camera_networks == ("192.168.1.0/24", "::1/128")
    assert settings.time_zone == "Europe/Berlin"
    assert read("", TZ=":/etc/localtime").time_zone == ""


def test_as_many_cameras_are_asked_at_once_as_there_are_up_to_a_limit() -> None:
    assert load(None, {}, secrets=Path("no secrets")).fetch_threads == 1
    assert load(None, cameras_in(300), secrets=Path("no secrets")).fetch_threads == 128
    assert load(None, cameras_in(3) | {"FETCH_WORKERS": "2"}, secrets=Path("no secrets")).fetch_threads == 2


def test_the_file_is_looked_for_where_the_documentation_says(directory: Path) -> None:
    (directory / "config").mkdir()
    (directory / "config" / "config.yml").write_text("app_name: second")
    assert load(None, {}).app_name == "second"
    (directory / "config.yml").write_text("app_name: first")
    assert load(None, {}).app_name == "first"
    (directory / "named.yml").write_text("app_name: named")
    assert load(None, {"CONFIG_FILE": "named.yml"}).config_file == Path("named.yml")
    assert load(Path("named.yml"), {"CONFIG_FILE": "other.yml"}).app_name == "named"


def test_a_file_that_is_named_and_missing_is_a_problem_beside_all_others() -> None:
    with pytest.raises(ConfigError) as failure:
        load(None, {"CONFIG_FILE": "none.yml", "WEB_PORT": "x"})
    assert list(failure.value.problems) == [
        "none.yml: cannot be read: No such file or directory",
        "environment: WEB_PORT: 'x' is not a whole number",
    ]


def test_a_slip_in_the_environment_is_a_warning_also_beside_problems() -> None:
    slip = "environment: RABBITMQ_SERVER_ADRESS is not a setting; did you mean RABBITMQ_SERVER_ADDRESS?"
    assert read("", RABBITMQ_SERVER_ADRESS="broker").warnings == (slip,)
    with pytest.raises(ConfigError) as failure:
        read("max_age: x", RABBITMQ_SERVER_ADRESS="broker")
    assert failure.value.warnings == (slip,)


def test_an_ordinary_environment_causes_no_warnings() -> None:
    ordinary = [
        "PATH",
        "HOME",
        "LANG",
        "HOSTNAME",
        "LOGNAME",
        "SHELL",
        "PWD",
        "TERM",
        "PYTHONPATH",
        "XDG_DATA_DIRS",
    ]
    known = [name.replace("_n_", "_1_") for name, *_ in environment_table() if not name.startswith(("OUTPUT", "INPUT"))]
    settings = read("", **dict.fromkeys([*ordinary, *LATER], "x"))
    assert settings.warnings == ()
    assert len(known) > 40


@pytest.fixture
def connect() -> Iterator[Connect]:
    with connect_double() as double:
        yield double


def vaulted(connect: Connect, **more: str) -> dict[str, str]:
    return {"OP_CONNECT_HOST": connect.url, "OP_CONNECT_TOKEN": TOKEN, "OP_VAULT": "Home", **more}


def test_the_vault_goes_before_the_file_and_behind_the_environment(connect: Connect) -> None:
    fields = {"WEB_PORT": "7", "DEVICE_NAME": "vault", "WEB_PASSWORD": "hunter2", **cameras_in(1)}
    connect.add("ENV.home", [{"label": name, "value": value} for name, value in fields.items()])
    settings = read("app_name: home\nweb: {port: 5}\nmax_age: 9", **vaulted(connect, DEVICE_NAME="environment"))
    assert (settings.web.port, settings.device_name, settings.max_age) == (7, "environment", 9)
    assert settings.web.password.get_secret_value() == "hunter2"
    assert settings.cameras[0].device_key == "Cam 000 Camera"


def test_a_wrong_value_in_the_vault_is_told_with_its_item(connect: Connect) -> None:
    connect.add("ENV.home", [{"label": "WEB_PORT", "value": "x"}, {"label": "WEB_PASWORD", "value": "hunter2"}])
    with pytest.raises(ConfigError) as failure:
        read("", **vaulted(connect, APP_NAME="home"))
    assert failure.value.problems == ("1Password ENV.home: WEB_PORT: 'x' is not a whole number",)
    assert failure.value.warnings == ("environment: WEB_PASWORD is not a setting; did you mean WEB_PASSWORD?",)


def test_a_vault_without_the_item_is_a_problem_beside_others(connect: Connect) -> None:
    assert problems("max_age: x", **vaulted(connect)) == [
        "1Password: the vault has no item 'ENV.snapshot-processor', there must be one",
        "config.yml: max_age (line 1): 'x' is not a number",
    ]


def test_what_boto3_needs_from_vault_or_files_is_handed_on_and_not_shown(connect: Connect, directory: Path) -> None:
    (directory / "aws_secret_access_key").write_text("hunter2")
    connect.add(
        "ENV.home",
        [{"label": "AWS_CONFIG_FILE", "value": "/vault"}, {"label": "AWS_PROFILE", "value": "vault"}],
    )
    environ = vaulted(connect, APP_NAME="home", AWS_PROFILE="environment")
    handed = load(None, environ, secrets=directory).aws_environment
    shown = {name: value.get_secret_value() for name, value in handed.items()}
    assert shown == {"AWS_CONFIG_FILE": "/vault", "AWS_SECRET_ACCESS_KEY": "hunter2"}
    assert "hunter2" not in repr(handed)


def test_the_table_names_everything_once_with_a_description() -> None:
    table = environment_table()
    names = [name for name, *_ in table]
    assert len(names) == len(set(names))
    assert [name for name, _, description, _ in table if not description] == []
    assert set(names) >= {*AWS, *OTHERS} | {re.sub(r"_1_", "_n_", name) for name in ORIGINAL_TABLE} - {*LATER}
    assert ("WEB_PORT", "web.port", "Port it listens on.", "8080") in table
    defaults = {name: default for name, _, _, default in table}
    assert (defaults["WEB_ENABLED"], defaults["CAMERA_NETWORKS"]) == ("true", ", ".join(HOME_NETWORKS))


def test_the_schema_serves_editors() -> None:
    schema = json_schema()
    assert json.loads(json.dumps(schema)) == schema
    assert set(schema["properties"]) == set(Settings.model_fields)
    kinds = schema["properties"]["cameras"]["items"]["oneOf"]
    assert {kind["properties"]["kind"]["const"] for kind in kinds} == set(cameras.KINDS)
    # An entry that names no kind must fit one of them alone.
    assert [kind["properties"]["kind"]["const"] for kind in kinds if "kind" not in kind["required"]] == ["foscam"]
    assert "*****" not in json.dumps(schema)
    assert schema["additionalProperties"] is False


def uncommented() -> str:
    lines = EXAMPLE.read_text().splitlines()
    return "\n".join(line[1:] if re.match(r"#(?! \S)", line) else line for line in lines)


def test_the_example_file_does_nothing_as_it_is() -> None:
    assert yaml.safe_load(EXAMPLE.read_text()) is None


def test_the_example_file_shows_the_defaults() -> None:
    shown, default = read(uncommented()), load(Path("/dev/null"), {}, secrets=Path("no secrets"))
    examples = {"device_name", "cameras", "inputs", "outputs"}
    assert shown.model_dump(exclude=examples) == default.model_dump(exclude=examples)


def test_the_example_file_has_every_setting_and_no_other() -> None:
    values = yaml.safe_load(uncommented())
    lists = {"cameras", "inputs", "outputs"}
    expected = {dotted(variable.location) for variable in variables(Settings)} - lists
    # A detector that another one asks has the settings that `detector` has.
    expected -= {path for path in expected if re.match(r"detector\.(first|second)\.(?!kind$)", path)}
    assert _paths({key: value for key, value in values.items() if key not in lists}) == expected
    assert {entry["kind"]: set(entry) for entry in values["cameras"]} == {
        kind: set(CAMERA_KINDS.load(kind).model_fields) for kind in CAMERA_KINDS.names
    }
    assert all(set(entry) == {"type", "location"} for name in ("inputs", "outputs") for entry in values[name])


def test_the_example_cameras_show_their_defaults_too() -> None:
    for camera in read(uncommented()).cameras:
        required = {name for name, field in type(camera).model_fields.items() if field.is_required()} | {"url"}
        default = type(camera)(**{name: getattr(camera, name) for name in required if hasattr(camera, name)})
        assert camera == default


def test_every_setting_is_described() -> None:
    for model in _models(Settings):
        for name, field in model.model_fields.items():
            assert field.description or name == "kind", f"{model.__name__}.{name}"


def _any(settings: Settings) -> tuple[Any, ...]:
    return settings.cameras


def _paths(values: dict[str, Any]) -> set[str]:
    paths: set[str] = set()
    for key, value in values.items():
        paths |= {f"{key}.{path}" for path in _paths(value)} if isinstance(value, dict) else {key}
    return paths


def _models(model: type[BaseModel]) -> list[type[BaseModel]]:
    own = [type(field.default) for field in model.model_fields.values() if isinstance(field.default, BaseModel)]
    kinds = [kinds.load(name) for kinds in (CAMERA_KINDS, DETECTOR_KINDS) for name in kinds.names]
    return [model, *own, *kinds, CameraSettings]


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [("smal", "'smal'; did you mean small?"), ("phone", "'phone'; there are: small, large"), ("large", "")],
)
def test_messages_name_an_outlet_of_thumbnails_that_there_is(wanted: str, hint: str) -> None:
    text = f"""
publishers:
  - {{kind: thumbnails, name: small, bucket: home}}
  - {{kind: thumbnails, name: large, bucket: home, sizes: [480x480]}}
  - {{kind: apprise, name: phone, url: "ntfy://x", thumbnail: {wanted}}}
"""
    if not hint:
        read(text)
        return
    assert problems(text) == [f"config.yml: publishers[2].thumbnail (line 5): no outlet of kind thumbnails {hint}"]


@pytest.mark.parametrize(
    ("outlet", "refused"),
    [
        ("bucket: home", True),
        ('bucket: home, key: "<key>"', True),
        ('bucket: home, key: "<bucket>/<key>"', False),
        ('bucket: home, key: "<camera>/<name>"', False),
        ('bucket: home, key: "latest"', False),
        ("prefix: small", False),
    ],
)
def test_pictures_of_two_buckets_share_no_thumbnail(outlet: str, refused: bool) -> None:
    text = f"""
sources:
  - {{kind: bucket, buckets: [one, two/uploads/]}}
publishers:
  - {{kind: thumbnails, {outlet}}}
"""
    if not refused:
        read(text)
        read(text.replace("two/", "one/"))
        return
    sentence = "pictures of one name in one and two would share a thumbnail: begin it with <bucket>/"
    assert [line.partition(": ")[2].partition(": ")[2] for line in problems(text)] == [sentence]
    read(text.replace("two/", "one/"))


@pytest.mark.parametrize(
    "name", ["Fr\u00f6nt \u2013 \u201cDoor\u201d \U0001f6aa\ufe0f", "../../x", "Salle\u00a0\u00e0 manger", "x" * 200]
)
def test_a_location_that_is_odd_but_can_be_seen_starts(name: str) -> None:
    assert load(None, {"OUTPUT_1_TYPE": "Camera", "OUTPUT_1_LOCATION": name}).cameras[0].location == name
