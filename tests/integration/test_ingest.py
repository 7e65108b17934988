"""One poll, one transaction: what a feed serves and what becomes of it."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from watcher.alerts.routes import ReceiverClock, RouteSettings
from watcher.clock import ManualClock
from watcher.compose import Composer
from watcher.errors import FetchError, ParseError, StoreError
from watcher.faults import Faults
from watcher.fetch.feed import FetchedFeed
from watcher.intake.ingest import Ingest
from watcher.intake.polled import Polled, PollLimits, PollReport
from watcher.intake.record import Recorder
from watcher.model import (
    Digest,
    Draft,
    FeedState,
    FeedStatus,
    HttpRequest,
    HttpResponse,
    Notification,
    ParsedFeed,
    Receipt,
)
from watcher.notices import Notices
from watcher.pipeline import Pipeline, Plan
from watcher.polling import PollBounds
from watcher.rules.compile import compile_rules
from watcher.rules.schema import RuleSpec
from watcher.sources.parse import parse_feed
from watcher.sources.settings import FeedSettings
from watcher.store.engine import Store, Transaction, open_store
from watcher.stories.publishers import PublisherTable
from watcher.writer import Batches, Writer

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
RULES, _ = compile_rules(
    [RuleSpec(id="launch", when="rocket"), RuleSpec(id="failure", when="failed")], {}
)


@dataclass
class Site:
    """Answers every request with what the test last set."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[HttpRequest] = field(default_factory=list)
    trouble: FetchError | None = None

    async def request(self, request: HttpRequest) -> HttpResponse:
        self.asked.append(request)
        if self.trouble is not None:
            raise self.trouble
        return HttpResponse(self.status, request.url, self.headers, self.body)


@dataclass
class Reader:
    """The parser without its child process; counts its work."""

    calls: int = 0
    trouble: ParseError | None = None

    async def parse(self, body: bytes, *, url: str, content_type: str | None) -> ParsedFeed:
        self.calls += 1
        if self.trouble is not None:
            raise self.trouble
        return parse_feed(body, url=url, content_type=content_type)


@dataclass
class Desk:
    digests: list[Digest] = field(default_factory=list)

    def compose(self, digest: Digest) -> list[Draft]:
        self.digests.append(digest)
        return [Draft({"title": digest.title})]

    async def send(self, notification: Notification, *, at: datetime) -> Receipt:
        return Receipt()


class Newsroom:
    def __init__(self, folder: Path, **feed: Any) -> None:
        self.clock, self.site, self.reader, self.desk = ManualClock(NOW), Site(), Reader(), Desk()
        self.store: Store = open_store(folder / "store.db")
        self.writer = Writer(folder, reserve_bytes=0)
        self.feed = FeedSettings(id="sample", url="https://sample.example/feed", **feed)
        plan = Plan(tuple(RULES), (RouteSettings(receivers=("desk",)),), {"desk": ReceiverClock()})
        self.pipeline = Pipeline(plan)
        notices = Notices(self.clock)
        notices.use("desk", {"desk": self.desk}, {})
        composer = Composer(notices, Faults())
        composer.use(RULES, {"desk": self.desk}, {"desk": ReceiverClock()})
        self.recorder = Recorder(
            self.store, self.pipeline, composer,
            notices=notices, clock=self.clock, rng=Random(1), faults=Faults(),
        )  # fmt: skip
        self.ingest = Ingest(
            self.recorder, self.writer, door=self.site, parser=self.reader,
            clock=self.clock, faults=Faults(),
        )  # fmt: skip
        self.ingest.use(
            [self.feed], PublisherTable(), PollLimits(PollBounds(timedelta(minutes=15)))
        )
        with self.store.begin() as tx:
            tx.feeds.sync([(self.feed.id, self.feed.url)], NOW, timedelta(0))

    def poll(
        self, *items: Any, after: timedelta = timedelta(minutes=20), **served: Any
    ) -> PollReport:
        """Serve these items (title, or title and more) and poll once, a little later than before."""
        self.clock.turn_to(self.clock.now() + after)
        self.site.body = document(*items)
        for name, value in served.items():
            setattr(self.site, name, value)
        return asyncio.run(self.ingest.poll(self.state))

    def poll_body(self, body: bytes, **headers: str) -> PollReport:
        """Poll once and get just this."""
        self.clock.turn_to(self.clock.now() + timedelta(minutes=20))
        self.site.body, self.site.headers = body, headers
        return asyncio.run(self.ingest.poll(self.state))

    @property
    def state(self) -> FeedState:
        with self.store.begin() as tx:
            found = tx.feeds.get("sample")
        assert found is not None
        return found

    @property
    def told(self) -> list[str]:
        return [d.title for d in self.desk.digests if not d.notice]

    @property
    def notices(self) -> list[str]:
        return [d.notice for d in self.desk.digests if d.notice]


