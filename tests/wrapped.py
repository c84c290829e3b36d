"""Clients of the official SDKs, wrapped; nothing here needs more than those SDKs, whichever versions they are."""

import asyncio

from scenarios import Clients

import headroom_cli

MODES = ("whole", "stream", "raw", "copy", "async", "async stream")


def wrapping(store, **more):
    """Return a class of clients that are wrapped; ``more`` is what ``wrap`` is told besides."""

    class Wrapped(Clients):
        def claude(self, **given):
            return headroom_cli.wrap(super().claude(**given), store=store, **more)

        def gpt(self, **given):
            return headroom_cli.wrap(super().gpt(**given), store=store, **more)

        def async_claude(self, **given):
            return headroom_cli.wrap(super().async_claude(**given), store=store, **more)

        def async_gpt(self, **given):
            return headroom_cli.wrap(super().async_gpt(**given), store=store, **more)

    return Wrapped


class Speaker:
    """Asks a provider for a talk of talks.py through an SDK, in one of MODES."""

    def __init__(self, shape, mode, url, wrap=lambda client: client, *, key="sk-test", **more):
        """``wrap`` is given the client that the SDK made."""
        import anthropic
        import openai

        self.shape, self.mode = shape, mode
        library = anthropic if shape == "anthropic" else openai
        names = {"anthropic": "Anthropic", "openai": "OpenAI", "responses": "OpenAI"}
        kind = getattr(library, ("Async" if "async" in mode else "") + names[shape])
        base = url if shape == "anthropic" else url + "/v1"
        # One of the SDK's own would read this machine's certificates.
        made = library.DefaultAsyncHttpxClient if "async" in mode else library.DefaultHttpxClient
        more["http_client"] = made(verify=False, trust_env=False)
        self.client = wrap(kind(base_url=base, api_key=key, **{"max_retries": 0, **more}))
        if mode == "copy":
            self.client = self.client.with_options(timeout=30.0).copy(default_headers={"x-copied": "yes"})

    def part(self, client):
        if self.shape == "anthropic":
            return client.messages
        return client.chat.completions if self.shape == "openai" else client.responses

    def ask(self, talk):
        """Return the final message as a dict."""
        request = asked(talk)
        if self.shape == "openai" and "stream" in self.mode:
            request["stream_options"] = {"include_usage": True}
        if "async" not in self.mode:
            return plain(self._ask(request))

        async def run():
            try:
                return await self._ask_async(request)
            finally:
                await self.client.close()

        return plain(asyncio.run(run()))

    def _ask(self, request):
        if self.mode == "raw":
            return self.part(self.client).with_raw_response.create(**request).parse()
        part = self.part(self.client)
        if self.mode != "stream":
            return part.create(**request)
        with part.stream(**request) as stream:
            for _ in stream:
                pass
            return self._final(stream)

    async def _ask_async(self, request):
        part = self.part(self.client)
        if self.mode == "async":
            return await part.create(**request)
        async with part.stream(**request) as stream:
            async for _ in stream:
                pass
            return await self._final(stream)

    def _final(self, stream):
        names = {"anthropic": "message", "openai": "completion", "responses": "response"}
        return getattr(stream, f"get_final_{names[self.shape]}")()

    def close(self):
        if "async" not in self.mode:
            self.client.close()


def asked(talk):
    """Return a talk's request as an SDK is given it; the newest warn of older models."""
    request = {name: value for name, value in talk.request.items() if name not in {"stream", "stream_options"}}
    return {**request, "model": "claude-opus-4-8"}


def plain(message):
    """Return a message as the API wrote it: helpers add what they parsed."""

    def without(value):
        if isinstance(value, dict):
            return {name: without(inner) for name, inner in value.items() if not name.startswith("parsed")}
        return [without(inner) for inner in value] if isinstance(value, list) else value

    return without(message.to_dict())
