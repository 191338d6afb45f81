"""config.yml as the album writes it: compared first, the old one kept, and put back when no start comes of the new."""

from __future__ import annotations

import hashlib
import json
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pylib.errors import Permanent
from pylib.files import durable
from pylib.settings.yaml_file import MOST_BYTES, YamlError

BACKUP = ".bak"
"""Ends the name of the file before the last change."""
REFUSED = ".refused"
"""Ends the name of a file from which the service did not start; until it starts from another change."""
PRIVATE = 0o600


class ConfigChanged(Permanent):
    """Somebody else changed the file meanwhile."""


class ConfigUnwritable(Permanent):
    """The file cannot be written from here."""


@dataclass(frozen=True, slots=True)
class ConfigText:
    """A configuration file at one moment."""

    path: Path
    text: str
    """Empty where there is no file."""

    @classmethod
    def read(cls, path: Path) -> ConfigText:
        """Raises `YamlError`."""
        try:
            with path.open("rb") as file:
                raw = file.read(MOST_BYTES + 1)
            if len(raw) > MOST_BYTES:
                raise YamlError("too_large", f"{path}: has more than {MOST_BYTES // 1_000_000} MB")
            return cls(path, raw.decode("utf-8-sig"))
        except FileNotFoundError:
            return cls(path, "")
        except OSError as error:
            raise YamlError("unreadable", f"{path}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise YamlError("not_text", f"{path}: is not UTF-8 text") from None

    @property
    def version(self) -> str:
        """Another one for each text."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    def replace(self, text: str) -> None:
        """Write another text in its place, from which the next start has to come about: see `Trial`.

        Raises `ConfigChanged`, `ConfigUnwritable`; then nothing is changed.
        """
        if ConfigText.read(self.path).text != self.text:
            raise changed(self.path)
        try:
            if self.text:
                _write(self.path, self.text, at=_beside(self.path, BACKUP))
            else:
                _beside(self.path, BACKUP).unlink(missing_ok=True)
            Trial(self.path, version=ConfigText(self.path, text).version).write()
            _write(self.path, text, at=self.path.resolve())
        except OSError as error:
            Trial(self.path).forget()
            raise unwritable(self.path, error) from error


def changed(path: Path) -> ConfigChanged:
    """The failure of a change that was made from another text than the file has now."""
    sentence = (
        f"{path} was changed by somebody else since this was loaded, so nothing was written; look, and save again"
    )
    return ConfigChanged("config_changed", sentence)


def unwritable(path: Path, error: OSError) -> ConfigUnwritable:
    """The failure of a change for which there is no room, or no right."""
    return ConfigUnwritable("config_unwritable", f"{path} cannot be written: {error.strerror}")


@dataclass(frozen=True, slots=True)
class Trial:
    """A changed file until the service has started from it. What it knows lies beside the file, for the next start."""

    path: Path
    version: str = ""
    """Of the file that is tried; empty for none."""
    begun: int = 0
    """Starts from it that have begun, and of which none has come about yet."""
    refusal: str = ""
    """Why the file before it was put back; it stays until the next change."""

    @classmethod
    def of(cls, path: Path) -> Trial:
        """What is known of this file."""
        try:
            known: dict[str, Any] = json.loads(_note(path).read_text())
            return cls(path, str(known["version"]), int(known["begun"]), str(known["refusal"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls(path)

    @property
    def running(self) -> bool:
        """Whether this very file is tried: one that somebody changed by hand since then is left alone."""
        if not self.version or self.refusal:
            return False
        with suppress(YamlError):
            return ConfigText.read(self.path).version == self.version
        return False

    def write(self) -> None:
        """Remember it. Raises OSError."""
        known = {"version": self.version, "begun": self.begun, "refusal": self.refusal}
        durable.write_private(_note(self.path), json.dumps(known).encode())

    def end(self) -> None:
        """The service has started from it, or somebody has read why not: nobody needs what was refused any more."""
        self.forget()
        with suppress(OSError):
            _beside(self.path, REFUSED).unlink(missing_ok=True)

    def forget(self) -> None:
        """Nothing is tried."""
        with suppress(OSError):
            _note(self.path).unlink(missing_ok=True)

    def put_back(self, why: str) -> None:
        """Put the file before it in its place; what was tried is kept under another name. Raises OSError."""
        before, refused = _beside(self.path, BACKUP), _beside(self.path, REFUSED)
        _write(self.path, ConfigText.read(self.path).text, at=refused)
        if before.exists():
            _write(self.path, ConfigText.read(before).text, at=self.path.resolve())
        else:
            self.path.unlink()
        Trial(self.path, self.version, refusal=why).write()


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _note(path: Path) -> Path:
    return path.with_name(f".{path.name}.trial")


def _write(like: Path, text: str, *, at: Path) -> None:
    """With the rights that the file has, and its owner's alone where there is none."""
    mode = stat.S_IMODE(like.stat().st_mode) if like.exists() else PRIVATE
    durable.write_private(at, text.encode(), mode=mode)
