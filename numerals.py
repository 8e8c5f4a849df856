"""Class names, characters and values of Chinese numerals.

A class is the name of a folder. `1` … `10` stand for 一 … 十, and `0`, `100`, `1000`, `10000`,
`100000000` for 零 百 千 万 亿. A folder named with the character itself, with its traditional form
(萬, 億, 〇) or with full-width digits (１０) means the same class. Any other name is a class of
the user's own.
"""

import re
import unicodedata

# value -> character, in the order of the values
CHARACTERS = {
    0: "零", 1: "一", 2: "二", 3: "三", 4: "四", 5: "五", 6: "六", 7: "七", 8: "八", 9: "九",
    10: "十", 100: "百", 1000: "千", 10_000: "万", 100_000_000: "亿",
}  # fmt: skip
VALUES = {character: value for value, character in CHARACTERS.items()}
VALUES |= {"〇": 0, "萬": 10_000, "億": 100_000_000}

DEFAULT_CLASSES = [str(value) for value in range(1, 11)]
ALL_CLASSES = [str(value) for value in CHARACTERS]


def class_name(folder):
    """The class that a folder's name means: `"七"`, `"７"` and `"7"` are `"7"`; own names stay as they are."""
    name = unicodedata.normalize("NFKC", folder)  # full-width digits become plain ones
    if name in VALUES:
        return str(VALUES[name])
    if name in ALL_CLASSES:
        return name
    return unicodedata.normalize("NFC", folder)


def value(name):
    """The number that a class stands for, or None for a class of the user's own."""
    return int(name) if name in ALL_CLASSES else None


def character(name):
    """The character of a class, for showing: `"7"` gives `"七"`; an own class shows its name."""
    return CHARACTERS[int(name)] if name in ALL_CLASSES else name


def class_order(name):
    """Sort key for class names: numerals by value, then the rest in natural order (`a2` before `a10`)."""
    number = value(name)
    if number is not None:
        return (0, number, [], name)
    # split gives text, digits, text, digits, …: keys of any two names compare type by type
    parts = re.split(r"(\d+)", name)
    return (1, 0, [int(part) if i % 2 else part for i, part in enumerate(parts)], name)
