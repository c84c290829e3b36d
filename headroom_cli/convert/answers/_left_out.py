"""What an answer can hold that another API has no place for, with the reason: nothing is dropped that is not here.

A type of block, item or event that is in no row is unknown to this program. It is left out too, and named by its type.
"""

from __future__ import annotations

_ALL = ("anthropic", "openai", "responses")
_OPENAI = ("openai", "responses")
_NOT_CHAT = ("anthropic", "responses")
_NOT_RESPONSES = ("anthropic", "openai")

_SERVER = "a tool that the provider ran by itself; requests that ask for one are refused before"
_HOSTED = "a tool of OpenAI's own; requests that ask for one are refused before"
_PLACE = "it counts in documents of the request, which only this API can cite; the text stays"
_REPORT = "a report of this API about itself; it changes nothing in the answer"

# source -> what -> (targets that have no place for it, reason)
LEFT_OUT: dict[str, dict[str, tuple[tuple[str, ...], str]]] = {
    "anthropic": {
        **dict.fromkeys(
            (
                "server_tool_use", "web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result",
                "bash_code_execution_tool_result", "text_editor_code_execution_tool_result", "tool_search_tool_result",
            ),
            (_OPENAI, _SERVER),
        ),
        "container_upload": (_OPENAI, "a file in a container of the provider, which only this API can read"),
        **dict.fromkeys(
            ("char_location", "page_location", "content_block_location", "search_result_location"), (_OPENAI, _PLACE)
        ),
        "web_search_result_location.encrypted_index": (_OPENAI, "opaque; address, title and place are carried"),
        "tool_use.caller": (_OPENAI, "says that a server tool made the call"),
        "tool_use.toolset_name": (_OPENAI, "names a toolset of this API"),
        "container": (_OPENAI, "a container of the provider's own tools"),
        "context_management": (_OPENAI, _REPORT),
        "diagnostics": (_OPENAI, _REPORT),
        "input_transformations": (_OPENAI, _REPORT),
        "stop_sequence": (_OPENAI, "which stop sequence was met has no member; that one was met is a stop"),
        "pause_turn": (("responses",), "a pause counts as completed there"),
        "stop_reason": (_OPENAI, "a reason that is unknown here counts as the turn's end"),
        "stop_details.category": (_OPENAI, "the explanation is carried as a refusal, its category has no member"),
        "usage.cache_creation": (_OPENAI, "the split of cache writes by lifetime; their sum is carried"),
        "usage.inference_geo": (_OPENAI, _REPORT),
        "usage.server_tool_use": (_OPENAI, _SERVER),
        "usage.service_tier": (_OPENAI, "tiers of the two providers are not the same"),
        "usage.speed": (_OPENAI, _REPORT),
        "amazon-bedrock-invocationMetrics": (_OPENAI, "Bedrock's own counts, which the usage has as well"),
        "event": (_OPENAI, "an event of a kind that is unknown here"),
        "delta": (_OPENAI, "a delta of a kind that is unknown here"),
        "block": (_OPENAI, "a block without a type"),
        "citation": (_OPENAI, "a citation without a type or an address; the text stays"),
    },
    "openai": {
        "choices beyond the first": (_NOT_CHAT, "the other APIs give one answer; requests for more are refused before"),
        "annotation": (_NOT_CHAT, "not a citation of an address, or one that came behind its text; the text stays"),
        "url_citation": (("anthropic",), "a citation there needs data that only that provider's own search gives"),
        "audio": (_NOT_CHAT, "no sound in answers there; requests for it are refused before"),
        "logprobs": (_NOT_CHAT, "requests for probabilities are refused before"),
        "metadata": (_NOT_CHAT, "what the request said itself"),
        "moderation": (_NOT_CHAT, _REPORT),
        "service_tier": (_NOT_CHAT, _REPORT),
        "system_fingerprint": (_NOT_CHAT, _REPORT),
        "usage details": (_NOT_CHAT, "counts by sound, image and prediction; the sums have them in"),
        "finish_reason": (_NOT_CHAT, "a reason that is unknown here counts as the turn's end"),
        "reasoning_details": (_NOT_CHAT, "a kind of reasoning that is unknown here"),
        "content part": (_NOT_CHAT, "a part of a content list that is no text"),
        "arguments behind their end": (_NOT_CHAT, "text of a call behind its complete JSON object"),
    },
    "responses": {
        **dict.fromkeys(
            (
                "file_search_call", "web_search_call", "computer_call", "computer_call_output", "program",
                "program_output", "tool_search_call", "tool_search_output", "additional_tools",
                "image_generation_call", "code_interpreter_call", "local_shell_call", "local_shell_call_output",
                "shell_call", "shell_call_output", "apply_patch_call", "apply_patch_call_output", "mcp_call",
                "mcp_list_tools", "mcp_approval_request", "mcp_approval_response",
            ),
            (_NOT_RESPONSES, _HOSTED),
        ),
        "function_call_output": (_NOT_RESPONSES, "the result of a call that the provider ran by itself"),
        "custom_tool_call_output": (_NOT_RESPONSES, "the result of a call that the provider ran by itself"),
        "compaction": (_NOT_RESPONSES, "opaque, and for this API's own next request"),
        "file_citation": (_NOT_RESPONSES, "a file at the provider; the text stays"),
        "container_file_citation": (_NOT_RESPONSES, "a file at the provider; the text stays"),
        "file_path": (_NOT_RESPONSES, "a file at the provider; the text stays"),
        "url_citation": (("anthropic",), "a citation there needs data that only that provider's own search gives"),
        "annotation": (_NOT_RESPONSES, "an annotation without a type or an address; the text stays"),
        "logprobs": (_NOT_RESPONSES, "requests for probabilities are refused before"),
        "function_call.caller": (_NOT_RESPONSES, "says that a program of the provider made the call"),
        "function_call.namespace": (_NOT_RESPONSES, "names a group of tools of this API"),
        "function_call.async": (_NOT_RESPONSES, "calls there are all waited for"),
        "reasoning without content": (_NOT_RESPONSES, "an item with neither summary nor encrypted content holds an id"),
        "message.phase": (_NOT_RESPONSES, "commentary and answer are one text there"),
        "conversation": (_NOT_RESPONSES, "held by the provider; requests that use one are refused before"),
        "input_transformations": (_NOT_RESPONSES, _REPORT),
        "moderation": (_NOT_RESPONSES, _REPORT),
        "prompt_cache_diagnostics": (_NOT_RESPONSES, _REPORT),
        "service_tier": (_NOT_RESPONSES, _REPORT),
        "tool_usage": (_NOT_RESPONSES, _HOSTED),
        "usage details": (_NOT_RESPONSES, "the split of cache writes by lifetime; their sum is carried"),
        "incomplete_details": (_NOT_RESPONSES, "a reason that is unknown here counts as a limit of length"),
        "event": (_NOT_RESPONSES, "an event that is unknown here, or the progress of an item that is left out"),
        "item": (_NOT_RESPONSES, "an item without a type"),
        "content part": (_NOT_RESPONSES, "a part of a message that is neither text nor refusal"),
    },
}  # fmt: skip


def left_out(source: str, target: str, notes: dict[str, None]) -> dict[str, str]:
    """Return what of the things that an answer met the target has no place for, with the reason."""
    table = LEFT_OUT[source]
    unknown = (_ALL, "of a kind that is unknown here")
    rows = {note: table.get(note, unknown) for note in notes}
    return {note: reason for note, (targets, reason) in rows.items() if target in targets}
