"""Runs a model in ONNX on this machine: finds persons, and what else the model knows."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from app.detectors import DetectorContext, DetectorRejected, DetectorSettings, DetectorUnavailable
from app.detectors.labels import common_name, detection_of
from app.detectors.onnx import folder
from app.detectors.pixels import CODES as PICTURE_CODES
from app.detectors.pixels import pixels as decoded
from app.messages import PERSON, Box, Detection, Label

if TYPE_CHECKING:
    from app.detectors.onnx.boxes import Finds
    from app.detectors.onnx.model import Model

_MOST_THREADS = 4
"""More hardly make one picture quicker."""
_ADD = "snapshot-processor model add yolox-nano"

CODES = {
    **PICTURE_CODES,
    "no_model": ("There is no model to look with.", f"add one: `{_ADD}`"),
    "not_onnx": ("The model's file is no ONNX model.", "add it again: `snapshot-processor model add`"),
    "wrong_file": (
        "The model's file is not the one that the catalogue names.",
        "`snapshot-processor model remove` it and add it again; give your own export another name",
    ),
    "unknown_shapes": (
        "The model has inputs or outputs of a kind that is not known.",
        "export it for detection as docs/detectors.md says, or set `detector.family`",
    ),
    "other_classes": (
        "The model has other classes than its names say.",
        "set `detector.labels` to a file with one name a line, in the model's order",
    ),
    "missing_operators": (
        "The model needs operators that are missing here.",
        "install onnxruntime: `pip install 'snapshot-processor[onnx]'`; with it, export the model for an older opset",
    ),
    "no_onnxruntime": (
        "The package onnxruntime is not installed.",
        "`pip install 'snapshot-processor[onnx]'`, or set `detector.runtime` to opencv",
    ),
    "model_failed": ("The model could not be run.", "look at the memory that is free; try a smaller model"),
}
"""Code -> what happened, and what to do about it."""


class OnnxSettings(DetectorSettings):
    """A model in ONNX, run on this machine."""

    kind: Literal["onnx"] = "onnx"
    model: str = Field(
        default="",
        description="The model: a name in `<data_dir>/models`, where `snapshot-processor model add` puts them, or a"
        " path of an .onnx file. The largest one there unless set.",
    )
    runtime: Literal["auto", "onnxruntime", "opencv"] = Field(
        default="auto", description="What runs it: `auto` is onnxruntime where it is installed, else OpenCV."
    )
    threads: int = Field(
        default=0, ge=0, le=64, description=f"Processors for one picture; 0 for all, up to {_MOST_THREADS}."
    )
    input_size: int = Field(
        default=0,
        ge=0,
        le=2048,
        multiple_of=32,
        description="Pixels to which pictures are scaled on both sides, where the model leaves that open; 0 for what"
        " its metadata say, else 640.",
    )
    family: Literal["auto", "yolox", "yolov5", "yolov8", "yolo26", "rtdetr", "dfine", "rfdetr"] = Field(
        default="auto", description="What the model's outputs mean, where their shapes and names do not tell."
    )
    labels: Path | None = Field(
        default=None,
        description="File with the names of the model's classes, one a line; its metadata, else COCO's, unless set.",
    )
    tiles: int = Field(
        default=1,
        ge=1,
        le=4,
        description="Look at so many by so many parts of a picture besides the whole, to find small persons: 2 takes"
        " five times as long, 3 ten times.",
    )
    overlap: float = Field(
        default=0.45,
        gt=0,
        lt=1,
        description="Two boxes of one class that share more than this of the area of both are one thing.",
    )


class Onnx:
    """One model."""

    name = "onnx"
    title = "an ONNX model (on this machine)"
    environment = ("DETECTOR_MODEL",)
    cost_usd = 0.0
    Settings = OnnxSettings

    @staticmethod
    def is_ready(models: Sequence[Path]) -> bool:
        """Whether there is a model in one of these folders."""
        return bool(folder.models_in(models))

    def __init__(self, settings: OnnxSettings, context: DetectorContext = DetectorContext()) -> None:  # noqa: B008 - frozen
        """Load the model, so that the first picture need not wait; what is wrong with it is said when it is to look."""
        processors = os.cpu_count() or 1
        self._threads = settings.threads or min(processors, _MOST_THREADS)
        self.concurrency = max(1, processors // self._threads)
        self._settings = settings
        self._folders = context.models
        self._lock = threading.Lock()
        self._model: Model | None = None
        self._failure: tuple[object, DetectorRejected | DetectorUnavailable] | None = None
        with suppress(DetectorRejected, DetectorUnavailable):
            self.model()

    def detect(self, picture: bytes) -> Detection:
        """What the model finds in this picture; boxes are relative to it as seen upright.

        Raises `DetectorRejected` where there is no usable model or the picture cannot be decoded.
        """
        model = self.model()
        from app.detectors.onnx.tiles import look

        pixels = decoded(picture, long_side=max(model.size) * self._settings.tiles)
        try:
            finds = look(model, pixels, settings=self._settings)
        except RuntimeError as error:
            raise DetectorUnavailable("model_failed", str(error)) from None
        height, width = pixels.shape[:2]
        return _detection(finds, model.names, width, height)

    def describe(self) -> str:
        """The model, its family and what runs it. Raises as `detect` does."""
        model = self.model()
        width, height = model.size
        persons = "" if any(common_name(name) == PERSON for name in model.names) else ", and knows no persons"
        return (
            f"{self._file().name} ({model.family.title}, {width} x {height}, {len(model.names)} classes{persons}) by"
            f" {model.runtime.title}"
        )

    def close(self) -> None:
        """Let the model go."""
        self._model = None

    def model(self) -> Model:
        """The model. One that could not be loaded is tried again when its file has changed.

        Raises `DetectorRejected`.
        """
        with self._lock:
            if self._model is None:
                try:
                    path = self._file()
                    status = path.stat()
                except OSError as error:
                    reason = f"{error.filename or self._settings.model} cannot be read: {error.strerror}"
                    raise DetectorRejected("no_model", reason) from None
                stamp = (path, status.st_mtime_ns, status.st_size)
                if self._failure and self._failure[0] == stamp:
                    raise self._failure[1]
                try:
                    self._model = self._load(path)
                except (DetectorRejected, DetectorUnavailable) as failure:
                    self._failure = (stamp, failure)
                    raise
            return self._model

    def _file(self) -> Path:
        wanted = self._settings.model
        found = folder.find(wanted, self._folders)
        if found is None:
            missing = f"there is no model {wanted}" if wanted else "there is no model"
            raise DetectorRejected("no_model", f"{missing}: {_ADD}")
        return found

    def _load(self, path: Path) -> Model:
        from app.detectors.onnx.header import NotOnnx
        from app.detectors.onnx.model import Model, UnknownShapes
        from app.detectors.onnx.names import OtherClasses
        from app.detectors.onnx.runtimes import Missing

        own = self._settings
        try:
            folder.verify(path, self._folders)
            return Model(
                path,
                runtime=own.runtime,
                threads=self._threads,
                input_side=own.input_size,
                family=own.family,
                labels=own.labels,
            )
        except folder.WrongFile as error:
            raise DetectorRejected("wrong_file", str(error)) from None
        except NotOnnx as error:
            raise DetectorRejected("not_onnx", str(error)) from None
        except UnknownShapes as error:
            raise DetectorRejected("unknown_shapes", f"{path.name}: {error}") from None
        except OtherClasses as error:
            raise DetectorRejected("other_classes", f"{path.name}: {error}: set detector.labels") from None
        except Missing as error:
            raise DetectorRejected("missing_operators", f"{path.name}: {error}") from None
        except ImportError as error:
            raise DetectorRejected("no_onnxruntime", str(error)) from None
        except RuntimeError as error:
            raise DetectorUnavailable("model_failed", f"{path.name}: {error}") from None
        except OSError as error:
            raise DetectorRejected("no_model", f"{error.filename} cannot be read: {error.strerror}") from None


def _detection(finds: Finds, names: Sequence[str], width: int, height: int) -> Detection:
    """One label for each class, the surest first, with a box for each of its things."""
    by_name: defaultdict[str, list[tuple[float, Box]]] = defaultdict(list)
    for corners, score, number in zip(finds.boxes.tolist(), finds.scores.tolist(), finds.classes.tolist(), strict=True):
        box = _relative(corners, width, height)
        if box.width > 0 and box.height > 0:
            name = names[number] if 0 <= number < len(names) else ""
            by_name[common_name(name) or f"Class {number}"].append((score, box))
    labels = []
    for name, things in by_name.items():
        things.sort(key=lambda thing: -thing[0])
        labels.append(Label(name, round(min(1.0, things[0][0]), 4), tuple(box for _, box in things)))
    labels.sort(key=lambda label: -label.confidence)
    return detection_of(labels)


def _relative(corners: Sequence[float], width: int, height: int) -> Box:
    """Cut to the picture: a model's boxes reach beyond its edges where things do."""
    left, right = (_share(corners[at], width) for at in (0, 2))
    top, bottom = (_share(corners[at], height) for at in (1, 3))
    return Box(left, top, round(right - left, 4), round(bottom - top, 4))


def _share(pixel: float, side: int) -> float:
    return round(min(1.0, max(0.0, pixel / side)), 4)
