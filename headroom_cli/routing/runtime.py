"""The classifier's scores by onnxruntime: the same whole numbers as ``shape.scores``, for many texts at once.

A text's features cost four times as much as its scores, and importing onnxruntime what 3,600 texts save: a process that
stays uses this only when a model has loaded onnxruntime already (docs/decisions/0016-routing-classifier.md).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MODEL = os.path.join(os.path.dirname(os.path.dirname(__file__)), "models", "routing.onnx")
_AT_ONCE = 64  # rows of a call: 64 x 2,000 buckets x 10 kinds are 5 MB


class Runtime:
    """An onnxruntime session over the classifier's weights, opened at the first call."""

    __slots__ = ("_session",)

    def __init__(self) -> None:
        """Import nothing yet."""
        self._session: Any = None

    def scores(self, many: list[list[int]]) -> list[list[int]]:
        """Return the scores of many texts from the buckets of each (``shape.features``), a row of ``SHAPES`` for each.

        Raise ImportError where onnxruntime is not installed.
        """
        import numpy as np

        if self._session is None:
            import onnxruntime as ort

            options = ort.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            self._session = ort.InferenceSession(_MODEL, options, providers=["CPUExecutionProvider"])
        rows: list[list[int]] = []
        for at in range(0, len(many), _AT_ONCE):
            some = many[at : at + _AT_ONCE]
            # Bucket 0 weighs nothing: it fills the shorter rows.
            table = np.zeros((len(some), max(map(len, some), default=0)), np.int64)
            for row, buckets in zip(table, some, strict=True):
                row[: len(buckets)] = buckets
            rows += self._session.run(None, {"buckets": table})[0].astype(np.int64).tolist()
        return rows
