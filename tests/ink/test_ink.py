"""The ink is found, all of it and nothing else, in scans, bitmaps and photos."""

import cv2
import numpy as np
import pytest

from shuzi import ink
from shuzi.drawing import crops, photos
from shuzi.drawing import handwriting as synthesize


def draw(lines, height=64, width=64, level=0, thick=2, ground=255):
    """Strokes of one grey level, uint8 (h, w)."""
    picture = np.full((height, width), ground, np.uint8)
    for line in lines:
        cv2.polylines(picture, [np.array(line)], False, level, thick, cv2.LINE_AA)
    return picture


def darkness(prepared):
    """float (64, 64), 0 paper to 1 ink."""
    return 1 - prepared[:, :, 0] / 255


def box(prepared):
    """Rows and columns of the ink: first, last, first, last."""
    rows, columns = (np.flatnonzero((darkness(prepared) > 0.3).any(axis)) for axis in (1, 0))
    return rows[0], rows[-1], columns[0], columns[-1]


def like(one, other, allowed=8):
    """Nearly the same strokes: small shifts count little, a stroke less counts."""
    one, other = (cv2.GaussianBlur(picture, (0, 0), 2).astype(int) for picture in (one, other))
    return np.abs(one - other).mean() < allowed


QIAN = [[(20, 30), (46, 30)], [(33, 20), (33, 52)]]
TEN = [[(16, 33), (48, 30)], [(33, 14), (33, 52)]]
TWO = [[(22, 22), (42, 22)], [(14, 42), (50, 42)]]
THREE = [[(20, 16), (44, 14)], [(22, 31), (42, 30)], [(10, 50), (54, 47)]]


# ---- scans of a pen, thin and faint --------------------------------------------------------------


@pytest.mark.parametrize("light", [False, True])
def test_faint_top_stroke_stays(light):
    picture = draw(QIAN, thick=1)
    top = draw([[(27, 18), (40, 14)]], level=170, thick=1)  # a third as deep as the rest
    picture = np.minimum(picture, top)
    first, last, _, _ = box(ink.prepare(255 - picture if light else picture))
    assert first <= 7 and last >= 56
    assert darkness(ink.prepare(picture))[:12].sum() > 3


def test_upper_stroke_a_fifth_as_deep_stays_in_a_small_picture():
    deep = ink.prepare(draw(TWO))
    faint = ink.prepare(np.minimum(draw(TWO[1:]), draw(TWO[:1], level=205)))
    assert box(deep)[2:] == box(faint)[2:]
    where = darkness(deep)[:32] > 0.9
    assert where.any() and (darkness(faint)[:32][where] > 0.15).all()


def test_dot_apart_stays():
    six = draw([[(10, 30), (54, 28)], [(24, 38), (14, 52)], [(40, 38), (50, 52)]])
    dot = draw([[(31, 16), (33, 20)]])
    with_dot = ink.prepare(np.minimum(six, dot))
    assert darkness(with_dot)[:16, 26:38].sum() > 3


def test_specks_do_not_move_the_crop():
    clean = draw(TEN)
    specks = clean.copy()
    specks[3, 4] = specks[60, 61] = specks[58, 2:4] = 60
    assert np.abs(ink.prepare(clean).astype(int) - ink.prepare(specks)).mean() < 1


def test_rest_of_a_neighbour_at_the_border_is_dropped():
    clean = draw(TEN, 96, 96)
    cut = clean.copy()
    cut[30:44, -2:] = 90
    assert like(ink.prepare(clean), ink.prepare(cut), 3)


def test_jpeg_noise_on_black():
    picture = 255 - draw(TEN, thick=1)
    rng = np.random.default_rng(0)
    noisy = np.where(picture > 0, picture, rng.integers(0, 9, picture.shape)).astype(np.uint8)
    assert like(ink.prepare(noisy), ink.prepare(picture), 2)


def test_a_soft_edge_that_darkens_moves_the_character_little_by_little():
    prepared = []
    for level in range(254, 0, -4):
        picture = draw([[(20, 20), (20, 44)], [(20, 32), (40, 32)]], thick=3)
        picture[20:45, 18] = level  # left of the stroke that begins at 19
        prepared.append(ink.prepare(picture).astype(int))
    steps = [np.abs(one - other).mean() for one, other in zip(prepared, prepared[1:])]
    assert max(steps) < 2.5
    assert np.abs(prepared[0] - prepared[-1]).mean() > 4  # in all it does move


# ---- tight crops and bitmaps ---------------------------------------------------------------------


@pytest.mark.parametrize("light", [False, True])
def test_bitmap_of_one_bit(light):
    picture = draw([[(4, 13), (23, 13)], [(13, 4), (13, 24)]], 28, 28, thick=4)
    picture = np.where(picture > 127, 255, 0).astype(np.uint8)
    prepared = ink.prepare(255 - picture if light else picture)
    assert darkness(prepared)[30:34, 30:34].min() > 0.9 and darkness(prepared)[10:20, 10:20].max() < 0.1


