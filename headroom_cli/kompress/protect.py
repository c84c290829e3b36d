"""The words that never go.

Numbers with what they count, paths, identifiers, addresses, names, code, quotes, negations, modals, conditions. A word
is what stands between blanks, its punctuation included. Rules look at words alone, in English: whoever calls this has
seen that the text is (``reads_as_english``).
"""

from __future__ import annotations

from headroom_cli.lazy import pattern

# A word in small letters (but for the first one), with hyphens and apostrophes inside, brackets and commas around it.
_PLAIN = pattern("\\(?[A-Za-z][a-z]*(?:['\u2019-][a-z]+)*\\)?[,;]?\\)?")
_FIGURE = pattern(r"\d")
_EDGES = "()[]{}<>,.;:!?\"'\u201c\u201d\u2018\u2019*_`"

_NEGATIONS = frozenset((
    "no", "not", "never", "none", "nothing", "nobody", "nowhere", "neither", "nor", "cannot", "without", "except",
    "unless", "hardly", "rarely", "seldom", "barely", "instead", "fails", "failed", "lacks", "lack", "lacking", "avoid",
    "avoids", "stop", "stops", "refuse", "refuses", "refused", "disable", "disables", "disabled", "unable", "exclude",
    "excludes", "excluded", "excluding", "prevent", "prevents", "prevented", "ignore", "ignores", "ignored", "contrast",
    "contrary", "unlike", "despite", "against", "rather", "opposed", "opposite", "regardless", "apart", "wrong",
    "incorrect", "false", "invalid", "impossible", "unlikely", "little", "mitigate", "mitigates", "reject", "rejects",
    "rejected", "deny", "denies", "denied", "forbid", "forbids", "prohibited", "skip", "skips", "skipped", "omit",
    "omits", "omitted", "missing", "absent", "blocked", "dropped", "drops", "unsafe", "undefined", "ain't",
))  # fmt: skip
_MODALS = frozenset((
    "must", "shall", "should", "may", "might", "can", "could", "would", "will", "need", "needs", "ought", "required",
    "requires", "require", "optional", "optionally", "allowed", "forbidden", "recommended", "deprecated", "default",
    "defaults", "unsupported", "supported", "removed", "breaking", "only", "always", "error", "errors", "warning",
    "fail", "failure", "danger", "caution",
))  # fmt: skip
_CONDITIONS = frozenset((
    "if", "when", "whenever", "while", "until", "till", "before", "after", "since", "because", "although", "though",
    "but", "however", "or", "and", "else", "otherwise", "whether", "than", "then", "versus", "per", "once", "twice",
    "all", "any", "each", "every", "both", "either", "some", "few", "many", "most", "least", "more", "less", "fewer",
    "several", "half", "double", "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "hundred", "thousand", "million", "billion", "dozen", "first", "second", "third", "last",
    "up", "down", "over", "under", "above", "below", "within", "between", "from", "into", "by", "maximum", "minimum",
    "exactly", "approximately", "roughly", "almost", "nearly", "increase", "increased", "increases", "decrease",
    "decreased", "decreases", "higher", "lower", "true", "yes",
    "partially", "partly", "mostly", "usually", "sometimes", "often", "probably", "likely", "possibly", "perhaps",
    "via", "through", "during", "like", "same", "different", "similar", "other", "another", "later", "earlier", "new",
    "old", "previous", "next", "back", "out", "off", "away",
))  # fmt: skip
# Numbers in words, which what they count belongs to as it does to a figure.
_NUMERALS = frozenset((
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty",
    "fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "hundreds", "thousand", "thousands", "million",
    "millions", "billion", "billions", "dozen", "dozens", "half", "quarter", "double", "triple", "several", "few",
    "many", "couple", "times",
))  # fmt: skip
_KEPT = _NEGATIONS | _MODALS | _CONDITIONS | _NUMERALS
_OBLIGED = frozenset(("have", "has", "had", "having", "is", "are", "was", "were", "be"))  # before "to" or "better"
# What stands between a negation and what it denies, or a modal and its verb.
_LIGHT = frozenset((
    "be", "been", "being", "a", "an", "the", "to", "have", "has", "had", "is", "are", "was", "were", "do", "does",
    "did", "also", "yet", "even", "ever", "just", "really", "very", "necessarily", "of", "in", "on", "for", "with",
    "at",
))  # fmt: skip
_ARTICLES = frozenset(("the", "a", "an", "of", "to", "in", "on", "is", "are", "was", "were", "that", "this", "as"))
_DETERMINERS = frozenset((
    "the", "a", "an", "its", "their", "our", "your", "his", "her", "my", "every", "each", "any", "some", "no", "this",
    "these", "those", "another", "other",
))  # fmt: skip
# Words that want another one behind them: "the list of" says nothing.
_GOVERNING = frozenset((
    "the", "a", "an", "this", "that", "these", "those", "its", "their", "our", "your", "his", "her", "my", "of", "to",
    "in", "on", "for", "with", "at", "by", "from", "into", "about", "as", "via", "through", "under", "over", "between",
    "within", "without", "after", "before", "during", "against", "per", "than", "like", "any", "each", "every", "some",
    "no", "other", "another", "which", "and", "or", "is", "are", "was", "were", "be", "been",
))  # fmt: skip
_MONTHS = frozenset((
    "january", "february", "march", "april", "june", "july", "august", "september", "october", "november", "december",
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
))  # fmt: skip
# The words that English text is half made of.
_FUNCTION = frozenset((
    "the", "of", "and", "to", "a", "in", "is", "that", "for", "it", "as", "was", "with", "be", "by", "on", "are",
    "this", "or", "an", "which", "from", "at", "not", "if", "can", "will", "you", "your", "has", "have", "its", "but",
    "their", "when", "were", "than", "into", "been", "may", "they", "we", "he", "his", "she", "her", "all", "no",
    "there", "would", "should", "must", "does", "do", "only", "these", "other", "any", "so", "then", "use", "used",
    "using",
))  # fmt: skip
_COUNTING = frozenset("0123456789<>=~+-$")  # how a number begins
_ENGLISH = 0.2  # of the words
# At a word's beginning; some of them also within one: key="a value", and those that are apostrophes as well.
_OPENS = {
    '"': '"', "\u201c": "\u201d", "\u00ab": "\u00bb", "[": "]", "`": "`", "*": "*", "{": "}", "<": ">", "'": "'",
    "\u2018": "\u2019", "_": "_",
}  # fmt: skip
_WITHIN = ('"', "\u201c", "\u00ab", "`")
_AT_AN_END = "'\u2019_"  # these close at a word's end alone
_ABOUT = 4  # words behind a negation, a modal or a number, at most, that are held with it
_QUOTE = 60  # words; a quote left open for longer was never meant to close

