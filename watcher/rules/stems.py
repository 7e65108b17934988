"""Snowball stems: what is left of a word when its language's endings are off."""

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import snowballstemmer

#: Languages by the codes that articles carry; each has a stemmer of the Snowball project.
LANGUAGES = {
    "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish", "fr": "french",
    "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian",
    "lt": "lithuanian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip


@lru_cache(maxsize=200_000)
def stem_of(word: str, language: str) -> str:
    """`word` as it is written, accents and all: the endings depend on them."""
    spelled = unicodedata.normalize("NFC", word).lower()
    return str(_stemmer(language).stemWord(spelled))


@lru_cache
def _stemmer(language: str) -> "snowballstemmer.stemmer":
    import snowballstemmer  # thirty languages that few rules ask for

    return snowballstemmer.stemmer(LANGUAGES[language])
