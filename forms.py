"""Sheets to write on: classes → forms.pdf. Filled and photographed, datapro.py reads them."""

import argparse
import secrets

from shuzi.core import numerals
from shuzi.core.files import Problem, replacing, run, shown
from shuzi.dataset import forms, forms_pdf


def main(argv=None):
    parser = argparse.ArgumentParser(
        description="Make sheets to print, fill and photograph; datapro.py reads the filled ones without any option.",
        epilog="example: python forms.py --classes 1,2,3 --each 10 --writers 30 --out forms.pdf",
    )
    add = parser.add_argument
    add(
        "--classes", default="1,2,3,4,5,6,7,8,9,10", help="names or characters, or all numerals: all (default: 1 to 10)"
    )
    add("--each", type=int, default=5, metavar="N", help="cells for each class (default: %(default)s)")
    add("--writers", type=int, default=1, metavar="N", help="sheets numbered for so many writers (default: no number)")
    add("--paper", default="a4", help="a4 or letter (default: %(default)s)")
    add("--trace", action="store_true", help="print the first of each class large and pale, to trace")
    add("--run", type=int, default=None, metavar="N", help="number of this printing, 0 to 12166 (default: any)")
    add("--out", default="forms.pdf", metavar="FILE.pdf", help="(default: %(default)s)")
    args = parser.parse_args(argv)
    classes = forms_pdf.named(args.classes)
    if not classes:
        raise Problem("--classes names no class")
    most = 23**3  # printings have three letters of 23
    if args.run is not None and not 0 <= args.run < most:
        raise Problem(f"--run must be 0 to {most - 1}")
    number = secrets.randbelow(most) if args.run is None else args.run
    pages = forms.pages(classes, args.each, args.writers, args.paper.lower(), args.trace, number)
    with replacing(args.out) as part:
        forms_pdf.write(pages, part)
    for_each = len(pages) // args.writers
    whose = f"for each of {args.writers} writers" if args.writers > 1 else "for any number of writers: copy it"
    characters = "".join(map(numerals.character, classes)) if len(classes) < 30 else f"{len(classes)} classes"
    print(
        f"{shown(args.out)}: {for_each} {'page' if for_each == 1 else 'pages'} {whose}; {shown(characters)}, "
        f"{args.each} of each. Print at full size, fill, photograph, and: python datapro.py PICTURES"
    )
    return 0


if __name__ == "__main__":
    run(main)
