"""The names of a model's classes."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

_COCO = """
    person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign,
    parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella,
    handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard,
    surfboard, tennis racket, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange,
    broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv,
    laptop, mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase,
    scissors, teddy bear, hair drier, toothbrush
    """
COCO = tuple(name.strip() for name in _COCO.split(","))
"""The 80 classes of COCO, which all public models have."""
_UNUSED = {0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
"""Numbers of COCO's 91 that stand for nothing."""


class OtherClasses(ValueError):
    """The names are those of another model."""


def names_of(count: int, metadata: Mapping[str, str], file: Path | None) -> tuple[str, ...]:
    """The names of a model's classes, by their numbers.

    From the file, one a line, else from the model's metadata, else COCO's. `count`: how many the model has; 0 where it
    does not tell. Raises `OtherClasses`, or OSError where the file cannot be read.
    """
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            raise OtherClasses(f"{file.name} is no text in UTF-8: save it as such") from None
        names = tuple(line.strip() for line in lines if line.strip())
        whose = f"{file.name} names"
    elif "names" in metadata:
        names, whose = _listed(metadata["names"]), "its metadata name"
    else:
        names, whose = (_numbered() if count == len(_numbered()) else COCO), "COCO has"
    # RF-DETR has one more, for nothing at all.
    if count not in (0, len(names), len(names) + 1):
        raise OtherClasses(f"the model has {count} classes, {whose} {len(names)}")
    return names


def _listed(text: str) -> tuple[str, ...]:
    """As Ultralytics writes them, `{0: 'person', 1: ...}`, or as a list."""
    try:
        value = ast.literal_eval(text)
        return tuple(
            str(name) for name in ([value[number] for number in sorted(value)] if isinstance(value, dict) else value)
        )
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise OtherClasses("the names in the model's metadata cannot be read") from None


def _numbered() -> tuple[str, ...]:
    """COCO's names by their numbers in its own files, 1 to 90, with gaps."""
    names = iter(COCO)
    return tuple("" if number in _UNUSED else next(names) for number in range(91))
