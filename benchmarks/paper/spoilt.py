"""Makers of pages that are hard to see: pale pencil, a back that shines through, stains and folds, print around."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from shuzi.drawing.handwriting import draw as draw_strokes
from shuzi.drawing.handwriting import make_writer

from . import leaf, scanner
from .camera import photograph
from .makers import SEED, bare, written
from .pen import lay, linear, noise, write


def pale(photo_):
    def make(hand, rng):
        page, box = bare(rng)
        share = rng.uniform(0.8, 1)
        left, top, side = box
        ink = np.zeros(page.shape[:2], np.float32)
        if hand.strokes is not None:
            ink = write(
                page.shape[:2],
                hand.strokes,
                (left, top, side * share),
                "pencil",
                rng,
                max(rng.uniform(0.02, 0.05), 2.2 / side),
            )
        if hand.strokes is not None:
            colour = rng.integers(90, 140) * np.ones(3)
            takes = 1 - float(linear(250 - rng.uniform(24, 55)))  # of the light: so much greyer than the paper
            lay(page, ink, colour, takes / (np.median(ink[ink > 0.3]) * (1 - float(linear(colour)[0]))))
        if photo_:
            picture, _ = photograph(page, ink, (left, top, side), rng, shadow=0.2, least=13)
            return scanner.encode(picture, rng, png=False)
        return scanner.encode(scanner.scan(page, rng), rng)

    return make


def bleeding(hand, rng):
    """What is on the back shines through: mirrored, blurred, paler than any ink."""
    page, box = bare(rng)
    back = np.zeros(page.shape[:2], np.float32)
    h, w = back.shape
    for _ in range(int(rng.integers(1, 6))):
        strokes = draw_strokes(str(rng.integers(1, 11)), make_writer(SEED + 10, int(rng.integers(1000))), rng)
        side = rng.uniform(0.15, 0.5) * min(h, w)
        back = np.maximum(
            back,
            write(back.shape, strokes, (rng.uniform(0, w - side), rng.uniform(0, h - side), side), "felt pen", rng),
        )
    back = cv2.GaussianBlur(back[:, ::-1], (0, 0), rng.uniform(1.2, 4))
    page *= 1 - (rng.uniform(0.06, 0.2) * back)[:, :, None] * (1 - np.array([0.3, 0.3, 0.45], np.float32))
    page, ink, box = written(
        page, hand, box, rng, share=rng.uniform(0.8, 1), pens=("gel", "felt pen", "ballpoint", "marker")
    )
    if rng.random() < 0.35:
        picture, _ = photograph(page, ink, box, rng, shadow=0.2)
        return scanner.encode(picture, rng, png=False)
    return scanner.encode(scanner.scan(page, rng), rng)


def stained(hand, rng):
    """Coffee, crumples and folds on the paper, some of it photographed."""
    page, box = bare(rng)
    h, w = page.shape[:2]
    page, ink, box = written(page, hand, box, rng, share=rng.uniform(0.8, 1))
    if rng.random() < 0.6:
        for _ in range(int(rng.integers(1, 4))):
            ring = np.zeros((h, w), np.float32)
            at, r = (int(rng.uniform(0, w)), int(rng.uniform(0, h))), int(rng.uniform(0.06, 0.3) * min(h, w))
            cv2.circle(ring, at, r, rng.uniform(0.1, 0.5), -1)
            cv2.circle(ring, at, r, 1.0, max(2, r // 12))
            ring = cv2.GaussianBlur(ring, (0, 0), max(1.5, r / 25)) * np.clip(1 + 0.4 * noise((h, w), 12, rng), 0, 2)
            page = page * (1 - rng.uniform(0.12, 0.3) * ring[:, :, None] * (1 - linear((165, 110, 60))))
    if rng.random() < 0.6:
        creases = np.zeros((h, w), np.float32)
        for _ in range(int(rng.integers(1, 9))):
            a, b = rng.uniform(-0.2, 1.2, (2, 2)) * (w, h)
            y, x = np.mgrid[:h, :w].astype(np.float32)
            way = (b - a) / np.hypot(*(b - a))
            off = -(x - a[0]) * way[1] + (y - a[1]) * way[0]
            soft = np.exp(rng.uniform(np.log(0.8), np.log(8)))
            creases += rng.uniform(0.03, 0.14) * np.tanh(off / soft) * np.exp(-np.abs(off) / (6 * soft))
        page = page * (1 + creases)[:, :, None]
    if rng.random() < 0.5:
        picture, _ = photograph(page.astype(np.float32), ink, box, rng, shadow=0.2)
        return scanner.encode(picture, rng, png=False)
    return scanner.encode(scanner.scan(page.astype(np.float32), rng), rng)


def form(hand, rng):
    """A printed form: labels, a line or a box for the answer; only what is by hand is to be read."""
    h, w = int(rng.uniform(260, 700)), int(rng.uniform(320, 900))
    page = leaf.plain((h, w), rng)
    ruling = leaf.Ruling((h, w), rng, "black", rng.uniform(1, 2.2))
    size = rng.uniform(0.022, 0.045) * w
    font = ImageFont.load_default(size)
    text = Image.new("L", (w, h), 0)
    pen = ImageDraw.Draw(text)
    side = rng.uniform(0.2, 0.45) * min(h, w)
    x, y = rng.uniform(0.45 * w, 0.95 * w - side), rng.uniform(0.25 * h, 0.95 * h - side)
    labels = rng.permutation(
        ["Name", "Date", "Number of items", "Please write one character", "Question 7", "Total", "Class", "Page 3"]
    )
    pen.text((0.05 * w, 0.04 * h), str(labels[0]), fill=255, font=font)
    pen.text(
        (max(4, x - pen.textlength(str(labels[1]), font=font) - 10), y + side / 2), str(labels[1]), fill=255, font=font
    )
    if rng.random() < 0.5 and y + 1.1 * side + size < h:
        pen.text((0.08 * w, h - 1.5 * size), str(labels[2]), fill=255, font=font)
    cover = np.asarray(text, np.float32) / 255
    if rng.random() < 0.6:
        ruling.box(x, y, x + side, y + side)
    else:
        ruling.line((x - 0.1 * side, y + side), (x + 1.1 * side, y + side))
    if rng.random() < 0.4:
        ruling.line((0.04 * w, 0.04 * h + 1.6 * size), (0.96 * w, 0.04 * h + 1.6 * size))
    ruling.onto(page)
    page = page * (1 - 0.93 * cover[:, :, None])
    page, ink, box = written(page, hand, (x, y, side), rng, share=rng.uniform(0.55, 0.85))
    if rng.random() < 0.5:
        picture, _ = photograph(page, ink, (x, y, side), rng, shadow=0.2)
        return scanner.encode(picture, rng, png=False)
    return scanner.encode(scanner.scan(page, rng), rng)
