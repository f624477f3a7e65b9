"""Things that are no car: objects on a table, bicycles, and machines with round parts."""

from __future__ import annotations

import math

import numpy as np

from .no_car_canvas import BALL, TUBE, Canvas, Colour, box, colour_of, limb, oval
from .no_car_scenes import ground, sky, tree


def objects(canvas: Canvas) -> None:
    """Two to six of bottles, cups, fruit, boxes and books on a table."""
    random, wide = canvas.random, canvas.wide
    line = random.uniform(0.35, 0.6)
    wall, wood = colour_of(random, (0.3, 0.95), (0, 0.5)), colour_of(random, (0.3, 0.85), (0.1, 0.65), (0.03, 0.13))
    canvas.ramp(wall, wall * 0.8, line)
    canvas.mottle(0.05)
    canvas.fill(box(-0.1, line, wide + 0.1, 1.1), wood, (0, 0.1), grain=0.04)
    canvas.mottle(0.15, box(-0.1, line + 0.005, wide + 0.1, 1.1), (2, 30))
    count = int(random.integers(2, 7))
    places = np.linspace(0.12, 0.88, count) * wide + random.uniform(-0.06, 0.06, count)
    for foot, x in sorted(zip(random.uniform(line + 0.1, 0.95, count), random.permutation(places), strict=True)):
        size = random.uniform(0.1, 0.17) * (0.6 + foot * 0.6)
        canvas.shadow(oval(x + size * 0.35, foot, size * 1.2, size * 0.25), 0.55, 0.03)
        (_bottle, _cup, _fruit, _carton, _books)[random.integers(5)](canvas, x, foot, size)
    canvas.ramp_light(random.uniform(-0.2, 0.2))


def _bottle(canvas: Canvas, x: float, foot: float, size: float) -> None:
    random = canvas.random
    glass, tall = colour_of(random, (0.2, 0.85), (0.1, 0.8)), size * random.uniform(2.6, 4)
    half, neck = size * random.uniform(0.4, 0.6), size * random.uniform(0.13, 0.22)
    side = np.array(
        [(half * 0.9, 0), (half, -0.04 * tall), (half, -0.55 * tall), (half * 0.8, -0.64 * tall), (neck, -0.75 * tall), (neck, -tall)]
    )
    canvas.fill(np.concatenate([side, side[::-1] * (-1, 1)]) + (x, foot), glass, bulge=(0.4, 0))
    canvas.fill(box(x - half, foot - tall * 0.45, x + half, foot - tall * 0.15), colour_of(random, (0.6, 1), (0, 0.5)), bulge=TUBE)
    canvas.fill(box(x - neck * 1.15, foot - tall * 1.03, x + neck * 1.15, foot - tall * 0.93), colour_of(random), bulge=TUBE)
    canvas.fill(box(x - half * 0.65, foot - tall * 0.6, x - half * 0.45, foot - tall * 0.05, 0.02), (255, 255, 255), alpha=0.45)


def _cup(canvas: Canvas, x: float, foot: float, size: float) -> None:
    random = canvas.random
    glaze, tall, taper = colour_of(random, (0.4, 1), (0, 0.7)), size * random.uniform(1, 1.7), random.uniform(0.65, 1)
    half, round_share = size * 0.62, 0.28
    canvas.line(oval(x + half, foot - tall * 0.5, size * 0.3, tall * 0.28), glaze * 0.8, size * 0.13, True)
    bottom = oval(x, foot, half * taper, half * taper * round_share)[:17]
    canvas.fill(np.concatenate([bottom, [(x - half, foot - tall), (x + half, foot - tall)]]), glaze, bulge=TUBE)
    canvas.fill(oval(x, foot - tall, half, half * round_share), glaze * 0.9, (0, 0))
    canvas.fill(
        oval(x, foot - tall + size * 0.02, half * 0.9, half * round_share * 0.85), colour_of(random, (0.1, 0.6), (0.3, 0.8), (0.02, 0.1))
    )


