"""The doctor command: what an issue needs to be understood, in one file that names nobody."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import click
import yaml

from app.cli.api_client import ApiClient
from app.cli.checking import MARKS
from app.cli.failures import exit_on_failure
from app.cli.loading import loaded
from app.cli.terminal import say
from app.config.disguise import Disguise
from app.config.settings import Settings
from pylib.errors import Failure, Permanent
from pylib.observability import logs, redaction
from pylib.settings.draft import ConfigError

LOG_BYTES = 5_000_000
"""Of the end of a log."""
ASK_S = 10.0


@click.command()
@click.option(
    "--report",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    is_flag=False,
    flag_value="snapshot-report.zip",
    default="snapshot-report.zip",
    show_default=True,
    help="The file to write.",
)
@click.option(
    "--log",
    type=click.Path(allow_dash=True, dir_okay=False),
    help="The service's log, whose end goes in as well; - for standard input.",
)
@click.pass_obj
@exit_on_failure
def doctor(config_file: Path | None, file: Path, log: str | None) -> None:
    """Write a report for an issue: versions, settings, checks, health and figures.

    Names of cameras and people, addresses, paths and secrets are replaced by the names of their settings. Look through
    the file before you send it.

    \b
    Example:
      snapshot-processor doctor
      snapshot-processor doctor --report report.zip --log service.log
    """
    if file.exists():
        raise Permanent("file_exists", f"{file} is there already: name another file with --report")
    pages = dict(_pages(config_file, log))
    try:
        with zipfile.ZipFile(file, "x", zipfile.ZIP_DEFLATED) as bundle:
            for name, text in pages.items():
                bundle.writestr(name, text)
    except OSError as error:
        raise Permanent("not_written", f"{file}: {error.strerror}") from None
    say(f"Wrote {file} ({', '.join(pages)}): look through it, then attach it to the issue")


def _pages(config_file: Path | None, log: str | None) -> Iterator[tuple[str, str]]:
    """Name and text of each page; what cannot be had says why."""
    yield "versions.txt", "".join(f"{name}: {what}\n" for name, what in _versions())
    try:
        settings = loaded(config_file)
    except ConfigError as error:
        yield "settings.txt", "".join(f"{_unquoted(problem)}\n" for problem in error.problems)
        return
    disguise = Disguise(settings)
    yield "settings.yml", yaml.safe_dump(disguise.settings, sort_keys=False, allow_unicode=True)
    yield "check.txt", "".join(f"{line}\n" for line in _checked(settings, disguise))
    yield "disk.txt", "".join(f"{name}: {what}\n" for name, what in _disk(settings.data_dir))
    service = ApiClient(settings.web, settings.data_dir)
    for name in ("health/ready", "api/jobs", "api/archives"):
        yield f"{name.rpartition('/')[2]}.json", _asked(service, f"/{name}", disguise)
    yield "metrics.txt", _metrics(service, disguise)
    if log is not None:
        with click.open_file(log, "rb") as stream:
            lines = stream.read().decode(errors="replace")[-LOG_BYTES:].splitlines()
        yield "log.txt", "".join(f"{disguise.text(line)}\n" for line in lines)


def _versions() -> Iterator[tuple[str, object]]:
    yield "snapshot-processor", metadata.version("snapshot-processor")
    yield "python", sys.version.split()[0]
    yield "system", f"{platform.system()} {platform.release()} {platform.machine()}"
    yield "in a container", "yes" if Path("/.dockerenv").exists() else "no"
    yield "processors", os.cpu_count()
    yield "memory", f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.1f} GB"
    for package in sorted(metadata.distributions(), key=lambda one: one.name.lower()):
        yield package.name, package.version


def _unquoted(problem: str) -> str:
    """What is wrong with which setting, without what it says: nothing tells yet what may be private."""
    return re.sub(r"""(['"`]).*?\1""", "'...'", redaction.text(problem))


def _checked(settings: Settings, disguise: Disguise) -> Iterator[str]:
    from app.cli.check import check

    logs.configure(level="critical", format="console")
    for finding in check(settings):
        yield disguise.text(f"{MARKS[finding.verdict].text:<7} {finding.subject}: {finding.text}")


def _disk(data_dir: Path) -> Iterator[tuple[str, str]]:
    """What lies in the data folder, by the names that the service gives, in bytes."""
    try:
        usage = shutil.disk_usage(data_dir)
        yield "free", f"{usage.free:,} of {usage.total:,}"
        for entry in sorted(data_dir.iterdir()):
            files = [one for one in ([entry] if entry.is_file() else entry.rglob("*")) if one.is_file()]
            yield entry.name, f"{sum(one.stat().st_size for one in files):,} in {len(files):,} files"
    except OSError as error:
        yield "not readable", str(error.strerror)


def _asked(service: ApiClient, path: str, disguise: Disguise) -> str:
    try:
        return json.dumps(disguise.value(service.get(path, timeout=ASK_S)[1]), indent=2)
    except Failure as failure:
        return disguise.text(str(failure))


def _metrics(service: ApiClient, disguise: Disguise) -> str:
    try:
        text = service.read("/metrics", timeout=ASK_S).decode()
    except Failure as failure:
        return disguise.text(str(failure))
    return "".join(f"{disguise.text(line)}\n" for line in text.splitlines() if not line.startswith("#"))
