"""How near the predicted price is to the price of what is really sent, and how long `stats` takes.

python benchmarks/pricing.py [N]        (every Nth conversation of the outside corpus; needs rs-bpe)
The truth: each conversation is crushed with a store, its messages serialised, counted exactly, and priced by the plain
rule (what the last request began with at 0.1, the rest at 1.25). The prediction: `stats`, with estimated tokens, no
store and no minimum.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from inputs import corpus
from rs_bpe.bpe import openai

from headroom_cli import census, engine, pricing
from headroom_cli.model import Policy
from headroom_cli.store import Store

RULES = pricing.PROVIDERS["openai"]


def true_price(data: bytes, count: dict[str, int]) -> float:
    """Return the price of a conversation's requests by the plain rule, exactly counted."""
    encoding = openai.o200k_base()
    messages = json.loads(data)
    messages = messages["messages"] if isinstance(messages, dict) else messages
    texts = [json.dumps(message, ensure_ascii=False) for message in messages]
    for text in texts:
        if text not in count:
            count[text] = encoding.count(text)
    prompts = [
        [pricing.Segment(text, count[text]) for text in texts[:i]]
        for i, message in enumerate(messages)
        if message["role"] == "assistant" and i
    ]
    return pricing.price(prompts, RULES, minimum=0).price


def main() -> None:
    step = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    rows = corpus("traces_norm")[::step]
    raw = crushed = guessed_raw = guessed_crushed = observed = observed_crushed = 0.0
    wrong, seconds, size = [], 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"{folder}/store")
        for name, _, data in rows:
            count: dict[str, int] = {}
            before = true_price(data, count)
            if not before:
                continue
            after = true_price(engine.crush(data, Policy(), store, stages=("route",)).data, count)
            reports = engine.crush(data, Policy(), None, dry=True, stages=("route",)).blocks
            started = time.perf_counter()
            whole = census.take(census.documents(data), reports)
            seconds += time.perf_counter() - started
            size += len(data)
            price = next(price for price in whole.prices if price.rules is RULES)
            raw, crushed = raw + before, crushed + after
            guessed_raw += price.before.price
            guessed_crushed += price.after.price
            observed += price.observed_before
            observed_crushed += price.observed_after
            wrong.append((abs(price.after.price / price.before.price - after / before), name))
    wrong.sort()
    print(f"{len(wrong)} conversations, {size:,} bytes: census {seconds / size * 1e6:.2f} s/MB")
    print(f"price ratio, crushed to raw: true {crushed / raw:.4f}, predicted {guessed_crushed / guessed_raw:.4f}")
    print(f"the outputs alone: {observed_crushed / observed:.4f}; they are {observed / guessed_raw:.1%} of the price")
    middle, most = wrong[len(wrong) // 2], wrong[-1]
    print(f"off by, per conversation: median {middle[0]:.4f}, 95 % {wrong[len(wrong) * 95 // 100][0]:.4f}, "
          f"most {most[0]:.4f} ({most[1]})")  # fmt: skip


if __name__ == "__main__":
    main()
