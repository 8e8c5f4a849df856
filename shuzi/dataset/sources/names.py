"""What the names of files say: a class, a code of Chinese MNIST, a number that may be either."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from shuzi.core import numerals

# <suite> is a writer, <code> counts the characters from 1; the second is how the DOI publishes them
MNIST_NAMES = re.compile(
    r"(?:input_(\d{1,9})_(\d{1,9})_(\d{1,9})|Locate\{(\d{1,9}), ?(\d{1,9}), ?(\d{1,9})\})(?: ?\(\d+\))?\.\w+",
    re.IGNORECASE,
)
NUMERALS = "".join({*numerals.VALUES, *numerals.CAPITALS, *numerals.TRADITIONAL_CAPITALS})
TAG = re.compile(r"(?:(?<![a-z])(?:class|label|digit)|类别?|類別?|标签|標籤)[-_ ]?(\d{1,9})(?!\d)", re.IGNORECASE)
HINT = re.compile(f"input_|locate\\{{|[{NUMERALS}]|class|label|digit|类|類|标签|標籤", re.IGNORECASE)
WORD = re.compile(r"[㐀-鿿豈-﫿〇]+|[^\W\d_㐀-鿿豈-﫿〇]+|\d+")
COPY = re.compile(r"[(（]\d+[)）]")  # how systems name copies, and many files at once: 7 (3).jpg


class Label(NamedTuple):
    cls: str  # "" where the name has a code that stands for nothing
    kind: str  # code, character or tag
    code: int = 0
    suite: str = ""
    key: tuple[int, ...] = ()  # suite, sample, code


def label_of(file: str) -> Label | None:
    """The class that a file's name says for certain, or None."""
    if not HINT.search(file):
        return None
    if match := MNIST_NAMES.fullmatch(file):
        groups = [group for group in match.groups() if group is not None]
        key = tuple(map(int, groups))
        cls = numerals.ALL_CLASSES[key[2] - 1] if 1 <= key[2] <= len(numerals.ALL_CLASSES) else ""
        return Label(cls, "code", key[2], groups[0], key)
    plain = stem(file)
    said = {
        numerals.class_name(word) for word in WORD.findall(plain) if not word.isascii() and numerals.is_numeral(word)
    }
    said |= {numerals.class_name(number) for number in TAG.findall(plain) if numerals.is_numeral(number)}
    return Label(said.pop(), "character") if len(said) == 1 else None


def stem(file: str) -> str:
    return COPY.sub("", file.rpartition(".")[0] or file)


def numbers_in(file: str) -> list[str]:
    """The parts of a name that may be a class's number: all its numbers, the writer's left out."""
    from shuzi.dataset.sources.folder import WRITER

    return re.findall(r"\d+", WRITER.sub(" ", stem(file)))


def first_numbers(folders: Sequence[object], files: Sequence[str]) -> list[str] | None:
    """The class of each file where all names begin with its number, as 3-07.jpg does; None where that is not plain.

    Plain is: a numeral without a zero before it, several files of each, and no other number that may be the class.
    """
    numbers = [numbers_in(file) for file in files]
    if not all(found and file.startswith(found[0]) and _is_class(found[0]) for file, found in zip(files, numbers)):
        return None
    classes = [found[0] for found in numbers]
    if len(set(classes)) < 2 or len(files) < 2 * len(set(zip(folders, classes))):
        return None
    for place in range(1, min(map(len, numbers))):
        if all(_is_class(found[place]) for found in numbers):
            return None
    return classes


def part(files: Sequence[str], last: bool) -> list[str | None]:
    """The class of each file where a person says that it is the first, or the last, part of the name."""
    from shuzi.dataset.sources.folder import WRITER

    words = [WORD.findall(WRITER.sub(" ", stem(file))) for file in files]
    return [numerals.class_name(found[-1 if last else 0]) if found else None for found in words]


def _is_class(number):
    return not (number.startswith("0") and len(number) > 1) and numerals.is_numeral(number)
