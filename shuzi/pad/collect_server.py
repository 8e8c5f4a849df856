"""The round of collecting over HTTP: the students' page, the teacher's page, and a key for each.

Whoever has no key is told so and nothing else. A key is compared in constant time, can be replaced, and ends with the
program. The students' key opens their page alone.
"""

import hmac
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shuzi.core import numerals
from shuzi.core.text import shown, split_names
from shuzi.pad.collect import MOST_BYTES, Round, new_key
from shuzi.pad.pictures import PadError
from shuzi.pad.server import listen, reachable, serve

if TYPE_CHECKING:
    import flask

STUDENTS = Path(__file__).with_name("collect.html")
TEACHER = Path(__file__).with_name("teacher.html")


def make_collect_app(collecting: Round, address: str) -> "flask.Flask":
    """A round as a WSGI application. address: of its page, as phones reach it, ending in /.

    app.config["KEYS"] holds the keys, "student" and "teacher".
    """
    import flask
    import segno
    from werkzeug.exceptions import HTTPException

    app = flask.Flask("collect", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.config["KEYS"] = keys = {"student": new_key(), "teacher": new_key()}
    pages = {name: path.read_text(encoding="utf-8") for name, path in (("student", STUDENTS), ("teacher", TEACHER))}

    @app.before_request
    def only_with_a_key():
        origin = flask.request.headers.get("Origin")
        if flask.request.method == "POST" and origin is not None and urlsplit(origin).netloc != flask.request.host:
            raise PadError("another page can't use this one", status=403)
        role = "teacher" if flask.request.path.startswith("/teacher") else "student"
        given = flask.request.headers.get("X-Key") or flask.request.args.get("key", "")
        if not hmac.compare_digest(given.encode(), keys[role].encode()):
            raise PadError("no key, or an old one: scan the code again", "key", 403)

    @app.after_request
    def keep_to_itself(response):
        nonce = flask.g.get("nonce", "")
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self' data: blob:; "
            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
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
        return {"error": error.name, "code": "too-large" if error.code == 413 else "error"}, error.code

    def page(role):
        flask.g.nonce = secrets.token_urlsafe(16)
        return pages[role].replace("{{nonce}}", flask.g.nonce)

    def said():
        about = flask.request.get_json(silent=True)
        if not isinstance(about, dict):
            raise PadError("not understood", "error")
        return about

    def text(about, name):
        value = about.get(name, "")
        if not isinstance(value, str) or len(value) > 200:
            raise PadError("not understood", "error")
        return value

    # ---- students ----

    @app.get("/")
    def students_page():
        return page("student")

    @app.post("/join")
    def join():
        about = said()
        writer = collecting.join(text(about, "name"), text(about, "token"), about.get("same") is True)
        classes = [{"class": name, "character": numerals.character(name)} for name in collecting.classes]
        return {"writer": writer, "classes": classes, "each": collecting.each, "counts": collecting.counts(writer)}

    @app.post("/save")
    def save():
        about = said()
        ids = (text(about, name) for name in ("writer", "token", "class", "drawing"))
        return {"counts": collecting.save(*ids, about.get("strokes"))}

    @app.post("/back")
    def take_back():
        about = said()
        return {"counts": collecting.take_back(*(text(about, name) for name in ("writer", "token", "drawing")))}

    # ---- the teacher ----

    @app.get("/teacher")
    def teachers_page():
        return page("teacher")

    @app.get("/teacher/overview")
    def overview():
        joined = f"{address}?key={keys['student']}"
        code = segno.make(joined, error="m").svg_data_uri(scale=6, border=2)
        return {"writers": collecting.overview(), "address": joined, "scan": code}

    @app.get("/teacher/picture")
    def picture():
        drawing = collecting.drawings.get(flask.request.args.get("drawing", ""))
        if drawing is None:
            raise PadError("there is no such drawing", status=404)
        return flask.Response(drawing[2].read_bytes(), mimetype="image/png")

    @app.post("/teacher/refuse")
    def refuse():
        collecting.refuse(text(said(), "drawing"))
        return {}

    @app.post("/teacher/rename")
    def rename():
        about = said()
        collecting.rename(text(about, "writer"), text(about, "new"))
        return {}

    @app.post("/teacher/key")
    def replace_key():
        keys["student"] = new_key()
        return {}

    return app


def collect(host: str, port: int, hwtrainset: str, classes: str, each: int, show: bool = False) -> None:
    """Serve a round until Ctrl-C. classes: names as a person gives them. show: open the teacher's page in a browser.

    Raises PadError, also where segno is not installed.
    """
    import webbrowser

    try:
        import segno
    except ImportError:
        raise PadError("collecting needs segno, for its code to scan: pip install -r requirements-pad.txt") from None
    names = list(dict.fromkeys(map(numerals.class_name, split_names(classes))))
    if not names:
        raise PadError("--classes names no class")
    with listen(host, port) as listener:
        address = f"http://{reachable(host)}:{listener.getsockname()[1]}/"
        app = make_collect_app(Round(hwtrainset, names, each), address)
        keys = app.config["KEYS"]
        server = serve(app, listener, threads=8)
        joined, teacher = f"{address}?key={keys['student']}", f"{address}teacher?key={keys['teacher']}"
        if sys.stdout.isatty():
            segno.make(joined, error="m").terminal(compact=True)
        print(
            f"Phones: {joined}\nYou: {teacher}\nDrawings go to {shown(hwtrainset)}/ (Ctrl-C ends the round)", flush=True
        )
        if show:
            webbrowser.open(teacher)
        server.run()
