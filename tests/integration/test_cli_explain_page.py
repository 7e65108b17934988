"""`watcher explain URL`: the text of the page as feeds with `full_text` get it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from workbench_folder import SETTINGS, make_folder, watcher

from watcher.sources.article_page import is_installed

STORY = "".join(
    f"<p>The harbour office of the northern port said in paragraph {n} that ships wait outside, "
    "that none was hurt, and that pilots are sent out again when the wind is less.</p>"
    for n in range(8)
)
PAGES = {
    "/story": f"<!doctype html><html lang='en'><head><title>Korea rocket launch seen</title></head><body><nav><ul><li><a href='/toys'>Best toy of the year</a></li></ul></nav><div class='content'>{STORY}</div><footer>Subscribe</footer></body></html>",
    "/bare": "<!doctype html><html><head><title>Korea rocket launch</title></head><body></body></html>",
}  # fmt: skip


class Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGES[self.path].encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path, site: str) -> Path:
    made = make_folder(tmp_path / "mine", [])
    (made / "watcher.yaml").write_text(f"{SETTINGS}\nhttp: {{allow: ['{site}']}}\n")
    return made


@pytest.mark.skipif(not is_installed(), reason="needs the extra fulltext")
def test_a_page_is_judged_by_its_article_without_the_menus(folder: Path, site: str) -> None:
    """The word in the menu would cancel the match."""
    done = watcher(folder, "explain", f"http://{site}/story", "--rule", "launch")

    assert done.exit_code == 0, done.output
    assert "note:" not in done.stderr


@pytest.mark.skipif(not is_installed(), reason="needs the extra fulltext")
def test_a_page_without_an_article_is_judged_by_all_of_it(folder: Path, site: str) -> None:
    done = watcher(folder, "explain", f"http://{site}/bare", "--rule", "launch")

    assert done.exit_code == 0, done.output
    assert "no article was made out on the page" in done.stderr


def test_without_the_extra_it_says_what_to_install(
    folder: Path, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watcher.cli.explain.is_installed", lambda: False)
    done = watcher(folder, "explain", f"http://{site}/story", "--rule", "launch")

    assert done.exit_code == 1
    assert "pip install 'watcher-alerts[fulltext]'" in done.stderr
