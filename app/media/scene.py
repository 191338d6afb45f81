"""Places around a house, drawn as a camera would see them: a front, a garden and a drive."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from app.media.daylight import Colour, Daylight, mix

SIZE = (1280, 720)
"""Pixels of a scene."""

_OVERSAMPLING = 2
"""Drawn this many times larger and scaled down, for smooth edges."""

_GLASS = (86, 110, 130)
_WARM = (255, 214, 130)

Point = tuple[float, float]


def draw_scene(place: str, light: Daylight, *, seed: int) -> Image.Image:
    """One of `PLACES` in this light, without anybody in it; `seed` scatters leaves and clouds."""
    canvas = Canvas(light, random.Random(seed))
    PLACES[place](canvas)
    return canvas.finished()


def _sky(canvas: Canvas, horizon: int) -> None:
    light = canvas.light

    # The sky shines by itself: undo the light that will be taken from all the picture.
    def own(colour: Colour) -> Colour:
        red, green, blue = (min(255, c * 255 // by) for c, by in zip(colour, light.light, strict=True))
        return red, green, blue

    for y in range(0, horizon, 2):
        canvas.box(own(mix(light.zenith, light.horizon, y / horizon)), 0, y, SIZE[0], y + 2)
    if light.sun:
        x = 120 + (light.hour - 6.5) / 13 * 1040
        canvas.oval(own(mix(light.zenith, (255, 244, 200), 0.8)), x, 44, 20, 20)
    else:
        for _ in range(90):
            canvas.oval(
                own((220, 226, 240)),
                canvas.chance.uniform(0, 1280),
                canvas.chance.uniform(0, horizon),
                0.9,
                0.9,
            )
        canvas.oval(own((236, 236, 220)), 1010, 66, 22, 22)
    for _ in range(4):
        x, y = canvas.chance.uniform(40, 1240), canvas.chance.uniform(30, horizon * 0.5)
        for dx, dy, size in ((-38, 6, 20), (-12, -4, 28), (20, 0, 24), (46, 8, 16)):
            canvas.oval(
                own(mix(light.horizon, (255, 255, 255), 0.35 if light.sun else 0.03)),
                x + dx,
                y + dy,
                size * 1.5,
                size * 0.55,
            )


def _lawn(canvas: Canvas, top: int) -> None:
    near, far = (98, 142, 70), (124, 164, 92)
    for y in range(top, SIZE[1], 2):
        canvas.box(mix(far, near, (y - top) / (SIZE[1] - top)), 0, y, SIZE[0], y + 2)
    for _ in range(1500):
        x, y = canvas.chance.uniform(0, 1280), canvas.chance.uniform(top, 720)
        size = 2 + 6 * (y - top) / (SIZE[1] - top)
        shade = mix(far, near, (y - top) / (SIZE[1] - top))
        tint = mix(shade, (60, 100, 40) if canvas.chance.random() < 0.5 else (170, 196, 110), 0.3)
        canvas.line(tint, (x, y), (x + canvas.chance.uniform(-3, 3), y - size), 1)


def _bush(canvas: Canvas, x: float, y: float, size: float, colour: Colour = (74, 116, 60)) -> None:
    for _ in range(60):
        dx, dy = (
            canvas.chance.triangular(-1, 1) * size * 0.7,
            -canvas.chance.triangular(0, 1, 0.2) * size * 0.7,
        )
        tint = mix(
            colour, (176, 204, 120) if dy < -size * 0.35 else (30, 56, 30), canvas.chance.uniform(0, 0.35)
        )
        canvas.oval(tint, x + dx * (1 + dy / size), y + dy - size * 0.1, size * 0.17, size * 0.13)


def _tree(canvas: Canvas, x: float, y: float, size: float) -> None:
    wide, thin, crotch = size * 0.07, size * 0.045, y - size * 0.7
    canvas.shape((104, 82, 60), (x - wide, y), (x + wide, y), (x + thin, crotch), (x - thin, crotch))
    for _ in range(150):
        angle, far = canvas.chance.uniform(0, math.tau), math.sqrt(canvas.chance.random()) * size
        dx, dy = math.cos(angle) * far * 0.48, math.sin(angle) * far * 0.34
        tint = mix(
            (84, 130, 66), (188, 210, 120) if dx + dy < 0 else (40, 76, 40), canvas.chance.uniform(0, 0.4)
        )
        canvas.oval(tint, x + dx, y - size * 0.92 + dy, size * 0.085, size * 0.07)


def _flowers(canvas: Canvas, left: float, right: float, y: float, count: int) -> None:
    canvas.box((110, 88, 66), left, y - 4, right, y + 14)
    for _ in range(count):
        x, up = canvas.chance.uniform(left, right), canvas.chance.uniform(4, 26)
        canvas.line((70, 120, 60), (x, y + 8), (x, y - up), 2)
        canvas.oval(
            canvas.chance.choice(((222, 80, 92), (240, 190, 60), (236, 232, 240), (170, 110, 200))),
            x,
            y - up,
            5,
            5,
        )


def _wall(canvas: Canvas, colour: Colour, left: float, top: float, right: float, bottom: float) -> None:
    canvas.box(colour, left, top, right, bottom)
    seam = mix(colour, (120, 100, 80), 0.13)
    for y in range(round(top) + 16, round(bottom), 16):
        canvas.line(seam, (left, y), (right, y), 1)
    canvas.box(mix(colour, (60, 60, 60), 0.5), left, bottom - 14, right, bottom)


def _roof(canvas: Canvas, colour: Colour, left: float, top: float, right: float, bottom: float) -> None:
    slant = (bottom - top) * 0.7
    canvas.shape(colour, (left, bottom), (left + slant, top), (right - slant, top), (right, bottom))
    for i in range(1, 7):
        y = top + (bottom - top) * i / 7
        inset = slant * (bottom - y) / (bottom - top)
        canvas.line(mix(colour, (40, 24, 20), 0.25), (left + inset, y), (right - inset, y), 2)
    canvas.box((236, 232, 224), left - 4, bottom, right + 4, bottom + 9)


def _front(canvas: Canvas) -> None:
    _sky(canvas, 350)
    for x in range(-40, 1340, 90):
        _bush(canvas, x, 360, 150, (92, 128, 84))
    _lawn(canvas, 338)
    _wall(canvas, (226, 214, 190), 170, 160, 1110, 452)
    _roof(canvas, (150, 84, 66), 130, 48, 1150, 160)
    canvas.box((140, 88, 72), 900, 20, 956, 84)
    canvas.window(270, 226, 410, 336)
    canvas.window(880, 226, 1020, 336)
    canvas.box((236, 230, 218), 566, 226, 714, 452)
    canvas.box((74, 104, 112), 578, 238, 702, 452)
    canvas.box((92, 124, 132), 592, 252, 688, 330)
    canvas.lamp(600, 260, 680, 322)
    canvas.oval((220, 190, 100), 690, 360, 4, 4)
    canvas.box((60, 60, 60), 738, 262, 750, 286)
    canvas.lamp(739, 266, 749, 284)
    canvas.box((176, 170, 160), 548, 452, 732, 464)
    canvas.box((160, 154, 146), 532, 464, 748, 478)
    for x in (200, 300, 380, 470, 800, 900, 990, 1070):
        _bush(canvas, x, 470, 74)
    _flowers(canvas, 180, 520, 476, 60)
    _flowers(canvas, 760, 1100, 476, 60)
    stone = (192, 184, 170)
    for step in range(4):
        canvas.oval(stone, 640 + (-1) ** step * 14, 500 + step * 27, 46 + step * 7, 9 + step * 1.5)
    canvas.shape(stone, (0, 612), (1280, 592), (1280, 664), (0, 690))
    for x in range(-60, 1340, 110):
        canvas.line(mix(stone, (90, 86, 80), 0.3), (x, 612 - x / 64), (x - 26, 690 - x / 49), 1.5)


def _garden(canvas: Canvas) -> None:
    _sky(canvas, 330)
    for x in range(-40, 1340, 110):
        _bush(canvas, x, 300, 170, (96, 130, 92))
    _lawn(canvas, 330)
    wood = (176, 146, 112)
    canvas.box(wood, 0, 250, 1280, 368)
    for x in range(0, 1280, 20):
        canvas.line(mix(wood, (110, 84, 60), 0.3), (x, 250), (x, 368), 1)
    canvas.box(mix(wood, (110, 84, 60), 0.25), 0, 268, 1280, 276)
    canvas.box(mix(wood, (110, 84, 60), 0.25), 0, 338, 1280, 346)
    _flowers(canvas, 0, 930, 378, 170)
    _tree(canvas, 210, 420, 330)
    _tree(canvas, 610, 384, 240)
    _bush(canvas, 610, 400, 80)
    _bush(canvas, 214, 438, 96)
    _wall(canvas, (150, 120, 96), 930, 200, 1180, 412)
    _roof(canvas, (96, 92, 96), 904, 140, 1206, 200)
    canvas.window(1076, 250, 1146, 310)
    canvas.box((122, 94, 74), 960, 246, 1040, 412)
    canvas.box((130, 100, 78), 400, 398, 520, 408)
    canvas.box((130, 100, 78), 404, 366, 516, 376)
    for x in (412, 504):
        canvas.box((104, 80, 62), x, 366, x + 8, 430)
    sand = (200, 188, 156)
    for step in range(9):
        canvas.oval(sand, 990 - step * 112, 432 + step * 34, 44 + step * 8, 9 + step * 2)
    _bush(canvas, 1230, 700, 150)
    _bush(canvas, 1120, 720, 110)


def _drive(canvas: Canvas) -> None:
    _sky(canvas, 340)
    for x in range(500, 1340, 100):
        _bush(canvas, x, 340, 160, (92, 126, 88))
    _lawn(canvas, 322)
    _tree(canvas, 1150, 392, 300)
    _wall(canvas, (206, 212, 214), 40, 150, 600, 470)
    _roof(canvas, (104, 108, 120), 6, 56, 634, 150)
    canvas.box((236, 236, 236), 110, 250, 430, 470)
    for y in range(262, 470, 42):
        canvas.box((218, 220, 222), 120, y, 420, y + 32)
    canvas.window(486, 240, 556, 310)
    canvas.box((70, 70, 70), 452, 256, 464, 278)
    canvas.lamp(453, 260, 463, 276)
    _bush(canvas, 610, 478, 90)
    asphalt = (150, 150, 154)
    canvas.shape(
        asphalt, (90, 470), (450, 470), (700, 520), (1280, 520), (1280, 620), (760, 720), (0, 720), (0, 560)
    )
    canvas.shape(mix(asphalt, (255, 255, 255), 0.15), (0, 640), (1280, 600), (1280, 680), (0, 720))
    for x in range(640, 1290, 34):
        canvas.box((238, 236, 230), x, 398, x + 16, 446)
    canvas.box((226, 224, 218), 630, 408, 1280, 416)
    canvas.box((226, 224, 218), 630, 430, 1280, 438)
    _flowers(canvas, 640, 1270, 456, 90)
    _car(canvas, 720, 566)


def _car(canvas: Canvas, x: float, y: float) -> None:
    """A parked car; `x` is its left end and `y` the ground."""
    paint = (178, 60, 52)
    canvas.oval((88, 96, 74), x + 160, y - 2, 172, 14)
    canvas.shape(paint, (x + 60, y - 70), (x + 100, y - 118), (x + 216, y - 118), (x + 262, y - 72))
    canvas.shape(_GLASS, (x + 76, y - 72), (x + 106, y - 110), (x + 152, y - 110), (x + 152, y - 72))
    canvas.shape(_GLASS, (x + 160, y - 72), (x + 160, y - 110), (x + 210, y - 110), (x + 244, y - 72))
    canvas.shape(
        paint,
        (x, y - 24),
        (x + 8, y - 64),
        (x + 60, y - 74),
        (x + 270, y - 74),
        (x + 318, y - 60),
        (x + 324, y - 24),
    )
    canvas.box(mix(paint, (0, 0, 0), 0.3), x + 4, y - 32, x + 322, y - 22)
    for wheel in (x + 70, x + 256):
        canvas.oval((36, 36, 38), wheel, y - 24, 28, 28)
        canvas.oval((170, 172, 176), wheel, y - 24, 14, 14)
    canvas.oval((250, 240, 200), x + 314, y - 52, 8, 7)


PLACES: dict[str, Callable[[Canvas], None]] = {"front": _front, "garden": _garden, "drive": _drive}
"""What can be drawn."""
