"""What gets events: publishers, the rules for them, archives, the album."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from app import wording
from app.bootstrap.adapters import make_archives, notifying_names
from app.bootstrap.adjusting import adjustments_by
from app.bootstrap.next_steps import album_address, album_login
from app.cli.check.finding import Finding, Verdict
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.journal.album import recorded_labels
from app.publishers import KINDS, CheckedPublisher, PublisherContext
from app.rules.file import read_rules
from app.web.access import is_loopback
from pylib.errors import Failure
from pylib.settings.draft import ConfigError
from pylib.settings.error_texts import did_you_mean
from pylib.timezones import local_zone


def publishers(settings: Settings) -> Iterator[Finding]:
    """Whether what is configured can be used; nothing is sent."""
    for entry in settings.publishers:
        subject, kind = f"publisher {entry.title}", KINDS.load(entry.kind)
        context = PublisherContext(entry.title, data_dir=settings.data_dir, zone=local_zone(settings.time_zone))
        try:
            publisher = kind(entry, context)
            found = publisher.check() if isinstance(publisher, CheckedPublisher) else kind.title
        except Failure as error:
            remedy = wording.explain(error.code, of="publisher", kind=entry.kind)[1]
            yield Finding(subject, Verdict.WRONG, str(error), remedy)
            continue
        remedy = f"snapshot-processor notify test {entry.title} sends a message" if kind.notifies else ""
        yield Finding(subject, Verdict.OK, found, remedy)


def rules(settings: Settings) -> Iterator[Finding]:
    data = DataDir(settings.data_dir)
    try:
        cameras = [camera.device_key for camera in settings.cameras]
        book = read_rules(data.rules, cameras=cameras, outlets=notifying_names(settings))
    except ConfigError as error:
        for problem in error.problems:
            yield Finding("rules", Verdict.WRONG, problem, "correct the file; the service then reads it by itself")
        return
    text = f"{len(book.rules)} rules, {len(book.zones)} zones"
    yield Finding("rules", Verdict.OK, text if data.rules.exists() else "none: everything is told")
    seen = recorded_labels(data.journal) if data.journal.exists() else []
    hides = adjustments_by(settings, lambda: book)
    for camera in cameras:
        if hides(camera).hides:
            text = f"{len(hides(camera).masks)} masks of {camera}{', and a crop' if hides(camera).crop else ''}"
            yield Finding(
                "privacy", Verdict.OK, f"{text}: videos that it sends, and files that are refused, are deleted"
            )
    for rule in book.rules:
        for name in rule.labels if seen else ():
            if name.casefold() not in map(str.casefold, seen):
                text = f"{rule.name}: no picture ever showed a {name!r}{did_you_mean(name, seen)}"
                yield Finding("rules", Verdict.WARNING, text, "nothing, if one is still to come")


def archives(settings: Settings) -> Iterator[Finding]:
    try:
        found = make_archives(settings, used=lambda _name: True)  # nothing is marked as ours by a mere look
    except Failure as error:
        yield Finding("archive", Verdict.WRONG, str(error))
        return
    for archive in found:
        subject = f"archive {archive.name}"
        try:
            yield Finding(subject, Verdict.OK, archive.describe() or "there")
        except Failure as error:
            yield Finding(subject, Verdict.WRONG, str(error))
        finally:
            archive.close()
    if not found:
        yield Finding("archive", Verdict.OK, "none configured: pictures stay as long as the cache keeps them")


def shared_index(settings: Settings) -> Iterator[Finding]:
    """Whether the index that replicas share can be used; nothing is made in it."""
    url = settings.index.url.get_secret_value()
    if not url:
        return
    from app.index.database import IndexDatabase

    try:
        database = IndexDatabase(url, device_name=settings.device_name)
        found = database.look()
        database.close()
    except Failure as error:
        yield Finding("shared index", Verdict.WRONG, str(error), wording.explain(error.code, of="index")[1])
        return
    yield Finding("shared index", Verdict.OK, f"{found}; this replica is {settings.device_name}")


def album(settings: Settings) -> Iterator[Finding]:
    web = settings.web
    if not web.enabled:
        return
    login = album_login(settings)
    remedy = "set WEB_PASSWORD to choose one; delete web/password in the data directory to have another made"
    yield Finding("album", Verdict.OK, f"{album_address(settings)} {login}", remedy if "makes" in login else "")
    if web.public_url and not web.trusted_proxies and not is_loopback(urlsplit(web.public_url).hostname or ""):
        text = "all who come through the reverse proxy share one count of wrong passwords"
        yield Finding("album", Verdict.WARNING, text, "set WEB_TRUSTED_PROXIES to the proxy's address")
