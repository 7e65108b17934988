"""What a reader's links do, followed as a browser, a mail scanner and a stranger would."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.types import Message
from top_world import NOW, World, article, rule

from watcher.alerts.routes import ReceiverClock
from watcher.alerts.silences import find_silence
from watcher.labels import judged_in_store
from watcher.links import StoryLinks
from watcher.model import Alert, Digest
from watcher.render.templates import TemplateRenderer
from watcher.score import score_rule
from watcher.web import feedback
from watcher.web.feedback import Feedback
from watcher.web.links import GOOD_FOR, Action, Grant, Signer
from watcher.web.listener import site
from watcher.writer import Writer

TEMPLATES = Path(__file__).parents[3] / "templates"
BASE = "https://watcher.example.org"
HOSTILE = '<script>alert(1)</script> "rocket" & {{7*7}}'


@dataclass
class Answer:
    """One response, read to its end."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


class Site:
    """A world whose messages have links, and the pages behind them."""

    def __init__(self, tmp_path: Path, title: str = "North Korea fires rocket") -> None:
        self.world = World([rule()], [{"receivers": ["desk"]}], desk=ReceiverClock())
        self.signer = Signer(b"k" * 32, BASE)
        world = self.world
        world.composer.use(
            world.plan.rules,
            world.receivers,
            world.plan.receivers,
            links_of=self.signer.links_of,
        )
        self.writer = Writer(tmp_path, reserve_bytes=0)
        self.feedback = Feedback(world.store, self.writer, clock=world.clock, signer=self.signer)
        self.feedback.use(TemplateRenderer([TEMPLATES]).page, {"launch": "Launch"})
        world.take(article(1, title))
        world.compose()

    @property
    def digest(self) -> Digest:
        return self.world.receivers["desk"].digests[0]

    @property
    def links(self) -> StoryLinks:
        links = self.digest.stories[0].links
        assert links is not None
        return links

    @property
    def alert(self) -> Alert:
        with self.world.store.read() as tx:
            return tx.alerts.since(NOW - timedelta(days=1))[0]

    def ask(self, method: str, url: str, body: bytes = b"") -> Answer:
        return asyncio.run(self._ask(method, url.removeprefix(BASE), body))

    def get(self, url: str) -> Answer:
        return self.ask("GET", url)

    def post(self, url: str, body: str = "do=it") -> Answer:
        return self.ask("POST", url, body.encode())

    async def _ask(self, method: str, path: str, body: bytes) -> Answer:
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
        }
        answer = Answer()

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            else:
                answer.body += message["body"].decode()

        await site(self.feedback.routes)(scope, receive, send)
        return answer

    def labels(self) -> list[tuple[str, str, bool]]:
        with self.world.store.read() as tx:
            return [(one.rule, one.article, one.relevant) for one in tx.labels.all()]

    def muted(self, alert: Alert) -> bool:
        with self.world.store.read() as tx:
            now = self.world.clock.now()
            return find_silence(tx.silences.current(now), alert, now) is not None

    def acknowledged_by(self) -> str | None:
        alert = self.alert.id
        with self.world.store.read() as tx:
            known = tx.alerts.acknowledged([alert])
        return known[alert][0] if known else None

    def state(self) -> object:
        return self.labels(), self.muted(self.alert), self.acknowledged_by()


