"""Thumbnails against moto's server: what lies in the bucket, what a link opens, and what an outage costs."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import pytest

from app.journal import Journal
from app.messages import Inspection, decode, encode
from app.pipeline.publish import Publish
from app.publishers import PublisherContext, PublishError, PublishRejected, PublishUnavailable
from app.publishers.sns import Sns, SnsSettings
from app.publishers.thumbnails import Thumbnails
from app.publishers.thumbnails.settings import ThumbnailsSettings
from app.storage.cache import Cache
from pylib.runtime.relay import Codec, Transport
from tests.e2e.process import until
from tests.fakes.archives import a_picture, event_id, recorded
from tests.fakes.clock import Clock
from tests.fakes.messages import an_event
from tests.fakes.pictures import busy, decoded, encoded
from tests.simulators.s3_proxy import BUSY, CONDITIONAL, HANG, LOST, OK, S3Proxy, s3_proxy

REGION: Any = "eu-central-1"

JPEG = encoded(busy(200, 100))

Make = Callable[..., Thumbnails]


@pytest.fixture(scope="module")
def moto() -> Iterator[tuple[str, int]]:
    from moto.server import ThreadedMotoServer  # takes a third of a second, which other workers need not spend

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()
    server.stop()


@pytest.fixture(autouse=True)
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in {
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "whatever",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(variable, value)
    for variable in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def proxy(moto: tuple[str, int]) -> Iterator[S3Proxy]:
    with s3_proxy(moto) as proxy:
        yield proxy


@pytest.fixture
def owner(moto: tuple[str, int], name: str) -> Any:
    """Sees the server without the proxy, and has made the test's bucket."""
    made = boto3.client("s3", endpoint_url=f"http://{moto[0]}:{moto[1]}", region_name=REGION)
    made.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return made


@pytest.fixture
def make(proxy: S3Proxy, owner: Any, name: str) -> Make:
    def make(**settings: Any) -> Thumbnails:
        own = {"bucket": name, "endpoint_url": proxy.url, "path_style": True, "region": REGION, **settings}
        return Thumbnails(ThumbnailsSettings.model_validate(own), PublisherContext("small"))

    return make


def keys(owner: Any, bucket: str) -> list[str]:
    return [entry["Key"] for entry in owner.list_objects_v2(Bucket=bucket).get("Contents", ())]


def found_in(bucket: str, key: str, event: Inspection) -> Inspection:
    """The same event, of a picture from a bucket."""
    return replace(event, snapshot=replace(event.snapshot, bucket=bucket, object_key=key))


def puts(proxy: S3Proxy) -> int:
    return sum(method == "PUT" for method, _, _ in proxy.seen)


def test_a_thumbnail_lies_in_the_bucket_and_says_what_it_is(make: Make, owner: Any, name: str, tmp_path: Path) -> None:
    key = "uploads/a b+c%41/cät.jpg"
    make(cache_control="max-age=60").publish(found_in("elsewhere", key, an_event(1, folder=tmp_path)))
    assert keys(owner, name) == ["thumbnails/uploads/a b+c%41/thumbnail_cät.jpg"]
    there = owner.get_object(Bucket=name, Key=keys(owner, name)[0])
    assert decoded(there["Body"].read()).size == (64, 36)
    assert (there["ContentType"], there["CacheControl"]) == ("image/jpeg", "max-age=60")
    assert there["Metadata"]["snapshot-processor"] == "thumbnail"
    assert there["Metadata"]["event-id"] == event_id(1)


def test_several_sizes_are_several_objects_and_a_link_opens_the_first(
    make: Make, owner: Any, name: str, tmp_path: Path
) -> None:
    outlet = make(sizes=["320x320", "48x48"], mode="cover", format="webp", key="<id>_<size>", prefix="")
    event = an_event(2, folder=tmp_path)
    link = outlet.stored(event)
    assert keys(owner, name) == [f"{event_id(2)}_320x320.webp", f"{event_id(2)}_48x48.webp"]
    assert link is not None
    with urllib.request.urlopen(link.url, timeout=10) as opened:
        small = decoded(opened.read())
        assert opened.headers["Content-Type"] == "image/webp"
    assert (small.format, small.size) == ("WEBP", (320, 320))
    assert timedelta(days=6.9) < link.until - datetime.now(UTC) < timedelta(days=7)


