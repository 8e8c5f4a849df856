"""Labels for what the look found: from folders, names or a table, checked against each other over all pictures."""

import os
from collections import Counter
from collections.abc import Sequence

from shuzi.core import numerals
from shuzi.core.command import Problem
from shuzi.core.text import shown
from shuzi.dataset.sources import Look, Picture, layout, names
from shuzi.dataset.sources.folder import PICTURE_ENDINGS, writer_of
from shuzi.dataset.sources.listed import Listed

KINDS = ("folders", "names", "first", "last")


def label(look: Look) -> dict[str, list[Picture]]:
    """The pictures of each class, in no order. What has no class is refused; look.notes says what was decided.

    Raises Problem where that can be read in two ways.
    """
    listed = Listed(look)
    classes: dict[str, list[Picture]] = {}
    if look.entries:
        _label_files(look, listed, classes)
    for cls, picture in look.labelled:
        if reason := layout.unusable(cls):
            look.refuse(picture.name, reason)
        else:
            classes.setdefault(cls, []).append(picture)
    for kind, count in look.found.items():
        look.notes.append(f"labels from {count:,} {kind if count > 1 else kind.replace('s', '', 1)}")
    if look.other_characters:
        look.notes.append(
            f"passed over: {sum(look.other_characters.values()):,} pictures of {len(look.other_characters):,} other "
            "characters in HWDB files; --classes asks for them by name"
        )
    _keep_split(look, classes)
    return classes


def _label_files(look, listed, classes):
    options = look.options
    count = len(look.entries)
    kind = options.labels if options.labels in KINDS else ""
    said = [names.label_of(file) for file in listed.files]
    table = None if kind else _table(look, listed, options.labels)
    certain = table is not None and not options.layout and kind == "" and options.labels != ""
    readings = [layout.Reading()] * len(listed.folders)
    if kind in ("", "folders") and not certain:
        readings = layout.read_folders(listed.folders, listed.archives, options.layout)
    else:
        try:  # for writers and splits alone
            readings = layout.read_folders(listed.folders, listed.archives, options.layout)
        except Problem:
            pass
    of_file = [readings[folder] for folder in listed.folder_of]
    folder_names = [
        None
        if reading.level is None or (kind and kind != "folders") or certain
        else listed.folders[folder][reading.level]
        for reading, folder in zip(of_file, listed.folder_of)
    ]
    by_name = [label.cls if label else None for label in said]
    writers = [label.suite if label else "" for label in said]
    chosen, missing, note = None, "", ""
    if table is not None:
        chosen, missing, note = _by_table(look, listed, table, folder_names, said, certain)
    if chosen is None and any(name is not None for name in folder_names):
        which = "folders" if kind == "folders" else None
        if which is None and any(by_name):
            # by value first: where folders are sorted by code, the names tell, and no question need be asked
            plain = [None if name is None else numerals.class_name(name) for name in folder_names]
            which = layout.agree(said, folder_names, plain, listed.names.__getitem__)
        if which == "names":
            note = _names_note(listed, said, folder_names)
        else:
            meanings = layout.classes_of_numbers(filter(None, folder_names), look.source.root, options.numbers)
            chosen, missing = (
                [None if name is None else meanings[name] for name in folder_names],
                "not in a class folder",
            )
            note = _folders_note(listed, of_file, chosen)
    if chosen is None:
        chosen, missing, name_note = _by_names(look, listed, by_name, kind)
        note = note or name_note
    if note:
        look.notes.append(note)
    refused_folders = set()
    own = Counter()
    for i in range(count):
        cls = chosen[i]
        name = listed.names[i]
        if cls and (reason := layout.unusable(cls)):
            folder = listed.shown_folders[listed.folder_of[i]]
            if folder_names[i] is None:
                look.refuse(name, reason)
            elif folder not in refused_folders:
                refused_folders.add(folder)
                look.refuse(folder, reason)
            continue
        if not cls:
            _refuse(look, i, listed, said[i], missing)
            continue
        own[cls] += numerals.value(cls) is None
        writer = writer_of(listed.files[i]) or writers[i]
        split = of_file[i].split
        if table is not None:
            writer = writer or table.writers.get(i, "")
            split = split or _split(table.splits.get(i, ""))
        entry = look.entries[i]
        picture = Picture(name, entry.container, entry.inner, entry.page or 1, writer or of_file[i].writer, split)
        classes.setdefault(cls, []).append(picture)
    if 0 < sum(count > 0 for count in own.values()) < len(classes):
        mine = [cls for cls in classes if own[cls]]
        look.notes.append(f"classes of your own beside the numerals: {_some(sorted(mine, key=numerals.class_order))}")
    books = [look.name(entry) for entry in look.tables if entry.inner.lower().endswith((".xlsx", ".xls"))]
    _pass_over(look, listed, readings, folder_names)
    if (
        not classes
        and not look.labelled
        and any(os.path.splitext(file)[1].lower() in PICTURE_ENDINGS for file in listed.files)
    ):
        raise Problem(
            f"{shown(look.source.root)} holds pictures, not class folders; "
            "put those of each class into a folder of its own (1, 2, ...) and give the folder around these, "
            "or a table beside them: labels.csv with the columns file,label"
            + "".join(f" (Excel's Save as: CSV makes one of {shown(name)})" for name in books[:1])
        )


