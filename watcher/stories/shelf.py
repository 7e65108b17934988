"""The open stories in memory, and where to find them by word, link and article. Pure."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import nsmallest

from watcher.model import Article, Role, Story
from watcher.stories.centre import Centre, Vector
from watcher.stories.features import Features
from watcher.stories.novelty import brief, claims_more
from watcher.text import canonical_url

KEPT_REPORTS = 12
# Of an article's terms only the rarest look stories up: bounded work however long the text.
PROBES = 16
POSTINGS = 1000
CANDIDATES = 16
COPY_AT = 0.6
SISTER_COPY_AT = 0.3
SAME_HEADLINE_COPY_AT = 0.3
MIN_SHINGLES = 12


@dataclass(frozen=True, slots=True)
class Report:
    """One article as later ones are compared with it, packed: thousands are held."""

    article: Article
    shingles: "array[int]"
    headline: int
    terms: tuple[str, ...]
    weights: "array[float]"

    @property
    def vector(self) -> Vector:
        return dict(zip(self.terms, self.weights, strict=True))


def pack(article: Article, features: Features, vector: Vector) -> Report:
    """What stays of an article while its story is open."""
    weights = array("d", vector.values())
    return Report(brief(article), features.shingles, features.headline, tuple(vector), weights)


@dataclass(slots=True)
class OpenStory:
    """A story with its last reports, its centre, its links and the articles it ever took.

    `apart` are the stories it was split from: they never merge again.
    """

    story: Story
    reports: list[Report] = field(default_factory=list)
    centre: Centre = field(default_factory=Centre)
    links: dict[str, None] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)
    topics: set[str] = field(default_factory=set)
    apart: set[str] = field(default_factory=set)

    def role_of(self, report: Report) -> Role:
        """A copy says what another said: nearly the same text, or much of it under the same wire."""
        copied = any(_is_copy(report, earlier) for earlier in self.reports)
        return Role.COPY if copied else Role.REPORT


class Shelf:
    """Every word, link and article of an open story leads to it; nothing else is held."""

    def __init__(self) -> None:
        self.stories: dict[str, OpenStory] = {}
        self._by_term: dict[str, dict[str, None]] = {}
        self._by_link: dict[str, str] = {}
        self._by_article: dict[str, tuple[str, Role]] = {}

    def held(self, article: str) -> tuple[OpenStory, Role] | None:
        """Where an article is already."""
        found = self._by_article.get(article)
        return (self.stories[found[0]], found[1]) if found else None

    def linked(self, url: str) -> OpenStory | None:
        return self.stories.get(self._by_link.get(canonical_url(url), "")) if url else None

    def candidates(self, vector: Vector) -> list[str]:
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
        best = nsmallest(CANDIDATES, ((-weight, story_id) for story_id, weight in shared.items()))
        return [story_id for _, story_id in best]

    def open(self, story: Story) -> OpenStory:
        self.stories[story.id] = made = OpenStory(story)
        return made

    def add(self, entry: OpenStory, report: Report, role: Role) -> None:
        entry.ids.append(report.article.id)
        self._by_article[report.article.id] = (entry.story.id, role)
        entry.reports.append(report)
        # The first report stays: it says what the story is about.
        if len(entry.reports) > KEPT_REPORTS:
            del entry.reports[1]
        entry.centre.add(vector := report.vector)
        self._find_by_terms(entry, vector)
        if report.article.url:
            self._find_by_link(entry, canonical_url(report.article.url))

    def absorb(self, kept: OpenStory, gone: OpenStory) -> None:
        """Move everything of one story to another; the earliest report and the latest are kept."""
        roles = [self._by_article[article_id][1] for article_id in gone.ids]
        self.forget(gone)
        kept.ids += gone.ids
        for article_id, role in zip(gone.ids, roles, strict=True):
            moved = Role.REPORT if role is Role.FIRST else role
            self._by_article[article_id] = (kept.story.id, moved)
        first, *rest = kept.reports
        rest = sorted((*rest, *gone.reports), key=lambda r: (r.article.first_seen, r.article.id))
        kept.reports = [first, *rest[-(KEPT_REPORTS - 1) :]]
        kept.centre.absorb(gone.centre)
        kept.topics |= gone.topics
        kept.apart |= gone.apart
        self._find_by_terms(kept, gone.centre.terms)
        for link in gone.links:
            self._find_by_link(kept, link)

    def divide(self, entry: OpenStory, apart: Sequence[int]) -> tuple[OpenStory, list[Report]]:
        """Rebuild a story without the reports at these positions; they must be all it has."""
        reports, roles = (
            entry.reports,
            [self._by_article[article_id][1] for article_id in entry.ids],
        )
        self.forget(entry)
        rebuilt = self.open(entry.story)
        rebuilt.topics, rebuilt.apart = entry.topics, entry.apart
        for n, report in enumerate(reports):
            if n not in apart:
                self.add(rebuilt, report, roles[n])
        return rebuilt, [reports[n] for n in apart]

    def forget(self, entry: OpenStory) -> None:
        del self.stories[entry.story.id]
        for article_id in entry.ids:
            self._by_article.pop(article_id, None)
        for term in entry.centre.terms:
            stories = self._by_term[term]
            stories.pop(entry.story.id, None)
            if not stories:
                del self._by_term[term]
        for link in entry.links:
            if self._by_link.get(link) == entry.story.id:
                del self._by_link[link]

    def sizes(self) -> tuple[int, ...]:
        """How much is held, by kind; all zero when every story is closed."""
        return (len(self.stories), len(self._by_term), len(self._by_link), len(self._by_article))

    def _find_by_terms(self, entry: OpenStory, terms: Vector) -> None:
        for term in terms:
            if term in entry.centre.terms:
                self._by_term.setdefault(term, {})[entry.story.id] = None

    def _find_by_link(self, entry: OpenStory, link: str) -> None:
        entry.links[link] = None
        self._by_link[link] = entry.story.id


def family(article: Article) -> str:
    return article.family or article.publisher or article.feed


def _is_copy(report: Report, earlier: Report) -> bool:
    one, other = earlier.article, report.article
    overlap = _overlap(earlier.shingles, report.shingles)
    if earlier.headline == report.headline:
        # Texts of their own under one headline are two reports.
        own = min(len(r.shingles) for r in (report, earlier)) >= MIN_SHINGLES
        return not (own and one.text and other.text) or overlap >= SAME_HEADLINE_COPY_AT
    related = family(one) == family(other)
    sisters = related and one.publisher != other.publisher
    alike = overlap >= (SISTER_COPY_AT if sisters else COPY_AT)
    # A wire's next take repeats the last one below its news.
    return alike and not (related and claims_more(other, one))


def _overlap(left: "array[int]", right: "array[int]") -> float:
    """Share of the shorter text found in the longer: a cut wire story is still that story.

    A headline by itself is too short to tell a copy from a coincidence.
    """
    shorter = min(len(left), len(right))
    return len({*left}.intersection(right)) / shorter if shorter >= MIN_SHINGLES else 0.0
