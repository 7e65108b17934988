"""An article goes from a feed to a mailbox, to Slack and to a webhook: once, whatever happens."""

import pytest
from standardwebhooks import Webhook

from tests.acceptance.stage import NEWS, Stage, rss, settled, until
from watcher.faults import STEPS

SECRET = "whsec_c2VlZGVkLXNlY3JldC1zZWVkZWQ="
OLD = ("Old harbour news", "Nothing of interest.")


def published(stage: Stage) -> None:
    stage.feeds["news"] = rss(NEWS, OLD)


def arrived(stage: Stage) -> bool:
    return bool(stage.mails("launches") and stage.calls("slack") and stage.calls("hook"))


def test_an_article_reaches_every_receiver_once(stage: Stage) -> None:
    stage.feeds["news"] = rss(OLD)
    stage.configure()

    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))
        published(stage)
        until(lambda: arrived(stage))
        settled()

    mails = stage.mails()
    assert [m["Subject"] for m in mails] == ["North Korea launches satellite from west coast"]
    assert "A rocket with a satellite" in mails[0].get_body(("plain",)).get_content()
    assert len(stage.calls("slack")) == len(stage.calls("hook")) == 1
    assert "launches" in str(stage.calls("slack")[0][1])


def test_the_first_poll_alerts_nobody(stage: Stage) -> None:
    published(stage)
    stage.configure()

    with stage.daemon() as daemon:
        until(lambda: len(daemon.events("polled")) > 2)
        settled(1)

    assert not stage.mails()
    assert not stage.hooks


def test_the_webhook_signature_satisfies_the_reference_library(stage: Stage) -> None:
    stage.feeds["news"] = rss(OLD)
    stage.configure()

    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))
        published(stage)
        until(lambda: stage.calls("hook"))
    headers, _ = stage.calls("hook")[0]
    verified = Webhook(SECRET).verify(stage.raw["hook"], {k.lower(): v for k, v in headers.items()})

    assert "launches" in str(verified)


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_loses_nothing(stage: Stage, step: str) -> None:
    """Twice only when the kill falls between sending and marking, and then with the same id."""
    stage.feeds["news"] = rss(OLD)
    stage.configure()
    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))
    published(stage)

    killed = stage.start(WATCHER_FAULT=step)
    assert killed.process.wait(30) == -9
    with stage.daemon():
        until(lambda: arrived(stage), 60)
        settled()

    mails, hooks = stage.mails("launches"), stage.calls("hook")
    # A mark may be of several receivers at once, so each of them may see its message again.
    may_repeat = 2 if step in {"after_send_before_mark", "mid_mark"} else 1
    copies = [len(mails), len(hooks), len(stage.calls("slack"))]
    assert 1 <= min(copies) <= max(copies) <= may_repeat
    assert len({m["Message-ID"] for m in mails}) == 1
    assert len({headers.get("webhook-id") for headers, _ in hooks}) == 1


def test_a_dead_receiver_does_not_delay_the_others(stage: Stage) -> None:
    stage.feeds["news"] = rss(OLD)
    receivers = stage.receivers()
    receivers[1]["port"] = 9  # nobody listens there
    stage.configure(receivers=receivers)

    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))
        published(stage)
        until(lambda: stage.calls("slack") and stage.calls("hook"))
        failed = until(lambda: daemon.events("delivery_failed"))

    assert failed[0]["receiver"] == "mail"
    assert failed[0]["action"] == "retry"


def test_a_receiver_that_returns_gets_what_it_missed(stage: Stage) -> None:
    stage.feeds["news"] = rss(OLD)
    stage.answers["hook"] = 503
    stage.configure()

    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))
        published(stage)
        until(lambda: len(stage.calls("hook")) == 1)
        stage.answers["hook"] = 200
        until(lambda: len(stage.calls("hook")) == 2)
        settled(1)

    first, second = (headers["webhook-id"] for headers, _ in stage.calls("hook"))
    assert first == second
    assert len(stage.calls("hook")) == 2


def test_a_copy_in_another_feed_is_one_story_and_one_alert(stage: Stage) -> None:
    stage.feeds.update(news=rss(OLD), other=rss(OLD))
    stage.configure(feeds={"news": f"{stage.base}/news", "other": f"{stage.base}/other"})

    with stage.daemon() as daemon:
        until(lambda: len({e["feed"] for e in daemon.events("polled")}) == 2)
        published(stage)
        until(lambda: stage.mails("launches"))
        stage.feeds["other"] = rss(NEWS, OLD)
        until(
            lambda: any(e["feed"] == "other" and e.get("matched") for e in daemon.events("polled"))
        )
        settled(1)

    assert len(stage.mails("launches")) == 1
