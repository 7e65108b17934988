"""`watcher lint` and what `watcher check` shows of it."""

import json
from pathlib import Path
from shutil import copytree

import pytest
from workbench_folder import article, make_folder, watcher

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    return Path(copytree(DATA / "lint", tmp_path / "odd"))


def test_every_smell_is_told_with_its_place_and_what_to_do(odd: Path) -> None:
    done = watcher(odd, "lint")

    golden = (DATA / "golden" / "lint.txt").read_text("utf-8")
    assert done.stdout.replace(str(odd), "FOLDER") == golden
    assert done.exit_code == 1


def test_check_warns_and_counts_the_hints(odd: Path) -> None:
    done = watcher(odd, "check")

    assert done.exit_code == 0
    assert "warning" in done.stderr
    assert "cancels every hit" in done.stderr
    assert "found by another term" not in done.stderr
    assert "6 hints about superfluous terms: see `watcher lint`" in done.stdout


def test_one_rule_can_be_asked_for_as_json(odd: Path) -> None:
    done = watcher(odd, "lint", "--rule", "always-cancelled", "--json")

    (found,) = json.loads(done.stdout)
    assert (found["kind"], found["line"]) == ("warning", 24)
    assert found["path"] == "rules[always-cancelled].unless[0]"


def test_the_shipped_rules_have_no_warning(tmp_path: Path) -> None:
    watcher(tmp_path, "init", str(tmp_path / "fresh"))

    assert watcher(tmp_path / "fresh", "lint").exit_code == 0


def test_the_archive_has_its_say(tmp_path: Path) -> None:
    articles = [article(n, "Ferry late", hours=1) for n in range(210)]
    folder = make_folder(tmp_path / "mine", articles)

    done = watcher(folder, "lint", "--rule", "ferry")

    assert "'ferry' decides alone and stands in 210 of the newest 210 articles" in done.stdout
    assert "the rule matches 210 of the newest 210 articles" in done.stdout
