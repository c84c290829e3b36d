"""What a found line is: a definition, an error, or one that says nothing."""

from __future__ import annotations

from headroom_cli.lazy import pattern

# A definition at the start of a line, in the words of the usual languages. What follows the word must look like a name,
# so that "class of errors" or "type in the box" in prose is none.
_MODIFIERS = (
    r"(?:(?:export|default|declare|public|private|protected|internal|fileprivate|static|final|abstract|override|virtual"
    r"|sealed|partial|open|data|readonly|async|suspend|inline|synchronized|native|transient|volatile|companion"
    r"|mutating|extern|unsafe|constexpr|consteval|explicit|friend|noexcept|local|lazy|implicit|case|inner|value"
    r"|annotation|required|convenience|comptime|new|strictfp|operator|infix|tailrec|crate"
    r"|pub(?:\([\w: ]{1,40}\))?|extern \"\w{1,20}\"|@\w{1,40})\s{1,4}){0,6}"
)
_KEYWORD = pattern(
    r"\s{0,80}(?:"
    + _MODIFIERS
    + r"(?:(?:def|defp|defmacro|defmodule|func|fn|fun|function\*?|sub|proc|method|macro|iterator|subroutine)\b"
    r"(?:\s{1,4}[\w$.:!?<\[*&~(`'\"@-]|\s{0,4}\()"
    r"|(?:class|interface|struct|enum|union|trait|protocol|extension|object|record|actor|impl|mixin|namespace|module|mod"
    r"|package|instance|newtype|typeclass|contract|library|message|service|schema|input|entity|component)"
    r"(?:\s{1,4}(?:class|struct|union)\b)?(?:\s{0,4}<[^>]{0,100}>)?\s{1,4}[\w$:.@]{1,100}(?:<[^>]{0,100}>)?\s{0,4}"
    r"(?:$|[\[({:;=<\\]|(?:extends|implements)\b|[\w$:.@<>,*&' -]{0,120}[({:;=]\s{0,4}(?:$|[\w<({:]))"
    r"|type\s{1,4}(?:\(|\w{1,80}\s{0,4}(?:<[^>]{0,100}>|\[[^\]]{0,100}\])?\s{0,4}"
    r"(?:[={(\[*]|(?:struct|interface|func|map|chan|alias)\b|\w{0,80}(?:\.\w{1,80})?\s{0,4}$))"
    r"|(?:typealias|typedef|using|delegate)\s{1,4}[\w$<]|(?:event|data)\s{1,4}[A-Z]"
    r"|(?:const|constexpr)\s{1,4}[\w$*&<{\[(]"
    r"|(?:constant|static|let|var|val|define|defvar|defconst)\s{1,4}(?:mut\s|enum\s|int\s|char\s|auto\s|unsigned\s"
    r"|struct\s)?[A-Z_$][A-Z0-9_$]{1,60}\b"
    r"|(?:let|var|val)\s{1,4}[\w$]{1,80}\s{0,4}(?::[^=]{1,120})?=\s{0,4}(?:async\b\s{0,4})?(?:function\b|\([^()]{0,300}\)"
    r"\s{0,4}(?::[^=]{1,80})?=>|\w{1,40}\s{0,2}=>|class\b)"
    r"|(?:constructor|init|deinit|__init__|initialize)\s{0,2}[(?]"
    r"|macro_rules!\s|template\s{0,2}<|resource\s\"|variable\s\"|provider\s\"|output\s\")"
    r"|#\s{0,4}define\s|\((?:def\w{0,20}|define\S{0,20})\s|@(?:interface|implementation|protocol)\s"
    r"|[-+] ?\([\w *<>]{1,60}\) ?[a-z]\w|-(?:spec|define|record|module|type|callback)[ (]"
    r"|(?i:create\s(?:or\sreplace\s)?(?:temp(?:orary)?\s|unique\s|materialized\s|external\s)?"
    r"(?:table|view|function|procedure|index|trigger|type|schema|sequence)\s))"
    # From here on only at the very start of the line: names that are given a value for all to see.
    r"|(?:let|var|val|local|global|declare)\s[\w$]{1,80}\b"
    r"|[A-Z][A-Z0-9_]{2,60}\s{0,4}(?::\s?[\w\[\]., |\"']{1,80})?:?="
)
# A name that becomes a function: "foo: function (", "exports.foo = () =>", "foo <- function(", "foo :: Int -> Int".
_NAMED = pattern(
    r"\s{0,80}(?:[\w.$-]{1,80}\s{0,2}(?:<-|=|:)\s{0,2}(?:async\s)?function\b"
    r"|(?:\w{1,20}\s){0,4}#?[\w$]{1,60}(?:\.[\w$]{1,60}){0,5}\s?=\s?(?:async\s)?\([^()]{0,200}\)\s?=>"
    r"|[A-Za-z_][\w']{0,60}\s::\s)"
)
# "foo(a, b) {": a method without a word before it, or a function of a shell.
_METHOD = pattern(
    r"\s{0,80}(?:static\s|async\s|get\s|set\s|\*\s?|#){0,3}(?!(?:if|for|while|switch|catch|return|with|elseif|until"
    r"|foreach|when|match|synchronized|using|lock|fixed|else|do|and|or|not)\b)[\w$]{1,80}\s?\([^;=\"']{0,300}\)\s?"
    r"(?::\s?[\w<>\[\]., |]{1,80})?\s?\{\s{0,4}$"
)
# "static int parse(const char *text)": modifiers or a type, a name, "(". A call has no type before it.
_TYPED = pattern(
    r"(\s{0,24})(?:@\w{1,40}(?:\([^()]{0,80}\))?\s{1,4}){0,4}(?!(?:return|else|if|for|while|switch|case|throw|new|delete|await|yield|go|defer|assert|echo|print|import"
    r"|from|raise|not|and|or|in|is|do|goto|using|require|include|except|with|elif|unless|puts|let|sizeof)\b)"
    r"(?:[A-Za-z_][\w:]{0,80}(?:<[^()=;]{0,120}>)?(?:\[\])?\??[ \t*&]{1,4}){1,6}"
    r"~?[A-Za-z_][\w:~]{0,80}\s?\([^;]{0,400}$"
)
_TYPED_ENDS = ("{", ")", ",", "(", "}", "const", "override", "noexcept")
_TYPED_LAST = frozenset(end[-1] for end in _TYPED_ENDS)
_ENDS = frozenset("{ \r")
_ENDS_TYPED = _ENDS | _TYPED_LAST
_NAMES = ("function", "=>", " :: ")  # one of them stands in each line that _NAMED takes
_TYPED_FILES = frozenset(
    ("c", "h", "cc", "cpp", "cxx", "hh", "hpp", "hxx", "ino", "cu", "cuh", "m", "mm", "java", "cs", "kt", "scala",
     "groovy", "dart", "d", "vala", "php", "glsl", "hlsl", "proto", "sol")
)  # fmt: skip
_MODIFIED = pattern(r"\s{0,24}(?:public|private|protected|internal|static|final|abstract|override|virtual|@Override)\b")

