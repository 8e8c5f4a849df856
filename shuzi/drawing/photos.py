"""Simulated photos of one handwritten numeral, to test on. Nothing is trained on them.

Ink of a pen, ballpoint or pencil on white, tinted, ruled or squared paper, seen at an angle under uneven light with
shadows, perhaps with the table around it, then blurred, with noise, and saved as JPEG.
"""

import io
import math

import cv2
import numpy as np
from PIL import Image

from shuzi.drawing import handwriting

INKS = {  # colour of a full stroke, R, G, B, 0-255
    "black": ((20, 22, 28), (60, 60, 66)),
    "blue": ((20, 30, 110), (70, 100, 190)),
    "red": ((150, 20, 30), (215, 60, 70)),
    "grey": ((70, 70, 75), (120, 120, 125)),
    "pencil": ((85, 85, 88), (140, 140, 144)),
}
PENS = ["ballpoint", "gel pen", "fountain pen", "marker"]
PAPERS = {"plain": 0.40, "ruled": 0.35, "squared": 0.25}  # how common
RULINGS = [(0.62, 0.74, 0.88), (0.70, 0.72, 0.76), (0.86, 0.66, 0.64), (0.66, 0.82, 0.70)]  # R, G, B, 0-1
FRAMES = {900: 0.35, 1500: 0.30, 2600: 0.20, 4000: 0.15}  # pixels, longer side; 4000x3000 is 12 megapixels


def photograph(
    name: str | None, seed: int, frames: dict[int, float] = FRAMES
) -> tuple[bytes, np.ndarray | None, set[str]]:
    """Draw class `name` once and take it twice.

    Returns (photo, scan, conditions): the photo as JPEG bytes, the scan uint8 (h, w), and a set of words.
    The same seed gives the same pictures. Without a name nothing is written, and there is no scan.
    """
    rng = np.random.default_rng([seed, 7])
    writer = handwriting.make_writer(seed, 0)
    strokes = handwriting.draw(name or "1", writer, rng)
    colour = str(rng.choice(list(INKS)))
    pen = colour if colour == "pencil" else str(rng.choice(PENS))
    low, high = handwriting.PENS[pen].width
    width = math.exp(rng.uniform(math.log(max(low, 0.018)), math.log(min(high, 0.11))))

    longer = int(rng.choice(list(frames), p=list(frames.values())))
    size = longer // 4 * 3, longer
    height, across = size if rng.random() < 0.5 else size[::-1]
    small = rng.random() < 0.3
    share = rng.uniform(0.06, 0.15) if small else rng.uniform(0.2, 0.6)  # of the frame's shorter side
    written = handwriting.render(strokes, pen, width, share * min(size), rng)
    scan = _scan(handwriting.render(strokes, pen, width, 220, rng))

    conditions = {colour, "small" if small else "large", f"{height * across / 1e6:.0f} MP"}
    paper = str(rng.choice(list(PAPERS), p=list(PAPERS.values())))
    conditions.add(paper)
    sheet = _sheet(height, across, paper, max(written.shape), rng)
    if name:
        _write(sheet, written, INKS[colour], rng)
    photo = _tilt(sheet, conditions, rng)
    photo = _light(photo, conditions, rng)
    return _camera(photo, conditions, rng), scan if name else None, conditions


def _scan(written):
    margin = max(written.shape) // 8
    return np.pad(255 - (written * 235).astype(np.uint8), margin, constant_values=255)


