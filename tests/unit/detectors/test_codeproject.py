"""CodeProject.AI and DeepStack: what they see in our terms, and their failures told apart."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterator

import pytest
from PIL import Image

from app import detectors
from app.detectors import DetectorError, DetectorRejected, DetectorUnavailable
from app.detectors.codeproject import MAX_ANSWER, MAX_PREDICTIONS, CodeProject, CodeProjectSettings
from app.messages import Box, Detection
from tests.fakes.http_double import HttpDouble, Reply, http_double
from tests.fakes.pictures import encoded, scene
from tests.simulators.ai_server import DetectionServer, json_reply, prediction

PICTURE = encoded(Image.new("RGB", (200, 400), "grey"))
KEY = "wJalrXUtnFEMIK7MDENG"


@pytest.fixture(scope="module")
def server() -> Iterator[HttpDouble]:
    with http_double() as running:
        yield running


def asked(server: HttpDouble, double: Callable[..., Reply], picture: bytes = PICTURE, **changes: object) -> object:
    """What it sees; or how it fails, in which the key never stands."""
    server.answer = double
    detector = CodeProject(CodeProjectSettings.model_validate({"url": server.url, "timeout": 5.0, **changes}))
    try:
        return detector.detect(picture)
    except DetectorError as error:
        return type(error), "the key" if KEY in f"{error!r}{error}" else error.code
    finally:
        detector.close()


def test_what_is_seen_comes_back_in_our_terms(server: HttpDouble) -> None:
    double = DetectionServer(
        predictions=[
            prediction("person", 0.62, 0, 0, 20, 100),
            prediction("person", 0.91, 100, 40, 150, 440),
            prediction("traffic light", 0.7, 10, 10, 20, 20),
            prediction("dog", 0.3, 10, 10, 20, 20),
        ]
    )
    seen = asked(server, double)
    assert isinstance(seen, Detection)
    person, light = seen.labels
    assert (person.name, person.confidence, light.name) == ("Person", 0.91, "Traffic Light")
    assert person.boxes == (Box(0.5, 0.1, 0.25, 0.9), Box(0.0, 0.0, 0.1, 0.25))
    assert seen.person_count == 2
    assert double.forms[0]["min_confidence"] == b"0.5"
    assert "api_key" not in double.forms[0]


def test_what_a_server_says_below_the_minimum_is_left_out_all_the_same(server: HttpDouble) -> None:
    said = {"success": True, "predictions": [prediction("person", 0.49, 0, 0, 9, 9)]}
    assert asked(server, lambda _: json_reply(said)) == Detection()


def test_it_is_sent_upright_and_not_larger_than_it_uses(server: HttpDouble) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    double = DetectionServer()
    asked(server, double, encoded(Image.new("RGB", (4000, 1000), "grey"), exif=exif))
    with Image.open(io.BytesIO(double.forms[0]["image"])) as sent:
        assert (sent.size, sent.format, dict(sent.getexif())) == ((480, 1920), "JPEG", {})


def test_a_custom_model_and_a_key_are_asked_for(server: HttpDouble) -> None:
    double = DetectionServer("deepstack", api_key=KEY)
    seen = asked(server, double, kind="deepstack", custom_model="ipcam-combined", api_key=KEY)
    assert isinstance(seen, Detection)
    assert seen.person_count == 1
    assert server.seen[-1].path == "/v1/vision/custom/ipcam-combined"


def test_events_name_the_kind_that_was_configured() -> None:
    kinds: list[str] = ["codeproject", "deepstack"]
    made = [detectors.KINDS.load(kind) for kind in kinds]
    assert [
        one(one.Settings.model_validate({"kind": kind, "url": "http://h"}), detectors.DetectorContext()).name
        for kind, one in zip(kinds, made, strict=True)
    ] == kinds


@pytest.mark.parametrize("speaks", ["codeproject", "deepstack"])
@pytest.mark.parametrize(
    ("double", "changes", "failure"),
    [
        ({}, {"custom_model": "nobody"}, (DetectorRejected, "no_custom_model")),
        ({"fails": "failed to process request before timeout"}, {}, (DetectorUnavailable, "unavailable")),
        ({"fails": "Unable to find the ObjectDetection module"}, {}, (DetectorRejected, "no_module")),
        ({"fails": "invalid image file"}, {}, (DetectorRejected, "invalid_image")),
    ],
)
def test_refusals_are_told_apart(
    server: HttpDouble, speaks: str, double: dict[str, object], changes: dict[str, object], failure: object
) -> None:
    assert asked(server, DetectionServer(speaks, **double), **changes) == failure  # type: ignore[arg-type]


def test_a_wrong_key_is_told_and_never_repeated(server: HttpDouble) -> None:
    assert asked(server, DetectionServer("deepstack", api_key="x"), api_key=KEY) == (DetectorRejected, "login_refused")
    answer = json_reply({"success": False, "error": f"Incorrect api key {KEY}"}, 401)
    assert asked(server, lambda _: answer, api_key=KEY) == (DetectorRejected, "login_refused")
    assert asked(server, lambda _: json_reply({"success": False, "error": KEY}, 418), api_key=KEY) == (
        DetectorRejected,
        "refused",
    )


@pytest.mark.parametrize(
    "said",
    [
        "<html>",
        "[" * 100_000,
        "[]",
        '{"success": 1}',
        '{"success": true}',
        '{"success": true, "predictions": 5}',
        '{"success": true, "predictions": [{"label": "person"}]}',
        '{"success": true, "predictions": [{"label":"a","confidence":NaN,"x_min":0,"y_min":0,"x_max":0,"y_max":0}]}',
        '{"success": true, "predictions": []}' + " " * MAX_ANSWER,
    ],
)
def test_what_is_no_detection_server_is_found_out(server: HttpDouble, said: str) -> None:
    assert asked(server, lambda _: json_reply(said)) == (DetectorUnavailable, "wrong_server")


def test_a_router_that_answers_404_is_no_detection_server(server: HttpDouble) -> None:
    assert asked(server, lambda _: json_reply("not found", 404)) == (DetectorUnavailable, "wrong_server")


def test_nothing_found_may_be_null(server: HttpDouble) -> None:
    assert asked(server, lambda _: json_reply({"success": True, "predictions": None})) == Detection()


def test_hostile_names_and_numbers_of_labels_are_bounded(server: HttpDouble) -> None:
    many = [prediction(f"\u202e{number}\n{'x' * 99}", 0.9, 0, 0, 1e300, -1e300) for number in range(3000)]
    seen = asked(server, lambda _: json_reply({"success": True, "predictions": many}))
    assert isinstance(seen, Detection)
    assert len(seen.labels) == MAX_PREDICTIONS
    assert (seen.labels[1].name, len(seen.labels[1].name)) == (f"1 {'X' + 'x' * 56}…", 60)
    assert seen.labels[1].boxes == (Box(0.0, 0.0, 1.0, 0.0),)


def test_a_server_that_hangs_is_left_in_time(server: HttpDouble) -> None:
    def drip(_: object) -> Reply:
        def pieces() -> Iterator[bytes]:
            while True:
                yield b" "
                server.hold.wait(0.01)

        return Reply(200, {}, pieces())

    assert asked(server, drip, timeout=0.2) == (DetectorUnavailable, "timeout")


def test_a_server_that_is_not_there_is_said_to_be_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(DetectorUnavailable, match=f"unreachable: No connection to {url}"):
            CodeProject(CodeProjectSettings(url=url)).detect(PICTURE)


def test_one_without_an_address_says_what_to_set() -> None:
    with pytest.raises(DetectorRejected, match=r"no_server.*DETECTOR_URL"):
        CodeProject(CodeProjectSettings())


def test_a_broken_picture_is_not_sent(server: HttpDouble) -> None:
    before = len(server.seen)
    assert asked(server, DetectionServer(), encoded(scene())[:2000]) == (DetectorRejected, "truncated")
    assert len(server.seen) == before
