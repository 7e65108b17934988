"""Which feeds of a list are new, known or broken; new ones get an id."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from watcher.config.problems import describe
from watcher.errors import FetchError
from watcher.fetch.urls import check_url
from watcher.sources.naming import address_key, free_id
from watcher.sources.opml import Opml, Outline
from watcher.sources.settings import FeedSettings

Entry = dict[str, Any]
# The order in which people write them.
_KEYS = tuple(FeedSettings.model_fields)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do: entries to add, and `line: what` for each feed left out."""

    new: tuple[Entry, ...]
    known: tuple[str, ...]
    broken: tuple[str, ...]


def known_as(url: str, entries: Iterable[Mapping[str, Any]]) -> str | None:
    """The id of the feed that has this address, however it is spelled."""
    return next((i for u, i in _addresses(entries).items() if u == address_key(url)), None)


def _addresses(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {address_key(str(e.get("url"))): str(e.get("id")) for e in entries}


def wrong_with(entry: Mapping[str, Any]) -> list[str]:
    """What a feed can't be, in words; empty when it is sound."""
    try:
        FeedSettings.model_validate(entry)
        check_url(str(entry["url"]))
    except ValidationError as error:
        told = []
        for found in error.errors(include_url=False):
            what, todo = describe(found, FeedSettings)
            told.append(": ".join(p for p in (".".join(map(str, found["loc"])), what, todo) if p))
        return told
    except FetchError as error:
        return [f"url: {error}"]
    return []


def plan_import(
    opml: Opml, entries: Sequence[Mapping[str, Any]], *, group: str | None = None
) -> Plan:
    """New feeds in the order of the file; `group` takes the place of the groups of the file."""
    known, taken = _addresses(entries), {str(entry.get("id")) for entry in entries}
    new: list[Entry] = []
    repeated: list[str] = []
    broken = [f"line {trouble.line}: {trouble.what}" for trouble in opml.troubles]
    for outline in opml.feeds:
        entry = _complete(outline, taken, group)
        url = entry["url"]
        if problems := wrong_with(entry):
            broken.append(
                f"line {outline.line}: {entry.get('title') or url}: {'; '.join(problems)}"
            )
        elif (key := address_key(url)) in known:
            repeated.append(f"line {outline.line}: {url} is {known[key]}")
        else:
            known[key] = entry["id"]
            taken.add(entry["id"])
            new.append(entry)
    return Plan(tuple(new), tuple(repeated), tuple(broken))


def _complete(outline: Outline, taken: set[str], group: str | None) -> Entry:
    """With an id that is free, its keys in order; what only another version knows is left out."""
    given = outline.entry | ({"group": group} if group else {})
    named = given.get("id")
    if not isinstance(named, str) or named in taken:
        given["id"] = free_id(str(given.get("title", named or "")), str(given["url"]), taken)
    return {key: given[key] for key in _KEYS if key in given}
