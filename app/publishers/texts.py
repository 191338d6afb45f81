"""What messages say, in the languages that people can choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "de", "es", "fr", "af"]


@dataclass(frozen=True, slots=True)
class Words:
    """One language's. In sentences, `{what}` is what was seen, `{place}` what people call the camera's place."""

    things: Mapping[str, tuple[str, str]]
    """A detector's label -> one with its article, and several."""
    seen: str
    nothing: str
    """A picture in which nothing was seen, or nobody looked."""
    no_picture: str
    together: str
    """The last of several things: `{first} and {last}`."""
    pictures: tuple[str, str]
    """One, and `{count}` of them."""
    cameras: tuple[str, str]
    """`{pictures}` of one camera at `{place}`, and of `{count}` cameras."""
    between: str
    """`{what}` between the times `{since}` and `{until}`."""
    snooze: str
    opens: str
    """How long a link opens something: `{until}` is a date and a time."""


WORDS: Mapping[Language, Words] = {
    "en": Words(
        things={
            "Person": ("a person", "persons"),
            "Dog": ("a dog", "dogs"),
            "Cat": ("a cat", "cats"),
            "Bird": ("a bird", "birds"),
            "Horse": ("a horse", "horses"),
            "Car": ("a car", "cars"),
            "Truck": ("a truck", "trucks"),
            "Bus": ("a bus", "buses"),
            "Motorcycle": ("a motorcycle", "motorcycles"),
            "Bicycle": ("a bicycle", "bicycles"),
            "Package": ("a package", "packages"),
        },
        seen="{what} at {place}",
        nothing="Picture of {place}",
        no_picture="No picture of {place}",
        together="{first} and {last}",
        pictures=("1 picture", "{count} pictures"),
        cameras=("{pictures} of {place}", "{pictures} of {count} cameras"),
        between="{what} between {since} and {until}",
        snooze="Snooze",
        opens="opens until {until}",
    ),
    "de": Words(
        things={
            "Person": ("eine Person", "Personen"),
            "Dog": ("ein Hund", "Hunde"),
            "Cat": ("eine Katze", "Katzen"),
            "Bird": ("ein Vogel", "Vögel"),
            "Horse": ("ein Pferd", "Pferde"),
            "Car": ("ein Auto", "Autos"),
            "Truck": ("ein Lastwagen", "Lastwagen"),
            "Bus": ("ein Bus", "Busse"),
            "Motorcycle": ("ein Motorrad", "Motorräder"),
            "Bicycle": ("ein Fahrrad", "Fahrräder"),
            "Package": ("ein Paket", "Pakete"),
        },
        seen="{place}: {what}",
        nothing="{place}: ein Bild",
        no_picture="{place}: kein Bild",
        together="{first} und {last}",
        pictures=("1 Bild", "{count} Bilder"),
        cameras=("{pictures}: {place}", "{pictures} von {count} Kameras"),
        between="{what} zwischen {since} und {until} Uhr",
        snooze="Ruhe",
        opens="offen bis {until}",
    ),
    "es": Words(
        things={
            "Person": ("una persona", "personas"),
            "Dog": ("un perro", "perros"),
            "Cat": ("un gato", "gatos"),
            "Bird": ("un pájaro", "pájaros"),
            "Horse": ("un caballo", "caballos"),
            "Car": ("un coche", "coches"),
            "Truck": ("un camión", "camiones"),
            "Bus": ("un autobús", "autobuses"),
            "Motorcycle": ("una moto", "motos"),
            "Bicycle": ("una bicicleta", "bicicletas"),
            "Package": ("un paquete", "paquetes"),
        },
        seen="{place}: {what}",
        nothing="{place}: una foto",
        no_picture="{place}: sin foto",
        together="{first} y {last}",
        pictures=("1 foto", "{count} fotos"),
        cameras=("{pictures}: {place}", "{pictures} de {count} cámaras"),
        between="{what} entre las {since} y las {until}",
        snooze="Silenciar",
        opens="se abre hasta {until}",
    ),
    "fr": Words(
        things={
            "Person": ("une personne", "personnes"),
            "Dog": ("un chien", "chiens"),
            "Cat": ("un chat", "chats"),
            "Bird": ("un oiseau", "oiseaux"),
            "Horse": ("un cheval", "chevaux"),
            "Car": ("une voiture", "voitures"),
            "Truck": ("un camion", "camions"),
            "Bus": ("un bus", "bus"),
            "Motorcycle": ("une moto", "motos"),
            "Bicycle": ("un vélo", "vélos"),
            "Package": ("un colis", "colis"),
        },
        seen="{place} : {what}",
        nothing="{place} : une photo",
        no_picture="{place} : pas de photo",
        together="{first} et {last}",
        pictures=("1 photo", "{count} photos"),
        cameras=("{pictures} : {place}", "{pictures} de {count} caméras"),
        between="{what} entre {since} et {until}",
        snooze="Mettre en pause",
        opens="accessible jusqu'au {until}",
    ),
    "af": Words(
        things={
            "Person": ("'n persoon", "persone"),
            "Dog": ("'n hond", "honde"),
            "Cat": ("'n kat", "katte"),
            "Bird": ("'n voël", "voëls"),
            "Horse": ("'n perd", "perde"),
            "Car": ("'n motor", "motors"),
            "Truck": ("'n vragmotor", "vragmotors"),
            "Bus": ("'n bus", "busse"),
            "Motorcycle": ("'n motorfiets", "motorfietse"),
            "Bicycle": ("'n fiets", "fietse"),
            "Package": ("'n pakkie", "pakkies"),
        },
        seen="{what} by {place}",
        nothing="Foto van {place}",
        no_picture="Geen foto van {place} nie",
        together="{first} en {last}",
        pictures=("1 foto", "{count} foto's"),
        cameras=("{pictures} van {place}", "{pictures} van {count} kameras"),
        between="{what} tussen {since} en {until}",
        snooze="Sluimer",
        opens="gaan oop tot {until}",
    ),
}


def listed(things: Sequence[tuple[str, int]], words: Words) -> str:
    """Labels and how many of each: `Person`, `2 persons and a dog`; a label of no table stays as it is."""
    if len(things) == 1 and things[0][1] == 1:
        one = _one(things[0][0], words)
        return _capital(one.partition(" ")[2] or one)
    texts = [_one(name, words) if count == 1 else f"{count} {_many(name, words)}" for name, count in things]
    if len(texts) < 2:
        return "".join(texts)
    return _capital(words.together.format(first=", ".join(texts[:-1]), last=texts[-1]))


def seen(things: Sequence[tuple[str, int]], place: str, words: Words) -> str:
    """What was seen where: `2 persons and a dog at Front Door`."""
    sentence = words.seen if things else words.nothing
    return sentence.format(what=listed(things, words), place=place)


def digest(count: int, places: Sequence[str], since: str, until: str, words: Words) -> str:
    """What several messages in one are about: `12 pictures of 3 cameras between 22:10 and 22:20`."""
    pictures = words.pictures[count != 1].format(count=count)
    what = words.cameras[len(places) != 1].format(pictures=pictures, place=places[0], count=len(places))
    return words.between.format(what=what, since=since, until=until)


def _one(name: str, words: Words) -> str:
    return words.things[name][0] if name in words.things else name


def _many(name: str, words: Words) -> str:
    return words.things[name][1] if name in words.things else name


def _capital(text: str) -> str:
    # An article that begins with an apostrophe is never large: 'n Hond.
    return text if text.startswith("'") else text[:1].upper() + text[1:]
