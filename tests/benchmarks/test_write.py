"""BENCHMARKS.md: every section with its command, date and commit; what was not measured anew stays."""

import re

import pytest

from benchmarks import common, write
from shuzi.core.command import Problem


@pytest.fixture
def reports(tmp_path, monkeypatch):
    monkeypatch.setattr(common, "REPORTS", tmp_path / "reports")
    monkeypatch.setattr(write, "REPORTS", tmp_path / "reports")
    return tmp_path


def measure(monkeypatch, command, figure):
    monkeypatch.setattr(common, "command", lambda argv=None: command)
    with common.Report("Figures", "What was\n measured.") as say:
        say("| a | b |\n|---|---|")
        say(f"| 1 | {figure} |")
        say("A sentence.")


def test_a_report_says_how_where_and_when(reports, monkeypatch, capsys):
    measure(monkeypatch, "python -m benchmarks.crops", "99.1%")
    (path,) = (reports / "reports").glob("*.md")
    text = path.read_text("utf-8")
    assert text.startswith("## Figures\n\nWhat was measured.\n\n| a | b |")
    assert "| 1 | 99.1% |\n\nA sentence.\n\n`python -m benchmarks.crops`  \n" in text
    assert re.search(r"\n20\d\d-\d\d-\d\d, commit \w{7,}.*, \d+ cores, .+\n$", text)
    assert "99.1%" in capsys.readouterr().out


def test_an_error_leaves_no_report(reports):
    with pytest.raises(ZeroDivisionError), common.Report("Figures"):
        raise ZeroDivisionError
    assert not (reports / "reports").exists()


def test_what_is_measured_anew_takes_its_place_and_the_rest_stays(reports, monkeypatch, capsys):
    out = reports / "BENCHMARKS.md"
    for command, figure in ("crops", "11%"), ("mouse", "22%"), ("crops --hands 2", "33%"):
        measure(monkeypatch, f"python -m benchmarks.{command}", figure)
    assert write.main(["--out", str(out)]) == 0
    text = out.read_text("utf-8")
    assert "11%" in text and "22%" in text and "33%" not in text
    assert "crops --hands 2" in capsys.readouterr().err
    assert "Not measured yet\n\n- `python -m benchmarks.bench" in text
    for path in (reports / "reports").glob("*.md"):
        path.unlink()
    measure(monkeypatch, "python -m benchmarks.mouse", "44%")
    write.main(["--out", str(out)])
    again = out.read_text("utf-8")
    assert "11%" in again and "44%" in again and "22%" not in again
    assert again.index("11%") < again.index("44%")


def test_a_name_that_is_no_benchmark_is_refused(reports):
    with pytest.raises(Problem, match="no benchmark is called fotos"):
        write.main(["--run", "fotos", "--out", str(reports / "out.md")])


@pytest.mark.parametrize("right, count, low, high", [(0, 10, 0, 0.278), (10, 10, 0.722, 1), (50, 100, 0.404, 0.596)])
def test_wilson(right, count, low, high):
    assert common.wilson(right, count) == pytest.approx((low, high), abs=1e-3)


def test_a_share_of_nothing_may_be_any():
    assert common.wilson(0, 0) == (0, 1)
    assert common.share(995, 1000) == "99.5% (98.8-99.8%)"
