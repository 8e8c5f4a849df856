"""Amounts of money in Chinese: 贰仟零伍元叁角整 is 2005.30 元, and written so.

Numbers are those of numerals.py. An amount is yuan, jiao and fen, each with its unit: 元 (圆 圓 块), 角 (毛), 分; 整 or
正 closes one that has no fen. Amounts are exact: Decimal, of two places.
"""

from decimal import Decimal

from shuzi.core.numerals import read_number, write_number

YUAN, JIAO, FEN, CLOSING = "元圆圓块塊", "角毛", "分", "整正"
CAPITALS = str.maketrans("零一二三四五六七八九十百千万亿", "零壹贰叁肆伍陆柒捌玖拾佰仟万亿")
LARGEST = Decimal(10**16) - Decimal("0.01")


def write_capitals(number):
    """A whole number, 0 to 10**16 - 1, as banks write it: 15 gives `"壹拾伍"`. Raises ValueError."""
    text = write_number(number)
    return ("一" + text if text.startswith("十") else text).translate(CAPITALS)


def write_amount(amount, capitals=True):
    """An amount of 元 as it stands on a cheque: `Decimal("2005.30")` gives `"贰仟零伍元叁角整"`. Raises ValueError.

    amount: Decimal or int, 0 to 10**16 - 0.01, of at most two places. 零 stands for a missing 角 between 元 and 分; 整
    follows where there are no 分. capitals: else in plain numerals, 二千零五元三角.
    """
    amount = Decimal(amount)
    if not 0 <= amount <= LARGEST:
        raise ValueError(f"{amount} is not between 0 and {LARGEST}")
    cents = int(amount * 100)
    if cents != amount * 100:
        raise ValueError(f"{amount} has more than two places")
    write = write_capitals if capitals else write_number
    yuan, rest = divmod(cents, 100)
    jiao, fen = divmod(rest, 10)
    text = f"{write(yuan)}元" if yuan or not rest else ""
    if jiao:
        text += f"{write(jiao)}角"
    elif fen and yuan:
        text += "零"
    if fen:
        text += f"{write(fen)}分"
    elif capitals:
        text += "整"
    return text


def is_amount(text):
    """Whether text holds a unit of money: what read_amount can make sense of, or refuses."""
    return any(character in YUAN + JIAO + FEN + CLOSING for character in text)


def read_amount(text):
    """The amount that characters stand for, Decimal of two places: `"叁角"` gives 0.30. Raises ValueError.

    Read beside what write_amount writes: 拾元零伍角 (零 for a 元 of zero ones, as banks allow), 伍元叁分, no 整, 正 for
    整, plain numerals, 块 and 毛. Refused: a unit twice or out of order, a number without one, 零 where no place is
    missing, 整 after 分, digits by place and numbers cut short (二百五元: 205 or 250?), and what read_number refuses.
    """
    closing = text[-1:] and text[-1] in CLOSING
    rest = text[:-1] if closing else text
    if not rest:
        raise ValueError("nothing is written")
    cents, smallest = 0, 0  # smallest: of the units so far, in 分
    for names, worth in ((YUAN, 100), (JIAO, 10), (FEN, 1)):
        places = [i for i, character in enumerate(rest) if character in names]
        if not places:
            continue
        if len(places) > 1:
            raise ValueError(f"{rest[places[1]]} stands twice")
        number, rest = rest[: places[0]], rest[places[0] + 1 :]
        if worth == 100:
            count = _read_whole(number)
        else:
            # 元 are followed by 零 where there are no 角, or where they end in 0
            may_have_zero = smallest == 100 and (worth == 1 or cents // 100 % 10 == 0)
            count = _read_digit(number, text[len(text) - len(rest) - closing - 1], may_have_zero)
        cents, smallest = cents + count * worth, worth
    if not smallest:
        raise ValueError("no unit of money is written")
    if rest:
        raise ValueError(f"{rest} has no unit of its own")
    if closing and smallest == 1:
        raise ValueError(f"{text[-1]} stands after {FEN}")
    return Decimal(cents).scaleb(-2)


def _read_whole(number):
    """The number before 元."""
    value = read_number(number)
    plain = [read_number(character) for character in number]  # 廿 is 20
    if plain[0] > 99:
        raise ValueError(f"a digit is missing before {number[0]}")
    if len(number) > 1 and max(plain) < 10:
        raise ValueError(f"{number} are digits without units")
    if len(number) > 1 and 0 < plain[-1] < 10 and plain[-2] > 99:
        raise ValueError(f"a unit is missing after {number[-1]}")
    return value


def _read_digit(number, unit, may_have_zero):
    """The digit before 角 or 分."""
    if may_have_zero and len(number) == 2 and read_number(number[0]) == 0:
        number = number[1:]
    if len(number) != 1 or not 1 <= read_number(number) <= 9:
        raise ValueError(f"before {unit} belongs one digit from 1 to 9, not {number or 'nothing'}")
    return read_number(number)
