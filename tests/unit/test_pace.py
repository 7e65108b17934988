"""How often a feed is asked follows how often, and when, it publishes."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from watcher.pace import Pace, begun, learned, spoken, stale_after, wait

NOW = datetime(2026, 5, 29, 12, 30, tzinfo=UTC)  # a Friday
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def every(gap: timedelta, span: timedelta = 30 * DAY, until: datetime = NOW) -> Pace:
    """Of a feed that has published regularly until now."""
    dates = [until - n * gap for n in range(int(span / gap) + 1)]
    return begun(dates, NOW)


def asked(pace: Pace | None, newest: datetime | None = None, now: datetime = NOW) -> timedelta:
    return wait(pace, newest, now, usual=15 * MINUTE, least=5 * MINUTE, most=DAY)


def test_of_an_unknown_feed_the_usual_wait_is_taken() -> None:
    assert asked(None) == 15 * MINUTE


@pytest.mark.parametrize(
    ("gap", "least", "most"),
    [
        (5 * MINUTE, 5 * MINUTE, 6 * MINUTE),
        (HOUR, 12 * MINUTE, 20 * MINUTE),
        (DAY, 45 * MINUTE, 100 * MINUTE),
        (7 * DAY, 2 * HOUR, 4 * HOUR),
    ],
)
def test_a_busy_feed_is_asked_often_and_a_slow_one_rarely(
    gap: timedelta, least: timedelta, most: timedelta
) -> None:
    span = max(30 * DAY, 10 * gap)

    assert least <= asked(every(gap, span), NOW - 6 * gap) <= most


def test_a_slow_feed_is_asked_sooner_while_its_last_entry_is_fresh() -> None:
    """What comes after a quiet spell often comes not alone."""
    pace, tuesday = every(7 * DAY, 70 * DAY), NOW + 4 * DAY

    waits = [asked(pace, tuesday - silence, tuesday) for silence in (0 * HOUR, HOUR / 2, 2 * HOUR)]
    assert waits[0] == 5 * MINUTE
    assert all(one < other for one, other in pairwise(waits))


@pytest.mark.parametrize("missing", [0, 1], ids=["punctual", "a week was left out"])
def test_a_weekly_feed_is_looked_for_at_its_hour_and_hardly_elsewhere(missing: int) -> None:
    """In a simulated week: how often, and how soon after the usual time."""
    due = NOW + 7 * DAY
    newest = NOW - missing * 7 * DAY
    pace, now, polls = every(7 * DAY, 84 * DAY, newest).faded(NOW), NOW + DAY, []
    while now < due:
        now += asked(pace, newest, now)
        polls.append(now)

    assert len(polls) <= 36
    assert polls[-1] - due < HOUR


def test_an_hour_is_not_called_a_habit_before_weeks_have_shown_it() -> None:
    """All of a busy feed's first document may be of one morning."""
    morning = begun([NOW - n * 4 * MINUTE for n in range(20)], NOW)

    assert asked(morning, NOW - 9 * HOUR, NOW + 9 * HOUR) <= HOUR


def test_a_burst_after_a_quiet_spell_is_followed_closely_once_it_has_begun() -> None:
    pace, newest, now, late = every(7 * DAY, 70 * DAY), NOW - 3 * DAY, NOW, []
    burst = [NOW + DAY + n * 10 * MINUTE for n in range(60)]
    while burst:
        now += asked(pace, newest, now)
        found = [entry for entry in burst if entry <= now]
        if found:
            late += [now - entry for entry in found]
            burst, newest, pace = burst[len(found) :], now, learned(pace, found, now)

    assert late[0] < 4 * HOUR
    assert max(late[-30:]) < 20 * MINUTE


def office() -> Pace:
    """Every half hour from 8 to 18 on working days."""
    hours = [NOW.replace(hour=8, minute=0) - n * 30 * MINUTE for n in range(48 * 40)]
    return begun([h for h in hours if h.weekday() < 5 and 8 <= h.hour < 18], NOW)


