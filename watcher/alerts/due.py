"""What becomes of dispatches whose time has come. Pure; daemon and replay share it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from watcher.alerts.dispatches import after_quiet_hours, in_next_slot, settled
from watcher.alerts.routes import DigestSchedule, ReceiverClock, Schedules
from watcher.model import Dispatch
from watcher.slots import AT_ONCE, WaitsFor

# More single alerts than this waiting for one receiver are one digest: a backlog is not a flood.
MERGE_ABOVE = 20

Batch = list[Dispatch]


@dataclass(slots=True)
class Due:
    """`messages` are each receiver's, oldest first; a batch is one message.

    `later` wait on with another time or slot, `needless` are escalations somebody was quicker than.
    """

    messages: dict[str, list[Batch]] = field(default_factory=lambda: defaultdict(list))
    later: list[Dispatch] = field(default_factory=list)
    needless: list[Dispatch] = field(default_factory=list)


def plan_due(
    due: Iterable[Dispatch],
    *,
    raised: Mapping[str, datetime],
    acknowledged: Collection[str],
    schedules: Schedules,
    clocks: Mapping[str, ReceiverClock],
    now: datetime,
) -> Due:
    """`raised` says when each alert was; `acknowledged` are alerts somebody has seen to."""
    plan, ready = Due(), defaultdict[str, Batch](list)
    for dispatch in due:
        if dispatch.slot.waits_for is WaitsFor.ANSWER and dispatch.alert in acknowledged:
            usual = settled(dispatch)
            (plan.needless if usual is None else plan.later).append(usual or dispatch)
            continue
        # It was due before, and the service was away.
        held = after_quiet_hours(dispatch, clocks[dispatch.receiver], now)
        if held is not None:
            plan.later.append(held)
        else:
            ready[dispatch.receiver].append(dispatch)
    for receiver in sorted(ready):
        for batch in plan_messages(ready[receiver]):
            schedule = schedules.get((receiver, batch[0].slot.route))
            waiting = schedule and wait_for_company(batch, raised, schedule, clocks[receiver], now)
            if waiting:
                plan.later += waiting
            else:
                plan.messages[receiver].append(batch)
    return plan


def plan_messages(dispatches: Sequence[Dispatch]) -> list[Batch]:
    """Which dispatches of one receiver share a message, oldest first.

    Immediate ones go out alone unless a backlog built up; those held by quiet hours go together;
    all due slots of one digest schedule go together, so that downtime ends in one late digest.
    """
    immediate = [d for d in dispatches if d.slot == AT_ONCE]
    escalated = [[d] for d in dispatches if d.slot.waits_for is WaitsFor.ANSWER]
    groups: dict[tuple[str, str, str], Batch] = {}
    for dispatch in dispatches:
        if not dispatch.slot.alone:
            groups.setdefault(dispatch.slot.series, []).append(dispatch)
    singles = [immediate] if len(immediate) > MERGE_ABOVE else [[d] for d in immediate]
    messages = [*singles, *escalated, *groups.values()]
    return sorted(messages, key=lambda batch: (batch[0].send_at, batch[0].alert))


def wait_for_company(
    batch: Batch,
    raised: Mapping[str, datetime],
    schedule: DigestSchedule,
    clock: ReceiverClock,
    now: datetime,
) -> Batch:
    """The next slot's dispatches when too few are due for a digest; none when they may not wait on."""
    if len(batch) >= schedule.min_items:
        return []
    later = [in_next_slot(dispatch, schedule, clock, now) for dispatch in batch]
    oldest = min((raised[d.alert] for d in batch if d.alert in raised), default=now)
    return later if later[0].send_at - oldest <= schedule.max_wait else []


def message_key(receiver: str, batch: Sequence[Dispatch]) -> str:
    """The same dispatches always give the same key; a digest is named by its newest slot."""
    newest = max(batch, key=lambda d: (d.send_at, d.alert))
    if not newest.slot.alone:
        return f"{newest.slot}:{receiver}"
    if len(batch) == 1:
        return f"alert:{newest.alert}:{receiver}"
    return f"backlog:{newest.alert}:{receiver}"
