"""What a scanner, a copier or a phone makes of a page: a Scene becomes a picture, uint8 (n, n, 3)."""

import math

import cv2
import numpy as np

from shuzi.drawing.objects import around_the_page, lay_objects
from shuzi.drawing.scene import area, between, clouds, grain, pick, tint


def scan(rng, scene, contrast):
    """A flatbed's picture: even light, edges of the lid and the book, dust, streaks, tone steps."""
    n = scene.n
    if rng.random() < 0.32:
        lid_edges(rng, scene)
    if rng.random() < 0.08:
        book_spine(rng, scene)
    if rng.random() < 0.25:
        dust(rng, scene)
    if rng.random() < 0.06:
        scene.colour *= 1 + rng.uniform(-0.12, 0.06) * (np.abs(grain(rng, n)[0]) > 2.4)  # streaks of a dirty glass
    picture = cv2.merge(list(scene.colour))
    picture = blurred(picture, rng.uniform(0.0, 1.1) * n / 256)
    if rng.random() < 0.15:
        picture = np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[:, :, None], 3, 2)
    if rng.random() < 0.35:  # a driver that makes paper white and ink black
        low, high = rng.uniform(-0.1, 0.15), rng.uniform(0.8, 1.05)
        picture = (picture - low) * (1 / (high - low)) if contrast > 0.3 else picture
    if rng.random() < 0.5:
        picture = noisy(rng, picture, min(rng.uniform(0.002, 0.025), 0.2 * contrast), colour=0.4)
    return finished(rng, picture, jpeg=0.65, sharpen=0.25)


def copy(rng, scene, contrast):
    """A photocopy or fax: black and white, with dirt; grey where the ink would be lost."""
    n = scene.n
    if rng.random() < 0.3:
        lid_edges(rng, scene)
    if rng.random() < 0.5:
        dust(rng, scene)
    grey = cv2.cvtColor(cv2.merge(list(scene.colour)), cv2.COLOR_RGB2GRAY)
    paper = float(np.dot(scene.paper, (0.299, 0.587, 0.114)))
    inked = grey[scene.ink > 0.6]
    written = float(inked.mean()) if inked.size else 0.2
    if abs(written - paper) < 0.18:
        return scan(rng, scene, contrast)
    grey = blurred(grey, rng.uniform(0.3, 0.9) * n / 256)
    grey += rng.uniform(0.0, 0.05) * grain(rng, n, rng.choice((0.0, 0.8)))
    share = rng.uniform(0.22, 0.5) if rng.random() < 0.85 else 0.15
    dark = (grey - paper) / (written - paper) > share
    if rng.random() < 0.15:  # few greys in place of two
        steps = int(rng.integers(3, 8))
        field = np.clip(np.round(np.clip(grey, 0, 1) * steps) / steps, 0, 1)
    else:
        black, white = (0.0, 1.0) if rng.random() < 0.8 else (rng.uniform(0, 0.25), rng.uniform(0.8, 1))
        field = np.where(dark == (written < paper), black, white)
    if rng.random() < 0.3:  # the copy was scanned again
        field = blurred(field.astype(np.float32), rng.uniform(0.3, 0.8))
    return finished(rng, np.repeat(field.astype(np.float32)[:, :, None], 3, 2), jpeg=0.4, sharpen=0)


