"""Finds everything in a picture with Amazon Rekognition's DetectLabels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from app.detectors import DetectorContext, DetectorError, DetectorRejected, DetectorUnavailable, PaidSettings
from app.detectors.labels import detection_of
from app.media.fit import fit
from app.media.picture import BadPicture
from app.messages import Box, Detection, Label
from pylib import aws
from pylib.aws.policy import Statement

if TYPE_CHECKING:
    from types_boto3_rekognition import RekognitionClient

MAX_BYTES = 5 * 1024 * 1024
MIN_SIDE, MAX_SIDE = 80, 10_000
"""Bytes and pixels of a picture sent with the call (Rekognition developer guide, "Guidelines and quotas")."""

_PERMISSION = "grant its user or role the action rekognition:DetectLabels"
_REFUSALS: Mapping[str, tuple[str, str]] = {
    **aws.LOGIN_REFUSALS,
    "AccessDeniedException": (
        "access_denied",
        f"AWS does not let this login use Rekognition: {_PERMISSION}.",
    ),
    "SubscriptionRequiredException": ("access_denied", "This AWS account is not activated for Rekognition."),
    "InvalidImageFormatException": ("invalid_image", "Rekognition cannot read the picture."),
    "ImageTooLargeException": ("too_large", "Rekognition takes no picture that large."),
    "InvalidParameterException": (
        "invalid_parameter",
        "Rekognition refuses the call: check max_labels and the picture.",
    ),
    "ValidationException": (
        "invalid_parameter",
        "Rekognition refuses the call: check max_labels and the picture.",
    ),
}
"""AWS errors where trying again is useless -> our code, and a sentence with the remedy."""

CODES = {
    "timeout": ("The detector did not answer in time.", "look at the connection to the internet; wait"),
    "unreachable": ("The detector could not be reached.", "look at the connection to the internet; wait"),
    "unavailable": ("The detector was not available.", "wait: Rekognition has a failure of its own"),
    "tls": (
        "No secure connection to the detector came about.",
        "look at clock and certificates of this machine",
    ),
    "bad_answer": ("Something answered that is not the detector.", "look at DETECTOR_ENDPOINT_URL and proxies"),
    "no_credentials": (
        "The detector's credentials are missing or wrong.",
        "correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile in AWS_CONFIG_FILE",
    ),
    "bad_credentials": (
        "The detector's credentials are wrong.",
        "correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile in AWS_CONFIG_FILE",
    ),
    "expired_credentials": ("The AWS session has expired.", "sign in again, or use a lasting key"),
    "clock_wrong": ("This machine's clock is wrong.", "set it, switch on NTP"),
    "access_denied": ("This AWS login may not use the detector.", "allow it rekognition:DetectLabels"),
    "invalid_region": ("The detector's region is not valid.", "correct DETECTOR_REGION"),
    "invalid_endpoint": (
        "The detector's address is none.",
        "correct DETECTOR_ENDPOINT_URL: it has to start with https://",
    ),
    "invalid_image": (
        "The detector could not read the picture.",
        "choose another picture size or format in the camera",
    ),
    "invalid_parameter": ("The detector refused the call.", "look at DETECTOR_MAX_LABELS and at the reason"),
    "too_large": ("The picture is too large for the detector.", "choose a smaller picture in the camera"),
    "refused": ("The detector refused to look at this picture.", "look at the reason"),
}
"""Code -> what happened, and what to do about it."""


class RekognitionSettings(PaidSettings):
    """Amazon Rekognition; the login is boto3's own (`AWS_ACCESS_KEY_ID`, `AWS_CONFIG_FILE`, a role ...)."""

    kind: Literal["rekognition"] = "rekognition"
    region: str = Field(default="", description="AWS region; AWS_DEFAULT_REGION or the profile's unless set.")
    endpoint_url: str = Field(
        default="",
        description="Address of another endpoint than the region's; AWS_ENDPOINT_URL_REKOGNITION or AWS_ENDPOINT_URL"
        " unless set.",
    )
    max_labels: int = Field(
        default=50, ge=1, le=1000, description="Number of labels to keep, those with the highest confidence."
    )
    concurrency: int = Field(default=64, ge=1, le=256, description="Calls at once.")
    attempts: int = Field(
        default=3, ge=1, le=5, description="Tries of one call that cannot have been charged, including the first."
    )
    connect_timeout: float = Field(default=3.0, gt=0, le=30, description="Seconds to connect, for each try.")
    read_timeout: float = Field(
        default=8.0,
        gt=0,
        le=60,
        description="Seconds of silence allowed, for each try. A call after which nothing is heard may be charged: it"
        " is made once more, and counted twice.",
    )

    @property
    def question(self) -> str:
        """It names more or fewer labels by `max_labels`."""
        return f"{super().question} {self.max_labels}"


