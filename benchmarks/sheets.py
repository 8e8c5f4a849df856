"""Are ruled pages cut right? Real sheets of graph paper, as scanned, and photographed by simulation.

Reads the sheets of ../shared/data: pages of 14 rows and 11 columns of printed lines, whose cells' places are known
(cells.csv). A cell is right when it is found filled and its place is within a tenth of a cell; lines are in it
when a run along its border is left that is half as long as the border. What is filled in the eleventh column, which
should be empty, is named. Sheets 15 to 18 are kept for the end: --kept reads these alone.
"""

import argparse
import csv
import io
import zipfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.common import Report
from benchmarks.forms import CAMERAS, camera_of, photograph
from shuzi.core.command import Problem, run
from shuzi.dataset import cells, cells_grid

DATA = Path("../shared/data/graph-paper-sheets-08-18.zip")
SHAPE = 14, 11
WIDTH = 210.0  # millimetres of a sheet, A4
SHEETS, KEPT = range(8, 15), range(15, 19)


def sheets(path, numbers):
    """Yields (name, picture uint8 (h, w, 3), {(row, column): (left, top, right, bottom)})."""
    if not Path(path).exists():
        raise Problem(f"no {path}: give the zip of the sheets, or its folder, with --data")
    archive = zipfile.ZipFile(path) if Path(path).is_file() else None
    inner = {Path(name).name: name for name in archive.namelist()} if archive else {}

    def read(name):
        return archive.read(inner[name]) if archive else Path(path, name).read_bytes()

    rows = list(csv.DictReader(io.StringIO(read("cells.csv").decode("utf-8-sig"))))
    for number in numbers:
        name = f"scan{number:04d}"
        boxes = {
            (int(row["row"]), int(row["column"])): tuple(int(row[k]) for k in ("left", "top", "right", "bottom"))
            for row in rows
            if row["sheet"] == name
        }
        yield name, np.array(Image.open(io.BytesIO(read(f"{name}.jpg"))).convert("RGB")), boxes


def lines_left(picture, side):
    """Whether a straight run along the border of a cut cell is left of its lines."""
    dark = picture.min(2) < 170
    edge = int(0.16 * side)
    for ink in dark, dark.T:
        for part in ink[:edge], ink[-edge:]:
            opened = cv2.morphologyEx(
                part.astype(np.uint8), cv2.MORPH_OPEN, np.ones((1, max(int(0.5 * side), 3)), np.uint8)
            )
            if opened.any():
                return True
    return False


def measure(picture, centres, boxes):
    """Counts of one page. centres: {cell: where its middle is in the picture}."""
    counts = {"filled": len(boxes), "cut": 0, "lines": 0, "other": [], "refused": ""}
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    try:
        grid = cells_grid.find_grid(grey, SHAPE)
    except cells_grid.GridError as error:
        return counts | {"refused": str(error)}
    flat, found = cells.cut_grid(picture, grid)
    side = np.median([box[2] - box[0] for box in flat.boxes.values()])
    for cell in found:
        place = cell.row, cell.column
        if cell.state != "filled":
            continue
        if place not in boxes:
            counts["other"].append(place)
            continue
        corners = grid.nodes[cell.row - 1 : cell.row + 1, cell.column - 1 : cell.column + 1]
        apart = np.linalg.norm(np.ptp(corners.reshape(-1, 2), axis=0)) / np.sqrt(2)
        counts["cut"] += np.linalg.norm(corners.reshape(-1, 2).mean(0) - centres[place]) < 0.1 * apart
        counts["lines"] += lines_left(cell.picture, side)
    return counts


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], epilog="example: python -m benchmarks.sheets --photos 3"
    )
    parser.add_argument("--data", default=DATA, metavar="PATH", help="(default: %(default)s)")
    parser.add_argument("--kept", action="store_true", help="the sheets that were kept for the end")
    parser.add_argument(
        "--photos", type=int, default=0, metavar="N", help="simulated photos of each sheet with each camera"
    )
    args = parser.parse_args(argv)
    say = Report("Tables that people filled", __doc__.split("\n\n")[0], argv)
    say(
        "| pages | refused | filled cells | cut | with lines left | filled in empty columns |\n"
        "|---|---:|---:|---:|---:|---|"
    )
    for kind in ("scans", *(CAMERAS if args.photos else ())):
        total = {"filled": 0, "cut": 0, "lines": 0, "refused": 0}
        others, reasons = [], []
        for name, picture, boxes in sheets(args.data, KEPT if args.kept else SHEETS):
            middles = {place: tuple(np.reshape(box, (2, 2)).mean(0)) for place, box in boxes.items()}
            for number in range(1 if kind == "scans" else args.photos):
                page, centres = picture, {place: np.array(middle) for place, middle in middles.items()}
                if kind != "scans":
                    rng = np.random.default_rng([int(name[-2:]), number, len(kind)])
                    settings = list(CAMERAS[kind])
                    settings[:2] = settings[1], settings[0]  # held upright
                    settings[7:] = 0.2, 20  # paper on a desk
                    dots = picture.shape[1] / WIDTH
                    see = camera_of("a4", rng, settings, turns=(0,))
                    page = photograph(picture, "a4", rng, settings, dots, see)
                    places = see(np.array(list(middles.values())) / dots)[0]
                    centres = dict(zip(middles, places))
                counts = measure(page, centres, boxes)
                for key in ("filled", "cut", "lines"):
                    total[key] += counts[key]
                total["refused"] += bool(counts["refused"])
                if counts["refused"]:
                    reasons.append(f"{name}: {counts['refused']}")
                others += [f"{name} {row},{column}" for row, column in counts["other"]]
        pages = f"{kind}, {'15-18' if args.kept else '08-14'}"
        share = f"{total['cut']:,} ({total['cut'] / total['filled']:.2%})"
        say(
            f"| {pages} | {total['refused']} | {total['filled']:,} | {share} | {total['lines']} | {', '.join(others)} |"
        )
        for reason in reasons:
            say(f"refused: {reason}")
    say.save()
    return 0


if __name__ == "__main__":
    run(main)
