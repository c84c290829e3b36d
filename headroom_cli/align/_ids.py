"""Names made up by machines: UUIDs, prefixed and hexadecimal ids, temporary paths; and what is named as one."""

from __future__ import annotations

from itertools import islice, pairwise

from headroom_cli.align import _words
from headroom_cli.align._dates import label
from headroom_cli.align._shade import MOST_HITS, hits
from headroom_cli.lazy import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from headroom_cli.align._dates import Found
    from headroom_cli.align._shade import Shade

_UUID_TAIL = pattern(r"-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}(?![0-9A-Za-z])")
_HEX8 = pattern(r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}$")
# In every manual: RFC 4122's own, and the ones of counting fingers.
_WELL_KNOWN = ("550e8400-e29b-41d4", "123e4567-e89b-12d3", "00000000-0000-0000", "f47ac10b-58cc-4372", "12345678-1234-")
_HEX = pattern(r"[0-9][0-9a-fA-F]{9,}")
_HEX_FRONT = pattern(r"(?<![0-9A-Za-z_-])[a-fA-F]{0,14}$")
_TAIL = pattern(r"[_-][0-9A-Za-z]{8,64}(?![0-9A-Za-z])")
_PREFIX = pattern(
    r"(?<![0-9A-Za-z_./-])(?:req|request|sess?|session|msg|toolu|srvtoolu|conv|conversation|thread|run|trace|span|chatcmpl"
    r"|call|resp|asst|user|usr|org|evt|event|task|job|inv|invocation|cs|ctx|corr|txn|tx|exec|agent|node|pod|ws|workspace"
    r"|acct|cus|device|client|instance|container|i|ip)$"
)
_ULID = pattern(r"0[0-7][0-9A-HJKMNP-TV-Z]{24}(?![0-9A-Za-z])")

_TEMPORARY = ("/tmp/", "/var/folders/", "/var/tmp/", "/private/", "/run/user/", "\\temp\\", "%temp%", "$tmpdir/")  # noqa: S108
_PATH = pattern(r"(?:/|[A-Za-z]:\\|%TEMP%|%temp%|\$TMPDIR/)[^\s\"'`<>|,;:*?(){}\[\]]{1,300}")
_PART = pattern(r"[/\\.-]+")
_RANDOM = pattern(r"[0-9a-fA-F]{8,}$|\d{4,}$|(?=[a-z]{0,8}\d)(?=\d{0,8}[a-z])\w{6,32}$")

