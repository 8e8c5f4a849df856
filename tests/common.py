"""What the tests of datapro.py and test.py share: drawn pictures, sets of them, and running the scripts."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

PROJECT = Path(__file__).resolve().parents[1]

# Stands in for ink.py where a test is not about reading pictures: quick, and does what the first word says.
QUICK_INK = """
import os, signal, time
import numpy as np
class PictureError(Exception): pass
def open_picture(source):
    words = source.read().decode().split()
    if words[0] == "crash": os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    if words[0] == "slow": time.sleep(float(words[1]))
    if words[0] == "remove": os.unlink(words[1])
    if words[0] == "fail": raise TypeError("a fault\\nof two lines")
    if words[0] == "refuse": raise PictureError("as it says")
    return words
def fit_steps(fit):
    return (noise,)
def noise(words):
    seed = int.from_bytes(" ".join(words).encode()[:100], "big")
    return np.repeat(np.random.default_rng(seed).integers(0, 256, (64, 64, 1), np.uint8), 3, 2)
"""


def draw(path, seed, size=(90, 70)):
    """A picture of a few dark strokes on light paper; another for each seed."""
    rng = np.random.default_rng(seed)
    image = Image.new("L", size, 245)
    pen = ImageDraw.Draw(image)
    for _ in range(3):
        ends = rng.integers(10, min(size) - 10, 4).tolist()
        pen.line(ends, fill=20, width=int(rng.integers(3, 7)))
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def draw_set(root, classes=("1", "2", "10"), writers=4, each=2):
    """Class folders with `each` pictures of each class by each writer."""
    for c, cls in enumerate(classes):
        for writer in range(writers):
            for i in range(each):
                draw(root / cls / f"writer-{writer + 1:02d}_{i + 1}.png", (c, writer, i))


def quick_project(folder):
    """A copy of the scripts with QUICK_INK for shuzi/ink."""
    folder.mkdir(parents=True)
    for name in ("datapro.py", "test.py"):
        shutil.copy(PROJECT / name, folder)
    for room in ("core", "dataset"):
        shutil.copytree(PROJECT / "shuzi" / room, folder / "shuzi" / room, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "shuzi" / "ink").mkdir()
    (folder / "shuzi" / "ink" / "__init__.py").write_text(QUICK_INK)
    return folder


def run(script, *args, project=PROJECT, **options):
    if script == "datapro.py":
        args = (*args, "--jobs", "1")  # one worker starts sooner than two
    command = [sys.executable, str(project / script), *map(str, args)]
    options = {"capture_output": True, "text": True, "encoding": "utf-8", "timeout": 120, **options}
    return subprocess.run(command, **options)


def tree(folder):
    """{path below the folder: content} of all files in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def assert_one_line(result, code, *words):
    """The script gave up with one line that has these words."""
    assert result.returncode == code, result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    for word in words:
        assert word in result.stderr