def document(*items: Any) -> bytes:
    body = ""
    for item in items:
        title, more = (item, {}) if isinstance(item, str) else item
        guid, text, date = more.get("guid", title), more.get("text", ""), more.get("date")
        body += f"<item><title>{title}</title><guid isPermaLink='false'>{guid}</guid><link>https://sample.example/{guid.replace(' ', '-')}</link>"
        body += (
            f"<description>{text}</description>"
            + (f"<pubDate>{date}</pubDate>" if date else "")
            + "</item>"
        )
    return f"<rss version='2.0'><channel><title>Sample</title>{body}</channel></rss>".encode()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Newsroom]:
    made = Newsroom(tmp_path)
    yield made
    made.writer.close()
    made.store.close()


def test_the_first_poll_is_a_baseline(room: Newsroom) -> None:
    first = room.poll("Old rocket")
    second = room.poll("New rocket", "Old rocket")

    assert (first.new, first.matched, first.alerts) == (1, 1, 0)
    assert second.alerts == 1
    assert room.told == ["New rocket"]


def test_a_feed_that_was_empty_has_its_baseline_behind_it(room: Newsroom) -> None:
    room.poll()

    assert room.poll("First rocket ever").alerts == 1


def test_initial_lets_the_newest_of_a_first_poll_through(tmp_path: Path) -> None:
    room = Newsroom(tmp_path, initial=1)
    dates = [f"Fri, {day} May 2026 10:00:00 GMT" for day in (27, 29, 28)]

    report = room.poll(
        *((f"Rocket {n} of its own kind {n * 31}", {"date": date}) for n, date in enumerate(dates))
    )

    assert report.alerts == 1
    assert room.told == ["Rocket 1 of its own kind 31"]
    room.writer.close()
    room.store.close()


def test_validators_are_sent_back_verbatim_and_a_304_reads_nothing(room: Newsroom) -> None:
    """RELIABILITY A1."""
    room.poll("One", headers={"etag": 'W/"a b"', "last-modified": "sometime"})
    report = room.poll("One", status=304, headers={})

    asked = room.site.asked[-1].headers
    assert (asked["If-None-Match"], asked["If-Modified-Since"]) == ('W/"a b"', "sometime")
    assert report.outcome == "not_modified"
    assert room.reader.calls == 1
    assert room.state.etag == 'W/"a b"'


def test_the_same_bytes_again_are_not_parsed_again(room: Newsroom) -> None:
    room.poll("One")
    room.poll("One")

    assert room.reader.calls == 1


def test_validators_of_a_feed_that_could_not_be_read_are_not_kept(room: Newsroom) -> None:
    """Else the next 304 would hide what it holds (RELIABILITY I1)."""
    room.reader.trouble = ParseError("not_a_feed", "a page")
    report = room.poll("One", headers={"etag": '"new"'})

    assert report.outcome == "not_a_feed"
    assert room.state.etag is None
    assert room.state.failures == 1


@pytest.mark.parametrize("cut", [30, 75], ids=["in its head", "before its first entry"])
def test_a_feed_that_is_cut_short_by_its_publisher_is_no_empty_feed(
    room: Newsroom, cut: int
) -> None:
    """Else what the whole one shows would all be news (RELIABILITY A12)."""
    whole = document("Rocket", "Second rocket of its own kind")
    first = room.poll_body(whole[:cut], etag='"whole"')
    second = room.poll_body(whole)

    assert first.outcome == "truncated"
    assert "If-None-Match" not in room.site.asked[-1].headers
    assert (second.new, room.told) == (2, [])


