"""Which receivers get an alert, and when: a tree whose children inherit. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from watcher.alerts.schedule import QuietHours, check_cron, next_slot, quiet_until, slot_name
from watcher.durations import format_duration
from watcher.fields import Duration, listed
from watcher.model import Alert, AlertKind, Dispatch, Severity


class _Yaml(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


Names = Annotated[tuple[str, ...], BeforeValidator(listed)]


def check_zone(zone: str) -> str:
    """An IANA zone name, or ValueError."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"{zone!r} is not a time zone: use an IANA name like Europe/Berlin"
        ) from error
    return zone


def _checked_cron(cron: str) -> str:
    try:
        check_cron(cron)
    except ValueError as error:
        raise ValueError(
            f"{cron!r} is not a schedule: write minute hour day month weekday, like '0 7 * * *'"
        ) from error
    return cron


def _some_time(value: timedelta) -> timedelta:
    if value < timedelta(minutes=1):
        raise ValueError("a minute is the least: nobody acknowledges faster")
    return value


Zone = Annotated[str, AfterValidator(check_zone)]
Cron = Annotated[str, AfterValidator(_checked_cron)]


class RouteMatch(_Yaml):
    """All that is given must hold; each list means any of."""

    rules: Names = ()
    tags: Names = ()
    severity: Annotated[tuple[Severity, ...], BeforeValidator(listed)] = ()
    min_severity: Severity | None = None
    languages: Names = ()
    publishers: Names = ()
    kinds: Annotated[tuple[AlertKind, ...], BeforeValidator(listed)] = ()


class DigestSchedule(_Yaml):
    """`digest` is a cron expression in `zone`, by default the receiver's.

    A slot with fewer than `min_items` alerts is left to the next one, until the oldest has
    waited for `max_wait`. `group_by` makes a message per rule, tag or story.
    """

    digest: Cron
    zone: Zone | None = None
    min_items: int = Field(default=1, ge=1)
    max_wait: Duration = timedelta(days=7)
    group_by: Literal["all", "rule", "tag", "story"] = "all"


class Escalation(_Yaml):
    """Who else is told of an alert that nobody acknowledged, and how long after."""

    after: Annotated[Duration, AfterValidator(_some_time)]
    receivers: Annotated[tuple[str, ...], BeforeValidator(listed), Field(min_length=1)]


