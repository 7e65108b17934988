"""Online grouping: each article joins the story it belongs to, or opens one. Pure and deterministic."""

import math
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

from watcher.model import Article, Role, Story, StoryStatus
from watcher.stories.features import Features, features_of
from watcher.stories.similarity import Frequencies
from watcher.stories.topics import CLOSE, NARROW, NEAR, Topics, neutral_facts
from watcher.text import canonical_url

# Headlines by themselves share few words; with text, reports of different events share some too.
JOIN_AT_HEADLINE, HEADLINE_TERMS = 0.13, 14
JOIN_AT_TEXT, TEXT_TERMS = 0.24, 40
# The same rule caught both: likely one event, so fewer shared words will do.
JOIN_AT_TOPIC = 0.16
# A story that is nearly over needs a closer article to go on.
AGE_PENALTY = 0.05
COPY_AT = 0.6
SISTER_COPY_AT = 0.3
MIN_SHINGLES = 12
KEPT_REPORTS = 12
# Of an article's terms only the rarest look stories up: bounded work however long the text.
PROBES = 24
POSTINGS = 3000
CANDIDATES = 50
CENTRE_TERMS = 400
# Weight of a title word that one text in twelve has; a young stream knows no rare words yet.
RARE = 1.5 * math.log(12)
QUIET_AFTER = timedelta(hours=24)
# Whatever joins, a story ends: news of a fortnight is a subject, not an event.
LONGEST = timedelta(days=14)
MOST_ARTICLES = 2000
SAME_TOPIC = "same topic"


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where an article went; `reason` names how it was recognised."""

    story: Story
    role: Role
    is_new: bool
    similarity: float
    reason: str


@dataclass(slots=True)
class _Open:
    """A story in memory: its last reports, its centre, and its links."""

    story: Story
    reports: list[tuple[Article, Features]] = field(default_factory=list)
    centre: dict[str, float] = field(default_factory=dict)
    square: float = 0.0
    links: set[str] = field(default_factory=set)
    ids: list[str] = field(default_factory=list)
    topics: set[str] = field(default_factory=set)


class StoryIndex:
    """Stories that can still grow. Same articles in the same order, same stories."""

    def __init__(self, window: timedelta = timedelta(hours=72)) -> None:
        self._window = window
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._by_term: dict[str, dict[str, None]] = {}
        self._by_link: dict[str, str] = {}
        self._by_article: dict[str, tuple[str, Role]] = {}
        self._frequencies = Frequencies()
        self._topics = Topics()

    def __len__(self) -> int:
        return len(self._open)

    def assign(
        self, article: Article, now: datetime, topics: frozenset[str] = frozenset()
    ) -> Assignment:
        """Join or open a story. `now` is the time of the decision, never before earlier ones.

        A revision of an article that is in a story stays there and adds nothing.
        `topics` are the rules that caught it: a hint that joins what shares no words.
        """
        held = self._by_article.get(article.id)
        if held is not None:
            story_id, role = held
            return Assignment(self._open[story_id].story, role, False, 1.0, "revision")
        features = features_of(article)
        self._frequencies.learn(features.terms)
        vector = self._weighted(features)
        found, similarity, reason = self._find(article, vector, now, topics)
        if found is None:
            made = self._open_story(article, features, vector, now)
        else:
            made = self._join(found, article, features, vector, now, similarity, reason)
        self.note_topics(made.story.id, topics)
        return made

    def note_topics(self, story_id: str, topics: Iterable[str]) -> None:
        """Say which rules an open story belongs to; restoring calls this, `assign` does by itself."""
        if entry := self._open.get(story_id):
            entry.topics.update(topics)
            self._topics.note(story_id, topics)

    def restore(self, stories: Iterable[tuple[Story, Sequence[tuple[Article, Role]]]]) -> None:
        """Take stories back from the store, oldest first."""
        for story, articles in stories:
            self._open[story.id] = entry = _Open(story)
            for article, role in articles:
                features = features_of(article)
                self._frequencies.learn(features.terms)
                self._add(entry, article, role, features, self._weighted(features))

    def expire(self, now: datetime) -> list[Story]:
        """Stories whose status changed: quiet after a day, closed (and forgotten) after the window."""
        changed = []
        for entry in list(self._open.values()):
            idle = now - entry.story.updated
            if not self._can_grow(entry.story, now):
                status = StoryStatus.CLOSED
            elif idle > QUIET_AFTER:
                status = StoryStatus.QUIET
            else:
                status = StoryStatus.OPEN
            if status is not entry.story.status:
                entry.story = replace(entry.story, status=status)
                changed.append(entry.story)
            if status is StoryStatus.CLOSED:
                self._forget(entry)
        return changed

    def reports(self, story_id: str) -> list[Article]:
        """The last reports of an open story, oldest first."""
        entry = self._open.get(story_id)
        return [article for article, _ in entry.reports] if entry else []

    def _can_grow(self, story: Story, now: datetime) -> bool:
        """The drift guard: silence, age and size end a story, whatever keeps coming."""
        return (
            now - story.updated <= self._window
            and now - story.opened <= LONGEST
            and story.articles < MOST_ARTICLES
        )

    # ── finding ──

    def _weighted(self, features: Features) -> dict[str, float]:
        return {t: w * self._frequencies.weight(t) for t, w in features.terms.items()}

    def _find(
        self, article: Article, vector: dict[str, float], now: datetime, topics: frozenset[str]
    ) -> tuple[_Open | None, float, str]:
        linked = (
            self._open.get(self._by_link.get(canonical_url(article.url), ""))
            if article.url
            else None
        )
        if linked is not None and self._can_grow(linked.story, now):
            return linked, 1.0, "same link"
        hinted = self._hinted(topics, now)
        best: tuple[float, str] | None = None
        length = math.sqrt(sum(weight * weight for weight in vector.values()))
        for story_id in self._candidates(vector):
            entry = self._open[story_id]
            if not self._can_grow(entry.story, now):
                continue
            join_at = _join_at(len(vector))
            if story_id in hinted:
                join_at = min(join_at, JOIN_AT_TOPIC)
            similarity = _closeness(entry, vector, length)
            if similarity < join_at + AGE_PENALTY * ((now - entry.story.updated) / self._window):
                continue
            if best is None or (-similarity, story_id) < (-best[0], best[1]):
                best = (similarity, story_id)
        if best is not None:
            return self._open[best[1]], best[0], "similar"
        foreign = self._foreign(article, hinted, now)
        return foreign, 0.0, SAME_TOPIC if foreign else "nothing like it"

    def _hinted(self, topics: frozenset[str], now: datetime) -> list[str]:
        """Recent stories of the same rules, latest first; none when there are too many to mean one event."""
        recent = [
            story_id
            for story_id in self._topics.stories(topics)
            if now - (story := self._open[story_id].story).updated <= NEAR
            and self._can_grow(story, now)
        ]
        return recent if len(recent) <= NARROW else []

    def _foreign(self, article: Article, hinted: list[str], now: datetime) -> _Open | None:
        """A story of the same rule told in other languages: with a shared fact, or soon and new to it."""
        if article.lang is None:
            return None
        facts = neutral_facts(article)
        for story_id in hinted:
            entry = self._open[story_id]
            others = [r for r, _ in entry.reports if r.lang not in (None, article.lang)]
            untold = len(others) == len(entry.reports)
            soon = untold and now - entry.story.updated <= CLOSE
            if others and (soon or any(facts & neutral_facts(report) for report in others)):
                return entry
        return None

    def _candidates(self, vector: dict[str, float]) -> list[str]:
        """The stories that share the most telling terms, best first."""
        shared: dict[str, float] = {}
        looked = 0
        for term in sorted(vector, key=lambda t: (-vector[t], t))[:PROBES]:
            stories = self._by_term.get(term, {})
            looked += len(stories)
            if looked > POSTINGS and shared:
                break
            for story_id in stories:
                shared[story_id] = shared.get(story_id, 0.0) + vector[term]
        return sorted(shared, key=lambda s: (-shared[s], s))[:CANDIDATES]

    # ── growing ──

    def _open_story(
        self, article: Article, features: Features, vector: dict[str, float], now: datetime
    ) -> Assignment:
        story = Story(
            id="s" + sha256(article.id.encode()).hexdigest()[:19],
            title=article.title,
            opened=now,
            updated=now,
            articles=0,
        )
        self._open[story.id] = entry = _Open(story)
        self._add(entry, article, Role.FIRST, features, vector)
        entry.story = replace(story, articles=1, families=frozenset((_family(article),)))
        return Assignment(entry.story, Role.FIRST, True, 1.0, "nothing like it")

    def _join(
        self,
        entry: _Open,
        article: Article,
        features: Features,
        vector: dict[str, float],
        now: datetime,
        similarity: float,
        reason: str,
    ) -> Assignment:
        role = _role(entry, article, features)
        families = entry.story.families | ({_family(article)} if role is Role.REPORT else set())
        entry.story = replace(
            entry.story,
            updated=max(now, entry.story.updated),
            status=StoryStatus.OPEN,
            articles=entry.story.articles + 1,
            families=frozenset(families),
        )
        self._add(entry, article, role, features, vector)
        return Assignment(entry.story, role, False, similarity, reason)

    def _add(
        self,
        entry: _Open,
        article: Article,
        role: Role,
        features: Features,
        vector: dict[str, float],
    ) -> None:
        entry.ids.append(article.id)
        self._by_article[article.id] = (entry.story.id, role)
        entry.reports.append((article, features))
        # The first report stays: it says what the story is about.
        if len(entry.reports) > KEPT_REPORTS:
            del entry.reports[1]
        for term, weight in vector.items():
            before = entry.centre.get(term)
            if before is None and len(entry.centre) >= CENTRE_TERMS:
                continue
            entry.centre[term] = after = (before or 0.0) + weight
            entry.square += after * after - (before or 0.0) ** 2
            self._by_term.setdefault(term, {})[entry.story.id] = None
        if article.url:
            link = canonical_url(article.url)
            entry.links.add(link)
            self._by_link[link] = entry.story.id

    def _forget(self, entry: _Open) -> None:
        del self._open[entry.story.id]
        self._topics.forget(entry.story.id)
        for article_id in entry.ids:
            self._by_article.pop(article_id, None)
        for term in entry.centre:
            stories = self._by_term[term]
            stories.pop(entry.story.id, None)
            if not stories:
                del self._by_term[term]
        for link in entry.links:
            if self._by_link.get(link) == entry.story.id:
                del self._by_link[link]


def _join_at(terms: int) -> float:
    """How alike an article must be to a story, by how much it says."""
    share = min(max((terms - HEADLINE_TERMS) / (TEXT_TERMS - HEADLINE_TERMS), 0.0), 1.0)
    return JOIN_AT_HEADLINE + (JOIN_AT_TEXT - JOIN_AT_HEADLINE) * share


def _closeness(entry: _Open, vector: dict[str, float], length: float) -> float:
    """Cosine to the story's centre; one word in common is chance unless it is known to be rare."""
    centre = entry.centre
    shared = [term for term in vector if term in centre]
    if not shared or (len(shared) == 1 < len(vector) and vector[shared[0]] < RARE):
        return 0.0
    return sum(vector[term] * centre[term] for term in shared) / (length * math.sqrt(entry.square))


def _family(article: Article) -> str:
    return article.family or article.publisher or article.feed


def _role(entry: _Open, article: Article, features: Features) -> Role:
    """A copy says what another said: nearly the same text, or much of it under the same wire."""
    for earlier, other in entry.reports:
        sisters = _family(earlier) == _family(article) and earlier.publisher != article.publisher
        overlap = _overlap(features.shingles, other.shingles)
        if earlier.title == article.title or overlap >= (SISTER_COPY_AT if sisters else COPY_AT):
            return Role.COPY
    return Role.REPORT


def _overlap(left: frozenset[str], right: frozenset[str]) -> float:
    """Share of the shorter text found in the longer: a cut wire story is still that story.

    A headline by itself is too short to tell a copy from a coincidence.
    """
    shorter = min(len(left), len(right))
    return len(left & right) / shorter if shorter >= MIN_SHINGLES else 0.0
