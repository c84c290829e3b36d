"""How many tokens a text costs: a calibrated estimate, or exact when the user has a rank file.

The estimate is linear in counts that C code makes in one pass over the UTF-8 bytes: pairs of adjacent bytes (bytes past
ASCII fall into classes by script), runs of one character, some thousand common words, and the lengths of other words.
Letters of other scripts than Latin are taken out before and counted one by one, each at its own rate: the bytes of such
letters say too little. The weights were fitted to o200k_base by ``training/tokens.py`` and ``training/letters.py``.
o200k_base is a *proxy* for Claude and for any model whose tokenizer is not public: such counts are right in proportion,
not in number, and every report says "estimated".
Money is never computed from them.

Large texts are measured on windows: evenly spread slices of 64 KB in all, scaled up.
"""

from __future__ import annotations

from collections import Counter

from headroom_cli.errors import ConfigError
from headroom_cli.lazy import pattern
from headroom_cli.models import token_weights

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# How much too small an estimated ratio after/before can be for one content written as pretty JSON, minified JSON and a
# table: 10.3 % at worst and 5.7 % in 95 % of 81 pairs from sources that the fit had not seen (training/tokens.py
# --held); 6 % and 3 % over the 342 pairs of the development corpus, none of which was told to be 3 % smaller and was in
# fact larger (benchmarks/tokens.py). A rendering that only leaves lines out needs no margin.
MARGIN = 0.10

WHOLE = 128 * 1024  # characters; a text up to here is measured whole (2.7 ms)
WINDOWS = 64
WINDOW = 1024  # characters
_SPACES = 50_000  # tiktoken's regex overflows its stack on a whitespace run of 1 MB; 100 KB was fine

_RUN = 16  # characters; tokenizers have tokens for long runs that a sum over pairs cannot see
_RUN_CHARS = " \n\t=-*#_.~/+"  # runs with a weight of their own; then digits, lower, upper, everything else
_LENGTHS = 40  # words of this many letters and more share a weight


def _byte_classes() -> bytes:
    """Return the table that maps UTF-8 bytes to 0-127: ASCII stays, other lead bytes become a script's class."""
    table = bytearray(range(256))
    table[:32] = b"\x7f" * 32
    table[9], table[10], table[13] = 9, 10, 13
    spans = (
        (0x80, 0x8F, 19), (0x90, 0x9F, 20), (0xA0, 0xAF, 21), (0xB0, 0xBF, 22),  # continuations
        (0xC0, 0xC3, 1), (0xC4, 0xCB, 2), (0xCC, 0xCF, 3), (0xD0, 0xD3, 4), (0xD4, 0xD7, 5), (0xD8, 0xDB, 6),
        (0xDC, 0xDF, 7), (0xE0, 0xE0, 8), (0xE1, 0xE1, 11), (0xE2, 0xE2, 12), (0xE3, 0xE3, 14), (0xE4, 0xE9, 15),
        (0xEA, 0xED, 16), (0xEE, 0xEF, 17), (0xF0, 0xFF, 18),
    )  # fmt: skip
    for first, last, value in spans:
        table[first : last + 1] = bytes((value,)) * (last + 1 - first)
    return bytes(table)


_CLASSES = _byte_classes()
# Runs of letters, marks and digits of other scripts, with the punctuation of CJK; Vietnamese, phonetic and other Latin
# letters, symbols, general punctuation and emoji are not among them.
_SCRIPTS = pattern(
    "([\u0370-\u1cff\u1f00-\u1fff\u3000-\ua71f\ua800-\uab2f\uabc0-\ud7ff\uf900-\ufaff\ufb13-\ufdff\ufe70-\ufefe"
    "\uff00-\uffef\U00020000-\U0003ffff]+)"
)
# Every byte that cannot begin one of them: what is left of a text without these is empty for Latin texts.
_NO_SCRIPT = bytes(c for c in range(256) if not (0xCD <= c <= 0xE1 or 0xE3 <= c <= 0xED or c in {0xEF, 0xF0}))
_LETTERS = bytes(c if 65 <= c <= 90 or 97 <= c <= 122 else 32 for c in range(256))


