"""The decision: what each folder, name and table of a source means, for all of it at once.

Where two readings are as good, or two places say different classes, a Problem asks, and names the option that answers.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from shuzi.core import numerals
from shuzi.core.command import Problem
from shuzi.core.text import shown
from shuzi.dataset.sources import names

TRAIN = {"train", "training", "trn", "训练", "訓練"}
VALIDATION = {"val", "valid", "validation", "dev", "验证", "驗證"}
TEST = {"test", "testing", "tst", "eval", "测试", "測試"}
LAYOUT_WORDS = {"class", "writer", "split", "-"}


class Reading(NamedTuple):
    """What a folder says of the pictures in it."""

    level: int | None = None  # which of its parts is the class
    writer: str = ""
    split: str = ""


def split_word(name: str) -> str:
    """train, val or test where a folder's name is that word, else ""."""
    plain = re.sub(r"[\s_\-.]+", "", name).lower()
    plain = re.sub("(set|data|ing|images|imgs|pictures|集|数据)+$", "", plain)
    for kind, words in (("train", TRAIN), ("val", VALIDATION), ("test", TEST)):
        if plain in words or plain + "ing" in words:
            return kind
    return ""


def read_folders(folders: Sequence[tuple[str, ...]], archives: Sequence[int], layout: str = "") -> list[Reading]:
    """What each folder means.

    folders: the parts of each one's path. archives: how many of them are archives' names, or what these are in: no
    class of the user's own. layout: what they are, as a person says, from the source down. Raises Problem.
    """
    if layout:
        return _as_said(folders, layout)
    kinds = {split_word(part) for parts in folders for part in parts}
    is_split = split_word if "test" in kinds and kinds & {"train", "val"} else lambda part: ""
    common = len(os.path.commonprefix([parts for parts in folders if parts]))  # wrapped in outer folders
    levels = [
        [i for i, part in enumerate(parts) if numerals.is_numeral(part) and not is_split(part)] for parts in folders
    ]
    if any(level >= common for found in levels for level in found):
        levels = [[level for level in found if level >= common] for found in levels]
    if any(levels):
        chosen = _numeral_levels(folders, archives, levels, is_split)
    else:
        chosen = _own_levels(folders, archives, common, is_split)
    return _with_writers(folders, archives, chosen, common, is_split)


def _as_said(folders, layout):
    words = [word.strip() or "-" for word in layout.strip("/").split("/")]
    if words.count("class") != 1 or not set(words) <= LAYOUT_WORDS:
        raise Problem(
            f"--layout {shown(layout)}: use class once, and writer, split or - for the other folders: writer/class"
        )
    readings = []
    for parts in folders:
        level = words.index("class")
        said = dict(zip(words, parts))
        split = split_word(said.get("split", ""))
        readings.append(
            Reading(level if level < len(parts) else None, said.get("writer", ""), "train" if split == "val" else split)
        )
    return readings


def _numeral_levels(folders, archives, levels, is_split):
    """Where some folders are named as numerals: those are the classes, and other folders beside them are, too."""
    for parts, found in zip(folders, levels):
        if len({numerals.class_name(parts[level]) for level in found}) > 1:
            one, other = found[0], found[1]
            options = []
            for level in (other, one):
                words = ["split" if is_split(part) else "writer" if i in found else "-" for i, part in enumerate(parts)]
                words[level] = "class"
                options.append("--layout " + "/".join(words[: found[-1] + 1]))
            raise Problem(
                f"{shown('/'.join(parts))}: {shown(parts[one])} or {shown(parts[other])} may be the class; "
                f"say which, from the source down: {options[0]} or {options[1]}"
            )
    around = {parts[: found[0]] for parts, found in zip(folders, levels) if found}
    chosen = []
    for parts, inside, found in zip(folders, archives, levels):
        if found:
            chosen.append(found[0])
            continue
        beside = [i for i in range(inside, len(parts)) if parts[:i] in around and not is_split(parts[i])]
        chosen.append(beside[0] if beside else None)
    return chosen


def _own_levels(folders, archives, common, is_split):
    """Where no folder is named as a numeral: the outermost that differ are classes, unless those below may be."""
    inner = [[i for i, part in enumerate(parts) if i >= common and not is_split(part)] for parts in folders]
    if not any(inner):  # a single folder, or one for each split
        return [None] * len(folders)
    tops, seconds = {}, {}
    for parts, found in zip(folders, inner):
        if found:
            tops.setdefault(parts[found[0]], parts)
        if len(found) > 1:
            seconds.setdefault(parts[found[1]], {})[parts[found[0]]] = parts
    shared = [of_tops for of_tops in seconds.values() if len(of_tops) > 1]
    if len(tops) > 1 and len(seconds) > 1 and shared:
        parts = next(iter(shared[0].values()))
        at = inner[folders.index(parts)]
        options = []
        for level in at[:2]:
            words = ["split" if is_split(part) else "-" for part in parts[: at[1] + 1]]
            words[at[0]] = words[at[1]] = "writer"
            words[level] = "class"
            options.append("--layout " + "/".join(words))
        raise Problem(
            f"{shown('/'.join(parts))}: {shown(parts[at[0]])} or {shown(parts[at[1]])} may be the class; "
            f"say which, from the source down: {options[0]} or {options[1]}"
        )
    return [found[0] if found and found[0] >= inside else None for found, inside in zip(inner, archives)]


