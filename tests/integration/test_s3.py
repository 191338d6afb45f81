"""The S3 archive against moto's server, with a proxy between them that makes things go wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from app.archives import ArchiveBlocked, ArchiveUnavailable, RemoteObject
from app.archives.folder import Folder, FolderSettings
from app.archives.s3 import S3
from app.archives.s3.settings import S3Settings
from app.journal import Journal
from app.messages import Inspection, Label, decode, encode
from app.monitoring.metrics import SnapshotMetrics
from app.pipeline.archive import Keep
from app.pipeline.publish import Publish
from app.storage.cache import Cache
from pylib.runtime.relay import Codec, Transport, ZmqRelay
from pylib.runtime.stage import Stage
from tests.fakes.archives import NOON, a_picture, event_id, recorded
from tests.fakes.clock import Clock
from tests.fakes.publishers import FakePublisher
from tests.simulators.s3_proxy import ALTERED, BUSY, CONDITIONAL, DRIP, HANG, LOST, OK, S3Proxy, s3_proxy
from tests.unit.pipeline.test_archive import work_off

KEY = f"home/2026/03/04/yard-camera/120001-{event_id(1)}.jpg"


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON.timestamp())


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
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(variable, value)
    for variable in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def proxy(moto: tuple[str, int]) -> Iterator[S3Proxy]:
    with s3_proxy(moto) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def owner(moto: tuple[str, int]) -> Any:
    """Sees the server without the proxy."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=f"http://{moto[0]}:{moto[1]}",
        region_name="eu-central-1",
        aws_access_key_id="someone",
        aws_secret_access_key="whatever",
        config=Config(s3={"addressing_style": "path"}),
    )


@pytest.fixture
def remote(owner: Any, name: str) -> Any:
    """Its owner, who has made the test's bucket."""
    owner.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return owner


@pytest.fixture
def s3(proxy: S3Proxy, remote: Any, name: str) -> Iterator[S3]:
    archive = S3(settings(proxy, name))
    yield archive
    archive.close()


def settings(proxy: S3Proxy, bucket: str, **options: Any) -> S3Settings:
    options = {"connect_timeout": 20, "read_timeout": 2, **options}
    return S3Settings(bucket=bucket, prefix="/home/", endpoint_url=proxy.url, path_style=True, **options)


def keys(remote: Any, bucket: str) -> list[str]:
    return [entry["Key"] for entry in remote.list_objects_v2(Bucket=bucket).get("Contents", ())]


def body(remote: Any, bucket: str, key: str = KEY) -> bytes:
    data: bytes = remote.get_object(Bucket=bucket, Key=key)["Body"].read()
    return data


def test_a_picture_lies_under_its_day_and_camera_and_says_what_it_is(s3: S3, remote: Any, name: str) -> None:
    seen = a_picture(None, camera="Küche Camera", labels=(Label("Person", 0.97), Label("Hund 🐕", 0.5)), persons=1)
    s3.open()
    s3.store(seen, b"a picture")
    there = remote.get_object(Bucket=name, Key=KEY)
    assert there["Body"].read() == b"a picture"
    assert there["ContentType"] == "image/jpeg"
    told = {key: unquote(value) for key, value in there["Metadata"].items()}
    assert told["event-id"] == event_id(1)
    assert told["camera"] == "Küche Camera"
    assert told["labels"] == "Person 0.97, Hund 🐕 0.50"
    assert told["person-count"] == "1"
    assert told["time"] == "2026-03-04T12:00:01+00:00"


def test_storage_class_and_encryption_are_asked_for(proxy: S3Proxy, remote: Any, name: str) -> None:
    s3 = S3(settings(proxy, name, storage_class="STANDARD_IA", encryption="aws:kms"))
    s3.store(a_picture(None), b"a picture")
    there = remote.head_object(Bucket=name, Key=KEY)
    assert (there["StorageClass"], there["ServerSideEncryption"]) == ("STANDARD_IA", "aws:kms")
    assert [entry.md5 for entry in s3.entries()] == [""]  # what KMS encrypts has an ETag that says nothing
    s3.close()


