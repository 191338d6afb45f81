"""Which language a page speaks, and its numbers and plurals."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request

from app.web.album import texts
from app.web.album.languages import InLanguage, counted, language_of, number, speaking, tr
from app.web.album.languages.templates import exchanged, texts_of


@pytest.mark.parametrize(
    ("accepted", "cookie", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "", "de"),
        ("fr,en;q=0.5,de;q=0.7", "", "de"),
        ("en-GB,de;q=0.9", "", "en"),
        ("fr", "", "en"),
        ("", "", "en"),
        ("de;q=0", "", "en"),
        ("de;q=much", "", "en"),
        ("de", "en", "en"),
        ("en", "de", "de"),
        ("de", "../../etc/passwd", "de"),
    ],
)
def test_the_choice_on_the_device_counts_then_the_browsers_languages_then_english(
    accepted: str, cookie: str, language: str
) -> None:
    headers = [(b"accept-language", accepted.encode()), (b"cookie", f"language={cookie}".encode())]
    assert language_of(Request({"type": "http", "headers": headers})) == language


def test_numbers_and_plurals_are_those_of_the_language() -> None:
    assert (counted(1, "picture", "pictures"), counted(1204, "picture", "pictures")) == ("1 picture", "1,204 pictures")
    with speaking("de"):
        assert (counted(1, "picture", "pictures"), counted(1204, "picture", "pictures")) == ("1 Bild", "1.204 Bilder")
        assert number(79.84, 1) == "79,8"
        assert tr("{number} of {total}", number=3, total="{n}") == "3 von {n}"
        assert tr("A reason from outside") == "A reason from outside"


@pytest.mark.parametrize(
    ("english", "german"),
    [
        (
            "there is a user called 'Eve' already: take another name",
            "es gibt schon einen Benutzer 'Eve': einen anderen Namen nehmen",
        ),
        (
            "all 1,204 pictures are on the disk, looked 3 min ago",
            "alle 1.204 Bilder sind auf der Platte, nachgesehen vor 3 min",
        ),
        ("3.5 GB free", "3,5 GB frei"),
        ("cam.home did not answer within 2.5 s", "cam.home hat nicht innerhalb von 2,5 s geantwortet"),
    ],
)
def test_what_others_say_is_known_with_its_values(english: str, german: str) -> None:
    with speaking("de"):
        assert tr(english) == german
    assert tr(english) == english


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("quiet hours", "Ruhezeit"),
        ("door: no Person or Dog", "door: Person oder Dog nicht gesehen"),
        ("door: no picture", "door: kein Bild"),
        (
            "door: mode away; one of many, in a digest at 18:00",
            "door: Modus unterwegs; eine von vielen, gesammelt um 18:00",
        ),
        ("door: Person 62 % < 70 %", "door: Person 62 % < 70 %"),
    ],
)
def test_so_is_why_somebody_was_told_or_not(english: str, german: str) -> None:
    with speaking("de"):
        assert texts.reason(english) == german
    assert texts.reason(english) == english


def test_a_streamed_card_speaks_its_readers_language_in_any_thread_and_is_rendered_once_for_all_of_them() -> None:
    render = SimpleNamespace(card=lambda entry: tr("Today")).card
    entry: Any = None
    with speaking("de"):
        assert InLanguage("en", render)(entry) == "Today"
    assert InLanguage("de", render)(entry) == "Heute"
    assert len({InLanguage("de", render), InLanguage("de", render), InLanguage("en", render)}) == 2


TEMPLATE = """{% block body_class %}is-door{% endblock %}{# Words #}
<a class="Day {{ 'to' if x }}" title="All of {{ name }}" href="/by/day">{{ icon('day') }}Days, {{ n }} of
 them</a>{% if x %} more{% endif %}<pre>kind: onvif</pre> &nbsp; - <i>{{ time(when) }}</i>"""


def test_texts_between_and_within_tags_are_exchanged_and_nothing_else() -> None:
    assert list(texts_of(TEMPLATE)) == ["Days, {{ n }} of them", "more", "All of {{ name }}"]
    german = {"Days, {{ n }} of them": "{{ n }} Tage", "more": "mehr", "All of {{ name }}": "Alles von {{ name }}"}
    said = TEMPLATE.replace("Days, {{ n }} of\n them", "{{ n }} Tage").replace(" more{", " mehr{")
    assert exchanged(TEMPLATE, german.__getitem__) == said.replace("All of {{", "Alles von {{")


def test_what_is_wrong_names_the_field_in_the_language_of_the_page() -> None:
    detail = "hours: must be two times of day such as 22:00-06:30; name: must not be empty"
    with speaking("de"):
        assert texts.problem(detail) == (
            "Uhrzeiten: muss zwei Uhrzeiten haben, etwa 22:00-06:30; name: must not be empty"
        )
        assert texts.problem("login_refused: it says no") == "Anmeldung abgelehnt: it says no"
    assert texts.problem(detail) == detail
