"""A page to write on: the model reads along, and "Teach" saves drawings for the next training.

model.keras → predictions while you write; drawings → hwtrainset/<class>/pad_writer-<id>_<n>.png.

The page is `page.html`, one file with nothing to fetch from elsewhere. Flask and waitress serve it
(requirements-pad.txt); they are imported only where they are needed.
"""

import argparse
import base64
import io
import ipaddress
import os
import re
import secrets
import socket
import sys
import threading
import warnings
import webbrowser
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image, UnidentifiedImageError

from shuzi import ink
from shuzi.core import numerals
from shuzi.reading.layout import choose, find_layout
from shuzi.reading.reader import ModelError, load_reader

PAGE = Path(__file__).with_name("page.html")
PORT = 7860
MAX_BYTES = 20 * 1024 * 1024  # of a picture; a photo of 12 megapixels is 3 to 8
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")  # what browsers and phones send
EXAMPLES = ("3", "5", "7", "8")
EXAMPLE_WRITERS = 10_000  # an example is written in one of so many hands
MISSING = "the page needs Flask and waitress: pip install -r requirements-pad.txt"


class PadError(Exception):
    """Why the pad can't do it. The message is one line for a person; code names it for the page."""

    def __init__(self, message, code="error", status=422):
        super().__init__(message)
        self.code = code
        self.status = status


# ---- what the page asks for ----------------------------------------------------------------------


def read(reader, body):
    """What the model reads in a picture.

    body: bytes of a picture. Returns a dict for the page: `top`, the three best as dicts with class,
    character, value (int or None) and confidence (0-1); `unsure`, bool; `seen`, the 64x64 picture as a
    data: address.
    Raises PadError.
    """
    return _answer(reader, _prepared(body)[1])


def _answer(reader, seen):
    shares = reader.predict(seen[None])[0]
    best = np.argsort(-shares, kind="stable")[:3]
    top = [dict(_named(reader.classes[i]), confidence=float(shares[i])) for i in best]
    image = "data:image/png;base64," + base64.b64encode(_png(seen)).decode()
    return {"top": top, "unsure": bool(reader.is_unsure(shares[None])[0]), "seen": image}


def read_lines(reader, body):
    """What the model reads in a photo, which may hold several characters.

    As `read`; for several characters a dict of `lines` instead: dicts with text, and number (int or None).
    """
    grey, seen = _prepared(body)
    layout = find_layout(ink.find_ink(grey))
    shares = reader.predict(np.repeat(layout.glyphs[..., None], 3, axis=3))
    lines = choose(layout, shares, reader.classes)
    if lines == [[0]]:
        return _answer(reader, seen)
    if all(len(line) == 1 for line in lines):
        lines = [[glyph for line in lines for glyph in line]]  # one column, read downwards
    best = [reader.classes[i] for i in shares.argmax(axis=1)]
    return {"lines": [_line([best[glyph] for glyph in line]) for line in lines]}


def _line(names):
    text = "".join(map(numerals.character, names))
    try:
        return {"text": text, "number": numerals.read_number(text)}
    except ValueError:
        return {"text": text, "number": None}


