"""Tables of labels beside the pictures: CSV and the like, in the encodings and with the headings that people use."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from shuzi.core import numerals
from shuzi.core.command import Problem
from shuzi.core.text import shown
from shuzi.dataset.sources import charsets

MAX_BYTES = 100_000_000
MAX_ROWS = 2_000_000
PIXEL_COLUMNS = 100  # a table of more columns has a pixel in each
HEADINGS = {
    "label": {
        "label", "labels", "class", "classes", "classname", "category", "target", "character", "char", "value", "digit",
        "number", "numeral", "text", "gt", "标签", "类别", "类", "字", "字符", "汉字", "数字", "标注",
        "標籤", "類別", "數字",
    },
    "code": {"code", "编码", "代码"},
    "writer": {
        "writer", "writerid", "author", "student", "person", "user", "name", "姓名", "学生", "学号", "作者",
        "书写者", "學生",
    },
    "split": {"split", "set", "subset", "part", "usage", "fold", "划分", "数据集"},
}  # fmt: skip
MNIST_COLUMNS = ["suiteid", "sampleid", "code"]


class Table(NamedTuple):
    """What a table says."""

    name: str
    labels: dict[int, str]  # number of an entry -> label
    writers: dict[int, str]
    splits: dict[int, str]
    mnist: dict[tuple[int, int, int], str]  # (suite, sample, code) -> value, where it is Chinese MNIST's own table
    lost: list[str]  # files in it that are not there, or twice


def look(look, number: int, name: str, depth: int) -> None:
    """A file that may be a table: of pixels, or of labels, which is asked once all names are known."""
    from shuzi.dataset.sources import Entry, archives, arrays

    shown_name = look.prefixes[number] + name
    try:
        if name.lower().endswith((".csv", ".tsv")):
            first = next(csv.reader([first_line(look.source.containers[number], name)]), [])
            if len(first) > PIXEL_COLUMNS:
                arrays.look_pixels(look, number, name, first)
                return
        look.tables.append(Entry(number, name))
    except archives.ArchiveError as error:
        look.refuse(shown_name, str(error))
    except (OSError, csv.Error) as error:
        look.refuse(shown_name, f"can't be read: {' '.join(str(error).split())[:100]}")


def first_line(container, name):
    with container.stream(name) as file:
        return file.readline(200_000).decode("utf-8-sig", "replace").replace("\0", "")  # UTF-16 has these


# ---- reading -------------------------------------------------------------------------------------


def read_table(data: bytes, name: str, is_file: Callable[[str], bool], encoding: str = "") -> list[list[str]]:
    """The rows of a CSV, TSV, JSON or text file in any usual encoding, cells stripped.

    is_file: whether a cell names a picture; the separator is the one with which most do.
    """
    text = decoded(data, name, encoding)
    if name.lower().endswith(".json"):
        return json_rows(text)
    best, most = [], -1
    for separator in (",", "\t", ";", "|", " "):
        rows = []
        try:
            if separator == " ":
                rows = [line.split(None, 1) for line in text.splitlines()]
            else:
                rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
        except csv.Error:
            continue
        rows = [[cell.strip().strip("\0") for cell in row] for row in rows[:MAX_ROWS] if any(row)]
        found = sum(len(row) > 1 and any(map(is_file, row)) for row in rows[:200])
        mnist = bool(rows) and [_plain(cell) for cell in rows[0][:3]] == MNIST_COLUMNS
        if found + 1000 * mnist > most:
            best, most = rows, found + 1000 * mnist
    return best


def decoded(data: bytes, name: str, encoding: str = "") -> str:
    """The text of a table: by its byte order mark, or UTF-8, or what fits what is in it."""
    for mark, by_mark in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(by_mark, "replace")
    cells = re.split(rb"([,\t;|\r\n\"]+)", data)
    return "".join(charsets.decode(cells, name, encoding)).encode("utf-8", "replace").decode("utf-8")


def json_rows(text: str) -> list[list[str]]:
    """{file: label}, or a list of such rows -> rows, the first with headings where there are any."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if isinstance(content, dict) and len(content) <= 3:  # wrapped: {"labels": …}
        content = next(
            (value for value in content.values() if isinstance(value, (dict, list)) and len(value) > 1), content
        )
    if isinstance(content, dict):
        return [[str(key), str(value)] for key, value in content.items() if not isinstance(value, (dict, list))]
    if not isinstance(content, list):
        return []
    rows = [row for row in content[:MAX_ROWS] if isinstance(row, (dict, list))]
    headings = [str(key) for key in rows[0]] if rows and isinstance(rows[0], dict) else []
    body = [[row.get(key, "") for key in headings] if isinstance(row, dict) else row for row in rows]
    return ([headings] if headings else []) + [[str(cell) for cell in row] for row in body]


