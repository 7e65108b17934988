"""Is an entry new, a revision, or a repeat? Pure; DESIGN §6, RELIABILITY 38, 39 and I6.

Novelty goes by identity and never by the feed's dates. Guid first, then link,
then content: a guid that changes while link or content stay is the same
article, a guid that is reused for another link and title is a new one. What a
document shows on several different entries (one guid on all, every link the
home page) identifies none of them.
"""

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Literal
from urllib.parse import urlsplit

from watcher.model import Entry
from watcher.text import canonical_url, clean_line, one_line

Policy = Literal["auto", "guid", "link", "content"]

MASS_CHANGE_MIN = 20
MASS_CHANGE_SHARE = 0.5
# Of titles a few are proof enough: lists on pages are short.
FEW = 5
TELLING_BODY = 40
# Feeds date by their own clock and zone, and editors post what was written earlier.
DATE_SLACK = timedelta(days=2)
# After a longer pause even undated entries may all be news.
LONG_PAUSE = timedelta(days=1)

_INNER_PAGE = re.compile(r"https://[^/?#\s]+/[^?#\s]")


class Kind(StrEnum):
    NEW = "new"
    REVISION = "revision"
    SAME = "same"
    SKIP = "skip"


class Why(StrEnum):
    """What an entry was judged by."""

    UNKNOWN = "nothing known"
    KNOWN_TITLE = "only the title is known"
    REUSED_GUID = "guid reused for another link and title"
    GUID = "same guid"
    LINK = "same link"
    CONTENT = "same title and text"
    EMPTY = "no guid, link or text"


class OldSign(StrEnum):
    """What makes an entry that is new to us look like an old one."""

    KNOWN_TITLE = "known_title"
    OLD_DATE = "old_date"
    NO_DATE = "no_date"


@dataclass(frozen=True, slots=True)
class Keys:
    """What can recognise an entry; empty strings where the entry lacks it.

    `bare` (title and a short body) speaks for an entry that has nothing better;
    `title` identifies nothing, it backs up the others; a mark says that a guid or link
    is shared by several entries. `text` identifies nothing either: it changes with title or
    text, never with a date, and so tells a revision.
    """

    guid: str = ""
    link: str = ""
    content: str = ""
    bare: str = ""
    title: str = ""
    marks: tuple[str, ...] = ()
    text: str = ""

    @property
    def all(self) -> tuple[str, ...]:
        """What to look up or to remember; empty for an entry without any identity."""
        every = (self.guid, self.link, self.content, self.bare, self.title, *self.marks)
        return tuple(filter(None, every))


@dataclass(frozen=True, slots=True)
class Identified:
    """An entry with its verdict: `article` is the new or known one, `keys` what to remember of it."""

    entry: Entry
    keys: Keys
    kind: Kind
    article: str
    content_hash: str
    reason: Why


def identity_keys(entry: Entry, policy: Policy = "auto") -> Keys:
    """Hashed, so that keys stay small for ever; `policy` narrows what counts for this feed."""
    written, text = clean_line(entry.title), one_line(entry.text or entry.summary)
    title, body = written.casefold(), text.casefold()
    guid = (entry.guid or "").strip()
    if guid.startswith(("http://", "https://")):
        guid = canonical_url(guid)
    link = canonical_url(entry.url) if entry.url else ""
    if (guid or title or body) and _is_home_page(link):
        link = ""
    own, other = _key("g", guid), _key("l", link)
    content = _telling(title, body, entry.published)
    # A body that tells is in `content` already.
    bare = f"{title}\0{body}" if (title or body) and len(body) < TELLING_BODY else ""
    keys = Keys(
        guid=own,
        link=other,
        content=_key("c", content),
        bare=_key("b", bare),
        title=_key("t", title),
        marks=tuple([f"s{key}" for key in (own, other) if key]),
        text=_key("h", f"{written} \0 {text}".strip()),
    )
    return keys if policy == "auto" else _narrowed(keys, policy)


