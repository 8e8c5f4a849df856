"""A flatbed scanner, a copier and a file's last steps."""

import cv2
import numpy as np

from .pen import noise


def to_srgb(light):
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-6) ** (1 / 2.4) - 0.055) * 255


def scan(page, rng, *, turn=True, grey=None, white=None, dust=True):
    """The page, float32 (h, w, 3) of linear light, as a scanner gives it: uint8 (h, w, 3)."""
    h, w = page.shape[:2]
    if turn and rng.random() < 0.7:
        angle = rng.normal(0, 0.8)
        about = cv2.getRotationMatrix2D((w / 2, h / 2), angle, 1)
        page = cv2.warpAffine(page, about, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    page = cv2.GaussianBlur(page, (0, 0), rng.uniform(0.3, 0.75))
    if rng.random() < 0.5:  # the three rows of sensors see lines a little apart
        page = page.copy()
        for c in (0, 2):
            moved = np.float32([[1, 0, 0], [0, 1, rng.normal(0, 0.3)]])
            page[..., c] = cv2.warpAffine(page[..., c], moved, (w, h), borderMode=cv2.BORDER_REPLICATE)
    tone = to_srgb(page).astype(np.float32)
    paper = np.percentile(tone[::4, ::4].reshape(-1, 3), 90, axis=0)
    white = rng.uniform(228, 262) if white is None else white
    if rng.random() < 0.6:
        tone *= white / max(paper.mean(), 1)
    black = rng.uniform(0, 25)
    tone = (tone - black) * 255 / (255 - black) if rng.random() < 0.5 else tone
    tone += rng.uniform(0.3, 3) * rng.standard_normal(tone.shape).astype(np.float32)
    if dust and rng.random() < 0.35:
        for _ in range(int(rng.integers(1, 9))):
            place = (int(rng.integers(0, w)), int(rng.integers(0, h)))
            cv2.circle(tone, place, int(rng.integers(0, 2)), (rng.uniform(60, 190),) * 3, -1, cv2.LINE_AA)
    if rng.random() < 0.06:  # a speck on the glass draws a fine streak
        x = int(rng.integers(0, w))
        tone[:, x] = tone[:, x] * rng.uniform(0.8, 0.95)
    out = np.uint8(np.clip(tone + 0.5, 0, 255))
    if rng.random() < 0.3 if grey is None else grey:
        out = np.repeat(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)[:, :, None], 3, 2)
    return out


def encode(picture, rng, quality=None, png=None):
    """The bytes of a file. picture: uint8 (h, w), (h, w, 3) RGB or (h, w, 4) RGBA."""
    picture = np.ascontiguousarray(picture)
    if picture.ndim == 3 and picture.shape[2] == 4:
        return cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGBA2BGRA))[1].tobytes()
    if picture.ndim == 3:
        if (picture[..., :1] == picture).all() and rng.random() < 0.7:
            picture = np.ascontiguousarray(picture[..., 0])
        else:
            picture = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    if rng.random() < 0.25 if png is None else png:
        return cv2.imencode(".png", picture)[1].tobytes()
    options = [cv2.IMWRITE_JPEG_QUALITY, int(quality or rng.integers(50, 96))]
    return cv2.imencode(".jpg", picture, options)[1].tobytes()


def edges(picture, rng):
    """Bands at one to four sides, where the scanner saw its lid or beside the sheet: same size or larger."""
    h, w = picture.shape[:2]
    out = picture.copy()
    kind = rng.choice(["black", "dark", "white", "grey"], p=(0.5, 0.22, 0.1, 0.18))
    tone = {"black": rng.uniform(0, 18), "dark": rng.uniform(20, 80), "white": 255, "grey": rng.uniform(100, 200)}[
        str(kind)
    ]
    sides = rng.permutation(4)[: rng.choice([1, 2, 3, 4], p=(0.5, 0.25, 0.1, 0.15))]
    mask = np.zeros((h, w), np.float32)
    for side in sides:
        reach = rng.uniform(0.008, 0.11)
        lean = rng.normal(0, 0.006) + reach
        length = h if side < 2 else w
        other = w if side < 2 else h
        ends = np.linspace(reach, lean, length) * other + (noise((1, length), 25, rng)[0] * rng.choice([0, 0, 1.2]))
        grid = np.arange(other)
        band = np.clip(ends[:, None] - grid[None, :], 0, 1)
        band = band[:, ::-1] if side % 2 else band
        mask = np.maximum(mask, band if side < 2 else band.T)
    soft = rng.choice([0, 0, 1, 1]) * rng.uniform(0.5, 0.02 * w)
    if soft:
        wide = cv2.GaussianBlur(mask, (0, 0), soft)
        mask = np.maximum(mask, wide * rng.uniform(0.3, 0.9))
    surface = tone + rng.uniform(0, 4) * rng.standard_normal((h, w, 1))
    out = out * (1 - mask[:, :, None]) + surface * mask[:, :, None]
    return np.uint8(np.clip(out, 0, 255))


def corner(picture, rng):
    """A corner that is folded over, torn off or outside the sheet."""
    h, w = picture.shape[:2]
    out = picture.copy()
    for _ in range(1 if rng.random() < 0.7 else 2):
        x, y = rng.choice([0, w - 1]), rng.choice([0, h - 1])
        dx, dy = rng.uniform(0.06, 0.28, 2) * min(h, w)
        points = np.array([(x, y), (x + (dx if x == 0 else -dx), y), (x, y + (dy if y == 0 else -dy))])
        tone = rng.choice([rng.uniform(0, 40), rng.uniform(40, 120)])
        mask = np.zeros((h, w), np.float32)
        cv2.fillConvexPoly(mask, np.int32(points * 16), 1.0, cv2.LINE_AA, 4)
        if rng.random() < 0.5:
            mask = np.maximum(mask, 0.6 * cv2.GaussianBlur(mask, (0, 0), rng.uniform(1, 0.02 * w)))
        if rng.random() < 0.3:  # folded over: its back is paper
            fold = points[0] + 2 * ((points[1] + points[2]) / 2 - points[0])
            cv2.fillConvexPoly(
                out, np.int32([points[1], points[2], fold * 0.8 + points[0] * 0.2]), (225, 224, 220), cv2.LINE_AA
            )
        out = np.uint8(np.clip(out * (1 - mask[:, :, None]) + tone * mask[:, :, None], 0, 255))
    return out


def gutter(picture, rng):
    """The dark fold of a book along one side."""
    h, w = picture.shape[:2]
    side = rng.integers(4)
    length = w if side < 2 else h
    place = np.linspace(0, 1, length)
    width = rng.uniform(0.02, 0.10)
    dark = 1 - rng.uniform(0.5, 0.98) * np.exp(-((place / width) ** rng.uniform(1, 2)))
    dark = dark[::-1] if side % 2 else dark
    shade = dark[None, :, None] if side < 2 else dark[:, None, None]
    return np.uint8(np.clip(picture * shade, 0, 255))


def binarised(picture, rng):
    """Black and white only, by one threshold or by one for each place; sometimes with salt and pepper."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    if rng.random() < 0.6:
        level, two = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    else:
        window = int(0.15 * min(grey.shape)) | 1
        two = cv2.adaptiveThreshold(
            grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, max(window, 15), rng.uniform(10, 22)
        )
    if rng.random() < 0.4:
        share = np.exp(rng.uniform(np.log(0.0001), np.log(0.003)))
        spots = rng.random(two.shape)
        two[spots < share] = 0
    return two
