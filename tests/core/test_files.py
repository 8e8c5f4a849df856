"""Files that are whole or absent, the lock of a run, and what a person sees of errors and names."""

import errno
import os
import subprocess
import sys
import threading
import time

import pytest
from common import PROJECT
from hypothesis import given
from hypothesis import strategies as st

from shuzi.core import command, files, text

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX signals and locks")


def test_only_one_of_many_holds_the_lock(tmp_path):
    """Runs that start and end all the time: never two inside at once."""
    inside, most, busy = 0, 0, 0

    def enter():
        nonlocal inside, most, busy
        for _ in range(200):
            try:
                with files.run_lock(tmp_path / "lock", "it"):
                    inside += 1
                    most = max(most, inside)
                    time.sleep(0.0001)
                    inside -= 1
            except command.Problem:
                busy += 1

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1 and 0 < busy < 800


@posix
def test_a_killed_run_locks_nobody_out(tmp_path):
    code = "import sys\nfrom shuzi.core.files import run_lock\n"
    code += "with run_lock(sys.argv[1], 'it'):\n print(flush=True)\n sys.stdin.read()"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "lock")], stdin=-1, stdout=-1, cwd=PROJECT)
    process.stdout.readline()
    with pytest.raises(command.Problem), files.run_lock(tmp_path / "lock", "it"):
        pass
    process.kill()
    process.communicate()
    with files.run_lock(tmp_path / "lock", "it"):
        pass


@posix
@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_drive_without_locks_is_a_note(tmp_path, monkeypatch, capsys, code):
    def flock(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files.fcntl, "flock", flock)
    with files.run_lock(tmp_path / "lock", "raw_data"):
        pass
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "raw_data" in said and "without locks" in said
    assert not (tmp_path / "lock").exists()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), files.replacing(path) as part:
        part.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "before"
    with files.replacing(path) as part:
        part.write_text("after")
    assert path.read_text() == "after" and os.listdir(tmp_path) == ["a.txt"]


def test_a_fault_of_the_program_is_not_taken_for_refused_pictures(capsys):
    """1 says "done, but some inputs were refused", and `make run` goes on."""
    with pytest.raises(SystemExit) as end:
        command.run(lambda: {}[7])
    assert end.value.code == 70 and "KeyError: 7" in capsys.readouterr().err


@pytest.mark.parametrize(
    "code, word", [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "permission")]
)
def test_errors_of_the_system_say_what_to_do(code, word):
    line = command.explain(OSError(code, os.strerror(code), "some\nfile"))
    assert word in line and "some\\nfile" in line and "\n" not in line


@given(st.text())
def test_cells_are_read_back_as_written(given):
    cell = text.to_cell(given)
    assert cell[:1] not in tuple("=+-@\t\r\n") or not cell
    assert text.from_cell(cell) == given.encode("utf-8", "backslashreplace").decode()


@given(st.text(), st.text())
def test_natural_order_tells_any_two_texts_apart(one, other):
    assert (text.natural(one) == text.natural(other)) == (one == other)


def test_natural_order():
    names = ["a10", "a2", "a02", "b1", "a1b10", "a1b9"]
    assert sorted(names, key=text.natural) == ["a1b9", "a1b10", "a02", "a2", "a10", "b1"]


def test_names_are_one_printable_line():
    assert text.shown("a\nb\x1b七\udcff") == "a\\nb\\x1b七\\udcff"
    assert text.split_names(" 1，二、 3,,") == ["1", "二", "3"]
