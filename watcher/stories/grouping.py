"""Online grouping: each article joins the story it belongs to, or opens one. Pure and deterministic."""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

from watcher.model import Article, Role, Story, StoryStatus
from watcher.stories.features import Features, features_of
from watcher.stories.similarity import Frequencies, cosine
from watcher.text import canonical_url

JOIN_AT = 0.30
# A story that is nearly over needs a closer article to go on.
AGE_PENALTY = 0.12
COPY_AT = 0.6
SISTER_COPY_AT = 0.3
MIN_SHINGLES = 12
KEPT_REPORTS = 12
# Of an article's terms only the rarest look stories up: bounded work however long the text.
PROBES = 24
QUIET_AFTER = timedelta(hours=24)


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
    links: set[str] = field(default_factory=set)
    ids: list[str] = field(default_factory=list)


class StoryIndex:
    """Stories that can still grow. Same articles in the same order, same stories."""

    def __init__(self, window: timedelta = timedelta(hours=72)) -> None:
        self._window = window
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._by_term: dict[str, dict[str, None]] = {}
        self._by_link: dict[str, str] = {}
        self._by_article: dict[str, tuple[str, Role]] = {}
        self._frequencies = Frequencies()

    def __len__(self) -> int:
        return len(self._open)

    def assign(self, article: Article, now: datetime) -> Assignment:
        """Join or open a story. `now` is the time of the decision, never before earlier ones.

        A revision of an article that is in a story stays there and adds nothing.
        """
        held = self._by_article.get(article.id)
        if held is not None:
            story_id, role = held
            return Assignment(self._open[story_id].story, role, False, 1.0, "revision")
        features = features_of(article)
        self._frequencies.learn(features.terms)
        vector = self._weighted(features)
        found, similarity, reason = self._find(article, vector, now)
        if found is None:
            return self._open_story(article, features, vector, now)
        return self._join(found, article, features, vector, now, similarity, reason)

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
            if idle > self._window:
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

    # ── finding ──

    def _weighted(self, features: Features) -> dict[str, float]:
        return {t: w * self._frequencies.weight(t) for t, w in features.terms.items()}

    def _find(
        self, article: Article, vector: dict[str, float], now: datetime
    ) -> tuple[_Open | None, float, str]:
        linked = (
            self._open.get(self._by_link.get(canonical_url(article.url), ""))
            if article.url
            else None
        )
        if linked is not None and now - linked.story.updated <= self._window:
            return linked, 1.0, "same link"
        best: tuple[float, str] | None = None
        for story_id in self._candidates(vector):
            entry = self._open[story_id]
            idle = now - entry.story.updated
            if idle > self._window:
                continue
            needed = JOIN_AT + AGE_PENALTY * (idle / self._window)
            similarity = self._similarity(entry, vector)
            if similarity >= needed and (
                best is None or (-similarity, story_id) < (-best[0], best[1])
            ):
                best = (similarity, story_id)
        if best is None:
            return None, 0.0, "nothing like it"
        return self._open[best[1]], best[0], "similar"

    def _candidates(self, vector: dict[str, float]) -> list[str]:
        probes = sorted(vector, key=lambda t: (-vector[t], t))[:PROBES]
        shared: Counter[str] = Counter()
        for term in probes:
            for story_id in self._by_term.get(term, ()):
                shared[story_id] += 1
        ranked = sorted(shared, key=lambda s: (-shared[s], s))
        return [s for s in ranked[:50] if shared[s] >= 2]

    def _similarity(self, entry: _Open, vector: dict[str, float]) -> float:
        """Close to the centre, or to one report while not strange to the centre (drift guard)."""
        centre = cosine(vector, entry.centre)
        if centre < JOIN_AT * 0.6:
            return 0.0
        nearest = max(cosine(vector, self._weighted(f)) for _, f in entry.reports)
        return max(centre, (centre + nearest) / 2)

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
            entry.centre[term] = entry.centre.get(term, 0.0) + weight
            self._by_term.setdefault(term, {})[entry.story.id] = None
        if article.url:
            link = canonical_url(article.url)
            entry.links.add(link)
            self._by_link[link] = entry.story.id

    def _forget(self, entry: _Open) -> None:
        del self._open[entry.story.id]
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