def _fruit(canvas: Canvas, x: float, foot: float, size: float) -> None:
    random = canvas.random
    for _ in range(random.integers(1, 4)):
        radius, dx = size * random.uniform(0.5, 0.7), random.normal(0, 0.6) * size
        peel = colour_of(random, (0.5, 0.95), (0.5, 0.95), random.choice([(-0.03, 0.16), (0.2, 0.3)]))
        middle = foot - radius * 0.9
        canvas.fill(oval(x + dx, middle, radius, radius * random.uniform(0.85, 1)), peel, bulge=(0.3, 0.3), grain=0.04)
        canvas.line([(x + dx, middle - radius * 0.85), (x + dx + size * 0.06, middle - radius * 1.2)], (80, 60, 30), size * 0.06)
        canvas.shadow(oval(x + dx - radius * 0.35, middle - radius * 0.4, radius * 0.15, radius * 0.12), -0.6, 0.01)


def _carton(canvas: Canvas, x: float, foot: float, size: float) -> None:
    random = canvas.random
    card, tall = colour_of(random, (0.3, 0.95)), size * random.uniform(0.7, 2.4)
    left, right, slant = x - size * random.uniform(0.4, 0.9), x + size * random.uniform(0.4, 0.9), size * random.uniform(0.1, 0.3)
    ridge = (x + (left + right - 2 * x), foot - tall - slant * 1.6)
    canvas.fill([(left, foot - tall - slant), ridge, (right, foot - tall - slant), (x, foot - tall)], np.minimum(card * 1.2, 250))
    canvas.fill([(left, foot - tall - slant), (x, foot - tall), (x, foot), (left, foot - slant)], card, (0.05, 0.1))
    canvas.fill([(x, foot - tall), (right, foot - tall - slant), (right, foot - slant), (x, foot)], card * 0.65, (0.05, 0.1))
    label = [(0.2, 0.3), (0.8, 0.36), (0.8, 0.66), (0.2, 0.6)]
    canvas.fill(
        [(left + (x - left) * u, foot - tall + tall * v - slant * (1 - u)) for u, v in label], colour_of(random, (0.5, 1)), grain=0.08
    )


def _books(canvas: Canvas, x: float, foot: float, size: float) -> None:
    random = canvas.random
    for _ in range(random.integers(1, 5)):
        thick, half, shift = size * random.uniform(0.18, 0.4), size * random.uniform(0.8, 1.2), random.normal(0, 0.1) * size
        left, right, cover = x - half + shift, x + half + shift, colour_of(random, (0.2, 0.9))
        canvas.fill(
            [
                (left, foot - thick),
                (right, foot - thick),
                (right - size * 0.2, foot - thick - size * 0.2),
                (left + size * 0.2, foot - thick - size * 0.2),
            ],
            cover * 1.1,
        )
        canvas.fill(box(left, foot - thick, right, foot), cover)
        canvas.fill(box(left + size * 0.3, foot - thick * 0.85, right, foot - thick * 0.15), (235, 228, 210), grain=0.1)
        foot -= thick


def _floor(canvas: Canvas) -> float:
    """A wall and a floor, or the outdoors; returns the height where they meet."""
    random, wide = canvas.random, canvas.wide
    line = random.uniform(0.5, 0.75)
    if random.random() < 0.35:
        sky(canvas, line)
        ground(canvas, line, colour_of(random, (0.3, 0.65), (0.05, 0.5), (0.08, 0.35)))
        if random.random() < 0.5:
            tree(canvas, random.uniform(0, wide), line + 0.02, random.uniform(0.3, 0.6))
        return line
    wall, floor = colour_of(random, (0.5, 1), (0, 0.4)), colour_of(random, (0.25, 0.8), (0, 0.6), (0.03, 0.15))
    canvas.ramp(wall, wall * 0.85, line)
    canvas.mottle(0.04)
    canvas.fill(box(-0.1, line, wide + 0.1, 1.1), floor, (0, 0.15), grain=0.03, fur=random.uniform(0, 0.04))
    canvas.shadow(box(-0.2, line - 0.02, wide + 0.2, line + 0.015), 0.35, 0.02)
    return line


def _ring(canvas: Canvas, x: float, y: float, radius: float, colour: Colour, thickness: float, narrow: float = 1.0) -> None:
    canvas.line(oval(x, y, radius * narrow, radius, corners=48), colour, thickness, True)