class Rekognition:
    """Labels with confidences, boxes where Rekognition gives them, and a count of persons.

    A call takes at most `attempts` times the two timeouts, and a few seconds of pauses between the tries.
    """

    name = "rekognition"
    title = "Amazon Rekognition"
    environment = ("DETECTOR_REGION", "AWS_ALT_REGION", "DETECTOR_ENDPOINT_URL", "AWS_ENDPOINT_URL_REKOGNITION")
    cost_usd = 0.001
    """The first tier of https://aws.amazon.com/rekognition/pricing/ for DetectLabels."""
    Settings = RekognitionSettings

    def __init__(
        self,
        settings: RekognitionSettings,
        _: DetectorContext = DetectorContext(),  # noqa: B008 - frozen
    ) -> None:
        """Load boto3 and build the client; sends nothing. Raises `DetectorRejected` where settings make no sense."""
        self._settings = settings
        self.concurrency = settings.concurrency
        self._client = _client(settings)
        self._client.meta.events.register("needs-retry.rekognition.DetectLabels", _not_again)

    @staticmethod
    def permissions(settings: RekognitionSettings) -> Sequence[Statement]:
        """What its login has to be allowed; the action knows no resources."""
        del settings
        return (Statement(("rekognition:DetectLabels",), ("*",)),)

    def detect(self, picture: bytes) -> Detection:
        """What Rekognition sees; boxes are relative to the picture as seen upright.

        Raises `DetectorUnavailable` (throttled, unreachable, timed out) or `DetectorRejected` (anything that has to
        be changed first).
        """
        try:
            data = fit(picture, formats=("JPEG", "PNG"), max_bytes=MAX_BYTES, min_side=MIN_SIDE, max_side=MAX_SIDE)
        except BadPicture as bad:
            raise DetectorRejected(bad.code, bad.detail) from None
        return _detection(self._ask(data), self._settings.minimum_confidence)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, data: bytes) -> Mapping[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return self._client.detect_labels(
                Image={"Bytes": data},
                MaxLabels=self._settings.max_labels,
                MinConfidence=round(self._settings.minimum_confidence * 100, 2),
            )
        except ClientError as error:
            raise _refusal(error) from None
        except BotoCoreError as error:
            raise self._failure(error) from None
        except (AttributeError, TypeError, ValueError):  # from botocore's parser, for JSON that is not AWS's
            raise _bad_answer() from None

    def _failure(self, error: Exception) -> DetectorError:
        """The failure before AWS answered anything."""
        from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

        trouble = aws.trouble(error)
        if isinstance(error, ReadTimeoutError):
            return DetectorUnavailable("timeout", "Rekognition did not answer in time.")
        if trouble == "tls":
            return DetectorUnavailable("tls", "No trusted connection to Rekognition: check certificates and clock.")
        if isinstance(error, EndpointConnectionError) and self._region_unknown():
            return _no_such_region(self._client.meta.region_name)
        if trouble in ("timeout", "unreachable"):  # no connection in time: nothing can have been charged
            host = urlsplit(self._client.meta.endpoint_url).hostname  # without any login in it
            return DetectorUnavailable("unreachable", f"No connection to {host}.")
        return DetectorRejected("no_credentials", f"There is no AWS login ({type(error).__name__}): {aws.KEYS}.")

    def _region_unknown(self) -> bool:
        """Whether the address was made from a region that has no Rekognition; needs boto3's tables, so asked late."""
        region = self._client.meta.region_name
        if region not in self._client.meta.endpoint_url:  # another service's address
            return False
        session = aws.session()
        known = [session.get_available_regions("rekognition", name) for name in session.get_available_partitions()]
        return region not in {region for regions in known for region in regions}


def _not_again(caught_exception: Exception | None = None, **_: object) -> None:
    """Told by botocore before it tries again: not a call that AWS may have taken, which costs money each time."""
    from botocore.exceptions import ReadTimeoutError

    if isinstance(caught_exception, ReadTimeoutError):
        raise caught_exception


def _client(settings: RekognitionSettings) -> RekognitionClient:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, InvalidRegionError, NoRegionError

    config = Config(
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        max_pool_connections=settings.concurrency,
        retries={"mode": "standard", "total_max_attempts": settings.attempts},
        tcp_keepalive=True,
        # Together a tenth of a call's CPU time: its parameters are ours, and botocore builds its own
        # long user agent twice a call.
        parameter_validation=False,
        user_agent="snapshot-processor",
    )
    try:
        client: RekognitionClient = aws.client(
            "rekognition", region=settings.region, endpoint_url=settings.endpoint_url, config=config
        )
    except NoRegionError:
        raise DetectorRejected("invalid_region", "No AWS region is set: set region or AWS_DEFAULT_REGION.") from None
    except InvalidRegionError:
        raise _no_such_region(settings.region) from None
    except ValueError:
        raise DetectorRejected(
            "invalid_endpoint", "endpoint_url is no address: it has to start with https://."
        ) from None
    except BotoCoreError as error:
        raise DetectorRejected("no_credentials", f"No AWS login ({type(error).__name__}): {aws.KEYS}.") from None
    return client


def _no_such_region(region: str) -> DetectorRejected:
    return DetectorRejected(
        "invalid_region", f"Rekognition has no region {region!r}: check region or AWS_DEFAULT_REGION."
    )


def _bad_answer() -> DetectorUnavailable:
    return DetectorUnavailable(
        "bad_answer", "Something answered that is not Rekognition: check endpoint_url and proxies."
    )


def _refusal(error: Any) -> DetectorError:
    """The failure behind AWS's answer, without its own text, which names accounts and keys."""
    code, status = aws.refusal(error.response)
    if code in _REFUSALS:
        ours, sentence = _REFUSALS[code]
        return DetectorRejected(ours, sentence.format(service="AWS"))
    if code in aws.THROTTLES:
        return DetectorUnavailable("throttled", "Rekognition takes no more calls for the moment.")
    if status >= 500:
        return DetectorUnavailable("unavailable", f"Rekognition has an internal error (HTTP {status}).")
    return DetectorRejected("refused", f"Rekognition refuses the call with {code or f'HTTP {status}'}.")


def _detection(answer: Mapping[str, Any], minimum: float) -> Detection:
    try:
        labels = [_label(row, minimum) for row in answer["Labels"] if row["Confidence"] >= minimum * 100]
    except (KeyError, TypeError):
        raise _bad_answer() from None
    # Instances exist for common objects only and may be missing even for those: no box does not mean no person.
    return detection_of(labels)


def _label(row: Mapping[str, Any], minimum: float) -> Label:
    instances = sorted(row.get("Instances") or (), key=lambda instance: -float(instance["Confidence"]))
    boxes = (_box(instance["BoundingBox"]) for instance in instances if instance["Confidence"] >= minimum * 100)
    return Label(str(row["Name"]), round(row["Confidence"] / 100, 4), tuple(boxes))


def _box(box: Mapping[str, float]) -> Box:
    """Cut to the picture: Rekognition's boxes reach beyond its edges where things do."""
    left, top = max(0.0, box["Left"]), max(0.0, box["Top"])
    right, bottom = min(1.0, box["Left"] + box["Width"]), min(1.0, box["Top"] + box["Height"])
    return Box(round(left, 4), round(top, 4), round(right - left, 4), round(bottom - top, 4))
