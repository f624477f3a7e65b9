"""Faces and animals that are no car."""

from __future__ import annotations

import math

import cv2
import numpy as np

from .no_car_canvas import BALL, TUBE, Canvas, box, colour_of, limb, oval
from .no_car_scenes import ground, sky, tree


def face(canvas: Canvas) -> None:
    """Head and shoulders before a blurred backdrop."""
    random = canvas.random
    _blurred_room(canvas)
    size = random.uniform(0.2, 0.34)  # half the head's height
    x, y = canvas.wide * random.uniform(0.35, 0.65), random.uniform(0.4, 0.52)
    skin = colour_of(random, (0.3, 0.98), (0.25, 0.55), (0.04, 0.085))
    hair = colour_of(random, (0.05, 0.75), (0.05, 0.6), (0.04, 0.12))
    cloth = colour_of(random, (0.1, 0.95))
    half, turn = size * random.uniform(0.68, 0.8), random.normal(0, 0.15) * size
    if random.random() < 0.5:  # long hair falls behind the shoulders
        canvas.fill(oval(x, y + size * 0.35, half * 1.35, size * 1.4), hair, bulge=BALL, fur=0.13)
    shoulder = y + size * 1.35
    body = [(x - size * 1.9, 1.1), (x - size * 1.6, shoulder + size * 0.35), (x - size * 0.5, shoulder), (x + size * 0.5, shoulder)]
    canvas.fill([*body, (x + size * 1.6, shoulder + size * 0.35), (x + size * 1.9, 1.1)], cloth, (0, -0.1), (0.15, 0), grain=0.05, fur=0.03)
    canvas.fill(box(x - half * 0.5, y + size * 0.5, x + half * 0.5, shoulder + size * 0.2, size * 0.3), skin * 0.8, bulge=TUBE)
    canvas.shadow(oval(x, y + size * 0.98, half * 0.55, size * 0.16), 0.35, 0.03)
    canvas.fill(oval(x, y - size * 0.12, half * 1.12, size * 1.02), hair, bulge=BALL, fur=0.13)
    for side in (-1, 1):
        canvas.fill(oval(x + side * half * 0.98, y + size * 0.08, size * 0.12, size * 0.2), skin * 0.85, bulge=BALL)
    canvas.fill(_head(x, y, half, size), skin, (-0.05, 0), (0.16, 0.12), grain=0.02)
    _features(canvas, x + turn, y, half, size, skin, hair)
    fringe = random.uniform(0.45, 0.75)
    angle = np.linspace(math.pi * 1.02, math.pi * 1.98, 20)
    top = np.stack([x + np.cos(angle) * half * 1.1, y - size * 0.1 + np.sin(angle) * size], 1)
    brow = np.stack([x + np.cos(angle[::-1]) * half * 0.95, y + np.sin(angle[::-1]) * size * fringe + random.normal(0, size * 0.03, 20)], 1)
    canvas.fill(np.concatenate([top, brow]), hair * 1.1, (0, -0.2), fur=0.16)
    canvas.ramp_light(random.uniform(-0.3, 0.3))


def _head(x: float, y: float, half: float, size: float) -> np.ndarray:
    outline = oval(x, y, half, size, corners=40)
    down = ((outline[:, 1] - y) / size).clip(0, 1)
    outline[:, 0] = x + (outline[:, 0] - x) * (1 - 0.15 * down**2)
    return outline


def _features(canvas: Canvas, x: float, y: float, half: float, size: float, skin: np.ndarray, hair: np.ndarray) -> None:
    """Eyes, brows, nose, mouth, and perhaps glasses or a beard; (x, y) is the middle of the face."""
    random = canvas.random
    iris, open_share = colour_of(random, (0.15, 0.6), (0.3, 0.7)), random.uniform(0.05, 0.085)
    glasses, beard = random.random() < 0.3, random.random() < 0.25
    if beard:
        canvas.fill(oval(x, y + size * 0.68, half * 0.7, size * 0.32), hair, grain=0.1, fur=0.16, alpha=0.85)
    for side in (-1, 1):
        eye, level = x + side * half * 0.42, y - size * 0.03
        canvas.shadow(oval(eye, level - size * 0.02, half * 0.28, size * 0.14), 0.25, 0.02)
        canvas.fill(oval(eye, level, half * 0.21, size * open_share), (238, 234, 230), (0, 0.1))
        canvas.fill(oval(eye, level, size * 0.07, size * 0.07), iris)
        canvas.fill(oval(eye, level, size * 0.035, size * 0.035), (15, 12, 12))
        canvas.fill(oval(eye - size * 0.02, level - size * 0.025, size * 0.015, size * 0.015), (255, 255, 255))
        lid = oval(eye, level, half * 0.22, size * open_share * 1.1)[16:]
        canvas.line(lid, skin * 0.35, size * 0.03)
        brow = oval(eye, level - size * 0.1, half * 0.28, size * 0.1)[18:31]
        canvas.line(brow, hair * 0.7, size * 0.05, alpha=0.85)
        canvas.shadow(oval(x + side * half * 0.55, y + size * 0.35, half * 0.2, size * 0.12), 0.08, 0.04)
        if glasses:
            canvas.line(oval(eye, level + size * 0.02, half * 0.33, size * 0.17), (30, 28, 28), size * 0.035, True)
    if glasses:
        canvas.line([(x - half * 0.1, y), (x + half * 0.1, y)], (30, 28, 28), size * 0.03)
    canvas.shadow([(x + half * 0.02, y), (x + half * 0.2, y + size * 0.33), (x - half * 0.05, y + size * 0.36)], 0.25, 0.012)
    canvas.line([(x - half * 0.16, y + size * 0.33), (x, y + size * 0.37), (x + half * 0.16, y + size * 0.33)], skin * 0.6, size * 0.03)
    lip = skin * (0.85, 0.6, 0.62)
    smile, mouth = random.uniform(-0.02, 0.08) * size, y + size * 0.58
    wide = half * random.uniform(0.3, 0.45)
    canvas.fill(oval(x, mouth, wide, size * random.uniform(0.05, 0.08)), lip, (0, 0.15))
    canvas.line(
        [(x - wide, mouth - smile), (x - wide / 2, mouth), (x + wide / 2, mouth), (x + wide, mouth - smile)], lip * 0.5, size * 0.025
    )


