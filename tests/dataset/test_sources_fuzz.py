"""Random changes to files that sources are read from: a decision, a question or a refusal, never a crash."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import fuzz_sources


def changed(data, rng):
    data = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(1, len(data) + 1)
        what = rng.random()
        if what < 0.5 and at < len(data):
            data[at] = rng.choice([0, 0xFF, 0x7F, rng.randrange(256)])
        elif what < 0.7:
            del data[at : at + rng.randint(1, 8)]
        elif what < 0.9:
            data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 8)))
        else:
            data[at:at] = data[1:at]
    return bytes(data)


@pytest.mark.parametrize("kind", range(len(fuzz_sources.KINDS)), ids=fuzz_sources.KINDS)
def test_changed_inputs(kind, kills):
    seed, rng = fuzz_sources.seeds()[kind], random.Random(kind)
    fuzz_sources.one_input(seed)
    for _ in range(15 * kills):
        fuzz_sources.one_input(changed(seed, rng))
