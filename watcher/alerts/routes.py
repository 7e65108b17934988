"""Which receivers get an alert: a tree whose children inherit. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from watcher.alerts.schedule import QuietHours, check_cron
from watcher.fields import Duration, listed
from watcher.languages import known_language, spoken
from watcher.model import Alert, AlertKind, Severity


class _Yaml(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


Names = Annotated[tuple[str, ...], BeforeValidator(listed)]
Languages = Annotated[
    tuple[Annotated[str, AfterValidator(known_language)], ...], BeforeValidator(listed)
]


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
    languages: Languages = ()
    publishers: Names = ()
    kinds: Annotated[tuple[AlertKind, ...], BeforeValidator(listed)] = ()
    stories: Names = ()


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
    """Where an alert goes by one route.

    `place` is the node's in the tree, like `0.2`; `route` is what it is known by through reloads.
    """

    receiver: str
    send: Send
    place: str
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
    matches: tuple[RouteMatch, ...] = ()

    def with_own(self, route: RouteSettings) -> "_Inherited":
        return _Inherited(
            route.receivers or self.receivers,
            route.send or self.send,
            route.escalate or self.escalate,
            (*self.matches, route.match),
        )


@lru_cache(maxsize=1000)
def route_name(matches: tuple[RouteMatch, ...]) -> str:
    """A route is the same as long as it and those above it match the same, wherever it stands.

    Two that match the same differ in their receivers: of a receiver named twice the first counts.
    """
    said = "\n".join(match.model_dump_json(exclude_defaults=True) for match in matches)
    return sha256(said.encode()).hexdigest()[:8]


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
        name = route_name(own.matches)
        yield from below or (Target(r, own.send, here, name, own.escalate) for r in own.receivers)
        if not route.go_on:
            return


Schedules: TypeAlias = Mapping[tuple[str, str], DigestSchedule]


def schedules_of(
    routes: Sequence[RouteSettings], above: _Inherited = _TOP
) -> dict[tuple[str, str], DigestSchedule]:
    """Each receiver's digests, by receiver and name of the route; the first route counts."""
    found: dict[tuple[str, str], DigestSchedule] = {}
    for route in routes:
        own = above.with_own(route)
        if isinstance(own.send, DigestSchedule):
            for receiver in own.receivers:
                found.setdefault((receiver, route_name(own.matches)), own.send)
        found = schedules_of(route.routes, own) | found
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
        "stories": not match.stories or alert.story in match.stories,
        "languages": not match.languages
        or any(
            language.casefold() in spoken(tag) for tag in languages for language in match.languages
        ),
        "publishers": not match.publishers or not publishers.isdisjoint(match.publishers),
    }
    return next((key for key, holds in held.items() if not holds), "")
