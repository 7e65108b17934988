"""What every receiver's settings share, and what a receiver is given to work with."""

from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, TextIO

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from watcher.alerts.routes import Zone
from watcher.alerts.schedule import QuietHours
from watcher.fields import Duration
from watcher.ports import Door, Renderer


def _quiet_hours(value: Any) -> Any:
    """`{from: "22:00", until: "07:00"}` in the receiver's zone."""
    if not isinstance(value, dict):
        return value
    if set(value) != {"from", "until"}:
        raise ValueError(
            'quiet hours need exactly from and until, like {from: "22:00", until: "07:00"}'
        )
    return QuietHours(start=_local_time(value["from"]), end=_local_time(value["until"]))


def _local_time(value: Any) -> time:
    try:
        found = time.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f'{value!r} is not a time of day: write it like "22:00"') from error
    if found.tzinfo is not None:
        raise ValueError(
            f'{value!r} has a zone of its own: the receiver\'s zone holds, write "22:00"'
        )
    return found


# What an editor is told; pydantic would describe the parsed form.
_WRITTEN_HOURS = WithJsonSchema(
    {
        "type": "object",
        "required": ["from", "until"],
        "additionalProperties": False,
        "properties": {"from": {"type": "string"}, "until": {"type": "string"}},
        "examples": [{"from": "22:00", "until": "07:00"}],
    }
)

Hours = Annotated[QuietHours | None, BeforeValidator(_quiet_hours), _WRITTEN_HOURS]


class ReceiverSettings(BaseModel):
    """What every receiver has. Secrets of a channel are `SecretStr`: they never show in a repr.

    `title` goes in front of subjects; `min_interval` is the pause between two messages;
    `links` lets readers answer and mute, where `web.public_url` is set;
    `template` is the name of the templates used, `digest` for `digest.html.j2` and its sisters.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True
    )

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    type: str
    enabled: bool = True
    zone: Zone = "UTC"
    title: str | None = Field(default=None, max_length=60)
    quiet_hours: Hours = None
    min_interval: Duration = timedelta(0)
    links: bool = True
    template: str = Field(default="digest", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,40}$")


@dataclass(frozen=True, slots=True)
class Tools:
    """What a receiver may use of the world: `root` is where relative paths begin, the folder of watcher.yaml."""

    door: Door
    render: Renderer
    root: Path
    stdout: TextIO
