"""Every case of RELIABILITY §3 F and H is named by a test that holds it."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
WRITTEN = "\n".join(
    path.read_text("utf-8") for path in TESTS.rglob("test_*.py") if path.name != Path(__file__).name
)
NAMED = set(re.findall(r"\b([FH]\d{1,2})\b", WRITTEN))
NAMED |= {name.upper() for name in re.findall(r"def test_([fh]\d{1,2})_", WRITTEN)}


@pytest.mark.parametrize("case", [f"F{n}" for n in range(1, 13)] + [f"H{n}" for n in range(1, 12)])
def test_a_case_has_a_test(case: str) -> None:
    assert case in NAMED
