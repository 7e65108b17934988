"""watcher.yaml: the root model, and the environment that overrides it (`WATCHER_POLL__EVERY=5m`)."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings.sources.utils import parse_env_vars

from watcher.alerts.routes import RouteSettings
from watcher.alerts.silences import Silence
from watcher.clock import parse_clock
from watcher.fetch.addresses import parse_allow
from watcher.fields import Duration, Wait

PREFIX = "WATCHER_"
NESTING = "__"

_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB|kB|MB|GB)?")
_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "kB": 10**3, "MB": 10**6, "GB": 10**9}


def _size(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _SIZE.fullmatch(value.strip())
    if not found:
        raise ValueError(
            f"{value!r} is not a size: write bytes, or a number with KiB or MiB, like 10MiB"
        )
    return int(found[1]) * _UNITS[found[2] or "B"]


def _split(value: object) -> object:
    """The environment has no lists: commas do."""
    return (
        [part.strip() for part in value.split(",") if part.strip()]
        if isinstance(value, str)
        else value
    )


def _address(value: str) -> str:
    """`host:port`, exact: the outbound door lets nothing else into private networks."""
    try:
        parts = urlsplit(f"//{value}")
        port = parts.port
    except ValueError:
        port = None
    if port is None or not parts.hostname or parts.path or parts.username or parts.query:
        raise ValueError(f"{value!r} is not host:port: write it like 127.0.0.1:8080 or [::1]:8080")
    return value


def _listen(value: str) -> str:
    try:
        parse_allow(value)
    except ValueError as error:
        raise ValueError(
            f"{value!r} is not address:port: write it like 127.0.0.1:8000 or [::1]:8000"
        ) from error
    return value


def _contact(value: str | None) -> str | None:
    if value and not re.fullmatch(r"(https?://|mailto:)?[^\s@]*[@.][^\s]+", value):
        raise ValueError(f"{value!r} is not a contact: write the URL of a page or a mail address")
    return value or None


def _public_url(value: str | None) -> str | None:
    """As others see us; kept without the last slash, so that paths are added to it."""
    if not value:
        return None
    try:
        parts = urlsplit(value)
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            f"{value!r} is not an address others can ask: write it like https://watcher.example.org"
        )
    return value.rstrip("/")


def _clock(value: str | None) -> str | None:
    if value:
        parse_clock(value)
    return value or None


Size = Annotated[int, BeforeValidator(_size), Field(ge=1024, le=2**30)]
Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Addresses = Annotated[
    tuple[Annotated[str, AfterValidator(_address)], ...], NoDecode, BeforeValidator(_split)
]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HttpSettings(_Section):
    """The one way out: feeds, webhooks and Slack all go through it."""

    contact: Annotated[str | None, AfterValidator(_contact)] = None
    allow: Addresses = ()
    timeout: Wait = timedelta(seconds=30)
    max_body: Size = 10 * 2**20


class PollSettings(_Section):
    """How often feeds are asked; a feed's own hints move it between `min` and `max`."""

    every: Wait = timedelta(minutes=15)
    min: Wait = timedelta(minutes=5)
    max: Wait = timedelta(hours=24)
    concurrency: int = Field(default=50, ge=1, le=1000)
    per_host: int = Field(default=2, ge=1, le=100)
    host_spacing: Duration = timedelta(seconds=1)
    workers: int = Field(default=1, ge=1, le=64)

    @model_validator(mode="after")
    def _in_order(self) -> "PollSettings":
        if not self.min <= self.every <= self.max:
            raise ValueError("'every' is not between 'min' and 'max': change one of the three")
        return self


class WebSettings(_Section):
    """Where the daemon listens, and the address others reach that at."""

    listen: Annotated[str, AfterValidator(_listen)] | None = None
    public_url: Annotated[str | None, AfterValidator(_public_url)] = None

    @model_validator(mode="after")
    def _together(self) -> "WebSettings":
        if self.public_url and not self.listen:
            raise ValueError("'public_url' leads nowhere: set 'listen', like 127.0.0.1:8000")
        return self


class StorySettings(_Section):
    """Reports of one event share a story when they come within `window` of its last report.

    `all`: group what no rule caught, too.
    """

    window: Wait = timedelta(hours=72)
    all: bool = False


class LogSettings(_Section):
    """`auto` is console on a terminal, else JSON lines."""

    format: Literal["auto", "console", "json"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


def _a_month(value: timedelta) -> timedelta:
    if value < timedelta(days=31):
        raise ValueError("a month (31d) is the least: what is usual is measured against it")
    return value


class RetentionSettings(_Section):
    """When an article's text is deleted; its identity stays, so that it never comes back as new.

    `history`: when matches, decisions and deliveries are forgotten.
    """

    text: Wait = timedelta(days=365)
    history: Annotated[Wait, AfterValidator(_a_month)] = timedelta(days=365)


class WatcherSettings(BaseSettings):
    """watcher.yaml as a whole. Each receiver is checked by the module that its `type` names."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=PREFIX, env_nested_delimiter=NESTING
    )

    data: str = Field(default="../data", min_length=1)
    http: HttpSettings = HttpSettings()
    poll: PollSettings = PollSettings()
    web: WebSettings = WebSettings()
    stories: StorySettings = StorySettings()
    log: LogSettings = LogSettings()
    clock: Annotated[str | None, AfterValidator(_clock)] = None
    # For tests: the step at which the daemon kills itself (watcher.faults).
    fault: (
        Literal[
            "after_fetch",
            "before_commit",
            "after_commit",
            "mid_compose",
            "before_send",
            "after_send_before_mark",
            "mid_mark",
        ]
        | None
    ) = None
    operator: str | None = None
    templates: str | None = None
    retention: RetentionSettings = RetentionSettings()
    receivers: tuple[dict[str, Any], ...] = Field(default=(), repr=False)
    routes: tuple[RouteSettings, ...] = ()
    silences: tuple[Silence, ...] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  (the signature is pydantic's)
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is passed in and nothing else: the environment is merged before, by `from_environment`."""
        return (init_settings,)


def from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The part of watcher.yaml that the environment sets, as plain data. May raise SettingsError."""
    source = EnvSettingsSource(WatcherSettings)
    source.env_vars = parse_env_vars(environ, case_sensitive=False)
    return source()


def variable_of(loc: tuple[str | int, ...]) -> str:
    """`WATCHER_POLL__EVERY` for `("poll", "every")`."""
    return PREFIX + NESTING.join(str(part).upper() for part in loc)
