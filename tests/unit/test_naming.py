"""A name is found in whatever spelling somebody uses, and nothing is guessed."""

from __future__ import annotations

import unicodedata

import pytest

from app.naming import MAX_NAME, SHOWN, CameraNames, Names, UnknownCamera, composed, slug, spellings, text_of


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


CAMERAS = CameraNames(["yard", "Yard", "Front Door Camera", "Gate Camera", "Gate Doorbell", "Tür · Hof Camera"])


@pytest.mark.parametrize(
    ("name", "camera"),
    [
        ("yard", "yard"),
        ("Yard", "Yard"),
        ("Front Door Camera", "Front Door Camera"),
        ("front-door-camera", "Front Door Camera"),
        ("front_door", "Front Door Camera"),
        ("FRONT DOOR", "Front Door Camera"),
        ("gate doorbell", "Gate Doorbell"),
        ("tür-hof", "Tür · Hof Camera"),
        ("tuer-hof-camera", "Tür · Hof Camera"),
        ("tür ° hof", "Tür · Hof Camera"),
    ],
)
def test_a_camera_is_found_by_its_device_key_first_then_in_any_spelling(name: str, camera: str) -> None:
    assert CAMERAS.find(name) == camera


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("YARD", "no camera 'YARD'; it may be Yard or yard"),
        ("gate", "no camera 'gate'; it may be Gate Camera or Gate Doorbell"),
        ("Front Dor Camera", "no camera 'Front Dor Camera'; did you mean 'Front Door Camera'?"),
        ("camera", "no camera 'camera'; there are: Front Door Camera, Gate Camera, Gate Doorbell, Tür"),
        ("", "no camera ''; there are: "),
        ("x" * 60_000, f"no camera '{'x' * SHOWN}'; there are: "),
    ],
)
def test_no_camera_is_guessed_and_an_unknown_one_is_told_with_those_that_may_be_meant(name: str, said: str) -> None:
    with pytest.raises(UnknownCamera) as raised:
        CAMERAS.find(name)
    assert raised.value.detail.startswith(said)


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
