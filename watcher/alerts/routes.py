"""Which receivers get an alert, and when: a tree whose children inherit. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from watcher.alerts.schedule import QuietHours, check_cron, next_slot, quiet_until, slot_name
from watcher.model import Alert, AlertKind, Dispatch, Severity


class _Yaml(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


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


Zone = Annotated[str, AfterValidator(check_zone)]
Cron = Annotated[str, AfterValidator(_checked_cron)]


class RouteMatch(_Yaml):
    """All that is given must hold; each list means any of."""

    rules: Names = ()
    tags: Names = ()
    severity: Annotated[tuple[Severity, ...], BeforeValidator(_listed)] = ()
    min_severity: Severity | None = None
    languages: Names = ()
    publishers: Names = ()
    kinds: Annotated[tuple[AlertKind, ...], BeforeValidator(_listed)] = ()


class DigestSchedule(_Yaml):
    """`digest` is a cron expression in `zone`, by default the receiver's."""

    digest: Cron
    zone: Zone | None = None


class RouteSettings(_Yaml):
    """One node; what it leaves out it takes from its parent."""

    match: RouteMatch = RouteMatch()
    receivers: Names = ()
    send: Literal["immediate"] | DigestSchedule | None = None
    go_on: bool = Field(default=False, alias="continue")
    routes: tuple["RouteSettings", ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverClock:
    """What routing must know of a receiver."""

    zone: str = "UTC"
    quiet_hours: QuietHours | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Target:
    """Where an alert goes by one route; `route` is the node's place in the tree, like `0.2`."""

    receiver: str
    send: Literal["immediate"] | DigestSchedule
    route: str


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
    for target in _walk(routes, alert, facts, "", (), "immediate"):
        found.setdefault(target.receiver, target)
    return list(found.values())


def _walk(
    routes: Sequence[RouteSettings],
    alert: Alert,
    facts: Mapping[str, frozenset[str]],
    path: str,
    receivers: tuple[str, ...],
    send: Literal["immediate"] | DigestSchedule,
) -> Iterator[Target]:
    for n, route in enumerate(routes):
        if not _matches(route.match, alert, facts):
            continue
        here = f"{path}{n}"
        own_receivers, own_send = route.receivers or receivers, route.send or send
        below = list(_walk(route.routes, alert, facts, f"{here}.", own_receivers, own_send))
        yield from below or (Target(name, own_send, here) for name in own_receivers)
        if not route.go_on:
            return


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
    """When each receiver gets the alert. Quiet hours hold what is immediate; digests keep their slot."""
    return [
        plan_dispatch(alert.id, target, receivers[target.receiver], now)
        for target in find_targets(routes, alert, languages=languages, publishers=publishers)
        if target.receiver in receivers and receivers[target.receiver].enabled
    ]


def plan_dispatch(alert: str, target: Target, clock: ReceiverClock, now: datetime) -> Dispatch:
    """One alert for one receiver."""
    if isinstance(target.send, DigestSchedule):
        zone = target.send.zone or clock.zone
        due = next_slot(target.send.digest, zone, now)
        slot = f"digest:{target.route}:{slot_name(due, zone)}"
        return Dispatch(alert, target.receiver, due, slot, f"digest {target.send.digest} {zone}")
    end = quiet_until(clock.quiet_hours, clock.zone, now)
    if end is not None:
        until = slot_name(end, clock.zone)
        return Dispatch(
            alert,
            target.receiver,
            end,
            f"held:{until}",
            f"held during quiet hours until {until[-5:]}",
        )
    return Dispatch(alert, target.receiver, now, "", "immediate")
