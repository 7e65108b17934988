"""What becomes of a poll or a push on its way into the store, and what is said of it afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watcher.errors import SourceError
from watcher.fetch.feed import FetchedFeed
from watcher.model import FeedState, ParsedFeed
from watcher.polling import PollBounds
from watcher.sources.settings import FeedSettings


@dataclass(frozen=True, slots=True)
class Polled:
    """A feed that was asked: what came back, or what was wrong. `parsed` is None when nothing is new.

    `texts`: those of the pages that entries link to, by link. `body_hash` stands for the body, which
    is let go once it was read: fifty polls may wait for the store.
    """

    feed: FeedSettings
    state: FeedState
    found: FetchedFeed | SourceError
    parsed: ParsedFeed | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    body_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a hub sent of a feed, read."""

    feed: FeedSettings
    topic: str
    parsed: ParsedFeed
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PollReport:
    """What one poll did, in the words of the log and of `run --once`."""

    feed: str
    outcome: str
    next_poll_at: datetime
    entries: int = 0
    new: int = 0
    revised: int = 0
    matched: int = 0
    alerts: int = 0
    error: str = ""
    # What the server asked for by 429 or 503; it speaks for the whole host.
    rest: timedelta | None = None


@dataclass(frozen=True, slots=True)
class PollLimits:
    """How much a feed may cost, and how often it is asked by default."""

    bounds: PollBounds = field(default_factory=PollBounds)
    deadline: timedelta = timedelta(seconds=30)
    max_body: int = 10 * 1024 * 1024
