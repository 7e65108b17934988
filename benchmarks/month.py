"""A simulated month through the whole pipeline: matched, grouped, decided, routed, in one pass.

    python -m benchmarks.month            # 30,000 articles: a thousand a day
    python -m benchmarks.month --full     # 300,000, some minutes
    python -m benchmarks.month --quick    # 6,000
    python -m benchmarks.month --matched  # groups matched articles only, as the daemon does

Articles are generated while they are read: events of a day and a half, each reported by
several publishers, a third of them as copies of one wire; 40 rules catch one in ten. What
counts is the last column but two: memory must not grow with the days. `now` is what the
process holds at that moment, `peak` the most it ever held.
"""

import argparse
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from random import Random

from watcher.alerts.routes import ReceiverClock, RouteSettings
from watcher.alerts.schedule import QuietHours
from watcher.model import Article
from watcher.pipeline import Pipeline, Plan
from watcher.replay import Replay
from watcher.rules.compile import compile_rules
from watcher.rules.policy import AlertPolicy
from watcher.rules.schema import RuleSpec

START = datetime(2026, 5, 1, tzinfo=UTC)
DAYS = 30
RULES = 40
REPORTS = 8
LIFE = timedelta(hours=36)

PLACES = tuple(
    beginning + end
    for beginning in (
        "Var",
        "Lom",
        "Tes",
        "Ard",
        "Kel",
        "Mor",
        "Sun",
        "Pir",
        "Hal",
        "Bre",
        "Cos",
        "Dun",
    )
    for end in (
        "iva",
        "onia",
        "ost",
        "eth",
        "ugar",
        "ine",
        "alla",
        "ov",
        "um",
        "escu",
        "berg",
        "wick",
    )
)
SUBJECTS = (
    "ferry",
    "harbour",
    "reactor",
    "pipeline",
    "bridge",
    "election",
    "dam",
    "satellite",
    "railway",
    "hospital",
    "airport",
    "brewery",
    "cathedral",
    "dockyard",
    "glacier",
    "laboratory",
    "mine",
    "museum",
    "opera",
    "orchard",
    "parliament",
    "quarry",
    "refinery",
    "stadium",
    "steelworks",
    "sugar mill",
    "theatre",
    "tunnel",
    "university",
    "vineyard",
)
TURNS = (
    "closes after storm",
    "reopens under guard",
    "to be inspected",
    "inspection delayed",
    "workers strike",
    "deal signed",
    "talks begin",
    "talks end without result",
    "fails safety test",
    "blaze kills {n}",
    "evacuated, {n} people moved",
    "costs rise to {n} million",
)
HEADLINES = (
    "{place} {subject} {turn}",
    "{subject} at {town}: {turn}, says {person}",
    "{person}: {place} {subject} {turn}",
    "{town} {subject} {turn}, officials say",
    "Officials in {town} confirm {subject} {turn}",
)
SENTENCES = (
    "{person} told reporters in {town} that the {subject} had been looked at twice this week.",
    "Engineers from {place} count {n} faults in the {subject}, more than a year ago.",
    "Neighbours of the site in {town} heard of it in the morning.",
    "The council of {place} meets again on Thursday, and nobody expects a vote.",
    "A spokesman for {person} would not say who had paid for the work.",
    "Ships, trains and lorries were sent round by the northern road.",
    "It is the second such case since spring, according to a list kept by {person}.",
    "The weather office warned of wind and of rain in the hills.",
)
LETTERS = ("ba", "ne", "ri", "to", "lu", "ka", "mi", "so", "ve", "da", "ro", "pe")


@dataclass(frozen=True, slots=True)
class Event:
    """What happens; every report of it says some of this."""

    place: str
    subject: str
    town: str
    person: str
    turn: str
    n: int
    ends: datetime


def month(count: int) -> Iterator[Article]:
    """`count` dated articles, oldest first; the same every time."""
    rng = Random(5)
    step = timedelta(days=DAYS) / count
    live = max(int(LIFE / step / REPORTS), 2)
    events = [_event(rng, START + rng.random() * LIFE) for _ in range(live)]
    for number in range(count):
        at = START + number * step
        place = rng.randrange(live)
        if events[place].ends < at:
            events[place] = _event(rng, at + LIFE)
        yield _article(rng, number, events[place], at)