def features(text: str) -> tuple[Counter[str], Counter[bytes], dict[int, int]]:
    """Return what the estimate is made of: pairs, words, and runs by group.

    A pair of classes (a, b) is the character ``chr(a + 256 * b)``: decoding the classes as UTF-16 makes the pairs in
    C, once from each alignment. All classes are below 128, so that no pair is a surrogate.
    """
    classes = b"\n" + text.encode("utf-8", "surrogatepass").translate(_CLASSES) + b"\n"
    size = len(classes)
    pairs = Counter(classes[: size & ~1].decode("utf-16-le"))
    pairs.update(classes[1 : 1 + ((size - 1) & ~1)].decode("utf-16-le"))
    words = Counter(classes.translate(_LETTERS).split())
    runs: dict[int, int] = {}
    for code in range(1, 128):
        if pairs[chr(code * 257)] >= _RUN - 1:
            found = classes.count(bytes((code,)) * _RUN)
            if found:
                group = run_group(chr(code))
                runs[group] = runs.get(group, 0) + found
    return pairs, words, runs


def run_group(char: str) -> int:
    """Return the number of the weight for a run of this character."""
    found = _RUN_CHARS.find(char)
    if found >= 0:
        return found
    return len(_RUN_CHARS) + (0 if char.isdigit() else 1 if char.islower() else 2 if char.isupper() else 3)


def script(code: int) -> int:
    """Return the number of the rates for a code point: its block of 128, or 64 kana, 65 Han, 66 Hangul, 67 others."""
    if code < 0x2000:
        return code >> 7
    if 0x3400 <= code < 0xA000 or 0xF900 <= code < 0xFB00 or code > 0xFFFF:
        return 65
    return 64 if code < 0x3400 else 66 if 0xAC00 <= code < 0xD800 else 67


def other_scripts(text: str) -> tuple[str, list[str]]:
    """Return a text without its letters of other scripts than Latin, and the runs of those letters in order."""
    if not text.encode("utf-8", "surrogatepass").translate(None, _NO_SCRIPT):
        return text, []
    parts = _SCRIPTS.split(text)
    return "".join(parts[::2]), parts[1::2]


def _letters(runs: list[str]) -> int:
    """Return hundredths of a token for runs of letters of other scripts: each letter's rate, and one for each run."""
    from headroom_cli.models import letter_weights

    letters, scripts, starts = letter_weights.load()
    known = letters.get
    total = 0
    for letter, count in Counter("".join(runs)).items():
        weight = known(letter)
        total += count * (scripts[script(ord(letter))] if weight is None else weight)
    for letter, count in Counter([run[0] for run in runs]).items():
        total += count * starts[script(ord(letter))]
    return total


def estimate(text: str, weights: token_weights.Weights) -> float:
    """Return the estimated tokens of a text, measured whole."""
    if not text:
        return 0.0
    if text.isascii():
        return _bounded(_sum(text, weights), len(text))
    size = len(text.encode("utf-8", "surrogatepass"))
    rest, runs = other_scripts(text)
    total = _sum(rest, weights)
    return _bounded(total + _letters(runs) if runs else total, size)


def _bounded(total: int, size: int) -> float:
    """Return hundredths as tokens: every token is between 1 and 128 bytes long, whatever the sum says."""
    return min(max(total / 100, size / 128, 1.0), float(size))


def _sum(text: str, weights: token_weights.Weights) -> int:
    """Return the sum of what is in a text, in hundredths of a token."""
    pairs, words, runs = features(text)
    pair_weights, word_weights, length_weights, run_weights = weights
    # pair_weights is indexed by a * 128 + b; the pair's character holds a + 256 * b
    total = sum([count * pair_weights[((code := ord(pair)) & 127) << 7 | code >> 8] for pair, count in pairs.items()])
    known = word_weights.get
    for word, count in words.items():
        weight = known(word)
        total += count * (length_weights[min(len(word), _LENGTHS - 1)] if weight is None else weight)
    for group, count in runs.items():
        total += count * run_weights[group]
    return total


