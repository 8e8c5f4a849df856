"""The code on a form's page: which classes, how many of each, which page, which writer, as black and white modules.

80 bytes and 32 more that correct up to 16 wrong ones (a Reed-Solomon code, as QR codes have; I. Reed, G. Solomon,
"Polynomial Codes over Certain Finite Fields", J. SIAM 8, 1960), so that a fold or a thumb over an eighth of it does no
harm: a byte is a block of 4 by 2 modules. A check sum stands against the rest.
"""

import zlib
from collections import namedtuple

import numpy as np

from shuzi.core import numerals

ROWS, COLUMNS = 16, 56  # modules
DATA, PARITY = 80, 32  # bytes
FORMAT = 1

# paper: "a4" or "letter"; each: pictures of a class; page: from 1; writer: from 1, or 0 for whoever fills it;
# run: 0-65535, the printing it is of, so that writer 1 of two printings are two
Page = namedtuple("Page", "paper classes each trace page writer run")
PAPERS = ["a4", "letter"]
# by their place in here, so it may only be added to
KNOWN = [*numerals.ALL_CLASSES, *numerals.CAPITALS]


class CodeError(Exception):
    """The message is one line for a person."""


def encode(page):
    """Page -> bool (ROWS, COLUMNS), True for black. Raises CodeError where its classes don't fit."""
    known = sum(1 << KNOWN.index(name) for name in page.classes if name in KNOWN)
    own = [name.encode() for name in page.classes if name not in KNOWN]
    numbers = (FORMAT, PAPERS.index(page.paper) * 2 + page.trace, page.each, page.page)
    data = bytes(numbers) + b"".join(
        number.to_bytes(size, "big") for number, size in ((page.writer, 2), (page.run, 2), (known, 4))
    )
    data += bytes([len(own)]) + b"".join(bytes([len(name)]) + name for name in own)
    if len(data) > DATA - 4:
        raise CodeError("the names of these classes are too long for one form; make two forms of fewer classes")
    data = data.ljust(DATA - 4, b"\0")
    data += zlib.crc32(data).to_bytes(4, "big")
    word = np.frombuffer(bytes(_with_parity(data)), np.uint8)
    blocks = (np.unpackbits(word) ^ _mask()).reshape(ROWS // 4, COLUMNS // 2, 4, 2)
    return blocks.transpose(0, 2, 1, 3).reshape(ROWS, COLUMNS).astype(bool)


def decode(modules):
    """What `encode` made -> Page, or None where it can't be read. modules: bool (ROWS, COLUMNS)."""
    blocks = np.asarray(modules, np.uint8).reshape(ROWS // 4, 4, COLUMNS // 2, 2).transpose(0, 2, 1, 3)
    word = np.packbits(blocks.ravel() ^ _mask())
    data = _corrected(word.tolist())
    if data is None or zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "big") or data[0] != FORMAT:
        return None
    known = int.from_bytes(data[8:12], "big")
    names = [name for i, name in enumerate(KNOWN) if known >> i & 1]
    at = 13
    for _ in range(data[12]):
        names.append(data[at + 1 : at + 1 + data[at]].decode())
        at += 1 + data[at]
    writer, run = int.from_bytes(data[4:6], "big"), int.from_bytes(data[6:8], "big")
    classes = tuple(sorted(names, key=numerals.class_order))
    return Page(PAPERS[data[1] // 2], classes, data[2], bool(data[1] % 2), data[3], writer, run)


def _mask():
    """Bits that make black and white alternate, whatever the data."""
    return np.random.Generator(np.random.PCG64(0)).integers(0, 2, ROWS * COLUMNS, np.uint8)


# Numbers are of the field of 256 elements; polynomials are lists of them, the highest power first.
EXP, LOG = [0] * 512, [0] * 256
_number = 1
for _i in range(255):
    EXP[_i] = EXP[_i + 255] = _number
    LOG[_number] = _i
    _number = _number << 1 ^ (0x11D if _number & 128 else 0)


def _times(a, b):
    return EXP[LOG[a] + LOG[b]] if a and b else 0


def _value(polynomial, x):
    result = 0
    for factor in polynomial:
        result = _times(result, x) ^ factor
    return result


def _product(p, q):
    result = [0] * (len(p) + len(q) - 1)
    for i, a in enumerate(p):
        for j, b in enumerate(q):
            result[i + j] ^= _times(a, b)
    return result


def _with_parity(data):
    generator = [1]
    for i in range(PARITY):
        generator = _product(generator, [1, EXP[i]])
    rest = list(data) + [0] * PARITY
    for i in range(len(data)):
        for j in range(1, len(generator)):
            rest[i + j] ^= _times(generator[j], rest[i])
    return list(data) + rest[len(data) :]


def _corrected(word):
    """The data of a word with errors, bytes; None where there are too many."""
    syndromes = [_value(word, EXP[i]) for i in range(PARITY)]
    if any(syndromes):
        locator = _locator(syndromes)
        errors = len(locator) - 1
        places = [i for i in range(len(word)) if not _value(locator, EXP[255 - i])]  # from the word's end
        if errors > PARITY // 2 or len(places) != errors:
            return None
        evaluator = _product(syndromes[::-1], locator)[-PARITY:]
        slope = [factor if (errors - i) % 2 else 0 for i, factor in enumerate(locator)][:-1]
        for place in places:
            x = EXP[255 - place]
            wrong = _times(EXP[place], _times(_value(evaluator, x), EXP[255 - LOG[_value(slope, x)]]))
            word[-1 - place] ^= wrong
        if any(_value(word, EXP[i]) for i in range(PARITY)):
            return None
    return bytes(word[:DATA])


def _locator(syndromes):
    """The polynomial whose roots say where the errors are (Berlekamp and Massey)."""
    locator, before = [1], [1]
    for i in range(len(syndromes)):
        before = before + [0]
        delta = 0
        for j, factor in enumerate(reversed(locator)):
            if i >= j:
                delta ^= _times(factor, syndromes[i - j])
        if delta:
            if len(before) > len(locator):
                locator, before = (
                    [_times(f, delta) for f in before],
                    [_times(f, EXP[255 - LOG[delta]]) for f in locator],
                )
            scaled = [_times(f, delta) for f in before]
            scaled = [0] * (len(locator) - len(scaled)) + scaled
            locator = [a ^ b for a, b in zip(locator, scaled)]
    while locator and not locator[0]:
        locator = locator[1:]
    return locator
