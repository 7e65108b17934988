"""Dispatches become messages: alone, together, late, or held."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from top_world import NOW, World, article, rule

from watcher.alerts.due import MERGE_ABOVE, message_key, plan_messages
from watcher.alerts.routes import ReceiverClock
from watcher.alerts.schedule import QuietHours
from watcher.errors import RenderError
from watcher.model import DigestKind, Dispatch, FeedStatus
from watcher.slots import Slot

IMMEDIATE = [{"receivers": ["desk"]}]
DAILY = [{"receivers": ["desk"], "send": {"digest": "0 7 * * *"}}]
TITLES = ["Rocket one lifts off", "Blue rocket shown at fair", "Toy rocket recalled by maker"]


def test_an_immediate_alert_is_one_message() -> None:
    world = World([rule()], IMMEDIATE, desk=ReceiverClock())
    world.take(article(1))

    assert world.compose() == 1
    (digest,) = world.receivers["desk"].digests
    assert (digest.kind, digest.title) == (DigestKind.ALERT, "North Korea fires rocket")


def test_composing_twice_adds_nothing() -> None:
    world = World([rule()], IMMEDIATE, desk=ReceiverClock())
    world.take(article(1))
    world.compose()

    assert world.compose() == 0


def test_a_digest_waits_and_gathers_every_story() -> None:
    world = World([rule()], DAILY, desk=ReceiverClock())
    world.take(*(article(n, title) for n, title in enumerate(TITLES)))

    before = world.compose()
    world.turn_to(datetime(2026, 5, 31, 7, tzinfo=UTC))
    after = world.compose()

    assert (before, after) == (0, 1)
    (digest,) = world.receivers["desk"].digests
    assert sorted(view.title for view in digest.stories) == sorted(TITLES)
    assert digest.late_since is None


def test_downtime_ends_in_one_late_digest() -> None:
    """Two slots passed while the daemon was down (RELIABILITY D3)."""
    world = World([rule()], DAILY, desk=ReceiverClock())
    world.take(article(1, TITLES[0]))
    world.turn_to(datetime(2026, 5, 31, 8, tzinfo=UTC))
    world.take(replace(article(2, TITLES[1]), first_seen=world.clock.now()))
    world.turn_to(datetime(2026, 6, 3, 12, tzinfo=UTC))

    assert world.compose() == 1
    (digest,) = world.receivers["desk"].digests
    assert len(digest.stories) == 2
    assert digest.late_since == datetime(2026, 5, 31, 7, tzinfo=UTC)


def test_quiet_hours_hold_alerts_and_deliver_them_together() -> None:
    world = World(
        [rule()], IMMEDIATE, desk=ReceiverClock("Asia/Seoul", QuietHours(time(20), time(7)))
    )
    world.take(*(article(n, title) for n, title in enumerate(TITLES)))

    before = world.compose()
    world.turn_to(datetime(2026, 5, 30, 22, tzinfo=UTC))
    world.compose()

    (digest,) = world.receivers["desk"].digests
    assert before == 0
    assert len(digest.stories) == 3
    assert digest.held == "held during quiet hours until 07:00"


def test_follow_ups_of_a_story_share_its_place_in_a_digest() -> None:
    world = World([rule()], DAILY, desk=ReceiverClock())
    world.take(article(1), article(2, "North Korea rocket failed 131 seconds after launch"))
    world.turn_to(datetime(2026, 5, 31, 7, tzinfo=UTC))
    world.compose()

    (view,) = world.receivers["desk"].digests[0].stories
    assert not view.is_follow_up
    assert "a failure" in view.new
    assert [r.is_new for r in view.reports] == [True, True]


def test_rules_that_stayed_silent_are_named() -> None:
    world = World([rule(), rule("sub", "submarine")], DAILY, desk=ReceiverClock())
    world.take(article(1))
    world.turn_to(datetime(2026, 5, 31, 7, tzinfo=UTC))
    world.compose()

    assert world.receivers["desk"].digests[0].silent_rules == ("Sub",)


def test_a_template_that_fails_keeps_the_dispatch_and_spares_the_others() -> None:
    world = World(
        [rule()], [{"receivers": ["desk", "other"]}], desk=ReceiverClock(), other=ReceiverClock()
    )
    world.receivers["desk"].broken = RenderError("digest.html.j2:3: no such thing")
    world.take(article(1))

    world.compose()

    assert [d.kind for d in world.receivers["other"].digests] == [
        DigestKind.ALERT,
        DigestKind.NOTICE,
    ] or [d.kind for d in world.receivers["other"].digests] == [DigestKind.NOTICE, DigestKind.ALERT]
    world.receivers["desk"].broken = None
    assert world.compose() == 1


def dispatch(n: int, slot: str = "", minutes: int = 0) -> Dispatch:
    return Dispatch(f"t{n:03}", "desk", NOW + timedelta(minutes=minutes), Slot.parse(slot))


def test_a_backlog_of_alerts_becomes_one_digest() -> None:
    few = plan_messages([dispatch(n) for n in range(MERGE_ABOVE)])
    many = plan_messages([dispatch(n) for n in range(MERGE_ABOVE + 1)])

    assert (len(few), len(many)) == (MERGE_ABOVE, 1)


def test_digests_of_two_schedules_stay_apart() -> None:
    morning, weekly = (
        dispatch(1, "digest:0:2026-05-31T07:00"),
        dispatch(2, "digest:1:2026-05-31T07:00"),
    )

    assert plan_messages([morning, weekly]) == [[morning], [weekly]]


def test_a_message_is_named_by_what_it_holds() -> None:
    keys = [
        message_key("desk", [dispatch(1)]),
        message_key("desk", [dispatch(1), dispatch(2)]),
        message_key(
            "desk",
            [dispatch(1, "digest:0:2026-05-30T07:00"), dispatch(2, "digest:0:2026-05-31T07:00", 5)],
        ),
    ]

    assert keys == ["alert:t001:desk", "backlog:t002:desk", "digest:0:2026-05-31T07:00:desk"]


def test_feeds_in_trouble_are_told_to_the_operator_only() -> None:
    world = World(
        [rule()],
        [{"receivers": ["desk", "other"], "send": {"digest": "0 17 * * *"}}],
        desk=ReceiverClock(),
        other=ReceiverClock(),
    )
    with world.store.begin() as tx:
        tx.feeds.sync(
            [("broken-one", "https://a.example/"), ("fine", "https://b.example/")],
            NOW,
            timedelta(0),
        )
        (broken, fine) = tx.feeds.all()
        tx.feeds.save(replace(broken, status=FeedStatus.BROKEN, last_error="503: busy"))
        tx.feeds.save(replace(fine, status=FeedStatus.OK))
    world.take(article(1))
    world.turn_to(NOW + timedelta(hours=6))
    world.compose()

    told = {name: world.receivers[name].digests[-1].feeds_in_trouble for name in ("desk", "other")}
    assert told == {"desk": ("broken-one: broken, 503: busy",), "other": ()}