@pytest.fixture
def made(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.parametrize("action", [action.value for action in Action])
def test_following_a_link_shows_a_page_and_changes_nothing(made: Site, action: str) -> None:
    """Mail scanners and link previews follow every link."""
    link = getattr(made.links, action)
    before = made.state()

    answers = [made.ask(method, link) for method in ("GET", "HEAD", "GET")]

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert '<form method="post">' in answers[0].body
    assert "North Korea fires rocket" in answers[0].body
    assert made.state() == before


def test_a_page_loads_and_runs_nothing_and_tells_nobody(made: Site) -> None:
    page = made.get(made.links.mute)

    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-store"
    assert not re.search(r"<script|<link|<img|<iframe|src=|https?://|@import|url\(", page.body)


@pytest.mark.parametrize(("action", "relevant"), [("relevant", True), ("noise", False)])
def test_a_label_is_stored_and_counts_in_the_score(
    made: Site, action: str, *, relevant: bool
) -> None:
    answers = [made.post(getattr(made.links, action)) for _ in range(2)]

    with made.world.store.read() as tx:
        judged = judged_in_store(tx.labels.all())
    found = score_rule(rule(), judged, "labels")
    assert [a.status for a in answers] == [200, 200]
    assert f"Marked as {action} for “Launch”." in answers[0].body
    assert made.labels() == [("launch", "a1", relevant)]
    assert (len(found.caught), len(found.wrong)) == ((1, 0) if relevant else (0, 1))


def test_the_latest_label_counts_and_only_its_own_is_undone(made: Site) -> None:
    made.post(made.links.relevant)
    made.post(made.links.noise)

    made.post(made.links.relevant, "do=undo")
    kept = made.labels()
    made.post(made.links.noise, "do=undo")

    assert kept == [("launch", "a1", False)]
    assert made.labels() == []


def test_a_story_is_muted_for_a_day_and_other_stories_are_not(made: Site) -> None:
    page = made.post(made.links.mute)
    muted = made.muted(made.alert)
    made.world.take(article(2, "A new rocket engine for Kourou"))
    story = made.digest.stories[0].story
    with made.world.store.read() as tx:
        other = next(alert for alert in tx.alerts.since(NOW) if alert.story != story)
    others_muted = made.muted(other)

    assert "No alerts about this story until 31 May 2026, 12:00 UTC" in page.body
    assert muted
    assert not others_muted


def test_a_story_that_became_part_of_another_is_muted_under_both_names(made: Site) -> None:
    alert = made.alert
    with made.world.store.begin() as tx:
        story = tx.stories.get(alert.story or "")
        assert story is not None
        tx.stories.save(replace(story, merged_into="s-older"))

    made.post(made.links.mute)

    assert made.muted(alert)
    assert made.muted(replace(alert, story="s-older"))
    assert not made.muted(replace(alert, story="s-other"))


def test_a_rule_is_muted_for_a_week(made: Site) -> None:
    page = made.post(made.links.mute, "what=rule&for=7d")
    made.world.turn_to(NOW + timedelta(days=6))
    still = made.muted(made.alert)
    made.world.turn_to(NOW + timedelta(days=8))

    assert "No alerts about “Launch” until 06 June 2026" in page.body
    assert still
    assert not made.muted(made.alert)


def test_muting_twice_is_one_silence_and_undo_ends_it(made: Site) -> None:
    for _ in range(3):
        made.post(made.links.mute)
    with made.world.store.read() as tx:
        silences = tx.silences.current(NOW)

    page = made.post(made.links.mute, "do=undo")

    assert len(silences) == 1
    assert silences[0].author == "a reader of desk"
    assert not made.muted(made.alert)
    assert "Mute alerts?" in page.body


def test_an_alert_is_acknowledged_and_taken_back(made: Site) -> None:
    page = made.post(made.links.ack)
    by = made.acknowledged_by()
    made.post(made.links.ack, "do=undo")

    assert by == "a reader of desk"
    assert "Acknowledged by a reader of desk at 12:00 UTC on 30 May." in page.body
    assert made.acknowledged_by() is None


def test_what_somebody_else_acknowledged_can_not_be_undone(made: Site) -> None:
    alert = made.alert.id
    with made.world.store.begin() as tx:
        tx.alerts.acknowledge(alert, "Kim", "called", NOW)

    page = made.get(made.links.ack)
    made.post(made.links.ack, "do=undo")

    assert "Acknowledged by Kim" in page.body
    assert "Undo" not in page.body
    assert made.acknowledged_by() == "Kim"


def test_a_headline_is_only_text_on_the_page(tmp_path: Path) -> None:
    made = Site(tmp_path, HOSTILE)

    pages = [made.get(made.links.noise), made.post(made.links.noise)]

    for page in pages:
        assert "<script>" not in page.body
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.body
        assert "{{7*7}}" in page.body


def changed(token: str) -> list[str]:
    flipped = "A" if token[40] != "A" else "B"
    return [
        token[:40] + flipped + token[41:],
        token[:-4],
        token + "AAAA",
        "",
        "A" * 5000,
        "%00",
        "ключ",
        token[22:],
    ]


@pytest.mark.parametrize("n", range(8))
def test_a_link_that_is_not_ours_to_the_last_bit_is_not_found(made: Site, n: int) -> None:
    token = made.links.mute.rsplit("/", 1)[1]
    answers = [made.ask(method, f"/f/mute/{changed(token)[n]}") for method in ("GET", "POST")]

    assert [(a.status, a.body) for a in answers] == [(404, "not found\n")] * 2
    assert not made.muted(made.alert)


def test_a_link_allows_one_thing_only(made: Site) -> None:
    token = made.links.noise.rsplit("/", 1)[1]

    answers = [made.post(f"/f/{action}/{token}") for action in ("mute", "ack", "relevant", "all")]

    assert {answer.status for answer in answers} == {404}
    assert made.state() == ([], False, None)


def test_another_service_with_another_key_can_make_no_link(made: Site) -> None:
    grant = Grant(Action.ACK, made.alert.id, "", "desk", NOW + GOOD_FOR)

    assert made.get(Signer(b"x" * 32, BASE).link(grant)).status == 404
    assert made.get(made.signer.link(grant)).status == 200


def test_a_link_is_over_after_thirty_days(made: Site) -> None:
    made.world.turn_to(NOW + timedelta(days=29))
    early = made.get(made.links.noise)
    made.world.turn_to(NOW + timedelta(days=31))

    late = [made.get(made.links.noise), made.post(made.links.noise)]

    assert early.status == 200
    assert [(a.status, a.body) for a in late] == [(410, "gone\n")] * 2
    assert made.labels() == []


def test_an_alert_that_is_no_longer_kept_is_gone(made: Site) -> None:
    grant = Grant(Action.MUTE, "t-none", "", "desk", NOW + GOOD_FOR)

    answers = [made.ask(method, made.signer.link(grant)) for method in ("GET", "POST")]

    assert [(a.status, a.body) for a in answers] == [(410, "gone\n")] * 2


@pytest.mark.parametrize(
    "form", ["x" * 2000, "for=99y", "what=everything", "%ff=\xff", "a=1&" * 20 + "b=2"]
)
def test_a_form_that_is_not_ours_does_nothing(made: Site, form: str) -> None:
    answer = made.post(made.links.mute, form)

    assert (answer.status, answer.body) == (400, "bad request\n")
    assert not made.muted(made.alert)


def test_a_link_is_used_a_few_times_a_minute(made: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = [made.post(made.links.noise).status for _ in range(feedback.MOST_OF_A_LINK + 1)]
    other = made.post(made.links.ack).status
    monkeypatch.setattr(feedback, "MOST_OF_ALL", feedback.MOST_OF_A_LINK + 1)
    all_of_them = made.post(made.links.mute)

    assert statuses == [200] * feedback.MOST_OF_A_LINK + [429]
    assert other == 200
    assert all_of_them.status == 429
    assert all_of_them.headers["retry-after"] == "60"


def test_one_click_and_an_empty_form_mean_the_first_choice(made: Site) -> None:
    answer = made.post(made.links.mute, "")

    assert answer.status == 200
    assert made.muted(made.alert)


def test_without_a_public_address_a_message_has_no_links() -> None:
    world = World([rule()], [{"receivers": ["desk"]}], desk=ReceiverClock())

    world.take(article(1))
    world.compose()

    assert [view.links for view in world.receivers["desk"].digests[0].stories] == [None]


def test_links_are_short_and_the_same_each_time(made: Site) -> None:
    view = made.digest.stories[0]
    again: Callable[[], StoryLinks] = lambda: made.signer.links_of(view, "desk", made.digest.at)  # noqa: E731

    assert again() == again() == made.links
    assert len(made.links.relevant) < 180
    assert re.fullmatch(rf"{BASE}/f/relevant/[A-Za-z0-9_-]+", made.links.relevant)
