"""Folders and names of files as people lay out their sets: what each is taken for, and what is asked."""

import os

import pytest
from looking import CHARACTERS, TEN, VALUES, asked, classes, lay, look

from shuzi.dataset.sources.folder import writer_of
from shuzi.dataset.sources.layout import split_word

# ---- class folders -------------------------------------------------------------------------------


@pytest.mark.parametrize("outer", ["", "digits/", "homework/final/digits/"])
@pytest.mark.parametrize(
    "names", [TEN, [f"{n:02d}" for n in range(1, 11)], list("一二三四五六七八九十"), list("１２３")]
)
def test_class_folders_at_any_depth(tmp_path, outer, names):
    lay(tmp_path, [f"{outer}{name}/{i}.png" for name in names for i in range(3)])
    lay(tmp_path, [f"{outer}README.md", f"{outer}list.csv"], b"a,b\n")
    found, notes, refused = look(tmp_path)
    assert classes(found) == {f"{outer}{name}/{i}.png": TEN[k] for k, name in enumerate(names) for i in range(3)}
    assert "by the names of folders" in notes and "README.md" in notes and "list.csv" in notes and not refused


def test_several_outer_folders_whose_depth_differs(tmp_path):
    lay(tmp_path, [f"a/{cls}/x.png" for cls in TEN] + [f"b/scans/{cls}/x.png" for cls in TEN])
    found, _, refused = look(tmp_path)
    assert len(found) == 20 and not refused
    assert all(cls == name.split("/")[-2] for name, cls in classes(found).items())


def test_students_folders_are_writers(tmp_path):
    lay(tmp_path, [f"{who}/{cls}/{i}.jpg" for who in ("张三", "李四", "anna") for cls in TEN for i in range(2)])
    found, notes, _ = look(tmp_path)
    assert "10 classes in 3 students' folders" in notes
    assert all(
        (cls, writer, split) == (name.split("/")[1], name.split("/")[0], "")
        for name, (cls, writer, split) in found.items()
    )


def test_the_split_is_kept_and_validation_is_for_training(tmp_path):
    lay(tmp_path, [f"{part}/{cls}/{i}.jpg" for part in ("train", "val", "test") for cls in TEN for i in range(2)])
    found, notes, _ = look(tmp_path)
    assert {(name.split("/")[0], split) for name, (_, _, split) in found.items()} == {
        ("train", "train"), ("val", "train"), ("test", "test"),
    }  # fmt: skip
    assert "split as it came: 40 pictures to train on, 20 to test on" in notes


def test_split_and_students_at_once(tmp_path):
    lay(
        tmp_path,
        [f"set/{p}/{who}/{c}/1.jpg" for p, who in (("Train", "a"), ("Train", "b"), ("Test", "c")) for c in TEN],
    )
    found, _, _ = look(tmp_path)
    assert {row for row in found.values() if row[0] == "7"} == {
        ("7", "a", "train"),
        ("7", "b", "train"),
        ("7", "c", "test"),
    }


def test_a_split_in_the_class_folders(tmp_path):
    lay(tmp_path, [f"{cls}/{part}/{i}.png" for cls in TEN for part in ("训练集", "测试集") for i in range(2)])
    found, _, _ = look(tmp_path)
    assert found["3/训练集/0.png"] == ("3", "", "train") and found["3/测试集/0.png"] == ("3", "", "test")


def test_one_part_alone_is_no_split(tmp_path):
    lay(tmp_path, [f"test/{cls}/a.png" for cls in TEN])
    found, notes, _ = look(tmp_path)
    assert {split for _, _, split in found.values()} == {""} and "split" not in notes


def test_students_in_the_class_folders(tmp_path):
    lay(tmp_path, [f"{cls}/{who}/1.png" for cls in TEN for who in ("anna", "ben")] + ["1/more/deep/2.png"])
    found, _, _ = look(tmp_path)
    assert found["7/ben/1.png"] == ("7", "ben", "")
    assert found["1/more/deep/2.png"][0] == "1"


