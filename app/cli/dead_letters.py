"""The commands for dead letters: triggers that the service refused, or that the broker gave up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.failures import exit_on_failure
from app.cli.terminal import counted, json_option, say, show_json, table
from app.config import settings as configuration
from app.config.settings import Settings
from app.messages import Trigger
from app.wire import fields
from pylib.errors import Permanent
from pylib.observability import redaction
from pylib.rabbitmq.delivery import Delivery
from pylib.timezones import local_zone

if TYPE_CHECKING:
    from pylib.rabbitmq.dead_letters import DeadLetter, DeadLetters

EXCERPT = 200
"""Characters of a body that are shown."""
REASONS = {
    "delivery_limit": "the broker had delivered it too often without an answer",
    "rejected": "it was refused, and would be understood now",
    "maxlen": "the queue was full",
    "expired": "it was too old",
}
Decode = Callable[[Delivery], Trigger]


@click.group("dead-letters")
def dead_letters() -> None:
    """Show the triggers that were refused or given up, put them back, or drop them."""


@dead_letters.command("list")
@json_option
@click.pass_obj
@exit_on_failure
def list_letters(config_file: Path | None, as_json: bool) -> None:
    """Show each with its id, when it died, its camera, why, and the beginning of its body without logins.

    \b
    Example:
      snapshot-processor dead-letters list
    """
    settings = _settings(config_file)
    with _letters(settings) as letters:
        decode, zone = _decoder(settings), local_zone(settings.time_zone)
        found = [_described(letter, decode) for letter in letters]
    if as_json:
        show_json(found)
        return
    when = {one["id"]: f"{one['died_at'].astimezone(zone):%Y-%m-%d %H:%M:%S}" for one in found if one["died_at"]}
    table(
        ("id", "died", "camera", "why", "begins with"),
        [(one["id"], when.get(one["id"], "unknown"), one["camera"], one["why"], one["body"]) for one in found],
        whole=("id",),
    )
    say(counted(len(found), "dead letter"), err=True)


@dead_letters.command("retry")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.pass_obj
@exit_on_failure
def retry_letters(config_file: Path | None, ids: tuple[str, ...]) -> None:
    """Put those that the service understands, or those of these IDs, back into its queue.

    \b
    Example:
      snapshot-processor dead-letters retry
    """
    back = left = 0
    settings = _settings(config_file)
    with _letters(settings) as letters:
        decode = _decoder(settings)
        for letter in letters:
            if letter.id in ids or (not ids and _understood(letter, decode)):
                letters.put_back(letter)
                back += 1
            else:
                left += 1
    say(f"{back} put back, {left} left")


@dead_letters.command("drop")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
@exit_on_failure
def drop_letters(config_file: Path | None, ids: tuple[str, ...], yes: bool) -> None:
    """Delete all of them, or those of these IDs, for good.

    \b
    Example:
      snapshot-processor dead-letters drop --yes
    """
    settings = _settings(config_file)
    if not yes and not (ids := _agreed(settings, ids)):
        say("0 dropped")
        return
    dropped = 0
    with _letters(settings) as letters:
        for letter in letters:
            if not ids or letter.id in ids:
                letters.drop(letter)
                dropped += 1
    say(f"{dropped} dropped")


def _agreed(settings: Settings, ids: tuple[str, ...]) -> tuple[str, ...]:
    """The ids of those that a person agrees to lose. Raises `click.Abort`."""
    with _letters(settings) as letters:
        found = tuple(letter.id for letter in letters if not ids or letter.id in ids)
    # The connection is closed by now: its heartbeats would be missed while a person thinks.
    if found:
        click.confirm(f"Delete {len(found)} dead letters for good?", abort=True)
    return found


def _settings(config_file: Path | None) -> Settings:
    settings = configuration.load(config_file)
    if not settings.rabbitmq.server_address:
        raise click.UsageError("dead letters lie on RabbitMQ: set RABBITMQ_SERVER_ADDRESS")
    return settings


@contextmanager
def _letters(settings: Settings) -> Iterator[DeadLetters]:
    # Loaded here, as everything that needs pika or ZeroMQ: most commands do without.
    from app.cli.amqp_client import AmqpClient
    from app.sources.rabbitmq import subscription

    own = subscription(settings.rabbitmq, app_name=settings.app_name, group=settings.replicas.group)
    with AmqpClient(settings.rabbitmq.broker, settings.rabbitmq) as client, client.dead_letters(own) as letters:
        yield letters


def _decoder(settings: Settings) -> Decode:
    from app.sources.rabbitmq import decoder

    return decoder([camera.device_key for camera in settings.cameras])


def _described(letter: DeadLetter, decode: Decode) -> dict[str, Any]:
    content = _content(letter)
    return {
        "id": letter.id,
        "died_at": letter.died_at,
        "camera": _camera(content),
        "why": _why(letter, decode),
        "body": _excerpt(content),
    }


def _why(letter: DeadLetter, decode: Decode) -> str:
    try:
        decode(letter.delivery)
    except Permanent as error:
        return str(error)
    return REASONS.get(letter.reason, letter.reason or "the broker does not say why")


def _understood(letter: DeadLetter, decode: Decode) -> bool:
    try:
        decode(letter.delivery)
    except Permanent:
        return False
    return True


def _content(letter: DeadLetter) -> Any:
    """The map in its body, or the beginning of what is none."""
    try:
        return fields.unpack(letter.delivery.body, letter.delivery.content_type)
    except Permanent:
        return letter.delivery.body[: 4 * EXCERPT]


def _camera(content: Any) -> str:
    output = fields.field(content, "output_triggered") if isinstance(content, dict) else None
    camera = fields.as_text(fields.field(output, "device_key")) if isinstance(output, dict) else None
    return (camera or "no camera")[:EXCERPT]


def _excerpt(content: Any) -> str:
    if isinstance(content, dict):
        text = json.dumps(redaction.fields(content), ensure_ascii=False, default=str)
    else:
        text = redaction.text(content.decode("latin-1"))
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT]}..."
