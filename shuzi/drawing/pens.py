"""Pens and papers: from the pen's track to a picture, as a scanner, phone or screen takes it."""

from typing import NamedTuple

import cv2
import numpy as np


class PenKind(NamedTuple):
    """How a kind of pen writes. Widths are parts of the character's size."""

    common: float  # how many write with it
    width: tuple[float, float]  # thinnest and thickest
    flow: float  # how much thinner the line gets where the pen is fast
    taper: float  # how pointed strokes end
    nib: float  # how much broader the line is across the nib's edge
    fade: float  # how much lighter a light touch is
    grain: float  # how much of the paper shows through


PENS = {
    "ballpoint": PenKind(30, (0.012, 0.040), 0.25, 0.3, 0.0, 0.50, 0.15),
    "gel pen": PenKind(20, (0.015, 0.045), 0.15, 0.2, 0.0, 0.15, 0.00),
    "pencil": PenKind(12, (0.015, 0.050), 0.25, 0.3, 0.0, 0.60, 0.55),
    "fountain pen": PenKind(8, (0.020, 0.060), 0.35, 0.5, 0.3, 0.20, 0.00),
    "marker": PenKind(10, (0.060, 0.170), 0.10, 0.0, 0.3, 0.00, 0.05),
    "brush": PenKind(6, (0.070, 0.170), 0.40, 0.9, 0.2, 0.00, 0.10),
    "finger": PenKind(4, (0.060, 0.140), 0.00, 0.0, 0.0, 0.00, 0.00),
    "mouse": PenKind(18, (0.040, 0.135), 0.00, 0.0, 0.0, 0.00, 0.00),
}
# how common; a mouse or finger has a screen instead
PAPERS = {"scan": 40, "photo": 18, "small": 27, "copy": 15}


def render(
    strokes: list[tuple[np.ndarray, np.ndarray]],
    pen: str,
    width: float,
    size: float,
    rng: np.random.Generator | None,
    edge: float = 0.0,
    stepped: bool = False,
) -> np.ndarray:
    """Draw strokes as draw() returns them. Returns ink, float32 (h, w), 0 paper .. 1 ink, cropped to it.

    pen: a name in PENS. width: the pen's, in parts of the character's size. size: of the character, pixels.
    stepped: with the stairs of a simple drawing program, without grey at the edges.
    """
    fine = 1 if stepped else max(1, round(360 / size))  # drawn larger, then reduced
    unit = size * fine
    points = np.concatenate([points for points, _ in strokes])
    margin = width * unit + 2 * fine
    low = points.min(0)
    w, h = (np.ceil((points.max(0) - low) * unit + 2 * margin).astype(int) // fine + 1) * fine
    canvas = np.zeros((h, w), np.uint8)
    line_type = cv2.LINE_8 if stepped else cv2.LINE_AA
    for points, widths in strokes:
        pixels = np.round(((points - low) * unit + margin) * 16).astype(int)
        thick = np.maximum(1, np.round(widths * width * unit)).astype(int).tolist()
        tone = np.round(255 * (1 - PENS[pen].fade * np.clip(1 - widths, 0, 0.8))).astype(int).tolist()
        pixels = pixels.tolist()
        for i in range(1, len(pixels)):
            cv2.line(canvas, pixels[i - 1], pixels[i], tone[i], thick[i], line_type, 4)
    ink = canvas.astype(np.float32) / 255
    if fine > 1:
        ink = cv2.resize(ink, (w // fine, h // fine), interpolation=cv2.INTER_AREA)
    if PENS[pen].grain:
        grain = cv2.GaussianBlur(rng.random(ink.shape, np.float32), (0, 0), 0.7)
        ink = ink * np.clip(1 - PENS[pen].grain * (0.5 + 3 * (grain - 0.5)), 0, 1)
    rows, columns = np.nonzero(ink.max(1) > 0.1)[0], np.nonzero(ink.max(0) > 0.1)[0]
    if len(rows) == 0:
        return ink
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def capture(ink: np.ndarray, paper: str, rng: np.random.Generator, dark: float = 1.0) -> tuple[np.ndarray, str]:
    """Put ink on paper and take it as a scanner, phone or screen would.

    ink: as render() returns it. paper: a name in PAPERS, or "screen". dark: of the ink, 0..1.
    Returns (grey uint8 (h, w), suffix); suffix is the file type that suits it, ".png" or ".jpg".
    """
    take = {"scan": _scan, "photo": _photo, "small": _small, "copy": _copy, "screen": _screen}
    return take[paper](ink, rng, dark)


def _margins(ink, rng, low, high):
    """Paper around the ink, each side its own share of the larger side; below 0 cuts into it."""
    h, w = ink.shape
    if min(h, w) < 0.3 * max(h, w):
        low, high = max(low, 0.06), max(high, 0.2)  # a tight crop of 一 would be ink and no paper
    top, bottom, left, right = (int(round(share * max(h, w))) for share in rng.uniform(low, high, 4))
    out = np.zeros((max(4, h + top + bottom), max(4, w + left + right)), np.float32)
    part = ink[max(0, -top) : h + min(0, bottom), max(0, -left) : w + min(0, right)]
    y, x = max(0, top), max(0, left)
    part = part[: out.shape[0] - y, : out.shape[1] - x]
    out[y : y + part.shape[0], x : x + part.shape[1]] = part
    return out


def _develop(ink, paper, dark, noise, rng):
    """Ink 0..1 on paper of grey `paper`, as uint8; dark 1 is black ink."""
    grey = paper * (1 - dark * ink)
    if noise:
        grey = grey + rng.normal(0, noise, ink.shape).astype(np.float32)
    return np.clip(np.round(grey), 0, 255).astype(np.uint8)


def _scan(ink, rng, dark):
    tight = rng.random() < 0.4
    ink = _margins(ink, rng, -0.01, 0.01) if tight else _margins(ink, rng, 0.02, 0.5)
    ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.3, 0.9))
    if rng.random() < 0.5:
        return _develop(ink, rng.uniform(235, 255), dark, 0, rng) // 8 * 8 + 7, ".png"
    return _develop(ink, rng.uniform(215, 255), dark, rng.uniform(0.5, 4), rng), ".jpg"


def _photo(ink, rng, dark):
    ink = _margins(ink, rng, 0.03, 0.5)
    ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.5, 1.6))
    y, x = np.mgrid[-1 : 1 : ink.shape[0] * 1j, -1 : 1 : ink.shape[1] * 1j]
    light = rng.uniform(130, 235) * (1 + rng.uniform(-0.2, 0.2) * x + rng.uniform(-0.2, 0.2) * y)
    return _develop(ink, np.clip(light, 0, 255).astype(np.float32), dark, rng.uniform(1, 7), rng), ".jpg"


