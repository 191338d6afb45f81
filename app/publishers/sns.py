"""Messages through Amazon SNS: to a topic's subscribers, to a phone, or to an app."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from app.messages import Inspection
from app.publishers import PublisherContext, PublishError, PublishRejected, PublishUnavailable
from app.publishers.notice import CODES as SHARED
from app.publishers.notice import Notice, NoticeSettings, Writer, cut, given_up_after
from pylib import aws
from pylib.aws.policy import Statement
from pylib.net.deadline import passed, within
from pylib.runtime.threads import ManagedThread
from pylib.text import normalised

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient

SUBJECT_LENGTH = 99
"""ASCII characters of a subject: fewer than 100 (SNS API, `Publish`)."""
ATTRIBUTE_LENGTH = 200

CODES = {
    **SHARED,
    "bad_credentials": (
        "AWS does not accept this login.",
        "correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile in AWS_CONFIG_FILE",
    ),
    "no_credentials": (
        "There is no AWS login.",
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile in AWS_CONFIG_FILE",
    ),
    "expired_credentials": ("The AWS session has expired.", "sign in again, or use a lasting key"),
    "clock_wrong": ("This machine's clock is wrong.", "set it, switch on NTP"),
    "wrong_region": ("The AWS region is not set, or none.", "set `region`"),
    "tls": ("No trusted connection to SNS came about.", "look at clock and certificates of this machine"),
    "throttled": ("SNS takes fewer calls than are made.", "nothing, if it passes: the service tries again"),
}
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

_LATER = tuple(code for code in CODES if code not in SHARED)
"""Codes of what is tried again, besides those that all messages have."""


class SnsSettings(NoticeSettings):
    """A topic, a phone or an app; the login is boto3's own (`AWS_ACCESS_KEY_ID`, `AWS_CONFIG_FILE`, a role ...)."""

    topic_arn: str = Field(default="", pattern="^(arn:.+)?$", max_length=300, description="The topic.")
    phone_number: str = Field(
        default="", pattern=r"^(\+[0-9]{6,15})?$", description="A phone for SMS, such as +4915112345678."
    )
    target_arn: str = Field(default="", pattern="^(arn:.+)?$", max_length=300, description="An app on a device.")
    region: str = Field(
        default="", description="AWS region; the ARN's, AWS_DEFAULT_REGION or the profile's unless set."
    )
    endpoint_url: str = Field(default="", description="Address of a server other than Amazon's.")
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
        self._client = _client(settings)

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
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        with within(self._settings.timeout):
            try:
                getattr(self._client, operation)(**parameters)
            except ClientError as error:
                raise _refusal(error.response) from None
            except BotoCoreError as error:
                raise _failure(error, self._client.meta.endpoint_url, late=passed()) from None
            except (ResponseParserError, AttributeError, KeyError, TypeError, ValueError):
                # The last four come from botocore's parser, for XML that is not SNS's.
                raise PublishUnavailable("target_busy", "Something answered that is not SNS.") from None


def subject(title: str) -> str:
    """A title as a subject: ASCII, one line, and not longer than SNS takes."""
    text = normalised(" ".join(title.replace("ß", "ss").split()), "NFKD").encode("ascii", "ignore").decode()
    plain = "".join(char for char in text if char.isprintable())
    return plain[:SUBJECT_LENGTH].strip() or "snapshot-processor"


def _attributes(inspection: Inspection) -> dict[str, Any]:
    """What subscribers can filter by."""
    texts = {"camera": inspection.camera, "decision": inspection.decision, "event_id": inspection.id}
    found: dict[str, Any] = {
        name: {"DataType": "String", "StringValue": cut(value, ATTRIBUTE_LENGTH)}
        for name, value in texts.items()
        if value
    }
    found["person_count"] = {"DataType": "Number", "StringValue": str(inspection.detection.person_count)}
    return found


def _refusal(response: Mapping[str, Any]) -> PublishError:
    """The failure behind SNS's answer, without its own text, which names accounts and keys."""
    code, status = aws.refusal(response)
    if code in aws.LOGIN_REFUSALS:
        ours, sentence = aws.LOGIN_REFUSALS[code]
        return PublishUnavailable(ours, sentence.format(service="SNS"))
    if code in aws.THROTTLES or code == "Throttled" or status == 429:
        return PublishUnavailable("throttled", "SNS takes no more calls for the moment.")
    named = _FOR_GOOD.get(code.removesuffix("Exception"))
    if named:
        return PublishRejected(*named)
    if status >= 500:
        return PublishUnavailable("target_busy", f"SNS has an internal error (HTTP {status}).")
    # Not for good: the cause is unknown, and no reason to give a message up.
    return PublishUnavailable("message_failed", f"SNS refuses the call with {code or f'HTTP {status}'}.", outage=False)


def _failure(error: Exception, endpoint: str, *, late: bool = False) -> PublishError:
    """The failure before SNS answered anything. `late`: the time for it was over, whatever the error is."""
    trouble = "timeout" if late else aws.trouble(error)
    if trouble == "timeout":
        return PublishUnavailable("target_silent", "SNS did not answer in time.")
    if trouble == "tls":
        return PublishUnavailable("tls", "No trusted connection to SNS: check certificates and clock.")
    if trouble == "unreachable":
        return PublishUnavailable("target_away", f"No connection to {urlsplit(endpoint).hostname}.")
    if trouble == "region":
        return PublishUnavailable("wrong_region", "The AWS region is not set, or none: set `region`.")
    if trouble == "parameters":
        return PublishRejected("message_refused", "boto3 refuses the message: check the settings.")
    return PublishUnavailable("no_credentials", f"There is no AWS login ({type(error).__name__}): {aws.KEYS}.")


def _client(settings: SnsSettings) -> SNSClient:
    # botocore imports pyOpenSSL where there is one, only to reach what lies behind it: 8 MB for nothing.
    sys.modules.setdefault("urllib3.contrib.pyopenssl", None)  # type: ignore[arg-type]
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    arn = settings.topic_arn or settings.target_arn
    config = Config(
        connect_timeout=min(5.0, settings.timeout),
        read_timeout=settings.timeout,
        retries={
            "mode": "standard",
            "total_max_attempts": 1,
        },  # a second one may tell twice; later ones are the journal's
        user_agent="snapshot-processor",
    )
    region = settings.region or (arn.split(":")[3] if arn.count(":") >= 5 else "")
    try:
        client: SNSClient = aws.timed_client("sns", region=region, endpoint_url=settings.endpoint_url, config=config)
    except ValueError:
        raise PublishError("bad_address", "endpoint_url is no address: it has to start with https://.") from None
    except BotoCoreError as error:
        failure = _failure(error, settings.endpoint_url)
        raise PublishError(failure.code, failure.detail) from None
    return client
