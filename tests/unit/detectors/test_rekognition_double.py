"""The double of Rekognition refuses what the service would refuse."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.client import HTTPConnection

import pytest
from boto3.session import Session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from types_boto3_rekognition import RekognitionClient

from tests.fakes.pictures import busy, encoded, scene
from tests.simulators.rekognition import Rekognition as Double

PICTURE = encoded(scene())


@pytest.fixture(scope="module")
def double() -> Iterator[Double]:
    with Double() as server:
        yield server


def client(double: Double, *, signature: str = "v4") -> RekognitionClient:
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1}, signature_version=signature)
    session = Session(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="x" * 40)
    return session.client("rekognition", region_name="eu-west-1", endpoint_url=double.url, config=config)


@pytest.fixture(scope="module")
def asked(double: Double) -> RekognitionClient:
    return client(double)


def refusal(asked: RekognitionClient, picture: bytes = PICTURE, **parameters: int) -> str:
    with pytest.raises(ClientError) as caught:
        asked.detect_labels(Image={"Bytes": picture}, **parameters)  # type: ignore[arg-type]
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    ("drawn", "code"),
    [
        (lambda: encoded(busy(1400, 1300), "PNG", compress_level=0), "ImageTooLargeException"),
        (bytes, "ImageTooLargeException"),
        (lambda: encoded(scene(), "WEBP"), "InvalidImageFormatException"),
        (lambda: b"<html>", "InvalidImageFormatException"),
        (lambda: encoded(busy(200, 79)), "InvalidParameterException"),
        (lambda: encoded(busy(10_001, 80)), "InvalidParameterException"),
    ],
)
def test_pictures_outside_the_limits_are_refused(
    asked: RekognitionClient, drawn: Callable[[], bytes], code: str
) -> None:
    assert refusal(asked, drawn()) == code


@pytest.mark.parametrize("parameters", [{"MaxLabels": -1}, {"MaxLabels": 1001}, {"MinConfidence": 101}])
def test_parameters_outside_their_range_are_refused(asked: RekognitionClient, parameters: dict[str, int]) -> None:
    assert refusal(asked, PICTURE, **parameters) == "InvalidParameterException"


def test_a_call_without_a_signature_is_refused(double: Double) -> None:
    assert refusal(client(double, signature=UNSIGNED)) == "MissingAuthenticationTokenException"


def test_another_operation_is_refused(asked: RekognitionClient) -> None:
    with pytest.raises(ClientError, match="UnknownOperation"):
        asked.detect_faces(Image={"Bytes": PICTURE})


def test_a_call_gets_the_labels_it_asks_for(asked: RekognitionClient) -> None:
    answer = asked.detect_labels(Image={"Bytes": PICTURE}, MinConfidence=80, MaxLabels=3)
    assert [seen["Name"] for seen in answer["Labels"]] == ["Person", "Dog", "Car"]


def test_it_runs_as_a_program_that_prints_its_port() -> None:
    command = [sys.executable, "-m", "tests.simulators.rekognition", "--port", "0", "--delay", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        try:
            connection = HTTPConnection("127.0.0.1", int(program.stdout.readline()), timeout=10)
            connection.request("POST", "/", body=b"{}", headers={"Content-Type": "application/x-amz-json-1.1"})
            assert json.load(connection.getresponse())["__type"] == "UnknownOperationException"
            connection.close()
        finally:
            program.terminate()
