"""A digest as Slack's Block Kit: our words as markup, everything from a feed escaped."""

import re
from collections.abc import Sequence
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from watcher.model import AlertKind, Digest, DigestKind, Passage, Severity, StoryView
from watcher.notify._pages import Page
from watcher.text import host_of, truncate

MOST_BLOCKS = 50
# Slack refuses messages whose blocks hold more than about 13,000 characters together.
MOST_TEXT = 12_000
_SECTION = 3000
_HEADER = 150
_TEXT = 3000
_LINK = 2000

_MARK = {
    Severity.CRITICAL: ":red_circle:",
    Severity.HIGH: ":large_orange_circle:",
    Severity.NORMAL: ":large_blue_circle:",
    Severity.LOW: ":white_circle:",
}
_BADGE = {
    AlertKind.NEW_STORY: "",
    AlertKind.FOLLOW_UP: "*Update* · ",
    AlertKind.CORROBORATED: "*Confirmed* · ",
    AlertKind.BURST: "*Burst* · ",
    AlertKind.NOTHING_HEARD: "*Nothing heard* · ",
    AlertKind.SILENCE_BROKEN: "*Heard again* · ",
}
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# Formatting characters count at word borders only; look-alikes keep the text readable.
_FORMAT = re.compile(r"(?<!\w)[*_~]|[*_~](?!\w)|`")
_TWINS = {"*": "∗", "_": "ˍ", "~": "∼", "`": "ˋ"}


def escape(text: str) -> str:
    """Feed text inside mrkdwn: no mention, link, or formatting survives."""
    return _FORMAT.sub(lambda found: _TWINS[found[0]], text).translate(_ENTITIES)


def link(url: str, label: str) -> str:
    """A link whose label can't end it; just the label when there is no safe or no short link."""
    label = " ".join(label.split())
    target = url.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E").replace("&", "&amp;")
    if not url or len(target) > _LINK:
        return escape(label)
    return f"<{target}|{escape(label).replace('|', '¦')}>"


