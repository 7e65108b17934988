"""How well articles are grouped: B-cubed F1 beside what one would write in an afternoon.

    python -m benchmarks.stories                       # generated headlines
    python -m benchmarks.stories --labelled FILE.jsonl # your own: replay's input with a "story" each
    python -m benchmarks.stories --quick

For each article B-cubed asks how many of its group belong with it (precision) and how many
that belong with it are in its group (recall). The generated headlines share about as many
words, within an event and across, as those of real outlets do (but no subjects, which are
what makes real ones hard). Throughput and memory are in `benchmarks.month`.
"""

import argparse
import json
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from watcher.model import Article
from watcher.sources.dates import parse_date
from watcher.stories.changes import ChangeKind
from watcher.stories.features import content_terms
from watcher.stories.grouping import StoryIndex

START = datetime(2026, 5, 1, tzinfo=UTC)
DAYS = 21
LIFE = timedelta(hours=36)
# Taken from real headlines: how often an event's own words stand in one about it; seven telling
# words; one pair in six of one event shares no word, one in thirty of two events does.
OWN = (0.82, 0.67, 0.49, 0.37, 0.30, 0.25, 0.15, 0.10)
LENGTH = 7
OBLIQUE, ROUNDUPS = 0.2, 0.03
NAMES, EVERYDAY = 4000, 20_000

Labelled = list[tuple[Article, str]]
Grouping = Callable[[Sequence[Article]], list[str]]


def generated(events: int, seed: int = 3) -> Labelled:
    """Three to sixty headlines an event, over a day and a half of three weeks."""
    rng = Random(seed)
    owned = [[f"name{int(NAMES * rng.random() ** 1.5)}" for _ in OWN] for _ in range(events)]
    made = []
    for event in range(events):
        begin = START + rng.random() * timedelta(days=DAYS)
        for _ in range(rng.choice((3, 5, 8, 12, 20, 35, 60, 120))):
            words = [
                name for name, share in zip(owned[event], OWN, strict=True) if rng.random() < share
            ]
            if rng.random() < OBLIQUE:
                words = words[:1]
            if rng.random() < ROUNDUPS:
                words += owned[rng.randrange(events)][:2]
            while len(words) < LENGTH:
                words.append(f"word{int(EVERYDAY ** (0.35 + 0.65 * rng.random()))}")
            made.append((begin + LIFE * rng.random() ** 2, " ".join(words), f"e{event}"))
    return [
        (Article(f"a{n}", "f", "", title, "", at, family=f"p{n % 50}"), event)
        for n, (at, title, event) in enumerate(sorted(made))
    ]


def labelled(path: Path) -> Labelled:
    """Lines of replay's input that also say `story`."""
    made = []
    for n, line in enumerate(path.read_text("utf-8").splitlines()):
        raw = json.loads(line)
        at = parse_date(raw["published"]) or START
        text, family = raw.get("text", ""), raw.get("publisher", "")
        article = Article(f"a{n}", "f", raw.get("url", ""), raw["title"], text, at, family=family)
        made.append((article, str(raw["story"])))
    return sorted(made, key=lambda pair: pair[0].first_seen)


def ours(articles: Sequence[Article]) -> list[str]:
    """As `watcher replay --all-stories` tells it: after every merge and split."""
    index, found = StoryIndex(), dict[str, str]()
    for n, article in enumerate(articles):
        if n % 50 == 0:
            index.expire(article.first_seen)
        assigned = index.assign(article, article.first_seen)
        found[article.id] = assigned.story.id
        for change in assigned.changes:
            to = change.story if change.kind is ChangeKind.MERGED else change.other
            found.update(dict.fromkeys(change.articles, to.id))
    return [found[article.id] for article in articles]


def single_pass(articles: Sequence[Article], join_at: float = 0.25) -> list[str]:
    """The usual: TF-IDF of the whole set, the nearest centre of the last three days or a new one.

    A centre keeps its squared length under the empty term.
    """
    texts = [content_terms(article.title) for article in articles]
    spread = Counter(term for text in texts for term in set(text))
    centres: list[tuple[datetime, dict[str, float], str]] = []
    found = []
    for article, text in zip(articles, texts, strict=True):
        vector = {t: math.log(len(texts) / spread[t]) for t in text}
        length = math.sqrt(sum(w * w for w in vector.values())) or 1.0
        centres = [c for c in centres if article.first_seen - c[0] <= timedelta(hours=72)]
        best, place = join_at, -1
        for n, (_, centre, _) in enumerate(centres):
            dot = sum(weight * centre.get(term, 0.0) for term, weight in vector.items())
            if dot and (near := dot / length / math.sqrt(centre[""])) > best:
                best, place = near, n
        centre, name = (
            (centres[place][1], centres[place][2]) if place >= 0 else ({"": 0.0}, article.id)
        )
        for term, weight in vector.items():
            before = centre.get(term, 0.0)
            centre[""] += (before + weight) ** 2 - before**2
            centre[term] = before + weight
        centres = [c for n, c in enumerate(centres) if n != place]
        centres.append((article.first_seen, centre, name))
        found.append(name)
    return found


def one_title(articles: Sequence[Article]) -> list[str]:
    """Only the very same words: what a feed reader's filter does."""
    return [" ".join(content_terms(article.title)) for article in articles]


def bcubed(found: Sequence[str], true: Sequence[str]) -> tuple[float, float, float]:
    """F1, precision and recall."""
    groups, stories, both = Counter(found), Counter(true), Counter(zip(found, true, strict=True))
    precision = sum(n * n / groups[group] for (group, _), n in both.items()) / len(true)
    recall = sum(n * n / stories[story] for (_, story), n in both.items()) / len(true)
    return 2 * precision * recall / (precision + recall), precision, recall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="40 events, not 300")
    parser.add_argument("--labelled", type=Path, help="JSON lines with a story each")
    chosen = parser.parse_args()
    data = labelled(chosen.labelled) if chosen.labelled else generated(40 if chosen.quick else 300)
    articles, true = [article for article, _ in data], [story for _, story in data]
    print(f"{len(articles):,} articles of {len(set(true)):,} stories")
    engines: dict[str, Grouping] = {
        "watcher": ours,
        "single pass, TF-IDF centres": single_pass,
        "the same words": one_title,
    }
    for name, group in engines.items():
        since = time.perf_counter()
        found = group(articles)
        rate = len(articles) / (time.perf_counter() - since)
        f1, precision, recall = bcubed(found, true)
        print(
            f"{name:28} F1 {f1:.3f}  precision {precision:.3f}  recall {recall:.3f}  "
            f"{len(set(found)):6,} groups  {rate:7,.0f} articles/s"
        )


if __name__ == "__main__":
    main()
