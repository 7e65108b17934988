"""What the operator is told of feeds: once per change, and once when most of them fail together."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from watcher.model import FeedState
from watcher.notices import Notices
from watcher.outage import Outage, outage
from watcher.polling import Notice, PollPlan
from watcher.store.engine import Transaction


class FeedNotices:
    """Told by the recorder, inside its transaction."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self._outage: Outage | None = None
        self._hastened: datetime | None = None

    @property
    def everywhere(self) -> bool:
        """Most feeds fail, so that none is to blame."""
        return self._outage is not None

    def forget(self) -> None:
        """The transaction was undone: what goes on is found again."""
        self._outage = self._hastened = None

    def weigh(
        self,
        tx: Transaction,
        polled: Sequence[FeedState],
        *,
        recovered: bool,
        now: datetime,
        soon: timedelta,
    ) -> None:
        """After polls are stored: is it the network?

        When one that failed answers again (`recovered`), all are tried `soon`.
        """
        failing = any(state.failing_since for state in polled)
        if not failing and self._outage is None:
            return
        was, self._outage = self._outage, outage(tx.feeds.asked(), now=now, going_on=self._outage)
        if self._outage is not None and was is None:
            self._tell(tx, "outage", self._outage, _begun(self._outage, now))
        if was is not None and self._outage is None:
            self._tell(tx, "back", was, f"most feeds answer again. It began at {_at(was, now)}")
        if was is not None and recovered and self._may_hasten(now, soon):
            tx.feeds.hasten_failing(now, soon)

    def _may_hasten(self, now: datetime, soon: timedelta) -> bool:
        """Once in a while: a single feed that answers does not prove much."""
        if self._hastened is not None and abs(now - self._hastened) < 2 * soon:
            return False
        self._hastened = now
        return True

    def _tell(self, tx: Transaction, what: str, found: Outage, text: str) -> None:
        self._notices.add(tx, f"feeds:{what}:{found.since:%Y%m%dT%H%M%S}", text)

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
            "stored and can be searched, but nobody was alerted. "
            f"See them: watcher feeds quarantine {feed}. Were they news after all, alert of them: "
            f"watcher feeds release {feed}. If not: watcher feeds release {feed} --drop",
        )


def _begun(found: Outage, now: datetime) -> str:
    where = f", all of them at {found.host}." if found.host else ": is the network up?"
    return (
        f"{found.failing} of {found.asked} feeds fail since {_at(found, now)}{where} "
        "They are tried again within the hour, and none is called broken for it"
    )


def _at(found: Outage, now: datetime) -> str:
    day = "" if found.since.date() == now.date() else f"{found.since:%Y-%m-%d} "
    return f"{day}{found.since:%H:%M} UTC"


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