class Files:
    """Finds the entry that a cell of a table names."""

    def __init__(self, names: list[str]):
        self.numbers: dict[str, list[int]] = {}  # every end of a path, with and without the file's ending
        for number, name in enumerate(names):
            plain = name.lower()
            for path in {plain, plain[: plain.rfind(".")] if "." in plain.rpartition("/")[2] else plain}:
                while True:
                    self.numbers.setdefault(path, []).append(number)
                    _, slash, path = path.partition("/")
                    if not slash:
                        break

    def find(self, cell: str) -> list[int]:
        """Numbers of the entries that it may mean: none, one, or several of one name."""
        path = cell.replace("\\", "/").lower().removeprefix("./").strip("/")
        while path:
            if path in self.numbers:
                return self.numbers[path]
            _, _, path = path.partition("/")  # a path on the maker's own disk
        return []


def labels_in(rows: list[list[str]], files: Files, name: str) -> Table | None:
    """What the rows say of the entries; None where it is no table of labels.

    Raises Problem where it may be read in two ways.
    """
    if not rows:
        return None
    if [_plain(cell) for cell in rows[0][:3]] == MNIST_COLUMNS or {*MNIST_COLUMNS, "value"} <= set(
        map(_plain, rows[0])
    ):
        return _mnist(rows, name)
    width = max(map(len, rows))
    rows = [row + [""] * (width - len(row)) for row in rows]
    counts = [sum(len(files.find(row[column])) > 0 for row in rows) for column in range(width)]
    column = max(range(width), key=counts.__getitem__)
    if counts[column] < max(1, len(rows) // 2):
        return None
    headings = [] if files.find(rows[0][column]) else [_plain(cell) for cell in rows[0]]
    body = rows[bool(headings) :]
    others = [i for i in range(width) if i != column]
    by_kind = {kind: [i for i in others if headings and headings[i] in words] for kind, words in HEADINGS.items()}
    label = _label_column(by_kind, others, body, headings, name)
    if label is None:
        return None
    table = Table(name, {}, {}, {}, {}, [])
    contrary = Counter()
    for row in body:
        numbers = files.find(row[column])
        if len(numbers) != 1:
            table.lost.append(row[column])
            continue
        if table.labels.get(numbers[0], row[label]) != row[label]:
            contrary[row[column]] += 1
        table.labels[numbers[0]] = row[label]
        for kind, into in (("writer", table.writers), ("split", table.splits)):
            if len(by_kind[kind]) == 1:
                into[numbers[0]] = row[by_kind[kind][0]]
    if contrary:
        raise Problem(f"{shown(name)} gives {shown(next(iter(contrary)))} two labels; correct it")
    return table


def _label_column(by_kind, others, body, headings, name):
    candidates = by_kind["label"] or ([] if headings and by_kind["code"] else others if len(others) == 1 else [])
    if not candidates and by_kind["code"]:
        raise Problem(
            f"{shown(name)} has codes, and no column of labels; add one with the characters or values, named label"
        )
    if not candidates and not headings:
        candidates = [i for i in others if all(numerals.is_numeral(row[i]) for row in body)]
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    characters = [i for i in candidates if all(numerals.is_numeral(row[i]) and not row[i].isascii() for row in body)]
    if characters:
        return characters[0]  # what can mean one thing only
    as_classes = [[numerals.class_name(row[i]) for row in body] for i in candidates]
    if all(column == as_classes[0] for column in as_classes):
        return candidates[0]
    columns = ", ".join(headings[i] if headings else str(i + 1) for i in candidates)
    raise Problem(f"{shown(name)} has several columns that may be the label ({shown(columns)}); leave one, named label")


def _mnist(rows, name):
    columns = {_plain(heading): i for i, heading in enumerate(rows[0])}
    table = Table(name, {}, {}, {}, {}, [])
    for row in rows[1:]:
        try:
            key = tuple(int(row[columns[heading]]) for heading in MNIST_COLUMNS)
            table.mnist[key] = str(int(row[columns["value"]]))
        except (KeyError, ValueError, IndexError):  # a row that is cut off names no picture
            continue
    return table


def _plain(heading):
    return re.sub(r"[\s_\-.]+", "", heading).lower()
