"""Draws places around a house as a camera would see them: a front, a garden and a drive."""

from __future__ import annotations

import random
from collections.abc import Callable

from PIL import Image

from app.cameras.demo.canvas import Canvas
from app.cameras.demo.daylight import Daylight, mix
from app.cameras.demo.scenery import bush, car, flowers, lantern, lawn, roof, sky, tree, wall, window


def draw_scene(place: str, light: Daylight, *, seed: int) -> Image.Image:
    """One of `PLACES` in this light, without visitors; `seed` scatters leaves and clouds."""
    canvas = Canvas(light, random.Random(seed))
    PLACES[place](canvas)
    return canvas.finished()


# No path here runs as two slanting edges, and no trunk stands free: people detectors take them for legs.


def _front(canvas: Canvas) -> None:
    sky(canvas, 350)
    for x in range(-40, 1340, 90):
        bush(canvas, x, 360, 150, (92, 128, 84))
    lawn(canvas, 338)
    wall(canvas, (226, 214, 190), 170, 160, 1110, 452)
    roof(canvas, (150, 84, 66), 130, 48, 1150, 160)
    canvas.box((140, 88, 72), 900, 20, 956, 84)
    window(canvas, 270, 226, 410, 336)
    window(canvas, 880, 226, 1020, 336)
    # The door: frame, leaf, pane, knob and two steps
    canvas.box((236, 230, 218), 566, 226, 714, 452)
    canvas.box((74, 104, 112), 578, 238, 702, 452)
    canvas.box((92, 124, 132), 592, 252, 688, 330)
    canvas.lamp(600, 260, 680, 322)
    canvas.oval((220, 190, 100), 690, 360, 4, 4)
    lantern(canvas, 738, 262)
    canvas.box((176, 170, 160), 548, 452, 732, 464)
    canvas.box((160, 154, 146), 532, 464, 748, 478)
    for x in (200, 300, 380, 470, 800, 900, 990, 1070):
        bush(canvas, x, 470, 74)
    flowers(canvas, 180, 520, 476, 60)
    flowers(canvas, 760, 1100, 476, 60)
    stone = (192, 184, 170)
    for step in range(4):
        canvas.oval(stone, 640 + (-1) ** step * 14, 500 + step * 27, 46 + step * 7, 9 + step * 1.5)
    canvas.shape(stone, (0, 612), (1280, 592), (1280, 664), (0, 690))
    for x in range(-60, 1340, 110):
        canvas.line(mix(stone, (90, 86, 80), 0.3), (x, 612 - x / 64), (x - 26, 690 - x / 49), 1.5)


def _garden(canvas: Canvas) -> None:
    sky(canvas, 330)
    for x in range(-40, 1340, 110):
        bush(canvas, x, 300, 170, (96, 130, 92))
    lawn(canvas, 330)
    wood = (176, 146, 112)
    canvas.box(wood, 0, 250, 1280, 368)
    for x in range(0, 1280, 20):
        canvas.line(mix(wood, (110, 84, 60), 0.3), (x, 250), (x, 368), 1)
    canvas.box(mix(wood, (110, 84, 60), 0.25), 0, 268, 1280, 276)
    canvas.box(mix(wood, (110, 84, 60), 0.25), 0, 338, 1280, 346)
    flowers(canvas, 0, 930, 378, 170)
    tree(canvas, 210, 420, 330)
    tree(canvas, 610, 384, 240)
    bush(canvas, 610, 400, 80)
    bush(canvas, 214, 438, 96)
    wall(canvas, (150, 120, 96), 930, 200, 1180, 412)
    roof(canvas, (96, 92, 96), 904, 140, 1206, 200)
    window(canvas, 1076, 250, 1146, 310)
    canvas.box((122, 94, 74), 960, 246, 1040, 412)
    # A bench
    canvas.box((130, 100, 78), 400, 398, 520, 408)
    canvas.box((130, 100, 78), 404, 366, 516, 376)
    for x in (412, 504):
        canvas.box((104, 80, 62), x, 366, x + 8, 430)
    sand = (200, 188, 156)
    for step in range(9):
        canvas.oval(sand, 990 - step * 112, 432 + step * 34, 44 + step * 8, 9 + step * 2)
    bush(canvas, 1230, 700, 150)
    bush(canvas, 1120, 720, 110)


def _drive(canvas: Canvas) -> None:
    sky(canvas, 340)
    for x in range(500, 1340, 100):
        bush(canvas, x, 340, 160, (92, 126, 88))
    lawn(canvas, 322)
    tree(canvas, 1150, 392, 300)
    wall(canvas, (206, 212, 214), 40, 150, 600, 470)
    roof(canvas, (104, 108, 120), 6, 56, 634, 150)
    # The garage door
    canvas.box((236, 236, 236), 110, 250, 430, 470)
    for y in range(262, 470, 42):
        canvas.box((218, 220, 222), 120, y, 420, y + 32)
    window(canvas, 486, 240, 556, 310)
    lantern(canvas, 452, 256)
    bush(canvas, 610, 478, 90)
    asphalt = (150, 150, 154)
    canvas.shape(asphalt, (90, 470), (450, 470), (700, 520), (1280, 520), (1280, 620), (760, 720), (0, 720), (0, 560))
    canvas.shape(mix(asphalt, (255, 255, 255), 0.15), (0, 640), (1280, 600), (1280, 680), (0, 720))
    # A picket fence
    for x in range(640, 1290, 34):
        canvas.box((238, 236, 230), x, 398, x + 16, 446)
    canvas.box((226, 224, 218), 630, 408, 1280, 416)
    canvas.box((226, 224, 218), 630, 430, 1280, 438)
    flowers(canvas, 640, 1270, 456, 90)
    car(canvas, 720, 566)


PLACES: dict[str, Callable[[Canvas], None]] = {"front": _front, "garden": _garden, "drive": _drive}
"""The places that can be drawn."""
