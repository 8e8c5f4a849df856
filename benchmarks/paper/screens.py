"""What is no paper: drawing apps and messengers as screenshots, clear grounds, flat colours, blackboards and
whiteboards.

All but the boards are drawn in sRGB as a screen holds it, uint8.
"""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .pen import choose_pen, ink_of, lay, linear, noise, write

TOOLS = [
    (230, 60, 60),
    (60, 150, 235),
    (245, 200, 60),
    (20, 20, 20),
    (60, 180, 90),
    (160, 80, 200),
    (255, 255, 255),
    (250, 140, 40),
]


def digital(strokes, side, rng, aliased=None):
    """Ink as a drawing program lays it, (n, n) float32 0..1 with a little room around, and how wide the line is."""
    width = float(np.exp(rng.uniform(np.log(0.02), np.log(0.11))))
    n = int(side * 1.2) + 4
    ink = write(
        (n, n), strokes, (0.1 * side, 0.1 * side, side), "screen", rng, max(width, 2 / side), rng.random() < 0.8
    )
    return (ink > 0.5).astype(np.float32) if (rng.random() < 0.25 if aliased is None else aliased) else ink


def bars(shape, rng, dark):
    """A program's window without its drawing: (uint8 (h, w, 3), (left, top, right, bottom) of the canvas)."""
    h, w = shape
    ground = int(rng.integers(0, 36)) if dark else int(rng.choice([255, 255, 252, 245]))
    picture = np.full((h, w, 3), ground, np.uint8)
    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    unit = max(12, int(0.03 * max(h, w)))
    font = ImageFont.load_default(unit * 0.62)
    bar = tuple(
        int(v) for v in (np.array([ground] * 3) + (rng.integers(14, 50) if dark else -rng.integers(4, 40)) * np.ones(3))
    )
    if rng.random() < 0.12:
        bar = tuple(int(v) for v in rng.integers(20, 235, 3))
    fore = (235, 235, 238) if sum(bar) < 380 else (40, 40, 44)
    left, top, right, bottom = 0, 0, w, h
    where = [
        side for side, share in (("top", 0.8), ("bottom", 0.6), ("left", 0.3), ("right", 0.1)) if rng.random() < share
    ] or ["top"]
    line = rng.random() < 0.5
    if "top" in where:
        if rng.random() < 0.6:  # the telephone's own line
            pen.rectangle((0, 0, w, int(0.8 * unit)), fill=bar)
            pen.text(
                (0.4 * unit, 0.08 * unit), f"{rng.integers(0, 24)}:{rng.integers(0, 60):02d}", fill=fore, font=font
            )
            pen.rectangle(
                (w - 1.6 * unit, 0.2 * unit, w - 0.6 * unit, 0.65 * unit), outline=fore, width=max(1, unit // 16)
            )
            pen.rectangle((w - 1.55 * unit, 0.25 * unit, w - rng.uniform(0.7, 1.3) * unit, 0.6 * unit), fill=fore)
            top = int(0.8 * unit)
        deep = int(unit * rng.uniform(1.4, 2.6))
        pen.rectangle((0, top, w, top + deep), fill=bar)
        _icons(pen, rng, (unit, top + deep / 2), (w - unit, top + deep / 2), unit, fore, font)
        top += deep
        if line:
            pen.line((0, top, w, top), fill=tuple(int(v * 0.8) for v in bar), width=1)
            top += 1
    if "bottom" in where:
        deep = int(unit * rng.uniform(1.4, 3))
        pen.rectangle((0, h - deep, w, h), fill=bar)
        _icons(pen, rng, (unit, h - deep / 2), (w - unit, h - deep / 2), unit, fore, font)
        bottom = h - deep
        if rng.random() < 0.3:
            pen.rounded_rectangle((w * 0.35, h - 0.3 * unit, w * 0.65, h - 0.15 * unit), 3, fill=fore)
    for side in ("left", "right"):
        if side in where:
            deep = int(unit * rng.uniform(1.2, 2.2))
            x = 0 if side == "left" else w - deep
            pen.rectangle((x, top, x + deep, bottom), fill=bar)
            _icons(pen, rng, (x + deep / 2, top + unit), (x + deep / 2, bottom - unit), unit, fore, font)
            left, right = (deep, right) if side == "left" else (left, w - deep)
    return np.array(image), (left, top, right, bottom)


def _icons(pen, rng, start, end, unit, fore, font):
    start, end = np.array(start), np.array(end)
    many = int(rng.integers(2, 9))
    r = 0.38 * unit
    style = rng.choice(["colours", "rings", "icons", "words"], p=(0.3, 0.15, 0.4, 0.15))
    if style == "words" and start[1] == end[1]:
        for text, share in zip(
            rng.permutation(["Undo", "Clear", "Save", "Brush", "Done", "File", "Edit", "Pen 4 px", "100%"]),
            np.linspace(0, 0.85, 4),
        ):
            pen.text(tuple(start + (end - start) * share - [0, 0.4 * unit]), str(text), fill=fore, font=font)
        return
    shares = (
        np.linspace(0, 1, many)
        if rng.random() < 0.5
        else np.linspace(0, min(1.0, 1.6 * unit * many / np.hypot(*(end - start))), many)
    )
    for i, share in enumerate(shares):
        x, y = start + (end - start) * share
        box = (x - r, y - r, x + r, y + r)
        kind = {"colours": 0, "rings": 1}.get(style, rng.integers(2, 8))
        wide = max(1, unit // 14)
        if kind == 0:
            pen.ellipse(box, fill=TOOLS[i % len(TOOLS)], outline=fore if i == 0 else None)
        elif kind == 1:
            pen.ellipse(box, outline=fore, width=wide)
        elif kind == 2:
            pen.rounded_rectangle(box, r / 3, outline=fore, width=wide)
        elif kind == 3:
            pen.line((x + r, y, x - r, y), fill=fore, width=wide)
            pen.line((x, y - r, x - r, y, x, y + r), fill=fore, width=wide)
        elif kind == 4:
            pen.line((x - r, y + r, x + r, y - r), fill=fore, width=2 * wide)
        elif kind == 5:
            for k in (-0.6, 0, 0.6):
                pen.line((x - r, y + k * r, x + r, y + k * r), fill=fore, width=wide)
        elif kind == 6:
            pen.polygon((x - r, y + r, x, y - r, x + r, y + r), outline=fore)
        else:
            pen.arc(box, 30, 300, fill=fore, width=wide)


def app(strokes, rng, dark=False):
    """A drawing app's screenshot: (uint8 (h, w, 3), its ink float32 (h, w))."""
    h, w = [(1600, 740), (1334, 750), (1280, 720), (768, 1024), (720, 1280), (640, 640), (1000, 800)][rng.integers(7)]
    scale = rng.uniform(0.5, 1.0)
    picture, (left, top, right, bottom) = bars((int(h * scale), int(w * scale)), rng, dark)
    wide, high = right - left, bottom - top
    where = np.zeros(picture.shape[:2], np.float32)
    if strokes is None:
        return picture, where
    side = min(wide, high) * rng.uniform(0.3, 0.85)
    ink = digital(strokes, side, rng)
    n = len(ink)
    if n > min(wide, high):
        ink = cv2.resize(ink, (min(wide, high),) * 2, interpolation=cv2.INTER_AREA)
        n = len(ink)
    x, y = left + rng.integers(0, wide - n + 1), top + rng.integers(0, high - n + 1)
    light = rng.random() < 0.6
    colours = (
        [(255, 255, 255), (250, 230, 90), (110, 220, 250), (255, 130, 130)]
        if dark
        else [(0, 0, 0), (30, 30, 34), (220, 40, 40), (30, 80, 220)]
    )
    colour = np.array(colours[0] if light else colours[rng.integers(4)], np.float32)
    part = picture[y : y + n, x : x + n].astype(np.float32)
    picture[y : y + n, x : x + n] = np.uint8(part + (colour - part) * ink[:, :, None] + 0.5)
    where[y : y + n, x : x + n] = ink
    return picture, where


def messenger(shown, rng, opened):
    """A messenger's screenshot with a picture in it: opened on its own, or in a chat. shown: uint8 (h, w, 3)."""
    w = int(rng.uniform(420, 800))
    h = int(w * rng.uniform(1.5, 2.1))
    dark = rng.random() < (0.75 if opened else 0.3)
    ground = (
        (0, 0, 0)
        if opened and dark
        else tuple(int(v) for v in (rng.integers(10, 40, 3) if dark else rng.integers(215, 246, 3)))
    )
    image = Image.new("RGB", (w, h), ground)
    pen = ImageDraw.Draw(image)
    unit = w // 18
    font = ImageFont.load_default(unit * 0.7)
    fore = (240, 240, 240) if dark else (25, 25, 28)
    bar = tuple(int(np.clip(v + (22 if dark else 8), 0, 255)) for v in ground)
    pen.rectangle((0, 0, w, 2.4 * unit), fill=bar)
    pen.text(
        (2 * unit, 1.1 * unit), str(rng.choice(["Wang", "Li Ming", "Family", "Class 3", "Mum"])), fill=fore, font=font
    )
    pen.line((1.2 * unit, 1.2 * unit, 0.7 * unit, 1.6 * unit, 1.2 * unit, 2.0 * unit), fill=fore, width=2)
    pen.text((0.5 * unit, 0.1 * unit), f"{rng.integers(0, 24)}:{rng.integers(0, 60):02d}", fill=fore, font=font)
    pen.rectangle((0, h - 2 * unit, w, h), fill=bar)
    if opened:
        for k in range(4):
            pen.ellipse(
                (w * (0.15 + 0.22 * k), h - 1.5 * unit, w * (0.15 + 0.22 * k) + unit, h - 0.5 * unit),
                outline=fore,
                width=2,
            )
        room = (w, h - 5 * unit)
    else:
        pen.rounded_rectangle(
            (1.5 * unit, h - 1.7 * unit, w - 3 * unit, h - 0.3 * unit),
            unit // 3,
            fill=(255, 255, 255) if not dark else (60, 60, 64),
        )
        room = (int(w * rng.uniform(0.5, 0.7)), int(h * 0.5))
    scale = min(room[0] / shown.shape[1], room[1] / shown.shape[0])
    size = max(8, int(shown.shape[1] * scale)), max(8, int(shown.shape[0] * scale))
    small = Image.fromarray(shown).resize(size, Image.LANCZOS)
    if opened:
        image.paste(small, ((w - size[0]) // 2, (h - size[1]) // 2))
        return np.array(image)
    y, mine = 3.2 * unit, rng.random() < 0.5
    for text in rng.permutation(["ok", "What is this?", "See you at 5", "Got it, thanks", "Is it right?"])[
        : rng.integers(1, 3)
    ]:
        wide = pen.textlength(str(text), font=font) + unit
        x = w - wide - 2 * unit if rng.random() < 0.5 else 2 * unit
        pen.rounded_rectangle(
            (x, y, x + wide, y + 1.5 * unit),
            unit // 3,
            fill=(150, 235, 120) if x > 2 * unit else (255, 255, 255) if not dark else (70, 70, 76),
        )
        pen.text(
            (x + unit / 2, y + 0.3 * unit),
            str(text),
            fill=(20, 20, 20) if not dark or x > 2 * unit else fore,
            font=font,
        )
        y += 2.1 * unit
    x = w - size[0] - 2 * unit if mine else 2 * unit
    image.paste(small, (int(x), int(y)))
    pen.ellipse(
        (w - 1.7 * unit, y, w - 0.5 * unit, y + 1.2 * unit) if mine else (0.5 * unit, y, 1.7 * unit, y + 1.2 * unit),
        fill=tuple(rng.integers(60, 220, 3).tolist()),
    )
    return np.array(image)


def equal_grey(strokes, rng):
    """Coloured ink on a ground of about the same grey: uint8 (h, w, 3)."""
    n = int(rng.uniform(80, 640))
    side = n * rng.uniform(0.4, 0.85)
    ink = np.zeros((n, n), np.float32)
    if strokes is not None:
        left, top = rng.uniform(0.03 * n, 0.97 * n - side, 2)
        ink = write((n, n), strokes, (left, top, side), "screen", rng, rng.uniform(0.05, 0.12))
    colour = np.array(
        [(225, 70, 60), (255, 60, 60), (60, 130, 240), (40, 160, 70), (200, 90, 220)][rng.integers(5)], np.float32
    )
    grey = float(colour @ [0.299, 0.587, 0.114]) + rng.uniform(-6, 6)
    picture = np.full((n, n, 3), grey, np.float32)
    picture += (colour - picture) * ink[:, :, None] * rng.uniform(0.85, 1)
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.2)) + rng.uniform(0, 4) * rng.standard_normal(
        (n, n, 1)
    )
    return np.uint8(np.clip(picture, 0, 255))


def clear_ground(strokes, rng, white=True):
    """Strokes on nothing: RGBA uint8 (n, n, 4); white, half opaque ones, or dark ones."""
    n = int(rng.uniform(80, 600))
    side = n * rng.uniform(0.4, 0.9)
    ink = np.zeros((n, n), np.float32)
    if strokes is not None:
        left, top = rng.uniform(0.0, n - side, 2)
        ink = write((n, n), strokes, (left, top, side), "screen", rng, rng.uniform(0.04, 0.12))
    if rng.random() < 0.6:
        ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.4, max(0.5, 0.012 * n)))
    picture = np.zeros((n, n, 4), np.uint8)
    colour = rng.integers(225, 256) * np.ones(3) if white else rng.integers(0, 60, 3)
    picture[..., :3] = colour if rng.random() < 0.6 else np.where(ink[..., None] > 0, colour, 0)
    picture[..., 3] = np.round(255 * ink * (rng.uniform(0.3, 0.75) if white else rng.uniform(0.5, 1)))
    return picture


