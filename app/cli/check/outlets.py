"""What gets events: publishers, the rules for them, archives, the album."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from app import wording
from app.bootstrap.adapters import make_archives, notifying_names
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
        remedy = "set ARCHIVE_DIR, S3_BUCKET or GOOGLE_DRIVE_FOLDER to keep pictures longer than the cache does"
        yield Finding("archive", Verdict.OK, "none configured", remedy)


def album(settings: Settings) -> Iterator[Finding]:
    web = settings.web
    if not web.enabled:
        return
    address = web.public_url or web.own_url
    if web.password.get_secret_value():
        yield Finding("album", Verdict.OK, f"{address}/ with the password")
    elif is_loopback(web.host) and not web.public_url:
        yield Finding("album", Verdict.OK, f"{address}/ for whoever is on this machine")
    else:
        text = f"{address}/ with the password that the service makes and shows once in its log, as login_with"
        remedy = "set WEB_PASSWORD to choose one; delete web/password in the data directory to have another made"
        yield Finding("album", Verdict.OK, text, remedy)
    if web.public_url and not web.trusted_proxies and not is_loopback(urlsplit(web.public_url).hostname or ""):
        text = "all who come through the reverse proxy share one count of wrong passwords"
        yield Finding("album", Verdict.WARNING, text, "set WEB_TRUSTED_PROXIES to the proxy's address")
