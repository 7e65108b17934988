"""Feeds for benchmarks and tests: a usual one, and well-formed ones that nobody would write."""

from random import Random

_SPACES = {
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "media": "http://search.yahoo.com/mrss/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "a": "http://www.w3.org/2005/Atom",
    "x": "urn:x",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "georss": "http://www.georss.org/georss",
    "xhtml": "http://www.w3.org/1999/xhtml",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
}
_LEAVES = str.split(
    """title title title link link guid id description description summary content
    content:encoded pubDate published issued updated modified dc:date dcterms:modified
    dcterms:issued author author dc:creator itunes:author category category dc:subject
    media:category media:keywords itunes:keywords itunes:summary itunes:subtitle media:title
    media:description dc:title dc:description enclosure comments language dc:language x:thing
    x:title rights subtitle generator media:thumbnail media:credit lastBuildDate ttl
    sy:updatePeriod name email url uri managingEditor webMaster dc:publisher itunes:category
    itunes:image georss:point a:link a:id a:title a:updated a:summary a:content contributor
    copyright dc:contributor keywords date info"""
)
_NESTS = str.split("source media:group media:content x:box media:group media:content x:box image")
_TEXTS = (
    *("", "plain", "  two  words ", "A &amp; B", "Zürich", "ZÃ¼rich", "&#150;x", "2026-05-30"),
    *("&lt;p&gt;One&lt;/p&gt;&lt;p&gt;Two&lt;/p&gt;", "<![CDATA[<p>c &amp; d</p>]]>", "Jo"),
    *("Sat, 30 May 2026 12:00:00 +0200", "2026-05-30T12:00:00Z", "30 May 2026", "one, two"),
    *("http://e.example/a?b=1&amp;c=2", "/rel/x", "jo@e.example (Jo)", "http://e.example/1"),
    *("&amp;amp; x", "&amp;copy;&amp;foo;"),
)
_ATTRIBUTES = (
    *('href="http://e.example/h"', 'href="rel"', 'href=""', 'rel="alternate"', 'rel="self"'),
    *('rel="enclosure"', 'type="text/html"', 'type="html"', 'type="xhtml"', 'type="text"'),
    *('type="audio/mpeg"', 'isPermaLink="false"', 'isPermaLink="true"', 'length="12"'),
    *('url="http://e.example/u"', 'term="t"', 'label="l"', 'scheme="s"', 'domain="d"'),
    *('text="tx"', 'xml:lang="de"', 'xml:lang=""', 'lang="fr_FR"', 'mode="escaped"'),
    *('x:href="n"', 'src="http://e.example/s"', 'rdf:about="http://e.example/about"'),
)
_WHOLE = (
    "<author><name>Jo</name></author>",
    "<author><name>Al</name><email>al@e.example</email></author>",
    "<author><uri>http://e.example/</uri></author>",
    '<source url="http://s.example/">Src</source>',
    '<source><title>S</title><link href="http://s.example/"/><id>http://s.example/id</id></source>',
    '<content type="xhtml"><xhtml:div><xhtml:p>P &amp; q</xhtml:p></xhtml:div></content>',
    '<summary type="xhtml"><xhtml:div>t <xhtml:b>b</xhtml:b> u</xhtml:div></summary>',
    '<title type="xhtml"><xhtml:div/></title>',
)


def made_up(rng: Random) -> str:
    """Well-formed RSS, RDF or Atom: the elements that feeds have, in any order and nesting."""
    spaces = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in _SPACES.items())
    kind = rng.choice(("rss", "rss", "rdf", "feed", "feed03"))
    tag = "entry" if kind.startswith("feed") else "item"
    items = "".join(
        f"<{tag}{_attributes(rng, 0.1)}>{_nodes(rng, 12)}</{tag}>" for _ in range(rng.randint(1, 3))
    )
    head, tail = _nodes(rng, 5), _nodes(rng, 3)
    if kind == "rss":
        version = rng.choice(("2.0", "2.0", "0.91", "0.92", ""))
        return (
            f'<rss version="{version}"{spaces}{_attributes(rng, 0.1)}>'
            f"<channel>{head}{items}{tail}</channel></rss>"
        )
    if kind == "feed":
        return f'<feed xmlns="{_SPACES["a"]}"{spaces}{_attributes(rng, 0.1)}>{head}{items}{tail}</feed>'
    # Atom's namespace beside another format's is a feed of two formats.
    spaces = spaces.replace(f' xmlns:a="{_SPACES["a"]}"', ' xmlns:a="urn:a"')
    if kind == "rdf":
        return (
            f'<rdf:RDF xmlns="http://purl.org/rss/1.0/"{spaces}><channel>{head}</channel>'
            f"{rng.choice(('', '<image><title>i</title></image>'))}{items}</rdf:RDF>"
        )
    return f'<feed version="0.3" xmlns="http://purl.org/atom/ns#"{spaces}>{head}{items}</feed>'


