"""Amazon's services as moto plays them, on a port of this process: S3, SQS, SNS, EventBridge."""

from __future__ import annotations

import json
import logging
from typing import Any

from tests.fakes.notifications import SEQUENCER, s3_event

REGION = "eu-central-1"
ACCOUNT = "123456789012"
LOGIN = {
    "AWS_ACCESS_KEY_ID": "someone",
    "AWS_SECRET_ACCESS_KEY": "whatever",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_DEFAULT_REGION": REGION,
}
"""Environment of a process that signs in; moto asks for no more."""


class Aws:
    """The server, and whoever owns all that is in it. What it holds outlives a `stop`."""

    def __init__(self) -> None:
        from moto.server import ThreadedMotoServer  # takes a third of a second, which other workers need not spend
        from moto.sqs.models import SQSBackend

        # For each message that it delivers it would count all others; none here lies for the days that it may.
        SQSBackend.is_message_valid_based_on_retention_period = lambda *_: True  # type: ignore[method-assign]
        logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each call
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        self.host, self.port = self._server.get_host_and_port()
        self._clients: dict[str, Any] = {}

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def stop(self) -> None:
        """Refuse connections from now on."""
        self._server.stop()

    def start(self) -> None:
        """Answer again, at the same address."""
        from moto.server import ThreadedMotoServer

        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        self._server.start()

    def client(self, service: Any) -> Any:
        """boto3's, for this service."""
        if service not in self._clients:
            import boto3
            from botocore.config import Config

            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.url,
                region_name=REGION,
                aws_access_key_id=LOGIN["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=LOGIN["AWS_SECRET_ACCESS_KEY"],
                config=Config(s3={"addressing_style": "path"}),
            )
        return self._clients[service]

    def bucket(self, name: str) -> str:
        """A new bucket."""
        self.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return name

    def queue(self, name: str, **attributes: str) -> str:
        """The address of a new queue."""
        url: str = self.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    def announce(self, bucket: str, queue_url: str) -> None:
        """Have the queue get the bucket's events."""
        queue = {"QueueArn": arn("sqs", queue_url), "Events": ["s3:ObjectCreated:*"]}
        configuration = {"QueueConfigurations": [queue]}
        self.client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)

    def waiting(self, queue_url: str) -> int:
        """Messages that are in a queue, in somebody's hand or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def let_time_pass(self, queue_url: str) -> None:
        """Whoever has a message of this queue in hand has had it for too long: it is visible again."""
        from moto.backends import get_backend

        name = queue_url.rpartition("/")[2]
        for message in get_backend("sqs")[ACCOUNT][REGION].queues[name]._messages:
            message.visible_at = 0


def arn(service: Any, url: str) -> str:
    """The ARN of what has this address."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{url.rpartition('/')[2]}"


def message(bucket: str, key: str, *, sequencer: str = SEQUENCER, etag: str = "") -> str:
    """An event as AWS sends it, of a bucket without versions."""
    event = s3_event(key, sequencer=sequencer, eTag=etag, versionId="")
    event["Records"][0]["s3"]["bucket"]["name"] = bucket
    return json.dumps(event)
