"""Rekognition is asked within its limits, answers in our terms, and its failures are told apart."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from botocore.exceptions import SSLError

from app.detectors import KINDS, DetectorError, DetectorRejected, DetectorUnavailable
from app.detectors.rekognition import MAX_BYTES, Rekognition, RekognitionSettings
from app.messages import Box, Detection
from tests.fakes.pictures import busy, encoded, heic, scene
from tests.simulators.rekognition import Rekognition as Double
from tests.simulators.rekognition import label

PICTURE = encoded(scene([(611, 300)]))
SECRET = "wJalrXUtnFEMIK7MDENG"


@pytest.fixture(autouse=True)
def login(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An AWS login of this test's own, whatever the machine has."""
    nowhere = str(tmp_path_factory.getbasetemp() / "none")
    for name in (
        "AWS_PROFILE",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_REKOGNITION",
    ):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def double() -> Iterator[Double]:
    with Double() as server:
        yield server


def detector(double: Double, **changes: object) -> Rekognition:
    return Rekognition(RekognitionSettings.model_validate({"endpoint_url": double.url, **changes}))


def failure(asked: Rekognition, picture: bytes = PICTURE) -> DetectorError:
    with pytest.raises(DetectorError) as caught:
        asked.detect(picture)
    assert SECRET not in f"{caught.value!r}{caught.value}"
    return caught.value


# What comes back


def test_labels_come_back_in_our_terms(double: Double) -> None:
    detection = detector(double).detect(PICTURE)
    person = detection.labels[0]
    assert (person.name, person.confidence) == ("Person", 0.985)
    assert person.boxes == (Box(0.31, 0.22, 0.14, 0.66), Box(0.62, 0.35, 0.1, 0.5))
    assert [label.name for label in detection.labels if not label.boxes][:2] == ["Outdoors", "House"]
    assert (detection.person_count, len(detection.labels)) == (2, 9)


def test_a_person_without_a_box_counts_as_one(double: Double) -> None:
    double.default = [label("Person", 80), label("Snow", 70)]
    detection = detector(double).detect(PICTURE)
    assert detection.person_count == 1
    assert detection.labels[0].boxes == ()


def test_nobody_is_counted_where_no_person_is_named(double: Double) -> None:
    double.default = [label("Dog", 99, (0.1, 0.1, 0.2, 0.2))]
    assert detector(double).detect(PICTURE).person_count == 0


def test_persons_below_the_minimum_confidence_are_not_counted(double: Double) -> None:
    person = label("Person", 90, (0.1, 0.1, 0.1, 0.5), (0.6, 0.1, 0.1, 0.5))
    person["Instances"][1]["Confidence"] = 60
    double.default = [person, label("Dog", 69)]
    detection = detector(double, minimum_confidence=0.7).detect(PICTURE)
    assert detection.person_count == 1
    assert [seen.name for seen in detection.labels] == ["Person"]
    assert double.calls[0].parameters["MinConfidence"] == 70


def test_the_surest_box_comes_first(double: Double) -> None:
    person = label("Person", 90, (0.1, 0.1, 0.1, 0.5), (0.6, 0.1, 0.1, 0.5))
    person["Instances"].reverse()
    double.default = [person]
    assert [box.left for box in detector(double).detect(PICTURE).labels[0].boxes] == [0.1, 0.6]


def test_boxes_that_reach_over_the_edge_are_cut_to_the_picture(double: Double) -> None:
    double.default = [label("Person", 90, (-0.1, 0.5, 0.3, 0.9))]
    assert detector(double).detect(PICTURE).labels[0].boxes == (Box(0.0, 0.5, 0.2, 0.5),)


def test_nothing_seen_is_an_answer_too(double: Double) -> None:
    double.default = []
    assert detector(double).detect(PICTURE) == Detection()