def message(
    digest: Digest, page: Page, *, mark: str, title: str | None, buttons: bool = False
) -> dict[str, Any]:
    """The JSON of an incoming webhook; `mark` is the short id, `text` what notifications show."""
    headline = f"[{title}] {digest.title}" if title else digest.title
    blocks: list[Block] = [*_top(digest, page, headline)]
    noted: set[str] = set()
    for story in digest.stories:
        blocks += _story(story, digest, note=story.note if story.rule not in noted else "")
        noted.add(story.rule)
    if buttons and digest.kind is DigestKind.ALERT and digest.stories:
        blocks += _buttons(digest.stories[0])
    blocks += _brief(page)
    blocks += _end(digest, page, mark)
    text = f"{escape(truncate(headline, 300))}{page.mark} (id {mark})"
    return {
        "text": text,
        "blocks": [block.to_dict() for block in blocks],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def reduced(built: dict[str, Any]) -> dict[str, Any]:
    """The same message for a Slack that refused the blocks: their text alone."""
    lines = [built["text"]]
    lines += [block["text"]["text"] for block in built["blocks"] if block["type"] == "section"]
    return {"text": _cut("\n".join(lines), _TEXT), "unfurl_links": False, "unfurl_media": False}


def _top(digest: Digest, page: Page, headline: str) -> list[Block]:
    blocks: list[Block] = []
    if digest.kind is not DigestKind.ALERT:
        # Never parsed as markup; the brackets are for readers of the raw text.
        plain = headline.replace("<", "‹").replace(">", "›")
        plain = truncate(plain, _HEADER - len(page.mark)) + page.mark
        blocks.append(HeaderBlock(text=PlainTextObject(text=plain or "watcher", emoji=False)))
    notes = [digest.held and escape(digest.held)]
    if digest.late_since:
        notes.append(f"late: covers everything since {digest.clock(digest.late_since)}")
    if any(notes):
        blocks.append(_context(" · ".join(note for note in notes if note)))
    if digest.notice and page.number == 1:
        blocks.append(_section(escape(digest.notice)))
    return blocks


def _story(story: StoryView, digest: Digest, *, note: str) -> list[Block]:
    lines = [f"{_MARK[story.severity]} {_BADGE[story.kind]}*{link(story.url, story.title)}*"]
    if story.new and story.is_follow_up:
        lines.append("*New:* " + escape(truncate(" · ".join(story.new[:6]), 400)))
    lines += [f"> {_passage(p)}" for p in story.passages if p.field != "title"][:2]
    if note:
        lines.append(f"_{escape(truncate(' '.join(note.split()), 200))}_")
    return [_section("\n".join(lines)), _context(_about(story, digest), _acts(story, digest))]


def _acts(story: StoryView, digest: Digest) -> str:
    """What a reader may do about it, as links: buttons ask for more rights."""
    if story.links is None:
        return ""
    alone = digest.kind is DigestKind.ALERT
    acts = {"Noise": story.links.noise, "Mute": story.links.mute}
    if alone:
        acts = {"Relevant": story.links.relevant, **acts, "Acknowledge": story.links.ack}
    return " · ".join(link(url, label) for label, url in acts.items() if url)


def _buttons(story: StoryView) -> list[Block]:
    """The story, up to two others who report it, and the way to be told no more."""
    others = {r.publisher: r.url for r in story.reports if r.copy_of is None and r.url != story.url}
    links = [("Open the story", story.url), *list(others.items())[:2]]
    if story.links is not None:
        links.append(("Mute", story.links.mute))
    buttons = [
        ButtonElement(
            text=PlainTextObject(text=truncate(label, 60), emoji=False),
            url=url,
            action_id=f"open-{n}",
        )
        for n, (label, url) in enumerate(links)
        if label and url and len(url) <= _LINK
    ]
    return [ActionsBlock(elements=buttons)] if buttons else []


def _about(story: StoryView, digest: Digest) -> str:
    publisher = story.publisher or host_of(story.url)
    parts = [f"{escape(publisher)}, {digest.clock(story.at)}"]
    others = [name for name in story.families if name != _family(story)]
    if others:
        shown = ", ".join(escape(name) for name in others[:3])
        parts.append(f"also {shown}" + (f" +{len(others) - 3} more" if len(others) > 3 else ""))
    parts.append(escape(story.rule_title))
    return " · ".join(parts)


def _family(story: StoryView) -> str:
    return next((r.family for r in story.reports if r.url == story.url), story.publisher)


def _passage(passage: Passage) -> str:
    out, at = "", 0
    for start, end in passage.marks:
        out += escape(passage.text[at:start])
        word = passage.text[start:end]
        # Slack needs a border around bold, which scripts without spaces don't have.
        bordered = not (out[-1:].isalnum() or passage.text[end : end + 1].isalnum())
        out += f"*{escape(word)}*" if bordered and word.strip() == word else escape(word)
        at = end
    return out + escape(passage.text[at:])


def _brief(page: Page) -> list[Block]:
    blocks: list[Block] = []
    lines: list[str] = ["*In short*"] if page.brief else []
    for story in page.brief:
        line = f"• {link(story.url, truncate(story.title, 120))} ({escape(story.publisher)})"
        if len("\n".join([*lines, line])) > _SECTION:
            blocks.append(_section("\n".join(lines)))
            lines = []
        lines.append(line)
    if page.more:
        lines.append(f"… and {page.more} more")
    return [*blocks, _section("\n".join(lines))] if lines else blocks


def _end(digest: Digest, page: Page, mark: str) -> list[Block]:
    last = page.number == page.of
    blocks: list[Block] = [DividerBlock()] if digest.kind is DigestKind.DIGEST else []
    if digest.silent_rules and last:
        blocks.append(_context("Silent: " + _listed(digest.silent_rules)))
    if digest.silenced and last:
        blocks.append(_context(escape(digest.silenced)))
    if digest.feeds_in_trouble and last:
        blocks.append(_context("Feeds in trouble: " + _listed(digest.feeds_in_trouble)))
    blocks.append(_context(f"watcher · id {mark}"))
    return blocks


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(escape(name) for name in names[:10]) + more


def _section(text: str) -> SectionBlock:
    return SectionBlock(text=MarkdownTextObject(text=_cut(text, _SECTION), verbatim=True))


def _context(*texts: str) -> ContextBlock:
    shown = [MarkdownTextObject(text=_cut(text, 2000), verbatim=True) for text in texts if text]
    return ContextBlock(elements=shown)


def _cut(text: str, limit: int) -> str:
    """Cut between lines, and never inside an entity or a link."""
    if len(text) <= limit:
        return text
    lines = text[:limit].split("\n")
    if len(lines) > 1:
        return "\n".join(lines[:-1])
    kept = text[: limit - 1]
    for opening, closing in (("<", ">"), ("&", ";")):
        if kept.rfind(opening) > kept.rfind(closing):
            kept = kept[: kept.rfind(opening)]
    return kept + "…"
