"""``headroom crush``: a document in, the same document with fewer tokens out."""

from __future__ import annotations

from headroom_cli.cli import filters
from headroom_cli.cli.options import DIFF, FILE, OUTPUT, Verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from headroom_cli.settings import Settings


def run(settings: Settings, own: Mapping[str, str]) -> int:
    """Compress."""
    return filters.run(VERB, settings, own)


VERB = Verb(
    "crush",
    run,
    about="write a document with fewer tokens, in the format it came in",
    text="""
        Reads an Anthropic or OpenAI request, a list of messages, JSON Lines of either, or any text, and writes the
        same with its tool results and other bulky texts shortened. The bytes between them stay as they are.

        On a conversation it does what align, route and fit do one after the other: dates and ids leave the prefix that
        providers cache, each tool result is shortened by the specialist for its kind, what can be read further up
        becomes a reference, and whole turns are left out with --budget, or above the window of --model where that is
        known. What was rendered before is written again byte for byte, also by later versions; --fresh renders anew.
        --live is for a request that goes out next: what stands before its last assistant turn, and was not rendered
        before, stays as it is.

        A text is shortened only after its original is safe in the store. Where something was left out, the last line
        of the text is a marker, <<headroom:HANDLE WHAT>>, that says what; `headroom retrieve HANDLE` prints it.

        When nothing is to be gained, or anything fails, the output is the input.

        With --diff it writes what would change instead, one section for each block, with its path, its kind and its
        tokens before and after; nothing is stored, and what was rendered before is not looked at.
    """,
    arguments=(FILE,),
    own=(DIFF, OUTPUT),
    examples=(
        ("cat trace.json | headroom crush > small.json", "shorten a conversation"),
        ("pytest 2>&1 | headroom crush", "shorten a log"),
        ("kubectl get pods -o json | headroom crush --query 'which pods are failing'", "keep what bears on a question"),
        ("headroom crush --live request.json | curl -d @- ...", "shorten what is new in the next request of an agent"),
        ("headroom crush --budget 50000 trace.json", "leave whole turns out until it fits"),
        ("headroom crush --diff trace.json | less -R", "see what would change"),
        ("headroom crush -o notes.md notes.md", "replace a file by its shorter form, in one step"),
        ("headroom crush trace.json | headroom retrieve --expand | cmp - trace.json", "get every byte back"),
    ),
    statuses=((1, "a conversation cannot fit --budget"), (65, "the input is not what --from said")),
    stages=("align", "route", "fit"),
)
