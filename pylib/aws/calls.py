"""Calls of AWS's services, each within a deadline; whatever goes wrong is one failure with our code and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from pylib import aws
from pylib.aws.links import presigned
from pylib.net.deadline import passed, within
from pylib.settings.fields import Endpoint, Section

Kind = Literal["login", "denied", "missing", "refused", "busy", "away", "settings"]
"""`login`, `denied`, `missing` (what was called upon) and `settings` wait for a person; `refused`: this one call, for
good; `busy` and `away` pass."""

CODES = {
    "no_credentials": ("There is no AWS login.", aws.KEYS),
    "bad_credentials": ("AWS does not accept this login.", aws.KEYS),
    "expired_credentials": ("The AWS session has expired.", "sign in again, or use a lasting key"),
    "clock_wrong": ("This machine's clock is wrong.", "set it, switch on NTP"),
    "access_denied": ("AWS does not let this login do that.", "grant what `snapshot-processor iam` prints"),
    "not_found": ("AWS knows nothing by this name here.", "correct the name, or the region"),
    "wrong_region": ("The AWS region is not set, or it is another one.", "set `region`"),
    "bad_address": ("The setting `endpoint_url` is no address.", "correct it: it has to start with https://"),
    "bad_setting": ("A setting is refused by boto3.", "correct the setting that the message names"),
    "call_refused": ("AWS refuses this call.", "look at the reason in the log"),
    "throttled": ("AWS takes fewer calls than are made.", "nothing, if it passes: the service tries again"),
    "aws_busy": ("The AWS service has a failure of its own.", "nothing, if it passes: the service tries again"),
    "timeout": ("AWS did not answer in time.", "look at the connection; the service tries again"),
    "unreachable": ("AWS could not be reached.", "look at the connection; the service tries again"),
    "tls": ("No trusted connection to AWS came about.", "look at clock and certificates of this machine"),
    "bad_answer": ("Something answered that is not AWS.", "look at `endpoint_url` and proxies"),
}
"""Code -> what happened, and what to do about it."""

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation", "403"})
_ELSEWHERE = frozenset(
    {"AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException", "301"}
)

_ACTIONS = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjectsV2": "s3:ListBucket",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
"""Operations that are allowed under another name (service authorization reference)."""


class AwsSettings(Section):
    """Where a service of AWS is; the login is boto3's own (`AWS_ACCESS_KEY_ID`, `AWS_CONFIG_FILE`, a role ...)."""

    region: str = Field(
        default="", max_length=100, description="AWS region; AWS_DEFAULT_REGION or the profile's unless set."
    )
    endpoint_url: Endpoint = Field(
        default="",
        max_length=500,
        description="Address of a server other than Amazon's; AWS_ENDPOINT_URL and its kin unless set.",
    )
    timeout: float = Field(default=20, ge=1, le=120, description="Seconds that one call may take.")


class AwsFailure(Exception):
    """A call went wrong. Its text is the sentence, without the answer's own, which names accounts and keys."""

    def __init__(self, code: str, sentence: str, *, kind: Kind, aws_code: str = "", status: int = 0) -> None:
        """`code`: of `CODES`; `aws_code` and `status`: AWS's own, empty and 0 where nothing was answered."""
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.kind = kind
        self.aws_code = aws_code
        self.status = status

    @property
    def passes(self) -> bool:
        """Whether trying again later may help without anybody's doing."""
        return self.kind in ("busy", "away")


