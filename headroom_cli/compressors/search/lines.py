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
DEFINITION = pattern(
    r"\s{0,80}(?:"
    + _MODIFIERS
    + r"(?:(?:def|defp|defmacro|defmodule|func|fn|fun|function\*?|sub|proc|method|macro|iterator|subroutine)\b"
    r"(?:\s{1,4}[\w$.:!?<\[*&~(`'\"@-]|\s{0,4}\()"
    r"|(?:class|interface|struct|enum|union|trait|protocol|extension|object|record|actor|impl|mixin|namespace|module|mod"
    r"|package|instance|newtype|typeclass|contract|library|message|service|schema|input|entity|component)"
    r"(?:\s{1,4}(?:class|struct|union)\s{1,4})?\s{0,4}(?:<[^>]{0,100}>\s{0,4})?\s{1,4}[\w$:.@<>,*&' -]{1,120}?\s{0,4}"
    r"(?:[\[({:;=<]|$|\\|extends\b|implements\b|where\b|for\b|with\b|do\b|is\b|alignas\b|final\b)"
    r"|(?:type|typealias|typedef|using|delegate|event|data)\s{1,4}[\w$<]"
    r"|(?:const|constexpr)\s{1,4}[\w$*&<{\[(]"
    r"|(?:constant|static|let|var|val|define|defvar|defconst)\s{1,4}(?:mut\s|enum\s|int\s|char\s|auto\s|unsigned\s"
    r"|struct\s)?[A-Z_$][A-Z0-9_$]{1,60}\b"
    r"|(?:let|var|val)\s{1,4}[\w$]{1,80}\s{0,4}(?::[^=]{1,120})?=\s{0,4}(?:async\b\s{0,4})?(?:function\b|\([^()]{0,300}\)"
    r"\s{0,4}(?::[^=]{1,80})?=>|\w{1,40}\s{0,2}=>|class\b)"
    r"|(?:constructor|init|deinit|__init__|initialize)\s{0,2}[(?]"
    r"|macro_rules!\s|template\s{0,2}<|resource\s\"|variable\s\"|provider\s\"|output\s\")"
    r"|#\s{0,4}define\s|\((?:def\w{0,20}|define\S{0,20})\s|@(?:interface|implementation|protocol)\s"
    r"|(?i:create\s(?:or\sreplace\s)?(?:temp(?:orary)?\s|unique\s|materialized\s|external\s)?"
    r"(?:table|view|function|procedure|index|trigger|type|schema|sequence)\s)"
    r"|[\w.$-]{1,80}\s{0,2}(?:<-|=|:)\s{0,2}(?:async\s)?function\b|[\w$]{1,60}(?:\.[\w$]{1,60}){1,5}\s?=\s?(?:async\s)?"
    r"(?:function\b|\([^()]{0,200}\)\s?=>)"
    r"|(?:static\s|async\s|get\s|set\s|\*\s?|#){0,3}(?!(?:if|for|while|switch|catch|return|with|elseif|until|foreach"
    r"|when|match|synchronized|using|lock|fixed|else|do|and|or|not)\b)[\w$]{1,80}\([^;=\"']{0,300}\)\s?"
    r"(?::\s?[\w<>\[\]., |]{1,80})?\s?\{\s?$"
    r"|[A-Za-z_][\w']{0,60}\s::\s|-(?:spec|define|record|module|type|callback)[ (])"
    # From here on only at the very start of the line: names that are given a value for all to see.
    r"|(?:const|let|var|val|local|global|declare)\s[\w$]{1,80}\b"
    r"|[A-Z][A-Z0-9_]{2,60}\s{0,4}(?::\s?[\w\[\]., |\"']{1,80})?:?="
    r"|\w{1,60}\s?\(\)\s?\{"
)
# "static int parse(const char *text)": modifiers or a type, a name, "(". A call has no type before it.
_TYPED = pattern(
    r"(\s{0,24})(?!(?:return|else|if|for|while|switch|case|throw|new|delete|await|yield|go|defer|assert|echo|print|import"
    r"|from|raise|not|and|or|in|is|do|goto|using|require|include|except|with|elif|unless|puts|let|sizeof)\b)"
    r"(?:[A-Za-z_][\w:]{0,80}(?:<[^()=;]{0,120}>)?(?:\[\])?\??[ \t*&]{1,4}){1,6}"
    r"~?[A-Za-z_][\w:~]{0,80}\s?\([^;]{0,400}$"
)
_TYPED_ENDS = ("{", ")", ",", "(", "}", "const", "override", "noexcept")
_TYPED_FILES = frozenset(
    ("c", "h", "cc", "cpp", "cxx", "hh", "hpp", "hxx", "ino", "cu", "cuh", "m", "mm", "java", "cs", "kt", "scala",
     "groovy", "dart", "d", "vala", "php", "glsl", "hlsl", "proto", "sol")
)  # fmt: skip
_MODIFIED = pattern(r"\s{0,24}(?:public|private|protected|internal|static|final|abstract|override|virtual|@Override)\b")

