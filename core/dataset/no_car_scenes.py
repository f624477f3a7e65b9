"""Scenes without a car: rooms, landscapes, streets and buildings."""

from __future__ import annotations

import math

import numpy as np

from .no_car_canvas import Canvas, Colour, Points, box, colour_of, limb, on_quad, oval, smooth_noise

Point = tuple[float, float]


def sky(canvas: Canvas, horizon: float) -> None:
    """Clear, clouded or evening sky down to the horizon (and below it, to be painted over)."""
    random = canvas.random
    evening = random.random() < 0.2
    top = colour_of(random, (0.4, 0.95), (0.1, 0.7), (0.54, 0.64))
    canvas.ramp(top, colour_of(random, (0.8, 1), (0.05, 0.5), (0.02, 0.12) if evening else (0.5, 0.6)), max(horizon, 0.05))
    cover = random.uniform(-0.5, 0.5)
    clouds = ((smooth_noise(canvas.size_px, (4, 6), random, 4) - 0.5 + cover) * 2.5).clip(0, 1)[..., None]
    canvas.pixels += (np.float32(random.uniform(190, 255)) - canvas.pixels) * clouds * np.float32(0.85)


def ground(canvas: Canvas, horizon: float, colour: Colour) -> None:
    """Grass, sand or paving from the horizon down, mottled and coarser towards the camera."""
    wide = canvas.wide
    canvas.fill(box(-0.1, horizon, wide + 0.1, 1.1), colour, (0, 0.12), grain=0.07, fur=0.05)
    canvas.mottle(0.15, box(-0.1, horizon + 0.005, wide + 0.1, 1.1), (4, 16))


def tree(canvas: Canvas, x: float, foot: float, height: float) -> None:
    """A leafy tree of blobs, or a conifer, with its shadow."""
    random = canvas.random
    leaf = colour_of(random, (0.15, 0.5), (0.3, 0.8), (0.2, 0.36))
    canvas.shadow(oval(x, foot, height * 0.35, height * 0.04), 0.5)
    canvas.fill(limb(x, foot, x, foot - height * 0.5, height * 0.07, height * 0.04), (70, 52, 40), (0.4, 0), grain=0.1)
    if random.random() < 0.35:
        for k in range(4):
            top, half = foot - height * (1 - 0.2 * k), height * (0.1 + 0.06 * k)
            canvas.fill(
                [(x, top), (x + half, top + height * 0.32), (x - half, top + height * 0.32)], leaf, (-0.25, 0.05), grain=0.12, fur=0.25
            )
        return
    for _ in range(9):
        dx, dy = random.normal(0, (0.15, 0.12)) * height
        radius = height * random.uniform(0.12, 0.24)
        shade = leaf * random.uniform(0.75, 1.2)
        outline = oval(x + dx, foot - height * 0.65 + dy, radius, radius * 0.85, corners=18) + random.normal(0, radius * 0.07, (18, 2))
        canvas.fill(outline, shade, (-0.1, -0.25), grain=0.15, fur=0.25)


def facade(canvas: Canvas, quad: Points, rows: int, columns: int, wall: Colour, door: bool = True) -> None:
    """A house front with windows on a quad (4, 2), from the upper left clockwise."""
    random = canvas.random
    canvas.fill(quad, wall, (random.uniform(-0.1, 0.1), random.uniform(-0.1, 0.15)), grain=0.035)
    glass, frame = colour_of(random, (0.15, 0.6), (0, 0.4), (0.5, 0.65)), colour_of(random, (0.3, 1), (0, 0.3))
    half, tall = random.uniform(0.2, 0.36), random.uniform(0.22, 0.38)
    lit = random.uniform(0, 0.3)
    for row in range(rows):
        for column in range(columns):
            x, y = (column + 0.5) / columns, (row + 0.5) / rows * 0.96 + 0.02
            left, right, top, bottom = x - half / columns, x + half / columns, y - tall / rows, y + tall / rows
            if door and row == rows - 1 and column == columns // 2:
                canvas.fill(on_quad(quad, box(left, top, right, 1)), colour_of(random, (0.15, 0.6)), (0.1, 0.1))
                continue
            pane = np.array([250.0, 215, 150]) if random.random() < lit else glass * random.uniform(0.7, 1.2)
            outline = on_quad(quad, box(left, top, right, bottom))
            canvas.fill(outline + 0.004, np.asarray(wall) * 0.6, (0, 0))
            canvas.fill(outline, pane, (random.uniform(-0.2, 0.2), 0.2), grain=0.03)
            canvas.line(outline, frame, 0.006, True)
            canvas.line(on_quad(quad, [(x, top), (x, bottom)]), frame, 0.005)


