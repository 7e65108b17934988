"""A feed's state in words, for listings. Pure."""

from dataclasses import dataclass
from datetime import datetime

from watcher.model import FeedState, FeedStatus
from watcher.pace import Pace, spoken

_REASONS = {
    "": "not polled yet",
    "rhythm": "its own rhythm",
    "set": "every: in feeds.yaml",
    "pushed": "its hub pushes",
    "fresh": "the server calls it fresh until then",
    "ttl": "the feed asks for it (ttl)",
    "skip": "the feed asks for it (skipHours, skipDays)",
    "retry_after": "the server asks for it (Retry-After)",
    "gone": "never: see watcher feeds revive",
}
# An answer of the network that is days old is no news; these need somebody.
_TROUBLE = {FeedStatus.BROKEN, FeedStatus.STALE, FeedStatus.GONE, FeedStatus.QUARANTINED}


@dataclass(frozen=True, slots=True)
class FeedWords:
    """`trouble`: somebody should look at it."""

    status: str
    rhythm: str
    why: str
    trouble: bool


def feed_words(state: FeedState | None, now: datetime, held: int = 0) -> FeedWords:
    """`held`: so many of its entries wait in quarantine."""
    if state is None:
        return FeedWords("never polled", "not known yet", _REASONS[""], trouble=False)
    rhythm = spoken(Pace.read(state.pace), now)
    failing = state.failing_since is not None
    trouble = failing or held > 0 or state.status in _TROUBLE
    status = f"{_status(state)}, {held} entries held back" if held else _status(state)
    return FeedWords(status, rhythm, _why(state), trouble)


def _status(state: FeedState) -> str:
    match state.status:
        case FeedStatus.GONE:
            return "gone"
        case FeedStatus.BROKEN:
            return "broken" + _since(state.failing_since)
        case FeedStatus.STALE:
            return "silent" + _since(state.newest_at)
        case FeedStatus.QUARANTINED:
            return "replayed its archive"
        case _ if state.failing_since is not None:
            return "failing" + _since(state.failing_since)
        case FeedStatus.OK if state.full_only:
            return "ok, always read in full"
        case FeedStatus.NEW if state.last_polled_at is not None:
            return "new"
        case FeedStatus.NEW:
            return "never polled"
        case _:
            return "ok"


def _since(moment: datetime | None) -> str:
    return "" if moment is None else f" since {moment:%Y-%m-%d %H:%M}"


def _why(state: FeedState) -> str:
    if state.reason == "backoff":
        times = "once" if state.failures == 1 else f"{state.failures} times"
        return f"failed {times}"
    return _REASONS.get(state.reason, state.reason)
