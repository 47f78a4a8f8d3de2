"""The batch that is collected ahead: how old its weights are, what becomes of errors, and that nothing hangs."""

import json
import signal
import threading
import time
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.benchmarks.row import Row
from rl.rollouts.ahead import Ahead
from rl.rollouts.rollout import Group, Rollout, Turn
from rl.rollouts.stored import from_json, to_json


class Loop:
    """A learner of one number, the updates made; a batch says which step it is of and which weights sampled it."""

    def __init__(self, lag, steps):
        self.updates = 0
        self.taken = []
        self.ahead = Ahead(lambda step: self.updates, lambda version, step: (step, version), lag, steps)

    def run(self, first, last):
        for step in range(first, last):
            self.taken.append(self.ahead.take(step))
            self.updates += 1
        return self


def test_with_lag_0_a_batch_is_of_the_present_weights():
    assert Loop(0, 4).run(0, 4).taken == [(0, 0), (1, 1), (2, 2), (3, 3)]


def test_with_lag_1_every_batch_but_the_first_is_one_update_old():
    assert Loop(1, 5).run(0, 5).taken == [(0, 0), (1, 0), (2, 1), (3, 2), (4, 3)]


def test_nothing_is_collected_beyond_the_last_step():
    loop = Loop(1, 2).run(0, 2)
    assert loop.ahead.waiting() is None


@pytest.mark.parametrize("lag", [0, 1])
def test_going_on_from_a_checkpoint_skips_no_batch_and_samples_none_anew(lag):
    whole = Loop(lag, 6).run(0, 6)
    for kept in range(1, 6):
        begun, later = Loop(lag, 6).run(0, kept), Loop(lag, 6)
        waiting = begun.ahead.waiting()
        if waiting is not None:
            later.ahead.give(*waiting)
        later.updates = begun.updates
        assert begun.taken + later.run(kept, 6).taken == whole.taken


def test_another_step_s_batch_is_not_handed_out():
    loop = Loop(1, 9).run(0, 2)
    with pytest.raises(ValueError, match="step 2 is waiting, not that of step 5"):
        loop.ahead.take(5)
    assert loop.ahead.take(2) == (2, 1)


def test_it_is_collected_while_the_caller_works():
    goes_on, began = threading.Event(), threading.Event()

    def collect(prepared, step):
        if step == 1:
            began.set()
            assert goes_on.wait(20)
        return threading.current_thread()

    with closing(Ahead(lambda step: None, collect, 1, 3)) as ahead:
        assert ahead.take(0) is threading.main_thread()
        assert began.wait(20)  # in work, and this thread is free
        goes_on.set()
        assert ahead.take(1) is not threading.main_thread()


@pytest.mark.parametrize("error", [RuntimeError("no memory"), KeyboardInterrupt(), SystemExit(3)])
def test_an_error_of_the_thread_is_the_caller_s(error):
    def collect(prepared, step):
        if step == 1:
            raise error
        return step

    with closing(Ahead(lambda step: None, collect, 1, 3)) as ahead:
        assert ahead.take(0) == 0
        for _ in range(2):  # and stays so
            with pytest.raises(type(error)) as raised:
                ahead.take(1)
            assert raised.value is error


def test_ctrl_c_ends_the_wait_and_close_ends_the_thread():
    stopped = threading.Event()

    def collect(prepared, step):
        if step == 1:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            assert stopped.wait(20)
        return step

    def take(ahead):
        ahead.take(0)
        ahead.take(1)

    before = threading.active_count()
    with closing(Ahead(lambda step: None, collect, 1, 3, stopped.set)) as ahead:
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            take(ahead)
        assert time.monotonic() - began < 10
        assert not stopped.is_set()
    assert stopped.is_set()
    assert threading.active_count() == before


def test_a_thread_that_hears_nothing_holds_nobody_up(monkeypatch):
    monkeypatch.setattr("rl.rollouts.ahead.LONGEST_END", 0.3)
    over = threading.Event()
    ahead = Ahead(lambda step: None, lambda prepared, step: step == 0 or over.wait(20), 1, 2)
    ahead.take(0)
    began = time.monotonic()
    ahead.close()
    assert time.monotonic() - began < 5
    over.set()


NUMBERS = st.lists(st.integers(0, 2**31), max_size=5).map(tuple)
LOGS = st.lists(st.floats(max_value=0.0, allow_nan=False, allow_infinity=False), max_size=5).map(tuple)
TURNS = st.builds(Turn, NUMBERS, NUMBERS, LOGS, st.sampled_from(["stop", "length"]), st.text(max_size=5))
ROLLOUTS = st.builds(
    Rollout,
    st.lists(TURNS, max_size=3).map(tuple),
    st.sampled_from([0, 1, None]),
    st.sampled_from(["proved", "refused", "error", "length", "turns", "lost"]),
    st.none() | st.text(max_size=5),
    st.floats(0, 100),
    st.text(max_size=5),
    st.none() | st.integers(0, 9),
)
ROWS = st.builds(Row, st.text(max_size=5), st.text(max_size=5), header=st.text(max_size=5))
GROUPS = st.lists(st.builds(Group, ROWS, st.lists(ROLLOUTS, max_size=3).map(tuple), st.integers(0, 9)), max_size=3)


@settings(deadline=None)
@given(GROUPS)
def test_groups_come_back_from_json_as_they_were(groups):
    again = from_json(json.loads(json.dumps(to_json(groups))))
    assert again == groups
    # The clock's figures, which no comparison looks at, too; every float to its last bit.
    assert repr(again) == repr(groups)
    assert hash(tuple(again)) == hash(tuple(groups))