def test_own_classes_stay_what_they_are(tmp_path):
    lay(tmp_path, [f"{cls}/a.png" for cls in ("猫", "dog", "seven", "３三")])
    assert set(classes(look(tmp_path)[0]).values()) == {"猫", "dog", "seven", "３三"}
    lay(tmp_path, ["1/a.png", "七/a.png"])
    found, notes, _ = look(tmp_path)
    assert set(classes(found).values()) == {"猫", "dog", "seven", "３三", "1", "7"}
    assert "classes of your own beside the numerals" in notes


def test_bank_capitals_are_not_the_plain_numerals(tmp_path):
    lay(tmp_path, [f"{cls}/a.png" for cls in ("一", "壹", "貳", "二")])
    assert sorted(classes(look(tmp_path)[0]).values()) == sorted(["1", "壹", "贰", "2"])


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
@pytest.mark.parametrize("encoding", ["gbk", "big5", "shift_jis"])
def test_folder_names_in_an_old_encoding(tmp_path, encoding):
    lay(tmp_path, [os.fsdecode(f"{name}/{i}.png".encode(encoding)) for name in "一二三七八九十" for i in range(2)])
    found, _, refused = look(tmp_path)
    assert classes(found)["七/1.png"] == "7" and set(classes(found).values()) == {"1", "2", "3", "7", "8", "9", "10"}
    assert not refused


def test_litter_is_passed_over_in_silence(tmp_path):
    lay(
        tmp_path,
        [f"{cls}/{name}" for cls in "12" for name in ("a.png", "Thumbs.db", "desktop.ini", "._a.png", ".DS_Store")],
    )
    lay(tmp_path, ["@eaDir/1/a.png", "__MACOSX/1/._a.png", "1/@eaDir/a.png/SYNOPHOTO.jpg"])
    found, notes, refused = look(tmp_path)
    assert set(found) == {"1/a.png", "2/a.png"} and not refused and "passed over" not in notes


def test_what_is_no_picture_is_counted_and_named(tmp_path):
    lay(tmp_path, ["1/a.png", "2/a.png", "2/film.mp4", "notes.docx", "LICENSE", "about/read.me", "loose.jpg"])
    found, notes, refused = look(tmp_path)
    assert refused == {"2/film.mp4": "not a picture", "loose.jpg": "not in a class folder"}
    assert "passed over: 2 files that are no pictures: LICENSE, notes.docx" in notes
    assert classes(found) == {
        "1/a.png": "1",
        "2/a.png": "2",
        "about/read.me": "about",
    }  # and refused when it is decoded


# ---- questions -----------------------------------------------------------------------------------


def test_numbered_students_or_classes(tmp_path):
    lay(tmp_path, [f"{who}/{cls}/a.png" for who in range(1, 31) for cls in TEN])
    line = asked(tmp_path)
    assert "--layout writer/class" in line and "--layout class/writer" in line
    assert look(tmp_path, layout="writer/class")[0]["12/7/a.png"] == ("7", "12", "")
    assert look(tmp_path, layout="class/writer")[0]["3/7/a.png"] == ("3", "7", "")


def test_own_classes_or_students(tmp_path):
    lay(tmp_path, [f"{one}/{other}/a.png" for one in ("cat", "dog") for other in ("anna", "ben")])
    line = asked(tmp_path)
    assert "--layout writer/class" in line and "--layout class/writer" in line
    assert look(tmp_path, layout="class/writer")[0]["cat/ben/a.png"] == ("cat", "ben", "")
    assert "--layout" in asked(tmp_path, layout="class/class") and "--layout" in asked(tmp_path, layout="people/class")


def test_numbers_to_fifteen_may_be_codes(tmp_path):
    lay(tmp_path, [f"{number}/a{i}.jpg" for number in range(1, 16) for i in range(3)])
    assert "--numbers values" in asked(tmp_path)
    assert classes(look(tmp_path, numbers="codes")[0])["15/a0.jpg"] == "100000000"
    assert classes(look(tmp_path, numbers="values")[0])["15/a0.jpg"] == "15"
    lay(tmp_path, ["0/a.jpg"])
    assert "15 is no number of a character" in asked(tmp_path, numbers="order")


