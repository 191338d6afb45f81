"""What servers send of a new object, with all the fields that their documentation has.

AWS: "Event message structure" and "EventBridge event message structure" in the user guide of Amazon S3, "Parsing
message formats" in that of SNS. MinIO: its guide "Publish events". Ceph: "S3 Bucket Notifications Compatibility".
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_plus

WRITTEN = "2026-03-04T12:00:00.123Z"
ETAG = "d41d8cd98f00b204e9800998ecf8427e"
VERSION = "096fKKXTRTtl3on89fVO.nfljtsv6qko"
SEQUENCER = "0055AED6DCD90281E5"


def body(event: object) -> bytes:
    """An event as it is sent."""
    return json.dumps(event).encode()


def s3_event(key: str = "yard/a.jpg", *, name: str = "ObjectCreated:Put", version: str = "2.1", **found: Any) -> Any:
    """AWS's own; `found` are fields of the object."""
    return {
        "Records": [
            {
                "eventVersion": version,
                "eventSource": "aws:s3",
                "awsRegion": "eu-central-1",
                "eventTime": WRITTEN,
                "eventName": name,
                "userIdentity": {"principalId": "AWS:AIDAJDPLRKLG7UEXAMPLE"},
                "requestParameters": {"sourceIPAddress": "192.0.2.7"},
                "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8/IgAtTv8xR"},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "pictures",
                    "bucket": {
                        "name": "photos",
                        "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                        "arn": "arn:aws:s3:::photos",
                    },
                    "object": {
                        "key": quote_plus(key, safe="/"),
                        "size": 1024,
                        "eTag": ETAG,
                        "versionId": VERSION,
                        "sequencer": SEQUENCER,
                        **found,
                    },
                },
                "glacierEventData": {
                    "restoreEventData": {
                        "lifecycleRestorationExpiryTime": "2026-04-04T00:00:00.000Z",
                        "lifecycleRestoreStorageClass": "GLACIER",
                    }
                },
            }
        ]
    }


TEST_EVENT = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Time": WRITTEN,
    "Bucket": "photos",
    "RequestId": "5582815E1AEA5ADF",
    "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE",
}


def event_bridge(key: str = "yard/a.jpg", *, kind: str = "Object Created", **found: Any) -> Any:
    """What EventBridge hands on of S3."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": kind,
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2026-03-04T12:00:00Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:s3:::photos"],
        "detail": {
            "version": "0",
            "bucket": {"name": "photos"},
            "object": {
                "key": key,
                "size": 1024,
                "etag": ETAG,
                "version-id": VERSION,
                "sequencer": SEQUENCER,
                **found,
            },
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
            "source-ip-address": "192.0.2.7",
            "reason": "PutObject",
        },
    }


def by_sns(event: object) -> Any:
    """The same, wrapped by SNS."""
    return {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:eu-central-1:123456789012:pictures",
        "Subject": "Amazon S3 Notification",
        "Message": json.dumps(event),
        "Timestamp": WRITTEN,
        "SignatureVersion": "1",
        "Signature": "c3RpbGwgbm90IGxvb2tlZCBhdA==",
        "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService.pem",
        "UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe",
    }


def minio(key: str = "yard/a.jpg") -> Any:
    """MinIO's, with its own two fields beside the records."""
    event = s3_event(key, name="s3:ObjectCreated:Put", version="2.0", sequencer="17A4B5C6D7E8F901", versionId="")
    (record,) = event["Records"]
    record |= {"eventSource": "minio:s3", "source": {"host": "192.0.2.9", "port": "", "userAgent": "MinIO (linux)"}}
    return {"EventName": "s3:ObjectCreated:Put", "Key": f"photos/{key}", **event}


def ceph(key: str = "yard/a.jpg", **found: Any) -> Any:
    """Ceph's: its keys are not encoded, and its sequencer is seconds and nanoseconds, the lowest byte first."""
    event = s3_event(version="2.2")
    (record,) = event["Records"]
    record |= {"eventSource": "ceph:s3", "eventTime": "2026-03-04 12:00:00.123456Z", "eventId": "1772625600.1.d4"}
    own = {"key": key, "versionId": "", "sequencer": "40C8A7694E61BC00", "metadata": [], "tags": []}
    record["s3"]["object"] |= {**own, **found}
    return event
