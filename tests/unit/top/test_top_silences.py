"""Silences, acknowledgements, escalations and digests that wait for company, through the store."""

from datetime import timedelta

from top_world import NOW, World, article, rule

from watcher.alerts.policy import Reason
from watcher.alerts.routes import ReceiverClock
from watcher.alerts.silences import Silence, say_muted
from watcher.restore import restore_memory
from watcher.store.tables import silence as stored

ALL = [{"receivers": ["desk"]}]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def silence(**fields: object) -> Silence:
    body = {"id": "s1", "match": {"rules": ["launch"]}, "author": "Kim", "comment": "drill"}
    return Silence.model_validate(body | {"from": NOW - DAY, "until": NOW + DAY} | fields)


def titles(world: World, receiver: str) -> list[str]:
    return [digest.title for digest in world.receivers[receiver].digests]


def with_routes(routes: list[dict[str, object]], **clocks: ReceiverClock) -> World:
    return World([rule()], routes, **clocks)


def test_a_silenced_alert_is_kept_with_its_reason_and_goes_to_nobody() -> None:
    world = World([rule()], ALL, desk=ReceiverClock())
    world.pipeline.silences = (silence(),)

    world.take(article(1))
    world.compose()

    with world.store.read() as tx:
        (verdict,) = tx.alerts.verdicts_of("a1")
        kept = tx.alerts.since(NOW)
    assert (verdict["sent"], verdict["reason"]) == (False, Reason.SILENCED)
    assert verdict["detail"] == "s1 by Kim until 2026-05-31 12:00 UTC: drill"
    assert len(kept) == 1
    assert titles(world, "desk") == []


DAILY = [{"receivers": ["desk"], "send": {"digest": "0 7 * * *"}}]
OTHERS = (
    "Blue rocket shown at fair",
    "Toy rocket recalled by maker",
    "Rocket stamp sold at auction",
)


def test_the_next_digest_says_once_how_many_were_silenced_and_for_whom() -> None:
    world = World([rule()], DAILY, desk=ReceiverClock(), other=ReceiverClock())
    world.pipeline.silences = (silence(),)
    world.take(article(1), article(2, OTHERS[0]))
    world.pipeline.silences = (silence(author="Lee"),)
    world.take(article(3, OTHERS[1]))
    world.pipeline.silences = ()
    world.take(article(4, OTHERS[2]))
    world.turn_to(NOW + 19 * HOUR)
    world.compose()
    world.take(article(5, "Rocket over Elsewhere explodes", at=NOW + 20 * HOUR))
    world.turn_to(NOW + 43 * HOUR)
    world.compose()

    assert [digest.silenced for digest in world.receivers["desk"].digests] == [
        "3 alerts were silenced since the last digest (by Kim, Lee)",
        "",
    ]


def test_nothing_is_sent_only_to_say_what_was_silenced() -> None:
    world = World([rule()], DAILY, desk=ReceiverClock())
    world.pipeline.silences = (silence(),)
    world.take(article(1))
    world.turn_to(NOW + 43 * HOUR)

    assert world.compose() == 0


def test_who_would_be_told_only_by_escalation_was_spared_nothing() -> None:
    escalate = [{"after": "30m", "receivers": ["chief"]}]
    world = World(
        [rule()],
        [{"receivers": ["desk"], "escalate": escalate}],
        desk=ReceiverClock(),
        chief=ReceiverClock(),
    )
    world.pipeline.silences = (silence(),)
    world.take(article(1))

    with world.store.read() as tx:
        (alert,) = tx.alerts.since(NOW)
        ways = tx.alerts.dispatches_of(alert.id)
    assert [(way.receiver, key) for way, key in ways] == [("desk", "silenced")]


def test_silenced_alerts_use_up_no_at_most_not_even_after_a_restart() -> None:
    world = World([rule(alert={"at_most": "1 per day"})], ALL, desk=ReceiverClock())
    world.pipeline.silences = (silence(),)
    world.take(article(1))
    world.pipeline.silences = ()
    with world.store.begin() as tx:
        restore_memory(world.pipeline, tx, NOW)
    world.take(article(2, OTHERS[0]), article(3, OTHERS[1]))
    world.compose()

    assert titles(world, "desk") == [OTHERS[0]]


def test_a_long_list_of_authors_is_cut() -> None:
    reasons = [f"silenced by {name}" for name in ("Kim", "Lee", "Lee", "Park", "Choi", "Han")]

    assert say_muted(reasons) == (
        "6 alerts were silenced since the last digest (by Lee, Kim, Park and 2 more)"
    )
    assert say_muted(reasons[:1]) == "1 alert was silenced since the last digest (by Kim)"


def test_a_stored_silence_holds_until_it_is_ended() -> None:
    world = World([rule()], ALL, desk=ReceiverClock())
    with world.store.begin() as tx:
        tx.silences.add(silence())
        before = tx.silences.current(NOW)
        ended = tx.silences.end("s1", NOW)
        again = tx.silences.end("s1", NOW)
        after = tx.silences.current(NOW)

    assert before == (silence(),)
    assert (ended, again, after) == (True, False, ())


def test_a_stored_silence_this_version_cannot_read_silences_nothing() -> None:
    world = World([rule()], ALL, desk=ReceiverClock())
    body = silence().model_dump(mode="json", by_alias=True) | {"match": {"languages": ["kr"]}}
    with world.store.begin() as tx:
        tx.silences.add(silence())
        tx.silences.add(silence(id="s2"))
        tx.connection.execute(stored.update().where(stored.c.id == "s1").values(body=body))
        read = tx.silences.current(NOW)

    assert read == (silence(id="s2"),)