def test_of_a_feed_that_is_cut_short_the_entries_are_kept_and_the_validators_are_not(
    room: Newsroom,
) -> None:
    room.poll()
    whole = document("Rocket", "Another one that failed")
    first = room.poll_body(whole[:-80], etag='"whole"')
    second = room.poll_body(whole)

    assert (first.outcome, first.new) == ("ok", 1)
    assert "If-None-Match" not in room.site.asked[-1].headers
    assert (second.outcome, second.new) == ("ok", 1)
    assert room.told == ["Rocket", "Another one that failed"]


def test_an_article_that_appears_in_every_poll_is_told_once(room: Newsroom) -> None:
    room.poll()
    for n in range(4):
        room.poll("Rocket", *(f"Filler {n} {k}" for k in range(n)))

    assert room.told == ["Rocket"]


def test_a_changed_text_is_a_revision_and_no_second_alert(room: Newsroom) -> None:
    room.poll()
    room.poll(("Rocket", {"text": "It rose at noon, officials in the capital said on Saturday."}))
    report = room.poll(
        ("Rocket", {"text": "It rose at ten past noon, officials in the capital said."})
    )

    assert (report.new, report.revised) == (0, 1)
    assert room.told == ["Rocket"]


def test_a_revision_that_a_rule_now_matches_is_told(room: Newsroom) -> None:
    room.poll()
    room.poll(
        (
            "Countdown goes on",
            {"guid": "g", "text": "Nothing yet, officials in the capital said on Saturday."},
        )
    )
    room.poll(
        (
            "Countdown goes on",
            {"guid": "g", "text": "The rocket has left the pad, officials in the capital said."},
        )
    )

    assert room.told == ["Countdown goes on"]


def test_a_replayed_archive_is_quarantined_with_one_notice(room: Newsroom) -> None:
    """RELIABILITY I6."""
    old = "Mon, 04 May 2026 10:00:00 GMT"
    room.poll(*((f"Rocket report number {n}", {"date": old}) for n in range(30)))
    report = room.poll(*((f"Rocket archive piece {n}", {"date": old, "guid": f"renamed-{n}"}) for n in range(30)),
                       ("Rocket truly new today", {"date": "Sat, 30 May 2026 12:30:00 GMT"}))  # fmt: skip

    assert report.outcome == "quarantined"
    assert room.told == ["Rocket truly new today"]
    assert len([n for n in room.notices if "under new names" in n]) == 1


def test_an_archive_under_new_guids_and_links_is_recognised(room: Newsroom) -> None:
    dated = {"date": "Mon, 04 May 2026 10:00:00 GMT"}
    room.poll(*((f"Rocket report number {n}", dated) for n in range(30)))

    report = room.poll(
        *((f"Rocket report number {n}", dated | {"guid": f"renamed-{n}"}) for n in range(30))
    )

    assert (report.outcome, report.new, report.alerts) == ("ok", 0, 0)


def test_three_days_of_news_after_a_pause_are_no_archive(room: Newsroom) -> None:
    """RELIABILITY I5."""
    room.poll(*(f"Filler {n}" for n in range(30)))
    titles = [f"Report {n}" for n in range(30)] + ["Rocket rises"]
    dates = {"date": "Tue, 02 Jun 2026 08:00:00 GMT"}

    report = room.poll(*((t, dates) for t in titles), after=timedelta(days=3))

    assert report.outcome == "ok"
    assert room.told == ["Rocket rises"]


def test_a_failing_feed_is_told_once_and_once_when_it_recovers(room: Newsroom) -> None:
    room.site.trouble = FetchError("http_500", status=500)
    for _ in range(5):
        room.poll()
    room.site.trouble = None
    room.poll("One")
    room.poll("Two")

    assert [("failed 3 times" in n, "works again" in n) for n in room.notices] == [
        (True, False),
        (False, True),
    ]
    assert room.state.status is FeedStatus.OK


def test_410_ends_polling_and_tells_how_to_begin_again(room: Newsroom) -> None:
    report = room.poll(trouble=FetchError("http_410", status=410))

    assert report.outcome == "http_410"
    assert room.state.status is FeedStatus.GONE
    assert "watcher feeds revive sample" in room.notices[0]


