"""After downtime the daemon catches up: late and once, grouped and never as a flood (D3, I5)."""

import json
from random import Random

from tests.acceptance.stage import NEWS, Stage, rss, settled, until
from watcher.demo.newsday import DAY, Noise, read_outlets

OLD = ("Old harbour news", "Nothing of interest.")
RULE = """
rules:
  - id: everyday
    title: Everyday
    when: {all: [kestrelmark]}
    alert: {follow_ups: all}
"""


def test_a_digest_missed_while_down_comes_once_and_says_that_it_is_late(stage: Stage) -> None:
    stage.feeds["news"] = rss(OLD)
    stage.configure(routes=[{"receivers": ["mail"], "send": {"digest": "0 7 * * *"}}])
    with stage.daemon(WATCHER_CLOCK="2026-05-30T05:00:00Z*10") as daemon:
        until(lambda: daemon.events("polled"))
        stage.feeds["news"] = rss(NEWS, OLD)
        until(lambda: any(e.get("alerts") for e in daemon.events("polled")))
    before = list(stage.mails())
    # Three days off, and started twice on the day of the return.
    with stage.daemon(WATCHER_CLOCK="2026-06-02T12:00:00Z*10"):
        until(stage.mails)
    with stage.daemon(WATCHER_CLOCK="2026-06-02T13:00:00Z*10") as daemon:
        until(lambda: len(daemon.events("started")) == 3)
        settled()

    assert not before
    assert [m["X-Watcher-Kind"] for m in stage.mails()] == ["digest"]
    assert [e["late"] for e in daemon.events("composed")] == [True]


def test_a_backlog_of_alerts_is_grouped_and_not_a_flood(stage: Stage) -> None:
    noise, outlet = Noise(Random(3)), read_outlets()["sample-wire"]
    pieces = [noise.piece(outlet, DAY) for _ in range(60)]
    items = [(f"{p.title} no{n}", f"Kestrelmark. {p.text}") for n, p in enumerate(pieces)]
    stage.feeds["news"] = rss(OLD)
    stage.configure(rules=RULE)
    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))
    stage.feeds["news"] = rss(*items, OLD)
    with stage.daemon():
        until(lambda: stage.mails() and stage.calls("slack") and stage.calls("hook"))
        settled()

    told = json.dumps([body for _, body in stage.calls("hook")])
    assert len(stage.mails()) <= 20
    assert len(stage.calls("slack")) <= 20
    assert len(stage.calls("hook")) == 1
    assert stage.calls("hook")[0][1]["type"] == "watcher.digest"
    assert [n for n in range(60) if f' no{n}"' not in told] == []