def test_keeping_a_picture_twice_leaves_one(s3: S3, remote: Any, name: str) -> None:
    for _ in range(2):
        s3.store(a_picture(None), b"a picture")
    assert keys(remote, name) == [KEY]


def test_an_upload_whose_answer_was_lost_is_found_and_not_sent_again_by_us(
    s3: S3, proxy: S3Proxy, remote: Any, name: str
) -> None:
    proxy.faults += [LOST, LOST]
    with pytest.raises(ArchiveUnavailable):
        s3.store(a_picture(None), b"a picture")
    first = remote.head_object(Bucket=name, Key=KEY)["LastModified"]
    s3.store(a_picture(None), b"a picture")
    assert keys(remote, name) == [KEY]
    assert remote.head_object(Bucket=name, Key=KEY)["LastModified"] == first


def test_what_arrives_other_than_it_was_sent_is_sent_again_and_never_counts_as_kept(
    s3: S3, proxy: S3Proxy, remote: Any, name: str
) -> None:
    proxy.uploads += [ALTERED]
    s3.store(a_picture(None), b"a picture")
    assert body(remote, name) == b"a picture"
    assert [method for method, _, _ in proxy.seen] == ["PUT", "HEAD", "PUT"]
    proxy.uploads += [ALTERED, ALTERED]
    with pytest.raises(ArchiveUnavailable, match="wrong_copy"):
        s3.store(a_picture(None, 2), b"another")
    s3.store(a_picture(None, 2), b"another")
    assert [body(remote, name, key) for key in keys(remote, name)] == [b"a picture", b"another"]


def test_a_wrong_copy_that_lies_there_is_replaced(s3: S3, remote: Any, name: str) -> None:
    remote.put_object(Bucket=name, Key=KEY, Body=b"A picture")
    s3.store(a_picture(None), b"a picture")
    assert body(remote, name) == b"a picture"


def test_a_server_without_conditional_writes_is_looked_at_first(s3: S3, proxy: S3Proxy, remote: Any, name: str) -> None:
    proxy.always = CONDITIONAL
    for number in (1, 2, 1, 2):
        s3.store(a_picture(None, number), b"a picture")
    assert len(keys(remote, name)) == 2
    assert [method for method, _, _ in proxy.seen].count("PUT") == 3  # the first one of them refused


@pytest.mark.parametrize(
    ("fault", "code", "advice"),
    [
        ("NoSuchBucket:404", "no_such_bucket", "S3_BUCKET"),
        ("AccessDenied:403", "access_denied", "s3:PutObject"),
        ("InvalidAccessKeyId:403", "bad_credentials", "AWS_ACCESS_KEY_ID"),
        ("SignatureDoesNotMatch:403", "bad_credentials", "AWS_SECRET_ACCESS_KEY"),
        ("ExpiredToken:400", "expired_credentials", "sign in again"),
        ("RequestTimeTooSkewed:403", "clock_wrong", "NTP"),
        ("QuotaExceeded:403", "quota_full", "free some space"),
        ("PermanentRedirect:301", "wrong_region", "S3_REGION"),
    ],
)
def test_what_only_a_person_can_mend_blocks_and_says_what_to_do(
    s3: S3, proxy: S3Proxy, fault: str, code: str, advice: str
) -> None:
    proxy.always = fault
    for attempt in (s3.open, lambda: s3.store(a_picture(None), b"a picture")):
        blocked = _answered(attempt)
        assert blocked.code == code
        assert advice in blocked.detail


def _answered(attempt: Callable[[], object]) -> ArchiveBlocked:
    """What S3 refuses with; a connection that breaks on a busy machine is tried again, as the service does."""
    for _ in range(10):
        try:
            attempt()
        except ArchiveUnavailable:
            continue
        except ArchiveBlocked as blocked:
            return blocked
    pytest.fail("it never said what a person has to do")