def animal(canvas: Canvas) -> None:
    """A dog, cat, horse, cow or sheep on its legs, or a bird, on grass or a floor."""
    random = canvas.random
    line = random.uniform(0.3, 0.6)
    if random.random() < 0.75:
        sky(canvas, line)
        ground(canvas, line, colour_of(random, (0.3, 0.65), (0.2, 0.6), (0.15, 0.33)))
        for _ in range(random.integers(0, 4)):
            tree(canvas, random.uniform(0, canvas.wide), line + 0.02, random.uniform(0.15, 0.5))
    else:
        _blurred_room(canvas)
    coat = colour_of(random, (0.12, 0.95), (0.05, 0.6), (0.04, 0.12))
    (_bird if random.random() < 0.25 else _four_legs)(canvas, coat)


def _four_legs(canvas: Canvas, coat: np.ndarray) -> None:
    """Seen from the side, facing right (the picture may be mirrored later)."""
    random = canvas.random
    size = random.uniform(0.2, 0.33)  # half the body's length
    x, foot = canvas.wide * random.uniform(0.35, 0.6), random.uniform(0.82, 0.96)
    leg, thick = size * random.uniform(0.7, 1.5), size * random.uniform(0.42, 0.6)
    y, fur = foot - leg - thick * 0.4, random.uniform(0.04, 0.18)
    neck, head = random.uniform(0.35, 0.95) * size, size * random.uniform(0.26, 0.36)
    canvas.shadow(oval(x, foot, size * 1.25, size * 0.1), 0.55, 0.03)
    for place, step, shade in ((-0.72, 0.12, 0.6), (0.6, -0.1, 0.6), (-0.85, -0.1, 0.95), (0.75, 0.1, 0.95)):
        hip, knee = x + size * place, x + size * (place + step * random.uniform(0, 1.5))
        canvas.fill(limb(hip, y, knee, foot - leg * 0.45, size * 0.34, size * 0.17), coat * shade, (0.2, 0), fur=fur)
        canvas.fill(limb(knee, foot - leg * 0.5, hip, foot, size * 0.16, size * 0.11), coat * shade, (0.2, 0), fur=fur)
        canvas.fill(oval(hip + size * 0.04, foot - size * 0.03, size * 0.1, size * 0.05), coat * shade * 0.5)
    tail = np.array([(0, 0), (-0.25, random.uniform(-0.3, 0.2)), (-0.4, random.uniform(-0.6, 0.7))]) * size + (
        x - size * 0.95,
        y - thick * 0.3,
    )
    canvas.line(tail, coat * 0.8, size * random.uniform(0.06, 0.15))
    nape, skull = np.array([x + size * 0.75, y - thick * 0.1]), np.array([x + size * 1.1, y - thick * 0.4 - neck])
    canvas.fill(limb(*nape, *skull, thick * 1.1, head * 1.1), coat * 0.95, (0.1, -0.1), fur=fur)
    canvas.fill(oval(x, y, size, thick), coat, bulge=BALL, fur=fur)
    canvas.fill(oval(x + size * 0.7, y - thick * 0.1, size * 0.42, thick * 0.9), coat, bulge=(0.12, 0.12), fur=fur)
    canvas.fill(oval(x - size * 0.7, y - thick * 0.05, size * 0.4, thick * 0.95), coat, bulge=(0.12, 0.15), fur=fur)
    if random.random() < 0.4:  # patches
        for _ in range(random.integers(2, 6)):
            spot = random.uniform((-0.6, -0.5), (0.6, 0.4)) * (size, thick) + (x, y)
            canvas.fill(oval(*spot, *(random.uniform(0.1, 0.3, 2) * size), random.uniform(0, 3)), coat * 0.35, fur=fur, alpha=0.85)
    _muzzle(canvas, skull, head, coat, fur)