FREE, WITH_ITS_CLAUSE, NEVER = 0, 1, 2


def bare(word: str) -> str:
    """Return a word in small letters without its punctuation."""
    return word.strip(_EDGES).lower()


def reads_as_english(words: list[str]) -> bool:
    """Tell whether a fifth of the words are those that English sentences are made of."""
    return sum(bare(word) in _FUNCTION for word in words) >= _ENGLISH * len(words)


def protected(words: list[str], starts: list[int]) -> bytearray:
    """Return FREE, WITH_ITS_CLAUSE (others of it hang on the word, or its comma does) or NEVER for each word.

    ``starts`` are the numbers of the words that begin a sentence, in order. Linear in the number of words.
    """
    held = bytearray(len(words))
    begins = bytearray(len(words) + 1)
    for start in starts:
        begins[start] = 1
    begins[len(words)] = 1
    small = [bare(word) for word in words]
    known = {word for word in words if word.islower()}
    for at, word in enumerate(words):
        if at and not begins[at] and small[at - 1] in _DETERMINERS and held[at] == FREE:
            held[at] = WITH_ITS_CLAUSE
        last = begins[at + 1]
        if last or word[-1:] in ".:;!?\u2026" or not _PLAIN.fullmatch(word):
            held[at] = NEVER
        elif word[0].isupper() or (word[0] == "(" and word[1:2].isupper()):
            # Within a sentence a capital letter makes a name; at its beginning, where nobody writes the word small.
            if not begins[at] or (small[at] not in known and small[at] not in _FUNCTION and small[at] not in _LIGHT):
                held[at] = NEVER
        elif word.endswith(","):
            held[at] = WITH_ITS_CLAUSE
        if small[at] in _KEPT or small[at] in _MONTHS or small[at].endswith(("n't", "n\u2019t")):
            held[at] = NEVER
    _around(words, small, held, begins)
    _heads(words, small, held, begins)
    _quoted(words, held)
    return held


