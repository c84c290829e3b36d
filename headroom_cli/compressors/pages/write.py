"""Items as lines."""

from __future__ import annotations

from headroom_cli.compressors.pages.items import CLOSE, HEAD, ITEM, NAV, OPEN, ROW, TEXT, VERBATIM, Item
from headroom_cli.compressors.pages.scan import attribute
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LINK = pattern(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}([0-9]+){CLOSE}")
_ONE = pattern(f"([^{OPEN}{CLOSE}]*){OPEN}([^{OPEN}{CLOSE}]*){CLOSE}([0-9]+){CLOSE}([^{OPEN}{CLOSE}]*)")
_LINKED = pattern(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}[0-9]+{CLOSE}")
_MARK = pattern(f"{OPEN}|{CLOSE}[0-9]+{CLOSE}")
_DEEPEST = 6  # levels of lists that are shown by indentation
_FEW = 3  # links of a line that may lead away, and how often a page leads to such a site
_AWAY = 160  # characters that they may cost
_LONGEST = 300  # characters of a URL; longer ones carry a session or a picture


def destination(said: str) -> str:
    """Return where a link leads as its page writes it, "" for places on the page itself and for code."""
    url = attribute(said, "href").strip()
    if not url or url[0] == "#" or len(url) > _LONGEST or url[:11].lower() == "javascript:" or " " in url:
        return ""
    return "" if url[:5].lower() == "data:" else url


def _linked(text: str) -> int:
    """Return how many characters of a line are links."""
    return sum(map(len, _LINKED.findall(text)))


def _site(url: str) -> str:
    """Return the host of an absolute address, "mailto:" of a mailbox, "" of a place on the same site."""
    if url[:7].lower() == "mailto:":
        return "mailto:"
    return url.partition("://")[2].partition("/")[0].lower() if url[:4].lower() == "http" else ""


def _away(urls: list[str]) -> set[str]:
    """Return the sites that a page leads to once or twice: more often it is its own, or everybody's."""
    times: dict[str, int] = {}
    for said in urls:
        if "://" in said or "mailto:" in said:
            site = _site(destination(said))
            times[site] = times.get(site, 0) + 1
    return {site for site, count in times.items() if site and count <= _FEW}


def _leads_away(said: str, name: str, away: set[str]) -> bool:
    """Tell whether a link leads to another site and does not say so itself."""
    url = destination(said)
    return _site(url) in away and url.partition(":")[2].strip("/").split("?")[0] not in name


def _destinations(text: str, line: str, urls: list[str], known: set[str], away: set[str]) -> str:
    """Return where the links inside a sentence lead, to stand behind it: in between they would tear it apart.

    Only of links in running text, and only while they cost less than half of it; what a page links to from each of its
    corners (shares, menus, related pages) is not what it says. Of few links that are a line of their own, those to
    another site or to a mailbox, which the page itself does not lead to.
    """
    links = [match.groups() for match in _LINK.finditer(text)]
    room = len(line) // 2
    if _linked(text) * 2 > len(line):
        if len(links) > _FEW:
            return ""
        links = [link for link in links if _leads_away(urls[int(link[1])], link[0], away)]
        room = _AWAY
    elif room < _AWAY and any(_leads_away(urls[int(number)], name, away) for name, number in links[:_FEW]):
        room = _AWAY
    found = []
    for _, number in links:
        url = destination(urls[int(number)])
        room -= len(url)
        if room < 0:
            break
        if url and url not in known:
            known.add(url)
            found.append(url)
    return f" ({' '.join(found)})" if found else ""


def lines(
    items: list[Item], urls: list[str], *, links: bool, verbatim: Callable[[str, int], list[str]]
) -> list[list[str]]:
    """Return the lines of each item; with ``links`` where each link leads, else its text alone."""

    def linked(match: object) -> str:
        name, number = match.group(1), match.group(2)  # type: ignore[attr-defined]
        url = destination(urls[int(number)])
        return f"[{name.strip()}]({url})" if url else name

    out: list[list[str]] = []
    known: set[str] = set()
    away = _away(urls)
    others = any(kind != NAV and CLOSE in text for kind, text, _ in items)  # links that are not a menu's
    menus: list[tuple[int, list[str]]] = []
    menu: list[str] = []
    last = -1
    for kind, text, number in items:
        if OPEN in text or CLOSE in text:
            single = _ONE.fullmatch(text)
            if single is None:
                line = " ".join(_MARK.sub("", text).split())
            else:
                before, name, link, behind = single.groups()
                line = " ".join(f"{before}{name}{behind}".split())
            # A sentence is not torn apart on a page of links either.
            if links and (kind != NAV or not others) and (kind == HEAD or _linked(text) * 2 > len(line)):
                if single is None:
                    line = " ".join(_MARK.sub("", _LINK.sub(linked, text)).split())
                elif url := destination(urls[int(link)]):
                    line = " ".join(f"{before}[{name.strip()}]({url}){behind}".split())
            elif kind in (TEXT, ITEM, ROW):
                line += _destinations(text, line, urls, known, away)
        else:
            line = text
        if kind == HEAD:
            out.append([f"{'#' * number} {line}"])
        elif kind == ITEM:
            out.append([f"{'  ' * min(number - 1, _DEEPEST)}{line}"])
        elif kind == ROW:
            out.append([line, "---"] if number else [line])
        elif kind == VERBATIM:
            out.append(verbatim(text, number))
        elif kind == NAV:
            if last == NAV:
                menu.append(line)
                out.append([])
            else:
                menu = [line]
                menus.append((len(out), menu))
                out.append([line])
        else:
            out.append([line])
        last = kind
    for at, names in menus:
        out[at] = [" | ".join(names)]
    return out
