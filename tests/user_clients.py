"""What programs write with the library and an SDK; read by mypy as user_code.py is."""

from typing import assert_type

import anthropic
import openai
from anthropic.types import MessageParam
from openai.types.chat import ChatCompletionMessageParam

from headroom_cli import PipelineEvent, compress, unwrap, wrap


def messages() -> list[MessageParam]:
    """Return a conversation."""
    return [{"role": "user", "content": "why does the build fail?"}]


def watching(event: PipelineEvent) -> None:
    """Look on."""
    assert_type(event.stage, str)


def chat() -> list[ChatCompletionMessageParam]:
    """Keep the type of another API's messages."""
    asked: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]
    return compress(asked).messages


def clients() -> None:
    """Wrap the SDKs' clients: their types stay."""
    claude = wrap(anthropic.Anthropic(), policy="balanced", on_pipeline_event=watching)
    assert_type(claude, anthropic.Anthropic)
    assert_type(wrap(openai.AsyncOpenAI()), openai.AsyncOpenAI)
    assert_type(unwrap(claude), anthropic.Anthropic)
    answer = claude.messages.create(model="claude-sonnet-4-5", max_tokens=100, messages=messages())
    assert_type(answer, anthropic.types.Message)
