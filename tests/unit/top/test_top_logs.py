"""A log line is one plain line, whatever a feed put into it."""

import json
from collections.abc import Iterator

import pytest
import structlog

from watcher.clock import ManualClock, parse_clock
from watcher.faults import Faults
from watcher.logs import configure


@pytest.fixture(autouse=True)
def defaults_afterwards() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_hostile_titles_are_inert_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json")
    title = "a\x1b[31mred\x1b]8;;http://x\x07\r\nFAKE line\u202egnp\x00"

    structlog.get_logger().info("polled", title=title)

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0])["title"] == "a [31mred ]8;;http://x FAKE linegnp"


def test_console_lines_carry_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    configure("console")

    structlog.get_logger().warning("polled", error="x\x1b[2J\nnext")

    assert "\x1b[2J" not in capsys.readouterr().err


def test_quieter_levels_say_less(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "warning")

    structlog.get_logger().info("polled")

    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("spec", ["", "noon", "2026-05-30*fast", "*2"])
def test_a_clock_that_is_none_is_refused(spec: str) -> None:
    with pytest.raises(ValueError, match=r"clock|isoformat"):
        parse_clock(spec)


def test_a_hand_turned_clock_never_goes_back() -> None:
    start = parse_clock("2026-05-30T04:00:00Z*1").now()
    clock = ManualClock(start)

    clock.turn_to(start.replace(year=2020))

    assert clock.now() == start


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a fault step"):
        Faults("sometimes")
