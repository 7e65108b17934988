"""Who asked for quiet, for what, and until when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from watcher.alerts.silences import Silence, find_silence
from watcher.model import Alert, AlertKind, Severity

NOW = datetime(2026, 5, 30, 14, tzinfo=UTC)
ALERT = Alert("t1", AlertKind.NEW_STORY, "launch", "s1", Severity.HIGH, NOW, "new", ("a1",))


def silence(**changed: Any) -> Silence:
    raw = {
        "id": "one",
        "match": {"rules": "launch"},
        "author": "Mina",
        "comment": "exercise week",
        "from": "2026-05-30T00:00Z",
        "until": "2026-06-01T00:00Z",
    }
    return Silence.model_validate(raw | changed)


def test_a_silence_that_matches_is_named() -> None:
    found = find_silence([silence()], ALERT, NOW)

    assert found is not None
    assert (found.author, found.comment) == ("Mina", "exercise week")


@pytest.mark.parametrize(
    ("match", "facts", "quiet"),
    [
        ({"rules": "trip"}, {}, False),
        ({"severity": "high"}, {}, True),
        ({"languages": "ko"}, {"languages": ["ko"]}, True),
        ({"languages": "ko"}, {"languages": ["en"]}, False),
        ({"rules": "launch", "publishers": "wire"}, {"publishers": ["mail"]}, False),
    ],
)
def test_matchers_are_those_of_routes(
    match: dict[str, Any], facts: dict[str, Any], quiet: bool
) -> None:
    assert (find_silence([silence(match=match)], ALERT, NOW, **facts) is not None) is quiet


def test_it_holds_from_its_first_moment_until_its_last() -> None:
    one = silence()

    assert not one.holds(one.start - timedelta(seconds=1))
    assert one.holds(one.start)
    assert one.holds(one.until - timedelta(seconds=1))
    assert not one.holds(one.until)


def test_a_recurring_silence_holds_on_its_local_hours() -> None:
    nightly = silence(every="22:00-06:00 Asia/Seoul")

    # 23:00 in Seoul, and 07:00 the next morning.
    assert nightly.holds(NOW)
    assert not nightly.holds(NOW + timedelta(hours=8))


def test_of_several_the_one_that_ends_last_is_named() -> None:
    longer = silence(id="two", until="2026-06-09T00:00Z")

    assert find_silence([silence(), longer, silence()], ALERT, NOW) == longer


@pytest.mark.parametrize(
    "changed",
    [
        {"match": {}},
        {"author": ""},
        {"comment": ""},
        {"until": "2026-05-29T00:00Z"},
        {"every": "never"},
    ],
)
def test_a_silence_nobody_could_answer_for_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        silence(**changed)
