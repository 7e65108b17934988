"""The parser suites of others, read from beside the checkout: nothing crashes, the counts are theirs."""

import random
from pathlib import Path
from typing import Any

from parser_suites import SUITES, manifest, needs_suites

from watcher.errors import ParseError
from watcher.model import ParsedFeed
from watcher.sources.html import html_to_line
from watcher.sources.parse import parse_feed


def parse(path: Path) -> ParsedFeed | None:
    try:
        return parse_feed(path.read_bytes(), url="http://sample.example/feed")
    except ParseError:
        return None


@needs_suites
def test_no_file_of_the_suites_brings_the_parser_down() -> None:
    outcomes = [parse(SUITES / row["file"]) is not None for row in manifest()]

    assert len(outcomes) > 2_500
    # Entity declarations, empty files, and what is no feed at all.
    assert outcomes.count(False) <= 10


@needs_suites
def test_the_entry_counts_are_gofeeds() -> None:
    rows = [row for row in manifest() if row.get("expect_entries") is not None]
    wrong = [
        row["file"]
        for row in rows
        if (found := parse(SUITES / row["file"])) is None
        or len(found.entries) != row["expect_entries"]
    ]

    assert len(rows) == 533
    assert wrong == []


# Titles that the suites give otherwise, and why ours may differ.
SET_ASIDE = {
    "feed_title_crazy.xml": "their sanitiser drops the text of unknown tags, a reader sees it",
    "xml_declaration_unexpected_character.xml": "a broken doctype as the title",
    "xml_malicious_comment.xml": "what stands in an unclosed comment",
    "atom10_feed_title_xhtml_escaped_markup.xml": "xhtml without its div (RFC 4287 §3.1.1.3)",
    "atom10_feed_title_xhtml_inline_markup.xml": "xhtml without its div (RFC 4287 §3.1.1.3)",
    "issue_320_legacy_entity_prefix.xml": "&copy without semicolon, as HTML reads it",
}


@needs_suites
def test_the_feed_titles_are_theirs() -> None:
    rows = [
        row
        for row in manifest()
        if row.get("expect_feed_title") and Path(row["file"]).name not in SET_ASIDE
    ]

    wrong = [
        row["file"]
        for row in rows
        if (found := parse(SUITES / row["file"])) is None or found.title != title_of(row)
    ]

    assert len(rows) > 350
    assert wrong == []


def title_of(row: dict[str, Any]) -> str:
    """Their title as a reader sees it: escapes of the manifest undone, markup gone."""
    written: str = row["expect_feed_title"]
    if "\\" in written:
        written = written.encode("latin-1", "backslashreplace").decode("unicode_escape")
    return html_to_line(written)


@needs_suites
def test_mutated_feeds_neither_crash_nor_hang() -> None:
    """RELIABILITY B8, a seeded handful; `python -m benchmarks.fuzz_feeds` runs thousands."""
    rng = random.Random(20260530)
    rows = rng.sample([row for row in manifest() if row["bytes"] < 20_000], 300)

    refused = 0
    for row in rows:
        body = bytearray((SUITES / row["file"]).read_bytes())
        for _ in range(rng.randrange(1, 12)):
            at = rng.randrange(len(body) + 1)
            body[at : at + rng.randrange(4)] = rng.choice(
                [b"<", b">", b"&", b"\x00", b"]]>", b"<!--", bytes([rng.randrange(256)])]
            )
        try:
            parse_feed(bytes(body), url="http://sample.example/feed")
        except ParseError:
            refused += 1

    assert refused < 150
