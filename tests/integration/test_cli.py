"""Every command as a user types it, on a folder with a store behind it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from watcher.cli.main import COMMANDS, app, load
from watcher.config.load import load_config
from watcher.intake.outcomes import store_outcome
from watcher.model import Article, DigestKind, FeedState, FeedStatus, Notification
from watcher.parts import plan_of
from watcher.pipeline import Pipeline
from watcher.place import STORE_NAME
from watcher.store.engine import Transaction, open_store

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
FILES = {
    "watcher.yaml": """
data: data
operator: desk
receivers:
  - {id: desk, type: stdout}
  - {id: off, type: stdout, enabled: false}
routes:
  - {receivers: [desk], send: {digest: "0 7 * * *"}}
""",
    "feeds.yaml": """
feeds:
  - {id: sample, url: "http://127.0.0.1:9/feed", title: Sample}
""",
    "rules/rules.yaml": """
rules:
  - id: launch
    title: Launch
    severity: high
    when: {all: [korea, {near: {within: 2, terms: [rocket, launch*]}}]}
    unless: [toy]
    tests: {match: ["Korea rocket launch"], no_match: ["Korea toy rocket launch"]}
  - {id: ferry, title: Ferry, when: ferry, tests: {match: [ferry], no_match: [train]}}
""",
}
LAUNCH = Article(
    "a" + "1" * 19,
    "sample",
    "https://sample.example/1",
    "Korea: rocket launch \x1b[31mseen",
    "A 衛星 flew.",
    NOW,
    published=NOW,
    publisher="Sample",
    family="sample",
    lang="en",
)
FERRY = Article(
    "a" + "2" * 19, "sample", "https://sample.example/2", "Train late", "No boats.", NOW
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    with stored(tmp_path) as tx:
        pipeline = Pipeline(plan_of(load_config(tmp_path, {})))
        tx.feeds.sync([("sample", "http://127.0.0.1:9/feed")], NOW, timedelta(0))
        for article in (LAUNCH, FERRY):
            tx.articles.add(article, article.id)
            store_outcome(tx, pipeline.process(article, NOW), NOW)
        tx.outbox.enqueue(
            Notification("k1", "desk", DigestKind.TEST, "A subject", {"text": "The body"}, NOW, NOW)
        )
        (claimed,) = tx.outbox.claim_due(NOW, timedelta(minutes=1), 1)
        tx.outbox.dead("k1", claimed.attempt, "550: no such mailbox", NOW)
    return tmp_path


@contextmanager
def stored(folder: Path) -> Iterator[Transaction]:
    store = open_store(folder / "data" / STORE_NAME)
    try:
        with store.begin() as tx:
            yield tx
    finally:
        store.close()


def watcher(folder: Path, *words: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["--config", str(folder), *words], input=stdin)


def test_check_counts_what_is_there(folder: Path) -> None:
    done = watcher(folder, "check")

    assert done.exit_code == 0
    assert "1 feeds, 2 rules" in done.stdout


def test_check_names_every_mistake_and_exits_2(folder: Path) -> None:
    (folder / "rules" / "bad.yaml").write_text(
        "rules:\n  - {id: launch, when: {al: [x]}}\n  - {id: new, when: $nowhere}\n"
    )

    done = watcher(folder, "check")

    assert done.exit_code == 2
    assert "bad.yaml:2:25: " in done.stderr
    assert "did you mean 'all'?" in done.stderr
    assert "unknown concept $nowhere" in done.stderr
    assert "'launch'" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_tries_every_template(folder: Path) -> None:
    (folder / "templates").mkdir()
    (folder / "templates" / "digest.txt.j2").write_text("{{ digest.nothing_of_the_kind }}")
    (folder / "watcher.yaml").write_text(FILES["watcher.yaml"] + "templates: templates\n")

    done = watcher(folder, "check")

    assert done.exit_code == 2
    assert "digest.txt.j2:1" in done.stderr


def test_run_refuses_a_broken_configuration(folder: Path) -> None:
    (folder / "watcher.yaml").write_text("recievers: []\n")

    done = watcher(folder, "run")

    assert done.exit_code == 2
    assert "did you mean 'receivers'?" in done.stderr


def test_rule_tests_pass(folder: Path) -> None:
    done = watcher(folder, "test")

    assert done.exit_code == 0
    assert "4 passed, 0 failed" in done.stdout


def test_a_failing_rule_test_names_the_clause_that_decided(folder: Path) -> None:
    (folder / "rules" / "rules.yaml").write_text(
        "rules:\n  - {id: r, when: {all: [korea, rocket]}, tests: {match: [Korea], no_match: [Korea rocket]}}\n"
    )

    done = watcher(folder, "test")
    as_json = json.loads(watcher(folder, "test", "--json").stdout)

    assert done.exit_code == 1
    assert "should match: Korea" in done.stdout
    assert "all but rocket: not found" in done.stdout
    assert "should not match: Korea rocket" in done.stdout
    assert [outcome["passed"] for outcome in as_json] == [False, False]


def test_an_unknown_rule_is_answered_with_the_nearest(folder: Path) -> None:
    done = watcher(folder, "test", "--rule", "lanch")

    assert done.exit_code == 2
    assert "did you mean 'launch'?" in done.stderr


def test_explain_a_stored_article_shows_clauses_and_what_became_of_it(folder: Path) -> None:
    by_id = watcher(folder, "explain", LAUNCH.id)
    by_link = watcher(
        folder, "explain", "http://www.sample.example/1?utm_source=x", "--rule", "launch"
    )

    assert by_id.exit_code == by_link.exit_code == 0
    assert "launch: matches" in by_id.stdout
    assert "told: new_story" in by_id.stdout
    assert "\x1b[31m" not in by_id.stdout


def test_explain_a_headline_names_the_nearest_miss(folder: Path) -> None:
    done = watcher(folder, "explain", "Korea rocket one two three launch", "--rule", "launch")

    assert done.exit_code == 1
    assert "3 words between, 2 allowed" in done.stdout


def test_explain_as_json(folder: Path) -> None:
    found = json.loads(watcher(folder, "explain", LAUNCH.id, "--json").stdout)

    assert {r["rule"]: r["matched"] for r in found["rules"]} == {"launch": True, "ferry": False}


def test_explain_an_unknown_link_says_what_to_do(folder: Path) -> None:
    done = watcher(folder, "explain", "http://127.0.0.1:9/")

    assert done.exit_code == 1
    assert "no such article is stored" in done.stderr


@pytest.mark.parametrize("query", ["rocket", "衛星", "launch*", '"rocket launch"'])
def test_search_finds(folder: Path, query: str) -> None:
    (hit,) = json.loads(watcher(folder, "search", query, "--json").stdout)

    assert hit["id"] == LAUNCH.id


def test_search_takes_anything(folder: Path) -> None:
    assert watcher(folder, "search", 'x AND ( "').exit_code == 0
    assert "nothing found" in watcher(folder, "search", "zeppelin").stdout


def test_stories_and_their_timeline(folder: Path) -> None:
    (story,) = json.loads(watcher(folder, "stories", "--json").stdout)
    shown = watcher(folder, "stories", "show", story["id"])
    by_article = json.loads(watcher(folder, "stories", "show", LAUNCH.id, "--json").stdout)

    assert story["articles"] == 1
    assert "first report: Sample" in shown.stdout
    assert by_article["id"] == story["id"]
    assert [r["id"] for r in by_article["reports"]] == [LAUNCH.id]
    assert watcher(folder, "stories", "show", "nothing").exit_code == 1


def test_outbox_list_show_and_retry(folder: Path) -> None:
    listed = json.loads(watcher(folder, "outbox", "list", "--state", "dead", "--json").stdout)
    shown = watcher(folder, "outbox", "show", "k1")
    retried = watcher(folder, "outbox", "retry", "k1")
    after = json.loads(watcher(folder, "outbox", "list", "--json").stdout)

    assert [(n["key"], n["state"]) for n in listed] == [("k1", "dead")]
    assert "550: no such mailbox" in shown.stdout
    assert "The body" in shown.stdout
    assert retried.exit_code == 0
    assert [(n["key"], n["state"]) for n in after] == [("k1", "pending")]
    assert watcher(folder, "outbox", "show", "nothing").exit_code == 1
    assert watcher(folder, "outbox", "retry").exit_code == 2


def test_retrying_a_receiver_unparks_it(folder: Path) -> None:
    with stored(folder) as tx:
        tx.outbox.park("desk", None, "410: gone", NOW)

    done = watcher(folder, "outbox", "retry", "--receiver", "desk")

    assert "1 messages due again, unparked" in done.stdout


def test_status_tells_of_trouble(folder: Path) -> None:
    with stored(folder) as tx:
        tx.feeds.save(
            FeedState(
                "sample", "http://127.0.0.1:9/feed", NOW, FeedStatus.BROKEN, last_error="http_500"
            )
        )

    found = json.loads(watcher(folder, "status", "--json").stdout)

    assert found["articles"] == 2
    assert found["feeds_in_trouble"] == {"sample": "http_500"}
    assert found["outbox"] == {"desk:dead": 1}
    assert "http_500" in watcher(folder, "feeds", "list").stdout


def test_digest_preview_shows_what_waits(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"

    done = watcher(folder, "digest", "preview", "desk", "--out", str(page))

    assert done.exit_code == 0
    assert "rocket" in done.stdout
    assert "<mark" in page.read_text("utf-8") or "background" in page.read_text("utf-8")
    assert watcher(folder, "digest", "preview", "nobody").exit_code == 2


def test_send_test(folder: Path) -> None:
    good, off, unknown = (watcher(folder, "send-test", name) for name in ("desk", "off", "nobody"))

    assert good.exit_code == 0
    assert "This is a test from watcher" in good.stdout
    assert (off.exit_code, unknown.exit_code) == (2, 2)
    assert "is disabled" in off.stderr


def test_feeds_check_says_what_is_wrong(folder: Path) -> None:
    done = watcher(folder, "feeds", "check", "http://127.0.0.1:9/feed")

    assert done.exit_code == 1
    assert "blocked_address" in done.stderr


def test_feeds_parse_prints_what_would_be_stored(folder: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_text(
        "<rss version='2.0'><channel><title>T</title><item><title>One</title><link>/1</link></item></channel></rss>"
    )
    bad.write_text("nothing")

    one = watcher(folder, "feeds", "parse", str(good), "--base", "https://sample.example/")
    two = watcher(folder, "feeds", "parse", str(good), str(bad))
    piped = watcher(folder, "feeds", "parse", "-", stdin=good.read_text())

    assert json.loads(one.stdout)["articles"][0]["url"] == "https://sample.example/1"
    assert two.exit_code == 1
    assert [json.loads(line)["file"] for line in two.stdout.splitlines()] == [str(good), str(bad)]
    assert json.loads(piped.stdout)["title"] == "T"


def test_feeds_revive_makes_a_gone_feed_due(folder: Path) -> None:
    with stored(folder) as tx:
        tx.feeds.save(FeedState("sample", "http://127.0.0.1:9/feed", NOW, FeedStatus.GONE))

    done = watcher(folder, "feeds", "revive", "sample")

    assert done.exit_code == 0
    with stored(folder) as tx:
        state = tx.feeds.get("sample")
    assert state is not None
    assert state.status is FeedStatus.NEW
    assert watcher(folder, "feeds", "revive", "nothing").exit_code == 1


def lines(*articles: dict[str, Any]) -> str:
    return "".join(json.dumps(article) + "\n" for article in articles)


ONE = {"id": "x1", "title": "Korea rocket launch", "published": "2026-05-30T10:00:00Z"}
TWO = {
    "url": "https://sample.example/9",
    "title": "Korea rocket launch failed",
    "published": "2026-05-30T09:00:00Z",
}


def test_replay_goes_through_the_whole_service_in_order_of_time(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    (tmp_path / "in.jsonl").write_text(lines(ONE, TWO))

    done = watcher(folder, "replay", "--input", str(tmp_path / "in.jsonl"), "--output", str(out))
    records = [json.loads(line) for line in out.read_text().splitlines()]

    assert done.exit_code == 0
    assert [r["article"] for r in records if r["type"] == "match"] == [
        "https://sample.example/9",
        "x1",
    ]
    assert [r["new"] for r in records if r["type"] == "story"] == [True, False]
    assert next(r["kind"] for r in records if r["type"] == "alert") == "new_story"
    assert [(r["receiver"], r["at"]) for r in records if r["type"] == "notification"] == [
        ("desk", "2026-05-31T07:00:00Z")
    ]
    assert records[-1]["type"] == "summary"
    assert records[-1]["articles"] == 2


def test_replay_can_be_limited_and_take_everything(folder: Path) -> None:
    other = {"id": "x2", "title": "Nothing at all", "published": "2026-05-30T11:00:00Z"}

    only = watcher(
        folder,
        "replay",
        "--input",
        "-",
        "--only",
        "story",
        "--all-stories",
        stdin=lines(ONE, other),
    )

    assert [json.loads(line)["type"] for line in only.stdout.splitlines()] == [
        "story",
        "story",
        "summary",
    ]


@pytest.mark.parametrize(
    "line", ["no json", "[]", '{"id": "1"}', '{"id": "1", "title": "t", "published": "soon"}']
)
def test_replay_names_the_line_that_is_no_article(folder: Path, line: str) -> None:
    done = watcher(folder, "replay", "--input", "-", stdin=lines(ONE) + line + "\n")

    assert done.exit_code == 1
    assert "line 2: " in done.stderr


def test_backup_and_restore(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    watcher(folder, "backup", str(copy))
    with stored(folder) as tx:
        tx.outbox.replay("k1", NOW)

    done = watcher(folder, "restore", str(copy))

    assert done.exit_code == 0
    assert json.loads(watcher(folder, "outbox", "list", "--json").stdout)[0]["state"] == "dead"


def test_init_starts_a_folder_that_checks(tmp_path: Path) -> None:
    mine = tmp_path / "mine"

    first, again = watcher(tmp_path, "init", str(mine)), watcher(tmp_path, "init", str(mine))

    assert first.exit_code == again.exit_code == 0
    assert "kept" in again.stdout
    assert watcher(mine, "check").exit_code == 0


def test_a_store_that_is_none_is_left_alone(folder: Path) -> None:
    path = folder / "data" / STORE_NAME
    path.write_bytes(b"not a database at all")

    done = watcher(folder, "search", "x")

    assert done.exit_code == 3
    assert "is not a watcher database" in done.stderr
    assert path.read_bytes() == b"not a database at all"


def commands() -> list[list[str]]:
    def walk(command: Any, path: list[str]) -> Iterator[list[str]]:
        yield path
        for name, sub in getattr(command, "commands", {}).items():
            yield from walk(sub, [*path, name])

    return [words for name in COMMANDS for words in walk(load(name), [name])]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_has_help(words: list[str]) -> None:
    done = CliRunner().invoke(app, [*words, "--help"])

    assert done.exit_code == 0
    assert len(re.sub(r"\W+", " ", done.stdout)) > 60


def test_every_command_is_in_the_readme_or_the_manuals() -> None:
    root = Path(__file__).parents[2]
    pages = "".join(
        path.read_text("utf-8")
        for path in [root / "README.md", root / "CHANGELOG.md", *(root / "docs").glob("*.md")]
    )

    missing = [" ".join(words) for words in commands() if words[-1] not in pages]

    assert not missing
