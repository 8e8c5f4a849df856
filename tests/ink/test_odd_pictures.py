"""Pictures as people have them, and files that only claim to be pictures: read, or refused in a sentence."""

import io
import os
import socket
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from shuzi import ink
from shuzi.ink import decode


def seven(height=120, width=150, stroke=7):
    """七 in black on white, uint8 (h, w)."""
    picture = np.full((height, width), 255, np.uint8)
    for line in ([(20, 55), (130, 40)], [(70, 15), (62, 95), (80, 103), (120, 100), (124, 88)]):
        cv2.polylines(picture, [np.array(line)], False, 0, stroke, cv2.LINE_AA)
    return picture


def difference(one, other):
    """Mean absolute difference of two prepared pictures, in grey levels."""
    return np.abs(one.astype(int) - other.astype(int)).mean()


EXPECTED = ink.prepare(seven())


def check(picture, allowed=4.0):
    assert picture.shape == (64, 64, 3) and picture.dtype == np.uint8
    assert difference(picture, EXPECTED) < allowed


def encoded(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


# ---- that are read -------------------------------------------------------------------------------

GREY = Image.fromarray(seven())
FORMATS = {
    "BMP": {}, "DIB": {}, "GIF": {}, "ICO": {"sizes": [(150, 120)]}, "JPEG": {"quality": 90}, "JPEG2000": {},
    "PCX": {}, "PNG": {}, "PPM": {}, "SGI": {}, "SPIDER": {}, "TGA": {}, "TIFF": {}, "WEBP": {"quality": 90},
    "QOI": {}, "DDS": {}, "AVIF": {"quality": 90},
}  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
def test_formats(form):
    image = GREY.convert("RGBA" if form == "ICO" else "F" if form == "SPIDER" else "RGB")
    try:
        data = encoded(image, form, **FORMATS[form])
    except (KeyError, OSError) as error:
        pytest.skip(f"this Pillow doesn't write {form}: {error}")
    check(ink.read_picture(data))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16"])
def test_modes(mode):
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(GREY.convert("RGB"), *profiles, outputMode="LAB")
    elif mode == "I;16":
        image = Image.fromarray(seven().astype(np.uint16) * 16)  # 12 bits, as scanners have it
    else:
        image = GREY.convert("RGB").convert(mode) if mode in ("HSV", "YCbCr", "CMYK") else GREY.convert(mode)
    check(ink.prepare(image), allowed=12 if mode == "1" else 4)


def test_sixteen_bit_files(tmp_path):
    deep = seven().astype(np.uint16) * 200 + 3000
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.fromarray(seven().astype(np.float32) / 255).save(tmp_path / "real.tiff")
    check(ink.read_picture(tmp_path / "deep.png"))
    check(ink.read_picture(tmp_path / "real.tiff"))


def test_float_with_nan_and_infinity(tmp_path):
    picture = seven().astype(np.float32)
    picture[100:103, 3:5] = np.nan
    picture[0, 0], picture[1, 1] = np.inf, -np.inf
    image = Image.fromarray(picture)
    image.save(tmp_path / "nan.tiff")
    assert ink.read_picture(tmp_path / "nan.tiff").shape == (64, 64, 3)
    huge = np.full((9, 9), 3e38, np.float32)
    huge[3:5] = -3e38
    assert ink.prepare(huge).min() < 100


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_by_exif(orientation):
    stored = GREY if orientation == 1 else GREY.transpose(
        {2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM, 5: Image.TRANSPOSE,
         6: Image.ROTATE_90, 7: Image.TRANSVERSE, 8: Image.ROTATE_270}[orientation])  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    check(ink.read_picture(encoded(stored, "JPEG", quality=95, exif=exif)))


def test_transparent_ground_is_white():
    rgba = np.zeros((120, 150, 4), np.uint8)
    rgba[:, :, 3] = 255 - seven()  # black ink; its clear ground is black too
    check(ink.read_picture(encoded(Image.fromarray(rgba), "PNG")))
    check(ink.prepare(rgba))
    rgba[:, :, :3] = 255  # white ink on clear ground, as a pad in dark mode saves it
    check(ink.prepare(rgba))


def test_transparent_palette():
    image = GREY.point(lambda level: 255 * (level > 127)).convert("P")
    white = image.getpixel((0, 0))
    assert difference(ink.read_picture(encoded(image, "PNG", transparency=white)), EXPECTED) < 12


def test_first_frame_of_many():
    others = [Image.new("L", GREY.size, 255), Image.new("L", GREY.size, 0)]
    for form in ("GIF", "TIFF", "PNG", "WEBP"):
        check(ink.read_picture(encoded(GREY, form, save_all=True, append_images=others)))


def test_wrong_extension(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(encoded(GREY, "JPEG", quality=90))
    check(ink.read_picture(path))
    check(ink.read_picture(str(path)))
    with open(path, "rb") as file:
        check(ink.read_picture(file))


def test_icc_profile_that_is_none():
    check(ink.read_picture(encoded(GREY.convert("RGB"), "JPEG", quality=90, icc_profile=b"none" * 99)))


def test_colour_is_upright_and_small_and_says_how_large_it_was():
    stored = GREY.convert("RGB").resize((3000, 2400)).transpose(Image.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    for form in ("JPEG", "PNG", "TIFF"):
        rgb, full_size = decode.open_picture(encoded(stored, form, exif=exif))
        assert rgb.shape == (819, 1024, 3) and rgb.dtype == np.uint8 and full_size == (3000, 2400)
        check(ink.prepare(rgb))


def test_colours_stay_and_grey_is_of_three_equal_channels():
    red = np.full((60, 80, 3), 250, np.uint8)
    red[20:30, 10:70] = (200, 30, 30)
    for mode in ("RGB", "P", "RGBA", "CMYK", "HSV", "YCbCr"):
        image = Image.fromarray(red)
        rgb = decode.decoded_of(image.quantize(8) if mode == "P" else image.convert(mode)).rgb
        assert np.abs(rgb.astype(int) - red).max() < 12, mode
    for mode in ("1", "L", "LA", "I", "F"):
        rgb, full_size = decode.decoded_of(GREY.convert(mode))
        assert rgb.shape == (120, 150, 3) and full_size == (150, 120) and (rgb == rgb[:, :, :1]).all()


def test_half_clear_white_strokes_are_put_on_black():
    rgba = np.full((120, 150, 4), 255, np.uint8)
    rgba[:, :, 3] = (255 - seven()) // 3
    for picture in (ink.prepare(rgba), ink.prepare(decode.decoded_of(rgba).rgb)):
        check(picture, allowed=6)


A4_AT_600_DPI = {"PNG": {"compress_level": 1}, "TIFF": {"compression": "tiff_lzw"}, "G4": {"compression": "group4"}}


@pytest.mark.parametrize("form", A4_AT_600_DPI)
def test_scans_of_a4_at_600_dpi(form):
    image = Image.new("L", (4960, 7016), 255)
    image.paste(GREY.resize((4500, 3600)), (200, 200))
    image = image.convert("1" if form == "G4" else "RGB")
    data = encoded(image, "TIFF" if form == "G4" else form, **A4_AT_600_DPI[form])
    check(ink.read_picture(data))
    assert decode.open_picture(data).full_size == (4960, 7016)


@pytest.mark.parametrize("shape", [(3000, 4000), (4000, 3000)])
def test_twelve_megapixels(shape):
    large = cv2.resize(seven(), shape[::-1], interpolation=cv2.INTER_LINEAR)
    expected = ink.prepare(cv2.resize(large, None, fx=0.1, fy=0.1, interpolation=cv2.INTER_AREA))
    quickly = {"JPEG": {}, "PNG": {"compress_level": 1}, "WEBP": {"method": 0}, "JPEG2000": {}}
    for form, options in quickly.items():
        assert difference(ink.read_picture(encoded(Image.fromarray(large), form, **options)), expected) < 6


def test_fifty_megapixel_jpeg():
    image = GREY.resize((8192, 6144))
    check(ink.read_picture(encoded(image, "JPEG", quality=70)), allowed=20)  # another aspect


def test_stretch_keeps_the_old_behaviour():
    picture = ink.read_picture(encoded(GREY, "PNG"), fit="stretch")
    expected = cv2.resize(seven(), (64, 64), interpolation=cv2.INTER_AREA)
    assert difference(picture, np.repeat(expected[:, :, None], 3, 2)) < 1
    with pytest.raises(ValueError):
        ink.prepare(GREY, fit="other")


# ---- that hold no ink ----------------------------------------------------------------------------


def blank_photo(seed, size=900):
    """Paper in uneven light with a soft shadow and the camera's noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : size * 0.75 * 1j, -1 : 1 : size * 1j]
    light = 190 * (1 - 0.15 * x + 0.1 * y) / (1 + 0.4 / (1 + np.exp(-(x + 0.3 * y) / 0.2)))
    return np.clip(light + rng.normal(0, 4, light.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("level", [0, 7, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (28, 28), (300, 200), (900, 900)])
def test_one_colour_holds_no_ink(level, shape):
    with pytest.raises(ink.NoInkError, match="no ink"):
        ink.prepare(np.full(shape, level, np.uint8))


@pytest.mark.parametrize("seed", range(6))
def test_blank_paper_holds_no_ink(seed):
    photo = blank_photo(seed)
    with pytest.raises(ink.NoInkError):
        ink.prepare(photo)
    with pytest.raises(ink.NoInkError):
        ink.read_picture(encoded(Image.fromarray(photo), "JPEG", quality=60))
    with pytest.raises(ink.NoInkError):
        ink.prepare(photo[:100, :120])


def test_place_without_ink():
    with pytest.raises(ink.NoInkError):
        ink.place(np.zeros((50, 50), np.float32))


# ---- that are refused ----------------------------------------------------------------------------


def refused(source):
    """The reason, one line that a person can read."""
    with pytest.raises(ink.PictureError) as caught:
        ink.read_picture(source)
    reason = str(caught.value)
    assert reason and "\n" not in reason and len(reason) < 250
    return reason


def png(width, height, depth=8, colour=0, rows=b""):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def test_not_pictures(tmp_path):
    assert "not a picture" in refused(b"")
    assert "not a picture" in refused(b"hello, world\n" * 50)
    assert "not a picture" in refused(bytes(range(256)) * 40)
    assert refused(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n" + b"showpage\n" * 30)
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    assert "not a picture" in refused(text)
    assert "No such file" in refused(tmp_path / "none.png")
    assert "not a file" in refused(tmp_path)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP", "JPEG2000"])
def test_truncated(form):
    noisy = np.random.default_rng(0).integers(0, 255, (120, 150, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noisy), form)
    for part in (0.02, 0.3, 0.7):
        refused(data[: int(len(data) * part)])


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP", "TGA", "PPM", "ICO"])
def test_corrupt_anywhere(form):
    data = encoded(GREY.convert("RGB"), form)
    rng = np.random.default_rng(1)
    for _ in range(60):
        damaged = bytearray(data)
        for at in rng.integers(0, min(len(data), 200), 4):
            damaged[at] = rng.integers(256)
        try:
            picture = ink.read_picture(bytes(damaged))
        except ink.PictureError as error:
            assert "\n" not in str(error)
        else:
            assert picture.shape == (64, 64, 3)


def test_bombs_are_refused_before_they_are_decoded():
    assert "too large" in refused(png(20000, 10000))
    assert "too large" in refused(png(65500, 65500))
    assert "too large" in refused(png(9000, 9000, colour=2))
    assert "too large" in refused(b"qoif" + struct.pack(">IIBB", 4000, 4000, 3, 0) + bytes(100))
    two_hundred = bytearray(encoded(GREY.resize((1600, 1250)), "JPEG"))
    at = two_hundred.index(b"\xff\xc0") + 5
    two_hundred[at : at + 4] = struct.pack(">HH", 12500, 16000)
    assert "too large" in refused(bytes(two_hundred))


def test_extreme_shapes():
    for height, width in ((1, 20000), (20000, 1), (2, 9000), (1, 2), (3, 3)):
        line = np.full((height, width), 255, np.uint8)
        top, left = height // 3, width // 3
        line[top : top + max(1, top), left : left + max(1, left)] = 0
        try:
            picture = ink.read_picture(encoded(Image.fromarray(line), "PNG"))
        except ink.NoInkError:
            continue
        assert picture.shape == (64, 64, 3)
    refused(png(0, 10))
    for shape in ((0, 5), (5, 0), (4, 4, 2), (3,), (2, 2, 2, 2)):
        with pytest.raises(ink.PictureError):
            ink.prepare(np.zeros(shape, np.uint8))
    with pytest.raises(ink.PictureError):
        ink.prepare(np.array([["a", "b"], ["c", "d"]]))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_fifo_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "fifo.png")
    assert "not a file" in refused(tmp_path / "fifo.png")


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")
def test_socket(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.png")
        assert "not a file" in refused("s.png")


def test_loop_of_links(tmp_path):
    try:
        (tmp_path / "a.png").symlink_to(tmp_path / "b.png")
        (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
    except OSError:
        pytest.skip("no links here")
    assert "can't be opened" in refused(tmp_path / "a.png")


def test_many_text_chunks():
    data = png(150, 120, rows=b"".join(b"\0" + row.tobytes() for row in seven()))
    text = struct.pack(">I", 9) + b"tEXt" + b"key\0value" + struct.pack(">I", zlib.crc32(b"tEXtkey\0value"))
    check(ink.read_picture(data[:33] + text * 2000 + data[33:]))
    bomb = zlib.compress(bytes(100_000_000), 9)
    body = b"key\0\0" + bomb
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    try:
        check(ink.read_picture(data[:33] + chunk + data[33:]))
    except ink.PictureError as error:
        assert "\n" not in str(error)
