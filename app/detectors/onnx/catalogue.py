"""Models that `snapshot-processor model add` knows by name."""

from __future__ import annotations

from dataclasses import dataclass

_YOLOX = "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/"


@dataclass(frozen=True, slots=True)
class Known:
    """A model, and how to be sure that a file is it."""

    name: str
    file: str
    size: int
    """Bytes."""
    sha256: str
    licence: str
    about: str
    """For whom it is, in a few words."""
    folder: str = _YOLOX

    @property
    def url(self) -> str:
        """Where it is loaded from."""
        return self.folder + self.file


CATALOGUE = {
    known.name: known
    for known in (
        Known(
            "yolox-nano",
            "yolox_nano.onnx",
            3_659_407,
            "c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d",
            "Apache-2.0",
            "quick on any machine",
        ),
        Known(
            "yolox-tiny",
            "yolox_tiny.onnx",
            20_219_662,
            "427cc366d34e27ff7a03e2899b5e3671425c262ea2291f88bb942bc1cc70b0f7",
            "Apache-2.0",
            "sees more, and takes six times as long",
        ),
        Known(
            "yolox-s",
            "yolox_s.onnx",
            35_858_002,
            "c5c2d13e59ae883e6af3b45daea64af4833a4951c92d116ec270d9ddbe998063",
            "Apache-2.0",
            "sees small and far things too, and takes 25 times as long",
        ),
    )
}
"""By name; each later one sees more."""
