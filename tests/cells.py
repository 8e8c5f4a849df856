"""The cells of cnn.ipynb by their tags, so that tests are about its own net and not a copy of it."""

import json

from common import PROJECT

NOTEBOOK = PROJECT / "cnn.ipynb"


def notebook():
    return json.loads(NOTEBOOK.read_text("utf-8"))


def cell(tag):
    """The source of the cell with this tag."""
    found = [here for here in notebook()["cells"] if tag in here["metadata"].get("tags", [])]
    assert len(found) == 1, f"{len(found)} cells with the tag {tag!r}"
    return "".join(found[0]["source"])
