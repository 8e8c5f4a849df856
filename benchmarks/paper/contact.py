"""A contact sheet: the picture as it was given, what was found in it, the truth and the answer."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from shuzi.core.files import replacing

from .measure import THUMB

FOUND = 128
CARD = (THUMB + FOUND + 10, THUMB + 26)
ACROSS = 5
COLOURS = {"right": (20, 120, 50), "empty": (120, 90, 0), "several": (120, 60, 160), "wrong": (190, 20, 30)}


def write(path, cards):
    """cards: Outcomes with thumbnails, in the order they are shown."""
    rows = max(1, -(-len(cards) // ACROSS))
    sheet = Image.new("RGB", (ACROSS * CARD[0], rows * CARD[1]), (238, 240, 244))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for i, card in enumerate(cards):
        x, y = i % ACROSS * CARD[0], i // ACROSS * CARD[1]
        with Image.open(io.BytesIO(card.thumb)) as thumb:
            sheet.paste(thumb, (x + 2, y + 24))
        if card.found is not None:
            found = Image.fromarray(np.asarray(card.found)).resize((FOUND, FOUND), Image.NEAREST)
            sheet.paste(found.convert("RGB"), (x + THUMB + 6, y + 24))
        sure = "" if card.outcome == "empty" else ", sure" if card.sure else ", unsure"
        truth = card.job.truth or "none"
        pen.text((x + 3, y + 4), f"{truth} > {card.answer[:18]}{sure}", fill=COLOURS[card.outcome], font=font)
        title = _plain(card.job.kind)
        pen.text((x + THUMB + 6, y + FOUND + 28), title[:20], fill=(60, 60, 70), font=font)
        pen.text(
            (x + THUMB + 6, y + FOUND + 44),
            f"{title[20:34]} {card.job.number if card.job.number is not None else ''}",
            fill=(60, 60, 70),
            font=font,
        )
    with replacing(path) as part:
        sheet.save(part, "PNG")


def _plain(text):
    names = {"田字格": "tian", "米字格": "mi", "回宫格": "hui", "九宫格": "jiu"}
    for name, plain in names.items():
        text = text.replace(name, plain)
    return text