def teach(hwtrainset, body, name, writer):
    """Save a picture as a new file `hwtrainset/<class>/pad_writer-<id>_<n>.png`, grey; never over another.

    body: bytes of a picture. name: class or character. writer: letters and digits. Returns the path.
    Raises PadError.
    """
    name = checked_class(name)
    if not re.fullmatch(r"[^\W_]{1,24}", writer):
        raise PadError("a writer's name is 1 to 24 letters and digits", "bad-writer")
    grey = _prepared(body)[0]
    folder = Path(hwtrainset, name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _save_new(folder, f"pad_writer-{writer}", _png(grey))
    except OSError as error:
        raise PadError(f"{folder}: can't be saved there: {error.strerror or error}", status=500) from error


def checked_class(name):
    """The class that a name means, if a folder of that name is safe on every system; raises PadError."""
    name = numerals.class_name(name.strip())
    reserved = re.fullmatch(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", name, re.IGNORECASE)  # on Windows
    if not 0 < len(name) <= 40 or not name.isprintable() or re.search(r'[/\\:*?"<>|]', name):
        raise PadError('a class has a name of 1 to 40 characters, and none of / \\ : * ? " < > |', "bad-class")
    if name.startswith(".") or name.endswith((".", " ")) or reserved:
        raise PadError(f"{name!r} can't be the name of a folder everywhere; choose another", "bad-class")
    return name


def example(name):
    """Class `name` as one more virtual writer writes it.

    Returns a list of strokes, each a list of [x, y, width]: x and y in 0-1 of the paper, width a factor of
    the pen's.
    Raises PadError for a class that has no strokes in strokes.py.
    """
    from shuzi.drawing.handwriting import draw, make_writer

    if name not in numerals.ALL_CLASSES:
        raise PadError("there is no example of this class", status=404)
    rng = np.random.default_rng()
    writer = make_writer(0, int(rng.integers(EXAMPLE_WRITERS)))
    strokes = draw(name, writer, rng)
    points = np.concatenate([line for line, _ in strokes])
    low, high = points.min(axis=0), points.max(axis=0)
    scale = 0.66 / (high - low).max()
    result = []
    for line, widths in strokes:
        line = 0.5 + (line - (low + high) / 2) * scale
        step = max(1, len(line) // 24)  # the page draws curves through the points
        keep = np.unique(np.r_[np.arange(0, len(line), step), len(line) - 1])
        result.append(np.column_stack([line[keep], widths[keep]]).round(4).tolist())
    return result


def _prepared(body):
    """A picture's bytes -> (grey as it is, uint8 (h, w); prepared, uint8 (64, 64, 3)). Raises PadError."""
    Image.init()  # loads Pillow's plugins, once
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow's limit of pixels: ink has a lower one
            Image.open(io.BytesIO(body), formats=[name for name in FORMATS if name in Image.OPEN]).close()
        grey = ink.open_picture(body)
        return grey, ink.prepare(grey)
    except ink.NoInkError as error:
        raise PadError(str(error), "no-ink") from error
    except Image.DecompressionBombError as error:
        raise PadError("too large; make it smaller", "too-large") from error
    except ink.PictureError as error:
        raise PadError(str(error), "too-large" if "too large" in str(error) else "not-a-picture") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise PadError(
            "this is no picture of a known kind: PNG, JPEG, WebP, GIF, BMP, TIFF", "not-a-picture"
        ) from error


def _named(name):
    return {"class": name, "character": numerals.character(name), "value": numerals.value(name)}


def _png(picture):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _save_new(folder, stem, data):
    """Write data as folder/<stem>_<number>.png under the next free number, complete or not at all."""
    taken = [re.fullmatch(re.escape(stem) + r"_(\d{1,9})\.png", path.name) for path in folder.iterdir()]
    number = 1 + max((int(match[1]) for match in taken if match), default=0)
    part = folder / f".{stem}.{secrets.token_hex(4)}.part"
    try:
        with open(part, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        while True:
            path = folder / f"{stem}_{number:04d}.png"
            try:
                _rename_new(part, path)
                return path
            except FileExistsError:  # another tab was quicker
                number += 1
    finally:
        part.unlink(missing_ok=True)


def _rename_new(part, path):
    """Rename, but never over a file that exists: FileExistsError."""
    if os.name == "nt":
        os.rename(part, path)  # on Windows, it refuses by itself
        return
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        with open(path, "xb"):
            pass  # the name is ours now
        os.replace(part, path)


# ---- the server ----------------------------------------------------------------------------------


def make_app(reader, hwtrainset, host="127.0.0.1", framed=False):
    """The pad as a WSGI application.

    reader: as from `reader.load_reader`. hwtrainset: folder that Teach saves to. host: the address it is
    served on, which decides by which names it may be called. framed: may be shown inside a notebook's page.
    """
    import flask
    from werkzeug.exceptions import HTTPException

    app = flask.Flask("pad", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES
    one_at_a_time = threading.Lock()  # one picture in memory, and the cores to itself
    page = PAGE.read_text(encoding="utf-8")

    @app.before_request
    def only_for_its_own_page():
        # A page elsewhere can point its own name here (DNS rebinding), or post to this address from afar.
        if not _may_be_called(flask.request.host, host):
            raise PadError("this pad is not called by that name; open the address that pad.py printed", status=403)
        origin = flask.request.headers.get("Origin")
        if flask.request.method == "POST" and origin is not None and urlsplit(origin).netloc != flask.request.host:
            raise PadError("another page can't use this pad", status=403)

    @app.after_request
    def keep_to_itself(response):
        frames = "'self' http://localhost:* http://127.0.0.1:* vscode-webview: vscode-file:" if framed else "'none'"
        nonce = flask.g.get("nonce", "")
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
            f"img-src 'self' data: blob:; connect-src 'self'; "
            f"base-uri 'none'; form-action 'none'; frame-ancestors {frames}"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.errorhandler(PadError)
    def refused(error):
        return {"error": str(error), "code": error.code}, error.status

    @app.errorhandler(HTTPException)
    def failed(error):
        code = "too-large" if error.code == 413 else "error"
        return {"error": f"{error.name}: {error.description}", "code": code}, error.code

    @app.get("/")
    def show_page():
        flask.g.nonce = secrets.token_urlsafe(16)
        return page.replace("{{nonce}}", flask.g.nonce)

    @app.get("/about")
    def about():
        examples = [name for name in EXAMPLES if name in reader.classes]
        return {
            "classes": [_named(name) for name in sorted(reader.classes, key=numerals.class_order)],
            "examples": [_named(name) for name in examples],
            "max_bytes": MAX_BYTES,
        }

    @app.get("/example")
    def show_example():
        return {"strokes": example(flask.request.args.get("class", ""))}

    @app.post("/read")
    def read_picture():
        body = flask.request.get_data()
        with one_at_a_time:
            return read_lines(reader, body) if flask.request.args.get("photo") else read(reader, body)

    @app.post("/teach")
    def save_picture():
        body, args = flask.request.get_data(), flask.request.args
        with one_at_a_time:
            path = teach(hwtrainset, body, args.get("class", ""), args.get("writer", ""))
        return {"saved": path.as_posix()}

    return app


def _may_be_called(authority, served_on):
    """Whether a request's Host may be this pad: never a name that someone else's DNS decides on."""
    try:
        name = urlsplit("//" + authority).hostname or ""
    except ValueError:
        return False
    if name in ("localhost", served_on.lower()):
        return True
    here = _address(served_on)
    if here is not None and here.is_loopback:
        return _address(name) is not None and _address(name).is_loopback
    own = socket.gethostname().lower()
    return _address(name) is not None or name in (own, own + ".local")


def _address(name):
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _listen(host, port):
    """A listening socket; raises PadError. Port 0: any free one."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PadError(f"can't serve on {host} port {port}: {reason}; choose another --port") from error


def _serve(app, listener):
    import waitress

    # Larger bodies than Flask answers in words are cut off before they are received.
    return waitress.create_server(
        app,
        sockets=[listener],
        threads=4,
        max_request_body_size=2 * MAX_BYTES,
        channel_timeout=30,
        ident=None,
    )


_shown = []  # the servers of this notebook


def show(model="model.keras", hwtrainset="hwtrainset", height=820):
    """Open the pad inside a notebook, served on 127.0.0.1 in the background as long as the kernel runs.

    model, hwtrainset: paths. height: of the frame, pixels. Where it can't be shown it prints why.
    """
    try:
        import flask  # noqa: F401
        import waitress  # noqa: F401
        from IPython.display import IFrame, display
    except ImportError:
        print(f"No pad here: {MISSING}")
        return
    try:
        app = make_app(load_reader(model), hwtrainset, framed=True)
        listener = _listen("127.0.0.1", 0)
    except (ModelError, PadError) as error:
        print(f"No pad here: {error}")
        return
    while _shown:
        _shown.pop().close()
    server = _serve(app, listener)
    _shown.append(server)
    threading.Thread(target=server.run, daemon=True).start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    display(IFrame(address, "100%", height))
    print(f"The pad is at {address} on the computer that runs this notebook; in a window of its own: python pad.py")


def main(argv=None):
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        description="A page to write on: the model reads along, and Teach saves drawings to learn from.",
        epilog="example: python pad.py --model model.keras --open",
    )
    parser.add_argument("--model", default="model.keras", help="the trained model (default: %(default)s)")
    parser.add_argument("--hwtrainset", default="hwtrainset", help="where Teach saves drawings (default: %(default)s)")
    parser.add_argument("--port", type=int, default=PORT, help="0 takes any free one (default: %(default)s)")
    parser.add_argument(
        "--host", default="127.0.0.1", help="0.0.0.0 lets others in the network in (default: this computer)"
    )
    parser.add_argument("--open", action="store_true", help="open the page in a browser")
    args = parser.parse_args(argv)
    try:
        import flask  # noqa: F401
        import waitress  # noqa: F401
    except ImportError:
        return _sorry(MISSING)
    try:
        with _listen(args.host, args.port) as listener:
            reader = load_reader(args.model)
            server = _serve(make_app(reader, args.hwtrainset, args.host), listener)
            port = listener.getsockname()[1]
            address = _address(args.host)
            if address is not None and address.is_unspecified:
                print("Everybody in this network can open the page and save drawings.", file=sys.stderr)
            page = f"http://{_reachable(args.host)}:{port}/"
            print(
                f"Reading {len(reader.classes)} classes with {args.model} at {page} (Ctrl-C ends it)",
                flush=True,
            )
            if args.open:
                webbrowser.open(page)
            server.run()  # until Ctrl-C, which it catches
            raise KeyboardInterrupt
    except (ModelError, PadError) as error:
        return _sorry(error)


def _reachable(host):
    """The name to open the page by."""
    address = _address(host)
    if address is not None and address.is_unspecified:
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.connect(("192.0.2.1", 9))  # sends nothing: asks which of our addresses would be used
                return probe.getsockname()[0]
        except OSError:
            return socket.gethostname()
    return f"[{host}]" if address is not None and address.version == 6 else host


def _sorry(reason):
    print(f"pad.py: {reason}", file=sys.stderr)
    return 2
