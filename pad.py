"""A page to write on: model.keras → predictions while you write; drawings → hwtrainset/."""

import argparse
import secrets
import sys
import webbrowser

from shuzi.core.command import run
from shuzi.pad.server import check_libraries, is_own, listen, make_app, reachable, serve
from shuzi.reading.reader import load_reader


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        description="A page to write on: the model reads along, and Teach saves drawings to learn from.",
        epilog="example: python pad.py --model model.keras --open",
    )
    add = parser.add_argument
    add("--model", default="model.keras", help="the trained model (default: %(default)s)")
    add("--hwtrainset", default="hwtrainset", help="where Teach saves drawings (default: %(default)s)")
    add("--port", type=int, default=7860, help="0 takes any free one (default: %(default)s)")
    add("--host", help="0.0.0.0 lets others in the network in, with a key (default: 127.0.0.1, this computer)")
    add("--open", action="store_true", help="open the page in a browser")
    round_ = parser.add_argument_group("a round of collecting: a class writes on its phones, and you look on")
    round_.add_argument(
        "--collect", action="store_true", help="open one; it is for the whole network if --host is not given"
    )
    round_.add_argument(
        "--classes", default="1,2,3,4,5,6,7,8,9,10", help="to be written, names or characters (default: 1 to 10)"
    )
    round_.add_argument(
        "--each", type=int, default=5, metavar="N", help="of each by each writer (default: %(default)s)"
    )
    args = parser.parse_args(argv)
    if not 1 <= args.each <= 200:
        parser.error("--each must be 1 to 200")
    if args.host is None:
        args.host = "0.0.0.0" if args.collect else "127.0.0.1"
    return args


def main(argv=None):
    args = parse_arguments(argv)
    check_libraries()
    if args.collect:
        from shuzi.pad.collect_server import collect

        collect(args.host, args.port, args.hwtrainset, args.classes, args.each, args.open)
        raise KeyboardInterrupt
    with listen(args.host, args.port) as listener:
        reader = load_reader(args.model)
        key = "" if is_own(args.host) else secrets.token_urlsafe(9)
        server = serve(make_app(reader, args.hwtrainset, args.host, key=key), listener)
        page = f"http://{reachable(args.host)}:{listener.getsockname()[1]}/" + (f"?key={key}" if key else "")
        if key:
            print("Whoever in this network has this address can open the page and save drawings.", file=sys.stderr)
        print(f"Reading {len(reader.classes)} classes with {args.model} at {page} (Ctrl-C ends it)", flush=True)
        if args.open:
            webbrowser.open(page)
        server.run()  # until Ctrl-C, which it catches
        raise KeyboardInterrupt


if __name__ == "__main__":
    run(main)
