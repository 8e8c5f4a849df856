"""A telephone's camera over a sheet of paper: from linear light on the page to the file that it saves.

Geometry: a pinhole with radial distortion looks at a sheet that is bent along one direction (a developable surface,
found by fixed-point iteration along each ray). Light: a lamp at a place, so that it falls off and grazes, with the
room's light beside it, and things that stand in its way. Sensor: a Bayer mosaic with photon noise, demosaiced,
white-balanced as the grey world has it, tone curve, noise reduction, sharpening, JPEG with halved chroma.
"""

import cv2
import numpy as np

from .pen import linear, noise

SIDES = (400, 1250)  # pixels; the longer side of a photo, least and most


def turn(pitch, yaw, roll):
    cx, sx, cy, sy, cz, sz = (
        *(f(pitch) for f in (np.cos, np.sin)),
        *(f(yaw) for f in (np.cos, np.sin)),
        np.cos(roll),
        np.sin(roll),
    )
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def bend(field, rng, amount):
    """How the sheet stands off the table along one direction: (angle, positions, heights, slopes, arc lengths)."""
    a = np.linspace(-3 * field, 3 * field, 2001)
    kind = rng.choice(["flat", "curl", "wave", "gutter", "fold"], p=(0.15, 0.3, 0.25, 0.15, 0.15)) if amount else "flat"
    if kind == "curl":
        centre = rng.uniform(-0.3, 0.3) * field
        z = amount * rng.uniform(0.2, 1) * (a - centre) ** 2 / field * rng.choice([-1, 1])
    elif kind == "wave":
        length = rng.uniform(0.6, 1.6) * field
        z = amount * 0.25 * length * np.sin(a * 2 * np.pi / length + rng.uniform(0, 6.3)) / np.pi
    elif kind == "gutter":
        edge = rng.choice([-1, 1]) * rng.uniform(0.35, 0.8) * field
        z = -0.5 * amount * field * np.exp(-np.abs(a - edge) / (0.25 * field))
    elif kind == "fold":
        place = rng.uniform(-0.4, 0.4) * field
        z = rng.choice([-0.7, 0.7]) * amount * np.sqrt((a - place) ** 2 + (0.01 * field) ** 2)
    else:
        z = np.zeros_like(a)
    slope = np.clip(np.gradient(z, a), -0.8, 0.8)
    z = np.concatenate([[0], np.cumsum((slope[1:] + slope[:-1]) / 2 * np.diff(a))])
    z -= np.interp(0, a, z)
    arc = np.concatenate([[0], np.cumsum(np.hypot(np.diff(a), np.diff(z)))])
    arc -= np.interp(0, a, arc)
    return rng.uniform(0, np.pi), a, z, slope, arc


