"""The tokenizer of the embedded prose model, and the way between words and pieces."""

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

PIECES = 8000
UNKNOWN = "[UNK]"
INSIDE = "##"  # before a piece that does not begin a word
LETTERS = 400  # the most frequent ones; words with any other are unknown
_LONGEST = 64  # characters of a word that is looked up


def _empty(vocabulary):
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=UNKNOWN, max_input_chars_per_word=_LONGEST))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex("[0-9]"), "0")])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def learn(texts, size=PIECES):
    """Return a tokenizer of ``size`` pieces: case kept, every figure read as 0, punctuation on its own.

    The trainer numbers letters inside words as it meets them, in no fixed order, and settles ties by number. They are
    given to it as known pieces, so that the same texts make the same tokenizer.
    """
    texts = list(texts)
    empty = _empty({UNKNOWN: 0})
    letters = {}
    for text in texts:
        for letter in empty.normalizer.normalize_str(text):
            letters[letter] = letters.get(letter, 0) + 1
    usual = sorted(sorted(letters), key=lambda letter: -letters[letter])[:LETTERS]
    usual = sorted(letter for letter in usual if not letter.isspace())
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        special_tokens=[UNKNOWN, *usual, *(INSIDE + letter for letter in usual)],
        limit_alphabet=len(usual),
        initial_alphabet=usual,
        show_progress=False,
    )
    empty.train_from_iterator(texts, trainer)
    return _empty(empty.get_vocab(with_added_tokens=False) | {UNKNOWN: 0})


def load(path):
    """Return the tokenizer in a file."""
    return Tokenizer.from_file(str(path))


def encode(tokenizer, words):
    """Return (ids, word of each piece) of a list of words."""
    encoding = tokenizer.encode(words, is_pretokenized=True, add_special_tokens=False)
    return encoding.ids, encoding.word_ids


def row(tokenizer, words, labels, source=0, *, weights=None, most=512):
    """Return a training row (ids, labels, weights, source); each word weighs the same however many pieces it has."""
    ids, of = encode(tokenizer, words)
    ids, of = ids[:most], of[:most]
    count = [0] * len(words)
    for word in of:
        count[word] += 1
    return ids, [labels[w] for w in of], [(weights[w] if weights else 1.0) / count[w] for w in of], source


def by_word(scores, of, size):
    """Return one score per word: the highest of its pieces; words without a piece get infinity, so that they stay."""
    found = [None] * size
    for score, word in zip(scores, of, strict=True):
        if found[word] is None or score > found[word]:
            found[word] = float(score)
    return [float("inf") if score is None else score for score in found]
