"""A digest as a page and as text, from what waits or from invented stories."""

from datetime import datetime, timedelta

from watcher.config.load import Config
from watcher.model import (
    AlertKind,
    Digest,
    DigestKind,
    Passage,
    Report,
    Severity,
    StoryView,
)
from watcher.render.templates import TemplateRenderer
from watcher.resources import bundled


def render_preview(config: Config, digest: Digest) -> tuple[str, str]:
    """HTML and text, by the receiver's own templates."""
    folders = [config.templates] if config.templates else []
    renderer = TemplateRenderer([*folders, bundled("templates")])
    name = config.receivers[digest.receiver].template
    return renderer.render(f"{name}.html.j2", digest), renderer.render(f"{name}.txt.j2", digest)


def sample_digest(receiver: str, zone: str, now: datetime) -> Digest:
    """Invented outlets and stories, one of each kind."""
    first = _view(
        "Sample: launch window announced for a second spy satellite",
        "Sample Harbour Times",
        now - timedelta(hours=5),
        Severity.HIGH,
        AlertKind.NEW_STORY,
        others=("Sample Peninsula Post", "Sample Wire Service", "Sample Evening Mail"),
    )
    second = _view(
        "Sample: armoured train crosses the border before dawn",
        "Sample Railway Gazette",
        now - timedelta(hours=2),
        Severity.NORMAL,
        AlertKind.FOLLOW_UP,
        others=("Sample Border Courier",),
        new=("an arrival", "the figure 21"),
    )
    return Digest(
        key="sample",
        receiver=receiver,
        kind=DigestKind.DIGEST,
        title=f"2 stories, 1 with news: {first.title}",
        at=now,
        zone=zone,
        stories=(first, second),
        silent_rules=("Sample rule that heard nothing",),
    )


def _view(
    title: str,
    publisher: str,
    at: datetime,
    severity: Severity,
    kind: AlertKind,
    *,
    others: tuple[str, ...],
    new: tuple[str, ...] = (),
) -> StoryView:
    url = "https://sample-outlet.example/story"
    reports = tuple(
        Report(f"a{n}", title, url, name, name.casefold(), at + timedelta(minutes=9 * n))
        for n, name in enumerate((publisher, *others))
    )
    words = title.split()
    mark = (title.index(words[1]), title.index(words[1]) + len(words[1]))
    return StoryView(
        alert=f"sample-{kind}",
        kind=kind,
        severity=severity,
        rule="sample-rule",
        rule_title="Sample rule",
        story=f"sample-{severity}",
        title=title,
        url=url,
        publisher=publisher,
        at=at,
        first_seen=at,
        reason="first report of a new story"
        if kind is AlertKind.NEW_STORY
        else "the report adds something new",
        new=new,
        passages=(Passage("title", title, (mark,)),),
        reports=reports,
    )
