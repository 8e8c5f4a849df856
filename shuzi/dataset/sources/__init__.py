"""Whatever a set comes in -> its pictures by class. docs/sources.md says what is read, and how.

`read_source` takes one look at everything first, at all names, archives in archives, tables and the heads of
other sets' files, and decodes no picture. Then it decides once what the names mean (`layout.py`), says so, and where
two readings are as good, or names and folders contradict each other, raises a Problem that asks. A folder of class
folders needs `folder.py` alone; every other module here is imported where what it reads is met.
"""

import importlib
import os
import re
from collections import Counter
from collections.abc import Callable
from glob import glob, has_magic
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from shuzi.core import numerals
from shuzi.core.command import Problem
from shuzi.core.text import natural, shown
from shuzi.dataset.sources.folder import PICTURE_ENDINGS, Folder, class_folders, writer_of

if TYPE_CHECKING:
    import numpy as np  # a re-run need not wait for it

MAX_DEPTH = 5  # of archives in archives


class Pages(NamedTuple):
    """How whole pages are read, by `shuzi/dataset/pages.py`, where there are any."""

    out: str  # raw_data: where cells are kept, and what was taken from each page is shown
    jobs: int = 1
    shape: tuple[int, int] | None = None  # rows and columns of ruled pages; None for forms alone
    columns: tuple[str, ...] = ()  # the class of each column, "-" for those that are not used; or
    rows: tuple[str, ...] = ()  # of each row


class Options(NamedTuple):
    """What a person decides where a source can be read in two ways; the options of datapro.py."""

    classes: frozenset[str] = frozenset()  # only these; all where empty
    labels: str = ""  # folders, names, first, last, or a table
    layout: str = ""  # what the folders from the source down are, such as writer/class
    numbers: str = ""  # what numbers stand for: values, codes, order
    encoding: str = ""  # of names in archives and on disks of other systems
    pages: Pages | None = None  # None: no picture is taken for a page


class Picture(NamedTuple):
    """A picture of a source, not yet opened."""

    name: str  # its path in the source, with / between the parts, and #page or #row
    container: int  # of Source.containers
    inner: str | int  # its name or row in that
    page: int = 1
    writer: str = ""  # who wrote it, where known
    split: str = ""  # train or test, where the set came split


class Source:
    """What pictures are read from. It goes to the workers, which open files and archives for themselves."""

    def __init__(self, root: str):
        self.root = root  # as the person named it
        self.containers: list = []

    def state(self, picture: Picture) -> tuple[int, str]:
        """Size in bytes, and a text that changes when the picture does. Raises OSError."""
        return self.containers[picture.container].state(picture.inner)

    def open(self, picture: Picture) -> "BinaryIO | np.ndarray":
        """A binary file, or the pixels themselves where a set keeps those. Raises OSError."""
        return self.containers[picture.container].open(picture.inner)


class Entry(NamedTuple):
    """A file that may be a picture, as the first look finds it."""

    container: int
    inner: str
    page: int = 0  # of several in the file, from 1; 0 where it holds one


