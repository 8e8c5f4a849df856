"""How datapro.py stands large sources: many small files in nested folders, and a zip of many gigabytes. Linux.

    python -m benchmarks.sources                        # 200,000 files, a 2 GB zip
    python -m benchmarks.sources --files 20000 --gigabytes 0.2

Measured: seconds and the most memory of the main process and of the largest worker; the first look alone; a re-run that
has nothing to do. Flat memory means: a few hundred bytes for each picture's name, and no picture.
"""

import argparse
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

from shuzi.core.command import run

PROJECT = Path(__file__).resolve().parents[1]
FILES_A_FOLDER = 100


def small_pictures(count: int) -> list[bytes]:
    """PNGs of a few hundred bytes, each of other strokes."""
    import cv2

    rng, made = np.random.default_rng(0), []
    for _ in range(count):
        picture = np.full((28, 28), 255, np.uint8)
        for _ in range(3):
            start, end = rng.integers(4, 24, (2, 2)).tolist()
            cv2.line(picture, start, end, 0, 2)
        made.append(cv2.imencode(".png", picture)[1].tobytes())
    return made


def nested_folders(root: Path, files: int) -> None:
    """student/class/a/b/picture.png"""
    pictures = small_pictures(500)
    for start in range(0, files, FILES_A_FOLDER):
        number = start // FILES_A_FOLDER
        folder = root / f"student{number // 10:05}" / str(number % 10 + 1) / "pages" / "cut"
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(start, min(start + FILES_A_FOLDER, files)):
            (folder / f"{i:07}.png").write_bytes(pictures[i % len(pictures)])


def large_zip(path: Path, size: float) -> int:
    """Class folders of pictures of 2 MB that don't pack; gives how many."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (1000, 2000), np.uint8)
    count = max(20, int(size / noise.size))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for i in range(count):
            picture = np.roll(noise, i, 1) // 16 + 235
            picture[400:600, 200:1800] = 20
            archive.writestr(
                f"set/{i % 10 + 1}/{i:05}.pgm", b"P5 2000 1000 255\n" + picture.clip(0, 255).astype(np.uint8).tobytes()
            )
    return count


def look(path):
    """Runs in a process of its own: seconds and peak MB of the first look."""
    from shuzi.dataset.sources import Options, read_source

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    _, classes, _ = read_source([path], Options(), lambda *refused: None)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return sum(map(len, classes.values())), seconds, (peak - before) / 1e3


def measure(name: str, source: Path, folder: Path):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        count, seconds, megabytes = pool.apply(look, (str(source),))
    yield f"| {name}: the look | {count:,} | {seconds:.1f} | {megabytes:.0f} more | |"
    for turn in ("first run", "re-run"):
        start = time.perf_counter()
        command = [sys.executable, str(PROJECT / "datapro.py"), str(source), "--out", str(folder / "raw")]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        peaks = {}
        while process.poll() is None:
            for pid in (process.pid, *children(process.pid)):
                peaks[pid] = max(peaks.get(pid, 0), peak_of(pid))
            time.sleep(0.2)
        seconds = time.perf_counter() - start
        workers = [peak for pid, peak in peaks.items() if pid != process.pid]
        largest = f"{max(workers) / 1e3:.0f}" if workers else ""
        yield f"| {name}: {turn} | {count:,} | {seconds:.1f} | {peaks.get(process.pid, 0) / 1e3:.0f} | {largest} |"


def children(pid):
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def peak_of(pid):
    """kB, as the system counts them."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return 0


def main(argv=None):
    parser = argparse.ArgumentParser(
        description="Large sources: time and memory of datapro.py.",
        epilog="example: python -m benchmarks.sources --files 20000 --gigabytes 0.2",
    )
    parser.add_argument("--files", type=int, default=200_000, help="in nested folders (default: %(default)s)")
    parser.add_argument("--gigabytes", type=float, default=2, help="of the zip (default: %(default)s)")
    args = parser.parse_args(argv)
    print(
        f"{os.cpu_count()} cores\n\n"
        "| source | pictures | s | MB, main | MB, largest worker |\n|---|---:|---:|---:|---:|"
    )
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        nested_folders(folder / "nested", args.files)
        for line in measure("nested folders", folder / "nested", folder / "one"):
            print(line, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        large_zip(folder / "large.zip", args.gigabytes * 1e9)
        for line in measure(f"{args.gigabytes:g} GB zip", folder / "large.zip", folder / "two"):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    run(main)
