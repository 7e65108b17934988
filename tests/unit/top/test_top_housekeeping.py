"""What is older than its retention goes, in steps; what stops a repeat stays."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from top_world import NOW, World, article, rule

from watcher import housekeeping
from watcher.alerts.policy import Reason
from watcher.alerts.routes import ReceiverClock
from watcher.config.settings import RetentionSettings
from watcher.housekeeping import Housekeeping
from watcher.intake.record import store_outcome
from watcher.restore import restore_memory
from watcher.store import tables
from watcher.writer import Writer

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAILY = [{"receivers": ["desk"], "send": {"digest": "0 7 * * *"}}]
MONTH = RetentionSettings.model_validate({"text": "31d", "history": "31d"})
SHRINKING = (tables.match, tables.verdict, tables.dispatch, tables.delivery)
KEPT = (tables.identity, tables.article, tables.alert)


def world(**alert: Any) -> World:
    return World([rule(alert=alert)], DAILY, desk=ReceiverClock())


def counts(made: World, *which: sa.Table) -> dict[str, int]:
    with made.store.read() as tx:
        return {
            table.name: tx.connection.execute(
                sa.select(sa.func.count()).select_from(table)
            ).scalar_one()
            for table in which
        }


def clean(made: World, folder: Path, retention: RetentionSettings = MONTH) -> int:
    async def once() -> int:
        writer = Writer(folder)
        try:
            return await Housekeeping(made.store, writer, made.pipeline, made.clock).run(retention)
        finally:
            writer.close()

    return asyncio.run(once())


def live(made: World, day: int, news: int = 2) -> None:
    """A day: news, a digest at seven, and its delivery."""
    made.turn_to(NOW + day * DAY)
    for n in range(news):
        name = day * 10 + n
        made.take(
            article(name, f"Rocket {name} seen over Place{name}", "Some text.", made.clock.now())
        )
        with made.store.begin() as tx:
            tx.articles.remember_all([("f", f"k{name}", f"a{name}")], made.clock.now())
    made.turn_to(NOW + day * DAY + 20 * HOUR)
    made.compose()
    with made.store.begin() as tx:
        for message in tx.outbox.claim_due(made.clock.now(), HOUR, 10):
            tx.outbox.sent(message.key, message.attempt, made.clock.now(), "ok")


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "PAUSE", 0)


def test_a_store_stays_bounded_over_400_days(tmp_path: Path) -> None:
    made = world(follow_ups="all")
    sizes = []
    for day in range(0, 400, 2):
        live(made, day, news=1)
        if day % 20 == 18:
            clean(made, tmp_path)
            sizes.append(counts(made, *SHRINKING))
    kept, texts = counts(made, *KEPT), sa.select(sa.func.count()).where(tables.article.c.text != "")

    with made.store.read() as tx:
        texts_left = tx.connection.execute(texts).scalar_one()
    assert kept == {"identity": 200, "article": 200, "alert": 200}
    assert all(n <= 26 for size in sizes for n in size.values())
    assert texts_left <= 26


def test_a_step_is_bounded_and_the_rest_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "STEP", 3)
    made = world(follow_ups="all")
    for day in range(5):
        live(made, day)
    made.turn_to(NOW + 60 * DAY)

    with made.store.begin() as tx:
        step = tx.purge.history(made.clock.now(), 3)
    clean(made, tmp_path)

    assert step == 12
    assert counts(made, *SHRINKING) == {"match": 0, "verdict": 2, "dispatch": 0, "delivery": 0}


def test_others_write_between_two_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "STEP", 1)
    made = world(follow_ups="all")
    for day in range(5):
        live(made, day)
    made.turn_to(NOW + 60 * DAY)

    async def beside() -> list[int]:
        writer, seen = Writer(tmp_path), []
        work = asyncio.create_task(
            Housekeeping(made.store, writer, made.pipeline, made.clock).run(MONTH)
        )
        while not work.done():
            seen.append(sum((await writer(counts, made, *SHRINKING)).values()))
            await asyncio.sleep(0)
        writer.close()
        return seen

    seen = asyncio.run(beside())

    assert len(set(seen)) > 5


def test_what_still_waits_is_kept(tmp_path: Path) -> None:
    made = world()
    made.take(article(1))
    made.turn_to(NOW + 60 * DAY)
    clean(made, tmp_path)

    assert counts(made, tables.dispatch) == {"dispatch": 1}


def test_a_long_silence_still_counts_from_the_last_match(tmp_path: Path) -> None:
    made = world(nothing_heard_for="90d")
    made.take(article(1))
    made.turn_to(NOW + 60 * DAY)
    clean(made, tmp_path)
    with made.store.begin() as tx:
        restore_memory(made.pipeline, tx, made.clock.now())
    made.turn_to(NOW + 90 * DAY)
    early = made.pipeline.notice(made.clock.now() - HOUR)
    due = made.pipeline.notice(made.clock.now())

    assert early == []
    assert [n.alert.new for n in due] == [("nothing since 2026-05-30 12:00 UTC",)]


def test_an_article_that_changes_after_its_matches_are_forgotten_raises_nothing(
    tmp_path: Path,
) -> None:
    made = world()
    made.pipeline.use(replace(made.plan, history=MONTH.history))
    made.take(article(1))
    made.turn_to(NOW + 60 * DAY)
    clean(made, tmp_path)
    changed = replace(article(1, "Korea fires rocket again"), revision=1)

    outcome = made.pipeline.process(changed, made.clock.now(), already=frozenset())
    with made.store.begin() as tx:
        store_outcome(tx, outcome, made.clock.now())

    assert [v.decision.reason for v in outcome.verdicts] == [Reason.REVISION]


def test_less_than_a_month_is_refused() -> None:
    with pytest.raises(ValueError, match="a month"):
        RetentionSettings.model_validate({"history": "30d"})