_SEP = (
    r"(?:[\"'`*_)]{0,3}(?:[ \t]?[:=>][ \t]{0,4}|[ \t]{1,3}(?:is|=|->|\u2192)(?: now| currently)?:?[ \t]{1,2}"
    r"|[ \t]?#[ \t]?|[ \t]{1,3}\()|[ \t]{1,4})[\"'`*<]{0,3}"
)
_NAME = r"(?P<v>[A-Za-z0-9][\w.:+/=@~-]{0,126}[\w=])"
_ID_WORD = r"(?:[ _-]?(?:ids?|uuid|guid|identifier|token|key|nonce)\b)"
_SUBJECTS = (
    "session", "conversation", "request", "trace", "thread", "correlation", "run", "job", "span", "transaction",
    "execution", "invocation", "interaction", "instance", "chat", "message", "task", "workflow", "build", "user",
    "account", "customer", "tenant", "device", "client", "organization", "workspace", "process", "container", "call",
    "event", "nonce", "seed", "machine", "agent", "ticket", "deployment", "pipeline", "installation",
)  # fmt: skip
_NAMED_ID = pattern(rf"(?P<s>{'|'.join(_SUBJECTS)})(?P<i>{_ID_WORD}|[ _-]?(?:number|no\.?|#))?(?P<p>{_SEP}){_NAME}")
_OTHERS = (
    # keyword, what stands from it on, kind
    ("hostname", r"hostname(?P<p>" + _SEP + ")" + _NAME, "host"),
    ("host name", r"host name(?P<p>" + _SEP + ")" + _NAME, "host"),
    ("node name", r"node name(?P<p>" + _SEP + ")" + _NAME, "host"),
    ("pod", r"pod(?: name)?(?P<p>" + _SEP + ")" + _NAME, "host"),
    ("machine name", r"machine name(?P<p>" + _SEP + ")" + _NAME, "host"),
    ("pid", r"pid(?P<p>" + _SEP + r")(?P<v>\d{1,7})(?![\d.])", "process"),
    ("port", r"port(?P<p>" + _SEP + r")(?P<v>[1-6]\d{4})(?![\d.])", "port"),
    ("ip", r"ip(?: address|_address|_addr|v4|v6)?(?P<p>" + _SEP + r")(?P<v>\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?)", "host"),
    ("uptime", r"uptime(?P<p>" + _SEP + r")(?P<v>\d[\w:., ]{0,40}\w)", "counter"),
    ("load average", r"load average(?P<p>" + _SEP + r")(?P<v>\d[\d., ]{0,30}\d)", "counter"),
    ("traceparent", r"traceparent(?P<p>" + _SEP + ")" + _NAME, "id"),
    ("working dir", r"working dir(?:ectory)?(?P<p>" + _SEP + r")(?P<v>@)", "path"),
    ("working_dir", r"working_dir(?:ectory)?(?P<p>" + _SEP + r")(?P<v>@)", "path"),
    ("current dir", r"current dir(?:ectory)?(?P<p>" + _SEP + r")(?P<v>@)", "path"),
    ("pwd", r"pwd(?P<p>" + _SEP + r")(?P<v>@)", "path"),
    ("temporary dir", r"temporary dir(?:ectory)?(?P<p>" + _SEP + r")(?P<v>@)", "path"),
    ("temp dir", r"temp dir(?:ectory)?(?P<p>" + _SEP + r")(?P<v>@)", "path"),
    ("cwd", r"cwd(?P<p>" + _SEP + r")(?P<v>@)", "path"),
    ("workspace", r"workspace(?: path| root| folder| directory)?(?P<p>" + _SEP + r")(?P<v>@)", "path"),
    ("project root", r"project root(?P<p>" + _SEP + r")(?P<v>@)", "path"),
    ("project dir", r"project dir(?:ectory)?(?P<p>" + _SEP + r")(?P<v>@)", "path"),
    ("home directory", r"home directory(?P<p>" + _SEP + r")(?P<v>@)", "path"),
    ("scratch", r"scratch(?:pad)?(?: directory| folder| dir)?(?P<p>" + _SEP + r")(?P<v>@)", "path"),
    ("current branch", r"current branch(?: name)?(?P<p>" + _SEP + r")(?P<v>[\w./-]{1,120}\w)", "branch"),
    ("git branch", r"git branch(?: name)?(?P<p>" + _SEP + r")(?P<v>[\w./-]{1,120}\w)", "branch"),
    ("active branch", r"active branch(?: name)?(?P<p>" + _SEP + r")(?P<v>[\w./-]{1,120}\w)", "branch"),
    ("commit", r"commit(?: hash| sha| id)?(?P<p>" + _SEP + r")(?P<v>[0-9a-f]{7,40}\b(?: [^\n]{1,120})?)", "commit"),
    ("head", r"head(?: commit| sha)?(?P<p> is (?:now )?at |" + _SEP + r")(?P<v>[0-9a-f]{7,40})(?![\w-])", "commit"),
)  # fmt: skip
_SHAPES = {
    word: pattern(source.replace("(?P<v>@)", r"(?P<v>(?:/|~/|[A-Za-z]:\\)[^\s\"'`<>|,;)]{0,300}[^\s\"'`<>|,;).:])"))
    for word, source, _ in _OTHERS
}
_KINDS = {word: kind for word, _, kind in _OTHERS}
_ASSET = pattern(r"\.(?:m?js|cjs|css|map|wasm|html?|png|jpe?g|gif|svg|ico|webp|woff2?|ttf|mp4|mp3|webm)(?![0-9A-Za-z])")
_MOST_LINK = 300
_SPACES = pattern(r"[\s\"'`<>(|]")
_ASSIGNED = pattern(r"[:=`]")
_VERSION = pattern(r"v?\d{1,5}(?:\.\d{1,5}){1,3}(?:[-+.]?(?:alpha|beta|rc|dev|post)[\w.]{0,8})?$")


