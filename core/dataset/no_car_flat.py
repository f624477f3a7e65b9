"""Flat pictures without a car: noise, gradients, text, patterns, line drawings and the dark."""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .no_car_canvas import Canvas, box, colour_of, oval, smooth_noise

VOWELS, CONSONANTS = "aeiou", "bcdfghklmnprstvw"


def noise(canvas: Canvas) -> None:
    """White or grey, fine or blurred, smooth clouds of one colour or of many, salt and pepper."""
    random, size_px = canvas.random, canvas.size_px
    shape = (size_px[1], size_px[0], 3)
    style = random.integers(5)
    if style < 2:
        fine = random.standard_normal(shape if style else (*shape[:2], 1), np.float32)
        fine = np.repeat(fine, 3, -1) if not style else fine
        sigma_px = random.choice([0, 0, 1, 2.5, 6])
        fine = cv2.GaussianBlur(fine, (0, 0), sigma_px) if sigma_px else fine
        canvas.pixels[:] = random.uniform(90, 160) + fine / fine.std() * random.uniform(15, 70)
    elif style < 4:
        cells = (int(random.integers(2, 24)), int(random.integers(2, 18)))
        clouds = [smooth_noise(size_px, cells, random, int(random.integers(1, 6))) for _ in range(1 if style == 2 else 3)]
        first, second = colour_of(random), colour_of(random)
        mixed = clouds[0][..., None] * (first - second) + second
        canvas.pixels[:] = mixed if style == 2 else np.stack(clouds, -1) * random.uniform(120, 255)
        canvas.mottle(0.3)
    else:
        canvas.pixels[:] = colour_of(random)
        draw = random.random(shape[:2], np.float32)
        share = random.uniform(0.01, 0.3)
        canvas.pixels[draw < share] = 0
        canvas.pixels[draw > 1 - share] = 255


