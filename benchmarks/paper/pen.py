"""A pen that follows strokes on paper: coverage of the ink, and its colour.

Strokes are filled outlines (a disc rolled along the track with a changing radius); each kind of pen then lays down its
ink in its own way: a ballpoint skips, a pencil catches only the tooth of the paper, a marker darkens where it crosses
itself.
"""

from collections import namedtuple

import cv2
import numpy as np

# width: of the line, in parts of the character's size; colours: sRGB; dark: how much of the light the ink takes,
# least and most
Pen = namedtuple("Pen", "width colours dark")

BLUES = [(28, 52, 160), (20, 30, 110), (40, 90, 200), (60, 70, 150)]
BLACKS = [(25, 25, 28), (45, 45, 50), (15, 15, 15), (60, 58, 62)]
REDS = [(200, 35, 45), (225, 60, 60), (170, 20, 40)]
OTHERS = [(20, 120, 70), (110, 40, 140), (200, 90, 20), (0, 130, 140)]

PENS = {
    "ballpoint": Pen((0.025, 0.06), BLUES * 2 + BLACKS * 2 + REDS + OTHERS[:2], (0.75, 1.0)),
    "gel": Pen((0.03, 0.07), BLUES + BLACKS * 2 + REDS + OTHERS, (0.85, 1.0)),
    "pencil": Pen((0.025, 0.07), [(70, 70, 74), (95, 95, 98), (55, 55, 60)], (0.45, 0.85)),
    "felt pen": Pen((0.05, 0.11), BLUES + BLACKS + REDS + OTHERS, (0.75, 1.0)),
    "marker": Pen((0.09, 0.16), BLACKS * 2 + BLUES + REDS + OTHERS, (0.8, 1.0)),
    "fountain pen": Pen((0.03, 0.08), BLUES + BLACKS * 2, (0.75, 1.0)),
    "brush": Pen((0.08, 0.16), BLACKS, (0.85, 1.0)),
    "crayon": Pen((0.07, 0.13), REDS + BLUES + BLACKS + OTHERS, (0.6, 0.9)),
    "chalk": Pen((0.05, 0.11), [(240, 240, 235), (245, 225, 120), (240, 170, 180), (150, 200, 240)], (0.6, 0.95)),
    "screen": Pen((0.03, 0.12), [(0, 0, 0)], (1.0, 1.0)),
}
PAPER_PENS = ("ballpoint", "gel", "pencil", "felt pen", "marker", "fountain pen", "brush", "crayon")
SHARES = (0.27, 0.18, 0.16, 0.12, 0.1, 0.08, 0.05, 0.04)


def linear(colour):
    """sRGB 0-255 -> linear light 0..1, float32."""
    c = np.asarray(colour, np.float32) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4).astype(np.float32)


def noise(shape, scale, rng):
    """Smooth noise (h, w), float32, mean 0 and spread 1; scale: pixels that it varies over."""
    h, w = shape
    step = max(1.0, scale)
    small = rng.standard_normal((int(h / step) + 3, int(w / step) + 3)).astype(np.float32)
    return cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC) if step > 1 else small[:h, :w]


def choose_pen(rng, pens=PAPER_PENS):
    if pens is PAPER_PENS:
        return str(rng.choice(PAPER_PENS, p=SHARES))
    return str(rng.choice(list(pens)))


def outline(points, radii, shape, fine):
    """One stroke, filled: float32 (h, w), 0..1. points (n, 2) and radii (n,) in pixels; drawn `fine` times larger."""
    low = np.floor((points - radii[:, None]).min(0) - 2).astype(int)
    high = np.ceil((points + radii[:, None]).max(0) + 2).astype(int)
    low, high = np.maximum(low, 0), np.minimum(high, shape[::-1])
    if (high <= low).any():
        return None, None
    canvas = np.zeros(((high - low)[::-1] * fine), np.uint8)
    track, radius = (points - low) * fine, np.maximum(radii * fine, 0.5)
    way = np.gradient(track, axis=0)
    side = np.stack([-way[:, 1], way[:, 0]], 1) / np.maximum(np.hypot(*way.T), 1e-6)[:, None]
    left, right = track + side * radius[:, None], track - side * radius[:, None]
    quads = np.stack([left[:-1], left[1:], right[1:], right[:-1]], 1)
    for quad in np.round(quads * 16).astype(np.int32):
        cv2.fillConvexPoly(canvas, quad, 255, cv2.LINE_AA, 4)
    for place, r in zip(np.round(track * 16).astype(int).tolist(), np.round(radius * 16).astype(int).tolist()):
        cv2.circle(canvas, place, r, 255, -1, cv2.LINE_AA, 4)
    small = cv2.resize(canvas, tuple((high - low).tolist()), interpolation=cv2.INTER_AREA) if fine > 1 else canvas
    return (slice(low[1], high[1]), slice(low[0], high[0])), small.astype(np.float32) / 255


