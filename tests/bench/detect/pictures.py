"""Pictures of which it is known what they show, and a folder of such with COCO's or YOLO's labels."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from app.detectors.labels import common_name
from app.media.picture import describe
from app.messages import PERSON, Box

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
SMALL, MEDIUM = 32**2, 96**2
"""Square pixels below which a thing is small, or medium (COCO's evaluation)."""


class Unlabelled(Exception):
    """A folder without labels that can be read; its text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing in a picture."""

    label: str
    box: Box


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A picture, and what is in it."""

    name: str
    data: bytes
    width: int
    height: int
    things: tuple[Thing, ...] = ()
    group: str = ""
    """What is special about it: `night`, `rain` ...; empty in a folder of others."""

    def of(self, label: str) -> list[Box]:
        """Where things of this label are."""
        return [thing.box for thing in self.things if thing.label == label]

    def size_of(self, box: Box) -> str:
        """`small`, `medium` or `large`, by its pixels."""
        pixels = box.width * self.width * box.height * self.height
        return "small" if pixels < SMALL else "medium" if pixels < MEDIUM else "large"


def labelled(folder: Path) -> Iterator[LabelledPicture]:
    """The pictures of a folder that have labels: a JSON file of COCO's form in it, or a text file of YOLO's for each.

    YOLO's texts lie beside the pictures, or in `labels` where those lie in `images`; `data.yaml` or `classes.txt` has
    the names, without which class 0 is a person. Raises `Unlabelled`.
    """
    for file in sorted(folder.rglob("*.json")):
        described = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(described, dict) and {"images", "annotations", "categories"} <= described.keys():
            yield from _coco(folder, described)
            return
    yield from _yolo(folder)


def _coco(folder: Path, described: dict[str, Any]) -> Iterator[LabelledPicture]:
    names = {one["id"]: common_name(one["name"]) for one in described["categories"]}
    files = {path.name: path for path in _pictures(folder)}
    things: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for one in described["annotations"]:
        if not one.get("iscrowd"):
            things[one["image_id"]].append(one)
    for image in described["images"]:
        path = files.get(Path(image["file_name"]).name)
        if path is None:
            continue
        width, height = image["width"], image["height"]
        boxes = [(names[one["category_id"]], one["bbox"]) for one in things[image["id"]]]
        found = (Thing(name, Box(x / width, y / height, w / width, h / height)) for name, (x, y, w, h) in boxes)
        yield LabelledPicture(path.name, path.read_bytes(), width, height, tuple(found))


def _yolo(folder: Path) -> Iterator[LabelledPicture]:
    names = _names(folder)
    found = False
    for path in _pictures(folder):
        parts = ["labels" if part == "images" else part for part in path.relative_to(folder).parts]
        beside = (path.with_suffix(".txt"), folder.joinpath(*parts).with_suffix(".txt"))
        text = next((file for file in beside if file.is_file()), None)
        if text is None:
            continue
        found, data = True, path.read_bytes()
        size = describe(data)
        things = tuple(_thing(line.split(), names) for line in text.read_text().splitlines() if line.strip())
        yield LabelledPicture(path.name, data, size.width, size.height, things)
    if not found:
        raise Unlabelled(f"{folder} has neither a JSON file of COCO's form nor a text file of YOLO's for any picture")


def _thing(line: Sequence[str], names: dict[int, str]) -> Thing:
    number, x, y, width, height = int(line[0]), *map(float, line[1:5])
    return Thing(names.get(number, str(number)), Box(x - width / 2, y - height / 2, width, height))


def _names(folder: Path) -> dict[int, str]:
    for file in sorted(folder.rglob("data.y*ml")):
        names = yaml.safe_load(file.read_text(encoding="utf-8")).get("names", {})
        numbered = names.items() if isinstance(names, dict) else enumerate(names)
        return {int(number): common_name(name) for number, name in numbered}
    for file in sorted(folder.rglob("classes.txt")):
        return {number: common_name(name.strip()) for number, name in enumerate(file.read_text().splitlines())}
    return {0: PERSON}


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
