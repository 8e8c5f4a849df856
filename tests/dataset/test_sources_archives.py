"""Zips and tars of every origin, and those that mean no good."""

import io
import os
import struct
import tarfile
import tempfile
import zipfile

import pytest
from looking import TEN, asked, classes, lay, look

from shuzi.dataset.sources import archives

NAMES = [f"{name}/{i}.png" for name in "一二三四五六七八九十" for i in range(2)]


def raw_zip(path, names, flags=0, content=b"x", method=0, system=0):
    """A zip as other systems write it: names as bytes, without the flag for UTF-8."""
    body, directory = b"", b""
    for name in names:
        head = struct.pack("<5H3I2H", 20, flags, method, 0, 0x21, 0x8CDC1683, len(content), len(content), len(name), 0)
        directory += (
            struct.pack("<4sBB", b"PK\1\2", 20, system) + head + struct.pack("<3HII", 0, 0, 0, 0, len(body)) + name
        )
        body += b"PK\3\4" + head + name + content
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, len(names), len(names), len(directory), len(body), 0)
    path.write_bytes(body + directory + end)
    return path


def zipped(path, names, content=b"x"):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("encoding", ["gbk", "big5", "shift_jis", "utf-8"])
@pytest.mark.parametrize("outer", ["", "数字/"])
def test_names_without_their_encoding(tmp_path, encoding, outer):
    outer = outer and {"big5": "數字/", "shift_jis": "表/"}.get(
        encoding, outer
    )  # 十 and 表 have a 0x5C byte in Shift-JIS
    path = raw_zip(tmp_path / "set.zip", [(outer + name).encode(encoding) for name in NAMES])
    found, _, refused = look(path)
    assert set(found) == {outer + name for name in NAMES} and not refused
    assert classes(found)[outer + "七/1.png"] == "7" and classes(found)[outer + "十/0.png"] == "10"


def test_a_backslash_byte_in_big5(tmp_path):
    path = raw_zip(tmp_path / "set.zip", [f"功課/{cls}/許.png".encode("big5") for cls in "一二三"])
    assert classes(look(path)[0]) == {f"功課/{cls}/許.png": str(i) for i, cls in enumerate("一二三", 1)}


def test_an_encoding_that_names_do_not_tell(tmp_path):
    path = raw_zip(tmp_path / "set.zip", [f"{cls}/a.png".encode("gbk") for cls in ("丶丿", "乂乜")])
    line = asked(path)
    assert "--encoding gbk" in line and "--encoding" in line.split("--encoding gbk")[1]
    assert set(classes(look(path, encoding="gbk")[0]).values()) == {"丶丿", "乂乜"}


def test_western_names(tmp_path):
    path = raw_zip(
        tmp_path / "set.zip", [f"{who}/{cls}/a.png".encode("cp437") for who in ("José", "Zoë") for cls in TEN]
    )
    assert {writer for _, writer, _ in look(path)[0].values()} == {"José", "Zoë"}


def test_a_zip_from_macos(tmp_path):
    names = [f"{cls}/{i}.png" for cls in TEN for i in range(2)]
    litter = [f"__MACOSX/{name.replace('/', '/._')}" for name in names] + [".DS_Store", "1/.DS_Store"]
    path = raw_zip(tmp_path / "set.zip", [name.encode() for name in ["数字/" + n for n in names] + litter], system=3)
    found, notes, refused = look(path)
    assert len(found) == 20 and classes(found)["数字/7/1.png"] == "7" and not refused and "passed over" not in notes


def test_a_zip_from_powershell(tmp_path):
    path = raw_zip(tmp_path / "set.zip", [f"digits\\{cls}\\{i}.png".encode() for cls in TEN for i in range(2)])
    assert classes(look(path)[0])["digits/7/1.png"] == "7"


def test_a_repository_as_it_is_downloaded(tmp_path):
    names = [f"repo-main/hwtrainset/{cls}/{i}.png" for cls in TEN for i in range(2)]
    others = ["repo-main/README.md", "repo-main/.gitignore", "repo-main/train.py", "repo-main/docs/picture.png"]
    found, notes, refused = look(zipped(tmp_path / "repo-main.zip", names + others))
    assert set(found) == set(names) and refused == {"repo-main/docs/picture.png": "not in a class folder"}
    assert "README.md" in notes and "train.py" in notes


def test_zips_in_the_set_are_of_the_writer_they_are_named_for(tmp_path):
    lay(tmp_path, [f"{cls}/a.png" for cls in TEN])
    zipped(tmp_path / "李四.zip", [f"{cls}/b.png" for cls in TEN])
    zipped(tmp_path / "王五.zip", [f"作业/{cls}/b.png" for cls in TEN])
    zipped(tmp_path / "赵六.zip", ["c.png", "d.png"])
    found, _, refused = look(tmp_path)
    assert found["7/a.png"] == ("7", "", "") and found["李四.zip/7/b.png"] == ("7", "李四", "")
    assert found["王五.zip/作业/7/b.png"][0] == "7" and found["王五.zip/作业/7/b.png"][1] == "王五"
    assert refused == {f"赵六.zip/{name}.png": "not in a class folder" for name in "cd"}


