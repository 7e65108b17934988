"""The invented day as articles: written by hand where it matters, drawn from templates elsewhere."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

import yaml

NOISE = 260
_CHOICE = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Outlet:
    """An invented publisher and the feed format it speaks."""

    id: str
    name: str
    lang: str
    format: str


@dataclass(frozen=True, slots=True)
class Item:
    """What an outlet publishes; `number` makes its link."""

    outlet: str
    number: int
    at: datetime
    title: str
    text: str

    @property
    def path(self) -> str:
        return f"/{self.outlet}/{self.number}"


@cache
def _data(name: str) -> Any:
    return yaml.safe_load((files("watcher.demo") / name).read_text("utf-8"))


def outlets() -> list[Outlet]:
    return [Outlet(**raw) for raw in _data("newsday.yaml")["outlets"]]


def items(day: datetime, *, noise: int = NOISE, seed: int = 7) -> list[Item]:
    """Every item of the day, oldest first; the same for the same seed."""
    raw = [*_written(), *_noise(Random(seed), noise)]
    raw.sort(key=lambda one: (one[0], one[1], one[2]))
    return [
        Item(outlet, n, day + at, title, text) for n, (at, outlet, title, text) in enumerate(raw)
    ]


def _written() -> list[tuple[timedelta, str, str, str]]:
    found = []
    for raw in _data("newsday.yaml")["articles"]:
        at = _offset(raw["at"])
        found.append((at, raw["outlet"], raw["title"], raw["text"]))
        for n, outlet in enumerate(raw.get("reprints", ()), 1):
            found.append((at + timedelta(minutes=4 * n), outlet, raw["title"], raw["text"]))
    return found


def _offset(text: str) -> timedelta:
    sign = -1 if text.startswith("-") else 1
    hours, minutes = text.lstrip("-").split(":")
    return sign * timedelta(hours=int(hours), minutes=int(minutes))


def _noise(rng: Random, count: int) -> list[tuple[timedelta, str, str, str]]:
    by_lang: dict[str, list[str]] = {}
    for outlet in outlets():
        if outlet.id != "empty":
            by_lang.setdefault(outlet.lang, []).append(outlet.id)
    names = [name for names in by_lang.values() for name in names]
    lang_of = {name: lang for lang, group in by_lang.items() for name in group}
    found = []
    for _ in range(count):
        name = rng.choice(names)
        title, text = rng.choice(_data("noise.yaml")[lang_of[name]])
        at = timedelta(minutes=rng.randrange(-240, 24 * 60))
        found.append((at, name, _filled(title, rng), _filled(text, rng)))
    return found


def _filled(template: str, rng: Random) -> str:
    def pick(found: re.Match[str]) -> str:
        return str(rng.randrange(3, 95)) if found[1] == "n" else rng.choice(found[1].split("|"))

    return _CHOICE.sub(pick, template)
