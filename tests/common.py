"""What the tests of datapro.py and test.py share: drawn pictures, sets of them, and running the scripts."""

import functools
import io
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image, ImageDraw

from shuzi import ink
from shuzi.core import command

PROJECT = Path(__file__).resolve().parents[1]

# Stands in for ink.py where a test is not about reading pictures: quick, and does what the first word says.
QUICK_INK = """
import os, signal, time
import numpy as np
from shuzi.core.command import Problem
class PictureError(Problem): pass
def open_picture(source, page=1):
    words = source.read().decode().split()
    if words[0] == "crash": os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    if words[0] == "slow": time.sleep(float(words[1]))
    if words[0] == "remove": os.unlink(words[1])
    if words[0] == "fail": raise TypeError("a fault\\nof two lines")
    if words[0] == "refuse": raise PictureError("as it says")
    return Words(words)
class Words(list): rgb = np.zeros((1, 1, 3), np.uint8)
def fit_picture(words, fit):
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
    """A copy of the scripts with QUICK_INK for shuzi/ink, for where it must be processes that are killed or crash."""
    folder.mkdir(parents=True)
    for name in ("datapro.py", "test.py"):
        shutil.copy(PROJECT / name, folder)
    for room in ("core", "dataset"):
        shutil.copytree(PROJECT / "shuzi" / room, folder / "shuzi" / room, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "shuzi" / "ink").mkdir()
    (folder / "shuzi" / "ink" / "__init__.py").write_text(QUICK_INK)
    return folder


def quick_ink(monkeypatch):
    """QUICK_INK for shuzi.ink, in this process."""
    names = {}
    exec(QUICK_INK, names)
    for name in ("open_picture", "fit_picture"):
        monkeypatch.setattr(ink, name, names[name])


@functools.cache
def script(name):
    """A script of the root as a module; test.py by its path, for `test` is a package of Python's own too."""
    if name != "test.py":
        return import_module(name.removesuffix(".py"))
    spec = spec_from_file_location("pack", PROJECT / name)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def call(name, *args):
    """A script called in this process, as from a shell: has returncode, stdout and stderr."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
    argv, sys.argv = sys.argv, [name]
    try:
        with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
            command.run(functools.partial(script(name).main, [str(arg) for arg in args]))
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.argv = argv
    out, err = (stream.buffer.getvalue().decode() for stream in streams)
    return SimpleNamespace(returncode=code, stdout=out, stderr=err)


def run(name, *args, project=None, **options):
    """A script as people run it: in this process, or with a project of its own or options in another one."""
    if project is None and not options:
        return call(name, *(("--jobs", "0") if name == "datapro.py" else ()), *args)
    if name == "datapro.py":
        args = (*args, "--jobs", "1")  # one worker starts sooner than two
    line = [sys.executable, str((project or PROJECT) / name), *map(str, args)]
    options = {"capture_output": True, "text": True, "encoding": "utf-8", "timeout": 120, **options}
    return subprocess.run(line, **options)


def tree(folder):
    """{path below the folder: content} of all files in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def assert_one_line(result, code, *words):
    """The script gave up with one line that has these words."""
    assert result.returncode == code, result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    for word in words:
        assert word in result.stderr
