"""The folders that models lie in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.detectors.onnx.catalogue import CATALOGUE, Known

SUFFIX = ".onnx"


class WrongFile(ValueError):
    """A file has the name of a known model, and another content."""


def models_in(folders: Iterable[Path]) -> list[Path]:
    """All models, the best first: the largest, which of one kind sees the most. A name counts once, in the first folder
    that has it."""
    found: dict[str, tuple[int, Path]] = {}
    for path in _files(folders):
        found.setdefault(path.name, (path.stat().st_size, path))
    return [path for _, path in sorted(found.values(), key=lambda row: -row[0])]


def find(model: str, folders: Iterable[Path]) -> Path | None:
    """The file of a model: a path, or the name of one in the folders, with or without its suffix, or as the catalogue
    has it. Without a name it is the best one. None where there is none."""
    known = models_in(folders)
    if not model:
        return next(iter(known), None)
    path = Path(model).expanduser()
    if path.name != model:
        return path if path.is_file() else None
    names = {model, model + SUFFIX, CATALOGUE[model].file if model in CATALOGUE else model}
    return next((path for path in known if path.name in names), path if path.is_file() else None)


def known_as(file: str) -> Known | None:
    """The catalogue's model whose file has this name."""
    return next((known for known in CATALOGUE.values() if known.file == file), None)


def verify(path: Path, folders: Iterable[Path]) -> None:
    """Raises `WrongFile` where a file of the models' folders has the name of one in the catalogue and is another.

    Somebody's own export of the same network may lie anywhere else, or have any other name.
    """
    known = known_as(path.name)
    if known is not None and path.parent in folders and digest(path) != known.sha256:
        raise WrongFile(
            f"{path.name} is not the file that the catalogue calls {known.name}: remove it and add it again, or give"
            " your own export another name"
        )


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        if folder.is_dir():
            yield from (path for path in sorted(folder.glob(f"*{SUFFIX}")) if path.is_file())
