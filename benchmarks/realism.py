"""What drawn handwriting still lacks: each real mistake, beside the drawn pictures most like it.

Reads real handwriting (class folders or Chinese MNIST, as datapro.py takes it) with a model that was trained
on drawn handwriting. Prints a Markdown table of the classes, and draws a sheet: a row for each mistake with
the real picture, the nearest drawn pictures of its class, and the nearest of the class it was taken for.
Where the first do not look like the real one, strokes.py lacks a way of writing.
"""

import argparse
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from shuzi import ink
from shuzi.core.command import Problem, run
from shuzi.dataset.sources import Options, read_source
from shuzi.reading.reader import load_reader

CELL = ink.SIZE
LABEL = 150  # pixels; width of the text before each row


def read_set(path, classes):
    """The readable pictures of a source: ({class: uint8 (n, 64, 64)}, {class: whence each came})."""
    source, found, _ = read_source([path], Options(), lambda *refused: None)
    pictures, names = {}, {}
    for cls in classes:
        pictures[cls], names[cls] = [], []
        for name in tqdm(found.get(cls, []), desc=f"{path} {cls}", leave=False, disable=None):
            try:
                with source.open(name) as file:
                    picture = ink.read_picture(file)
            except (ink.PictureError, OSError):
                continue
            pictures[cls].append(picture[:, :, 0])
            names[cls].append(name)
    if not any(names.values()):
        raise Problem(f"{path} has no readable picture of the model's classes {', '.join(classes)}")
    return {cls: np.array(pictures[cls], np.uint8).reshape(-1, CELL, CELL) for cls in classes}, names


def features(pictures):
    """Small blurred pictures, between which the distance says how alike two look: float32 (n, 576)."""
    small = [cv2.resize(255 - picture, (24, 24), interpolation=cv2.INTER_AREA) for picture in pictures]
    return np.array([cv2.GaussianBlur(s, (0, 0), 1).ravel() for s in small], np.float32).reshape(-1, 576)


def row_of(picture, texts, neighbours):
    """One row of the sheet, uint8 (64, w). neighbours: groups of pictures, set apart."""
    label = np.full((CELL, LABEL), 255, np.uint8)
    for i, text in enumerate(texts):
        cv2.putText(label, text, (4, 16 + 18 * i), cv2.FONT_HERSHEY_SIMPLEX, 0.42, 0, 1, cv2.LINE_AA)
    parts = [label, np.minimum(picture, 225)]
    for group in neighbours:
        parts += [np.full((CELL, 12), 128, np.uint8), *group]
    return np.hstack(parts)


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], epilog="example: python -m benchmarks.realism real_handwriting"
    )
    add = parser.add_argument
    add("real", help="real handwriting: class folders, or a Chinese MNIST folder or zip")
    add("--drawn", default="hwtrainset", help="what the model was trained on (default: %(default)s)")
    add("--model", default="model.keras", help="(default: %(default)s)")
    add("--neighbours", type=int, default=3, metavar="N", help="drawn pictures each (default: %(default)s)")
    add("--out", default="realism.png", metavar="FILE.png", help="(default: %(default)s)")
    args = parser.parse_args(argv)

    reader = load_reader(args.model)
    real, names = read_set(args.real, reader.classes)
    drawn, _ = read_set(args.drawn, reader.classes)
    drawn_features = {cls: features(drawn[cls]) for cls in reader.classes}

    rows, right, total = [], 0, 0
    print("| class | real pictures | read right | mistaken for |\n|---|---|---|---|")
    for cls in reader.classes:
        if not len(real[cls]):
            continue
        chances = reader.predict(np.repeat(real[cls][..., None], 3, axis=3))
        seen = [reader.classes[label] for label in chances.argmax(1)]
        wrong = [i for i, name in enumerate(seen) if name != cls]
        mistaken = ", ".join(f"{name}: {n}" for name, n in Counter(seen[i] for i in wrong).most_common())
        print(f"| {cls} | {len(seen)} | {1 - len(wrong) / len(seen):.2%} | {mistaken} |")
        right, total = right + len(seen) - len(wrong), total + len(seen)
        for i in wrong:
            own = features(real[cls][i : i + 1])
            groups = []
            for other in (cls, seen[i]):
                distance = np.square(drawn_features[other] - own).sum(1)
                groups.append([drawn[other][k] for k in distance.argsort()[: args.neighbours]])
                groups[-1] += [np.full((CELL, CELL), 255, np.uint8)] * (args.neighbours - len(groups[-1]))
            texts = [f"{cls} read as {seen[i]}", f"{chances[i].max():.0%}", names[cls][i].writer]
            rows.append(row_of(real[cls][i], texts, groups))
    print(f"| all | {total} | {right / total:.2%} | |")
    if not rows:
        print("no mistakes, no sheet")
        return 0
    columns = 1 if len(rows) < 20 else 3
    rows += [np.full_like(rows[0], 255)] * (-len(rows) % columns)
    height = len(rows) // columns
    sheet = np.hstack([np.vstack(rows[i * height : (i + 1) * height]) for i in range(columns)])
    Path(args.out).write_bytes(cv2.imencode(".png", sheet)[1].tobytes())
    print(f"{args.out}: {total - right} mistakes beside the drawn pictures nearest to them")
    return 0


if __name__ == "__main__":
    run(main)
