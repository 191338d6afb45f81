"""Which detector the configuration chooses, and with which settings."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter, ValidationError, create_model

from app import detectors
from app.config.data_dir import DataDir
from app.detectors import DetectorSettings
from pylib.settings.draft import SettingsBuilder
from pylib.settings.kinds import KindField
from pylib.settings.variables import variables
from pylib.settings.yaml_file import Location


class NoDetector(DetectorSettings):
    """Pictures are published without being looked at."""

    kind: Literal["none"] = "none"


_CHOICE = tuple(kind for kind in detectors.KINDS if kind != "tiers")
"""What `auto` chooses from, and what `tiers` is made of."""


@cache
def _model(kind: str) -> type[BaseModel]:
    if kind == "none":
        return NoDetector
    if kind != "auto":
        model: type[BaseModel] = detectors.KINDS.load(kind).Settings
        return model
    # Until the choice is made, the settings of all of them are allowed.
    fields: dict[str, Any] = {"kind": (Literal["auto"], "auto")}
    for name in detectors.KINDS:
        for key, field in _model(name).model_fields.items():
            if key not in DetectorSettings.model_fields:
                fields.setdefault(key, (field.annotation, field))
    return create_model(
        "AutoDetector",
        __base__=DetectorSettings,
        __doc__="Rekognition where it is set up, else the best model that is there, else HOG.",
        **fields,
    )


DETECTOR_KINDS = KindField(("auto", "none", *detectors.KINDS), _model, default="auto")
TIER_KINDS = KindField(_CHOICE, _model, default="")


def choose_detector(draft: SettingsBuilder, aliases: dict[str, tuple[str, ...]]) -> None:
    """Choose the kind of a draft's `detector`, never `auto` afterwards, and its settings.

    `OBJECT_DETECTION_ENABLED=false` means none. `auto` is Rekognition when a region or an endpoint for it is
    set, else a model where one is set or lies in the data folder, else HOG. Rekognition's region is
    `AWS_DEFAULT_REGION` at last.
    """
    at = ("detector",)
    if _switched_off(draft):
        draft.values["detector"] = {"kind": "none"}
        return
    kind = draft.get("DETECTOR_KIND")
    if kind:
        draft.put((*at, "kind"), kind.value, kind.where)
    section = draft.at(at)
    if section is not None and not isinstance(section, dict):
        return
    if DETECTOR_KINDS.kind(section) == "auto":
        draft.values["detector"] = section = _settled(draft, section or {})
    model = DETECTOR_KINDS.model(section)
    if model is None:
        return
    draft.keep_own(model, at)
    found = draft.get("AWS_DEFAULT_REGION")
    if found and "region" in model.model_fields and not section.get("region"):
        draft.put((*at, "region"), found.value.strip(), found.where)
    wanted = variables(model, at, prefix="DETECTOR", aliases=aliases)
    draft.overlay(variable for variable in wanted if variable.location != (*at, "kind"))
    if model is _model("tiers"):
        _settle_tiers(draft, at)


def _settle_tiers(draft: SettingsBuilder, at: Location) -> None:
    """Fill in what the two sections leave open: their kinds, and what holds for both or comes from the environment."""
    for name, kind in (("first", _on_this_machine(draft)), ("second", "rekognition")):
        tier = (*at, name)
        section = draft.at(tier)
        if section is not None and not isinstance(section, dict):
            continue
        if (section or {}).get("kind") is None:
            draft.put((*tier, "kind"), kind, draft.where(tier))
        model = TIER_KINDS.model(draft.at(tier))
        if model is None:
            continue
        draft.keep_own(model, tier)
        region = draft.get("AWS_ALT_REGION", "AWS_DEFAULT_REGION")
        if region and "region" in model.model_fields and not draft.at((*tier, "region")):
            draft.put((*tier, "region"), region.value.strip(), region.where)
        least = (*at, "minimum_confidence")
        if draft.at(least) is not None and draft.at((*tier, "minimum_confidence")) is None:
            draft.put((*tier, "minimum_confidence"), draft.at(least), draft.where(least))


def _on_this_machine(draft: SettingsBuilder) -> str:
    """The first kind that is ready, else the first that needs nothing."""
    models = DataDir(Path(str(draft.at(("data_dir",)) or "data")).expanduser()).models
    ready = (kind for kind in _CHOICE if detectors.is_ready(kind, models))
    needs_nothing = (kind for kind in _CHOICE if not detectors.KINDS.load(kind).environment)
    return next(ready, None) or next(needs_nothing)


def _switched_off(draft: SettingsBuilder) -> bool:
    found = draft.get("OBJECT_DETECTION_ENABLED")
    if found is None:
        return False
    try:
        return not TypeAdapter(bool).validate_python(found.value.strip().lower())
    except ValidationError:
        draft.problems.append(f"{found.where}: is neither true nor false")
        return False


def _settled(draft: SettingsBuilder, section: dict[str, Any]) -> dict[str, Any]:
    """The same section without `auto` and without what only the detectors have that were not chosen."""
    asked_for = (kind for kind in _CHOICE if _is_asked_for(draft, section, kind))
    kind = next(asked_for, None) or _on_this_machine(draft)
    own, all_of_them = _model(kind).model_fields, _model("auto").model_fields
    return {key: value for key, value in section.items() if key in own or key not in all_of_them} | {"kind": kind}


def _is_asked_for(draft: SettingsBuilder, section: dict[str, Any], kind: str) -> bool:
    names = detectors.KINDS.load(kind).environment
    in_file = {name.removeprefix("DETECTOR_").lower() for name in names if name.startswith("DETECTOR_")}
    return bool(names) and (draft.get(*names) is not None or any(section.get(key) for key in in_file))