def _small(ink, rng, dark):
    """A small character somewhere on a small field, as sets for machines have it, often light on dark."""
    side = max(28, int(max(ink.shape) * rng.uniform(1.05, 2.5)))
    field = np.zeros((side, side), np.float32)
    y, x = (int(rng.integers(0, side - length + 1)) for length in ink.shape)
    field[y : y + ink.shape[0], x : x + ink.shape[1]] = ink
    if rng.random() < 0.5:
        field = cv2.GaussianBlur(field, (0, 0), rng.uniform(0.3, 0.7))
    grey = _develop(field, 255, dark, rng.uniform(0, 5) * (rng.random() < 0.5), rng)
    grey = 255 - grey if rng.random() < 0.5 else grey
    return (grey, ".jpg") if rng.random() < 0.5 else (grey // 8 * 8 + grey // 37, ".png")


def _copy(ink, rng, dark):
    """A photocopy: black and white only."""
    ink = _margins(ink, rng, -0.01, 0.2)
    ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.4, 1.0)) + rng.normal(0, 0.05, ink.shape)
    copy = np.where(ink > min(0.5, 0.6 * ink.max()), 0, 255).astype(np.uint8)
    return (255 - copy if rng.random() < 0.15 else copy), ".png"


def _screen(ink, rng, dark):
    """A drawing program's bitmap, at its own size or made larger."""
    ink = _margins(ink, rng, 0.0, 0.25)
    style = rng.random()
    if style < 0.55:
        bitmap = np.where(ink > 0.45, 0, 255).astype(np.uint8)
    else:
        bitmap = _develop(ink, 255, 1, 0, rng) // 16 * 17
    if style < 0.25:
        larger = int(rng.integers(2, 5))
        bitmap = cv2.resize(bitmap, None, fx=larger, fy=larger, interpolation=cv2.INTER_NEAREST)
    return (255 - bitmap if rng.random() < 0.25 else bitmap), ".png"