def _event(rng: Random, ends: datetime) -> Event:
    return Event(
        rng.choice(PLACES),
        rng.choice(SUBJECTS),
        _name(rng, 3),
        f"{_name(rng, 2)} {_name(rng, 3)}",
        rng.choice(TURNS),
        rng.randrange(11, 900),
        ends,
    )


def _name(rng: Random, syllables: int) -> str:
    return "".join(rng.choices(LETTERS, k=syllables)).capitalize()


def _article(rng: Random, number: int, event: Event, at: datetime) -> Article:
    words = {name: getattr(event, name) for name in ("place", "subject", "town", "person", "n")}
    turn = event.turn.format(**words)
    title = rng.choice(HEADLINES).format(turn=turn, **words)
    wire = number % 3 == 0
    sentences: Sequence[str] = SENTENCES if wire else rng.sample(SENTENCES, 5)
    publisher = f"Outlet {rng.randrange(60)}"
    return Article(
        f"a{number}",
        f"feed{number % 200}",
        f"https://outlet{number % 60}.example/{number}",
        title,
        " ".join(sentences).format(**words),
        at,
        publisher=publisher,
        family="wire" if wire else publisher.casefold(),
        lang="en",
    )


#: What rules ask for besides, in turns.
POLICIES: tuple[dict[str, object], ...] = (
    {},
    {"burst": {"factor": 3, "over": "1h"}, "at_most": "30 per day"},
    {"nothing_heard_for": "6h", "follow_ups": "all"},
    {"min_publishers": "2 within 6h", "severity": [{"to": "high", "words": ["blaze", "strike"]}]},
)
ROUTES: tuple[dict[str, object], ...] = (
    {
        "match": {"min_severity": "high"},
        "receivers": ["desk"],
        "escalate": [{"after": "30m", "receivers": ["chief"]}],
        "continue": True,
    },
    {
        "receivers": ["reader"],
        "send": {"digest": "0 7 * * *", "min_items": 20, "max_wait": "3d", "group_by": "rule"},
    },
)


def pipeline() -> Pipeline:
    """Forty rules of a place and a subject or two with every policy, digests, nights and escalation."""
    specs = [
        RuleSpec(
            id=f"r{n}",
            when={
                "all": [
                    {"any": [PLACES[n], PLACES[(n * 7 + 3) % len(PLACES)]]},
                    {"any": [*SUBJECTS[n % 5 :: 5]]},
                ]
            },
            alert=AlertPolicy.model_validate(POLICIES[n % len(POLICIES)]),
        )
        for n in range(RULES)
    ]
    rules, problems = compile_rules(specs, {})
    assert not problems, problems
    routes = tuple(RouteSettings.model_validate(route) for route in ROUTES)
    night = ReceiverClock("Asia/Seoul", QuietHours(time_of_day(22), time_of_day(7, 30)))
    receivers = {"desk": ReceiverClock(), "chief": night, "reader": night}
    return Pipeline(Plan(tuple(rules), routes, receivers))


def held() -> float:
    """Megabytes the process holds now; 0 where the system does not say."""
    statm = Path("/proc/self/statm")
    pages = int(statm.read_text().split()[1]) if statm.exists() else 0
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="6,000 articles")
    parser.add_argument("--full", action="store_true", help="300,000 articles")
    parser.add_argument("--matched", action="store_true", help="group matched articles only")
    chosen = parser.parse_args()
    count = 300_000 if chosen.full else 6_000 if chosen.quick else 30_000
    run = Replay(pipeline(), all_stories=not chosen.matched)
    since = last = time.perf_counter()
    print(f"{count:,} articles over {DAYS} days, {RULES} rules; before: {held():.0f} MB")
    for number, article in enumerate(month(count), 1):
        for _ in run.take(article):
            pass
        if number % (count // 6) == 0:
            seconds, last = time.perf_counter() - last, time.perf_counter()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"day {number * DAYS // count:2}  {number:7,} articles  "
                f"{run.counts['matches']:7,} matches  {run.counts['alerts']:6,} alerts  "
                f"{len(run.pipeline.memory.index):6,} open stories  now {held():6.1f} MB  "
                f"peak {peak:6.1f} MB  {count / 6 / seconds:6,.0f} articles/s"
            )
    for _ in run.end():
        pass
    stories, changes = run.counts["stories"], run.counts["changes"]
    print(
        f"{stories:,} stories, {changes:,} merges and splits, {run.counts['notifications']:,} messages"
    )
    print(f"{count / (time.perf_counter() - since):,.0f} articles/s in all")


if __name__ == "__main__":
    main()
