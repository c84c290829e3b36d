"""What the block that shapes answers costs in the cache, by where it stands and what the client marks.

python benchmarks/shaping.py
A model of an agent: 20,000 tokens of tools and system prompt, 20 requests that grow by 1,500 tokens each, priced by
headroom_cli.pricing in tokens of plain input. Fleets of ten conversations begin one behind the other with the same
tools and system prompt; in one of them every other conversation is held out. "before" stands in front of the system
prompt's last block, which carries the client's breakpoint; "behind" is where shaping puts it; "moved" takes the
breakpoint along.
"""

from headroom_cli import pricing, tokens
from headroom_cli.shaping import words

HEAD, SYSTEM, STEP, REQUESTS, TALKS = 14_000, 6_000, 1_500, 20, 10
PLACES = ("none", "before", "behind", "moved")
# What the client marks: the system prompt and the newest turn (agents), the system prompt alone (chats), nothing.
MARKS = {"system and newest turn": (True, True), "system alone": (True, False), "nothing": (False, False)}


def head(place: str, *, mark: bool) -> list[pricing.Segment]:
    """Return tools, system prompt and block."""
    block = pricing.Segment("block", tokens.count(words.text(2)), mark=mark and place == "moved")
    system = pricing.Segment("system", SYSTEM, mark=mark and place != "moved")
    tools = pricing.Segment("tools", HEAD)
    return {
        "none": [tools, system], "before": [tools, block, system], "behind": [tools, system, block],
        "moved": [tools, system, block],
    }[place]  # fmt: skip


def prompts(place: str, number: int, marks: tuple[bool, bool]) -> list[list[pricing.Segment]]:
    """Return the requests of one conversation."""
    made = []
    for length in range(1, REQUESTS + 1):
        turns = [pricing.Segment((number, turn), STEP) for turn in range(length)]
        turns[-1].mark = marks[1]
        made.append([*head(place, mark=marks[0]), *turns])
    return made


def main() -> None:
    """Print what each place costs above none, in tokens of plain input for each request."""
    for name in ("anthropic 5m", "openai"):
        rules = pricing.PROVIDERS[name]
        for marked, marks in MARKS.items() if name != "openai" else [("", (False, False))]:
            for fleet in ("all shaped", "half held out"):
                costs = {}
                for place in PLACES:
                    sent = [
                        prompt
                        for number in range(TALKS)
                        for prompt in prompts("none" if fleet != "all shaped" and number % 2 else place, number, marks)
                    ]
                    costs[place] = pricing.price(sent, rules, minimum=1024).price / len(sent)
                above = ", ".join(f"{place} +{costs[place] - costs['none']:.1f}" for place in PLACES[1:])
                print(f"{name:13} {marked:23} {fleet:14} {costs['none']:9.0f}  {above}")


if __name__ == "__main__":
    main()
