"""What the operator is told of feeds: once per change, and once when most of them fail together."""

from datetime import datetime

from watcher.model import FeedState
from watcher.notices import Notices
from watcher.polling import Notice, PollPlan
from watcher.store.engine import Transaction


class FeedNotices:
    """Told by the recorder, inside its transaction."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    def of(self, tx: Transaction, plan: PollPlan, was: FeedState) -> None:
        """What has become of one feed, if it is news."""
        if plan.notice is not None:
            state = plan.state
            key = f"feed:{state.feed}:{plan.notice}:{state.last_polled_at:%Y%m%dT%H%M%S}"
            self._notices.add(tx, key, f"feed {state.feed} {_words(plan.notice, state, was)}")

    def quarantined(self, tx: Transaction, feed: str, held: int, now: datetime) -> None:
        self._notices.add(
            tx,
            f"feed:{feed}:quarantine:{now:%Y%m%d}",
            f"feed {feed} showed {held} old or undated entries under new names. They are "
            "stored and can be searched, but nobody was alerted",
        )


def _words(notice: Notice, state: FeedState, was: FeedState) -> str:
    match notice:
        case Notice.BROKEN:
            return (
                f"has failed {state.failures} times in a row: {state.last_error}. "
                "It is still polled, less often"
            )
        case Notice.RECOVERED:
            return "works again"
        case Notice.STALE:
            return (
                f"answers, but has shown nothing new since {state.newest_at:%Y-%m-%d}, longer than its own rhythm "
                f"explains. See: watcher feeds check {state.feed}"
            )
        case Notice.SPEAKS:
            return "shows new entries again"
        case Notice.GONE:
            return (
                "says 410 Gone and is not polled any more. Remove it from feeds.yaml, or try again "
                f"with: watcher feeds revive {state.feed}"
            )
        case Notice.MOVED:
            return f"has moved for good and is now polled at {state.url}. Before: {was.url}"
