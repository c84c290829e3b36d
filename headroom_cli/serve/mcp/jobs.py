"""What the tools do, in a worker process: texts made smaller, originals and parts of them, numbers of the ledger.

A job returns a result as the protocol writes it: {"content", "structuredContent"?, "isError"?}. Over HTTP a handle is
given to whoever asked, and only he may have its original; over standard input and output whoever started the process
owns the store.
"""

from __future__ import annotations

import base64
import json
import time

from headroom_cli import engine, ledger, money, tokens
from headroom_cli.errors import CorruptError, HeadroomError, NotFoundError, StoreError, UsageError
from headroom_cli.images import head
from headroom_cli.lazy import pattern
from headroom_cli.library import reason
from headroom_cli.model import LOSSY
from headroom_cli.send import scopes
from headroom_cli.serve import spelling, work
from headroom_cli.serve.mcp import talk
from headroom_cli.serve.mcp.tools import SLICES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from headroom_cli.model import Result

    Answer = dict[str, Any]

# Tokens that one answer may have: what is longer pushes the task out of a model's sight, and clients cut it somewhere.
MOST_SHOWN = 20_000
MOST_TEXT = 400_000  # bytes of an original, or of a part of one, in one answer: 100,000 tokens
MOST_PICTURE = 8 << 20  # bytes
_DAYS = 30
_MARKED = pattern(r"(?:<<headroom:)?([a-z2-7]{12,52})(?![a-z2-7])")

open = work.open  # noqa: A001 - the name that every module of jobs has


def said(text: str, *, wrong: bool = False) -> Answer:
    """Return a result that is one text."""
    return {"content": [{"type": "text", "text": text}], **({"isError": True} if wrong else {})}


def compress(state: work.State, content: bytes, query: str, kind: str, scope: str | None) -> Answer:
    """Return a shorter text and what it takes to get the rest, or why there is none; the content is never repeated.

    ``scope`` is who asks, None for the owner of the store.
    """
    began = time.perf_counter()
    try:
        result, handle = _shortened(state, content, query, kind)
        if handle and scope is not None:
            scopes.grant(state.store, scope, [handle])
    except StoreError as error:
        return _kept(f"the store failed: {error}", tokens.count(content.decode()))
    _note(state, result, (time.perf_counter() - began) * 1000)
    if not any(report.degree for report in result.blocks):
        return _kept(_why(result), result.before or tokens.count(content.decode()))
    report = result.blocks[0]
    facts = {"kind": report.kind, "tokens_before": result.before, "tokens_after": result.after}
    saved = f"{result.before:,} -> {result.after:,} {_unit()}"
    if result.after > MOST_SHOWN:
        why = f"{saved}, more than the {MOST_SHOWN:,} that one answer may have"
        if not handle:
            return _kept(why, result.before)
        note = (
            f"Not shown: {why}. It is kept as {handle}: read parts of it with headroom_retrieve (lines, grep, query)."
        )
        return {**said(note), "structuredContent": {"shortened": False, "reason": why, "handle": handle, **facts}}
    text = result.data.decode()
    missing = f"what is missing: headroom_retrieve, handle {handle}" if handle else "nothing is missing"
    return {
        "content": [{"type": "text", "text": text}, {"type": "text", "text": f"[{saved}; {missing}]"}],
        "structuredContent": {"shortened": True, "text": text, **({"handle": handle} if handle else {}), **facts},
    }


def _shortened(state: work.State, content: bytes, query: str, kind: str) -> tuple[Result, str]:
    """Return the engine's result and the handle of its marker. What stays too long is pressed harder. Raise StoreError.

    A model already has the text that it hands over: a rendering that is long itself would only be read twice.
    """

    def run(**more: Any) -> Result:
        policy = state.policy(live=False, query=query, as_kind=kind, **more)
        return engine.crush(content, policy, state.store, form="raw", stages=("route",))

    result = run()
    if result.after > MOST_SHOWN and not result.failure:
        pressed = run(budget=MOST_SHOWN, level="max")
        if pressed.after < result.after:
            result = pressed
    if isinstance(result.failure, StoreError):
        raise result.failure
    degree, handle = (result.blocks[0].degree, result.blocks[0].handle) if result.blocks else ("", "")
    return result, handle if degree == LOSSY else ""


def _kept(why: str, before: int) -> Answer:
    """Return the answer for a text that stays as it is."""
    note = f"Not shortened: {before:,} {_unit()}, {why}. Use the text as you have it."
    return {**said(note), "structuredContent": {"shortened": False, "reason": why, "tokens_before": before}}


