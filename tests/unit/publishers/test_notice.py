"""What messages say, in every language, of one event and of many."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import structlog.testing

from app.media.picture import describe
from app.messages import Inspection, Label
from app.publishers import Link, PublisherContext, PublishError, PublishUnavailable
from app.publishers.notice import (
    SAMPLE,
    TEXT_LENGTH,
    TITLE_LENGTH,
    NoticeSettings,
    Writer,
    drawn,
    given_up_after,
)
from app.publishers.texts import WORDS, Language, listed
from tests.fakes.cameras import jpeg
from tests.fakes.messages import an_event

CONTEXT = PublisherContext("phone", zone=ZoneInfo("Europe/Berlin"))
LINKED = PublisherContext(
    "phone",
    zone=ZoneInfo("Europe/Berlin"),
    event_url=lambda event_id: f"https://home.example/snapshots/{event_id[-1]}",
    snooze_url=lambda camera: f"https://home.example/snooze?{camera.partition(' ')[0]}",
)


def writer(context: PublisherContext = CONTEXT, *, links: bool = True, **settings: object) -> Writer:
    return Writer(NoticeSettings.model_validate(settings), context, links=links)


@pytest.mark.parametrize(
    ("language", "one", "several", "nothing", "none"),
    [
        (
            "en",
            "Person at Front Door",
            "2 persons, a cat and a dog at Front Door",
            "Picture of Front Door",
            "No picture of Front Door",
        ),
        (
            "de",
            "Front Door: Person",
            "Front Door: 2 Personen, eine Katze und ein Hund",
            "Front Door: ein Bild",
            "Front Door: kein Bild",
        ),
        (
            "es",
            "Front Door: Persona",
            "Front Door: 2 personas, un gato y un perro",
            "Front Door: una foto",
            "Front Door: sin foto",
        ),
        (
            "fr",
            "Front Door : Personne",
            "Front Door : 2 personnes, un chat et un chien",
            "Front Door : une photo",
            "Front Door : pas de photo",
        ),
        (
            "af",
            "Persoon by Front Door",
            "2 persone, 'n kat en 'n hond by Front Door",
            "Foto van Front Door",
            "Geen foto van Front Door nie",
        ),
    ],
)
def test_the_title_says_what_was_seen_where(
    language: Language, one: str, several: str, nothing: str, none: str
) -> None:
    write = writer(language=language).write
    assert write(an_event()).title == one
    assert write(an_event(seen=[("Cat", 1), ("Dog", 1), ("Person", 2)])).title == several
    # A detector names doors and coats too: nobody wants to be told of those.
    assert write(an_event(seen=[("Door", 1), ("Clothing", 3)])).title == nothing
    assert write(an_event(seen=(), problem="timeout: it did not answer")).title == none


@pytest.mark.parametrize("language", WORDS)
def test_every_language_has_all_words_and_fits_its_sentences(language: Language) -> None:
    words = WORDS[language]
    assert words.things.keys() == WORDS["en"].things.keys()
    for name in words.things:
        assert listed([(name, 1)], words)[0].isupper()
        assert listed([(name, 3)], words).startswith("3 ")
    many = writer(language=language).digest([an_event(1), an_event(2, place="Yard", minutes=10)])
    assert "22:10" in many.title
    assert "22:20" in many.title


def test_persons_that_were_counted_without_a_label_of_theirs_are_told() -> None:
    event = an_event(seen=[("Person", 3)])
    unlabelled = type(event.detection)((Label("Dog", 0.9),), person_count=3)
    assert writer().write(type(event)(event.snapshot, "hog", unlabelled)).title == "3 persons and a dog at Front Door"


def test_the_text_has_the_time_at_home_the_labels_and_links() -> None:
    event = an_event(seen=[("Person", 1), ("Dog", 1)])
    assert writer(LINKED).write(event).text.splitlines() == [
        "22:10, Person 97 %, Dog 97 %",
        "https://home.example/snapshots/1",
        "Snooze: https://home.example/snooze?Front",
    ]
    assert writer(LINKED, links=False).write(event).text == "22:10, Person 97 %, Dog 97 %"
    failed = an_event(seen=(), problem="timeout: it did not answer")
    assert writer().write(failed).text == "22:10, it did not answer"


STORED = Link("https://bucket.example/a.jpg?X-Amz-Signature=1", datetime(2026, 3, 5, 23, 30, tzinfo=UTC))


def storing(link: Link | None = STORED, failure: PublishError | None = None) -> PublisherContext:
    """A context in which the outlet `small` stores thumbnails."""

    def stored(outlet: str, _: Inspection) -> Link | None:
        assert outlet == "small"
        if failure is not None:
            raise failure
        return link

    return replace(LINKED, stored_thumbnail=stored)


@pytest.mark.parametrize(
    ("language", "opens"),
    [
        ("en", "opens until"),
        ("de", "offen bis"),
        ("es", "se abre hasta"),
        ("fr", "accessible jusqu'au"),
        ("af", "gaan oop tot"),
    ],
)
def test_a_message_leads_to_the_stored_thumbnail_and_says_until_when_at_home(language: Language, opens: str) -> None:
    ours = writer(storing(), language=language, thumbnail="small")
    line = f"{STORED.url} ({opens} 2026-03-06 00:30)"
    assert ours.write(an_event(1)).text.splitlines()[1] == line
    assert line in ours.digest([an_event(1), an_event(2)]).text.splitlines()
    assert ours.write(an_event(1)).thumbnail == STORED


def test_only_messages_that_want_it_have_a_stored_thumbnail_and_a_picture_without_one_costs_no_message() -> None:
    assert "bucket.example" not in writer(storing()).write(an_event(1)).text
    assert writer(storing(None), thumbnail="small").write(an_event(1)) == writer(LINKED).write(an_event(1))
    assert "bucket.example" not in writer(storing(), links=False, thumbnail="small").write(an_event(1)).text


def test_a_message_waits_for_its_thumbnail_until_it_is_given_up() -> None:
    ours = writer(storing(failure=PublishUnavailable("access_denied", "S3 says no.")), thumbnail="small")
    for events in ([an_event(1)], [an_event(1), an_event(2)]):
        with pytest.raises(PublishUnavailable, match=r"Its thumbnail is not stored by small: S3 says no\.") as waits:
            ours.digest(events)
        assert waits.value.code == "thumbnail_away"
        assert given_up_after(60)[waits.value.code] == 60


def test_a_message_about_a_picture_from_a_bucket_says_its_name() -> None:
    event = an_event(1)
    found = replace(event, snapshot=replace(event.snapshot, bucket="home", object_key="in/a\nb.jpg"))
    assert writer().write(found).text == "22:10, Person 97 %, a b.jpg"
    told = writer(
        storing(), thumbnail="small", text_template="{{ bucket }}/{{ object_key }} {{ stored_thumbnail_until }}"
    )
    assert told.write(found).text == "home/in/a\\nb.jpg 2026-03-06 00:30"


def test_a_stranger_s_name_moves_no_cursor_and_turns_no_text_around() -> None:
    event = an_event(1)
    hostile = "in/\x1b[31m\u202egpj.\x00 m\u200cn  👩\u200d🦰.jpg"
    found = replace(event, snapshot=replace(event.snapshot, bucket="home", object_key=hostile))
    ours = writer(title_template="{{ object_name }}{% raw %}\x07{% endraw %}", text_template="{{ object_key }}")
    notice = ours.write(found)
    assert notice.title == "\\x1b[31m\\u202egpj.\\x00 m\u200cn 👩\u200d🦰.jpg\\x07"
    assert notice.text == "in/\\x1b[31m\\u202egpj.\\x00 m\u200cn  👩\u200d🦰.jpg"


def test_no_link_to_a_thumbnail_is_cut_in_two() -> None:
    long = replace(STORED, url=STORED.url + "x" * 1500)
    text = writer(storing(long), thumbnail="small", text_template="{{ stored_thumbnail }}").write(an_event(1)).text
    assert text == long.url


def test_a_confidence_is_rounded_as_it_is_on_the_annotated_picture() -> None:
    event = an_event()
    labels = (Label("Person", 0.57), Label("Dog", 0.29))
    assert writer().write(type(event)(event.snapshot, "hog", type(event.detection)(labels))).text == (
        "22:10, Person 57 %, Dog 29 %"
    )


@pytest.mark.parametrize("template", ["{% if persons %}{{ sentence }}{% endif %}", "\n"])
def test_where_a_template_says_nothing_the_built_in_text_is_sent(template: str) -> None:
    notice = writer(title_template=template, text_template=template).write(an_event(seen=[("Cat", 1)]))
    assert (notice.title, notice.text) == ("Cat at Front Door", "22:10, Cat 97 %")


def test_of_many_labels_the_surest_are_named() -> None:
    event = an_event()
    labels = tuple(Label(f"Thing{number}", number / 10) for number in range(9))
    text = writer().write(type(event)(event.snapshot, "hog", type(event.detection)(labels))).text
    assert text == "22:10, Thing8 80 %, Thing7 70 %, Thing6 60 %, Thing5 50 %, Thing4 40 %, Thing3 30 %"


def test_many_events_are_one_message_with_a_line_for_each_camera() -> None:
    events = [an_event(number, minutes=number - 1) for number in range(1, 11)]
    events += [an_event(11, seen=[("Dog", 2)], place="Yard", minutes=10), an_event(12, seen=(), place="Hall")]
    notice = writer(LINKED).digest(events)
    assert notice.title == "12 pictures of 3 cameras between 22:10 and 22:20"
    assert notice.text.splitlines() == [
        "Front Door: 10, Person",
        "Yard: 1, 2 dogs",
        "Hall: 1",
        "https://home.example/snapshots/1",
    ]
    assert writer().digest(events[:2]).title == "2 pictures of Front Door between 22:10 and 22:11"
    assert writer().digest(events[:1]) == writer().write(events[0])


def test_the_picture_of_a_digest_is_one_with_a_person(tmp_path: Path) -> None:
    empty, person = an_event(1, seen=(), folder=tmp_path), an_event(2, folder=tmp_path)
    gone = an_event(3)
    assert writer().digest([empty, person, gone]).about == person


def test_templates_say_it_in_their_own_words_and_know_every_value() -> None:
    text = " ".join(f"{name}={{{{ {name} }}}}" for name in SAMPLE)
    notice = writer(title_template="{{ persons }}x {{ place|upper }}\n", text_template=text).write(an_event())
    assert notice.title == "1x FRONT DOOR"
    assert "what=Person place=Front Door camera=Front Door Camera time=22:10 date=2026-03-04" in notice.text


def test_a_template_with_a_mistake_is_named_before_anything_is_sent() -> None:
    with pytest.raises(PublishError, match=r"publishers\.phone\.text_template fails.*'plaec' is undefined"):
        writer(text_template="{{ plaec }}")


def test_a_template_that_fails_on_an_event_costs_nobody_the_message() -> None:
    write = writer(title_template="{{ labels[0].name }}!").write
    with structlog.testing.capture_logs() as logs:
        assert write(an_event()).title == "Person!"
        assert write(an_event(seen=())).title == "Picture of Front Door"
        assert write(an_event(seen=())).title == "Picture of Front Door"
    assert [line["log_level"] for line in logs] == ["error"]


def test_title_and_text_end(tmp_path: Path) -> None:
    notice = writer(text_template="x" * 5000).write(an_event(place="long " * 100))
    assert (len(notice.title), len(notice.text)) == (TITLE_LENGTH, TEXT_LENGTH)
    assert notice.text.endswith("x…")


def test_a_picture_goes_as_a_thumbnail_or_with_what_was_found(tmp_path: Path) -> None:
    event = an_event(folder=tmp_path)
    small, annotated = describe(drawn(event, "thumbnail")), describe(drawn(event, "annotated"))
    assert (small.width, annotated.width) == (480, 640)
    Path(event.snapshot.path).write_bytes(jpeg(3000, 1000))
    assert describe(drawn(event, "annotated")).width == 1600
    Path(event.snapshot.path).write_bytes(b"broken")
    assert drawn(event, "thumbnail") == b""
    Path(event.snapshot.path).unlink()
    assert drawn(event, "annotated") == b""
    assert drawn(an_event(), "thumbnail") == b""