def _refuse(look, i, listed, label, missing):
    name, file = listed.names[i], listed.files[i]
    if label and label.kind == "code" and not label.cls:
        look.refuse(name, f"code {label.code} stands for no character; 1 to {len(numerals.ALL_CLASSES)} do")
    elif file.startswith("chinese_mnist."):
        pass  # the same pictures in another format
    elif os.path.splitext(file)[1].lower() in PICTURE_ENDINGS:
        look.refuse(name, missing)
    else:
        look.passed_over.append((look.entries[i].container, look.entries[i].inner))


# ---- each source of labels -----------------------------------------------------------------------


def _table(look, listed, wanted):
    """The table of labels, or None. Raises Problem where there are several."""
    from shuzi.dataset.sources import tables

    if not look.tables and not wanted:
        return None
    found, files = [], tables.Files(listed.names)
    candidates = [(look.name(entry), entry) for entry in look.tables]
    if wanted:
        candidates = [
            pair for pair in candidates if pair[0] == wanted or pair[0].rpartition("/")[2] == os.path.basename(wanted)
        ]
        if not candidates and not os.path.isfile(wanted):
            raise Problem(f"--labels {shown(wanted)}: neither folders, names, first or last, nor a table in the source")
        candidates = candidates[:1] or [(wanted, None)]
    for name, entry in candidates:
        if entry is None:
            with open(wanted, "rb") as file:
                data = file.read(tables.MAX_BYTES)
        else:
            try:
                with look.source.containers[entry.container].stream(entry.inner) as file:
                    data = file.read(tables.MAX_BYTES)
            except OSError as error:
                look.refuse(name, f"can't be read: {error.strerror or error}")
                continue
        rows = tables.read_table(data, name, lambda cell: bool(files.find(cell)), look.options.encoding)
        table = tables.labels_in(rows, files, name)
        if table and (table.labels or table.mnist):
            found.append(table)
            if entry in look.tables:
                look.tables.remove(entry)
        elif wanted:
            raise Problem(f"--labels {shown(wanted)}: no column of files that are in the source, and of their labels")
    if len(found) > 1:
        merged = _merged(found)
        if merged is None:
            raise Problem(
                f"{shown(found[0].name)} and {shown(found[1].name)} give different labels; "
                f"say which is right: --labels {shown(found[0].name)}"
            )
        return merged
    return found[0] if found else None


def _merged(found):
    """Several tables as one, such as train.csv and test.csv; None where they contradict each other."""
    first = found[0]
    for table in found[1:]:
        if any(first.labels.get(i, text) != text for i, text in table.labels.items()):
            return None
        for part in ("train", "test"):
            for one in (first, table):
                if layout.split_word(one.name.rpartition("/")[2].rpartition(".")[0]) == part:
                    one.splits.update(dict.fromkeys(one.labels, part))
        for mine, other in zip(first[1:5], table[1:5]):
            mine.update(other)
        first.lost.extend(table.lost)
    return first._replace(name=", ".join(table.name for table in found))


def _by_table(look, listed, table, folder_names, said, certain):
    """Classes by the table. Raises Problem where the folders say something else."""
    if table.mnist:
        by_table = [None if not label or label.kind != "code" else table.mnist.get(label.key) for label in said]
        by_table = [
            numerals.class_name(text) if text else label.cls if label else None for text, label in zip(by_table, said)
        ]
        other = sum(bool(label) and bool(label.cls) and label.cls != cls for label, cls in zip(said, by_table))
        missing = "not named input_<suite>_<sample>_<code>"
        note = f"labels from {shown(table.name)}"
        if other:
            note += f"; the codes in the names of {other:,} pictures say something else, and the table counts"
    else:
        meanings = layout.classes_of_numbers(table.labels.values(), table.name, look.options.numbers)
        by_table = [meanings.get(table.labels.get(i)) if i in table.labels else None for i in range(len(listed.names))]
        missing = f"not in {table.name}"
        note = f"labels from {shown(table.name)}"
        if table.lost:
            note += f"; {len(table.lost):,} of its rows name no picture, or several: {_some(table.lost)}"
    if certain:
        return by_table, missing, note
    numbered = [name is not None and numerals.is_numeral(name) for name in folder_names]
    differing = [
        i for i, cls in enumerate(by_table) if cls and numbered[i] and numerals.class_name(folder_names[i]) != cls
    ]
    if differing and not (table.mnist and _sorted_by_code(said, folder_names)):
        i = differing[0]
        raise Problem(
            f"{shown(listed.names[i])}: its folder says {shown(folder_names[i])}, {shown(table.name)} says "
            f"{shown(by_table[i])}; so it is with {len(differing):,} of the pictures; "
            f"say which is right: --labels folders or --labels {shown(table.name)}"
        )
    if any(numbered) and not differing:
        return None, "", ""  # they agree: folders tell of those, too, that are not in the table
    strong = [i for i, label in enumerate(said) if label and label.cls and label.kind != "code" and by_table[i]]
    contrary = [i for i in strong if said[i].cls != by_table[i]]
    if contrary:
        i = contrary[0]
        raise Problem(
            f"{shown(listed.names[i])}: its name says {shown(said[i].cls)}, {shown(table.name)} says "
            f"{shown(by_table[i])}; say which is right: --labels names or --labels {shown(table.name)}"
        )
    return by_table, missing, note


