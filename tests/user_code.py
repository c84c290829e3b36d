"""What programs write with the library; test_library_types.py has mypy read it, strictly, and no type may be Any."""

from collections.abc import Iterator
from typing import TypedDict, assert_type

import headroom_cli
from headroom_cli import (
    Compressed,
    Headroom,
    PipelineEvent,
    Policy,
    Report,
    Store,
    compress,
    compress_many,
    retrieve,
    tool,
)


class MessageParam(TypedDict):
    """A message."""

    role: str
    content: str


def messages() -> list[MessageParam]:
    """Return a conversation."""
    return [{"role": "user", "content": "why does the build fail?"}]


def one_call() -> int:
    """Shorten a conversation."""
    result = compress(messages(), model="claude-sonnet-4-5", level="balanced", budget=50_000)
    assert_type(result, Compressed[list[MessageParam]])
    assert_type(result.messages, list[MessageParam])
    assert_type(result.tokens_before, int)
    assert_type(result.tokens_saved, int)
    assert_type(result.compression_ratio, float)
    assert_type(result.handles, list[str])
    assert_type(result.warnings, list[str])
    assert_type(result.transforms_applied, list[str])
    assert_type(result.reason, str)
    assert_type(result.blocks, list[Report])
    for handle in result.handles:
        assert_type(retrieve(handle, lines="1:20"), bytes)
    slowest = max((block.ms for block in result.blocks), default=0.0)
    assert_type(slowest, float)
    return result.tokens_saved


def watching(event: PipelineEvent) -> PipelineEvent | None:
    """Look on."""
    assert_type(event.stage, str)
    return None


def progress(done: int, total: int | None) -> None:
    """Say how far a batch is."""
    del done, total


def several() -> Iterator[list[MessageParam]]:
    """Yield a batch."""
    yield messages()


async def an_object() -> list[MessageParam]:
    """Hold a store, a policy and a function that is told."""
    with Headroom(store=Store("/tmp/store"), policy=Policy(level="safe"), on_pipeline_event=watching) as headroom:
        assert_type(headroom, Headroom)
        assert_type(headroom.compress(messages(), policy="max").messages, list[MessageParam])
        later = await headroom.acompress(messages())
        assert_type(later, Compressed[list[MessageParam]])
        made = headroom.compress_many(several(), workers=2, progress=progress)
        assert_type(made, list[Compressed[list[MessageParam]]])
        assert_type(headroom.retrieve("aaaaaaaaaaaa", grep="error"), bytes)
        return later.messages


def a_batch() -> int:
    """Shorten many."""
    made = compress_many([messages(), messages()], store="/tmp/store", policy={"level": "max"}, progress=progress)
    assert_type(made, list[Compressed[list[MessageParam]]])
    return sum(one.tokens_saved for one in made)


def names() -> None:
    """Look at the rest."""
    assert_type(tool("openai"), dict[str, object])
    assert_type(headroom_cli.__version__, str)