def _sheet(height, width, paper, writing, rng):
    """Paper as it is: float32 (h, w, 3), 0-1, with its tint, its fibres and its lines."""
    yellow = rng.choice([0, 1]) * rng.random() * np.array([0.0, 0.04, 0.16])
    tint = 1 - rng.uniform(0, 0.06, 3) - yellow
    fibres = rng.normal(0, rng.uniform(0, 0.012), (height // 4 + 1, width // 4 + 1)).astype(np.float32)
    sheet = 1 + cv2.resize(fibres, (width, height), interpolation=cv2.INTER_CUBIC)[:, :, None]
    sheet = sheet * tint.astype(np.float32)
    if paper == "plain":
        return sheet
    colour = 1 - (1 - np.array(RULINGS[rng.integers(len(RULINGS))])) * rng.uniform(0.5, 1.3)
    step = writing * (rng.uniform(0.9, 1.8) if paper == "ruled" else rng.uniform(0.35, 1.2))
    thick = max(1.0, min(step, 0.2 * max(height, width)) * rng.uniform(0.01, 0.03))
    lines = np.zeros((height, width), np.float32)
    for axis in (0,) if paper == "ruled" else (0, 1):
        x = np.arange(height if axis == 0 else width) + rng.uniform(0, step)
        off = np.abs((x + step / 2) % step - step / 2)
        profile = np.clip(thick / 2 + 0.5 - off, 0, 1).astype(np.float32)
        lines = np.maximum(lines, profile[:, None] if axis == 0 else profile[None, :])
    return sheet * (1 - lines[:, :, None] * (1 - colour.astype(np.float32)))


def _write(sheet, written, colours, rng):
    """Put the writing somewhere on the sheet, in place."""
    height, width = written.shape
    room_y, room_x = sheet.shape[0] - height, sheet.shape[1] - width
    top, left = (int(max(0, room) * rng.uniform(0.2, 0.8)) for room in (room_y, room_x))
    part = sheet[top : top + height, left : left + width]
    written = written[: part.shape[0], : part.shape[1], None]
    colour = rng.uniform(*np.array(colours, np.float32) / 255).astype(np.float32)
    part *= 1 - written * (1 - colour)


def _tilt(sheet, conditions, rng):
    """The sheet as the camera sees it: turned a little, in perspective, at times with the table around."""
    height, width = sheet.shape[:2]
    table = rng.random() < 0.25
    grow = rng.uniform(0.84, 0.95) if table else 1.12
    if table:
        conditions.add("table")
    angle = math.radians(rng.normal(0, 4))
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float32) / 2
    turned = corners @ np.array([(math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))])
    turned = turned * grow + rng.uniform(-0.03, 0.03, (4, 2))
    if table:
        turned += rng.uniform(-0.06, 0.06, 2)
    scale = np.array([width, height], np.float32)
    centre = scale / 2
    matrix = cv2.getPerspectiveTransform(
        (corners * scale + centre).astype(np.float32), (turned * scale + centre).astype(np.float32)
    )
    ground = tuple(float(x) for x in rng.uniform(0.12, 0.7) * rng.uniform((1, 0.7, 0.5), 1))
    border = cv2.BORDER_CONSTANT if table else cv2.BORDER_REFLECT
    return cv2.warpPerspective(sheet, matrix, (width, height), borderMode=border, borderValue=ground)


def _light(photo, conditions, rng):
    """Uneven light, and at times a shadow with a hard or a soft edge."""
    height, width = photo.shape[:2]
    rows, columns = height // 4 + 1, width // 4 + 1
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j].astype(np.float32)
    light = 1 + rng.uniform(-0.25, 0.25) * x + rng.uniform(-0.25, 0.25) * y
    light -= rng.uniform(0, 0.2) * (x * x + y * y)
    kind = rng.choice(["even", "soft shadow", "hard shadow"], p=[0.4, 0.3, 0.3])
    if kind != "even":
        conditions.add(str(kind))
        turn, bend = rng.uniform(0, 2 * math.pi), rng.uniform(-0.4, 0.4)
        across = x * math.cos(turn) + y * math.sin(turn)
        along = -x * math.sin(turn) + y * math.cos(turn)
        edge = across - rng.uniform(-0.5, 0.5) - bend * along * along
        softness = rng.uniform(0.006, 0.02) if kind == "hard shadow" else rng.uniform(0.08, 0.5)
        light *= 1 - rng.uniform(0.15, 0.55) / (1 + np.exp(-np.clip(edge / softness, -30, 30)))
    light = cv2.resize(light * rng.uniform(0.6, 0.95), (width, height), interpolation=cv2.INTER_LINEAR)
    warmth = np.array([1.0, rng.uniform(0.92, 1.0), rng.uniform(0.78, 1.05)], np.float32)
    return photo * light[:, :, None] * warmth


def _camera(photo, conditions, rng):
    """Blur, noise, 8 bits and JPEG. Returns the file's bytes."""
    height, width = photo.shape[:2]
    unit = max(height, width) / 1000
    blur = rng.uniform(0.2, 1.0) * unit**0.5
    if rng.random() < 0.2:
        conditions.add("blurred")
        blur = rng.uniform(1.2, 2.0) * unit**0.8
    photo = cv2.GaussianBlur(photo, (0, 0), blur)
    photo = (np.clip(photo, 0, 1) ** (1 / 1.1) * 255).astype(np.uint8)
    noise = rng.uniform(0.5, 3.5)
    if rng.random() < 0.2:
        conditions.add("noisy")
        noise = rng.uniform(5, 10)
    grains = np.empty(photo.shape, np.int16)
    cv2.setRNGSeed(int(rng.integers(1 << 30)))
    cv2.randn(grains, 0, noise)
    photo = cv2.add(photo, grains, dtype=cv2.CV_8U)
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=int(rng.integers(40, 96)))
    return file.getvalue()
