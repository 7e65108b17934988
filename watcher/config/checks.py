"""What no single model can see: that receivers, routes, rules and the operator fit together."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from watcher.alerts.routes import DigestSchedule, RouteMatch, RouteSettings
from watcher.alerts.schedule import next_slot
from watcher.config.problems import Loc, nearest
from watcher.config.reader import Reader
from watcher.config.rules import RuleBook
from watcher.config.settings import WatcherSettings
from watcher.config.yaml import Document
from watcher.notify.settings import ReceiverSettings

# A schedule that never comes does not come from here either; any day would do.
_SOME_DAY = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Root:
    """watcher.yaml as read: `entries` are the receivers as written, broken ones too.

    `route_places` are the places in the file of the routes that were sound.
    """

    document: Document
    settings: WatcherSettings
    overrides: Mapping[str, Any]
    entries: Sequence[Any]
    receivers: Mapping[str, ReceiverSettings]
    route_places: tuple[int, ...]

    @property
    def names(self) -> list[str]:
        ids = (entry.get("id") for entry in self.entries if isinstance(entry, dict))
        return [name for name in ids if isinstance(name, str)]


def check_root(reader: Reader, root: Root, book: RuleBook, families: Iterable[str]) -> None:
    """Adds problems and warnings; what is unknown because its file is broken is not blamed again."""
    if root.document.root is None:
        return
    _check_operator(reader, root)
    used: set[str] = set()
    places = zip(root.settings.routes, root.route_places, strict=False)
    for route, loc, receivers, send in _walk(places, ("routes",), (), None):
        used |= set(route.receivers)
        used |= {name for step in route.escalate for name in step.receivers}
        _check_receivers(reader, root, loc, route, receivers)
        _check_match(reader, root, book, families, loc, route.match)
        _check_schedule(reader, root, loc, receivers, send)
    for n, silence in enumerate(root.settings.silences):
        _check_match(reader, root, book, families, ("silences", n), silence.match)
    _warn(reader, root, used)


_Step = tuple[RouteSettings, Loc, tuple[str, ...], Any]


def _walk(
    routes: Iterable[tuple[RouteSettings, int]], loc: Loc, receivers: tuple[str, ...], send: Any
) -> Iterator[_Step]:
    """Each node with its place and what it has or inherits."""
    for route, n in routes:
        here = (*loc, n)
        own, own_send = route.receivers or receivers, route.send or send
        yield route, here, own, own_send
        below = [(child, at) for at, child in enumerate(route.routes)]
        yield from _walk(below, (*here, "routes"), own, own_send)


def _check_operator(reader: Reader, root: Root) -> None:
    name = root.settings.operator
    if name is None:
        if root.entries:
            todo = "name the receiver of notices about feeds, receivers and reloads"
            reader.warning(root.document, (), "no operator: is set", todo)
    elif name not in root.names:
        what = f"unknown receiver {name!r}"
        reader.problem(root.document, ("operator",), what, _near(name, root))
    elif name in root.receivers and not root.receivers[name].enabled:
        what = f"the receiver {name!r} is disabled"
        reader.warning(root.document, ("operator",), what, "enable it, or name another")


def _check_receivers(
    reader: Reader, root: Root, loc: Loc, route: RouteSettings, effective: Sequence[str]
) -> None:
    for n, name in enumerate(route.receivers):
        if name not in root.names:
            at = (*loc, "receivers", n)
            reader.problem(root.document, at, f"unknown receiver {name!r}", _near(name, root))
    for step, escalation in enumerate(route.escalate):
        for n, name in enumerate(escalation.receivers):
            if name not in root.names:
                at = (*loc, "escalate", step, "receivers", n)
                reader.problem(root.document, at, f"unknown receiver {name!r}", _near(name, root))
    if not effective and not route.routes:
        todo = "add receivers: here or to its parent"
        reader.problem(root.document, loc, "the route has no receivers", todo)
    known = [root.receivers[name] for name in effective if name in root.receivers]
    if known and not any(settings.enabled for settings in known):
        what = "every receiver of the route is disabled"
        reader.warning(root.document, loc, what, "enable one: these alerts reach nobody")


def _check_match(
    reader: Reader,
    root: Root,
    book: RuleBook,
    families: Iterable[str],
    loc: Loc,
    match: RouteMatch,
) -> None:
    for n, name in enumerate(match.rules):
        if name not in book.ids:
            at = (*loc, "match", "rules", n)
            todo = nearest(name, book.ids, otherwise="delete it")
            reader.problem(root.document, at, f"unknown rule {name!r}", todo)
    for key, what, known in (
        ("tags", "no rule has the tag", book.tags),
        ("publishers", "no publisher is of the family", set(families)),
    ):
        for n, name in enumerate(getattr(match, key)):
            if name not in known:
                at = (*loc, "match", key, n)
                todo = nearest(name, known, otherwise="check the spelling")
                reader.warning(root.document, at, f"{what} {name!r}", todo)


def _check_schedule(
    reader: Reader, root: Root, loc: Loc, receivers: Sequence[str], send: Any
) -> None:
    if not isinstance(send, DigestSchedule):
        return
    zones = {root.receivers[name].zone for name in receivers if name in root.receivers}
    zones = {send.zone} if send.zone else zones or {"UTC"}
    try:
        for zone in sorted(zones):
            next_slot(send.digest, zone, _SOME_DAY)
    except ValueError:
        what = f"{send.digest!r} never comes"
        reader.problem(root.document, (*loc, "send"), what, "check its day and month")


def _warn(reader: Reader, root: Root, used: set[str]) -> None:
    if not root.entries:
        what = "there are no receivers, alerts go nowhere"
        reader.warning(root.document, (), what, "add receivers:")
    elif not root.settings.routes:
        what = "there are no routes, alerts go nowhere"
        reader.warning(root.document, (), what, "add routes:")
    for n, entry in enumerate(root.entries):
        name = entry.get("id") if isinstance(entry, dict) else None
        settings = root.receivers.get(name) if isinstance(name, str) else None
        if settings and settings.enabled and name not in used and name != root.settings.operator:
            what = f"no route uses the receiver {name!r}"
            reader.warning(
                root.document, ("receivers", n, "id"), what, "route alerts to it, or delete it"
            )


def _near(name: str, root: Root) -> str:
    return nearest(name, root.names, otherwise="add it under receivers:")
