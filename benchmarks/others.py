"""Pictures that are no numeral: how many does the model flag as unsure, and what does that cost real numerals?

Draws other Chinese characters, letters, digits and scribbles with the virtual writers, pens and papers of
synthesize.py, writers that no set for training holds, and reads them as predict.py does. None of it is ever
trained on. Prints a Markdown table and writes it to results/others.md.
"""

import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import ink  # noqa: E402
import synthesize  # noqa: E402
from other_characters import CHARACTERS  # noqa: E402

WRITERS = 2_000_003  # the first seed of these writers, far from those of sets for training


def other_characters(per_character, seed):
    """Draw Chinese characters that are no numerals, prepared as for reading.

    Every picture comes from a writer of its own. Returns (pictures uint8 (n, 64, 64, 3), names: list of n
    characters), per_character pictures of each. The same numbers draw the same pictures.
    """
    return draw_all(CHARACTERS, per_character, seed)


def draw_all(ways, per_name, seed):
    """The same for any {name: {way: (how common, strokes)}}."""
    pictures = np.empty((len(ways) * per_name, ink.SIZE, ink.SIZE, 3), np.uint8)
    names = [name for name in ways for _ in range(per_name)]
    with patch.object(synthesize, "WAYS", ways):  # draw() looks there for strokes
        for i, name in enumerate(names):
            rng = np.random.default_rng([WRITERS, seed, i])
            grey, _ = synthesize.picture(name, synthesize.make_writer(WRITERS + seed, i), rng)
            pictures[i] = ink.prepare(grey)
    return pictures, names
