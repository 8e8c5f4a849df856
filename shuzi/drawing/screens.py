"""Drawing programs on phones and computers: canvas, toolbars, buttons, bars, cursors. None of it is ink."""

import cv2
import numpy as np

from shuzi.drawing.printing import line_of_text
from shuzi.drawing.scene import between, hue, pick, tint


class Screen:
    """A screen's picture: colour float32 (3, n, n); canvas float32 (n, n), 1 where one can draw."""

    def __init__(self, rng, n):
        self.rng, self.n, self.dark = rng, n, rng.random() < 0.3
        side = 2 * n
        self.field = np.empty((side, side, 3), np.uint8)
        self.canvas_colour = self._canvas_colour()
        self.field[:] = self._bytes(self.canvas_colour)
        self.mask = np.full((side, side), 255, np.uint8)
        self._workspace()
        for where in rng.permutation(4)[: pick(rng, {0: 12, 1: 38, 2: 36, 3: 14})]:
            self._bar(int(where))
        if rng.random() < 0.15:
            self._scroll_bar()
        if rng.random() < 0.12:
            self._floating()
        if rng.random() < 0.12:
            self._cursor()
        small = cv2.resize(self.field, (n, n), interpolation=cv2.INTER_AREA)
        self.colour = np.ascontiguousarray(small.transpose(2, 0, 1)).astype(np.float32) / 255
        self.inside = (cv2.resize(self.mask, (n, n), interpolation=cv2.INTER_AREA) >= 250).astype(np.float32)

    def _canvas_colour(self):
        rng = self.rng
        if self.dark and rng.random() < 0.7:
            return tint(rng, rng.uniform(0, 0.25), 0.01)
        if rng.random() < 0.75:
            return np.ones(3) if rng.random() < 0.7 else tint(rng, rng.uniform(0.9, 1), 0.01)
        return np.clip(hue(rng, rng.random(), rng.uniform(0.05, 0.5), rng.uniform(0.5, 1)), 0, 1)

    @staticmethod
    def _bytes(colour):
        return tuple(int(v) for v in np.clip(np.asarray(colour) * 255, 0, 255))

    def _grey(self, low, high):
        level = self.rng.uniform(low, high)
        return self._bytes(tint(self.rng, 1 - level if self.dark else level, 0.015))

    def _workspace(self):
        """The canvas is smaller than the window; grey beyond it, perhaps a frame, round corners, a shadow."""
        rng, side = self.rng, 2 * self.n
        if rng.random() < 0.6:
            return
        edges = between(rng, 0.01, 0.15) * side * rng.uniform(0.5, 1.5, 4) * (rng.random(4) < 0.7)
        x0, y0, x1, y1 = (int(v) for v in (edges[0], edges[1], side - edges[2], side - edges[3]))
        self.field[:] = self._grey(0.5, 0.97)
        self.mask[:] = 0
        self._rounded(self.field, (x0, y0, x1, y1), self._bytes(self.canvas_colour))
        self._rounded(self.mask, (x0 + 3, y0 + 3, x1 - 3, y1 - 3), 255)
        if rng.random() < 0.5:
            cv2.rectangle(self.field, (x0, y0), (x1, y1), self._grey(0.0, 0.8), int(rng.integers(1, 6)))

    def _rounded(self, field, box, colour, radius=None):
        x0, y0, x1, y1 = (int(v) for v in box)
        if x1 <= x0 or y1 <= y0:
            return
        radius = int(self.rng.choice((0, 0.02, 0.05)) * self.n) if radius is None else int(radius)
        radius = max(0, min(radius, (x1 - x0) // 2, (y1 - y0) // 2))
        if not radius:
            cv2.rectangle(field, (x0, y0), (x1, y1), colour, -1)
            return
        cv2.rectangle(field, (x0 + radius, y0), (x1 - radius, y1), colour, -1)
        cv2.rectangle(field, (x0, y0 + radius), (x1, y1 - radius), colour, -1)
        for x in (x0 + radius, x1 - radius):
            for y in (y0 + radius, y1 - radius):
                cv2.circle(field, (x, y), radius, colour, -1, cv2.LINE_AA)

    def _bar(self, where):
        """A toolbar, status bar, title bar or palette. where: 0 top, 1 bottom, 2 left, 3 right."""
        rng, side = self.rng, 2 * self.n
        thick = int(between(rng, 0.025, 0.16) * side)
        low, high = (0, thick) if where in (0, 2) else (side - thick, side)
        box = (0, low, side, high) if where < 2 else (low, 0, high, side)
        colour = self._grey(0.75, 1) if rng.random() < 0.75 else self._bytes(hue(rng, rng.random(), 0.7, 0.8))
        cv2.rectangle(self.field, box[:2], box[2:], colour, -1)
        cv2.rectangle(self.mask, box[:2], box[2:], 0, -1)
        if rng.random() < 0.5:  # its rim
            at = high if where in (0, 2) else low
            ends = ((0, at), (side, at)) if where < 2 else ((at, 0), (at, side))
            cv2.line(self.field, *ends, self._grey(0.4, 0.9), int(rng.integers(1, 4)))
        icon = thick * rng.uniform(0.3, 0.8)
        pitch = icon * rng.uniform(1.2, 3)
        middle = (low + high) / 2
        at = rng.uniform(0, 0.5) * side
        look = pick(rng, {self._swatch: 30, self._icon: 45, self._button: 25})
        for _ in range(int(rng.integers(1, 12))):
            at += pitch
            if at > side:
                break
            look((at, middle) if where < 2 else (middle, at), icon)
        if where == 0 and rng.random() < 0.7:
            self._words(int(rng.uniform(0.01, 0.1) * side), int(middle - icon / 2), icon * 0.8)

    def _words(self, x, y, height):
        text = line_of_text(self.rng, self.rng.uniform(2, 14), max(6, height))
        part = self.field[max(0, y) : max(0, y) + text.shape[0], x : x + text.shape[1]]
        alpha = text[: part.shape[0], : part.shape[1], None].astype(np.float32) / 255
        part[:] = part + alpha * (np.array(self._grey(0.0, 0.4), np.float32) - part)

    def _swatch(self, at, size):
        rng = self.rng
        x, y = (int(v) for v in at)
        colour = self._bytes(hue(rng, rng.random(), rng.uniform(0.5, 1), rng.uniform(0.4, 1)))
        if rng.random() < 0.7:
            cv2.circle(self.field, (x, y), max(1, int(size / 2)), colour, -1 if rng.random() < 0.8 else 2, cv2.LINE_AA)
        else:
            half = size / 2
            self._rounded(self.field, (x - half, y - half, x + half, y + half), colour, size * 0.15)

    def _icon(self, at, size):
        """A line drawing: circle, cross, arrow, pencil, bin, three dots or lines."""
        rng, (x, y) = self.rng, (int(v) for v in at)
        half, colour = max(2, int(size / 2)), self._grey(0.0, 0.5)
        thick = max(1, int(size * rng.uniform(0.06, 0.18)))
        kind = int(rng.integers(7))
        if kind == 0:
            cv2.circle(self.field, (x, y), half, colour, thick, cv2.LINE_AA)
        elif kind == 1:
            for sign in (-1, 1):
                ends = (x - half, y - sign * half), (x + half, y + sign * half)
                cv2.line(self.field, *ends, colour, thick, cv2.LINE_AA)
        elif kind == 2:
            cv2.arrowedLine(self.field, (x + half, y), (x - half, y), colour, thick, cv2.LINE_AA, 0, 0.5)
        elif kind == 3:
            cv2.line(self.field, (x - half, y + half), (x + half, y - half), colour, 2 * thick, cv2.LINE_AA)
        elif kind == 4:
            cv2.rectangle(self.field, (x - half, y - half), (x + half, y + half), colour, thick)
        elif kind == 5:
            for k in (-1, 0, 1):
                cv2.line(self.field, (x - half, y + k * half), (x + half, y + k * half), colour, thick)
        else:
            for k in (-1, 0, 1):
                cv2.circle(self.field, (x, y + k * half), max(1, half // 4), colour, -1, cv2.LINE_AA)

    def _button(self, at, size):
        x, y = at
        wide = size * self.rng.uniform(1, 2.5)
        box = (x - wide / 2, y - size / 2, x + wide / 2, y + size / 2)
        self._rounded(self.field, box, self._grey(0.55, 0.9), size * 0.25)
        if self.rng.random() < 0.6:
            self._icon(at, size * 0.6)

    def _scroll_bar(self):
        rng, side = self.rng, 2 * self.n
        thick, start = int(between(rng, 0.01, 0.03) * side), int(rng.uniform(0, 0.6) * side)
        cv2.rectangle(self.field, (side - thick, 0), (side, side), self._grey(0.85, 1), -1)
        box = (side - thick + 1, start, side - 1, start + side // 3)
        self._rounded(self.field, box, self._grey(0.4, 0.8), thick / 2)
        self.mask[:, side - thick - 2 :] = 0

    def _floating(self):
        """A round or square button over the canvas, in a corner."""
        rng, side = self.rng, 2 * self.n
        size = between(rng, 0.05, 0.14) * side
        x, y = rng.choice((1.2 * size, side - 1.2 * size), 2)
        colour = self._bytes(hue(rng, rng.random(), rng.uniform(0, 0.9), rng.uniform(0.3, 0.95)))
        for field, value in ((self.field, colour), (self.mask, 0)):
            cv2.circle(field, (int(x), int(y)), int(size / 2) + (value == 0) * 3, value, -1, cv2.LINE_AA)
        self._icon((x, y), size * 0.4)

    def _cursor(self):
        rng, side = self.rng, 2 * self.n
        x, y = rng.uniform(0.05, 0.95, 2) * side
        size = between(rng, 0.02, 0.06) * side
        arrow = np.array([[0, 0], [0, 1], [0.23, 0.78], [0.4, 1.1], [0.52, 1.04], [0.37, 0.73], [0.7, 0.7]])
        outline = (arrow * size + [x, y]).astype(np.int32)
        cv2.fillPoly(self.field, [outline], (255, 255, 255), cv2.LINE_AA)
        cv2.polylines(self.field, [outline], True, (0, 0, 0), max(1, int(size / 14)), cv2.LINE_AA)
        cv2.fillPoly(self.mask, [outline], 0)