_ERROR = pattern(
    r"\s{0,20}(?:(?i:error|fatal|fatal error|panic|critical)(?:\[\w{1,12}\])?: \S|Traceback \(most recent"
    r"|Exception in thread|Caused by: |panicked at |thread '[^']{1,80}' panicked|npm ERR! |E {3}\S"
    r"|(?:[A-Za-z_]\w{0,80}\.){0,12}[A-Z]\w{0,80}(?:Error|Exception|Failure): \S"
    r"|(?:[Pp]rocess|[Cc]ommand|[Ee]xited)[^\n]{0,80} (?:code|status):? ?[1-9])"
)
_STAMP = pattern(
    r"[\[(<]?(?:\d{4}[-/.]\d\d[-/.]\d\d[T _]?|\d\d:\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d|\d{10,13}[ .]"
    r"|[IWEF]\d{4} )"
)
_LEVEL = pattern(
    r"(?i)(?<![a-z0-9_])(?:errors?|fatal|critical|severe|panic|exception|failed|failure|traceback|emerg|alert|crit)"
    r"(?![a-z0-9_])"
)
_NO_ERROR = pattern(r"(?i)(?<![a-z0-9_.])(?:0|no|without) (?:errors?|failures?|failed)")
_LOGS = frozenset(("log", "out", "err", "journal"))
_STAMPED = frozenset("0123456789[(<JFMASONDIWE")  # with what a line that begins with a time begins
_NOTHING = "{}()[];,:/*#-=+\\|\"'`<>.!?_~^&% \t\r"
_DIGITS = {ord(char): "0" for char in "123456789"}


