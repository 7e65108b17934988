"""The real daemon and a hub: subscribed, pushed and told; restarted, killed, and left by its hub."""

import hashlib
import hmac
import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import parse_qsl, urlencode

import pytest

from tests.acceptance.stage import NEWS, Stage, free_port, rss, settled, until

OLD = ("Old harbour news", "Nothing of interest.")
LATER = ("Pyongyang fires another rocket", "A second satellite launch within a week, it said.")


RULE = """
rules:
  - id: launch
    title: Satellite launch
    when: rocket
    alert: {follow_ups: all}
"""


class Hub:
    """Verifies as soon as it has answered, and pushes when told to."""

    def __init__(self) -> None:
        self.forms: list[dict[str, str]] = []
        self.verified: list[tuple[str, str]] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                form = dict(parse_qsl(self.rfile.read(size).decode()))
                self.send_response(202)
                self.end_headers()
                hub.forms.append(form)
                threading.Thread(target=hub.verify, args=[form]).start()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=[0.05], daemon=True).start()

    def verify(self, form: dict[str, str]) -> None:
        said = {"mode": form["hub.mode"], "topic": form["hub.topic"], "challenge": "c-1"}
        query = urlencode({f"hub.{k}": v for k, v in (said | {"lease_seconds": "864000"}).items()})
        with urllib.request.urlopen(f"{form['hub.callback']}?{query}", timeout=10) as answer:
            self.verified.append((form["hub.mode"], answer.read().decode()))

    def push(self, *items: tuple[str, str]) -> int:
        body, form = rss(*items), self.forms[-1]
        digest = hmac.new(form["hub.secret"].encode(), body, hashlib.sha256).hexdigest()
        request = urllib.request.Request(
            form["hub.callback"],
            body,
            {"Content-Type": "application/rss+xml", "X-Hub-Signature": f"sha256={digest}"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def hub() -> Iterator[Hub]:
    made = Hub()
    yield made
    made.close()


def feed(hub: Hub, *items: tuple[str, str]) -> bytes:
    links = f"<a:link xmlns:a='http://www.w3.org/2005/Atom' rel='hub' href='http://127.0.0.1:{hub.port}/'/>"
    return rss(*items).replace(b"<channel>", b"<channel>" + links.encode())


def configure(stage: Stage, hub: Hub, *, every: str = "1h") -> None:
    port = free_port()
    stage.configure(
        rules=RULE,
        http={"allow": [f"127.0.0.1:{stage.port}", f"127.0.0.1:{hub.port}"], "timeout": "3s"},
        poll={"every": every, "min": every, "host_spacing": "0s", "per_host": 50},
        web={"listen": f"127.0.0.1:{port}", "public_url": f"http://127.0.0.1:{port}"},
    )


def told(stage: Stage) -> list[str]:
    return [story["title"] for _, body in stage.calls("hook") for story in body["data"]["stories"]]


def test_a_push_is_told_without_a_poll_and_after_a_restart_too(stage: Stage, hub: Hub) -> None:
    stage.feeds["news"] = feed(hub, OLD)
    configure(stage, hub)
    with stage.daemon():
        until(lambda: hub.verified)
        assert hub.push(NEWS) == 202
        until(lambda: told(stage))
    with stage.daemon() as daemon:
        until(lambda: len(daemon.events("listening")) == 2)
        assert hub.push(LATER, NEWS) == 202
        until(lambda: len(told(stage)) == 2)
        listed = json.loads(stage.cli("feeds", "list", "--json").stdout)
        status = stage.cli("status", "--json").stdout
        settled()
    shown = status + json.dumps(listed) + log_of(stage.folder)
    form = hub.forms[0]

    assert told(stage) == [NEWS[0], LATER[0]]
    assert len(stage.requests) == 1
    assert (hub.verified, len(hub.forms)) == ([("subscribe", "c-1")], 1)
    assert listed[0]["pushed"] is not None
    assert json.loads(status)["hubs"] == {"live": 1}
    assert form["hub.secret"] not in shown
    assert form["hub.callback"].rpartition("/")[2] not in shown


def log_of(folder: Path) -> str:
    return "".join((folder / name).read_text("utf-8") for name in ("daemon.log", "daemon.out"))


def test_a_push_that_the_daemon_did_not_survive_is_sent_again_and_told_once(
    stage: Stage, hub: Hub
) -> None:
    stage.feeds["news"] = feed(hub, OLD)
    configure(stage, hub)
    with stage.daemon() as daemon:
        until(lambda: hub.verified)
        until(lambda: daemon.events("hub_said"))
    with stage.daemon(WATCHER_FAULT="before_commit") as daemon:
        until(lambda: len(daemon.events("listening")) == 2)
        with pytest.raises((URLError, ConnectionError)):
            hub.push(NEWS)
        until(lambda: daemon.process.poll() is not None)
    with stage.daemon() as daemon:
        until(lambda: len(daemon.events("listening")) == 3)
        hub.push(NEWS)
        until(lambda: told(stage))
        settled()

    assert told(stage) == [NEWS[0]]


def test_when_the_hub_dies_polling_goes_on(stage: Stage, hub: Hub) -> None:
    stage.feeds["news"] = feed(hub, OLD)
    configure(stage, hub, every="5s")
    with stage.daemon():
        until(lambda: hub.verified)
        hub.push(NEWS)
        until(lambda: told(stage))
        hub.close()
        stage.feeds["news"] = feed(hub, LATER, NEWS, OLD)
        until(lambda: len(told(stage)) == 2)

    assert told(stage) == [NEWS[0], LATER[0]]
