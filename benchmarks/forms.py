"""Are filled forms read right? By simulation: forms of forms.py, written on, bent, photographed and read again.

Every page is written by a virtual writer, a seventh of its cells are left empty and some crossed out. The paper bends
as paper does, along straight lines (a developable surface: a cylinder of any profile, its axis at any angle), lies
tilted and turned under a pinhole camera with a lens, in light from one side and the shadow of a hand. Two cameras: a
telephone of 12 megapixels, and a cheap one of 5 with more distortion, blur and noise; and a scanner for comparison.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from shuzi.core.command import run
from shuzi.core.numerals import ALL_CLASSES, DEFAULT_CLASSES
from shuzi.dataset import forms, forms_pdf
from shuzi.dataset.cells_form import Form, read_forms
from shuzi.drawing.handwriting import draw, make_writer, render

DOTS = 200 / 25.4  # pixels to a millimetre of the drawn page
# width, height, focal length in widths of the picture, distortion, blur in pixels, noise, JPEG quality, bend, tilt
CAMERAS = {
    "12 megapixels": (4000, 3000, 0.75, 0.03, (0.6, 1.6), (1, 4), (75, 95), 0.6, 25),
    "5 megapixels": (2592, 1944, 0.85, -0.12, (0.8, 1.8), (3, 8), (60, 85), 0.6, 25),
}


def blank(pages, folder):
    """Pages as they are printed: uint8 (h, w, 3) each."""
    import pypdfium2

    path = Path(folder, "forms.pdf")
    forms_pdf.write(pages, path)
    with pypdfium2.PdfDocument(path) as document:
        return [np.array(page.render(scale=DOTS * 25.4 / 72).to_pil().convert("RGB")) for page in document]


def fill(picture, page, rng, number):
    """Write on a page, in place. Returns {(row, column): "filled", "empty" or "crossed out"} and what was written.

    The second: {(row, column): float32 (h, w), the ink in and around the cell}.
    """
    writer = make_writer(7, number)
    colour = np.array(
        [(25, 25, 30), (30, 40, 130), (60, 60, 66), (150, 30, 40)][rng.choice(4, p=[0.4, 0.35, 0.2, 0.05])]
    )
    thick = rng.uniform(0.35, 0.9) * DOTS  # pixels
    pen = "pencil" if colour[0] == 60 else "ballpoint"
    states, written = {}, {}
    for cell in forms.cells(page):
        left, top, right, bottom = (value * DOTS for value in cell.box)
        side = right - left
        chance = rng.random()
        state = "empty" if chance < 0.14 else "crossed out" if chance < 0.18 else "filled"
        states[cell.row, cell.column] = state
        if state == "empty":
            continue
        size = side * rng.uniform(0.5, 0.85)
        ink = render(draw(cell.name, writer, rng), pen, thick / size, size, rng)
        ink = ink * rng.uniform(0.75, 1)
        room = side - np.array(ink.shape[::-1])
        x, y = np.array([left, top]) + room / 2 + rng.uniform(-0.16, 0.16, 2) * side
        x, y = int(x), int(y)
        area = picture[max(y, 0) : y + ink.shape[0], max(x, 0) : x + ink.shape[1]]
        area[:] = area * (1 - ink[..., None]) + colour * ink[..., None]
        written[cell.row, cell.column] = ink
        if state == "crossed out":
            ends = np.array([(left, top), (right, bottom)]) + rng.uniform(-0.06, 0.12, (2, 1)) * side * np.array(
                [[1], [-1]]
            )
            if rng.random() < 0.5:
                ends[:, 0] = ends[::-1, 0]
            cv2.line(picture, *np.int32(ends * 16).tolist(), colour.tolist(), max(int(thick), 1), cv2.LINE_AA, 4)
    return states, written


def surface(paper, rng, most):
    """A sheet as it bends: a function from millimetres (n, 2) to points in space (n, 3), the middle at 0."""
    width, height = forms.SIZES[paper]
    angle = rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)])
    across = np.array([np.cos(angle), np.sin(angle)])
    along = np.array([-np.sin(angle), np.cos(angle)])
    reach = np.hypot(width, height) / 2
    u = np.linspace(-reach, reach, 400)
    # the slope of the profile, in radians: a bow, a wave, and one end that rises
    slope = most * (
        rng.uniform(-0.5, 0.5) * u / reach
        + rng.uniform(0, 0.25) * np.sin(u / reach * rng.uniform(1, 4) + rng.uniform(0, 6))
    )
    slope += most * rng.uniform(0, 0.6) * np.clip((u / reach - 0.4) / 0.6, 0, 1) ** 2
    step = u[1] - u[0]
    x, z = np.cumsum(np.cos(slope)) * step, np.cumsum(np.sin(slope)) * step
    x, z = x - np.interp(0, u, x), z - np.interp(0, u, z)

    def at(places):
        middle = places - (width / 2, height / 2)
        s, t = middle @ across, middle @ along
        flat = np.interp(s, u, x)[:, None] * across + t[:, None] * along
        return np.column_stack([flat, np.interp(s, u, z)]), np.interp(s, u, slope)

    return at


def camera_of(paper, rng, settings, turns=(0, 90, 180, 270)):
    """A function from millimetres (n, 2) of a bent sheet to pixels (n, 2), and how bright each place is."""
    wide, high, focal, distortion, *_, most, tilt = settings
    at = surface(paper, rng, most)
    turn = rng.choice(turns) + rng.normal(0, 5)
    angles = np.radians([rng.uniform(-tilt, tilt) * 0.7, rng.uniform(-tilt, tilt), turn])
    rotation = np.eye(3)
    for axis, angle in zip((0, 1, 2), angles):
        spin = np.eye(3)
        i, j = [k for k in range(3) if k != axis]
        spin[i, i] = spin[j, j] = np.cos(angle)
        spin[i, j], spin[j, i] = -np.sin(angle), np.sin(angle)
        rotation = spin @ rotation
    length = focal * wide
    lamp = rng.normal(0, 0.35, 2)

    def project(places, distance, shift):
        points, slope = at(places)
        points = points @ rotation.T
        points[:, 2] += distance
        plane = points[:, :2] / points[:, 2:]
        radius = (plane**2).sum(1, keepdims=True)
        plane = plane * (1 + distortion * radius * 2)
        return plane * length + (wide / 2, high / 2) + shift, 1 + 0.5 * np.tan(np.clip(slope, -0.8, 0.8)) * lamp[0]

    size = forms.SIZES[paper]
    edge = np.array([(x, y) for x in np.linspace(0, size[0], 9) for y in np.linspace(0, size[1], 9)])
    distance, shift = 300.0, np.zeros(2)
    part = rng.uniform(0.8, 0.97)
    for _ in range(12):
        seen, _ = project(edge, distance, shift)
        shift = shift + (wide / 2, high / 2) - (seen.max(0) + seen.min(0)) / 2
        distance *= max(np.ptp(seen, axis=0) / (wide, high)) / part
    return lambda places: project(places, distance, shift)


def photograph(page_picture, paper, rng, settings, dots=DOTS, see=None):
    """A photo of a page: uint8 (h, w, 3). dots: pixels of the page to a millimetre; see: as of `camera_of`."""
    wide, high, _, _, blur, noise, quality, *_ = settings
    see = see or camera_of(paper, rng, settings)
    size = forms.SIZES[paper]
    edge = np.array([(x, y) for x in np.linspace(0, size[0], 20) for y in np.linspace(0, size[1], 20)])
    back, _ = cv2.findHomography(see(edge)[0], edge)
    step = 8
    grid = np.stack(np.meshgrid(np.arange(0, wide + step, step), np.arange(0, high + step, step)), -1).astype(float)
    wanted = cv2.perspectiveTransform(grid.reshape(-1, 1, 2), back).reshape(-1, 2)
    low, far = np.array([-80.0, -80.0]), np.array(size) + 80
    places = np.clip(wanted, low, far)
    for _ in range(25):  # where the sheet's inverse isn't known, go towards it
        seen = cv2.perspectiveTransform(see(places)[0].reshape(-1, 1, 2), back).reshape(-1, 2)
        places = np.clip(places + 0.8 * (wanted - seen), low, far)
    light = see(places)[1]
    shape = grid.shape[:2]
    fields = [np.float32(field.reshape(shape)) for field in (places[:, 0], places[:, 1], light)]
    at = np.meshgrid(np.arange(wide, dtype=np.float32) / step, np.arange(high, dtype=np.float32) / step)
    x, y, light = (cv2.remap(field, *at, cv2.INTER_LINEAR) for field in fields)
    desk = rng.uniform(40, 150, 3)
    photo = cv2.remap(
        page_picture, x * dots, y * dots, cv2.INTER_AREA, borderMode=cv2.BORDER_CONSTANT, borderValue=desk.tolist()
    )
    photo = photo.astype(np.float32)
    # light from one side, and the shadow of a hand or a telephone
    slope = rng.normal(0, 0.18, 2)
    light = light * (1 + slope[0] * (at[0] * step / wide - 0.5) + slope[1] * (at[1] * step / high - 0.5))
    if rng.random() < 0.6:
        shadow = np.zeros((high // 8, wide // 8), np.uint8)
        middle = rng.uniform(0, 1, 2) * (wide // 8, high // 8)
        axes = rng.uniform(0.15, 0.6, 2) * (wide // 8)
        cv2.ellipse(shadow, [int(v) for v in middle], [int(v) for v in axes], rng.uniform(0, 180), 0, 360, 255, -1)
        shadow = cv2.GaussianBlur(shadow, (0, 0), rng.uniform(2, 40))
        light = light * (1 - rng.uniform(0.2, 0.55) * cv2.resize(shadow, (wide, high)) / 255)
    photo *= (light * rng.uniform(0.65, 0.95))[..., None]
    photo *= rng.uniform(0.88, 1, 3).astype(np.float32)  # warm or cold light
    photo = cv2.GaussianBlur(photo, (0, 0), rng.uniform(*blur))
    photo += rng.normal(0, rng.uniform(*noise), (high, wide, 1)).astype(np.float32)
    photo = np.clip(photo, 0, 255).astype(np.uint8)
    return compressed(photo, rng.integers(*quality))


def compressed(photo, quality):
    _, data = cv2.imencode(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def scan(page_picture, paper, rng, _):
    """The same page from a scanner at 150 dots to an inch, a little askew."""
    height, width = page_picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.normal(0, 1.2), 0.75)
    size = int(0.75 * width), int(0.75 * height)
    turn[:, 2] += (np.array(size) - (width, height)) / 2
    page = cv2.warpAffine(
        cv2.GaussianBlur(page_picture, (0, 0), 0.7), turn, size, flags=cv2.INTER_AREA, borderValue=(250,) * 3
    )
    page = page * rng.uniform(0.92, 1) + rng.normal(0, rng.uniform(0.5, 3), page.shape)
    return compressed(np.clip(page, 0, 255).astype(np.uint8), rng.integers(60, 92))


def same(ink, picture):
    """How alike what was written and what was cut are, 0-1, after both are prepared as the net sees them."""
    from shuzi.ink import place, prepare

    try:
        wanted, got = (255.0 - part[..., 0] for part in (place(np.float32(ink)), prepare(picture)))
    except ValueError:
        return 0.0
    wanted, got = (cv2.GaussianBlur(part, (0, 0), 2).ravel() for part in (wanted, got))
    return float((wanted * got).sum() / max(np.linalg.norm(wanted) * np.linalg.norm(got), 1e-9))


def measure(camera, count, seed, folder, keep=None):
    """Counts over `count` pages: a dict. keep: a folder for the pictures of pages that were not read right."""
    rng = np.random.default_rng([seed, len(camera)])
    counts = dict.fromkeys(
        (
            "pages",
            "refused",
            "filled",
            "read",
            "wrong class",
            "unlike",
            "empty",
            "empty filed",
            "crossed out",
            "crossed out filed",
        ),
        0,
    )
    seconds = 0.0
    for number in range(count):
        paper = "letter" if rng.random() < 0.25 else "a4"
        classes = ALL_CLASSES if rng.random() < 0.3 else DEFAULT_CLASSES
        pages = forms.pages(classes, int(rng.choice([5, 5, 8, 10])), 30, paper, bool(rng.random() < 0.3), 5)
        page = pages[rng.integers(len(pages))]
        picture = blank([page], folder)[0]
        states, written = fill(picture, page, rng, number)
        if camera == "scanner":
            photo = scan(picture, paper, rng, None)
        else:
            photo = photograph(picture, paper, rng, CAMERAS[camera])
        start = time.process_time()
        found = read_forms(photo)
        seconds += time.process_time() - start
        counts["pages"] += 1
        counts["filled"] += sum(state == "filled" for state in states.values())
        counts["empty"] += sum(state == "empty" for state in states.values())
        counts["crossed out"] += sum(state == "crossed out" for state in states.values())
        bad = len(found) != 1 or not isinstance(found[0], Form)
        if bad:
            counts["refused"] += 1
            print(f"{camera}, page {number}: {[getattr(form, 'reason', 'a form') for form in found]}", file=sys.stderr)
        else:
            counts["wrong class"] += (found[0].page != page) * len(states)
            for cell in found[0].cells:
                state = states[cell.row, cell.column]
                if cell.state == "filled" and state == "filled":
                    counts["read"] += 1
                    alike = same(written[cell.row, cell.column], cell.picture)
                    counts["unlike"] += alike < 0.6
                    bad |= alike < 0.6
                elif cell.state == "filled":
                    counts[f"{state} filed"] += 1
                    bad = True
                elif state == "filled":
                    bad = True
                    print(f"{camera}, page {number}: {cell.row},{cell.column} is {cell.state}", file=sys.stderr)
        if bad and keep:
            cv2.imwrite(f"{keep}/{camera.replace(' ', '_')}_{number}.jpg", photo[..., ::-1])
    return counts | {"pages a minute": 60 * count / seconds}


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], epilog="example: python -m benchmarks.forms --pages 200"
    )
    parser.add_argument("--pages", type=int, default=40, metavar="N", help="for each camera (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", metavar="FOLDER", help="save pictures of pages that were not read right there")
    args = parser.parse_args(argv)
    cv2.setNumThreads(1)
    names = None
    with tempfile.TemporaryDirectory() as folder:
        for camera in ("scanner", *CAMERAS):
            counts = measure(camera, args.pages, args.seed, folder, args.keep)
            if not names:
                names = list(counts)
                print("| camera | " + " | ".join(names) + " |\n|---|" + "---:|" * len(names))
            print(f"| {camera} | " + " | ".join(f"{counts[name]:,.0f}" for name in names) + " |", flush=True)
    return 0


if __name__ == "__main__":
    run(main)