def room(canvas: Canvas) -> None:
    """A room in one-point perspective: floor boards, walls, window, pictures, furniture, a lamp."""
    random, wide = canvas.random, canvas.wide
    vanish = np.array([wide * random.uniform(0.3, 0.7), random.uniform(0.3, 0.55)])
    share = random.uniform(0.35, 0.65)
    near = box(-0.15, -0.15, wide + 0.15, 1.15)
    back = vanish + (near - vanish) * share
    wall = colour_of(random, (0.45, 0.95), (0, 0.4))
    floor = colour_of(random, (0.25, 0.75), (0.05, 0.6), (0.03, 0.13))
    canvas.fill(near[[0, 1]].tolist() + back[[1, 0]].tolist(), wall * 0.5 + 120, (0, -0.1))
    canvas.fill([near[0], back[0], back[3], near[3]], wall * random.uniform(0.7, 0.95), (0.12, 0))
    canvas.fill([near[1], back[1], back[2], near[2]], wall * random.uniform(0.7, 0.95), (-0.12, 0))
    canvas.fill(back, wall, (0.05, -0.08))
    canvas.fill([back[3], back[2], near[2], near[3]], floor, (0, 0.12), grain=0.03, fur=0.03)
    boards = int(random.integers(6, 24))
    for place in np.linspace(0, 1, boards):
        canvas.line([back[3] + (back[2] - back[3]) * place, near[3] + (near[2] - near[3]) * place], floor * 0.6, 0.004, alpha=0.7)
    canvas.shadow([back[3] - (0, 0.02), back[2] - (0, 0.02), back[2] + (0, 0.03), back[3] + (0, 0.03)], 0.35)
    for start, end in ((3, 2), (0, 3), (1, 2)):
        canvas.line(back[[start, end]], wall * 0.75, 0.008)
    _on_the_wall(canvas, back, wall)
    if random.random() < 0.5:
        rug = on_quad([back[3], back[2], near[2], near[3]], oval(random.uniform(0.3, 0.7), 0.3, random.uniform(0.15, 0.35), 0.12))
        canvas.fill(rug, colour_of(random), grain=0.1)
    for depth in sorted(random.uniform(share, 0.95, random.integers(2, 6))):
        _furniture(canvas, vanish, depth)
    _lamp(canvas, vanish, back)
    canvas.ramp_light(random.uniform(-0.25, 0.25))


def _on_the_wall(canvas: Canvas, back: np.ndarray, wall: np.ndarray) -> None:
    random = canvas.random
    count = int(random.integers(1, 4))
    for place in range(count):
        x, half = (place + 0.5) / count, random.uniform(0.12, 0.34) / count
        top, bottom = random.uniform(0.15, 0.3), random.uniform(0.42, 0.62)
        outline = on_quad(back, box(x - half, top, x + half, bottom))
        window = place == 0
        frame = colour_of(random, (0.8, 1), (0, 0.1)) if window else colour_of(random, (0.05, 0.6), (0, 0.6), (0, 0.15))
        canvas.shadow(outline + 0.01, 0.4, 0.02)
        canvas.fill(outline, colour_of(random, (0.9, 1), (0, 0.2), (0.5, 0.6)) if window else colour_of(random), (0, -0.15), grain=0.02)
        if window:
            canvas.fill(on_quad(back, box(x - half, bottom * 0.8, x + half, bottom)), colour_of(random, (0.4, 0.7), (0.2, 0.5), (0.2, 0.4)))
            canvas.line(on_quad(back, [(x, top), (x, bottom)]), frame, 0.01)
            canvas.line(on_quad(back, [(x - half, (top + bottom) / 2), (x + half, (top + bottom) / 2)]), frame, 0.01)
        else:
            spot = on_quad(back, oval(x + random.normal(0, half / 4), (top + bottom) / 2, half * 0.6, 0.08))
            canvas.fill(spot, colour_of(random), grain=0.1)
        canvas.line(outline, frame, 0.016, True)


