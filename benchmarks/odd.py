"""Odd and hostile pictures: every file of a folder through datapro.py, and how long each takes alone.

    python -m benchmarks.odd pillow/Tests/images      Pillow's own test pictures, from its source

How many are written and refused, the memory of all processes together, and the slowest files. The exit code
is 1 where a file is neither written nor refused. Needs psutil.
"""

import argparse
import csv
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from benchmarks.common import PROJECT, Report
from benchmarks.scale import run
from shuzi import ink


def timed(path):
    """-> seconds until the file is read or refused."""
    started = time.perf_counter()
    with suppress(ink.PictureError):
        ink.read_picture(path)
    return time.perf_counter() - started


def main(argv=None):
    parser = argparse.ArgumentParser(
        description="Odd pictures through datapro.py: written or refused, time and memory."
    )
    parser.add_argument("folder", type=Path, help="a folder of files of any kind")
    folder = parser.parse_args(argv).folder
    files = [path for path in sorted(folder.rglob("*")) if not path.is_dir()]
    with tempfile.TemporaryDirectory() as work:
        source, out = Path(work, "hand"), Path(work, "raw")
        source.mkdir()
        (source / "1").symlink_to(folder.resolve())
        seconds, memory = run(PROJECT / "datapro.py", source, "--out", out, codes=(0, 1))
        written = len(list(out.glob("*/*.png")))
        with open(out / "refused.csv", encoding="utf-8-sig", newline="") as table:
            reasons = Counter(row["reason"].partition(":")[0] for row in csv.DictReader(table))
    refused = reasons.total()
    times = sorted(((timed(path), path.name) for path in files), reverse=True)
    with Report("Odd and hostile pictures", argv=argv) as say:
        say(f"{len(files):,} files: {written:,} written, {refused:,} refused, in {seconds:.1f} s, {memory:,.0f} MB.")
        say("\n| refused | why |\n|---:|---|")
        for reason, count in reasons.most_common(8):
            say(f"| {count:,} | {reason} |")
        say("Slowest: " + ", ".join(f"{name} {each:.2f} s" for each, name in times[:5]) + ".")
    return written + refused != len(files)


if __name__ == "__main__":
    sys.exit(main())
