"""Tokens left and needles kept on the outside corpus, per kind: python benchmarks/corpus.py [LEVEL] [KIND ...].

LEVEL is safe, balanced (default), max or lossless; kinds default to all of KINDS. Tokens are exact o200k counts by
rs-bpe. A needle is a fact that a person marked in a sample; it counts as kept when it reads in place in the output,
white space and colours aside. Samples stand in a conversation as the result of the command that made them.
"""

import json
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from inputs import CORPUS, corpus
from rs_bpe.bpe import openai

from headroom_cli import compress

KINDS = ["json", "logs", "search", "diff", "code", "prose", "html", "cmdout"]
SPACE = re.compile(r"\s+")
ANSI = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")


def normal(text: str) -> str:
    return SPACE.sub(" ", ANSI.sub("", text)).strip()


def holds(haystacks: list[str], needle: str) -> bool:
    wanted = normal(needle)
    if len(wanted) < 8 and re.fullmatch(r"[\w.+-]+", wanted):
        return any(re.search(rf"(?<![\w.]){re.escape(wanted)}(?!\w)", hay) for hay in haystacks)
    if any(wanted in hay for hay in haystacks):
        return True
    return len(wanted) < 60 and any(SPACE.sub("", wanted) in SPACE.sub("", hay) for hay in haystacks)


def readable(kind: str, text: str) -> list[str]:
    found = [normal(text)]
    if kind == "json":
        found.append(found[0].replace('\\"', '"').replace("\\n", " ").replace("\\\\", "\\").replace("\\t", " "))
        found.append(normal(text.replace('""', '"')))
    return found


def main() -> None:
    level = sys.argv[1] if len(sys.argv) > 1 else "balanced"
    kinds = sys.argv[2:] or KINDS
    count = openai.o200k_base().count
    print(
        f"{'kind':8} {'n':>4} {'tokens':>7} {'median':>7} {'kept':>7} {'groups':>7} {'same':>5} {'larger':>6} "
        f"{'MB/s':>6}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds:
            before = after = needles = kept = same = larger = size = 0
            seconds = 0.0
            ratios, groups = [], {}
            for name, command, data in corpus(kind):
                text = data.decode("utf-8", "replace")
                call = {"name": "bash", "arguments": json.dumps({"command": command})}
                messages = [
                    {"role": "user", "content": "Look at this output and continue."},
                    {
                        "role": "assistant",
                        "content": None,
                        "tool_calls": [{"id": "c", "type": "function", "function": call}],
                    },
                    {"role": "tool", "tool_call_id": "c", "content": text},
                ]
                chosen = {"lossless": True, "level": "balanced"} if level == "lossless" else {"level": level}
                start = time.perf_counter()
                out = compress(messages, store=f"{folder}/store", **chosen).messages[-1]["content"]
                seconds += time.perf_counter() - start
                size += len(data)
                one, other = count(text), count(out)
                before, after, same, larger = before + one, after + other, same + (out == text), larger + (other > one)
                ratios.append(other / max(one, 1))
                marked = CORPUS / "needles" / f"{name}.json"
                hay = readable(kind, out)
                for needle in json.loads(marked.read_text()) if marked.exists() else []:
                    found = holds(hay, needle["text"])
                    needles += 1
                    kept += found
                    if needle.get("group"):
                        key = (name, needle["group"])
                        groups[key] = groups.get(key, False) or found
            if not ratios:
                print(f"{kind:8} no samples: the outside corpus is not here")
                continue
            grouped = f"{sum(groups.values()) / len(groups):7.3f}" if groups else "      -"
            print(
                f"{kind:8} {len(ratios):4} {after / before:7.3f} {statistics.median(ratios):7.3f} "
                f"{kept / max(needles, 1):7.3f} {grouped} {same:5} {larger:6} {size / 1e6 / seconds:6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
