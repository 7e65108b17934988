"""One feed of feeds.yaml."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from watcher.fields import Wait
from watcher.languages import known_language

MAX_SELECTOR = 500
_HEADER = re.compile(r"(?i)authorization|cookie|user-agent|accept-language|x-[a-z0-9-]*(key|token)")


def _feed_url(url: str) -> str:
    if not url.lower().startswith(("http://", "https://")):
        raise ValueError(f"{url!r} is not a feed address: it must begin with http:// or https://")
    if "@" in url.split("/")[2]:
        raise ValueError("the address holds a user name: put credentials under headers:")
    return url


def _allowed(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name in headers:
        if not _HEADER.fullmatch(name):
            raise ValueError(
                f"header {name!r} is not allowed: use Authorization, Cookie, User-Agent, "
                "Accept-Language, X-…-Key or X-…-Token"
            )
    return headers


def _selector(text: str) -> str:
    # Here, because most of what reads this file never needs it.
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError

    if len(text) > MAX_SELECTOR:
        raise ValueError(f"is longer than {MAX_SELECTOR} characters: a class or two will do")
    try:
        LexborHTMLParser("<p>").css(text)
    except (SelectolaxError, ValueError) as error:
        raise ValueError(
            f"{text!r} is not a CSS selector: write it as for a browser, like 'article' or '.news li'"
        ) from error
    return text


Selector = Annotated[str, AfterValidator(_selector)]


class PageSettings(BaseModel):
    """Where the entries of an index page are; all but `items` are found by themselves on most pages.

    `link`, `title`, `date` and `text` are looked for inside each item.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    items: Selector
    link: Selector | None = None
    title: Selector | None = None
    date: Selector | None = None
    text: Selector | None = None


class FeedSettings(BaseModel):
    """`every`: ask this often, whatever the feed's rhythm and the bounds of `poll:`; what a server
    asks for and failures may make it rarer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=100)]
    url: Annotated[str, AfterValidator(_feed_url)]
    title: str = ""
    group: str = ""
    lang: Annotated[str, AfterValidator(known_language)] | None = None
    publisher: str | None = None
    every: Wait | None = None
    initial: Annotated[int, Field(ge=0, le=1000)] = 0
    enabled: bool = True
    identity: Literal["auto", "guid", "link", "content"] = "auto"
    websub: bool = True
    page: PageSettings | None = None
    full_text: bool = False
    headers: Annotated[dict[str, SecretStr], AfterValidator(_allowed)] = {}


class FeedFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    feeds: tuple[FeedSettings, ...]
