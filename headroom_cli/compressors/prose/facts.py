"""What a sentence says that no other does: names, numbers, code, addresses; and, for less, its plain words.

Every word of a text is judged once and remembered as the number of its key; a sentence is then a set of such numbers.
"""

from __future__ import annotations

from headroom_cli.lazy import pattern

# What a new key is worth. Plain words settle what is left when names and numbers are covered.
CODE = 2.0  # between back-ticks: a writer marked it
IDENTIFIER = 0.7  # by its looks
ADDRESS = 2.0
NAME = 1.0
NUMBER = 1.0
DIGITS = 0.2  # with its unit it is a number of its own
QUOTED = 0.6
CAPITAL = 0.35
WORD = 0.05

# A set of characters first, then what may not stand before it: so `re` finds its starts quickly.
_RUN = pattern(
    r"[A-Z](?<!\w[A-Z])[\w'\u2019&-]{1,30}"
    r"(?:(?: of| the| and| de| van| von| der| la)?[ \n]{1,20}[A-Z][\w'\u2019&-]{0,30}){1,6}"
)
_AMOUNT = pattern(r"\d(?<![\w.]\d)[\d.,:/-]{0,30}\s?(?:%|[^\W\d_][\w/]{0,12}|\u00b0\w?)?")
_WIDE = pattern(
    "[\u30a1-\u30fa\u30fc]{2,24}|[\u3400-\u4dbf\u4e00-\u9fff]{2,8}|[\uac00-\ud7af]{2,12}|[A-Za-z0-9][\\w.-]{1,40}"
)
_QUOTED = pattern(
    '"[^"\\n]{2,80}"|\u201c[^\u201d\\n]{2,80}\u201d|\u00ab[^\u00bb\\n]{2,80}\u00bb|\u300c[^\u300d\\n]{1,60}\u300d'
)
_HAS_WIDE = pattern("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff66-\uff9f]")
_INNER = pattern(r"[a-z][A-Z]|\w[._/:@+]\w|\w\(\)|^--?\w|^[A-Z][A-Z0-9]+$")
_EDGES = ".,;:!?\"'()[]{}<>*\u201c\u201d\u2018\u2019\u00ab\u00bb\u2026\u3002\u3001\uff0c\u061f\u060c\u0964"
_FIGURES = frozenset("0123456789")
_LONG = 400  # characters; a longer word is data

STOP = frozenset((
    "the", "and", "that", "this", "with", "from", "have", "has", "had", "was", "were", "are", "not", "but", "for",
    "you", "your", "they", "their", "them", "there", "then", "than", "will", "would", "can", "could", "should",
    "may", "might", "must", "been", "being", "which", "what", "when", "where", "who", "whom", "whose", "how", "why",
    "its", "it's", "into", "onto", "over", "under", "about", "above", "after", "before", "between", "because",
    "while", "during", "each", "every", "some", "any", "many", "much", "more", "most", "other", "another", "such",
    "only", "also", "just", "even", "very", "too", "these", "those", "here", "does", "did", "done", "doing", "make",
    "makes", "made", "like", "one", "two", "use", "used", "using", "uses", "our", "his", "her", "she", "him", "out",
    "off", "all", "both", "few", "own", "same", "so", "if", "or", "as", "at", "by", "be", "is", "in", "on", "of",
    "to", "an", "a", "we", "do", "no", "up", "he", "it", "i", "me", "my", "us", "am", "don't", "doesn't", "isn't",
    "can't", "won't", "let", "lets", "via", "per", "however", "therefore", "thus", "although", "though", "since",
    "until", "unless",
))  # fmt: skip


class Facts:
    """The keys of one text: ``worth[key]`` says what each is worth the first time."""

    __slots__ = ("_keys", "_words", "worth")

    def __init__(self) -> None:
        """Start with no key; 0 stands for words that say nothing."""
        self.worth: list[float] = [0.0]
        self._keys: dict[str, int] = {}
        self._words = _Words(self)

    def key(self, name: str, worth: float) -> int:
        """Return the number of a key, a new one for a new name."""
        found = self._keys.get(name)
        if found is None:
            found = self._keys[name] = len(self.worth)
            self.worth.append(worth)
        return found

    def of(self, sentence: str) -> set[int]:
        """Return the keys of a sentence."""
        words = sentence.split()
        keys = set(map(self._words.__getitem__, words))
        key = self.key
        for run in _RUN.findall(sentence):
            keys.add(key(" ".join(run.split()), NAME))
        for amount in _AMOUNT.findall(sentence):
            keys.add(key(amount.rstrip(" .,:/-"), NUMBER))
        if "`" in sentence:
            keys.update(key(f"`{code}", CODE) for code in sentence.replace("``", "`").split("`")[1::2] if code.strip())
        if '"' in sentence or not sentence.isascii():
            for quote in _QUOTED.findall(sentence):
                keys.add(key(quote, QUOTED))
            if _HAS_WIDE.search(sentence):
                for run in _WIDE.findall(sentence):
                    keys.add(key(run, CAPITAL if run[0] > "\u30fc" else NAME))
        keys.discard(0)
        if words and len(words[0]) > 1 and words[0][0].isupper() and words[0][1:].islower():
            # Every sentence begins with a capital letter; only in the middle of one does it make a name.
            first = self._words[words[0]]
            if self.worth[first] == CAPITAL and words[0] not in words[1:]:
                keys.discard(first)
        return keys


class _Words(dict[str, int]):
    """Words already judged: a text repeats most of its words."""

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self._facts = facts

    def __missing__(self, word: str) -> int:
        """Judge a word and remember its key."""
        if word.islower() and word.isascii() and word.isalpha():  # most words
            key = 0 if len(word) < 3 or word in STOP else self._facts.key(word, WORD)
        else:
            key = self._judge(word)
        self[word] = key
        return key

    def _judge(self, word: str) -> int:
        letters = word.isalpha()
        if not letters and ("://" in word or word.startswith("www.")):
            at = word.find("://")
            begin = max(0, at - 5) if at >= 0 else 0
            address = word[begin:_LONG].rstrip(").,>;\"'`]*_")
            return self._facts.key(address, ADDRESS)
        bare = word.strip(_EDGES)
        size = len(bare)
        if size < 2 or size > _LONG or "`" in bare:
            return 0
        letters = letters or bare.isalpha()
        if not letters and (not _FIGURES.isdisjoint(bare) if bare.isascii() else any(map(str.isdigit, bare))):
            return self._facts.key(bare, DIGITS if bare.isdecimal() else NUMBER)
        if not (letters and bare[1:].islower()) and _INNER.search(bare):
            return self._facts.key(bare, IDENTIFIER)
        small = bare.lower()
        if bare[0].isupper():
            return 0 if small in STOP else self._facts.key(bare, CAPITAL)
        return 0 if len(small) < 3 or small in STOP else self._facts.key(small, WORD)