def test_a_bucket_that_is_not_there_blocks(proxy: S3Proxy, moto: tuple[str, int]) -> None:
    s3 = S3(settings(proxy, "nobody-made-this"))
    with pytest.raises(ArchiveBlocked, match="nobody-made-this"):
        s3.open()
    s3.close()


def test_no_login_at_all_blocks(proxy: S3Proxy, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    s3 = S3(settings(proxy, name))
    with pytest.raises(ArchiveBlocked, match="no_credentials"):
        s3.open()
    s3.close()


@pytest.mark.parametrize(
    ("fault", "code"), [(BUSY, "throttled"), (HANG, "timeout"), ("InternalError:500", "unavailable")]
)
def test_what_passes_by_itself_is_tried_again_later(
    s3: S3, proxy: S3Proxy, remote: Any, name: str, fault: str, code: str
) -> None:
    proxy.always = fault
    with pytest.raises(ArchiveUnavailable) as raised:
        s3.store(a_picture(None), b"a picture")
    assert raised.value.code == code
    proxy.released.set()
    proxy.always = OK
    s3.store(a_picture(None), b"a picture")
    assert body(remote, name) == b"a picture"


def test_an_answer_that_drips_ends_with_the_time_for_the_picture(
    proxy: S3Proxy, remote: Any, name: str, tmp_path: Path
) -> None:
    s3 = S3(settings(proxy, name, read_timeout=30, timeout=0.5))
    proxy.always = DRIP
    for attempt in (s3.open, lambda: s3.store(a_picture(None), b"a picture"), lambda: list(s3.entries())):
        with pytest.raises(ArchiveUnavailable) as raised:
            attempt()
        assert raised.value.code == "timeout"
    proxy.always = OK
    s3.store(a_picture(None), b"a picture")
    assert body(remote, name) == b"a picture"
    s3.close()


def test_a_server_that_is_not_there_is_named_without_its_login(name: str) -> None:
    s3 = S3(S3Settings(bucket=name, endpoint_url="http://user:hunter2@127.0.0.1:9", path_style=True))
    with pytest.raises(ArchiveUnavailable) as raised:
        s3.open()
    assert "127.0.0.1" in str(raised.value)
    assert "hunter2" not in f"{raised.value!r} {s3.url}"
    s3.close()


def test_entries_are_listed_page_by_page(s3: S3, remote: Any, name: str) -> None:
    s3.store(a_picture(None), b"a picture")
    remote.put_object(Bucket=name, Key="home/holiday.jpg", Body=b"mine")
    remote.put_object(Bucket=name, Key="elsewhere.jpg", Body=b"not below our prefix")
    assert list(s3.entries()) == [
        RemoteObject(event_id(1), KEY.removeprefix("home/"), 9, md5(b"a picture").hexdigest()),
        RemoteObject("", "holiday.jpg", 4, md5(b"mine").hexdigest()),
    ]


@pytest.mark.parametrize("written", [False, True])
def test_kill_9_in_an_upload_leaves_one_file(
    s3: S3, remote: Any, name: str, tmp_path: Path, clock: Clock, written: bool
) -> None:
    cache = Cache(tmp_path / "cache", zone=NOON.tzinfo)  # type: ignore[arg-type]
    journal = Journal(tmp_path / "journal.db", clock=clock)
    journal.open()
    journal.database.start()
    inspection = recorded(journal, a_picture(cache), "s3")
    if written:  # it is there, and nobody wrote that down
        s3.store(inspection, b"a picture")
    journal.database.stop()
    assert journal.database.join(60)
    again = Journal(tmp_path / "journal.db", clock=clock)
    again.open()
    again.database.start()
    work_off(Keep(s3, journal=again, clock=clock))
    assert keys(remote, name) == [KEY]
    assert again.backlog("s3").count == 0
    again.database.stop()
    assert again.database.join(60)


@pytest.mark.long
def test_after_twelve_hours_of_outage_all_is_there_and_the_newest_came_first(
    s3: S3, proxy: S3Proxy, remote: Any, name: str, tmp_path: Path, journal: Journal, clock: Clock
) -> None:
    cache = Cache(tmp_path / "cache", zone=NOON.tzinfo)  # type: ignore[arg-type]
    keep = Keep(s3, journal=journal, clock=clock)
    began = datetime.now(UTC) - timedelta(hours=12)  # ages are told by the machine's clock
    pictures = {event_id(number): f"picture {number}".encode() for number in range(0, 12 * 3600, 720)}
    proxy.faults += [LOST, LOST]  # kept, and then S3 is gone
    proxy.always = "ComeAgain:400"  # not one that boto3 itself waits for
    for one, picture in pictures.items():
        number = int(one, 16)
        clock.now = began.timestamp() + number
        keep.handle(recorded(journal, a_picture(cache, number, picture=picture, at=began), "s3"))
    assert journal.backlog("s3").count == len(pictures)
    assert oldest_undelivered(journal) == pytest.approx(12 * 3600, abs=120)
    assert not keep.status().ok
    proxy.always = OK
    proxy.seen.clear()
    clock.now += 900
    work_off(keep)
    put = [path[-36:-4] for method, path, _ in proxy.seen if method == "PUT"]
    assert list(dict.fromkeys(put)) == list(reversed(pictures))  # a busy machine may send one twice
    there = {key[-36:-4]: body(remote, name, key) for key in keys(remote, name)}
    assert there == pictures
    assert len(keys(remote, name)) == len(pictures)
    assert journal.backlog("s3").count == 0
    assert oldest_undelivered(journal) == 0
    assert keep.status().ok


def oldest_undelivered(journal: Journal) -> float:
    """What /metrics shows as the age of the oldest picture that S3 is owed."""
    metrics = SnapshotMetrics(version="0")
    metrics.oldest_undelivered("s3", journal.backlog("s3").since)
    (line,) = [line for line in metrics.render().decode().splitlines() if line.startswith("oldest_undelivered")]
    return float(line.rpartition(" ")[2])


def test_a_broken_archive_delays_neither_the_other_nor_events(
    s3: S3, proxy: S3Proxy, tmp_path: Path, journal: Journal
) -> None:
    cache = Cache(tmp_path / "cache", zone=NOON.tzinfo)  # type: ignore[arg-type]
    proxy.always = HANG
    publisher = FakePublisher()
    transport = Transport(Codec(encode, decode))
    stages: dict[str, Publish | Keep] = {
        "fake": Publish(publisher, journal=journal),
        "s3": Keep(s3, journal=journal),
        "folder": Keep(Folder(FolderSettings(dir=tmp_path / "archive")), journal=journal),
    }
    for number in range(20):
        recorded(journal, a_picture(cache, number), *stages)
    for target in stages:
        journal.retry_now(target)
    relays = [relay(transport, target, stage) for target, stage in stages.items()]
    for thread in relays:
        thread.start()
    pause = threading.Event()
    for _ in range(100):
        if len(publisher.published) == 20 and not journal.backlog("folder").count:
            break
        pause.wait(0.05)
    pending = [journal.backlog(target).count for target in stages]
    for thread in relays:
        thread.stop()
        thread.abandon()
    proxy.released.set()
    for thread in relays:
        assert thread.join(20)
    transport.close()
    assert pending == [0, 20, 0]
    assert len(publisher.published) == 20


def relay(transport: Transport, target: str, stage: Stage[Any]) -> ZmqRelay[Inspection]:
    return transport.relay(
        target,
        stage,
        source=f"inproc://{target}",
        key=lambda message: message.id,
        identity=lambda message: message.id,
        workers=4,
    )
