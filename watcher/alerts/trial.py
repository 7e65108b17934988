"""`watcher route test`: which way an alert would go through the tree, and why not another. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from watcher.alerts.dispatches import escalations, plan_dispatches
from watcher.alerts.routes import ReceiverClock, RouteSettings, find_targets, mismatch
from watcher.model import Alert, Dispatch


@dataclass(frozen=True, slots=True)
class RouteStep:
    """One node as the alert met it: `path` like `0.2`, `missed` the first key that did not hold."""

    path: str
    missed: str


@dataclass(frozen=True, slots=True)
class RouteTrial:
    """`steps` in the order they were tried; `unreachable` are receivers off or unknown."""

    steps: tuple[RouteStep, ...]
    dispatches: tuple[Dispatch, ...]
    unreachable: tuple[str, ...]


def try_routes(
    routes: Sequence[RouteSettings],
    alert: Alert,
    *,
    languages: Iterable[str] = (),
    publishers: Iterable[str] = (),
    receivers: Mapping[str, ReceiverClock],
    now: datetime,
) -> RouteTrial:
    """What `plan_dispatches` would do at `now`, with every node that was looked at."""
    spoken, heard = frozenset(languages), frozenset(publishers)
    targets = find_targets(routes, alert, languages=spoken, publishers=heard)
    planned = plan_dispatches(
        alert, languages=spoken, publishers=heard, routes=routes, receivers=receivers, now=now
    )
    named = [r for t in targets for r in (t.receiver, *(r for r, _ in escalations(t)))]
    reached = {dispatch.receiver for dispatch in planned}
    return RouteTrial(
        tuple(_steps(routes, alert, spoken, heard, "")),
        tuple(planned),
        tuple(r for r in dict.fromkeys(named) if r not in reached),
    )


def _steps(
    routes: Sequence[RouteSettings],
    alert: Alert,
    languages: frozenset[str],
    publishers: frozenset[str],
    path: str,
) -> list[RouteStep]:
    steps = []
    for n, route in enumerate(routes):
        here = f"{path}{n}"
        missed = mismatch(route.match, alert, languages, publishers)
        steps.append(RouteStep(here, missed))
        if missed:
            continue
        steps += _steps(route.routes, alert, languages, publishers, f"{here}.")
        if not route.go_on:
            break
    return steps
