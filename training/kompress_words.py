"""The tokenizer of the embedded prose model, and the way between words and pieces."""

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

PIECES = 8000
UNKNOWN = "[UNK]"


def learn(texts, size=PIECES):
    """Return a tokenizer of ``size`` pieces: case kept, every figure read as 0, punctuation on its own."""
    tokenizer = Tokenizer(models.WordPiece(unk_token=UNKNOWN, max_input_chars_per_word=64))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex("[0-9]"), "0")])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=size, special_tokens=[UNKNOWN], show_progress=False)
    )
    return tokenizer


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
