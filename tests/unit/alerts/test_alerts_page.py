"""The page about alerts names every way a decision can end, in the words readers see."""

from pathlib import Path

import pytest

from watcher.alerts.policy import WORDS, Reason

PAGE = (Path(__file__).parents[3] / "docs" / "stories-and-alerts.md").read_text()


@pytest.mark.parametrize("reason", Reason)
def test_the_page_names_every_reason(reason: Reason) -> None:
    assert f"| `{reason.value}` | {WORDS[reason]} |" in PAGE
