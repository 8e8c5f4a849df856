"""Coverage-guided fuzzing of how names, tables, .gnt, IDX, zips and tars are read (`make fuzz`; needs atheris).

Anything but a decision, a Problem or a refusal with a reason of one line is a finding; atheris then writes the input to
a file named crash-*. `test_sources_fuzz.py` tries a few thousand inputs without atheris.

    python tests/dataset/fuzz_sources.py -max_total_time=60
"""

import os
import struct
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

from shuzi.core.command import Problem
from shuzi.dataset.sources import Options, names, read_source
from shuzi.dataset.sources.charsets import decode

KINDS = [
    "names",
    "labels.csv",
    "1001-c.gnt",
    "train-images-idx3-ubyte",
    "set.zip",
    "set.tar",
    "labels.json",
    "pixels.csv",
]
BAD = set('\0\\:*?"<>|\r\n')


def try_input(data: bytes, folder: str) -> None:
    """One input: the first byte says what it is. folder: to write it into, empty."""
    kind = KINDS[data[0] % len(KINDS)] if data else "names"
    data = data[1:]
    try:
        if kind == "names":
            for encoding in ("", "gbk", "utf-8"):
                for text in decode(data.split(b"\n"), "x", encoding):
                    names.label_of(text)
                    names.first_numbers([0], [text])
            _lay(folder, data)
        else:
            for name in ("a.png", "7_1.png"):
                Path(folder, name).touch()
            Path(folder, kind).write_bytes(data)
            if kind.startswith("train-"):
                Path(folder, "train-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 2049, 2) + b"\1\2")
        _look(folder)
    except Problem as problem:
        assert str(problem) and "\n" not in str(problem)


def _lay(folder, data):
    for line in data.decode("utf-8", "surrogateescape").split("\n")[:20]:
        parts = [part for part in line.split("/") if part not in ("", ".", "..") and not BAD & set(part)]
        if parts and len(os.fsencode(line)) < 200:
            try:
                path = Path(folder, *parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            except OSError:  # a file where a folder is needed
                continue


def _look(folder):
    def refuse(name, reason, cls=None):
        assert reason and "\n" not in reason

    source, classes, notes = read_source([folder], Options(), refuse)
    for cls, pictures in classes.items():
        assert cls and "/" not in cls and "\0" not in cls
        for picture in pictures[:20]:
            try:
                source.state(picture)
                opened = source.open(picture)
                if hasattr(opened, "close"):
                    opened.close()
            except OSError:
                continue


def seeds() -> list[bytes]:
    """An input of each kind, for the fuzzer to start from."""
    import io
    import tarfile
    import zipfile

    gnt = struct.pack("<I2sHH", 14, "七".encode("gbk"), 2, 2) + bytes(4)
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("一/a.png", b"x")
        archive.writestr("b.zip", b"PK")
    with tarfile.open(fileobj=tarred, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("1/a.png"))
    contents = [
        "张三/七/1.png\ntrain/1/a.png\ntest/一/input_1_1_2.jpg\n3-07.jpg".encode(),
        "file,label\na.png,七\n7_1.png,3\n".encode(),
        gnt * 2,
        struct.pack(">4I", 2051, 2, 2, 2) + bytes(8),
        zipped.getvalue(),
        tarred.getvalue(),
        b'{"a.png": "7", "7_1.png": 3}',
        (",".join(f"pixel_{i}" for i in range(121)) + ",label\n" + ",".join("7" * 121) + ",7\n").encode(),
    ]
    return [bytes([kind]) + content for kind, content in enumerate(contents)]


def one_input(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try_input(bytes(data), folder)


def main():
    try:
        import atheris
    except ImportError:
        sys.exit("fuzz_sources.py needs atheris: pip install atheris (Linux or macOS)")
    atheris.instrument_all()
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(seeds()):
            Path(folder, str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], "-timeout=10", "-rss_limit_mb=2048", *sys.argv[1:], folder], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
