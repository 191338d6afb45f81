"""The model commands: models with which the detector `onnx` looks at pictures on this machine."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click

from app.cli.failures import exit_on_failure
from app.cli.terminal import json_option, people, say, show_json, size_text, table
from app.config import settings as configuration
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.detectors import DetectorContext
from app.detectors.onnx import Onnx, OnnxSettings, folder
from app.detectors.onnx.catalogue import CATALOGUE
from pylib.errors import Permanent
from pylib.net.download import download, take

MAX_BYTES = 2_000_000_000
"""Of a model that the catalogue does not know."""
Check = Callable[[Path], object]
"""Raises where a file is no model that can be used."""


@click.group()
def model() -> None:
    """Models that look at pictures on this machine, without an account: `model add yolox-nano` is a good beginning."""


@model.command("add")
@click.argument("what")
@click.option("--sha256", default="", metavar="HEX", help="Of the file; an address needs it.")
@click.option(
    "--file",
    "source",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The catalogue's file, loaded elsewhere: for a machine without a network.",
)
@click.option(
    "--folder",
    "into",
    type=click.Path(path_type=Path, file_okay=False),
    help="Unless given, models in the data folder.",
)
@click.option("--timeout", default=30.0, show_default=True, help="Seconds without an answer after which it gives up.")
@click.pass_obj
@exit_on_failure
def model_add(
    config_file: Path | None, what: str, *, sha256: str, source: Path | None, into: Path | None, timeout: float
) -> None:
    """Add a model: by its name in the catalogue (`model list`), from an https address, or from a file.

    What was loaded in part goes on where it was. Nothing is used before its digest is right.

    \b
    Example:
      snapshot-processor model add yolox-nano
    """
    settings = configuration.load(config_file)
    into = into or DataDir(settings.data_dir).models[0]
    # The catalogue's need no settings; another one may need labels or a size, which the configuration has.
    own = OnnxSettings() if what in CATALOGUE else _settings(settings)
    check = partial(_usable, own)
    try:
        if what in CATALOGUE:
            path = _add_known(what, into, source, timeout, check)
        elif "://" in what:
            path = _add_from(what, into, sha256, timeout, check)
        else:
            path = _add_file(Path(what), into, sha256, check)
        _give_to_owner(path)
    except OSError as error:
        raise Permanent("not_added", f"{error.filename or into}: {error.strerror}") from None
    say(f"{path}: {check(path).describe()}")


@model.command("list")
@json_option
@click.pass_obj
@exit_on_failure
def model_list(config_file: Path | None, as_json: bool) -> None:
    """List the models that are here, and what the catalogue has beside them.

    \b
    Example:
      snapshot-processor model list
    """
    settings = configuration.load(config_file)
    folders = DataDir(settings.data_dir).models
    own = settings.detector
    used = folder.find(own.model, folders) if isinstance(own, OnnxSettings) else None
    found = [*_here(folders, used), *_known(folders)]
    if as_json:
        show_json(found)
        return
    table(
        ("", "model", "size", "licence", "where"),
        [
            ("*" if one["used"] else "", one["name"], size_text(one["bytes"]), one["licence"], _where(one))
            for one in found
        ],
    )
    if used is None:
        say(f"no model is in use: the detector is {own.kind}", err=True)


@model.command("remove")
@click.argument("name")
@click.pass_obj
@exit_on_failure
def model_remove(config_file: Path | None, name: str) -> None:
    """Remove a model from the data folder.

    \b
    Example:
      snapshot-processor model remove yolox_nano.onnx
    """
    folders = DataDir(configuration.load(config_file).data_dir).models
    path = folder.find(name, folders[:1])
    if path is None or path.parent != folders[0]:
        raise Permanent("no_model", f"there is no model {name} in {folders[0]}")
    path.unlink()
    say(f"removed {path}")


@model.command("test")
@click.argument("picture", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--model", "name", default="", help="The one to test; the one in use unless given.")
@json_option
@click.pass_obj
@exit_on_failure
def model_test(config_file: Path | None, picture: Path, name: str, as_json: bool) -> None:
    """Say what a model sees in PICTURE, how long it takes, and what runs it.

    \b
    Example:
      snapshot-processor model test ./gate.jpg
    """
    settings = configuration.load(config_file)
    own = _settings(settings)
    if name:
        own = own.model_copy(update={"model": name})
    detector = Onnx(own, DetectorContext(models=DataDir(settings.data_dir).models))
    data = picture.read_bytes()
    detector.detect(data)  # the first time, memory has to be had
    began = time.perf_counter()
    seen = detector.detect(data)
    took = (time.perf_counter() - began) * 1000
    labels = [{"name": one.name, "confidence": one.confidence, "boxes": len(one.boxes)} for one in seen.labels]
    if as_json:
        show_json(
            {"model": detector.describe(), "labels": labels, "person_count": seen.person_count, "ms": round(took, 1)}
        )
        return
    say(detector.describe())
    table(("label", "confidence", "boxes"), [(one["name"], f"{one['confidence']:.2f}", one["boxes"]) for one in labels])
    say(f"{people(seen.person_count)}, in {took:.0f} ms")


def _here(folders: Sequence[Path], used: Path | None) -> Iterator[dict[str, Any]]:
    for path in folder.models_in(folders):
        known = folder.known_as(path.name)
        yield {
            "name": known.name if known else path.name,
            "path": str(path),
            "bytes": path.stat().st_size,
            "licence": known.licence if known else "",
            "about": known.about if known else "",
            "used": path == used,
        }


def _known(folders: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """What the catalogue has and this machine has not."""
    here = {path.name for path in folder.models_in(folders)}
    for known in CATALOGUE.values():
        if known.file not in here:
            yield {
                "name": known.name,
                "path": "",
                "bytes": known.size,
                "licence": known.licence,
                "about": known.about,
                "used": False,
            }


def _where(one: Mapping[str, Any]) -> str:
    return one["path"] or f"not here, model add {one['name']} loads it: {one['about']}"


def _settings(settings: Settings) -> OnnxSettings:
    """The detector's as they are configured, where it is one that uses models."""
    return settings.detector if isinstance(settings.detector, OnnxSettings) else OnnxSettings()


