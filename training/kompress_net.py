"""The network of the embedded prose model: how it is trained with torch, and how it is written as int8 ONNX.

Pieces of words -> embedding -> three dilated convolutions -> a two-way LSTM -> one score per piece. The graph is built
by hand: weights are signed bytes with one scale per row, and every operation is of opset 13 or older, so that any
onnxruntime of the last years runs it.
"""

import random

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

WIDTH = 96  # of an embedding
HIDDEN = 160  # of the LSTM, in each direction
DILATIONS = (1, 2, 4)
UNKNOWN = 0  # id of the piece for what the vocabulary has not


class Net(nn.Module):
    """Score pieces; ``sources`` is how many kinds of labels there are, each with a bias of its own in training."""

    def __init__(self, vocabulary, sources=1, dropout=0.3):
        """``vocabulary`` is how many pieces there are."""
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, WIDTH)
        nn.init.normal_(self.embedding.weight, std=0.3)
        self.layers = nn.ModuleList(nn.Conv1d(WIDTH, WIDTH, 3, padding=d, dilation=d) for d in DILATIONS)
        self.lstm = nn.LSTM(WIDTH, HIDDEN, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * HIDDEN + WIDTH, 1)
        self.bias = nn.Parameter(torch.zeros(sources))
        self.dropout = nn.Dropout(dropout)

    def states(self, ids, mask):
        """Return the states [batch, length, 2 * HIDDEN + WIDTH] of ids [batch, length] with mask of the same shape."""
        inside = mask.unsqueeze(1).float()
        x = self.dropout(self.embedding(ids)).transpose(1, 2) * inside
        for layer in self.layers:
            x = x + self.dropout(torch.relu(layer(x))) * inside
        x = x.transpose(1, 2)
        packed = pack_padded_sequence(x, mask.sum(1).cpu(), batch_first=True, enforce_sorted=False)
        read, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=ids.shape[1])
        return self.dropout(torch.cat([read, x], 2))

    def forward(self, ids, mask, source=None):
        """Return logits [batch, length]; ``source`` [batch] adds each source's bias."""
        out = self.head(self.states(ids, mask)).squeeze(2)
        return out if source is None else out + self.bias[source].unsqueeze(1)


def batches(rows, tokens, rng):
    """Return rows grouped into batches of about ``tokens`` pieces with little padding, in a random order.

    A row is (ids, labels, weights, source), the first three lists of one length.
    """
    order = sorted(rows, key=lambda row: len(row[0]) + rng.random() * 6)
    found, batch, widest = [], [], 0
    for row in order:
        widest = max(widest, len(row[0]))
        if batch and widest * (len(batch) + 1) > tokens:
            found.append(batch)
            batch, widest = [], len(row[0])
        batch.append(row)
    if batch:
        found.append(batch)
    rng.shuffle(found)
    return found


def padded(batch):
    """Return (ids, mask, labels, weights, source) tensors of a batch."""
    size, width = len(batch), max(len(row[0]) for row in batch)
    ids, mask = torch.zeros(size, width, dtype=torch.long), torch.zeros(size, width, dtype=torch.long)
    labels, weights = torch.zeros(size, width), torch.zeros(size, width)
    for at, (pieces, label, weight, _) in enumerate(batch):
        ids[at, : len(pieces)] = torch.tensor(pieces)
        mask[at, : len(pieces)] = 1
        labels[at, : len(pieces)] = torch.tensor(label, dtype=torch.float)
        weights[at, : len(pieces)] = torch.tensor(weight, dtype=torch.float)
    return ids, mask, labels, weights, torch.tensor([row[3] for row in batch])


