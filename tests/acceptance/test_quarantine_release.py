"""A feed shows its archive anew: nobody is alerted, until the operator says that it was news after all."""

import json

from tests.acceptance.stage import NEWS, Stage, rss, settled, until


def test_what_was_held_back_is_seen_released_and_told_once(stage: Stage) -> None:
    stage.feeds["news"] = rss(*((f"Harbour report {n}", "Nothing.") for n in range(30)))
    stage.configure()
    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))
        stage.feeds["news"] = rss(NEWS, *((f"Market report {n}", "Nothing.") for n in range(30)))
        until(lambda: any(e["outcome"] == "quarantined" for e in daemon.events("polled")))
        listed = json.loads(stage.cli("feeds", "list", "--trouble", "--json").stdout)
        held = json.loads(stage.cli("feeds", "quarantine", "news", "--json").stdout)
        quiet = not stage.mails("launches")
        first = stage.cli("feeds", "release", "news")
        until(lambda: stage.mails("launches"))
        second = stage.cli("feeds", "release", "news")
        settled()
        left = json.loads(stage.cli("feeds", "quarantine", "news", "--json").stdout)

    notice = (stage.folder / "daemon.out").read_text("utf-8")
    assert listed[0]["held_back"] == len(held) == 31
    assert (held[0]["title"], held[0]["rules"], held[0]["sign"]) == (NEWS[0], ["launch"], "no_date")
    assert quiet
    assert "the running daemon decides" in first.stdout
    assert "nothing is held back" in second.stdout
    assert len(stage.mails("launches")) == 1
    assert left == []
    assert "watcher feeds release news" in notice
