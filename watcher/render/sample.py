"""A made-up digest with everything in it: to preview templates, to check them, to test with."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from watcher.links import StoryLinks
from watcher.model import AlertKind, Digest, DigestKind, Passage, Report, Severity, StoryView

AT = datetime(2026, 5, 29, 22, 0, tzinfo=UTC)


def sample_digest(
    *, receiver: str = "desk", zone: str = "Asia/Seoul", kind: DigestKind = DigestKind.DIGEST
) -> Digest:
    """The same every time. Every outlet in it is invented."""
    stories = (_launch(), _trip(), _troops(), _arms(), _transfer(), _satellite(), _drill())
    digest = Digest(
        key=f"digest:0:2026-05-30T07:00:{receiver}",
        receiver=receiver,
        kind=kind,
        title=f"{len(stories)} stories, 2 with news: {stories[0].title}",
        at=AT,
        zone=zone,
        stories=stories,
        silent_rules=("South Korea arming Kyiv", "Heads of government in Pyongyang"),
        late_since=AT - timedelta(hours=9),
        silenced="3 alerts were silenced since the last digest (by Desk)",
    )
    if kind is DigestKind.ALERT:
        return _only(digest, stories[1])
    return digest


def with_links(digest: Digest) -> Digest:
    """As where `web.public_url` is set: what a reader may do stands beside each story."""

    def linked(story: StoryView) -> StoryView:
        base, token = "https://watcher.example.org/f", f"{story.alert}-token"
        links = {act: f"{base}/{act}/{token}" for act in ("relevant", "noise", "mute", "ack")}
        return replace(story, links=StoryLinks(**links))

    return replace(digest, stories=tuple(map(linked, digest.stories)))


def _only(digest: Digest, story: StoryView) -> Digest:
    return replace(
        digest,
        key=f"alert:{story.alert}:{digest.receiver}",
        title=f"Update: {story.title}",
        stories=(story,),
        silent_rules=(),
        late_since=None,
        silenced="",
    )


def marked(text: str, *words: str, field: str = "body") -> Passage:
    """A passage with the first occurrence of each word marked."""
    marks = sorted((at, at + len(word)) for word in words if (at := text.find(word)) >= 0)
    return Passage(field, text, tuple(marks))


def _ago(hours: float) -> datetime:
    return AT - timedelta(hours=hours)


_Row = tuple[str, str, float, str | None]


def _reports(
    slug: str, rows: Sequence[_Row], *, new: int = 0, copies: int = 0
) -> tuple[Report, ...]:
    """`(publisher, title, hours ago, language)`; the last `new` are new, `copies` follow the wire."""
    found = [
        Report(
            article=f"{slug}-{n}",
            title=title,
            url=f"https://{publisher.lower().replace(' ', '-')}.example/{slug}/{n}",
            publisher=publisher,
            family=publisher,
            at=_ago(hours),
            lang=lang,
            is_new=n >= len(rows) - new,
        )
        for n, (publisher, title, hours, lang) in enumerate(rows)
    ]
    wire = found[0]
    found += [
        Report(
            article=f"{slug}-copy-{n}",
            title=wire.title,
            url=f"https://regional-{n}.example/{slug}",
            publisher=f"Regional {n}",
            family=wire.family,
            at=wire.at + timedelta(minutes=9 * n + 4),
            lang=wire.lang,
            copy_of=wire.family,
        )
        for n in range(copies)
    ]
    return tuple(found)


def _view(
    slug: str,
    reports: tuple[Report, ...],
    *,
    lead: int = 0,
    kind: AlertKind = AlertKind.NEW_STORY,
    severity: Severity = Severity.NORMAL,
    rule: tuple[str, str],
    passages: tuple[Passage, ...],
    reason: str = "first report of a new story",
    new: tuple[str, ...] = (),
    tags: tuple[str, ...] = (),
    note: str = "",
) -> StoryView:
    report = reports[lead]
    return StoryView(
        alert=f"t-{slug}",
        kind=kind,
        severity=severity,
        rule=rule[0],
        rule_title=rule[1],
        story=f"s-{slug}",
        title=report.title,
        url=report.url,
        publisher=report.publisher,
        at=report.at,
        first_seen=min(r.at for r in reports) + timedelta(minutes=3),
        reason=reason,
        new=new,
        passages=passages,
        reports=reports,
        tags=tags,
        note=note,
    )


def _launch() -> StoryView:
    title = "North Korea tells Japan it will launch a satellite before June 4"
    reports = _reports(
        "launch",
        [
            ("Harbor Wire", title, 7.4, "en"),
            ("Han River Daily", "북한, 6월 4일 이전 위성 발사 계획 일본에 통보", 7.1, "ko"),
            ("Kanto Shimpo", "北朝鮮、人工衛星の打ち上げを日本側に通告", 6.9, "ja"),
            ("Meridian Post", "Tokyo readies interceptors after launch notice", 5.2, "en"),
            ("Rheinblick", "Nordkorea kündigt Satellitenstart an", 4.8, "de"),
            ("Radio Levant", "Pyongyang annonce un tir de satellite", 4.1, "fr"),
            ("Delta Standard", "Launch window opens Monday, coast guard says", 3.0, "en"),
        ],
        copies=3,
    )
    return _view(
        "launch",
        reports,
        severity=Severity.CRITICAL,
        rule=("north-korea-satellite-launch", "North Korea: satellite launch"),
        passages=(
            marked(title, "North Korea", "launch", "satellite", field="title"),
            marked(
                "… the coast guard said Pyongyang had named an eight-day window for the rocket, "
                "with debris expected in two zones west of the peninsula and one east of Luzon …",
                "Pyongyang",
                "rocket",
            ),
        ),
        tags=("dprk", "space"),
        note="Call the duty officer when a window opens within 24 hours.",
    )


def _trip() -> StoryView:
    reports = _reports(
        "trip",
        [
            ("Amur Telegraph", "Поезд Ким Чен Ына замечен у границы", 26.0, "ru"),
            ("Harbor Wire", "Kim's armoured train crosses into Russia", 20.5, "en"),
            ("Han River Daily", "김정은, 열차로 러시아 도착… 정상회담 임박", 1.4, "ko"),
        ],
        new=1,
    )
    return _view(
        "trip",
        reports,
        lead=2,
        kind=AlertKind.FOLLOW_UP,
        severity=Severity.HIGH,
        rule=("kim-jong-un-state-trip", "Kim Jong Un abroad"),
        passages=(
            marked("김정은, 열차로 러시아 도착… 정상회담 임박", "김정은", "러시아", field="title"),
            marked(
                "… 김정은 국무위원장이 탄 전용열차가 오늘 오후 하산역에 도착했다고 현지 관계자가 밝혔다 …",
                "김정은",
            ),
        ),
        reason="the report adds something new",
        new=("하산역", "arrival confirmed", "summit on Saturday"),
        tags=("dprk", "russia"),
    )


def _troops() -> StoryView:
    title = "Second brigade leaves Wonsan for the Russian far east, Kyiv says"
    rows: list[_Row] = [
        ("Dnipro Monitor", title, 9.0, "en"),
        ("Meridian Post", "Kyiv counts a second North Korean brigade", 8.1, "en"),
        ("Baltic Courier", "More troops on the way to Kursk", 2.2, "en"),
    ]
    return _view(
        "troops",
        _reports("troops", rows),
        kind=AlertKind.CORROBORATED,
        severity=Severity.HIGH,
        rule=("north-korean-troops", "North Korean troops in Russia"),
        passages=(
            marked(title, "brigade", "Wonsan", "Russian", field="title"),
            marked(
                "… about 3,000 soldiers boarded two ferries on Thursday, the ministry said, "
                "citing intercepted radio traffic …",
                "soldiers",
            ),
        ),
        reason="enough publishers report it",
        new=("3 publishers",),
        tags=("ukraine",),
    )


def _arms() -> StoryView:
    title = "Two allies lift range limits on missiles given to Ukraine"
    rows: list[_Row] = [
        ("Meridian Post", title, 5.0, "en"),
        ("Rheinblick", "Reichweitengrenze für Kiew fällt", 4.0, "de"),
    ]
    return _view(
        "arms",
        _reports("arms", rows, copies=1),
        rule=("western-arms-restrictions", "Western arms restrictions"),
        passages=(
            marked(title, "limits", "missiles", "Ukraine", field="title"),
            marked("… may now be fired at airfields up to 300 kilometres inland …", "fired"),
        ),
        tags=("ukraine",),
    )


def _transfer() -> StoryView:
    title = "Россия передаст КНДР технологии спутников-шпионов, сообщают источники"
    rows: list[_Row] = [("Amur Telegraph", title, 3.3, "ru")]
    return _view(
        "transfer",
        _reports("transfer", rows),
        rule=("russian-technology-transfer", "Russian technology transfer"),
        passages=(
            marked(title, "Россия", "технологии спутников", field="title"),
            marked(
                "… речь идёт о двигателях и системах наведения, а также о подводных лодках …",
                "двигателях",
            ),
        ),
        tags=("dprk", "russia"),
    )


def _satellite() -> StoryView:
    title = "衛星写真で東倉里の発射場に新たな動き"
    rows: list[_Row] = [
        ("Kanto Shimpo", title, 10.5, "ja"),
        ("Orbit Notes", "New gantry work at Sohae", 10.0, "en"),
    ]
    return _view(
        "satellite",
        _reports("satellite", rows),
        rule=("launch-sites", "Launch sites"),
        passages=(
            marked(title, "衛星", "発射場", field="title"),
            marked(
                "… 商業衛星の画像では、燃料タンク車が組立棟の横に並んでいるのが確認できる …",
                "燃料タンク車",
            ),
        ),
        tags=("space",),
    )


def _drill() -> StoryView:
    title = "Coast guard drill moved a week earlier"
    rows: list[_Row] = [("Delta Standard", title, 11.0, "en")]
    return _view(
        "drill",
        _reports("drill", rows),
        severity=Severity.LOW,
        rule=("launch-sites", "Launch sites"),
        passages=(marked("… ships will clear the splashdown zones from Sunday …", "splashdown"),),
    )
