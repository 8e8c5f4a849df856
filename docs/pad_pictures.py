"""Pictures of pad.py's page for the README, docs/pad.png and docs/pad-phone.png, from a real browser.

Also measures, on this machine, how long after lifting the pen the answer stands on the page.
Needs model.keras, Playwright (pip install playwright) and a Chromium on the PATH.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from shuzi.drawing import handwriting

ROOT = Path(__file__).resolve().parent.parent

# run before the page's own script: notes when the pen is lifted, and when each answer was asked and shown
WATCH = """
addEventListener("pointerup", (event) => { (window.lifts ||= []).push(event.timeStamp); }, true);
addEventListener("load", () => new MutationObserver(() =>
  (window.answers ||= []).push([sentAt, performance.now()])
).observe(document.querySelector("#bars"), { childList: true }));
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog="example: python -m docs.pad_pictures")
    parser.add_argument("--model", default="model.keras", help="(default: %(default)s)")
    parser.add_argument("--lifts", type=int, default=100, help="how often to measure (default: %(default)s)")
    args = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
    if chromium is None:
        sys.exit("no Chromium on PATH: install one, such as Debian's package chromium")
    command = [sys.executable, str(ROOT / "pad.py"), "--model", args.model, "--port", "0"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
        sync_playwright() as playwright,
    ):
        try:
            address = server.stdout.readline().partition(" at ")[2].split()
            if not address:
                sys.exit(2)  # pad.py has said why
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            take_pictures(browser, address[0])
            times = lift_to_answer(browser, address[0], args.lifts)
        finally:
            server.terminate()
    print(
        f"docs/pad.png, docs/pad-phone.png; pen lifted to answer shown: "
        f"median {statistics.median(times):.0f} ms, "
        f"95% within {np.percentile(times, 95):.0f} ms, slowest {max(times):.0f} ms, of {len(times)}"
    )


def take_pictures(browser, address):
    wide = {"viewport": {"width": 1000, "height": 760}, "locale": "en-GB"}
    phone = {
        "viewport": {"width": 375, "height": 812},
        "locale": "zh-CN",
        "device_scale_factor": 1.5,
        "is_mobile": True,
    }
    for name, number, options in (("pad.png", 4, wide), ("pad-phone.png", 4, phone)):
        page = open_page(browser, address, **options)
        write(page, "7", number)
        page.wait_for_selector('#answer[data-class="7"]')
        page.wait_for_timeout(300)
        page.screenshot(path=ROOT / "docs" / name, full_page=True)
        page.context.close()


def lift_to_answer(browser, address, count):
    """Milliseconds from each lifting of the pen to the answer to what was written by then."""
    page = open_page(browser, address, viewport={"width": 1000, "height": 760})
    number = 0
    while page.evaluate("(window.lifts ||= []).length") < count:
        number += 1
        page.keyboard.press("Escape")
        write(page, str(1 + number % 10), number, pause=150)
    lifts, answers = page.evaluate("[lifts, answers]")
    # one question at a time: after a lift, the first that was sent later holds the whole stroke
    return [min(shown for sent, shown in answers if sent >= lift) - lift for lift in lifts[:count]]


def open_page(browser, address, **options):
    page = browser.new_context(**options).new_page()
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_selector(".chip >> nth=3")
    return page


def write(page, name, number, pause=0):
    """Writes a class with the mouse as virtual writer `number` does; pause: ms after each stroke."""
    box = page.locator("#canvas").bounding_box()
    strokes = handwriting.draw(name, handwriting.make_writer(0, number), np.random.default_rng(number))
    points = np.concatenate([line for line, _ in strokes])
    low, high = points.min(axis=0), points.max(axis=0)
    for line, _ in strokes:
        places = 0.5 + (line - (low + high) / 2) * 0.68 / (high - low).max()
        places = [
            (box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places[:: len(places) // 30 or 1]
        ]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place)
        page.mouse.up()
        page.wait_for_timeout(pause)


if __name__ == "__main__":
    main()