def _why(result: Result) -> str:
    if not result.blocks:  # what the engine takes for no text at all
        return "it has NUL characters, so it is read as binary data"
    why = reason(result)
    if why == "nothing to gain":
        return f"no shorter form saves 3 % or more (read as {result.blocks[0].kind or 'text'})"
    return why or "nothing to gain"


def _unit() -> str:
    return "tokens" if tokens.is_exact() else "tokens (estimated)"


def _note(state: work.State, result: Result, milliseconds: float) -> None:
    """Put a run into the ledger; a statistic that is lost costs nothing else."""
    line = {
        "verb": "mcp", "format": result.format, "level": result.level, "ms": round(milliseconds, 1),
        "tokens": {"before": result.before, "after": result.after}, "kinds": work.tallied(result.blocks),
        "project": ledger.project(state.serving.project),
    }  # fmt: skip
    try:
        ledger.append(state.store.root, line)
    except StoreError:
        return


def retrieve(state: work.State, asked: dict[str, str], who: tuple[str, ...] | None) -> Answer:
    """Return an original or the parts asked for; a miss says that it is final.

    ``who`` are the scopes whose grants count, None for the owner of the store. What is not granted is answered as what
    does not exist.
    """
    found = _MARKED.match(asked["handle"].strip())
    handle = spelling.read(found[1]) if found else ""
    if not handle:
        return _missed(asked["handle"], "is no handle; copy the letters and digits after <<headroom: in a marker")
    slices = {name: asked[name] for name in SLICES if asked.get(name)}
    try:
        if who is not None and not scopes.is_granted(state.store, who, handle):
            return _missed(handle, "stands for nothing that is kept for you")
        data = engine.fetch(state.store, handle, **slices)
    except UsageError as error:
        return said(f"This part cannot be read: {error}.", wrong=True)
    except NotFoundError:
        return _missed(handle, "stands for nothing that is kept" + (" for you" if who is not None else ""))
    except CorruptError:
        return _missed(handle, "stands for an original that was damaged on disk")
    except StoreError as error:
        return said(f"{handle} cannot be read now: {error}.", wrong=True)
    return _shown(data, handle, sliced=bool(slices))


def _shown(data: bytes, handle: str, *, sliced: bool) -> Answer:
    """Return an original as content."""
    if not data:
        return said("Nothing in this original is in the part that was asked for.")
    picture = head.of_original(data)
    if picture is not None and len(data) <= MOST_PICTURE:
        return {"content": [{
            "type": "image", "data": base64.b64encode(data).decode("ascii"), "mimeType": picture.media_type,
        }]}  # fmt: skip
    if picture is not None or len(data) > MOST_TEXT:
        lines = "" if picture is not None else f" and {data.count(10) + 1:,} lines"
        parts = "with area" if picture is not None else "with lines, rows, grep or query"
        return said(
            f"{'This part of ' if sliced else ''}{handle} has {len(data):,} bytes{lines}, too many for one answer. "
            f"Ask for {'a smaller' if sliced else 'a'} part {parts}.",
            wrong=True,
        )
    return said(data.decode("utf-8", "replace"))


def _missed(handle: str, why: str) -> Answer:
    return said(
        f"{handle[:60]!a} {why}. Asking again gives this same answer. Go on with what you have, or get the text "
        "again the way it was made.",
        wrong=True,
    )


def stats(state: work.State, session: dict[str, Any] | None) -> Answer:
    """Return what this session saved where there is one, and what all runs of the last 30 days saved, by verb."""
    facts: dict[str, Any] = {} if session is None else {"session": session}
    try:
        sums = money.report(ledger.read(state.store.root, time.time() - _DAYS * 86_400))
    except HeadroomError as error:
        facts["problem"] = str(error)
    else:
        verbs = {name: _brief(total) for name, total in sums["verb"].items() if name}
        facts[f"last_{_DAYS}_days"] = {**_brief(sums["all"]), "by_verb": verbs}
    facts["counted"] = "exact" if tokens.is_exact() else "estimated"
    return {**said(json.dumps(facts)), "structuredContent": facts}


def _brief(total: dict[str, float]) -> dict[str, int]:
    return {
        "runs": int(total["runs"]), "tokens_before": int(total["before"]), "tokens_after": int(total["after"]),
        "tokens_saved": int(total["saved"]),
    }  # fmt: skip


JOBS: dict[str, Callable[..., Any]] = {
    "compress": compress, "retrieve": retrieve, "stats": stats, "shorten": talk.shorten,
}  # fmt: skip
