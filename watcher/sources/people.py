"""Who wrote an entry, of all its authors: one line for both XML parsers and for JSON."""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from feedparser.mixin import _FeedParserMixin

from watcher.sources.limits import MAX_NAME
from watcher.text import clean_line

# Of a longer list nobody reads the end.
MOST = 20
# Some name the same one over and over.
LOOKED_AT = 5 * MOST
_BETWEEN = re.compile(r"[\s()<>,]+")


def people_line(people: Sequence[Mapping[str, str]]) -> str | None:
    """In their order, each once. Of each: `name` and `email`, or `text` as it stands there."""
    if len(people) == 1:
        return clean_line(_spoken(people[0])[:MAX_NAME]) or None
    found: dict[str, str] = {}
    for person in islice(people, LOOKED_AT):
        if line := clean_line(_spoken(person)[:MAX_NAME]):
            found.setdefault(_name(line), line)
        if len(found) == MOST:
            break
    return ", ".join(found.values()) or None


def _spoken(person: Mapping[str, str]) -> str:
    name, email = person.get("name"), person.get("email")
    if name and email:
        return f"{name} ({email})"
    return name or email or person.get("text") or ""


def _name(line: str) -> str:
    """What tells people apart: `jo@sample.example (Jo)` is Jo."""
    words = _BETWEEN.split(line.casefold())
    return " ".join(word for word in words if word and "@" not in word) or line.casefold()


# ── feedparser ──
# It keeps the last author only, and mixes it with those before.

_start_author = _FeedParserMixin._start_author
_save_author = _FeedParserMixin._save_author


def _start_person(self: Any, attributes: Any) -> None:
    _start_author(self, attributes)
    self._get_context().setdefault("people", []).append({})


def _save_person(self: Any, key: str, value: str, prefix: str = "author") -> None:
    _save_author(self, key, value, prefix)
    people = self._get_context().get("people")
    if people and prefix == "author":
        people[-1][key] = value


def _end_person(self: Any) -> None:
    text = self.pop("author")
    self.inauthor = 0
    self._sync_author_detail()
    people = self._get_context().get("people")
    if people and text:
        people[-1]["text"] = text


def keep_people() -> None:
    """Make feedparser list them all as `people`; for this process, as often as it is called."""
    for start in ("_start_author", "_start_managingeditor"):
        setattr(_FeedParserMixin, start, _start_person)
    for end in ("_end_author", "_end_managingeditor"):
        setattr(_FeedParserMixin, end, _end_person)
    _FeedParserMixin._save_author = _save_person
