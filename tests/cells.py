"""The cells of cnn.ipynb, so that tests are about its own net and not a copy of it."""

import json

from shuzi.net.notebook import NOTEBOOK, cells


def notebook():
    return json.loads(NOTEBOOK.read_text("utf-8"))


def cell(tag):
    """The source of the cell with this tag."""
    return cells()[tag]