class Look:
    """One look at everything in the sources, before anything is decided."""

    def __init__(self, source: Source, options: Options, refuse: Callable):
        self.source = source
        self.options = options
        self.refuse = refuse  # called with the name, the reason and, where known, the class
        self.prefixes: list[str] = []  # of each container: what comes before its names where people see them
        self.levels: list[tuple[str, ...]] = []  # and the folders that it is in, an archive's name among them
        self.inside: list[int] = []  # how many of these are archives, or hold one
        self.entries: list[Entry] = []
        self.tables: list[Entry] = []  # CSV and the like, which may hold labels
        self.labelled: list[tuple[str, Picture]] = []  # (class, picture) of sets that bring their labels
        self.found: Counter[str] = Counter()  # how many of these there are, by their kind
        self.passed_over: list[tuple[int, str]] = []  # (container, name) of files of a kind that holds no pictures
        self.other_characters: Counter[bytes] = Counter()  # of HWDB, which are not asked for
        self.notes: list[str] = []

    def add(self, container, prefix: str, levels: tuple[str, ...], inside: int = 0, depth: int = 0) -> None:
        """Lists what is in a container, and in those that are in it."""
        number = self.place(container, prefix, levels, inside)
        for name in container.names(lambda name, reason: self.refuse(prefix + name, reason)):
            if name.endswith(".strokes.json"):  # beside a drawing of pad.py --collect, the pen's track
                continue
            module = special(name)
            if module is None:
                self.entries.append(Entry(number, name))
            elif depth > MAX_DEPTH:
                self.refuse(prefix + name, f"an archive in more than {MAX_DEPTH} others")
            else:
                importlib.import_module(f"{__name__}.{module}").look(self, number, name, depth)

    def place(self, container, prefix: str = "", levels: tuple[str, ...] = (), inside: int = 0) -> int:
        """Adds a container of pictures; gives its number."""
        self.source.containers.append(container)
        self.prefixes.append(prefix)
        self.levels.append(levels)
        self.inside.append(inside)
        return len(self.source.containers) - 1

    def name(self, entry: Entry) -> str:
        """As people see it."""
        return self.prefixes[entry.container] + entry.inner + (f"#p{entry.page}" if entry.page else "")

    def parts(self, container: int, folder: str) -> tuple[str, ...]:
        """The names of a folder and of those that it is in, from the source down."""
        return self.levels[container] + (tuple(folder.split("/")) if folder else ())

    def classes_of_numbers(self, labels: list[str], where: str) -> dict[str, str]:
        """The class that each label means."""
        from shuzi.dataset.sources.layout import classes_of_numbers

        return classes_of_numbers(labels, where, self.options.numbers)


# Endings of what isn't a picture by itself -> the module here that looks into it
SPECIAL = {
    ".zip": "archives", ".tar": "archives", ".tgz": "archives", ".tbz2": "archives", ".txz": "archives",
    ".gz": "archives", ".bz2": "archives", ".xz": "archives", ".rar": "archives", ".7z": "archives",
    ".gnt": "gnt", ".pot": "other", ".npz": "arrays", ".npy": "arrays", ".idx": "arrays",
    ".csv": "tables", ".tsv": "tables", ".txt": "tables", ".json": "tables", ".xlsx": "tables", ".xls": "tables",
    ".tif": "pages", ".tiff": "pages", ".gif": "pages", ".pdf": "pages",
}  # fmt: skip
SPECIAL |= dict.fromkeys(
    (".md", ".doc", ".docx", ".ppt", ".pptx", ".html", ".htm", ".py", ".ipynb", ".m", ".mat", ".h5", ".hdf5", ".xml",
     ".yml", ".yaml", ".toml", ".log", ".lnk", ".url", ".exe", ".mp3", ".mp4", ".mov", ".db", ".ini", ".pth", ".keras"),
    "other",
)  # fmt: skip
IDX_NAME = re.compile(r".*[.-]idx[1-4][-_.]?ubyte(\.gz)?", re.IGNORECASE)


def special(name: str) -> str | None:
    """The module that looks into a file of this name; None for a picture, which most are."""
    ending = os.path.splitext(name)[1].lower()
    if IDX_NAME.fullmatch(name):
        return "arrays"
    return SPECIAL.get(ending)


HINT = re.compile("input_|locate{|class|label|digit|[^\0-\x7f]", re.IGNORECASE)  # a file's name may tell a class


