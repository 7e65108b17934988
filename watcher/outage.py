"""When most feeds fail together, it is not the feeds: one thing to tell, and none of them to blame. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

# Feeds asked within so long count; while none answers each is tried once an hour.
WINDOW = timedelta(minutes=90)
# So many of the feeds asked since the first one failed begin an outage; half of them end it.
BEGINS_AT = 0.6
ENDS_AT = 0.5
# Fewer failures are nobody's outage, unless there are hardly more feeds.
AT_LEAST = 5
AT_LEAST_OF_FEW = 3
FEW = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """A feed and how its last poll went; `failing_since` is None after a good one."""

    feed: str
    url: str
    at: datetime
    failing_since: datetime | None = None
    error: str = ""

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, slots=True)
class Outage:
    """So many of those asked fail since then; all on one `host`, or everywhere when it is empty."""

    since: datetime
    failing: int
    asked: int
    host: str = ""


def outage(
    feeds: Sequence[Asked], *, now: datetime, going_on: Outage | None = None
) -> Outage | None:
    """`feeds` are those not called broken already: an old trouble is its own."""
    lately = [feed for feed in feeds if feed.at >= now - WINDOW]
    if going_on is None:
        begun = [feed.failing_since for feed in lately if feed.failing_since]
        since = min((at for at in begun if at > now - WINDOW), default=now)
    else:
        since = going_on.since
    asked = [feed for feed in lately if feed.at >= since]
    least = AT_LEAST if len(feeds) > FEW else AT_LEAST_OF_FEW
    if going_on is None:
        failing = _suspects(asked, least)
        enough = len(failing) >= max(least, BEGINS_AT * len(asked))
    else:
        failing = [feed for feed in asked if feed.failing_since]
        enough = bool(failing) and len(failing) >= ENDS_AT * len(asked)
    if not enough:
        return None
    hosts = {feed.host for feed in failing}
    return Outage(since, len(failing), len(asked), hosts.pop() if len(hosts) == 1 else "")


def _suspects(asked: Sequence[Asked], least: int) -> list[Asked]:
    """Failures that need not be the feed's own: nothing of its host answers well, and what came is
    no status of its server, unless that has one for all of many feeds."""
    of_host: dict[str, list[Asked]] = defaultdict(list)
    for feed in asked:
        of_host[feed.host].append(feed)
    return [
        feed
        for feeds in of_host.values()
        if all(feed.failing_since for feed in feeds)
        for feed in feeds
        if len(feeds) >= least or not feed.error.startswith("http_")
    ]
