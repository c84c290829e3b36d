"""Models with faults: answers of another kind, none at all, broken files. The cover answers, and it is told once."""

import json
import os
import sys
import threading

import pytest
from kompress_models import onnx_bytes, write_model
from test_kompress import PROSE, VOCABULARY, want

from headroom_cli.compressors import prose
from headroom_cli.errors import NotUsableError
from headroom_cli.kompress import find, runtime
from headroom_cli.kompress.runtime import Rater


def answering(kind):
    """Return a model whose answer has another type or shape, or never comes."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load_from_string(onnx_bytes([0.5] * 4))
    graph = model.graph
    graph.node[-1].output[0] = "made"
    constants = {"most": np.array(1 << 60), "on": np.array(True), "axis": np.array([2])}
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    said = helper.make_tensor_value_info("final_scores", TensorProto.FLOAT, ["batch", "length"])
    if kind == "words":
        node = helper.make_node("Cast", ["made"], ["final_scores"], to=TensorProto.STRING)
        said = helper.make_tensor_value_info("final_scores", TensorProto.STRING, ["batch", "length"])
    elif kind == "a list":
        node = helper.make_node("SequenceConstruct", ["made"], ["final_scores"])
        said = helper.make_tensor_sequence_value_info("final_scores", TensorProto.FLOAT, None)
    elif kind == "three axes":
        node = helper.make_node("Unsqueeze", ["made", "axis"], ["final_scores"])
        said = helper.make_tensor_value_info("final_scores", TensorProto.FLOAT, ["batch", "length", 1])
    else:
        body = helper.make_graph(
            [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Neg", ["value"], ["next"])], "body",
            [helper.make_tensor_value_info("number", TensorProto.INT64, []),
             helper.make_tensor_value_info("go", TensorProto.BOOL, []),
             helper.make_tensor_value_info("value", TensorProto.FLOAT, None)],
            [helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
             helper.make_tensor_value_info("next", TensorProto.FLOAT, None)],
        )  # fmt: skip
        node = helper.make_node("Loop", ["most", "on", "made"], ["final_scores"], body=body)
    graph.node.append(node)
    graph.output[0].CopyFrom(said)
    return model.SerializeToString()


@pytest.mark.parametrize("kind", ["words", "a list", "three axes"])
def test_an_answer_of_another_kind_leaves_the_cover_and_is_told(tmp_path, kind):
    folder = write_model(tmp_path / "m", ["alpha"])
    (tmp_path / "m/model.onnx").write_bytes(answering(kind))
    rater = Rater(folder)
    assert prose.compress(PROSE, want(kompress=rater)).text == prose.compress(PROSE, want()).text
    assert "one score per token" in rater.trouble


def test_a_model_that_never_ends_is_ended(tmp_path):
    folder = write_model(tmp_path / "m", ["alpha"])
    (tmp_path / "m/model.onnx").write_bytes(answering("never"))
    rater = Rater(folder)
    rater._left = 0.1
    before = threading.active_count()
    with pytest.raises(NotUsableError):
        rater(["alpha"])
    assert rater._left <= 0
    assert rater.trouble == ""  # it was the clock
    assert threading.active_count() == before


def test_a_process_with_little_time_leaves_a_model_half_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr(runtime, "_allowed", runtime.SECONDS)
    folder = write_model(tmp_path / "m", ["alpha"])
    assert Rater(folder)._left == runtime.SECONDS
    runtime.allow(5.0)
    rater = Rater(folder)
    assert rater._left == 2.5
    rater._left = 0.0
    rater.begin()
    assert rater._left == 2.5
    runtime.allow(60.0)
    assert Rater(folder)._left == runtime.SECONDS


def test_a_tokenizer_that_panics_leaves_the_cover(tmp_path, capfd):
    folder = write_model(tmp_path / "m", VOCABULARY)
    damaged = json.loads((tmp_path / "m/tokenizer.json").read_text())
    damaged["normalizer"] = {"type": "Precompiled", "precompiled_charsmap": "AAAA"}
    (tmp_path / "m/tokenizer.json").write_text(json.dumps(damaged))
    rater = Rater(folder)
    assert prose.compress(PROSE, want(kompress=rater)).text == prose.compress(PROSE, want()).text
    assert "tokenizer cannot be read" in rater.trouble
    capfd.readouterr()  # what the library prints about itself


def test_what_fails_with_one_text_is_asked_about_the_next(tmp_path):
    folder = write_model(tmp_path / "m", ["alpha", "beta"])
    (tmp_path / "m/model.onnx").write_bytes(onnx_bytes([0.5, 0.5, 0.5, 0.5, float("nan")]))
    rater = Rater(folder)
    with pytest.raises(NotUsableError, match="one score per token"):
        rater(["beta"])
    assert rater(["alpha"]) == [0.5]
    assert "one score per token" in rater.trouble


def test_libraries_that_cannot_be_loaded_leave_the_cover(tmp_path, monkeypatch):
    (tmp_path / "tokenizers.py").write_text("raise OSError('libgomp.so.1: cannot open shared object file')\n")
    folder = write_model(tmp_path / "m", VOCABULARY)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "tokenizers", raising=False)
    rater = Rater(folder)
    assert prose.compress(PROSE, want(kompress=rater)).text == prose.compress(PROSE, want()).text
    assert "libgomp" in rater.trouble


def test_a_model_whose_files_change_or_go_while_it_runs(tmp_path, monkeypatch):
    one, other = (
        write_model(tmp_path / name / "m", ["alpha"], score=lambda _, at=at: at)
        for at, name in ((0.2, "a"), (0.8, "b"))
    )
    monkeypatch.chdir(tmp_path / "a")
    rater = Rater("./m")
    assert rater(["alpha"]) == pytest.approx([0.2])
    monkeypatch.chdir(tmp_path / "b")
    assert rater(["alpha"]) == pytest.approx([0.8])
    os.replace(f"{one}/model.onnx", f"{other}/model.onnx")
    assert rater(["alpha"]) == pytest.approx([0.2])
    os.unlink(f"{other}/model.onnx")
    assert rater(["alpha"]) == pytest.approx([0.2])


def test_what_is_no_plain_file_is_no_model(tmp_path):
    folder = write_model(tmp_path / "m", ["alpha"])
    (tmp_path / "m/model.onnx").unlink()
    os.mkfifo(tmp_path / "m/model.onnx")
    with pytest.raises(NotUsableError, match="holds no model"):
        find.find(folder)