def bicycle(canvas: Canvas) -> None:
    """A bicycle from the side, or a little foreshortened, against a wall or in the open."""
    random = canvas.random
    line = _floor(canvas)
    radius, narrow = random.uniform(0.16, 0.24), random.choice([1.0, random.uniform(0.6, 1)])
    foot = max(line + 0.05, random.uniform(0.75, 0.95))
    x, y = canvas.wide * random.uniform(0.4, 0.6), foot - radius
    half = radius * random.uniform(1.35, 1.6) * narrow
    paint, tube, black = colour_of(random, (0.1, 0.95), (0, 0.9)), radius * random.uniform(0.07, 0.12), np.array([28.0, 28, 30])
    rear, front = np.array([x - half, y]), np.array([x + half, y])
    canvas.shadow(limb(x - half * 1.7, foot, x + half * 1.7, foot, 0.03, 0.03), 0.55, 0.02)
    for hub in (rear, front):
        for angle in np.arange(14) * (math.pi / 7) + random.uniform(0, 1):
            canvas.line([hub, hub + (math.cos(angle) * radius * narrow, math.sin(angle) * radius)], (150, 150, 152), 0.003)
        _ring(canvas, *hub, radius * 0.93, (150, 150, 155), radius * 0.06, narrow)
        _ring(canvas, *hub, radius, black, radius * random.uniform(0.07, 0.14), narrow)
        canvas.fill(oval(*hub, radius * 0.08, radius * 0.08), (90, 90, 92))
    crank = np.array([x - half * 0.15, y + radius * 0.1])
    seat = np.array([x - half * 0.42, y - radius * random.uniform(0.9, 1.3)])
    stem = np.array([x + half * 0.68, y - radius * random.uniform(1.0, 1.35)])
    low = seat + (stem - seat) * (0, random.uniform(0, 1))
    for start, end in ((rear, crank), (rear, seat), (crank, seat), (crank, stem + (0, radius * 0.15)), (low, stem), (stem, front)):
        canvas.line([start, end], paint * 0.75, tube * 1.1)
        canvas.line([start - tube * 0.15, end - tube * 0.15], paint, tube * 0.6)
    canvas.line([seat, seat - (radius * 0.04, radius * 0.2)], (120, 120, 122), tube * 0.7)
    canvas.fill(oval(*(seat - (0, radius * 0.24)), radius * 0.3, radius * 0.08), black)
    grip = stem + (random.uniform(-0.3, 0.3) * radius, -radius * 0.3)
    canvas.line([stem, stem - (0, radius * 0.25), grip, grip + (radius * 0.2, radius * 0.15)], black, tube * 0.8)
    _ring(canvas, *crank, radius * 0.22, (70, 70, 72), radius * 0.06, narrow)
    turn = random.uniform(0, math.pi)
    arm = np.array([math.cos(turn), math.sin(turn)]) * radius * 0.4
    canvas.line([crank - arm, crank + arm], (90, 90, 92), radius * 0.05)
    for pedal in (crank - arm, crank + arm):
        canvas.line([pedal - (radius * 0.1, 0), pedal + (radius * 0.1, 0)], black, radius * 0.07)


def machine(canvas: Canvas) -> None:
    """Rounded boxes with discs in front or below: a washing machine, suitcase, pram, loudspeaker, cooker, fan or camera."""
    random = canvas.random
    line = _floor(canvas)
    foot = min(0.96, line + random.uniform(0.1, 0.3))
    x, size = canvas.wide * random.uniform(0.3, 0.7), random.uniform(0.24, 0.36)
    colour = colour_of(random, (0.15, 1), (0, 0.8)) if random.random() < 0.6 else colour_of(random, (0.85, 1), (0, 0.08))
    canvas.shadow(oval(x, foot, size * 1.1, size * 0.12), 0.6, 0.03)
    (_washer, _suitcase, _pram, _speaker, _cooker, _fan, _camera)[random.integers(7)](canvas, x, foot, size, colour)


def _disc(canvas: Canvas, x: float, y: float, radius: float, rim: Colour, inside: Colour) -> None:
    canvas.shadow(oval(x + radius * 0.08, y + radius * 0.1, radius, radius), 0.3, 0.015)
    canvas.fill(oval(x, y, radius, radius), rim, (-0.15, -0.2))
    canvas.fill(oval(x, y, radius * 0.74, radius * 0.74), inside, (0.15, 0.25), (0.1, 0.1))


