"""The demo's configuration folder: the shipped rules and names, and feeds and receivers on loopback."""

import base64
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from watcher.demo.newsday import NewsDay, Outlet
from watcher.resources import bundled

READER = "Sample Desk <desk@sample-desk.example>"
ZONE = "Asia/Seoul"
# Slots in Seoul's time: the news day holds four of them, and the next morning's.
SLOTS = "0 8,12,18,22 * * *"
HOOK_SECRET = "whsec_" + base64.b64encode(b"a sample secret for the demo").decode()


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everything listens on 127.0.0.1."""

    news: int
    hooks: int
    mail: int


def secrets(ports: Ports) -> dict[str, str]:
    """The environment the receivers take their secrets from."""
    return {
        "DEMO_SLACK_URL": f"http://127.0.0.1:{ports.hooks}/slack/T0SAMPLE",
        "DEMO_WEBHOOK_URL": f"http://127.0.0.1:{ports.hooks}/hook",
        "DEMO_WEBHOOK_SECRET": HOOK_SECRET,
    }


def write_folder(
    folder: Path, day: NewsDay, ports: Ports, *, start: datetime, speed: float
) -> None:
    """Rules and concepts as shipped, the sample outlets beside the shipped publishers."""
    shipped = bundled("config")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(shipped / "rules", folder / "rules", dirs_exist_ok=True)
    shutil.copyfile(shipped / "concepts.yaml", folder / "concepts.yaml")
    publishers = shipped / "publishers.yaml"
    known = yaml.safe_load(publishers.read_text("utf-8")) if publishers.is_file() else {}
    samples = [_publisher(outlet) for outlet in day.outlets.values()]
    _dump(
        folder / "publishers.yaml", {"publishers": [*(known or {}).get("publishers", ()), *samples]}
    )
    _dump(
        folder / "feeds.yaml", {"feeds": [_feed(outlet, ports) for outlet in day.outlets.values()]}
    )
    _dump(folder / "watcher.yaml", _settings(ports, f"{start:%Y-%m-%dT%H:%M:%SZ}*{speed:g}"))


def _publisher(outlet: Outlet) -> dict[str, Any]:
    wire = {"wire": True, "marks": list(outlet.wire)} if outlet.wire else {}
    family = {"family": outlet.family} if outlet.family else {}
    return {"name": outlet.name, "domains": [outlet.domain], **family, **wire}


def _feed(outlet: Outlet, ports: Ports) -> dict[str, Any]:
    feed = {
        "id": outlet.id,
        "url": f"http://127.0.0.1:{ports.news}/{outlet.id}/feed",
        "title": outlet.name,
        "lang": outlet.lang,
    }
    return feed if outlet.gathers else {**feed, "publisher": outlet.name}


def _settings(ports: Ports, clock: str) -> dict[str, Any]:
    return {
        "data": "data",
        "clock": clock,
        "http": {"allow": [f"127.0.0.1:{ports.news}", f"127.0.0.1:{ports.hooks}"]},
        # Every feed is on one host here, and a second is twenty minutes and more.
        "poll": {"every": "30m", "min": "10m", "per_host": 50, "host_spacing": "0s"},
        "log": {"format": "json"},
        "operator": "desk",
        "receivers": [
            {
                "id": "desk",
                "type": "email",
                "host": "127.0.0.1",
                "port": ports.mail,
                "tls": "none",
                "from": "Watcher <watcher@sample-desk.example>",
                "to": [READER],
                "zone": ZONE,
            },
            {
                "id": "channel",
                "type": "slack",
                "url_env": "DEMO_SLACK_URL",
                "zone": ZONE,
                # Slack itself asks for a second; this one is patient.
                "min_interval": "0.1s",
            },
            {
                "id": "hook",
                "type": "webhook",
                "url_env": "DEMO_WEBHOOK_URL",
                "secret_env": "DEMO_WEBHOOK_SECRET",
            },
            {"id": "pages", "type": "file", "folder": "data/digests", "zone": ZONE},
        ],
        "routes": [
            {
                "match": {"min_severity": "high"},
                "receivers": ["channel", "hook"],
                "send": "immediate",
                "continue": True,
            },
            {"receivers": ["desk", "pages"], "send": {"digest": SLOTS, "zone": ZONE}},
        ],
    }


def _dump(path: Path, data: object) -> None:
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
