"""Messages through Amazon SNS: to a topic's subscribers, to a phone, or to an app."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, model_validator

from app import wire
from app.messages import Inspection
from app.publishers import PublisherContext, PublishError, PublishRejected, PublishUnavailable
from app.publishers.notice import CODES as SHARED
from app.publishers.notice import Notice, NoticeSettings, Writer, cut, given_up_after
from pylib import aws
from pylib.aws.calls import CODES as AWS
from pylib.aws.calls import AwsClient, AwsFailure, AwsSettings
from pylib.aws.policy import Statement
from pylib.runtime.threads import ManagedThread
from pylib.text import normalised

SUBJECT_LENGTH = 99
"""ASCII characters of a subject: fewer than 100 (SNS API, `Publish`)."""
ATTRIBUTE_LENGTH = 200

_LATER = (
    *("bad_credentials", "no_credentials", "expired_credentials", "clock_wrong"),
    *("wrong_region", "tls", "throttled"),
)
"""Codes of what is tried again, besides those that all messages have."""

CODES = {**SHARED, **{code: AWS[code] for code in _LATER}}
"""Code -> what happened, and what to do about it."""

_FOR_GOOD: Mapping[str, tuple[str, str]] = {
    "NotFound": ("target_gone", "SNS knows no such topic or target: correct `topic_arn` or `target_arn`."),
    "EndpointDisabled": ("target_gone", "The app or device behind `target_arn` has switched messages off."),
    "PlatformApplicationDisabled": ("target_gone", "The platform application of `target_arn` is disabled."),
    "OptedOut": ("target_gone", "The phone with this number has opted out of messages."),
    "AuthorizationError": (
        "login_refused",
        "This AWS login may not use it: grant what `snapshot-processor iam` prints.",
    ),
    "AccessDenied": ("login_refused", "This AWS login may not use it: grant what `snapshot-processor iam` prints."),
    "InvalidParameter": ("message_refused", "SNS refuses the message or its target: check the setting and the region."),
    "InvalidParameterValue": ("message_refused", "SNS refuses the message or its target: check the settings."),
}
"""Refusals of one message -> our code, and a sentence with the remedy."""

_OURS = {
    "timeout": "target_silent",
    "unreachable": "target_away",
    "aws_busy": "target_busy",
    "bad_answer": "target_busy",
}
"""Code of any call of AWS -> the one that all messages have for it."""


class SnsSettings(NoticeSettings, AwsSettings):
    """A topic, a phone or an app; the login is boto3's own (`AWS_ACCESS_KEY_ID`, `AWS_CONFIG_FILE`, a role ...)."""

    topic_arn: str = Field(default="", pattern="^(arn:.+)?$", max_length=300, description="The topic.")
    phone_number: str = Field(
        default="", pattern=r"^(\+[0-9]{6,15})?$", description="A phone for SMS, such as +4915112345678."
    )
    target_arn: str = Field(default="", pattern="^(arn:.+)?$", max_length=300, description="An app on a device.")
    region: str = Field(
        default="",
        max_length=100,
        description="AWS region; the ARN's, AWS_DEFAULT_REGION or the profile's unless set.",
    )
    picture: Literal["still", "animation"] = Field(
        default="still", description="What the link opens: still, or animation where an event has several pictures."
    )

    @model_validator(mode="after")
    def _one_target(self) -> SnsSettings:
        if sum(map(bool, (self.topic_arn, self.phone_number, self.target_arn))) != 1:
            raise ValueError("exactly one of topic_arn, phone_number and target_arn must be set")
        return self


