"""What `make setup` does: docker-compose.yml and .env from the environment, the vault and an older .env."""

from __future__ import annotations

import argparse
import os
import re
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_urlsafe

from app.bootstrap.next_steps import upload_folders
from app.config.environment import known_names
from app.config.settings import CAMERA_KINDS, Settings, load
from app.setup import dotenv_file, managed_file, many
from pylib.files import durable
from pylib.rabbitmq.address import BrokerAddress
from pylib.settings.credentials import CredentialError, Environment
from pylib.settings.draft import ConfigError
from pylib.settings.onepassword import OnePassword

TEMPLATE = "docker-compose.template.yml"
COMPOSE_FILE = "docker-compose.yml"
ENV_FILE = ".env"
SECRETS = "secrets"
"""Folder of secret files, which the container sees as /run/secrets."""

COMPOSED_BROKER = "rabbitmq:5672"
"""The broker's address inside the composed network; its port there, whatever port the host publishes."""
IMAGE_ID = 10001
"""User and group of the image, for a host on which root runs the setup."""
FTP_PORT = "2121"
BALANCER_PORT = "8090"

ELSEWHERE = {"CONFIG_FILE", "DATA_DIR", "WEB_HOST", "USER", "OP_CONNECT_HOST", "OP_CONNECT_TOKEN", "OP_VAULT"}
"""Names that mean something else inside the container, or are useless there once the vault was read."""

