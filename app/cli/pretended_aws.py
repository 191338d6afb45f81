"""Amazon's services as moto plays them, in this process and for it alone, with what a configuration names in them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

REGION, ACCOUNT = "eu-central-1", "123456789012"
LOGIN = {
    "AWS_ACCESS_KEY_ID": "demo",
    "AWS_SECRET_ACCESS_KEY": "demo",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
ELSEWHERE = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_SNS")
"""What would lead to a real account."""


class PretendedAws:
    """Its services, on a port of loopback."""

    def __init__(self, url: str) -> None:
        self.url = url

    def client(self, service: str) -> Any:
        """boto3's, for this service."""
        import boto3

        return boto3.client(service, endpoint_url=self.url)  # type: ignore[call-overload]  # the names are literals to it

    def bucket(self, name: str) -> None:
        """Make a bucket."""
        self.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def queue(self, name: str) -> str:
        """Make a queue; returns its address."""
        url: str = self.client("sqs").create_queue(QueueName=name)["QueueUrl"]
        return url

    def announce(self, bucket: str, queue: str) -> None:
        """Have a queue hear of all that is written to a bucket."""
        heard = {"QueueArn": arn("sqs", queue), "Events": ["s3:ObjectCreated:*"]}
        self.client("s3").put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [heard]}
        )

    def topic(self, name: str, *, to: str) -> None:
        """Make a topic whose messages go to a queue."""
        sns = self.client("sns")
        sns.create_topic(Name=name)
        sns.subscribe(TopicArn=arn("sns", name), Protocol="sqs", Endpoint=arn("sqs", to))


def arn(service: str, name: str) -> str:
    """Of a queue or topic."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


@contextmanager
def pretended_aws() -> Iterator[PretendedAws]:
    """The services, for as long as this lasts; what asks boto3 in this process is led to them meanwhile."""
    try:
        from moto.server import ThreadedMotoServer
    except ImportError:
        raise click.ClickException(
            "this needs moto, which plays Amazon: make demo ARGS=thumbnails installs it, or pip install 'moto[server]'"
        ) from None
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # its server tells of each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        with _environment({**LOGIN, "AWS_ENDPOINT_URL": url}):
            yield PretendedAws(url)
    finally:
        server.stop()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.pop(name, None) for name in (*variables, *ELSEWHERE)}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
