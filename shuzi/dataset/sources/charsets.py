"""Names as bytes -> text: which of the encodings that archives and old disks have fits all of them."""

from collections.abc import Sequence

from shuzi.core import numerals
from shuzi.core.command import Problem
from shuzi.core.text import shown

# as --encoding calls it -> as Python does, and the first and last code of the characters that are common in it
ENCODINGS = {
    "gbk": ("gb18030", 0xB0A1, 0xD7F9),  # the first level of GB 2312, by pronunciation
    "big5": ("cp950", 0xA440, 0xC67E),
    "shift-jis": ("cp932", 0x889F, 0x9872),
}
OTHERS = {"utf-8": "utf-8", "cp437": "cp437", "euc-kr": "cp949"}
ACCENTS = range(0x80, 0xA6)  # of the letters in cp437
SURE = 0.25  # by how much more of the characters must be common in the best encoding than in the next


def decode(names: Sequence[bytes], where: str, encoding: str = "") -> list[str]:
    """The text of all these names, in one encoding for all of them; what fits none keeps its bytes as surrogates.

    names: paths with / or a backslash between their parts. where: what they are of, for the message. encoding: the
    one to take, as --encoding has it. Raises Problem where several fit and folders would have other names.
    """
    if encoding:
        python_name = ENCODINGS.get(encoding, (OTHERS.get(encoding),))[0]
        return [name.decode(python_name, "surrogateescape") for name in names]
    odd = [name for name in names if not name.isascii()]
    as_utf_8 = _all("utf-8", odd)
    fitting = {}
    for option, (python_name, first, last) in ENCODINGS.items():
        texts = _all(python_name, odd)
        if texts is not None:
            fitting[option] = (_known(texts), _common(odd, texts, python_name, first, last))
    # text in UTF-8 is seldom anything else; but 一 and 十 in GBK are letters of other scripts in it
    if as_utf_8 is not None and _known(as_utf_8) >= max((known for known, _ in fitting.values()), default=0):
        return [name.decode("utf-8") for name in names]
    if all(_has_accents(name) for name in odd) and max((known for known, _ in fitting.values()), default=0) == 0:
        return [name.decode("cp437") for name in names]
    if not fitting:
        return [name.decode("utf-8", "surrogateescape") for name in names]
    best, *others = sorted(fitting, key=fitting.get, reverse=True)
    for other in others:
        (known, common), (other_known, other_common) = fitting[best], fitting[other]
        sure = known > other_known or common > other_common + SURE
        if not sure and any(b"/" in name and not name.rpartition(b"/")[0].isascii() for name in odd):
            examples = [odd[0].decode(ENCODINGS[option][0]) for option in (best, other)]
            raise Problem(
                f"{shown(where)}: names can be read as {best} ({shown(examples[0])}) or as {other} "
                f"({shown(examples[1])}); say which: --encoding {best} or --encoding {other}"
            )
    return [name.decode(ENCODINGS[best][0]) for name in names]


def _all(encoding, names):
    """The names as text, or None where one isn't text in this encoding."""
    try:
        texts = [name.decode(encoding) for name in names]
    except UnicodeDecodeError:
        return None
    # what is for private use or controls a terminal is no name, even where the encoding has it
    odd = any("\ue000" <= character <= "\uf8ff" or "\x7f" <= character < "\xa0" for text in texts for character in text)
    return None if odd else texts


def _known(texts):
    """How many of the names, or of the folders in them, are numerals."""
    parts = (part.partition(".")[0] for text in texts for part in text.replace("\\", "/").split("/"))
    return sum(not part.isascii() and numerals.value(numerals.class_name(part)) is not None for part in parts)


def _common(names, texts, encoding, first, last):
    """Which share of the characters are the common ones of the encoding."""
    characters = [character for text in texts for character in text if not character.isascii()]
    codes = [int.from_bytes(character.encode(encoding), "big") for character in characters]
    return sum(first <= code <= last for code in codes) / max(1, len(codes))


def _has_accents(name):
    """Whether all that is not ASCII may be letters with accents, each alone among others."""
    odd = [i for i, byte in enumerate(name) if byte > 127]
    return all(name[i] in ACCENTS for i in odd) and not any(i + 1 in odd for i in odd)
