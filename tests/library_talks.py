"""Conversations that the tests of the library give it, as values and with the SDKs' own objects."""

import os
import signal

from talks import LOG, Talk

SHAPES = ("anthropic", "openai", "responses")


def talk(shape, number=0, output=LOG):
    """A conversation whose last turn is the result of a command."""
    made = Talk(shape).says(f"why does the build fail? {number}")
    if shape == "anthropic":
        made.heard({"content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "make"}}]})
    elif shape == "openai":
        call = {"id": "t1", "type": "function", "function": {"name": "Bash", "arguments": '{"command": "make"}'}}
        made.heard({"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [call]}}]})
    else:
        item = {"type": "function_call", "call_id": "t1", "name": "Bash", "arguments": '{"command": "make"}'}
        made.heard({"output": [item]})
    return made.result("t1", output)


def objects(shape):
    """Return the model's turn of ``talk`` as the SDK's own objects, the way callers hold them."""
    if shape == "anthropic":
        from anthropic.types import Message, ToolUseBlock

        block = ToolUseBlock(id="t1", type="tool_use", name="Bash", input={"command": "make"})
        usage = {"input_tokens": 1, "output_tokens": 2}
        message = Message.model_validate(
            {"id": "m", "type": "message", "role": "assistant", "model": "x", "content": [block.model_dump()],
             "stop_reason": "tool_use", "usage": usage}
        )  # fmt: skip
        return [message, {"role": "assistant", "content": message.content}, {"role": "assistant", "content": [block]}]
    if shape == "openai":
        from openai.types.chat import ChatCompletionMessage

        return [ChatCompletionMessage.model_validate(talk("openai").items[1])]
    from openai.types.responses import ResponseFunctionToolCall

    return [ResponseFunctionToolCall.model_validate(talk("responses").items[1])]


def in_child(work, seconds=30):
    """Run ``work`` in a forked child; return its exit status, -14 when it hung."""
    child = os.fork()
    if not child:
        status = 70
        try:
            signal.alarm(seconds)
            status = 0 if work() else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
