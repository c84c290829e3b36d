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


def _destinations(text: str, line: str, urls: list[str], known: set[str]) -> str:
    """Return where the links inside a sentence lead, to stand behind it: in between they would tear it apart.

    Only of links in running text, and only while they cost less than half of it; what a page links to from each of its
    corners (shares, menus, related pages) is not what it says.
    """
    links = [match.groups() for match in _LINK.finditer(text)]
    if _linked(text) * 2 > len(line):
        return ""
    found = []
    room = len(line) // 2
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
                line += _destinations(text, line, urls, known)
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