_FORMS = {
    "APP_NAME": (r"[a-z0-9]+(?:[._-][a-z0-9]+)*", "small letters and digits, with . _ or - between them"),
    "DEVICE_NAME": (r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", "a host name"),
    "TZ": (r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*", "a time zone such as Europe/Berlin"),
    "WEB_PORT": (r"[1-9][0-9]{0,4}", "a port"),
    "FTP_PORT": (r"[1-9][0-9]{0,4}", "a port"),
    "MAIL_PORT": (r"[1-9][0-9]{0,4}", "a port"),
    "FTP_PASSIVE_PORTS": (r"[1-9][0-9]{0,4}(?:-[1-9][0-9]{0,4})?", "a range of ports such as 30000-30019"),
    "SYSLOG_ADDRESS": (r"(?:udp|tcp|tcp\+tls|unix|unixgram)://[A-Za-z0-9_./:\[\]-]+", "like udp://host:514"),
}
"""The form of values that the template takes as they are."""


@dataclass(frozen=True, slots=True)
class Compose:
    """The values that the template names."""

    app_name: str
    device_name: str
    tz: str
    web_port: str
    ftp_port: str
    """Empty: no camera uploads."""
    ftp_passive_ports: tuple[str, ...]
    """A range for each replica, mapped one to one: a server sends clients a port number, which Docker does not
    translate."""
    mail_port: str
    """Empty: no camera mails."""
    syslog: str
    """Where the containers' output goes; empty for Docker's own files."""
    rabbitmq: bool
    """Whether a broker is composed too."""
    uid: int
    gid: int
    many: bool
    """Whether replicas and a balancer are composed."""
    postgres: bool
    s3: str
    """The composed S3 server's bucket; empty for no such server."""


def main(arguments: Sequence[str] | None = None, *, directory: Path = Path()) -> int:
    """Write both files; the exit status is 1 when one is refused or something is wrong: stderr has the reason."""
    parser = argparse.ArgumentParser(prog="make setup", description=__doc__)
    parser.add_argument("--force", action="store_true", help="overwrite files that were edited by hand")
    parser.add_argument("--without-rabbitmq", action="store_true", help="compose no broker")
    options = parser.parse_args(arguments)
    try:
        refused = set_up(directory, force=options.force, without_rabbitmq=options.without_rabbitmq)
    except ConfigError as error:
        refused = [*error.problems, *error.warnings]
    except CredentialError as error:
        refused = [error.detail]
    except OSError as error:
        refused = [f"{error.filename}: {error.strerror}"]
    for sentence in refused:
        print(sentence, file=sys.stderr)
    return 1 if refused else 0


def set_up(directory: Path, *, force: bool = False, without_rabbitmq: bool = False) -> list[str]:
    """Write both files of a project's directory; returns a sentence for each that is not ours to overwrite, and
    writes nothing then.

    A value that neither environment nor vault has is taken from an older .env, whoever wrote that. A .env that was
    edited by hand and lacks nothing is kept.
    Raises `ConfigError`, `CredentialError` or OSError; then nothing was written.
    """
    template = (directory / TEMPLATE).read_text(encoding="utf-8")
    older = dotenv_file.read(directory / ENV_FILE)
    environment = _with_vault(directory, older)
    values = older | gather(environment, also={*re.findall(r"\$\{([A-Z0-9_]+)", template), many.PROFILES})
    shared = many.plan(values, directory / SECRETS)
    compose = plan(values, shared, without_rabbitmq=without_rabbitmq)
    settings = _valid(values, directory)
    lacking = [name for name, value in sorted(values.items()) if older.get(name) != value]
    values = {"APP_NAME": compose.app_name, "TZ": compose.tz} | values
    files = {
        directory / COMPOSE_FILE: (render(template, compose), 0o644),
        directory / ENV_FILE: (dotenv_file.render(values), 0o600),
    }
    edited = [path for path in files if not force and not managed_file.may_be_replaced(path)]
    if directory / ENV_FILE in edited and not lacking:
        edited.remove(directory / ENV_FILE)
        del files[directory / ENV_FILE]
        print(f"Kept {ENV_FILE}, which was edited by hand")
    if edited:  # both or none: one speaks of what the other has
        return [_refusal(path, lacking if path.name == ENV_FILE else ()) for path in edited]
    _make_secrets(directory / SECRETS, values, compose, shared.secrets)
    for path, (body, mode) in files.items():
        managed_file.write(path, body, mode=mode)
        print(f"Wrote {path.name}")
    for line in _next_steps(settings, compose, balancer_port=values.get("BALANCER_PORT") or BALANCER_PORT):
        print(line)
    return []


def _next_steps(settings: Settings, compose: Compose, *, balancer_port: str) -> Iterator[str]:
    """What a person needs next."""
    yield f"Next: make rund; then the album is http://127.0.0.1:{compose.web_port}/"
    if compose.many:
        yield f"That of all replicas, through the balancer: http://127.0.0.1:{balancer_port}/"
        if not settings.s3.bucket:
            yield "No S3 server is composed, since you have an AWS login: set S3_BUCKET, for pictures at every replica"
    yield f"Its password: {SECRETS}/web_password, or WEB_PASSWORD in {ENV_FILE}"
    if compose.ftp_port:
        yield f"FTP for cameras: port {compose.ftp_port}, folders {upload_folders(settings)}"
    if not settings.cameras:
        yield "No camera is configured yet: .venv/bin/snapshot-processor init asks, and writes config/config.yml"


def gather(environment: Environment, *, also: set[str]) -> dict[str, str]:
    """The environment's values under our names and those in `also`, and all values of the vault."""
    known = known_names(Settings, CAMERA_KINDS, given=environment.names()) | also
    values = {}
    for name in environment.names() - ELSEWHERE:
        ours = re.sub(r"_[1-9][0-9]*_", "_n_", name, count=1) in known
        found = environment.get(name) if ours or name in environment.vault else None
        if found and re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
            values[name] = found.value
    return values


def plan(values: dict[str, str], shared: many.Many, *, without_rabbitmq: bool = False) -> Compose:
    """The services to compose for these values, to which it adds what the container could not find out by itself.

    Raises `ConfigError` for values that the template cannot take.
    """
    composed = _is_composed(values.get("RABBITMQ_SERVER_ADDRESS"))
    if composed and without_rabbitmq:
        values["RABBITMQ_SERVER_ADDRESS"] = ""  # not absent: the next setup must not compose one again
    elif composed:
        values.setdefault("RABBITMQ_SERVER_ADDRESS", COMPOSED_BROKER)
    problems = [
        f"environment: {name}: must be {form}"
        for name, (pattern, form) in _FORMS.items()
        if values.get(name) and not re.fullmatch(pattern, values[name])
    ]
    if problems:
        raise ConfigError(problems)
    app_name = values.get("APP_NAME") or str(Settings.model_fields["app_name"].default)
    if not values.get("DEVICE_NAME"):
        values["DEVICE_NAME"] = app_name  # a container's own host name is another with every start
    # A login may be in config.yml alone: then FTP_PORT shows that cameras upload.
    if (values.get("FTP_USER") or values.get("FTP_PORT")) and not values.get("FTP_MASQUERADE_ADDRESS"):
        values["FTP_MASQUERADE_ADDRESS"] = _address_of_host()
    passive = values.get("FTP_PASSIVE_PORTS") or Settings().ftp.passive_ports
    root = os.getuid() == 0
    return Compose(
        app_name=app_name,
        device_name=values["DEVICE_NAME"],
        tz=values.get("TZ") or values.get("TIME_ZONE") or _time_zone_of_host(),
        web_port=values.get("WEB_PORT") or str(Settings().web.port),
        ftp_port=values.get("FTP_PORT") or (FTP_PORT if values.get("FTP_USER") else ""),
        ftp_passive_ports=many.ranges(passive, many.REPLICAS if shared.many else 1),
        mail_port=_mail_port(values),
        syslog=values.get("SYSLOG_ADDRESS", ""),
        rabbitmq=composed and not without_rabbitmq,
        uid=IMAGE_ID if root else os.getuid(),
        gid=IMAGE_ID if root else os.getgid(),
        many=shared.many,
        postgres=shared.postgres,
        s3=shared.s3,
    )


def render(template: str, compose: Compose) -> str:
    """The template with its names filled in; a name that it has and `Compose` has not is an error."""
    from jinja2 import Environment as Templates
    from jinja2 import StrictUndefined

    # What is rendered is YAML, not HTML, and `plan` has checked that no value needs escaping there.
    templates = Templates(undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701
    return templates.from_string(template).render(asdict(compose))


def _mail_port(values: Mapping[str, str]) -> str:
    return (values.get("MAIL_PORT") or str(Settings().mail.port)) if _is_true(values.get("MAIL_ENABLED", "")) else ""


def _is_true(value: str) -> bool:
    return value.strip().lower() in ("1", "true", "yes", "on")


def _address_of_host() -> str:
    """The address at which cameras reach this machine, by its routes; empty when it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # sends nothing; an address reserved for documentation (RFC 5737)
        return str(probe.getsockname()[0])
    return ""


def _with_vault(directory: Path, older: Mapping[str, str]) -> Environment:
    vault = OnePassword.from_environment(Environment(os.environ, secrets=directory / SECRETS), patience=10)
    # The container sees the files of ./secrets itself: there is no need to repeat them in .env.
    environment = Environment(os.environ, secrets=directory / "no such directory")
    if vault is None:
        return environment
    app_name = os.environ.get("APP_NAME") or older.get("APP_NAME") or Settings.model_fields["app_name"].default
    item = f"ENV.{app_name}"
    return environment.with_vault(vault.fields(item), name=f"1Password {item}")


def _valid(values: Mapping[str, str], directory: Path) -> Settings:
    """The settings, checked here, before a container restarts for ever. Raises `ConfigError`."""
    config_file = directory / "config" / "config.yml"
    return load(config_file if config_file.is_file() else None, values, secrets=directory / SECRETS)


def _make_secrets(secrets: Path, values: Mapping[str, str], compose: Compose, made: Mapping[str, str]) -> None:
    """Write these secret files, and a password for the album where none was chosen: others reach the container too."""
    names = ("web_password", "WEB_PASSWORD")
    if not any(values.get(name) for name in ("WEB_PASSWORD", "WEB_PASSWORD_FILE")) and not any(
        (secrets / name).exists() for name in names
    ):
        made = {**made, names[0]: token_urlsafe(12)}
    if not made:
        return
    secrets.mkdir(mode=0o700, exist_ok=True)
    for name, content in made.items():
        durable.write_private(secrets / name, content.encode())
        print(f"Wrote {secrets.name}/{name}" + (": the album's password" if name == names[0] else ""))
    if os.getuid() == 0:
        for path in (secrets, *(secrets / name for name in made)):
            os.chown(path, compose.uid, compose.gid)  # as `make user` would


def _refusal(path: Path, lacking: Sequence[str]) -> str:
    lacks = f", though it lacks {', '.join(lacking)}" if lacking else ""
    return (
        f"{path.name} was edited by hand or is not from here, so it stays as it is{lacks}:"
        " move it away, or overwrite it with `make setup ARGS=--force`"
    )


def _is_composed(address: str | None) -> bool:
    if address is None:
        return True
    try:
        return BrokerAddress.parse(address).host == COMPOSED_BROKER.partition(":")[0]
    except ValueError:
        return False


def _time_zone_of_host() -> str:
    target = os.path.realpath("/etc/localtime")
    name = target.partition("/zoneinfo/")[2]
    return name if re.fullmatch(_FORMS["TZ"][0], name) else "UTC"


if __name__ == "__main__":
    sys.exit(main())