def test_broad_strokes_that_end_at_a_corner_are_no_shadow():
    nine = draw([[(0, 9), (19, 8), (18, 22), (27, 25), (27, 18)], [(13, 0), (13, 10), (3, 24)]], 28, 28, thick=5)
    nine = np.where(nine > 127, 255, 0).astype(np.uint8)
    prepared = darkness(ink.prepare(nine))
    assert 0.4 < (prepared > 0.5)[6:58, 6:58].mean() < 0.7


def test_ink_at_all_borders():
    frame = [(2, 2), (2, 60), (60, 60), (60, 2), (2, 2)]
    four = draw([frame, [(22, 4), (18, 36)], [(40, 4), (40, 34), (56, 34)]], thick=4)
    prepared = darkness(ink.prepare(four[1:62, 1:62]))
    for side in (prepared[7, 8:56], prepared[56, 8:56], prepared[8:56, 7], prepared[8:56, 56]):
        assert side.mean() > 0.7


@pytest.mark.parametrize("light", [False, True])
@pytest.mark.parametrize(("side", "least"), [(28, 32), (40, 44), (100, 44), (400, 44)])
def test_close_crops(side, least, light):
    """Strokes run along the border and are cut by it; they are no lines of a table, and ink is not taken for paper."""
    right = 0
    for number in range(16):
        for name in ("4", "5", "7"):
            strokes = crops.draw(name, number, side, 0)
            crop, page = (crops.take(ink_of, False, None) for ink_of in (strokes, np.pad(strokes, side)))
            right += like(prepared_or_white(255 - crop if light else crop), ink.prepare(page), 30)
    assert right >= least  # of 48


def prepared_or_white(picture):
    try:
        return ink.prepare(picture)
    except ink.NoInkError:
        return np.full((64, 64, 3), 255, np.uint8)


def test_half_in_the_shade_is_not_light_on_dark():
    """Small photos in which Otsu's threshold parts the lit half from the one in the shade, not ink from paper."""
    seven = draw([[(20, 45), (75, 38)], [(45, 15), (45, 75), (75, 75)]], 100, 100, thick=4)
    right = 0
    for depth in (0.45, 0.6):
        light = 235 * (1 - depth / (1 + np.exp(-(np.arange(100)[:, None] - 60) / 2)))
        photo = light * (0.25 + 0.75 * seven / 255) + np.random.default_rng(3).normal(0, 2, seven.shape)
        for turned in range(4):
            prepared = prepared_or_white(np.rot90(np.clip(photo, 0, 255).astype(np.uint8), turned))
            right += like(prepared, ink.prepare(np.rot90(seven, turned)), 10)
    assert right >= 6  # of 8


@pytest.mark.parametrize("turned", range(4))
def test_shade_at_the_border_of_a_small_picture_is_no_stroke(turned):
    shade = 225 - 130 * np.linspace(0, 1, 110)[:, None] ** 2
    seven = draw([[(20, 45), (75, 38)], [(45, 15), (45, 75), (75, 75)]], 110, 90, thick=4)
    noise = np.random.default_rng(8).normal(0, 4, seven.shape)
    photo = np.clip(shade * (0.45 + 0.55 * seven / 255) + noise, 0, 255).astype(np.uint8)
    assert like(ink.prepare(np.rot90(photo, turned)), ink.prepare(np.rot90(seven, turned)), 10)


def test_fine_lines_of_a_large_picture_keep_their_depth():
    writer = synthesize.make_writer(5, 3)._replace(pen="gel pen")
    strokes = synthesize.draw("5", writer, np.random.default_rng(0))
    fine, usual = (synthesize.render(strokes, "gel pen", width, 900, None) for width in (0.008, 0.04))
    pictures = (np.pad(np.uint8(250 - 220 * one), 500, constant_values=250) for one in (fine, usual))
    fine, usual = (darkness(ink.prepare(picture)) for picture in pictures)
    assert fine.max() > 0.95 and fine.sum() > 0.3 * usual.sum()


def test_long_side_fills_and_aspect_stays():
    for height, width in ((200, 50), (50, 200), (90, 90)):
        picture = np.full((height + 40, width + 40), 255, np.uint8)
        cv2.rectangle(picture, (20, 20), (19 + width, 19 + height), 0, 4)
        first, last, left, right = box(ink.prepare(picture))
        assert abs(max(last - first, right - left) + 1 - ink.INK_SIZE) <= 1
        assert abs((last - first + 1) / (right - left + 1) - height / width) < 0.12 * height / width


# ---- photos --------------------------------------------------------------------------------------


def on_paper(writing, paper):
    """Black writing laid over a picture of paper of the same shape."""
    return (paper.astype(float) * (0.15 + 0.85 * writing / 255)).astype(np.uint8)


LARGE_TEN = [[(x * 8 + 150, y * 8 + 60) for x, y in line] for line in TEN]


