"""`alert:` of a rule: when a match is worth telling. Floor 1."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from watcher.durations import parse_duration
from watcher.fields import Duration, listed
from watcher.model import AlertKind, Severity

_PERIODS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_AT_MOST = re.compile(r"(?P<count>\d+)\s+per\s+(?P<period>.+)")


class _Policy(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


#: Times of alerts are remembered for so long.
MEMORY = timedelta(days=31)


def _within_memory(value: timedelta) -> timedelta:
    if value > MEMORY:
        raise ValueError("a month (31d) is the longest period: write it like '6 per day'")
    return value


class Rate(_Policy):
    """`6 per day`: at most `count` alerts in any `period`."""

    count: int = Field(ge=1)
    period: Annotated[Duration, AfterValidator(_within_memory)]


class MinPublishers(_Policy):
    """Independent publishers needed before the first alert; wire copy counts once."""

    count: int = Field(default=1, ge=1)
    within: Duration = timedelta(hours=72)


class Burst(_Policy):
    """Matches in the last `over` are at least `factor` times what this hour and weekday usually bring."""

    factor: float = Field(gt=1)
    over: Duration = timedelta(hours=1)

    @model_validator(mode="after")
    def _has_a_span(self) -> "Burst":
        if not timedelta(minutes=5) <= self.over <= timedelta(days=1):
            raise ValueError("over must be from 5m to 1d: shorter is noise, longer is a trend")
        return self


def _moment(value: Any, clock: time) -> Any:
    """A day means its first or last moment in UTC; a time without a zone is UTC."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError as error:
            raise ValueError(
                f"{value!r} is not a date: write 2026-05-30 or 2026-05-30T18:00+09:00"
            ) from error
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.combine(value, clock, UTC) if isinstance(value, date) else value


class Active(_Policy):
    """When the rule tells at all; `until` names the last day, or the moment it ends."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    start: Annotated[datetime | None, BeforeValidator(lambda value: _moment(value, time.min))] = (
        Field(default=None, alias="from")
    )
    until: Annotated[datetime | None, BeforeValidator(lambda value: _moment(value, time.max))] = (
        None
    )

    @model_validator(mode="after")
    def _in_order(self) -> "Active":
        if self.start and self.until and self.until <= self.start:
            raise ValueError("until is not after from: the rule would never tell")
        return self

    def holds(self, now: datetime) -> bool:
        """Both ends count."""
        return (self.start is None or now >= self.start) and (
            self.until is None or now <= self.until
        )


class RaiseSeverity(_Policy):
    """All conditions given must hold; each list means any of. `words` are read in title and text."""

    to: Severity
    publishers: int | None = Field(default=None, ge=1)
    words: Annotated[tuple[str, ...], BeforeValidator(listed)] = ()
    kinds: Annotated[tuple[AlertKind, ...], BeforeValidator(listed)] = ()

    @model_validator(mode="after")
    def _has_a_condition(self) -> "RaiseSeverity":
        if not (self.publishers or self.words or self.kinds):
            raise ValueError("no condition: add publishers, words or kinds, or set severity itself")
        return self


def _rate(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _AT_MOST.fullmatch(value.strip())
    if not found:
        raise ValueError(f"{value!r} is not a rate: write it like '6 per day' or '2 per 12h'")
    period = found["period"].strip()
    return {
        "count": int(found["count"]),
        "period": _PERIODS.get(period) or parse_duration(period),
    }


def _min_publishers(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return {"count": value}
    if isinstance(value, str):
        count, _, within = value.partition(" within:" if " within:" in value else " within ")
        if not count.strip().isdigit():
            raise ValueError(f"{value!r} is not understood: write 2, or '2 within 6h'")
        return {"count": int(count), **({"within": within.strip()} if within else {})}
    return value


def _at_least_a_minute(value: timedelta) -> timedelta:
    if value < timedelta(minutes=1):
        raise ValueError("a minute is the least: write how long may pass without a match, like 3d")
    return value


class AlertPolicy(_Policy):
    """Every key has a default, so a rule without `alert:` behaves well."""

    follow_ups: Literal["none", "novel", "all"] = "novel"
    min_publishers: Annotated[MinPublishers, BeforeValidator(_min_publishers)] = MinPublishers()
    at_most: Annotated[Rate | None, BeforeValidator(_rate)] = None
    max_age: Duration | None = None
    burst: Burst | None = None
    nothing_heard_for: Annotated[Duration, AfterValidator(_at_least_a_minute)] | None = None
    active: Active = Active()
    severity: tuple[RaiseSeverity, ...] = ()
