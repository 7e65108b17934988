"""What a dispatch waits for, as the store keeps it."""

from datetime import UTC, datetime

import pytest

from watcher.slots import AT_ONCE, Slot, WaitsFor

DIGEST = Slot(WaitsFor.DIGEST, "2026-05-31T07:00", "1f2e3d4c", "launch")
AT = datetime(2026, 5, 31, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("slot", "text"),
    [
        (AT_ONCE, ""),
        (Slot(WaitsFor.QUIET_END, "2026-05-31T07:00"), "held:2026-05-31T07:00"),
        (DIGEST, "digest:1f2e3d4c/launch:2026-05-31T07:00"),
        (Slot(WaitsFor.DIGEST, "2026-05-31T07:00", "0.2"), "digest:0.2:2026-05-31T07:00"),
        (Slot(WaitsFor.ANSWER), "escalation"),
        (
            Slot(WaitsFor.ANSWER, instead=(DIGEST, AT)),
            "escalation|digest:1f2e3d4c/launch:2026-05-31T07:00|2026-05-31T07:00:00+00:00",
        ),
    ],
)
def test_a_slot_reads_back_as_it_was_written(slot: Slot, text: str) -> None:
    assert str(slot) == text
    assert Slot.parse(text) == slot


def test_escalations_of_earlier_versions_are_read() -> None:
    old = "escalation:0:30m|digest:0.2:2026-05-31T07:00|2026-05-31T07:00:00+00:00"

    assert Slot.parse("escalation:0:30m") == Slot(WaitsFor.ANSWER)
    assert Slot.parse(old).instead == (Slot.parse("digest:0.2:2026-05-31T07:00"), AT)


def test_slots_of_one_schedule_and_group_are_a_series() -> None:
    next_day = Slot(WaitsFor.DIGEST, "2026-06-01T07:00", "1f2e3d4c", "launch")
    other = Slot(WaitsFor.DIGEST, "2026-05-31T07:00", "1f2e3d4c", "trip")

    assert next_day.series == DIGEST.series != other.series