def test_each_picture_gets_its_own_answer(double: Double) -> None:
    other = encoded(scene())
    double.answers[hashlib.sha256(other).hexdigest()] = [label("Lawn", 88)]
    asked = detector(double)
    assert [seen.name for seen in asked.detect(other).labels] == ["Lawn"]
    assert asked.detect(PICTURE).person_count == 2


# What is sent


def test_a_picture_within_the_limits_is_sent_untouched(double: Double) -> None:
    detector(double, max_labels=7).detect(PICTURE)
    assert double.calls[0].picture == PICTURE
    assert double.calls[0].parameters == {"MaxLabels": 7, "MinConfidence": 50}


@pytest.mark.parametrize(
    "drawn",
    [
        lambda: encoded(scene(), "WEBP"),
        lambda: encoded(scene(), "BMP"),
        lambda: heic(scene()),
        lambda: encoded(busy(1400, 1300), "PNG", compress_level=0),
        lambda: encoded(busy(100, 40)),
        lambda: encoded(busy(11_000, 90)),
    ],
    ids=["webp", "bmp", "heic", "over 5 MB", "under 80 pixels", "over 10000 pixels"],
)
def test_any_other_picture_is_brought_under_the_limits(double: Double, drawn: Callable[[], bytes]) -> None:
    assert detector(double).detect(drawn()).person_count == 2
    (call,) = double.calls
    assert call.format == "JPEG"
    assert len(call.picture) <= MAX_BYTES