def _usable(own: OnnxSettings, model: Path) -> Onnx:
    """A detector with this model. Raises `app.detectors.DetectorError` for a file that is none."""
    detector = Onnx(own.model_copy(update={"model": str(model.resolve())}), DetectorContext(models=(model.parent,)))
    detector.model()
    return detector


def _add_known(name: str, into: Path, source: Path | None, timeout: float, check: Check) -> Path:
    known = CATALOGUE[name]
    path = into / known.file
    if path.is_file() and folder.digest(path) == known.sha256:
        return path
    say(f"{known.name}, {known.size / 1e6:.1f} MB, licence {known.licence}, from {known.url}", err=True)
    if source is not None:
        return _copied(source, path, known.sha256, check)
    _load(known.url, path, sha256=known.sha256, max_bytes=known.size, timeout=timeout, check=check)
    return path


def _add_from(url: str, into: Path, sha256: str, timeout: float, check: Check) -> Path:
    if not sha256:
        raise click.UsageError("an address needs --sha256, so that it is the file that you mean")
    path = into / _file_name(unquote(urlsplit(url).path).rpartition("/")[2])
    _load(url, path, sha256=sha256, max_bytes=MAX_BYTES, timeout=timeout, check=check)
    return path


def _add_file(source: Path, into: Path, sha256: str, check: Check) -> Path:
    if not source.is_file():
        names = ", ".join(CATALOGUE)
        raise Permanent("no_model", f"{source} is no file, no https address, and none of the catalogue's: {names}")
    return _copied(source, into / _file_name(source.name), sha256 or folder.digest(source), check)


def _file_name(name: str) -> str:
    if not name.endswith(folder.SUFFIX) or name.startswith("."):
        raise Permanent("not_onnx", f"a model's file ends with {folder.SUFFIX}, not {name!r}")
    known = folder.known_as(name)
    if known:
        raise Permanent("wrong_file", f"{name} is the catalogue's name for {known.name}: give yours another one")
    return name


def _copied(source: Path, path: Path, sha256: str, check: Check) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    shutil.copyfile(source, part)
    take(part, path, sha256=sha256, source=source.name, check=check)
    return path


def _load(url: str, path: Path, *, sha256: str, max_bytes: int, timeout: float, check: Check) -> None:
    import requests

    with requests.Session() as session, _Progress() as progress:
        download(
            url,
            path,
            sha256=sha256,
            session=session,
            max_bytes=max_bytes,
            timeout=timeout,
            progress=progress.show,
            check=check,
        )


class _Progress:
    """click's bar, which needs to know its length when it is made."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._have = 0

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.render_finish()

    def show(self, have: int, whole: int) -> None:
        """So many bytes are here, of so many."""
        if self._bar is None:
            self._bar = click.progressbar(length=whole, file=sys.stderr)
        self._bar.update(have - self._have)
        self._have = have


def _give_to_owner(path: Path) -> None:
    """What root has added belongs to whoever the data belong to: under that number the service runs."""
    if os.getuid() == 0:
        owner = path.parent.parent.stat()
        for made in (path.parent, path):
            os.chown(made, owner.st_uid, owner.st_gid)
