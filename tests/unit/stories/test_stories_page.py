"""docs/stories-and-alerts.md: its example runs, its figures are the code's."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from watcher.stories.grouping import LONGEST, MOST_ARTICLES, QUIET_AFTER, SPLIT_CHECKS
from watcher.stories.topics import CLOSE, NARROW, NEAR

PAGE = (Path(__file__).parents[3] / "docs" / "stories-and-alerts.md").read_text("utf-8")


EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_run(example: str) -> None:
    exec(compile(example, "docs/stories-and-alerts.md", "exec"), {})


def test_the_figures_are_those_of_the_code() -> None:
    hours = [timedelta(hours=n) for n in (3, 12, 24)]

    assert hours == [CLOSE, NEAR, QUIET_AFTER]
    assert (4, timedelta(days=14), 2000) == (NARROW, LONGEST, MOST_ARTICLES)
    assert "2,000 articles" in PAGE
    assert "(6, 9 or 12\nreports)" in PAGE
    assert sorted(SPLIT_CHECKS) == [6, 9, 12]
