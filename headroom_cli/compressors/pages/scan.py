"""Where the tags of a page are: one forward pass that no unclosed construct can make slow.

``html.parser`` reads 33 MB/s of saved pages, but looks for the end of every unclosed comment, declaration or script
again; lxml (150 MB/s, 12 MB installed) and selectolax (220 MB/s, 8 MB) rebuild the tree that a browser would, so what
stands where in the text is lost. Here each search for an end is remembered: none is made twice.
"""

from __future__ import annotations

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

# A name has an end: "<a<a<a" may not become one name that is read again at its second letter.
# Behind it the rest of a tag that holds no other bracket, as nearly all do.
_TAG = pattern(r"<(/?[a-zA-Z][\w:.-]{0,60}|!--|!\[CDATA\[|[!?%])([^<>]*+>)?")
_QUOTE = pattern(r"=[ \t\r\n\f]*([\"'])|>")
# Elements whose text is not markup. The text of the first group is nobody's to read.
RAW = frozenset(("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"))

_SPECIAL = frozenset(("!", "!--", "![cdata[", "?", "%"))

# (start of the tag, end of the tag, its name in lower case, end of the name)
Tag = tuple[int, int, str, int]


class _Ends:
    """Remember where the next end of each construct is: that there is none is found out once, not once per start."""

    __slots__ = ("_found", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: dict[str, int] = {}

    def after(self, needle: str, at: int) -> int:
        """Return the place of the next ``needle`` at or after ``at``, the length of the text when there is none."""
        place = self._found.get(needle, -1)
        if place < at:
            place = self._text.find(needle, at)
            if place < 0:
                place = len(self._text)
            self._found[needle] = place
        return place

    def closing(self, name: str, at: int) -> int:
        """Return the place of the next ``</name`` in any case, the length of the text when there is none."""
        key = "</" + name
        place = self._found.get(key, -1)
        if place < at:
            match = _CLOSING[name].search(self._text, at)
            place = match.start() if match else len(self._text)
            self._found[key] = place
        return place


_CLOSING = {name: pattern(rf"</{name}(?=[\s/><]|$)", 2) for name in sorted(RAW)}  # 2 is re.IGNORECASE


def tags(text: str, *, xml: bool = False) -> Iterator[Tag]:
    """Yield the tags of a page in order.

    Names are ``div``, ``/div``, ``!--``, ``!`` (declaration), ``?``, ``%`` (server code), ``![cdata[``. The text of
    a RAW element is skipped: the next tag is its closing one. In XML no element is raw. What begins like a tag but
    never ends is text.
    """
    ends = _Ends(text)
    size = len(text)
    search = _TAG.search
    find = text.find
    lowered: dict[str, str] = {}
    plain: dict[str, str] = {}  # the same of names that are neither special nor raw
    usual = plain.get
    raw = frozenset[str]() if xml else RAW
    at = 0
    while True:
        match = search(text, at)
        if match is None:
            return
        said, rest = match.groups()
        name = usual(said)
        if name is not None and rest is not None and (rest == ">" or not (rest.count('"') & 1 or rest.count("'") & 1)):
            start, at = match.span()
            yield start, at, name, at - len(rest)
            continue
        start, after = match.start(), match.end(1)
        if name is None:
            name = lowered.get(said) or lowered.setdefault(said, said.lower())
            if name not in _SPECIAL and name not in raw:
                plain[said] = name
        if name in _SPECIAL:
            end = _special(text, name, start, after, ends)
        else:
            end = find(">", after) + 1
            if not end:
                return  # no tag ends any more
            if end - after > 1:
                held = text[after:end]
                if held.count('"') & 1 or held.count("'") & 1:
                    end = _quoted(text, after, ends)
                elif "<" in held:
                    cut = held.index("<")
                    if not (held.count('"', 0, cut) & 1 or held.count("'", 0, cut) & 1):
                        # "a <b and c" is text; '<div class="x" <p>' is a tag whose end was forgotten.
                        if "=" not in held[:cut]:
                            at = after
                            continue
                        end = after + cut
        yield start, end, name, after
        at = end
        if name in raw and not _empty(text, start, end):
            close = ends.closing(name, end)
            # A title without an end would swallow the page; a script without one is a page cut short.
            if close < size or name in ("script", "style"):
                at = close


def _empty(text: str, start: int, end: int) -> bool:
    """Tell whether a tag is an element in itself, as XHTML writes it; other pages mean nothing by the slash."""
    return text.startswith("/", end - 2) and end - start > 3 and text[:5] == "<?xml"


def _special(text: str, name: str, start: int, after: int, ends: _Ends) -> int:
    """Return the end of a comment, CDATA section, declaration or piece of server code; of its mark when it has none."""
    size = len(text)
    if name == "!--":
        needle, at = "-->", start + 2
    elif name == "![cdata[":
        needle, at = "]]>", after
    elif name == "%":
        needle, at = "%>", after
    elif name == "?":
        needle, at = "?>", after
    else:
        needle, at = ">", after
        # The internal subset of a document type holds declarations of its own.
        if text[after : after + 7].lower() == "doctype":
            close = ends.after(">", at)
            if ends.after("[", at) < close and ends.after("]>", at) < size:
                needle = "]>"
    place = ends.after(needle, at)
    if place < size:
        return place + len(needle)
    if name in ("%", "![cdata["):
        return after
    place = ends.after(">", after)
    return place + 1 if place < size else after


def _quoted(text: str, at: int, ends: _Ends) -> int:
    """Return the end of a tag whose attribute values may hold ``>``."""
    search = _QUOTE.search
    first = text.find(">", at) + 1
    while True:
        match = search(text, at)
        if match is None:
            return first
        quote = match.group(1)
        if quote is None:
            return match.end()
        opened = match.end()
        close = ends.after(quote, opened)
        if close == len(text):
            return max(first, text.find(">", opened) + 1)
        # The next quote opens another tag's value: this one was never closed, and the page goes on.
        if text[close - 1] == "=" and text.find("<", opened, close) >= 0:
            return max(first, text.find(">", opened) + 1)
        at = close + 1


def attribute(text: str, name: str) -> str:
    """Return the value of an attribute in the text of a tag, "" when it has none; entities are decoded."""
    if text.isascii():
        # Looked for as it is nearly always written: a fifth of the time.
        at = text.lower().find(name)
        if at < 0:
            return ""
        begin = at + len(name) + 2
        if at and text[at - 1] in " \t\r\n\"'/" and text.startswith('="', begin - 2):
            end = text.find('"', begin)
            if end >= 0:
                return decoded(text[begin:end])
    finder = _ATTRIBUTES.get(name)
    if finder is None:
        finder = _ATTRIBUTES[name] = pattern(rf"(?:^|[\s\"'/]){name}\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", 2)
    match = finder.search(text)
    if match is None:
        return ""
    value = match.group(1) or match.group(2) or match.group(3) or ""
    return decoded(value)


_ATTRIBUTES: dict[str, re.Pattern[str]] = {}


def decoded(text: str) -> str:
    """Return a text with its character references decoded."""
    if "&" not in text:
        return text
    from html import unescape

    return unescape(text)
