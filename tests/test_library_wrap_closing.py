"""Wrapped clients that are closed, unwrapped or no longer held: what stood before ``wrap`` goes on as it did."""

import asyncio
import gc

import anthropic
import pytest
from provider import Provider, Reply, text

import headroom_cli

ASKED = {"model": "claude-opus-4-8", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}
LONG = Reply([text("word " * 200)], pieces=1)


@pytest.fixture
def provider():
    with Provider(LONG) as made:
        yield made


@pytest.fixture
def client(provider, tmp_path):
    """Make wrapped clients."""
    made = []

    def make(kind=anthropic.Anthropic, **more):
        one = kind(base_url=provider.url, api_key="k", max_retries=0, **more)
        made.append(headroom_cli.wrap(one, store=str(tmp_path / "store")))
        return made[-1]

    yield make
    for one in made:
        if isinstance(one, anthropic.Anthropic):
            one.close()


def test_a_stream_goes_on_after_its_client_was_unwrapped(client):
    one = client()  # the SDK's own HTTP client closes its connections when nobody holds it any more
    copied = one.with_options(timeout=30.0)
    stream = iter(one.messages.create(**ASKED, stream=True))
    next(stream)
    headroom_cli.unwrap(one)
    later = iter(one.messages.create(**ASKED, stream=True))
    next(later)
    del copied
    gc.collect()
    assert [event.type for event in stream][-1] == "message_stop"
    assert [event.type for event in later][-1] == "message_stop"


def test_an_asynchronous_stream_goes_on_after_its_client_was_unwrapped(client):
    async def run():
        one = client(anthropic.AsyncAnthropic)
        stream = aiter(await one.messages.create(**ASKED, stream=True))
        await anext(stream)
        headroom_cli.unwrap(one)
        gc.collect()
        await asyncio.sleep(0)
        seen = [event.type async for event in stream]
        await one.close()
        return seen

    assert asyncio.run(run())[-1] == "message_stop"


def test_a_client_is_open_as_long_as_the_connections_that_it_was_given(client):
    with anthropic.DefaultHttpxClient(verify=False, trust_env=False) as pool:
        one, other = client(http_client=pool), client(http_client=pool)
        one.messages.create(**ASKED)
    assert one.is_closed()
    with pytest.raises(anthropic.APIConnectionError):
        one.messages.create(**ASKED)
    assert other.is_closed()
    pool = anthropic.DefaultHttpxClient(verify=False, trust_env=False)
    one = client(http_client=pool)
    one.close()
    assert pool.is_closed
    assert headroom_cli.unwrap(one).is_closed()


def test_a_client_that_nobody_holds_is_gone_and_closes_its_connections_once(provider, tmp_path):
    closed = []

    class Pool(anthropic.DefaultHttpxClient):
        def __del__(self):
            closed.append(self.is_closed)
            self.close()

    one = anthropic.Anthropic(
        base_url=provider.url, api_key="k", http_client=Pool(verify=False, trust_env=False)
    )  # fmt: skip
    headroom_cli.wrap(one, store=str(tmp_path / "store")).messages.create(**ASKED)
    del one
    gc.collect()
    assert closed == [False]


def test_what_is_set_of_the_http_client_later_holds(client, provider):
    seen = []
    with anthropic.DefaultHttpxClient(verify=False, trust_env=False) as pool:
        one = client(http_client=pool)
        pool.event_hooks = {"request": [lambda request: seen.append(request.url.path)]}
        pool.headers = {"x-mine": "yes"}
        one.messages.create(**ASKED)
        assert seen == ["/v1/messages"]
        assert provider.requests[-1].header("x-mine") == "yes"


def test_a_path_that_only_ends_like_a_conversations_is_none(client, caplog):
    one = client()
    with pytest.raises(anthropic.NotFoundError):
        one.post("/v1/threads/thread_1/messages", cast_to=object, body={"role": "user", "content": "hello"})
    assert not caplog.records
