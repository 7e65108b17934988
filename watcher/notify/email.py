"""Send each digest as mail: text and HTML, one message per recipient.

    - id: desk
      type: email
      host: mail.example.org        # port 587 with STARTTLS
      username: watcher
      password_env: MAIL_PASSWORD
      from: Watcher <watcher@example.org>
      to: [analyst@example.org, chief@example.org]
      zone: Asia/Seoul

`tls: implicit` is port 465, `tls: none` port 25 in clear (a relay on this machine);
credentials are never sent in clear unless `insecure_auth: true` says so. `token` is an
OAuth 2 access token for XOAUTH2; a `token_file` is read anew for each connection.
`ca_file` trusts a private authority. `dkim_selector` and `dkim_key` sign, where the mail
server doesn't (needs the package dkimpy).

Every recipient has an own message and an own outcome. `Message-ID` follows from the
notification's key: a second copy, possible when the server's answer got lost, has the
same id. Mails about one story are one thread, and so are a receiver's digests.
`X-Watcher-Rule`, `-Severity`, `-Story` and `-Kind` are for mail filters. A digest over
100 kB (Gmail cuts at 102) shows its later stories as headlines, then goes on in a
second mail.

Mails that wait together go over one connection. A server that finds a mail too big (552)
gets its text alone. 4xx, timeouts and lost connections are tried again for five days, other
5xx is given up, and refused credentials park the receiver until `watcher outbox retry`.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import getaddresses, parseaddr, quote
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from watcher.errors import PermanentDeliveryError
from watcher.fields import Duration, listed
from watcher.model import Digest, DigestKind, Draft, Notification, Receipt, StoryView
from watcher.notify._dkim import DkimKey
from watcher.notify._inert import inert
from watcher.notify._kit import check_endpoint, short_hash
from watcher.notify._mime import build, date_header, header_text, header_token, list_of, subject
from watcher.notify._pages import Page, paginate
from watcher.notify._smtp import Server, Session
from watcher.notify.settings import ReceiverSettings, Tools
from watcher.ports import Settled
from watcher.text import clean_line

_PORTS = {"starttls": 587, "implicit": 465, "none": 25}
# Gmail hides what comes after 102 kB of HTML.
MOST_HTML = 100_000
MOST_MAILS = 20
TOO_BIG = "552"
# What the mention of a picture takes of the HTML; the picture itself is a part of its own.
PICTURE = 250
_PICTURE = re.compile(r'(?<=src=")data:image/png;base64,([A-Za-z0-9+/=]+)(?=")')


def _address(value: str) -> str:
    """`Name <user@host>` or `user@host`; the domain may be international, the user part not."""
    name, spec = parseaddr(value)
    several = len(getaddresses([value])) != 1
    user, _, domain = spec.rpartition("@")
    try:
        spec = f"{user}@{domain.encode('idna').decode()}"
    except UnicodeError:
        user = ""
    odd = any(c in spec for c in ' <>()[]\\,;:"') or not spec.isprintable() or not spec.isascii()
    if several or not user or not domain or odd or value != clean_line(value):
        raise ValueError(f"{value!r} is not a mail address: write it like Desk <desk@example.org>")
    return f'"{quote(header_text(name))}" <{spec}>' if name else spec


def _unsubscribe(value: str) -> str:
    if not value.startswith("mailto:"):
        check_endpoint(value)
    if any(c in value for c in "<>, ") or not value.isascii():
        raise ValueError("not an address to unsubscribe: write an https: or mailto: URL")
    return value


Mailbox = Annotated[str, AfterValidator(_address)]
Unsubscribe = Annotated[str, AfterValidator(_unsubscribe)]


class Settings(ReceiverSettings):
    """`data_timeout` is the wait for the answer to the final dot, ten minutes by RFC 5321.

    `token_file` is read again for each connection: another program renews it within the hour.
    """

    host: str = Field(pattern=r"^[A-Za-z0-9.:_-]+$")
    port: int | None = Field(default=None, ge=1, le=65535)
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    token_file: str | None = None
    insecure_auth: bool = False
    ca_file: str | None = None
    hello: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.:\[\]-]+$")
    sender: Mailbox = Field(alias="from")
    to: Annotated[tuple[Mailbox, ...], BeforeValidator(listed), Field(min_length=1)]
    reply_to: Mailbox | None = None
    pictures: bool = True
    dkim_selector: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,63}$")
    dkim_key: SecretStr | None = None
    unsubscribe: Annotated[tuple[Unsubscribe, ...], BeforeValidator(listed)] = ()
    connect_timeout: Duration = timedelta(seconds=30)
    command_timeout: Duration = timedelta(minutes=2)
    data_timeout: Duration = timedelta(minutes=10)

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if (self.password or self.token) and not self.username:
            raise ValueError("a password or token is of no use without username: add it")
        if (self.dkim_key is None) != (self.dkim_selector is None):
            raise ValueError("a DKIM signature needs dkim_selector and dkim_key: give both")
        if self.username and self.tls == "none" and not self.insecure_auth:
            raise ValueError(
                "credentials would go in clear: use tls: starttls or implicit, "
                "or say insecure_auth: true"
            )
        return self

    @property
    def domain(self) -> str:
        return parseaddr(self.sender)[1].rpartition("@")[2]


class Receiver:
    """See the module's docstring."""

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._settings = settings
        self._render = tools.render
        self._root = tools.root

    def compose(self, digest: Digest) -> list[Draft]:
        digest = inert(digest)
        pages = paginate(
            digest.stories, lambda *some: self._load(digest, *some), most_pages=MOST_MAILS
        )
        bodies = [
            {
                "text": self._body("txt", digest, page),
                **_with_parts(self._body("html", digest, page, self._settings.pictures)),
            }
            for page in pages
        ]
        return [
            self._draft(digest, page, body, person, recipient)
            for person, recipient in self._recipients.items()
            for page, body in zip(pages, bodies, strict=True)
        ]

    @property
    def _recipients(self) -> dict[str, str]:
        """By the hash that is their part of the key; who is named twice gets one mail."""
        found: dict[str, str] = {}
        for recipient in self._settings.to:
            found.setdefault(short_hash(parseaddr(recipient)[1].lower()), recipient)
        return found

    def _draft(
        self, digest: Digest, page: Page, body: dict[str, Any], person: str, recipient: str
    ) -> Draft:
        part = person + (f"-{page.number}" if page.number > 1 else "")
        headers = self._headers(digest, page, recipient, part)
        return Draft({"to": parseaddr(recipient)[1], "headers": headers, **body}, part)

    def _load(
        self, digest: Digest, whole: Sequence[StoryView], brief: Sequence[StoryView]
    ) -> float:
        page = Page(tuple(whole), tuple(brief), of=MOST_MAILS, more=1)
        size = len(self._body("html", digest, page).encode())
        return (size + PICTURE * (len(whole) + 8)) / MOST_HTML

    def _body(self, form: str, digest: Digest, page: Page, pictures: bool = False) -> str:
        shown = replace(digest, stories=page.stories)
        name = f"{self._settings.template}.{form}.j2"
        return self._render.render(name, shown, page=page, whole=digest, pictures=pictures)

    def _headers(
        self, digest: Digest, page: Page, recipient: str, part: str
    ) -> list[tuple[str, str]]:
        settings, domain = self._settings, self._settings.domain
        root = _thread(digest, domain)
        list_name = header_text(settings.title or settings.id, 80)
        headers = [
            ("From", settings.sender),
            ("To", recipient),
            ("Subject", subject(settings.title, digest.title, page.mark)),
            ("Date", date_header(digest.at)),
            ("Message-ID", message_id(f"{digest.key}#{part}", domain)),
            ("In-Reply-To", root),
            ("References", root),
            ("List-Id", f'"{quote(list_name)}" <{_atom(settings.id)}.watcher.{domain}>'),
            ("Auto-Submitted", "auto-generated"),
            ("X-Auto-Response-Suppress", "All"),
            ("Precedence", "bulk"),
            *_labels(digest),
        ]
        if settings.reply_to:
            headers.append(("Reply-To", settings.reply_to))
        if settings.unsubscribe:
            headers.append(("List-Unsubscribe", list_of(settings.unsubscribe)))
            if any(url.startswith("https:") for url in settings.unsubscribe):
                headers.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
        return headers

    async def send(self, notification: Notification, *, at: datetime) -> Receipt:  # noqa: ARG002
        payload = notification.payload
        try:
            return await self._submit(payload)
        except PermanentDeliveryError as error:
            if error.code != TOO_BIG or not payload["html"]:
                raise
        # The same message id: should both arrive after all, they are one.
        return await self._submit({**payload, "html": ""})

    async def _submit(self, payload: Mapping[str, Any]) -> Receipt:
        try:
            message = build(payload)
        except (ValueError, KeyError, TypeError) as error:
            what = f"the message can't be built: {type(error).__name__}"
            raise PermanentDeliveryError(what, code="unsafe_mail") from error
        if self._dkim is not None:
            message = await asyncio.to_thread(self._dkim.sign, message)
        sender = parseaddr(self._settings.sender)[1]
        return Receipt(await self._session.submit(sender, str(payload["to"]), message))

    @asynccontextmanager
    async def kept(self, settled: Settled) -> AsyncIterator[None]:
        """See `ports.Keeping`: mails of one drain share a connection."""
        try:
            session = self._session
        except PermanentDeliveryError:  # raised again where a message can be blamed for it
            yield
            return
        async with session.kept(settled):
            yield

    @cached_property
    def _dkim(self) -> DkimKey | None:
        settings = self._settings
        if settings.dkim_key is None or settings.dkim_selector is None:
            return None
        pem = settings.dkim_key.get_secret_value()
        return DkimKey(settings.dkim_selector, settings.domain, pem)

    @cached_property
    def _session(self) -> Session:
        return Session(self._server())

    def _server(self) -> Server:
        settings = self._settings
        return Server(
            host=settings.host,
            port=settings.port or _PORTS[settings.tls],
            tls=settings.tls,
            hello=settings.hello or settings.domain,
            context=self._trust(),
            username=settings.username,
            password=settings.password.get_secret_value() if settings.password else None,
            token=settings.token.get_secret_value() if settings.token else None,
            token_file=self._root / settings.token_file if settings.token_file else None,
            connect_timeout=settings.connect_timeout,
            command_timeout=settings.command_timeout,
            data_timeout=settings.data_timeout,
        )

    def _trust(self) -> ssl.SSLContext | None:
        if self._settings.tls == "none":
            return None
        file = self._settings.ca_file
        try:
            return ssl.create_default_context(cafile=self._root / file if file else None)
        except (OSError, ssl.SSLError) as error:
            what = f"the ca_file {file!r} can't be read: check the path and that it holds PEM"
            raise PermanentDeliveryError(what, code="ca_file", park=True) from error