def test_a_transaction_that_fails_leaves_no_memory_of_it(
    room: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.poll()
    with monkeypatch.context() as patch:
        patch.setattr(
            "watcher.store.feeds.Feeds.save_all", lambda *_: (_ for _ in ()).throw(OSError("disk"))
        )
        with pytest.raises(OSError, match="disk"):
            room.poll("Rocket")
    assert len(room.pipeline.memory.index) == 0

    room.poll("Rocket")

    assert room.told[-1] == "Rocket"
    with room.store.begin() as tx:
        assert count(tx) == 1


def count(tx: Transaction) -> int:
    return tx.articles.count()


def test_one_bad_entry_does_not_take_the_others_along(room: Newsroom) -> None:
    room.poll()
    room.site.body = b""
    hostile = ("\ud800", {"guid": "x" * 5000})

    report = room.poll(
        "Rocket one", (hostile[0].encode("utf-8", "replace").decode(), hostile[1]), ""
    )

    assert report.alerts == 1


# ── polls that finish together ──


def polled(room: Newsroom, name: str, *items: Any) -> Polled:
    """A feed of its own, asked and parsed, on its second poll."""
    feed = FeedSettings(id=name, url=f"https://{name}.example/feed")
    state = FeedState(name, feed.url, NOW, baseline_done=True)
    with room.store.begin() as tx:
        known = [(one.feed, one.url) for one in tx.feeds.all()]
        tx.feeds.sync([*known, (name, feed.url)], NOW, timedelta(0))
        tx.feeds.save(state)
    body = document(*items)
    return Polled(feed, state, FetchedFeed(False, feed.url, body), parse_feed(body, url=feed.url))


def test_polls_that_finish_together_share_one_transaction(room: Newsroom) -> None:
    polls = [polled(room, f"feed{n}", f"Rocket {n}", "Weather") for n in range(5)]
    begun = []
    original = room.store.begin
    room.store.begin = lambda: begun.append(1) or original()  # type: ignore[method-assign]

    reports = room.recorder.record(polls)

    assert [r.new for r in reports if isinstance(r, PollReport)] == [2] * 5
    assert len(begun) == 1


def test_a_feed_that_cannot_be_stored_spares_those_it_finished_with(room: Newsroom) -> None:
    polls = [polled(room, f"feed{n}", f"Rocket {n}") for n in range(3)]
    assert polls[1].parsed is not None
    broken = replace(polls[1].parsed.entries[0], title=None)
    polls[1] = replace(polls[1], parsed=replace(polls[1].parsed, entries=(broken,)))

    results = room.recorder.record(polls)

    assert [isinstance(result, PollReport) for result in results] == [True, False, True]
    assert len(room.told) == 2
    with room.store.begin() as tx:
        assert count(tx) == 2


def test_trouble_with_the_store_is_told_to_every_poll_and_leaves_nothing(room: Newsroom) -> None:
    polls = [polled(room, f"feed{n}", f"Rocket {n}") for n in range(3)]
    with room.store.begin() as tx:
        tx.connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON article BEGIN SELECT RAISE(ABORT, 'full'); END"
        )

    results = room.recorder.record(polls)

    assert all(isinstance(result, StoreError) for result in results)
    with room.store.begin() as tx:
        assert (count(tx), tx.alerts.since(NOW)) == (0, [])


def test_polls_wait_for_the_writer_and_not_for_each_other(room: Newsroom) -> None:
    """While the writer is busy polls gather; the first one had nothing to wait for."""
    batches: list[list[int]] = []

    def work(items: Sequence[int]) -> list[int | Exception]:
        batches.append(list(items))
        time.sleep(0.05)
        return [ValueError("odd") if item == 3 else item * 10 for item in items]

    async def run() -> list[int | BaseException]:
        group = Batches(room.writer, work, limit=4)
        first = asyncio.create_task(group.add(0))
        await asyncio.sleep(0.01)
        rest = [asyncio.create_task(group.add(n)) for n in range(1, 8)]
        await asyncio.sleep(0)
        rest[0].cancel()
        return await asyncio.gather(first, *rest, return_exceptions=True)

    results = asyncio.run(run())

    assert batches == [[0], [1, 2, 3, 4], [5, 6, 7]]
    assert isinstance(results[1], asyncio.CancelledError)
    assert isinstance(results[3], ValueError)
    assert [r for r in results if isinstance(r, int)] == [0, 20, 40, 50, 60, 70]