def test_the_night_is_left_alone_and_the_morning_is_not_missed() -> None:
    evening = NOW.replace(hour=22, minute=0)
    pace, moment, asked_at = office(), evening, []
    while moment < evening + 12 * HOUR:
        moment += asked(pace, evening - 4 * HOUR, moment)
        asked_at.append(moment)

    night = [m for m in asked_at if m.hour >= 23 or m.hour < 6]
    assert len(night) <= 12
    assert asked(pace, NOW - HOUR) < 12 * MINUTE


def test_the_wait_keeps_its_bounds_whatever_happens() -> None:
    odd = Pace(NOW + 400 * DAY, 0.0, 1e9, (1e9,) * 24, (1e9,) * 7)

    assert asked(odd, NOW + DAY) == 5 * MINUTE
    assert asked(Pace(NOW - 9000 * DAY), NOW - 9000 * DAY) == DAY


def test_dates_that_can_not_be_are_not_believed() -> None:
    future, ancient = NOW + 1000 * DAY, NOW - 9000 * DAY

    assert begun([future, ancient, None], NOW) == Pace(NOW)
    assert sum(learned(Pace(NOW - DAY), [future, ancient, None], NOW).weekdays) == 1


def test_entries_that_came_together_are_one_arrival_and_many_entries() -> None:
    pace = learned(Pace(NOW - 7 * DAY), [NOW] * 30, NOW)

    assert sum(pace.hours) == sum(pace.weekdays) == 1
    assert pace.entries == 30


def test_what_is_stored_is_read_again() -> None:
    pace = every(3 * HOUR)
    again = Pace.read(pace.text)

    assert again is not None
    assert asked(again, NOW - HOUR) == pytest.approx(asked(pace, NOW - HOUR), rel=0.01)
    assert stale_after(again) == pytest.approx(stale_after(pace), rel=0.05)
    assert again.text == pace.text


@pytest.mark.parametrize("text", [None, "", "{", "[]", "[1]", "null", '["x", 1, 2, 3]', "[1e99, 0, 0, 0]"])  # fmt: skip
def test_what_another_version_stored_is_forgotten(text: str | None) -> None:
    assert Pace.read(text) is None


@pytest.mark.parametrize(
    ("gap", "least", "most"),
    [
        (20 * MINUTE, 2 * DAY, 4 * DAY),
        (DAY, 13 * DAY, 15 * DAY),
        (7 * DAY, 30 * DAY, 45 * DAY),
        (12 * DAY, 40 * DAY, 60 * DAY),
    ],
)
def test_how_long_a_silence_is_explained_follows_the_rhythm(
    gap: timedelta, least: timedelta, most: timedelta
) -> None:
    allowed = stale_after(every(gap, 90 * DAY))

    assert allowed is not None
    assert least <= allowed <= most


def test_the_weekends_of_an_office_explain_its_holidays() -> None:
    allowed = stale_after(office())

    assert allowed is not None
    assert 16 * DAY < allowed < 28 * DAY


def test_of_a_few_entries_no_silence_is_called_odd() -> None:
    assert stale_after(None) is None
    assert stale_after(every(20 * DAY, 40 * DAY)) is None


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (2 * HOUR, "about 12 a day"),
        (DAY, "about 1 a day"),
        (7 * DAY / 3, "about 3 a week"),
        (15 * DAY, "about 3 a month"),
    ],
)
def test_a_rhythm_is_told_in_words(gap: timedelta, words: str) -> None:
    assert spoken(every(gap, 60 * DAY), NOW) == words


def test_an_unknown_rhythm_is_told_as_such() -> None:
    assert spoken(None, NOW) == spoken(Pace(NOW), NOW) == "not known yet"
    assert spoken(Pace(NOW - 60 * DAY), NOW) == "less than 1 a month"