def _narrowed(keys: Keys, policy: Policy) -> Keys:
    """Only the key asked for, or the next best where an entry lacks it."""
    said = keys.content or keys.bare
    if policy == "guid":
        return Keys(guid=keys.guid or keys.link or said, text=keys.text)
    if policy == "link":
        return Keys(link=keys.link or keys.guid or said, text=keys.text)
    return Keys(content=said or keys.link or keys.guid, text=keys.text)


def _is_home_page(link: str) -> bool:
    if _INNER_PAGE.match(link):
        return False
    parts = urlsplit(link)
    return parts.path in {"", "/"} and not parts.query


def _telling(title: str, body: str, published: datetime | None) -> str:
    """Title and body; a short body ("Read more") tells nothing, so the date stands in for it.

    A bare title ("Market update") recurs; it speaks for an article only if nothing else does.
    """
    if len(body) >= TELLING_BODY:
        return f"{title}\0{body}"
    return f"{title}\0{published.isoformat()}" if title and published else ""


def _key(kind: str, value: str) -> str:
    return f"{kind}:{sha256(value.encode('utf-8', 'replace')).hexdigest()[:32]}" if value else ""


def article_id(feed: str, keys: Keys) -> str:
    """Deterministic, so that storing an entry twice is storing it once."""
    return "a" + sha256("\0".join((feed, *keys.all)).encode()).hexdigest()[:19]


def document_keys(keys: Sequence[Keys], known: Container[str]) -> list[Keys]:
    """What to judge a document's entries by: guids and links that several of them share are out.

    What was shared once is so for good, also when only one such entry is left to see.
    """
    shared = _shared(keys, "guid", "link") | _shared(keys, "link", "guid")
    shared |= {mark[1:] for own in keys for mark in own.marks if mark in known}
    return [_without(own, shared) for own in keys]


def _shared(keys: Iterable[Keys], name: str, other: str) -> set[str]:
    """Values on entries that differ in title and, where they have it, in the other key.

    Where the link is made of the guid it says nothing more: then a few titles are enough.
    """
    titles: dict[str, set[str]] = defaultdict(set)
    others: dict[str, set[str]] = defaultdict(set)
    for own in keys:
        if own.marks:
            titles[getattr(own, name)].add(own.title)
            others[getattr(own, name)].add(getattr(own, other))
    return {
        value
        for value in titles
        if value
        and (several := len(titles[value])) > 1
        and (several >= FEW or len(others[value]) > 1 or others[value] == {""})
    }


def _without(keys: Keys, shared: Set[str]) -> Keys:
    """The keys less the shared ones, unless nothing would be left; with what to remember."""
    if not shared:
        return _unmarked(keys)
    guid = "" if keys.guid in shared else keys.guid
    link = "" if keys.link in shared else keys.link
    if not (guid or link or keys.content or keys.bare):
        return _unmarked(keys)
    marks = tuple(mark for mark in keys.marks if mark[1:] in shared)
    return replace(keys, guid=guid, link=link, marks=marks)


def _unmarked(keys: Keys) -> Keys:
    """For nearly every entry, and `replace` takes three times as long."""
    return Keys(keys.guid, keys.link, keys.content, keys.bare, keys.title, text=keys.text)


def identify(
    feed: str,
    entries: Sequence[Entry],
    known: Mapping[str, str],
    hashes: Mapping[str, str],
    policy: Policy = "auto",
    *,
    keys: Sequence[Keys] | None = None,
) -> list[Identified]:
    """Judge a feed's entries in order.

    `keys` are the entries' `identity_keys`, where the caller has them already; `known` maps
    such keys to article ids, `hashes` article ids to their content hash. Entries that repeat
    within one document are judged against each other as well; revisions seen this way are repeats.
    """
    seen = dict(known)
    judged: set[str] = set()
    result = []
    own = keys if keys is not None else [identity_keys(entry, policy) for entry in entries]
    for entry, judged_by in zip(entries, document_keys(own, known), strict=True):
        digest = judged_by.text
        article, reason = _whose(judged_by, seen)
        if reason is Why.EMPTY:
            kind = Kind.SKIP
        elif not article:
            kind, article = Kind.NEW, article_id(feed, judged_by)
        elif article not in judged and hashes.get(article, digest) != digest:
            kind = Kind.REVISION
        else:
            kind = Kind.SAME
        judged.add(article)
        result.append(Identified(entry, judged_by, kind, article, digest, reason))
        for key in judged_by.all:
            seen.setdefault(key, article)
    return result


