"""The library in threads and in forked processes."""

import os
import threading

import pytest
from library_talks import SHAPES, in_child, talk

from headroom_cli import Headroom, compress
from headroom_cli.store import Store

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "store")


def test_threads_share_an_object_and_a_store(store, tmp_path):
    headroom = Headroom(store=store)
    expected = {
        (shape, number): compress(talk(shape, number).items, store=str(tmp_path / "alone")).messages
        for shape in SHAPES
        for number in range(2)
    }
    wrong = []

    def work(shape, number):
        for _ in range(3):
            made = headroom.compress(talk(shape, number).items)
            if made.messages != expected[shape, number]:
                wrong.append((shape, number, made.reason))

    threads = [threading.Thread(target=work, args=key) for key in expected for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_forked_child_goes_on_with_an_object(store):
    headroom = Headroom(store=store)
    expected = headroom.compress(talk("anthropic").items).messages
    assert in_child(lambda: headroom.compress(talk("anthropic").items).messages == expected) == 0
    assert in_child(lambda: headroom.compress(talk("anthropic", 1).items).tokens_saved > 0) == 0
    assert headroom.compress(talk("anthropic").items).messages == expected


def test_a_forked_child_holds_no_lock_of_the_store(store):
    one = Store(store)
    held, over = threading.Event(), threading.Event()

    def hold():
        with one.open(create=True) as place:
            place.lock()
            held.set()
            over.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(writing)
        os.read(reading, 1)  # lives until the parent has looked
        os._exit(0)
    over.set()
    thread.join()
    with one.open() as place:
        assert place.lock(exclusive=True, patience=5.0)
    os.close(writing)
    os.close(reading)
    os.waitpid(child, 0)


def test_a_forked_child_does_not_wait_for_threads_that_it_does_not_have(store):
    inside, over = threading.Event(), threading.Event()
    parent = os.getpid()

    class Slow:
        def on_pipeline_event(self, event):
            if event.stage == "setup" and os.getpid() == parent:
                inside.set()
                over.wait(30)

    plugin = Slow()
    thread = threading.Thread(target=lambda: compress(talk("anthropic").items, store=store, plugins=[plugin]))
    thread.start()
    inside.wait(30)

    def work():
        return compress(talk("anthropic", 1).items, store=store, plugins=[plugin]).tokens_saved > 0

    status = in_child(work)
    over.set()
    thread.join()
    assert status == 0
