"""`alert:` of a rule: when a match is worth telling. Floor 1."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from watcher.durations import parse_duration


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_duration)]

_PERIODS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_AT_MOST = re.compile(r"(?P<count>\d+)\s+per\s+(?P<period>.+)")


class _Policy(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rate(_Policy):
    """`6 per day`: at most `count` alerts in any `period`."""

    count: int = Field(ge=1)
    period: timedelta


class MinPublishers(_Policy):
    """Independent publishers needed before the first alert; wire copy counts once."""

    count: int = Field(default=1, ge=1)
    within: Duration = timedelta(hours=72)


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


class AlertPolicy(_Policy):
    """Every key has a default, so a rule without `alert:` behaves well."""

    follow_ups: Literal["none", "novel", "all"] = "novel"
    min_publishers: Annotated[MinPublishers, BeforeValidator(_min_publishers)] = MinPublishers()
    at_most: Annotated[Rate | None, BeforeValidator(_rate)] = None
    max_age: Duration | None = None
