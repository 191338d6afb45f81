"""The commands that list cameras and try them."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.failures import exit_on_failure
from app.cli.loading import looking
from app.cli.terminal import OK, WRONG, advise, json_line, json_option, say, show_json, table
from app.config import settings as configuration
from app.config.data_dir import DataDir
from app.journal.album import recorded_newest
from app.journal.entries import Filter
from app.naming import CameraNames
from pylib.files import durable
from pylib.observability import logs
from pylib.timezones import local_zone

if TYPE_CHECKING:
    from app.bootstrap.trying import Tried
    from app.cameras import CameraSettings

AT_ONCE = 32
NONE = "no camera is configured: snapshot-processor init asks for some, discover finds those that speak ONVIF"
PLACES = ("address", "url", "device", "path", "argv")
"""Settings that say where a camera is, by kind."""


@click.group(invoke_without_command=True)
@click.pass_context
def cameras(context: click.Context) -> None:
    """List the cameras, or try them.

    \b
    Example:
      snapshot-processor cameras
    """
    if context.invoked_subcommand is None:
        context.invoke(cameras_list, as_json=False)


@cameras.command("list")
@json_option
@click.pass_obj
@exit_on_failure
def cameras_list(config_file: Path | None, as_json: bool) -> None:
    """List the cameras: kind, address, and when each last gave a picture; the service may run or not.

    \b
    Example:
      snapshot-processor cameras list --json
    """
    settings = looking(config_file)
    journal, zone = DataDir(settings.data_dir).journal, local_zone(settings.time_zone)
    found = [_listed(camera, journal) for camera in settings.cameras]
    if as_json:
        show_json(found)
        return
    table(
        ("camera", "kind", "address", "last picture", "last problem"),
        [
            (
                one["camera"],
                one["kind"],
                one["address"],
                f"{one['last_picture'].astimezone(zone):%Y-%m-%d %H:%M:%S}" if one["last_picture"] else "never",
                one["problem"],
            )
            for one in found
        ],
    )
    if not found:
        say(NONE, err=True)


@cameras.command("test")
@click.argument("name", default="")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the picture in this file.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each camera.")
@click.pass_obj
@exit_on_failure
def cameras_test(config_file: Path | None, name: str, out: Path | None, as_json: bool) -> None:
    """Take a picture with the camera NAME, or with each, and say how that went; the service may run.

    \b
    Example:
      snapshot-processor cameras test "Front Door" --out door.jpg
    """
    from app.bootstrap.trying import try_camera

    settings = configuration.load(config_file)
    logs.configure(level="critical", format="console")
    chosen = settings.cameras
    if name:
        key = CameraNames([camera.device_key for camera in chosen]).find(name)
        chosen = tuple(camera for camera in chosen if camera.device_key == key)
    if not chosen:
        raise click.UsageError(NONE)
    if out and len(chosen) > 1:
        raise click.UsageError("--out is for one camera: name it")
    failed = False
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for tried in pool.map(lambda camera: try_camera(camera, settings), chosen):
            failed |= tried.picture is None
            if out and tried.picture:
                _save(out, tried.data)
            if as_json:
                click.echo(json_line(_as_json(tried)))
            else:
                show_tried(tried)
    sys.exit(int(failed))


def _save(out: Path, data: bytes) -> None:
    try:
        durable.write(out, data)
    except OSError as error:
        raise click.ClickException(f"cannot write {out}: {error.strerror}") from None


def show_tried(tried: Tried) -> None:
    """Print what became of a picture, and what to do about it."""
    key, picture = tried.camera.device_key, tried.picture
    if picture is None:
        say(f"{key}: {tried.problem}", mark=WRONG)
        advise(tried.remedy)
        return
    size = f"{picture.width}x{picture.height} {picture.format}, {len(tried.data):,} bytes"
    say(f"{key}: {size}, in {tried.ms:.0f} ms", mark=OK)
    for remark in tried.remarks:
        say(f"        {remark.text}")
        advise(remark.remedy)


def _listed(camera: CameraSettings, journal: Path) -> dict[str, Any]:
    last = recorded_newest(journal, Filter(camera=camera.device_key)) if journal.exists() else None
    well = last
    if last is not None and not last.inspection.snapshot.path:
        well = recorded_newest(journal, Filter(camera=camera.device_key, problem=False))
    return {
        "camera": camera.device_key,
        "kind": camera.kind,
        "address": _address(camera),
        "last_picture": well.inspection.snapshot.taken_at if well else None,
        "problem": last.inspection.problem if last else "",
    }


def _address(camera: CameraSettings) -> str:
    """Where it is, without a login: a URL's query may hold one."""
    having = [getattr(camera, name) for name in PLACES if hasattr(camera, name)]
    place = next(filter(None, having), "from triggers" if having else "")
    text = " ".join(map(str, place[:1])) if isinstance(place, list | tuple) else str(place)
    return text.partition("?")[0]


def _as_json(tried: Tried) -> dict[str, Any]:
    picture, problem = tried.picture, tried.problem
    return {
        "camera": tried.camera.device_key,
        "kind": tried.camera.kind,
        "ok": picture is not None,
        "width": picture.width if picture else 0,
        "height": picture.height if picture else 0,
        "format": picture.format if picture else "",
        "bytes": len(tried.data),
        "ms": round(tried.ms, 1),
        "problem": str(problem or ""),
        "remedy": tried.remedy,
        "remarks": [{"text": remark.text, "remedy": remark.remedy} for remark in tried.remarks],
    }
