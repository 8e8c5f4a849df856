"""Large sets and speed: datapro.py and test.py on generated pictures, beside the program of 2020.

    python -m benchmarks.scale               2,000 and 20,000 pictures
    python -m benchmarks.scale 200000        also that many (1 GB of disk, some minutes)

Four tables:

- cost per picture and memory of all processes together, by the size of the set: both should stay flat;
- pictures per second beside the old loop (Pillow opens, converts, resizes and saves; one thread), on the same
  pictures in the same run, for scans of 150-300 pixels and for photos of 12 megapixels: the median of five turns;
- data.h5 beside the old layout (float32, not compressed): size, and time to load;
- training from memory, and from a data.h5 that is read in batches as one is that does not fit: the best of three.

Needs psutil. The pictures are drawn once and copied under other names, with their bytes made different.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import h5py
import numpy as np
import psutil
from PIL import Image, ImageDraw

from benchmarks.common import PROJECT, Report
from shuzi.dataset.h5 import open_data

CLASSES = [str(i) for i in range(1, 11)]
WRITERS = 100
DRAWN = 500  # different drawings in a set


def draw(rng, size):
    """A picture of a few strokes on paper that is not quite even."""
    width, height = size
    image = Image.new("L", size, int(rng.integers(200, 250)))
    pen = ImageDraw.Draw(image)
    low, high = int(0.1 * min(size)), int(0.9 * min(size))
    for _ in range(int(rng.integers(2, 6))):
        ends = rng.integers(low, high, 4).tolist()
        pen.line(ends, fill=int(rng.integers(0, 90)), width=max(2, min(size) // int(rng.integers(12, 30))))
    noise = rng.normal(0, 4, (height // 8 + 1, width // 8 + 1)).repeat(8, 0).repeat(8, 1)[:height, :width]
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


def make_set(folder, count, size=None, drawn=DRAWN):
    """`count` JPEGs in class folders; size: (width, height), or None for scans of 150 to 300 pixels."""
    rng = np.random.default_rng(0)
    jpegs = []
    folder.mkdir(parents=True)
    for _ in range(min(count, drawn)):
        path = folder.parent / "drawing.jpg"
        shape = size or tuple(rng.integers(150, 301, 2).tolist())
        draw(rng, shape).convert("RGB").save(path, quality=88)
        jpegs.append(path.read_bytes())
    for cls in CLASSES:
        (folder / cls).mkdir()
    for i in range(count):
        # bytes behind the end of a JPEG make another file of it, and not another picture
        jpeg = jpegs[i % len(jpegs)] + b"%d" % i
        (folder / CLASSES[i % 10] / f"writer-{i // 10 % WRITERS:03d}_{i}.jpg").write_bytes(jpeg)
    return folder


def run(*command, codes=(0,)):
    """-> seconds, and the peak memory of all its processes together in MB (sum of their resident sizes)."""
    started = time.perf_counter()
    process = psutil.Popen([sys.executable, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    peak = 0
    while process.poll() is None:
        memory = 0
        try:
            for each in [process, *process.children(recursive=True)]:
                memory += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
        peak = max(peak, memory)
        time.sleep(0.05)
    if process.returncode not in codes:
        sys.exit(process.stdout.read().decode())
    return time.perf_counter() - started, peak / 1e6


def seconds(*command):
    """The same without the memory, which takes time to watch."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *map(str, command)], capture_output=True, check=True)
    return time.perf_counter() - started


def old_datapro(source, out):
    """What the program of 2020 did, in the same words: one thread, a plain resize. -> seconds"""
    started = time.perf_counter()
    for cls in sorted(os.listdir(source)):
        os.makedirs(out / cls)
        for number, name in enumerate(os.listdir(source / cls), 1):
            image = Image.open(source / cls / name).convert("RGB").resize((64, 64))
            image.save(out / cls / f"{cls}{number}.jpg")
    return time.perf_counter() - started


TRAIN = """
from benchmarks import nets
from shuzi.net import devices
with devices.quiet_stderr():
    from shuzi.net import batches
if {from_disk}:
    load = batches.load
    batches.load = lambda pictures: pictures if pictures.name == "/X_train" else load(pictures)
print(nets.run_ours({data!r}, 0, 1, {model!r})["pictures_per_second"])
"""


def training(folder, count):
    """Pictures per second that the notebook trains on, from memory and from disk."""
    folder = folder / "training"
    source, raw, data = make_set(folder / "hand", count), folder / "raw", folder / "data.h5"
    run(PROJECT / "datapro.py", source, "--out", raw)
    run(PROJECT / "test.py", "--raw", raw, "--out", data)
    lines = [f"| an epoch of {count:,} pictures | pictures/s |", "|---|---:|"]
    speeds = {False: [], True: []}
    for from_disk in [False, True] * 3:  # by turns, and the best of each, as above
        code = TRAIN.format(
            from_disk=from_disk,
            data=str(data),
            model=str(folder / "model.keras"),
        )
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        if ran.returncode:
            sys.exit(ran.stderr)
        speeds[from_disk].append(float(ran.stdout.split()[-1]))
    memory, disk = map(max, speeds.values())
    lines += [
        f"| from memory | {memory:,.0f} |",
        f"| from disk, in batches | {disk:,.0f} |",
        f"| from disk, of the speed from memory | {disk / memory:.0%} |",
    ]
    print(*lines[-3:], sep="\n", flush=True)
    return lines