def test_zips_in_a_zip(tmp_path):
    inner = zipped(tmp_path / "inner.zip", [f"{cls}/b.png" for cls in TEN]).read_bytes()
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for who in ("li", "mei"):
            archive.writestr(f"{who}.zip", inner)
    found, notes, _ = look(tmp_path / "all.zip")
    assert found["li.zip/7/b.png"] == ("7", "li", "") and "2 students" in notes
    for _ in range(8):
        with zipfile.ZipFile(tmp_path / "deep.zip", "w") as archive:
            archive.write(tmp_path / "all.zip", "all.zip")
        os.replace(tmp_path / "deep.zip", tmp_path / "all.zip")
    assert "more than" in "".join(look(tmp_path / "all.zip")[2].values())


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tgz", "tar.bz2", "tar.xz"])
def test_tars(tmp_path, ending):
    lay(tmp_path / "set", [f"{cls}/{i}.png" for cls in TEN for i in range(2)], b"content")
    mode = "w:" + {"tar": "", "tgz": "gz"}.get(ending, ending.rpartition(".")[2])
    with tarfile.open(tmp_path / f"set.{ending}", mode) as archive:
        archive.add(tmp_path / "set", "./set")
    found, _, refused = look(tmp_path / f"set.{ending}")
    assert classes(found)["set/7/1.png"] == "7" and len(found) == 20 and not refused


@pytest.mark.parametrize("method, word", [(9, "Deflate64"), (93, "Zstandard"), (99, "AES"), (98, "PPMd")])
def test_methods_that_python_can_not_unpack(tmp_path, method, word):
    path = raw_zip(tmp_path / "set.zip", [f"{cls}/a.png".encode() for cls in TEN], method=method)
    found, _, refused = look(path)
    assert not found and len(refused) == 10
    assert all(word in reason and "unpack the zip and hand in the folder" in reason for reason in refused.values())


def test_rar_is_named(tmp_path):
    lay(tmp_path, ["1/a.png", "2/a.png"])
    lay(tmp_path, ["李四.rar", "x.7z"], b"Rar!\x1a\x07\x01\0")
    refused = look(tmp_path)[2]
    assert set(refused) == {"李四.rar", "x.7z"} and all("unpack it" in reason for reason in refused.values())
    assert "unpack it" in asked(tmp_path / "李四.rar")


def hostile_tar(path):
    with tarfile.open(path, "w") as archive:
        for name in ("1/good.png", "2/good.png", "../up.png", "/abs.png", "1/../../up.png"):
            info = tarfile.TarInfo(name)
            info.size = 1
            archive.addfile(info, io.BytesIO(b"x"))
        for kind, name in (
            (tarfile.SYMTYPE, "1/link.png"),
            (tarfile.FIFOTYPE, "1/pipe.png"),
            (tarfile.CHRTYPE, "1/dev.png"),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)


def test_a_hostile_tar(tmp_path):
    (tmp_path / "box").mkdir()
    hostile_tar(tmp_path / "box" / "set.tar")
    found, _, refused = look(tmp_path / "box" / "set.tar")
    assert set(found) == {"1/good.png", "2/good.png"} and len(refused) == 6
    assert os.listdir(tmp_path) == ["box"]


def test_bombs_stay_in_their_limits(tmp_path, monkeypatch):
    archives.scratch.cache_clear()  # what tests before have unpacked counts, too
    monkeypatch.setattr(archives, "MAX_SCRATCH", 1_000_000)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1/a.png", bytes(100))
    with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1/a.png", b"x")
        archive.writestr("2/a.png", b"x")
        archive.writestr("1/bomb.png", bytes(archives.MAX_ENTRY + 1))
        archive.writestr("bomb.tar", bytes(5_000_000))
        archive.writestr("fine.zip", inner.getvalue())
    found, _, refused = look(tmp_path / "set.zip")
    assert set(found) == {"1/a.png", "2/a.png", "fine.zip/1/a.png"}
    assert set(refused) == {"1/bomb.png", "bomb.tar"} and all("too large" in reason for reason in refused.values())


def test_a_damaged_archive_in_the_set(tmp_path):
    lay(tmp_path, ["1/a.png", "2/a.png"])
    whole = zipped(tmp_path / "x.zip", [f"{cls}/b.png" for cls in TEN]).read_bytes()
    (tmp_path / "x.zip").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "y.tar.gz").write_bytes(b"\x1f\x8b\x08 no")
    found, _, refused = look(tmp_path)
    assert len(found) == 2 and set(refused) == {"x.zip", "y.tar.gz"}


def test_no_trace_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    archives.scratch.cache_clear()
    inner = zipped(tmp_path / "inner.zip", ["1/a.png"]).read_bytes()
    look(zipped(tmp_path / "all.zip", ["a.zip", "b.zip"], inner))
    archives.scratch().cleanup()
    archives.scratch.cache_clear()
    assert sorted(os.listdir(tmp_path)) == ["all.zip", "inner.zip"]
