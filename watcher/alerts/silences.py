"""Alerts somebody asked not to be sent for a while: matched like routes, with a name and an end. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from watcher.alerts.policy import Decision, Reason
from watcher.alerts.recurring import Every
from watcher.alerts.routes import RouteMatch, mismatch
from watcher.model import Alert, Dispatch
from watcher.slots import WaitsFor
from watcher.text import clean_line


def _utc(value: datetime | str) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment = Annotated[datetime, BeforeValidator(_utc)]


class Silence(BaseModel):
    """One silence; every one ends, and says who wants it and why.

    An empty `match` would silence everything and is refused.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: str = Field(min_length=1, max_length=100)
    match: RouteMatch
    author: str = Field(min_length=1)
    comment: str = Field(min_length=1)
    start: Moment = Field(alias="from")
    until: Moment
    # Earlier versions called it `daily`; the store may still hold such.
    every: Every | None = Field(default=None, validation_alias=AliasChoices("every", "daily"))

    @model_validator(mode="after")
    def _is_bounded(self) -> "Silence":
        if self.until <= self.start:
            raise ValueError("until is not after from: the silence would never hold")
        if self.match == RouteMatch():
            raise ValueError("match is empty: name a rule, tag, severity, language or publisher")
        return self

    def holds(self, now: datetime) -> bool:
        """From the first moment until just before the last."""
        return self.start <= now < self.until and (self.every is None or self.every.holds(now))


def find_silence(
    silences: Sequence[Silence],
    alert: Alert,
    now: datetime,
    *,
    languages: Iterable[str] = (),
    publishers: Iterable[str] = (),
) -> Silence | None:
    """The silence that keeps an alert quiet now: of several the one that ends last."""
    spoken, heard = frozenset(languages), frozenset(publishers)
    holding = [s for s in silences if s.holds(now) and not mismatch(s.match, alert, spoken, heard)]
    return max(holding, key=lambda s: (s.until, s.id), default=None)


def silenced(decision: Decision, silence: Silence) -> Decision:
    """The alert was raised and is kept, but nobody gets it; `detail` names who wanted that."""
    until = f"{silence.until:%Y-%m-%d %H:%M} UTC"
    detail = f"{silence.id} by {silence.author} until {until}: {silence.comment}"
    return replace(decision, send=False, reason=Reason.SILENCED, detail=detail)


_BY = "silenced by "
_NAMED = 3


def muted(planned: Iterable[Dispatch], silence: Silence) -> tuple[Dispatch, ...]:
    """Who would have got the alert; not those who get it only when nobody answers."""
    return tuple(
        replace(dispatch, reason=f"{_BY}{silence.author}")
        for dispatch in planned
        if dispatch.slot.waits_for is not WaitsFor.ANSWER or dispatch.slot.instead
    )


def say_muted(reasons: Sequence[str]) -> str:
    """A line for the foot of a digest: how many, and who wanted it; empty when there were none."""
    if not reasons:
        return ""
    authors = [clean_line(reason.removeprefix(_BY), 40) for reason in reasons]
    named = [name for name, _ in Counter(authors).most_common()]
    who = ", ".join(named[:_NAMED])
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    count = "1 alert was" if len(reasons) == 1 else f"{len(reasons)} alerts were"
    return f"{count} silenced since the last digest (by {who}{more})"
