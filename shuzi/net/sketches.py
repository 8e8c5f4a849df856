"""Draws thousands of pictures a second that are no numeral: characters, parts and pairs of them, signs, scribbles,
specks.

For training only, where quantity counts more than a faithful pen: strokes are lines of even width, moved and turned one
by one, run together and rounded, all pictures at once. Handwriting that looks like people's is drawn by shuzi/drawing.
"""

from functools import lru_cache

import cv2
import numpy as np

from shuzi.drawing import characters
from shuzi.ink import INK_SIZE, SIZE

FINE = 3  # drawn that much larger, then reduced
ROUNDINGS = 2  # of corners (Chaikin 1974); each doubles the points

# Never drawn here, so that doubt can be measured on them: characters of the radicals 宀寸 土 山 广 (blocks of Unicode),
# to which the real ones that it is measured on belong, and those that benchmarks/other_characters.py has strokes of.
MEASURED_BLOCKS = (0x571F, 0x5902), (0x5B80, 0x5C0F), (0x5C71, 0x5DDC), (0x5E7F, 0x5EF4)
MEASURED = (
    "究人入卜丁厂儿几力刀又乃了乙匕大丈工干于上下口小川才子女个也己习马门丸夕久及义天夫犬太王丰井开午牛手毛日月中水火木不心文方元无云"
    "互止公分父车正玉主立目田皿西回白自石右左去古生平本用东禾米年丑匹巴巾斤壬凡穴比北长亦交有来出雨面我是家学这他你们什仁化付休体好她"
    "妈如明朋时林村从双对和加叶吗江汗池打扣计的早男思星呆品众尖因困国字草芳"
)


class Lines:
    """Strokes of many pictures: points float (m, 2), y downwards; the stroke and the picture of each, increasing."""

    def __init__(self, points, stroke, picture):
        self.points, self.stroke, self.picture = points, stroke, picture

    def __len__(self):
        return int(self.picture[-1]) + 1


def of_strokes(pictures):
    """Lines of a list of pictures, each a list of strokes, float (n, 2)."""
    strokes = [stroke for picture in pictures for stroke in picture]
    counts = [len(stroke) for stroke in strokes]
    owner = np.repeat(np.arange(len(pictures)), [len(picture) for picture in pictures])
    return Lines(np.concatenate(strokes), np.repeat(np.arange(len(strokes)), counts), np.repeat(owner, counts))


def written(lines, rng, loose=1.0, haste=None):
    """The same by hasty hands: strokes moved, turned and sized, some left out, some run together; corners rounded."""
    points, stroke, picture = lines.points.copy(), lines.stroke, lines.picture
    first = np.r_[True, np.diff(stroke) > 0]
    count, owner = int(first.sum()), picture[first]
    stroke = np.cumsum(first) - 1
    haste = rng.beta(1.2, 1.8, len(lines)) if haste is None else np.full(len(lines), haste)
    hand = loose * rng.uniform(0.4, 1.6, len(lines))  # some write as a copybook, some do not
    middle = np.stack([np.bincount(stroke, points[:, k]) for k in range(2)], 1) / np.bincount(stroke)[:, None]
    angle = rng.normal(0, 0.09, count) * hand[owner]
    scale = np.exp(rng.normal(0, 0.13, count) * hand[owner])
    shift = rng.normal(0, 0.028, (count, 2)) * hand[owner, None]
    x, y = (points - middle[stroke]).T * scale[stroke]
    cos, sin = np.cos(angle)[stroke], np.sin(angle)[stroke]
    points = np.stack([cos * x - sin * y, sin * x + cos * y], 1) + (middle + shift)[stroke]
    points += rng.normal(0, 0.008, points.shape) * hand[picture, None]
    # runs together with the stroke before: the nearer, and the hastier, the likelier
    begin = np.flatnonzero(first)
    gap = np.hypot(*(points[begin[1:]] - points[begin[1:] - 1]).T)
    likely = haste[owner[1:]] ** 1.5 * np.exp(-gap / 0.35)
    joined = np.r_[False, (owner[1:] == owner[:-1]) & (rng.random(count - 1) < likely)]
    stroke = (np.cumsum(~joined) - 1)[stroke]
    return rounded(Lines(points, stroke, picture))


def rounded(lines):
    for _ in range(ROUNDINGS):
        points, stroke = lines.points, lines.stroke
        first = np.r_[True, stroke[1:] != stroke[:-1]][:, None]
        last = np.r_[first[1:], [[True]]]
        before, after = np.roll(points, 1, 0), np.roll(points, -1, 0)
        cut = np.stack(
            [np.where(first, points, (before + 3 * points) / 4), np.where(last, points, (after + 3 * points) / 4)], 1
        )
        lines = Lines(cut.reshape(-1, 2), stroke.repeat(2), lines.picture.repeat(2))
    return lines