_ERROR = pattern(
    r"\s{0,20}(?:(?i:error|fatal|fatal error|panic|critical)(?:\[\w{1,12}\])?: \S|Traceback \(most recent"
    r"|Exception in thread|Caused by: |panicked at |thread '[^']{1,80}' panicked|npm ERR! |E {3}\S"
    r"|(?:[A-Za-z_]\w{0,80}\.){0,12}[A-Z]\w{0,80}(?:Error|Exception|Failure): \S|(?:[Pp]rocess|[Cc]ommand|[Ee]xited)[^\n]{0,80} (?:code|status):? ?[1-9])"
)
_STAMP = pattern(
    r"[\[(<]?(?:\d{4}[-/.]\d\d[-/.]\d\d[T _]?|\d\d:\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d|\d{10,13}[ .]"
    r"|[IWEF]\d{4} )"
)
_LEVEL = pattern(
    r"(?i)(?<![a-z0-9_])(?:errors?|fatal|critical|severe|panic|exception|failed|failure|traceback|emerg|alert|crit)(?![a-z0-9_])"
)
_NO_ERROR = pattern(r"(?i)(?<![a-z0-9_.])(?:0|no|without) (?:errors?|failures?|failed)")
_LOGS = frozenset(("log", "out", "err", "journal"))
_NOTHING = frozenset("{}()[];,:/*#-=+\\|\"'`<>.!?_~^&% \t\r")
_DIGITS = {ord(char): "0" for char in "123456789"}


def extension(path: str) -> str:
    """Return what stands behind the last dot of a path, lower-case."""
    return path[-16:].rpartition(".")[2].lower()


def is_definition(text: str, kind: str) -> bool:
    """Return whether a line defines what others use; ``kind`` is the extension of its file."""
    if DEFINITION.match(text[:500]):
        return True
    if kind not in _TYPED_FILES:
        return False
    match = _TYPED.match(text[:500])
    if match is None or not text.rstrip().endswith(_TYPED_ENDS):
        return False
    # Within a class a method is indented; deeper down, a declaration without modifiers is most likely a variable.
    return len(match[1].expandtabs(4)) <= 4 or _MODIFIED.match(text) is not None


def is_error(text: str, kind: str) -> bool:
    """Return whether a line reports that something went wrong, as logs and tools do, not code that could."""
    if _ERROR.match(text[:300]):
        return True
    if (kind in _LOGS or _STAMP.match(text)) and _LEVEL.search(text, 0, 300):
        return not _NO_ERROR.search(text, 0, 300)
    return False


def error_key(text: str) -> str:
    """Return an error line without its numbers: two of one key tell of the same trouble."""
    return text[:400].translate(_DIGITS)


def says_nothing(text: str) -> bool:
    """Return whether a line is blank or holds punctuation alone."""
    return len(text) < 200 and _NOTHING.issuperset(text)
