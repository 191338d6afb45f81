"""The file `rules.yml`: read whenever it has changed, and written by the album without touching what people wrote."""

from __future__ import annotations

import io
import math
import re
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import structlog
import yaml

from app.rules.model import Rule, RuleBook, Zone
from app.rules.names import same_camera, unknown_names, without_unknown
from pylib.errors import Permanent
from pylib.files import durable
from pylib.settings.credentials import Environment
from pylib.settings.draft import ConfigError, SettingsBuilder
from pylib.settings.yaml_file import YamlError, read_yaml

log = structlog.get_logger(__name__)

EDITED_S = 1.0
"""Seconds for which a file has to stay empty, or away, until that counts."""

LOOK_EVERY_S = 0.02
"""Seconds between two looks at the file for its rules, which are asked for five times an event."""

_RESOLVER = yaml.SafeLoader("")

_Stamp = tuple[int, int]
"""When a file was changed (ns), and its size in bytes."""
_NEVER: _Stamp = (-1, -1)
"""Of a file at which nobody looked yet."""


_PRIVATE = re.compile(rb"\bprivate\b[\"']?\s*:")


class RulesUnwritable(Permanent):
    """The file cannot be written, or holds what cannot be changed from here."""


class MasksUnknown(Permanent):
    """The file cannot be used, has privacy masks, and was never used before."""


def read_rules(path: Path, *, cameras: Collection[str], outlets: Collection[str]) -> RuleBook:
    """What the file says; no rules where there is none. Raises `ConfigError` with everything that is wrong.

    `cameras`: the configured ones' device keys; `outlets`: names of those that tell people.
    """
    book, unknown = _read(path, cameras=cameras, outlets=outlets)
    if unknown:
        raise ConfigError(unknown)
    return book


def _read(path: Path, *, cameras: Collection[str], outlets: Collection[str]) -> tuple[RuleBook, tuple[str, ...]]:
    """What the file says, and the names in it that are not there. Raises `ConfigError` where it cannot be used."""
    try:
        file = read_yaml(path) if path.exists() else None
    except YamlError as error:
        raise ConfigError([error.detail]) from None
    draft = SettingsBuilder(Environment({}), file)
    book = draft.build(RuleBook)
    for location, text in unknown_names(book, cameras=cameras, outlets=outlets):
        draft.problem(location, text)
    return book, tuple(draft.problems)


