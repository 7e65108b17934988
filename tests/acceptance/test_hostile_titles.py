"""What a feed says is data: inert in mail, Slack, webhook, log and terminal (RELIABILITY H)."""

import json
import re

from selectolax.lexbor import LexborHTMLParser

from tests.acceptance.stage import Stage, rss, until

OLD = ("Old harbour news", "Nothing of interest.")
TITLES = {
    "template": "Kestrel alpha {{7*7}} {% include 'x' %} ${jndi:ldap://x} %(x)s {0}",
    "script": "Kestrel bravo <script>alert(1)</script><img src=x onerror=alert(2)>",
    "header": "Kestrel charlie\r\nBcc: victim@sample.example\r\n\r\nbody",
    "encoded": "Kestrel delta =?utf-8?q?a=0D=0ABcc=3A_victim=40sample.example?=",
    "mention": "Kestrel echo <!channel> <!here> <@U123> <http://evil.example|bank>",
    "ansi": "Kestrel foxtrot &#x9b;31m red &#x1b;[2J]8;;http://evil.example&#x7;",
    "override": "Kestrel golf \u202egnp.exe\u202c \u2066hidden\u2069 \U000e0041",
    "sql": "Kestrel hotel '; DROP TABLE article;-- =cmd|' /C calc'!A0",
}
TEXTS = {
    "template": "Quarry machines stopped at noon near the old mill.",
    "script": "Bakers in the valley raised prices of rye loaves.",
    "header": "Swimmers crossed the cold strait before breakfast.",
    "encoded": "Violin makers opened their workshops to schools.",
    "mention": "Beekeepers counted more swarms than ever before.",
    "ansi": "Glaziers replaced every window of the great hall.",
    "override": "Cyclists blocked a bridge to ask for a lane.",
    "sql": "Librarians found a lost map inside an atlas.",
}
RULE = """
rules:
  - id: kestrel
    title: Kestrel
    when: {all: [kestrel]}
    alert: {follow_ups: all}
"""
NEVER_RAW = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0041]")


def test_hostile_titles_arrive_inert_everywhere(stage: Stage) -> None:
    stage.feeds["news"] = rss(OLD)
    stage.configure(rules=RULE)
    items = [(TITLES[name], f"{TEXTS[name]} {{{{7*7}}}} <!channel> <b>x</b>") for name in TITLES]
    with stage.daemon() as daemon:
        until(lambda: daemon.events("polled"))
        stage.feeds["news"] = rss(*items, OLD)
        until(
            lambda: (
                min(len(stage.mails()), len(stage.calls("slack")), len(stage.calls("hook"))) >= 8
            )
        )
        found = stage.cli("search", "kestrel")

    for mail in stage.mails():
        check_mail(mail)
    subjects = " ".join(str(m["Subject"]) for m in stage.mails())
    assert all(title.split()[1] in subjects for title in TITLES.values())
    assert any("{{7*7}}" in str(m["Subject"]) for m in stage.mails())
    for _, body in stage.calls("slack"):
        check_slack(body)
    hooks = json.dumps([body for _, body in stage.calls("hook")], ensure_ascii=False)
    assert not NEVER_RAW.search(hooks)
    assert "{{7*7}}" in hooks
    for name in ("daemon.log", "daemon.out"):
        written = (stage.folder / name).read_text("utf-8")
        assert not NEVER_RAW.search(written), name
    assert not NEVER_RAW.search(found.stdout)


def check_mail(mail) -> None:
    text, page = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert mail["Bcc"] is None
    assert mail.get_all("To") == ["reader@sample.example"]
    assert not mail.defects
    assert "49" not in str(mail["Subject"])
    assert not NEVER_RAW.search(text + page)
    tree = LexborHTMLParser(page)
    assert not tree.css("script, iframe, object, form, meta[http-equiv=refresh], base")
    for node in tree.css("*"):
        assert not [name for name in node.attributes if name.startswith("on")]
    for link in tree.css("a"):
        assert link.attributes["href"].startswith(("https://", "http://", "mailto:"))
    assert not [i for i in tree.css("img") if not i.attributes.get("src", "").startswith("cid:")]


def check_slack(body) -> None:
    said = json.dumps(body, ensure_ascii=False)
    assert not re.search(r"<!(channel|here|everyone)|<@U", said)
    assert "<http://evil.example|bank>" not in said
    assert not NEVER_RAW.search(said)
