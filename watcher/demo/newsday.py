"""The bundled news day: outlets, hand-written stories, wire copies, and the noise of a normal day.

Everything is invented and says so: outlets are called Sample, Muster, Exemple… and live
under `sample-*.example`. The same seed gives the same day.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import yaml

_DATA = Path(__file__).parent / "day"
_STORIES = ("launch", "trip", "threads")
DAY = datetime(2026, 5, 30, tzinfo=UTC)
# Everyday articles begin before midnight, so that no feed is empty when it is first polled.
NOISE_FROM, NOISE_BEFORE, NOISE_SPAN = timedelta(hours=-6), timedelta(hours=4), timedelta(hours=29)


@dataclass(frozen=True, slots=True)
class Outlet:
    """One invented outlet and the format of its feed; `wire` holds the marks of its copy."""

    id: str
    name: str
    lang: str
    format: str
    noise: int = 0
    family: str = ""
    wire: tuple[str, ...] = ()
    gathers: bool = False

    @property
    def domain(self) -> str:
        return f"{self.id}.example"


@dataclass(frozen=True, slots=True)
class Piece:
    """An article as its outlet publishes it; `source` is set in an aggregator's feed."""

    id: str
    outlet: str
    at: datetime
    title: str
    text: str
    source: str = ""

    @property
    def path(self) -> str:
        return f"/{self.at:%Y/%m/%d}/{self.id}"


@dataclass(frozen=True, slots=True)
class NewsDay:
    """Outlets by id, and everything they publish in order of time."""

    outlets: Mapping[str, Outlet]
    pieces: tuple[Piece, ...]

    def published(self, outlet: str, now: datetime) -> list[Piece]:
        """What an outlet has published by now, newest first."""
        return [p for p in reversed(self.pieces) if p.outlet == outlet and p.at <= now]


def news_day(day: datetime = DAY, seed: int = 1) -> NewsDay:
    """The whole day: stories by hand, copies, gathered entries and noise."""
    outlets = read_outlets()
    pieces = stories(day)
    rng = Random(seed)
    noise = Noise(rng)
    for outlet in outlets.values():
        for n in range(outlet.noise):
            # Everyone's first article is there before the first poll.
            span = NOISE_BEFORE if n == 0 else NOISE_SPAN
            at = day + NOISE_FROM + span * rng.random()
            pieces.append(noise.piece(outlet, at.replace(second=0, microsecond=0)))
    return NewsDay(outlets, tuple(sorted(pieces, key=lambda p: (p.at, p.id))))


def read_outlets() -> dict[str, Outlet]:
    found = {}
    for raw in _read("outlets")["outlets"]:
        raw["wire"] = tuple(raw.get("wire", ()))
        found[raw["id"]] = Outlet(**raw)
    return found


def stories(day: datetime) -> list[Piece]:
    """The hand-written articles with their wire copies, and what the aggregator took of them."""
    pieces: list[Piece] = []
    gathered: list[dict[str, str]] = []
    for name in _STORIES:
        data = _read(name)
        for raw in data["articles"]:
            pieces += _with_copies(raw, day)
        gathered += data.get("gathered", [])
    by_place = {f"{piece.outlet} {piece.at:%H:%M}": piece for piece in pieces}
    return pieces + [_gathered(by_place[g["of"]], _at(day, g["at"])) for g in gathered]


def _with_copies(raw: Mapping[str, Any], day: datetime) -> Iterator[Piece]:
    first = _piece(raw["by"], _at(day, raw["at"]), raw["title"], raw["text"])
    yield first
    for copy in raw.get("copies", ()):
        text = first.text
        if copy.get("cut"):
            # An editor cuts from the end.
            text = " ".join(re.split(r"(?<=\.) ", text)[: -copy["cut"]])
        yield _piece(copy["by"], _at(day, copy["at"]), copy.get("title", first.title), text)


def _gathered(piece: Piece, at: datetime) -> Piece:
    found = _piece("sample-gather", at, piece.title, piece.text.split(". ", maxsplit=1)[0] + ".")
    return replace(found, source=piece.outlet)


def _piece(outlet: str, at: datetime, title: str, text: str) -> Piece:
    name = sha256(f"{outlet}\0{at.isoformat()}\0{title}".encode()).hexdigest()[:10]
    return Piece(name, outlet, at, title, text)


def _at(day: datetime, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), UTC)


def _read(name: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((_DATA / f"{name}.yaml").read_text("utf-8"))
    return data


class Noise:
    """Everyday articles from hand-written templates; each template comes round in turn."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._kinds = _read("noise")["noise"]
        self._templates = {lang: cycle(kind["templates"]) for lang, kind in self._kinds.items()}

    def piece(self, outlet: Outlet, at: datetime) -> Piece:
        title, text = next(self._templates[outlet.lang])
        words: dict[str, object] = {
            name: self._rng.choice(some) for name, some in self._words(outlet.lang).items()
        }
        words |= {
            "a": self._rng.randint(2, 9),
            "b": self._rng.randint(1, 8),
            "n": self._rng.randint(20, 900),
        }
        return _piece(outlet.id, at, title.format(**words), text.format(**words))

    def _words(self, lang: str) -> dict[str, list[str]]:
        words: dict[str, list[str]] = self._kinds[lang]["words"]
        return words
