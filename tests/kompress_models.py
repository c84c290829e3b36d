"""Small models of the shape that is loaded: each token has a score of its own, written into the model."""

from __future__ import annotations

import json


def score_of(token):
    """Return the score of a token in 0..1, the same in every run."""
    return (sum(ord(char) * (at + 1) for at, char in enumerate(token)) % 97) / 96


def tokenizer_json(words, *, special=True):
    """Return tokenizer.json: a word is cut into letters and marks, each run a token; [CLS] and [SEP] around a text."""
    names = ["[UNK]", "[CLS]", "[SEP]", *sorted(set(words))]
    around = {
        "type": "TemplateProcessing",
        "single": [
            {"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
            {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
        ],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {
            name: {"id": name, "ids": [names.index(name)], "tokens": [name]} for name in ("[CLS]", "[SEP]")
        },
    }  # fmt: skip
    return json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "normalizer": None,
        "added_tokens": [
            {"id": number, "content": names[number], "special": True, "single_word": False, "lstrip": False,
             "rstrip": False, "normalized": False}
            for number in range(3)
        ],
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": around if special else None, "decoder": None,
        "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {name: at for at, name in enumerate(names)}},
    })  # fmt: skip


def vocabulary(tokenizer):
    """Return the tokens of a tokenizer.json in the order of their numbers."""
    return list(json.loads(tokenizer)["model"]["vocab"])


def onnx_bytes(scores, *, inputs=("input_ids", "attention_mask"), output="final_scores"):
    """Return a model: final_scores = scores[input_ids] * attention_mask."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    ids, mask = inputs
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", ids], ["raw"]),
            helper.make_node("Cast", [mask], ["seen"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["raw", "seen"], [output]),
        ],
        "scores",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"]) for name in inputs],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", "length"])],
        [numpy_helper.from_array(np.array(scores, np.float32), "table")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def write_model(folder, words, *, name="model.onnx", score=score_of, config=None, special=True):
    """Write a model that knows some words into a folder; return the folder as text."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tokenizer_json(words, special=special)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(onnx_bytes([score(token) for token in vocabulary(tokenizer)]))
    (folder / "tokenizer.json").write_text(tokenizer)
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    return str(folder)
