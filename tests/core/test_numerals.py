"""Class names, and numbers written in Chinese numerals."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuzi.core import numerals
from shuzi.core.numerals import read_number, write_number


@pytest.mark.parametrize(
    "folder, name",
    [
        ("7", "7"),
        ("七", "7"),
        ("７", "7"),
        ("１０", "10"),
        ("〇", "0"),
        ("零", "0"),
        ("萬", "10000"),
        ("億", "100000000"),
        ("07", "7"),
        ("10", "10"),
        ("壹", "壹"),
        ("貳", "贰"),
    ],
)
def test_folder_names_of_one_class(folder, name):
    assert numerals.class_name(folder) == name


@pytest.mark.parametrize("folder", ["猫", "007", "00", "11", "010", "cat", "seven 7"])
def test_other_names_are_classes_of_their_own(folder):
    assert numerals.class_name(folder) == folder
    assert numerals.value(folder) is None
    assert numerals.character(folder) == folder


def test_one_name_however_its_accents_are_encoded():
    assert numerals.class_name("e\u0301") == numerals.class_name("\u00e9")


def test_value_and_character_agree():
    for name in numerals.ALL_CLASSES:
        assert numerals.VALUES[numerals.character(name)] == numerals.value(name) == int(name)


def test_order_of_classes():
    names = ["b", "10", "a10", "2", "a2", "0", "1000", "a"]
    assert sorted(names, key=numerals.class_order) == ["0", "2", "10", "1000", "a", "a2", "a10", "b"]


def test_bank_capitals_are_other_characters_of_the_same_values():
    names = ["猫", "仟", "壹", "拾", "1", "1000", "贰"]
    assert sorted(names, key=numerals.class_order) == ["1", "1000", "壹", "贰", "拾", "仟", "猫"]
    for name, value in numerals.CAPITALS.items():
        assert numerals.class_name(name) == name and numerals.character(name) == name
        assert numerals.value(name) == value == read_number(name)


def test_every_number_below_100_000_is_written_and_read_back():
    seen = set()
    for number in range(100_000):
        text = write_number(number)
        assert read_number(text) == number, text
        seen.add(text)
    assert len(seen) == 100_000


def test_round_numbers_to_a_thousand_times_yi():
    for zeros in range(16):
        for digits in (1, 2, 9, 11, 15, 101, 120, 305, 999):
            number = digits * 10**zeros
            if number < 10**16:
                assert read_number(write_number(number)) == number, write_number(number)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**16 - 1))
def test_any_number_is_written_and_read_back(number):
    assert read_number(write_number(number)) == number


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="零一二五九十百千万亿〇两", max_size=8))
def test_any_row_of_characters_is_a_number_or_refused_with_a_reason(text):
    try:
        number = read_number(text)
    except ValueError as error:
        assert str(error)
    else:
        assert isinstance(number, int) and number >= 0


# the standard form, checked by hand
WRITTEN = {
    0: "零", 10: "十", 11: "十一", 20: "二十", 99: "九十九", 100: "一百", 101: "一百零一", 110: "一百一十",
    115: "一百一十五", 325: "三百二十五", 1001: "一千零一", 1010: "一千零一十", 1100: "一千一百", 10_000: "一万",
    10_001: "一万零一", 10_050: "一万零五十", 10_500: "一万零五百", 15_000: "一万五千", 100_000: "十万",
    105_000: "十万五千", 100_500: "十万零五百", 1_205_000: "一百二十万五千", 10**8: "一亿", 10**8 + 5: "一亿零五",
    20 * 10**8: "二十亿", 3000 * 10**8: "三千亿", 120_034_005_600: "一千二百亿三千四百万五千六百",
}  # fmt: skip


@pytest.mark.parametrize("number, text", WRITTEN.items())
def test_standard_form(number, text):
    assert write_number(number) == text
    assert read_number(text) == number


@pytest.mark.parametrize(
    "text, number",
    [
        ("二〇二六", 2026), ("二零二六", 2026), ("零零七", 7), ("一二三", 123),  # digits by place
        ("百", 100), ("亿", 10**8), ("〇", 0),  # one character alone
        ("一萬零五十", 10_050), ("三億", 3 * 10**8), ("两百", 200), ("兩千", 2000), ("叁佰贰拾伍", 325),
        ("二百五", 250), ("三千二", 3200), ("一万五", 15_000), ("一千二百五", 1250), ("一亿五", 150_000_000),
        ("廿", 20), ("廿五", 25), ("一百卅", 130), ("贰仟零叄拾貳", 2032), ("三百二", 320), ("一万三", 13_000),
        ("一百十五", 115), ("一千五十", 1050), ("一万五百", 10_500), ("十万零五千", 105_000), ("十万零一十", 100_010),
    ],
)  # fmt: skip
def test_other_ways_to_write(text, number):
    assert read_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "", "猫", "三百a", "12", "十百", "二三百", "百百", "十十", "二十十", "五十千", "万亿", "亿亿", "一百二百",
        "一万一万", "三百零", "十零", "零百", "零十", "零五百", "三百零零五", "三百零二十", "一百零五十", "一万零五千",
        "十零五", "百五十", "万五", "廿十", "二廿", "廿卅", "百廿", "二百五万", "一万三亿", "一百五十六七", "一〇十",
    ],
)  # fmt: skip
def test_what_is_no_well_formed_number_is_refused(text):
    with pytest.raises(ValueError, match="."):
        read_number(text)


@pytest.mark.parametrize("number", [-1, 10**16])
def test_numbers_that_have_no_written_form_here(number):
    with pytest.raises(ValueError):
        write_number(number)
