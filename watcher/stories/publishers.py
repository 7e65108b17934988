"""Whose report is it? Publishers, their families, and the marks of wire copy. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from watcher.text import host_of

# Where a wire's mark stands: at the dateline, in the byline, or in the credit at the end.
_HEAD, _TAIL = 220, 200
_SUFFIX = re.compile(r"\s+[-–—|]\s+([^-–—|]{2,60})$")


class PublisherSettings(BaseModel):
    """One outlet of publishers.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1)]
    family: str = ""
    domains: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
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
        self._marks: list[tuple[re.Pattern[str], PublisherSettings]] = []
        for publisher in publishers:
            for name in (publisher.name, *publisher.names):
                self._by_name.setdefault(name.casefold(), publisher)
            for domain in publisher.domains:
                self._by_domain.setdefault(domain.casefold().removeprefix("www."), publisher)
            if publisher.wire:
                self._marks += [(_mark(mark), publisher) for mark in publisher.marks]
        # One pass tells that nearly every text carries no mark at all; what may stand beside a
        # mark is left to the mark itself, for it would cost twenty times as much here.
        wires = (publisher for publisher in publishers if publisher.wire)
        every = "|".join(re.escape(mark) for wire in wires for mark in wire.marks)
        self._any_mark = re.compile(every) if every else None

    def resolve(
        self,
        *,
        publisher: str | None,
        url: str | None,
        title: str,
        author: str | None,
        text: str,
        feed_publisher: str | None,
    ) -> Attribution:
        """The entry's own `<source>` first, then an aggregator's title, the link, and the feed."""
        named, bare_title = self._from_title(title)
        domain = self._of_domain(url)
        known = self._of_name(publisher) or named or domain or self._of_name(feed_publisher)
        name = known.name if known else publisher or feed_publisher or host_of(url)
        family = known.family_id if known else _slug(name)
        wire = self._wire(author, text)
        return Attribution(
            publisher=name,
            family=wire.family_id if wire else family,
            title=bare_title if named else title,
            wire=wire.name if wire and wire is not known else "",
        )

    def _of_name(self, name: str | None) -> PublisherSettings | None:
        return self._by_name.get(name.casefold().strip()) if name else None

    def _of_domain(self, url: str | None) -> PublisherSettings | None:
        labels = host_of(url).split(".")
        return next(
            (
                found
                for n in range(len(labels) - 1)
                if (found := self._by_domain.get(".".join(labels[n:])))
            ),
            None,
        )

    def _from_title(self, title: str) -> tuple[PublisherSettings | None, str]:
        """`Headline - Reuters`, as aggregators write it; only names we know are cut off."""
        found = _SUFFIX.search(title)
        if not found:
            return None, title
        tail = found[1].strip()
        known = self._of_name(tail) or self._by_domain.get(tail.casefold().removeprefix("www."))
        return known, title[: found.start()] if known else title

    def _wire(self, author: str | None, text: str) -> PublisherSettings | None:
        places = f"{author or ''}\n{text[:_HEAD]}\n{text[-_TAIL:] if len(text) > _HEAD else ''}"
        if self._any_mark is None or not self._any_mark.search(places):
            return None
        return next((wire for mark, wire in self._marks if mark.search(places)), None)


def _mark(text: str) -> re.Pattern[str]:
    left = r"(?<!\w)" if text[:1].isalnum() else ""
    right = r"(?!\w)" if text[-1:].isalnum() else ""
    return re.compile(left + re.escape(text) + right)


def _slug(name: str) -> str:
    return re.sub(r"\W+", "-", name.casefold()).strip("-")