def write(shape, strokes, box, pen, rng, width=None, steady=False):
    """Ink of one character: float32 (h, w), 0 paper to 1 ink.

    strokes: of the hand, [(points, widths)]; box: (left, top, side) where the longer side of what is written is to
    lie, pixels;
    pen: a name in PENS; width: of the line, in parts of `side`. steady: the line is of one width.
    """
    points = np.concatenate([line for line, _ in strokes])
    low, high = points.min(0), points.max(0)
    left, top, side = box
    low_w, high_w = PENS[pen].width
    width = width or float(np.exp(rng.uniform(np.log(low_w), np.log(high_w))))
    width = max(width * side, 1.0)
    factor = max(side - width, 3) / max((high - low).max(), 1e-3)
    centre = np.array([left, top]) + side / 2
    fine = int(np.clip(round(10 / width), 1, 4))
    ink = np.zeros(shape, np.float32)
    for line, widths in strokes:
        track = (line - (low + high) / 2) * factor + centre
        step = np.hypot(*np.diff(track, axis=0).T)
        keep = np.r_[True, np.diff(np.floor(np.cumsum(step) / max(0.8, width / 5))) > 0, True]
        track, widths = track[keep[: len(track)]], widths[keep[: len(widths)]]
        if len(track) < 2:
            track, widths = np.repeat(track, 2, 0) + [[0, 0], [0.3, 0.3]], np.repeat(widths, 2)
        radii = np.full(len(track), width / 2) if steady else width / 2 * np.clip(widths, 0.45, 1.5)
        part, cover = outline(track, np.maximum(radii, 0.45), shape, fine)
        if part is None:
            continue
        cover = _laid(cover, part, track, width, pen, rng)
        if pen in ("marker", "felt pen"):
            ink[part] = 1 - (1 - ink[part]) * (1 - cover)
        else:
            np.maximum(ink[part], cover, out=ink[part])
    return ink


def _laid(cover, part, track, width, pen, rng):
    """How much of the ink stays where the pen went."""
    shape = cover.shape
    if pen == "screen":
        return cover
    if pen in ("pencil", "crayon", "chalk"):
        tooth = noise(shape, 1.2 if pen == "pencil" else max(1.5, width / 8), rng)
        press = rng.uniform(0.3, 1.3) if pen != "chalk" else rng.uniform(0, 0.8)
        press = press + 0.4 * noise(shape, 6 * width, rng)
        return cover * np.clip(0.6 + 0.5 * (press + tooth * 0.7), 0.12, 1)
    if pen == "ballpoint":
        uneven = np.clip(0.9 + 0.16 * noise(shape, 3 * width, rng) + 0.1 * noise(shape, 1, rng), 0.35, 1)
        cover = cover * uneven
        if rng.random() < 0.25:  # ink gathers where the pen rests
            at = track[-1 if rng.random() < 0.6 else 0] - [part[1].start, part[0].start]
            blob = np.zeros(shape, np.uint8)
            cv2.circle(
                blob,
                np.round(at * 16).astype(int).tolist(),
                int(16 * width * rng.uniform(0.45, 0.7)),
                255,
                -1,
                cv2.LINE_AA,
                4,
            )
            cover = np.maximum(cover, blob.astype(np.float32) / 255)
        return cover
    if pen in ("marker", "felt pen"):
        return cover * np.clip(rng.uniform(0.75, 0.97) + 0.05 * noise(shape, 2 * width, rng), 0, 1)
    if pen == "brush":
        dry = np.clip(1.1 + 0.25 * noise(shape, max(1.5, width / 10), rng) - rng.uniform(0, 0.25), 0.25, 1)
        return cover * dry
    rim = cover - cv2.erode(cover, np.ones((3, 3)))  # ink dries darker at the rim
    return np.clip(cover * rng.uniform(0.82, 0.98) + 0.15 * rim * (cover > 0.5), 0, 1)


def lay(page, ink, colour, dark):
    """Lay ink on a page of linear light, in place. colour: sRGB."""
    page *= 1 - dark * ink[:, :, None] * (1 - linear(colour))
    return page


def ink_of(pen, rng):
    """(colour sRGB, dark) of one pen of a kind."""
    kind = PENS[pen]
    colour = np.array(kind.colours[rng.integers(len(kind.colours))]) + rng.integers(-12, 13, 3)
    return np.clip(colour, 0, 255), rng.uniform(*kind.dark)
