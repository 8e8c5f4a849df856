"""Class names, characters and values of Chinese numerals; numbers written in them.

A class is the name of a folder. `1` … `10` stand for 一 … 十, and `0`, `100`, `1000`, `10000`,
`100000000` for 零 百 千 万 亿. A folder named with the character itself, with its traditional form
(萬, 億, 〇), with full-width digits (１０) or with a zero before it (01) means the same class. The bank
capitals 壹 … 玖 拾 佰 仟, as they are written on cheques, are classes of their own: other characters of the
same values. Any other name is a class of the user's own.
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
# bank capital -> value; and their traditional forms
CAPITALS = {
    "壹": 1,
    "贰": 2,
    "叁": 3,
    "肆": 4,
    "伍": 5,
    "陆": 6,
    "柒": 7,
    "捌": 8,
    "玖": 9,
    "拾": 10,
    "佰": 100,
    "仟": 1000,
}
TRADITIONAL_CAPITALS = {"貳": "贰", "參": "叁", "陸": "陆"}
# further ways to write them that a number may hold: 两 before a unit, the forms used on cheques, 廿 and 卅
OTHER_FORMS = str.maketrans("〇萬億两兩壹贰貳叁叄參肆伍陆陸柒捌玖拾佰仟", "零万亿二二一二二三三三四五六六七八九十百千")
OTHER_FORMS |= str.maketrans({"廿": "二十", "卅": "三十"})
UNITS = [100_000_000, 10_000, 1000, 100, 10]  # 亿 万 千 百 十

DEFAULT_CLASSES = [str(value) for value in range(1, 11)]
ALL_CLASSES = [str(value) for value in CHARACTERS]


def class_name(folder: str) -> str:
    """The class that a folder's name means: `"七"`, `"７"`, `"07"` and `"7"` are `"7"`; own names stay as they are."""
    name = unicodedata.normalize("NFKC", folder)  # full-width digits become plain ones
    if name in VALUES:
        return str(VALUES[name])
    if name in ALL_CLASSES:
        return name
    if re.fullmatch("0[1-9]", name):
        return name[1]
    if name in TRADITIONAL_CAPITALS:
        return TRADITIONAL_CAPITALS[name]
    return unicodedata.normalize("NFC", folder)


def value(name: str) -> int | None:
    """The number that a class stands for, or None for a class of the user's own."""
    return int(name) if name in ALL_CLASSES else CAPITALS.get(name)


def is_numeral(folder: str) -> bool:
    """Whether a folder of this name is of a numeral or a bank capital, not of a class of the user's own."""
    return value(class_name(folder)) is not None


def character(name: str) -> str:
    """The character of a class, for showing: `"7"` gives `"七"`; an own class shows its name."""
    return CHARACTERS[int(name)] if name in ALL_CLASSES else name


def class_order(name: str) -> tuple:
    """Sort key for class names: numerals by value, capitals by value, the rest in natural order (`a2` before `a10`)."""
    number = value(name)
    if number is not None:
        return (1 if name in CAPITALS else 0, number, [], name)
    # split gives text, digits, text, digits, …: keys of any two names compare type by type
    parts = re.split(r"(\d+)", name)
    return (2, 0, [int(part) if i % 2 else part for i, part in enumerate(parts)], name)


def write_number(number: int) -> str:
    """A whole number, 0 to 10**16 - 1, in its standard written form: 10050 gives `"一万零五十"`. Raises ValueError.

    One 零 for any run of zeros before a further digit, none for zeros that end a group of four
    (1205000 is 一百二十万五千); 十 without 一 at the very start only (15 is 十五, 115 is 一百一十五).
    """
    if not 0 <= number < 10**16:
        raise ValueError(f"{number} is not between 0 and {10**16 - 1}")
    text = _write(number)
    return text.removeprefix("一") if text.startswith("一十") else text


def _write(number):
    if number < 10:
        return CHARACTERS[number]
    unit = next(unit for unit in UNITS if unit <= number)
    high, low = divmod(number, unit)
    text = _write(high) + CHARACTERS[unit]
    if low:
        text += ("零" if low < unit // 10 else "") + _write(low)
    return text


def read_number(text: str) -> int:
    """The number that characters stand for: `"三百二十五"` gives 325. Raises ValueError with the reason.

    Characters without a unit are digits by place: 二〇二六 is 2026, 零零七 is 7. One character alone is its
    value: 百 is 100. Traditional and cheque forms, 两 for 二, 廿 and 卅 are read too.

    Accepted beside the standard form, since it means one thing only: a last digit right after 百, 千,
    万 or 亿 counts the next place (二百五 is 250, 一万五 is 15000); 十 without 一 (一百十五); a missing 零
    before a digit with a unit of its own (一千五十 is 1050); 零 after 万 or 亿 that closes a group ending
    in zero (十万零五千). All else is refused: 十百, 二三百, 百百, 三百零, 三百零二十.
    """
    text = text.translate(OTHER_FORMS)
    if not text:
        raise ValueError("nothing is written")
    for character in text:
        if character not in VALUES:
            raise ValueError(f"{character} is no numeral")
    values = [VALUES[character] for character in text]
    if len(values) == 1:
        return values[0]
    if max(values) < 10:
        return int("".join(str(digit) for digit in values))
    return _read(values, last=True)


def _read(values, last):
    """Values of characters -> the number. last: the text ends with them, so that 二百五 may be short for 二百五十."""
    unit = next((unit for unit in UNITS if unit in values), None)
    written = "".join(CHARACTERS[value] for value in values)
    if unit is None:
        if len(values) == 1 and values[0] > 0:
            return values[0]
        raise ValueError(f"{written} stands where one digit belongs")
    name = CHARACTERS[unit]
    at = values.index(unit)
    high, low = values[:at], values[at + 1 :]
    if not high and unit != 10:
        raise ValueError(f"a digit is missing before {name}")
    high = _read(high, last=False) if high else 1
    if unit < 10_000 and high > 9:
        raise ValueError(f"{name} takes one digit before it")
    if not low:
        return high * unit
    has_zero = low[0] == 0
    if has_zero:
        low = low[1:]
        if not low:
            raise ValueError(f"{CHARACTERS[0]} stands at the end")
    if len(low) == 1 and 0 < low[0] < 10 and not has_zero:
        if not last and unit > 10:
            raise ValueError(f"a unit is missing after {written[-1]}")
        return high * unit + low[0] * unit // 10
    low = _read(low, last)
    if low >= unit:
        raise ValueError(f"{name} is followed by a unit that is not smaller")
    if has_zero and low >= unit // 10 and (unit < 10_000 or high % 10):
        raise ValueError(f"{CHARACTERS[0]} stands where no place is missing")
    return high * unit + low
