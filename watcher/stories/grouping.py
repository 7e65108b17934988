"""Online grouping: each article joins the story it belongs to, or opens one. Pure and deterministic.

What a report adds can show that two stories are one, or one two: stories merge and split
while they are open, and every such change is told with the words that decided it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from watcher.languages import same_language
from watcher.model import Article, Role, Story, StoryStatus
from watcher.stories.centre import Vector, centre_of, closeness, shared_words, unit
from watcher.stories.changes import ChangeKind, StoryChange, split_point
from watcher.stories.features import features_of
from watcher.stories.shelf import KEPT_REPORTS, OpenStory, Report, Shelf, family, pack
from watcher.stories.similarity import Frequencies
from watcher.stories.topics import CLOSE, NARROW, NEAR, Topics, neutral_facts

# Headlines by themselves share few words; with text, reports of different events share some too.
JOIN_AT_HEADLINE, HEADLINE_TERMS = 0.12, 14
JOIN_AT_TEXT, TEXT_TERMS = 0.30, 40
# The same rule caught both: likely one event, so fewer shared words will do.
JOIN_AT_TOPIC = 0.12
# A story that is nearly over needs a closer article to go on.
AGE_PENALTY = 0.04
# While all its reports are kept a story can be found to be two.
SPLIT_CHECKS = frozenset((6, 9, KEPT_REPORTS))
# So many of an article's nearest stories are compared with the one it joined.
NEIGHBOURS = 8
QUIET_AFTER = timedelta(hours=24)
# Whatever joins, a story ends: news of a fortnight is a subject, not an event.
LONGEST = timedelta(days=14)
MOST_ARTICLES = 2000
SAME_TOPIC = "same topic"


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where an article went; `reason` names how it was recognised, `changes` what it showed of others."""

    story: Story
    role: Role
    is_new: bool
    similarity: float
    reason: str
    changes: tuple[StoryChange, ...] = ()


