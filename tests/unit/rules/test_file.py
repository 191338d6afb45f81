"""The rules' file: what is wrong with it, how the album writes it, and that a running service notices changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.rules.file import LOOK_EVERY_S, MasksUnknown, RulesFile, RulesUnwritable, read_rules
from app.rules.model import Rule, RuleBook, Zone
from pylib.settings.draft import ConfigError
from pylib.settings.yaml_file import MOST_BYTES
from tests.fakes.clock import Clock
from tests.fakes.durability import disk

CAMERAS = ("Front Door Camera", "Yard Camera")
OUTLETS = ("phone", "mail")
BY_HAND = """\
# Our rules.
zones:
  - camera: Front Door   # the one over the steps
    name: porch
    points: [[0, 0.5], [0.5, 0.5], [0.5, 1]]
rules:
  # Not the postman.
  - name: door
    cameras: [Front Door]
    labels: {Person: 0.6}
    zones: [porch]
    cooldown: 300   # seconds
    outlets: [phone]
  - name: yard
    cameras: [Yard]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "rules.yml"
    path.write_text(text)
    return path


def read(path: Path) -> RuleBook:
    return read_rules(path, cameras=CAMERAS, outlets=OUTLETS)


def rules_file(path: Path) -> RulesFile:
    return RulesFile(path, cameras=CAMERAS, outlets=OUTLETS)


def test_no_file_and_an_empty_one_are_no_rules(tmp_path: Path) -> None:
    assert read(tmp_path / "rules.yml") == read(written(tmp_path, "")) == RuleBook()


def test_what_people_write_is_read(tmp_path: Path) -> None:
    book = read(written(tmp_path, BY_HAND + "quiet_hours: 23:00-06:30\n"))
    assert [rule.name for rule in book.rules] == ["door", "yard"]
    assert book.rules[0].labels == {"Person": 0.6}
    assert book.rules[1].labels == {"Person": 0.0}
    assert book.zones[0].points == ((0, 0.5), (0.5, 0.5), (0.5, 1))


A_ZONE = "zones: [{{camera: {}, name: a, points: {}}}]"
MISTAKES = {
    "rules: [{name: a, cameras: [Frunt Door]}]": "[0] (line 1): 'Frunt Door' is no camera; did you mean Front Door?",
    "rules: [{name: a, outlets: [fone]}]": "outlets[0] (line 1): 'fone' tells nobody; did you mean phone?",
    "rules: [{name: a, zones: [porch]}]": "rules[0].zones[0] (line 1): 'porch' is no zone of its cameras",
    BY_HAND + "    zones: [porch]": "rules[1].zones[0] (line 16): 'porch' is no zone of its cameras",
    "rules: [{name: a, cooldown: 31536000}]": "cooldown (line 1): must be less than or equal to 604800, not 31536000",
    "rules: [{name: a, labels: {Person: 60}}]": "labels.Person (line 1): must be less than or equal to 1, not 60",
    "rules: [{name: a, hours: 22-6}]": "hours (line 1): must be two times of day such as 22:00-06:30",
    "rules: [{name: a, hours: '22:00-22:00'}]": "hours (line 1): must begin and end at different times",
    "quiet_hours: 22:00+01:00-06:30": "quiet_hours (line 1): must be times of the home's zone",
    "rules: [{name: a, hours: '22:00Z-06:30Z'}]": "must be times of the home's zone, without one of their own",
    "rules: [{name: a, days: [someday]}]": "(line 1): 'someday' is not one of mon, tue, wed, thu, fri, sat or sun",
    "rules: [{name: a, modes: [awake]}]": "'awake' is not one of home, away or night; did you mean away?",
    "rules: [{name: a, kameras: []}]": "rules[0].kameras (line 1): is not a setting; did you mean cameras?",
    "rules: [{name: a}, {name: A}]": "two rules are called 'a': give one another name",
    "rules: [{name: a/b}]": "rules[0].name (line 1): 'a/b' does not have the form",
    A_ZONE.format("Yard", "[[0, 0], [1, 1]]"): "zones[0].points (line 1): must have 3 to 50 corners, and has 2",
    A_ZONE.format("Yard", "[[0, 0], [1, 1], [1, 0], [0, 1]]"): "zones[0].points (line 1): must not cross its own edges",
    A_ZONE.format("Yard", "[[0, 0], [640, 0], [640, 480]]"): "zones[0].points (line 1): must have corners from 0 to 1",
    A_ZONE.format("Attic", "[[0, 0], [1, 0], [1, 1]]"): "zones[0].camera (line 1): 'Attic' is no camera",
    BY_HAND.replace(
        "rules:", "  - {camera: Front Door Camera, name: Porch, points: [[0, 0], [1, 0], [1, 1]]}\nrules:"
    ): ("zones[1].name (line 6): 'Porch' is a zone of 'Front Door' already, which is the same camera"),
    "rules: {": "rules.yml: line 1, column 9: expected the node content",
}