def _around(words: list[str], small: list[str], held: bytearray, begins: bytearray) -> None:
    """Hold what a number counts and what it belongs to, and what a negation or a modal is about."""
    total = len(words)
    for at, word in enumerate(words):
        if _FIGURE.search(word):
            if at and not begins[at] and small[at - 1] not in _ARTICLES:
                held[at - 1] = NEVER
            counts = word[-1] not in ",;:.)" and small[at][:1] in _COUNTING
            if counts and at + 1 < total and not begins[at + 1]:
                held[at + 1] = NEVER
            continue
        obliged = small[at] in _OBLIGED and at + 1 < total and small[at + 1] in ("to", "better")
        if obliged:
            held[at] = NEVER
        elif small[at] == "than" and at:
            held[at - 1] = NEVER
        elif small[at] == "as" and small[at + 2 : at + 3] == ["as"]:
            held[at : at + 3] = bytes((NEVER,)) * 3
        about = small[at] in _NEGATIONS or small[at] in _MODALS or small[at].endswith(("n't", "n\u2019t"))
        if obliged or about or (small[at] in _NUMERALS and word[-1] not in ",;:.)"):
            following = at + 1
            while following < total and not begins[following] and following <= at + _ABOUT:
                held[following] = NEVER
                name = small[following]
                if name not in _LIGHT and name not in _KEPT and not name.endswith("ly"):
                    break
                following += 1


def _heads(words: list[str], small: list[str], held: bytearray, begins: bytearray) -> None:
    """Tie what an article or a preposition needs to its clause: "in our usual old way of" may lose "old" alone."""
    governed = False  # the words since the last such one belong to it
    for at, word in enumerate(words):
        if begins[at]:
            governed = False
        if small[at] in _GOVERNING:
            governed = True
            continue
        last = begins[at + 1] or word[-1] in ",;:.)" or small[at + 1] in _GOVERNING or small[at + 1] in _FUNCTION
        if last:
            if governed and held[at] == FREE:
                held[at] = WITH_ITS_CLAUSE
            governed = False


def _quoted(words: list[str], held: bytearray) -> None:
    """Hold everything between quotes, square brackets, back-ticks, stars and underscores."""
    closing = ""
    opened = 0
    for at, word in enumerate(words):
        if closing:
            if closing in word if closing not in _AT_AN_END else word.rstrip(".,;:!?)").endswith(closing):
                held[opened : at + 1] = bytes((NEVER,)) * (at + 1 - opened)
                closing = ""
            elif at - opened > _QUOTE:
                closing = ""
            continue
        inner = word.lstrip("(")
        mark = inner[:1]
        for other in _WITHIN:
            opened_here = word.count(other)
            if opened_here and (opened_here & 1 if _OPENS[other] == other else opened_here > word.count(_OPENS[other])):
                mark = inner = other
        if mark in _OPENS and _OPENS[mark] not in inner.lstrip(mark):
            closing, opened = _OPENS[mark], at
