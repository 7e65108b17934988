"""A changed configuration is taken as a whole or refused as a whole, without a restart."""

import signal

from tests.acceptance.stage import NEWS, RULES, Stage, rss, until

OLD = ("Old harbour news", "Nothing of interest.")
FERRY = ("Ferry strands on a sandbank", "All sixty passengers were taken ashore.")
FERRY_RULE = """
  - id: ferry
    title: Ferries
    when: {all: [ferry]}
"""


def test_a_changed_file_is_taken_without_a_restart(stage: Stage) -> None:
    stage.feeds["news"] = rss(OLD)
    config = stage.configure()
    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))
        (config / "rules" / "ferry.yaml").write_text("rules:" + FERRY_RULE)
        until(lambda: daemon.events("reloaded"))
        stage.feeds["news"] = rss(FERRY, OLD)
        until(lambda: stage.mails("sandbank"))

    assert daemon.events("reloaded")[0]["rules"] == 2


def test_sighup_reloads_too_and_says_when_nothing_changed(stage: Stage) -> None:
    stage.feeds["news"] = rss(OLD)
    stage.configure()
    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))
        daemon.process.send_signal(signal.SIGHUP)
        until(lambda: daemon.events("reload_unchanged"))

    assert not daemon.events("reload_refused")


def test_a_broken_file_leaves_the_old_configuration_in_force_and_says_so(stage: Stage) -> None:
    stage.feeds["news"] = rss(OLD)
    config = stage.configure()
    rules = config / "rules" / "rules.yaml"
    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))
        rules.write_text(RULES.replace("severity: high", "severty: high"))
        refused = until(lambda: daemon.events("reload_refused"))
        stage.feeds["news"] = rss(NEWS, OLD)
        until(lambda: stage.mails("launches"))
        rules.write_text(RULES.replace("severity: high", "severity: low"))
        until(lambda: daemon.events("reloaded"))

    problem = refused[0]["problems"][0]
    assert "rules.yaml:5:5" in problem
    assert "'severity'" in problem
    # The operator is told as well, by the receiver that watcher.yaml names.
    assert "refused" in (stage.folder / "daemon.out").read_text()


def test_a_receiver_added_by_a_reload_gets_what_comes_next(stage: Stage) -> None:
    stage.feeds["news"] = rss(OLD)
    only_mail = [r for r in stage.receivers() if r["id"] == "mail"]
    stage.configure(receivers=only_mail)
    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))
        stage.configure()
        until(lambda: daemon.events("reloaded"))
        stage.feeds["news"] = rss(NEWS, OLD)
        until(lambda: stage.mails("launches") and stage.calls("hook"))

    assert len(stage.calls("hook")) == 1


def test_a_setting_that_needs_a_restart_is_named(stage: Stage) -> None:
    stage.feeds["news"] = rss(OLD)
    config = stage.configure()
    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))
        settings = config / "watcher.yaml"
        settings.write_text(settings.read_text() + "web: {listen: '127.0.0.1:1'}\n")
        named = until(lambda: daemon.events("restart_needed"))

    assert named[0]["settings"] == ["web"]
