"""The last look at a digest before it takes a channel's form: clean, cut, links that may be clicked.

Feeds are cleaned on the way in; here the promise is kept even for what came another way,
and no text is longer than a reader's patience.
"""

from dataclasses import replace

from watcher.model import Digest, Passage, Report, StoryView
from watcher.text import clean_line, clean_text, safe_link

TITLE = 300
NAME = 80
PASSAGE = 700
NOTE = 2000
MOST_REPORTS = 200
MOST_TAGS = 12

# Legal in an attribute, but not every reader of mail parses as well as a browser.
_ODD = str.maketrans({c: f"%{ord(c):02X}" for c in "\"'<>`{}|^"})


def clickable(url: str) -> str:
    """The link fit for an attribute, a line of text or a header; empty when it isn't safe."""
    return (safe_link(url) or "").translate(_ODD)


def _line(text: str, limit: int) -> str:
    """Cut first: cleaning megabytes to keep a line would hold the daemon up."""
    return clean_line(text[: 8 * limit], limit)


def inert(digest: Digest) -> Digest:
    """The same digest, fit to show."""
    return replace(
        digest,
        title=_line(digest.title, TITLE),
        stories=tuple(map(_story, digest.stories)),
        silent_rules=tuple(_line(name, TITLE) for name in digest.silent_rules),
        feeds_in_trouble=tuple(_line(text, TITLE) for text in digest.feeds_in_trouble),
        notice=clean_text(digest.notice[: 4 * NOTE])[: 2 * NOTE],
        held=_line(digest.held, TITLE),
        silenced=_line(digest.silenced, TITLE),
    )


def _story(story: StoryView) -> StoryView:
    url = clickable(story.url)
    return replace(
        story,
        rule_title=_line(story.rule_title, TITLE),
        title=_line(story.title, TITLE) or url or "(no title)",
        url=url,
        publisher=_line(story.publisher, NAME),
        reason=_line(story.reason, TITLE),
        new=tuple(_line(text, TITLE) for text in story.new),
        passages=tuple(map(_passage, story.passages)),
        reports=tuple(map(_report, story.reports[-MOST_REPORTS:])),
        tags=tuple(_line(tag, NAME) for tag in story.tags[:MOST_TAGS]),
        note=clean_text(story.note[: 2 * NOTE])[:NOTE],
    )


def _report(report: Report) -> Report:
    url = clickable(report.url)
    return replace(
        report,
        title=_line(report.title, TITLE) or url or "(no title)",
        url=url,
        publisher=_line(report.publisher, NAME),
        family=_line(report.family, NAME),
    )


def _passage(passage: Passage) -> Passage:
    """Cleaning moves characters, so each piece is cleaned by itself and the marks are laid anew."""
    given = passage.text[: 8 * PASSAGE]
    text, marks, at = "", [], 0
    for start, end in (*sorted(passage.marks), (len(given), len(given))):
        if not at <= start <= end <= len(given):
            continue
        text += _flat(given[at:start])
        begin = len(text)
        text += _flat(given[start:end])
        if len(text) > PASSAGE:
            text = text[: max(begin, PASSAGE)] + "…"
            break
        if end > start:
            marks.append((begin, len(text)))
        at = end
    return Passage(field=passage.field, text=text[: PASSAGE + 1], marks=tuple(marks))


def _flat(piece: str) -> str:
    lead = " " if piece[:1].isspace() else ""
    tail = " " if piece[-1:].isspace() and piece.strip() else ""
    return lead + clean_line(piece) + tail