def test_the_bucket_is_the_picture_s_own_unless_another_is_set(
    make: Make, owner: Any, name: str, tmp_path: Path
) -> None:
    outlet = make(bucket="")
    of_a_camera = an_event(1, folder=tmp_path)
    outlet.publish(of_a_camera)
    assert outlet.stored(of_a_camera) is None
    assert keys(owner, name) == []
    outlet.publish(found_in(name, "x.jpg", of_a_camera))
    assert keys(owner, name) == ["thumbnails/thumbnail_x.jpg"]


@pytest.mark.parametrize("named", ["Front Door  camera", "front-door-camera"])
def test_only_pictures_of_the_cameras_that_are_named_get_any(
    make: Make, owner: Any, name: str, tmp_path: Path, named: str
) -> None:
    outlet = make(cameras=[named])
    folder = tmp_path / "front-door-camera"
    other = tmp_path / "yard-camera"
    for one in (folder, other):
        one.mkdir()
    outlet.publish(an_event(1, folder=other, place="Yard"))
    assert keys(owner, name) == []
    outlet.publish(an_event(2, folder=folder))
    assert len(keys(owner, name)) == 1


def test_an_event_without_a_picture_is_done_and_one_whose_picture_is_gone_or_none_is_given_up(
    make: Make, proxy: S3Proxy, tmp_path: Path
) -> None:
    outlet = make()
    outlet.publish(an_event(1, problem="timeout: no answer"))
    gone, broken = an_event(2, folder=tmp_path), an_event(3, folder=tmp_path)
    Path(gone.snapshot.path).unlink()
    Path(broken.snapshot.path).write_bytes(b"\xff\xd8\xff text")
    for event, code in ((gone, "picture_missing"), (broken, "bad_picture")):
        with pytest.raises(PublishRejected) as given_up:
            outlet.publish(event)
        assert given_up.value.code == code
        assert outlet.stored(event) is None
    assert proxy.seen == []


