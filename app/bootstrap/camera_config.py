"""The cameras of config.yml: shown, tried, checked with all the rest, written, and the service started anew."""

from __future__ import annotations

import itertools
import re
import secrets
import tempfile
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from app.bootstrap.adapters import login_apart, make_camera
from app.bootstrap.adjusting import adjustments_by
from app.bootstrap.camera_entry import BY_HAND, ConfigNow, changeable, changed_entry, is_hidden, shown, without_nothing
from app.bootstrap.core import Core
from app.bootstrap.trying import try_camera
from app.bootstrap.uploads import accounts_of, camera_folders_of
from app.cameras import CameraSettings
from app.config.config_file import ConfigChanged, ConfigText, ConfigUnwritable, Trial, changed
from app.config.settings import CAMERA_KINDS, CONFIG_FILES, Settings, load
from app.media.develop import developed
from app.media.picture import BadPicture
from app.media.thumbnail import preview
from app.uploads.mail.recipients import Recipients
from app.web.access.users import key_of
from app.web.camera_config import CameraList, Pushing, Saved, TriedCamera, Unwritable, Wish
from app.web.errors import Conflict, RequestRefused, Unprocessable
from pylib.errors import Failure
from pylib.settings import yaml_edit
from pylib.settings.draft import ConfigError
from pylib.settings.yaml_edit import YamlUneditable
from pylib.settings.yaml_file import YamlError

PATIENCE_S = 5.0
"""Seconds for a vault, while somebody waits."""
TRIED_S = 15.0
"""Seconds for one picture, at the most."""
SIDE = 1280
"""Pixels of a picture that was taken to try a camera."""
HIDDEN = "(as you know it)"
"""Stands for a secret."""
LONGEST_LOCATION = 60
"""Characters; a file may have a longer one."""
LOGINS = ("ftp", "logins")


class ConfigCameras:
    """The cameras of this service's file."""

    def __init__(self, core: Core, environ: Mapping[str, str] | None = None) -> None:
        """`environ`: instead of the process's own."""
        self._core = core
        self._environ = environ
        self._path = core.settings.config_file or _new_file()
        self._lock = threading.Lock()
        self.process = uuid.uuid4().hex
        self.kinds = tuple(kind for kind in CAMERA_KINDS.names if kind not in BY_HAND)

    def cameras(self) -> CameraList:
        path, refusal = str(self._path), Trial.of(self._path).refusal
        try:
            now = self._now()
        except RequestRefused as error:
            version = ""
            return CameraList(path, version, problem=error.detail, refusal=refusal)
        problem = "" if self._core.restart.possible else "this service cannot start itself anew"
        cameras = tuple(shown(now, camera, index) for index, camera in enumerate(now.settings.cameras))
        return CameraList(path, now.file.version, cameras, problem, refusal)

    def save(self, wish: Wish) -> Saved:
        with self._lock:
            now = self._now(wish.version)
            text, settings, camera = self._wanted(now, wish)
            entry, pushing = _to_copy(text, camera, settings), None
            if wish.login:
                text, pushing = _with_login(text, camera, settings)
                settings = self._checked(text)
            self._write(now, text, to_copy=entry)
        return Saved(camera.device_key, ConfigText(self._path, text).version, pushing)

    def remove(self, name: str, *, version: str = "") -> Saved:
        with self._lock:
            now = self._now(version)
            index = changeable(now, name)
            location = now.settings.cameras[index].location
            text = _edit(yaml_edit.removed, now.file.text, ("cameras", index))
            text = _without(text, LOGINS, lambda login: login.get("location") == location)
            for devices in ("outputs", "inputs"):
                text = _without(text, (devices,), lambda device: _key(device) == name)
            self._checked(text)
            self._write(now, text, to_copy="")
        return Saved(name, ConfigText(self._path, text).version)

    def try_out(self, wish: Wish) -> TriedCamera:
        _, settings, camera = self._wanted(self._now(), wish)
        timeout = min(camera.timeout, TRIED_S)
        tried = try_camera(camera.model_copy(update={"timeout": timeout}), settings)
        if tried.picture is None:
            return TriedCamera(tried.ms, problem=str(tried.problem), remedy=tried.remedy)
        adjustments = adjustments_by(settings, lambda: self._core.rules.book)(camera.device_key)
        try:
            kept, picture = developed(tried.data, adjustments, max_pixels=settings.max_pixels)
            shown = preview(kept, side=SIDE, max_pixels=settings.max_pixels)
        except BadPicture as error:
            return TriedCamera(tried.ms, problem=str(error))
        size = f"{picture.width}x{picture.height} {picture.format}"
        return TriedCamera(tried.ms, shown, size, remarks=tried.remarks)

    def forget_refusal(self) -> None:
        trial = Trial.of(self._path)
        if trial.refusal:
            trial.end()

    # -- the file ---------------------------------------------------------------------------------

    def _now(self, version: str = "") -> ConfigNow:
        """Raises `Conflict`: broken, or another one than that of `version`."""
        try:
            file = ConfigText.read(self._path)
            if version and version != file.version:
                raise changed(self._path)
            settings = self._loaded(file.text)
        except ConfigChanged as error:
            raise Conflict(error.code, error.detail) from None
        except ConfigError as error:
            raise Conflict("config_broken", f"mend the configuration first: {'; '.join(error.problems)}") from None
        except YamlError as error:
            raise Conflict("config_broken", f"mend the configuration first: {error.detail}") from None
        raw = (yaml.safe_load(file.text) or {}).get("cameras")
        return ConfigNow(file, settings, raw if isinstance(raw, list) else [])

    def _wanted(self, now: ConfigNow, wish: Wish) -> tuple[str, Settings, CameraSettings]:
        """The file with a camera as it is wished for, checked. Raises `RequestRefused`."""
        if wish.name:
            index: int | None = changeable(now, wish.name)
            old = login_apart(now.raw[index or 0])
            entry = changed_entry(now, wish, index or 0, old)
            text = _edit(yaml_edit.changed, now.file.text, ("cameras", index), entry)
        else:
            index, entry = None, without_nothing(wish.values)
            entry.setdefault("location", "")
            if len(str(entry["location"])) > LONGEST_LOCATION:
                raise Unprocessable("long_name", f"location: at most {LONGEST_LOCATION} characters")
            if any(key_of(_key(entry)) == key_of(known.device_key) for known in now.settings.cameras):
                raise Unprocessable("name_taken", f"location: there is a camera at {entry['location']!r} already")
            text = _edit(yaml_edit.appended, now.file.text, ("cameras",), entry)
        if CAMERA_KINDS.kind(entry) in BY_HAND:
            raise Unprocessable(
                "by_hand", f"a camera of kind {entry['kind']} runs a program: write it into {self._path}"
            )
        at = len(now.raw) if index is None else index
        settings = self._checked(text, at)
        camera = settings.cameras[at]
        return text, settings, camera

    def _checked(self, text: str, at: int | None = None) -> Settings:
        """What this text would configure, together with everything else. Raises `Unprocessable`.

        `at`: of the camera that the words are about, so that they need not say which it is.
        """
        try:
            settings = self._loaded(text)
            camera_folders_of(settings)
            accounts_of(settings)
            for camera in settings.cameras:
                if camera.device_key not in self._core.labels:
                    make_camera(camera, settings).close()
        except ConfigError as error:
            about = re.compile(rf"{re.escape(self._path.name)}: cameras\[{at}\]\.?([\w.\[\]]*)[^:]*: ")
            problems = [about.sub(_field, problem, count=1) for problem in error.problems]
            raise Unprocessable("bad_config", "; ".join(problems)) from None
        except Failure as error:
            raise Unprocessable("bad_config", error.detail) from None
        return settings

    def _loaded(self, text: str) -> Settings:
        """Raises `ConfigError`."""
        with tempfile.TemporaryDirectory(prefix="config-") as folder:  # its owner's alone
            tried = Path(folder) / self._path.name
            tried.write_text(text, "utf-8")
            try:
                return load(tried, self._environ, patience=PATIENCE_S)
            except ConfigError as error:
                name = f"{tried}: "
                raise ConfigError(
                    [problem.replace(name, f"{self._path.name}: ") for problem in error.problems]
                ) from None

    def _write(self, now: ConfigNow, text: str, *, to_copy: str) -> None:
        if not self._core.restart.possible:
            raise Conflict("no_restart", "this service cannot start itself anew: nothing was written")
        try:
            now.file.replace(text)
        except ConfigChanged as error:
            raise Conflict(error.code, error.detail) from None
        except ConfigUnwritable as error:
            raise Unwritable(error.detail, text=to_copy) from None
        self._core.restart.request()