def pretrain(net, rows, *, epochs, tokens, seed, say=print, hide=0.2):
    """Teach the net its language first: guess hidden pieces from what stands around them, with no label at all."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    guess = nn.Linear(2 * HIDDEN + WIDTH, WIDTH)
    optimiser = torch.optim.AdamW([*net.parameters(), *guess.parameters()], lr=2e-3, weight_decay=0.01)
    steps = max(1, epochs * len(batches(rows, tokens, random.Random(seed))))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps + epochs * 2 + 5, pct_start=0.1)
    net.train()
    for epoch in range(epochs):
        total, count = 0.0, 0
        for batch in batches(rows, tokens, rng):
            ids, mask, _, _, _ = padded(batch)
            hidden = (torch.rand(ids.shape) < hide) & (mask > 0)
            if not hidden.any():
                continue
            states = net.states(ids.masked_fill(hidden, UNKNOWN), mask)[hidden]
            loss = nn.functional.cross_entropy(guess(states) @ net.embedding.weight.T, ids[hidden])
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total, count = total + float(loss.detach()), count + 1
        say(f"  hidden pieces, epoch {epoch + 1}: loss {total / max(1, count):.3f}", flush=True)


def train(net, rows, *, epochs, tokens, seed, rate=3e-3, drop=0.08, after=None, say=print):
    """Train in place; what remains is the moving average of the weights. ``after(net)`` reports after each epoch."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.02)
    steps = epochs * len(batches(rows, tokens, random.Random(seed)))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps + epochs * 2 + 5, pct_start=0.2)
    mean = {name: value.detach().clone() for name, value in net.state_dict().items()}
    seen = 0
    for epoch in range(epochs):
        net.train()
        total, count = 0.0, 0
        for batch in batches(rows, tokens, rng):
            ids, mask, labels, weights, source = padded(batch)
            ids = ids.masked_fill((torch.rand(ids.shape) < drop) & (mask > 0), UNKNOWN)
            loss = nn.functional.binary_cross_entropy_with_logits(net(ids, mask, source), labels, reduction="none")
            loss = (loss * weights).sum() / weights.sum().clamp(min=1)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            seen += 1
            keep = min(0.995, (1 + seen) / (10 + seen))
            for name, value in net.state_dict().items():
                mean[name].mul_(keep).add_(value.detach(), alpha=1 - keep)
            total, count = total + float(loss.detach()), count + 1
        now = {name: value.detach().clone() for name, value in net.state_dict().items()}
        net.load_state_dict(mean)
        net.eval()
        say(f"  epoch {epoch + 1}: loss {total / max(1, count):.4f}" + (f", {after(net)}" if after else ""), flush=True)
        if epoch + 1 < epochs:
            net.load_state_dict(now)
    net.eval()


@torch.no_grad()
def logits(net, rows, tokens=8192):
    """Return one numpy array of logits per row, in the order of ``rows``."""
    net.eval()
    numbered = [(ids, [at], [], 0) for at, (ids, *_) in enumerate(rows)]
    found = [None] * len(rows)
    for batch in batches(numbered, tokens, random.Random(0)):
        ids, mask, *_ = padded([(ids, [0] * len(ids), [0] * len(ids), 0) for ids, *_ in batch])
        scores = net(ids, mask).numpy()
        for line, (ids, at, _, _) in zip(scores, batch, strict=True):
            found[at[0]] = line[: len(ids)].copy()
    return found


