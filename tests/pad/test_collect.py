"""A round of collecting: what is kept, over HTTP, under load, and on a phone in a real Chromium."""

import http.client
import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
import urllib.parse

import numpy as np
import pytest
from common import PROJECT
from PIL import Image

pytest.importorskip("flask", reason="requirements-pad.txt is not installed")
pytest.importorskip("waitress", reason="requirements-pad.txt is not installed")
pytest.importorskip("segno", reason="requirements-pad.txt is not installed")

from shuzi.dataset.sources import Options, read_source
from shuzi.pad.collect import Round
from shuzi.pad.pictures import PadError

LINE = [[[0.2, 0.5, 0], [0.5, 0.48, 40], [0.8, 0.5, 90]]]
TOKEN = "0123456789abcdef"


def drawing_id():
    return secrets.token_hex(12)


def files(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


# ---- what is kept ----


@pytest.fixture
def collecting(tmp_path):
    return Round(tmp_path, ["1", "七"], 2)


def test_a_drawing_is_a_picture_with_its_strokes_beside_it_and_datapro_reads_it(collecting, tmp_path):
    writer = collecting.join("Li Wei", TOKEN)
    assert collecting.save(writer, TOKEN, "七", drawing_id(), LINE) == {"1": 0, "7": 1}
    assert files(tmp_path) == ["7/pad_writer-liwei_0001.png", "7/pad_writer-liwei_0001.strokes.json"]
    ink = np.asarray(Image.open(tmp_path / "7/pad_writer-liwei_0001.png")) < 128
    assert ink[150:170, 60:260].mean() > 0.3 and ink.mean() < 0.1
    kept = json.loads((tmp_path / "7/pad_writer-liwei_0001.strokes.json").read_text("utf-8"))
    assert kept["strokes"] == LINE and kept["writer"] == "liwei"
    refused = []
    _, classes, _ = read_source([str(tmp_path)], Options(), lambda *row: refused.append(row))
    assert not refused and [picture.writer for picture in classes["7"]] == ["writer-liwei"]


def test_nothing_is_saved_twice_and_a_restarted_round_goes_on(collecting, tmp_path):
    writer = collecting.join("", TOKEN)
    numbers = [drawing_id() for _ in range(3)]
    for number in numbers + numbers:
        collecting.save(writer, TOKEN, "1", number, LINE)
    again = Round(tmp_path, ["1", "7"], 2)
    with pytest.raises(PadError, match="join"):
        again.save(writer, TOKEN, "1", drawing_id(), LINE)
    again.join(writer, TOKEN, same=True)
    assert again.save(writer, TOKEN, "1", numbers[0], LINE) == {"1": 3, "7": 0}
    (tmp_path / "1" / f"pad_writer-{writer}_0002.png").unlink()  # killed between strokes and picture
    again = Round(tmp_path, ["1", "7"], 2)
    again.join(writer, TOKEN, same=True)
    assert again.save(writer, TOKEN, "1", numbers[1], LINE)["1"] == 3


def test_a_name_belongs_to_one_phone_unless_its_owner_says_otherwise(collecting):
    assert collecting.join("Anna", TOKEN) == collecting.join("anna", TOKEN) == "anna"
    with pytest.raises(PadError) as error:
        collecting.join("Anna", "f" * 16)
    assert error.value.code == "taken"
    assert collecting.join("Anna", "f" * 16, same=True) == "anna"
    with pytest.raises(PadError, match="join"):
        collecting.save("anna", "e" * 16, "1", drawing_id(), LINE)
    assert collecting.join("", "d" * 16) != collecting.join("", "c" * 16)


def test_the_teacher_refuses_and_renames(collecting, tmp_path):
    for name in "anna", "bob":
        collecting.join(name, TOKEN)
        collecting.save(name, TOKEN, "1", drawing_id(), LINE)
    (drawing,) = collecting.overview()[0]["drawings"]
    collecting.refuse(drawing["drawing"])
    assert collecting.counts("anna") == {"1": 0, "7": 0} and len(files(tmp_path / ".refused")) == 2
    with pytest.raises(PadError, match="taken"):
        collecting.rename("bob", "anna")
    collecting.rename("bob", "李明")
    assert files(tmp_path / "1") == ["pad_writer-李明_0001.png", "pad_writer-李明_0001.strokes.json"]
    assert Round(tmp_path, ["1"], 2).counts("李明") == {"1": 1}


@pytest.mark.parametrize(
    "strokes",
    [
        None,
        [],
        [[]],
        [[["a", 1]]],
        [[[0.5, 0.5]]],
        [[[float("nan"), 0], [1, 1]]],
        [[[0, 0], [1, 1]]] * 200,
        {"a": 1},
        "ab",
    ],
)
def test_what_is_no_writing_is_not_saved(collecting, tmp_path, strokes):
    collecting.join("anna", TOKEN)
    with pytest.raises(PadError):
        collecting.save("anna", TOKEN, "1", drawing_id(), strokes)
    assert files(tmp_path) == []


def test_one_phone_can_not_flood_the_round(collecting):
    collecting.join("anna", TOKEN)
    with pytest.raises(PadError) as error:
        for _ in range(50):
            collecting.save("anna", TOKEN, "1", drawing_id(), LINE)
    assert error.value.status == 429


# ---- over HTTP ----


class Server:
    """`pad.py --collect` in a process of its own."""

    def __init__(self, folder, port=0):
        command = [sys.executable, str(PROJECT / "pad.py"), "--collect", "--port", str(port), "--host", "127.0.0.1"]
        command += ["--hwtrainset", str(folder), "--classes", "1,7", "--each", "4"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        self.student, self.teacher = (self.process.stdout.readline().split()[-1] for _ in range(2))
        self.port = urllib.parse.urlsplit(self.student).port
        self.key, self.teachers_key = (address.rpartition("=")[2] for address in (self.student, self.teacher))

    def ask(self, path, body=None, key=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {"X-Key": self.key if key is None else key, "Content-Type": "application/json"}
            connection.request(
                "GET" if body is None else "POST", path, None if body is None else json.dumps(body), headers
            )
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def kill(self):
        self.process.kill()
        self.process.wait(30)
        self.process.stdout.close()


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    yield server
    server.kill()


def test_without_a_key_nobody_sees_or_saves_anything(server, tmp_path):
    paths = ["/", "/teacher", "/teacher/overview", "/teacher/picture?drawing=1", "/nothing"]
    posts = ["/join", "/save", "/back", "/teacher/refuse", "/teacher/rename", "/teacher/key"]
    for key in "", "wrong", server.key[:-1], "é":
        key = urllib.parse.quote(key)
        for path in paths:
            status, body = server.ask(path, key=key)
            assert status == 403 and b"<" not in body
        for path in posts:
            assert server.ask(path, {"name": "x", "token": TOKEN}, key=key)[0] == 403
    for path in paths[1:4]:  # the students' key opens nothing of the teacher's
        assert server.ask(path)[0] == 403
    assert server.ask("/teacher/key", {}, key=server.teachers_key)[0] == 200
    assert server.ask("/")[0] == 403  # the old key is old
    assert files(tmp_path) == []


def test_large_bodies_and_nonsense_are_refused_in_words(server):
    assert server.ask("/save", {"strokes": "x" * 400_000})[0] == 413
    for body in [], 7, {"name": 7}, {"name": "x", "token": ["a"]}, {"name": "../..", "token": "no"}:
        status, answer = server.ask("/join", body)
        assert 400 <= status < 500 and json.loads(answer)["error"]


def test_forty_phones_lose_nothing_when_the_program_is_killed(tmp_path):
    phones, each = 40, 8
    now = {"server": Server(tmp_path)}
    killed, failures = threading.Event(), []
    sent = [0]

    def phone(number):
        token, left = secrets.token_hex(8), [(name, drawing_id()) for name in ("1", "7") for _ in range(each // 2)]
        joined = False
        for _ in range(2000):
            if not left:
                return
            server = now["server"]
            try:
                if not joined:
                    status, _ = server.ask("/join", {"name": f"p{number}", "token": token, "same": True})
                    joined = status == 200
                name, drawing = left[0]
                about = {"writer": f"p{number}", "token": token, "class": name, "drawing": drawing, "strokes": LINE}
                status, answer = server.ask("/save", about)
                if status == 200:
                    left.pop(0)
                    sent[0] += 1
                elif status in (401, 403):
                    joined = False
                    killed.wait(0.05)
                elif status != 429:
                    failures.append((status, answer))
                    return
            except (OSError, http.client.HTTPException):
                joined = False
                killed.wait(0.05)
        failures.append(f"p{number} never came through")

    threads = [threading.Thread(target=phone, args=(number,)) for number in range(phones)]
    for thread in threads:
        thread.start()
    while sent[0] < phones * each // 3 and any(thread.is_alive() for thread in threads):
        killed.wait(0.01)
    now["server"].kill()
    now["server"] = Server(tmp_path)
    for thread in threads:
        thread.join(120)
    try:
        assert not failures
        kept = [json.loads(path.read_text("utf-8")) for path in tmp_path.glob("*/*.strokes.json")]
        pictures = list(tmp_path.glob("*/*.png"))
        assert len(pictures) == phones * each
        assert len({one["drawing"] for one in kept}) == len(kept) == phones * each
        overview = json.loads(now["server"].ask("/teacher/overview", key=now["server"].teachers_key)[1])
        assert [one["count"] for one in overview["writers"]] == [each] * phones
    finally:
        now["server"].kill()


def test_the_pad_itself_asks_for_a_key_where_others_can_reach_it(tmp_path):
    from shuzi.pad.server import make_app

    class Reader:
        classes = ["3"]

    client = make_app(Reader(), tmp_path, "0.0.0.0", key="secret").test_client()
    for path in "/", "/?key=other", "/about", "/example?class=3":
        assert client.get(path).status_code == 403
    assert client.post("/teach?class=3&writer=a", data=b"x").status_code == 403
    assert client.get("/?key=secret").status_code == 200
    assert client.get("/about").status_code == 200  # what the page asks for, by its cookie


# ---- on a phone ----


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if not path:
        pytest.skip("there is no Chromium")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def phone_page(browser, address, locale):
    context = browser.new_context(
        viewport={"width": 375, "height": 667}, has_touch=True, is_mobile=True, device_scale_factor=2, locale=locale
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(error))
    page.goto(address)
    return page


def until(page, condition):
    """Waits for a condition in the page; `wait_for_function` is what its security policy forbids."""
    for _ in range(150):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    raise AssertionError(condition)


def stroke(page):
    """One stroke of a finger across the paper."""
    box = page.locator("#canvas").bounding_box()
    touch = page.context.new_cdp_session(page)
    y = box["y"] + box["height"] / 2
    for kind, part in ("touchStart", 0.2), ("touchMove", 0.5), ("touchMove", 0.8):
        points = [{"x": box["x"] + box["width"] * part, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.mark.parametrize("locale, start, done", [("en-GB", "Start", "Done"), ("zh-CN", "开始", "写完了")])
def test_a_student_writes_until_all_is_written(browser, server, tmp_path, locale, start, done):
    page = phone_page(browser, server.student, locale)
    assert start in page.inner_text("#join button.main")
    page.fill("#name", "<b>李")
    page.click("#join button.main")
    page.wait_for_selector("#write:not([hidden])")
    assert page.inner_text("#who") == "b李"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    stroke(page)
    page.click("#undo")
    assert page.is_disabled("#next")
    for number in range(8):
        stroke(page)
        page.click("#next")
        if number == 3:  # took the wrong one, took it back, and was cut off meanwhile
            until(page, "queue.length === 0")
            page.click("#back")
            page.wait_for_selector("#back:disabled")
            page.context.set_offline(True)
            stroke(page)
            page.click("#next")
            page.wait_for_selector("#message:not([hidden])")
            page.context.set_offline(False)
    page.wait_for_selector("#done:not([hidden])")
    assert done in page.inner_text("#done")
    assert len(list(tmp_path.glob("[17]/pad_writer-b李_*.png"))) == 8
    assert not page.errors
    page.reload()  # goes on as who they were
    page.wait_for_selector("#done:not([hidden])")
    page.context.close()


def test_the_teacher_sees_who_has_how_many_and_refuses_one(browser, server, tmp_path):
    assert server.ask("/join", {"name": "anna", "token": TOKEN})[0] == 200
    about = {"writer": "anna", "token": TOKEN, "class": "1", "drawing": drawing_id(), "strokes": LINE}
    assert server.ask("/save", about)[0] == 200
    page = phone_page(browser, server.teacher, "zh-CN")
    page.wait_for_selector(".writer")
    assert "1 / 8" in page.inner_text(".writer")
    until(page, "document.getElementById('code').naturalWidth > 0")
    page.click(".writer button")
    until(page, "document.querySelector('.drawings img').naturalWidth > 0")
    page.on("dialog", lambda dialog: dialog.accept())
    page.click(".drawings button")
    until(page, "document.querySelector('.writer').innerText.includes('0 / 8')")
    assert not list(tmp_path.glob("1/*.png")) and not page.errors
    page.context.close()
