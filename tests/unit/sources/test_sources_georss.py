"""Places are not kept (docs/formats.md); whatever form they have, they leave the rest of an entry alone."""

import pytest

from watcher.sources.parse import parse_feed

SPACES = (
    'xmlns:georss="http://www.georss.org/georss" xmlns:gml="http://www.opengis.net/gml" '
    'xmlns:geo="http://www.w3.org/2003/01/geo/wgs84_pos#"'
)
FORMS = {
    "point": "<georss:point>38.5 127.1</georss:point>",
    "line": "<georss:line>38.5 127.1 38.6 127.2</georss:line>",
    "polygon": "<georss:polygon>38 127 39 128 38 129 38 127</georss:polygon>",
    "box": "<georss:box>38 127 39 128</georss:box>",
    "circle": "<georss:circle>38.5 127.1 500</georss:circle>",
    "said of it": "<georss:featurename>Harbour</georss:featurename><georss:elev>31</georss:elev><georss:radius>5</georss:radius><georss:relationshiptag>is-centred-at</georss:relationshiptag>",
    "with attributes": "<georss:point featuretypetag='city' relationshiptag='is-located-at' elev='31'>38.5 127.1</georss:point>",
    "gml point": "<georss:where><gml:Point><gml:pos>38.5 127.1</gml:pos></gml:Point></georss:where>",
    "gml line": "<georss:where><gml:LineString><gml:posList>38 127 39 128</gml:posList></gml:LineString></georss:where>",
    "gml polygon": "<georss:where><gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>38 127 39 128 38 129 38 127</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></georss:where>",
    "gml envelope": "<georss:where><gml:Envelope><gml:lowerCorner>38 127</gml:lowerCorner><gml:upperCorner>39 128</gml:upperCorner></gml:Envelope></georss:where>",
    "gml with attributes": "<georss:where><gml:Point srsName='urn:ogc:def:crs:EPSG:6.6:4326' srsDimension='2'><gml:pos>38.5 127.1</gml:pos></gml:Point></georss:where>",
    "gml with a name": "<georss:where><gml:Point gml:id='p1'><gml:name>Harbour</gml:name><gml:description>A place</gml:description><gml:pos>38.5 127.1</gml:pos></gml:Point></georss:where>",
    "lat and long": "<geo:lat>38.5</geo:lat><geo:long>127.1</geo:long>",
    "geo point": "<geo:Point><geo:lat>38.5</geo:lat><geo:long>127.1</geo:long></geo:Point>",
    "no place": "<georss:point>somewhere in the north</georss:point><georss:line/><georss:where/>",
    "too many figures": f"<georss:polygon>{'38 127 ' * 20_000}</georss:polygon>",
}  # fmt: skip
BODIES = {
    "rss": "<rss version='2.0' {spaces}><channel><title>S</title><item>{before}<title>Quake off the coast</title><link>https://sample.example/1</link><guid isPermaLink='false'>g1</guid><description>It was felt in the harbour.</description><pubDate>Sat, 30 May 2026 12:00:00 GMT</pubDate><category>Quakes</category>{after}</item></channel></rss>",
    "atom": "<feed xmlns='http://www.w3.org/2005/Atom' {spaces}><title>S</title><entry>{before}<title>Quake off the coast</title><link href='https://sample.example/1'/><id>g1</id><summary>It was felt in the harbour.</summary><published>2026-05-30T12:00:00Z</published><category term='Quakes'/>{after}</entry></feed>",
}  # fmt: skip


@pytest.mark.parametrize("fast", [True, False], ids=["by default", "feedparser"])
@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("form", FORMS)
def test_a_place_leaves_the_rest_of_an_entry_alone(form: str, kind: str, fast: bool) -> None:
    given = {"before": FORMS[form], "after": FORMS[form]}
    without, placed = (
        parse_feed(BODIES[kind].format(spaces=SPACES, **more).encode(), url="", fast=fast)
        for more in ({"before": "", "after": ""}, given)
    )

    assert placed.entries == without.entries
    assert placed.entries[0].title == "Quake off the coast"
    assert placed.entries[0].tags == ("Quakes",)
