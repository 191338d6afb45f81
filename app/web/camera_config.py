"""The cameras of config.yml, as far as the web side may see and change them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.cameras import Remark
from app.web.errors import Conflict


class Unwritable(Conflict):
    """The file cannot be written from here; `text` is the entry that a person would have to write, without secrets."""

    def __init__(self, detail: str, *, text: str) -> None:
        super().__init__("config_unwritable", detail)
        self.text = text


@dataclass(frozen=True, slots=True)
class ConfiguredCamera:
    """A camera as the file has it, and the environment."""

    key: str
    """Device key."""
    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    """Its settings in the file, but those that are secret or hold a secret."""
    secrets: frozenset[str] = frozenset()
    """Names of those that the file has, too."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Name of a setting that comes from elsewhere, and goes before the file -> from where."""
    fixed: str = ""
    """Why it cannot be changed here; empty where it can."""
    login: str = ""
    """User name of its own FTP login."""


@dataclass(frozen=True, slots=True)
class CameraList:
    """The cameras of the file at one moment."""

    path: str
    version: str
    """Another one whenever the file has changed."""
    cameras: tuple[ConfiguredCamera, ...] = ()
    problem: str = ""
    """Why none can be changed; empty where they can."""
    refusal: str = ""
    """Why the last change was taken back."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A camera as somebody wants it."""

    values: Mapping[str, Any]
    """All its settings. Secrets that are left out stay as they are; so do those that come from elsewhere."""
    name: str = ""
    """Device key of the camera that is changed; empty for a new one."""
    version: str = ""
    """Of the file that this was made from; empty for whichever there is."""
    login: bool = False
    """Whether it gets a new FTP login of its own."""


@dataclass(frozen=True, slots=True)
class Pushing:
    """How a camera sends its pictures itself. Shown once."""

    port: int
    username: str
    password: str = field(repr=False)
    folder: str
    """For the shared login; with its own, the root is the camera's folder."""
    mail: str = ""
    """Address for its mails; empty where the mail server is off."""
    mail_port: int = 0


@dataclass(frozen=True, slots=True)
class Saved:
    """A change that is in the file."""

    key: str
    version: str
    pushing: Pushing | None = None


@dataclass(frozen=True, slots=True)
class TriedCamera:
    """What became of a picture that was taken to try a camera."""

    ms: float
    picture: bytes = b""
    """A JPEG, as the album would show it; empty where there is none."""
    size: str = ""
    """`1920x1080 JPEG`."""
    problem: str = ""
    remedy: str = ""
    remarks: tuple[Remark, ...] = ()


class CameraConfig(Protocol):
    """Reads and changes the cameras of config.yml. Each call may take seconds; from any thread.

    All raise `app.web.errors.RequestRefused`, with one sentence.
    """

    process: str
    """Another one after each start of the service."""
    kinds: tuple[str, ...]
    """Of cameras that can be added."""

    def cameras(self) -> CameraList:
        """As the file is now."""
        ...

    def save(self, wish: Wish) -> Saved:
        """Check the whole configuration with it, write it, and have the service start anew."""
        ...

    def remove(self, name: str, *, version: str = "") -> Saved:
        """The same without this camera, by its device key."""
        ...

    def try_out(self, wish: Wish) -> TriedCamera:
        """Take a picture as the service would; nothing is written or recorded."""
        ...

    def forget_refusal(self) -> None:
        """Somebody has read why the last change was taken back."""
        ...