def _nodes(rng: Random, most: int) -> str:
    return "".join(_node(rng, 0) for _ in range(rng.randrange(most)))


def _node(rng: Random, depth: int) -> str:
    kind = rng.random()
    if kind < 0.05 and depth < 3:
        name = rng.choice(_NESTS)
        inside = "".join(_node(rng, depth + 1) for _ in range(rng.randrange(4)))
        return f"<{name}{_attributes(rng, 0.15)}>{inside}</{name}>"
    if kind < 0.15:
        return rng.choice(_WHOLE)
    name = rng.choice(_LEAVES)
    return f"<{name}{_attributes(rng, 0.3)}>{rng.choice(_TEXTS)}</{name}>"


def _attributes(rng: Random, likely: float) -> str:
    found: dict[str, str] = {}
    while rng.random() < likely:
        attribute = rng.choice(_ATTRIBUTES)
        found.setdefault(attribute.partition("=")[0], attribute)
    return "".join(f" {attribute}" for attribute in found.values())


# ── a usual feed ─────────────────────────────────────────────────────────────

_WORDS = str.split(
    """the of a launch satellite orbit official said on monday that plan ministry agency report
    new test site rocket south east space force engine first second stage sea window week notice
    to and in for with by from after before talks border minister trade river harbour"""
)


def usual(seed: int = 1, items: int = 30, words: int = 400) -> bytes:
    """RSS 2.0 as blog software writes it, with summaries and full text; 30 items are about 100 KB."""
    rng = Random(seed)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"'
        + "".join(f' xmlns:{name}="{_SPACES[name]}"' for name in ("content", "dc", "a", "media"))
        + "><channel><title>Sample</title><link>https://sample.example/</link>"
        '<a:link href="https://sample.example/feed" rel="self" type="application/rss+xml"/>'
        "<description>Sample news</description><language>en-GB</language>\n"
        + "\n".join(_item(rng, number, words) for number in range(items))
        + "</channel></rss>"
    ).encode()


def _item(rng: Random, number: int, words: int) -> str:
    page = f"https://sample.example/2026/05/{number}-{rng.randrange(10**6)}/"
    text = "\n".join(_paragraph(rng, words // 6, page) for _ in range(6))
    return f"""<item><title>{_sentence(rng, 9)} Zürich &#8211; {number}</title><link>{page}</link>
<dc:creator><![CDATA[Jo Sample]]></dc:creator><pubDate>Sat, 30 May 2026 {number % 24:02}:00:00 +0000</pubDate>
<category><![CDATA[World]]></category><category><![CDATA[Space]]></category>
<guid isPermaLink="false">https://sample.example/?p={number}</guid>
<description><![CDATA[<p>{_sentence(rng, 40)}</p>]]></description>
<content:encoded><![CDATA[{text}<figure><img src="{page}a.jpg" alt="A picture" width="600"/>
<figcaption>Caption</figcaption></figure><ul><li>One</li><li>Two</li></ul>]]></content:encoded>
<media:content url="{page}a.jpg" medium="image"><media:title type="html">a</media:title></media:content></item>"""


def _paragraph(rng: Random, words: int, page: str) -> str:
    text = _sentence(rng, words).split(" ")
    text[5], text[9], text[20] = (
        f'<a href="{page}">{text[5]}</a>',
        f"<em>{text[9]}</em>",
        "it&#8217;s",
    )
    return f"<p>{' '.join(text)}</p>"


def _sentence(rng: Random, words: int) -> str:
    return " ".join(rng.choices(_WORDS, k=words)).capitalize() + "."