def _washer(canvas: Canvas, x: float, foot: float, size: float, colour: np.ndarray) -> None:
    random = canvas.random
    half, tall = size * 0.85, size * random.uniform(1.9, 2.3)
    canvas.fill(box(x - half, foot - tall, x + half, foot, size * 0.08), colour, (0.1, 0.05))
    canvas.fill(box(x - half, foot - tall, x + half, foot - tall * 0.83, size * 0.06), colour * 0.85)
    _disc(canvas, x, foot - tall * 0.42, half * random.uniform(0.5, 0.7), (190, 192, 196), (50, 55, 65))
    canvas.fill(oval(x - half * 0.15, foot - tall * 0.48, half * 0.12, half * 0.2, 0.6), (230, 235, 240), alpha=0.4)
    _disc(canvas, x + half * random.uniform(0.2, 0.6), foot - tall * 0.92, half * 0.12, (200, 200, 200), (120, 120, 124))
    canvas.fill(box(x - half * 0.85, foot - tall * 0.96, x - half * 0.3, foot - tall * 0.87), (70, 74, 80))


def _suitcase(canvas: Canvas, x: float, foot: float, size: float, colour: np.ndarray) -> None:
    random = canvas.random
    half, tall, wheel = size * random.uniform(0.6, 1.1), size * random.uniform(1.2, 2), size * 0.12
    for side in (-0.3, 0.3):
        canvas.line([(x + side * half, foot - tall), (x + side * half, foot - tall - size * 0.5)], (130, 130, 132), size * 0.05)
    canvas.line([(x - 0.33 * half, foot - tall - size * 0.5), (x + 0.33 * half, foot - tall - size * 0.5)], (40, 40, 42), size * 0.09)
    for side in (-0.75, 0.75):
        canvas.fill(oval(x + side * half, foot - wheel, wheel, wheel), (35, 35, 37), bulge=BALL)
        canvas.fill(oval(x + side * half, foot - wheel, wheel * 0.4, wheel * 0.4), (130, 130, 130))
    canvas.fill(box(x - half, foot - tall, x + half, foot - wheel * 1.3, size * 0.15), colour, (-0.1, -0.05), grain=0.04)
    for place in np.linspace(-0.7, 0.7, int(random.integers(2, 7))):
        canvas.line([(x + place * half, foot - tall * 0.95), (x + place * half, foot - wheel * 2)], colour * 0.65, size * 0.03)


def _pram(canvas: Canvas, x: float, foot: float, size: float, colour: np.ndarray) -> None:
    random = canvas.random
    wheel, middle = size * random.uniform(0.25, 0.4), foot - size * 1.15
    bowl = oval(x, middle, size * 0.85, size * 0.6)[:17]
    hood = oval(x, middle, size * 0.85, size * 0.8)[16:26]
    canvas.line([(x - size * 0.7, foot - wheel), (x + size * 0.4, middle)], (140, 140, 142), size * 0.05)
    canvas.line([(x + size * 0.7, foot - wheel), (x - size * 0.4, middle)], (140, 140, 142), size * 0.05)
    canvas.line(
        [(x + size * 0.6, middle), (x + size * 1.15, middle - size * 0.45), (x + size * 1.3, middle - size * 0.45)],
        (60, 60, 62),
        size * 0.06,
    )
    canvas.fill(np.concatenate([hood, [(x, middle)]]), colour * 0.85, (0.1, -0.2), grain=0.04)
    canvas.fill(bowl, colour, bulge=(0.15, 0.1), grain=0.04)
    for side in (-0.7, 0.7):
        for angle in np.arange(8) * (math.pi / 4):
            hub = np.array([x + side * size, foot - wheel])
            canvas.line([hub, hub + (math.cos(angle) * wheel, math.sin(angle) * wheel)], (150, 150, 152), 0.003)
        _ring(canvas, x + side * size, foot - wheel, wheel, (35, 35, 37), size * 0.07)


