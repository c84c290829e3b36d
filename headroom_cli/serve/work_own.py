"""Jobs of the routes of our own: messages that come to be shortened alone, and originals that are asked for.

A marker is given where whoever asks can have it redeemed: its handle is granted to the asker's scope before the answer
goes out, and is spelled so that readers of hex take it.
"""

from __future__ import annotations

import base64
import json

from headroom_cli import engine, formats
from headroom_cli.emit import MARKER
from headroom_cli.errors import HeadroomError, NotFoundError, StoreError, UsageError
from headroom_cli.harness import words
from headroom_cli.images import head
from headroom_cli.library import counting
from headroom_cli.library.result import Compressed
from headroom_cli.model import LOSSY
from headroom_cli.send import scopes
from headroom_cli.serve import spelling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from headroom_cli.formats import Document
    from headroom_cli.model import Policy, Result
    from headroom_cli.serve.work import State

_MARKED = 160  # characters at the end of a text in which its marker stands
# What ``config.mode`` or x-headroom-mode may ask for, as keywords of model.Policy. Nothing is ever left out without a
# marker, so "lossy_inline", which wants none, is answered with what can be read back in place.
_LOSSLESS = {"redeem": "none"}
MODES: dict[str, dict[str, Any]] = {
    "": {}, "ccr": {}, "lossless_then_lossy": {}, "lossy_inline": _LOSSLESS, "lossless": _LOSSLESS,
    "safe": {"level": "safe"}, "balanced": {"level": "balanced"}, "max": {"level": "max"},
}  # fmt: skip
_NAMES = ("messages", "input")


class Asked:
    """What a body of /v1/compress asks for: the ``name`` of the member with the turns, and the policy."""

    __slots__ = ("changes", "model", "name")

    def __init__(self, value: Any, mode: str) -> None:
        """Read a JSON value; ``mode`` counts where it names none. Raise UsageError."""
        if not isinstance(value, dict):
            raise UsageError("the body is no JSON object")
        self.name = next((name for name in _NAMES if name in value), "")
        turns = value.get(self.name)
        if not isinstance(turns, list) and not (self.name == "input" and isinstance(turns, str)):
            raise UsageError("the body needs a list: messages, or input")
        config = _of(value, "config", dict) or {}
        frozen = _of(config, "frozen_message_count", int) or 0
        budget = _of(value, "token_budget", int)
        if budget is not None and budget < 1:
            raise UsageError("token_budget is a number of tokens above 0")
        self.model: str = _of(value, "model", str) or ""
        # A mode that is not known here may want anything: then nothing is left out.
        self.changes: dict[str, Any] = {
            "redeem": "shell", "live": frozen > 0, "budget": budget, "query": _of(config, "query", str) or "",
            **MODES.get(_of(config, "mode", str) or mode, _LOSSLESS),
        }  # fmt: skip


def _of(value: dict[str, Any], name: str, kind: type) -> Any:
    """Return a member, None where there is none. Raise UsageError for one of another type."""
    found = value.get(name)
    if found is not None and (not isinstance(found, kind) or (kind is int and isinstance(found, bool))):
        raise UsageError(f"{name} is no {kind.__name__}")
    return found


def compress(state: State, body: bytes, scope: str, mode: str = "", project: str = "") -> tuple[int, bytes]:
    """Return the status and the body of the answer to /v1/compress; whatever fails, the turns come back as they came.

    ``mode`` is the one of the request's headers; "off" asks for the turns untouched. ``project`` is for the ledger.
    """
    try:
        value = json.loads(body, parse_int=_whole)
        asked = Asked(value, mode)
        document = formats.parse(body)
        turns = document.source((asked.name,))
    except UsageError as error:
        return 400, _detail(str(error))
    except (ValueError, RecursionError, HeadroomError, formats.EditError):
        return 400, _detail("the body is no JSON that can be read")
    if mode == "off" or not document.has_turns:
        return 200, _answer(asked.name, turns, None, [])
    return 200, _shortened(state, body, scope, asked, turns, project)


def _whole(text: str) -> int:
    """Read a whole number; one with more digits than Python reads is as good as any large one."""
    return int(text) if len(text) < 20 else 10**19


