"""Two who share a proxy, and all the ways in which one of them may ask for what is the other's.

play(driver, name, streaming=...) plays one conversation of each; whoever drives says how requests get to the provider:

    driver.provider                       the fake provider behind it
    driver.ask(who, talk) -> message      send a talk's request, return the final message as the client sees it
    driver.fetch(who, handle) -> bytes    GET /v1/retrieve/HANDLE: status and body, as bytes
"""

import json

from provider import Reply, call, text, thinking
from talks import OURS, Talk, handle_of

NONCE = "q7violet-heron"
BRANCH = "nonce-branch-k2"
LOG = "".join(
    f"2026-01-01T00:{i // 60:02d}:{i % 60:02d}Z INFO worker {i} took {i * 37} of {NONCE if 300 < i < 600 else 'x'}\n"
    for i in range(900)
)
OWN = LOG.replace(NONCE, "another")
HANDLE = handle_of(LOG)
SHAPES = ("anthropic", "openai", "responses")
ANSWER = "Looking further: the workers all did what they were asked to do."


class Who:
    """A client: the key that it shows and the session that it names."""

    def __init__(self, key="", session=""):
        self.key = key
        self.session = session

    @property
    def headers(self):
        headers = [("authorization", f"Bearer {self.key}")] if self.key else []
        return headers + ([("x-headroom-session-id", self.session)] if self.session else [])


A = Who("key-a", "session-1")
STRANGERS = (Who("key-b", "session-1"), Who("key-a", "session-2"), Who("key-b", "session-2"))
NAMELESS = (Who("key-a"), Who("", "session-1"), Who())


class Told(Talk):
    """A talk with a system prompt, and with members of its own."""

    def __init__(self, name, *, streaming, branch, **more):
        super().__init__(name, streaming=streaming)
        self.branch = branch
        self.more = more
        self.ids = []  # of the answers

    def heard(self, message):
        self.ids.append(message.get("id"))
        return super().heard(message)

    @property
    def request(self):
        value = super().request
        said = f"You are careful.\nCurrent branch: {self.branch}\nToday's date: 2026-11-21\n"
        if self.name == "anthropic":
            value["system"] = said
        elif self.name == "openai":
            value["messages"] = [{"role": "system", "content": said}, *value["messages"]]
        else:
            value["instructions"] = said
            value["store"] = False
        return value | self.more


def as_client(talk, *, output, branch):
    """A copy of a talk as somebody else may send it: all that was shown is the same, its first output is not."""
    made = Told(talk.name, streaming=talk.streaming, branch=branch)
    made.items = json.loads(json.dumps(talk.items).replace(json.dumps(LOG)[1:-1], json.dumps(output)[1:-1]))
    assert output in str(made.items) or json.dumps(output)[1:-1] in json.dumps(made.items)
    return made


def begin(driver, who, name, *, streaming, branch, output):
    """A conversation whose model has called Bash, and whose next request brings a long output."""
    talk = Told(name, streaming=streaming, branch=branch).says("why does the build fail?")
    driver.provider.script(Reply([thinking("let me see"), call("toolu_0123456789AB", "Bash", {"command": "make"})]))
    return talk.heard(driver.ask(who, talk)).result("toolu_0123456789AB", output)


def fetching(handle, then=ANSWER):
    """A model that asks for an original and goes on."""
    return (
        Reply([thinking("I need it"), text("Wait. "), call("r1", OURS, {"handle": handle})]),
        Reply([text(then), call("toolu_02", "Bash", {"command": "df"})]),
    )


def play(driver, name, *, streaming, strangers=STRANGERS):
    """Let A talk, and strangers try; fail where anything of A's reaches a stranger or his provider."""
    provider = driver.provider
    talk = begin(driver, A, name, streaming=streaming, branch=BRANCH, output=LOG)
    provider.script(*fetching(HANDLE))
    talk.heard(driver.ask(A, talk)).result("toolu_02", "overlay 100%")
    provider.script(Reply([text("Done.")]))
    driver.ask(A, talk)
    served = last(talk, provider)
    assert NONCE in str(talk.results(served)["r1"])  # what was hidden is sent again
    assert driver.fetch(A, HANDLE).endswith(b"}")
    assert NONCE.encode() in driver.fetch(A, HANDLE)
    rendering = talk.results(served)["toolu_0123456789AB"]
    assert HANDLE in rendering
    assert NONCE not in rendering
    before = len(provider.requests)
    for number, who in enumerate(strangers):
        got = attack(driver, who, talk, number, rendering)
        for record in provider.requests[before:]:
            # A stranger may say the words of A's marker himself; what stands behind it is not his.
            assert NONCE.encode() not in record.body, f"{number}: A's text went upstream for another"
            assert BRANCH.encode() not in record.body, f"{number}: A's branch went upstream for another"
        assert NONCE not in got, f"{number}: A's text was shown to another"
        assert BRANCH not in got, f"{number}: A's branch was shown to another"
        before = len(provider.requests)
    # A goes on as if nobody had been there, and so does A with a key that was renewed.
    for who in (A, Who("key-a-renewed", "session-1")):
        driver.ask(who, talk)
        assert talk.turns(last(talk, provider)) == talk.turns(served)
        assert last(talk, provider)["tools"] == served["tools"]


def attack(driver, who, talk, number, rendering):
    """Ask for A's original in every way; return all that was seen. ``rendering`` is what A's provider saw of it."""
    provider, name, streaming = driver.provider, talk.name, talk.streaming
    seen = [driver.fetch(who, HANDLE).decode()]
    marker = f"<<headroom:{HANDLE} 900 of 900 lines>>"
    # A's conversation as A was shown it, but for the text that he does not have: with its hidden turn, and a call.
    for output in (marker, "lost", OWN, rendering):
        copied = as_client(talk, output=output, branch=f"copy{number}")
        provider.script(*fetching(HANDLE))
        seen.append(driver.ask(who, copied))
    # Its handle, in a conversation of his own that has the tool.
    mine = begin(driver, who, name, streaming=streaming, branch=f"other{number}", output=OWN)
    provider.script(*fetching(HANDLE))
    seen.append(driver.ask(who, mine))
    # A marker in what he says, and in what his tools say.
    mine = begin(driver, who, name, streaming=streaming, branch=f"other{number}", output=f"notes:\n{marker}\n")
    provider.script(*fetching(HANDLE))
    seen.append(driver.ask(who, mine.says(f"what is {marker}?")))
    if name == "responses":  # the history that A's provider holds
        for identifier in talk.ids:
            held = Told(name, streaming=streaming, branch=f"other{number}", previous_response_id=identifier)
            provider.script(*fetching(HANDLE))
            seen.append(driver.ask(who, held.result("toolu_02", "overlay 100%")))
    return json.dumps(seen)


def last(talk, provider):
    """The last request that reached the provider."""
    return provider.asked[-1].json
