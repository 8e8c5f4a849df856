"""Which files are meant by the paths that a person gives."""

import os
from collections.abc import Iterable

from shuzi.core.command import Problem
from shuzi.core.files import is_litter
from shuzi.core.text import shown
from shuzi.ink.decode import page_names, split_page


def find_pictures(paths: Iterable[str], outputs: Iterable[str] = ()) -> list[str]:
    """All pictures that the paths mean, sorted: folders with all in them but litter, READMEs and `outputs`.

    A file of several pages gives one for each: `scan.tif#p2`, which `ink.decode.split_page` takes apart.
    outputs: files that this run will write, and the last may have written. Raises Problem, also where one of them is
    named as a picture.
    """
    found, not_these = set(), {os.path.realpath(path) for path in outputs}
    names_of_these = {os.path.basename(path) for path in not_these}  # quicker to ask for than whole paths
    for path in paths:
        if not os.path.lexists(split_page(path)[0]):
            raise Problem(f"{shown(path)}: no such file or folder")
        if not os.path.isdir(path):
            if os.path.realpath(path) in not_these:
                raise Problem(f"{shown(path)}: to be read, and to be written to; choose another name to write to")
            found.add(os.path.normpath(path))
            continue
        seen = set()
        # a folder that can't be opened becomes a row with the reason, as a file that can't be read does
        for folder, folders, names in os.walk(path, onerror=lambda e: found.add(e.filename), followlinks=True):
            place = os.stat(folder)
            if (place.st_dev, place.st_ino) in seen:  # a link back to a folder above, or twice to one
                folders.clear()
                continue
            seen.add((place.st_dev, place.st_ino))
            folders[:] = [name for name in folders if not is_litter(name)]
            for name in names:
                file = os.path.normpath(os.path.join(folder, name))
                hidden = is_litter(name) or name.upper().startswith("README")
                if not hidden and not (name in names_of_these and os.path.realpath(file) in not_these):
                    found.add(file)
    if not found:
        raise Problem(f"{', '.join(map(shown, paths))}: no pictures there; put some in, or name another folder")
    return [name for path in sorted(found) for name in page_names(path)]
