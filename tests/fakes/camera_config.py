"""Configured cameras that stand in no file."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.web.camera_config import CameraList, ConfiguredCamera, Pushing, Saved, TriedCamera, Wish
from app.web.errors import RequestRefused
from tests.fakes.cameras import jpeg
from tests.fakes.web import FRONT, KITCHEN

CAMERAS = (
    ConfiguredCamera(
        FRONT,
        "still",
        {"kind": "still", "location": "Front Door", "preset": "axis", "address": "cam", "ring": {"seconds": 3}},
        frozenset({"password"}),
        {"timeout": "environment: OUTPUT_1_TIMEOUT"},
    ),
    ConfiguredCamera(KITCHEN, "command", fixed="it runs a program"),
)


@dataclass
class FakeCameraConfig:
    """Remembers what it was asked for; `refusal` is raised by whatever changes or tries something."""

    known: CameraList = field(default_factory=lambda: CameraList("config.yml", "v1", CAMERAS))
    wishes: list[Wish] = field(default_factory=list)
    removed: list[tuple[str, str]] = field(default_factory=list)
    refusal: RequestRefused | None = None
    process: str = "p1"
    kinds: tuple[str, ...] = ("foscam", "still", "onvif", "file")

    def cameras(self) -> CameraList:
        return self.known

    def save(self, wish: Wish) -> Saved:
        self._ask(wish)
        pushing = Pushing(2121, "yard", "shown-once", "/uploads/snapshots/yard", "yard@home", 2525)
        return Saved(wish.name or f"{wish.values.get('location', 'New')} Camera", "v2", pushing if wish.login else None)

    def remove(self, name: str, *, version: str = "") -> Saved:
        if self.refusal:
            raise self.refusal
        self.removed.append((name, version))
        return Saved(name, "v2")

    def try_out(self, wish: Wish) -> TriedCamera:
        self._ask(wish)
        return TriedCamera(12.3, jpeg(8, 8), "8x8 JPEG")

    def forget_refusal(self) -> None:
        self.known = CameraList("config.yml", "v1", CAMERAS)

    def _ask(self, wish: Wish) -> None:
        self.wishes.append(wish)
        if self.refusal:
            raise self.refusal