def test_what_nobody_acknowledged_is_told_to_the_next_receiver_once() -> None:
    world = with_routes(
        [{"receivers": ["desk"], "escalate": [{"after": "30m", "receivers": ["chief"]}]}],
        desk=ReceiverClock(),
        chief=ReceiverClock(),
    )

    world.take(article(1))
    world.compose()
    early = titles(world, "chief")
    world.turn_to(NOW + 30 * MINUTE)
    world.compose()
    world.compose()

    assert len(titles(world, "desk")) == 1
    assert early == []
    assert titles(world, "chief") == ["Not acknowledged within 30m: North Korea fires rocket"]


def test_an_acknowledged_alert_is_not_escalated() -> None:
    world = with_routes(
        [{"receivers": ["desk"], "escalate": [{"after": "30m", "receivers": ["chief"]}]}],
        desk=ReceiverClock(),
        chief=ReceiverClock(),
    )
    world.take(article(1))
    with world.store.begin() as tx:
        (alert,) = tx.alerts.since(NOW)
        first = tx.alerts.acknowledge(alert.id, "Kim", "", NOW)
        second = tx.alerts.acknowledge(alert.id, "Lee", "", NOW)

    world.turn_to(NOW + DAY)
    world.compose()

    assert (first, second) == (True, False)
    assert titles(world, "chief") == []


BOTH = [
    {
        "receivers": ["desk"],
        "escalate": [{"after": "30m", "receivers": ["chief"]}],
        "continue": True,
    },
    {"receivers": ["chief"], "send": {"digest": "0 7 * * *"}},
]


def test_who_has_a_digest_is_told_at_once_when_nobody_acknowledged() -> None:
    world = with_routes(BOTH, desk=ReceiverClock(), chief=ReceiverClock())
    world.take(article(1))
    world.turn_to(NOW + 31 * MINUTE)
    world.compose()
    world.turn_to(NOW + DAY)
    world.compose()

    assert titles(world, "chief") == ["Not acknowledged within 30m: North Korea fires rocket"]


def test_who_has_a_digest_gets_it_all_the_same_when_somebody_acknowledged() -> None:
    world = with_routes(BOTH, desk=ReceiverClock(), chief=ReceiverClock())
    world.take(article(1))
    with world.store.begin() as tx:
        (alert,) = tx.alerts.since(NOW)
        tx.alerts.acknowledge(alert.id, "Kim", "", NOW)
    world.turn_to(NOW + 31 * MINUTE)
    world.compose()
    early = titles(world, "chief")
    world.turn_to(NOW + DAY)
    world.compose()

    assert early == []
    assert len(titles(world, "chief")) == 1


def test_a_preview_leaves_out_what_comes_only_if_nobody_acknowledges() -> None:
    world = with_routes(BOTH[:1], desk=ReceiverClock(), chief=ReceiverClock())
    both = with_routes(BOTH, desk=ReceiverClock(), chief=ReceiverClock())
    for one in (world, both):
        one.take(article(1))

    with world.store.read() as tx:
        nothing = world.composer.preview(tx, "chief", NOW)
    with both.store.read() as tx:
        digest = both.composer.preview(tx, "chief", NOW)
    assert nothing is None
    assert digest is not None
    assert len(digest.stories) == 1


def test_an_escalation_counts_from_when_the_first_receiver_is_told() -> None:
    route = {"receivers": ["desk"], "send": {"digest": "0 7 * * *"}}
    world = with_routes(
        [route | {"escalate": [{"after": "30m", "receivers": ["chief"]}]}],
        desk=ReceiverClock(),
        chief=ReceiverClock(),
    )
    world.take(article(1))
    world.turn_to(NOW + timedelta(hours=19))
    world.compose()
    early = titles(world, "chief")
    world.turn_to(NOW + timedelta(hours=19, minutes=30))
    world.compose()

    assert early == []
    assert len(titles(world, "chief")) == 1


def digest_world(**schedule: object) -> World:
    send = {"digest": "0 7 * * *", **schedule}
    return with_routes([{"receivers": ["desk"], "send": send}], desk=ReceiverClock())


def test_a_digest_with_too_few_alerts_waits_for_the_next_slot() -> None:
    world = digest_world(min_items=2)
    world.take(article(1))
    world.turn_to(NOW + timedelta(hours=19))
    world.compose()
    first = titles(world, "desk")
    world.take(article(2, "Rocket over Elsewhere explodes", at=NOW + timedelta(hours=20)))
    world.turn_to(NOW + timedelta(hours=43))
    world.compose()

    assert first == []
    assert len(world.receivers["desk"].digests) == 1
    assert len(world.receivers["desk"].digests[0].stories) == 2


def test_a_lone_alert_waits_no_longer_than_it_may() -> None:
    world = digest_world(min_items=5, max_wait="2d")
    world.take(article(1))
    world.turn_to(NOW + timedelta(hours=19))
    world.compose()
    first = len(world.receivers["desk"].digests)
    world.turn_to(NOW + timedelta(hours=43))
    world.compose()

    assert first == 0  # the next slot is in time
    assert len(world.receivers["desk"].digests) == 1  # the one after would not be


def test_a_digest_can_be_a_message_per_rule() -> None:
    routes = [{"receivers": ["desk"], "send": {"digest": "0 7 * * *", "group_by": "rule"}}]
    world = World([rule(), rule("korea", "korea")], routes, desk=ReceiverClock())
    world.take(article(1))
    world.turn_to(NOW + timedelta(hours=19))
    world.compose()

    assert len(world.receivers["desk"].digests) == 2