def test_the_endpoint_may_come_from_the_environment(double: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_REKOGNITION"):
        monkeypatch.setenv(name, double.url)
        assert Rekognition(RekognitionSettings()).detect(PICTURE).person_count == 2
        monkeypatch.delenv(name)


def test_many_pictures_are_looked_at_at_once_over_connections_that_are_kept(
    double: Double, caplog: pytest.LogCaptureFixture
) -> None:
    double.delay = 0.5
    asked = detector(double)
    assert asked.concurrency == 64
    with ThreadPoolExecutor(asked.concurrency) as pool:
        found = list(pool.map(asked.detect, [PICTURE] * 100))
    assert [detection.person_count for detection in found] == [2] * 100
    assert double.busiest > 10
    assert "pool is full" not in caplog.text


# What goes wrong


@pytest.mark.parametrize("fault", ["throttle", "throughput", "internal", "unavailable", "drop"])
def test_a_passing_fault_is_tried_again(double: Double, fault: str) -> None:
    double.faults.append(fault)
    assert detector(double).detect(PICTURE).person_count == 2
    assert double.requests == 2


LASTING = {
    "throttle": "throttled",
    "throughput": "throttled",
    "internal": "unavailable",
    "drop": "unreachable",
}


@pytest.mark.parametrize("fault", LASTING)
def test_a_lasting_fault_is_given_up_after_a_few_tries(double: Double, fault: str) -> None:
    double.faults.extend([fault] * 9)
    error = failure(detector(double, attempts=2))
    assert isinstance(error, DetectorUnavailable)
    assert error.code == LASTING[fault]
    assert double.requests == 2


FINAL = {
    "access_denied": ("access_denied", "rekognition:DetectLabels"),
    "bad_key": ("bad_credentials", "AWS_ACCESS_KEY_ID"),
    "expired": ("expired_credentials", "sign in again"),
    "clock": ("bad_credentials", "clock"),
    "too_large": ("too_large", "large"),
}


@pytest.mark.parametrize("fault", FINAL)
def test_what_someone_has_to_change_is_said_once_and_not_tried_again(double: Double, fault: str) -> None:
    double.faults.extend([fault] * 9)
    error = failure(detector(double))
    assert isinstance(error, DetectorRejected)
    code, advice = FINAL[fault]
    assert error.code == code
    assert advice in error.detail
    assert "123456789012" not in error.detail  # the account
    assert double.requests == 1


@pytest.mark.timeout(30)
def test_silence_is_a_timeout_of_one_call_which_may_be_charged(double: Double) -> None:
    double.faults.extend(["hang"] * 9)
    error = failure(detector(double, attempts=3, read_timeout=0.2))
    assert isinstance(error, DetectorUnavailable)
    assert error.code == "timeout"
    assert double.requests == 1


@pytest.mark.parametrize("body", [b"[]", b"<html>", b"{}", b'{"Labels": 5}', b'{"Labels": [{"Name": "Dog"}]}'])
def test_an_answer_that_is_not_rekognition_s_is_unavailable(body: bytes) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The test looks at the answer."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        error = failure(Rekognition(RekognitionSettings(endpoint_url=f"http://127.0.0.1:{server.server_port}")))
        server.shutdown()
        thread.join(60)
    assert isinstance(error, DetectorUnavailable)
    assert error.code == "bad_answer"


def test_a_certificate_that_is_not_trusted_is_told_from_a_network_that_is_away(
    double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = detector(double)

    def untrusted(**_: object) -> None:
        raise SSLError(endpoint_url=double.url, error=OSError("certificate verify failed"))

    monkeypatch.setattr(asked._client, "detect_labels", untrusted)
    assert failure(asked).code == "tls"


def test_connections_are_bounded_as_the_settings_say(double: Double) -> None:
    config: Any = detector(double, connect_timeout=2, read_timeout=4, concurrency=20)._client.meta.config
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (2, 4, 20)
    assert config.tcp_keepalive  # or a firewall that forgot them is found out by the next picture


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_refused_connection_is_unavailable_and_names_the_host_without_a_login() -> None:
    settings = RekognitionSettings(endpoint_url=f"http://me:{SECRET}@127.0.0.1:{closed_port()}", attempts=1)
    error = failure(Rekognition(settings))
    assert isinstance(error, DetectorUnavailable)
    assert error.code == "unreachable"
    assert "127.0.0.1" in error.detail


def test_a_region_without_rekognition_is_told_from_a_network_that_is_away() -> None:
    # The path stands for the host name that would be made from the region: here nothing may ask a name server.
    settings = RekognitionSettings(
        region="eu-nowhere-9", endpoint_url=f"http://127.0.0.1:{closed_port()}/eu-nowhere-9", attempts=1
    )
    error = failure(Rekognition(settings))
    assert isinstance(error, DetectorRejected)
    assert error.code == "invalid_region"
    assert "eu-nowhere-9" in error.detail


def test_a_login_that_is_missing_is_said_with_what_to_set(double: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    error = failure(detector(double))
    assert isinstance(error, DetectorRejected)
    assert error.code == "no_credentials"
    assert "AWS_ACCESS_KEY_ID" in error.detail
    assert double.requests == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"region": "not a region"}, "invalid_region"),
        ({"endpoint_url": "rekognition"}, "invalid_endpoint"),
        ({"endpoint_url": "http://rekognition:port"}, "invalid_endpoint"),
    ],
)
def test_settings_that_make_no_sense_are_said_at_the_start(changes: dict[str, str], code: str) -> None:
    with pytest.raises(DetectorRejected) as caught:
        Rekognition(RekognitionSettings.model_validate(changes))
    assert caught.value.code == code


def test_no_region_at_all_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(DetectorRejected, match="AWS_DEFAULT_REGION"):
        Rekognition(RekognitionSettings())


def test_what_is_no_picture_is_never_sent(double: Double) -> None:
    assert failure(detector(double), b"<html>").code == "not_an_image"
    assert double.requests == 0


# How it is loaded


def test_it_is_the_kind_rekognition() -> None:
    assert KINDS.load("rekognition") is Rekognition
    assert Rekognition.name == Rekognition.Settings().kind == "rekognition"


def test_boto3_is_loaded_by_the_first_detector_and_not_before() -> None:
    program = (
        "import sys, app.__main__; app.__main__.load_command(); "
        "from app.detectors.rekognition import Rekognition, RekognitionSettings; "
        "assert not {'boto3', 'botocore'} & set(sys.modules); "
        "Rekognition(RekognitionSettings()); assert 'boto3' in sys.modules; "
        "assert 'OpenSSL' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
