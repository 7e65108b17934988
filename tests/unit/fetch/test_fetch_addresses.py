"""Which addresses and URLs are refused before a byte is sent (RELIABILITY §3 C)."""

import pytest

from watcher.errors import BlockedError, FetchError
from watcher.fetch.addresses import is_public, parse_allow
from watcher.fetch.door import GuardedDoor
from watcher.fetch.urls import check_url

REFUSED = [
    "0.0.0.0",
    "0.1.2.3",
    "0.255.255.255",
    "100.100.100.200",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "192.31.196.1",
    "192.52.193.1",
    "192.175.48.1",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "4000::1",
    "not-an-address",
    "127.1",
    "0x7f.1",
    "2130706433",
    "0177.0.0.1",
    "1.2.3.4.5",
]

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.9.9.9",
    "11.0.0.1",
    "99.255.255.255",
    "100.63.255.254",
    "100.128.0.1",
    "126.255.255.255",
    "128.0.0.1",
    "151.101.1.81",
    "168.63.129.15",
    "169.253.255.255",
    "169.255.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "185.199.108.153",
    "191.255.255.255",
    "192.0.1.1",
    "192.0.3.1",
    "192.88.98.255",
    "192.88.100.1",
    "192.167.255.255",
    "192.169.0.1",
    "198.17.255.255",
    "198.20.0.1",
    "198.51.99.255",
    "198.51.101.1",
    "203.0.112.255",
    "203.0.114.1",
    "223.255.255.255",
    "193.0.6.139",
    "212.58.244.1",
    "104.16.0.1",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2620:fe::fe",
    "2a00:1450:4001:800::200e",
    "2a04:4e42::81",
    "2400:cb00::1",
    "2003::1",
    "2800:3f0::1",
    "2c0f:fb50::1",
    "2001:200::1",
]


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_not_public_unicast_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_public(address)


def test_there_are_enough_vectors() -> None:
    assert len(REFUSED) + len(BAD_URLS) >= 120
    assert len(PUBLIC) >= 40


BAD_URLS = [
    "", "sample.example", "//sample.example/", "file:///etc/passwd", "file:../../etc/passwd", "file: ///etc/passwd", "gopher://sample.example/",
    "ftp://sample.example/", "javascript:alert(1)", "data:text/xml,<rss/>", "jar:http://sample.example!/", "dict://127.0.0.1:11211/", "ldap://sample.example",
    "http://", "http:///path", "http://:80/", "http://user@sample.example/", "http://user:pass@sample.example/", "http://@127.0.0.1/", "http://sample.example@127.0.0.1/",
    "http://a\\@b/", "http://127.0.0.1\\@sample.example/", "http://sample.example\\.evil.example/", "http://sample.example/a b", " http://sample.example/", "http://sample.example/\r\nHost: x",
    "http://sample.example/\x00", "http://sample.example/\x7f", "http://sam\tple.example/", "http://sample.example:0/", "http://sample.example:70000/", "http://sample.example:-1/",
    "http://sample.example:abc/", "http://127.1/", "http://0x7f.1/", "http://2130706433/", "http://0177.0.0.1/", "http://017700000001/", "http://0x7f000001/", "http://1.2.3/",
    "http://256.1.1.1/", "http://[::1/", "http://[::1%25eth0]/", "http://[fe80::1%lo]/", "http://127%2e0.0.1/", "http://sample%00.example/", "http://-a.example/", "http://a..example/",
    "http://exa mple.example/", "http://" + "a" * 254 + ".example/", "http://" + "a" * 64 + ".example/", "http://sample.example/" + "a" * 2048, "http://" + "@" * 500 + "sample.example/",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD_URLS, ids=lambda u: u[:40] or "empty")
def test_odd_urls_are_refused_before_anything_is_resolved(url: str) -> None:
    with pytest.raises(FetchError):
        check_url(url)


NUMERIC = [
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://169.254.169.254/latest",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
]


@pytest.mark.parametrize("url", NUMERIC)
def test_addresses_in_any_script_are_known_as_addresses(url: str) -> None:
    target = check_url(url)

    assert target.literal
    assert not GuardedDoor(user_agent="t").may_reach(target.host, target.port)


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("http://sample.example/", 80),
        ("https://sample.example/", 443),
        ("http://sample.example:8080/", 8080),
        ("http://sample.example:443/", 443),
    ],
)
def test_a_redirect_stays_on_ordinary_ports_or_its_origins(url: str, port: int) -> None:
    origin = check_url("http://sample.example:8080/")

    assert check_url(url, origin=origin).port == port


@pytest.mark.parametrize("port", [22, 25, 5432, 6379, 8081, 11211])
def test_a_redirect_to_another_service_is_refused(port: int) -> None:
    with pytest.raises(BlockedError):
        check_url(f"http://sample.example:{port}/", origin=check_url("http://sample.example:8080/"))


def test_international_names_become_ascii() -> None:
    assert (
        check_url("http://bücher.example/ü?q=ü").url
        == "http://xn--bcher-kva.example/%C3%BC?q=%C3%BC"
    )


@pytest.mark.parametrize(
    "entry",
    [
        "127.0.0.1",
        "localhost:80",
        "127.0.0.0/8:80",
        "127.0.0.1:0",
        "127.0.0.1:99999",
        "*:80",
        "127.0.0.1:８０",
    ],
)
def test_an_allow_entry_is_one_address_and_one_port(entry: str) -> None:
    with pytest.raises(ValueError, match="ip:port"):
        parse_allow(entry)


def test_an_allow_entry_opens_exactly_itself() -> None:
    door = GuardedDoor(user_agent="t", allow=["127.0.0.1:8080", "[::1]:8080"])

    assert door.may_reach("127.0.0.1", 8080)
    assert door.may_reach("::1", 8080)
    assert not door.may_reach("127.0.0.1", 8081)
    assert not door.may_reach("127.0.0.2", 8080)
    assert not door.may_reach("::ffff:127.0.0.1", 8080)
