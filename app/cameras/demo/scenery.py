"""Draws what stands around a house: sky, lawn, trees, walls, windows, a car."""

from __future__ import annotations

import math

from app.cameras.demo.canvas import SIZE, Canvas
from app.cameras.demo.daylight import Colour, mix

GLASS = (86, 110, 130)


def sky(canvas: Canvas, horizon: int) -> None:
    """Sky down to `horizon`, with sun and clouds or moon and stars."""
    light, chance = canvas.light, canvas.chance
    for row in range(0, horizon, 2):
        canvas.box(canvas.shining(mix(light.zenith, light.horizon, row / horizon)), 0, row, SIZE[0], row + 2)
    if light.sun:
        x = 120 + (light.hour - 6.5) / 13 * 1040
        canvas.oval(canvas.shining(mix(light.zenith, (255, 244, 200), 0.8)), x, 44, 20, 20)
    else:
        for _ in range(90):
            canvas.oval(canvas.shining((220, 226, 240)), chance.uniform(0, 1280), chance.uniform(0, horizon), 0.9, 0.9)
        canvas.oval(canvas.shining((236, 236, 220)), 1010, 66, 22, 22)
    cloud = canvas.shining(mix(light.horizon, (255, 255, 255), 0.35 if light.sun else 0.03))
    for _ in range(4):
        x, y = chance.uniform(40, 1240), chance.uniform(30, horizon * 0.5)
        for dx, dy, size in ((-38, 6, 20), (-12, -4, 28), (20, 0, 24), (46, 8, 16)):
            canvas.oval(cloud, x + dx, y + dy, size * 1.5, size * 0.55)


def lawn(canvas: Canvas, top: int) -> None:
    """Grass from `top` down to the lower edge, its blades longer the nearer they are."""
    near, far = (98, 142, 70), (124, 164, 92)
    depth = SIZE[1] - top
    for row in range(top, SIZE[1], 2):
        canvas.box(mix(far, near, (row - top) / depth), 0, row, SIZE[0], row + 2)
    for _ in range(1500):
        x, y = canvas.chance.uniform(0, SIZE[0]), canvas.chance.uniform(top, SIZE[1])
        nearness = (y - top) / depth
        tint = (60, 100, 40) if canvas.chance.random() < 0.5 else (170, 196, 110)
        tip = (x + canvas.chance.uniform(-3, 3), y - 2 - 6 * nearness)
        canvas.line(mix(mix(far, near, nearness), tint, 0.3), (x, y), tip, 1)


def bush(canvas: Canvas, x: float, y: float, size: float, colour: Colour = (74, 116, 60)) -> None:
    """Leaves around a foot at (x, y)."""
    for _ in range(60):
        dx = canvas.chance.triangular(-1, 1) * size * 0.7
        dy = -canvas.chance.triangular(0, 1, 0.2) * size * 0.7
        tint = mix(colour, (176, 204, 120) if dy < -size * 0.35 else (30, 56, 30), canvas.chance.uniform(0, 0.35))
        canvas.oval(tint, x + dx * (1 + dy / size), y + dy - size * 0.1, size * 0.17, size * 0.13)


def tree(canvas: Canvas, x: float, y: float, size: float) -> None:
    """A tree whose foot stands at (x, y)."""
    wide, thin, crotch = size * 0.07, size * 0.045, y - size * 0.7
    canvas.shape((104, 82, 60), (x - wide, y), (x + wide, y), (x + thin, crotch), (x - thin, crotch))
    for _ in range(150):
        angle, far = canvas.chance.uniform(0, math.tau), math.sqrt(canvas.chance.random()) * size
        dx, dy = math.cos(angle) * far * 0.48, math.sin(angle) * far * 0.34
        tint = mix((84, 130, 66), (188, 210, 120) if dx + dy < 0 else (40, 76, 40), canvas.chance.uniform(0, 0.4))
        canvas.oval(tint, x + dx, y - size * 0.92 + dy, size * 0.085, size * 0.07)


def flowers(canvas: Canvas, left: float, right: float, y: float, count: int) -> None:
    """A bed of flowers along `y`."""
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


def wall(canvas: Canvas, colour: Colour, left: float, top: float, right: float, bottom: float) -> None:
    """A boarded wall with a plinth."""
    canvas.box(colour, left, top, right, bottom)
    seam = mix(colour, (120, 100, 80), 0.13)
    for y in range(round(top) + 16, round(bottom), 16):
        canvas.line(seam, (left, y), (right, y), 1)
    canvas.box(mix(colour, (60, 60, 60), 0.5), left, bottom - 14, right, bottom)


def roof(canvas: Canvas, colour: Colour, left: float, top: float, right: float, bottom: float) -> None:
    """A hipped roof with its gutter on `bottom`."""
    slant = (bottom - top) * 0.7
    canvas.shape(colour, (left, bottom), (left + slant, top), (right - slant, top), (right, bottom))
    for i in range(1, 7):
        y = top + (bottom - top) * i / 7
        inset = slant * (bottom - y) / (bottom - top)
        canvas.line(mix(colour, (40, 24, 20), 0.25), (left + inset, y), (right - inset, y), 2)
    canvas.box((236, 232, 224), left - 4, bottom, right + 4, bottom + 9)


def window(canvas: Canvas, left: float, top: float, right: float, bottom: float) -> None:
    """A window with its frame, lit at night."""
    canvas.box((232, 228, 220), left - 7, top - 7, right + 7, bottom + 9)
    canvas.box(GLASS, left, top, right, bottom)
    gleam = mix(GLASS, (255, 255, 255), 0.22)
    canvas.shape(gleam, (left, bottom), (left + 40, top), (left + 70, top), (left, bottom - 6))
    canvas.lamp(left, top, right, bottom)


def lantern(canvas: Canvas, x: float, y: float) -> None:
    """A wall lantern whose upper left corner is (x, y)."""
    canvas.box((64, 64, 64), x, y, x + 12, y + 24)
    canvas.lamp(x + 1, y + 4, x + 11, y + 22)


def car(canvas: Canvas, x: float, y: float) -> None:
    """A parked car; `x` is its left end and `y` the ground."""
    paint = (178, 60, 52)
    canvas.oval((88, 96, 74), x + 160, y - 2, 172, 14)
    canvas.shape(paint, (x + 60, y - 70), (x + 100, y - 118), (x + 216, y - 118), (x + 262, y - 72))
    canvas.shape(GLASS, (x + 76, y - 72), (x + 106, y - 110), (x + 152, y - 110), (x + 152, y - 72))
    canvas.shape(GLASS, (x + 160, y - 72), (x + 160, y - 110), (x + 210, y - 110), (x + 244, y - 72))
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
