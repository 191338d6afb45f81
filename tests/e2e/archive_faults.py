"""Remote archives at which a service is killed: where its uploads stand still, and what is there afterwards."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import md5
from pathlib import Path
from typing import Any, Protocol

from app.archives import event_id_in
from tests.simulators.drive import DriveDouble, drive_double
from tests.simulators.drive_files import FOLDER
from tests.simulators.s3_proxy import HALF, HELD, S3Proxy, s3_proxy

AT_ONCE = 4
"""Uploads at once, the default of both archives."""
LOGIN = {"AWS_ACCESS_KEY_ID": "someone", "AWS_SECRET_ACCESS_KEY": "whatever", "AWS_DEFAULT_REGION": "eu-central-1"}


class Remote(Protocol):
    """A remote side, and the environment of a service that archives there."""

    name: str
    environment: Mapping[str, str]

    def stall(self, *, stored: bool) -> None:
        """The next uploads stand still: with `stored` when the picture is kept, else half-way through its bytes."""
        ...

    @property
    def stalled(self) -> int:
        """How many uploads have come to stand still."""
        ...

    def files(self) -> Mapping[str, list[str]]:
        """Event id -> MD5 of each picture that is kept for it."""
        ...


class Drive:
    """The double of Google Drive, with a folder that the service has made earlier."""

    name = "google_drive"

    def __init__(self, double: DriveDouble, home: Path) -> None:
        self._double = double
        double.files.add("Snapshots", mime_type=FOLDER)
        token = double.sign_ins.sign_in(home / "token")
        self.environment: Mapping[str, str] = {
            "GOOGLE_DRIVE_FOLDER": "Snapshots",
            "GOOGLE_DRIVE_CREDENTIALS_FILE": str(token),
            "GOOGLE_API_ROOT_URL": double.url,
        }

    def stall(self, *, stored: bool) -> None:
        self._double.fail("held" if stored else "half", "files.insert", times=AT_ONCE)

    @property
    def stalled(self) -> int:
        return self._double.held

    def files(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for file in self._double.files.pictures():
            (event_id,) = (one["value"] for one in file["properties"] if one["key"] == "event_id")
            found[event_id].append(md5(self._double.files.content(file["id"])).hexdigest())
        return found


class S3:
    """moto's server, behind the proxy that makes things go wrong."""

    name = "s3"

    def __init__(self, proxy: S3Proxy, owner: Any) -> None:
        self._proxy = proxy
        self._owner = owner
        self._bucket = f"home-{uuid.uuid4().hex}"  # moto's servers of one process share their buckets
        owner.create_bucket(Bucket=self._bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        self.environment: Mapping[str, str] = {
            **LOGIN,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "S3_BUCKET": self._bucket,
            "S3_ENDPOINT_URL": proxy.url,
            "S3_PATH_STYLE": "true",
        }

    def stall(self, *, stored: bool) -> None:
        self._proxy.uploads += [HELD if stored else HALF] * AT_ONCE

    @property
    def stalled(self) -> int:
        return self._proxy.held

    def files(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for entry in self._owner.list_objects_v2(Bucket=self._bucket).get("Contents", ()):
            picture = self._owner.get_object(Bucket=self._bucket, Key=entry["Key"])["Body"].read()
            found[event_id_in(entry["Key"])].append(md5(picture).hexdigest())
        return found


@contextmanager
def remote_drive(home: Path) -> Iterator[Drive]:
    """A running one; `home` is for the token."""
    with drive_double() as double:
        yield Drive(double, home)
        assert double.violations == []


@contextmanager
def remote_s3(_: Path) -> Iterator[S3]:
    """A running one."""
    import boto3  # takes half a second, which other workers need not spend
    from botocore.config import Config
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address = server.get_host_and_port()
        owner = boto3.client(
            "s3",
            endpoint_url=f"http://{address[0]}:{address[1]}",
            aws_access_key_id=LOGIN["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=LOGIN["AWS_SECRET_ACCESS_KEY"],
            region_name=LOGIN["AWS_DEFAULT_REGION"],
            config=Config(s3={"addressing_style": "path"}),
        )
        with s3_proxy(address) as proxy:
            yield S3(proxy, owner)
    finally:
        server.stop()
