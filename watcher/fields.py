"""What settings of every file are made of, read one way wherever they stand: durations, lists. Pure."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from watcher.durations import read_duration


def _not_below_zero(value: timedelta) -> timedelta:
    if value < timedelta(0):
        raise ValueError("a duration can't be below zero: write it like 30s or 15m")
    return value


def _above_zero(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("a duration above zero is needed here: write it like 30s or 15m")
    return value


def listed(value: Any) -> Any:
    """One text where a list is asked for."""
    return [value] if isinstance(value, str) else value


#: `30s`, `1h30m`; a number without a unit is refused.
Duration = Annotated[
    timedelta,
    BeforeValidator(read_duration),
    AfterValidator(_not_below_zero),
    # What an editor is told; pydantic would describe the parsed form.
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(\s*\d+(\.\d+)?\s*[smhdwSMHDW])+\s*$",
            "examples": ["30s", "15m", "4h", "7d"],
        }
    ),
]
#: A `Duration` above zero.
Wait = Annotated[Duration, AfterValidator(_above_zero)]
