"""What a report adds to a story: new numbers, new names, a changed claim. Pure."""

import re
from collections.abc import Iterable, Sequence

from watcher.model import Article
from watcher.stories.features import content_terms
from watcher.tokens import fold_tokens

_NUMBER = re.compile(r"(?<![\w.])\d[\d.,]*\d|(?<![\w.,])\d(?!\w)")
# A run of capitalised words that does not open a sentence: most likely a name.
_NAME = re.compile(
    r"(?<=[a-zа-яёà-ÿ,;] )((?:[A-ZÀ-ÖØ-ÞА-ЯЁ][\w’'-]+)(?: (?:[A-ZÀ-ÖØ-ÞА-ЯЁ][\w’'-]+))*)"
)
# Changes in what is claimed, in the languages of the shipped feeds; prefixes of folded words.
CLAIMS: dict[str, tuple[str, ...]] = {
    "a denial": (
        "deni",
        "denies",
        "deny",
        "refut",
        "dement",
        "опроверг",
        "부인",
        "否認",
        "否认",
        "desment",
        "niega",
    ),
    "a confirmation": (
        "confirm",
        "acknowledg",
        "bestatig",
        "подтверд",
        "확인",
        "確認",
        "确认",
        "证实",
    ),
    "a failure": (
        "fail",
        "explod",
        "crash",
        "abort",
        "gescheit",
        "провал",
        "실패",
        "失敗",
        "失败",
        "echou",
        "fracas",
    ),
    "a success": ("succe", "succeed", "erfolgreich", "успеш", "성공", "成功", "reussi", "exito"),
    "a date or postponement": (
        "postpon",
        "delay",
        "cancel",
        "verschob",
        "отлож",
        "отмен",
        "연기",
        "延期",
        "推迟",
        "report",
    ),
    "condemnation or sanctions": (
        "condemn",
        "sanction",
        "verurteil",
        "осуд",
        "санкц",
        "규탄",
        "제재",
        "非難",
        "制裁",
        "谴责",
    ),
    "an arrival": (
        "arriv",
        "ankunft",
        "eingetroffen",
        "прибы",
        "도착",
        "到着",
        "抵达",
        "llego",
        "llega",
    ),
    "a departure": ("depart", "abgereist", "отбы", "출발", "出発", "启程", "partio"),
    "an agreement": (
        "sign",
        "agree",
        "treaty",
        "unterzeichn",
        "подписа",
        "соглаш",
        "서명",
        "합의",
        "署名",
        "签署",
    ),
    "casualties": (
        "kill",
        "dead",
        "death",
        "casualt",
        "wound",
        "getotet",
        "погиб",
        "사망",
        "死亡",
        "muert",
    ),
}
_SHORT_CLAIMS = {"sign", "report", "dead", "kill"}
MAX_SAID = 4


def novelty(article: Article, earlier: Sequence[Article]) -> tuple[str, ...]:
    """What is new, in words, most telling first; empty when nothing is.

    Articles in a language the story did not have yet are judged by numbers and
    claims only: their names are always spelled anew.
    """
    text = f"{article.title}. {article.text[:1500]}"
    before = " \n ".join(f"{a.title}. {a.text[:3000]}" for a in earlier)
    said: list[str] = []
    old_claims = claims(before)
    said += [name for name in claims(text) if name not in old_claims]
    if any(a.lang == article.lang for a in earlier):
        said += _new_names(text, before)
    said += [f"the figure {n}" for n in _new_numbers(text, before)]
    return tuple(said[:MAX_SAID])


def claims(text: str) -> list[str]:
    """Which kinds of claim a text makes, in the order of `CLAIMS`."""
    words = fold_tokens(text)
    joined = "".join(word for word in words if not word.isascii())
    return [
        name for name, stems in CLAIMS.items() if any(_makes(stem, words, joined) for stem in stems)
    ]


def _makes(stem: str, words: Iterable[str], joined: str) -> bool:
    if not stem.isascii() and not stem[0].isalpha():
        return False
    if "\u3000" <= stem[0] <= "\u9fff":
        return stem in joined
    if stem in _SHORT_CLAIMS:
        return any(word in {stem, stem + "s", stem + "ed"} for word in words)
    return any(word.startswith(stem) for word in words)


def _new_numbers(text: str, before: str) -> list[str]:
    known = {_plain(n) for n in _NUMBER.findall(before)}
    fresh = dict.fromkeys(n for n in _NUMBER.findall(text) if _plain(n) not in known)
    # Years and single digits are said in every report.
    return [n for n in fresh if len(_plain(n)) > 1 and not re.fullmatch(r"(19|20)\d\d", n)]


def _plain(number: str) -> str:
    return re.sub(r"[.,]", "", number)


def _new_names(text: str, before: str) -> list[str]:
    known = set(content_terms(before))
    fresh: dict[str, None] = {}
    for name in _NAME.findall(text):
        terms = content_terms(name)
        if terms and not known.issuperset(terms) and len(name) > 3:
            fresh[name.removesuffix("'s").removesuffix("’s")] = None
    return list(fresh)
