"""How any class is written: numerals by strokes.py, capitals by capitals.py, other characters by characters.py."""

import zlib

from shuzi.drawing import capitals, characters
from shuzi.drawing.strokes import WAYS

Ways = dict[str, tuple[float, str]]  # name of a way: how common it is, strokes in the notation of strokes.py


def ways_of(name: str) -> Ways:
    """All ways of writing class `name`. Raises KeyError where there are no strokes of it."""
    if name in WAYS:
        return WAYS[name]
    return capitals.ways(name) if name in capitals.CLASSES else characters.ways(name)


def number_of(name: str) -> int:
    """A number for seeds, of each class its own: those of the numerals are small, and always the same."""
    return list(WAYS).index(name) if name in WAYS else 1000 + zlib.crc32(name.encode())


def expand(names: list[str]) -> list[str]:
    """Class names, `all` for the fifteen numerals, `capitals` for those of capitals.py -> class names, none twice."""
    groups = {"all": list(WAYS), "capitals": capitals.CLASSES}
    return list(dict.fromkeys(one for name in names for one in groups.get(name, [name])))