def _speaker(canvas: Canvas, x: float, foot: float, size: float, colour: np.ndarray) -> None:
    random = canvas.random
    half, tall, count = size * random.uniform(0.5, 0.75), size * random.uniform(1.6, 2.3), int(random.integers(2, 4))
    canvas.fill(
        [(x + half, foot - tall), (x + half * 1.4, foot - tall * 0.97), (x + half * 1.4, foot - tall * 0.05), (x + half, foot)],
        colour * 0.3,
    )
    canvas.fill(box(x - half, foot - tall, x + half, foot, size * 0.05), colour * 0.6, (0, 0.1), fur=0.05)
    for k in range(count):
        radius = half * (0.72 - 0.2 * (count - 1 - k)) * (0.8 if count == 3 else 1)
        y = foot - tall * (1 - (k + 0.5) / count)
        _disc(canvas, x, y, radius, (70, 70, 74), (30, 30, 32))
        canvas.fill(oval(x, y, radius * 0.3, radius * 0.3), (90, 90, 94), bulge=BALL)


def _cooker(canvas: Canvas, x: float, foot: float, size: float, colour: np.ndarray) -> None:
    half, tall = size * 0.9, size * 1.8
    canvas.fill(
        [(x - half, foot - tall), (x + half, foot - tall), (x + half * 0.85, foot - tall * 1.15), (x - half * 0.85, foot - tall * 1.15)],
        (60, 60, 64),
    )
    for place in (-0.4, 0.4):
        canvas.fill(oval(x + half * place, foot - tall * 1.08, half * 0.25, half * 0.07), (25, 25, 27))
    canvas.fill(box(x - half, foot - tall, x + half, foot), colour, (0.1, 0.05))
    canvas.fill(box(x - half * 0.8, foot - tall * 0.68, x + half * 0.8, foot - tall * 0.15, size * 0.08), (40, 42, 46), (0.2, 0.3))
    canvas.line([(x - half * 0.7, foot - tall * 0.74), (x + half * 0.7, foot - tall * 0.74)], (200, 200, 202), size * 0.05)
    for place in np.linspace(-0.75, 0.75, 5):
        _disc(canvas, x + half * place, foot - tall * 0.89, half * 0.1, (50, 50, 52), (160, 160, 160))


def _fan(canvas: Canvas, x: float, foot: float, size: float, colour: np.ndarray) -> None:
    radius, y = size * 0.8, foot - size * 1.7
    canvas.fill(limb(x, foot, x, y, size * 0.12, size * 0.1), colour * 0.8, (0.3, 0))
    canvas.fill(oval(x, foot - size * 0.05, size * 0.5, size * 0.12), colour, bulge=BALL)
    for angle in np.arange(3) * (2 * math.pi / 3) + canvas.random.uniform(0, 2):
        canvas.fill(
            oval(x + math.cos(angle) * radius * 0.5, y + math.sin(angle) * radius * 0.5, radius * 0.45, radius * 0.25, angle),
            colour,
            (0.2, 0.2),
        )
    for share in (1.0, 0.8, 0.6, 0.4):
        _ring(canvas, x, y, radius * share, (120, 122, 126), 0.006)
    for angle in np.arange(18) * (math.pi / 9):
        canvas.line([(x, y), (x + math.cos(angle) * radius, y + math.sin(angle) * radius)], (130, 132, 136), 0.003)
    canvas.fill(oval(x, y, radius * 0.2, radius * 0.2), colour * 0.9, bulge=BALL)


def _camera(canvas: Canvas, x: float, foot: float, size: float, colour: np.ndarray) -> None:
    half, tall = size, size * 1.25
    canvas.fill(box(x - half * 0.35, foot - tall * 1.2, x + half * 0.35, foot - tall * 0.8, size * 0.08), colour * 0.5)
    canvas.fill(box(x - half, foot - tall, x + half, foot, size * 0.15), colour * 0.6, (0, -0.2), grain=0.06)
    canvas.fill(box(x - half, foot - tall, x + half, foot - tall * 0.78, size * 0.1), (170, 170, 174), (0, -0.2))
    _disc(canvas, x, foot - tall * 0.42, half * 0.5, (60, 60, 64), (25, 25, 35))
    canvas.fill(oval(x - half * 0.1, foot - tall * 0.5, half * 0.12, half * 0.08, 0.5), (150, 160, 220), alpha=0.6)
    canvas.fill(box(x + half * 0.55, foot - tall * 0.95, x + half * 0.85, foot - tall * 0.82), (230, 235, 240))
