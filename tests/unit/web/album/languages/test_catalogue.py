"""The German catalogue: whole, without anything that nothing uses, and with the same values in both languages."""

from __future__ import annotations

import re

from app.web.album.languages import catalogue
from tests.unit.web.album.languages import texts_in_use

GERMAN = catalogue("de")
SAID = {*GERMAN.texts, *GERMAN.plurals}
GLUED = {
    *("assets.py: no file ", "rule_form.py: , at least", "rule_form.py:  is no number"),
    "rule_pages.py: the mode is one of ",
}
"""Of errors that programs read, or that a log has."""


def test_every_text_of_the_album_has_its_german() -> None:
    shown = texts_in_use.of_templates() | texts_in_use.of_python() | texts_in_use.of_scripts()
    shown |= texts_in_use.of_failures("camera", "detector", "upload")
    shown |= texts_in_use.of_camera_forms() | texts_in_use.of_tables()
    assert shown <= SAID, "add the missing ones to de.toml"


def test_scripts_get_theirs_from_the_page() -> None:
    assert texts_in_use.of_scripts() <= {*texts_in_use.scripts_of("de")}


def test_the_catalogue_has_nothing_that_nothing_uses() -> None:
    used = texts_in_use.of_templates() | texts_in_use.of_python() | texts_in_use.of_scripts() | texts_in_use.elsewhere()
    used |= texts_in_use.of_camera_forms()
    assert {text for text in SAID - used if re.sub(r"\{\w+\}", "{}", text) not in used} == set()


def test_words_for_people_are_marked_where_they_stand_in_code() -> None:
    assert texts_in_use.unmarked_in_templates() == set()
    assert texts_in_use.unmarked_in_scripts() == set()
    assert texts_in_use.glued_in_python() == GLUED


def test_both_languages_have_the_same_values() -> None:
    assert [english for english, german in GERMAN.texts.items() if values(german) != values(english)] == []


def test_plurals_have_two_forms_with_the_number() -> None:
    assert {(len(forms), *(values(form)[0] for form in forms)) for forms in GERMAN.plurals.values()} == {
        (2, "{n}", "{n}")
    }


def values(text: str) -> list[str]:
    return sorted(re.findall(r"\{\{.*?\}\}|\{\w+\}", text))
