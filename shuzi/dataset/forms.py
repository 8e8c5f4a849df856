"""How a form is laid out: cells to write in, markers to find them by, a code that says what belongs in them.

`forms_pdf.py` draws it, `cells_form.py` reads it; both take every length from here. Lengths are millimetres from the
page's upper left corner.
"""

import functools
from collections import namedtuple

import numpy as np

from shuzi.core.files import Problem, shown
from shuzi.core.numerals import class_order
from shuzi.dataset.page_code import COLUMNS, PAPERS, ROWS, CodeError, Page, encode

SIZES = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
EDGE = 10.0  # from the paper's edge to the markers: printers leave up to 6 white
MARKER = 8.0  # side of a marker
INSIDE = 23.0  # from the paper's edge to the cells, at the left and right
TOP, FOOT = 47.0, 23.0  # from the paper's upper and lower edge to the cells
CODE = 1.0  # side of a module of the code
ACROSS = 10  # cells in a row, at most
LARGEST = 20.0  # from one cell to the next, at most
GAP = 2.6  # between two cells, so that writing over the lines has room
LABEL = 3.4  # side of the character in a cell's corner
MOST_EACH, MOST_WRITERS, MOST_PAGES = 200, 999, 200
DICTIONARY = "DICT_5X5_50"

# One cell of a page: row and column from 1; box: left, top, right, bottom; traced: its character is there to trace
Cell = namedtuple("Cell", "row column box name traced")


def pages(classes, each=5, writers=1, paper="a4", trace=False, run=0):
    """All Pages to print, writer by writer. One writer alone has no number: whoever gets a copy. Raises Problem."""
    classes = tuple(sorted(classes, key=class_order))
    if not 1 <= each <= MOST_EACH:
        raise Problem(f"--each must be 1 to {MOST_EACH}")
    if not 1 <= writers <= MOST_WRITERS:
        raise Problem(f"--writers must be 1 to {MOST_WRITERS}")
    if paper not in PAPERS:
        raise Problem(f"--paper must be {' or '.join(PAPERS)}, not {shown(paper)}")
    count = -(-len(classes) * each // per_page(paper, each))
    if count > MOST_PAGES:
        raise Problem(f"that is {count} pages for one writer; take fewer classes, or a smaller --each")
    result = []
    for writer in range(writers):
        for number in range(count):
            result.append(Page(paper, classes, each, trace, number + 1, writer + 1 if writers > 1 else 0, run))
    try:
        encode(result[0])
    except CodeError as error:
        raise Problem(str(error)) from None
    return result


@functools.cache
def _rows_columns(paper, each):
    """Rows and columns of cells on a page, and their distance; a row holds whole classes, if they fit."""
    width, height = SIZES[paper]
    columns = ACROSS // each * each if each <= ACROSS else ACROSS
    pitch = min((width - 2 * INSIDE) / columns, LARGEST)
    return int((height - TOP - FOOT + GAP) / pitch), columns, pitch


def per_page(paper, each):
    rows, columns, _ = _rows_columns(paper, each)
    return rows * columns


def cells(page):
    """The Cells of a page, in the order in which they are written."""
    rows, columns, pitch = _rows_columns(page.paper, page.each)
    left = (SIZES[page.paper][0] - columns * pitch + GAP) / 2
    first = (page.page - 1) * rows * columns
    result = []
    for number in range(first, min(first + rows * columns, len(page.classes) * page.each)):
        row, column = divmod(number - first, columns)
        x, y = left + column * pitch, TOP + row * pitch
        name = page.classes[number // page.each]
        box = (x, y, x + pitch - GAP, y + pitch - GAP)
        result.append(Cell(row + 1, column + 1, box, name, page.trace and number % page.each == 0))
    return result


def pitch(page):
    """From one cell to the next."""
    return _rows_columns(page.paper, page.each)[2]


@functools.cache
def markers(paper):
    """{id: corners float (4, 2)} of a page's markers, each from its upper left corner.

    Ids up to AROUND go clockwise round the page from its upper left corner; two more are beside the code.
    """
    width, height = SIZES[paper]
    xs = np.linspace(EDGE, width - EDGE - MARKER, 4)
    ys = np.linspace(EDGE, height - EDGE - MARKER, 5)
    places = [(x, ys[0]) for x in xs] + [(xs[-1], y) for y in ys[1:]]
    places += [(x, ys[-1]) for x in xs[-2::-1]] + [(xs[0], y) for y in ys[-2:0:-1]]
    x, y = code_origin(paper)
    places += [(x - MARKER - 1.5, y + 4), (x + COLUMNS * CODE + 2.5, y + 4)]
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * MARKER
    return {number: square + place for number, place in enumerate(places)}


AROUND = 14
CORNERS = {0: "upper left", 3: "upper right", 7: "lower right", 10: "lower left"}  # ids of the markers there


def code_origin(paper):
    """Where the page's code has its upper left corner."""
    return SIZES[paper][0] - INSIDE - COLUMNS * CODE, 22.5


def code_centres(paper):
    """The middle of each module of the code: float (ROWS, COLUMNS, 2)."""
    x, y = np.meshgrid(np.arange(COLUMNS) + 0.5, np.arange(ROWS) + 0.5)
    return np.stack([x, y], -1) * CODE + code_origin(paper)


def writer_name(page):
    """The writer of a page as a file's name has it; empty where its form has no number."""
    return f"writer-{_letters(page.run)}{page.writer:02d}" if page.writer else ""


def _letters(run):
    """A printing's number as letters, which nobody takes for the writer's."""
    letters = "abcdefghjkmnpqrstuvwxyz"  # without i, l and o
    text = ""
    for _ in range(3):
        run, letter = divmod(run, len(letters))
        text = letters[letter] + text
    return text
