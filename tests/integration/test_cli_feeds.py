"""feeds discover, add, import, export, as a new user types them, over a server on loopback."""

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from watcher.cli.main import app
from watcher.config.load import load_config

PAGE = """<html><head>
<link rel="alternate" type="application/rss+xml" title="Gazette » Comments Feed" href="/comments/feed.xml">
<link rel="alternate" type="application/rss+xml" title="Gazette" href="/gazette.xml">
</head><body><a href="/sea/rss.xml">The sea</a></body></html>"""
RSS = """<rss version="2.0"><channel><title>{}</title>
<item><title>One</title><pubDate>Fri, 29 May 2026 12:00:00 GMT</pubDate></item>
<item><title>Two</title><pubDate>Sat, 30 May 2026 12:00:00 GMT</pubDate></item></channel></rss>"""
FEEDS = """# Ours.
feeds:
  # wires
  - id: wire   # the first
    url: https://wire.example/rss
    group: wires
    headers: {Cookie: {env: WIRE}}
  - {id: off, url: "https://off.example/", title: Off, enabled: false}
# end
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The address of a small site."""
    root = tmp_path / "site"
    for name, text in {
        "index.html": PAGE,
        "gazette.xml": RSS.format("Harbour Gazette"),
        "sea/rss.xml": RSS.format("The sea"),
        "comments/feed.xml": RSS.format("Comments"),
        "talk/index.html": '<link rel="alternate" type="text/rss" href="/comments/feed.xml">',
    }.items():
        (root / name).parent.mkdir(exist_ok=True, parents=True)
        (root / name).write_text(text, "utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=root))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path, site: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WIRE", "a-secret-word")
    config = tmp_path / "config"
    config.mkdir()
    settings = f"http: {{allow: ['{site}']}}\npoll: {{host_spacing: 0s, per_host: 9}}\n"
    (config / "watcher.yaml").write_text(f"data: data\n{settings}")
    (config / "feeds.yaml").write_text(FEEDS, "utf-8")
    return config


def feeds(folder: Path, *args: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["--config", str(folder), "feeds", *args], input=stdin)


def test_discover_lists_the_feeds_of_a_page(folder: Path, site: str) -> None:
    done = feeds(folder, "discover", f"http://{site}/")

    assert done.exit_code == 0
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[1:] == [
        f"Harbour Gazette rss20 2 2 a day http://{site}/gazette.xml declared by the page",
        f"The sea rss20 2 2 a day http://{site}/sea/rss.xml linked on the page",
        f"Comments rss20 2 2 a day http://{site}/comments/feed.xml declared by the page, comments",
    ]


def test_discover_says_when_the_address_is_a_feed_itself(folder: Path, site: str) -> None:
    done = feeds(folder, "discover", f"http://{site}/gazette.xml")
    as_json = json.loads(feeds(folder, "discover", f"http://{site}/gazette.xml", "--json").stdout)

    assert done.stdout.startswith(f"http://{site}/gazette.xml is a feed\n")
    assert as_json["is_feed"]
    assert as_json["feeds"][0]["title"] == "Harbour Gazette"


def test_discover_without_a_feed_is_exit_1_with_what_was_tried(
    folder: Path, site: str, tmp_path: Path
) -> None:
    (tmp_path / "site" / "index.html").write_text("<p>Nothing here")
    done = feeds(folder, "discover", f"http://{site}/")
    refused = feeds(folder, "discover", "http://127.0.0.1:1/")

    assert (done.exit_code, refused.exit_code) == (1, 1)
    assert f"http://{site}/rss.xml: http_404" in done.stderr
    assert refused.stderr == "http://127.0.0.1:1/: blocked_address: 127.0.0.1\n"


