"""Entries become articles: one text, a clickable link, a title, a publisher. Pure."""

from dataclasses import replace
from datetime import datetime

from watcher.languages import language_tag
from watcher.model import Article, Entry
from watcher.stories.publishers import PublisherTable
from watcher.text import clean_line, host_of, safe_link, truncate

TITLE_LIMIT = 500
TEXT_LIMIT = 200_000


def to_article(
    entry: Entry,
    *,
    id: str,
    feed: str,
    feed_publisher: str | None,
    feed_lang: str | None,
    publishers: PublisherTable,
    now: datetime,
) -> Article:
    """Never fails: what a feed leaves out is made from what it gives.

    The entry's texts are clean as they come (`model.Entry`), and two of them stay so when joined.
    """
    url = safe_link(entry.url) or ""
    text = join_text(entry.summary, entry.text)[:TEXT_LIMIT]
    attribution = publishers.resolve(
        publisher=entry.publisher,
        url=url or None,
        title=clean_line(entry.title),
        author=entry.author,
        text=text,
        feed_publisher=feed_publisher,
        publisher_url=entry.publisher_url,
    )
    title = attribution.title or truncate(clean_line(text), 120) or host_of(url) or "(no title)"
    return Article(
        id=id,
        feed=feed,
        url=url,
        title=clean_line(title, TITLE_LIMIT),
        text=text,
        first_seen=now,
        published=entry.published,
        updated=entry.updated,
        author=clean_line(entry.author, 200) if entry.author else None,
        tags=tuple(clean_line(tag, 100) for tag in entry.tags[:50]),
        publisher=attribution.publisher or host_of(url) or feed,
        family=attribution.family or host_of(url) or feed,
        lang=language_tag(entry.lang) or feed_lang,
    )


def join_text(summary: str, text: str) -> str:
    """Summary and content without saying the same thing twice."""
    summary, text = summary.strip(), text.strip()
    if not text or not summary:
        return text or summary
    if text[0] != summary[0]:
        return f"{summary}\n\n{text}"
    opening = "".join(summary.split())[:80]
    if "".join(text[:400].split()).startswith(opening):
        return text
    return f"{summary}\n\n{text}"


def with_page_text(entry: Entry, page: str) -> Entry:
    """With the text of its page where that says more; what tells it from others is the feed's."""
    if len(page) <= len(join_text(entry.summary, entry.text)):
        return entry
    return replace(entry, text=page)


def keeping_text(article: Article, before: Article | None) -> Article:
    """The page can't be read now: what was read of it stays, behind what the feed says anew."""
    if before is None or len(before.text) <= len(article.text):
        return article
    if article.text in before.text:
        return replace(article, text=before.text)
    return replace(article, text=join_text(article.text, before.text)[:TEXT_LIMIT])
