"""The article of a web page, by trafilatura (an extra); for `ParserPool.ask`, since pages are hostile."""

import logging
from importlib.util import find_spec

from watcher.errors import ParseError
from watcher.sources.markup import decoded_page, plain_markup
from watcher.text import clean_text

# trafilatura takes 30 µs for a tag, and the square of some; articles have a thousand.
MAX_TAGS = 15_000
MAX_CHARACTERS = 1_000_000
MAX_TEXT = 200_000


def is_installed() -> bool:
    """Whether full texts can be read here."""
    return find_spec("trafilatura") is not None


def read_article(body: bytes, _url: str, content_type: str | None = None) -> str:
    """Its paragraphs with a blank line between; empty when there is no article on it.

    Raises `ParseError` for a page that would cost too much.
    """
    document = decoded_page(body, content_type)
    markup = plain_markup(document.body.decode("utf-8", "replace"))
    if len(markup) > MAX_CHARACTERS or markup.count("<") > MAX_TAGS:
        raise ParseError(
            "too_complex", f"an article of more than {MAX_TAGS} tags or {MAX_CHARACTERS} characters"
        )
    return clean_text(_extracted(markup)[:MAX_TEXT])


def _extracted(markup: str) -> str:
    # Here, for it takes a fifth of a second and 20 MB, and is not installed everywhere.
    import trafilatura

    # It tells of every page that it can't read, to a log that is not ours.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    try:
        text: str | None = trafilatura.extract(
            markup, output_format="txt", include_comments=False, include_tables=True
        )
    except Exception as error:
        # Pages are odder than its authors thought; the entry goes on without.
        raise ParseError("parser_failed", type(error).__name__) from error
    return "\n\n".join(line for line in (text or "").splitlines() if line.strip())
