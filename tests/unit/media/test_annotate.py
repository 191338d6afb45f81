"""What was seen is drawn where it was seen, and can be read."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from app.media.annotate import annotate
from app.media.picture import BadPicture
from app.messages import Box, Detection, Label
from tests.fakes.pictures import decoded, encoded, turned

MIDDLE = Box(0.25, 0.25, 0.5, 0.5)
ORANGE, CYAN = (255, 111, 0), (0, 200, 220)
GREY = (128, 128, 128)


def drawn(*labels: Label, size: tuple[int, int] = (640, 480), picture: bytes = b"") -> Image.Image:
    data = picture or encoded(Image.new("RGB", size, GREY), "PNG")
    return decoded(annotate(data, Detection(labels)))


def looks(image: Image.Image, point: tuple[float, float], colour: tuple[int, int, int]) -> bool:
    """Whether the colour is found within some pixels of a point given in fractions."""
    x, y = round(point[0] * image.width), round(point[1] * image.height)
    reach = max(4, min(image.size) // 100)
    return bool(near(image.crop((x - reach, y - reach, x + reach, y + reach)), colour).any())


def near(image: Image.Image, colour: tuple[int, int, int]) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Which pixels have about this colour."""
    distance = np.abs(np.asarray(image.convert("RGB"), dtype=np.int16) - np.array(colour, dtype=np.int16))
    return np.asarray(distance.max(axis=2) < 60)


def inked(image: Image.Image, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """The smallest rectangle that holds all pixels of a colour."""
    rows, columns = np.nonzero(near(image, colour))
    assert rows.size
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


@pytest.mark.parametrize("size", [(100, 80), (320, 240), (640, 480), (1920, 1080), (600, 2400)])
def test_a_box_is_drawn_at_its_place_in_pictures_of_any_size(size: tuple[int, int]) -> None:
    image = drawn(Label("Person", 0.93, (MIDDLE,)), size=size)
    for point in ((0.25, 0.5), (0.75, 0.5), (0.5, 0.25), (0.5, 0.75)):
        assert looks(image, point, ORANGE)
    assert not looks(image, (0.5, 0.5), ORANGE)


def test_persons_have_a_colour_of_their_own() -> None:
    image = drawn(Label("Dog", 0.8, (Box(0.1, 0.5, 0.2, 0.3),)), Label("Person", 0.9, (Box(0.6, 0.4, 0.2, 0.5),)))
    assert looks(image, (0.1, 0.65), CYAN)
    assert looks(image, (0.6, 0.65), ORANGE)


def test_what_stands_still_has_neither() -> None:
    image = drawn(Label("Person", 0.9, (Box(0.6, 0.4, 0.2, 0.5, still=True),)))
    assert looks(image, (0.6, 0.65), (205, 206, 212))
    assert not near(image, ORANGE).any()


def test_a_small_picture_is_enlarged_until_names_can_be_read() -> None:
    assert drawn(Label("Person", 0.9, (MIDDLE,)), size=(96, 80)).size == (288, 240)


def test_the_name_grows_with_the_picture() -> None:
    heights = []
    for size in ((640, 480), (2560, 1920)):
        image = drawn(Label("Person", 0.93, (MIDDLE,)), size=size)
        band = image.crop((0, 0, image.width, round(image.height * 0.245)))  # above the box is the tag alone
        _, top, _, bottom = inked(band, ORANGE)
        heights.append(bottom - top)
    assert heights[0] >= 12
    assert heights[1] > 3 * heights[0]


@pytest.mark.parametrize(
    "box",
    [
        Box(0, 0, 0.2, 0.3),
        Box(0.9, 0, 0.1, 0.2),
        Box(0, 0.8, 0.1, 0.2),
        Box(0.95, 0.9, 0.3, 0.4),
        Box(0, 0, 1, 1),
    ],
)
def test_a_name_stays_inside_the_picture(box: Box) -> None:
    label = Label("Motorcycle", 0.99, (box,))
    image = drawn(label)
    free = drawn(Label("Motorcycle", 0.99, (Box(0.4, 0.4, 0.01, 0.01),)))
    left, top, right, bottom = inked(free, CYAN)
    tag_width, tag_height = right - left, bottom - top - 8
    edge = inked(image, CYAN)
    assert edge[2] - edge[0] >= tag_width - 4
    assert edge[3] - edge[1] >= tag_height - 4
    assert edge[0] >= 0
    assert edge[2] < image.width


def test_two_names_of_one_place_do_not_cover_each_other() -> None:
    image = drawn(Label("Person", 0.9, (MIDDLE,)), Label("Man", 0.8, (MIDDLE,)))
    left, top, right, bottom = (0.25 * 640, 0.25 * 480, 0.75 * 640, 0.75 * 480)
    outside = image.crop((0, 0, 640, int(top) - 3))
    below = image.crop((int(left) + 8, int(top) + 8, int(right) - 8, int(bottom) - 8))
    assert inked(outside, ORANGE)
    assert inked(below, CYAN)


def test_a_name_too_long_for_the_picture_is_shortened() -> None:
    image = drawn(Label("Rhinoceros " * 30, 0.5, (MIDDLE,)), size=(240, 240))
    left, _, right, _ = inked(image, CYAN)
    assert left <= 2
    assert right >= 236


def test_a_label_without_a_box_is_not_drawn() -> None:
    blank = drawn()
    assert drawn(Label("Outdoors", 0.99)).tobytes() == blank.tobytes()


def test_every_box_of_a_label_is_drawn() -> None:
    image = drawn(Label("Person", 0.9, (Box(0.1, 0.3, 0.1, 0.5), Box(0.7, 0.3, 0.1, 0.5))))
    assert looks(image, (0.1, 0.6), ORANGE)
    assert looks(image, (0.7, 0.6), ORANGE)


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (3, 3)])
def test_the_oddest_sizes_are_no_trouble(size: tuple[int, int]) -> None:
    assert drawn(Label("Person", 1.0, (MIDDLE, Box(-1, -1, 9, 9), Box(2, 2, 0, 0))), size=size).format == "JPEG"


def test_a_name_may_hold_anything() -> None:
    assert drawn(Label("two\nlines\t and 猫", 0.5, (MIDDLE,))).size == (640, 480)


def test_boxes_belong_to_the_upright_picture() -> None:
    lying = turned(Image.new("RGB", (640, 480), GREY), 6)
    image = drawn(Label("Person", 0.9, (Box(0.1, 0.3, 0.1, 0.5),)), picture=lying)
    assert image.size == (640, 480)
    assert looks(image, (0.1, 0.6), ORANGE)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(BadPicture):
        annotate(b"nothing", Detection())
