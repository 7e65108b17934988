"""Which addresses may be reached. An explicit table: `ipaddress.is_global` differs by Python version
and calls several embeddings of private addresses global (RELIABILITY §2.4)."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from socket import AF_INET, AF_INET6, SOCK_DGRAM, socket

_REFUSED_V4 = [
    IPv4Network(net)
    for net in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier NAT
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's metadata host on a public address
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",  # with 255.255.255.255
    )
]

# Only 2000::/3 is public unicast; of it, what embeds IPv4 or is reserved.
_PUBLIC_V6 = IPv6Network("2000::/3")
_REFUSED_V6 = [
    IPv6Network(net)
    for net in (
        "2001::/23",  # protocol assignments, Teredo and ORCHID among them
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",
        "3fff::/20",
    )
]


def is_public(address: str) -> bool:
    """Public unicast, and no way to spell anything else."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return not any(parsed in net for net in _REFUSED_V4)
    return (
        parsed.scope_id is None
        and parsed in _PUBLIC_V6
        and not any(parsed in net for net in _REFUSED_V6)
    )


def is_own(address: str) -> bool:
    """An address of this machine: only those can be bound to."""
    try:
        parsed = ip_address(address)
        with socket(AF_INET if parsed.version == 4 else AF_INET6, SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except (ValueError, OSError):
        return False
    return True


def parse_allow(entry: str) -> tuple[IPv4Address | IPv6Address, int]:
    """`127.0.0.1:8080` or `[::1]:8080`: one address, one port. Raises ValueError otherwise."""
    host, colon, port = entry.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{entry!r} is not an ip:port: write it like 127.0.0.1:8080")
    try:
        return ip_address(host.removeprefix("[").removesuffix("]")), int(port)
    except ValueError as error:
        raise ValueError(
            f"{entry!r} is not an ip:port: names and ranges are not allowed"
        ) from error