class Sns:
    """One topic, phone or app."""

    title = "Amazon SNS"
    notifies = True
    Settings = SnsSettings

    def __init__(self, settings: SnsSettings, context: PublisherContext) -> None:
        """Load boto3 and build the client; sends nothing. Raises `PublishError`."""
        self.name = context.name
        self.threads: Sequence[ManagedThread] = ()
        self.abandon_after = given_up_after(settings.give_up_after, *_LATER)
        self._settings = settings
        self._context = context
        self._writer = Writer(settings, context)
        arn = settings.topic_arn or settings.target_arn
        region = arn.split(":")[3] if arn.count(":") >= 5 else ""
        try:
            # A second attempt at once may tell people twice; later ones are the journal's.
            self._client = AwsClient("sns", settings, title="SNS", region=region, attempts=1)
        except AwsFailure as failure:
            raise PublishError(failure.code, failure.sentence) from None

    @staticmethod
    def permissions(settings: SnsSettings) -> Sequence[Statement]:
        """What its login has to be allowed, a look at the topic by `check` included. A phone has no ARN."""
        actions = ("sns:GetTopicAttributes", "sns:Publish") if settings.topic_arn else ("sns:Publish",)
        return (Statement(actions, (settings.topic_arn or settings.target_arn or "*",)),)

    def check(self) -> str:
        """Whether the topic is there; of a phone or an app nothing can be known. Raises `PublishError`."""
        topic = self._settings.topic_arn
        if not topic:
            return self.title
        self._ask("get_topic_attributes", {"TopicArn": topic})
        return f"topic {topic.rpartition(':')[2]}"

    def publish(self, inspection: Inspection) -> None:
        """Send one message. Raises `PublishUnavailable` or `PublishRejected`."""
        self._send(self._writer.write(inspection), once=inspection.id)

    def publish_digest(self, inspections: Sequence[Inspection]) -> None:
        """The same for many events."""
        # Events may join between two attempts: with those it is another message.
        ids = " ".join(inspection.id for inspection in inspections)
        self._send(self._writer.digest(inspections), once=hashlib.sha256(ids.encode()).hexdigest())

    def _send(self, notice: Notice, *, once: str) -> None:
        message: dict[str, Any] = {
            "Message": "\n".join(filter(None, (notice.text, self._link(notice.about)))),
            "MessageAttributes": _attributes(notice.about),
            **self._target(notice, once=once),
        }
        if self._settings.phone_number:
            message["Message"] = f"{notice.title}\n{message['Message']}"  # a short message has no subject
        else:
            message["Subject"] = subject(notice.title)
        self._ask("publish", message)

    def _link(self, inspection: Inspection) -> str:
        if not inspection.snapshot.path:
            return ""
        moves = self._settings.picture == "animation" and inspection.snapshot.frames > 1
        if moves and (link := self._context.animation_url(inspection.id)):
            return link
        return self._context.archived_url(inspection) or self._context.picture_url(inspection.id)

    def _target(self, notice: Notice, *, once: str) -> Mapping[str, str]:
        settings = self._settings
        if settings.phone_number:
            return {"PhoneNumber": settings.phone_number}
        if settings.target_arn:
            return {"TargetArn": settings.target_arn}
        # A FIFO topic tells nobody twice what it had in the last five minutes.
        fifo = {"MessageGroupId": notice.about.snapshot.id, "MessageDeduplicationId": once}
        return {"TopicArn": settings.topic_arn, **(fifo if settings.topic_arn.endswith(".fifo") else {})}

    def _ask(self, operation: str, parameters: Mapping[str, Any]) -> None:
        try:
            self._client.ask(operation, **parameters)
        except AwsFailure as failure:
            raise _undelivered(failure) from None


def subject(title: str) -> str:
    """A title as a subject: ASCII, one line, and not longer than SNS takes."""
    text = normalised(" ".join(title.replace("ß", "ss").split()), "NFKD").encode("ascii", "ignore").decode()
    plain = "".join(char for char in text if char.isprintable())
    return plain[:SUBJECT_LENGTH].strip() or "snapshot-processor"


def _attributes(inspection: Inspection) -> dict[str, Any]:
    """What subscribers can filter by."""
    texts = {"camera": inspection.camera, "decision": inspection.decision, "event_id": inspection.id}
    texts["traceparent"] = wire.trace_context(inspection).get("traceparent", "")
    found: dict[str, Any] = {
        name: {"DataType": "String", "StringValue": cut(value, ATTRIBUTE_LENGTH)}
        for name, value in texts.items()
        if value
    }
    found["person_count"] = {"DataType": "Number", "StringValue": str(inspection.detection.person_count)}
    return found


def _undelivered(failure: AwsFailure) -> PublishError:
    """What a failure means for the message."""
    named = _FOR_GOOD.get(failure.aws_code.removesuffix("Exception"))
    if named:
        return PublishRejected(*named)
    if failure.code == "bad_setting":
        return PublishRejected("message_refused", "boto3 refuses the message: check the settings.")
    code = _OURS.get(failure.code, failure.code)
    if code == "throttled" and failure.status >= 500 and failure.aws_code not in aws.THROTTLES:
        code = "target_busy"
    if code not in CODES:  # an unknown cause, which is no reason to give a message up for good
        return PublishUnavailable("message_failed", failure.sentence, outage=False)
    return PublishUnavailable(code, failure.sentence)