@pytest.mark.parametrize(("text", "problem"), MISTAKES.items())
def test_every_mistake_is_named_with_its_place_and_what_may_be_meant(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as failure:
        read(written(tmp_path, text))
    assert len(failure.value.problems) == 1
    assert problem in failure.value.problems[0]


def test_a_running_service_takes_changes_and_keeps_its_rules_while_the_file_is_wrong(tmp_path: Path) -> None:
    path, clock = tmp_path / "rules.yml", Clock()
    rules = RulesFile(path, cameras=CAMERAS, outlets=OUTLETS, monotonic=clock)
    assert rules.book == RuleBook()
    path.write_text(BY_HAND)
    assert rules.book == RuleBook()  # five times an event is asked, and not looked each time
    clock.now += 2 * LOOK_EVERY_S
    assert len(rules.book.rules) == 2
    path.write_text("rules: [{nam: a}]")
    assert (len(rules.book.rules), len(rules.problems)) == (2, 2)
    path.write_text("rules: [{name: a}]")
    os.utime(path, ns=(1, 1))
    clock.now += 2 * LOOK_EVERY_S
    assert ([rule.name for rule in rules.book.rules], rules.problems) == (["a"], ())


@pytest.mark.parametrize("emptied", [lambda path: path.write_text(""), Path.unlink], ids=["emptied", "taken away"])
def test_a_file_that_an_editor_has_emptied_counts_only_when_it_stays_so(
    tmp_path: Path, emptied: Callable[[Path], object]
) -> None:
    path, clock = written(tmp_path, BY_HAND), Clock()
    rules = RulesFile(path, cameras=CAMERAS, outlets=OUTLETS, monotonic=clock)
    assert len(rules.book.rules) == 2
    for _ in range(2):  # the second time, its second begins anew
        emptied(path)
        clock.now += 2 * LOOK_EVERY_S
        assert len(rules.book.rules) == 2
        clock.now += 0.9
        assert len(rules.book.rules) == 2
        path.write_text("rules: [{name: a}, {name: b}]")
        clock.now += 2 * LOOK_EVERY_S
        assert [rule.name for rule in rules.book.rules] == ["a", "b"]
    emptied(path)
    clock.now += 2 * LOOK_EVERY_S
    assert len(rules.book.rules) == 2
    clock.now += 1
    assert rules.book == RuleBook()


A_HOUSE_OF_BEFORE = """\
quiet_hours: 23:00-06:30
zones:
  - {camera: Attic, name: floor, points: [[0, 0], [1, 0], [1, 1]]}
  - {camera: Yard, name: gate, points: [[0, 0], [1, 0], [1, 1]]}
rules:
  - {name: gone, cameras: [Attic]}
  - {name: told nobody, outlets: [fone]}
  - {name: nowhere, zones: [floor]}
  - {name: half, cameras: [Attic, Yard], outlets: [fone, mail], zones: [floor, gate]}
  - {name: whole}
"""


def test_names_that_are_not_there_take_only_their_own_rules_away(tmp_path: Path) -> None:
    rules = rules_file(written(tmp_path, A_HOUSE_OF_BEFORE))
    with capture_logs() as logs:
        rules.open()
    half = Rule(name="half", cameras=("Yard",), outlets=("mail",), zones=("gate",))
    assert rules.book.rules == (half, Rule(name="whole"))
    assert [zone.name for zone in rules.book.zones] == ["gate"]
    assert rules.book.quiet_hours == "23:00-06:30"
    said = [log["problem"] for log in logs if log["log_level"] == "error"]
    assert tuple(said) == rules.problems
    assert [problem.partition(": ")[2].partition(" (line")[0] for problem in said] == [
        "zones[0].camera",
        "rules[0].cameras[0]",
        "rules[1].outlets[0]",
        "rules[3].cameras[0]",
        "rules[3].outlets[0]",
    ]


def test_a_start_with_a_file_that_cannot_be_used_takes_the_rules_of_before(tmp_path: Path) -> None:
    path = written(tmp_path, A_HOUSE_OF_BEFORE)
    rules_file(path).open()
    path.write_text("rules: [{nam: a}]")
    restarted = rules_file(path)
    assert [rule.name for rule in restarted.book.rules] == ["half", "whole"]
    assert len(restarted.problems) == 2
    path.write_text("rules: [{name: a}]")
    restarted.put_rule(Rule(name="b"))
    path.write_text("rules: {")
    assert [rule.name for rule in rules_file(path).book.rules] == ["a", "b"]


def test_rules_that_were_taken_away_do_not_come_back(tmp_path: Path) -> None:
    path = written(tmp_path, BY_HAND)
    rules_file(path).open()
    path.unlink()
    without = rules_file(path)
    assert without.book == RuleBook()
    path.write_text("rules: {")
    assert (without.book, rules_file(path).book) == (RuleBook(), RuleBook())


def test_rules_hold_where_nothing_can_be_kept_for_the_next_start(tmp_path: Path) -> None:
    (tmp_path / ".rules.yml.good").mkdir()
    path = written(tmp_path, BY_HAND)
    rules = rules_file(path)
    assert (len(rules.book.rules), rules.problems) == (2, ())
    path.write_text("rules: {")
    assert (len(rules.book.rules), len(rules.problems)) == (2, 1)


def test_the_album_changes_what_it_has_to_and_leaves_what_people_wrote(tmp_path: Path) -> None:
    path = written(tmp_path, BY_HAND)
    rules = rules_file(path)
    rules.put_rule(
        Rule(name="front", cameras=("Front Door",), labels={"Person": 0.7}, zones=("porch",)), instead_of="door"
    )
    text = path.read_text()
    for kept in ("# Our rules.", "# the one over the steps", "# Not the postman.", "cameras: [Front Door]"):
        assert kept in text
    assert "cooldown" not in text
    assert [rule.name for rule in rules.book.rules] == ["front", "yard"]
    assert read(path) == rules.book
    rules.put_rule(Rule(name="new"))
    rules.remove_rule("yard")
    rules.put_settings(quiet_hours="23:00-06:30")
    assert [rule.name for rule in read(path).rules] == ["front", "new"]
    assert read(path).quiet_hours == "23:00-06:30"


def test_the_album_begins_a_file_where_there_is_none(tmp_path: Path) -> None:
    rules = rules_file(tmp_path / "rules.yml")
    zone = Zone(camera="Yard Camera", name="gate", points=((0, 0), (1, 0), (1, 1)), mask=True)
    with disk(tmp_path) as watched:
        rules.put_zone(zone)
    assert (watched.torn, watched.left()["rules.yml"]) == ([], rules.path.read_bytes())
    assert read(rules.path) == rules.book == RuleBook(zones=(zone,))
    rules.put_zone(zone.model_copy(update={"name": "door"}), instead_of="gate")
    rules.remove_zone("Yard", "door")
    assert rules.book == RuleBook()


def test_what_would_be_wrong_is_not_written(tmp_path: Path) -> None:
    path = written(tmp_path, BY_HAND)
    rules = rules_file(path)
    with pytest.raises(ConfigError, match=r"rules\[2\].outlets\[0\].*'nobody' tells nobody"):
        rules.put_rule(Rule(name="new", outlets=("nobody",)))
    with pytest.raises(ConfigError, match="'porch' is no zone"):
        rules.remove_zone("Front Door", "porch")
    assert path.read_text() == BY_HAND
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "text",
    [
        "rules: {",
        "- a",
        "a",
        "rules: text",
        "rules: [a]",
        "rules: {a: 1}",
        "zones: 3",
        "a: &a [*a]",
        "#" * (MOST_BYTES + 1),
    ],
)
def test_a_file_that_cannot_be_read_is_not_written_over(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    zone = Zone(camera="Yard", name="gate", points=((0, 0), (1, 0), (1, 1)))
    changes: tuple[Callable[[RulesFile], None], ...] = (
        lambda rules: rules.put_rule(Rule(name="new")),
        lambda rules: rules.put_zone(zone),
    )
    for change in changes:
        with pytest.raises((RulesUnwritable, ConfigError)) as failure:
            change(rules_file(path))
        assert isinstance(failure.value, ConfigError) or "mend it by hand first" in failure.value.detail
    assert path.read_text() == text


@pytest.mark.parametrize("name", ["on", "No", "yes", "12:30", "2026-01-01", "1_0", "~", "=", "<<", "007", "1e3", "- a"])
def test_what_the_album_writes_is_read_as_the_same_text(tmp_path: Path, name: str) -> None:
    rules = rules_file(tmp_path / "rules.yml")
    rule = Rule(name=name, labels={name: 0.5})
    rules.put_rule(rule)
    assert read(rules.path).rules == (rule,)
    assert rules.path.read_text().startswith("rules:")


PRIVATE = "zones: [{camera: Yard, name: window, points: [[0, 0], [0.5, 0], [0.5, 0.5]], private: true}]"


def hidden(rules: RulesFile) -> list[str]:
    return [zone.name for zone in rules.book.zones if zone.private]


@pytest.mark.parametrize("emptied", [lambda path: path.write_text(""), Path.unlink], ids=["emptied", "taken away"])
def test_privacy_masks_outlive_their_file_until_one_says_otherwise(
    tmp_path: Path, emptied: Callable[[Path], object]
) -> None:
    path, clock = written(tmp_path, f"{PRIVATE}\nrules: [{{name: a}}]"), Clock()
    rules = RulesFile(path, cameras=CAMERAS, outlets=OUTLETS, monotonic=clock)
    assert hidden(rules) == ["window"]
    emptied(path)
    clock.now += 2 * LOOK_EVERY_S
    assert hidden(rules) == ["window"]
    clock.now += 1
    assert (hidden(rules), rules.book.rules) == (["window"], ())
    (problem,) = rules.problems
    assert "its 1 privacy masks hold" in problem
    again = rules_file(path)
    assert (hidden(again), again.problems) == (["window"], (problem,))
    again.put_zone(Zone(camera="Yard", name="gate", points=((0, 0), (1, 0), (1, 1))))
    assert {zone.name for zone in read(path).zones} == {"window", "gate"}
    again.remove_zone("Yard", "window")
    assert (hidden(again), hidden(rules_file(path)), again.problems) == ([], [], ())


def test_a_start_with_masks_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, f"{PRIVATE}\nrules: {{")
    with pytest.raises(MasksUnknown, match=r"masks_unknown: .*rules.yml cannot be used.*line 2"):
        rules_file(path).open()
    path.write_text(PRIVATE)
    rules_file(path).open()
    path.write_text(f"{PRIVATE}\nrules: {{")
    assert hidden(rules_file(path)) == ["window"]  # those of before
    (tmp_path / ".rules.yml.good").unlink()
    path.unlink()
    path.mkdir()
    with pytest.raises(MasksUnknown):
        rules_file(path).open()


@pytest.mark.parametrize(
    ("points", "problem"),
    [
        ("[[0, 0], [1, 0], [1, 1], [0, 1]]", "the privacy masks of 'yard' leave nothing of its pictures"),
        ("[[0, 0], [0.5, 0.5], [1, 1]]", "must cover something"),
        ("[[0, 0], [1, 1], [1, 0], [0, 1]]", "must not cross its own edges"),
    ],
)
def test_a_privacy_mask_hides_a_part(tmp_path: Path, points: str, problem: str) -> None:
    path = written(tmp_path, f"zones: [{{camera: Yard, name: a, points: {points}, private: true}}]")
    with pytest.raises(ConfigError, match=problem):
        read(path)


def test_a_privacy_mask_is_no_zone_for_rules(tmp_path: Path) -> None:
    path = written(tmp_path, f"{PRIVATE}\nrules: [{{name: a, zones: [window]}}]")
    with pytest.raises(ConfigError, match="'window' is no zone of its cameras"):
        read(path)
