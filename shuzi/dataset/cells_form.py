"""Finds the forms of `forms.py` in a picture, however they lie in it, and cuts their cells.

The markers round a page say where it is. Straight paper seen by a camera is a homography away from the form; what
bent paper and the lens add to it is smooth, and is interpolated between the corners of all markers. Of what was tried
on simulated pages (`python -m benchmarks.forms`), cubic radial functions came closest: within 1.1 mm on the worst,
where polynomials of third degree are off by 3.8 and thin plate splines by 1.5. The printed cells say the rest.
"""

import functools
from collections import namedtuple

import cv2
import numpy as np

from shuzi.dataset import forms
from shuzi.dataset.cells import Flat, cut, evened, ink_mask, sample
from shuzi.dataset.page_code import decode

SIDE = 2600  # pixels; a larger picture is reduced to this to look for markers
CELL = 90  # pixels; side of a cell laid flat
MOST_OFF = 0.25  # of the distance of two markers; where one is further from where the other says, they are of two pages

# A form in a picture. page: forms' Page; flat, cells: as `cells.cut_grid` gives them, in the order of forms.cells;
# outline: float (4, 2), the corners of the paper in the picture
Form = namedtuple("Form", "page flat cells outline")
# A form that can't be read, or part of one; and why
Unreadable = namedtuple("Unreadable", "reason outline")


def has_markers(grey):
    """Whether a picture shows a form, or a part of one. grey: uint8 (h, w)."""
    if max(grey.shape) < SIDE / 2:  # modules of the markers are few pixels
        grey = cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    return len(find_markers(grey)) >= 2


