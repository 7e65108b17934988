"""Polls made against lateness of discovery, for feeds of various rhythms; simulated, no network.

`python -m benchmarks.rhythm [--quick]`. Beside ours stand a fixed quarter of an hour, a fixed hour
(Miniflux's round robin, FreshRSS, rss2email from cron) and Miniflux's `entry_frequency`: a week
divided by the week's entries, between 5 minutes and 24 hours.
"""

import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from statistics import fmean, quantiles

from watcher.model import FeedState, FeedStatus
from watcher.pace import Pace, begun, learned
from watcher.polling import PollBounds, after_success

START = datetime(2026, 6, 1, tzinfo=UTC)
DAYS = 8 * 7
# What a feed shows at its first poll: its last entries.
SHOWN = 20
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Rate = Callable[[datetime], float]
Appear = Callable[[Random, int], list[datetime]]
Poller = Callable[[list[datetime]], list[datetime]]


def arrivals(rate: Rate, rng: Random, days: int) -> list[datetime]:
    """When entries appear, as a Poisson process; `rate` is per hour."""
    moment, end, found = START - 30 * DAY, START + timedelta(days=days), []
    while moment < end:
        if rng.random() < rate(moment) / 60:
            found.append(moment + MINUTE * rng.random())
        moment += MINUTE
    return found


def office(per_hour: float) -> Rate:
    return lambda at: per_hour if at.weekday() < 5 and 8 <= at.hour < 18 else 0.0


def burst(quiet: float, busy: float, every_days: int) -> Rate:
    """Little, and every few days six hours of much."""
    return lambda at: busy if at.toordinal() % every_days == 0 and 9 <= at.hour < 15 else quiet


def regular(weekdays: set[int], hour: float, within: timedelta, missing: float = 0.0) -> Appear:
    """At the same hour of these weekdays, give or take; a share of them is left out."""

    def times(rng: Random, days: int) -> list[datetime]:
        each = (START + n * DAY for n in range(-90, days))
        slots = (day for day in each if day.weekday() in weekdays and rng.random() >= missing)
        return sorted(day + hour * HOUR + within * rng.gauss(0, 1) for day in slots)

    return times


REGULAR: dict[str, Appear] = {
    "Tuesdays, 9:30 ± 10 min": regular({1}, 9.5, 10 * MINUTE),
    "Tuesdays, 9:30 ± 1 h": regular({1}, 9.5, HOUR),
    "Tuesdays but for one in 4": regular({1}, 9.5, 20 * MINUTE, 0.25),
    "Tuesdays and Thursdays": regular({1, 3}, 7.2, 15 * MINUTE),
    "every morning": regular(set(range(7)), 6.5, 10 * MINUTE),
    "workdays, 7:20 ± 20 min": regular(set(range(5)), 7.3, 20 * MINUTE),
}
FEEDS: dict[str, Rate] = {
    "wire, one in 5 min": lambda _: 12.0,
    "hourly": lambda _: 1.0,
    "office hours, 2 an hour": office(2.0),
    "office hours, 4 a day": office(0.4),
    "daily": lambda _: 1 / 24,
    "bursty, every 5th day": burst(0.02, 6.0, 5),
    "weekly": lambda _: 1 / 168,
    "monthly": lambda _: 1 / 720,
    "died before we came": lambda at: 1.0 if at < START - 10 * DAY else 0.0,
}


def fixed(wait: timedelta) -> Poller:
    def polls(shown: list[datetime]) -> list[datetime]:
        return [START + n * wait for n in range(int((shown[-1] - START) / wait) + 2)]

    return polls


def entry_frequency(shown: list[datetime]) -> list[datetime]:
    moment, made = START, []
    while not made or moment < shown[-1]:
        made.append(moment)
        week = bisect_right(shown, moment) - bisect_right(shown, moment - 7 * DAY)
        moment += min(max(7 * DAY / week, 5 * MINUTE), DAY) if week else DAY
    return [*made, moment]


def ours(shown: list[datetime]) -> list[datetime]:
    """The very functions of the daemon: `pace` learns what each poll finds."""
    rng, made, seen = Random(1), [START], bisect_right(shown, START)
    first = shown[max(seen - SHOWN, 0) : seen]
    state = FeedState(
        "f", "https://feed.example/", START, FeedStatus.OK,
        newest_at=first[-1] if first else START, pace=begun(first, START).text,
    )  # fmt: skip
    while made[-1] < shown[-1]:
        moment = made[-1]
        now = bisect_right(shown, moment)
        if now > seen and (pace := Pace.read(state.pace)):
            told = learned(pace, shown[seen:now], moment)
            state = FeedState(
                "f", state.url, moment, FeedStatus.OK, newest_at=moment, pace=told.text
            )
            seen = now
        plan = after_success(state, now=moment, bounds=PollBounds(), rng=rng)
        made.append(plan.state.next_poll_at)
    return made


POLICIES: dict[str, Poller] = {
    "every 15 min": fixed(15 * MINUTE),
    "every hour": fixed(HOUR),
    "entry_frequency": entry_frequency,
    "ours": ours,
}


def measured(shown: list[datetime], poll: Poller, end: datetime) -> tuple[float, list[float]]:
    """Polls a day, and how many minutes after its appearance each entry was found."""
    padded = [*shown, end + 2 * DAY]  # so that all policies poll to the end
    made = poll(padded)
    polls = sum(moment <= end for moment in made)
    news = [at for at in shown if START < at <= end]
    late = [(made[bisect_right(made, at)] - at) / MINUTE for at in news]
    return polls / ((end - START) / DAY), late


def rows(days: int, seed: int) -> Iterator[tuple[str, str, float, list[float]]]:
    end = START + timedelta(days=days)
    made = {name: partial(arrivals, rate) for name, rate in FEEDS.items()}
    for name, appear in {**made, **REGULAR}.items():
        shown = appear(Random(f"{seed} {name}"), days)
        for policy, poll in POLICIES.items():
            yield name, policy, *measured(shown, poll, end)


def main(*, quick: bool) -> None:
    print(f"{'feed':<26}{'policy':<18}{'polls/day':>10}{'mean late':>11}{'95th':>8}  (minutes)")
    totals: dict[str, tuple[float, float, int]] = {}
    for name, policy, polls, late in rows(DAYS // 2 if quick else DAYS, seed=1):
        mean = f"{fmean(late):11.1f}" if late else f"{'-':>11}"
        tail = f"{quantiles(late, n=20)[-1]:8.1f}" if len(late) > 1 else f"{'-':>8}"
        print(f"{name:<26}{policy:<18}{polls:10.1f}{mean}{tail}")
        if name in REGULAR:
            continue
        all_polls, all_late, count = totals.get(policy, (0.0, 0.0, 0))
        totals[policy] = (all_polls + polls, all_late + sum(late), count + len(late))
    print()  # of the first nine
    for policy, (polls, minutes, count) in totals.items():
        print(f"{'the irregular together':<26}{policy:<18}{polls:10.1f}{minutes / count:11.1f}")


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
