"""The nouns of the service (docs/architecture.md): frozen data, no behaviour beyond views of itself.

All times are aware and UTC. Text fields hold plain text: markup is gone and
control characters are cleaned before anything becomes an `Entry`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from watcher.links import StoryLinks
from watcher.moments import spoken_day, spoken_time
from watcher.slots import AT_ONCE, Slot


class Severity(StrEnum):
    """How much an alert matters; compare by `rank`."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


# ── feeds ────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file an entry points at; `length` in bytes as the feed says, never checked."""

    url: str
    type: str | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as a parser returned it: plain text, absolute links, dates or None.

    `text` is the full content when the feed carries it, else empty; `summary` is
    the description. `publisher` is the RSS `<source>` (or the like) of this entry.
    """

    guid: str | None
    url: str | None
    title: str
    summary: str = ""
    text: str = ""
    author: str | None = None
    published: datetime | None = None
    updated: datetime | None = None
    tags: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    publisher: str | None = None
    publisher_url: str | None = None
    lang: str | None = None


@dataclass(frozen=True, slots=True)
class PollHints:
    """What the feed's own text says of its rhythm."""

    ttl: timedelta | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[str] = frozenset()
    hub: str | None = None
    self_url: str | None = None


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A document: `format` like `rss20`, `atom10`, `json11`; `parser` `fast` or `feedparser`; or `cut_short`."""

    format: str
    title: str
    link: str | None
    lang: str | None
    encoding: str | None
    parser: str
    problems: tuple[str, ...]
    entries: tuple[Entry, ...]
    hints: PollHints = PollHints()
    cut_short: bool = False


class FeedStatus(StrEnum):
    """Where a feed stands; operators are told once per change."""

    NEW = "new"
    OK = "ok"
    BROKEN = "broken"
    STALE = "stale"
    GONE = "gone"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class FeedState:
    """What we know of a feed between polls; `etag` and `last_modified` verbatim as received.

    `full_at`: when it last came whole; `full_only`: its "not modified" was found untrue."""

    feed: str
    url: str
    next_poll_at: datetime
    status: FeedStatus = FeedStatus.NEW
    etag: str | None = None
    last_modified: str | None = None
    last_polled_at: datetime | None = None
    last_success_at: datetime | None = None
    failures: int = 0
    last_error: str | None = None
    baseline_done: bool = False
    moved_to: str | None = None
    moved_count: int = 0
    body_hash: str | None = None
    title: str | None = None
    newest_at: datetime | None = None
    pace: str | None = None
    hints: str | None = None
    reason: str = ""
    failing_since: datetime | None = None
    full_at: datetime | None = None
    full_only: bool = False


# ── articles ─────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Article:
    """An entry after normalising; `text` has paragraphs separated by blank lines."""

    id: str
    feed: str
    url: str
    title: str
    text: str
    first_seen: datetime
    published: datetime | None = None
    updated: datetime | None = None
    author: str | None = None
    tags: tuple[str, ...] = ()
    publisher: str = ""
    family: str = ""
    lang: str | None = None
    revision: int = 0

    @property
    def at(self) -> datetime:
        """When it happened for readers: the feed's date, never later than first seen."""
        return min(self.published, self.first_seen) if self.published else self.first_seen


# ── matches, stories, alerts ─────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a clause held: `[start, end)` are character offsets into the article's own field."""

    clause: str
    field: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Match:
    """A rule holds for an article."""

    rule: str
    article: str
    score: float
    evidence: tuple[Evidence, ...] = ()


class StoryStatus(StrEnum):
    """A story's life: open with its first report, updated by others, quiet, closed."""

    OPEN = "open"
    UPDATED = "updated"
    QUIET = "quiet"
    CLOSED = "closed"


class Role(StrEnum):
    """What an article is to its story."""

    FIRST = "first"
    REPORT = "report"
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class Story:
    """Articles that report the same event; `title` is the first report's.

    `merged_into` names the older story that took this one's reports; such a story is closed.
    """

    id: str
    title: str
    opened: datetime
    updated: datetime
    status: StoryStatus = StoryStatus.OPEN
    articles: int = 1
    families: frozenset[str] = frozenset()
    merged_into: str | None = None


class AlertKind(StrEnum):
    NEW_STORY = "new_story"
    FOLLOW_UP = "follow_up"
    CORROBORATED = "corroborated"
    BURST = "burst"
    NOTHING_HEARD = "nothing_heard"
    SILENCE_BROKEN = "silence_broken"


