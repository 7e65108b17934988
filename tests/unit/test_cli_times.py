"""Moments on the command line."""

from datetime import UTC, datetime, timedelta

import pytest
import typer

from watcher.cli.times import ago, from_now, moment

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2d", NOW - timedelta(days=2)),
        ("1h30m", NOW - timedelta(minutes=90)),
        ("2026-05-01", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2026-05-01T18:00+09:00", datetime(2026, 5, 1, 9, tzinfo=UTC)),
        ("20260501", datetime(2026, 5, 1, tzinfo=UTC)),
        ("999999999d", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_duration_ago_or_a_date(text: str, expected: datetime) -> None:
    assert ago(text, NOW, "--since") == expected


def test_a_duration_counts_forward_where_the_future_is_meant() -> None:
    assert from_now("2d", NOW, "--until") == NOW + timedelta(days=2)
    assert from_now("0s", NOW, "--from") == NOW


@pytest.mark.parametrize(
    ("text", "says"),
    [("30", "--since: 30 has no unit: write it like 30s or 30m, or a date"),
     ("soon", "--since: 'soon' is not a duration")],
)  # fmt: skip
def test_anything_else_is_told_with_its_option(
    text: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit):
        ago(text, NOW, "--since")

    assert says in " ".join(capsys.readouterr().err.split())


def test_a_time_without_a_zone_is_utc() -> None:
    assert moment("2026-05-30T12:00", "--at") == NOW
