"""Clients of boto3; errors of AWS, of servers that speak its protocol, and of boto3, as our codes and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pylib.aws.links import lead_home
from pylib.net.deadline import timed_pools

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.config import Config
    from botocore.loaders import Loader

KEYS = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile in AWS_CONFIG_FILE"
_CLOCK = "check the secret access key and this machine's clock"

LOGIN_REFUSALS: Mapping[str, tuple[str, str]] = {
    "InvalidAccessKeyId": ("bad_credentials", f"{{service}} does not know this access key: {KEYS}."),
    "UnrecognizedClientException": ("bad_credentials", f"{{service}} does not know this access key: {KEYS}."),
    "InvalidClientTokenId": ("bad_credentials", f"{{service}} does not know this access key: {KEYS}."),
    "MissingAuthenticationTokenException": ("bad_credentials", f"{{service}} found no signature: {KEYS}."),
    "IncompleteSignatureException": ("bad_credentials", f"{{service}} cannot read the signature: {KEYS}."),
    "SignatureDoesNotMatch": ("bad_credentials", f"{{service}} refuses the signature: {KEYS}."),
    "InvalidSignatureException": ("bad_credentials", f"{{service}} refuses the signature: {_CLOCK}."),
    "InvalidToken": ("bad_credentials", f"{{service}} refuses the session token: {KEYS}."),
    "ExpiredToken": ("expired_credentials", "The AWS session has expired: sign in again or use a lasting key."),
    "ExpiredTokenException": (
        "expired_credentials",
        "The AWS session has expired: sign in again or use a lasting key.",
    ),
    "RequestTimeTooSkewed": ("clock_wrong", "This machine's clock is wrong: set it, switch on NTP."),
}
"""Errors of a login -> our code, and a sentence with the remedy, with `{service}` in it."""

THROTTLES = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServerBusy",
        "SlowDown",
        "Throttled",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
        "TooManyRequestsException",
    }
)
"""Errors of too many calls."""

Trouble = Literal["timeout", "tls", "unreachable", "region", "parameters", "login"]


def session() -> Session:
    """A new one, since making clients is not thread-safe (using them is); AWS's tables are read once for all."""
    from boto3.session import Session
    from botocore.session import get_session

    core = get_session()
    core.register_component("data_loader", _tables(core.get_config_variable("data_path")))
    return Session(botocore_session=core)


@cache
def _tables(path: str | None) -> Loader:
    from pylib.aws.tables import tables

    return tables(path)


def client(service: str, *, region: str = "", endpoint_url: str = "", config: Config) -> Any:
    """A client of a service; sends nothing. Raises ValueError for an endpoint that is no address, and BotoCoreError."""
    _ = urlsplit(endpoint_url).port  # a ValueError now rather than at each call
    return session().client(
        service,  # type: ignore[call-overload]  # the names of services are literals to it
        region_name=region or None,
        endpoint_url=endpoint_url or None,
        config=config,
    )


def timed_client(service: str, *, region: str, endpoint_url: str, config: Config) -> Any:
    """A client as `client` makes it, whose calls keep to a deadline (`pylib.net.deadline`)."""
    made = client(service, region=region, endpoint_url=endpoint_url, config=config)
    from botocore.awsrequest import AWSHTTPConnectionPool, AWSHTTPSConnectionPool

    # botocore has no setting for this, and its timeout counts each read by itself.
    pools = timed_pools(AWSHTTPConnectionPool, AWSHTTPSConnectionPool)
    if service == "s3":
        lead_home(made)
    made._endpoint.http_session._pool_classes_by_scheme.update(pools)
    return made


def refusal(response: Mapping[str, Any]) -> tuple[str, int]:
    """The error code and the HTTP status of a `ClientError.response`: empty and 0 where there is none.

    The answer's own sentence is left out: it names accounts and keys.
    """
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return str(response.get("Error", {}).get("Code", "")), status


def trouble(error: Exception) -> Trouble:
    """The failure before anything was answered. The order matters: some are subclasses of others."""
    from botocore import exceptions as boto

    if isinstance(error, boto.ConnectTimeoutError | boto.ReadTimeoutError):
        return "timeout"
    if isinstance(error, boto.SSLError):
        return "tls"
    if isinstance(error, boto.HTTPClientError | boto.ConnectionError):
        return "unreachable"
    if isinstance(error, boto.NoRegionError | boto.InvalidRegionError):
        return "region"
    if isinstance(error, boto.ParamValidationError):
        return "parameters"
    return "login"
