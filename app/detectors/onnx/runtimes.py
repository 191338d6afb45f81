"""What runs a model: onnxruntime, or OpenCV's own engine."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from app.detectors.onnx.boxes import Array

MISSING_ONNXRUNTIME = "onnxruntime is not installed: pip install 'snapshot-processor[onnx]'"


class Missing(ValueError):
    """A runtime lacks something that the model needs."""


class RunFailed(RuntimeError):
    """The model could not be run this time."""


class Runtime(Protocol):
    """A loaded model. Thread-safe."""

    title: str
    """Its name and version."""

    def run(self, feeds: Mapping[str, Array]) -> Sequence[Array]:
        """The outputs for these inputs. Raises `RunFailed`."""
        ...


class OnnxRuntime:
    """Microsoft's: the quicker one."""

    def __init__(self, path: Path, outputs: Sequence[str], threads: int) -> None:
        """Raises `Missing`, or ImportError without the package."""
        import onnxruntime

        self.title = f"onnxruntime {onnxruntime.__version__}"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it never gives back what the largest run took
        options.enable_mem_pattern = False  # memory in one large block for each run grows the process for ever
        options.log_severity_level = 4  # what is wrong is in the exceptions
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 - its own have no class in common
            raise _lacking(self.title, error) from None
        self._outputs = list(outputs)

    def run(self, feeds: Mapping[str, Array]) -> Sequence[Array]:
        """The outputs for these inputs."""
        try:
            found: Sequence[Array] = self._session.run(self._outputs, dict(feeds))
        except Exception as error:  # noqa: BLE001
            raise RunFailed(f"{self.title} failed to run the model: {type(error).__name__}") from None
        return found


class OpenCv:
    """What OpenCV brings: no further package; it knows fewer operators."""

    def __init__(self, path: Path, outputs: Sequence[str], threads: int) -> None:
        """Raises `Missing`."""
        import cv2

        self.title = f"OpenCV {cv2.__version__}"
        cv2.setNumThreads(threads)
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # what is wrong is in the exceptions
        self._cv2 = cv2
        try:
            self._net: Any = cv2.dnn.readNetFromONNX(str(path))
        except cv2.error as error:
            raise _lacking(self.title, error) from None
        self._outputs = list(outputs)
        self._lock = threading.Lock()  # a net keeps its input

    def run(self, feeds: Mapping[str, Array]) -> Sequence[Array]:
        """The outputs for these inputs."""
        try:
            with self._lock:
                for name, tensor in feeds.items():
                    self._net.setInput(tensor, name)
                found: Sequence[Array] = self._net.forward(self._outputs)
        except self._cv2.error:
            raise RunFailed(f"{self.title} failed to run the model") from None
        return found


def open_runtime(choice: str, path: Path, outputs: Sequence[str], threads: int) -> Runtime:
    """The runtime that is asked for; `auto` is onnxruntime where it is installed, else OpenCV.

    Raises `Missing`, or ImportError where onnxruntime is asked for and not there.
    """
    if choice != "opencv":
        try:
            return OnnxRuntime(path, outputs, threads)
        except ImportError:
            if choice == "onnxruntime":
                raise ImportError(MISSING_ONNXRUNTIME) from None
    return OpenCv(path, outputs, threads)


_OPERATORS = (
    re.compile(r"([\w.:]+)\(-?\d+\) is not a registered|No Op registered for (\w+)"),
    re.compile(r"find an implementation for (\w+)"),
    re.compile(r"Can't create layer \"[^\"]*\" of type \"([\w.]+)\""),  # OpenCV's words
)


def _lacking(title: str, error: Exception) -> Missing:
    """What a runtime's own error, of several lines and with paths in it, comes to."""
    found = next((found for pattern in _OPERATORS if (found := pattern.search(str(error)))), None)
    operator = next(filter(None, found.groups())) if found else ""
    return Missing(f"{title} has no operator {operator}" if operator else f"{title} cannot load the model")
