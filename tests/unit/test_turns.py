"""Many feeds of one host take turns and leave the others theirs."""

from datetime import UTC, datetime, timedelta

from watcher.turns import HostTurns

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BIG, SMALL = "https://big.example/feed", "https://small.example/feed"


def test_of_five_hundred_feeds_of_a_host_two_go_and_each_other_gets_a_time_of_its_own() -> None:
    """RELIABILITY A10."""
    turns = HostTurns(2, SECOND)

    times = [turns.take(f"https://big.example/{n}", NOW) for n in range(500)]

    later = [at for at in times if at is not None]
    assert len(later) == 498
    assert len(set(later)) == 498
    assert NOW < min(later) < NOW + 5 * SECOND
    assert max(later) < NOW + 510 * SECOND
    assert turns.take(SMALL, NOW) is None


def test_who_comes_at_the_promised_time_goes() -> None:
    turns, waiting, now, went = HostTurns(2, SECOND), list(range(30)), NOW, 0
    due = dict.fromkeys(waiting, NOW)
    while due:
        now += SECOND
        for n in [n for n, at in due.items() if at <= now]:
            later = turns.take(f"https://big.example/{n}", now)
            if later is None:
                del due[n]
                went += 1
                turns.done(BIG)
            else:
                due[n] = later

    assert went == 30
    assert now < NOW + 60 * SECOND


def test_a_slow_host_has_no_more_than_its_limit_at_once() -> None:
    turns = HostTurns(2, timedelta(0))

    assert [turns.take(BIG, NOW) for _ in range(2)] == [None, None]
    assert turns.take(BIG, NOW) is not None
    turns.done(BIG)
    assert turns.take(BIG, NOW) is None


def test_a_host_that_asks_for_a_rest_gets_it_for_all_its_feeds() -> None:
    turns = HostTurns(2, SECOND)
    turns.rest(BIG, NOW + timedelta(hours=1))

    later = [turns.take(f"https://BIG.example/{n}", NOW) for n in range(3)]

    assert later == [NOW + timedelta(hours=1) + n * SECOND for n in (1, 2, 3)]
    assert turns.take(SMALL, NOW) is None
    assert turns.take("https://big.example:8443/", NOW) is None
    assert turns.take(BIG, NOW + timedelta(hours=2)) is None


def test_a_clock_set_back_keeps_nobody_waiting_for_longer() -> None:
    turns, day = HostTurns(1, SECOND), timedelta(days=1)
    turns.take(BIG, NOW)
    turns.done(BIG)
    turns.shift(-day)

    assert turns.take(BIG, NOW - day + SECOND) is None


def test_an_address_that_can_not_be_read_has_turns_too() -> None:
    turns = HostTurns(1, SECOND)

    assert turns.take("http://[", NOW) is None
    assert turns.take("http://[", NOW) is not None
