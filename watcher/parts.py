"""Each part of the service as a configuration wants it. No decision is made here."""

import sys
from random import Random
from secrets import token_hex
from urllib.parse import urlsplit

from watcher import __version__
from watcher.alerts.routes import ReceiverClock
from watcher.compose import LinksOf
from watcher.config.load import Config
from watcher.fetch.door import GuardedDoor
from watcher.intake.hubs import Hubs
from watcher.notify import load as load_receiver
from watcher.notify.settings import Tools
from watcher.pipeline import Plan
from watcher.ports import Door, Receiver
from watcher.preview import renderer_of
from watcher.store.engine import Store
from watcher.web.links import Signer

LINKS_KEY = "links_key"


def plan_of(config: Config) -> Plan:
    """What the pipeline needs of the configuration; disabled receivers get nothing."""
    return Plan(
        rules=config.rules,
        routes=config.routes,
        receivers={
            name: ReceiverClock(settings.zone, settings.quiet_hours, settings.enabled)
            for name, settings in config.receivers.items()
        },
        silences=config.settings.silences,
        story_window=config.settings.stories.window,
        all_stories=config.settings.stories.all,
        history=config.settings.retention.history,
    )


def zones_of(config: Config) -> dict[str, str]:
    return {name: settings.zone for name, settings in config.receivers.items()}


def open_door(config: Config) -> GuardedDoor:
    contact = config.settings.http.contact
    poll = config.settings.poll
    return GuardedDoor(
        user_agent=f"watcher/{__version__}" + (f" (+{contact})" if contact else ""),
        allow=config.settings.http.allow,
        own=[config.settings.web.listen] if config.settings.web.listen else [],
        per_host=poll.per_host,
        host_spacing=poll.host_spacing,
    )


def build_receivers(config: Config, door: Door, *, dry_run: bool = False) -> dict[str, Receiver]:
    """Every enabled receiver; with `dry_run` each prints what it would send."""
    tools = Tools(
        door=door,
        render=renderer_of(config),
        root=config.folder,
        stdout=sys.stdout,
    )
    receivers: dict[str, Receiver] = {}
    for name, settings in config.receivers.items():
        if not settings.enabled:
            continue
        if dry_run:
            printing = load_receiver("stdout")
            settings = printing.Settings(
                id=name,
                type="stdout",
                zone=settings.zone,
                title=settings.title,
                template=settings.template,
            )
        receivers[name] = load_receiver(settings.type).Receiver(settings, tools)
    return receivers


def signer_of(config: Config, store: Store) -> Signer | None:
    """What signs readers' links, with a key made once; None when nobody could follow them."""
    url = config.settings.web.public_url
    if url is None:
        return None
    with store.begin() as tx:
        key = tx.meta.get(LINKS_KEY)
        if key is None:
            key = token_hex(32)
            tx.meta.set(LINKS_KEY, key)
    return Signer(bytes.fromhex(key), url)


def links_of(config: Config, signer: Signer | None) -> LinksOf | None:
    """Links for the readers of receivers that are to have them."""
    if signer is None:
        return None
    having = {name for name, settings in config.receivers.items() if settings.links}
    return lambda view, receiver, at: (
        signer.links_of(view, receiver, at) if receiver in having else None
    )


def hubs_of(config: Config, rng: Random) -> Hubs | None:
    """None when no hub could call us. A secret goes where nobody listens on the way."""
    url, inside = config.settings.web.public_url, frozenset(config.settings.http.allow)

    def keeps_secrets(hub: str) -> bool:
        parts = urlsplit(hub)
        return parts.scheme == "https" or parts.netloc in inside

    return Hubs(url, keeps_secrets=keeps_secrets, rng=rng) if url else None
