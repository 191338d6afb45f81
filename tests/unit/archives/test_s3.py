"""What the S3 archive says of a picture, within what S3 takes."""

from __future__ import annotations

from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from app.archives import dated_name, event_id_in
from app.archives.s3 import METADATA_BYTES, S3, S3Settings, metadata
from app.messages import Label
from tests.fakes.archives import a_picture, event_id


@given(camera=st.text(min_size=1), names=st.lists(st.text(min_size=1), max_size=60))
def test_metadata_are_ascii_of_one_line_and_never_too_much(camera: str, names: list[str]) -> None:
    labels = tuple(Label(name, 0.5) for name in names)
    told = metadata(a_picture(None, camera=camera, labels=labels), sha256="x" * 44)
    assert sum(len(name) + len(value) for name, value in told.items()) <= METADATA_BYTES
    for value in told.values():
        assert value.isascii()
        assert value.isprintable()
        assert value == value.strip()


def test_metadata_of_any_script_can_be_read_back() -> None:
    told = metadata(a_picture(None, camera="玄関 100% Café"), sha256="")
    assert unquote(told["camera"]) == "玄関 100% Café"


def test_names_in_archives_are_those_of_the_cache_and_tell_the_event() -> None:
    snapshot = a_picture(None, 7).snapshot
    assert dated_name(snapshot) == f"2026/03/04/yard-camera/120007-{event_id(7)}.jpg"
    assert event_id_in(dated_name(snapshot)) == event_id(7)
    assert event_id_in("2026/holiday.jpg") == ""


def test_the_link_for_people_leads_to_the_console_or_to_the_server() -> None:
    amazon = S3(S3Settings(bucket="home", prefix="cameras", region="eu-central-1"))
    assert amazon.url == "https://console.aws.amazon.com/s3/buckets/home?region=eu-central-1&prefix=cameras/"
    own = S3(S3Settings(bucket="home", endpoint_url="http://user:secret@minio:9000"))
    assert own.url == "http://minio:9000/home/"