def ruled(height=600, width=800, step=70, squared=False, tilt=0.0, level=190):
    paper = np.full((height, width), 240, np.uint8)
    for y in range(-width, height + width, step):
        cv2.line(paper, (0, y), (width, int(y + tilt * width)), level, 2, cv2.LINE_AA)
        if squared:
            cv2.line(paper, (y, 0), (int(y - tilt * height), height), level, 2, cv2.LINE_AA)
    return paper


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("tilt", [0.0, 0.06, -0.15])
def test_lines_of_the_paper_are_not_strokes(squared, tilt):
    writing = draw(LARGE_TEN, 600, 800, thick=14)
    assert like(ink.prepare(on_paper(writing, ruled(squared=squared, tilt=tilt))), ink.prepare(writing))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_level_strokes_on_ruled_paper_stay(count):
    lines = [[(250, 200 + 80 * i), (520, 195 + 80 * i)] for i in range(count)]
    writing = draw(lines, 600, 800, thick=9)
    assert like(ink.prepare(on_paper(writing, ruled())), ink.prepare(writing))


@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize("side", [-1, 1])
def test_shadow_across_the_writing(hard, side):
    writing = draw(LARGE_TEN, 600, 800, thick=14)
    y, x = np.mgrid[0:600, 0:800]
    shade = 1 - 0.45 / (1 + np.exp(-side * np.clip((x + 0.4 * y - 520) / (3 if hard else 60), -30, 30)))
    noise = np.random.default_rng(3).normal(0, 2, shade.shape)
    photo = np.clip(on_paper(writing, 225 * shade) + noise, 0, 255).astype(np.uint8)
    assert like(ink.prepare(photo), ink.prepare(writing))


def test_table_around_the_paper():
    writing = draw(LARGE_TEN, 600, 800, thick=14)
    paper = np.full((600, 800), 60, np.uint8)
    cv2.fillPoly(paper, [np.array([(30, 25), (760, 40), (780, 570), (20, 585)])], 220)
    assert like(ink.prepare(on_paper(writing, paper)), ink.prepare(writing))


def pencil(writing, paper, rng):
    """Faint writing on a picture of paper, with the noise of a camera."""
    photo = paper.astype(float) * (0.7 + 0.3 * writing / 255) + rng.normal(0, 1.5, paper.shape)
    return np.clip(cv2.GaussianBlur(photo, (0, 0), 1), 0, 255).astype(np.uint8)


def test_one_line_through_a_photo_is_ruling():
    rng = np.random.default_rng(5)
    eight = draw([[(340, 150), (330, 330), (230, 480)], [(430, 150), (450, 330), (560, 500)]], 600, 800, thick=12)
    x = np.arange(800)
    paper = np.repeat((200 - 90 / (1 + np.exp((400 - x) / 60)))[None], 600, axis=0)
    line = draw([[(0, 150), (799, 158)]], 600, 800, thick=4)
    assert like(ink.prepare(pencil(np.minimum(eight, line), paper, rng)), ink.prepare(eight))


def test_small_writing_in_a_large_frame():
    small = [[(x * 2 + 900, y * 2 + 1300) for x, y in line] for line in TEN]
    writing = draw(small, 1800, 2400, thick=5)
    noise = np.random.default_rng(4).normal(0, 3, writing.shape)
    photo = np.clip(on_paper(writing, np.full_like(writing, 220)) + noise, 0, 255).astype(np.uint8)
    assert like(ink.prepare(photo), ink.prepare(writing))


def test_simulated_photos_look_like_the_scans():
    alike = 0
    for seed in range(30):
        photo, scan, _ = photos.photograph(str(1 + seed % 10), seed, frames={900: 1.0})
        try:
            alike += like(ink.read_picture(photo), ink.prepare(scan), 22)
        except ink.NoInkError:
            pass
    assert alike >= 27


def test_faint_strokes_beside_shadows_and_tables():
    """The rim of a bent shadow and the corner where it meets a table are no ink."""
    right = 0
    for seed in (311, 701, 871, 1044, 1104, 1216):
        photo, scan, _ = photos.photograph(str(1 + seed % 10), seed)
        try:
            right += like(ink.read_picture(photo), ink.prepare(scan), 22)
        except ink.NoInkError:
            pass
    assert right >= 4  # of 6


def test_empty_pages_hold_no_ink():
    empty = 0
    for seed in range(40):
        try:
            ink.read_picture(photos.photograph(None, seed, frames={900: 1.0})[0])
        except ink.NoInkError:
            empty += 1
    assert empty >= 37


def test_find_ink_shows_where_each_character_is():
    """What reading several characters in one picture builds on."""
    left, right = ([[(x * 3 + shift, y * 3 + 40) for x, y in line] for line in TEN] for shift in (20, 320))
    found = ink.find_ink(draw(left + right, 300, 560, thick=8))
    rows, columns = np.nonzero(found.ink > 0.5)
    columns = found.left + columns * found.step
    assert ((columns < 180) | (columns > 340)).all() and (columns < 180).any() and (columns > 340).any()
    one = found.ink[:, : round((250 - found.left) / found.step)]
    assert like(ink.place(one), ink.prepare(draw(left, 300, 250, thick=8)), 4)


def test_drawn_set_is_all_read():
    for name in map(str, range(1, 11)):
        for number in range(6):
            rng = np.random.default_rng(number)
            picture, suffix = synthesize.picture(name, synthesize.make_writer(5, number), rng)
            assert darkness(ink.read_picture(synthesize.encode(picture, suffix, rng))).max() > 0.9