def _field(match: re.Match[str]) -> str:
    return f"{match[1]}: " if match[1] else ""


def _new_file() -> Path:
    """Where a configuration is written if there is none: where it is looked for, and a folder is."""
    named = CONFIG_FILES[-1]
    return named if named.parent.is_dir() else CONFIG_FILES[0]


def _to_copy(text: str, camera: CameraSettings, settings: Settings) -> str:
    """A camera's entry, for a person who writes it by hand: without what this person may not know."""
    index = settings.cameras.index(camera)
    entry = yaml.safe_load(text)["cameras"][index]
    shown = {name: HIDDEN if value and is_hidden(camera, name, value) else value for name, value in entry.items()}
    return yaml_edit.as_text({"cameras": [shown]})


def _with_login(text: str, camera: CameraSettings, settings: Settings) -> tuple[str, Pushing]:
    """With an FTP login of the camera's own, and how to use it."""
    text = _without(text, LOGINS, lambda login: login.get("location") == camera.location)
    folders = camera_folders_of(settings)
    folder = folders.folder_of(camera.device_key)
    taken = {one.username for one in settings.ftp.logins if one.location != camera.location} | {settings.ftp.username}
    numbered = (f"{folder.name}-{number}" for number in itertools.count(2))
    username = next(name for name in itertools.chain([folder.name], numbered) if name not in taken)
    password = secrets.token_urlsafe(12)
    login = {"location": camera.location, "username": username, "password": password}
    text = _edit(yaml_edit.appended, text, LOGINS, login)
    mail = Recipients(folders).address_of(folder) if settings.mail.enabled else ""
    port = settings.mail.port if mail else 0
    return text, Pushing(settings.ftp.port, username, password, f"/{folder}", mail, port)


def _without(text: str, entries: tuple[str, ...], is_it: Any) -> str:
    """Without those entries of a list that are meant."""
    found: Any = yaml.safe_load(text) or {}
    for name in entries:
        found = (found or {}).get(name)
    meant = [index for index, entry in enumerate(found or []) if isinstance(entry, dict) and is_it(entry)]
    for index in reversed(meant):
        text = _edit(yaml_edit.removed, text, (*entries, index))
    return text


def _key(device: Mapping[str, Any]) -> str:
    return f"{device.get('location')} {device.get('type') or 'Camera'}"


def _edit(how: Any, *of: Any) -> str:
    try:
        edited: str = how(*of)
    except YamlUneditable as error:
        raise Conflict(error.code, error.detail) from None
    return edited
