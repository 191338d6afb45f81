"""Draws a cat: something that moves and is no person."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw

from app.cameras.demo.daylight import Colour, mix

_OVERSAMPLING = 3


def draw_cat(length: int, stride: float, *, facing: int, colour: Colour) -> Image.Image:
    """A transparent picture of a cat `length` pixels long, its paws on the lower edge.

    `stride` counts strides; `facing` is 1 for walking to the right, -1 to the left.
    """
    unit = length * _OVERSAMPLING / 100
    canvas = Image.new("RGBA", (round(100 * unit), round(72 * unit)))
    draw = ImageDraw.Draw(canvas)
    dark = mix(colour, (0, 0, 0), 0.3)

    def oval(fill: Colour, x: float, y: float, across: float, up: float) -> None:
        draw.ellipse(((x - across) * unit, (y - up) * unit, (x + across) * unit, (y + up) * unit), fill=fill)

    for paw, (x, turn) in enumerate([(30, 0.0), (64, 0.5), (36, 0.5), (70, 0.0)]):
        foot = x + 5 * math.sin((stride + turn) * math.tau)
        fill = dark if paw < 2 else colour
        draw.line([(x * unit, 46 * unit), (foot * unit, 69 * unit)], fill=fill, width=round(6 * unit))
        oval(fill, foot + 1, 69.5, 4, 2.5)
    draw.arc((4 * unit, 8 * unit, 30 * unit, 56 * unit), 70, 230, fill=dark, width=round(5 * unit))
    oval(colour, 50, 42, 27, 12)
    oval(colour, 78, 30, 11, 10)
    for ear in (70, 82):
        tip = [(ear - 3, 25), (ear + 1, 13), (ear + 6, 23)]
        draw.polygon([(x * unit, y * unit) for x, y in tip], fill=colour)
    oval((40, 44, 36), 83, 28, 1.6, 2.0)
    oval((214, 140, 140), 88.5, 32, 1.6, 1.2)
    if facing < 0:
        canvas = canvas.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return canvas.resize((canvas.width // _OVERSAMPLING, canvas.height // _OVERSAMPLING), Image.Resampling.LANCZOS)