def render(lines, widths):
    """Pictures uint8 (n, 64, 64), as large as ink.py makes them. widths: float (n,), pixels."""
    points, picture = lines.points, lines.picture
    first = np.flatnonzero(np.r_[True, np.diff(picture) > 0])
    low, high = np.minimum.reduceat(points, first), np.maximum.reduceat(points, first)
    extent = np.maximum((high - low).max(axis=1), 1e-3)
    scale = np.maximum(INK_SIZE - widths, 1) / extent
    points = (points - ((low + high) / 2)[picture]) * scale[picture, None] + SIZE / 2
    points = np.int32((points * FINE - 0.5) * 16)
    starts = np.r_[first, len(points)]
    made = np.empty((len(first), SIZE, SIZE), np.uint8)
    for i in range(len(first)):
        a, b = starts[i], starts[i + 1]
        strokes = np.split(points[a:b], np.flatnonzero(np.diff(lines.stroke[a:b])) + 1)
        canvas = np.full((SIZE * FINE, SIZE * FINE), 255, np.uint8)
        cv2.polylines(canvas, strokes, False, 0, max(1, round(widths[i] * FINE)), cv2.LINE_AA, 4)
        made[i] = cv2.resize(canvas, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return made


# The kinds: (count, rng, …) -> Lines of `count` pictures


def of_characters(count, rng, choose):
    """Single characters. choose: a Choice."""
    return written(of_strokes([characters.medians(name) for name in choose(count, rng)]), rng)


def of_pairs(count, rng, choose):
    """Two characters, beside or above each other, close or run into each other."""
    pictures = []
    for one, two in zip(choose(count, rng), choose(count, rng)):
        level, gap, share = rng.random() < 0.6, rng.uniform(-0.08, 0.1), rng.uniform(0.35, 0.65)
        boxes = ((0, share - gap / 2), (share + gap / 2, 1))
        both = []
        for name, (low, high) in zip((one, two), boxes):
            place, size = ([low, 0.05], [high - low, 0.9]) if level else ([0.05, low], [0.9, high - low])
            both += [np.array(place) + stroke * size for stroke in characters.medians(name)]
        pictures.append(both)
    return written(of_strokes(pictures), rng)


def of_parts(count, rng, choose):
    """Three to six strokes that follow each other in a character, or a single one that is not level.

    Two strokes would often make 二, 十 or 八.
    """
    pictures = []
    while len(pictures) < count:
        for name in choose(count, rng):
            strokes = characters.medians(name)
            length = min(len(strokes), int(rng.choice([1, 3, 3, 4, 5, 6])))
            start = rng.integers(len(strokes) - length + 1)
            part = strokes[start : start + length]
            if length > 2 or length == 1 and abs(part[0][-1] - part[0][0]) @ [-0.5, 1] > 0:
                pictures.append(part)
    return written(of_strokes(pictures[:count]), rng)


def of_signs(count, rng, choose):
    """Digits, letters, ticks, crosses and the like."""
    texts = [text for sign, text in SIGNS.items() if sign not in choose.leave_out]
    pictures = []
    for i in rng.integers(len(texts), size=count):
        strokes = [np.array([[int(x), int(y)] for x, y in part.split()]) / 9 for part in texts[i].split("|")]
        width = np.array([np.exp(rng.normal(-0.3, 0.25)), 1])  # of most letters less than their height
        pictures.append([stroke * width + rng.normal(0, 0.03, stroke.shape) for stroke in strokes])
    return written(of_strokes(pictures), rng)


# Points of a box of 10 by 10, x and y, y downwards; | lifts the pen. None that people write like a numeral: - = + O Z h
# t 0.
SIGNS = {
    "2": "02 20 70 92 84 09 99", "3": "01 40 91 44 95 97 49 08", "4": "60 06 96|63 69",
    "5": "90 10 04 54 95 97 59 08", "6": "80 25 07 29 79 96 64 15", "7": "00 90 39",
    "8": "91 50 12 54 97 59 17 45 91", "9": "92 40 03 35 92 89", "A": "09 50 99|26 76",
    "B": "00 09|00 60 82 54 04|54 87 69 09", "C": "91 50 05 59 98", "D": "00 09|00 60 95 69 09",
    "E": "90 00 09 99|04 74", "F": "90 00 09|04 74", "G": "91 50 05 59 97 95 55", "H": "00 09|90 99|05 95",
    "J": "80 86 59 17", "K": "00 09|90 05 99", "L": "00 09 99", "M": "09 10 55 80 99", "N": "09 00 99 90",
    "P": "09 00 60 93 55 05", "Q": "50 05 59 95 50|67 99", "R": "09 00 60 93 55 05|45 99",
    "S": "91 50 12 54 97 59 08", "U": "00 06 59 96 90", "V": "00 59 90", "W": "00 29 52 79 90",
    "X": "00 99|90 09", "Y": "00 54 90|54 59", "a": "93 40 05 49 93|91 99", "b": "00 09|05 52 96 59 08",
    "d": "90 99|94 52 06 59 97", "e": "05 95 72 30 05 49 98", "f": "80 50 32 39|14 74",
    "g": "92 40 04 46 92|91 97 59 18", "k": "00 09|83 05 89", "m": "09 02|04 31 44 49|44 71 94 99",
    "n": "02 09|04 52 85 89", "p": "00 09|02 50 93 55 04", "q": "93 50 04 47 94|91 99", "r": "00 09|04 40 81",
    "u": "00 06 49 85|80 89", "y": "00 44|90 09", "✓": "05 39 90", "√": "15 38 49 90", "→": "05 95|62 95 68",
    "↑": "59 50|23 50 73", "?": "12 40 71 83 55 57|58 59", "!": "50 56|58 59", "#": "30 29|70 69|03 93|06 96",
    "(": "60 32 37 69", ")": "30 62 67 39", "[": "60 30 39 69", "/": "90 09", "\\": "00 99", "|": "50 59",
    "<": "80 15 89", ">": "10 85 19", "~": "05 23 45 63 95", "ω": "03 15 33 55 73 85 93", "△": "50 99 09 50",
    "□": "00 90 99 09 00", "★": "50 79 03 93 29 50", "%": "90 09|12 23|77 88", ":": "51 52|57 58",
    "…": "05 15|45 55|85 95",
}  # fmt: skip


def of_scribbles(count, rng, choose):
    """Lines that wander, zigzag or wind; and strokes anywhere."""
    pictures = []
    for kind in rng.integers(4, size=count):
        points = int(rng.integers(5, 22))
        if kind == 0:
            pictures.append([rng.uniform(0, 1, (points, 2))])
        elif kind == 1:
            across = np.linspace(0, 1, points)
            back_and_forth = 0.5 + rng.uniform(0.1, 0.5) * (-1.0) ** np.arange(points) + rng.normal(0, 0.05, points)
            line = np.stack([across, back_and_forth], 1)
            pictures.append([line[:, ::-1] if rng.random() < 0.5 else line])
        elif kind == 2:
            angle = np.linspace(0, rng.uniform(1.3, 5) * 2 * np.pi, 4 * points) + rng.uniform(0, 6.3)
            radius = np.linspace(rng.uniform(0, 0.6), 1, 4 * points)[:, None]
            drift = np.linspace(0, rng.uniform(0, 4), 4 * points)[:, None] * [1, 0]
            pictures.append([radius * np.stack([np.cos(angle), np.sin(angle)], 1) + drift])
        else:
            pictures.append(list(rng.uniform(0, 1, (1, 2)) + rng.normal(0, 0.3, (min(points, 9), 2, 2))))
    return written(of_strokes(pictures), rng, loose=0.5)


def specks(count, rng, choose):
    """Pictures uint8 (n, 64, 64) of one to four blots."""
    made = np.full((count, SIZE, SIZE), 255, np.uint8)
    for picture in made:
        middle, side = SIZE / 2, INK_SIZE / 2
        number = int(rng.choice([1, 1, 2, 3, 4]))
        for _ in range(number):
            at = rng.uniform(middle - 0.6 * side, middle + 0.6 * side, 2) if number > 1 else (middle, middle)
            axes = rng.uniform(0.15, 0.45 if number > 1 else 1, 2) * side
            if number == 1:
                axes *= side / axes.max()
            box = (tuple(map(float, at)), tuple(map(float, 2 * axes)), rng.uniform(0, 180))
            cv2.ellipse(picture, box, 0, -1, cv2.LINE_AA)
    return made


KINDS = {
    "characters": (0.60, of_characters),
    "pairs": (0.06, of_pairs),
    "parts": (0.12, of_parts),
    "signs": (0.12, of_signs),
    "scribbles": (0.05, of_scribbles),
    "specks": (0.05, specks),
}


def sketch(grey, count, rng, choose, kinds=tuple(KINDS)):
    """Pictures of no class, uint8 (count, 64, 64), with pens like those of uint8 (n, 64, 64) of a set, in no order.

    choose: a Choice. kinds: of KINDS.
    """
    widths = stroke_widths(grey[:300])
    shares = np.array([KINDS[kind][0] for kind in kinds])
    made = [np.empty((0, SIZE, SIZE), np.uint8)]
    for kind, number in zip(kinds, rng.multinomial(count, shares / shares.sum())):
        if number:
            drawn = KINDS[kind][1](number, rng, choose)
            if isinstance(drawn, Lines):
                pens = rng.choice(widths, number) * np.exp(rng.normal(0, 0.15, number))
                drawn = render(drawn, np.clip(pens, 1, 8))
            made.append(_softened(drawn, rng))
    return rng.permutation(np.concatenate(made))


def _softened(pictures, rng):
    """As cameras and small pictures soften edges: a net that told sharp lines from soft ones would doubt by that."""
    made = []
    for picture, sigma in zip(pictures, rng.uniform(-0.8, 1.6, len(pictures))):
        if sigma > 0.3:
            ink = cv2.GaussianBlur(255 - picture, (0, 0), sigma).astype(np.float32)
            picture = 255 - np.minimum(ink * (270 / max(int(ink.max()), 1)), 255).astype(np.uint8)  # as dark as before
        made.append(picture)
    return np.array(made)


def stroke_widths(grey):
    """How broad the strokes of pictures are, in pixels: float (n,), of uint8 (n, 64, 64)."""
    dark = np.uint8(grey < 128)
    inside = np.array([cv2.erode(picture, np.ones((3, 3), np.uint8)) for picture in dark])
    edge = (dark - inside).sum(axis=(1, 2))  # runs along a stroke twice
    return 2 * (255.0 - grey).sum(axis=(1, 2)) / 255 / np.maximum(edge, 1) - 0.5


class Choice:
    """Characters to draw, and how often each: the nearer to a numeral and the simpler, the more often.

    leave_out: characters that are classes. near: float (n, 256), pictures of the classes as `coarse` makes them.
    """

    def __init__(self, leave_out="", near=None):
        self.leave_out = set(leave_out)
        kept = set(MEASURED) | self.leave_out
        names, strokes, shapes = _all_characters()
        blocks = [range(low, high) for low, high in MEASURED_BLOCKS]
        allowed = np.array([name not in kept and not any(ord(name) in block for block in blocks) for name in names])
        self.names = [name for name, may in zip(names, allowed) if may]
        weights = 1 / (4 + strokes[allowed])
        if near is not None:
            likeness = (shapes[allowed] @ near.T).max(axis=1)
            weights *= np.exp((likeness - likeness.mean()) / likeness.std())
        self.shares = weights / weights.sum()

    def __call__(self, count, rng):
        return [self.names[i] for i in rng.choice(len(self.names), count, p=self.shares)]


@lru_cache(maxsize=1)
def _all_characters():
    """All Chinese characters that can be drawn: names, numbers of strokes (n,), and float32 (n, 256) as of `coarse`."""
    names = [name for name in characters.known() if "一" <= name <= "龥"]  # without parts such as 亻
    strokes = np.array([characters.stroke_count(name) for name in names])
    return names, strokes, _coarse_lines(of_strokes([characters.medians(name) for name in names]))


def coarse(pictures):
    """Blurred ink of uint8 (n, 64, 64) as unit vectors (n, 256), whose products are likenesses, 0-1."""
    small = [cv2.resize(cv2.blur(picture, (5, 5)), (16, 16), interpolation=cv2.INTER_AREA) for picture in pictures]
    ink = 255 - np.reshape(small, (len(small), -1)).astype(np.float32)
    return ink / np.maximum(np.linalg.norm(ink, axis=1, keepdims=True), 1e-6)


def _coarse_lines(lines, between=8):
    """Nearly the same of lines, without drawing them: how much of them lies in each of 16x16 places."""
    points, picture = lines.points, lines.picture
    first = np.flatnonzero(np.r_[True, np.diff(picture) > 0])
    low, high = np.minimum.reduceat(points, first), np.maximum.reduceat(points, first)
    scale = (INK_SIZE - 2) / SIZE * 16 / np.maximum((high - low).max(axis=1), 1e-3)
    points = (points - ((low + high) / 2)[picture]) * scale[picture, None] + 8
    begin = np.flatnonzero(np.diff(lines.stroke) == 0)
    part = (np.arange(between) + 0.5)[:, None, None] / between
    places = np.int32(np.clip(points[begin] * (1 - part) + points[begin + 1] * part, 0, 15))
    length = np.hypot(*(points[begin + 1] - points[begin]).T)
    index = (picture[begin] * 16 + places[..., 1]) * 16 + places[..., 0]
    weights = np.broadcast_to(length, index.shape)
    ink = np.bincount(index.ravel(), weights.ravel(), minlength=256 * len(lines)).reshape(-1, 16, 16)
    ink = np.array([cv2.GaussianBlur(np.minimum(picture, 2), (0, 0), 0.7) for picture in ink]).reshape(len(lines), 256)
    return np.float32(ink / np.linalg.norm(ink, axis=1, keepdims=True))