def windows(text: str) -> str:
    """Return 64 slices of 1 KB, evenly spread with a fixed jitter so that periodic texts do not beat with them."""
    stride = len(text) / WINDOWS
    slack = stride - WINDOW
    starts = (int(i * stride + slack * ((i * 0.6180339887) % 1.0)) for i in range(WINDOWS))
    return "\n".join([text[start : start + WINDOW] for start in starts])


def estimated(text: str, weights: token_weights.Weights) -> int:
    """Return the estimate of a text of any size."""
    if len(text) <= WHOLE:
        return round(estimate(text, weights))
    return round(estimate(windows(text), weights) * len(text) / (WINDOWS * WINDOW))


_exact: Callable[[str], int] | None = None


_SAMPLES, _SAMPLE = 8, 1_024  # pieces, and characters of each


def count(text: str, model: str = "") -> int:  # noqa: ARG001 - one proxy serves every model until a tokenizer is public
    """Return the tokens of a text; an estimate of o200k_base unless ``use_exact`` was called.

    ``model`` may be any name: models without a public tokenizer, Claude among them, use the same proxy.
    """
    return estimated(text, token_weights.load()) if _exact is None else _exact(text)


def about(text: str) -> int:
    """Return the tokens of a text that nothing depends on, of a long one by samples of it; exact where that was asked.

    Reports say how long the texts are that stay as they are. To count 100 KB of them takes longer than all the rest of
    a request that was sent before.
    """
    if _exact is not None or len(text) <= _SAMPLES * _SAMPLE:
        return count(text)
    step = len(text) // _SAMPLES
    sampled = sum(count(text[at * step : at * step + _SAMPLE]) for at in range(_SAMPLES))
    return round(sampled * len(text) / (_SAMPLES * _SAMPLE))


def is_exact() -> bool:
    """Return whether ``count`` counts, rather than estimates."""
    return _exact is not None


# The split patterns that belong to the public rank files, as tiktoken publishes them.
_O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)


def use_exact(path: str) -> None:
    """Count exactly from now on, with tiktoken and the rank file at ``path``; "" goes back to the estimate.

    The file is in tiktoken's own form (base64 of a token, a space, its rank, one per line). Nothing is downloaded or
    cached. Raise ConfigError when tiktoken is missing or the file is not a rank file.
    """
    global _exact  # noqa: PLW0603 - the process counts in one way; settings choose it once, at the start
    if not path:
        _exact = None
        return
    try:
        import tiktoken
    except ImportError as error:
        raise ConfigError("exact token counts need tiktoken; install headroom-cli[exact]") from error
    ranks = _read_ranks(path)
    pattern = _O200K if len(ranks) > 150_000 else _CL100K
    encoding = tiktoken.Encoding("local", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    encode = encoding.encode_ordinary

    def exact(text: str) -> int:
        return sum([len(encode(part)) for part in split_spaces(text)])

    _exact = exact


def _read_ranks(path: str) -> dict[bytes, int]:
    """Return token -> rank of a local rank file."""
    from binascii import Error, a2b_base64

    ranks: dict[bytes, int] = {}
    try:
        with open(path, "rb") as lines:
            for line in lines:
                token, _, rank = line.partition(b" ")
                if rank:
                    ranks[a2b_base64(token)] = int(rank)
    except OSError as error:
        raise ConfigError(f"cannot read the rank file {path}: {error.strerror}; name a tiktoken rank file") from error
    except (Error, ValueError) as error:
        raise ConfigError(f"{path} is not a tiktoken rank file; each line is base64, a space and a number") from error
    if len(ranks) < 256:
        raise ConfigError(f"{path} holds {len(ranks)} tokens; a rank file has at least the 256 bytes")
    return ranks


def split_spaces(text: str) -> list[str]:
    """Return a text in pieces whose whitespace runs are at most 50,000 characters long; together they are the text."""
    if len(text) <= _SPACES:
        return [text]
    parts = []
    start = 0
    import re

    for run in re.finditer(r"\s++", text):
        while run.end() - max(start, run.start()) > _SPACES:
            cut = max(start, run.start()) + _SPACES
            parts.append(text[start:cut])
            start = cut
    parts.append(text[start:])
    return parts
