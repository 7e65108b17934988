"""Two small pictures for digests, as PNG: bars by the hour, and a story's reports on a line of time.

Drawn at twice their size for dense screens, on nothing: the middle tones read on white as on black.
`data:` addresses; mail turns them into parts of the message (`notify.email`).
"""

import struct
import zlib
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from watcher.model import StoryView

_Colour = tuple[int, int, int]
_BLUE: _Colour = (58, 122, 224)
_GREY: _Colour = (138, 150, 166)
_GREEN: _Colour = (24, 148, 98)
_SCALE = 2
BARS_WIDTH, BARS_HEIGHT = 120, 20
LINE_WIDTH, LINE_HEIGHT = 480, 18
_DOT = 4.2
_SHORTEST = timedelta(hours=1)


class _Canvas:
    """RGBA pixels, transparent at first; sizes in points."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width * _SCALE, height * _SCALE
        self._pixels = bytearray(self.width * self.height * 4)

    def box(self, x: float, y: float, width: float, height: float, colour: _Colour) -> None:
        left, right = round(x * _SCALE), max(round((x + width) * _SCALE), round(x * _SCALE) + 1)
        row = bytes((*colour, 255)) * (min(right, self.width) - left)
        for line in range(round(y * _SCALE), min(round((y + height) * _SCALE), self.height)):
            at = (line * self.width + left) * 4
            self._pixels[at : at + len(row)] = row

    def dot(self, x: float, y: float, radius: float, colour: _Colour) -> None:
        """With soft edges, over what is there."""
        stamp = _stamp(radius * _SCALE)
        size = len(stamp)
        left, top = round(x * _SCALE) - size // 2, round(y * _SCALE) - size // 2
        for dy, row in enumerate(stamp):
            for dx, alpha in enumerate(row):
                px, py = left + dx, top + dy
                if alpha and 0 <= px < self.width and 0 <= py < self.height:
                    at = (py * self.width + px) * 4
                    if alpha >= self._pixels[at + 3] or alpha == 255:
                        self._pixels[at : at + 4] = bytes((*colour, alpha))

    def png(self) -> bytes:
        stride = self.width * 4
        rows = b"".join(
            b"\0" + bytes(self._pixels[y * stride : (y + 1) * stride]) for y in range(self.height)
        )
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, 6, 0, 0, 0)
        return (
            b"\x89PNG\r\n\x1a\n"
            + _chunk(b"IHDR", head)
            + _chunk(b"IDAT", zlib.compress(rows, 9))
            + _chunk(b"IEND", b"")
        )


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


@lru_cache(maxsize=16)
def _stamp(radius: float) -> tuple[tuple[int, ...], ...]:
    """How much of each pixel a disc covers, by sixteen points a pixel."""
    reach = int(radius) + 1
    points = [(i + 0.5) / 4 - 0.5 for i in range(4)]
    return tuple(
        tuple(
            sum((x + u) ** 2 + (y + v) ** 2 <= radius**2 for u in points for v in points)
            * 255
            // 16
            for x in range(-reach, reach + 1)
        )
        for y in range(-reach, reach + 1)
    )


def _data(png: bytes) -> str:
    return "data:image/png;base64," + b64encode(png).decode()


@lru_cache(maxsize=256)
def bars(hours: tuple[int, ...], top: int = 0) -> str:
    """Reports by the hour, oldest first; `top` is full height, so that several can be compared."""
    canvas, top = _Canvas(BARS_WIDTH, BARS_HEIGHT), max(top, *hours, 1)
    step = BARS_WIDTH / max(len(hours), 1)
    for n, count in enumerate(hours):
        height = max(BARS_HEIGHT * count / top, 3) if count else 1
        colour = _BLUE if count else _GREY
        canvas.box(n * step, BARS_HEIGHT - height, step - 1 if count else step, height, colour)
    return _data(canvas.png())


def timeline(story: StoryView, at: datetime) -> str:
    """A dot per report from the first until `at`; what is new is green, wire copies small and grey."""
    canvas, middle = _Canvas(LINE_WIDTH, LINE_HEIGHT), LINE_HEIGHT / 2
    room = LINE_WIDTH - 2 * _DOT - 2
    first = min((report.at for report in story.reports), default=at)
    span = max(at - first, _SHORTEST)
    canvas.box(0, middle - 0.5, LINE_WIDTH, 1, _GREY)
    for rank in (0, 1, 2):
        for report in story.reports:
            kind = 0 if report.copy_of else 2 if report.is_new else 1
            if kind == rank:
                x = 1 + _DOT + room * min((report.at - first) / span, 1.0)
                colour = (_GREY, _BLUE, _GREEN)[kind]
                canvas.dot(x, middle, _DOT if kind else _DOT / 2, colour)
    return _data(canvas.png())


def timeline_words(story: StoryView) -> str:
    """The same for those who don't see it."""
    copies = sum(report.copy_of is not None for report in story.reports)
    families: Sequence[str] = story.families
    reports = f"{len(story.reports)} reports from {len(families)} publishers"
    return reports + (f", {copies} of them copies" if copies else "")
