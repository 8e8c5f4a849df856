"""Faults: killed, interrupted, no room, two runs at once."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
from common import assert_one_line, quick_ink, quick_project, run, tree

from shuzi.core import files
from shuzi.dataset.h5 import open_data

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX signals and limits")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return quick_project(tmp_path_factory.mktemp("quick") / "project")


@pytest.fixture
def quick(monkeypatch):
    quick_ink(monkeypatch)


@pytest.fixture
def words(tmp_path):
    return write_words(tmp_path / "words", 100)


def write_words(folder, each, text="{} {}"):
    for cls in ("1", "2", "own"):
        (folder / cls).mkdir(parents=True, exist_ok=True)
        for i in range(each):
            (folder / cls / f"writer-{i % 30}_{i}.png").write_text(text.format(cls, i))
    return folder


def start(project, script, *args):
    return subprocess.Popen(
        [sys.executable, str(project / script), *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def is_whole(png):
    return png.startswith(b"\x89PNG") and png.endswith(b"IEND\xaeB`\x82")


@posix
def test_datapro_killed_at_any_moment(words, project, tmp_path, kills):
    """Killed in a first run, or in a second where numbers shift: the next one ends as an undisturbed one."""
    started = time.monotonic()
    run("datapro.py", words, "--out", tmp_path / "first", project=project)
    seconds = time.monotonic() - started
    (words / "1" / "writer-0_0a.png").write_text("new")  # shifts 299 numbers
    (words / "2" / "writer-1_1.png").write_text("changed")
    run("datapro.py", words, "--out", tmp_path / "undisturbed", project=project)
    undisturbed = tree(tmp_path / "undisturbed")
    for kill in range(kills):
        out = tmp_path / f"raw{kill}"
        if kill % 2:
            shutil.copytree(tmp_path / "first", out)
        process = start(project, "datapro.py", words, "--out", out)
        time.sleep(random.Random(kill).uniform(0.3, 1.1) * seconds)
        process.kill()
        process.communicate()
        here = tree(out) if out.exists() else {}
        for name, content in here.items():
            if name.endswith(".png") and not name.startswith("."):
                assert is_whole(content), f"kill {kill}: {name} is not whole"
        if "manifest.csv" in here:
            assert all(line.split(",")[0] in here for line in here["manifest.csv"].decode("utf-8-sig").splitlines()[1:])
        result = run("datapro.py", words, "--out", out, project=project)
        assert result.returncode == 0, f"kill {kill}: {result.stderr}"
        assert tree(out) == undisturbed, f"kill {kill}"


@posix
def test_pack_killed_at_any_moment(project, tmp_path, kills):
    run("datapro.py", write_words(tmp_path / "words", 200), "--out", tmp_path / "raw", project=project)
    started = time.monotonic()
    run("test.py", "--raw", tmp_path / "raw", "--out", tmp_path / "old.h5", "--seed", "1", project=project)
    seconds = time.monotonic() - started
    old = (tmp_path / "old.h5").read_bytes()
    run("test.py", "--raw", tmp_path / "raw", "--out", tmp_path / "new.h5", project=project)
    new = (tmp_path / "new.h5").read_bytes()
    (tmp_path / "out").mkdir()
    out = tmp_path / "out" / "data.h5"
    for kill in range(kills):
        out.write_bytes(old)
        process = start(project, "test.py", "--raw", tmp_path / "raw", "--out", out)
        time.sleep(random.Random(kill).uniform(0.3, 1.1) * seconds)
        process.kill()
        process.communicate()
        assert out.read_bytes() in (old, new), f"kill {kill}"
        open_data(out).close()
        assert run("test.py", "--raw", tmp_path / "raw", "--out", out, project=project).returncode == 0
        assert out.read_bytes() == new, f"kill {kill}"
        assert os.listdir(out.parent) == ["data.h5"]


@posix
def test_a_run_that_did_not_finish_is_not_packed(words, project, tmp_path):
    (words / "own" / "writer-x_999.png").write_text("slow 60")
    process = start(project, "datapro.py", words, "--out", tmp_path / "raw")
    wait_for(lambda: list((tmp_path / "raw").glob("1/*.png")))
    process.kill()
    process.communicate()
    result = run("test.py", "--raw", tmp_path / "raw", "--out", tmp_path / "data.h5", project=project)
    assert_one_line(result, 2, "manifest.csv is missing", "python datapro.py")


@posix
@pytest.mark.parametrize("to_all", [True, False])
def test_ctrl_c_is_one_line_and_the_run_can_go_on(words, project, tmp_path, to_all):
    out = tmp_path / "raw"
    slow = words / "2" / "writer-x_999.png"
    slow.write_text("slow 3")
    process = start(project, "datapro.py", words, "--out", out, "--jobs", "2")
    wait_for(lambda: len(list(out.glob("1/*.png"))) > 30)
    # a terminal sends it to all processes of the group; `kill -INT` to one
    os.killpg(process.pid, signal.SIGINT) if to_all else process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130 and stderr.count("\n") == 1 and "takes it up again" in stderr, stderr
    slow.unlink()
    again = run("datapro.py", words, "--out", out, project=project)
    assert again.returncode == 0
    made = int(again.stdout.splitlines()[-1].split(" of them made now")[0].split()[-1])
    assert made <= 270
    run("datapro.py", words, "--out", tmp_path / "undisturbed", project=project)
    assert tree(out) == tree(tmp_path / "undisturbed")


@posix
def test_workers_end_with_a_killed_run(words, project, tmp_path):
    for cls in ("1", "2", "own"):
        (words / cls / "writer-x_999.png").write_text("slow 60")
    process = start(project, "datapro.py", words, "--out", tmp_path / "raw", "--jobs", "2")
    wait_for(lambda: list((tmp_path / "raw").glob("1/*.png")))
    process.kill()
    process.wait()
    wait_for(lambda: not group_lives(process.pid))
    process.communicate()


def group_lives(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_two_runs_on_one_output(words, quick, tmp_path):
    run("datapro.py", words, "--out", tmp_path / "raw")
    before = tree(tmp_path / "raw")
    with files.run_lock(tmp_path / "raw" / ".lock", "it"):
        assert_one_line(run("datapro.py", words, "--out", tmp_path / "raw"), 2, "another run")
    assert tree(tmp_path / "raw") == before
    with files.run_lock(tmp_path / "data.h5.lock", "it"):
        result = run("test.py", "--raw", tmp_path / "raw", "--out", tmp_path / "data.h5")
        assert_one_line(result, 2, "another run", "data.h5")
    assert run("test.py", "--raw", tmp_path / "raw", "--out", tmp_path / "data.h5").returncode == 0
    assert not (tmp_path / "data.h5.lock").exists()


def test_a_picture_that_crashes_the_reader_is_refused(words, project, tmp_path):
    for name in ("1/writer-1_5a.png", "2/writer-2_9a.png"):
        (words / name).write_text("crash")
    result = run("datapro.py", words, "--out", tmp_path / "raw", project=project)
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert "300 pictures of 3 classes" in result.stdout
    rows = (tmp_path / "raw" / "refused.csv").read_text().splitlines()
    assert len(rows) == 3 and all("crashed" in row for row in rows[1:])


def test_a_picture_that_the_reader_fails_on_is_refused(words, quick, tmp_path):
    (words / "1" / "a.png").write_text("fail")
    result = run("datapro.py", words, "--out", tmp_path / "raw")
    assert result.returncode == 1 and "Traceback" not in result.stderr and "300 pictures" in result.stdout
    assert '1/a.png,"the program failed on it, TypeError: a fault' in (tmp_path / "raw" / "refused.csv").read_text()


def test_a_source_that_vanishes_or_changes_during_the_run(words, quick, tmp_path):
    (words / "1" / "a0.png").write_text(f"remove {words / 'own' / 'writer-9_99.png'}")
    result = run("datapro.py", words, "--out", tmp_path / "raw")
    assert result.returncode == 1
    assert "own/writer-9_99.png,can't be" in (tmp_path / "raw" / "refused.csv").read_text()
    again = run("datapro.py", words, "--out", tmp_path / "raw")
    assert again.returncode == 0 and " 0 of them made now" in again.stdout


@posix
def test_the_output_vanishes_during_the_run(words, project, tmp_path):
    (words / "2" / "writer-x_999.png").write_text("slow 2")
    process = start(project, "datapro.py", words, "--out", tmp_path / "raw", "--jobs", "1")
    wait_for(lambda: len(list((tmp_path / "raw").glob("1/*.png"))) > 20)
    while (tmp_path / "raw").exists():
        shutil.rmtree(tmp_path / "raw", ignore_errors=True)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 2 and stderr.count("\n") == 1 and "not there" in stderr, stderr


@posix
def test_no_room_for_the_output(words, project, tmp_path):
    """A limit on the size of files stands in for a full disk: writing fails half way, for root too."""
    import resource

    def limit(size):
        return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))}

    raw, data = tmp_path / "raw", tmp_path / "data.h5"
    result = run("datapro.py", words, "--out", raw, project=project, **limit(3000))
    assert_one_line(result, 2, "raw", "File too large")
    assert run("datapro.py", words, "--out", raw, project=project).returncode == 0
    assert run("test.py", "--raw", raw, "--out", data, project=project).returncode == 0
    whole = data.read_bytes()
    result = run("test.py", "--raw", raw, "--out", data, "--seed", "1", project=project, **limit(300_000))
    assert_one_line(result, 2, "data.h5")
    assert data.read_bytes() == whole and sorted(os.listdir(tmp_path)) == ["data.h5", "raw", "words"]


@posix
def test_no_permission(words, quick, tmp_path):
    raw = tmp_path / "raw"
    run("datapro.py", words, "--out", raw)
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o500)
    if os.access(locked, os.W_OK):
        locked = "/proc/self"  # for root every folder is writable but those of the system
    assert_one_line(run("datapro.py", words, "--out", f"{locked}/raw"), 2, str(locked))
    assert_one_line(run("test.py", "--raw", raw, "--out", f"{locked}/data.h5"), 2, str(locked))