def look(shape, target, field, rng, tilt=0.35, curl=0.3):
    """Where each pixel of the picture lies on the page: (x, y, light) each float32 (h, w).

    shape: of the picture; target: the point on the page it is aimed at; field: how many pixels of the page fit in its
    width.
    light: of the lamp and the room on the bent sheet, 1 at the target.
    """
    h, w = shape
    step = 8
    v, u = np.mgrid[0 : h + step : step, 0 : w + step : step].astype(float)
    focal = rng.uniform(0.75, 1.5)
    x, y = (u - w / 2) / w / focal, (v - h / 2) / w / focal
    k1, k2 = rng.normal(-0.03, 0.06), rng.normal(0, 0.03)
    r2 = x * x + y * y
    x, y = x * (1 + k1 * r2 + k2 * r2 * r2), y * (1 + k1 * r2 + k2 * r2 * r2)
    roll = rng.normal(0, 0.09) if rng.random() < 0.85 else rng.uniform(-0.35, 0.35)
    pose = turn(rng.normal(0, tilt / 2), rng.normal(0, tilt / 2), roll)
    ray = np.stack([x, y, -np.ones_like(x)], -1) @ pose.T
    eye = pose @ np.array([0, 0, focal * field])
    angle, a, z, slope, arc = bend(field, rng, curl)
    along = np.array([np.cos(angle), np.sin(angle)])
    distance = -eye[2] / np.minimum(ray[..., 2], -0.15)
    for _ in range(8):
        place = eye[:2] + distance[..., None] * ray[..., :2]
        height = np.interp(place @ along, a, z)
        distance = (height - eye[2]) / np.minimum(ray[..., 2], -0.15)
    place = eye[:2] + distance[..., None] * ray[..., :2]
    at = place @ along
    across = place @ np.array([-along[1], along[0]])
    s = np.interp(at, a, arc)
    page_x = target[0] + s * along[0] - across * along[1]
    page_y = target[1] + s * along[1] + across * along[0]

    lamp = np.array([*rng.normal(0, 0.9, 2), np.exp(rng.uniform(np.log(0.7), np.log(4)))]) * field
    to_lamp = lamp - np.concatenate([place, np.interp(at, a, z)[..., None]], -1)
    tilted = np.interp(at, a, slope)
    normal = np.stack([-tilted * along[0], -tilted * along[1], np.ones_like(tilted)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    far = np.linalg.norm(to_lamp, axis=-1)
    lit = np.maximum((normal * to_lamp).sum(-1) / far, 0.02) / far**2
    middle = lit[lit.shape[0] // 2, lit.shape[1] // 2]
    room = rng.uniform(0.15, 0.8)
    light = room + (1 - room) * lit / max(middle, 1e-12)
    full = [
        cv2.resize(m.astype(np.float32), None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR)
        for m in (page_x, page_y, light)
    ]
    grid = np.stack(full, -1)[step // 2 :, step // 2 :][:h, :w]  # a coarse pixel's middle lies half a step in
    return grid[..., 0].copy(), grid[..., 1].copy(), np.clip(grid[..., 2], 0.02, 3)


def shadows(shape, rng):
    """Light that is left where a hand, a head, the telephone or a window's frame stands in its way: float32 (h, w),
    0..1.
    """
    h, w = shape
    left = np.ones(shape, np.float32)
    for _ in range(int(rng.integers(1, 3))):
        cover = np.zeros(shape, np.uint8)
        kind = rng.choice(["edge", "hand", "phone", "bars"], p=(0.4, 0.3, 0.2, 0.1))
        if kind == "edge":
            angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(-0.3, 0.4)
            y, x = np.mgrid[-0.5 : 0.5 : h * 1j, -0.5 : 0.5 : w * 1j]
            bow = rng.normal(0, 0.6)
            across = x * np.cos(angle) + y * np.sin(angle)
            side = -x * np.sin(angle) + y * np.cos(angle)
            cover[across > reach + bow * side * side] = 255
        elif kind == "phone":
            size = rng.uniform(0.3, 0.8, 2) * (w, h)
            box = ((rng.uniform(0, w), rng.uniform(0, h)), tuple(size.tolist()), rng.uniform(-30, 30))
            cv2.fillConvexPoly(cover, np.int32(cv2.boxPoints(box)), 255)
        elif kind == "hand":
            start = np.array([rng.uniform(-0.1, 1.1) * w, h * 1.1])
            for _ in range(int(rng.integers(2, 5))):
                end = start + [rng.normal(0, 0.25) * w, -rng.uniform(0.3, 0.9) * h]
                cv2.line(cover, tuple(map(int, start)), tuple(map(int, end)), 255, int(rng.uniform(0.04, 0.2) * w))
        else:
            pitch = rng.uniform(0.15, 0.5) * w
            for k in range(-2, int(w / pitch) + 3):
                cv2.line(
                    cover, (int(k * pitch), 0), (int((k + rng.uniform(0.5, 0.6)) * pitch), h), 255, int(pitch * 0.4)
                )
        soft = np.exp(rng.uniform(np.log(0.002), np.log(0.09))) * w
        small = max(1, int(soft / 3))
        cover = cv2.resize(cover, (max(2, w // small), max(2, h // small)), interpolation=cv2.INTER_AREA)
        cover = cv2.GaussianBlur(cover.astype(np.float32) / 255, (0, 0), max(0.6, soft / small))
        cover = cv2.resize(cover, (w, h), interpolation=cv2.INTER_LINEAR)
        left *= 1 - rng.uniform(0.25, 0.75) * cover
    return left


def faint(colour):
    """Half way to grey, as most things are."""
    return 0.45 * np.asarray(colour) + 0.55 * np.mean(colour)


def wall(shape, rng):
    """What a board hangs on: linear light."""
    tone = linear(np.array([(225, 222, 214), (200, 205, 205), (235, 225, 200), (170, 175, 178)][rng.integers(4)]))
    return (tone * (1 + 0.01 * noise(shape, 2, rng))[:, :, None]).astype(np.float32)


def desk(shape, rng):
    """What the sheet lies on, seen from above: linear light."""
    h, w = shape
    kind = rng.choice(["wood", "cloth", "even", "sheet", "stone"], p=(0.4, 0.15, 0.2, 0.1, 0.15))
    if kind == "wood":
        tone = linear([(150, 105, 65), (95, 62, 40), (195, 155, 110), (60, 40, 30), (222, 200, 170)][rng.integers(5)])
        stretch = rng.uniform(6, 20)
        grain = cv2.resize(noise((h, max(4, int(w / stretch))), 2.5, rng), (w, h)) + 0.6 * cv2.resize(
            noise((h, max(4, int(w / 30))), 9, rng), (w, h)
        )
        if rng.random() < 0.5:
            grain = cv2.resize(grain.T, (w, h))
        table = tone * (1 + 0.16 * grain)[:, :, None]
        if rng.random() < 0.3:
            y = int(rng.uniform(0, h))
            cv2.line(
                table,
                (0, y),
                (w, int(y + rng.normal(0, 0.1) * h)),
                (tone * 0.3).tolist(),
                int(rng.integers(1, 5)),
                cv2.LINE_AA,
            )
    elif kind == "cloth":
        tone = linear(faint(rng.integers(30, 210, 3)))
        y, x = np.mgrid[:h, :w]
        weave = np.sin(x * rng.uniform(0.4, 1.5)) * np.sin(y * rng.uniform(0.4, 1.5))
        table = tone * (1 + 0.15 * weave + 0.1 * noise(shape, 2, rng))[:, :, None]
        if rng.random() < 0.4:
            pitch = rng.uniform(0.06, 0.2) * w
            table *= (1 - 0.5 * ((x // pitch + y // pitch) % 2))[:, :, None]
    elif kind == "stone":
        table = (
            linear(rng.integers(60, 200) + rng.integers(-8, 9, 3))
            * np.exp(0.3 * noise(shape, 2, rng) + 0.15 * noise(shape, 12, rng))[:, :, None]
        )
    else:
        tone = linear(faint(rng.integers(15, 245, 3)) if kind == "even" else (245, 244, 240))
        table = tone * (1 + 0.02 * noise(shape, 2, rng))[:, :, None]
    return np.clip(table, 0, 1).astype(np.float32)


def photograph(page, ink, box, rng, **options):
    """A photo of the page in which its writing can be read: (uint8 (h, w, 3), where its ink lies, float32 (h, w)).

    ink: float32 (h, w) of the page, to know where it is; box: (left, top, side) that must be seen. options: of `take`.
    """
    for trial in range(8):
        if trial > 3:
            options |= {"whole": False, "shadow": 0, "tilt": 0.15, "size": min(900, SIDES[1])}
        picture, where = take(page, ink, box, rng, **options)
        if not ink.any() or is_legible(picture, where, options.get("least", 24)):
            break
    return picture, where


def is_legible(picture, where, least=24):
    """Whether a person would see what was written: large enough, and its ink apart from the paper around and from
    noise.
    """
    core = where > 0.6 * where.max()
    rows, columns = np.flatnonzero(core.any(1)), np.flatnonzero(core.any(0))
    if len(rows) == 0 or where.max() < 0.25 or max(np.ptp(rows), np.ptp(columns)) < 26:
        return False
    h, w = where.shape
    if rows[0] < 2 or columns[0] < 2 or rows[-1] > h - 3 or columns[-1] > w - 3:
        return False
    part = slice(max(0, rows[0] - 12), rows[-1] + 13), slice(max(0, columns[0] - 12), columns[-1] + 13)
    seen, core, close = picture[part].astype(np.float32), core[part], where[part] > 0.02
    near = cv2.dilate(close.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    paper = near & (cv2.dilate(close.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    if paper.sum() < 20:
        return False
    smooth = cv2.blur(seen, (25, 25))
    paper_tone = np.median(seen[paper], axis=0)
    local = (
        cv2.blur(seen * paper[..., None], (31, 31))
        / np.maximum(cv2.blur(paper.astype(np.float32), (31, 31)), 1e-3)[..., None]
    )
    apart = np.abs(seen - np.where(local > 1, local, paper_tone))[core].max(-1)
    noise_ = np.abs(seen - smooth)[paper].mean()
    return np.percentile(apart, 30) > max(least, 1.8 * noise_) and np.percentile(apart, 12) > 0.35 * least


def take(
    page,
    ink,
    box,
    rng,
    *,
    size=None,
    whole=None,
    shadow=0.4,
    curl=0.3,
    tilt=0.35,
    thing=None,
    gloss=0.05,
    around=desk,
    least=24,
):
    """One photo. size: pixels, longer side; whole: whether the whole sheet is seen; shadow, gloss: how often; curl,
    tilt: how much.

    thing: a function (picture, ink, rng) that lays something on the page; around: a function (shape, rng) for what is
    beside it.
    """
    height, width = page.shape[:2]
    longer = size or int(np.exp(rng.uniform(*np.log(SIDES))))
    aspect = float(rng.choice([4 / 3, 3 / 4, 1.0, 16 / 9], p=(0.4, 0.3, 0.15, 0.15)))  # height by width
    shape = (longer, int(longer / aspect)) if aspect >= 1 else (int(longer * aspect), longer)
    left, top, side = box
    middle = np.array([left, top]) + side / 2
    if rng.random() < 0.4 if whole is None else whole:
        field = max(width, height / aspect) * rng.uniform(0.85, 1.25)
        target = np.array([width, height]) * (0.5 + rng.normal(0, 0.06, 2))
    else:
        field = side * rng.uniform(1.4, 3.5) / min(1, aspect)
        target = middle + rng.uniform(-0.5, 0.5, 2) * (field, field * aspect)
    seen = np.array([field, field * aspect])
    target = middle + np.clip(target - middle, -0.36 * seen + 0.36 * side, 0.36 * seen - 0.36 * side)
    x, y, light = look(shape, target, field, rng, tilt, curl)
    fewer = field / shape[1]
    if fewer > 1.2:
        page, ink = (cv2.GaussianBlur(m, (0, 0), 0.42 * fewer) for m in (page, ink))
    picture = cv2.remap(page, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    where = cv2.remap(ink, x, y, cv2.INTER_LINEAR)
    # how far inside the sheet, in pixels of the picture
    inside = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y)) / max(fewer, 1e-3)
    cover = np.clip(inside + 0.5, 0, 1).astype(np.float32)
    if cover.min() < 1:
        table = around(shape, rng)
        near = cv2.GaussianBlur(cover, (0, 0), max(1.0, 0.006 * shape[1]))
        moved = np.float32([[1, 0, rng.normal(0, 0.006) * shape[1]], [0, 1, rng.normal(0, 0.006) * shape[1]]])
        near = cv2.warpAffine(near, moved, shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        table *= (1 - 0.55 * near)[:, :, None]
        picture = picture * cover[:, :, None] + table * (1 - cover[:, :, None])
        where = where * cover
    if thing is not None:
        picture = thing(picture, where, rng)
    warm = rng.random() < 0.3
    lamp = np.array([1.0, rng.uniform(0.75, 0.9), rng.uniform(0.45, 0.75)]) if warm else np.exp(rng.normal(0, 0.07, 3))
    if rng.random() < shadow:
        left_over = shadows(shape, rng)
        blue = np.array([-0.06, 0.0, 0.12], np.float32)
        picture = picture * (light * left_over)[:, :, None] * (1 + (1 - left_over)[:, :, None] * blue)
    else:
        picture = picture * light[:, :, None]
    if rng.random() < gloss:
        glare = np.zeros(shape, np.float32)
        spot = (int(rng.uniform(0, shape[1])), int(rng.uniform(0, shape[0])))
        cv2.circle(glare, spot, int(0.08 * shape[1]), rng.uniform(0.1, 0.5), -1)
        picture = picture + cv2.GaussianBlur(glare, (0, 0), 0.06 * shape[1])[:, :, None]
    return sense(picture * lamp.astype(np.float32), where, rng), where


def sense(light, where, rng):
    """What the camera makes of the light: uint8 (h, w, 3)."""
    h, w = light.shape[:2]
    y, x = np.mgrid[-0.5 : 0.5 : h * 1j, -0.5 : 0.5 : w * 1j].astype(np.float32)
    light = light / (1 + rng.uniform(0, 0.5) * (x * x + y * y))[:, :, None] ** 2  # vignetting
    fine = where.max() > 0 and line_width(where)
    most = 2.2 if not fine else min(2.2, 0.16 * fine + 0.45)  # of blur that leaves the strokes legible
    blur = rng.uniform(0.35, most) if rng.random() < 0.8 else 0.4
    light = cv2.GaussianBlur(light, (0, 0), blur)
    if rng.random() < 0.12 and fine:
        length = int(rng.uniform(2, max(3, 0.7 * fine)))
        kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
        angle = rng.uniform(0, np.pi)
        way = length / 2 * np.array([np.cos(angle), np.sin(angle)])
        cv2.line(
            kernel, tuple(np.int32(length - way).tolist()), tuple(np.int32(length + way).tolist()), 1.0, 1, cv2.LINE_AA
        )
        light = cv2.filter2D(light, -1, kernel / kernel.sum())
    bright = np.percentile(light[::4, ::4].max(-1), 97)
    light = light * (rng.uniform(0.35, 1.05) / max(bright, 1e-3))
    # the mosaic: each pixel counts photons of one colour
    photons = float(np.exp(rng.uniform(np.log(150), np.log(8000))))
    grid = np.empty((h, w), np.float32)
    grid[0::2, 0::2], grid[1::2, 1::2] = light[0::2, 0::2, 0], light[1::2, 1::2, 2]
    grid[0::2, 1::2], grid[1::2, 0::2] = light[0::2, 1::2, 1], light[1::2, 0::2, 1]
    grid = np.maximum(grid, 0)
    grid += np.sqrt(grid / photons + (0.6 / photons**0.75) ** 2).astype(np.float32) * rng.standard_normal(
        (h, w)
    ).astype(np.float32)
    raw = np.uint16(np.clip(grid, 0, 1) * 60000)
    rgb = cv2.cvtColor(raw, cv2.COLOR_BayerBG2RGB).astype(np.float32) / 60000
    means = rgb.reshape(-1, 3).mean(0) + 1e-4
    rgb *= (means.mean() / means) ** rng.uniform(0.2, 0.85)  # white balance of a grey world, not all the way
    steps = np.linspace(0, 1, 4096)
    tone = np.where(steps <= 0.0031308, 12.92 * steps, 1.055 * np.maximum(steps, 1e-6) ** (1 / 2.4) - 0.055)
    curve = rng.uniform(-0.1, 0.5)
    tone = tone * (1 - curve) + curve * tone * tone * (3 - 2 * tone)
    table = np.uint8(np.clip(tone, 0, 1) * 255 + 0.5)
    out = table[np.uint16(np.clip(rgb, 0, 1) * 4095 + 0.5)]
    if photons < 1500 and rng.random() < 0.8:  # noise reduction: colour first, then all
        lab = cv2.cvtColor(out, cv2.COLOR_RGB2YCrCb)
        lab[..., 1:] = cv2.GaussianBlur(lab[..., 1:], (0, 0), rng.uniform(1, 3))
        if rng.random() < 0.5:
            lab[..., 0] = cv2.medianBlur(lab[..., 0], 3) if not fine or fine > 3 else lab[..., 0]
        out = cv2.cvtColor(lab, cv2.COLOR_YCrCb2RGB)
    if rng.random() < 0.6:
        soft = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.8, 2))
        amount = rng.uniform(0.3, 1.3)
        out = cv2.addWeighted(out, 1 + amount, soft, -amount, 0)
    return out


def line_width(ink):
    """About how wide the strokes are, in pixels."""
    mask = (ink > 0.4).astype(np.uint8)
    if not mask.any():
        return 0.0
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    mask = np.pad(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 1)
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    return 2 * float(np.percentile(depth[mask > 0], 85))
