"""How many tokens a text costs: a calibrated estimate, or exact when the user has a rank file.

The estimate is linear in counts that C code makes in one pass over the UTF-8 bytes: pairs of adjacent bytes (bytes past
ASCII fall into classes by script), runs of one character, some thousand common words, and the lengths of other words.
The weights were fitted to o200k_base by ``training/tokens.py``. o200k_base is a *proxy* for Claude and for any model
whose tokenizer is not public: such counts are right in proportion, not in number, and every report says "estimated".
Money is never computed from them.

Large texts are measured on windows: evenly spread slices of 64 KB in all, scaled up.
"""

from __future__ import annotations

from collections import Counter

from headroom_cli.errors import ConfigError
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
_LETTERS = bytes(c if 65 <= c <= 90 or 97 <= c <= 122 else 32 for c in range(256))


def features(text: str) -> tuple[Counter[str], Counter[bytes], dict[int, int], int]:
    """Return what the estimate is made of: pairs, words, runs by group, and the text's size in bytes.

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
    return pairs, words, runs, size - 2


def run_group(char: str) -> int:
    """Return the number of the weight for a run of this character."""
    found = _RUN_CHARS.find(char)
    if found >= 0:
        return found
    return len(_RUN_CHARS) + (0 if char.isdigit() else 1 if char.islower() else 2 if char.isupper() else 3)


def estimate(text: str, weights: token_weights.Weights) -> float:
    """Return the estimated tokens of a text, measured whole."""
    if not text:
        return 0.0
    pairs, words, runs, size = features(text)
    pair_weights, word_weights, length_weights, run_weights = weights
    # pair_weights is indexed by a * 128 + b; the pair's character holds a + 256 * b
    total = sum([count * pair_weights[((code := ord(pair)) & 127) << 7 | code >> 8] for pair, count in pairs.items()])
    known = word_weights.get
    for word, count in words.items():
        weight = known(word)
        total += count * (length_weights[min(len(word), _LENGTHS - 1)] if weight is None else weight)
    for group, count in runs.items():
        total += count * run_weights[group]
    # Every token is between 1 and 128 bytes long, whatever the sum says.
    return min(max(total / 100, size / 128, 1.0), float(size))


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


def count(text: str, model: str = "") -> int:  # noqa: ARG001 - one proxy serves every model until a tokenizer is public
    """Return the tokens of a text; an estimate of o200k_base unless ``use_exact`` was called.

    ``model`` may be any name: models without a public tokenizer, Claude among them, use the same proxy.
    """
    return estimated(text, token_weights.load()) if _exact is None else _exact(text)


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
