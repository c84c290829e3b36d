"""What may be left out of a request on its way to another API, and why; docs/conversion.md shows these tables.

What stands in none of them and is read by no reader is refused by name.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAMES = {"anthropic": "Anthropic Messages", "openai": "OpenAI Chat", "responses": "OpenAI Responses"}

# Anthropic needs a limit, OpenAI does not; this many tokens where the request names none. Every Claude model since 4
# has at least this much room for its answer.
MAX_TOKENS = 32_000

_OPENAI = ("openai", "responses")
_CHAT = ("openai",)
_RESPONSES = ("responses",)
_CLAUDE = ("anthropic",)
_TWO = ("anthropic", "responses")  # of Chat
_BOTH = ("anthropic", "openai")  # of Responses

_CACHE = "about the prompt cache: the target finds common beginnings itself, and no answer depends on it"
_ACCOUNT = "who asks or pays, in the terms of the provider it was written for"
_PRICE = "a class of speed and price that the target does not sell"
_THOUGHT = "earlier thinking is locked to the provider that made it; the texts, calls and results around it are carried"
_SOURCES = "pointers of the provider's own from a text to its sources; the text is carried"
_ITEM = "the provider's own name or state of a part; calls and results find each other by the call's id"
_STREAM = "how the answer is cut into pieces, not what it says"
_LABEL = "a label that the model does not read"

# source -> part -> (the targets towards which it may be left out, why). "text.citations" is a member of a text block,
# "*.x" of any part, "request.x" of the request itself; a name without a dot is a whole part.
IGNORED: dict[str, dict[str, tuple[tuple[str, ...], str]]] = {
    "anthropic": {
        "thinking": (_OPENAI, _THOUGHT),
        "redacted_thinking": (_OPENAI, _THOUGHT),
        "*.cache_control": (_OPENAI, _CACHE + "; a gateway may get it, see above"),
        "text.citations": (_OPENAI, _SOURCES),
        "tool.eager_input_streaming": (_OPENAI, _STREAM),
        "thinking.display": (_CHAT, "Chat shows no thinking"),
        "request.metadata": (_OPENAI, _ACCOUNT),
        "request.service_tier": (_OPENAI, _PRICE),
        "request.speed": (_OPENAI, _PRICE),
        "request.workspace_id": (_OPENAI, _ACCOUNT),
        "request.diagnostics": (_OPENAI, "asks for a report on the provider's cache; the answer does not depend on it"),
        "request.anthropic_version": (_OPENAI, "the version of an API that is not the target's"),
        "request.anthropic_beta": (_OPENAI, "switches features on; what they add is carried or refused itself"),
        "edit.clear_thinking": (_OPENAI, "says which earlier thinking the model sees; none of it is carried"),
    },
    "openai": {
        "reasoning_content": (_TWO, "a gateway's copy of thinking, without the signature that a provider wants to see"),
        "reasoning": (_TWO, "a gateway's copy of thinking, without the signature that a provider wants to see"),
        "reasoning_details": (_TWO, _THOUGHT),
        "thinking_blocks": (_RESPONSES, _THOUGHT),
        "*.cache_control": (_RESPONSES, _CACHE),
        "*.prompt_cache_breakpoint": (_CLAUDE, _CACHE),
        "image_url.detail": (_CLAUDE, "how closely to look at a picture; Anthropic has one way"),
        "message.annotations": (_TWO, _SOURCES),
        "tool_message.name": (_TWO, _LABEL + ": the call says it"),
        "*.provider_specific_fields": (_TWO, "LiteLLM's notes about the answer that a message came in"),
        "call.index": (_TWO, "a number from the stream that the call came in"),
        "thinking_block.index": (_TWO, "a number from the stream that the block came in"),
        "thinking_block.cache_control": (_TWO, "Anthropic takes none on thinking"),
        "stream_options.include_usage": (_RESPONSES, "Responses always tells the usage"),
        "format.name": (_CLAUDE, _LABEL),
        "request.stream_options": (_CLAUDE, _STREAM + "; Anthropic always tells the usage"),
        "request.metadata": (_CLAUDE, _LABEL),
        "request.user": (_CLAUDE, _ACCOUNT),
        "request.safety_identifier": (_CLAUDE, _ACCOUNT),
        "request.service_tier": (_CLAUDE, _PRICE),
        "request.store": (_CLAUDE, "keeps a copy with the provider; Anthropic keeps none to be asked for"),
        "request.prompt_cache_key": (_CLAUDE, _CACHE),
        "request.prompt_cache_options": (_CLAUDE, _CACHE),
        "request.prompt_cache_retention": (_CLAUDE, _CACHE),
        "request.prediction": (_TWO, "makes an expected answer come sooner, no more"),
        "request.verbosity": (_CLAUDE, "a wish about length; Anthropic takes wishes as text only"),
    },
    "responses": {
        "reasoning": (_BOTH, _THOUGHT + "; what came from Anthropic goes back"),
        "*.prompt_cache_breakpoint": (_CLAUDE, _CACHE),
        "*.id": (_BOTH, _ITEM),
        "*.status": (_BOTH, _ITEM),
        "message.phase": (_BOTH, "a label of OpenAI's models for their own texts"),
        "function_call_output.name": (_BOTH, _LABEL + ": the call says it"),
        "output_text.annotations": (_BOTH, _SOURCES),
        "output_text.logprobs": (_BOTH, "figures about an earlier answer; its text is carried"),
        "input_image.detail": (_CLAUDE, "how closely to look at a picture; Anthropic has one way"),
        "input_file.detail": (_BOTH, "how closely to look at a page; the target has one way"),
        "function.output_schema": (_BOTH, "describes results to programs that the provider runs"),
        "format.name": (_CLAUDE, _LABEL),
        "include.reasoning.encrypted_content": (_BOTH, "asks for what only OpenAI can read"),
        "reasoning.context": (_BOTH, "which earlier reasoning the model sees; none of it is carried"),
        "reasoning.summary": (_CHAT, "Chat shows no thinking"),
        "reasoning.generate_summary": (_CHAT, "Chat shows no thinking"),
        "request.stream_options": (_CLAUDE, _STREAM),
        "request.metadata": (_CLAUDE, _LABEL),
        "request.client_metadata": (_BOTH, _LABEL),
        "request.user": (_CLAUDE, _ACCOUNT),
        "request.safety_identifier": (_CLAUDE, _ACCOUNT),
        "request.service_tier": (_CLAUDE, _PRICE),
        "request.store": (_CLAUDE, "keeps a copy with the provider; Anthropic keeps none to be asked for"),
        "request.prompt_cache_key": (_CLAUDE, _CACHE),
        "request.prompt_cache_options": (_CLAUDE, _CACHE),
        "request.prompt_cache_retention": (_CLAUDE, _CACHE),
        "request.max_tool_calls": (_BOTH, "counts calls of OpenAI's own tools alone"),
        "text.verbosity": (_CLAUDE, "a wish about length; Anthropic takes wishes as text only"),
    },
}  # fmt: skip

_DIRECT = ({"type": "direct"},)

# Values that say the same as leaving the member out.
DEFAULTS: dict[str, dict[str, tuple[Any, ...]]] = {
    "anthropic": {
        "request.stop_sequences": ([],),
        "request.mcp_servers": ([],),
        "tool.type": ("custom",),
        "tool.defer_loading": (False,),
        "tool.allowed_callers": (["direct"],),
        "tool.input_examples": ([],),
        "tool_use.caller": _DIRECT,
        "image.transformations": ({}, {"oversized_image": "downsize"}),
        "document.citations": ({}, {"enabled": False}),
        "search_result.citations": ({}, {"enabled": False}),
    },
    "openai": {
        "request.n": (1,),
        "request.frequency_penalty": (0, 0.0),
        "request.presence_penalty": (0, 0.0),
        "request.logit_bias": ({},),
        "request.logprobs": (False,),
        "request.top_logprobs": (0,),
        "request.modalities": (["text"],),
        "request.functions": ([],),
    },
    "responses": {
        "request.background": (False,),
        "request.include": ([],),
        "request.truncation": ("disabled",),
        "request.top_logprobs": (0,),
        "request.context_management": ([],),
        "reasoning.mode": ("standard",),
        "function.async": (False,),
        "function.defer_loading": (False,),
        "function.allowed_callers": (["direct"],),
        "custom.async": (False,),
        "custom.defer_loading": (False,),
        "custom.allowed_callers": (["direct"],),
        "function_call.async": (False,),
        "function_call.caller": _DIRECT,
        "custom_tool_call.async": (False,),
        "custom_tool_call.caller": _DIRECT,
        "function_call_output.caller": _DIRECT,
        "custom_tool_call_output.caller": _DIRECT,
    },
}

# Members that OpenAI's two APIs share with name and meaning.
SHARED = (
    "metadata", "moderation", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "service_tier",
    "store", "user",
)  # fmt: skip
