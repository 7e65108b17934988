"""What a text claims, and of events whether they are announced, happening or over. Pure.

Prefixes of folded words in the languages of the shipped feeds; `=` at the end asks for the
whole word. General knowledge, written by hand.
"""

import re
from collections.abc import Container, Iterator, Sequence
from enum import IntEnum

from watcher.tokens import fold_tokens

# Statements hold as soon as they are made.
_STATEMENTS = {
    "a denial": "deni denies deny refut dement= dementi= dementie= dementier опроверг 부인 否認 否认"
    " desment niega",
    "a confirmation": "confirm acknowledg bestatig подтверд 확인 確認 确认 证实",
    "a failure": "fail explod crash abort= aborted= gescheit провал 실패 失敗 失败 echou fracaso",
    "a success": "success= successful successfully succeeded= erfolgreich успеш 성공 成功 reussi exito",
    "a date or postponement": "postpon delay cancel verschob отлож отмен 연기 延期 推迟 reporte= reportee=",
    "condemnation or sanctions": "condemn sanction verurteil осуд санкц 규탄 제재 非難 制裁 谴责",
    "casualties": "kill= kills= killed= dead= death casualt wound getotet погиб 사망 死亡 muert",
}
# Events are announced first, then happen; some take a while and end.
_EVENTS = {
    "a launch": "launch liftoff= fires= fired= gestartet= запуск запусти 발사 発射 打ち上げ 发射",
    "an arrival": "arriv landed= ankunft= eingetroffen= прибы 도착 到着 抵达 llego llega",
    "a departure": "depart= departs= departed= departing= departure departures= abgereist= отбы 출발"
    " 出発 启程 partio=",
    "a visit": "visit= visits= visited= visiting= trip= besuch визит посети 방문 訪問 访问 visita visite=",
    "talks": "talks= summit= summits= meet= meets= met= meeting= meetings= negotiat treffen= trifft="
    " gesprache= переговор встре 회담 会談 会谈 会晤 cumbre= reunion= rencontre sommet=",
    "an agreement": "sign= signs= signed= signing= agree agreed= agreement treaty pact= unterzeichn"
    " подписа соглаш 서명 합의 署名 签署",
}
_LASTING = frozenset(("a visit", "talks"))
#: What rules are written about: sharing it says little of two reports that one rule caught.
BROAD = frozenset(("a launch", "a visit", "talks"))

_AHEAD = frozenset(
    """to will would could may might shall should plan plans planned planning expected expects expect
    set ready prepares preparing prepare hopes intends likely due scheduled considering considers wants
    for ahead before invites invited proposes proposed offers offered upcoming possible future
    soll sollen wird werden will plant geplant va vont doit devrait prevoit prevu planea preve
    будет будут планирует намерен готовится собирается ожидается может""".split()  # noqa: SIM905
)
_FOLLOWING = frozenset(("planned", "scheduled", "expected", "due", "possible", "likely", "geplant"))
_ENDING = frozenset(
    """end ends ended ending conclude concludes concluded wrap wraps wrapped finish finishes finished
    after following over complete completes completed beendet nach apres tras после завершил""".split()  # noqa: SIM905
)
_NOT = frozenset(
    """no not never without deny denies denied denying any cancel cancels cancelled canceled postpones
    postponed rejects rejected refuses refused""".split()  # noqa: SIM905
)
# Korean, Japanese and Chinese say it at the end, or far away.
_AHEAD_ANYWHERE = ("예정", "계획", "전망", "予定", "計画", "見通し", "将", "计划", "拟", "预计")
_SENTENCE = re.compile(r"(?<=[^\d])[.!?;\n]+|[.!?;\n]+(?=\D|$)|[。！？；]")
_BEFORE, _AFTER = 3, 2


class Stage(IntEnum):
    """How far an event has come; what is later counts for more."""

    ANNOUNCED = 1
    HAPPENING = 2
    OVER = 3


def claims(text: str) -> list[str]:
    """Which kinds of claim a text makes or announces, most telling kind first."""
    return in_order(claimed(text))


def in_order(names: Container[str]) -> list[str]:
    """These kinds of claim, most telling first."""
    return [name for name in (*_STATEMENTS, *_EVENTS) if name in names]


def claimed(text: str) -> dict[str, Stage]:
    """Each claim with the furthest stage that any sentence gives it."""
    found: dict[str, Stage] = {}
    for sentence in _SENTENCE.split(text):
        words = fold_tokens(sentence)
        joined = "".join(word for word in words if not word.isascii())
        ahead = bool(joined) and any(mark in joined for mark in _AHEAD_ANYWHERE)
        for name, place in _named(words, joined):
            stage: Stage | None = Stage.HAPPENING
            if name in _EVENTS:
                stage = Stage.ANNOUNCED if ahead else _stage(words, place, name in _LASTING)
            if stage is not None:
                found[name] = max(stage, found.get(name, stage))
    return found


def _named(words: Sequence[str], joined: str) -> Iterator[tuple[str, int]]:
    """Claims with the place of their word."""
    for place, word in enumerate(words):
        if name := _WHOLE.get(word):
            yield name, place
        for length in range(_SHORTEST, min(len(word), _LONGEST) + 1):
            if name := _BEGIN.get(word[:length]):
                yield name, place
    if joined:
        # Scripts without spaces have one character a word.
        yield from ((name, 0) for stem, name in _WITHIN.items() if stem in joined)


def _stage(words: Sequence[str], place: int, lasting: bool) -> Stage | None:
    """None when the sentence says that it did not, or will not, happen."""
    before = words[max(place - _BEFORE, 0) : place]
    after = words[place + 1 : place + 1 + _AFTER]
    if not _NOT.isdisjoint(before):
        return None
    if not _AHEAD.isdisjoint(before) or not _FOLLOWING.isdisjoint(after):
        return Stage.ANNOUNCED
    if lasting and not (_ENDING.isdisjoint(before) and _ENDING.isdisjoint(after)):
        return Stage.OVER
    return Stage.HAPPENING


_STEMS = [(stem, name) for name, stems in (_STATEMENTS | _EVENTS).items() for stem in stems.split()]
_WITHIN = {stem: name for stem, name in _STEMS if "\u3000" <= stem[0] <= "\u9fff"}
_WHOLE = {stem[:-1]: name for stem, name in _STEMS if stem[-1] == "="}
_BEGIN = {s: name for s, name in _STEMS if s not in _WITHIN and s[-1] != "="}
_SHORTEST = min(map(len, _BEGIN))
_LONGEST = max(map(len, _BEGIN))