def names(shade: Shade) -> Iterator[Found]:
    """Yield what machines made up, told by shape alone."""
    text = shade.text
    for match in islice(_UUID_TAIL.finditer(text), MOST_HITS) if text.count("-") > 3 else ():
        start = match.start() - 8
        whole = start >= 0 and _HEX8.search(text[max(0, start - 1) : match.start()])
        if whole and not text.startswith(_WELL_KNOWN, start) and _free(shade, start, match.end()):
            yield start, match.end(), "uuid", label(shade, start)
    for match in islice(_HEX.finditer(text), MOST_HITS):
        front = _HEX_FRONT.search(text[max(0, match.start() - 16) : match.start()])
        start = match.start() - (len(front[0]) if front else 0)
        end = match.end()
        letters = text[start:end]
        if front is None or end - start < 24 or end - start > 128 or text[end : end + 1].isalnum() or letters.isdigit():
            continue
        if len(set(letters)) > 6 and _words.DIGESTS.isdisjoint(shade.words(start)) and _free(shade, start, end):
            yield start, end, "id", label(shade, start)
    for match in islice(_TAIL.finditer(text), MOST_HITS):
        prefix = _PREFIX.search(text[max(0, match.start() - 16) : match.start()])
        if prefix is not None and _is_made_up(match[0][1:]):
            start = match.start() - len(prefix[0])
            if _free(shade, start, match.end()):
                yield start, match.end(), "id", label(shade, start)
    for match in islice(_ULID.finditer(text), MOST_HITS):
        start = match.start()
        if not text[start - 1 : start].isalnum() and _is_made_up(match[0]) and _free(shade, start, match.end()):
            yield start, match.end(), "id", label(shade, start)


def _is_made_up(tail: str) -> bool:
    """Tell a random tail from a word with a number ("sha256sum")."""
    digits = sum(letter.isdigit() for letter in tail)
    if len(tail) >= 10 and not (tail.islower() or tail.isupper() or tail.isdigit()):
        return digits > 0 or sum(a.islower() and b.isupper() for a, b in pairwise(tail)) > 1
    return digits > 1 and len(tail) >= 8 and not (digits < 4 and tail.rstrip("0123456789").islower()
                                                                      and len(tail) < 12)  # fmt: skip


def _free(shade: Shade, start: int, end: int) -> bool:
    """Tell whether a value told by its shape is said of this request: not in quotes, a fence or an example."""
    if _is_asset(shade.text, start, end):
        return False
    if not _words.CLEAR.isdisjoint(shade.words(start)[-3:]):
        return shade.speaks(start, end)
    linked = shade.text[start - 1 : start] == "/" or _is_linked(shade.text, start)
    return not (
        linked or shade.covers(start) or shade.example(start) or shade.quoted(start, end) or shade.indented(start)
    )


def _is_asset(text: str, start: int, end: int) -> bool:
    """Tell the part of a file's name that is made of what is in the file ("app.3f2a9c8d.js") from an id."""
    inside = text[start - 1 : start] == "." and text[start - 2 : start - 1].isalnum()
    return inside or _ASSET.match(text, end) is not None


def _is_linked(text: str, start: int) -> bool:
    """Tell whether a place is inside an address: it is the same for every request that names it."""
    front = text[max(0, start - _MOST_LINK) : start]
    scheme = front.rfind("://")
    return scheme >= 0 and _SPACES.search(front, scheme) is None


def _is_temporary(path: str) -> bool:
    """Tell a path with a part made up by mktemp or the like from one that somebody chose."""
    for part in _PART.split(path):
        mixed = 6 <= len(part) <= 12 and any(one.islower() and two.isupper() for one, two in pairwise(part))
        if mixed or (part.startswith("tmp") and 9 <= len(part) <= 16):
            return True
        if any(_RANDOM.match(piece) or _is_made_up(piece) for piece in part.split("_")):
            return True
    return False


