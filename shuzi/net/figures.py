"""What the notebook draws: rows of pictures, a confusion matrix, and a picture beside what is read from it."""

import warnings
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np

from shuzi.core import numerals
from shuzi.core.fonts import find_cjk_font


def labels_to_show(classes: Sequence[str]) -> list[str]:
    """The characters of classes, 七 for 7, where a font has them; else the classes' names."""
    font = find_cjk_font()
    if not font:
        warnings.filterwarnings("ignore", "Glyph .* missing")  # of classes with Chinese names
        return list(classes)
    plt.rcParams["font.family"] = [font, *plt.rcParams["font.family"]]
    return [numerals.character(name) for name in classes]


def show(pictures, titles: Sequence[str] = (), columns: int = 12, size: float = 0.8) -> None:
    """Draw pictures (n, 64, 64, 3) of 0-255, or ink (n, 64, 64, 1) of 0-1, in rows; size: of each, in inches."""
    pictures = np.asarray(pictures, "float32")
    rows = -(-len(pictures) // columns)
    height = rows * size * (1.3 if len(titles) else 1)
    figure, axes = plt.subplots(rows, columns, figsize=(columns * size, height), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for i, (axis, picture) in enumerate(zip(axes.flat, pictures)):
        is_ink = picture.shape[-1] == 1
        axis.imshow(picture[..., 0], cmap="gray_r" if is_ink else "gray", vmin=0, vmax=1 if is_ink else 255)
        if len(titles):
            axis.set_title(titles[i], fontsize=8)
    figure.tight_layout(pad=0.3)
    plt.show()


def show_some_of_each(pictures, labels, classes: int, count: int = 12) -> None:
    """Draw the first pictures of each class, a row a class. pictures: (n, 64, 64, 3); labels: int (n, 1)."""
    rows = np.full((classes, count, 64, 64, 3), 255, "uint8")
    for label in range(classes):
        for i, k in enumerate(np.flatnonzero(np.ravel(labels) == label)[:count]):
            rows[label, i] = pictures[k]
    show(rows.reshape(-1, 64, 64, 3), columns=count)


def show_confusion(true, predicted, labels: Sequence[str]) -> None:
    """Draw how often each class, down, was read as each, across. true, predicted: int (n,)."""
    confusion = np.zeros((len(labels), len(labels)), int)
    np.add.at(confusion, (true, predicted), 1)
    figure, axis = plt.subplots(figsize=(6, 6))
    axis.imshow(np.log1p(confusion), cmap="Blues")
    for i, j in np.argwhere(confusion):
        axis.text(j, i, confusion[i, j], ha="center", va="center", fontsize=8, color="white" if i == j else "black")
    axis.set(xticks=range(len(labels)), yticks=range(len(labels)), xlabel="read as", ylabel="written")
    axis.set_xticklabels(labels, rotation=0 if max(map(len, labels)) == 1 else 90)
    axis.set_yticklabels(labels)
    plt.show()


def show_reading(pictures: dict, labels: Sequence[str], probabilities, sure: bool = True) -> None:
    """Draw pictures under their titles, and the probability of each class, float (classes,), beside them."""
    best = int(np.argmax(probabilities))
    widths = [*(1 for _ in pictures), 2]
    figure, axes = plt.subplots(1, len(widths), figsize=(2.25 * sum(widths), 2.2), width_ratios=widths)
    for axis, (title, picture) in zip(axes, pictures.items()):
        axis.imshow(picture, cmap="gray")
        axis.set_title(title, fontsize=9)
        axis.axis("off")
    colours = ["tab:blue" if i == best else "lightgray" for i in range(len(labels))]
    axes[-1].bar(labels, probabilities, color=colours)
    axes[-1].set_ylim(0, 1)
    axes[-1].tick_params(axis="x", labelrotation=0 if max(map(len, labels)) == 1 else 90)
    doubt = "" if sure else ", unsure"
    axes[-1].set_title(f"read as {labels[best]} ({probabilities[best]:.1%}{doubt})", fontsize=9)
    plt.show()
