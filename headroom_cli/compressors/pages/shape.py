"""Whether a text is a page."""

from __future__ import annotations

from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from headroom_cli.model import Hint

_TAG = pattern(r"</?[a-zA-Z][\w:.-]{0,60}(?:[\s/][^<>]{0,400})?>")
_HTML = pattern(
    r"<(?:html|head|body|div|span|p|a|ul|ol|li|table|tr|td|script|style|meta|img|h[1-6]|br|section|article|nav|form"
    r"|header|footer|main|button|template|pre|code|svg|select|textarea|input|label|blockquote|strong|em|b|i|dl|dt|dd|iframe|option|tbody|noscript|font|center|small|sup|sub)[\s/>]",
    2,
)
_SAMPLE = 8000
_NAMES = (".html", ".htm", ".xhtml", ".xml", ".rss", ".atom", ".jsp", ".svg", ".plist", ".pom")


def head_of(text: str) -> str:
    """Return the beginning of a text in lower case, without what may stand before a page."""
    return text[:600].lstrip("\ufeff \t\r\n").lower()


def is_xml(text: str) -> bool:
    """Tell whether a page is XML other than HTML: its names and attributes are data."""
    head = head_of(text)
    if not head.startswith("<") or head.startswith(("<!doctype html", "<html")):
        return False
    sample = _sample(text)
    declared = head.startswith(("<?xml", "<rss", "<feed", "<svg", "<project")) or "xmlns" in head
    if "<html" in head:
        return False
    markup = sum(1 for _ in _HTML.finditer(sample))
    tags = sum(1 for _ in _TAG.finditer(sample))
    return tags > 0 and markup * (4 if declared else 20) <= tags


def _sample(text: str) -> str:
    if len(text) < 3 * _SAMPLE:
        return text
    middle = len(text) // 2
    return f"{text[:_SAMPLE]}\n{text[middle : middle + _SAMPLE]}"


def sniff(text: str, hint: Hint) -> float:
    """Return how sure it is that a text is a page."""
    head = head_of(text)
    if head.startswith(("<!doctype html", "<html")):
        return 0.98
    named = hint.path.lower().endswith(_NAMES)
    if not is_page(text):
        return 0.0
    if head.startswith("<?xml"):
        return 0.9
    return 0.9 if named else 0.75 if head.startswith("<") else 0.5


def is_page(text: str) -> bool:
    """Tell whether markup is what holds a text together, rather than something it mentions."""
    head = head_of(text)
    if head.startswith(("<!doctype html", "<html")):
        return True
    if head[:1] in ("{", "[", '"') or ("</" not in text and "/>" not in text):
        return False
    sample = _sample(text)
    spans = sum(match.end() - match.start() for match in _TAG.finditer(sample))
    count = sum(1 for _ in _TAG.finditer(sample))
    if count < 6:
        return False
    # A page is markup for a tenth of its length at least, and most of its lines hold some.
    lines = [line for line in sample.split("\n") if line.strip()]
    led = sum("<" in line and ">" in line for line in lines)
    return spans * 10 >= len(sample) and (head.startswith("<") or led * 2 >= len(lines))
