"""The names of all files that a look found, as text, and their folders, each once."""

from shuzi.dataset.sources import charsets


class Listed:
    """The files of a look, their folders read; names on disks and in tars in an old encoding become text."""

    def __init__(self, look):
        self.names = [look.name(entry) for entry in look.entries]
        odd = [i for i, name in enumerate(self.names) if not name.isascii()]
        if not any(_may_be_bytes(self.names[i]) for i in odd):
            odd = []
        raws = [self.names[i].encode("utf-8", "surrogateescape") for i in odd]
        texts = charsets.decode(raws, look.source.root, look.options.encoding)
        if any(map(_is_bytes, texts)):  # no encoding fits all: those that are text stay so
            odd = [i for i in odd if _is_bytes(self.names[i])]
            raws = [self.names[i].encode("utf-8", "surrogateescape") for i in odd]
            texts = charsets.decode(raws, look.source.root, look.options.encoding)
        for i, text in zip(odd, texts):
            self.names[i] = text
        self.files = [
            (name.removesuffix(f"#p{entry.page}") if entry.page else name).rpartition("/")[2]
            for name, entry in zip(self.names, look.entries)
        ]
        changed = set(odd)
        numbers: dict[tuple, int] = {}
        self.folders: list[tuple[str, ...]] = []  # the parts of each
        self.archives: list[int] = []
        self.shown_folders: list[str] = []
        self.folder_of: list[int] = []  # of each file
        for i, entry in enumerate(look.entries):
            folder = entry.inner.rpartition("/")[0]
            key = entry.container, folder
            if key not in numbers:
                numbers[key] = len(numbers)
                parts = look.parts(entry.container, folder)
                if i in changed:
                    below = self.names[i][len(look.prefixes[entry.container]) :].rpartition("/")[0]
                    parts = look.parts(entry.container, below)
                self.folders.append(parts)
                self.archives.append(look.inside[entry.container])
                self.shown_folders.append(self.names[i].rpartition("/")[0])
            self.folder_of.append(numbers[key])


def _is_bytes(name):
    return any("\udc80" <= character <= "\udcff" for character in name)


def _may_be_bytes(name):
    """Whether it holds bytes, or letters that bytes in an old encoding may pass for in UTF-8."""
    return any("\udc80" <= character <= "\udcff" or "\x80" <= character < "\u0800" for character in name)