def _whose(keys: Keys, seen: Mapping[str, str]) -> tuple[str, Why]:
    """The known article these keys belong to (empty for none), and why."""
    if not keys.all:
        return "", Why.EMPTY
    guid, link = seen.get(keys.guid, ""), seen.get(keys.link, "")
    text = keys.content or ("" if keys.guid or keys.link else keys.bare)
    content, title = seen.get(text, ""), seen.get(keys.title, "")
    if guid and guid not in {content, title}:
        if link and link in {content, title}:
            return link, Why.LINK
        if keys.link and not link:
            return (content, Why.CONTENT) if content else ("", Why.REUSED_GUID)
    if guid:
        return guid, Why.GUID
    if link:
        return link, Why.LINK
    if content:
        return content, Why.CONTENT
    return "", Why.KNOWN_TITLE if title else Why.UNKNOWN


def is_mass_change(known_articles: int, entries: int, new: int) -> bool:
    """A known feed that suddenly shows mostly unknown entries has renamed or replayed its archive."""
    return (
        known_articles >= MASS_CHANGE_MIN
        and new >= MASS_CHANGE_MIN
        and new > MASS_CHANGE_SHARE * entries
    )


def quarantined(
    identified: Sequence[Identified],
    *,
    known_articles: int,
    last_success: datetime | None,
    now: datetime,
) -> Mapping[str, OldSign]:
    """Articles to keep from readers and why, empty unless this poll is a mass change (RELIABILITY I6).

    Only what looks old counts and is held back: a title this feed has shown before, a date
    from before the last successful poll, or no date although the feed was polled lately. So
    a real new item among a thousand renamed ones is told, and so is all the news of a pause.
    """
    if last_success is None:
        return {}
    old = {
        item: sign
        for item in identified
        if item.kind is Kind.NEW and (sign := _old_sign(item, last_success, now))
    }
    # A few without a date beside many that are proven old: those are the news of an undated list.
    proven = {item: sign for item, sign in old.items() if sign is not OldSign.NO_DATE}
    few = len(old) - len(proven) < FEW
    for held in (proven, old) if few else (old,):
        if is_mass_change(known_articles, len(identified), len(held)):
            return {item.article: sign for item, sign in held.items()}
    if now - last_success < LONG_PAUSE:
        return _renamed(proven, len(identified), last_success)
    return {}


def _renamed(
    old: Mapping[Identified, OldSign], entries: int, polled: datetime
) -> dict[str, OldSign]:
    """Most of a short list under new links and guids; headings that recur come with new dates."""
    known = [
        item
        for item, sign in old.items()
        if sign is OldSign.KNOWN_TITLE
        and (item.entry.published is None or item.entry.published < polled)
    ]
    titles = len({item.keys.title for item in known})
    if titles < FEW or titles <= MASS_CHANGE_SHARE * entries:
        return {}
    return {item.article: OldSign.KNOWN_TITLE for item in known}


def _old_sign(item: Identified, polled: datetime, now: datetime) -> OldSign | None:
    if item.reason is Why.KNOWN_TITLE:
        return OldSign.KNOWN_TITLE
    if item.entry.published is None:
        return OldSign.NO_DATE if now - polled < LONG_PAUSE else None
    return OldSign.OLD_DATE if item.entry.published < polled - DATE_SLACK else None
