"""A font on this machine that can show 零 to 亿, for figures and sheets; the project ships none.

The environment variable CJK_FONT names a font file to use instead, or `none` for class names without characters.
"""

import functools
import logging
import os
from pathlib import Path

from PIL import ImageFont

# Parts of the names of fonts that most systems have, the preferred ones first
PREFERRED = (
    "notosanscjk", "notosanssc", "sourcehansans", "pingfang", "hiragino sans gb", "msyh", "deng", "wqy",
    "droidsansfallback", "notoserifcjk", "sourcehanserif", "simhei", "simsun", "heiti", "songti", "hiragino", "yugoth",
    "msgothic", "malgun",
    "arialuni", "arial unicode", "uming", "ukai",
)  # fmt: skip
NEEDED = "零一四百万亿"


@functools.cache
def find_cjk_font_file() -> str | None:
    """The path of a font file with Chinese characters, or None. Reads the font folders once."""
    named = os.environ.get("CJK_FONT")
    if named:
        return named if named != "none" and shows(named, NEEDED) else None
    from matplotlib.font_manager import findSystemFonts  # slow to import, and only here

    ranked = []
    for path in sorted(findSystemFonts()):
        name = Path(path).name.lower()
        rank = next((i for i, part in enumerate(PREFERRED) if part in name), None)
        if rank is not None:
            # of one family, the regular weight
            ranked.append((rank, "regular" not in name, "bold" in name or "black" in name, path))
    return next((path for *_, path in sorted(ranked) if shows(path, NEEDED)), None)


def find_cjk_font() -> str | None:
    """The family name of such a font, made known to matplotlib, or None."""
    # a font that has one weight only is as good
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    path = find_cjk_font_file()
    if path is None:
        return None
    from matplotlib import font_manager

    font_manager.fontManager.addfont(path)
    return font_manager.FontProperties(fname=path).get_name()


def shows(path: str, characters: str) -> bool:
    """Whether a font file has all of these characters."""
    try:
        font = ImageFont.truetype(path, 20)
        missing = bytes(font.getmask("\uffff"))  # never a character: drawn as the font draws what it lacks
        return all(bytes(font.getmask(character)) != missing for character in characters)
    except (OSError, ValueError):  # not a font that FreeType opens
        return False