def _with_writers(folders, archives, chosen, common, is_split):
    """Folders around the class folders that differ, or else folders in them that recur, are writers."""
    around, below = Counter(), {}
    for parts, level in zip(folders, chosen):
        if level is not None:
            around[_others(parts[:level], common, is_split)] += 1
            inner = _others(parts[level + 1 :], 0, is_split)
            if inner:
                below.setdefault(inner[0], set()).add(numerals.class_name(parts[level]))
    several = len(around) > 1
    ends = Counter(outer[-1] for outer in around if outer)
    recurring = sum(len(classes) > 1 for classes in below.values())
    in_classes = not several and len(below) > 1 and 2 * recurring >= len(below)
    readings = []
    for parts, inside, level in zip(folders, archives, chosen):
        words = [is_split(part) for part in parts if is_split(part)]
        split = "" if not words else "test" if words[0] == "test" else "train"
        writer = ""
        if level is not None and several:
            outer = _others(parts[:level], common, is_split)
            archive = _others(parts[: min(inside, level)], common, is_split)
            if archive and sum(other[: len(archive)] == archive for other in around) == 1:
                outer = archive  # 李四.zip/homework/7: one archive, one student
            writer = "" if not outer else outer[-1] if ends[outer[-1]] == 1 else "/".join(outer)
        elif level is not None and in_classes:
            writer = (_others(parts[level + 1 :], 0, is_split) or ("",))[0]
        readings.append(Reading(level, writer, split))
    return readings


def _others(parts, common, is_split):
    return tuple(part for i, part in enumerate(parts) if i >= common and not is_split(part))


def classes_of_numbers(labels: Iterable[str], where: str, meaning: str = "") -> dict[str, str]:
    """The class that each label means. meaning: of numbers, as --numbers has it. Raises Problem where that matters."""
    labels = list(dict.fromkeys(labels))
    classes = {label: numerals.class_name(label) for label in labels}
    numbers = [label for label in labels if label.isascii() and label.isdigit()]
    if meaning in ("codes", "order"):
        first = 1 if meaning == "codes" else 0
        for label in numbers:
            if not 0 <= int(label) - first < len(numerals.ALL_CLASSES):
                raise Problem(f"{shown(where)}: {label} is no number of a character; {first} to {first + 14} are")
            classes[label] = numerals.ALL_CLASSES[int(label) - first]
        return classes
    others = {int(label) for label in numbers if not numerals.is_numeral(label)}
    if not meaning and others and others <= set(range(11, 16)) and len(others) < len(numbers):
        raise Problem(
            f"{shown(where)}: the numbers go to {max(others)}, so 7 may be 七, or 六, the seventh character of Chinese "
            "MNIST; say what they are: --numbers values (1 is 一), codes (1 is 零, 15 is 亿) or order (0 is 零)"
        )
    return classes


def unusable(cls: str) -> str:
    """Why a name can't be a class, or ""."""
    try:
        if len(cls.encode()) > 200:  # with a number and .png it must still be a file name
            return "its name is too long for a class; rename it"
    except UnicodeEncodeError:
        return "its name is not valid Unicode; rename it, or say its encoding: --encoding"
    if not cls or "/" in cls or cls in (".", "..") or cls.startswith(".") or "\0" in cls:
        return "its name can't be a folder's; rename it"
    return ""


def agree(
    said: Sequence[names.Label | None],
    folder_names: Sequence[str | None],
    by_folder: Sequence[str | None],
    name: Callable,
) -> str:
    """Which tells the class where both folders and files' names do: "folders" or "names". Raises Problem.

    said: of each picture what its name says. folder_names, by_folder: its class folder, and the class that means.
    name: gives a picture's name for the message.
    """
    both = [i for i, label in enumerate(said) if label and label.cls and folder_names[i] is not None]
    differing = [i for i in both if said[i].cls != by_folder[i]]
    if not differing:
        return "folders"
    numeral = any(numerals.value(by_folder[i]) is not None for i in both)
    everyone_says = len(both) == sum(name is not None for name in folder_names)
    if everyone_says and all(said[i].kind == "code" for i in both):
        texts = [folder_names[i] for i in both]
        if all(text.isascii() and text.isdigit() for text in texts):
            for shift in (0, 1):  # sorted by code, or by code from 0
                if all(int(text) + shift == said[i].code for i, text in zip(both, texts)):
                    return "names"
    if everyone_says and not numeral:
        return "names"  # the folders are something else: writers, or batches
    i = differing[0]
    raise Problem(
        f"{shown(name(i))}: its folder says {_said(by_folder[i])}, its name says {_said(said[i].cls)}, "
        f"and so with {len(differing):,} of {len(both):,} pictures; "
        "say which is right: --labels folders or --labels names"
    )


def _said(cls):
    character = numerals.character(cls)
    return shown(cls if cls == character else f"{character} ({cls})")
