"""A page to write on: model.keras → predictions while you write; drawings → hwtrainset/."""

import argparse
import sys
import webbrowser

from shuzi.core.command import run
from shuzi.pad.server import check_libraries, is_open, listen, make_app, reachable, serve
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
    add("--host", default="127.0.0.1", help="0.0.0.0 lets others in the network in (default: this computer)")
    add("--open", action="store_true", help="open the page in a browser")
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_arguments(argv)
    check_libraries()
    with listen(args.host, args.port) as listener:
        reader = load_reader(args.model)
        server = serve(make_app(reader, args.hwtrainset, args.host), listener)
        if is_open(args.host):
            print("Everybody in this network can open the page and save drawings.", file=sys.stderr)
        page = f"http://{reachable(args.host)}:{listener.getsockname()[1]}/"
        print(f"Reading {len(reader.classes)} classes with {args.model} at {page} (Ctrl-C ends it)", flush=True)
        if args.open:
            webbrowser.open(page)
        server.run()  # until Ctrl-C, which it catches
        raise KeyboardInterrupt


if __name__ == "__main__":
    run(main)
