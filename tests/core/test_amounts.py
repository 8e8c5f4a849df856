"""Amounts of money, written and read back."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuzi.core.amounts import LARGEST, is_amount, read_amount, write_amount, write_capitals
from shuzi.core.numerals import read_number

AMOUNTS = st.integers(0, 10**18 - 1).map(lambda cents: Decimal(cents).scaleb(-2))


@pytest.mark.parametrize(
    "amount, text",
    [
        ("2005.30", "贰仟零伍元叁角整"),
        ("0", "零元整"),
        ("0.05", "伍分"),
        ("0.35", "叁角伍分"),
        ("10", "壹拾元整"),
        # the examples of the People's Bank's rules for cheques (正确填写票据和结算凭证的基本规定)
        ("1409.50", "壹仟肆佰零玖元伍角整"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("1680.32", "壹仟陆佰捌拾元叁角贰分"),
        ("107000.53", "壹拾万柒仟元伍角叁分"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("325.04", "叁佰贰拾伍元零肆分"),
    ],
)
def test_amounts_of_cheques(amount, text):
    assert write_amount(Decimal(amount)) == text
    assert read_amount(text) == Decimal(amount)


@pytest.mark.parametrize(
    "text, amount",
    [
        ("壹仟陆佰捌拾元零叁角贰分", "1680.32"),  # both ways are in those rules
        ("壹拾万零柒仟元伍角叁分", "107000.53"),
        ("伍圆正", "5"),
        ("二十块五毛", "20.5"),
        ("伍元叁分", "5.03"),
        ("廿元", "20"),
        ("两元", "2"),
        ("十元整", "10"),
    ],
)
def test_other_ways_to_write(text, amount):
    assert read_amount(text) == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    [
        "", "整", "元", "元整", "角", "二〇二六", "叁佰", "伍元叁", "伍元伍元", "伍角伍元", "伍分叁角", "拾角",
        "拾伍角", "零角", "伍元零角", "伍元零叁角", "伍元零零叁分", "叁角零伍分", "伍分整", "整伍元", "伍元整整",
        "二〇二六元", "二百五元", "一万三元", "百元", "十百元", "猫元", "伍元猫", "三百零元", "伍元 整",
    ],
)  # fmt: skip
def test_what_is_no_well_formed_amount_is_refused(text):
    with pytest.raises(ValueError, match="."):
        read_amount(text)


@settings(max_examples=300, deadline=None)
@given(AMOUNTS, st.booleans())
def test_any_amount_is_written_and_read_back(amount, capitals):
    text = write_amount(amount, capitals)
    read = read_amount(text)
    assert isinstance(read, Decimal) and read == amount and read.as_tuple().exponent == -2
    assert is_amount(text)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**16 - 1))
def test_any_number_in_capitals_is_read_back(number):
    text = write_capitals(number)
    assert read_number(text) == number and not set(text) & set("一二三四五六七八九十百千")


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="零一二伍玖十拾佰万元圆角分整正", max_size=9))
def test_any_row_of_characters_is_one_amount_or_none(text):
    try:
        amount = read_amount(text)
    except ValueError as error:
        assert str(error)
    else:  # what is accepted means the same, written in the standard form
        assert read_amount(write_amount(amount)) == amount


@pytest.mark.parametrize("amount", [Decimal("-1"), LARGEST + 1, Decimal("0.001"), Decimal("NaN")])
def test_amounts_that_have_no_written_form(amount):
    with pytest.raises((ValueError, ArithmeticError)):
        write_amount(amount)