def _shortened(  # noqa: PLR0917 - what was asked for, as ``compress`` has it
    state: State, body: bytes, scope: str, asked: Asked, turns: str, project: str
) -> bytes:
    policy: Policy = state.policy(**asked.changes)
    stages = ("route", "fit") if policy.budget else ("route",)
    result = engine.crush(body, policy, state.store, model=asked.model, stages=stages)
    counting.compressed(state.store.root, asked.model, Compressed.of(None, result), project)
    handles = [report.handle for report in result.blocks if report.degree == LOSSY and report.handle]
    try:
        if handles:
            scopes.grant(state.store, scope, handles)
    except StoreError:
        return _answer(asked.name, turns, None, [], why="the store cannot be written")
    data, named = _spelled(formats.parse(result.data), set(handles))
    left = [handle for handle in handles if handle not in named]
    return _answer(asked.name, formats.parse(data).source((asked.name,)), result, [*named.values(), *left])


def _spelled(document: Document, handles: set[str]) -> tuple[bytes, dict[str, str]]:
    """Return a document with the handles of its markers spelled anew, and handle -> what stands for it.

    Markers stand at the end of outputs, and of notes of ours in the user's turns: never in the user's own words.
    """
    named: dict[str, str] = {}
    literals = []
    for block in document.blocks:
        ours = block.role == "tool" or not words(block.text)
        found = MARKER.search(block.text.rstrip()[-_MARKED:].rpartition("\n")[2]) if ours else None
        handle = found[1] if found is not None else ""
        if handle not in handles:
            continue
        named[handle] = spelling.spelled(handle)
        before, _, after = block.text.rpartition(f"<<headroom:{handle} ")
        text = f"{before}<<headroom:{named[handle]} {after}"
        literals.append((block, document.encode(document.style(block), document.literal(block), text)))
    return (document.splice(literals) if literals else document.text.encode("utf-8")), named


def _answer(name: str, turns: str, result: Result | None, handles: list[str], why: str = "") -> bytes:
    """Return the body of an answer; the turns stand in it as bytes."""
    before, after = (0, 0) if result is None else (result.before, result.after)
    done = [] if result is None else [f"{report.kind}:{report.degree}" for report in result.blocks if report.degree]
    warnings = [why] if why else []
    if result is not None:
        warnings += [*result.warnings, *([result.unfit] if result.unfit else ())]
    value = {
        "tokens_before": before, "tokens_after": after, "tokens_saved": before - after,
        "compression_ratio": round(after / before, 4) if before else 1.0, "transforms_applied": sorted(set(done)),
        "transforms_summary": {one: done.count(one) for one in sorted(set(done))}, "ccr_hashes": handles,
        "warnings": warnings,
    }  # fmt: skip
    return f'{{"{name}": {turns}, {json.dumps(value)[1:]}'.encode()


def untouched(body: bytes, why: str) -> tuple[int, bytes]:
    """Return the answer that gives the turns back as they came: for who has no worker process at hand."""
    try:
        value = json.loads(body)
        name = Asked(value, "").name
    except UsageError as error:
        return 400, _detail(str(error))
    except (ValueError, RecursionError):
        return 400, _detail("the body is no JSON that can be read")
    return 200, _answer(name, json.dumps(value[name]), None, [], why)


def _detail(sentence: str) -> bytes:
    return json.dumps({"detail": sentence}).encode()


def _told(handle: str, original: bytes) -> bytes:
    first = head.of_original(original)
    if first is not None:
        told = {"hash": handle, "handle": handle, "media_type": first.media_type, "bytes": len(original)}
        return json.dumps({**told, "original_base64": base64.b64encode(original).decode("ascii")}).encode()
    text = original.decode("utf-8", "replace")  # a part may be cut inside of a character; Accept: text/plain gives all
    return json.dumps({"hash": handle, "handle": handle, "original_content": text, "bytes": len(original)}).encode()


MISSED = _detail("nothing is kept under this handle for whoever asks")


def retrieve(
    state: State,
    asked: str,
    slices: dict[str, str],
    who: tuple[str, ...],
    told: bool = False,  # noqa: FBT001, FBT002
) -> tuple[int, bytes]:
    """Return (200, an original or the parts of it that were asked for), or the status and body of an error.

    ``asked`` is a handle in one of its spellings, ``who`` the scopes whose grants count; ``told``: in JSON, with its
    handle. What is not granted is
    answered as what does not exist, after the same work: nothing that depends on other scopes is looked at.
    """
    handle = spelling.read(asked)
    try:
        granted = scopes.is_granted(state.store, who, handle) and bool(handle)
        if not granted:
            return 404, MISSED
        original = engine.fetch(state.store, handle, **slices)
        return 200, _told(asked, original) if told else original
    except UsageError as error:
        return 400, _detail(str(error))
    except (NotFoundError, StoreError):
        return 404, MISSED