def _muzzle(canvas: Canvas, skull: np.ndarray, head: float, coat: np.ndarray, fur: float) -> None:
    random = canvas.random
    x, y = skull
    length, drop = head * random.uniform(0.6, 1.6), head * random.uniform(0.1, 0.7)
    pointed = random.random() < 0.6
    ear = [(x - head * 0.7, y - head * 0.3), (x - head * 0.45, y - head * 1.6), (x + head * 0.05, y - head * 0.7)]
    canvas.fill(np.array(ear) + (head * 0.35, 0) if pointed else oval(x - head * 0.1, y, head * 0.3, head * 0.8, 0.4), coat * 0.6, fur=fur)
    canvas.fill(oval(x, y, head, head * 0.85), coat, bulge=BALL, fur=fur)
    canvas.fill(limb(x + head * 0.3, y + head * 0.1, x + head * 0.6 + length, y + drop, head * 1.2, head * 0.65), coat, (0, -0.2), fur=fur)
    canvas.fill(oval(x + head * 0.6 + length, y + drop, head * 0.34, head * 0.34), coat * 0.9, bulge=BALL, fur=fur)
    canvas.fill(oval(x + head * 0.75 + length, y + drop - head * 0.1, head * 0.16, head * 0.13), (25, 20, 20))
    canvas.line(
        [(x + head * 0.8 + length, y + drop + head * 0.15), (x + head * 0.5, y + drop * 0.8 + head * 0.35)], coat * 0.4, head * 0.06
    )
    canvas.fill(ear if pointed else oval(x - head * 0.5, y + head * 0.2, head * 0.3, head * 0.8, 0.3), coat * 0.75, fur=fur)
    canvas.fill(oval(x + head * 0.4, y - head * 0.2, head * 0.13, head * 0.13), (20, 15, 10))
    canvas.fill(oval(x + head * 0.36, y - head * 0.25, head * 0.04, head * 0.04), (250, 250, 250))


def _bird(canvas: Canvas, coat: np.ndarray) -> None:
    random = canvas.random
    coat = colour_of(random, (0.1, 0.95), (0, 0.8)) if random.random() < 0.5 else coat
    size = random.uniform(0.18, 0.3)
    x, foot = canvas.wide * random.uniform(0.4, 0.6), random.uniform(0.8, 0.95)
    y, tilt = foot - size * random.uniform(1, 1.6), random.uniform(-0.7, -0.1)
    canvas.shadow(oval(x, foot, size * 0.9, size * 0.1), 0.5)
    for side in (-0.12, 0.15):
        canvas.line([(x + side * size, y), (x + side * size, foot), (x + side * size + size * 0.2, foot)], (150, 100, 50), size * 0.06)
    canvas.fill(limb(x - size * 0.5, y, x - size * 1.7, y + size * 0.6, size * 0.5, size * 0.3), coat * 0.6, fur=0.16)
    canvas.fill(oval(x, y, size, size * 0.6, tilt), coat, bulge=BALL, fur=0.13)
    head = np.array([x + size * 0.85, y - size * random.uniform(0.6, 1.1)])
    canvas.fill(limb(x + size * 0.6, y - size * 0.2, *head, size * 0.7, size * 0.5), coat, fur=0.13)
    canvas.fill(oval(*head, size * 0.34, size * 0.32), coat, bulge=BALL, fur=0.2)
    beak = [head + (size * 0.28, -size * 0.1), head + (size * random.uniform(0.5, 0.9), size * 0.03), head + (size * 0.26, size * 0.12)]
    canvas.fill(beak, (220, 150, 40))
    canvas.fill(oval(*(head + (size * 0.12, -size * 0.06)), size * 0.06, size * 0.06), (15, 12, 10))
    canvas.fill(oval(x - size * 0.3, y - size * 0.02, size * 0.8, size * 0.34, tilt - 0.1), coat * 0.72, (0.15, 0.1), fur=0.2)


def _blurred_room(canvas: Canvas) -> None:
    """A backdrop out of focus."""
    random = canvas.random
    canvas.ramp(colour_of(random, (0.2, 0.9), (0, 0.5)), colour_of(random, (0.2, 0.8), (0, 0.5)))
    for _ in range(random.integers(0, 8)):
        x, y = random.uniform(0, canvas.wide), random.uniform(0, 1)
        width, height = random.uniform(0.05, 0.4, 2)
        canvas.fill(box(x - width, y - height, x + width, y + height), colour_of(random, (0.1, 1), (0, 0.6)), alpha=0.6)
    blur_px = random.uniform(3, 10)
    canvas.pixels[:] = cv2.GaussianBlur(canvas.pixels, (0, 0), blur_px)
