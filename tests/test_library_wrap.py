"""Clients of the official SDKs that are wrapped: their callers see no difference, their providers see less."""

import json

import pytest
from provider import Provider
from scenarios import TABLE, Clients, scripted
from scenarios_play import play
from test_proxy_clients import Pair

import headroom_cli

OURS = "retrieve_original_content"


def wrapping(store):
    """Return a class of clients that are wrapped."""

    class Wrapped(Clients):
        def claude(self, **more):
            return headroom_cli.wrap(super().claude(**more), store=store)

        def gpt(self, **more):
            return headroom_cli.wrap(super().gpt(**more), store=store)

        def async_claude(self, **more):
            return headroom_cli.wrap(super().async_claude(**more), store=store)

        def async_gpt(self, **more):
            return headroom_cli.wrap(super().async_gpt(**more), store=store)

    return Wrapped


class Address:
    """Where a proxy would be: the provider itself."""

    def __init__(self, url):
        self.url = url


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    store = str(tmp_path_factory.mktemp("wrap") / "store")
    with Provider() as direct, Provider() as behind:
        direct.script(scripted({}))
        behind.script(scripted({}))
        made = Pair(direct, behind, Address(behind.url))
        made.clients = wrapping(store)
        yield made


@pytest.mark.parametrize("name", TABLE)
def test_the_callers_of_wrapped_clients_see_no_difference(pair, name):
    direct = play(name, pair.direct.url, "newest")
    wrapped = play(name, pair.behind.url, "newest", pair.clients)
    pair.compare(name, "newest", {"direct": direct, "proxy": wrapped})
