"""What the official SDKs do with an API, as small functions: each returns what its caller sees, so two runs compare.

A Scenario is what a client asks (``run``) and what the model answers (``replies``). The client names it in a header,
and ``scripted`` is the function by which a fake provider finds the replies: so any client, in any process and language,
asks the same provider. The functions stand in scenarios_claude.py and scenarios_gpt.py, scenarios_play.py runs them;
that is done under every version of the SDKs that tests have, so nothing of this program is imported."""

from provider_replies import Reply, text

HEADER = "x-scenario"
SAID = "Hello, this is an answer of more than one piece. \U0001f600 \u00fc"
# What a tool found: a log whose lines come again, and a file that was read before.
LOG = "".join(f"2026-01-01T00:{i // 60:02d}:{i % 60:02d}Z INFO worker {i} took batch {i * 37}\n" for i in range(900))
LOG += "2026-01-01T00:15:00Z ERROR worker 31: no space left on device\n"
SCHEMA = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}


class Scenario:
    """One thing that a client does.

    name     of the function
    run      a function of Clients, async or not, that returns what its caller sees
    replies  of the provider, in order, the last again and again
    body     what becomes of each body on its way: "same" in every byte; "tool": ours is added, nothing else; "less":
             texts of tool results may be shorter as well, and are together
    left     the client goes before the answer is whole
    older    whether the older SDKs have it
    """

    def __init__(self, run, replies, *, body="same", left=False, older=True):
        self.name = run.__name__
        self.run = run
        self.replies = replies or (Reply([text(SAID)]),)
        self.body = body
        self.left = left
        self.older = older


TABLE = {}


def scenario(*replies, **more):
    """Make a function a row of TABLE."""

    def take(run):
        assert run.__name__ not in TABLE, run.__name__
        TABLE[run.__name__] = Scenario(run, replies, **more)
        return run

    return take


def scripted(counts):
    """Return a script for a provider; ``counts`` is kept between calls, an empty dict at first.

    Answers are numbered by the scenario and by how often it asked: so that two providers say the same, whatever else
    they were asked.
    """
    names = list(TABLE)

    def find(record):
        key = record.header(HEADER)
        name = key.partition(".")[0]
        replies = TABLE[name].replies
        counts[key] = counts.get(key, -1) + 1
        record.number = 1000 + 20 * names.index(name) + counts[key]
        return replies[min(counts[key], len(replies) - 1)]

    return find


class Clients:
    """The SDKs' clients as one scenario needs them: each names it in a header, and retries nothing unless asked to."""

    pools = {}  # noqa: RUF012 (one for the whole process: making one reads this machine's certificates)

    def __init__(self, url, label):
        """``label`` is the scenario's name, a dot, and who asks."""
        self.url = url
        self.label = label

    def _more(self, library, more):
        """Return what every client gets."""
        pool = self.pools.get(library.__name__)
        if pool is None:
            pool = self.pools[library.__name__] = library.DefaultHttpxClient(verify=False, trust_env=False)
        # A pool with another address gets a client of its own from here on: connections are kept by address.
        headers = {HEADER: self.label, **more.pop("headers", {})}
        return {"max_retries": 0, "default_headers": headers, "http_client": pool, **more}

    def claude(self, **more):
        import anthropic

        return anthropic.Anthropic(base_url=self.url, api_key="sk-ant-test", **self._more(anthropic, more))

    def gpt(self, **more):
        import openai

        return openai.OpenAI(base_url=self.url + "/v1", api_key="sk-test", **self._more(openai, more))

    def async_claude(self, **more):
        import anthropic

        pool = anthropic.DefaultAsyncHttpxClient(verify=False, trust_env=False)
        more = {**self._more(anthropic, more), "http_client": pool}
        return anthropic.AsyncAnthropic(base_url=self.url, api_key="sk-ant-test", **more)

    def async_gpt(self, **more):
        import openai

        pool = openai.DefaultAsyncHttpxClient(verify=False, trust_env=False)
        more = {**self._more(openai, more), "http_client": pool}
        return openai.AsyncOpenAI(base_url=self.url + "/v1", api_key="sk-test", **more)


# Those that belong to the connection or to the moment, and those that the proxy adds.
NOT_COMPARED = ("date", "server", "connection", "keep-alive", "transfer-encoding")


def heads(headers):
    """Return an answer's headers as they are compared."""
    # Of the library for HTTP, or of the one for WebSockets.
    pairs = headers.multi_items() if hasattr(headers, "multi_items") else headers.raw_items()
    return sorted(
        [name.lower(), value]
        for name, value in pairs
        if name.lower() not in NOT_COMPARED and not name.lower().startswith("x-headroom-")
    )
