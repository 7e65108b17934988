"""Digests through reloads, clocks put back and quiet hours; and the same in a replay."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from top_world import NOW, World, article, rule

from watcher.alerts.routes import ReceiverClock, RouteSettings
from watcher.alerts.schedule import QuietHours
from watcher.alerts.silences import Silence
from watcher.model import Article
from watcher.pipeline import Pipeline, Plan
from watcher.replay import Replay

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SEVEN = NOW + timedelta(hours=19)  # 07:00 of the next day
COMPANY = {"digest": "0 7 * * *", "min_items": 2, "max_wait": "3d"}
WAITING = {"match": {"tags": "space"}, "receivers": ["desk"], "send": COMPANY}
OTHER = {"match": {"tags": "sport"}, "receivers": ["desk"], "send": {"digest": "0 7 * * *"}}
NIGHT = QuietHours(time(22), time(8))


def reload(world: World, routes: Sequence[dict[str, Any]], **clocks: ReceiverClock) -> None:
    """What the daemon does with a changed configuration."""
    read = tuple(RouteSettings.model_validate(route) for route in routes)
    world.pipeline.use(Plan(world.plan.rules, read, clocks))
    world.composer.use(world.plan.rules, world.receivers, clocks, read)


def space_world(*routes: dict[str, Any], clock: ReceiverClock | None = None) -> World:
    return World([rule(tags=("space",))], routes, desk=clock or ReceiverClock())


def stories(world: World) -> list[list[str]]:
    return [[view.title for view in digest.stories] for digest in world.receivers["desk"].digests]


@pytest.mark.parametrize(
    "after",
    [
        [OTHER, WAITING],
        [{"receivers": ["desk"], "match": {"rules": "none"}, "routes": [OTHER]}, WAITING],
        [WAITING | {"receivers": ["desk", "more"]}, OTHER],
    ],
    ids=["moved down", "a branch before it", "one receiver more"],
)
def test_a_waiting_digest_stays_with_its_route_through_a_reload(
    after: list[dict[str, Any]],
) -> None:
    world = space_world(WAITING, OTHER)
    world.take(article(1))
    reload(world, after, desk=ReceiverClock())
    world.turn_to(SEVEN)
    world.compose()
    alone = stories(world)
    world.take(article(2, "Rocket over Elsewhere explodes", at=SEVEN))
    world.turn_to(SEVEN + DAY)
    world.compose()

    assert alone == []  # it still waits for a second one
    assert [len(titles) for titles in stories(world)] == [2]


def test_a_waiting_digest_follows_what_its_route_says_now() -> None:
    world = space_world(WAITING)
    world.take(article(1))
    reload(world, [WAITING | {"send": COMPANY | {"min_items": 1}}], desk=ReceiverClock())
    world.turn_to(SEVEN)
    world.compose()

    assert len(stories(world)) == 1


def test_a_digest_whose_route_is_gone_goes_out_at_its_time() -> None:
    world = space_world(WAITING)
    world.take(article(1))
    reload(world, [OTHER], desk=ReceiverClock())
    world.turn_to(SEVEN)
    world.compose()

    assert len(stories(world)) == 1


def test_a_clock_put_back_makes_no_second_digest_of_a_day_and_loses_nothing() -> None:
    world = space_world(WAITING | {"send": {"digest": "0 7 * * *"}})
    world.take(article(1))
    world.turn_to(SEVEN)
    world.compose()
    world.turn_to(SEVEN - DAY / 2)
    world.take(article(2, "Rocket over Elsewhere explodes", at=SEVEN))
    world.turn_to(SEVEN + HOUR)
    world.compose()
    same_day = len(stories(world))
    world.turn_to(SEVEN + DAY)
    world.compose()

    assert same_day == 1
    assert stories(world)[1:] == [["Rocket over Elsewhere explodes"]]


def test_a_digest_in_quiet_hours_comes_at_their_end() -> None:
    world = space_world(
        WAITING | {"send": {"digest": "0 7 * * *"}}, clock=ReceiverClock("UTC", NIGHT)
    )
    world.take(article(1))
    world.turn_to(SEVEN)
    early = world.compose()
    world.turn_to(SEVEN + HOUR)
    world.compose()

    assert early == 0
    assert len(stories(world)) == 1


@pytest.mark.parametrize("send", ["immediate", {"digest": "0 20 * * *"}], ids=["alert", "digest"])
def test_what_downtime_delayed_into_the_night_waits_for_its_end(send: Any) -> None:
    world = space_world(WAITING | {"send": send}, clock=ReceiverClock("UTC", NIGHT))
    world.take(article(1))
    world.turn_to(NOW + timedelta(hours=14))  # down from noon until two
    early = world.compose()
    world.turn_to(NOW + timedelta(hours=20))
    world.compose()

    assert early == 0
    assert len(stories(world)) == 1


# ── the same in a replay ──


def replayed(
    routes: Sequence[dict[str, Any]], articles: Sequence[Article], **clocks: ReceiverClock
) -> list[tuple[str, str, int]]:
    """Receiver, time and number of alerts of every message."""
    read = tuple(RouteSettings.model_validate(route) for route in routes)
    run = Replay(Pipeline(Plan((rule(tags=("space",)),), read, clocks)))
    told = [record for record in run.run(articles) if record["type"] == "notification"]
    return [(record["receiver"], record["at"], len(record["alerts"])) for record in told]


def lived(
    routes: Sequence[dict[str, Any]], articles: Sequence[Article], **clocks: ReceiverClock
) -> list[tuple[str, str, int]]:
    """The same through the store, by a daemon that looks every half hour."""
    world = World([rule(tags=("space",))], routes, **clocks)
    left = list(articles)
    for step in range(10 * 24 * 2):
        now = NOW + step * HOUR / 2
        world.turn_to(now)
        while left and left[0].at <= now:
            world.take(left.pop(0))
        world.compose()
    return sorted(
        (
            (name, digest.at.isoformat().replace("+00:00", "Z"), len(digest.stories))
            for name, receiver in world.receivers.items()
            for digest in receiver.digests
        ),
        key=lambda told: (told[1], told[0]),
    )


TITLES = ("North Korea fires rocket", "Blue rocket shown at fair", "Toy rocket recalled by maker")
FAR_APART = tuple(article(n, title, at=NOW + n * 2 * DAY) for n, title in enumerate(TITLES))


def test_a_replay_waits_for_company_as_long_as_it_may() -> None:
    found = replayed([WAITING], FAR_APART, desk=ReceiverClock())

    assert found == [
        ("desk", "2026-06-02T07:00:00Z", 2),
        ("desk", "2026-06-06T07:00:00Z", 1),  # the next slot would be more than three days late
    ]


def test_a_replay_escalates_what_nobody_acknowledges() -> None:
    routes = [{"receivers": ["desk"], "escalate": [{"after": "30m", "receivers": ["chief"]}]}]

    found = replayed(routes, FAR_APART[:1], desk=ReceiverClock(), chief=ReceiverClock())

    assert found == [("desk", "2026-05-30T12:00:00Z", 1), ("chief", "2026-05-30T12:30:00Z", 1)]


@pytest.mark.parametrize(
    "routes",
    [
        [WAITING],
        [WAITING | {"send": COMPANY | {"min_items": 3, "max_wait": "5d"}}],
        [WAITING | {"escalate": [{"after": "9h", "receivers": ["chief"]}]}],
        [
            {"receivers": ["desk"], "send": "immediate", "continue": True,
             "escalate": [{"after": "2h", "receivers": ["chief"]}]},
            {"receivers": ["chief"], "send": {"digest": "30 6 * * *", "group_by": "story"}},
        ],
    ],
    ids=["company", "more company", "escalated digest", "escalated beside a digest"],
)  # fmt: skip
def test_a_replay_tells_what_the_daemon_tells(routes: list[dict[str, Any]]) -> None:
    clocks = {"desk": ReceiverClock("UTC", NIGHT), "chief": ReceiverClock("Asia/Seoul", NIGHT)}

    assert replayed(routes, FAR_APART, **clocks) == lived(routes, FAR_APART, **clocks)


def test_a_silenced_alert_of_a_replay_says_so_and_is_sent_to_nobody() -> None:
    body = {"id": "s1", "match": {"rules": "launch"}, "author": "Kim", "comment": "drill"}
    silence = Silence.model_validate(body | {"from": NOW, "until": NOW + DAY})
    read = (RouteSettings.model_validate({"receivers": ["desk"]}),)
    plan = Plan((rule(),), read, {"desk": ReceiverClock()}, silences=(silence,))

    records = list(Replay(Pipeline(plan)).run(FAR_APART[:2]))

    alerts = [r for r in records if r["type"] == "alert"]
    told = [r["alerts"] for r in records if r["type"] == "notification"]
    assert [alert.get("silenced") for alert in alerts] == [
        "s1 by Kim until 2026-05-31 12:00 UTC: drill",
        None,
    ]
    assert told == [[alerts[1]["id"]]]


def test_the_reader_of_a_replay_sees_why_a_message_came() -> None:
    read = (RouteSettings.model_validate(WAITING | {"send": {"digest": "0 7 * * *"}}),)
    run = Replay(
        Pipeline(Plan((rule(tags=("space",)),), read, {"desk": ReceiverClock("Asia/Seoul", NIGHT)}))
    )

    (told,) = (r for r in run.run(FAR_APART[:1]) if r["type"] == "notification")

    assert told["reason"] == "digest 0 7 * * * Asia/Seoul, held during quiet hours until 08:00"
    assert datetime.fromisoformat(told["at"]) == NOW + timedelta(hours=11)
