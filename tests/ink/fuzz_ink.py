"""Coverage-guided fuzzing of the way from a file's bytes to the 64x64x3 array (`make fuzz`; needs atheris).

Anything but a picture or a PictureError is a finding; atheris then writes the input to a file named crash-*.

    PYTHONPATH=. python tests/ink/fuzz_ink.py -max_total_time=60
"""

import io
import sys
import tempfile
from pathlib import Path

try:
    import atheris
except ImportError:
    sys.exit("fuzz_ink.py needs atheris: pip install atheris (Linux or macOS)")


with atheris.instrument_imports(include=["shuzi.ink", "PIL"]):
    from PIL import Image

    from shuzi import ink

import numpy as np

FORMATS = [
    "BMP",
    "GIF",
    "ICO",
    "JPEG",
    "JPEG2000",
    "PCX",
    "PNG",
    "PPM",
    "SGI",
    "TGA",
    "TIFF",
    "WEBP",
    "QOI",
    "DDS",
]


def try_input(data):
    """One input: the first byte chooses between a file and an array in memory."""
    try:
        if data[:1] == b"A" and len(data) > 3:
            width = 1 + data[1] % 70
            pixels = np.frombuffer(data[2:], np.uint8)
            picture = ink.prepare(pixels[: len(pixels) // width * width].reshape(-1, width))
        else:
            picture = ink.read_picture(bytes(data))
    except ink.PictureError as error:
        assert "\n" not in str(error)
        return
    assert picture.shape == (64, 64, 3) and picture.dtype == np.uint8
    assert (picture[:6] == 255).all() and (picture[:, -6:] == 255).all()


def write_seeds(folder):
    """A small picture in each format, for the fuzzer to start from."""
    pixels = np.full((24, 30), 255, np.uint8)
    pixels[10:13, 4:26] = 0
    (folder / "array").write_bytes(b"A" + bytes([29]) + pixels.tobytes())
    for form in FORMATS:
        file = io.BytesIO()
        try:
            Image.fromarray(pixels).convert("RGB").save(file, form)
        except (KeyError, OSError):  # this Pillow does not write it
            continue
        (folder / form).write_bytes(file.getvalue())


def main():
    with tempfile.TemporaryDirectory() as folder:
        write_seeds(Path(folder))
        atheris.Setup([sys.argv[0], "-timeout=5", "-rss_limit_mb=2048", *sys.argv[1:], folder], try_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
