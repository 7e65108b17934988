"""When most feeds fail together the feeds are not to blame."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from watcher.outage import Asked, Outage, outage

NOW = datetime(2026, 5, 30, 14, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def feeds(failing: int, well: int, *, since: datetime = NOW - 18 * MINUTE) -> list[Asked]:
    """Each on a host of its own, asked one after the other since then."""
    span = (NOW - since) / max(failing + well, 1)
    return [
        Asked(f"f{n}", f"https://h{n}.example/", since + n * span, since + n * span if n < failing else None)
        for n in range(failing + well)
    ]  # fmt: skip


def test_most_feeds_failing_at_once_is_an_outage() -> None:
    assert outage(feeds(41, 19), now=NOW) == Outage(NOW - 18 * MINUTE, 41, 60)


def test_what_was_asked_before_the_first_failure_says_nothing() -> None:
    """Quiet feeds are asked rarely: they have not noticed yet."""
    before = [Asked(f"q{n}", f"https://q{n}.example/", NOW - 60 * MINUTE) for n in range(100)]

    assert outage([*before, *feeds(6, 1)], now=NOW) is not None


def test_a_few_feeds_that_fail_are_their_own_trouble() -> None:
    assert outage(feeds(10, 50), now=NOW) is None
    assert outage(feeds(4, 0) + feeds(0, 10), now=NOW) is None
    assert outage(feeds(2, 0), now=NOW) is None
    assert outage([], now=NOW) is None


def test_of_a_handful_of_feeds_all_must_fail() -> None:
    assert outage(feeds(3, 0), now=NOW) is not None
    assert outage(feeds(2, 1), now=NOW) is None


def test_one_host_is_named() -> None:
    of_one = [Asked(f"f{n}", f"https://big.example/{n}", NOW, NOW - n * MINUTE) for n in range(12)]
    found = outage(of_one, now=NOW)

    assert found is not None
    assert (found.host, found.failing) == ("big.example", 12)


def test_an_outage_goes_on_until_half_of_the_feeds_answer() -> None:
    begun = Outage(NOW - 18 * MINUTE, 60, 60)

    assert outage(feeds(31, 29), now=NOW, going_on=begun) is not None
    assert outage(feeds(29, 31), now=NOW, going_on=begun) is None


def test_feeds_that_have_failed_for_long_don_t_make_an_outage_of_those_that_begin() -> None:
    old = [Asked(f"o{n}", f"https://o{n}.example/", NOW - 2 * MINUTE, NOW - timedelta(days=9)) for n in range(3)]  # fmt: skip

    assert outage([*old, *feeds(2, 40)], now=NOW) is None


def test_feeds_whose_servers_say_no_fail_by_themselves() -> None:
    """An answer of the server itself shows that the network is up."""
    refused = [replace(feed, error="http_404") for feed in feeds(20, 0)]

    assert outage(refused, now=NOW) is None


def test_a_host_that_answers_for_one_feed_is_up_for_the_others() -> None:
    of_one = [Asked(f"f{n}", f"https://big.example/{n}", NOW, NOW, "timeout") for n in range(9)]
    well = Asked("f9", "https://big.example/9", NOW)

    assert outage(of_one, now=NOW) is not None
    assert outage([*of_one, well], now=NOW) is None


def test_a_host_that_says_no_for_all_of_its_many_feeds_is_down() -> None:
    of_one = [Asked(f"f{n}", f"https://big.example/{n}", NOW, NOW, "http_503") for n in range(9)]

    assert outage(of_one, now=NOW) is not None