def test_add_puts_the_feed_of_a_page_behind_the_last_one(folder: Path, site: str) -> None:
    done = feeds(folder, "add", f"http://{site}", "--group", "ports", "--every", "10m")

    assert done.exit_code == 0, done.stderr
    assert f"also there: http://{site}/sea/rss.xml The sea" in done.stdout
    line = f'  - {{id: harbour-gazette, url: "http://{site}/gazette.xml", title: Harbour Gazette, group: ports, every: 10m}}\n'
    assert (folder / "feeds.yaml").read_text() == FEEDS.replace("# end\n", f"{line}# end\n")


def test_add_takes_every_option(folder: Path, site: str) -> None:
    options = {"id": "sea", "title": "Sea: tides", "publisher": "The Sea", "lang": "en", "initial": "3"}  # fmt: skip
    given = [part for key, value in options.items() for part in (f"--{key}", value)]
    done = feeds(folder, "add", f"http://{site}/sea/rss.xml", *given)

    assert done.exit_code == 0, done.stderr
    feed = load_config(folder, {"WIRE": "x"}).feeds[-1]
    assert {key: str(getattr(feed, key)) for key in options} == options


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (["https://wire.example/rss"], 1, "is among the feeds as wire"),
        (["www.wire.example/rss/"], 1, "is among the feeds as wire"),
        (["http://off.example"], 1, "is among the feeds as off"),
        (["{site}/sea/rss.xml", "--id", "wire"], 2, "'wire' is taken"),
        (["{site}/sea/rss.xml", "--id", "No good"], 2, "is not a name here"),
        (["{site}/sea/rss.xml", "--every", "soon"], 2, "'soon' is not a duration"),
        (["{site}/sea/rss.xml", "--initial", "-1"], 2, "out of range"),
        (["{site}/talk/"], 1, "only comments have feeds"),
        (["file:///etc/passwd"], 2, "must begin with http"),
        (["http://127.0.0.1:1/"], 1, "blocked_address"),
    ],
)
def test_add_refuses_with_a_reason(
    args: list[str], code: int, told: str, folder: Path, site: str
) -> None:
    done = feeds(folder, "add", *(a.replace("{site}", f"http://{site}") for a in args))

    assert (done.exit_code, told in done.stderr) == (code, True), done.output
    assert (folder / "feeds.yaml").read_text() == FEEDS


def test_add_says_that_a_feed_was_only_at_a_usual_place(
    folder: Path, site: str, tmp_path: Path
) -> None:
    (tmp_path / "site" / "index.xml").write_text(RSS.format("Root"))
    done = feeds(folder, "add", f"http://{site}/no-such-page")

    assert done.stdout == f"added root: Root, http://{site}/index.xml (a usual place)\n"


@pytest.mark.parametrize("command", ["add", "discover", "check"])
def test_a_site_without_tls_is_told_how_to_write_its_address(
    folder: Path, site: str, command: str
) -> None:
    """Without a scheme an address means https."""
    done = feeds(folder, command, f"{site}/gazette.xml")
    with_scheme = feeds(folder, command, f"https://{site}/gazette.xml")

    assert done.exit_code == 1
    assert f"has the site none, write http://{site}/gazette.xml" in done.output
    assert "write http" not in with_scheme.output


def test_add_unasked_asks_nobody(folder: Path) -> None:
    done = feeds(folder, "add", "feed://later.example/rss", "--unasked")

    assert done.exit_code == 0, done.stderr
    assert load_config(folder, {"WIRE": "x"}).feeds[-1].url == "http://later.example/rss"


def test_a_list_in_brackets_is_left_alone_and_the_lines_are_told(folder: Path, site: str) -> None:
    text = 'feeds: [{id: a, url: "https://a.example/"}]\n'
    (folder / "feeds.yaml").write_text(text)
    done = feeds(folder, "add", f"http://{site}/sea/rss.xml")

    assert done.exit_code == 2
    assert "feeds.yaml:1:8: feeds: the list is written in brackets" in done.stderr
    assert f"  - id: the-sea\n    url: http://{site}/sea/rss.xml\n" in done.stderr
    assert (folder / "feeds.yaml").read_text() == text


