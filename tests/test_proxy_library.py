"""A backend that is a library in the proxy's process: threads that end, errors in the client's form."""

import asyncio
import subprocess
import threading
import time
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
from proxies import Running

from headroom_cli import backends
from headroom_cli.errors import BusyError, CannotCarryError, UpstreamError
from headroom_cli.serve.jobs import Made
from headroom_cli.serve.library import Library
from headroom_cli.serve.options import Serving

CHUNK = {"id": "c", "choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}]}


class Talking:
    """A library that says ``chunks``, or raises one that is an error; notes what it was asked, and its end."""

    def __init__(self, chunks, wait=None):
        self.chunks, self.wait = chunks, wait
        self.closed = threading.Event()
        self.asked = threading.Event()
        self.targets = []

    def __call__(self, _outgoing, target):
        self.targets.append(target)
        self.asked.set()
        try:
            if self.wait is not None:
                self.wait.wait(20)
            for chunk in self.chunks:
                if isinstance(chunk, BaseException):
                    raise chunk
                yield chunk
        finally:
            self.closed.set()


def made(tmp_path, talking, *, stream=True, **serving):
    backend = backends.Backend("talking", ("openai",), variables=(), library=talking)
    app = SimpleNamespace(serving=Serving(str(tmp_path), backend="talking", **serving))
    request = Made("openai", b'{"messages":[]}')
    request.stream, request.model = stream, "m"
    return Library(SimpleNamespace(app=app), request, backend, "somebody")


def test_who_leaves_before_the_first_chunk_leaves_no_thread(tmp_path):
    talking = Talking([CHUNK] * 1000, threading.Event())

    async def go():
        hop = asyncio.ensure_future(made(tmp_path, talking).hop([]))
        assert await asyncio.to_thread(talking.asked.wait, 20)
        hop.cancel()
        await asyncio.wait([hop])
        talking.wait.set()
        assert await asyncio.to_thread(talking.closed.wait, 20)

    asyncio.run(go())


def test_who_leaves_in_the_middle_ends_it(tmp_path):
    talking = Talking([CHUNK] * 1000)

    async def go():
        answer = await made(tmp_path, talking).hop([])
        async for _ in answer.iter_chunked(1):
            break
        answer.close()
        assert await asyncio.to_thread(talking.closed.wait, 20)

    asyncio.run(go())


def test_a_loop_that_ends_waits_for_no_library(tmp_path):
    talking = Talking([CHUNK] * 1000, threading.Event())

    async def go():
        hop = asyncio.ensure_future(made(tmp_path, talking).hop([]))
        assert await asyncio.to_thread(talking.asked.wait, 20)
        hop.cancel()
        await asyncio.wait([hop])

    began = time.monotonic()
    asyncio.run(go())
    assert time.monotonic() - began < 15
    talking.wait.set()
    assert talking.closed.wait(20)


def test_many_at_once_do_not_wait_for_each_other(tmp_path):
    many = [Talking([CHUNK], threading.Event()) for _ in range(64)]

    async def go():
        hops = [asyncio.ensure_future(made(tmp_path, talking).hop([])) for talking in many]
        for talking in many:
            assert await asyncio.to_thread(talking.asked.wait, 20)
        for talking in many:
            talking.wait.set()
        for answer in await asyncio.gather(*hops):
            answer.close()

    asyncio.run(asyncio.wait_for(go(), 30))


def test_the_address_that_was_given_is_asked(tmp_path):
    talking = Talking([CHUNK])

    async def go():
        answer = await made(tmp_path, talking, base_url="http://gateway").hop([])
        return b"".join([piece async for piece in answer.iter_chunked(1)])

    assert asyncio.run(go()).endswith(b"data: [DONE]\n\n")
    assert [(target.base, target.provider) for target in talking.targets] == [("http://gateway", "somebody")]


@pytest.mark.parametrize("error", [BusyError("later", b"{}", 429), CannotCarryError("no place for it")])
def test_errors_keep_what_they_say(tmp_path, error):
    with pytest.raises(type(error), match=str(error)):
        asyncio.run(made(tmp_path, Talking([error])).hop([]))


def test_an_error_of_somebody_else_is_one_of_the_backend(tmp_path):
    with pytest.raises(UpstreamError, match=r"talking failed \(LookupError\)"):
        asyncio.run(made(tmp_path, Talking([LookupError("secret")])).hop([]))


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--backend", "litellm"), "headroom-cli[litellm]"),
        (("--backend", "anyllm-openai"), "headroom-cli[anyllm]"),
        (("--backend", "openai", "--base-url", "ftp://host"), "--base-url is no address"),
        (("--backend", "anthropic", "--base-url", "host"), "--base-url is no address"),
    ],
)
def test_what_would_keep_all_requests_from_an_answer_is_said_at_start(tmp_path, flags, said):
    if "[" in said and any(find_spec(name) for name in ("litellm", "any_llm")):
        pytest.skip("the library is here")
    made = Running(tmp_path / "store", "", *flags)
    done = subprocess.run(made.command, env=made.environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 78
    assert said in done.stderr


@pytest.mark.parametrize("name", ["uvicorn", "uvloop", "httptools", "websockets", "aiohttp", "brotli"])
def test_a_part_of_the_proxy_that_is_not_installed_is_said(tmp_path, name):
    (tmp_path / "sitecustomize.py").write_text(f"import sys; sys.modules[{name!r}] = None")
    made = Running(tmp_path / "store", "", environment={"PYTHONPATH": str(tmp_path)})
    done = subprocess.run(made.command, env=made.environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 78
    assert "headroom-cli[proxy]" in done.stderr
