"""Text that people and spreadsheets see: names in one line, lists of them, their order, cells of a CSV."""

import re

# what a spreadsheet would run, behind any number of apostrophes
FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
DIGITS = re.compile("[0-9]+")


def shown(text: str) -> str:
    """A name as one printable line: newlines, control and undecodable characters are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def split_names(text: str) -> list[str]:
    """Names with commas between them, Chinese ones too -> a list of names."""
    return [name.strip() for name in re.split("[,，、]", text) if name.strip()]


def natural(text: str) -> tuple[str, str]:
    """Sort key: `a2` before `a10`. Any two different texts have different keys."""
    return (DIGITS.sub(_number_key, text), text)


def _number_key(match):
    digits = match.group().lstrip("0")
    return f"{len(digits):03d}{digits}"


# A CSV that a person may open is written as "utf-8-sig": by the byte order mark Excel knows UTF-8.


def to_cell(text: str) -> str:
    """Text for a CSV cell: never a formula to a spreadsheet (`from_cell` undoes this), and valid UTF-8."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "'" + text if FORMULA.match(text) else text


def from_cell(cell: str) -> str:
    """The text that `to_cell` was given."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