def photo(rng, scene, contrast, screen=False):
    """A phone's picture: light and shadow, things on the table, blur, noise, colour of the light.

    screen: of a screen, which has its own light.
    """
    n = scene.n
    if screen:
        moire(rng, scene)
        scene.colour += rng.uniform(0, 0.12)
    if not screen and rng.random() < 0.22:
        around_the_page(rng, scene)
    if rng.random() < 0.16:
        lay_objects(rng, scene)
    lit = light(rng, n)
    if screen:
        lit = 1 - 0.4 * (1 - lit)
    bright = float(lit[n // 2, n // 2])
    scene.colour *= lit
    if not screen and rng.random() < 0.4:
        cast_shadows(rng, scene)
    if rng.random() < 0.06:
        glare(rng, scene)
    picture = cv2.merge(list(scene.colour))
    blur = rng.random()
    if blur < 0.7:
        picture = blurred(picture, rng.uniform(0.3, 1.3) * n / 256)
    elif blur < 0.85:
        picture = blurred(picture, rng.uniform(1.2, 2.6) * n / 256)
    elif blur < 0.95:
        picture = moved(rng, picture)
    low, span = (0.0, 1.0) if rng.random() < 0.6 else (rng.uniform(0, 0.2), rng.uniform(0.55, 0.95))
    picture = low + picture * (span * (1 + rng.uniform(-0.12, 0.12, 3) * (rng.random() < 0.7))).astype(np.float32)
    if rng.random() < 0.05 and contrast > 0.4:  # over-exposed
        picture = picture * rng.uniform(1.1, 1.5)
    sigma = between(rng, 0.003, 0.05) if rng.random() < 0.85 else 0.0
    picture = noisy(rng, picture, min(sigma, 0.16 * contrast * span * bright), colour=rng.uniform(0.2, 1))
    return finished(rng, picture, jpeg=0.8, sharpen=0.4)


# Light


def light(rng, n):
    """How bright each pixel is lit, float32 (n, n), about 0.4..1.1."""
    y, x = np.mgrid[-1 : 1 : n * 1j, -1 : 1 : n * 1j].astype(np.float32)
    angle, strength = rng.uniform(0, 2 * math.pi), rng.uniform(0, 0.35) * (rng.random() < 0.8)
    field = 1 + strength * (math.cos(angle) * x + math.sin(angle) * y)
    if rng.random() < 0.5:  # darker corners, or a lamp
        cx, cy = rng.uniform(-0.6, 0.6, 2)
        field *= 1 - rng.uniform(0.02, 0.3) * ((x - cx) ** 2 + (y - cy) ** 2) / 2
    if rng.random() < 0.3:
        field *= 1 + 0.05 * clouds(rng, n, 3)
    top = float(field.max())
    return field * (rng.uniform(0.78, 1.05) if rng.random() < 0.8 else rng.uniform(0.5, 0.8)) / top


def cast_shadows(rng, scene):
    n = scene.n
    for _ in range(int(rng.integers(1, 3))):
        kind = rng.random()
        if kind < 0.4:  # the edge of something large
            angle, at = rng.uniform(0, 2 * math.pi), rng.uniform(0.0, 0.8) * n
            c, s = math.cos(angle), math.sin(angle)
            middle = np.array([n / 2 + (n / 2 - at) * c, n / 2 + (n / 2 - at) * s])
            along, out = np.array([-s, c]) * 2 * n, np.array([c, s]) * 2 * n
            outline = [middle - along, middle + along, middle + along + out, middle - along + out]
        elif kind < 0.75:  # a hand or a head
            t = np.linspace(0, 2 * math.pi, 15)[:-1]
            radius = between(rng, 0.15, 0.6) * n * (1 + 0.25 * rng.standard_normal(14))
            radius = (radius + np.roll(radius, 1) + np.roll(radius, -1)) / 3
            outline = rng.uniform(-0.1, 1.1, 2) * n + np.stack([np.cos(t), np.sin(t)], 1) * radius[:, None]
        else:  # a phone, a pen
            long, wide = rng.uniform(0.4, 1.5) * n, between(rng, 0.04, 0.5) * n
            angle, middle = rng.uniform(0, math.pi), rng.uniform(-0.1, 1.1, 2) * n
            along = np.array([math.cos(angle), math.sin(angle)]) * long / 2
            side = np.array([-along[1], along[0]]) * wide / long
            outline = [middle - along - side, middle + along - side, middle + along + side, middle - along + side]
        soft = between(rng, 0.4, 25) * n / 256
        shade = area(n, None, outline, soft) * rng.uniform(0.12, 0.6)
        scene.colour *= 1 - shade * (1 + rng.uniform(-0.12, 0.12, 3).astype(np.float32)).reshape(3, 1, 1)


def glare(rng, scene):
    """A lamp mirrored in glossy paper, a board or a screen."""
    n = scene.n
    y, x = np.mgrid[0 : 1 : n * 1j, 0 : 1 : n * 1j].astype(np.float32)
    cx, cy = rng.uniform(-0.1, 1.1, 2)
    wide, high = rng.uniform(0.08, 0.35, 2)
    scene.colour += rng.uniform(0.1, 0.4) * np.exp(-(((x - cx) / wide) ** 2) - ((y - cy) / high) ** 2)


# Scanners


def lid_edges(rng, scene):
    """What is beside the page on the glass: bands at one to four sides, black, grey or white."""
    n = scene.n
    low, high = pick(rng, {(0.0, 0.0): 35, (0.0, 0.15): 35, (0.2, 0.8): 20, (0.9, 1.0): 10})
    level = rng.uniform(low, high)
    colour = tint(rng, level, 0.02)
    oblique = rng.normal(0, 0.012) if rng.random() < 0.7 else rng.normal(0, 0.05)
    for side in rng.permutation(4)[: pick(rng, {1: 50, 2: 25, 3: 10, 4: 15})]:
        thick = between(rng, 0.006, 0.13) * n
        tilt = oblique * n
        outline = np.array([[-n, -n], [2 * n, -n], [2 * n, thick + 1.5 * tilt], [-n, thick - 1.5 * tilt]])
        outline = (outline - n / 2) @ np.linalg.matrix_power([[0, 1], [-1, 0]], int(side))
        soft = rng.choice((0, rng.uniform(0.3, 2), rng.uniform(2, 8)), p=(0.5, 0.35, 0.15)) * n / 256
        scene.cover(area(n, None, outline + n / 2, soft), colour)
    if rng.random() < 0.15:  # a folded corner
        x, y = rng.choice((0, n), 2)
        size = between(rng, 0.05, 0.25) * n
        corner = np.array([[x, y], [x + (size if x == 0 else -size), y], [x, y + (size if y == 0 else -size)]])
        scene.cover(area(n, None, corner), colour)


def book_spine(rng, scene):
    """The dark gutter of a book that does not lie flat."""
    n = scene.n
    at = np.abs(np.linspace(0, 1, n, dtype=np.float32) - rng.choice((rng.uniform(-0.05, 0.1), rng.uniform(0.9, 1.05))))
    dark = np.exp(-at / rng.uniform(0.02, 0.12)) * rng.uniform(0.3, 0.95)
    scene.colour *= 1 - (dark[None, :] if rng.random() < 0.7 else dark[:, None])


def dust(rng, scene):
    """Specks and hairs on the glass or the drum."""
    n = scene.n
    canvas = np.zeros((2 * n, 2 * n), np.uint8)
    for x, y, radius in rng.random((int(rng.integers(2, 40)), 3)):
        cv2.circle(canvas, (int(2 * n * x), int(2 * n * y)), int(0.4 + 2.2 * radius**4), 255, -1, cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 3))):
        path = rng.random(2) * 2 * n + np.cumsum(np.cumsum(rng.normal(0, 1.2, (14, 2)), 0), 0)
        cv2.polylines(canvas, [path.astype(np.int32)], False, 140, 1, cv2.LINE_AA)
    field = cv2.resize(canvas, (n, n), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    scene.mix(field * rng.uniform(0.3, 1), tint(rng, 0.15 if rng.random() < 0.8 else 0.9))


# Lenses and files


def blurred(picture, sigma):
    return cv2.GaussianBlur(picture, (0, 0), sigma) if sigma > 0.25 else picture


def moved(rng, picture):
    """Shaken while the shutter was open."""
    length, angle = rng.uniform(2, 6) * picture.shape[0] / 256, rng.uniform(0, math.pi)
    kernel = np.zeros((13, 13), np.uint8)
    reach = np.array([math.cos(angle), math.sin(angle)]) * min(length, 12) / 2
    ends = [tuple(int(v) for v in np.round((6 + sign * reach) * 16)) for sign in (-1, 1)]
    cv2.line(kernel, *ends, 255, 1, cv2.LINE_AA, 4)
    kernel = kernel.astype(np.float32)
    return cv2.filter2D(picture, -1, kernel / kernel.sum())


def noisy(rng, picture, sigma, colour):
    """Noise of that sigma on a float32 (n, n, 3) picture; colour: how much it differs between the channels."""
    if sigma <= 0:
        return picture
    n = picture.shape[0]
    smooth = rng.choice((0.0, 0.8))
    grey = grain(rng, n, smooth)
    noise = [sigma * (grey + colour * grain(rng, n, rng.choice((0.0, 1.6)))) for _ in range(3)]
    return picture + cv2.merge(noise)


def finished(rng, picture, jpeg, sharpen, worst=30):
    """float (n, n, 3), 0..1 -> uint8, sharpened and compressed with these chances.

    worst: the lowest quality of JPEG.
    """
    picture = picture.astype(np.float32)
    if rng.random() < sharpen:
        amount = rng.uniform(0.3, 1.5)
        picture = (1 + amount) * picture - amount * cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.8, 2))
    picture = np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < jpeg:
        picture = compressed(picture, int(rng.integers(worst, 96)))
    return picture


def compressed(picture, quality):
    """RGB, through a JPEG file."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    content = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)[1]
    return cv2.cvtColor(cv2.imdecode(content, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def moire(rng, scene):
    """The raster of a screen that is photographed."""
    n = scene.n
    y, x = np.mgrid[0:n, 0:n].astype(np.float32)
    waves = []
    period = between(rng, 2.2, 14)
    for shift in (0, 2.1, 4.2):
        angle = rng.normal(0, 0.05)
        along = (x * math.cos(angle) + y * math.sin(angle)) * (2 * math.pi / period) + 6 * clouds(rng, n, 2) * 0.1
        waves.append(np.sin(along + shift))
    scene.colour *= 1 + rng.uniform(0.01, 0.09) * np.stack(waves)
    if rng.random() < 0.4:
        scene.colour *= 1 + rng.uniform(0.01, 0.06) * np.sin(y * (2 * math.pi / between(rng, 2, 40)))