def scale(folder, counts):
    lines = [
        "| pictures | datapro.py | memory | run again, of that | test.py | memory | pictures/s packed |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for count in counts:
        work = folder / f"scale-{count}"
        source, raw, data = make_set(work / "hand", count), work / "raw", work / "data.h5"
        first, first_mb = run(PROJECT / "datapro.py", source, "--out", raw)
        again = seconds(PROJECT / "datapro.py", source, "--out", raw)
        pack, pack_mb = run(PROJECT / "test.py", "--raw", raw, "--out", data)
        lines.append(
            f"| {count:,} | {first / count * 1e6:,.0f} µs each | {first_mb:,.0f} MB | {again / first:.1%} "
            f"| {pack / count * 1e6:,.0f} µs each | {pack_mb:,.0f} MB | {count / pack:,.0f} |"
        )
        print(lines[-1], flush=True)
    return lines


def speed(folder, small, large):
    lines = ["| pictures | datapro.py | old loop | ratio | turn by turn |", "|---|---:|---:|---:|---|"]
    for what, count, size in (("150-300 px", small, None), ("12 megapixels", large, (4000, 3000))):
        work = folder / f"speed-{count}"
        source = make_set(work / "hand", count, size, drawn=DRAWN if size is None else 6)
        for path in source.rglob("*.jpg"):
            path.read_bytes()  # both find it in memory
        times = []
        for turn in range(5):  # by turns: other work on the machine slows both down
            old = old_datapro(source, work / f"old-{turn}")
            times.append((old, seconds(PROJECT / "datapro.py", source, "--out", work / f"raw-{turn}")))
        old, new = map(median, zip(*times))
        by_turns = ", ".join(f"{old / new:.2f}" for old, new in times)
        lines.append(f"| {what} | {count / new:,.1f}/s | {count / old:,.1f}/s | {old / new:.2f} | {by_turns} |")
        print(lines[-1], flush=True)
    return lines


def best(work, before=lambda: None, times=7):
    """Milliseconds of the quickest of some tries."""
    seconds = []
    for _ in range(times):
        before()
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds) * 1000


def layout(folder):
    """data.h5 of the default set beside the same pictures in the old layout."""
    raw, new, old = folder / "raw", folder / "data.h5", folder / "old.h5"
    subprocess.run([sys.executable, PROJECT / "datapro.py", PROJECT / "hwtrainset", "--out", raw], capture_output=True)
    run(PROJECT / "test.py", "--raw", raw, "--out", new)
    with h5py.File(new) as data, h5py.File(old, "w") as copy:
        for name in ("X_train", "X_test"):
            copy[name] = data[name][:].astype(np.float32)
        for name in ("y_train", "y_test"):
            copy[name] = data[name][:].astype(np.int32)
        count = len(data["X_train"]) + len(data["X_test"])

    def load_old(path=old):
        with h5py.File(path) as data:
            return np.array(data["X_train"][:])

    def load_new():
        with open_data(new) as data:
            return data["X_train"][:]

    def prepare_old():  # the old notebook divides before it trains; the model of the new one takes the bytes
        return load_old() / 255.0

    def forget():
        """Drop the file from the system's memory, so that it is read from the disk."""
        for path in (new, old):
            with open(path, "rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    rows = [
        ("size", old.stat().st_size / 1e6, new.stat().st_size / 1e6, "MB"),
        ("X_train read", best(load_old), best(load_new), "ms"),
        ("X_train read by the old cell", best(load_old), best(lambda: load_old(new)), "ms"),
        ("X_train ready to train on", best(prepare_old), best(load_new), "ms"),
    ]
    if hasattr(os, "posix_fadvise"):
        rows.append(("the same, not in memory before", best(prepare_old, forget), best(load_new, forget), "ms"))
    lines = [
        f"| {count:,} pictures of the default set | old layout | data.h5 | ratio |",
        "|---|---:|---:|---:|",
    ]
    for what, was, now, unit in rows:
        lines.append(f"| {what} | {was:,.1f} {unit} | {now:,.1f} {unit} | {was / now:.1f} |")
        print(lines[-1], flush=True)
    return lines


def main(argv=None):
    parser = argparse.ArgumentParser(
        description="Cost per picture, memory and speed of datapro.py and test.py.",
        epilog="example: python -m benchmarks.scale 200000",
    )
    parser.add_argument("more", nargs="*", type=int, help="numbers of pictures besides 2,000 and 20,000")
    parser.add_argument("--counts", nargs="*", type=int, default=[2000, 20_000], help="instead of 2000 20000")
    parser.add_argument("--folder", help="where the pictures go for a while (default: the system's temporary folder)")
    parser.add_argument(
        "--speed", nargs=2, type=int, default=[6000, 60], help="pictures of 150-300 pixels, of 12 megapixels"
    )
    parser.add_argument("--training", type=int, default=20_000, help="pictures to train on (default: 20000)")
    args = parser.parse_args(argv)
    # Nothing is removed before the end: for minutes after, ext4 without a journal makes new files more slowly.
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        folder = Path(folder)
        tables = [
            speed(folder, *args.speed),
            layout(folder),
            scale(folder, [*args.counts, *args.more]),
            training(folder, args.training),
        ]
    report = Report("Large sets and speed", __doc__.split("\n\n")[2], argv)
    report.lines = "\n\n".join("\n".join(table) for table in tables).split("\n")
    print("\n".join(report.lines))
    print(f"{report.save()}: {len(tables)} tables")


if __name__ == "__main__":
    main()
