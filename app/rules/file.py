"""The file `rules.yml`: read whenever it has changed, and written by the album without touching what people wrote."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import structlog

from app.rules.evaluate import of_camera
from app.rules.model import Rule, RuleBook, Zone
from pylib.errors import Permanent
from pylib.files import durable
from pylib.settings.credentials import Environment
from pylib.settings.draft import ConfigError, SettingsBuilder
from pylib.settings.error_texts import did_you_mean
from pylib.settings.yaml_file import Location, YamlError, read_yaml

log = structlog.get_logger(__name__)


class RulesUnwritable(Permanent):
    """The file cannot be written, or holds what cannot be changed from here."""


def read_rules(path: Path, *, cameras: Collection[str], outlets: Collection[str]) -> RuleBook:
    """What the file says; no rules where there is none. Raises `ConfigError` with everything that is wrong.

    `cameras`: the configured ones' device keys; `outlets`: names of those that tell people.
    """
    try:
        file = read_yaml(path) if path.exists() else None
    except YamlError as error:
        raise ConfigError([error.detail]) from None
    draft = SettingsBuilder(Environment({}), file)
    book = draft.build(RuleBook)
    for location, text in unknown_names(book, cameras=cameras, outlets=outlets):
        draft.problem(location, text)
    return draft.build(RuleBook)


def unknown_names(
    book: RuleBook, *, cameras: Collection[str], outlets: Collection[str]
) -> Iterable[tuple[Location, str]]:
    """Names of cameras, outlets and zones that are not there, or mean two things: where they stand, and why."""
    places = [key.rpartition(" ")[0] for key in cameras]
    taken: dict[tuple[str, str], str] = {}
    for index, zone in enumerate(book.zones):
        key = _known(zone.camera, cameras)
        if not key:
            yield ("zones", index, "camera"), f"{zone.camera!r} is no camera{did_you_mean(zone.camera, places)}"
        elif (other := taken.setdefault((key, zone.name.casefold()), zone.camera)) != zone.camera:
            text = f"{zone.name!r} is a zone of {other!r} already, which is the same camera: give one another name"
            yield ("zones", index, "name"), text
    for index, rule in enumerate(book.rules):
        for number, name in enumerate(rule.cameras):
            if not _known(name, cameras):
                yield ("rules", index, "cameras", number), f"{name!r} is no camera{did_you_mean(name, places)}"
        for number, name in enumerate(rule.outlets):
            if name not in outlets:
                text = f"{name!r} tells nobody{did_you_mean(name, outlets)}"
                yield ("rules", index, "outlets", number), text if outlets else f"{text}: configure one in `publishers`"
        zones = {zone.name.casefold() for zone in book.zones if not zone.mask and _concerns(rule, zone)}
        for number, name in enumerate(rule.zones):
            if name.casefold() not in zones:
                text = f"{name!r} is no zone of its cameras{did_you_mean(name, zones)}"
                yield ("rules", index, "zones", number), text


def _known(name: str, cameras: Collection[str]) -> str:
    """The device key of the camera that this means; empty if there is none."""
    return next((camera for camera in cameras if of_camera(name, camera)), "")


def _concerns(rule: Rule, zone: Zone) -> bool:
    return not rule.cameras or any(_same_camera(name, zone.camera) for name in rule.cameras)


def _same_camera(one: str, other: str) -> bool:
    return of_camera(one, other) or of_camera(other, one)


class RulesFile:
    """The rules of a running service. Thread-safe."""

    def __init__(self, path: Path, *, cameras: Collection[str], outlets: Collection[str]) -> None:
        self.path = path
        self._cameras = cameras
        self._outlets = outlets
        self._lock = threading.RLock()
        self._seen: tuple[int, int] | None = None
        self._book = RuleBook()
        self.problems: tuple[str, ...] = ()
        """What is wrong with the file as it is now; while something is, the rules before it hold."""

    def open(self) -> None:
        """Read it, so that the log says at the start what is wrong with it."""
        self._read(self._stamp())

    @property
    def book(self) -> RuleBook:
        """The rules as the file has them now."""
        seen = self._stamp()
        if seen != self._seen:
            with self._lock:
                self._read(seen)
        return self._book

    def put_rule(self, rule: Rule, *, instead_of: str = "") -> None:
        """Add a rule, or replace the one of that name. Raises `ConfigError`, `RulesUnwritable`."""
        self._put("rules", _plain(rule), lambda entry: entry.get("name") == (instead_of or rule.name))

    def remove_rule(self, name: str) -> None:
        """Raises `RulesUnwritable`, `ConfigError` where something else needs it."""
        self._put("rules", None, lambda entry: entry.get("name") == name)

    def put_zone(self, zone: Zone, *, instead_of: str = "") -> None:
        """Add a zone of a camera, or replace the one of that name. Raises `ConfigError`, `RulesUnwritable`."""
        name = instead_of or zone.name
        self._put("zones", _plain(zone), lambda entry: _is_zone(entry, zone.camera, name))

    def remove_zone(self, camera: str, name: str) -> None:
        """Raises `RulesUnwritable`, `ConfigError` where a rule needs it."""
        self._put("zones", None, lambda entry: _is_zone(entry, camera, name))

    def put_settings(self, **values: Any) -> None:
        """Set `quiet_hours`, `still` or `digest`. Raises `ConfigError`, `RulesUnwritable`."""
        self._change(lambda document: document.update(values))

    def _put(self, name: str, entry: dict[str, Any] | None, is_it: Callable[[dict[str, Any]], bool]) -> None:
        """Replace, add or (None) remove an entry of a list."""

        def change(document: dict[str, Any]) -> None:
            entries = document.get(name) or []
            at = next((at for at, one in enumerate(entries) if is_it(one)), None)
            if entry is None:
                if at is not None:
                    del entries[at]
            elif at is None:
                entries.append(entry)
            else:
                _update(entries[at], entry)
            document[name] = entries

        self._change(change)

    def _change(self, change: Callable[[dict[str, Any]], None]) -> None:
        from ruamel.yaml import YAML  # only where people edit rules in the album
        from ruamel.yaml.error import YAMLError

        yaml = YAML()
        yaml.preserve_quotes = True
        yaml.width = 120
        with self._lock:
            try:
                document = (yaml.load(self.path.read_text()) if self.path.exists() else None) or {}
            except (OSError, UnicodeDecodeError, YAMLError) as error:
                raise RulesUnwritable(
                    "rules_unwritable", f"{self.path} cannot be read: mend it by hand first"
                ) from error
            change(document)
            text = io.StringIO()
            yaml.dump(document, text)
            self._write(text.getvalue())

    def _write(self, text: str) -> None:
        """Write what is right, and nothing else."""
        tried = self.path.with_name(f".{self.path.name}.tried")
        try:
            durable.write(tried, text.encode())
            book = read_rules(tried, cameras=self._cameras, outlets=self._outlets)
            tried.replace(self.path)
            durable.sync_folder(self.path.parent)
        except ConfigError as error:
            tried.unlink(missing_ok=True)
            name = str(tried)
            raise ConfigError([problem.replace(name, self.path.name) for problem in error.problems]) from None
        except OSError as error:
            raise RulesUnwritable("rules_unwritable", f"cannot write {self.path}: {error.strerror}") from error
        self._book, self._seen, self.problems = book, self._stamp(), ()

    def _read(self, seen: tuple[int, int] | None) -> None:
        if seen == self._seen:
            return  # another thread was quicker
        self._seen = seen
        try:
            self._book = read_rules(self.path, cameras=self._cameras, outlets=self._outlets)
        except ConfigError as error:
            self.problems = error.problems
            for problem in error.problems:
                log.error("rules not read, those from before hold", problem=problem)
        else:
            self.problems = ()
            log.info("rules read", rules=len(self._book.rules), zones=len(self._book.zones))

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size


def _plain(section: Rule | Zone) -> dict[str, Any]:
    values = section.model_dump(mode="json", exclude_defaults=True)
    return {key: values[key] for key in type(section).model_fields if key in values}


def _update(entry: dict[str, Any], values: dict[str, Any]) -> None:
    """Make it say this, and leave what says it already as it stands, comments included."""
    for key in [key for key in entry if key not in values]:
        del entry[key]
    for key, value in values.items():
        if entry.get(key) != value:
            entry[key] = value


def _is_zone(entry: dict[str, Any], camera: str, name: str) -> bool:
    return entry.get("name") == name and _same_camera(str(entry.get("camera", "")), camera)
