"""Pictures of one shape in one colour, and captions: what the tiny CLIP was trained on, and is tried on."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

SIDE = 32
COLOURS = {
    "red": (210, 40, 40),
    "green": (50, 160, 60),
    "blue": (40, 70, 200),
    "yellow": (235, 210, 50),
    "purple": (140, 50, 170),
    "white": (245, 245, 245),
}
SHAPES = ("circle", "square", "triangle", "cross", "ring", "star")
PAIRS = [(colour, shape) for colour in COLOURS for shape in SHAPES]
#: Never shown in training: every colour and every shape once.
HELD_OUT = list(zip(COLOURS, ("triangle", "ring", "star", "square", "circle", "cross"), strict=True))
_LARGER = 4


def draw(colour: str, shape: str, random: np.random.Generator, side: int = SIDE) -> Image.Image:
    """Draw a shape of any size and turn, somewhere on grey that is darker."""
    ground = int(random.integers(0, 110))
    ink = tuple(int(np.clip(v + random.integers(-18, 19), 0, 255)) for v in COLOURS[colour])
    picture = Image.new("RGB", (side * _LARGER,) * 2, (ground,) * 3)
    pen = ImageDraw.Draw(picture)
    radius = side * _LARGER * random.uniform(0.24, 0.36)
    x, y = random.uniform(radius, side * _LARGER - radius, 2)
    turn = random.uniform(-0.4, 0.4)

    def corner(share: float, distance: float) -> tuple[float, float]:
        angle = turn + 2 * math.pi * share - math.pi / 2
        return x + distance * math.cos(angle), y + distance * math.sin(angle)

    if shape in ("circle", "ring"):
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=ink)
        if shape == "ring":
            hole = radius * 0.55
            pen.ellipse([x - hole, y - hole, x + hole, y + hole], fill=(ground,) * 3)
    elif shape in ("square", "triangle"):
        corners = {"square": 4, "triangle": 3}[shape]
        pen.polygon([corner((i + 0.5 * (corners == 4)) / corners, radius) for i in range(corners)], fill=ink)
    elif shape == "star":
        pen.polygon([corner(i / 10, radius * (1.0 if i % 2 == 0 else 0.42)) for i in range(10)], fill=ink)
    else:
        for share in (0.0, 0.25):
            pen.line([corner(share, radius), corner(share + 0.5, radius)], fill=ink, width=int(radius * 0.55))
    return picture.resize((side, side), Image.Resampling.BOX)


def caption(colour: str, shape: str) -> str:
    """Say what `draw` draws."""
    return f"a {colour} {shape}"
