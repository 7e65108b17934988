"""What a reader sees of an alert: the story so far, the reports, and the passages that matched. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from watcher.model import (
    Alert,
    AlertKind,
    Article,
    Evidence,
    Match,
    Passage,
    Report,
    Role,
    Story,
    StoryView,
)
from watcher.text import clean_line

CONTEXT = 110
MAX_PASSAGES = 3


def story_view(
    alert: Alert,
    *,
    rule_title: str,
    note: str,
    story: Story | None,
    reports: Sequence[tuple[Article, Role, datetime]],
    matches: Mapping[str, Sequence[Match]],
) -> StoryView | None:
    """None when nothing of the alert's articles is left in the store (retention)."""
    view = _bare(alert, rule_title, note)
    if alert.story is None:
        # What a rule tells of itself: its figures stand where a headline would.
        return replace(view, title=clean_line(". ".join(alert.new)) or alert.reason)
    told = [article for article, _, _ in reports if article.id in alert.articles]
    if not told:
        return None
    lead = told[-1] if alert.kind is not AlertKind.NEW_STORY else told[0]
    evidence = [e for m in matches.get(lead.id, ()) if m.rule == alert.rule for e in m.evidence]
    return replace(
        view,
        story=alert.story,
        title=lead.title,
        url=lead.url,
        publisher=lead.publisher,
        at=lead.at,
        first_seen=story.opened if story else lead.first_seen,
        new=alert.new,
        passages=passages(lead, evidence),
        reports=tuple(_report(a, role, alert) for a, role, _ in reports),
    )


def _bare(alert: Alert, rule_title: str, note: str) -> StoryView:
    """What every alert shows, whether articles raised it or not."""
    return StoryView(
        alert=alert.id,
        kind=alert.kind,
        severity=alert.severity,
        rule=alert.rule,
        rule_title=rule_title,
        story=None,
        title="",
        url="",
        publisher="",
        at=alert.at,
        first_seen=alert.at,
        reason=alert.reason,
        tags=alert.tags,
        note=note,
    )


def _report(article: Article, role: Role, alert: Alert) -> Report:
    return Report(
        article=article.id,
        title=article.title,
        url=article.url,
        publisher=article.publisher,
        family=article.family or article.publisher,
        at=article.at,
        lang=article.lang,
        copy_of=article.family or article.publisher if role is Role.COPY else None,
        is_new=article.id in alert.articles,
    )


def passages(article: Article, evidence: Iterable[Evidence]) -> tuple[Passage, ...]:
    """The title and the pieces of text around what matched, marks merged, in reading order."""
    title_marks = [(e.start, e.end) for e in evidence if e.field == "title"]
    found = []
    if title_marks:
        found.append(_cut(article.title, "title", title_marks, 0, len(article.title)))
    body_marks = sorted((e.start, e.end) for e in evidence if e.field in {"body", "lead"})
    for marks in _near_together(body_marks):
        start = _word_border(article.text, marks[0][0] - CONTEXT, forward=True)
        end = _word_border(article.text, marks[-1][1] + CONTEXT, forward=False)
        found.append(_cut(article.text, "body", marks, start, end))
        if len(found) >= MAX_PASSAGES:
            break
    if not body_marks and article.text:
        # Matched by its headline: the opening still tells the reader what happened.
        end = _word_border(article.text, 2 * CONTEXT, forward=False)
        found.append(_cut(article.text, "body", [], 0, end))
    return tuple(found)


def _near_together(marks: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    groups: list[list[tuple[int, int]]] = []
    for mark in marks:
        if groups and mark[0] - groups[-1][-1][1] < 2 * CONTEXT:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return groups


def _word_border(text: str, at: int, *, forward: bool) -> int:
    if at <= 0 or at >= len(text):
        return min(max(at, 0), len(text))
    found = text.find(" ", at, at + 30) if forward else text.rfind(" ", at - 30, at)
    if found < 0:
        return at
    return found + 1 if forward else found


def _cut(text: str, field: str, marks: Sequence[tuple[int, int]], start: int, end: int) -> Passage:
    """One line of text with its marks moved along; cleaning happens between the marks."""
    out, moved, at = ("… " if start else ""), [], start
    for left, right in _merged(marks):
        out += _flat(text[at:left])
        begin = len(out)
        out += _flat(text[left:right])
        moved.append((begin, len(out)))
        at = right
    out += _flat(text[at:end]) + (" …" if end < len(text) else "")
    return Passage(field=field, text=out, marks=tuple(moved))


def _flat(piece: str) -> str:
    """Newlines to spaces, keeping a single space at either end."""
    lead = " " if piece[:1].isspace() else ""
    tail = " " if piece[-1:].isspace() and piece.strip() else ""
    return lead + clean_line(piece) + tail


def _merged(marks: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for left, right in sorted(marks):
        if merged and left <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], right))
        else:
            merged.append((left, right))
    return merged


def merge_views(views: Sequence[StoryView]) -> list[StoryView]:
    """One view per rule and story, most severe first; a new story stays new whatever followed."""
    merged: dict[tuple[str, str], StoryView] = {}
    for view in views:
        key = (view.rule, view.story or view.alert)
        earlier = merged.get(key)
        merged[key] = _joined(earlier, view) if earlier else view
    return sorted(merged.values(), key=lambda v: (-v.severity.rank, v.first_seen, v.alert))


def _joined(earlier: StoryView, later: StoryView) -> StoryView:
    fresh = {r.article for r in (*earlier.reports, *later.reports) if r.is_new}
    # Alerts of one moment come in any order; the story's first is the one that opened it.
    opener, follower = (later, earlier) if earlier.is_follow_up else (earlier, later)
    return replace(
        opener,
        severity=max(earlier.severity, later.severity, key=lambda s: s.rank),
        new=tuple(dict.fromkeys((*opener.new, *follower.new))),
        reports=tuple(replace(r, is_new=r.article in fresh) for r in follower.reports),
    )
