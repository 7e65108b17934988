"""`media:content` is an enclosure, by both parsers."""

from watcher.model import Enclosure
from watcher.sources.parse import parse_feed

FEED = """<rss version='2.0' xmlns:media='http://search.yahoo.com/mrss/'><channel><title>T</title><item>
<title>a</title><enclosure url='http://a.example/1.mp3' type='audio/mpeg' length='3'/>
<media:content url='http://a.example/1.mp3' type='audio/mp3'/>
<media:group><media:content url='/2.mp4' type='video/mp4' fileSize='12'><media:title>t</media:title>
</media:content><media:content medium='image' url='http://a.example/3.jpg'/></media:group>
</item></channel></rss>"""


def test_media_of_groups_stand_behind_the_feeds_own_each_once() -> None:
    fast, other = (
        parse_feed(FEED.encode(), url="http://s.example/feed", fast=fast) for fast in (True, False)
    )

    assert (fast.parser, other.parser) == ("fast", "feedparser")
    assert fast.entries == other.entries
    assert fast.entries[0].enclosures == (
        Enclosure("http://a.example/1.mp3", "audio/mpeg", 3),
        Enclosure("http://s.example/2.mp4", "video/mp4", 12),
        Enclosure("http://a.example/3.jpg"),
    )
