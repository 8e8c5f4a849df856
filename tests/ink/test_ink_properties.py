"""What holds for every picture: hypothesis looks for one for which it does not."""

import cv2
import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from shuzi import ink

# the same picture moved, padded, inverted or enlarged: the mean difference is under this, of 255 grey levels
SAME = 10.0

STARTS = [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"BM", b"II*\0", b"P5 9 9 255\n"]

quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def writings(draw):
    """Black strokes of one thickness on white with a margin, uint8 (h, w)."""
    height, width = draw(st.integers(80, 140)), draw(st.integers(80, 140))
    thick = draw(st.integers(3, 6))
    picture = np.full((height, width), 255, np.uint8)
    xs, ys = st.integers(16, width - 17), st.integers(16, height - 17)
    for _ in range(draw(st.integers(1, 4))):
        line = np.array(draw(st.lists(st.tuples(xs, ys), min_size=2, max_size=4)))
        if np.ptp(line, axis=0).max() >= 36:  # a pixel of a tiny one would be much of it
            cv2.polylines(picture, [line], False, 0, thick, cv2.LINE_AA)
    if picture.min() == 255:
        cv2.line(picture, (20, height // 2), (width - 20, height // 2 + 5), 0, thick, cv2.LINE_AA)
    return picture


def sound(picture):
    """What is promised of every prepared picture."""
    assert picture.shape == (64, 64, 3) and picture.dtype == np.uint8
    assert (picture == picture[:, :, :1]).all()
    margin = np.ones((64, 64), bool)
    margin[6:58, 6:58] = False
    assert (picture[margin] == 255).all()
    assert picture.min() < 128  # some ink, dark
    rows, columns = (np.flatnonzero((picture[:, :, 0] < 255).any(axis)) for axis in (1, 0))
    assert abs(rows[0] + rows[-1] - 63) <= 4 and abs(columns[0] + columns[-1] - 63) <= 4


def same(one, other):
    return np.abs(one.astype(int) - other.astype(int)).mean() < SAME


@quick
@given(
    st.one_of(
        arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=80)),
        arrays.arrays(np.uint8, st.tuples(*[st.integers(1, 40)] * 2, st.sampled_from([1, 3, 4]))),
        arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=40)),
        arrays.arrays(np.int32, arrays.array_shapes(min_dims=1, max_dims=4, max_side=9)),
    )
)
def test_any_array(array):
    try:
        picture = ink.prepare(array)
    except ink.PictureError as error:
        assert "\n" not in str(error)
        return
    assert picture.shape == (64, 64, 3) and picture.dtype == np.uint8
    assert (picture[:6] == 255).all() and (picture[:, -6:] == 255).all()


@quick
@given(st.binary(max_size=300), st.sampled_from(STARTS))
def test_any_bytes(data, start):
    try:
        assert ink.read_picture(start + data).shape == (64, 64, 3)
    except ink.PictureError as error:
        assert "\n" not in str(error)


@quick
@given(writings())
def test_sound(picture):
    sound(ink.prepare(picture))
    found = ink.find_ink(picture).ink
    assert found.ndim == 2 and found.dtype == np.float32
    assert found.min() >= 0 and found.max() <= 1


@quick
@given(writings(), st.integers(-10, 10), st.integers(-10, 10))
def test_shifted(picture, down, right):
    moved = np.roll(picture, (down, right), (0, 1))  # the margin is wide enough
    assert same(ink.prepare(picture), ink.prepare(moved))


@quick
@given(writings(), st.tuples(*[st.integers(0, 60)] * 4))
def test_padded(picture, pad):
    padded = np.pad(picture, (pad[:2], pad[2:]), constant_values=255)
    assert same(ink.prepare(picture), ink.prepare(padded))


@quick
@given(writings())
def test_inverted(picture):
    assert same(ink.prepare(picture), ink.prepare(255 - picture))


@quick
@given(writings(), st.integers(2, 6))
def test_enlarged(picture, factor):
    larger = np.kron(picture, np.ones((factor, factor), np.uint8))
    assert same(ink.prepare(picture), ink.prepare(larger))


@quick
@given(writings(), st.integers(60, 230), st.floats(0.35, 1))
def test_on_grey_paper_with_paler_ink(picture, paper, dark):
    assume(paper * dark >= 30)  # grey levels between paper and ink
    grey = (paper * (1 - dark * (1 - picture / 255))).astype(np.uint8)
    assert same(ink.prepare(picture), ink.prepare(grey))


@quick
@given(writings(), st.sampled_from(["L", "RGB", "RGBA", "CMYK", "P"]))
def test_any_way_in(picture, mode):
    image = Image.fromarray(picture)
    assert same(ink.prepare(picture), ink.prepare(image.convert(mode)))
    assert (ink.prepare(picture) == ink.prepare(np.repeat(picture[:, :, None], 3, 2))).all()
