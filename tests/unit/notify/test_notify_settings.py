"""Settings of receivers: what is refused, and in which words."""

from datetime import time, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from watcher.alerts.schedule import QuietHours
from watcher.notify import load
from watcher.notify.settings import ReceiverSettings

MAIL = {"host": "h", "from": "a@example.org", "to": "b@example.org"}


def settings(kind: str, **keys: Any) -> Any:
    return load(kind).Settings.model_validate({"id": "x", "type": kind, **keys})


def refusal(kind: str, **keys: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        settings(kind, **keys)
    return str(caught.value)


def test_quiet_hours_are_local_times() -> None:
    found = settings("stdout", quiet_hours={"from": "22:00", "until": "07:00"})

    assert found.quiet_hours == QuietHours(time(22), time(7))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"from": "22:00"}, "need exactly from and until"),
        ({"from": "22:00", "until": "25:00"}, "not a time of day"),
        ({"from": "22:00+02:00", "until": "07:00"}, "zone of its own"),
        (7, "quiet_hours"),
    ],
)
def test_quiet_hours_that_make_no_sense_are_refused(value: Any, words: str) -> None:
    assert words in refusal("stdout", quiet_hours=value)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "+09:00"])
def test_zones_are_iana_names(zone: str) -> None:
    assert "zone" in refusal("stdout", zone=zone)


def test_an_editor_is_told_what_people_write() -> None:
    properties = load("email").Settings.model_json_schema()["properties"]

    assert set(properties["quiet_hours"]["properties"]) == {"from", "until"}
    assert properties["data_timeout"]["type"] == "string"
    assert "from" in properties


def test_durations_are_written_with_a_unit() -> None:
    assert settings("stdout", min_interval="90s").min_interval == timedelta(seconds=90)
    assert "min_interval" in refusal("stdout", min_interval="soon")


def test_slack_keeps_to_a_message_a_second() -> None:
    assert settings("slack", url="https://h.example/x").min_interval == timedelta(seconds=1)


@pytest.mark.parametrize("name", ["../digest", "a/b", "digest.html.j2", ""])
def test_template_names_are_no_paths(name: str) -> None:
    assert "template" in refusal("stdout", template=name)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://h/x",
        "https://u:p@h/x",
        "https://?key",
        "h.example/x",
        "https://h\\@x/",
        "https://h/\n",
    ],
)
@pytest.mark.parametrize("kind", ["slack", "webhook"])
def test_endpoints_are_web_addresses_and_stay_secret(kind: str, url: str) -> None:
    said = refusal(kind, url=url)

    assert "not a web address" in said
    assert url not in said


def test_a_signing_secret_is_base64() -> None:
    assert "whsec_" in refusal("webhook", url="https://h.example", secret="whsec_!")
    assert "whsec_" in refusal("webhook", url="https://h.example", secret="")


def test_mail_goes_over_starttls_unless_told_otherwise() -> None:
    found = settings("email", **MAIL)

    assert found.tls == "starttls"
    assert found.sender == "a@example.org"
    assert found.to == ("b@example.org",)


def test_credentials_never_go_in_clear_by_accident() -> None:
    clear = {**MAIL, "tls": "none", "username": "u", "password": "p"}

    assert "in clear" in refusal("email", **clear)
    assert settings("email", **clear, insecure_auth=True)
    assert "username" in refusal("email", **MAIL, password="p")


@pytest.mark.parametrize(
    "address",
    ["nobody", "a@", "@b.example", "a b@c.example", "a@b.example, c@d.example", "a@b\r\nBcc: c@d"],
)
def test_addresses_hold_one_mailbox(address: str) -> None:
    assert "not a mail address" in refusal("email", **{**MAIL, "to": [address]})


def test_international_domains_are_encoded() -> None:
    assert settings("email", **{**MAIL, "to": "Büro <a@münchen.example>"}).to == (
        '"Büro" <a@xn--mnchen-3ya.example>',
    )


def test_to_unsubscribe_is_a_url() -> None:
    assert settings("email", **MAIL, unsubscribe="mailto:off@example.org").unsubscribe
    assert "unsubscribe" in refusal("email", **MAIL, unsubscribe="off@example.org")
    assert "unsubscribe" in refusal("email", **MAIL, unsubscribe="mailto:a@b>, <x")


def test_an_id_names_files_and_headers_safely() -> None:
    assert "id" in refusal("stdout", id="a/b")
    assert ReceiverSettings(id="korea-desk.1", type="stdout").enabled