def _with_parts(html: str) -> dict[str, Any]:
    """Pictures as parts of the mail, named by what they show: readers block `data:` addresses."""
    images: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        cid = f"{short_hash(found[1], 20)}@watcher"
        images[cid] = found[1]
        return f"cid:{cid}"

    html = _PICTURE.sub(named, html)
    return {"html": html, "images": [{"cid": cid, "png": png} for cid, png in images.items()]}


def message_id(key: str, domain: str) -> str:
    """Fixed when composed: all attempts of one notification carry it."""
    return f"<{short_hash(key, 32)}@{domain}>"


def _thread(digest: Digest, domain: str) -> str:
    """An id no mail has, which all mails of a thread refer to: mail readers join them by it."""
    stories = {story.story for story in digest.stories}
    if digest.kind is DigestKind.ALERT and len(stories) == 1 and (story := stories.pop()):
        return f"<story.{_atom(story)}.{_atom(digest.receiver)}@{domain}>"
    return f"<{digest.kind.value}.{_atom(digest.receiver)}@{domain}>"


def _labels(digest: Digest) -> list[tuple[str, str]]:
    """`X-Watcher-…`: what a mail filter sorts by; several values are joined by a comma."""
    labels = [("X-Watcher-Kind", digest.kind.value)]
    if digest.stories:
        worst = max(digest.stories, key=lambda story: story.severity.rank)
        labels.append(("X-Watcher-Severity", worst.severity.value))
        labels.append(("X-Watcher-Rule", _joined(story.rule for story in digest.stories)))
        labels.append(("X-Watcher-Story", _joined(story.story or "" for story in digest.stories)))
    return labels


def _joined(values: Iterable[str]) -> str:
    tokens = [header_token(value) for value in dict.fromkeys(values) if value][:20]
    return ", ".join(tokens) or "-"


def _atom(text: str) -> str:
    """Fit for the left side of a message id."""
    plain = len(text) <= 100 and re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", text)
    return text if plain else short_hash(text)
