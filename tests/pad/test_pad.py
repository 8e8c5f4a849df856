"""pad.py: the server over HTTP, and the page in a real Chromium.

The tests of the page are skipped where Playwright or a Chromium is missing.
"""

import base64
import http.client
import http.server
import io
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from common import PROJECT, assert_one_line, call
from PIL import Image

from shuzi import ink
from shuzi.drawing.strokes import WAYS, parse
from shuzi.pad import pictures
from shuzi.pad import server as server_room

pytest.importorskip("flask", reason="requirements-pad.txt is not installed")
pytest.importorskip("waitress", reason="requirements-pad.txt is not installed")

CLASSES = ["3", "7", "10"]


def lines(name):
    """The strokes of a class as a pen writes them: lists of (x, y) in 0-1 of the paper."""
    return [(0.2 + 0.6 * points).tolist() for points, *_ in parse(WAYS[name]["regular"][1])]


def drawing(name, side=320):
    """PNG of a class as the page sends it."""
    grey = np.full((side, side), 255, np.uint8)
    for line in lines(name):
        cv2.polylines(grey, [np.int32(np.array(line) * side)], False, 0, 14, cv2.LINE_AA)
    return png(grey)


def png(picture):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A model that knows 三 七 十 as virtual writers write them, trained in seconds."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    from keras import layers

    from shuzi.reading import reader

    keras.utils.set_random_seed(0)
    drawn, labels = [], []
    for label, name in enumerate(CLASSES):
        for _ in range(100):
            grey = np.full((320, 320), 255, np.uint8)
            for stroke in pictures.example(name):
                cv2.polylines(grey, [np.int32(np.array(stroke)[:, :2] * 320)], False, 0, 14, cv2.LINE_AA)
            drawn.append(ink.prepare(grey))
            labels.append(label)
    net = keras.Sequential(
        [
            keras.Input((64, 64, 3)),
            layers.Rescaling(-1 / 255, 1),
            layers.Conv2D(8, 3, strides=2, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(len(CLASSES), activation="softmax"),
        ]
    )
    net.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    net.fit(np.array(drawn), np.array(labels), epochs=8, batch_size=32, verbose=0)
    path = tmp_path_factory.mktemp("model") / "model.keras"
    reader.save_model(net, path, CLASSES, 0.5)
    return path


class Server:
    """`python pad.py` on a free port, in a folder of its own."""

    def __init__(self, model, folder, *options):
        self.hwtrainset = folder / "hwtrainset"
        self.errors = folder / "stderr.txt"
        command = [sys.executable, str(PROJECT / "pad.py"), "--model", str(model), "--port", "0", *options]
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True)
        first = self.process.stdout.readline()
        assert "http://" in first, first + self.errors.read_text()
        self.address = first[first.index("http://") :].split()[0]
        self.port = urllib.parse.urlsplit(self.address).port

    def ask(self, path, body=None, headers=None):
        """(status, headers, body) of a GET, or of a POST where there is a body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET" if body is None else "POST", path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def json(self, path, body=None, headers=None):
        status, _, answer = self.ask(path, body, headers)
        return status, json.loads(answer)

    def teach(self, body, name, writer="me", headers=None):
        query = urllib.parse.urlencode({"class": name, "writer": writer})
        return self.json("/teach?" + query, body, headers)

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="session")
def shared(model, tmp_path_factory):
    server = Server(model, tmp_path_factory.mktemp("pad"))
    yield server
    server.stop()
    assert "Traceback" not in server.errors.read_text()


@pytest.fixture
def server(shared):
    shutil.rmtree(shared.hwtrainset, ignore_errors=True)
    return shared


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# ---- over HTTP -----------------------------------------------------------------------------------


def test_page_names_no_other_host_and_runs_only_its_own_script(server):
    status, headers, body = server.ask("/")
    page = body.decode()
    assert status == 200
    assert "http://" not in page and "https://" not in page and "//cdn" not in page
    policy = headers["Content-Security-Policy"]
    nonce = page.split('<script nonce="')[1].split('"')[0]
    assert len(nonce) > 15 and f"script-src 'nonce-{nonce}'" in policy
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert nonce not in server.ask("/")[2].decode()


def test_drawing_is_read(server):
    for name, character in (("7", "七"), ("3", "三")):
        status, answer = server.json("/read", drawing(name))
        assert status == 200
        best = answer["top"][0]
        assert (best["class"], best["character"], best["value"]) == (name, character, int(name))
        assert [one["confidence"] for one in answer["top"]] == sorted(
            (one["confidence"] for one in answer["top"]), reverse=True
        )
        assert sum(one["confidence"] for one in answer["top"]) == pytest.approx(1, abs=1e-3)
        seen = Image.open(io.BytesIO(base64.b64decode(answer["seen"].split(",")[1])))
        assert np.array_equal(np.asarray(seen), ink.read_picture(drawing(name))[:, :, 0])


def test_photo_of_several_characters_is_read_as_a_number(server):
    both = [np.asarray(Image.open(io.BytesIO(drawing(name)))) for name in ("3", "10")]
    status, answer = server.json("/read?photo=1", png(np.hstack(both)))
    assert (status, answer) == (200, {"lines": [{"text": "三十", "number": 30, "says": "30"}]})
    status, answer = server.json("/read?photo=1", drawing("3"))
    assert status == 200 and answer["top"][0]["class"] == "3"


def test_photo_formats_are_read(server):
    picture = Image.open(io.BytesIO(drawing("7")))
    for kind in ("JPEG", "WEBP", "BMP", "GIF", "TIFF"):
        buffer = io.BytesIO()
        picture.save(buffer, kind)
        status, answer = server.json("/read", buffer.getvalue())
        assert status == 200 and answer["top"][0]["class"] == "7", kind


def test_what_is_no_picture_gets_a_sentence(server):
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000), 1).save(bomb, "PNG")
    ppm = io.BytesIO()
    Image.open(io.BytesIO(drawing("7"))).save(ppm, "PPM")
    for body, code in [
        (b"dear model, please read this", "not-a-picture"),
        (b"", "not-a-picture"),
        (drawing("7")[:200], "not-a-picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not-a-picture"),
        (b"%PDF-1.7\n", "not-a-picture"),
        (ppm.getvalue(), "not-a-picture"),  # a picture, but of no kind that browsers and phones make
        (bomb.getvalue(), "too-large"),
        (png(np.full((320, 320), 255, np.uint8)), "no-ink"),
    ]:
        for path in ("/read", "/teach?class=7&writer=me"):
            status, answer = server.json(path, body)
            assert (status, answer["code"]) == (422, code), body[:30]
            assert answer["error"] and "\n" not in answer["error"]
    assert files(server.hwtrainset.parent) == ["stderr.txt"]


def test_upload_over_the_limit_is_refused_and_the_server_lives(server):
    status, answer = server.json("/read", bytes(server_room.UPLOAD_LIMIT + 1))
    assert (status, answer["code"]) == (413, "too-large")
    assert server.json("/read", drawing("7"))[0] == 200


def test_teach_saves_numbered_files_that_datapro_understands(server):
    first = drawing("7")
    assert server.teach(first, "7") == (200, {"saved": "hwtrainset/7/pad_writer-me_0001.png"})
    saved = server.hwtrainset / "7" / "pad_writer-me_0001.png"
    before = saved.read_bytes()
    assert server.teach(drawing("3"), "七") == (200, {"saved": "hwtrainset/7/pad_writer-me_0002.png"})
    assert server.teach(first, "乙", "小明2")[1] == {"saved": "hwtrainset/乙/pad_writer-小明2_0001.png"}
    assert saved.read_bytes() == before
    assert len(files(server.hwtrainset)) == 3  # and no unfinished one
    with Image.open(saved) as picture:
        assert (picture.mode, picture.format) == ("L", "PNG")
        assert np.array_equal(np.asarray(picture), np.asarray(Image.open(io.BytesIO(first))))


def test_teach_keeps_what_is_there_and_counts_on(server):
    folder = server.hwtrainset / "7"
    folder.mkdir(parents=True)
    (folder / "pad_writer-me_0041.png").write_bytes(b"someone's")
    (folder / "pad_writer-me_.png").write_bytes(b"odd")
    assert server.teach(drawing("7"), "7")[1] == {"saved": "hwtrainset/7/pad_writer-me_0042.png"}
    assert (folder / "pad_writer-me_0041.png").read_bytes() == b"someone's"


def test_two_pads_at_once_lose_nothing(tmp_path):
    bodies = [drawing("7", side) for side in range(200, 232)]
    barrier = threading.Barrier(8)

    def save(body):
        barrier.wait(30)  # eight at the same time, as from pads that share no lock
        return pictures.teach(tmp_path, body, "7", "me")

    with ThreadPoolExecutor(8) as threads:
        paths = list(threads.map(save, bodies))
    assert len(set(paths)) == len(bodies) == len(files(tmp_path))
    for path, body in zip(paths, bodies, strict=True):
        assert Image.open(path).size == Image.open(io.BytesIO(body)).size


UNSAFE = ["", " ", ".", "..", "../7", "7/..", "a/b", "a\\b", "/etc", "C:x", ".hidden", "a.", "a*", "\u202eb"]
UNSAFE += ["a\0b", "a\nb", "con", "NUL.txt", "x" * 41]


@pytest.mark.parametrize("name", [*UNSAFE, "．．／7"])
def test_class_that_is_no_safe_folder_name_is_refused(server, name):
    status, answer = server.teach(drawing("7"), name)
    if name == "．．／7":  # full-width look-alikes mean no path to any system
        assert status == 200 and answer["saved"].startswith("hwtrainset/．．／7/")
    else:
        assert (status, answer["code"]) == (422, "bad-class")
        assert files(server.hwtrainset.parent) == ["stderr.txt"]


@pytest.mark.parametrize("writer", ["", "a b", "a_b", "../x", "a/b", "x" * 25])
def test_writer_that_is_no_safe_name_is_refused(server, writer):
    assert server.teach(drawing("7"), "7", writer)[1]["code"] == "bad-writer"
    assert files(server.hwtrainset.parent) == ["stderr.txt"]


def test_folder_that_cannot_be_written_gets_a_sentence(server):
    server.hwtrainset.mkdir()
    (server.hwtrainset / "7").write_text("a file where a folder should be")
    status, answer = server.teach(drawing("7"), "7")
    assert status == 500 and "can't be saved" in answer["error"]


def test_other_pages_can_neither_read_nor_write(server):
    body, own = drawing("7"), f"127.0.0.1:{server.port}"
    for host in (
        "evil.example",
        f"evil.example:{server.port}",
        "192.168.1.7",
        "127.0.0.1.evil.example",
        "[",
        "",
    ):
        for path in ("/", "/about", "/example?class=7"):
            assert server.ask(path, headers={"Host": host})[0] in (400, 403), host
        assert server.teach(body, "7", headers={"Host": host, "Origin": f"http://{host}"})[0] in (400, 403)
    for origin in (
        "http://evil.example",
        "null",
        f"http://127.0.0.1:{server.port + 1}",
        f"http://{own}.evil.example",
    ):
        assert server.teach(body, "7", headers={"Origin": origin})[0] == 403, origin
    assert files(server.hwtrainset.parent) == ["stderr.txt"]
    for host in (own, f"localhost:{server.port}"):
        assert server.teach(body, "7", headers={"Host": host, "Origin": f"http://{host}"})[0] == 200


def test_no_file_but_the_page_is_served(server):
    for path in (
        "/pad.py",
        "/static/pad.py",
        "/../pad.py",
        "/%2e%2e/pad.py",
        "/hwtrainset/7",
        "/example?class=../7",
    ):
        status, answer = server.json(path)
        assert status == 404 and "Traceback" not in str(answer)


class FakeReader:
    classes = ["7", "乙", "3", "a10"]

    def __init__(self, shares):
        self.shares = shares

    def predict(self, pictures):
        if self.shares is None:
            raise RuntimeError("the model fell over")
        return np.array([self.shares] * len(pictures), np.float32)

    def is_unsure(self, probabilities):
        return probabilities.max(axis=1) < 0.5


def test_unsure_is_said(tmp_path):
    answer = (
        server_room.make_app(FakeReader([0.4, 0.3, 0.2, 0.1]), tmp_path).test_client().post("/read", data=drawing("7"))
    )
    assert answer.json["unsure"] is True
    assert [(one["character"], one["value"]) for one in answer.json["top"]] == [
        ("七", 7),
        ("乙", None),
        ("三", 3),
    ]
    answer = (
        server_room.make_app(FakeReader([0.1, 0.8, 0.1, 0]), tmp_path).test_client().post("/read", data=drawing("7"))
    )
    assert answer.json["unsure"] is False and answer.json["top"][0]["class"] == "乙"


def test_model_that_fails_gets_a_sentence(tmp_path):
    answer = server_room.make_app(FakeReader(None), tmp_path).test_client().post("/read", data=drawing("7"))
    assert answer.status_code == 500 and "Traceback" not in answer.text and answer.json["error"]


# ---- the command ---------------------------------------------------------------------------------


def test_port_in_use_is_said_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert_one_line(call("pad.py", "--port", taken.getsockname()[1]), 2, "--port")


@pytest.mark.parametrize("options", [["--port", "70000"], ["--port", "0", "--host", "no.such.host.invalid"]])
def test_address_that_is_none_is_said_in_one_line(options):
    assert_one_line(call("pad.py", *options), 2, "can't serve")


def test_model_that_is_missing_or_broken_is_said_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_one_line(call("pad.py", "--port", "0"), 2, "model.keras")
    (tmp_path / "broken.keras").write_bytes(b"PK\3\4 no model")
    assert_one_line(call("pad.py", "--port", "0", "--model", "broken.keras"), 2, "broken.keras")


def test_without_its_libraries_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "flask", None)
    assert_one_line(call("pad.py"), 2, "requirements-pad.txt")
    server_room.show("nothing.keras")
    assert "requirements-pad.txt" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C reaches a process in another way on Windows")
def test_ctrl_c_ends_it_in_one_line(model, tmp_path):
    server = Server(model, tmp_path)
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(30) == 130
    assert server.errors.read_text().count("\n") == 1


# ---- in the browser ------------------------------------------------------------------------------

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
FLAGS += ["--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")  # one at a time: the tests of collecting have their own
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on PATH")
    with playwright.sync_playwright() as starter:
        browser = starter.chromium.launch(executable_path=CHROMIUM, args=FLAGS)  # with a fresh profile
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, server):
    """Opens the pad, in a window with the options given; at the end, asks that it called no other host."""
    contexts, asked, wrong = [], [], []

    def visit(**options):
        context = browser.new_context(**{"viewport": {"width": 1000, "height": 860}, "locale": "en-GB", **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        # an answer of 4xx is no error of the page's
        page.on(
            "console",
            lambda note: wrong.append(note.text) if "Failed to load resource" not in note.text else None,
        )
        page.goto(server.address)
        page.wait_for_selector(".chip >> nth=3", state="attached")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert any(url.endswith("/about") for url in asked)
    assert [url for url in asked if not url.startswith((server.address, "data:", "blob:"))] == []
    assert wrong == []


def places(page, name):
    box = page.locator("#canvas").bounding_box()
    return [[(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in line] for line in lines(name)]


def write(page, name):
    """Write a class with the mouse."""
    for (x, y), *others in places(page, name):
        page.mouse.move(x, y)
        page.mouse.down()
        for x, y in others:
            page.mouse.move(x, y, steps=6)
        page.mouse.up()


def reads(page, name):
    """Waits until the page shows a class; "" is none."""
    page.wait_for_selector(f'#answer[data-class="{name}"]', state="attached")


def test_write_read_clear_undo_and_teach(visit, server):
    page = visit()
    write(page, "7")
    reads(page, "7")
    assert page.inner_text("#character") == "七" and page.inner_text("#value") == "7"
    assert page.locator("#bars li").count() == 3
    assert page.eval_on_selector("#seen img", "picture => picture.decode().then(() => picture.naturalWidth)") == 64
    page.wait_for_selector("#status:has-text('七')", state="attached")  # for a screen reader

    page.click("#clear")
    reads(page, "")
    assert page.locator("#bars li").count() == 0 and page.is_disabled("#save")
    page.click("#undo")  # the clearing
    reads(page, "7")
    page.keyboard.press("Escape")
    reads(page, "")

    write(page, "3")
    reads(page, "3")

    def strokes():
        return page.evaluate("strokes.length")

    assert strokes() == 3
    page.click("#undo")
    assert strokes() == 2
    page.keyboard.press("Control+z")
    assert strokes() == 1
    page.click("#undo")
    reads(page, "")

    write(page, "7")
    reads(page, "7")
    page.click("#save")  # nothing chosen
    assert "Choose" in page.inner_text("#saved")
    page.fill("#writer", "tester")
    page.check('input[value="7"]')
    page.click("#save")
    page.wait_for_selector("#saved:has-text('pad_writer-tester_0001.png')")
    assert page.evaluate("strokes.length") == 0 and page.is_disabled("#undo")
    assert files(server.hwtrainset) == ["7/pad_writer-tester_0001.png"]
    status, answer = server.json("/read", (server.hwtrainset / "7/pad_writer-tester_0001.png").read_bytes())
    assert status == 200 and answer["top"][0]["class"] == "7"


def test_class_of_ones_own_and_a_name_that_is_none(visit, server):
    page = visit()
    write(page, "10")
    reads(page, "10")
    page.fill("#own", "../x")
    page.click("#save")
    page.wait_for_selector("#saved:has-text('no / or')")
    assert not server.hwtrainset.exists() and page.evaluate("strokes.length") == 2  # the drawing is still there
    page.fill("#own", "plus")
    page.click("#save")
    page.wait_for_selector("#saved:has-text('hwtrainset/plus/')")
    assert files(server.hwtrainset) == ["plus/pad_writer-me_0001.png"]


def test_it_reads_while_the_pen_is_down(visit):
    page = visit()
    first, second = places(page, "7")
    page.mouse.move(*first[0])
    page.mouse.down()
    page.mouse.move(*first[-1], steps=10)
    page.mouse.up()
    page.mouse.move(*second[0])
    page.mouse.down()
    for place in second[1:]:
        page.mouse.move(*place, steps=10)
    page.wait_for_timeout(200)
    page.mouse.move(second[-1][0] + 1, second[-1][1])
    reads(page, "7")
    assert page.evaluate("pen") is not None


def test_phone_with_a_finger_in_chinese(visit):
    page = visit(
        viewport={"width": 375, "height": 740},
        has_touch=True,
        is_mobile=True,
        device_scale_factor=3,
        locale="zh-CN",
    )
    assert page.inner_text("h1") == "写一个数字" and page.get_attribute("html", "lang") == "zh-CN"
    wire = page.context.new_cdp_session(page)

    def touch(kind, at):
        wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    for line in places(page, "7"):
        touch("touchStart", [{"x": line[0][0], "y": line[0][1]}])
        for (ax, ay), (bx, by) in itertools.pairwise(line):
            for part in (0.25, 0.5, 0.75, 1):
                touch("touchMove", [{"x": ax + part * (bx - ax), "y": ay + part * (by - ay)}])
        touch("touchEnd", [])
    reads(page, "7")
    assert page.evaluate("strokes.length") == 2
    assert page.evaluate("scrollY") == 0  # the finger wrote and did not scroll
    assert page.eval_on_selector("#canvas", "canvas => canvas.width / canvas.clientWidth") == pytest.approx(3, abs=0.02)
    for _ in range(2):
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        page.click("#language")
    small = [
        name
        for name in ("#undo", "#clear", "#save", ".chip >> nth=0", ".example >> nth=0")
        if min(page.locator(name).bounding_box()["height"], page.locator(name).bounding_box()["width"]) < 40
    ]
    assert small == []  # for a fingertip


def test_picture_instead_and_a_file_that_is_none(visit, tmp_path):
    page = visit()
    (tmp_path / "seven.png").write_bytes(drawing("7"))
    (tmp_path / "letter.png").write_text("not a picture at all")
    page.set_input_files("#file", tmp_path / "letter.png")
    page.wait_for_selector("#message:visible")
    assert "not a picture" in page.inner_text("#message")
    page.set_input_files("#file", tmp_path / "seven.png")
    reads(page, "7")
    assert page.is_visible("#photo") and page.is_hidden("#message")
    both = [np.asarray(Image.open(io.BytesIO(drawing(name)))) for name in ("3", "10")]
    (tmp_path / "thirty.png").write_bytes(png(np.hstack(both)))
    page.set_input_files("#file", tmp_path / "thirty.png")
    page.wait_for_selector("#character:has-text('三十')")
    assert page.inner_text("#value") == "30" and page.is_disabled("#save")
    (tmp_path / "huge.png").write_bytes(bytes(server_room.UPLOAD_LIMIT + 1))
    page.set_input_files("#file", tmp_path / "huge.png")
    page.wait_for_selector("#message:visible")
    assert "too large" in page.inner_text("#message")
    write(page, "3")  # takes the picture's place
    reads(page, "3")
    assert page.is_hidden("#photo") and page.is_hidden("#message")


def test_example_is_written_and_read(visit):
    page = visit()
    assert page.locator(".example").all_inner_texts() == ["三", "七"]  # those that the model knows
    page.click(".example >> text=三")
    page.wait_for_selector("#status:not(:empty)", state="attached")
    assert page.get_attribute("#answer", "data-class") in CLASSES  # a hasty hand may be misread
    assert page.evaluate("strokes.length") >= 1


def test_page_says_when_the_server_is_gone(visit):
    page = visit()
    page.context.set_offline(True)
    write(page, "7")
    page.wait_for_selector("#message:visible")
    assert "pad.py" in page.inner_text("#message")


def test_pad_in_a_notebook(browser, model, tmp_path, capsys):
    """Framed by another server's page on this computer, as by a notebook; the plain pad can't be framed."""
    pytest.importorskip("IPython")
    server_room.show(model, tmp_path / "hwtrainset")
    said = capsys.readouterr().out
    framed = said[said.index("http://") :].split()[0]
    plain = server_room.serve(
        server_room.make_app(FakeReader([1, 0, 0, 0]), tmp_path), server_room.listen("127.0.0.1", 0)
    )
    threading.Thread(target=plain.run, daemon=True).start()
    frames = [
        f'<iframe src="{a}" width=700 height=900></iframe>'
        for a in (framed, f"http://127.0.0.1:{plain.effective_port}/")
    ]
    (tmp_path / "notebook.html").write_text("".join(frames))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=tmp_path)

        def log_message(self, *arguments):
            pass

    notebook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=notebook.serve_forever, daemon=True).start()
    page = browser.new_page()
    try:
        page.goto(f"http://localhost:{notebook.server_port}/notebook.html")
        inside = page.frame_locator("iframe >> nth=0")
        inside.locator(".example >> nth=1").click()
        inside.locator("#status:not(:empty)").wait_for(state="attached", timeout=20_000)
        assert inside.locator("#answer").get_attribute("data-class") in CLASSES
        assert page.frame_locator("iframe >> nth=1").locator("#canvas").count() == 0
    finally:
        page.close()
        notebook.shutdown()
        notebook.server_close()
        for server in (plain, *server_room._shown):
            server.close()
        server_room._shown.clear()