def write(net, path, *, scale=1.0, shift=0.0):
    """Write the net as ONNX: input_ids, attention_mask int64 [batch, length] -> final_scores float32 in 0..1.

    ``shift`` is taken from the logit and ``scale`` multiplies it, so that 0.5 is where a word is worth keeping.
    """
    from onnx import TensorProto, checker, helper, numpy_helper, save

    weights = {name: value.detach().numpy().astype(np.float32) for name, value in net.state_dict().items()}
    nodes, constants = [], []

    def constant(name, array):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(kind, inputs, name, **attributes):
        nodes.append(helper.make_node(kind, inputs, name if isinstance(name, list) else [name], **attributes))
        return name

    def packed(name, array):
        """Return the name of a weight that is stored as signed bytes with one scale per row of its first axes."""
        rows = array.reshape(-1, array.shape[-1]) if array.ndim < 3 else array.reshape(array.shape[0], -1)
        if array.ndim == 3 and name.startswith("lstm"):
            rows = array.reshape(-1, array.shape[-1])
        scales = np.maximum(np.abs(rows).max(1), 1e-8) / 127
        bytes_ = np.clip(np.round(rows / scales[:, None]), -127, 127).astype(np.int8)
        shape = (*array.shape[:-1], 1) if rows.shape[0] != array.shape[0] or array.ndim < 3 else (array.shape[0], 1, 1)
        node("Cast", [constant(f"{name}_bytes", bytes_.reshape(array.shape))], f"{name}_cast", to=TensorProto.FLOAT)
        return node("Mul", [f"{name}_cast", constant(f"{name}_scale", scales.reshape(shape).astype(np.float32))], name)

    table = weights["embedding.weight"]
    scales = np.maximum(np.abs(table).max(1), 1e-8) / 127
    constant("table_bytes", np.clip(np.round(table / scales[:, None]), -127, 127).astype(np.int8))
    constant("table_scale", scales[:, None].astype(np.float32))
    node("Gather", ["table_bytes", "input_ids"], "looked_up")
    node("Cast", ["looked_up"], "looked_up_float", to=TensorProto.FLOAT)
    node("Gather", ["table_scale", "input_ids"], "looked_up_scale")
    node("Mul", ["looked_up_float", "looked_up_scale"], "embedded")
    node("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
    node("Unsqueeze", ["mask", constant("one", np.array([1], np.int64))], "inside")
    node("Transpose", ["embedded"], "embedded_t", perm=[0, 2, 1])
    x = node("Mul", ["embedded_t", "inside"], "x")
    for at, dilation in enumerate(DILATIONS):
        weight = packed(f"layer{at}", weights[f"layers.{at}.weight"])
        bias = constant(f"layer{at}_bias", weights[f"layers.{at}.bias"])
        node("Conv", [x, weight, bias], f"conv{at}", dilations=[dilation], pads=[dilation, dilation], kernel_shape=[3])
        node("Relu", [f"conv{at}"], f"relu{at}")
        node("Mul", [f"relu{at}", "inside"], f"kept{at}")
        x = node("Add", [x, f"kept{at}"], f"x{at}")
    node("Transpose", [x], "by_time", perm=[2, 0, 1])
    node("ReduceSum", ["attention_mask", "one"], "lengths64", keepdims=0)
    node("Cast", ["lengths64"], "lengths", to=TensorProto.INT32)

    def gates(array):  # torch keeps input, forget, cell, output; ONNX wants input, output, forget, cell
        i, f, c, o = np.split(array, 4, axis=0)
        return np.concatenate([i, o, f, c], axis=0)

    ways = ("", "_reverse")
    inner = packed("lstm_w", np.stack([gates(weights[f"lstm.weight_ih_l0{way}"]) for way in ways]))
    again = packed("lstm_r", np.stack([gates(weights[f"lstm.weight_hh_l0{way}"]) for way in ways]))
    bias = np.stack([
        np.concatenate([gates(weights[f"lstm.bias_ih_l0{way}"]), gates(weights[f"lstm.bias_hh_l0{way}"])])
        for way in ways
    ])  # fmt: skip
    node("LSTM", ["by_time", inner, again, constant("lstm_b", bias), "lengths"], "read", hidden_size=HIDDEN,
         direction="bidirectional")  # fmt: skip
    node("Transpose", ["read"], "read_t", perm=[2, 0, 1, 3])  # [length, ways, batch, hidden] -> by batch
    node("Reshape", ["read_t", constant("flat", np.array([0, 0, 2 * HIDDEN], np.int64))], "both_ways")
    node("Transpose", [x], "x_by_batch", perm=[0, 2, 1])
    node("Concat", ["both_ways", "x_by_batch"], "states", axis=2)
    head = (weights["head.weight"].T * scale).astype(np.float32)
    node("MatMul", ["states", constant("head", head)], "raw")
    level = np.array([(float(weights["head.bias"][0]) - shift) * scale], np.float32)
    node("Add", ["raw", constant("level", level)], "logits")
    node("Sigmoid", ["logits"], "scores")
    node("Squeeze", ["scores", constant("two", np.array([2], np.int64))], "final_scores")
    shape = ["batch", "length"]
    graph = helper.make_graph(
        nodes, "kompress",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info("final_scores", TensorProto.FLOAT, shape)], constants)  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="headroom")
    model.ir_version = 8
    checker.check_model(model, full_check=True)
    save(model, path)
