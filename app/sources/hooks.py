"""Hooks: other programs' JSON, of whatever shape, as triggers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from app import wire
from app.messages import Trigger
from app.naming import CameraNames
from app.rules.burst import BurstSettings
from app.sources import new_trigger
from app.sources.conditions import LONGEST_PATH, Condition, at
from app.wire import fields
from pylib.errors import Permanent
from pylib.settings.fields import MapFromText, Section

ORIGIN = "http"
MAX_DEPTH = 32
FROM_MILLISECONDS = 100_000_000_000
"""A number from here on counts milliseconds, as Node-RED and Zigbee2MQTT do: as seconds it is the year 5138."""


class PayloadRefused(Permanent):
    """JSON that makes no trigger; `detail` names the field."""


def _holdable(when: dict[str, Any]) -> dict[str, Any]:
    Condition(when)
    return when


DottedPath = Annotated[str, Field(max_length=LONGEST_PATH)]


class HookSettings(Section):
    """An address that other programs call with JSON of their own, and what of it makes a trigger."""

    name: str = Field(
        min_length=1, max_length=50, pattern="^[a-z0-9_-]+$", description="Its name in the address /api/hooks/NAME."
    )
    camera: str = Field(default="", description="Camera that takes the picture: its device key or plain form.")
    camera_from: DottedPath = Field(
        default="", description="Dotted path to the camera's name in the JSON, in place of `camera`: `after.camera`."
    )
    when: Annotated[dict[str, Any], MapFromText, AfterValidator(_holdable)] = Field(
        default_factory=dict,
        description="Dotted paths and what has to stand there: a value, a list of values, or bounds (above, below).",
    )
    label_from: DottedPath = Field(
        default="", description="Dotted path to what people call the place; the camera's label unless it is there."
    )
    timestamp_from: DottedPath = Field(
        default="", description="Dotted path to when it happened; now unless it is there."
    )
    active_input_from: DottedPath = Field(
        default="",
        description="Dotted path to the map that is passed on as `active_input`. Unless set, the whole JSON, as far as"
        " it can be.",
    )
    burst: BurstSettings | None = Field(
        default=None, description="Pictures of an event; unless set, rules and the camera say how many."
    )

    @model_validator(mode="after")
    def _one_camera(self) -> Self:
        if bool(self.camera) == bool(self.camera_from):
            raise ValueError("needs either camera or camera_from")
        return self


class Hook:
    """One of them. Both methods return at once, from any thread."""

    def __init__(self, settings: HookSettings, *, cameras: Mapping[str, str]) -> None:
        """`cameras`: device key -> label. Raises `app.naming.UnknownCamera`."""
        self._settings = settings
        self._cameras = cameras
        self._names = CameraNames(cameras)
        self._camera = self._names.find(settings.camera) if settings.camera else ""
        self._condition = Condition(settings.when)

    def unmet(self, payload: object) -> str:
        """Why this is no trigger, in words; empty when it is one. Raises `PayloadRefused`."""
        if fields.is_deeper(payload, MAX_DEPTH):
            raise PayloadRefused("too_large", f"the JSON is nested more than {MAX_DEPTH} levels deep")
        return self._condition.unmet(payload)

    def trigger(self, payload: object, *, traceparent: str = "", baggage: str = "") -> Trigger:
        """The trigger that this is. Raises `PayloadRefused`."""
        try:
            camera = self._camera or self._names.find(self._text(payload, self._settings.camera_from))
            return new_trigger(
                camera,
                label=self._label(payload) or self._cameras[camera],
                origin=ORIGIN,
                timestamp=self._timestamp(payload),
                active_input=self._active_input(payload),
                traceparent=traceparent,
                baggage=baggage,
                burst=self._settings.burst.wish() if self._settings.burst else None,
            )
        except Permanent as error:
            raise PayloadRefused(error.code, error.detail) from None

    def _text(self, payload: object, path: str) -> str:
        found = at(payload, path)
        return fields.text({} if found is None else {path: found}, path).strip()

    def _label(self, payload: object) -> str:
        path = self._settings.label_from
        return self._text(payload, path) if path and at(payload, path) is not None else ""

    def _timestamp(self, payload: object) -> datetime | None:
        path = self._settings.timestamp_from
        found = at(payload, path) if path else None
        if found is None:
            return None
        if isinstance(found, int | float) and FROM_MILLISECONDS <= found < FROM_MILLISECONDS * 1000:
            return datetime.fromtimestamp(found / 1000, UTC)
        try:
            return wire.parse_timestamp(found)
        except Permanent as error:
            raise PayloadRefused(error.code, f"{path}: {error.detail}") from None

    def _active_input(self, payload: object) -> Mapping[str, Any] | None:
        """A map, passed on as it came; anything else would be no description of a sensor."""
        path = self._settings.active_input_from
        if not path:
            return wire.carried(payload)
        found = at(payload, path)
        try:
            return wire.checked_active_input(found) if isinstance(found, dict) else None
        except Permanent as error:
            raise PayloadRefused(error.code, f"{path}: {error.detail}") from None