def board(strokes, rng, white):
    """A blackboard or whiteboard: (page of linear light, ink (h, w), box), to be photographed."""
    h, w = int(rng.uniform(420, 900)), int(rng.uniform(600, 1200))
    if white:
        page = np.full((h, w, 3), 0.82, np.float32) * linear(np.array([250, 252, 255]) - rng.integers(0, 12, 3))
        page *= (1 + 0.02 * noise((h, w), 120, rng))[:, :, None]
        for _ in range(int(rng.integers(0, 5))):  # not wiped clean
            smear = cv2.GaussianBlur(noise((h, w), rng.uniform(8, 30), rng), (0, 0), sigmaX=25, sigmaY=3)
            page *= np.clip(1 - 0.04 * np.maximum(smear, 0), 0.7, 1)[:, :, None]
    else:
        page = np.empty((h, w, 3), np.float32)
        page[:] = linear([(34, 62, 48), (40, 44, 46), (28, 50, 60), (22, 24, 26)][rng.integers(4)])
        dust = np.exp(0.5 * noise((h, w), 70, rng)) + 0.15 * noise((h, w), 3, rng)
        for _ in range(int(rng.integers(0, 6))):  # where the sponge went
            wiped = np.zeros((h, w), np.float32)
            ends = [(int(rng.uniform(0, w)), int(rng.uniform(0, h))) for _ in range(2)]
            cv2.line(wiped, *ends, 1.0, int(rng.uniform(0.08, 0.2) * h))
            dust = dust + rng.uniform(-0.4, 1.2) * cv2.GaussianBlur(wiped, (0, 0), rng.uniform(3, 15))
        page += (0.02 * rng.uniform(0.2, 1.5) * np.maximum(dust, 0))[:, :, None]
    side = rng.uniform(0.25, 0.7) * min(h, w)
    box = (rng.uniform(0.08 * w, 0.92 * w - side), rng.uniform(0.08 * h, 0.92 * h - side), side)
    frame = linear([(190, 190, 195), (140, 100, 60), (60, 60, 64), (225, 225, 225)][rng.integers(4)]).tolist()
    thick = int(rng.uniform(0.012, 0.03) * w)
    ink = np.zeros((h, w), np.float32)
    if strokes is not None:
        pen = choose_pen(rng, ["marker", "felt pen"]) if white else "chalk"
        ink = write((h, w), strokes, box, pen, rng, rng.uniform(0.035, 0.08))
        colour, dark = ink_of(pen, rng)
        if white:
            page = lay(page, ink, colour, dark)
        else:
            page += (linear(colour) * rng.uniform(0.55, 0.9) - page) * (ink * dark)[:, :, None]
    cv2.rectangle(page, (0, 0), (w - 1, h - 1), frame, 2 * thick)
    return page, ink, box


def on_a_screen(picture, rng):
    """What a monitor shows, so near that its dots are seen: linear light, three times as large."""
    large = linear(cv2.resize(picture, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST))
    mask = np.full((3, 3, 3), rng.uniform(0.3, 0.6), np.float32)
    for c in range(3):
        mask[:, c, c] = 1.6
    mask[2] *= rng.uniform(0.5, 0.9)
    return (0.015 + 0.9 * large * np.tile(mask, (*picture.shape[:2], 1))).astype(np.float32)
