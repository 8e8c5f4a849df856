"""BENCHMARKS.md, put together of what the benchmarks left in results/benchmarks/.

    python -m benchmarks.write                          write it
    python -m benchmarks.write --run                    first run all benchmarks that need no other data (about an hour)
    python -m benchmarks.write --run photos crops       first run those
    python -m benchmarks.write --run --data ZIP         also those on real handwriting

COMMANDS says what stands there, in which order. A section that was not measured anew stays as it was, with its own date and commit.
"""

import argparse
import re
import shlex
import subprocess
import sys
from pathlib import Path

from benchmarks.common import PROJECT, REPORTS, slug
from shuzi.core.command import Problem, run
from shuzi.core.files import replacing

OUT = PROJECT / "BENCHMARKS.md"
REAL = "chinese-mnist.zip"  # stands for the file that --data names

STRANGERS = ",".join(map(str, range(57, 71)))  # its writers on whom nothing was tuned

# what BENCHMARKS.md holds. A benchmark of your own: add its command here.
COMMANDS = [
    f"python -m benchmarks.bench --nets ours --seeds 3 --strangers {REAL}",
    f"python -m benchmarks.bench --data {REAL} --test-writers {STRANGERS} --nets ours --seeds 2",
    "python -m benchmarks.paper --count 16 --jobs 1 --sheet pfinal.png --each 4",
    "python -m benchmarks.paper --real-only --sheets graph-paper.zip --situations situations.zip --kept --jobs 1",
    "python -m benchmarks.sheets --kept --data graph-paper.zip",
    f"python -m benchmarks.strangers --data {REAL} --others other-characters.zip --learn hwtrainset --kept",
    "python -m benchmarks.photos --count 200 --seed 10000 --jobs 1",
    "python -m benchmarks.crops",
    "python -m benchmarks.mouse",
    "python -m benchmarks.lines",
    "python -m benchmarks.others",
    "python -m benchmarks.wear",
    f"python -m benchmarks.teach {REAL} --writers 4",
    "python -m benchmarks.scale",
]

HEAD = """# Benchmarks

Every figure of this project, with the command that made it, the date, the commit and the machine. `python -m benchmarks.write`
writes this file; do not edit it. Commands run from the project's folder, after `make run`. `chinese-mnist.zip` is the download of
doi 10.17634/137930-3: pen writing of people, which the project does not hold.
"""


def sections(text: str) -> dict[str, str]:
    """{command: section} of a BENCHMARKS.md, or of a report: each begins with ## and names its command in its last lines."""
    found = {}
    for part in re.split(r"(?m)^(?=## )", text)[1:]:
        if commands := re.findall(r"(?m)^`(python -m .+)`  $", part):
            found[commands[-1]] = part.strip()
    return found


def put_together(commands, measured, before) -> tuple[str, list[str]]:
    """The text, and the commands of which there is no section yet. measured, before: {command: section}."""
    have = before | measured
    missing = [command for command in commands if command not in have]
    parts = [HEAD.strip(), *(have[command] for command in commands if command in have)]
    if missing:
        listed = "\n".join(f"- `{command}`" for command in missing)
        parts.append(f"## Not measured yet\n\n{listed}")
    return "\n\n".join(parts) + "\n", missing


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], epilog="example: python -m benchmarks.write --run photos crops"
    )
    parser.add_argument("--run", nargs="*", metavar="NAME", help="run these benchmarks first; without a name, all")
    parser.add_argument("--data", type=Path, metavar="ZIP", help="a Chinese MNIST download, for those that read one")
    parser.add_argument("--out", type=Path, default=OUT, metavar="FILE", help="default: BENCHMARKS.md")
    args = parser.parse_args(argv)
    failed = []
    if args.run is not None:
        known = {slug(command).split("_")[0] for command in COMMANDS}
        if unknown := set(args.run) - known:
            raise Problem(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
        for command in COMMANDS:
            chosen = not args.run or slug(command).split("_")[0] in args.run
            archives = [word for word in shlex.split(command) if word.endswith(".zip") and word != REAL]
            if chosen and (args.data or REAL not in command) and all((PROJECT / name).exists() for name in archives):
                print(f"\n{command}", file=sys.stderr)
                words = [str(args.data) if word == REAL else word for word in shlex.split(command)[1:]]
                if subprocess.run([sys.executable, *words], cwd=PROJECT, check=False).returncode not in (0, 1):
                    failed.append(command)
    measured = {}
    for path in sorted(REPORTS.glob("*.md")):
        measured |= sections(path.read_text("utf-8"))
    before = sections(args.out.read_text("utf-8")) if args.out.exists() else {}
    text, missing = put_together(COMMANDS, measured, before)
    with replacing(args.out) as part:
        part.write_text(text, encoding="utf-8")
    others = [command for command in measured if command not in COMMANDS]
    if others:
        print(f"left out, for COMMANDS does not name them: {'; '.join(others)}", file=sys.stderr)
    for command in failed:
        print(f"failed: {command}", file=sys.stderr)
    print(f"{args.out.name}: {len(COMMANDS) - len(missing)} of {len(COMMANDS)} sections")
    return 1 if failed else 0


if __name__ == "__main__":
    run(main)
