"""What benchmarks share: figures and how sure they are, running the project's scripts, and the report that each leaves.

A benchmark prints as it goes and leaves its report in results/benchmarks/, a file a command, with the command, date,
commit and machine; `python -m benchmarks.write` puts the reports together as BENCHMARKS.md.

    with Report("Simulated photos") as say:
        say("| condition | photos | read right |")
"""

import contextlib
import csv
import datetime
import math
import os
import platform
import re
import shlex
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
REPORTS = PROJECT / "results" / "benchmarks"


class Failed(Exception):
    """A step that could not be done. The message is one line."""


class Report:
    """Prints lines and keeps them; at the end, unless there was an error, they are a section of BENCHMARKS.md.

    title: of the section. about: sentences that say what was measured, and how. argv: of the command, as `main` got it, where
    that is not the process's own.
    """

    def __init__(self, title: str, about: str = "", argv=None):
        self.title, self.about, self.lines = title, " ".join(about.split()), []
        self.command = command(argv)
        self.started = f"{datetime.date.today()}, commit {commit()}"

    def __call__(self, line: str = "") -> None:
        print(line, flush=True)
        self.lines.append(line)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace) -> None:
        if kind is None:
            self.save()

    def save(self) -> Path:
        """Write what there is so far. Returns the file."""
        # a sentence under a table belongs to it in Markdown, unless a line is empty between
        text = re.sub(r"(?m)^(\|.*)\n(?=[^|\n])", r"\1\n\n", "\n".join(self.lines)).strip()
        text = re.sub(r"(?m)^([^|\n].*)\n(?=\|)", r"\1\n\n", text)
        parts = [f"## {self.title}", *([self.about] if self.about else []), text]
        parts.append(f"`{self.command}`  \n{self.started}, {machine()}")
        REPORTS.mkdir(parents=True, exist_ok=True)
        path = REPORTS / f"{slug(self.command)}.md"
        path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
        return path


def command(argv=None) -> str:
    """The command that this process was started with, or `python -m` its module and argv; no path but a file's own name."""
    spec = sys.modules["__main__"].__spec__ if hasattr(sys.modules["__main__"], "__spec__") else None
    name = spec.name.removesuffix(".__main__") if spec else Path(sys.argv[0]).stem
    words = [Path(word).name if os.path.isabs(word) else word for word in map(str, argv or sys.argv[1:])]
    return " ".join(["python", "-m", name, *map(shlex.quote, words)])


def slug(command: str) -> str:
    """A name for the report's file."""
    return re.sub(r"[^0-9A-Za-z.]+", "_", command.removeprefix("python -m ").replace("benchmarks.", "")).strip("_")[
        :150
    ]


# ---- figures -----------------------------------------------------------------------------------------


def wilson(right: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """The interval in which the true share lies with 95% confidence, of so many right in so many (Wilson 1927): 0-1."""
    if not count:
        return 0.0, 1.0
    share, square = right / count, z * z / count
    middle = (share + square / 2) / (1 + square)
    half = z * math.sqrt(share * (1 - share) / count + square / count / 4) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def share(right: int, count: int) -> str:
    """A share with its interval, as "99.4% (98.5-99.8%)"."""
    low, high = wilson(right, count)
    return f"{right / max(count, 1):.1%} ({100 * low:.1f}-{high:.1%})"


# ---- where and when ----------------------------------------------------------------------------------


def machine() -> str:
    """Cores and processor, and GPUs where TensorFlow, if it is there already, sees some."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    tensorflow = sys.modules.get("tensorflow")
    gpus = len(tensorflow.config.list_physical_devices("GPU")) if tensorflow else 0
    return f"{cores} cores, {processor()}" + (f", {gpus} GPU{'s' * (gpus > 1)}" if gpus else "")


def processor() -> str:
    """The processor's name, where the system tells."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def commit() -> str:
    """The commit that is checked out, and whether files differ from it; "unknown" outside git."""

    def git(*words):
        ran = subprocess.run(["git", *words], cwd=PROJECT, capture_output=True, text=True)
        return ran.stdout.strip() if ran.returncode == 0 else ""

    with contextlib.suppress(OSError):
        if name := git("rev-parse", "--short=10", "HEAD"):
            return name + (" with changes" if git("status", "--porcelain", "--untracked-files=no") else "")
    return "unknown"


# ---- the project's scripts ---------------------------------------------------------------------------


def run_script(command):
    """Run Python with these arguments in a process of its own. Returns the finished process, with stdout and stderr as text."""
    return subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, encoding="utf-8")


def finish(script, *arguments):
    """Run a step of the pipeline. Raises Failed."""
    ran = run_script([PROJECT / script, *arguments])
    if ran.returncode not in (0, 1):
        # what it says to look at lies in a folder that is gone when this is read
        what, look, _ = last_words(ran).partition("; see ")
        raise Failed(f"{what}; run {script} by itself to see why" if look else what)


def pack(raw, data, test_writers=None):
    """test.py, with names of writers to test on as it takes them, or by chance. Raises Failed."""
    options = ["--test-writers", test_writers] if test_writers else []
    finish("test.py", "--raw", raw, "--out", data, *options)


def last_words(ran) -> str:
    """The last line that a process wrote to stderr; where it wrote none, how it ended."""
    lines = ran.stderr.strip().splitlines() or [f"{Path(ran.args[1]).name} ended with code {ran.returncode}"]
    return lines[-1]


def manifest(raw) -> list[dict]:
    """The rows of raw_data/manifest.csv."""
    with open(raw / "manifest.csv", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
