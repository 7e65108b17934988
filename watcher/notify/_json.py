"""A digest as JSON, for machines: the form of docs/webhook.schema.json."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from watcher.model import Digest, Passage, Report, StoryView
from watcher.notify._kit import short_hash
from watcher.notify._pages import Page


def stamp(at: datetime) -> str:
    """ISO 8601 in UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def message_id(key: str) -> str:
    """`webhook-id`: constant over attempts. No dot: the signed text joins id and time with one."""
    return f"msg_{short_hash(key, 32)}"


def to_event(digest: Digest, page: Page) -> dict[str, Any]:
    """CloudEvents 1.0 around the digest; `id` equals `webhook-id`."""
    shown = replace(digest, stories=page.stories)
    return {
        "specversion": "1.0",
        "id": message_id(f"{digest.key}#{page.part}" if page.part else digest.key),
        "source": "watcher",
        "type": f"watcher.{digest.kind.value}",
        "time": stamp(digest.at),
        "datacontenttype": "application/json",
        "data": {**digest_json(shown), "page": page.number, "pages": page.of},
    }


def digest_json(digest: Digest) -> dict[str, Any]:
    """Same digest, same JSON; text is plain text, times are UTC."""
    return {
        "key": digest.key,
        "receiver": digest.receiver,
        "kind": digest.kind.value,
        "title": digest.title,
        "at": stamp(digest.at),
        "zone": digest.zone,
        "notice": digest.notice,
        "stories": [story_json(story) for story in digest.stories],
        "silent_rules": list(digest.silent_rules),
        "feeds_in_trouble": list(digest.feeds_in_trouble),
        "late_since": stamp(digest.late_since) if digest.late_since else None,
        "held": digest.held,
        "merged": digest.merged,
        "silenced": digest.silenced,
    }


def story_json(story: StoryView) -> dict[str, Any]:
    """One alert of a digest."""
    return {
        "alert": story.alert,
        "kind": story.kind.value,
        "severity": story.severity.value,
        "rule": story.rule,
        "rule_title": story.rule_title,
        "story": story.story,
        "title": story.title,
        "url": story.url,
        "publisher": story.publisher,
        "at": stamp(story.at),
        "first_seen": stamp(story.first_seen),
        "reason": story.reason,
        "new": list(story.new),
        "families": list(story.families),
        "passages": [_passage(passage) for passage in story.passages],
        "reports": [_report(report) for report in story.reports],
        "tags": list(story.tags),
        "note": story.note,
        "links": asdict(story.links) if story.links else None,
    }


def _passage(passage: Passage) -> dict[str, Any]:
    return {
        "field": passage.field,
        "text": passage.text,
        "marks": [list(mark) for mark in passage.marks],
    }


def _report(report: Report) -> dict[str, Any]:
    return {
        "article": report.article,
        "title": report.title,
        "url": report.url,
        "publisher": report.publisher,
        "family": report.family,
        "at": stamp(report.at),
        "lang": report.lang,
        "copy_of": report.copy_of,
        "is_new": report.is_new,
    }