class StoryIndex:
    """Stories that can still grow. Same articles in the same order, same stories."""

    def __init__(self, window: timedelta = timedelta(hours=72)) -> None:
        self._window = window
        self._shelf = Shelf()
        self._frequencies = Frequencies()
        self._topics = Topics()

    def __len__(self) -> int:
        return len(self._shelf.stories)

    def assign(
        self, article: Article, now: datetime, topics: frozenset[str] = frozenset()
    ) -> Assignment:
        """Join or open a story. `now` is the time of the decision, never before earlier ones.

        A revision of an article that is in a story stays there and adds nothing.
        `topics` are the rules that caught it: a hint that joins what shares no words.
        """
        if held := self._shelf.held(article.id):
            return Assignment(held[0].story, held[1], False, 1.0, "revision")
        report = self._read(article)
        near = self._near(report.vector, now)
        found, similarity, reason = self._find(article, len(report.terms), near, now, topics)
        if found is None:
            opened = self._open(report, now)
            self.note_topics(opened.story.id, topics)
            return Assignment(opened.story, Role.FIRST, True, 1.0, reason)
        role = self._join(found, report, now)
        self.note_topics(found.story.id, topics)
        found, changes = self._reconsider(found, near, now)
        if held := self._shelf.held(article.id):
            found, role = held
        return Assignment(found.story, role, False, similarity, reason, changes)

    def note_topics(self, story_id: str, topics: Iterable[str]) -> None:
        """Say which rules an open story belongs to; restoring calls this, `assign` does by itself."""
        if entry := self._shelf.stories.get(story_id):
            entry.topics.update(topics)
            self._topics.note(story_id, topics)

    def restore(self, stories: Iterable[tuple[Story, Sequence[tuple[Article, Role]]]]) -> None:
        """Take stories back from the store, oldest first."""
        for story, articles in stories:
            entry = self._shelf.open(story)
            for article, role in articles:
                self._shelf.add(entry, self._read(article), role)

    def keep_apart(self, story: str, other: str) -> None:
        """Two that were split never merge again; restoring calls this, splitting does by itself."""
        if entry := self._shelf.stories.get(other):
            entry.apart.add(story)

    def expire(self, now: datetime) -> list[Story]:
        """Stories whose status changed: quiet after a day, closed (and forgotten) after the window."""
        changed = []
        for entry in list(self._shelf.stories.values()):
            status = self._status(entry.story, now)
            if status is not entry.story.status:
                entry.story = replace(entry.story, status=status)
                changed.append(entry.story)
            if status is StoryStatus.CLOSED:
                self._shelf.forget(entry)
                self._topics.forget(entry.story.id)
        return changed

    def reports(self, story_id: str) -> list[Article]:
        """The last reports of an open story, oldest first."""
        entry = self._shelf.stories.get(story_id)
        return [report.article for report in entry.reports] if entry else []

    def _status(self, story: Story, now: datetime) -> StoryStatus:
        if not self._can_grow(story, now):
            return StoryStatus.CLOSED
        if now - story.updated > QUIET_AFTER:
            return StoryStatus.QUIET
        return StoryStatus.UPDATED if story.articles > 1 else StoryStatus.OPEN

    def _can_grow(self, story: Story, now: datetime, by: int = 0) -> bool:
        """The drift guard: silence, age and size end a story, whatever keeps coming."""
        return (
            now - story.updated <= self._window
            and now - story.opened <= LONGEST
            and story.articles + by < MOST_ARTICLES
        )

    # ── finding ──

    def _read(self, article: Article) -> Report:
        features = features_of(article)
        self._frequencies.learn(features.terms)
        return pack(article, features, unit(features.terms, self._frequencies.weight))

    def _near(self, vector: Vector, now: datetime) -> list[tuple[float, str]]:
        """The stories that can take it in, most alike first, with how alike."""
        one = centre_of((vector,))
        found = [
            (
                closeness(one, self._shelf.stories[story_id].centre),
                story_id,
            )
            for story_id in self._shelf.candidates(vector)
            if self._can_grow(self._shelf.stories[story_id].story, now)
        ]
        return sorted(found, key=lambda pair: (-pair[0], pair[1]))

    def _find(
        self,
        article: Article,
        words: int,
        near: Sequence[tuple[float, str]],
        now: datetime,
        topics: frozenset[str],
    ) -> tuple[OpenStory | None, float, str]:
        linked = self._shelf.linked(article.url)
        if linked is not None and self._can_grow(linked.story, now):
            return linked, 1.0, "same link"
        hinted = self._hinted(topics, now)
        for similarity, story_id in near:
            entry = self._shelf.stories[story_id]
            join_at = _join_at(words)
            if story_id in hinted:
                join_at = min(join_at, JOIN_AT_TOPIC)
            age = (now - entry.story.updated) / self._window
            if similarity >= join_at + AGE_PENALTY * age:
                return entry, similarity, "similar"
        foreign = self._foreign(article, hinted, now)
        return foreign, 0.0, SAME_TOPIC if foreign else "nothing like it"

    def _hinted(self, topics: frozenset[str], now: datetime) -> list[str]:
        """Recent stories of the same rules, latest first; none when there are too many to mean one event."""
        recent = [
            story_id
            for story_id in self._topics.stories(topics)
            if now - (story := self._shelf.stories[story_id].story).updated <= NEAR
            and self._can_grow(story, now)
        ]
        return recent if len(recent) <= NARROW else []

    def _foreign(self, article: Article, hinted: list[str], now: datetime) -> OpenStory | None:
        """A story of the same rule told in other languages: with a shared fact, or soon and new to it."""
        if article.lang is None:
            return None
        facts = neutral_facts(article)
        for story_id in hinted:
            entry = self._shelf.stories[story_id]
            reports = [report.article for report in entry.reports]
            others = [r for r in reports if r.lang and not same_language(r.lang, article.lang)]
            untold = len(others) == len(reports)
            soon = untold and now - entry.story.updated <= CLOSE
            if others and (soon or any(facts & neutral_facts(report) for report in others)):
                return entry
        return None

    # ── growing ──

    def _open(self, report: Report, now: datetime) -> OpenStory:
        story = Story(
            id=_story_id(report.article),
            title=report.article.title,
            opened=now,
            updated=now,
            families=frozenset((family(report.article),)),
        )
        entry = self._shelf.open(story)
        self._shelf.add(entry, report, Role.FIRST)
        return entry

    def _join(self, entry: OpenStory, report: Report, now: datetime) -> Role:
        role = entry.role_of(report)
        families = {family(report.article)} if role is Role.REPORT else set()
        entry.story = replace(
            entry.story,
            updated=max(now, entry.story.updated),
            status=StoryStatus.UPDATED,
            articles=entry.story.articles + 1,
            families=entry.story.families | families,
        )
        self._shelf.add(entry, report, role)
        return role

    # ── second thoughts ──

    def _reconsider(
        self, entry: OpenStory, near: Sequence[tuple[float, str]], now: datetime
    ) -> tuple[OpenStory, tuple[StoryChange, ...]]:
        """What a new report of this story shows: other stories are the same, or this one is two."""
        changes = []
        for similarity, story_id in near[:NEIGHBOURS]:
            other = self._shelf.stories.get(story_id)
            if similarity and other is not None and other is not entry:
                older, younger = sorted((entry, other), key=lambda e: (e.story.opened, e.story.id))
                alike = self._alike(older, younger, now)
                if alike is not None:
                    changes.append(self._merge(older, younger, alike, now))
                    entry = older
        if not changes and len(entry.ids) in SPLIT_CHECKS:
            changes += self._split(entry, now)
        return self._shelf.stories[entry.story.id], tuple(changes)

    def _alike(self, older: OpenStory, younger: OpenStory, now: datetime) -> float | None:
        """How alike two stories are, if that makes them one."""
        if younger.story.id in older.apart or older.story.id in younger.apart:
            return None
        by = younger.story.articles
        if not (self._can_grow(older.story, now, by) and self._can_grow(younger.story, now)):
            return None
        words = max(e.centre.words / e.centre.articles for e in (older, younger))
        alike = closeness(older.centre, younger.centre)
        return alike if alike >= _join_at(words) else None

    def _merge(
        self, kept: OpenStory, gone: OpenStory, similarity: float, now: datetime
    ) -> StoryChange:
        words = shared_words(kept.centre, gone.centre)
        moved = tuple(gone.ids)
        self._shelf.absorb(kept, gone)
        self._topics.forget(gone.story.id)
        self.note_topics(kept.story.id, gone.topics)
        kept.story = replace(
            kept.story,
            updated=max(kept.story.updated, gone.story.updated),
            status=StoryStatus.UPDATED,
            articles=kept.story.articles + gone.story.articles,
            families=kept.story.families | gone.story.families,
        )
        closed = replace(gone.story, status=StoryStatus.CLOSED, merged_into=kept.story.id)
        return StoryChange(
            ChangeKind.MERGED, kept.story, closed, now, similarity, moved, tuple(words)
        )

    def _split(self, entry: OpenStory, now: datetime) -> list[StoryChange]:
        """Give the half that speaks of something else a story of its own; both can still grow."""
        apart = split_point([report.vector for report in entry.reports])
        if not apart:
            return []
        entry, moved = self._shelf.divide(entry, apart)
        other = self._open(moved[0], moved[0].article.first_seen)
        for report in moved[1:]:
            self._join(other, report, report.article.first_seen)
        self.note_topics(other.story.id, entry.topics)
        self.keep_apart(entry.story.id, other.story.id)
        entry.story = self._recounted(entry)
        return [
            StoryChange(
                ChangeKind.SPLIT,
                entry.story,
                other.story,
                now,
                closeness(entry.centre, other.centre),
                tuple(other.ids),
                (*_heaviest(entry), *_heaviest(other)),
            )
        ]

    def _recounted(self, entry: OpenStory) -> Story:
        """The story as the reports that stayed tell it."""
        told = [r for r in entry.reports if self._by_itself(r)]
        families = frozenset(family(report.article) for report in told)
        return replace(entry.story, articles=len(entry.ids), families=families)

    def _by_itself(self, report: Report) -> bool:
        held = self._shelf.held(report.article.id)
        return held is not None and held[1] is not Role.COPY


def _story_id(article: Article) -> str:
    return "s" + sha256(article.id.encode()).hexdigest()[:19]


def _heaviest(entry: OpenStory, most: int = 3) -> list[str]:
    return shared_words(entry.centre, entry.centre, most)


def _join_at(words: float) -> float:
    """How alike an article must be to a story, or a story to another, by how much they say."""
    share = min(max((words - HEADLINE_TERMS) / (TEXT_TERMS - HEADLINE_TERMS), 0.0), 1.0)
    return JOIN_AT_HEADLINE + (JOIN_AT_TEXT - JOIN_AT_HEADLINE) * share