# ---- Chinese MNIST in all its forms --------------------------------------------------------------


def chinese_mnist(form, suites=3):
    return [form.format(s=s, c=c, code=code) for s in range(1, suites + 1) for c in (1, 2) for code in range(1, 16)]


def code_in(name):
    return int(name.replace("}", "").replace("{", "_").replace(",", "_").rpartition("_")[2].partition(".")[0])


@pytest.mark.parametrize(
    "form",
    ["data/data/input_{s}_{c}_{code}.jpg", "input_{s}_{c}_{code}.jpg", "RawDataset/Locate{{{s},{c},{code}}}.jpg",
     "x/y/Locate{{{s}, {c}, {code}}}.jpg"],
)  # fmt: skip
def test_chinese_mnist_as_it_is_published(tmp_path, form):
    lay(tmp_path, chinese_mnist(form))
    found, notes, _ = look(tmp_path)
    assert len(found) == 90 and {writer for _, writer, _ in found.values()} == {"1", "2", "3"}
    assert all(cls == VALUES[code_in(name) - 1] for name, cls in classes(found).items())
    assert "codes in the files' names" in notes


@pytest.mark.parametrize(
    "folder",
    [lambda code: CHARACTERS[code - 1], lambda code: VALUES[code - 1], str, lambda code: str(code - 1),
     lambda code: f"{code:02d}", lambda code: f"class{code}"],
)  # fmt: skip
def test_chinese_mnist_re_sorted(tmp_path, folder):
    names = chinese_mnist("{part}input_{s}_{c}_{code}.jpg".replace("{part}", "@"))
    lay(tmp_path, [f"{'train' if i % 3 else 'test'}/{folder(code_in(n))}/{n[1:]}" for i, n in enumerate(names)])
    found, notes, refused = look(tmp_path)
    assert len(found) == 90 and not refused
    assert all(cls == VALUES[code_in(name) - 1] for name, cls in classes(found).items())
    assert {split for _, _, split in found.values()} == {"train", "test"}
    assert {writer for _, writer, _ in found.values()} == {"1", "2", "3"}


def test_chinese_mnist_in_folders_that_contradict_the_codes(tmp_path):
    names = chinese_mnist("input_{s}_{c}_{code}.jpg")
    lay(tmp_path, [f"{CHARACTERS[code_in(name) - 1]}/{name}" for name in names])
    os.rename(tmp_path / "七" / "input_1_1_8.jpg", tmp_path / "八" / "input_1_1_8.jpg")  # the last place to look
    line = asked(tmp_path)
    assert "input_1_1_8.jpg" in line and "八" in line and "七" in line and "1 of 90" in line
    assert "--labels folders" in line and "--labels names" in line
    assert classes(look(tmp_path, labels="folders")[0])["八/input_1_1_8.jpg"] == "8"
    assert classes(look(tmp_path, labels="names")[0])["八/input_1_1_8.jpg"] == "7"


# ---- pictures named by class ---------------------------------------------------------------------


def test_characters_in_names(tmp_path):
    lay(
        tmp_path,
        [f"{name}_{i}.png" for name in "一二三七" for i in range(3)] + ["张三-七-2.jpg", "八(2).jpg", "other.png"],
    )
    found, notes, refused = look(tmp_path)
    assert (
        classes(found)["一_1.png"] == "1"
        and classes(found)["张三-七-2.jpg"] == "7"
        and classes(found)["八(2).jpg"] == "8"
    )
    assert "characters in the files' names" in notes and refused == {"other.png": "its name tells no class"}


@pytest.mark.parametrize(
    "form",
    [
        "{cls}-{i:02d}.jpg",
        "{cls} ({i}).jpg",
        "{cls}_writer-an_{i:03d}.png",
        "class{cls}_{i}.png",
        "label-{cls}-{i}.png",
    ],
)
def test_numbers_in_names_where_that_is_plain(tmp_path, form):
    lay(tmp_path, [form.format(cls=cls, i=i) for cls in TEN for i in range(1, 13)])
    found, notes, _ = look(tmp_path)
    assert all(f"{cls}" in name for name, cls in classes(found).items()) and len(found) == 120
    assert classes(found)[form.format(cls=3, i=7)] == "3" and "name" in notes


