"""Which arm of a trial a conversation is in, and what it may be compared with. Pure functions.

The arm hangs on a digest of the conversation alone: the same in every process, after a restart and on every replica.
"""

from __future__ import annotations

from headroom_cli.hashing import sha256

TREATED = "treated"
CONTROL = "control"
CHOSEN = "chosen"  # treated because somebody wanted it, without a draw: compared with nothing that was drawn
# Upper ends of the input of a request, in tokens, and their names.
SIZES = ((2_000, "xs"), (8_000, "s"), (32_000, "m"), (128_000, "l"))
LARGEST = "xl"


def key(scope: str, first_turn: str) -> str:
    """Return the name of a conversation in trials: 16 hex digits of who asks and a digest of the first turn.

    The model is no part of it: a client that changes it goes on with the same conversation.
    """
    return sha256(f"trial {scope} {first_turn}".encode())[:16]


def arm(trial: str, conversation: str, share: float) -> str:
    """Return TREATED, or CONTROL for the ``share`` (0 to 1) of conversations that are left alone.

    ``trial`` names what is tried ("output", "compression"): their arms are independent of each other. A larger share
    keeps every conversation of a smaller one in CONTROL. Without a share nothing is drawn: CHOSEN.
    """
    if not share:
        return CHOSEN
    place = int(sha256(f"arm {trial} {conversation}".encode())[:13], 16) / 16**13
    return CONTROL if place < share else TREATED


def stratum(model: str, turn: str, tokens: int, *, tools: bool) -> str:
    """Return what requests must share to be compared: family of the model, kind of turn, size of the input, tools.

    ``turn`` is "ask" for new words of the user and "resume" where only results of tools are new.
    """
    size = next((name for most, name in SIZES if tokens < most), LARGEST)
    return f"{family(model)}|{turn}|{size}|{'tools' if tools else 'plain'}"


def family(model: str) -> str:
    """Return the family of a model: its name in lower case without provider, date and version.

    >>> family("us.anthropic.claude-sonnet-4-5-20250929-v1:0"), family("openai/gpt-5.6-mini")
    ('claude-sonnet', 'gpt-mini')
    """
    name = model.lower().rpartition("/")[2]
    for provider in ("anthropic.", "openai.", "meta.", "mistral.", "google."):
        name = name[name.rfind(provider) + len(provider) :] if provider in name else name
    name = name.partition(":")[0].partition("@")[0]
    words = [word for word in name.replace(".", "-").split("-") if word and not word[0].isdigit()]
    words = [word for word in words if not (word[0] == "v" and word[1:].isdigit())]
    return "-".join(words[:3])[:40] or "unknown"
