"""feeds list and feeds check, as an operator types them, over a server on loopback."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from watcher.app import STORE_NAME
from watcher.cli.main import app
from watcher.identity import OldSign, identity_keys
from watcher.model import Entry, FeedState, FeedStatus
from watcher.pace import begun
from watcher.store.engine import open_store
from watcher.websub.subscription import State, Subscription

NOW = datetime.now(UTC)
PAGES = {
    "/rss": ("text/html", "<rss version='2.0'><channel><title>Wire</title><item><title>\x1b[31mRocket</title></item></channel></rss>"),
    "/hub": ("application/rss+xml", "<rss version='2.0' xmlns:a='http://www.w3.org/2005/Atom'><channel><title>Wire</title><a:link rel='hub' href='https://hub.example/x'/></channel></rss>"),
    "/page": ("text/html", "<!doctype html><html><title>Gazette</title></html>"),
}  # fmt: skip


class Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind, text = PAGES[self.path]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


@dataclass(frozen=True)
class Desk:
    folder: Path
    site: str

    def run(self, *args: str) -> Result:
        return CliRunner().invoke(app, ["--config", str(self.folder), "feeds", *args])

    def save(self, *states: FeedState) -> None:
        (self.folder / "data").mkdir(exist_ok=True)
        store = open_store(self.folder / "data" / STORE_NAME)
        with store.begin() as tx:
            wanted = [(name, f"{self.site}/{name}") for name in ("rss", "page")]
            tx.feeds.sync(wanted, NOW, timedelta(0))
            tx.feeds.save_all(states)
        store.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    address = f"127.0.0.1:{server.server_port}"
    poll = "poll: {host_spacing: 0s}"
    (tmp_path / "watcher.yaml").write_text(f"data: data\nhttp: {{allow: ['{address}']}}\n{poll}\n")
    feeds = "".join(f"  - {{id: {n}, url: 'http://{address}/{n}'}}\n" for n in ("rss", "page"))
    (tmp_path / "feeds.yaml").write_text("feeds:\n" + feeds)
    yield Desk(tmp_path, f"http://{address}")
    server.shutdown()
    thread.join()
    server.server_close()


def ok(desk: Desk) -> FeedState:
    dates = [NOW - n * timedelta(hours=2) for n in range(60)]
    return FeedState(
        "rss", f"{desk.site}/rss", NOW + timedelta(minutes=9), FeedStatus.OK, last_polled_at=NOW,
        newest_at=NOW, pace=begun(dates, NOW).text, reason="rhythm",
    )  # fmt: skip


def test_list_tells_rhythm_and_reason(desk: Desk) -> None:
    desk.save(ok(desk))

    shown = desk.run("list").stdout
    row = json.loads(desk.run("list", "--json").stdout)[0]
    assert "about 12 a day" in shown
    assert "its own rhythm" in shown
    assert (row["status"], row["trouble"], row["why"]) == ("ok", False, "its own rhythm")


def test_list_trouble_shows_what_somebody_should_look_at(desk: Desk) -> None:
    desk.save(ok(desk))
    calm = desk.run("list", "--trouble").stdout
    failing = replace(ok(desk), feed="page", failing_since=NOW, failures=2, reason="backoff", last_error="http_500")  # fmt: skip
    desk.save(failing)

    rows = json.loads(desk.run("list", "--trouble", "--json").stdout)
    assert "no feed is in trouble, of 2" in calm
    assert [(row["feed"], row["error"], row["why"]) for row in rows] == [
        ("page", "http_500", "failed 2 times")
    ]


def test_check_tells_what_is_wrong_and_stores_nothing(desk: Desk) -> None:
    done = desk.run("check", "rss")

    assert done.exit_code == 0
    assert "served as text/html" in done.stdout
    assert "every poll costs all of its" in done.stdout
    assert "1 of 1 entries have no date" in done.stdout
    assert "\x1b" not in done.stdout
    assert not (desk.folder / "data").exists()


def test_check_is_read_by_programs(desk: Desk) -> None:
    found = json.loads(desk.run("check", f"{desk.site}/rss", "--json").stdout)

    assert (found["title"], found["answers_at"]) == ("Wire", f"{desk.site}/rss")
    assert "content_type" in {finding["flaw"] for finding in found["findings"]}


def test_check_of_a_page_says_how_to_find_its_feeds(desk: Desk) -> None:
    done = desk.run("check", "page")

    assert done.exit_code == 1
    assert f"watcher feeds discover {desk.site}/page" in done.stderr


def test_check_names_the_hub_that_would_push_the_feed(desk: Desk) -> None:
    said = "names a hub, hub.example: it is pushed where web.public_url is set"

    assert said in desk.run("check", f"{desk.site}/hub").stdout
    assert "hub" not in desk.run("check", "rss").stdout


def test_list_says_until_when_a_feed_is_pushed_and_nothing_that_a_hub_knows(desk: Desk) -> None:
    desk.save(ok(desk))
    assert "pushed" not in desk.run("list").stdout
    live = Subscription(
        "the-token", "rss", "https://hub.example/", f"{desk.site}/rss", "https://me.example",
        "the-secret", NOW, State.LIVE, lease_until=NOW + timedelta(days=3),
    )  # fmt: skip
    store = open_store(desk.folder / "data" / STORE_NAME)
    with store.begin() as tx:
        tx.subscriptions.save(live)
    store.close()
    shown, raw = desk.run("list").stdout, desk.run("list", "--json").stdout
    pushed = {row["feed"]: row["pushed"] for row in json.loads(raw)}

    assert "pushed until" in shown
    assert pushed == {"rss": (NOW + timedelta(days=3)).isoformat(), "page": None}
    assert "the-token" not in shown + raw
    assert "the-secret" not in shown + raw


def test_check_of_a_configured_feed_says_what_is_stored_and_what_was_renamed(desk: Desk) -> None:
    title = json.loads(desk.run("check", "rss", "--json").stdout)["articles"][0]["title"]
    keys = identity_keys(Entry("old", "https://sample.example/old", title, summary="x" * 50))
    desk.save(ok(desk))
    store = open_store(desk.folder / "data" / STORE_NAME)
    with store.begin() as tx:
        tx.articles.remember_all([("rss", key, "a1") for key in keys.all], NOW)
    store.close()

    done = desk.run("check", "rss")
    found = json.loads(desk.run("check", "rss", "--json").stdout)
    assert "here: ok; 0 of these entries are stored, 1 would be new" in done.stdout
    assert (found["state"], found["renamed"]) == ("ok", 1)


def test_check_and_status_say_how_many_entries_of_a_feed_are_held_back(desk: Desk) -> None:
    desk.save(ok(desk))
    store = open_store(desk.folder / "data" / STORE_NAME)
    with store.begin() as tx:
        tx.held.add("rss", {"a1": OldSign.NO_DATE, "a2": OldSign.KNOWN_TITLE}, NOW)
    store.close()

    checked = desk.run("check", "rss").stdout
    status = CliRunner().invoke(app, ["--config", str(desk.folder), "status"]).stdout
    assert "here: ok, 2 entries held back" in checked
    assert "watcher feeds quarantine rss" in checked
    assert "rss: ok, 2 entries held back" in status
