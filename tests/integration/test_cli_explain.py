"""`watcher explain` on text, pages and stored articles."""

from pathlib import Path

import pytest
from workbench_folder import article, make_folder, watcher

PAGE = """<!doctype html><html lang="en"><head><title>Site - Korea: rocket launch</title>
<meta content="Korea: rocket launch seen" property="og:title">
<meta property="article:published_time" content="2026-05-29T10:00:00Z"></head>
<body><nav>toy shop</nav><article><p>It flew &amp; fell.</p></article></body></html>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "mine", [article(1, "Korea rocket launch seen", hours=2)])


def test_what_matched_is_marked(folder: Path) -> None:
    done = watcher(folder, "explain", article(1, "", hours=0).id, "--rule", "launch")

    assert done.exit_code == 0
    assert "title: «Korea» «rocket» «launch» seen" in done.stdout


def test_a_near_miss_marks_the_terms_that_were_there(folder: Path) -> None:
    text = "Korea in the news\nThe rocket on the pad is far from any launch."

    done = watcher(folder, "explain", "-", "--rule", "launch", stdin=text)

    assert done.exit_code == 1
    assert "all but rocket near/3 launch*: 7 words between, 3 allowed" in done.stdout
    assert "The «rocket» on the pad is far from any «launch»." in done.stdout


def test_a_page_is_read_by_its_article_and_its_own_title(folder: Path) -> None:
    done = watcher(folder, "explain", "-", "--rule", "launch", stdin=PAGE)

    assert done.exit_code == 0
    assert done.stdout.startswith("Korea: rocket launch seen\n")
    assert "It flew & fell." in done.stdout


def test_json_is_read_as_a_test_of_a_rule(folder: Path) -> None:
    text = '{"title": "Korea", "text": "A rocket launch.", "lang": "ko", "id": "x"}'

    assert watcher(folder, "explain", "-", "--rule", "launch", stdin=text).exit_code == 0


@pytest.mark.parametrize(
    ("stdin", "message"), [("  \n", "is empty"), ('{"title": ', "is not JSON")]
)
def test_what_is_no_text_is_told(folder: Path, stdin: str, message: str) -> None:
    done = watcher(folder, "explain", "-", stdin=stdin)

    assert done.exit_code == 2
    assert message in done.stderr


def test_a_link_goes_through_the_guarded_door(folder: Path) -> None:
    done = watcher(folder, "explain", "http://127.0.0.1:9/story")

    assert done.exit_code == 1
    assert "no such article is stored, and it can't be fetched" in done.stderr
