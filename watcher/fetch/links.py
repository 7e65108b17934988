"""Link headers (RFC 8288): where a response says that its hub and its own address are."""

import re
from urllib.parse import urljoin

from watcher.text import safe_link

MAX_LINKS = 50
_LINK = re.compile(r'<([^<>"]*)>((?:[^",<]|"[^"]*")*)')
_PARAMETER = re.compile(r';\s*([\w*-]+)\s*=\s*(?:"([^"]*)"|([^\s;,"]+))')


def links(header: str | None, base: str) -> dict[str, str]:
    """The first absolute address of each relation type, in lower case; links of other pages are left out."""
    found: dict[str, str] = {}
    for n, link in enumerate(_LINK.finditer(header or "")):
        if n == MAX_LINKS:
            break
        parameters: dict[str, str] = {}
        for name, quoted, bare in _PARAMETER.findall(link[2]):
            parameters.setdefault(name.lower(), quoted or bare)  # of two the first counts
        if "anchor" in parameters:
            continue
        try:
            address = safe_link(urljoin(base, link[1].strip()))
        except ValueError:
            continue
        for rel in parameters.get("rel", "").lower().split():
            if address:
                found.setdefault(rel, address)
    return found
