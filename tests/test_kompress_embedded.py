"""The prose model that ships: its files are those of its card, and it rates words as models of its kind do."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from tokenizers import Tokenizer

from headroom_cli import tokens
from headroom_cli.compressors.prose import compress, learned
from headroom_cli.compressors.prose.units import Units
from headroom_cli.kompress.find import find
from headroom_cli.kompress.runtime import Model
from headroom_cli.model import Want

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "headroom_cli" / "models" / "kompress"
FILES = ("model.onnx", "tokenizer.json")
GIVEN_AWAY = {"MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT OR Apache-2.0", "MIT OR Unlicense"}
PROSE = """\
The scheduler keeps a queue of jobs for each worker, and a worker that has nothing left to do takes jobs from the
others. It is perhaps worth mentioning at this point that the queue is bounded, so that a producer which runs far ahead
of the workers is made to wait until there is some room again. The limit is 512 jobs by default and can be changed with
`--queue-size`. When the limit is reached the scheduler does not drop jobs. Generally speaking, most of the people who
have been using it for a while find that the default works quite well for them in practice, and only a few of them ever
have had any reason at all to change it. A job that fails is tried again three times, with a pause that doubles.
"""


@pytest.fixture(scope="module")
def model() -> Model:
    found = Model("embedded")
    found.load()
    return found


def rated(ids: list[list[int]], mask: list[list[int]]) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(FOLDER / "model.onnx"), providers=["CPUExecutionProvider"])
    (scores,) = session.run(
        ["final_scores"], {"input_ids": np.array(ids, np.int64), "attention_mask": np.array(mask, np.int64)}
    )
    return scores


def test_the_files_are_those_that_config_and_card_name() -> None:
    config = json.loads((FOLDER / "config.json").read_text())
    card = (FOLDER / "card.md").read_text()
    for name in FILES:
        digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
        assert config["sha256"][name] == digest
        assert digest in card


def test_the_whole_folder_stays_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 2_000_000


def test_it_learned_from_rows_whose_licence_allows_it() -> None:
    config = json.loads((FOLDER / "config.json").read_text())
    assert config["licences"]
    assert set(config["licences"]) <= GIVEN_AWAY
    assert (ROOT / "training" / "kompress.py").exists()


def test_it_has_the_signature_of_published_models() -> None:
    session = onnxruntime.InferenceSession(str(FOLDER / "model.onnx"), providers=["CPUExecutionProvider"])
    inputs = [(one.name, one.type, len(one.shape)) for one in session.get_inputs()]
    assert inputs == [("input_ids", "tensor(int64)", 2), ("attention_mask", "tensor(int64)", 2)]
    assert [(one.name, one.type) for one in session.get_outputs()] == [("final_scores", "tensor(float)")]


def test_padding_changes_no_score() -> None:
    tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    long = tokenizer.encode(PROSE.split(), is_pretokenized=True).ids
    short = long[:17]
    alone = rated([short], [[1] * 17])
    padding = [0] * (len(long) - 17)
    beside = rated([long, short + padding], [[1] * len(long), [1] * 17 + padding])
    assert alone.shape == (1, 17)
    assert float(alone.min()) >= 0
    assert float(alone.max()) <= 1
    np.testing.assert_allclose(alone[0], beside[1][:17], atol=1e-4)


def test_every_word_is_rated_and_ratings_differ(model: Model) -> None:
    words = PROSE.split()
    scores = model.scores(words)
    assert len(scores) == len(words)
    assert max(scores) - min(scores) > 0.3
    assert scores == model.scores(words)


def test_remarks_that_say_nothing_rate_lower_than_statements(model: Model) -> None:
    words = PROSE.split()
    scores = model.scores(words)

    def mean(phrase: str) -> float:
        wanted = phrase.split()
        at = next(i for i in range(len(words)) if words[i : i + len(wanted)] == wanted)
        return sum(scores[at : at + len(wanted)]) / len(wanted)

    said = mean("keeps a queue of jobs for each worker,")
    assert said > mean("It is perhaps worth mentioning at this point that")
    assert said > mean("Generally speaking, most of the people who have been using it for a while")


def test_odd_texts_are_rated_without_an_error(model: Model) -> None:
    for words in (["\u6f22" * 400], ["a" * 5000], ["\x00"], ["\u200d"], ["\ufffd", "ok"], ["!"] * 900):
        scores = model.scores(words)
        assert len(scores) == len(words)
        assert all(0 <= score <= 1 for score in scores)


def test_a_text_gets_shorter_by_words_that_may_go(model: Model) -> None:
    text = PROSE + PROSE.replace("scheduler", "planner").replace("worker", "runner")
    said = []
    for budget in range(240, 320, 10):
        short = compress(text, Want(tokens.count, budget=budget, asked=True, kompress=model.scores))
        assert short is not None
        assert tokens.count(short.text) <= budget
        known = iter(text.split())
        for word in re.sub(r"\[\.\.\.[^\]]*\]", "", short.text).split():
            assert word in known  # in the order of the text, nothing invented: `in` eats the iterator
        said.append(short.missing)
    assert any("words" in missing for missing in said)


def test_what_has_no_sentence_has_no_word_that_may_go() -> None:
    text = "# A heading\n\n    code()\n"
    assert learned._Words(text, Units(text)).order({"A heading": [0.0, 0.0]}) == []


def test_it_is_found_by_name() -> None:
    assert Path(find("embedded").model) == FOLDER / "model.onnx"
    assert Path(find("embedded").tokenizer) == FOLDER / "tokenizer.json"


def test_without_it_nothing_of_it_is_imported() -> None:
    code = (
        "import sys; from headroom_cli import tokens; from headroom_cli.model import Want;"
        "from headroom_cli.compressors.prose import compress;"
        f"compress({PROSE!r}, Want(tokens.count, budget=80, asked=True));"
        "heavy = {'onnxruntime', 'tokenizers', 'numpy', 'headroom_cli.kompress.runtime'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