class RouteSettings(_Yaml):
    """One node; what it leaves out it takes from its parent."""

    match: RouteMatch = RouteMatch()
    receivers: Names = ()
    send: Literal["immediate"] | DigestSchedule | None = None
    escalate: tuple[Escalation, ...] = ()
    go_on: bool = Field(default=False, alias="continue")
    routes: tuple["RouteSettings", ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverClock:
    """What routing must know of a receiver."""

    zone: str = "UTC"
    quiet_hours: QuietHours | None = None
    enabled: bool = True


Send: TypeAlias = Literal["immediate"] | DigestSchedule


@dataclass(frozen=True, slots=True)
class Target:
    """Where an alert goes by one route; `route` is the node's place in the tree, like `0.2`."""

    receiver: str
    send: Send
    route: str
    escalate: tuple[Escalation, ...] = ()


def find_targets(
    routes: Sequence[RouteSettings],
    alert: Alert,
    *,
    languages: Iterable[str] = (),
    publishers: Iterable[str] = (),
) -> list[Target]:
    """The first matching branch of the tree, and later ones while `continue` says so.

    A child that matches replaces its parent. Each receiver comes once: the first
    route that names it decides when.
    """
    facts = {"languages": frozenset(languages), "publishers": frozenset(publishers)}
    found: dict[str, Target] = {}
    for target in _walk(routes, alert, facts, "", _TOP):
        found.setdefault(target.receiver, target)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class _Inherited:
    """What a node has of its parents for what it leaves out."""

    receivers: tuple[str, ...] = ()
    send: Send = "immediate"
    escalate: tuple[Escalation, ...] = ()

    def with_own(self, route: RouteSettings) -> "_Inherited":
        return _Inherited(
            route.receivers or self.receivers,
            route.send or self.send,
            route.escalate or self.escalate,
        )


_TOP = _Inherited()


def _walk(
    routes: Sequence[RouteSettings],
    alert: Alert,
    facts: Mapping[str, frozenset[str]],
    path: str,
    above: _Inherited,
) -> Iterator[Target]:
    for n, route in enumerate(routes):
        if not _matches(route.match, alert, facts):
            continue
        here, own = f"{path}{n}", above.with_own(route)
        below = list(_walk(route.routes, alert, facts, f"{here}.", own))
        yield from below or (Target(r, own.send, here, own.escalate) for r in own.receivers)
        if not route.go_on:
            return


def schedules_of(
    routes: Sequence[RouteSettings], path: str = "", above: _Inherited = _TOP
) -> dict[str, DigestSchedule]:
    """The digest schedule of every node that has or inherits one, by its place in the tree."""
    found: dict[str, DigestSchedule] = {}
    for n, route in enumerate(routes):
        here, own = f"{path}{n}", above.with_own(route)
        if isinstance(own.send, DigestSchedule):
            found[here] = own.send
        found |= schedules_of(route.routes, f"{here}.", own)
    return found


def _matches(match: RouteMatch, alert: Alert, facts: Mapping[str, frozenset[str]]) -> bool:
    return not mismatch(match, alert, facts["languages"], facts["publishers"])


def mismatch(
    match: RouteMatch, alert: Alert, languages: frozenset[str], publishers: frozenset[str]
) -> str:
    """The first condition that does not hold, by its key; empty when all do."""
    held = {
        "rules": not match.rules or alert.rule in match.rules,
        "tags": not match.tags or not set(match.tags).isdisjoint(alert.tags),
        "severity": not match.severity or alert.severity in match.severity,
        "min_severity": match.min_severity is None
        or alert.severity.rank >= match.min_severity.rank,
        "kinds": not match.kinds or alert.kind in match.kinds,
        "languages": not match.languages or not languages.isdisjoint(match.languages),
        "publishers": not match.publishers or not publishers.isdisjoint(match.publishers),
    }
    return next((key for key, holds in held.items() if not holds), "")


def plan_dispatches(
    alert: Alert,
    *,
    languages: Iterable[str],
    publishers: Iterable[str],
    routes: Sequence[RouteSettings],
    receivers: Mapping[str, ReceiverClock],
    now: datetime,
) -> list[Dispatch]:
    """When each receiver gets the alert. Quiet hours hold what is immediate; digests keep their slot.

    An escalation counts from when the first receiver of its route is told.
    """
    targets = find_targets(routes, alert, languages=languages, publishers=publishers)
    reached = {name: clock for name, clock in receivers.items() if clock.enabled}
    found = {
        target.receiver: plan_dispatch(alert, target, reached[target.receiver], now)
        for target in targets
        if target.receiver in reached
    }
    first_of_route = {target.route: target.receiver for target in reversed(targets)}
    for target in targets:
        for receiver, step in escalations(target):
            if receiver not in reached:
                continue
            first = found.get(first_of_route[target.route])
            told_at, planned = first.send_at if first else now, found.get(receiver)
            to = replace(target, receiver=receiver)
            escalated = plan_escalation(alert, to, step, reached[receiver], told_at, planned)
            if escalated is not None:
                found[receiver] = escalated
    return list(found.values())


def escalations(target: Target) -> Iterator[tuple[str, Escalation]]:
    """Who is told when nobody acknowledges, and by which step."""
    return ((receiver, step) for step in target.escalate for receiver in step.receivers)


def plan_dispatch(alert: Alert, target: Target, clock: ReceiverClock, now: datetime) -> Dispatch:
    """One alert for one receiver."""
    if isinstance(target.send, DigestSchedule):
        return plan_digest(alert, target, target.send, clock.zone, now)
    end = quiet_until(clock.quiet_hours, clock.zone, now)
    if end is not None:
        until = slot_name(end, clock.zone)
        reason = f"held during quiet hours until {until[-5:]}"
        return Dispatch(alert.id, target.receiver, end, f"held:{until}", reason)
    return Dispatch(alert.id, target.receiver, now, "", "immediate")


def plan_digest(
    alert: Alert, target: Target, schedule: DigestSchedule, receiver_zone: str, now: datetime
) -> Dispatch:
    """In the next slot; alerts of one slot and group make one message."""
    zone = schedule.zone or receiver_zone
    due = next_slot(schedule.digest, zone, now)
    route = target.route + _group(alert, schedule.group_by)
    slot = f"{DIGEST}{route}:{slot_name(due, zone)}"
    return Dispatch(alert.id, target.receiver, due, slot, f"digest {schedule.digest} {zone}")


def plan_escalation(
    alert: Alert,
    target: Target,
    step: Escalation,
    clock: ReceiverClock,
    told_at: datetime,
    planned: Dispatch | None,
) -> Dispatch | None:
    """Due when the step's time after the first telling is up, or when quiet hours that hold then end.

    `planned` is how the receiver gets the alert anyhow: sooner, and there is no escalation; later,
    and it is kept in the slot, for the case that somebody acknowledges.
    """
    due = told_at + step.after
    due = quiet_until(clock.quiet_hours, clock.zone, due) or due
    if planned is not None and planned.send_at <= due:
        return None
    after = format_duration(step.after)
    kept = f"|{planned.slot}|{planned.send_at.isoformat()}" if planned else ""
    slot = f"{ESCALATION}{target.route}:{after}{kept}"
    return Dispatch(alert.id, target.receiver, due, slot, f"not acknowledged within {after}")


def settled(escalated: Dispatch) -> Dispatch | None:
    """What is left of an escalation once somebody acknowledged: the receiver's usual way, if any."""
    _, slot, at = [*escalated.slot.split("|"), "", ""][:3]
    if not at:
        return None
    return replace(escalated, slot=slot, send_at=datetime.fromisoformat(at), reason="digest")


def postpone(
    dispatches: Sequence[Dispatch],
    alerts: Sequence[Alert],
    schedule: DigestSchedule,
    receiver_zone: str,
    now: datetime,
) -> list[Dispatch]:
    """The next slot's dispatches when too few are due for a digest, else none."""
    oldest = min(alert.at for alert in alerts)
    zone = schedule.zone or receiver_zone
    due = next_slot(schedule.digest, zone, now)
    if len(dispatches) >= schedule.min_items or due - oldest > schedule.max_wait:
        return []
    return [
        replace(d, send_at=due, slot=f"{schedule_name(d.slot)}:{slot_name(due, zone)}")
        for d in dispatches
    ]


#: How slots begin: digests, what is held by quiet hours, what nobody acknowledged.
DIGEST, HELD, ESCALATION = "digest:", "held:", "escalation:"


def schedule_name(slot: str) -> str:
    """What slots of one schedule and group share: `digest:0.2` of `digest:0.2:2026-05-30T07:00`."""
    return HELD if slot.startswith(HELD) else slot.rsplit(":", 2)[0]


def route_of(slot: str) -> str:
    """The place in the tree that a digest's slot belongs to."""
    return schedule_name(slot).removeprefix(DIGEST).partition("/")[0]


def goes_alone(slot: str) -> bool:
    """An alert at once, or told on because nobody acknowledged it."""
    return not slot or slot.startswith(ESCALATION)


def _group(alert: Alert, by: str) -> str:
    if by == "all":
        return ""
    name = {
        "rule": alert.rule,
        "tag": next(iter(alert.tags), ""),
        "story": alert.story or alert.id,
    }[by]
    return "/" + re.sub(r"[:/\s]+", "-", name)