def block(canvas: Canvas, front: np.ndarray, vanish: np.ndarray, share: float, colour: Colour) -> None:
    """A box: its front (4, 2), and its top and sides running to the vanishing point, by `share` of the way's rest."""
    back = vanish + (front - vanish) * share
    colour = np.asarray(colour)
    if vanish[0] < front[0, 0]:
        canvas.fill([back[0], front[0], front[3], back[3]], colour * 0.62)
    if vanish[0] > front[1, 0]:
        canvas.fill([front[1], back[1], back[2], front[2]], colour * 0.62)
    if vanish[1] < front[0, 1]:
        canvas.fill([back[0], back[1], front[1], front[0]], colour * 1.15)
    canvas.fill(front, colour, (0.06, 0.1))


def _furniture(canvas: Canvas, vanish: np.ndarray, depth: float) -> None:
    """A chest of drawers, table or sofa that stands on the floor at a depth (1 is nearest)."""
    random, wide = canvas.random, canvas.wide
    x, half, tall = random.uniform(0, wide), random.uniform(0.12, 0.35), random.uniform(0.2, 0.55)

    def seen(left: float, top: float, right: float, bottom: float) -> np.ndarray:
        return vanish + (box(left, top, right, bottom) - vanish) * depth

    colour = colour_of(random, (0.2, 0.85), (0, 0.7))
    foot = 1.1
    canvas.shadow(seen(x - half - 0.05, foot - 0.05, x + half + 0.05, foot + 0.06), 0.55, 0.03)
    style = random.integers(3)
    if style == 0:  # drawers
        block(canvas, seen(x - half, foot - tall, x + half, foot), vanish, 0.8, colour)
        rows = int(random.integers(2, 5))
        for row in range(rows):
            y = foot - tall * (row + 0.5) / rows
            canvas.line(seen(x - half * 0.92, y - tall * 0.4 / rows, x + half * 0.92, y + tall * 0.4 / rows), colour * 0.6, 0.006, True)
            canvas.fill(seen(x - half * 0.15, y - 0.012, x + half * 0.15, y + 0.008), colour * 0.35)
    elif style == 1:  # a table
        for side in (x - half, x + half - 0.04):
            canvas.fill(seen(side, foot - tall, side + 0.04, foot), colour * 0.8, (0.3, 0))
            canvas.fill(vanish + (seen(side, foot - tall, side + 0.04, foot) - vanish) * 0.82, colour * 0.5, (0.3, 0))
        block(canvas, seen(x - half - 0.03, foot - tall - 0.04, x + half + 0.03, foot - tall), vanish, 0.8, colour)
        bowl = seen(x - 0.08, foot - tall - 0.16, x + 0.05, foot - tall - 0.04)
        canvas.fill(oval(*bowl.mean(0), *(np.ptp(bowl, 0) / 2)), colour_of(random), bulge=(0.2, 0.2))
    else:  # a sofa
        block(canvas, seen(x - half, foot - tall, x + half, foot - tall * 0.2), vanish, 0.85, colour)
        for k in range(3):
            left = x - half + k * 2 * half / 3
            cushion = seen(left, foot - tall * 0.55, left + 2 * half / 3, foot - tall * 0.1)
            canvas.fill(box(*cushion[0], *cushion[2], 0.03), colour * random.uniform(1, 1.15), (0, -0.15), (0.15, 0.15), grain=0.04)
        for side in (x - half - 0.05, x + half - 0.03):
            arm = seen(side, foot - tall * 0.75, side + 0.08, foot)
            canvas.fill(box(*arm[0], *arm[2], 0.03), colour * 0.85, bulge=(0.2, 0))


def _lamp(canvas: Canvas, vanish: np.ndarray, back: np.ndarray) -> None:
    random = canvas.random
    x, length = random.uniform(0.2, 0.8) * canvas.wide, random.uniform(0.1, 0.3)
    shade, glow = colour_of(random, (0.8, 1), (0, 0.4), (0.08, 0.15)), random.uniform(0, 0.5)
    if random.random() < 0.5:
        top = 0.0
        canvas.line([(x, top), (x, length)], (40, 40, 40), 0.006)
    else:
        length, top = random.uniform(0.3, 0.5), 0.98
        canvas.line([(x, length), (x, top)], (60, 55, 50), 0.014)
        canvas.fill(oval(x, top, 0.08, 0.02), (60, 55, 50))
    canvas.shadow(oval(x, length + 0.05, 0.25, 0.2), -glow, 0.08)
    canvas.fill([(x - 0.04, length), (x + 0.04, length), (x + 0.09, length + 0.11), (x - 0.09, length + 0.11)], shade, (0, 0.1), (0.2, 0))