def gradient(canvas: Canvas) -> None:
    """Two to sixteen colours run into each other, straight, round or freely."""
    random, (width_px, height_px) = canvas.random, canvas.size_px
    style = random.integers(3)
    if style == 0:
        counts = random.integers(2, 5, 2)
        coarse = np.stack([colour_of(random, (0.05, 1)) for _ in range(counts.prod())]).reshape(*counts, 3)
        canvas.pixels[:] = cv2.resize(coarse, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
        return
    x, y = np.meshgrid(np.linspace(-canvas.wide / 2, canvas.wide / 2, width_px), np.linspace(-0.5, 0.5, height_px))
    turn = random.uniform(0, 2 * math.pi)
    share = x * math.cos(turn) + y * math.sin(turn) + 0.5
    if style == 2:
        share = np.hypot(x - random.uniform(-0.5, 0.5), y - random.uniform(-0.4, 0.4)) * random.uniform(1, 2)
    share = share.clip(0, 1).astype(np.float32)[..., None]
    dark, bright = colour_of(random, (0.02, 0.45)), colour_of(random, (0.55, 1))
    canvas.pixels[:] = dark + (bright - dark) * (share if random.random() < 0.5 else 1 - share)


def text(canvas: Canvas) -> None:
    """A page, a screen of code, papers on a table, or a sign."""
    (_page, _code, _papers, _sign)[canvas.random.integers(4)](canvas)


@cache
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


def _word(random: np.random.Generator, longest: int = 9) -> str:
    letters = [str(random.choice(list(VOWELS if k % 2 else CONSONANTS))) for k in range(random.integers(1, longest + 1))]
    return "".join(letters)


def _written(size_px: tuple[int, int], paper: np.ndarray, ink: np.ndarray, random: np.random.Generator, code: bool = False) -> np.ndarray:
    """(height, width, 3) uint8: lines of invented words, sometimes a heading and a picture, or indented coloured code."""
    picture = Image.new("RGB", size_px, tuple(int(v) for v in paper))
    draw = ImageDraw.Draw(picture)
    letter_px = int(random.integers(7, 17))
    margin_px, y_px = int(random.integers(4, 24)), int(random.integers(3, 20))
    words = [_word(random) for _ in range(24)]
    if not code and random.random() < 0.5:
        draw.text((margin_px, y_px), " ".join(words[:3]).title(), _ink(ink), _font(letter_px * 2))
        y_px += letter_px * 3
    spacing = random.uniform(1.2, 1.8)
    while y_px < size_px[1] - letter_px:
        indent_px = margin_px + (int(random.integers(0, 4)) * 2 * letter_px if code else 0)
        count = max(1, int((size_px[0] - indent_px - margin_px) / letter_px / 2.9 * (random.uniform(0.1, 0.9) if code else 1)))
        chosen = [words[k] for k in random.integers(0, len(words), count)]
        if random.random() < 0.9:
            for part in (chosen[: count // 2], chosen[count // 2 :]) if code else (chosen,):
                colour = colour_of(random, (0.6, 1), (0.2, 0.8)) if code and ink.mean() > 128 else ink
                draw.text((indent_px, y_px), " ".join(part), _ink(colour), _font(letter_px))
                indent_px += int(sum(len(word) + 1 for word in part) * letter_px * 0.52)
        y_px += max(1, round(letter_px * spacing))
    return np.asarray(picture)


def _ink(colour: np.ndarray) -> tuple[int, ...]:
    return tuple(int(v) for v in colour)


def _page(canvas: Canvas) -> None:
    random = canvas.random
    paper, ink = colour_of(random, (0.85, 1), (0, 0.12)), colour_of(random, (0, 0.3), (0, 0.6))
    canvas.pixels[:] = _written(canvas.size_px, paper, ink, random)
    canvas.mottle(random.uniform(0, 0.12))


def _code(canvas: Canvas) -> None:
    random = canvas.random
    dark = random.random() < 0.7
    paper, ink = colour_of(random, (0.05, 0.2), (0, 0.5)), np.array([220.0, 220, 220])
    canvas.pixels[:] = _written(canvas.size_px, *((paper, ink) if dark else (ink + 30, paper)), random, code=True)
    if random.random() < 0.6:  # a column of files, and a bar of tabs
        side = random.uniform(0.15, 0.4)
        canvas.fill(box(0, 0, side, 1), paper * 1.4 if dark else ink, (0, 0), grain=0)
        for row in range(random.integers(4, 16)):
            canvas.fill(box(0.03, 0.1 + row * 0.05, side * random.uniform(0.4, 0.9), 0.12 + row * 0.05), (128, 128, 135), (0, 0), grain=0.1)
        canvas.fill(box(0, 0, canvas.wide, 0.06), paper * 1.8 if dark else ink * 0.9, (0, 0), grain=0)


def _papers(canvas: Canvas) -> None:
    random, (width_px, height_px) = canvas.random, canvas.size_px
    canvas.pixels[:] = colour_of(random, (0.2, 0.7), (0, 0.6), (0.0, 0.15))
    canvas.mottle(0.3, cells=(2, 20))
    for _ in range(random.integers(1, 5)):
        sheet_px = (int(random.integers(110, 190)), int(random.integers(130, 230)))
        sheet = _written(sheet_px, colour_of(random, (0.85, 1), (0, 0.15)), colour_of(random, (0, 0.3)), random)
        middle, turn = random.uniform((0.2, 0.2), (0.8, 0.8)) * (width_px, height_px), random.uniform(-0.7, 0.7)
        half = np.array(sheet_px) / 2 * random.uniform(0.7, 1.2)
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half + random.uniform(-14, 14, (4, 2))
        corners = corners @ np.array([(math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))]) + middle
        canvas.shadow(corners / height_px + 0.012, 0.5, 0.02)
        flat = np.array([(0, 0), (sheet_px[0], 0), sheet_px, (0, sheet_px[1])], np.float32)
        perspective = cv2.getPerspectiveTransform(flat, corners.astype(np.float32))
        seen = cv2.warpPerspective(np.dstack([sheet, np.full(sheet.shape[:2], 255, np.uint8)]), perspective, (width_px, height_px))
        share = seen[..., 3:] / np.float32(255)
        canvas.pixels += (seen[..., :3] - canvas.pixels) * share


def _sign(canvas: Canvas) -> None:
    random = canvas.random
    canvas.ramp(colour_of(random, (0.5, 1), (0, 0.5), (0.5, 0.65)), colour_of(random, (0.3, 0.9), (0, 0.5)))
    canvas.mottle(0.15)
    middle, width, height = canvas.wide * random.uniform(0.35, 0.65), random.uniform(0.35, 0.6), random.uniform(0.12, 0.3)
    y = random.uniform(0.3, 0.5)
    panel = colour_of(random, (0.3, 0.9), (0.2, 1))
    ink = np.array([245.0, 245, 240]) if panel.mean() < 140 else np.array([25.0, 25, 30])
    for x in (middle - width * 0.6, middle + width * 0.6) if random.random() < 0.5 else (middle,):
        canvas.fill(box(x - 0.015, y, x + 0.015, 1.05), (120, 120, 122), (0.3, 0))
    canvas.shadow(box(middle - width + 0.02, y - height + 0.02, middle + width + 0.02, y + height + 0.02), 0.3)
    canvas.fill(box(middle - width, y - height, middle + width, y + height, 0.04), panel)
    canvas.line(box(middle - width + 0.02, y - height + 0.02, middle + width - 0.02, y + height - 0.02, 0.03), ink, 0.012, True)
    rows, pixels = int(random.integers(1, 4)), canvas.pixels.clip(0, 255).astype(np.uint8)
    picture = Image.fromarray(pixels)
    draw, height_px = ImageDraw.Draw(picture), canvas.size_px[1]
    for row in range(rows):
        letter = min(2 * height / rows * 0.7, 0.28)
        place = ((middle - width + 0.05) * height_px, (y - height + 0.02 + row * 2 * (height - 0.02) / rows) * height_px)
        draw.text(place, _word(random, 8).upper(), _ink(ink), _font(max(6, int(letter * height_px))))
    canvas.pixels[:] = np.asarray(picture)


def pattern(canvas: Canvas) -> None:
    """Checks, stripes, bricks, tiles, dots or waves, turned and seen at a slant; drawn at twice the size and reduced."""
    random, (width_px, height_px) = canvas.random, canvas.size_px
    x, y = np.meshgrid(
        np.linspace(-canvas.wide, canvas.wide, 2 * width_px, dtype=np.float32), np.linspace(-1, 1, 2 * height_px, dtype=np.float32)
    )
    turn = random.choice([0.0, random.uniform(0, math.pi)])
    depth = (1 + random.choice([0.0, random.uniform(0, 0.5)]) * y).astype(np.float32)
    cosine, sine = np.float32(math.cos(turn)), np.float32(math.sin(turn))
    across, down = (x * cosine - y * sine) / depth, (x * sine + y * cosine) / depth
    cells = math.exp(random.uniform(math.log(2), math.log(14)))
    share = _pattern_share(across * np.float32(cells), down * np.float32(cells), random)
    share = cv2.resize(share, (width_px, height_px), interpolation=cv2.INTER_AREA)[..., None]
    first, second = colour_of(random, (0.1, 0.5)), colour_of(random, (0.55, 1))
    canvas.pixels[:] = first + (second - first) * share
    canvas.mottle(random.uniform(0, 0.3))
    canvas.ramp_light(random.uniform(-0.3, 0.3))


def _pattern_share(u: np.ndarray, v: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Float32 0..1 of the second colour at pattern coordinates."""
    style = random.integers(6)
    if style == 0:
        return ((np.floor(u) + np.floor(v)) % 2).astype(np.float32)
    if style == 1:
        return (u % 1 < random.uniform(0.2, 0.8)).astype(np.float32)
    if style in (2, 3):  # bricks or tiles, each a little lighter or darker than the next
        length = 2.0 if style == 2 else 1.0
        row = np.floor(v)
        place = u / np.float32(length) + (row % 2) * np.float32(0.5 if style == 2 else 0)
        joint = random.uniform(0.03, 0.1)
        inside = ((v % 1 > joint) & (place % 1 > joint / length)).astype(np.float32)
        lot = random.random((64, 64), np.float32)
        each = lot[row.astype(np.int32) % 64, np.floor(place).astype(np.int32) % 64]
        return inside * (1 - each * np.float32(random.uniform(0, 0.6)))
    if style == 4:
        return (np.hypot(u % 1 - np.float32(0.5), v % 1 - np.float32(0.5)) < random.uniform(0.2, 0.45)).astype(np.float32)
    return (np.sin(u * 4 + np.sin(v * np.float32(random.uniform(1, 4)))) * np.float32(0.5) + np.float32(0.5)).astype(np.float32)


def sketch(canvas: Canvas) -> None:
    """Lines of a pencil or of chalk: curves, round and square figures, plants, houses, hatching."""
    random = canvas.random
    pale = random.random() < 0.75
    canvas.pixels[:] = colour_of(random, (0.85, 1), (0, 0.1)) if pale else colour_of(random, (0.1, 0.25), (0, 0.5))
    canvas.mottle(random.uniform(0, 0.1))
    ink = colour_of(random, (0, 0.4), (0, 0.7)) if pale else colour_of(random, (0.8, 1), (0, 0.3))
    thickness = random.uniform(0.004, 0.014)
    for _ in range(random.integers(4, 12)):
        x, y, size = random.uniform(0, canvas.wide), random.uniform(0.1, 0.9), random.uniform(0.06, 0.3)
        for points, closed in _figure(x, y, size, random):
            wobble = random.normal(0, 0.006, points.shape)
            canvas.line(points + wobble, ink, thickness * random.uniform(0.6, 1.2), closed, random.uniform(0.5, 1))


def _figure(x: float, y: float, size: float, random: np.random.Generator) -> list[tuple[np.ndarray, bool]]:
    """Outlines (n, 2) and whether each is closed."""
    style = random.integers(6)
    if style == 0:
        return [(np.cumsum(random.normal(0, size / 4, (12, 2)), 0) + (x, y), False)]
    if style == 1:
        return [(oval(x, y, size, size * random.uniform(0.4, 1), random.uniform(0, 3)), True)]
    if style == 2:
        wall, roof = box(x - size, y, x + size, y + size), np.array([(x - size * 1.2, y), (x, y - size), (x + size * 1.2, y)])
        return [(wall, True), (roof, False), (box(x - size * 0.2, y + size * 0.4, x + size * 0.2, y + size), True)]
    if style == 3:
        petals = [(oval(x + math.cos(a) * size / 2, y + math.sin(a) * size / 2, size / 2, size / 5, a), True) for a in np.arange(6) * 1.05]
        return [*petals, (np.array([(x, y), (x + size * 0.2, y + size), (x, y + size * 2)]), False)]
    if style == 4:
        starts = np.stack([np.linspace(x - size, x + size, 9), np.full(9, y)], 1)
        return [(np.stack([start, start + (size * 0.5, size)]), False) for start in starts]
    return [(random.uniform(-size, size, (int(random.integers(3, 7)), 2)) + (x, y), True)]


def dark(canvas: Canvas) -> None:
    """Nearly black, with the camera's noise, and now and then a faint light or two."""
    random = canvas.random
    canvas.pixels[:] = colour_of(random, (0, 0.05))
    for _ in range(random.integers(0, 4)):
        x, y, radius = random.uniform(0, canvas.wide), random.uniform(0, 1), random.uniform(0.01, 0.15)
        canvas.fill(oval(x, y, radius, radius), colour_of(random, (0.05, 0.15)), alpha=0.6)
    canvas.pixels[:] = cv2.blur(canvas.pixels, (15, 15))
    canvas.pixels += random.standard_normal(canvas.pixels.shape, np.float32) * np.float32(random.uniform(0.3, 5))
