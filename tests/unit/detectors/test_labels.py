"""`Person` means the same whoever looked; nobody counts twice."""

from __future__ import annotations

import pytest

from app.detectors.labels import common_name, detection_of
from app.messages import Box, Detection, Label

HERE, NEARLY, THERE = Box(0.1, 0.1, 0.2, 0.5), Box(0.11, 0.1, 0.2, 0.5), Box(0.6, 0.1, 0.2, 0.5)


@pytest.mark.parametrize("name", ["Person", "person", "Human", "Pedestrian", "PERSON"])
def test_people_are_persons_in_every_detectors_words(name: str) -> None:
    assert detection_of([Label(name, 0.8, (HERE,))]) == Detection((Label("Person", 0.8, (HERE,)),), 1)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("traffic light", "Traffic Light"),
        ("T-Shirt", "T-Shirt"),
        ("TV", "TV"),
        ("Man", "Man"),
        ("Personal Computer", "Personal Computer"),
    ],
)
def test_other_things_keep_their_names(name: str, shown: str) -> None:
    assert common_name(name) == shown
    assert detection_of([Label(name, 0.8, (HERE,))]).person_count == 0


def test_one_person_of_several_names_counts_once_by_the_surest() -> None:
    seen = detection_of([Label("Person", 0.7, (HERE,)), Label("Dog", 0.9), Label("Human", 0.95, (NEARLY, THERE))])
    assert seen == Detection((Label("Person", 0.95, (HERE, THERE)), Label("Dog", 0.9)), 2)
    assert detection_of([Label("Human", 0.95), Label("Person", 0.7)]).labels == (Label("Person", 0.95),)


def test_a_crowd_of_one_label_stays_one() -> None:
    assert detection_of([Label("person", 0.9, (HERE, NEARLY, THERE))]).person_count == 3


def test_a_person_without_a_box_counts_as_one() -> None:
    assert detection_of([Label("Human", 0.9), Label("Pedestrian", 0.8)]).person_count == 1


def test_men_and_women_are_the_persons_beside_them() -> None:
    seen = detection_of([Label("Person", 0.9, (HERE,)), Label("Man", 0.9, (HERE,)), Label("Adult", 0.9, (HERE,))])
    assert ([label.name for label in seen.labels], seen.person_count) == (["Person", "Man", "Adult"], 1)
