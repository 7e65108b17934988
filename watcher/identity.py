"""Is an entry new, a revision, or a repeat? Pure; DESIGN §6, RELIABILITY 38 and 39.

Novelty goes by identity and never by the feed's dates. Guid first, then link,
then content: a guid that changes while link or content stay is the same
article, a guid that is reused for another link and title is a new one.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Literal

from watcher.model import Entry
from watcher.text import canonical_url, clean_line

Policy = Literal["auto", "guid", "link", "content"]

MASS_CHANGE_MIN = 20
MASS_CHANGE_SHARE = 0.5
TELLING_BODY = 40


class Kind(StrEnum):
    NEW = "new"
    REVISION = "revision"
    SAME = "same"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Keys:
    """What can recognise an entry later; empty strings where the entry lacks it."""

    guid: str = ""
    link: str = ""
    content: str = ""
    title: str = ""

    @property
    def all(self) -> tuple[str, ...]:
        """A title only backs up another key, so alone it identifies nothing."""
        own = tuple(key for key in (self.guid, self.link, self.content) if key)
        return (*own, self.title) if own and self.title else own


@dataclass(frozen=True, slots=True)
class Identified:
    """An entry with its verdict; `article` is the id of the new or known article."""

    entry: Entry
    keys: Keys
    kind: Kind
    article: str
    content_hash: str
    reason: str


def identity_keys(entry: Entry, policy: Policy = "auto") -> Keys:
    """Hashed, so that keys stay small for ever; `policy` narrows what counts for this feed."""
    title = clean_line(entry.title).casefold()
    body = " ".join((entry.text or entry.summary).split()).casefold()
    link = canonical_url(entry.url) if entry.url else ""
    guid = (entry.guid or "").strip()
    if guid.startswith(("http://", "https://")):
        guid = canonical_url(guid)
    # A bare title ("Market update") recurs; it speaks for an article only if nothing else does.
    telling = len(body) >= TELLING_BODY or not (guid or link)
    content = f"{title}\0{body}" if telling and (title or body) else ""
    keys = Keys(
        guid=_key("g", guid),
        link=_key("l", link),
        content=_key("c", content),
        title=_key("t", title),
    )
    if policy == "guid":
        return Keys(guid=keys.guid or keys.link or keys.content)
    if policy == "link":
        return Keys(link=keys.link or keys.guid or keys.content)
    if policy == "content":
        return Keys(content=keys.content or keys.link)
    return keys


def _key(kind: str, value: str) -> str:
    return f"{kind}:{sha256(value.encode('utf-8', 'replace')).hexdigest()[:32]}" if value else ""


def article_id(feed: str, keys: Keys) -> str:
    """Deterministic, so that storing an entry twice is storing it once."""
    return "a" + sha256("\0".join((feed, *keys.all)).encode()).hexdigest()[:19]


def content_hash(entry: Entry) -> str:
    """Changes with title or text, never with a date."""
    text = entry.text or entry.summary
    return _key("h", " ".join(f"{clean_line(entry.title)} \0 {text}".split()))


def identify(
    feed: str,
    entries: Sequence[Entry],
    known: Mapping[str, str],
    hashes: Mapping[str, str],
    policy: Policy = "auto",
) -> list[Identified]:
    """Judge a feed's entries in order.

    `known` maps identity keys to article ids, `hashes` article ids to their
    content hash. Entries that repeat within one document are judged against
    each other as well; revisions seen this way are repeats.
    """
    seen = dict(known)
    all_keys = [identity_keys(entry, policy) for entry in entries]
    guid_holders = {known[keys.guid] for keys in all_keys if keys.guid in known}
    fresh: set[str] = set()
    result = []
    for entry, keys in zip(entries, all_keys, strict=True):
        digest = content_hash(entry)
        article, reason = (
            _whose(keys, seen, guid_holders) if keys.all else ("", "no guid, link or text")
        )
        if not keys.all:
            kind = Kind.SKIP
        elif not article:
            kind, article = Kind.NEW, article_id(feed, keys)
            fresh.add(article)
        elif article in hashes and article not in fresh and digest != hashes[article]:
            kind = Kind.REVISION
        else:
            kind = Kind.SAME
        result.append(Identified(entry, keys, kind, article, digest, reason))
        for key in keys.all:
            seen.setdefault(key, article)
    return result


def _whose(keys: Keys, seen: Mapping[str, str], guid_holders: Set[str]) -> tuple[str, str]:
    """The known article these keys belong to (empty for none), and why."""
    guid, link = seen.get(keys.guid, ""), seen.get(keys.link, "")
    content, title = seen.get(keys.content, ""), seen.get(keys.title, "")
    if guid and link:
        if guid != link and link in {content, title} and guid not in {content, title}:
            return link, "link (its guid is shared)"
        return guid, "guid"
    if guid:
        if keys.link and guid not in {content, title}:
            return "", "guid reused for another link and title"
        return guid, "guid"
    if content:
        return content, "same title and text"
    if link and keys.guid and link in guid_holders and link != title:
        return "", "link shared by several guids"
    if link:
        return link, "link"
    return "", "unknown"


def is_mass_change(known_articles: int, entries: int, new: int) -> bool:
    """A known feed that suddenly shows mostly unknown entries has renamed or replayed its archive."""
    return (
        known_articles >= MASS_CHANGE_MIN
        and new >= MASS_CHANGE_MIN
        and new > MASS_CHANGE_SHARE * entries
    )
