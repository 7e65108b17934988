"""A reader answers from the mail: the daemon keeps the label, the silence, and the key of its links."""

import json
import re
import socket
import urllib.error
import urllib.request
from email.message import EmailMessage

from tests.acceptance.stage import NEWS, Stage, rss, until

OLD = ("Old harbour news", "Nothing of interest.")


def ask(url: str, form: bytes | None = None) -> tuple[int, str]:
    """GET, or POST when there is a form; the status and the page."""
    try:
        with urllib.request.urlopen(url, form, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def links(mail: EmailMessage) -> dict[str, str]:
    body = mail.get_body(("plain",))
    assert body is not None
    return dict(
        re.findall(r"^ +(Relevant|Noise|Mute|Acknowledge): (\S+)", body.get_content(), re.MULTILINE)
    )


def test_a_reader_answers_from_the_mail_and_after_a_restart(stage: Stage) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    stage.feeds["news"] = rss(OLD)
    stage.configure(web={"listen": listen, "public_url": f"http://{listen}"})
    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))
        stage.feeds["news"] = rss(NEWS, OLD)
        until(lambda: stage.mails("launches"))
        found = links(stage.mails("launches")[0])
        looked = [ask(url) for url in found.values()]
        before = stage.cli("label", "--list", "--json").stdout
        answered = ask(found["Noise"], b"do=it")

    with stage.daemon():
        muted = until(lambda: answered_again(found["Mute"]))
    labels = json.loads(stage.cli("label", "--list", "--json").stdout)
    silences = json.loads(stage.cli("silence", "list", "--json").stdout)
    html = stage.mails("launches")[0].get_body(("html",))
    log = (stage.folder / "daemon.log").read_text("utf-8")

    assert list(found) == ["Relevant", "Noise", "Mute", "Acknowledge"]
    assert [status for status, _ in looked] == [200] * 4
    assert json.loads(before) == []
    assert answered[0] == muted[0] == 200
    assert [label["label"] for label in labels] == ["noise"]
    assert [silence["author"] for silence in silences] == ["a reader of mail"]
    assert html is not None
    assert found["Mute"] in html.get_content()
    assert not [url for url in found.values() if url.rsplit("/", 1)[1] in log]


def answered_again(url: str) -> tuple[int, str] | None:
    """The daemon may still be starting."""
    try:
        return ask(url, b"what=rule&for=7d")
    except OSError:
        return None
