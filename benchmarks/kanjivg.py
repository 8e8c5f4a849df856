"""Strokes of another source than the project's: KanjiVG, for measuring only. None of it is part of the project.

KanjiVG (Ulrich Apel, CC BY-SA 3.0) has the strokes of 6,700 characters as they are written in Japan. To get it:

    pip download --no-deps kanjivg
"""

import re
import zipfile
from pathlib import Path

import numpy as np

from shuzi.core.command import Problem

SIDE = 109  # of KanjiVG's box
POINTS = 6  # of each curve


class KanjiVG:
    """The characters of a wheel of the PyPI package kanjivg. Raises Problem, OSError."""

    def __init__(self, path):
        try:
            self.archive = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise Problem(f"{path} is no wheel; get it: pip download --no-deps kanjivg") from error
        files = {name: Path(name) for name in self.archive.namelist()}
        self.files = {
            chr(int(path.stem, 16)): name for name, path in files.items() if re.fullmatch("[0-9a-f]{5}", path.stem)
        }
        if not self.files:
            raise Problem(f"{path} holds no characters of KanjiVG; get it: pip download --no-deps kanjivg")

    def strokes(self, character):
        """The strokes of a character: a list of float (n, 2), 0..1, y downwards. Raises KeyError."""
        text = self.archive.read(self.files[character]).decode("utf-8")
        return [_points(path) / SIDE for path in re.findall(r'<path [^>]*\bd="([^"]+)"', text)]


def _points(path):
    """The points of an SVG path of M, C, S and L, absolute or relative."""
    points = [np.zeros(2)]
    control = None  # the last of a curve, whose mirror image S starts with
    for command, numbers in re.findall(r"([MmCcSsLl])([^A-Za-z]*)", path):
        values = np.array(re.findall(r"-?\d*\.?\d+", numbers), float).reshape(-1, 2)
        each = {"M": 1, "L": 1, "C": 3, "S": 2}[command.upper()]
        for group in values.reshape(-1, each, 2):
            here = points[-1]
            group = group + here if command.islower() else group
            if command.upper() == "M":
                points = [group[0]]
                continue
            if command.upper() == "L":
                points.append(group[0])
                continue
            if command.upper() == "S":
                group = np.vstack([here if control is None else 2 * here - control, group])
            t = np.linspace(0, 1, POINTS)[1:, None]
            one, two, end = group
            points += list((1 - t) ** 3 * here + 3 * (1 - t) ** 2 * t * one + 3 * (1 - t) * t**2 * two + t**3 * end)
            control = two
    return np.array(points)
