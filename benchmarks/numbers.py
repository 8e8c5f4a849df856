"""Do we read and write numbers and amounts as cn2an does, a library for it? Lists where not, and why.

Numbers and amounts by chance are written by one and read by the other; and so are texts that are written in other ways,
or are no number. Needs `pip install cn2an`, which nothing else does.
"""

import argparse
import random
from decimal import Decimal

from shuzi.core.amounts import read_amount, write_amount, write_capitals
from shuzi.core.numerals import read_number, write_number

# texts of other than the standard form, and why we read them as we do
TEXTS = {
    "三百二": "cut short: 320",
    "一万三": "cut short: 13,000",
    "一亿五": "cut short: 150,000,000",
    "二〇二六": "digits by place",
    "零零七": "digits by place",
    "廿五": "廿 is 20",
    "卅": "30",
    "两百": "两 is 2",
    "十百": "no number",
    "百百": "no number",
    "一百二百": "no number",
    "三百零": "零 at the end",
    "一百零五十": "零 where no place is missing",
    "一千五十": "零 left out",
    "十万零五千": "零 after a group that ends in zero",
    "一万亿": "10**12",
    "万": "one character is its value",
}


def attempt(function, *arguments):
    try:
        return function(*arguments)
    except (ValueError, TypeError, KeyError, IndexError, ArithmeticError):
        return "refused"


def main(argv=None):
    import cn2an

    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], epilog="example: python -m benchmarks.numbers --count 20000"
    )
    parser.add_argument("--count", type=int, default=5000, help="numbers by chance (default: %(default)s)")
    args = parser.parse_args(argv)
    rng = random.Random(0)
    numbers = [rng.randrange(10 ** rng.randint(1, 16)) for _ in range(args.count)]
    amounts = [Decimal(rng.randrange(10 ** rng.randint(1, 14))).scaleb(-2) for _ in range(args.count)]

    def numbers_read(text):
        return cn2an.cn2an(text, "smart")

    comparisons = {
        "numbers we write, cn2an reads": [
            (n, write_number(n), attempt(numbers_read, write_number(n))) for n in numbers
        ],
        "capitals we write, cn2an reads": [
            (n, write_capitals(n), attempt(numbers_read, write_capitals(n))) for n in numbers
        ],
        "numbers cn2an writes, we read": [(n, t, attempt(read_number, t)) for n in numbers for t in [cn2an.an2cn(n)]],
        "capitals cn2an writes, we read": [
            (n, t, attempt(read_number, t)) for n in numbers for t in [cn2an.an2cn(n, "up")]
        ],
        "amounts cn2an writes, we read": [
            (a, t, attempt(read_amount, t)) for a in amounts for t in [attempt(cn2an.an2cn, str(a), "rmb")]
        ],
    }
    print("| what | of | differ | for example |\n|---|---:|---:|---|")
    for title, rows in comparisons.items():
        differ = [(number, text, read) for number, text, read in rows if read != number]
        example = f"{differ[0][0]}: {differ[0][1]} is {differ[0][2]}" if differ else ""
        print(f"| {title} | {len(rows):,} | {len(differ):,} | {example} |")
    written = [(amount, write_amount(amount), attempt(cn2an.an2cn, str(amount), "rmb")) for amount in amounts]
    differ = [(amount, ours, theirs) for amount, ours, theirs in written if ours != theirs]
    closing = sum(ours == theirs + "整" for _, ours, theirs in differ)  # banks allow both
    example = f"{closing:,} by 整 after 角: " + "{}: {}, {}".format(*differ[0]) if differ else ""
    print(f"| amounts, written alike | {len(amounts):,} | {len(differ):,} | {example} |")
    print("\n| text | ours | cn2an, strict | cn2an, smart | |\n|---|---:|---:|---:|---|")
    for text, why in TEXTS.items():
        strict, smart = (attempt(cn2an.cn2an, text, mode) for mode in ("strict", "smart"))
        print(f"| {text} | {attempt(read_number, text)} | {strict} | {smart} | {why} |")


if __name__ == "__main__":
    main()