def landscape(canvas: Canvas) -> None:
    """Mountains in haze, meadows or the sea, trees, a sun."""
    random, wide = canvas.random, canvas.wide
    horizon = random.uniform(0.35, 0.65)
    sky(canvas, horizon)
    if random.random() < 0.3:
        canvas.shadow(oval(random.uniform(0, wide), horizon * random.uniform(0.2, 0.9), 0.05, 0.05), -0.6, 0.03)
    haze = colour_of(random, (0.6, 0.85), (0.05, 0.3), (0.54, 0.64))
    rock = colour_of(random, (0.15, 0.5), (0.1, 0.5), (0.2, 0.65))
    layers = int(random.integers(0, 4))
    for layer in range(layers):
        share = (layer + 1) / (layers + 1)
        ridge = _ridge(random, 65, random.uniform(0.1, 0.4) * (1 - 0.6 * share))
        x = np.linspace(-0.05, wide + 0.05, len(ridge))
        outline = np.concatenate([np.stack([x, horizon - ridge], 1), [(wide + 0.1, horizon + 0.02), (-0.1, horizon + 0.02)]])
        canvas.fill(outline, haze + (rock - haze) * share, (0, 0.1), grain=0.03, fur=0.12 * share)
    if random.random() < 0.35:
        _sea(canvas, horizon)
    else:
        ground(canvas, horizon, colour_of(random, (0.3, 0.65), (0.2, 0.65), random.choice([(0.2, 0.32), (0.09, 0.14)])))
        if random.random() < 0.4:
            bend = random.uniform(0.2, 0.8, 4) * wide
            path = [(bend[0], horizon), (bend[1], (horizon + 1) / 2), (bend[2] - 0.25, 1.02), (bend[2] + 0.1, 1.02)]
            canvas.fill([*path, (bend[1] + 0.08, (horizon + 1) / 2), (bend[0] + 0.01, horizon)], (165, 150, 125), grain=0.08)
        for foot in sorted(random.uniform(horizon + 0.02, 1.0, random.integers(0, 9))):
            tree(canvas, random.uniform(0, wide), foot, 0.15 + (foot - horizon) * random.uniform(0.6, 1.4))


def _ridge(random: np.random.Generator, count: int, height: float) -> np.ndarray:
    """(count,) heights of a fractal ridge above the horizon, 0 or more."""
    x, total = np.linspace(0, 1, count), np.zeros(count)
    for octave in range(5):
        knots = random.random(3 * 2**octave + 1)
        total += np.interp(x, np.linspace(0, 1, len(knots)), knots) * 0.5**octave
    return np.asarray((total - total.min()) / np.ptp(total) * height)


def _sea(canvas: Canvas, horizon: float) -> None:
    random, wide = canvas.random, canvas.wide
    water = colour_of(random, (0.3, 0.7), (0.2, 0.7), (0.45, 0.62))
    canvas.fill(box(-0.1, horizon, wide + 0.1, 1.1), water, (0, -0.15), grain=0.02)
    canvas.mottle(random.uniform(0.1, 0.35), box(-0.1, horizon + 0.005, wide + 0.1, 1.1), (5, 40))
    if random.random() < 0.5:
        edge = 1 - _ridge(random, 33, 0.2) - random.uniform(0, 0.15)
        x = np.linspace(-0.05, wide + 0.05, 33)
        shore = np.concatenate([np.stack([x, edge], 1), [(wide + 0.1, 1.1), (-0.1, 1.1)]])
        canvas.line(shore[:33], (240, 240, 240), 0.02, alpha=0.7)
        canvas.fill(shore, (205, 185, 145), grain=0.05)


def street(canvas: Canvas) -> None:
    """Down a street in perspective, or house fronts across the road; markings, lamps and trees, and nothing that drives."""
    random = canvas.random
    horizon = random.uniform(0.4, 0.6)
    sky(canvas, horizon)
    if random.random() < 0.5:
        _along_the_street(canvas, horizon)
    else:
        _across_the_street(canvas)


