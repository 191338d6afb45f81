"""Names in rules that nothing stands behind: a camera that was renamed, an outlet or a zone that is gone."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from app.rules.evaluate import of_camera
from app.rules.model import Rule, RuleBook, Zone
from pylib.settings.error_texts import did_you_mean
from pylib.settings.yaml_file import Location


def unknown_names(
    book: RuleBook, *, cameras: Collection[str], outlets: Collection[str]
) -> Iterable[tuple[Location, str]]:
    """Names of cameras, outlets and zones that are not there, or mean two things: where they stand, and why."""
    places = [key.rpartition(" ")[0] for key in cameras]
    taken: dict[tuple[str, str], str] = {}
    for index, zone in enumerate(book.zones):
        key = _known(zone.camera, cameras)
        if not key:
            yield ("zones", index, "camera"), f"{zone.camera!r} is no camera{did_you_mean(zone.camera, places)}"
        elif (other := taken.setdefault((key, zone.name.casefold()), zone.camera)) != zone.camera:
            text = f"{zone.name!r} is a zone of {other!r} already, which is the same camera: give one another name"
            yield ("zones", index, "name"), text
    for index, rule in enumerate(book.rules):
        for number, name in enumerate(rule.cameras):
            if not _known(name, cameras):
                yield ("rules", index, "cameras", number), f"{name!r} is no camera{did_you_mean(name, places)}"
        for number, name in enumerate(rule.outlets):
            if name not in outlets:
                text = f"{name!r} tells nobody{did_you_mean(name, outlets)}"
                yield ("rules", index, "outlets", number), text if outlets else f"{text}: configure one in `publishers`"
        zones = {zone.name.casefold() for zone in book.zones if zone.counts and _concerns(rule, zone)}
        for number, name in enumerate(rule.zones):
            if name.casefold() not in zones:
                text = f"{name!r} is no zone of its cameras{did_you_mean(name, zones)}"
                yield ("rules", index, "zones", number), text


def without_unknown(book: RuleBook, *, cameras: Collection[str], outlets: Collection[str]) -> RuleBook:
    """What is left without those names: a list of which nothing is left takes its rule with it."""
    gone = {location for location, _ in unknown_names(book, cameras=cameras, outlets=outlets)}
    lost = {location[1] for location in gone if location[0] == "zones"}
    book = book.model_copy(update={"zones": tuple(zone for at, zone in enumerate(book.zones) if at not in lost)})
    # A rule may have named one of these zones.
    gone = {location for location, _ in unknown_names(book, cameras=cameras, outlets=outlets)}
    rules = (_left(rule, at, gone) for at, rule in enumerate(book.rules))
    return book.model_copy(update={"rules": tuple(rule for rule in rules if rule is not None)})


def _left(rule: Rule, index: int, gone: Collection[Location]) -> Rule | None:
    left: dict[str, tuple[str, ...]] = {}
    for key in ("cameras", "outlets", "zones"):
        names: tuple[str, ...] = getattr(rule, key)
        left[key] = tuple(name for at, name in enumerate(names) if ("rules", index, key, at) not in gone)
        if names and not left[key]:
            return None
    return rule.model_copy(update=left)


def same_camera(one: str, other: str) -> bool:
    """Whether two words for a camera, device key or location, mean the same."""
    return of_camera(one, other) or of_camera(other, one)


def _known(name: str, cameras: Collection[str]) -> str:
    """The device key of the camera that this means; empty if there is none."""
    return next((camera for camera in cameras if of_camera(name, camera)), "")


def _concerns(rule: Rule, zone: Zone) -> bool:
    return not rule.cameras or any(same_camera(name, zone.camera) for name in rule.cameras)
