"""The proxy's own pages without a proxy: real counts behind a real server, requests made up by a seed."""

import asyncio
import contextlib
import random
import threading
import time

import uvicorn

from headroom_cli.serve import pages, work_pages
from headroom_cli.serve.counts import Counts, Done
from headroom_cli.serve.gate import Gate
from headroom_cli.serve.options import Serving
from headroom_cli.serve.replies import reply

KEY = "a-key-for-tests"


class Pool:
    """The pool of workers, with its one worker in this process."""

    def __init__(self):
        self.counters = {"done": 0, "failed": {}, "restarts": 0}
        self.fails = None
        self.ready = True

    async def do(self, job, *arguments):
        if self.fails is not None:
            raise self.fails
        self.counters["done"] += 1
        return await asyncio.to_thread(getattr(work_pages, job), None, *arguments)


class App:
    """As much of the proxy as pages.py sees."""

    def __init__(self, **given):
        self.counts = Counts()
        self.serving = Serving("/nowhere", key=KEY, **given)
        self.engines = Pool()
        self.gate = Gate(self.serving)
        self.draining = False
        self.store = ""

    def store_ok(self):
        return self.store

    async def __call__(self, scope, receive, send):
        if not await pages.handle(self, scope, receive, send):
            await reply(send, 404, b"passed on", "text/plain")


@contextlib.contextmanager
def served(app):
    """Serve an ASGI application on a free port; give its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)


KINDS = ("test-log", "json", "search", "code", "diff", "table", "listing", "prose", "html", "log")
REASONS = ("ranged read", "already small", "nothing to leave out", "errors only", "protected by --protect-tool")
MODELS = (
    ("claude-opus-5", "anthropic", "anthropic"), ("claude-haiku-4-5-20251001", "anthropic", "anthropic"),
    ("gpt-5.6", "openai", "responses"), ("gpt-4o-mini", "openai", "openai"), ("qwen3-coder", "openrouter", "openai"),
)  # fmt: skip


def usage(shape, chance, before):
    """Return a provider's usage of a request of about that size."""
    read, write, output = int(before * chance.uniform(0.5, 0.9)), int(before * 0.1), chance.randrange(50, 2000)
    if shape == "anthropic":
        return {
            "input_tokens": chance.randrange(5, 300), "cache_read_input_tokens": read,
            "cache_creation_input_tokens": write, "output_tokens": output,
        }  # fmt: skip
    if shape == "openai":
        return {"prompt_tokens": before, "prompt_tokens_details.cached_tokens": read, "completion_tokens": output}
    return {"input_tokens": before, "input_tokens_details.cached_tokens": read, "output_tokens": output}


def request(chance, when, *, bodies=None):
    """Return one made-up request that has ended."""
    model, provider, shape = chance.choice(MODELS)
    done = Done({"anthropic": "/v1/messages", "openai": "/v1/chat/completions"}.get(shape, "/v1/responses"), shape)
    done.model, done.provider, done.when, done.status, done.hops = model, provider, when, 200, 1
    done.conversation = f"{chance.randrange(4):012x}"
    for kind in chance.sample(KINDS, 4):
        before = chance.randrange(200, 9000)
        kept = chance.random() < 0.3
        after = before if kept else int(before * chance.uniform(0.15, 0.8))
        reason = chance.choice(REASONS)
        done.kinds[kind] = {"blocks": 2, "before": before, "after": after, "kept": {reason: 1} if kept else {}}
        done.slow.append({
            "path": f"messages.{chance.randrange(40)}.content.0.content", "kind": kind, "before": before,
            "after": after, "kept": reason if kept else "", "ms": round(before / 900, 1),
        })  # fmt: skip
        done.before += before
        done.after += after
    done.usage = usage(shape, chance, done.after)
    done.engine_ms, done.first_ms = chance.uniform(2, 60), chance.uniform(300, 2500)
    done.total_ms = done.first_ms * 3
    done.served = done.marked = int(chance.random() < 0.2)
    if chance.random() < 0.15:
        done.after, done.why, done.kinds = done.before, chance.choice(("took too long", "nothing to shorten")), {}
    if chance.random() < 0.06:
        done.status, done.error, done.usage = 502, "the provider broke off", {}
    done.bodies = bodies
    return done


def busy(counts, requests=140, seed=5, bodies=None, now=None):
    """Fill counts with an hour of work."""
    chance, now = random.Random(seed), now or time.time()
    counts.started = now - 3600
    for i in range(requests):
        counts.add(request(chance, now - 3500 + i * 3450 / requests, bodies=bodies if i % 3 else None))