def _along_the_street(canvas: Canvas, horizon: float) -> None:
    random, wide = canvas.random, canvas.wide
    vanish = np.array([wide * random.uniform(0.35, 0.65), horizon])
    grey = colour_of(random, (0.25, 0.55), (0, 0.1))
    ground(canvas, horizon, colour_of(random, (0.45, 0.75), (0, 0.25), (0.05, 0.3)))
    left, right = vanish[0] - random.uniform(0.7, 1.2), vanish[0] + random.uniform(0.7, 1.2)
    canvas.fill([vanish, (right, 1.05), (left, 1.05)], grey, (0, 0.1), grain=0.06)
    for edge in (left, right):
        canvas.fill([vanish, (edge, 1.05), (edge + math.copysign(0.07, edge - vanish[0]), 1.05)], grey * 1.5)
    middle = np.array([(left + right) / 2, 1.05])
    depths = 1 / np.arange(1, 14, 0.5)
    for near, far in zip(depths[::2], depths[1::2], strict=False):
        start, end = vanish + (middle - vanish) * near, vanish + (middle - vanish) * far
        canvas.fill(limb(*start, *end, 0.05 * near, 0.05 * far), (225, 222, 210), alpha=0.85)
    for side, edge in ((-1, left - 0.35), (1, right + 0.35)):
        share = 0.08
        while share < 1.6:
            further, tall = share * random.uniform(1.25, 1.8), random.uniform(0.5, 1.6)
            points = [vanish + (np.array(p) - vanish) * s for s, p in _corners(edge, horizon - tall, share, further)]
            wall = colour_of(random, (0.4, 0.95), (0, 0.5), (0.0, 0.15)) * (0.75 if side < 0 else 1)
            facade(canvas, points, int(random.integers(2, 6)), int(random.integers(2, 4)), wall)
            if random.random() < 0.35:
                foot = vanish + (np.array([edge - side * 0.2, 1.05]) - vanish) * share
                tree(canvas, *foot, 0.7 * share)
            share = further


def _corners(edge: float, top: float, far: float, near: float) -> list[tuple[float, Point]]:
    return [(far, (edge, top)), (near, (edge, top)), (near, (edge, 1.05)), (far, (edge, 1.05))]


def _across_the_street(canvas: Canvas) -> None:
    random, wide = canvas.random, canvas.wide
    foot, kerb = random.uniform(0.66, 0.8), random.uniform(0.03, 0.08)
    ground(canvas, foot, colour_of(random, (0.5, 0.75), (0, 0.15)))
    canvas.fill(box(-0.1, foot + kerb, wide + 0.1, 1.1), colour_of(random, (0.25, 0.5), (0, 0.1)), (0, 0.1), grain=0.07)
    canvas.line([(-0.1, foot + kerb), (wide + 0.1, foot + kerb)], (175, 172, 168), 0.014)
    for x in np.arange(-0.2, wide, random.uniform(0.25, 0.6)):
        canvas.fill(limb(x, 0.93, x + 0.16, 0.93, 0.018, 0.018), (225, 222, 210), alpha=0.8)
    x = -random.uniform(0, 0.3)
    while x < wide:
        width, tall = random.uniform(0.3, 0.75), random.uniform(0.35, 0.8)
        wall = colour_of(random, (0.4, 0.95), (0, 0.55), random.choice([(0.0, 0.15), (0.5, 0.65)]))
        if random.random() < 0.6:
            _roof(canvas, x, foot - tall, x + width)
        facade(canvas, box(x, foot - tall, x + width, foot), max(2, round(tall * 5)), int(random.integers(2, 5)), wall)
        x += width + random.choice([0.0, random.uniform(0, 0.2)])
    canvas.shadow(box(-0.1, foot - 0.01, wide + 0.1, foot + 0.03), 0.4, 0.02)
    for _ in range(random.integers(0, 3)):
        post = random.uniform(0, wide)
        if random.random() < 0.5:
            tree(canvas, post, foot + kerb * 0.7, random.uniform(0.3, 0.6))
        else:
            canvas.line([(post, foot + kerb), (post, 0.25), (post + 0.08, 0.22)], (60, 62, 64), 0.012)