def read_source(
    paths: list[str], options: Options, refuse: Callable
) -> tuple[Source, dict[str, list[Picture]], list[str]]:
    """Looks at the sources and decides what their names mean.

    paths: folders, archives and files. refuse: called with the name, the reason and, where known, the class of what
    can't be used. Returns what the pictures are read from, the pictures of each class in their order, and lines that
    say what was decided. Raises Problem, OSError.
    """
    paths = expanded(paths)
    look = Look(Source(", ".join(paths)), options, refuse)
    for path in paths:
        _add_root(look, path, paths)
    cells = []
    if options.pages and (options.pages.shape or any("/" not in entry.inner for entry in look.entries)):
        from shuzi.dataset import pages

        cells = pages.take(look, options.pages)
    classes = _plain(look) if not any(options[1:4]) else None
    if classes is None:
        from shuzi.dataset.sources.labels import label

        classes = label(look)
    else:
        look.notes.append(f"{len(classes)} {'class' if len(classes) == 1 else 'classes'} by the names of folders")
    _add_empty(look, classes)
    if cells:
        pages.add(look, classes, cells, options.pages)
    if options.classes:
        classes = _only(classes, options.classes, look.source.root)
    return (
        look.source,
        {cls: sorted(classes[cls], key=_in_order) for cls in sorted(classes, key=numerals.class_order)},
        look.notes,
    )


def expanded(paths: list[str]) -> list[str]:
    """Wildcards that the shell left as they are, as Windows does, become what they match. Raises Problem."""
    found = []
    for path in paths:
        if os.path.lexists(path) or not has_magic(path):
            found.append(path)
        elif not (matches := sorted(glob(path), key=natural)):
            raise Problem(f"nothing matches {shown(path)}; give a folder, an archive or other files of a set")
        else:
            found += matches
    return found


class _File(Folder):
    """A file that is a source by itself."""

    def __init__(self, path):
        super().__init__(os.path.dirname(path) or ".")
        self.file = os.path.basename(path)

    def names(self, refuse):
        yield self.file


def _add_root(look, path, paths):
    name = os.path.basename(os.path.normpath(path))
    if sum(os.path.basename(os.path.normpath(other)) == name for other in paths) > 1:
        name = os.path.normpath(path).replace(os.sep, "/").lstrip("/")
    several = len(paths) > 1
    if os.path.isdir(path):
        look.add(Folder(path), f"{name}/" if several else "", (name.rpartition("/")[2],) if several else ())
    elif not os.path.exists(path):
        raise Problem(f"no such folder or file: {shown(path)}; give a folder of class folders, or an archive of one")
    elif special(name) not in (None, "archives") or (
        look.options.pages and os.path.splitext(name)[1].lower() in PICTURE_ENDINGS
    ):
        look.add(_File(path), "", ())
    else:
        from shuzi.dataset.sources import archives

        container = archives.root(path, look.options.encoding)
        stem = archives.stem(name.rpartition("/")[2])
        look.add(container, f"{name}/" if several else "", (stem,) if several else (), int(several))


def _plain(look):
    """{class: pictures} where all is plain folders of numerals in one folder; None where names need more thought."""
    if (
        len(look.source.containers) > 1
        or look.tables
        or look.passed_over
        or not isinstance(look.source.containers[0], Folder)
    ):
        return None
    split = [entry.inner.rpartition("/") for entry in look.entries]
    by_folder = class_folders(list({tuple(folder.split("/")) if folder else () for folder, _, _ in split}))
    if by_folder is None or any(not folder or HINT.search(file) for folder, _, file in split):
        return None
    classes = {}
    for entry, (folder, _, file) in zip(look.entries, split):
        picture = Picture(look.name(entry), 0, entry.inner, entry.page or 1, writer_of(file))
        classes.setdefault(by_folder[folder,], []).append(picture)
    return classes


def _add_empty(look, classes):
    """Class folders without any picture."""
    for prefix, container in zip(look.prefixes, look.source.containers):
        for folder in getattr(container, "empty", ()):
            cls = numerals.class_name(folder.rpartition("/")[2])
            if cls not in classes and numerals.value(cls) is not None:
                look.refuse(prefix + folder, "a class folder without pictures", cls)
                if classes:
                    classes[cls] = []


def _only(classes, wanted, where):
    missing = sorted(wanted - set(classes), key=numerals.class_order)
    if missing:
        has = shown(", ".join(sorted(classes, key=numerals.class_order)[:30])) or "none"
        raise Problem(f"no class {shown(', '.join(missing))} in {shown(where)}; it has {has}")
    return {cls: pictures for cls, pictures in classes.items() if cls in wanted}


def _in_order(picture):
    return natural(picture.name)
