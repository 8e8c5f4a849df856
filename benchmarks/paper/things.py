"""Things that lie on the sheet: a pen, a finger, a ruler, an eraser, a clip. They keep off the writing."""

import cv2
import numpy as np

from .pen import linear


def lay_thing(kind):
    """A function for `camera.photograph`: lays a thing of this kind on the picture of linear light."""

    def lay(picture, ink, rng):
        draw = {"pen": _pen, "finger": _finger, "ruler": _ruler, "eraser": _eraser, "clip": _clip}[kind]
        return _placed(picture, ink, rng, draw)

    return lay


def _placed(picture, ink, rng, draw):
    """Tries places and sizes until the thing leaves the writing and a little paper around it alone."""
    h, w = picture.shape[:2]
    mask = ink > 0.2
    free = np.ones((h, w), bool)
    if mask.any():
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        gap = int(0.12 * max(rows[-1] - rows[0], columns[-1] - columns[0])) + 4
        free[max(0, rows[0] - gap) : rows[-1] + gap, max(0, columns[0] - gap) : columns[-1] + gap] = False
    for _ in range(25):
        before = rng.bit_generator.state
        inside = draw((h // 4, w // 4), rng)[1] > 0.3  # a quick look at where it would lie
        if (inside & ~free[::4, ::4][: h // 4, : w // 4]).any() or inside.mean() < 0.004:
            continue
        rng.bit_generator.state = before
        colour, cover = draw((h, w), rng)
        drop = np.float32([[1, 0, rng.uniform(-0.02, 0.02) * w], [0, 1, rng.uniform(0.0, 0.02) * h]])
        shade = cv2.warpAffine(cover, drop, (w, h))
        shade = cv2.GaussianBlur(shade, (0, 0), rng.uniform(0.003, 0.015) * w)
        picture = picture * (1 - rng.uniform(0.2, 0.6) * shade)[:, :, None]
        return (picture * (1 - cover[:, :, None]) + colour * cover[:, :, None]).astype(np.float32)
    return picture


def _along(shape, start, end):
    """Coordinates of each pixel along and across the line from start to end: (along 0..1, across in pixels, length)."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    way = np.asarray(end, float) - start
    length = np.hypot(*way)
    way /= length
    along = ((x - start[0]) * way[0] + (y - start[1]) * way[1]) / length
    across = -(x - start[0]) * way[1] + (y - start[1]) * way[0]
    return along, across, length


def _ends(shape, rng, inner, outer):
    """From a point on the page to one at or beyond the rim."""
    h, w = shape
    start = rng.uniform(0.05, 0.95, 2) * (w, h)
    angle = rng.uniform(0, 2 * np.pi)
    return start, start + np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(inner, outer) * max(h, w)


def _pen(shape, rng):
    start, end = _ends(shape, rng, 0.4, 1.2)
    along, across, length = _along(shape, start, end)
    thick = rng.uniform(0.018, 0.05) * max(shape)
    point = rng.uniform(1.5, 4) * thick / length
    half = thick / 2 * np.clip(along / point, 0.1, 1)
    cover = (
        np.clip(half - np.abs(across) + 0.5, 0, 1)
        * np.clip(along * length + 0.5, 0, 1)
        * np.clip((1 - along) * length + 0.5, 0, 1)
    )
    body = (
        linear(rng.integers(5, 250, 3))
        if rng.random() < 0.6
        else linear([(20, 20, 22), (30, 60, 150), (240, 200, 40), (235, 235, 235)][rng.integers(4)])
    )
    tip = linear([(60, 60, 62), (190, 190, 190), (215, 180, 130)][rng.integers(3)])
    colour = np.where((along < point)[:, :, None], tip, body)
    if rng.random() < 0.5:
        ring = rng.uniform(0.15, 0.8)
        colour = np.where((np.abs(along - ring) < 0.02)[:, :, None], linear((200, 200, 205)), colour)
    round_ = np.clip(1.05 - 0.8 * ((across / np.maximum(half, 1e-3)) - rng.uniform(-0.4, 0.4)) ** 2, 0.15, 1.3)
    return np.clip(colour * round_[:, :, None], 0, 1).astype(np.float32), cover.astype(np.float32)


def _finger(shape, rng):
    h, w = shape
    side = rng.integers(4)
    end = np.array(
        [
            [rng.uniform(0, w), h * 1.1],
            [rng.uniform(0, w), -0.1 * h],
            [-0.1 * w, rng.uniform(0, h)],
            [1.1 * w, rng.uniform(0, h)],
        ][side]
    )
    start = end + (np.array([w / 2, h / 2]) - end) * rng.uniform(0.2, 0.55) + rng.normal(0, 0.06, 2) * (w, h)
    thick = rng.uniform(0.09, 0.2) * min(h, w)
    along, across, length = _along(shape, start, end)
    r = thick / 2 * (1 + 0.25 * np.clip(along, 0, 1))
    tip = np.hypot(np.minimum(along * length - thick / 2, 0), across)
    cover = np.clip((r - tip) / 1.5 + 0.5, 0, 1) * (along * length > -1)
    skin = linear([(236, 188, 160), (214, 160, 128), (176, 120, 90), (120, 78, 56), (245, 205, 185)][rng.integers(5)])
    colour = skin * np.clip(1.0 - 0.45 * (across / r) ** 2, 0.3, 1)[:, :, None]
    nail = ((along * length - 0.42 * thick) / (0.32 * thick)) ** 2 + (across / (0.3 * thick)) ** 2
    colour = np.where((nail < 1)[:, :, None], np.clip(colour * np.array([1.08, 1.0, 0.98]), 0, 1), colour)
    return colour.astype(np.float32), cover.astype(np.float32)


def _ruler(shape, rng):
    h, w = shape
    angle = rng.choice([0, np.pi / 2]) + rng.normal(0, 0.12)
    way = np.array([np.cos(angle), np.sin(angle)])
    middle = rng.uniform(0.0, 1.0, 2) * (w, h)
    start, end = middle - way * max(h, w) * rng.uniform(0.3, 1.2), middle + way * max(h, w) * rng.uniform(0.3, 1.2)
    along, across, length = _along(shape, start, end)
    thick = rng.uniform(0.07, 0.16) * max(shape)
    cover = np.clip(thick / 2 - np.abs(across) + 0.5, 0, 1) * (along > 0) * (along < 1)
    colour = np.empty((h, w, 3), np.float32)
    colour[:] = linear(
        [(225, 190, 130), (235, 235, 240), (250, 220, 60), (170, 175, 180), (200, 225, 240)][rng.integers(5)]
    )
    pitch = rng.uniform(0.006, 0.02) * max(shape)
    tick = along * length / pitch
    number = np.round(tick)
    deep = np.where(number % 10 == 0, 0.5, np.where(number % 5 == 0, 0.38, 0.25)) * thick * 0.6
    on = (np.abs(tick - number) * pitch < max(0.6, 0.06 * pitch)) & (across + thick / 2 < deep)
    colour[on] = 0.02
    if rng.random() < 0.35:
        cover = cover * np.where(on, 1, rng.uniform(0.35, 0.7))  # clear plastic
        cover = np.maximum(cover, 0.51 * (np.abs(across) < thick / 2) * (along > 0) * (along < 1))
    return colour, cover.astype(np.float32)


def _eraser(shape, rng):
    h, w = shape
    size = rng.uniform(0.06, 0.16, 2) * max(h, w)
    start = rng.uniform(0, 1, 2) * (w, h)
    angle = rng.uniform(0, np.pi)
    along, across, length = _along(shape, start, start + np.array([np.cos(angle), np.sin(angle)]) * size[0] * 1.6)
    q = np.maximum(np.abs(np.stack([(along - 0.5) * length, across], -1)) - np.array([length / 2, size[1] / 2]) + 4, 0)
    cover = np.clip(4 - np.hypot(q[..., 0], q[..., 1]) + 0.5, 0, 1)
    sleeve = rng.uniform(0.3, 0.7)
    body, wrap = (
        linear([(245, 245, 245), (240, 170, 180), (90, 150, 90), (40, 40, 44)][rng.integers(4)]),
        linear(rng.integers(10, 220, 3)),
    )
    colour = (
        np.where((along > sleeve)[:, :, None], wrap, body) * (1 - 0.1 * np.clip(across / size[1], -1, 1))[:, :, None]
    )
    return colour.astype(np.float32), cover.astype(np.float32)


def _clip(shape, rng):
    h, w = shape
    at = np.array([rng.uniform(0.05, 0.95) * w, rng.choice([0.01, 0.97]) * h])
    size = rng.uniform(0.03, 0.07) * max(h, w)
    turn = rng.normal(0, 0.3)
    points = (
        np.array([(-0.3, 1.6), (-0.3, -1), (0.3, -1), (0.3, 1.2), (-0.1, 1.2), (-0.1, -0.6), (0.12, -0.6), (0.12, 1.0)])
        * size
    )
    points = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + at
    canvas = np.zeros(shape, np.uint8)
    cv2.polylines(canvas, [np.int32(points * 16)], False, 255, max(2, int(size * 0.12)), cv2.LINE_AA, 4)
    colour = np.empty((h, w, 3), np.float32)
    colour[:] = linear([(150, 150, 155), (200, 30, 40), (40, 90, 190), (90, 90, 92)][rng.integers(4)])
    return colour, canvas.astype(np.float32) / 255