def _sorted_by_code(said, folder_names):
    pairs = [(name, label) for name, label in zip(folder_names, said) if name is not None]
    return all(
        label and name.isdigit() and label.kind == "code" and int(name) in (label.code, label.code - 1)
        for name, label in pairs
    )


def _by_names(look, listed, by_name, kind):
    if kind in ("first", "last"):
        return (
            names.part(listed.files, kind == "last"),
            "its name tells no class",
            f"classes by the {kind} part of files' names",
        )
    if any(by_name):
        note = "classes by the characters in the files' names"
        if any(names.MNIST_NAMES.fullmatch(file) for file in listed.files):
            note = "classes by the codes in the files' names, as Chinese MNIST has them"
            return by_name, "not named input_<suite>_<sample>_<code>", note
        return by_name, "its name tells no class", note
    pictures = [i for i, file in enumerate(listed.files) if os.path.splitext(file)[1].lower() in PICTURE_ENDINGS]
    first = (
        names.first_numbers([listed.folder_of[i] for i in pictures], [listed.files[i] for i in pictures])
        if pictures
        else None
    )
    if first:
        by_number = dict(zip(pictures, first))
        example = listed.files[pictures[0]]
        note = f"classes by the number that each file's name begins with: {shown(example)} is {first[0]}"
        return [by_number.get(i) for i in range(len(listed.files))], "its name tells no class", note
    numbered = [names.numbers_in(listed.files[i]) for i in pictures]
    if pictures and all(numbered) and any(len(found) > 1 for found in numbered):
        example = shown(listed.files[pictures[0]])
        raise Problem(
            f"{shown(look.source.root)} has no class folders, and which part of a name such as {example} is the class "
            "is not plain; say it: --labels first or --labels last, or add a table: labels.csv with the columns "
            "file,label"
        )
    return [None] * len(listed.files), "not in a class folder", ""


# ---- what is said --------------------------------------------------------------------------------


def _folders_note(listed, of_file, chosen):
    count = len({cls for cls in chosen if cls})
    writers = {reading.writer for reading, cls in zip(of_file, chosen) if cls and reading.writer}
    noun = "class" if count == 1 else "classes"
    if writers:
        return f"{count} {noun} in {len(writers):,} students' folders, who are the writers: {_some(sorted(writers))}"
    return f"{count} {noun} by the names of folders"


def _names_note(listed, said, folder_names):
    i = next(i for i, label in enumerate(said) if label and label.cls and folder_names[i] is not None)
    if said[i].kind == "code" and folder_names[i].isdigit():
        character = numerals.character(said[i].cls)
        return (
            "classes by the codes in the files' names; the folders are sorted by code, not by value: "
            f"folder {shown(folder_names[i])} is {character}"
        )
    return "classes by the files' names; the folders say something else"


def _split(text):
    word = layout.split_word(text)
    return "train" if word == "val" else word


def _keep_split(look, classes):
    """The split that a set came with counts only where it has both parts."""
    counts = Counter(picture.split for pictures in classes.values() for picture in pictures)
    if counts["train"] and counts["test"]:
        look.notes.append(f"split as it came: {counts['train']:,} pictures to train on, {counts['test']:,} to test on")
    elif counts["train"] or counts["test"]:
        for cls, pictures in classes.items():
            classes[cls] = [picture._replace(split="") for picture in pictures]


def _pass_over(look, listed, readings, folder_names):
    """What is no picture: refused in class folders, else counted and named."""
    class_folders = {
        (entry.container, entry.inner.rpartition("/")[0]): name
        for entry, name in zip(look.entries, folder_names)
        if name is not None
    }
    beside = []
    for container, inner in [*look.passed_over, *((entry.container, entry.inner) for entry in look.tables)]:
        name = look.prefixes[container] + inner
        folder = container, inner.rpartition("/")[0]
        if folder in class_folders:
            look.refuse(name, "not a picture", numerals.class_name(class_folders[folder]))
        else:
            beside.append(name)
    look.passed_over.clear()
    look.tables.clear()
    if beside:
        noun = "file that is no picture" if len(beside) == 1 else "files that are no pictures"
        look.notes.append(f"passed over: {len(beside):,} {noun}: {_some(sorted(beside))}")


def _some(texts: Sequence[str]) -> str:
    return shown(", ".join(texts[:3])) + (", …" if len(texts) > 3 else "")
