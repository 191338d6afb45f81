"""A name is found in whatever spelling somebody uses, and nothing is guessed."""

from __future__ import annotations

import unicodedata

import pytest

from app.naming import MAX_NAME, Names, composed, slug, spellings, text_of


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("Haustür", ("haustür", "haustuer", "haustur")),
        (unicodedata.normalize("NFD", "Haustür"), ("haustür", "haustuer", "haustur")),
        ("Front Door", ("frontdoor",)),
        ("front_door-1", ("frontdoor1",)),
        ("Straße", ("strasse",)),
        ("Ødegård", ("ødegård", "oedegaard", "odegard")),
        ("Côté", ("côté", "cote")),
        ("前门", ("前门",)),
        ("--", ()),
    ],
)
def test_a_name_is_written_with_its_signs_or_without(name: str, keys: tuple[str, ...]) -> None:
    assert spellings(name) == keys


NAMES = Names((name, name) for name in ("Haustür", "Front Door", "Ecke 1", "Ecke 11", "前门"))


@pytest.mark.parametrize(
    "name", ["haustur", "HAUSTUER", "Haustür", unicodedata.normalize("NFD", "haustür"), "Haus-tür"]
)
def test_one_with_an_umlaut_is_found_in_each_spelling(name: str) -> None:
    assert NAMES.find(name) == "Haustür"


def test_one_without_umlauts_is_found_by_who_writes_some() -> None:
    assert Names([("Haustuer", 1)]).find("Haustür") == 1


@pytest.mark.parametrize("name", ["", "--", "haust?r", "haus", "前", "ecke"])
def test_what_is_like_none_is_none(name: str) -> None:
    assert NAMES.find(name) is None


def test_what_may_mean_two_is_not_guessed() -> None:
    names = Names((name, name) for name in ("Tür", "Tur", "Box", "Böx", "Bóx"))
    assert names.find("tur") == "Tur"  # so it is called
    assert names.find("tuer") == names.find("Tür") == "Tür"
    assert names.find("boex") == "Böx"
    assert Names([("Böx", 1), ("Bóx", 2)]).find("box") is None
    assert Names([("Boex", 1), ("Box", 2)]).find("Böx") is None


def test_a_name_is_cut_before_it_is_normalised(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []

    def normalize(_form: str, text: str) -> str:
        lengths.append(len(text))
        return text

    monkeypatch.setattr(unicodedata, "normalize", normalize)
    endless = "\u0315\u0300" * 80_000
    for work in (slug, composed, spellings, NAMES.find, lambda name: Names([(name, 1)])):
        work(endless)
    assert set(lengths) == {MAX_NAME}


def test_bytes_that_are_no_utf_8_are_read_as_western_europe_writes_them() -> None:
    assert text_of("Haustür".encode()) == text_of("Haustür".encode("latin-1")) == "Haustür"
    assert text_of(b"\x81\xff") == "\ufffdÿ"