def _roof(canvas: Canvas, left: float, bottom: float, right: float) -> None:
    random = canvas.random
    rise, inset = random.uniform(0.08, 0.25), random.choice([0.02, (right - left) / 2])
    tile = colour_of(random, (0.25, 0.6), (0.1, 0.6), (0.0, 0.08))
    canvas.fill(
        [(left - 0.02, bottom), (left + inset, bottom - rise), (right - inset, bottom - rise), (right + 0.02, bottom)],
        tile,
        (0, 0.1),
        grain=0.08,
    )


def building(canvas: Canvas) -> None:
    """One building: a tower block seen at its corner, a house with a gable, or a hall with columns."""
    random, wide = canvas.random, canvas.wide
    horizon = random.uniform(0.6, 0.85)
    sky(canvas, horizon)
    ground(canvas, horizon, colour_of(random, (0.3, 0.65), (0.05, 0.5), (0.1, 0.35)))
    x, foot = wide * random.uniform(0.35, 0.65), horizon + random.uniform(0.03, 0.1)
    wall = colour_of(random, (0.4, 0.95), (0, 0.5), random.choice([(0.0, 0.15), (0.5, 0.65)]))
    if random.random() < 0.5:
        tree(canvas, random.uniform(0, wide), horizon + 0.02, random.uniform(0.2, 0.5))
    style = random.integers(3)
    if style == 0:
        _tower(canvas, x, foot, wall)
    elif style == 1:
        half, tall = random.uniform(0.22, 0.4), random.uniform(0.2, 0.4)
        canvas.shadow(box(x - half, foot - 0.02, x + half * 1.4, foot + 0.04), 0.5)
        _roof(canvas, x - half, foot - tall, x + half)
        chimney = x + half * random.uniform(-0.5, 0.5)
        canvas.fill(box(chimney - 0.025, foot - tall - 0.2, chimney + 0.025, foot - tall - 0.05), (120, 70, 60), (0.2, 0))
        facade(canvas, box(x - half, foot - tall, x + half, foot), int(random.integers(1, 3)), int(random.choice([3, 5])), wall)
    else:
        _hall(canvas, x, foot, wall)
    for _ in range(random.integers(0, 4)):
        tree(
            canvas,
            random.choice([random.uniform(0, 0.3), wide - random.uniform(0, 0.3)]),
            foot + random.uniform(0, 0.1),
            random.uniform(0.2, 0.6),
        )


def _tower(canvas: Canvas, x: float, foot: float, wall: np.ndarray) -> None:
    random = canvas.random
    left, right, top = x - random.uniform(0.15, 0.5), x + random.uniform(0.15, 0.5), random.uniform(-0.1, 0.3)
    slant = random.uniform(0.03, 0.15)
    canvas.shadow(box(left, foot - 0.06, right + 0.1, foot + 0.04), 0.5)
    rows, columns = int(random.integers(4, 9)), int(random.integers(3, 6))
    facade(canvas, [(left, top + slant), (x, top), (x, foot), (left, foot - slant * 0.4)], rows, columns, wall)
    facade(canvas, [(x, top), (right, top + slant), (right, foot - slant * 0.4), (x, foot)], rows, columns, wall * 0.65, door=False)


def _hall(canvas: Canvas, x: float, foot: float, wall: np.ndarray) -> None:
    random = canvas.random
    half, tall, columns = random.uniform(0.3, 0.5), random.uniform(0.25, 0.45), int(random.integers(4, 9))
    canvas.shadow(box(x - half, foot - 0.02, x + half * 1.3, foot + 0.04), 0.5)
    canvas.fill(box(x - half, foot - tall, x + half, foot), wall * 0.55, (0, 0.1))
    for place in np.linspace(x - half + 0.04, x + half - 0.04, columns):
        canvas.fill(box(place - 0.025, foot - tall, place + 0.025, foot), wall, (-0.1, 0), (0.25, 0))
    for step in range(3):
        grow = 0.02 * step
        canvas.fill(box(x - half - grow, foot - 0.04 + grow, x + half + grow, foot - 0.02 + grow), wall * (1.05 - 0.1 * step))
    canvas.fill([(x - half - 0.04, foot - tall), (x, foot - tall - random.uniform(0.1, 0.25)), (x + half + 0.04, foot - tall)], wall * 0.95)
    canvas.fill(box(x - half - 0.03, foot - tall - 0.02, x + half + 0.03, foot - tall + 0.03), wall * 1.05, (0, -0.2))