class AwsClient:
    """A client of one service. Every method may be called from any thread."""

    def __init__(
        self,
        service: str,
        settings: AwsSettings,
        *,
        title: str,
        region: str = "",
        pool: int = 10,
        path_style: bool = False,
        attempts: int = 2,
    ) -> None:
        """Load boto3 and build the client; sends nothing. Raises `AwsFailure`.

        `title`: the service's name for people; `region`: where the settings name none; `pool`: calls at once;
        `path_style`: the bucket stands in the path instead of the host name, as most other servers want it;
        `attempts`: 1 where a call must not be made twice.
        """
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        self.title = title
        self.timeout = settings.timeout
        config = Config(
            connect_timeout=min(5.0, settings.timeout),
            read_timeout=settings.timeout,
            max_pool_connections=pool,
            # The second try is for a connection that the server had closed; further ones are the caller's.
            retries={"mode": "standard", "total_max_attempts": attempts},
            tcp_keepalive=True,
            # botocore's own CRC32 is a trailer that other servers do not support.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            user_agent="snapshot-processor",
            # Named, or botocore signs links in the old way, which has no end at 7 days and opens nothing under KMS.
            signature_version="s3v4" if service == "s3" else None,
            s3={"addressing_style": "path" if path_style else "auto"},
        )
        try:
            self.boto: Any = aws.timed_client(
                service, region=settings.region or region, endpoint_url=settings.endpoint_url, config=config
            )
        except ValueError:
            raise AwsFailure(
                "bad_address", "endpoint_url is no address: it has to start with https://.", kind="settings"
            ) from None
        except BotoCoreError as error:
            raise self._trouble(error) from None

    @property
    def host(self) -> str:
        """The host that is called."""
        return urlsplit(self.boto.meta.endpoint_url).hostname or ""

    def ask(self, operation: str, *, timeout: float = 0, **parameters: Any) -> Mapping[str, Any]:
        """Call an operation by boto3's name for it. Raises `AwsFailure`, after `timeout` seconds at the latest.

        `timeout`: the settings' unless given. A body that streams is read within the caller's own
        `pylib.net.deadline.within`.
        """
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        with within(timeout or self.timeout):
            try:
                answer: Mapping[str, Any] = getattr(self.boto, operation)(**parameters)
            except ClientError as error:
                raise self._refusal(error.response, operation) from None
            except BotoCoreError as error:
                raise self._trouble(error, late=passed()) from None
            except RecursionError:  # botocore follows a server that redirects everything to itself
                raise AwsFailure(
                    "wrong_region", f"{self.title} sends us elsewhere for ever.", kind="settings"
                ) from None
            except (ResponseParserError, AttributeError, KeyError, TypeError, ValueError):
                # The last four come from botocore's parser, for XML that is not AWS's.
                sentence = f"Something answered that is not {self.title}."
                raise AwsFailure("bad_answer", sentence, kind="away") from None
        return answer

    def link(self, bucket: str, key: str, *, seconds: float) -> tuple[str, datetime]:
        """A link that opens an object, and when it ends: see `pylib.aws.links.presigned`. Raises `AwsFailure`."""
        from botocore.exceptions import BotoCoreError

        try:
            with within(self.timeout):
                return presigned(self.boto, bucket, key, seconds=seconds)
        except (BotoCoreError, RuntimeError) as error:  # the latter for a login that could not be renewed
            raise self._trouble(error, late=passed()) from None

    def close(self) -> None:
        """Close the connections."""
        self.boto.close()

    def action(self, operation: str) -> str:
        """What a policy has to allow for an operation: `sqs:ReceiveMessage`."""
        meta = self.boto.meta
        name = f"{meta.service_model.signing_name}:{meta.method_to_api_mapping[operation]}"
        return _ACTIONS.get(name, name)

    def _refusal(self, response: Mapping[str, Any], operation: str) -> AwsFailure:
        """The failure behind an answer."""
        code, status = aws.refusal(response)

        def failure(ours: str, sentence: str, kind: Kind) -> AwsFailure:
            return AwsFailure(ours, sentence, kind=kind, aws_code=code, status=status)

        if code in aws.LOGIN_REFUSALS:
            ours, sentence = aws.LOGIN_REFUSALS[code]
            return failure(ours, sentence.format(service=self.title), "login")
        if code in _ELSEWHERE or status in (301, 307):
            return failure("wrong_region", f"{self.title} has that in another region: set `region`.", "settings")
        if code in _DENIED or status == 403:
            sentence = (
                f"{self.title} does not let this login do that: grant it {self.action(operation)}, or all that "
                "`snapshot-processor iam` prints."
            )
            return failure("access_denied", sentence, "denied")
        if code in aws.THROTTLES or status in (429, 503):
            return failure("throttled", f"{self.title} takes no more calls for the moment.", "busy")
        if status >= 500:
            return failure("aws_busy", f"{self.title} has an internal error (HTTP {status}).", "busy")
        named = code or f"HTTP {status}"
        if status == 404 or code.endswith(("NotFound", "NotFoundException")) or "NonExistent" in code:
            return failure("not_found", f"{self.title} knows nothing by this name ({named}).", "missing")
        return failure("call_refused", f"{self.title} refuses the call with {named}.", "refused")

    def _trouble(self, error: Exception, *, late: bool = False) -> AwsFailure:
        """The failure before anything was answered. `late`: the time for it was over, whatever the error is."""
        trouble = "timeout" if late else aws.trouble(error)
        if trouble == "timeout":
            return AwsFailure("timeout", f"{self.title} did not answer in time.", kind="away")
        if trouble == "tls":
            sentence = f"No trusted connection to {self.title}: check certificates and clock."
            return AwsFailure("tls", sentence, kind="away")
        if trouble == "unreachable":
            return AwsFailure("unreachable", f"No connection to {self.host}.", kind="away")
        if trouble == "region":
            return AwsFailure("wrong_region", "The AWS region is not set, or none: set `region`.", kind="settings")
        if trouble == "parameters":
            return AwsFailure("bad_setting", "boto3 refuses the settings of this call.", kind="refused")
        sentence = f"There is no AWS login ({type(error).__name__}): {aws.KEYS}."
        return AwsFailure("no_credentials", sentence, kind="login")
