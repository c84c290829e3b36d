"""Words to scores: a token classifier in ONNX and its tokenizer, run chunk by chunk.

A model takes ``input_ids`` and ``attention_mask`` (int64 [batch, length]) and gives ``final_scores`` (float [batch,
length], 0..1), the shape in which Kompress models are published. A word's score is the highest of its tokens'.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager

from headroom_cli.errors import NotUsableError
from headroom_cli.kompress.find import find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from headroom_cli.kompress.find import Found

CHUNK_WORDS = 350
MAX_LENGTH = 512  # tokens of a chunk, its special ones included
THRESHOLD = 0.5
KEPT = 1.0  # the score of a word that the model did not see
SECONDS = 8.0  # of models per document at most: the last guard, behind the limits in words
_INPUTS = frozenset(("input_ids", "attention_mask"))
_OUTPUT = "final_scores"
_SMALL = 32 << 20  # bytes of a model file; larger ones rate a few thousand words a second
_WORDS = {True: 20_000, False: 6_000}  # that one text may have, for a small model and a large one
_BATCH = {True: 4, False: 1}  # chunks that are rated together, so often is the clock looked at
_THREADS = 2
_LOOK = 0.25  # seconds between two looks at the clock while a model runs
MISSING = "--kompress needs onnxruntime and tokenizers; pip install 'headroom-cli[ml]'"


class Model:
    """One model, loaded at its first use: 2 threads at most, no memory kept between texts."""

    __slots__ = (
        "_batch", "_chunk", "_found", "_length", "_session", "_tokenizer", "bytes", "files", "most_words", "name",
        "threshold",
    )  # fmt: skip

    def __init__(self, name: str) -> None:
        """``name`` is what ``find.find`` takes. Raise NotUsableError when no such model is here; load nothing yet."""
        self.name = name
        self._found: Found = find(name)
        config = self._found.config
        self.bytes = sum(_size(self._found.model + end) for end in ("", "_data", ".data"))
        small = self.bytes < _SMALL
        self._chunk = _whole(config, "chunk_words", CHUNK_WORDS, 8, 10_000)
        self._length = _whole(config, "max_length", MAX_LENGTH, 16, 8_192)
        self._batch = _BATCH[small]
        self.most_words = _whole(config, "most_words", _WORDS[small], 1, 1_000_000)
        threshold = config.get("threshold", THRESHOLD)
        self.threshold = float(threshold) if isinstance(threshold, int | float) and 0 < threshold < 1 else THRESHOLD
        self.files = _seen(self._found.model), _seen(self._found.tokenizer)
        self._session: Any = None
        self._tokenizer: Any = None

    def load(self) -> None:
        """Load the files now. Raise NotUsableError with what is wrong with them."""
        if self._session is not None:
            return
        try:
            import onnxruntime
            import tokenizers
        except ImportError as error:
            raise NotUsableError(MISSING) from error
        except Exception as error:  # installed, but not for this machine: a library of the system's is missing
            raise NotUsableError(f"onnxruntime or tokenizers cannot be loaded ({_words(error)})") from error
        shown = f"the model {self.name}"
        try:
            tokenizer = tokenizers.Tokenizer.from_file(self._found.tokenizer)
            tokenizer.no_padding()
            tokenizer.enable_truncation(max_length=self._length)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # plain Exception, and for a broken file a panic, which is none
            raise NotUsableError(f"{shown}: its tokenizer cannot be read ({_words(error)}); pull it again") from error
        try:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = _THREADS
            options.inter_op_num_threads = 1
            options.enable_cpu_mem_arena = False
            options.enable_mem_pattern = False  # lengths differ from chunk to chunk
            options.log_severity_level = 4  # what it would print to standard error is said by exceptions
            session = onnxruntime.InferenceSession(self._found.model, options, providers=["CPUExecutionProvider"])
            inputs = {one.name for one in session.get_inputs()}
            outputs = {one.name for one in session.get_outputs()}
        except Exception as error:
            raise NotUsableError(f"{shown} cannot be loaded ({_words(error)}); pull it again") from error
        if inputs != _INPUTS or _OUTPUT not in outputs:
            raise NotUsableError(
                f"{shown} takes {', '.join(sorted(inputs))} and gives {', '.join(sorted(outputs))}; "
                f"models of this kind take {', '.join(sorted(_INPUTS))} and give {_OUTPUT}"
            )
        self._session, self._tokenizer = session, tokenizer

    def scores(self, words: list[str], spent: Callable[[], bool] = lambda: False) -> list[float]:
        """Return how much each word is worth, 0..1; a word that did not fit into its chunk's tokens gets 1.

        Raise NotUsableError when the model cannot be loaded or run, or when ``spent`` says so between two chunks.
        """
        if len(words) > self.most_words:
            raise NotUsableError(f"a text of more than {self.most_words:,} words")
        self.load()
        found: list[float] = []
        chunks = [words[at : at + self._chunk] for at in range(0, len(words), self._chunk)]
        with _ended(spent) as options:
            for at in range(0, len(chunks), self._batch):
                if spent():
                    raise NotUsableError("the time for models is over")
                found += self._rated(chunks[at : at + self._batch], options)
        return found

    def _rated(self, chunks: list[list[str]], options: Any) -> list[float]:
        """Return the scores of the words of some chunks that are run together."""
        import numpy as np

        try:
            # One by one: a batch would be spread over threads, which a process that is to be forked must not have.
            encodings = [self._tokenizer.encode(chunk, is_pretokenized=True) for chunk in chunks]
            longest = max(1, *(len(encoding.ids) for encoding in encodings))
            ids = np.zeros((len(chunks), longest), np.int64)
            mask = np.zeros((len(chunks), longest), np.int64)
            for row, encoding in enumerate(encodings):
                ids[row, : len(encoding.ids)] = encoding.ids
                mask[row, : len(encoding.ids)] = 1
            (rated,) = self._session.run([_OUTPUT], {"input_ids": ids, "attention_mask": mask}, options)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # as above
            raise NotUsableError(f"the model {self.name} cannot rate a text: {_words(error)}") from error
        numbers = isinstance(rated, np.ndarray) and rated.dtype.kind in "fiu" and rated.shape == ids.shape
        if not numbers or not bool(np.isfinite(rated).all()):
            raise NotUsableError(f"the model {self.name} does not give one score per token")
        found: list[float] = []
        for chunk, encoding, row in zip(chunks, encodings, rated.tolist(), strict=True):
            best: list[float | None] = [None] * len(chunk)
            for word, score in zip(encoding.word_ids, row, strict=False):
                if word is not None:
                    before = best[word]
                    best[word] = score if before is None or score > before else before
            found += [KEPT if score is None else score for score in best]
        return found


@contextmanager
def _ended(spent: Callable[[], bool]) -> Iterator[Any]:
    """Give the options of a run that ends soon after ``spent`` says so, wherever in the model it is."""
    import threading

    import onnxruntime

    options = onnxruntime.RunOptions()
    options.log_severity_level = 4
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK):
            if spent():
                options.terminate = True
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield options
    finally:
        over.set()
        watcher.join()  # none is left for whoever forks next


class Rater:
    """A model as one document uses it: loaded when a text is rated, for so many seconds, and what was wrong with it."""

    __slots__ = ("_left", "_missing", "_name", "trouble")

    def __init__(self, name: str) -> None:
        """``name`` as in Policy.kompress."""
        self._name = name
        self._left = _allowed
        self._missing = ""  # why there is no model at all
        self.trouble = ""  # why the model could not be used, as a sentence

    def begin(self) -> None:
        """Start on another document."""
        self._left = _allowed
        self._missing = self.trouble = ""

    def __call__(self, words: list[str]) -> list[float]:
        """Return the scores of words, brought to a threshold of 0.5. Raise NotUsableError."""
        if self._missing:
            raise NotUsableError(self._missing)
        try:
            model = _loaded(self._name)
        except NotUsableError as error:
            self._missing = self.trouble = str(error)
            raise
        if self._left <= 0:
            raise NotUsableError("the time for models is over")
        began = time.perf_counter()
        end = began + self._left
        try:
            scores = model.scores(words, lambda: time.perf_counter() > end)
        except NotUsableError as error:
            # A limit says nothing against the model; and what fails with one text may do with the next: it is asked
            # again, for what becomes of a text must not depend on which others came in the same request.
            if len(words) <= model.most_words and time.perf_counter() <= end:
                self.trouble = str(error)
            raise
        finally:
            self._left -= time.perf_counter() - began
        if model.threshold == THRESHOLD:
            return scores
        low, high = THRESHOLD / model.threshold, THRESHOLD / (1 - model.threshold)
        return [score * low if score <= model.threshold else 1 - (1 - score) * high for score in scores]


_models: dict[str, Model] = {}
_allowed = SECONDS


def allow(job: float) -> None:
    """Leave models half of the seconds that this process has for a job: the cover has to answer within the rest."""
    global _allowed  # noqa: PLW0603 - a process has one limit, told once at its start
    _allowed = min(SECONDS, job / 2)


def _loaded(name: str) -> Model:
    """Return the model of a name, loaded once per process and when its files have changed. Raise NotUsableError."""
    known = _models.get(name)
    try:
        model = Model(name)
    except NotUsableError:
        if known is None:
            raise
        return known  # removed meanwhile: what this process has works as before
    if known is not None and known.files == model.files:
        return known
    model.load()
    _models[name] = model
    return model


def check(name: str) -> str:
    """Return what keeps a model from being used on this machine though its files are here, "" for nothing.

    Raise NotUsableError when they are not. Loads nothing.
    """
    find(name)
    from importlib.util import find_spec

    return MISSING if any(find_spec(module) is None for module in ("onnxruntime", "tokenizers")) else ""


def _size(path: str) -> int:
    """Return the bytes of a file, 0 when there is none."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _seen(path: str) -> tuple[str, int, int]:
    """Return what tells a file from another of its name, or one that took its place."""
    try:
        status = os.stat(path)
    except OSError:
        return os.path.abspath(path), 0, 0
    return os.path.abspath(path), status.st_ino, status.st_mtime_ns


def _whole(config: dict[str, Any], key: str, usual: int, least: int, most: int) -> int:
    """Return a whole number of a config.json within bounds, else the usual one."""
    value = config.get(key, usual)
    return value if isinstance(value, int) and least <= value <= most else usual


def _words(error: BaseException) -> str:
    """Return an error's words on one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__
