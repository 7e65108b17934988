"""Encodings as served, declared, sniffed and guessed (RELIABILITY B5)."""

from random import Random

import pytest

from watcher.sources.encoding import to_utf8
from watcher.sources.parse import parse_feed

TITLE = "Zürich – 平壌 발사"


def rss(title: str, declared: str = "") -> str:
    prolog = f"<?xml version='1.0' encoding='{declared}'?>" if declared else ""
    return f"{prolog}<rss version='2.0'><channel><title>{title}</title></channel></rss>"


def read(body: bytes, content_type: str | None = None) -> tuple[str, str | None]:
    feed = parse_feed(body, url="https://sample.example/", content_type=content_type)
    return feed.title, feed.encoding


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("mark", ["\ufeff", ""], ids=["bom", "no bom"])
@pytest.mark.parametrize("declared", ["", "utf-16", "utf-8", "iso-8859-1"])
@pytest.mark.parametrize(
    "served", [None, "text/xml", "application/rss+xml; charset=utf-8", "text/html"]
)
def test_wide_encodings_show_in_the_bytes_whatever_is_said(
    codec: str, mark: str, declared: str, served: str | None
) -> None:
    body = (mark + rss(TITLE, declared)).encode(codec)

    assert read(body, served) == (TITLE, codec[:6] + codec[7:])


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_a_wide_document_that_was_cut_is_still_read(codec: str) -> None:
    assert read(rss(TITLE).encode(codec)[:-31])[0] == TITLE


EUROPE, JAPAN, KOREA, CHINA = "Zürich", "平壌で発射", "평양 발사", "平壤发射"
DECLARED = [
    ("iso-8859-1", EUROPE),
    ("windows-1252", "„Zürich“ …"),
    ("iso-8859-2", "Łódź"),
    ("windows-1251", "Запуск спутника"),
    ("koi8-r", "Запуск спутника"),
    ("shift_jis", JAPAN),
    ("euc-jp", JAPAN),
    ("iso-2022-jp", JAPAN),
    ("euc-kr", KOREA),
    ("gb2312", CHINA),
    ("gb18030", CHINA),
    ("big5", "平壤發射"),
    ("cp037", EUROPE),
    ("cp500", EUROPE),
]


@pytest.mark.parametrize(("codec", "title"), DECLARED)
def test_declared_encodings_are_believed(codec: str, title: str) -> None:
    assert read(rss(title, codec).encode(codec))[0] == title


@pytest.mark.parametrize(("codec", "title"), [c for c in DECLARED if not c[0].startswith("cp")])
def test_the_server_is_believed_before_the_document(codec: str, title: str) -> None:
    body = rss(title, "utf-8").encode(codec)

    assert read(body, f"application/xml; charset={codec}")[0] == title


def test_vendors_letters_beyond_the_standard_are_read() -> None:
    assert read(rss("①㈱髙", "shift_jis").encode("cp932"))[0] == "①㈱髙"


@pytest.mark.parametrize(
    "said", ["iso-8859-1", "windows-1252", "us-ascii", "ascii", "nonsense", ""]
)
def test_utf_8_is_read_as_such_whatever_is_declared(said: str) -> None:
    assert read(rss("„Zürich“ …", said).encode())[0] == "„Zürich“ …"


def test_a_few_stray_bytes_garble_nothing_else() -> None:
    body = rss("Zürich “quoted”").encode().replace("“".encode(), b"\x93")

    assert read(body) == ("Zürich “quoted”", "utf-8")


def test_latin_letters_without_a_word_about_them_are_guessed() -> None:
    assert read(rss("Zürich €").encode("cp1252")) == ("Zürich €", "windows-1252")


SILENT = [
    ("euc-kr", "북한이 위성 발사를 예고했다고 일본 정부가 밝혔다. 합참은 대비 태세를 강화했다."),
    ("shift_jis", "北朝鮮が人工衛星を打ち上げると日本に通報した。"),
    ("gb18030", "朝鲜通知日本将发射人造卫星，韩国军方加强戒备。"),
    ("big5", "朝鮮通知日本將發射人造衛星，韓國軍方加強戒備。"),
    ("windows-1251", "КНДР уведомила Японию о запуске спутника на следующей неделе."),
    ("koi8-r", "КНДР уведомила Японию о запуске спутника на следующей неделе."),
    ("windows-1253", "Η Βόρεια Κορέα ενημέρωσε την Ιαπωνία για εκτόξευση"),
    ("windows-1255", "צפון קוריאה הודיעה ליפן על שיגור לוויין"),
    ("windows-1256", "أبلغت كوريا الشمالية اليابان بإطلاق قمر صناعي"),
    ("windows-1252", "Die „große“ Rakete fliegt über Österreich – señor, où ça?"),
]


@pytest.mark.parametrize(("codec", "title"), SILENT, ids=[codec for codec, _ in SILENT])
def test_the_script_tells_what_nobody_declares(codec: str, title: str) -> None:
    assert read(rss(title).encode(codec)) == (title, codec)


def test_noise_is_judged_in_no_time() -> None:
    rng = Random(1)

    assert to_utf8(b"<rss>" + rng.randbytes(2_000_000), None).body


def test_a_cut_letter_of_two_bytes_costs_no_more_than_itself() -> None:
    body = rss(CHINA * 30 + "@", "gb2312").encode("gb18030").replace(b"@", b"\xb7")

    title, encoding = read(body)

    assert title.startswith(CHINA * 30)
    assert encoding == "gb18030"


@pytest.mark.parametrize(
    "name",
    ["utf-7", "idna", "punycode", "unicode_escape", "undefined", "zlib", "rot13", "\0", "x" * 900],
)
def test_names_that_are_no_encoding_of_documents_are_passed_over(name: str) -> None:
    """UTF-7 hides markup; idna and punycode take the square of the length."""
    body = rss("+ADw-b+AD4- Zürich", "utf-7").encode()

    title, encoding = read(body, f"application/xml; charset={name}")

    assert (title, encoding) == ("+ADw-b+AD4- Zürich", "utf-8")


@pytest.mark.parametrize(
    "raw",
    [
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf5\x80\x80\x80",
        b"\xff",
        b"\x00",
        b"\xed\xa0\xbd\xed\xb8\x80",
    ],
    ids=["overlong", "surrogate", "beyond", "ff", "nul", "cesu-8"],
)
def test_bytes_that_are_no_letters_lose_no_token(raw: bytes) -> None:
    title, _ = read(rss("token@here").encode().replace(b"@", raw))

    assert title.startswith("token")
    assert title.endswith("here")
    title.encode()


def test_the_problem_is_told_in_words() -> None:
    found = to_utf8(rss("Zürich", "us-ascii").encode(), None)
    served = to_utf8(rss("„Zürich“", "utf-8").encode("cp1252"), "text/xml; charset=UTF-8")

    assert (found.encoding, found.problem) == ("utf-8", "")
    assert served.problem == "not all of it is utf-8, read as windows-1252"


def test_no_bytes_at_all_are_no_trouble() -> None:
    assert to_utf8(b"", None).body == b""