@pytest.mark.parametrize("form", ["{cls}_{i}.png", "scan{cls}_{i}.png"])
def test_numbers_in_names_where_that_is_not_plain(tmp_path, form):
    lay(tmp_path, [form.format(cls=cls, i=i) for cls in TEN for i in range(1, 6)])
    line = asked(tmp_path)
    assert "--labels first" in line and "--labels last" in line and "labels.csv" in line
    last = look(tmp_path, labels="last")[0]
    assert classes(last)[form.format(cls=3, i=5)] == "5"


@pytest.mark.parametrize(
    "names", [["1.jpg", "2.jpg", "3.jpg"], [f"a/IMG_{i}.jpg" for i in range(9)], ["a.png", "b.png"]]
)
def test_loose_pictures_are_no_set(tmp_path, names):
    lay(tmp_path, names)
    assert "pictures, not class folders" in asked(tmp_path)


def test_names_that_contradict_their_folder(tmp_path):
    lay(tmp_path, [f"{c}/{c}_{i}.png" for c in "一二三" for i in range(3)] + ["三/七_1.png"])
    line = asked(tmp_path)
    assert "三/七_1.png" in line and "--labels folders" in line


# ---- writers -------------------------------------------------------------------------------------


def test_five_people():
    files = [
        "a_Writer-mei_1.png",
        "WRITER-03_2.png",
        "writer_li_2.png",
        "writer-anna-maria_1.png",
        "writer-anna-lena.png",
    ]
    assert [writer_of(file) for file in files] == [
        "writer-mei", "writer-03", "writer-li", "writer-anna-maria", "writer-anna-lena",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "file, writer",
    [("writer-mei (2).png", "writer-mei"), ("writer-mei-12.png", "writer-mei"), ("writer_Li_07.png", "writer-li"),
     ("drawn_writer-001_02.jpg", "writer-001"), ("writer-王芳_1.png", "writer-王芳"), ("typewriter-7.png", ""),
     ("writer.png", ""), ("writer-me.png", "writer-me")],
)  # fmt: skip
def test_writers_in_names(file, writer):
    assert writer_of(file) == writer


def test_a_writer_in_a_name_counts_before_the_folder(tmp_path):
    lay(tmp_path, [f"{who}/{cls}/a.png" for who in ("x", "y") for cls in "12"] + ["x/1/Writer_mei_2.png"])
    assert look(tmp_path)[0]["x/1/Writer_mei_2.png"] == ("1", "writer-mei", "")


@pytest.mark.parametrize(
    "name, kind",
    [
        ("Training Set", "train"),
        ("VAL", "val"),
        ("test_images", "test"),
        ("测试", "test"),
        ("text", ""),
        ("latest", ""),
    ],
)
def test_words_for_a_split(name, kind):
    assert split_word(name) == kind


# ---- several sources -----------------------------------------------------------------------------


def test_several_sources_and_wildcards(tmp_path):
    for who in ("li", "mei"):
        lay(tmp_path / who, [f"{cls}/a.png" for cls in TEN])
    found, _, _ = look(tmp_path / "li", tmp_path / "mei")
    assert found["li/7/a.png"] == ("7", "li", "") and len(found) == 20
    assert look(tmp_path / "*")[0] == found
    assert len(look(*(tmp_path / "li" / cls for cls in TEN))[0]) == 10  # the class folders themselves
    assert "nothing matches" in asked(tmp_path / "*.zip")
    lay(tmp_path / "other" / "li", [f"{cls}/a.png" for cls in TEN])
    assert len(look(tmp_path / "li", tmp_path / "other" / "li")[0]) == 20  # two of one name


def test_a_class_that_is_not_there(tmp_path):
    lay(tmp_path, ["1/a.png", "2/a.png"])
    assert "no class 3 in" in asked(tmp_path, classes=["3"]) and "1, 2" in asked(tmp_path, classes=["3"])