OPML = """<opml version="1.0"><body>
<outline text="Ports">
<outline text="Cape" xmlUrl="https://cape.example/rss?a=1&b=2"/>
<outline text="Wire again" xmlUrl="http://wire.example/rss/"/>
<outline text="Local" xmlUrl="file:///etc/passwd"/>
</outline></body></opml>"""


def test_import_adds_what_is_new_and_tells_the_rest(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "list.opml").write_text(OPML)
    done = feeds(folder, "import", str(tmp_path / "list.opml"))
    again = feeds(folder, "import", "-", "--group", "other", stdin=OPML)

    assert (done.exit_code, again.exit_code) == (0, 0)
    assert done.stdout == "1 added, 1 known already, 1 skipped\n"
    assert "known already: line 4: http://wire.example/rss/ is wire\n" in done.stderr
    assert "skipped: line 5: Local: url: 'file:///etc/passwd'" in done.stderr
    assert again.stdout == "0 added, 2 known already, 1 skipped\n"
    added = load_config(folder, {"WIRE": "x"}).feeds[-1]
    assert (added.id, added.group, added.url) == (
        "cape",
        "Ports",
        "https://cape.example/rss?a=1&b=2",
    )


def test_import_dry_run_changes_nothing(folder: Path) -> None:
    done = feeds(folder, "import", "-", "--dry-run", stdin=OPML)

    assert done.exit_code == 0
    assert "cape" in done.stdout
    assert "1 would be added" in done.stdout
    assert (folder / "feeds.yaml").read_text() == FEEDS


def test_what_a_list_says_can_not_colour_a_terminal(folder: Path) -> None:
    hostile = '<outline xmlUrl="https://wire.example/rss#&#x9b;31m" text="a&#x202e;b"/>'
    done = feeds(folder, "import", "-", stdin=f"<opml><body>{hostile}</body></opml>")

    assert "is wire" in done.stderr
    assert done.stderr.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("<opml><body/></opml>", ""),
        ("<rss/>", "not_opml"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><opml/>", "entity_declaration"),
        ("<opml><body>", "bad_xml"),
    ],
)
def test_import_of_no_list_is_exit_1(folder: Path, body: str, told: str) -> None:
    done = feeds(folder, "import", "-", stdin=body)

    assert (done.exit_code, told in done.stderr) == (1, True)


def test_import_of_no_file_is_exit_2(folder: Path, tmp_path: Path) -> None:
    done = feeds(folder, "import", str(tmp_path / "none.opml"))

    assert (done.exit_code, "can't be read" in done.stderr) == (2, True)


def test_export_then_import_into_a_new_folder_gives_the_same_feeds(
    folder: Path, tmp_path: Path
) -> None:
    feeds(folder, "import", "-", stdin=OPML)
    done = feeds(folder, "export", "--output", str(tmp_path / "all.opml"))
    other = tmp_path / "other"
    other.mkdir()
    (other / "watcher.yaml").write_text("data: data\n")
    back = feeds(other, "import", str(tmp_path / "all.opml"))

    assert (done.exit_code, back.exit_code) == (0, 0), back.stderr
    assert feeds(other, "export").stdout.count("<outline type=") == 3
    expected = [
        f.model_copy(update={"headers": {}}) for f in load_config(folder, {"WIRE": "x"}).feeds
    ]
    assert sorted(load_config(other, {}).feeds, key=lambda f: f.id) == sorted(expected, key=lambda f: f.id)  # fmt: skip
    assert 'id: "off"' in (other / "feeds.yaml").read_text()


def test_export_keeps_secrets_and_may_take_one_group(folder: Path) -> None:
    done = feeds(folder, "export", "--group", "wires")
    none = feeds(folder, "export", "--group", "wire")

    assert 'watcher:id="wire"' in done.stdout
    assert "off.example" not in done.stdout
    assert "WIRE" not in done.stdout
    assert "secret" not in done.stdout
    assert none.exit_code == 1