def test_outlet_and_messages_make_each_thumbnail_once(make: Make, proxy: S3Proxy, tmp_path: Path) -> None:
    outlet, event = make(), an_event(1, folder=tmp_path)
    together = threading.Barrier(4)

    def use(work: Callable[[Inspection], object]) -> None:
        together.wait(10)
        work(event)

    threads = [threading.Thread(target=use, args=(work,)) for work in (outlet.publish, outlet.stored) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert puts(proxy) == 1


def test_after_a_restart_what_is_there_is_found_and_not_written_again(
    make: Make, owner: Any, name: str, tmp_path: Path
) -> None:
    event = an_event(1, folder=tmp_path)
    make().publish(event)
    (key,) = keys(owner, name)
    before = owner.head_object(Bucket=name, Key=key)
    make().publish(event)
    assert owner.head_object(Bucket=name, Key=key)["LastModified"] == before["LastModified"]
    assert keys(owner, name) == [key]


def test_a_picture_is_never_overwritten_by_its_own_thumbnail(
    make: Make, proxy: S3Proxy, owner: Any, name: str, tmp_path: Path
) -> None:
    picture = encoded(busy(200, 100))
    owner.put_object(Bucket=name, Key="in/x.jpg", Body=picture)
    outlet = make(bucket="", prefix="", key="<key>")
    with pytest.raises(PublishRejected, match="name_taken"):
        outlet.publish(found_in(name, "in/x.jpg", an_event(1, folder=tmp_path)))
    assert owner.get_object(Bucket=name, Key="in/x.jpg")["Body"].read() == picture
    assert not puts(proxy)  # there are servers that do not know If-None-Match, and write


def test_a_server_that_is_busy_gone_or_silent_is_tried_again_and_nothing_is_lost(
    make: Make, proxy: S3Proxy, owner: Any, name: str, tmp_path: Path
) -> None:
    event = an_event(1, folder=tmp_path)
    for always, code in ((BUSY, "throttled"), (HANG, "timeout"), ("AccessDenied:403", "access_denied")):
        outlet = make(timeout=1 if always == HANG else 20)  # boto3 waits for up to a second before it tries again
        proxy.always = always
        with pytest.raises(PublishUnavailable) as later:
            outlet.publish(event)
        assert later.value.code == code
        with pytest.raises(PublishUnavailable):
            outlet.stored(event)
    proxy.always = OK
    proxy.uploads.append(LOST)  # written, but nobody heard of it
    outlet.publish(event)
    assert len(keys(owner, name)) == 1


def test_a_server_without_conditional_writes_has_them_too(
    make: Make, proxy: S3Proxy, owner: Any, name: str, tmp_path: Path
) -> None:
    proxy.always = CONDITIONAL
    outlet, event = make(), an_event(1, folder=tmp_path)
    outlet.publish(event)
    make().publish(event)
    assert len(keys(owner, name)) == 1


def test_a_bucket_that_is_not_there_waits_for_a_person(make: Make, tmp_path: Path) -> None:
    with pytest.raises(PublishUnavailable, match="knows nothing by this name") as waits:
        make(bucket="there-is-no-such-bucket").publish(an_event(1, folder=tmp_path))
    assert waits.value.code == "not_found"


def test_one_bucket_that_cannot_be_written_is_no_outage_of_the_others_and_has_an_end(
    make: Make, tmp_path: Path
) -> None:
    outlet = make(bucket="")
    with pytest.raises(PublishUnavailable) as waits:
        outlet.publish(found_in("there-is-no-such-bucket", "in/x.jpg", an_event(1, folder=tmp_path)))
    assert (waits.value.outage, waits.value.code in outlet.abandon_after) == (False, True)
    with pytest.raises(PublishUnavailable) as all_wait:
        make(bucket="there-is-no-such-bucket").publish(an_event(1, folder=tmp_path))
    assert all_wait.value.outage


def test_settings_that_boto3_does_not_take_are_told_when_it_is_made(make: Make) -> None:
    with pytest.raises(PublishError, match="https://"):
        make(endpoint_url="nowhere")


def test_several_at_once_each_once_and_all_of_them(
    make: Make, proxy: S3Proxy, owner: Any, name: str, journal: Journal, cache: Cache, clock: Clock
) -> None:
    outlet = make(concurrency=4)
    pictures = [recorded(journal, a_picture(cache, number, picture=JPEG), "small") for number in range(30)]
    proxy.faults.extend([BUSY] * 8)

    def all_are_there() -> bool:
        clock.now += 1  # what failed is tried again a while later
        return not journal.backlog("small").count

    transport = Transport(Codec(encode, decode))
    relay = transport.relay(
        "thumbnails",
        Publish(outlet, journal=journal),
        source="inproc://small",
        key=lambda event: event.id,
        identity=lambda event: event.id,
        workers=outlet.concurrency,
        pending_every=0.05,
    )
    relay.start()
    try:
        until(all_are_there, timeout=60, what="all thumbnails")
    finally:
        relay.stop()
        relay.join(10)
        transport.close()
    assert len(keys(owner, name)) == len(pictures)


def test_a_topic_s_subscribers_get_the_link_and_when_it_ends(
    make: Make, moto: tuple[str, int], name: str, tmp_path: Path
) -> None:
    address = f"http://{moto[0]}:{moto[1]}"
    sns = boto3.client("sns", endpoint_url=address, region_name=REGION)
    sqs = boto3.client("sqs", endpoint_url=address, region_name=REGION)
    topic, queue = sns.create_topic(Name=name)["TopicArn"], sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:123456789012:{name}"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    outlet = make(link_lifetime=3600)
    context = PublisherContext("mail", stored_thumbnail=lambda _, event: outlet.stored(event))
    settings = SnsSettings(topic_arn=topic, endpoint_url=address, thumbnail="small")
    Sns(settings, context).publish(found_in("home", "in/cat.jpg", an_event(1, folder=tmp_path)))
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    said, line = message["Body"].splitlines()[:2]
    assert said == "21:10, Person 97 %, cat.jpg"
    url, _, end = line.partition(" ")
    assert unquote(urlsplit(url).path).endswith("/thumbnails/in/thumbnail_cat.jpg")
    assert end.startswith("(opens until 2")
    with urllib.request.urlopen(url, timeout=10) as opened:
        assert decoded(opened.read()).size == (64, 36)


def test_a_picture_of_a_camera_is_named_as_in_the_cache(make: Make, owner: Any, name: str, cache: Cache) -> None:
    picture = a_picture(cache, 7, picture=JPEG)
    make().publish(picture)
    assert keys(owner, name) == [f"thumbnails/2026/03/04/yard-camera/thumbnail_120007-{event_id(7)}.jpg"]
