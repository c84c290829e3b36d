"""The store against a model: whatever is put, used, forgotten and collected, live handles answer, dead ones say so."""

import hashlib
import os
import shutil
import tempfile

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from headroom_cli.errors import CorruptError, NotFoundError
from headroom_cli.store import KEEP_DAYS, Entry, Store, upkeep

DAY = 86_400.0
QUICK = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
datas = st.binary(max_size=3)  # few enough to be put again and again


class StoreMachine(RuleBasedStateMachine):
    """Days pass by the uptime; the wall clock says what it likes."""

    @initialize()
    def make(self):
        self.root = tempfile.mkdtemp(dir=QUICK)
        self.wall, self.up = 1.8e9, 0.0
        self.store = Store(f"{self.root}/s", clock=lambda: self.wall, uptime=lambda: ("boot", self.up))
        self.store.put([Entry(b"the store is there")])
        self.used = {}  # handle -> the day of its last use
        self.content = {}
        self.renderings = {}

    def teardown(self):
        shutil.rmtree(self.root)

    @rule(batch=st.lists(datas, max_size=5))
    def put(self, batch):
        handles = self.store.put([Entry(data, "log", "cat") for data in batch])
        for handle, data in zip(handles, batch, strict=True):
            assert self.content.setdefault(handle, data) == data
            self.used[handle] = self.up

    @rule(pick=st.randoms(use_true_random=False))
    def fetch(self, pick):
        if self.used:
            handle = pick.choice(sorted(self.used))
            if self.alive(handle):
                assert self.store.fetch(handle) == self.content[handle]
                self.used[handle] = self.up

    @rule(days=st.integers(1, 6))
    def pass_days(self, days):
        self.up += days * DAY
        self.wall += days * DAY
        self.store.put([Entry(b"the store is looked at")])

    @rule(years=st.sampled_from((-10, 10)))
    def leap(self, years):
        self.wall += years * 365 * DAY

    @rule(budget=st.sampled_from((0, 1 << 40)))
    def collect(self, budget):
        upkeep.gc(self.store, budget=budget)
        for handle in [handle for handle in self.used if not self.alive(handle)]:
            # Uses are noted by the hour and grants by the day: what is a little over may still be there.
            if self.up - self.used[handle] > (KEEP_DAYS + 1) * DAY:
                with pytest.raises(NotFoundError):
                    self.store.fetch(handle)
                del self.used[handle], self.content[handle]

    @rule(pick=st.randoms(use_true_random=False))
    def forget(self, pick):
        if self.used:
            handle = pick.choice(sorted(self.used))
            if self.alive(handle):
                upkeep.forget(self.store, handle)
                with pytest.raises(NotFoundError):
                    self.store.fetch(handle)
                del self.used[handle], self.content[handle]

    @rule(pick=st.randoms(use_true_random=False), heal=st.booleans())
    def damage(self, pick, heal):
        live = [handle for handle in sorted(self.used) if self.alive(handle)]
        if live:
            handle = pick.choice(live)
            with open(f"{self.root}/s/objects/{self.store.resolve(handle)}", "r+b") as file:
                file.truncate(file.seek(0, 2) - 1)
            if not heal:
                with pytest.raises(CorruptError):
                    self.store.fetch(handle)
            assert self.store.put([Entry(self.content[handle])]) == [handle]
            self.used[handle] = self.up

    @rule(key=st.sampled_from("abc"), value=st.sampled_from("123"))
    def remember(self, key, value):
        self.store.remember("00", [(key, value)])
        self.renderings[key] = (value, self.up)

    def alive(self, handle):
        return self.up - self.used[handle] < KEEP_DAYS * DAY - 2 * 3_600

    @invariant()
    def live_handles_answer(self):
        digests = {grant.handle: grant.digest for grant in self.store.grants()}
        for handle in filter(self.alive, self.used):
            data = self.content[handle]
            assert digests[handle] == hashlib.sha256(data).hexdigest()
            assert self.store.has(digests[handle])
        recalled = self.store.recall("00")
        for key, (value, when) in self.renderings.items():
            if self.up - when < (KEEP_DAYS - 1) * DAY:
                assert recalled[key] == value


def test_the_store_behaves_like_its_model():
    run_state_machine_as_test(StoreMachine, settings=settings(max_examples=40, stateful_step_count=30, deadline=None))


@pytest.mark.long
def test_the_store_behaves_like_its_model_5000_times():
    run_state_machine_as_test(
        StoreMachine, settings=settings(max_examples=5_000, stateful_step_count=50, deadline=None)
    )
