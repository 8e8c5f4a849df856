"""The pad's server: the page, and what it asks for, over HTTP on this computer.

The page is `page.html`, one file with nothing to fetch from elsewhere. Flask and waitress serve it
(requirements-pad.txt); they are imported only where they are needed.
"""

import hmac
import ipaddress
import os
import secrets
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shuzi.core import numerals
from shuzi.core.command import Problem
from shuzi.pad.pictures import PadError, example, named, read, teach
from shuzi.reading.reader import Reader, load_reader

if TYPE_CHECKING:
    import flask

PAGE = Path(__file__).with_name("page.html")
UPLOAD_LIMIT = 20 * 1024 * 1024  # bytes of a picture; a photo of 12 megapixels is 3 to 8
EXAMPLES = ("3", "5", "7", "8")


def check_libraries() -> None:
    """Raises PadError where what serves the page is not installed."""
    try:
        import flask  # noqa: F401
        import waitress  # noqa: F401
    except ImportError:
        raise PadError("the page needs Flask and waitress: pip install -r requirements-pad.txt") from None


def make_app(
    reader: Reader, hwtrainset: str | os.PathLike, host: str = "127.0.0.1", framed: bool = False, key: str = ""
) -> "flask.Flask":
    """The pad as a WSGI application.

    reader: as from `reader.load_reader`. hwtrainset: folder that Teach saves to. host: the address it is
    served on, which decides by which names it may be called. framed: may be shown inside a notebook's page.
    key: that its address must have; "" for none.
    """
    import flask
    from werkzeug.exceptions import HTTPException

    app = flask.Flask("pad", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = UPLOAD_LIMIT
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
        given = flask.request.args.get("key") or flask.request.cookies.get("key", "")
        if key and not hmac.compare_digest(given.encode(), key.encode()):
            raise PadError("no key: open the address that pad.py printed", "key", 403)

    @app.after_request
    def keep_to_itself(response):
        if key and response.status_code == 200 and flask.request.path == "/":  # what the page asks for is let in by it
            response.set_cookie("key", key, httponly=True, samesite="Strict")
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
            "classes": [named(name) for name in sorted(reader.classes, key=numerals.class_order)],
            "examples": [named(name) for name in examples],
            "max_bytes": UPLOAD_LIMIT,
        }

    @app.get("/example")
    def show_example():
        return {"strokes": example(flask.request.args.get("class", ""))}

    @app.post("/read")
    def read_picture():
        body = flask.request.get_data()
        with one_at_a_time:
            return read(reader, body, several=bool(flask.request.args.get("photo")))

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


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises PadError. Port 0: any free one."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PadError(f"can't serve on {host} port {port}: {reason}; choose another --port") from error


def serve(app: "flask.Flask", listener: socket.socket, threads: int = 4):
    """A waitress server; its `run` serves until it is closed."""
    import waitress

    # Larger bodies than Flask answers in words are cut off before they are received.
    return waitress.create_server(
        app,
        sockets=[listener],
        threads=threads,
        max_request_body_size=2 * UPLOAD_LIMIT,
        channel_timeout=30,
        ident=None,
    )


_shown = []  # the servers of this notebook


def show(model: str = "model.keras", hwtrainset: str = "hwtrainset", height: int = 820) -> None:
    """Open the pad inside a notebook, served on 127.0.0.1 in the background as long as the kernel runs.

    model, hwtrainset: paths. height: of the frame, pixels. Where it can't be shown it prints why.
    """
    try:
        check_libraries()
        from IPython.display import IFrame, display

        app = make_app(load_reader(model), hwtrainset, framed=True)
        listener = listen("127.0.0.1", 0)
    except Problem as error:
        print(f"No pad here: {error}")
        return
    while _shown:
        _shown.pop().close()
    server = serve(app, listener)
    _shown.append(server)
    threading.Thread(target=server.run, daemon=True).start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    display(IFrame(address, "100%", height))
    print(f"The pad is at {address} on the computer that runs this notebook; in a window of its own: python pad.py")


def reachable(host: str) -> str:
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


def is_own(host: str) -> bool:
    """Whether what is served on this host's name is for this computer alone."""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)
