"""A client of each API, as the tests of `headroom send` need one: it keeps a conversation and says what it saw.

talk = Talk("anthropic", streaming=True)
talk.says("why?")                      # a turn of the user
talk.heard(message)                    # what the model said, as the client keeps it
talk.result("t1", "...")               # the result of a call
talk.request                           # the next request
"""

import json

MODEL = "claude-sonnet-4-5"
NAMES = ("anthropic", "openai", "responses", "bedrock")
OURS = "retrieve_original_content"
LOG = "".join(f"2026-01-01T00:{i // 60:02d}:{i % 60:02d}Z INFO worker {i} took batch {i * 37}\n" for i in range(900))
LOG += "2026-01-01T00:15:00Z ERROR worker 31: no space left on device\n"
SCHEMA = {"type": "object", "properties": {"command": {"type": "string"}}}


def handle_of(text):
    """The handle that an original has when no other has its first letters."""
    import hashlib

    from headroom_cli.store import grants

    return grants.head(hashlib.sha256(text.encode()).hexdigest(), grants.LENGTH)


class Talk:
    """One conversation of one client."""

    def __init__(self, name, *, streaming=False, tools=("Bash",)):
        self.name = name
        self.shape = "anthropic" if name == "bedrock" else name
        self.streaming = streaming
        self.items = []
        self.tools = [self._tool(tool) for tool in tools]

    def _tool(self, name):
        if self.shape == "anthropic":
            return {"name": name, "description": "runs", "input_schema": SCHEMA}
        function = {"name": name, "description": "runs", "parameters": SCHEMA}
        return (
            {"type": "function", **function}
            if self.shape == "responses"
            else {"type": "function", "function": function}
        )

    def says(self, text):
        if self.shape == "responses":
            self.items.append({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})
        else:
            self.items.append({"role": "user", "content": text})
        return self

    def heard(self, message):
        """Keep what the model said: the message of `headroom send --message`, or the body of a whole answer."""
        if self.shape == "anthropic":
            self.items.append({"role": "assistant", "content": message["content"]})
        elif self.shape == "openai":
            kept = message["choices"][0]["message"]
            self.items.append({key: value for key, value in kept.items() if value is not None or key == "content"})
        else:
            self.items += message["output"]
        return self

    def result(self, identifier, text):
        if self.shape == "anthropic":
            block = {"type": "tool_result", "tool_use_id": identifier, "content": text}
            last = self.items[-1]
            if last["role"] == "user" and isinstance(last["content"], list):
                last["content"].append(block)
            else:
                self.items.append({"role": "user", "content": [block]})
        elif self.shape == "openai":
            self.items.append({"role": "tool", "tool_call_id": identifier, "content": text})
        else:
            self.items.append({"type": "function_call_output", "call_id": identifier, "output": text})
        return self

    @property
    def request(self):
        value = {"model": MODEL}
        if self.shape == "anthropic":
            value["max_tokens"] = 1000
        if self.tools:
            value["tools"] = self.tools
        if self.streaming:
            value["stream"] = True
        if self.shape == "openai" and self.streaming:
            value["stream_options"] = {"include_usage": True}
        value["input" if self.shape == "responses" else "messages"] = self.items
        return json.loads(json.dumps(value))

    def texts(self, message):
        """The texts of an answer."""
        if self.shape == "anthropic":
            return "".join(block["text"] for block in message["content"] if block["type"] == "text")
        if self.shape == "openai":
            return message["choices"][0]["message"]["content"] or ""
        return "".join(
            part["text"] for item in message["output"] if item["type"] == "message" for part in item["content"]
        )

    def calls(self, message):
        """The (id, name) of the calls that the client sees."""
        if self.shape == "anthropic":
            return [(block["id"], block["name"]) for block in message["content"] if block["type"] == "tool_use"]
        if self.shape == "openai":
            called = message["choices"][0]["message"].get("tool_calls") or ()
            return [(call["id"], call["function"]["name"]) for call in called]
        return [(item["call_id"], item["name"]) for item in message["output"] if item["type"] == "function_call"]

    def stopped(self, message):
        """Whether the answer ends as one that calls tools; None where the API does not say so."""
        if self.shape == "anthropic":
            return message["stop_reason"] == "tool_use"
        return message["choices"][0]["finish_reason"] == "tool_calls" if self.shape == "openai" else None

    def output_tokens(self, message):
        usage = message["usage"]
        return usage["completion_tokens"] if self.shape == "openai" else usage["output_tokens"]

    def turns(self, sent):
        """The turns of a request as it reached the provider, without marks for its cache."""
        return _plain(sent["input" if self.shape == "responses" else "messages"])

    def results(self, sent):
        """The texts of the results in it, by the id of their call."""
        found = {}
        for turn in self.turns(sent):
            if self.shape == "openai" and turn["role"] == "tool":
                found[turn["tool_call_id"]] = turn["content"]
            elif self.shape == "responses" and turn.get("type") == "function_call_output":
                found[turn["call_id"]] = turn["output"]
            elif self.shape == "anthropic" and isinstance(turn["content"], list):
                for block in turn["content"]:
                    if block["type"] == "tool_result":
                        content = block["content"]
                        found[block["tool_use_id"]] = content if isinstance(content, str) else content[0]["text"]
        return found

    def declared(self, sent):
        """The names of the tools in a request as it reached the provider."""
        return [tool.get("name") or tool["function"]["name"] for tool in sent.get("tools", ())]


def environment(provider):
    """What points every backend at a provider of our own."""
    return {
        "ANTHROPIC_API_KEY": "sk-ant-test", "OPENAI_API_KEY": "sk-test", "OPENROUTER_API_KEY": "sk-or-test",
        "AWS_BEARER_TOKEN_BEDROCK": "bedrock-test", "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true",
        "ANTHROPIC_TARGET_API_URL": provider.url, "OPENAI_TARGET_API_URL": f"{provider.url}/v1",
        "OPENROUTER_TARGET_API_URL": f"{provider.url}/api/v1", "BEDROCK_TARGET_API_URL": provider.url, "NO_PROXY": "*",
    }  # fmt: skip


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key != "cache_control"}
    return [_plain(item) for item in value] if isinstance(value, list) else value
