"""Which lines of a log say the same with other values: templates.

Two stages, because regular expressions per line are the bottleneck: deleting the digits of the whole text in one call
gives each line a key, and everything slow is done once per distinct key. Keys are then merged as Drain does: same
number of words, enough of them equal in place.
"""

from __future__ import annotations

_DIGITS = b"0123456789"
_HEX = b"abcdefABCDEF-_.:/"
_SEPARATORS = bytes.maketrans(b",;=\"'[](){}|<>", b" " * 14)
_LOOKS = 12  # templates that a key is compared with, per bucket
_COMPARISONS = 60_000  # in all; then only the first of a bucket is tried, so that a hostile text stays linear
_MANY = 4_000  # distinct keys; above that those that differ in the letters of hexadecimal numbers are one
_KEYS = 12_000  # distinct keys that are compared word by word
_HEX_LETTERS = b"abcdefABCDEF"
_WORDS = 40  # words of a line that count


def keys_of(lines: list[str]) -> list[bytes]:
    """Return each line without its digits, as bytes: 300 MB/s where a regular expression does 20."""
    joined = "\n".join(lines).encode("utf-8", "surrogatepass")
    return joined.translate(None, _DIGITS).split(b"\n")


_COMMON, _VARIABLE, _SAYING = 1, 3, 5  # weights of a word that nearly all lines have, one with punctuation, a plain one


def _words(keys: list[bytes]) -> tuple[list[list[bytes]], dict[bytes, int]]:
    """Return the words of each key, and what each distinct word weighs in a comparison."""
    split = [key.split(None, _WORDS)[:_WORDS] for key in b"\n".join(keys).translate(_SEPARATORS).split(b"\n")]
    holders: dict[bytes, int] = {}
    for words in split:
        for word in words:
            holders[word] = holders.get(word, 0) + 1
    often = len(split) * 3 // 5 if len(split) >= 8 else len(split) + 1
    weights: dict[bytes, int] = {}
    rename: dict[bytes, bytes] = {}
    for word, count in holders.items():
        if (len(word) > 5 or word == b"x") and not word.strip(_HEX):
            rename[word] = b"*"
        weights[word] = _COMMON if count > often else _SAYING if word.isalpha() else _VARIABLE
    weights[b"*"] = _COMMON
    if rename:
        split = [[rename.get(word, word) for word in words] for words in split]
    return split, weights


def merge(keys: list[bytes], classes: list[int]) -> list[int]:
    """Return a template number for each distinct key; keys of different classes never share one."""
    if len(keys) > _MANY:
        # Ids written in letters make a key of nearly every line: without the hexadecimal letters most are one.
        bare = b"\n".join(keys).translate(None, _HEX_LETTERS).split(b"\n")
        firsts: dict[tuple[int, bytes], int] = {}
        chosen: list[bytes] = []
        kinds: list[int] = []
        where: list[int] = []
        for key, look in zip(keys, zip(classes, bare, strict=True), strict=True):
            at = firsts.setdefault(look, len(firsts))
            if at == len(chosen):
                chosen.append(key)
                kinds.append(look[0])
            where.append(at)
        numbers = _drain(chosen[:_KEYS], kinds[:_KEYS])
        numbers += _coarse(chosen[_KEYS:], kinds[_KEYS:], len(numbers))
        return list(map(numbers.__getitem__, where))
    return _drain(keys, classes)


def _coarse(keys: list[bytes], classes: list[int], fresh: int) -> list[int]:
    """Return template numbers from ``fresh`` on by the first words, the last one and their number alone."""
    known: dict[tuple[int, int, tuple[bytes, ...]], int] = {}
    numbers: list[int] = []
    for key, kind in zip(keys, classes, strict=True):
        words = key.split(None, _WORDS)
        numbers.append(known.setdefault((kind, len(words), (*words[:4], *words[-1:])), fresh + len(known)))
    return numbers


def _drain(keys: list[bytes], classes: list[int]) -> list[int]:
    """Return a template number for each key, as Drain does: the first alike enough among the last few."""
    numbers: list[int] = []
    exact: dict[tuple[int, tuple[bytes, ...]], int] = {}
    buckets: dict[tuple[int, int, int, bytes], list[tuple[int, list[bytes]]]] = {}
    comparisons = 0
    fresh = 0
    split, weights = _words(keys)
    for words, kind in zip(split, classes, strict=True):
        whole = (kind, tuple(words))
        found = exact.get(whole, -1)
        if found < 0 and words:
            size = len(words)
            looks = _LOOKS if comparisons < _COMPARISONS else 1
            weigh = [weights[word] for word in words]
            enough = sum(weigh)
            homes = [buckets.setdefault((kind, size, 0, words[0]), [])]
            if size > 2:
                homes.append(buckets.setdefault((kind, size, 1, words[-1]), []))
            for home in homes:
                for number, pattern in home[-looks:]:
                    comparisons += 1
                    same = list(map(bytes.__eq__, pattern, words))
                    if sum(map(int.__mul__, weigh, same)) * 2 >= enough:
                        found = number
                        if False in same:
                            pattern[:] = [a if a == b else b"" for a, b in zip(pattern, words, strict=True)]
                        break
                if found >= 0:
                    break
            if found < 0:
                pattern = list(words)
                for home in homes:
                    home.append((fresh, pattern))
        if found < 0:
            found = fresh
            fresh += 1
        exact[whole] = found
        numbers.append(found)
    return numbers