def paths(shade: Shade, lower: str) -> Iterator[Found]:
    """Yield temporary paths with a random part."""
    text, done = shade.text, 0
    places: list[int] = []
    for root in _TEMPORARY:
        places += hits(lower, root, inside=True)
    for at in sorted(places):
        if at < done:
            continue
        start = at
        if text[at] == "\\":  # C:\Users\kim\AppData\Local\Temp\x
            start = max(text.rfind(mark, max(0, at - 120), at) for mark in (" ", "\n", '"', "'", "`", "(")) + 1
        match = _PATH.match(text, start)
        if match is None or text[start - 1 : start].isalnum():
            continue
        done = match.end()
        end = start + len(match[0].rstrip("./\\"))
        if _is_temporary(text[start + 4 : end]) and not (shade.covers(start) or shade.example(start)):
            yield start, end, "path", label(shade, start)


def named(shade: Shade, lower: str) -> Iterator[Found]:
    """Yield ids, hosts, processes, directories and branches that a label names."""
    text = shade.text
    done = 0
    for at in sorted(at for word in _SUBJECTS for at in hits(lower, word)):
        match = _NAMED_ID.match(lower, at) if at >= done else None
        if match is None:
            continue
        start, end = match.span("v")
        done = match.start("v")
        subject, value = match["s"], text[start:end]
        named = match["i"] is not None or "#" in match["p"]
        clear, loose = subject in _words.CLEAR, not match["p"].strip()
        is_id = _is_id(value, subject, named_id=named, clear=clear, loose=loose)
        if is_id and _is_said(shade, at, start):
            yield start, end, "id", subject if subject in ("nonce", "seed") else f"{subject} id"
    for word, shape in _SHAPES.items():
        for at in hits(lower, word):
            match = shape.match(lower, at)
            if match is None:
                continue
            start, end = match.span("v")
            kind = _KINDS[word]
            if (not match["p"].strip() and kind != "path") or (kind == "branch" and not _ASSIGNED.search(match["p"])):
                continue
            if kind == "commit" and not _is_commit(shade, match["v"], at):
                continue
            if kind == "host" and not any(letter.isdigit() for letter in match["v"]) and "-" not in match["v"]:
                continue
            if _is_said(shade, at, start):
                yield start, end, kind, label(shade, start)


def _is_commit(shade: Shade, value: str, at: int) -> bool:
    """Tell a commit that a repository is at from one that is quoted."""
    newest = not _words.NEWEST.isdisjoint(shade.words(at)[-1:]) or shade.starts_line(at)
    return newest and any(letter.isdigit() for letter in value[:40])


def _is_id(value: str, subject: str, *, named_id: bool, clear: bool, loose: bool) -> bool:
    """Tell what is plausible as the value behind a label such as "Session ID"."""
    if value.startswith(("http", "www.")):
        return False
    if not any(letter.isdigit() for letter in value):  # one random id in hundreds has none
        return clear and _is_made_up(value)
    if _VERSION.match(value) and not value[:6].isdigit():
        return False
    if loose:  # no separator: "session 4f9c21aa77" but not "run 3 tests"
        return (named_id or clear) and len(value) >= 8 and _is_made_up(value)
    if named_id or subject in ("nonce", "seed"):
        return len(value) >= 2
    return clear and len(value) >= 4 and _is_made_up(value.replace("-", ""))


def _is_said(shade: Shade, at: int, start: int) -> bool:
    """Tell whether the label at ``at`` says something, instead of standing in code or in an illustration."""
    before = shade.line(at)
    near = before.rstrip()
    # f(session_id=..., row.session_id = ..., --session-id 7, $session
    inside = near.endswith(("(", ",")) and "(" in near and not before.endswith((" (", ", "))
    member = before.endswith((".", "--", "$", "_"))
    return not (inside or member) and shade.speaks(start, start)
