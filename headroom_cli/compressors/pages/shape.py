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
    if headers_end(text):
        return 0.9
    if head.startswith("<?xml"):
        return 0.9
    return 0.9 if named else 0.75


def headers_end(text: str) -> int:
    """Return where the page begins behind the headers of its answer (``curl -i``), 0 when there are none."""
    if not text.startswith("HTTP/"):
        return 0
    at = text.find("\n<", 0, 20_000)
    head = text[:at] if at > 0 else ""
    return at + 1 if head.endswith(("\n", "\r")) and all(map(_is_header, head.splitlines())) else 0


def _is_header(line: str) -> bool:
    return not line.strip() or line.startswith("HTTP/") or ":" in line[:80]


def is_page(text: str) -> bool:
    """Tell whether markup is what holds a text together, rather than something it mentions."""
    begin = headers_end(text)
    if begin:
        text = text[begin:]
    head = head_of(text)
    if head.startswith(("<!doctype html", "<html")):
        return True
    # Code with markup in it, diffs and search results of pages, and READMEs begin with something else.
    if not head.startswith("<") or ("</" not in text and "/>" not in text):
        return False
    sample = _sample(text)
    spans = count = 0
    for match in _TAG.finditer(sample):
        count += 1
        spans += match.end() - match.start()
    if count < 6 or spans * 10 < len(sample):
        return False
    lines = [line for line in sample.split("\n") if line.strip()]
    led = sum("<" in line and ">" in line for line in lines)
    marked = sum(line.startswith(("# ", "## ", "### ", "```", "- ", "* ", "![", "[![", "| ")) for line in lines)
    return marked * (8 if led * 2 >= len(lines) else 20) < len(lines)
