"""Whose report is it? Publishers, their families, and the marks of wire copy. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from watcher.stories.countries import CODES
from watcher.text import host_of

# Where a wire's mark stands: at the dateline, in the byline, or in the credit at the end.
_HEAD, _TAIL = 220, 200
# `By Ann Example, Associated Press`: a wire named among the writers.
_BYLINE = re.compile(r"^\s*by\s+|\s*[,;/|()·]\s*|\s+(?:and|with|for|&)\s+", re.IGNORECASE)
#: Hosts whose links tell nothing of the outlet; they put it after the headline.
AGGREGATORS = frozenset(("news.google.com",))
_SUFFIX = re.compile(r"\s+[-–—|]\s+([^-–—|]{2,60})$")
_DASHES = "-–—|"
_WORD = re.compile(r"\w+")


def _code(value: str) -> str:
    if value == "UK":
        raise ValueError("'UK' is no ISO 3166 code: write GB")
    if value not in CODES:
        todo = f"write {value.upper()}" if value.upper() in CODES else "two capitals, like KR"
        raise ValueError(f"{value!r} is no ISO 3166 code: {todo}")
    return value


Country = Annotated[str, AfterValidator(_code), WithJsonSchema({"enum": list(CODES)})]


class PublisherSettings(BaseModel):
    """One outlet of publishers.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1)]
    family: str = ""
    domains: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    country: Country | None = None
    wire: bool = False
    marks: tuple[str, ...] = ()
    reliability: Literal["high", "medium", "low", "state"] = "medium"

    @property
    def family_id(self) -> str:
        return self.family or _slug(self.name)


class PublisherFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    publishers: tuple[PublisherSettings, ...]


@dataclass(frozen=True, slots=True)
class Attribution:
    """`family` counts for corroboration: the wire's when the text is wire copy. `title` lost its outlet."""

    publisher: str
    family: str
    title: str
    wire: str = ""


class PublisherTable:
    """Looks outlets up by name and by domain."""

    def __init__(self, publishers: Sequence[PublisherSettings] = ()) -> None:
        self._by_name: dict[str, PublisherSettings] = {}
        self._by_domain: dict[str, PublisherSettings] = {}
        #: The names, casefolded, of the publishers of each country.
        self.countries: dict[str, frozenset[str]] = {}
        self._marks: list[tuple[re.Pattern[str], PublisherSettings]] = []
        for publisher in publishers:
            for name in (publisher.name, *publisher.names):
                self._by_name.setdefault(name.casefold(), publisher)
            for domain in publisher.domains:
                self._by_domain.setdefault(domain.casefold().removeprefix("www."), publisher)
            if publisher.country:
                names = self.countries.get(publisher.country, frozenset())
                own = (publisher.name, *publisher.names)
                self.countries[publisher.country] = names | set(map(str.casefold, own))
            if publisher.wire:
                self._marks += [(_mark(mark), publisher) for mark in publisher.marks]
        # Nearly every text carries no mark at all, which few of their words tell: looking for
        # the marks themselves takes ten times as long.
        wires = (publisher for publisher in publishers if publisher.wire)
        words = _telling_words(mark for wire in wires for mark in wire.marks)
        self._mark_words = [word for word in words if word.isascii()]
        self._foreign_mark_words = [word for word in words if not word.isascii()]

    def resolve(
        self,
        *,
        publisher: str | None,
        url: str | None,
        title: str,
        author: str | None,
        text: str,
        feed_publisher: str | None,
        publisher_url: str | None = None,
    ) -> Attribution:
        """The entry's own `<source>` first, then an aggregator's title, the link, and the feed."""
        host = host_of(url)
        aggregated = host in AGGREGATORS
        bare_title, tail = _without_outlet(title)
        named = self._of_name(tail) or self._by_domain.get(tail.casefold().removeprefix("www."))
        said = bool(tail) and (aggregated or tail.casefold() == (publisher or "").casefold())
        known = (
            self._of_name(publisher)
            or self._of_host(host_of(publisher_url))
            or named
            or self._of_host(host)
            or (None if aggregated else self._of_name(feed_publisher))
        )
        told = publisher or (tail if aggregated else "")
        name = known.name if known else told or feed_publisher or host
        wire = self._wire(author, text)
        return Attribution(
            publisher=name,
            family=wire.family_id if wire else known.family_id if known else _slug(name),
            title=bare_title if named or said else title,
            wire=wire.name if wire and wire is not known else "",
        )

    def _of_name(self, name: str | None) -> PublisherSettings | None:
        return self._by_name.get(name.casefold().strip()) if name else None

    def _of_host(self, host: str) -> PublisherSettings | None:
        """The longest of its domains that is listed; the last label alone is none."""
        while "." in host:
            if found := self._by_domain.get(host):
                return found
            host = host.partition(".")[2]
        return None

    def _wire(self, author: str | None, text: str) -> PublisherSettings | None:
        for part in _BYLINE.split(author) if author else ():
            byline = self._of_name(part)
            if byline and byline.wire:
                return byline
        places = f"{author or ''}\n{text[:_HEAD]}\n{text[-_TAIL:] if len(text) > _HEAD else ''}"
        if not self._may_carry_mark(places):
            return None
        return next((wire for mark, wire in self._marks if mark.search(places)), None)

    def _may_carry_mark(self, text: str) -> bool:
        if any(map(text.__contains__, self._mark_words)):
            return True
        return not text.isascii() and any(map(text.__contains__, self._foreign_mark_words))


def _without_outlet(title: str) -> tuple[str, str]:
    """`Headline - Reuters`, as aggregators write it, in two."""
    found = _SUFFIX.search(title) if any(map(title.__contains__, _DASHES)) else None
    return (title[: found.start()], found[1].strip()) if found else (title, "")


def _mark(text: str) -> re.Pattern[str]:
    left = r"(?<!\w)" if text[:1].isalnum() else ""
    right = r"(?!\w)" if text[-1:].isalnum() else ""
    return re.compile(left + re.escape(text) + right)


def _telling_words(marks: Iterable[str]) -> list[str]:
    """Few strings of which every mark holds one: its longest word, unless a shorter one will do."""
    found: list[str] = []
    for mark in sorted(marks, key=len):
        if not any(word in mark for word in found):
            found.append(max(_WORD.findall(mark), key=len, default=mark))
    return found


@lru_cache(maxsize=1024)
def _slug(name: str) -> str:
    return re.sub(r"\W+", "-", name.casefold()).strip("-")