@dataclass(frozen=True, slots=True)
class Alert:
    """A decision that a receiver's owner should be told; `new` says what is new, in words."""

    id: str
    kind: AlertKind
    rule: str
    story: str | None
    severity: Severity
    at: datetime
    reason: str
    articles: tuple[str, ...]
    tags: tuple[str, ...] = ()
    new: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One alert on its way to one receiver; `slot` says what it waits for until `send_at`."""

    alert: str
    receiver: str
    send_at: datetime
    slot: Slot = AT_ONCE
    reason: str = ""


# ── messages ─────────────────────────────────────────────────────────────────


class DigestKind(StrEnum):
    ALERT = "alert"
    DIGEST = "digest"
    NOTICE = "notice"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of an article's field; `marks` are the matched `[start, end)` within `text`."""

    field: str
    text: str
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """One article as a reader sees it inside a story; a wire copy has `copy_of` set to its family."""

    article: str
    title: str
    url: str
    publisher: str
    family: str
    at: datetime
    lang: str | None = None
    copy_of: str | None = None
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class StoryView:
    """One alert inside a message: the story so far, what is new, and why the reader gets it."""

    alert: str
    kind: AlertKind
    severity: Severity
    rule: str
    rule_title: str
    story: str | None
    title: str
    url: str
    publisher: str
    at: datetime
    first_seen: datetime
    reason: str
    new: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()
    reports: tuple[Report, ...] = ()
    tags: tuple[str, ...] = ()
    note: str = ""
    links: StoryLinks | None = None

    @property
    def is_follow_up(self) -> bool:
        return self.kind is not AlertKind.NEW_STORY and not self.is_of_rule

    @property
    def is_of_rule(self) -> bool:
        """A rule tells of itself: a burst, a silence. There is no article, link or publisher."""
        return self.kind in {AlertKind.BURST, AlertKind.NOTHING_HEARD}

    @property
    def opening(self) -> str:
        """What stands before the title where it stands alone."""
        if self.is_of_rule:
            return f"{self.rule_title}: "
        if self.kind is AlertKind.SILENCE_BROKEN:
            return "Heard again: "
        return "Update: " if self.is_follow_up else ""

    @property
    def families(self) -> tuple[str, ...]:
        """Independent publishers, in order of first report; copies add none."""
        return tuple(dict.fromkeys(r.family for r in self.reports if r.copy_of is None))


@dataclass(frozen=True, slots=True)
class Digest:
    """Everything one message says, before any channel's form; `key` makes it unique for ever.

    `zone` is the receiver's IANA zone: templates show times in it. `late_since`
    is set when a digest covers more than its own slot; `held` names quiet hours;
    `silenced` counts alerts that were kept back;
    `feeds_in_trouble` is for the operator, each a line of text.
    """

    key: str
    receiver: str
    kind: DigestKind
    title: str
    at: datetime
    zone: str
    stories: tuple[StoryView, ...] = ()
    silent_rules: tuple[str, ...] = ()
    feeds_in_trouble: tuple[str, ...] = ()
    notice: str = ""
    late_since: datetime | None = None
    held: str = ""
    merged: int = 0
    silenced: str = ""

    @property
    def day(self) -> str:
        """The reader's day, like `Saturday 30 May 2026`; English on every machine."""
        return spoken_day(self.at.astimezone(ZoneInfo(self.zone)))

    def clock(self, at: datetime) -> str:
        """A time as the reader's clock shows it: `14:32 KST`, or `29 May 14:32 KST` on another day."""
        zone = ZoneInfo(self.zone)
        return spoken_time(at.astimezone(zone), self.at.astimezone(zone))


@dataclass(frozen=True, slots=True)
class Draft:
    """What a receiver will send, JSON-serialisable and frozen at insert.

    A receiver that must track recipients apart returns several drafts, each with its own `part`.
    """

    payload: Mapping[str, Any]
    part: str = ""


class NotificationState(StrEnum):
    PENDING = "pending"
    LEASED = "leased"
    SENT = "sent"
    DEAD = "dead"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Notification:
    """One message for one receiver in the outbox; `key` is the idempotency key every attempt carries."""

    key: str
    receiver: str
    kind: DigestKind
    subject: str
    payload: Mapping[str, Any]
    created_at: datetime
    due_at: datetime
    attempt: int = 0
    state: NotificationState = NotificationState.PENDING
    lease_until: datetime | None = None
    sent_at: datetime | None = None
    last_error: str | None = None
    alerts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The peer's final positive reply, in a few words for the delivery log.

    `handle` is what later messages of the same `thread` (a key of the payload) answer to.
    """

    detail: str = ""
    handle: str = ""


# ── the outbound door ────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One outbound request; `max_redirects=0` makes a 3xx an ordinary response."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout: timedelta = timedelta(seconds=30)
    max_bytes: int = 10 * 1024 * 1024
    max_redirects: int = 5


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response read to its end; `body` is decoded and within the limit, header names lower case.

    `url` is the last one asked; `moved_to` the address if every hop so far was permanent.
    """

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    moved_to: str | None = None
