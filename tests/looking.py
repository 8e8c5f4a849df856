"""What the tests of sources share: sets of empty files laid out as their makers do, and the decision about them."""

import os

import pytest

from shuzi.core.command import Problem
from shuzi.dataset.sources import Options, read_source

CHARACTERS = "零一二三四五六七八九十百千万亿"
VALUES = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "100", "1000", "10000", "100000000"]
TEN = [str(number) for number in range(1, 11)]


def lay(root, names, content=b"x"):
    """Empty files of these names below root."""
    for name in names:
        path = os.path.join(os.fspath(root), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
    return root


def look(*paths, **options):
    """-> {name: (class, writer, split)}, the notes as one text, and {name: reason} of what was refused."""
    refused = {}
    options["classes"] = frozenset(options.get("classes", ()))
    _, classes, notes = read_source(
        [str(path) for path in paths], Options(**options), lambda name, reason, cls=None: refused.update({name: reason})
    )
    found = {p.name: (cls, p.writer, p.split) for cls, pictures in classes.items() for p in pictures}
    return found, "\n".join(notes), refused


def classes(found):
    return {name: cls for name, (cls, _, _) in found.items()}


def asked(*paths, **options):
    """The one line with which the program asks, or gives up."""
    with pytest.raises(Problem) as caught:
        look(*paths, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)
