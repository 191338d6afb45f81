"""Links to objects end when they say, and never after the login that signed them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.credentials import Credentials, RefreshableCredentials

from pylib.aws.calls import AwsClient, AwsFailure, AwsSettings
from pylib.aws.links import LONGEST_S, presigned

SETTINGS = AwsSettings(region="us-east-1", endpoint_url="https://s3.example")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsClient]:
    for variable, value in {"AWS_ACCESS_KEY_ID": "someone", "AWS_SECRET_ACCESS_KEY": "whatever"}.items():
        monkeypatch.setenv(variable, value)
    for variable in (
        "AWS_SESSION_TOKEN",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
    ):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    made = AwsClient("s3", SETTINGS, title="S3")
    yield made
    made.close()


def signed_in(client: AwsClient, credentials: Credentials) -> Any:
    client.boto._request_signer._credentials = credentials
    return client.boto


def role(*, hours: float, renewed: list[float]) -> RefreshableCredentials:
    """What a role gets; renewed for an hour each time."""

    def tokens(lasting: float) -> dict[str, str]:
        until = datetime.now(UTC) + timedelta(hours=lasting)
        return {"access_key": "a", "secret_key": "s", "token": "t", "expiry_time": until.isoformat()}

    def renew() -> dict[str, str]:
        renewed.append(1)
        return tokens(1)

    return RefreshableCredentials.create_from_metadata(tokens(hours), refresh_using=renew, method="test")


def hours(until: datetime) -> float:
    return (until - datetime.now(UTC)) / timedelta(hours=1)


def test_a_link_is_good_for_as_long_as_was_wanted_and_says_so(client: AwsClient) -> None:
    url, until = client.link("home", "a b/ü.jpg", seconds=3600)
    query = parse_qs(urlsplit(url).query)
    assert query["X-Amz-Expires"] == ["3600"]
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]  # also in a region that still knows the old way
    assert urlsplit(url).path.endswith("/a%20b/%C3%BC.jpg")
    assert hours(until) == pytest.approx(1, abs=0.01)


def test_no_link_lasts_longer_than_a_week(client: AwsClient) -> None:
    url, until = client.link("home", "a.jpg", seconds=10 * LONGEST_S)
    assert f"X-Amz-Expires={LONGEST_S}&" in url
    assert hours(until) == pytest.approx(7 * 24, abs=0.01)


def test_no_link_says_that_it_outlives_its_login(client: AwsClient) -> None:
    renewed: list[float] = []
    url, until = presigned(signed_in(client, role(hours=2, renewed=renewed)), "home", "a.jpg", seconds=86_400)
    assert hours(until) == pytest.approx(2, abs=0.01)
    assert 7100 < int(parse_qs(urlsplit(url).query)["X-Amz-Expires"][0]) <= 7200
    assert renewed == []


def test_a_login_that_is_about_to_end_is_renewed_first(client: AwsClient) -> None:
    renewed: list[float] = []
    _, until = presigned(signed_in(client, role(hours=0.01, renewed=renewed)), "home", "a.jpg", seconds=86_400)
    assert renewed == [1]
    assert hours(until) == pytest.approx(1, abs=0.01)


def test_a_session_token_whose_end_nobody_knows_is_taken_for_lasting(client: AwsClient) -> None:
    _, until = presigned(signed_in(client, Credentials("a", "s", "token")), "home", "a.jpg", seconds=7200)
    assert hours(until) == pytest.approx(2, abs=0.01)


def test_without_a_login_there_is_no_link(client: AwsClient) -> None:
    client.boto._request_signer._credentials = None
    with pytest.raises(AwsFailure) as failed:
        client.link("home", "a.jpg", seconds=60)
    assert failed.value.kind == "login"


@pytest.mark.usefixtures("client")
def test_a_link_leads_to_the_region_of_the_bucket_and_is_signed_for_it() -> None:
    """A bucket's global name leads elsewhere while it is new."""
    somewhere = AwsClient("s3", AwsSettings(), title="S3")
    assert led_to(somewhere, "home") == ("home.s3.us-east-1.amazonaws.com", "us-east-1")
    europe = AwsClient("s3", AwsSettings(region="eu-central-1"), title="S3")
    assert led_to(europe, "home") == ("home.s3.eu-central-1.amazonaws.com", "eu-central-1")
    assert led_to(europe, "home.dotted") == ("s3.eu-central-1.amazonaws.com", "eu-central-1")


@pytest.mark.usefixtures("client")
def test_a_link_follows_to_the_region_that_s3_has_named() -> None:
    client = AwsClient("s3", AwsSettings(region="us-west-2"), title="S3")

    def send(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        found = "eu-central-1" in request.url
        region: Any = {"x-amz-bucket-region": "eu-central-1"}
        answer: Any = AWSResponse(request.url, 200 if found else 301, region, None)
        answer._content = b"" if found else b"<Error><Code>PermanentRedirect</Code></Error>"
        made: AWSResponse = answer
        return made

    client.boto.meta.events.register_first("before-send.s3", send)
    client.ask("put_object", Bucket="home", Key="a.jpg", Body=b"")
    assert led_to(client, "home") == ("home.s3.eu-central-1.amazonaws.com", "eu-central-1")


def led_to(client: AwsClient, bucket: str) -> tuple[str, str]:
    """The host of a link, and the region that it is signed for."""
    address = urlsplit(client.link(bucket, "a.jpg", seconds=60)[0])
    return address.netloc, parse_qs(address.query)["X-Amz-Credential"][0].split("/")[2]