class RulesFile:
    """The rules of a running service. Thread-safe."""

    def __init__(
        self,
        path: Path,
        *,
        cameras: Collection[str],
        outlets: Collection[str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self._cameras = cameras
        self._outlets = outlets
        self._monotonic = monotonic
        self._good = path.with_name(f".{path.name}.good")
        """The text that was used last: what holds after a start at which the file cannot be used."""
        self._lock = threading.RLock()
        self._seen: _Stamp | None = _NEVER
        self._looked = -math.inf
        """When the rules were asked for and somebody looked (monotonic seconds)."""
        self._emptied: float | None = None
        """When what was filled was first seen empty or gone (monotonic seconds)."""
        self._book = RuleBook()
        self._problems: tuple[str, ...] = ()

    def open(self) -> None:
        """Read it, so that the log says at the start what is wrong with it. Raises `MasksUnknown`."""
        self._look()

    @property
    def book(self) -> RuleBook:
        """The rules as the file has them, or had them `LOOK_EVERY_S` ago."""
        now = self._monotonic()
        if now - self._looked >= LOOK_EVERY_S:
            self._looked = now
            self._look()
        return self._book

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the file as it is now.

        Names that are not there count as left out; of a file that cannot be used, the rules before it hold. Of one
        that is gone or empty, its privacy masks hold: they end with a file that says so.
        """
        self._look()
        return self._problems

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
        self._change(lambda document: document.update(_quoted(values)))

    def _put(self, name: str, entry: dict[str, Any] | None, is_it: Callable[[dict[str, Any]], bool]) -> None:
        """Replace, add or (None) remove an entry of a list."""

        def change(document: dict[str, Any]) -> None:
            entries = document.get(name) or []
            if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
                raise self._unwritable(f"has no list of {name}")
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

        writer = YAML()
        writer.preserve_quotes = True
        writer.width = 120
        with self._lock:
            document: dict[str, Any] = {}
            try:
                if _filled(self._stamp()):
                    read_yaml(self.path)  # which refuses what the other parser would never finish
                    document = writer.load(self.path.read_text()) or {}
                elif held := _private(self.book):
                    document["zones"] = [_plain(zone) for zone in held]
            except (OSError, YamlError, YAMLError) as error:
                raise self._unwritable("cannot be read") from error
            change(document)
            text = io.StringIO()
            writer.dump(document, text)
            self._write(text.getvalue())

    def _unwritable(self, problem: str) -> RulesUnwritable:
        return RulesUnwritable("rules_unwritable", f"{self.path} {problem}: mend it by hand first")

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
        self._book, self._seen, self._problems = book, self._stamp(), ()
        self._keep()

    def _look(self) -> None:
        if self._stamp() == self._seen:
            return
        with self._lock:
            stamp = self._stamp()  # another thread may have been quicker
            if stamp != self._seen and not self._just_emptied(stamp):
                self._read(stamp, first=self._seen is _NEVER)
                self._seen = stamp

    def _just_emptied(self, stamp: _Stamp | None) -> bool:
        """Editors empty a file before they fill it, or take it away before they put another in its place."""
        if _filled(stamp) or not _filled(self._seen):
            self._emptied = None
            return False
        now = self._monotonic()
        self._emptied = now if self._emptied is None else self._emptied
        return now - self._emptied < EDITED_S

    def _read(self, stamp: _Stamp | None, *, first: bool) -> None:
        try:
            book, self._problems = _read(self.path, cameras=self._cameras, outlets=self._outlets)
        except ConfigError as error:
            self._problems = error.problems
            if first:
                self._book = self._last_good()
        else:
            before = self._last_good() if first and not _filled(stamp) else self._book
            held = () if _filled(stamp) else _private(before)
            if held:
                self._book = RuleBook(zones=held)
                self._problems = (f"{self.path} is gone or empty: its {len(held)} privacy masks hold until it is back",)
            else:
                self._book = without_unknown(book, cameras=self._cameras, outlets=self._outlets)
                self._keep()
            if stamp or not first:
                log.info("rules read", rules=len(self._book.rules), zones=len(self._book.zones))
        for problem in self._problems:
            log.error("the file with the rules is wrong", problem=problem)

    def _last_good(self) -> RuleBook:
        """What was used last, before this start; nothing where there was nothing. Raises `MasksUnknown`."""
        try:
            there = self._good.exists()
            book, _ = _read(self._good, cameras=self._cameras, outlets=self._outlets)
        except ConfigError:  # a power cut, or rules of another version
            there, book = False, RuleBook()
        if not there and (_may_hide(self.path) or _may_hide(self._good)):
            sentence = f"{self.path} cannot be used, and may have privacy masks: correct it, or take it away, and start"
            raise MasksUnknown("masks_unknown", "; ".join((sentence, *self._problems)))
        if there:
            log.warning("the rules that were read last hold", rules=len(book.rules))
        return without_unknown(book, cameras=self._cameras, outlets=self._outlets)

    def _keep(self) -> None:
        try:
            if self.path.exists():
                durable.write(self._good, self.path.read_bytes())
            else:
                self._good.unlink(missing_ok=True)
        except OSError as error:  # the rules hold without it
            log.warning("rules not kept for the next start", problem=error.strerror)

    def _stamp(self) -> _Stamp | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size


def _filled(stamp: _Stamp | None) -> bool:
    return stamp is not None and stamp[1] > 0


def _private(book: RuleBook) -> tuple[Zone, ...]:
    return tuple(zone for zone in book.zones if zone.private)


def _may_hide(path: Path) -> bool:
    """Whether a file that cannot be used as it is has privacy masks, as far as can be told."""
    try:
        return _PRIVATE.search(path.read_bytes()) is not None
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _plain(section: Rule | Zone) -> dict[str, Any]:
    values = section.model_dump(mode="json", exclude_defaults=True)
    plain: dict[str, Any] = _quoted({key: values[key] for key in type(section).model_fields if key in values})
    return plain


def _quoted(value: Any) -> Any:
    """The same with quotes around each text that YAML 1.1, as which it is read, takes for something else: `on`."""
    from ruamel.yaml.scalarstring import SingleQuotedScalarString

    if isinstance(value, dict):
        return {_quoted(key): _quoted(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_quoted(one) for one in value]
    if isinstance(value, str) and not _is_text(value):
        return SingleQuotedScalarString(value)
    return value


def _is_text(plain: str) -> bool:
    tag: str = _RESOLVER.resolve(yaml.ScalarNode, plain, (True, False))  # type: ignore[no-untyped-call]
    return tag == "tag:yaml.org,2002:str"


def _update(entry: dict[str, Any], values: dict[str, Any]) -> None:
    """Make it say this, and leave what says it already as it stands, comments included."""
    for key in [key for key in entry if key not in values]:
        del entry[key]
    for key, value in values.items():
        if entry.get(key) != value:
            entry[key] = value


def _is_zone(entry: dict[str, Any], camera: str, name: str) -> bool:
    return entry.get("name") == name and same_camera(str(entry.get("camera", "")), camera)
