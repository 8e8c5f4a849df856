"""Is handwriting found and read on every paper, screen and board, and are empty pages said to be empty?

Draws pictures of each kind with virtual writers that no training set holds (benchmarks/paper/), reads them as
predict.py does and prints a Markdown table, a row a kind. With --sheets, --situations and --others it reads real and
reported pictures out of their archives.
"""

import argparse
import json
import os
from collections import Counter, defaultdict

from tqdm import tqdm

from benchmarks.common import Report
from shuzi.core.command import Problem, run
from shuzi.core.files import replacing
from shuzi.core.numerals import DEFAULT_CLASSES
from shuzi.core.text import split_names
from shuzi.reading.reader import load_reader

from . import contact, kinds, real
from .measure import Job, Tally, measure, outcome_is

HEADER = (
    "| kind | pictures | right | 95% | sure and wrong | unsure | said to be empty | several | ms |\n"
    "|---|---|---|---|---|---|---|---|---|"
)
KEPT = range(15, 19)  # sheets that are kept for the end


def main(argv=None):
    args = parse_arguments(argv)
    reader = load_reader(args.model)
    jobs = drawn_jobs(args, reader.classes) + real_jobs(args)
    if not jobs:
        raise Problem("nothing to measure: no kind has that name; --list shows them")
    tallies, together, cards, reasons = defaultdict(Tally), defaultdict(Tally), defaultdict(list), defaultdict(int)
    left = Counter(job.kind for job in jobs)
    say = Report("Paper, screens and boards", __doc__, argv)
    say(HEADER)
    for outcome in tqdm(measure(jobs, reader, args.jobs, bool(args.sheet)), total=len(jobs), disable=None):
        wanted = wanted_of(outcome.job)
        kind = outcome.job.kind
        tallies[kind].add(outcome, wanted)
        together[kinds.group(kind)].add(outcome, wanted)
        if outcome.reason:
            reasons[outcome.reason] += 1
        if args.sheet and len(cards[kind]) < args.each and (args.show == "all" or not outcome_is(outcome, wanted)):
            cards[kind].append(outcome)
        left[kind] -= 1
        if left[kind] == 0:
            say(row(kind, tallies[kind]))
    say(summary(together, reasons))
    say.save()
    if args.json:
        whole = {
            "model": args.model,
            "kinds": {name: tally.as_dict() for name, tally in tallies.items()},
            "groups": {name: tally.as_dict() for name, tally in together.items()},
        }
        with replacing(args.json) as part, open(part, "w", encoding="utf-8") as file:
            json.dump(whole, file, ensure_ascii=False, indent=1)
    if args.sheet:
        contact.write(args.sheet, [card for some in cards.values() for card in some])
    return 0


def wanted_of(job):
    if job.truth is not None:
        return "right"
    return "empty" if job.source is None else "unsure"


def drawn_jobs(args, classes):
    names = [name for name in DEFAULT_CLASSES if name in classes]
    if not names:
        raise Problem(f"{args.model}: reads none of the classes {', '.join(DEFAULT_CLASSES)}")
    wanted = (
        [kind for kind in kinds.KINDS if any(word in kind for word in args.kinds)] if args.kinds else list(kinds.KINDS)
    )
    if args.real_only:
        wanted = []
    return [
        Job(kind, number, seed, None, None if kind.startswith("empty") else names[number % len(names)])
        for kind in wanted
        for seed in args.seeds
        for number in range(min(args.count, kinds.FEWER.get(kind, args.count)))
    ]


def real_jobs(args):
    jobs = []
    if args.sheets:
        jobs += real.sheet_cells(args.sheets, set(KEPT) if args.kept else args.only, args.offsets)
    if args.situations:
        jobs += real.situations(args.situations)
    if args.others:
        jobs += real.others(args.others, args.kept)
    return [Job(kind, None, 0, source, truth) for kind, source, truth in jobs]


def summary(together, reasons):
    lines = ["", "Together:", "", HEADER]
    lines += [row(name, tally) for name, tally in together.items()]
    other = {reason: count for reason, count in reasons.items() if reason != "no ink found"}
    if other:
        lines += [
            "",
            "Refused for another reason: " + "; ".join(f"{reason} ({count})" for reason, count in other.items()),
        ]
    lines += [
        "",
        "Right: one character, of the right class; an empty page that is said to be empty; another character that is "
        "said to be unsure. Sure and wrong includes numerals taken for several. ms: of processor, to decode a picture "
        "and find its ink, the median.",
    ]
    return "\n".join(lines)


def row(name, tally):
    t = tally.as_dict()
    shares = " | ".join(f"{100 * t[key]:.1f}%" for key in ("sure_and_wrong", "unsure", "said_empty", "several"))
    interval = f"{100 * t['low']:.1f}–{100 * t['high']:.1f}%"
    return f"| {name} | {t['pictures']} | {100 * t['right']:.1f}% | {interval} | {shares} | {t['milliseconds']:.0f} |"


def numbers(text):
    """`8-14` or `0,1,2` -> set of integers."""
    found = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        found += range(int(low), int(high or low) + 1)
    return sorted(set(found))


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.paper",
        description=__doc__.split("\n\n")[0],
        epilog="example: python -m benchmarks.paper --model model.keras --count 50 --kinds 米字格 --sheet wrong.png",
    )
    parser.add_argument("--model", default="model.keras", help="the trained model (default: model.keras)")
    parser.add_argument("--count", type=int, default=200, help="pictures of each kind and seed (default: 200)")
    parser.add_argument(
        "--seeds",
        "--seed",
        type=numbers,
        default=[0],
        metavar="N,N",
        help="other writers, papers, cameras (default: 0)",
    )
    parser.add_argument(
        "--kinds",
        type=split_names,
        default=[],
        metavar="WORD,WORD",
        help="only kinds whose name has one of these in it",
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count(), help="processes (default: one a core); 0: no others"
    )
    parser.add_argument(
        "--sheet", metavar="FILE.png", help="a contact sheet of failures: as given, what was found, truth, answer"
    )
    parser.add_argument("--show", choices=("failures", "all"), default="failures", help="what goes on the sheet")
    parser.add_argument("--each", type=int, default=15, help="pictures of a kind on the sheet, at most (default: 15)")
    parser.add_argument("--json", metavar="FILE", help="the figures as JSON")
    parser.add_argument("--sheets", metavar="ZIP", help="scanned tables of handwriting with cells.csv")
    parser.add_argument(
        "--only", type=numbers, default=numbers("8-14"), metavar="N-N", help="which sheets (default: 8-14)"
    )
    parser.add_argument("--offsets", type=int, default=3, help="cuts of each cell with its lines (default: 3)")
    parser.add_argument("--situations", metavar="ZIP", help="reported pictures, filed by class")
    parser.add_argument("--others", metavar="ZIP", help="characters that are no numerals, in numbered folders")
    parser.add_argument(
        "--kept", action="store_true", help="the sheets 15-18 and the folders ending in 6 instead: once, at the end"
    )
    parser.add_argument("--real-only", action="store_true", help="draw nothing")
    parser.add_argument("--list", action="store_true", help="print the kinds and end")
    args = parser.parse_args(argv)
    if args.list:
        parser.exit(0, "\n".join(kinds.KINDS) + "\n")
    if args.count < 1 or args.offsets < 0 or args.jobs < 0:
        parser.error("--count is 1 or more, --offsets and --jobs 0 or more")
    if set(args.only) & set(KEPT):
        parser.error("sheets 15-18 are kept for the end; --kept reads them")
    return args


if __name__ == "__main__":
    run(main)
