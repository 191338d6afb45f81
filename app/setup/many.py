"""What several services on one machine share: the profile `many` of docker-compose.yml, and the logins it needs."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex, token_urlsafe

from app.config.settings import Settings
from pylib.settings.draft import ConfigError

PROFILE = "many"
REPLICAS = 3
PROFILES = "COMPOSE_PROFILES"
"""Compose reads it from .env."""

DATABASE = "postgresql://snapshots:{password}@postgres:5432/snapshots"
S3_SERVER = "http://s3:8333"
S3 = {
    "S3_BUCKET": "snapshots",
    "S3_ENDPOINT_URL": S3_SERVER,
    "S3_PATH_STYLE": "true",
    "S3_REGION": "us-east-1",
}


@dataclass(frozen=True, slots=True)
class Many:
    """What is composed beside the one service."""

    many: bool = False
    """Whether there are replicas, and a balancer before them."""
    postgres: bool = False
    s3: str = ""
    """The composed S3 server's bucket; empty for no such server."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Name of a secret file that has to be made -> its content."""


def plan(values: MutableMapping[str, str], secrets: Path) -> Many:
    """What to compose for these values, to which it adds those that replicas need.

    A database that is named is used, and none composed; likewise a bucket. Whoever has an AWS login has it for other
    things too, and an S3 server of one's own would need another: then a bucket has to be named.
    """
    if PROFILE not in values.get(PROFILES, "").split(","):
        return Many()

    def known(*names: str) -> bool:
        is_set = any(values.get(name) or values.get(f"{name}_FILE") for name in names)
        return is_set or any((secrets / name.lower()).exists() or (secrets / name).exists() for name in names)

    made: dict[str, str] = {}
    if not values.get("REPLICAS_GROUP"):
        topic = str(Settings().rabbitmq.device_topic)
        values["REPLICAS_GROUP"] = values.get("RABBITMQ_DEVICE_TOPIC") or topic
    if not known("DATABASE_URL", "INDEX_URL"):
        made["postgres_password"] = password = token_hex(16)
        made["database_url"] = DATABASE.format(password=password)
    if not known("S3_BUCKET", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_CONFIG_FILE"):
        values.update(S3)
        made |= {"aws_access_key_id": token_hex(10), "aws_secret_access_key": token_urlsafe(30)}
    return Many(
        many=True,
        postgres="postgres_password" in made or (secrets / "postgres_password").exists(),
        s3=values["S3_BUCKET"] if values.get("S3_ENDPOINT_URL") == S3_SERVER else "",
        secrets=made,
    )


def ranges(ports: str, count: int) -> tuple[str, ...]:
    """A range of ports such as 30000-30019, and the next ones of its length. Raises `ConfigError` beyond 65535."""
    first, _, last = ports.partition("-")
    start, length = int(first), int(last or first) - int(first) + 1
    if start + count * length > 1 << 16:
        raise ConfigError([f"environment: FTP_PASSIVE_PORTS: {count} ranges of {length} ports must fit below 65536"])
    return tuple(f"{port}-{port + length - 1}" for port in range(start, start + count * length, length))
