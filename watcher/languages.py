"""Languages by their code (BCP 47), as feeds and users write them. Standard library only."""

import re
from functools import lru_cache

# ISO 639-1.
CODES = frozenset(
    """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de
    dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id
    ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko ks ku kv kw ky la lb lg li ln lo lt lu
    lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu
    rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to
    tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
    """.split()  # noqa: SIM905  (190 quotes and commas say no more)
)
# What feeds and people write instead: the country's code, or one that was withdrawn. `kr` is
# Kanuri, which nobody has meant yet; `kau` says so too.
_MEANT = {
    "kr": "ko", "jp": "ja", "cn": "zh", "ua": "uk", "cz": "cs", "gr": "el", "dk": "da", "vn": "vi",
    "by": "be", "ge": "ka", "at": "de", "us": "en", "gb": "en", "mx": "es", "bh": "bho",
    "iw": "he", "in": "id", "ji": "yi", "mo": "ro",
}  # fmt: skip
# Undetermined, several, none.
_NONE = frozenset(("und", "mul", "zxx"))
_TAG = re.compile(r"([a-z]{2,3})((?:[-_][a-z0-9]{1,8})*)(?=\s*(?:[,;/.]|$))", re.IGNORECASE)


@lru_cache(maxsize=1024)
def language_tag(said: str | None) -> str | None:
    """What a feed says of its language, as a tag: `zh_CN` is zh-CN, `jp` is ja.

    The first of several; None for what is no tag, such as a language's name.
    """
    found = _TAG.match((said or "").strip())
    if found is None:
        return None
    code = found[1].lower()
    code = _MEANT.get(code, code)
    if code in _NONE or (len(code) == 2 and code not in CODES):
        return None
    return code + found[2].replace("_", "-")


@lru_cache(maxsize=1024)
def spoken(tag: str | None) -> frozenset[str]:
    """What a tag answers to, folded: en-GB to itself and to en."""
    return frozenset((tag.casefold(), tag.casefold().split("-")[0])) if tag else frozenset()


def same_language(tag: str | None, other: str | None) -> bool:
    """Wherever it is spoken: en-GB and en-US are one, and so are two that are not known."""
    return not spoken(tag).isdisjoint(spoken(other)) if tag and other else tag == other


def known_language(tag: str) -> str:
    """The same; raises `ValueError` with what to write when no language has this tag."""
    meant = language_tag(tag)
    if meant is not None and meant.casefold() == tag.casefold():
        return tag
    todo = f"did you mean {meant}?" if meant else "write its code, like en, ko or pt-BR"
    raise ValueError(f"no language has the code {tag!r}: {todo}")