# With what the first word of a line must begin before the patterns above are tried on it: they cost ten times more.
_OPENS_DEFINITION = pattern(
    r"(?:def\w{0,14}|func|fn|fun|function|sub|proc|method|macro\w{0,8}|iterator|subroutine|class|interface|struct|enum"
    r"|union|trait|protocol|extension|object|record|actor|impl|mixin|namespace|module|mod|package|instance|newtype"
    r"|typeclass|contract|library|message|service|schema|input|entity|component|type|typealias|typedef|using|delegate"
    r"|event|data|const\w{0,12}|static|let|var|val|local|global|init\w{0,10}|deinit|__init__|template|resource|variable"
    r"|provider|output|declare|export|default|public|private|protected|internal|fileprivate|final|abstract|override"
    r"|virtual|sealed|partial|open|readonly|async|suspend|inline|synchronized|native|transient|volatile|companion"
    r"|mutating|extern|unsafe|explicit|friend|noexcept|lazy|implicit|case|inner|value|annotation|required|convenience"
    r"|comptime|new|strictfp|operator|infix|tailrec|crate|pub)(?!\w)|[#@(]|[-+](?:$|\()|[A-Z][A-Z0-9_]{2,60}(?:$|[:=])|-[sdrmtc]"
    r"|(?i:create$)"
)
_OPENS_ERROR = pattern(
    r"(?i:error|fatal|panic|critical)|Traceback$|Exception$|Caused$|panicked$|thread$|npm$|E$|[\w.]{1,900}:$"
    r"|[Pp]rocess$|[Cc]ommand$|[Ee]xited$"
)
DEFINITION_LINE, ERROR_LINE = 1, 2
_FIRST_WORD = 60  # characters of a line in which its first word is looked for


def telling(texts: list[str], kind: str, known: dict[str, int]) -> list[tuple[int, int]]:
    """Return the places of the lines of one file that are DEFINITION_LINE or ERROR_LINE, and which of both.

    ``kind`` is the extension of the file. ``known`` remembers what a first word can open: most of the lines of an
    output begin with one of few words.
    """
    said = "\n".join(texts)
    if kind in _LOGS or any(mark in said for mark in _NAMES):
        places = list(range(len(texts)))
    else:
        ends = _ENDS_TYPED if kind in _TYPED_FILES else _ENDS
        get = known.get
        # What neither begins nor ends as the patterns ask for is none of both: most lines cost no more than this.
        places = [
            at
            for at, text in enumerate(texts)
            if (words := text[:_FIRST_WORD].split(None, 1)) and (get(words[0], 1) or text[-1] in ends)
        ]
    found = []
    for at in places:
        what = _judge(texts[at], kind, known)
        if what:
            found.append((at, what))
    return found


def _judge(text: str, kind: str, known: dict[str, int]) -> int:
    """Return DEFINITION_LINE, ERROR_LINE or 0."""
    words = text[:_FIRST_WORD].split(None, 1)
    if not words:
        return 0
    last = text[-1]
    if last == "\r":
        text = text.rstrip("\r")
        last = text[-1]
    word = words[0]
    opens = known.get(word)
    if opens is None:
        opens = known[word] = _opens(word)
    if (
        (opens & 1 and _KEYWORD.match(text[:500]))
        or (last in "{ " and _METHOD.match(text[:500]))
        or (any(mark in text for mark in _NAMES) and _NAMED.match(text[:500]))
    ):
        return DEFINITION_LINE
    if last in _TYPED_LAST and kind in _TYPED_FILES and text.endswith(_TYPED_ENDS) and _typed(text):
        return DEFINITION_LINE
    if opens > 1:
        if opens & 2 and _ERROR.match(text[:300]):
            return ERROR_LINE
        if opens & 4 and _STAMP.match(text) and _reported(text):
            return ERROR_LINE
    return ERROR_LINE if kind in _LOGS and _reported(text) else 0


def _opens(word: str) -> int:
    """Return what a first word can open: 1 a definition, 2 a message of an error, 4 a line with a time."""
    found = 1 if _OPENS_DEFINITION.match(word) else 0
    found += 2 if _OPENS_ERROR.match(word) else 0
    return found + (4 if word[0] in _STAMPED else 0)


def extension(path: str) -> str:
    """Return what stands behind the last dot of a path, lower-case."""
    return path[-16:].rpartition(".")[2].lower()


def is_error(text: str, kind: str) -> bool:
    """Return whether a line reports that something went wrong, as logs and tools do, not code that could."""
    return _judge(text, kind, {}) == ERROR_LINE


def _typed(text: str) -> bool:
    """Return whether a line is ``static int parse(const char *text)`` or the like."""
    match = _TYPED.match(text[:500])
    if match is None:
        return False
    # Within a class a method is indented; deeper down, a declaration without modifiers is most likely a variable.
    return len(match[1].expandtabs(4)) <= 4 or _MODIFIED.match(text) is not None


def _reported(text: str) -> bool:
    """Return whether a line of a log tells of an error."""
    return _LEVEL.search(text, 0, 300) is not None and not _NO_ERROR.search(text, 0, 300)


def error_key(text: str) -> str:
    """Return an error line without its numbers: two of one key tell of the same trouble."""
    return text[:400].translate(_DIGITS)


def says_nothing(text: str) -> bool:
    """Return whether a line is blank or holds punctuation alone."""
    return not text.strip(_NOTHING)