def read_forms(picture):
    """All forms in a picture. picture: uint8 (h, w, 3), RGB. Returns a list of Form and Unreadable, from the left."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    groups = _pages(find_markers(grey))
    found = [_read(picture, grey, group) for group in groups]
    return sorted(found, key=lambda form: tuple(np.mean(form.outline, axis=0)))


# ---- markers -------------------------------------------------------------------------------------


def find_markers(grey):
    """Markers of forms in a picture: list of (id, corners float32 (4, 2) in its pixels)."""
    scale = min(1, SIDE / max(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    corners, ids, _ = _detector().detectMarkers(small)
    if ids is None:
        return []
    return [
        (int(number), (four[0] + 0.5) / scale - 0.5)
        for number, four in zip(np.ravel(ids), corners)
        if number < len(forms.markers("a4"))
    ]


@functools.cache
def _detector():
    settings = cv2.aruco.DetectorParameters()
    settings.adaptiveThreshWinSizeMin, settings.adaptiveThreshWinSizeMax, settings.adaptiveThreshWinSizeStep = (
        15,
        55,
        20,
    )
    settings.minMarkerPerimeterRate = 0.02
    settings.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    settings.cornerRefinementWinSize = 3
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, forms.DICTIONARY))
    return cv2.aruco.ArucoDetector(dictionary, settings)


def _pages(markers):
    """Markers -> lists of those of one page each: each says where its neighbours must be."""
    links = list(range(len(markers)))

    def root(i):
        while links[i] != i:
            i = links[i]
        return i

    for i, (one, corners) in enumerate(markers):
        for wanted in _neighbours(one):
            options = [
                (min(_apart(one, corners, other, others, paper) for paper in forms.SIZES), j)
                for j, (other, others) in enumerate(markers)
                if other == wanted
            ]
            if options and min(options)[0] < MOST_OFF:
                links[root(min(options)[1])] = root(i)
    groups = {}
    for i in range(len(markers)):
        groups.setdefault(root(i), []).append(markers[i])
    pages = []
    for group in groups.values():
        if len({number for number, _ in group}) == len(group) and len(group) >= 2:
            pages.append(dict(group))
    return pages


def _neighbours(number):
    if number >= forms.AROUND:
        return [2, 3, 4] if number == forms.AROUND else [3, 4, forms.AROUND]
    return [(number + 1) % forms.AROUND, (number + 2) % forms.AROUND]


def _apart(one, corners, other, others, paper):
    """How far two markers are from where each says the other is, as a part of their distance."""
    return max(_off(one, corners, other, others, paper), _off(other, others, one, corners, paper))


def _off(one, corners, other, others, paper):
    places = forms.markers(paper)
    turn = np.linalg.lstsq(np.c_[places[one], np.ones(4)], np.float64(corners), rcond=None)[0]
    said = np.r_[places[other].mean(0), 1] @ turn
    apart = np.linalg.norm(said - corners.mean(0))
    return np.linalg.norm(said - others.mean(0)) / max(apart, 1)


# ---- one page ------------------------------------------------------------------------------------


class _Bend:
    """From millimetres of a form to pixels of the picture."""

    def __init__(self, places, pixels):
        """places, pixels: float (n, 2)."""
        self.known, self.scale = places / 100, 100
        self.straight, _ = cv2.findHomography(places, pixels, 0)
        rest = pixels - self._straight(places)
        n, terms = len(places), self._terms(places)
        system = np.zeros((n + 6, n + 6))
        system[:n, :n] = self._distances(places) + 1e-3 * np.eye(n)
        system[:n, n:], system[n:, :n] = terms, terms.T
        solved = np.linalg.lstsq(system, np.r_[rest, np.zeros((6, 2))], rcond=None)[0]
        self.radial, self.bent = solved[:n], solved[n:]

    def _straight(self, places):
        return cv2.perspectiveTransform(np.float64(places).reshape(-1, 1, 2), self.straight).reshape(-1, 2)

    def _distances(self, places):
        return np.linalg.norm(places[:, None] / self.scale - self.known[None], axis=2) ** 3

    def _terms(self, places):
        x, y = (places / self.scale - self.known.mean(0)).T
        return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], 1)

    def __call__(self, places):
        """float (…, 2) in millimetres -> float (…, 2) in pixels."""
        flat = np.reshape(places, (-1, 2)).astype(np.float64)
        bent = self._distances(flat) @ self.radial + self._terms(flat) @ self.bent
        return (self._straight(flat) + bent).reshape(np.shape(places))


def _fit(group, paper):
    """The bend of a page on this paper, and how far its markers are from simply bent paper, in their sides."""
    places = forms.markers(paper)
    known = np.concatenate([places[i] for i in sorted(group)])
    seen = np.concatenate([group[i] for i in sorted(group)]).astype(np.float64)
    straight, _ = cv2.findHomography(known, seen, 0)
    rest = seen - cv2.perspectiveTransform(known.reshape(-1, 1, 2), straight).reshape(-1, 2)
    x, y = ((known - known.mean(0)) / 150).T
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y, x**3, x * x * y, x * y * y, y**3], 1)
    rest -= terms @ np.linalg.solve(terms.T @ terms + 0.05 * np.eye(10), terms.T @ rest)
    side = np.linalg.norm(np.diff(seen.reshape(-1, 4, 2), axis=1), axis=-1).mean()
    return _Bend(known, seen), float(np.sqrt((rest**2).sum(1).mean()) / side)


def _read(picture, grey, group):
    around = np.concatenate(list(group.values())).reshape(-1, 2)
    hull = cv2.boxPoints(cv2.minAreaRect(np.float32(around)))
    if len(group) < 4:
        return Unreadable("only a part of a form is to be seen", hull)
    fits = sorted(((*_fit(group, paper), paper) for paper in forms.SIZES), key=lambda fit: fit[1])
    for bend, _, paper in fits:
        page = decode(_modules(grey, bend, paper))
        if page is not None and page.paper == paper:
            break
    else:
        bend, _, paper = fits[0]
        reason = _missing(picture, bend, group, paper)
        reason = reason or "the code at its top can't be read: blurred, covered or cut off"
        return Unreadable(reason, _outline(bend, paper))
    reason = _missing(picture, bend, group, paper, page)
    if reason:
        return Unreadable(reason, _outline(bend, paper))
    return Form(page, *_cells(picture, bend, page), _outline(bend, paper))


def _outline(bend, paper):
    width, height = forms.SIZES[paper]
    return bend(np.array([(0, 0), (width, 0), (width, height), (0, height)], float))


def _missing(picture, bend, group, paper, page=None):
    """What of a form is not to be seen, in words; empty where all is."""
    height, width = picture.shape[:2]
    boxes = [cell.box for cell in forms.cells(page)] if page else []
    points = [(box[i], box[j]) for box in boxes for i, j in ((0, 1), (2, 1), (2, 3), (0, 3))]
    points = points or [place for number in forms.CORNERS for place in forms.markers(paper)[number]]
    seen = bend(np.array(points, float))
    out = ((seen < -1) | (seen > (width, height))).any(1)
    gone = [name for number, name in forms.CORNERS.items() if number not in group]
    if out.any():
        return (
            f"a corner is cut off: {gone[0]}"
            if len(gone) == 1
            else "a side is cut off"
            if gone
            else "a part is cut off"
        )
    around = forms.AROUND
    holes = [i for i in range(around) if i not in group and (i + 1) % around not in group]
    if holes or len(group) < 7:
        where = f" at the {gone[0]}" if gone else ""
        return f"too few of its markers are to be seen{where}: cut off, covered, blurred or in glare"
    return ""


def _modules(grey, bend, paper):
    """The modules of a page's code: bool (rows, columns), True for black. grey: uint8 (h, w)."""
    centres = forms.code_centres(paper)
    steps = np.array([(x, y) for x in (-0.25, 0, 0.25) for y in (-0.25, 0, 0.25)]) * forms.CODE
    places = np.float32(bend(centres[:, :, None] + steps))
    rows, columns, each = places.shape[:3]
    tone = cv2.remap(grey, places.reshape(rows, -1, 2), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    tone = tone.reshape(rows, columns, each).astype(np.float32).mean(2)
    low = cv2.blur(cv2.erode(tone, np.ones((5, 5))), (9, 9))
    high = cv2.blur(cv2.dilate(tone, np.ones((5, 5))), (9, 9))
    return tone < (low + high) / 2


def _cells(picture, bend, page):
    """Lay a page's cells flat and cut them: (Flat, list of Cell)."""
    wanted = forms.cells(page)
    boxes = np.array([cell.box for cell in wanted])
    margin = forms.GAP + 3
    left, top = boxes[:, :2].min(0) - margin
    right, bottom = boxes[:, 2:].max(0) + margin
    side = boxes[0, 2] - boxes[0, 0]
    unit = CELL / side  # pixels to a millimetre
    width, height = int((right - left) * unit), int((bottom - top) * unit)
    coarse = 16  # the bend is smooth: worked out for some places, and between them even
    x = np.arange(0, width + coarse, coarse, dtype=np.float64)
    y = np.arange(0, height + coarse, coarse, dtype=np.float64)
    millimetres = np.stack(np.meshgrid((x + 0.5) / unit + left, (y + 0.5) / unit + top), -1)
    at = np.meshgrid(np.arange(width, dtype=np.float32) / coarse, np.arange(height, dtype=np.float32) / coarse)

    def laid_flat(moved):
        places = cv2.remap(bend(millimetres + moved).astype(np.float32), *at, cv2.INTER_LINEAR)
        return places, sample(picture, places)

    printed = _printed(page, (height, width), unit, (left, top))
    places, flat = laid_flat(0)
    moved = _moved(flat, printed, (boxes - (left, top, left, top)) * unit)
    if moved is not None:
        places, flat = laid_flat(moved(x, y) / unit)
    even, _ = evened(flat, CELL)
    inner = {}
    labels = np.zeros((height, width), np.int32)
    half = forms.GAP / 2 * unit
    for number, cell in enumerate(wanted, 1):
        box = (np.array(cell.box) - (left, top, left, top)) * unit
        inner[cell.row, cell.column] = tuple(int(round(v)) for v in box)
        box = np.maximum(np.rint(box + (-half, -half, half, half)).astype(int), 0)
        labels[box[1] : box[3], box[0] : box[2]] = number
    even, depth = _without_print(even, printed, labels > 0)
    flat = Flat(even, depth, labels, inner, places)
    return flat, cut(flat, ink_mask(depth), CELL)


def _moved(flat, printed, boxes):
    """Where the print is beside its place: a function from pixels x, y to (y, x, 2) pixels; None where that isn't seen.

    Each cell's lines are looked for a little around where they should be, and a parabola goes through what is found.
    """
    dark = 255 - flat[::2, ::2].astype(np.int16)
    dark -= np.int16(cv2.blur(dark.astype(np.float32), (41, 41)))
    red = np.clip(dark[..., 2] - dark[..., 0], 0, 60)  # light red is dark in blue only
    likely = np.float32(red + 0.3 * np.clip(dark[..., 2], 0, 60))
    wanted = np.float32(printed[::2, ::2])
    found = []
    for left, top, right, bottom in (boxes / 2).astype(int):
        around = likely[max(top - 13, 0) : bottom + 13, max(left - 13, 0) : right + 13]
        cell = wanted[top - 3 : bottom + 3, left - 3 : right + 3]
        match = cv2.matchTemplate(around, cell, cv2.TM_CCOEFF_NORMED)
        _, best, _, place = cv2.minMaxLoc(match)
        if best > 0.25 and match.shape == (21, 21) and best - np.median(match) > 0.2:
            found.append(((left + right), (top + bottom), 2 * (place[0] - 10), 2 * (place[1] - 10)))
    if len(found) < max(8, len(boxes) // 4):
        return None
    found = np.array(found, float)
    middle, half = np.array(flat.shape[1::-1]) / 2, max(flat.shape) / 2

    def terms(x, y):
        x, y = (x - middle[0]) / half, (y - middle[1]) / half
        return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1)

    known, shift, keep = terms(found[:, 0], found[:, 1]), found[:, 2:], np.ones(len(found), bool)
    for _ in range(3):
        known_here = known[keep]
        factors = np.linalg.solve(
            known_here.T @ known_here + 0.3 * np.diag([0, 1, 1, 1, 1, 1]), known_here.T @ shift[keep]
        )
        off = np.linalg.norm(known @ factors - shift, axis=1)
        keep = off <= max(2.5, 1.5 * np.median(off))
    return lambda x, y: terms(*np.meshgrid(x, y)) @ factors


@functools.lru_cache(8)
def _print_of(layout, shape, unit, origin):
    """Where a form has lines and characters: uint8 (h, w), 0 to 255, a little broader than they are."""
    from shuzi.drawing.strokes import WAYS, parse

    canvas = np.zeros(shape, np.uint8)
    to_pixels = lambda points: np.int32(np.rint((np.asarray(points) - origin) * unit * 16))  # noqa: E731
    broad = lambda millimetres: max(int(round((millimetres + 0.5) * unit)), 1)  # noqa: E731
    for left, top, right, bottom, name, traced in layout:
        cv2.rectangle(
            canvas,
            tuple(to_pixels((left, top)).tolist()),
            tuple(to_pixels((right, bottom)).tolist()),
            255,
            broad(0.3),
            cv2.LINE_AA,
            4,
        )
        side = right - left
        x, y, size, pen = (
            (left + 0.13 * side, top + 0.15 * side, 0.74 * side, 0.9)
            if traced
            else (left + 0.6, top + 0.6, forms.LABEL, 0.3)
        )
        if name in WAYS:
            for points, *_ in parse(WAYS[name]["regular"][1]):
                cv2.polylines(canvas, [to_pixels(points * size + (x, y))], False, 255, broad(pen + 0.2), cv2.LINE_AA, 4)
        else:
            ends = to_pixels([(x, y), (x + (size if traced else 9.5), y + size)]).tolist()
            cv2.rectangle(canvas, tuple(ends[0]), tuple(ends[1]), 255, -1, cv2.LINE_AA, 4)
    return canvas


def _printed(page, shape, unit, origin):
    layout = tuple((*cell.box, cell.name, cell.traced) for cell in forms.cells(page))
    return _print_of(layout, shape, unit, tuple(origin))


def _without_print(even, printed, near):
    """Take the print's own tone off the picture. Returns (RGB, depth float32 (h, w))."""
    print_ = printed > 160
    if not print_.any():
        print_ = near
    dark = 255 - even
    # half of the printed places are paper beside the lines, and ink covers few of them
    tones = [min(1.15 * float(np.percentile(dark[..., channel][print_], 88)) + 8, 150) for channel in range(3)]
    # ink that is darker in red than the light red print is taken as it is
    kept = np.clip(255 - (np.arange(256) - tones[0]) * (255 / 40), 0, 255).astype(np.uint8)
    share = cv2.multiply(printed, cv2.LUT(np.ascontiguousarray(dark[..., 0]), kept), scale=1 / 255)
    lighter = [cv2.multiply(share, tone, scale=1 / 255) for tone in tones]
    result = cv2.add(even, cv2.merge(lighter))
    depth = (255 - cv2.min(cv2.min(result[..., 0], result[..., 1]), result[..., 2])).astype(np.float32) / 255
    return result, depth
