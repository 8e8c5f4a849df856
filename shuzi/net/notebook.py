"""Train as cnn.ipynb does: its own cells, run by their tags in this process. Nothing of it is copied."""

import contextlib
import io
import json
from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt

NOTEBOOK = Path(__file__).resolve().parents[2] / "cnn.ipynb"


def cells() -> dict[str, str]:
    """{tag: source} of the cells that have a tag, in order."""
    found = {}
    for cell in json.loads(NOTEBOOK.read_text("utf-8"))["cells"]:
        for tag in cell["metadata"].get("tags", []):
            assert tag not in found, f"two cells with the tag {tag!r}"
            found[tag] = "".join(cell["source"])
    return found


def run_cell(tag: str, names: dict) -> None:
    """Run a cell with these names, which it adds to; what it prints is dropped, what it draws is not shown."""
    plt.switch_backend("agg")
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(cells()[tag], f"cnn.ipynb, {tag}", "exec"), names)
    plt.close("all")


def run_cells_before(tag: str, changes: Mapping[str, Mapping]) -> dict:
    """Run all cells with a tag that come before this one. Returns the names they made.

    changes: {tag: {name: value}} to set after the cell with that tag, such as {"parameters": {"seed": 1}}.
    """
    names: dict = {}
    for each in cells():
        if each == tag:
            return names
        run_cell(each, names)
        names.update(changes.get(each, {}))
    raise KeyError(tag)
