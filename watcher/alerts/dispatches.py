"""When each receiver gets an alert: at once, after quiet hours, in a digest, if nobody answers. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from watcher.alerts.routes import (
    DigestSchedule,
    Escalation,
    ReceiverClock,
    RouteSettings,
    Target,
    find_targets,
)
from watcher.alerts.schedule import next_slot, quiet_until, slot_name
from watcher.durations import format_duration
from watcher.model import Alert, Dispatch
from watcher.slots import AT_ONCE, Slot, WaitsFor


def plan_dispatches(
    alert: Alert,
    *,
    languages: Iterable[str],
    publishers: Iterable[str],
    routes: Sequence[RouteSettings],
    receivers: Mapping[str, ReceiverClock],
    now: datetime,
) -> list[Dispatch]:
    """When each receiver gets the alert; nothing is planned for quiet hours.

    An escalation counts from when the first receiver of its route is told.
    """
    targets = find_targets(routes, alert, languages=languages, publishers=publishers)
    reached = {name: clock for name, clock in receivers.items() if clock.enabled}
    found = {
        target.receiver: plan_dispatch(alert, target, reached[target.receiver], now)
        for target in targets
        if target.receiver in reached
    }
    first_of_route = {target.place: target.receiver for target in reversed(targets)}
    for target in targets:
        for receiver, step in escalations(target):
            if receiver not in reached:
                continue
            first = found.get(first_of_route[target.place])
            told_at, planned = first.send_at if first else now, found.get(receiver)
            escalated = plan_escalation(
                alert.id, receiver, step, reached[receiver], told_at, planned
            )
            if escalated is not None:
                found[receiver] = escalated
    return list(found.values())


def escalations(target: Target) -> Iterator[tuple[str, Escalation]]:
    """Who is told when nobody acknowledges, and by which step."""
    return ((receiver, step) for step in target.escalate for receiver in step.receivers)


def plan_dispatch(alert: Alert, target: Target, clock: ReceiverClock, now: datetime) -> Dispatch:
    """One alert for one receiver."""
    if isinstance(target.send, DigestSchedule):
        group = _group(alert, target.send.group_by)
        slot = Slot(WaitsFor.DIGEST, route=target.route, group=group)
        waiting = Dispatch(alert.id, target.receiver, now, slot)
        return in_next_slot(waiting, target.send, clock, now)
    at_once = Dispatch(alert.id, target.receiver, now, AT_ONCE, "immediate")
    return after_quiet_hours(at_once, clock) or at_once


def in_next_slot(
    dispatch: Dispatch, schedule: DigestSchedule, clock: ReceiverClock, after: datetime
) -> Dispatch:
    """In the digest that comes after; one whose minute is in quiet hours comes at their end."""
    zone = schedule.zone or clock.zone
    due = next_slot(schedule.digest, zone, after)
    slot = replace(dispatch.slot, minute=slot_name(due, zone))
    reason = f"digest {schedule.digest} {zone}"
    waiting = replace(dispatch, send_at=due, slot=slot, reason=reason)
    return after_quiet_hours(waiting, clock) or waiting


_HELD = "held during quiet hours until "


def after_quiet_hours(
    dispatch: Dispatch, clock: ReceiverClock, at: datetime | None = None
) -> Dispatch | None:
    """At the end of the quiet hours in which it would go out (when it is due, or `at`); else None."""
    end = quiet_until(clock.quiet_hours, clock.zone, at or dispatch.send_at)
    if end is None:
        return None
    minute = slot_name(end, clock.zone)
    held = f"{_HELD}{minute[-5:]}"
    if dispatch.slot.waits_for in {WaitsFor.NOTHING, WaitsFor.QUIET_END}:
        slot = Slot(WaitsFor.QUIET_END, minute)
        return replace(dispatch, send_at=end, slot=slot, reason=held)
    why = dispatch.reason.partition(f", {_HELD}")[0]
    return replace(dispatch, send_at=end, reason=f"{why}, {held}")


def plan_escalation(
    alert: str,
    receiver: str,
    step: Escalation,
    clock: ReceiverClock,
    told_at: datetime,
    planned: Dispatch | None,
) -> Dispatch | None:
    """Due when the step's time after the first telling is up, or when quiet hours that hold then end.

    `planned` is how the receiver gets the alert anyhow: sooner, and there is no escalation; later,
    and it is kept in the slot, for the case that somebody acknowledges.
    """
    instead = (planned.slot, planned.send_at) if planned else None
    slot = Slot(WaitsFor.ANSWER, instead=instead)
    reason = f"not acknowledged within {format_duration(step.after)}"
    escalated = Dispatch(alert, receiver, told_at + step.after, slot, reason)
    escalated = after_quiet_hours(escalated, clock) or escalated
    if planned is not None and planned.send_at <= escalated.send_at:
        return None
    return escalated


def settled(escalated: Dispatch) -> Dispatch | None:
    """What is left of an escalation once somebody acknowledged: the receiver's usual way, if any."""
    if escalated.slot.instead is None:
        return None
    slot, at = escalated.slot.instead
    return replace(escalated, slot=slot, send_at=at, reason="acknowledged, so in the digest")


def _group(alert: Alert, by: str) -> str:
    if by == "all":
        return ""
    name = {
        "rule": alert.rule,
        "tag": next(iter(alert.tags), ""),
        "story": alert.story or alert.id,
    }[by]
    return re.sub(r"[:/|\s]+", "-", name)
