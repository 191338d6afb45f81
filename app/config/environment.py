"""The names of environment variables that do not follow the rule, and the table of all names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel

from app.config.devices import DEVICES, camera_variables
from app.config.numbered import described, numbered_lists
from pylib.settings.credentials import Secret
from pylib.settings.kinds import KindField
from pylib.settings.variables import Variable, kinds_around, kinds_of, variables
from pylib.settings.yaml_file import dotted

Row = tuple[str, str, str, str]
"""Name, path in the file, description, default."""

ALIASES: dict[str, tuple[str, ...]] = {
    "time_zone": ("TZ",),
    "index.url": ("DATABASE_URL",),
    "monitors.hc_ping_url": ("HC_PING_URL",),
    "monitors.cronitor_monitor_key": ("CRONITOR_MONITOR_KEY",),
    "detector.minimum_confidence": ("MINIMUM_HUMAN_CONFIDENCE",),
    "detector.region": ("AWS_ALT_REGION",),
    "google_drive.client_secrets_file": ("GOOGLE_CLIENT_SECRETS_FILE",),
    "google_drive.api_root_url": ("GOOGLE_API_ROOT_URL",),
    "ftp.enabled": ("RUN_FTP_SERVER",),
    "ftp.username": ("FTP_USER",),
    "ftp.password": ("FTP_PASS",),
}
"""Historic and standard names of settings, by path."""

AWS = {
    "AWS_ACCESS_KEY_ID": "Access key for Rekognition, the archive in S3, and the copy of Google Drive's token.",
    "AWS_SECRET_ACCESS_KEY": "Secret of that access key.",
    "AWS_SESSION_TOKEN": "Session token of temporary credentials.",
    "AWS_DEFAULT_REGION": "AWS region, where `detector.region` or `s3.region` does not name one.",
    "AWS_CONFIG_FILE": "boto3's configuration file.",
    "AWS_SHARED_CREDENTIALS_FILE": "boto3's file of credentials.",
    "AWS_PROFILE": "Profile to use from these files.",
    "AWS_ENDPOINT_URL": "Another endpoint for all of AWS.",
    "AWS_ENDPOINT_URL_REKOGNITION": "Another endpoint for Rekognition.",
    "AWS_ENDPOINT_URL_S3": "Another endpoint for S3.",
}
"""boto3 reads these from the environment itself."""

OTHERS = {
    "CONFIG_FILE": "The configuration file, if not ./config.yml, ./config/config.yml or /config/config.yml.",
    "OBJECT_DETECTION_ENABLED": "false is the same as `DETECTOR_KIND=none`.",
    "SYSLOG_ADDRESS": "Syslog for the containers' output, such as udp://host:514; read by `make setup`.",
    "OP_CONNECT_HOST": "Address of a 1Password Connect server. Its item `ENV.<app name>` may hold any of these names.",
    "OP_CONNECT_TOKEN": "Token for that server.",
    "OP_VAULT": "Id or name of the vault; needed when the token opens several.",
}

LATER = (
    "OBJECT_DETECTION_MODEL",
    "OP_SERVICE_ACCOUNT_TOKEN",
    "USER",
)
"""Historic names that nothing reads yet, and which are no typing errors."""


@cache
def settings_of(model: type[BaseModel]) -> tuple[Variable, ...]:
    """Every setting of a model, with its historic names."""
    return tuple(variables(model, aliases=ALIASES))


def rows(model: type[BaseModel], camera_kinds: KindField) -> Iterator[Row]:
    """The table of all names; `n` is a number from 1 on."""
    for variable in settings_of(model):
        row = row_of(variable, kinds_around(model, variable.location))
        yield row
        for alias in variable.aliases:
            yield alias, row[1], f"The same as `{variable.name}`.", row[3]
    for variable in camera_variables(camera_kinds, "OUTPUT_n", ("cameras[]",)):
        yield row_of(variable, camera_kinds)
    for variable, numbered in described(model):
        yield row_of(variable, kinds_of(numbered.field))
    yield "INPUT_n_TYPE", "inputs[].type", "Type of the sensor; one of type Camera is a camera too.", ""
    yield "INPUT_n_LOCATION", "inputs[].location", "Location of the sensor.", ""
    for name, description in (OTHERS | AWS).items():
        yield name, "", description, ""


def known_names(model: type[BaseModel], camera_kinds: KindField, *, given: Collection[str]) -> set[str]:
    """Every name that is no typing error. Those of cameras and of adapters' entries, which all of these are loaded for,
    are there only where one that is given may be such a name."""
    names = {name for variable in settings_of(model) for name in (variable.name, *variable.aliases)}
    names |= {"INPUT_n_TYPE", "INPUT_n_LOCATION", *OTHERS, *AWS, *LATER}
    if _one_is_like(DEVICES, (re.split(r"[\d_]", name)[0] for name in given)):
        names |= {variable.name for word in DEVICES for variable in camera_variables(camera_kinds, f"{word}_n")}
    if _one_is_like([each.word for each in numbered_lists(model)], map(_word, given)):
        names |= {variable.name for variable, _ in described(model)}
    return names


def _one_is_like(known: Collection[str], words: Iterable[str]) -> bool:
    """Whether a word may be one of those that are known, perhaps with a typing error."""
    return any(difflib.get_close_matches(word, known, n=1) for word in words)


def _word(name: str) -> str:
    """What stands before a number in a name; empty where there is none."""
    found = re.match(r"(\w+?)_[1-9]\d*_", name)
    return found[1] if found else ""


def row_of(variable: Variable, kinds: KindField | None) -> Row:
    """A setting's row; `kinds`: those that its section may be of."""
    field = variable.field
    description = field.description or ""
    if kinds and variable.location[-1] == "kind":
        description = f"One of {', '.join(kinds.names)}."
    default = "" if field.is_required() or field.default_factory else _shown(field.default)
    return variable.name, dotted(variable.location), description, default


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if value is None or isinstance(value, Secret):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
