"""Calls of several threads for one model: which become one batch, and what ends them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from prover.sampling.sampler import INTERRUPTED, Prompt, Request, Sample
from prover.sampling.together import Together

LONG = 10.0  # seconds


class Model:
    """Echoes prompts, a batch at a time, each only when it is let. `faults` are raised, one a batch, in place of it."""

    def __init__(self, *faults):
        self.together = Together(self.draw)
        self.batches: list[list[str]] = []
        self.lets = threading.Semaphore(0)
        self.faults = list(faults)

    def draw(self, requests, stopped):
        self.batches.append([request.prompt.text for request in requests])
        end = time.monotonic() + LONG
        while not self.lets.acquire(timeout=0.01):
            if stopped():
                return [INTERRUPTED] * len(requests)
            assert time.monotonic() < end
        if self.faults:
            raise self.faults.pop(0)
        return [Sample(request.prompt.text.upper()) for request in requests]

    def ask(self, words):
        return [sample.text or sample.error for sample in self.together.sample([Request(Prompt(w)) for w in words])]

    def until(self, batches, waiting):
        end = time.monotonic() + LONG
        while (len(self.batches), self.together.waiting) != (batches, waiting):
            assert time.monotonic() < end
            time.sleep(0.001)


@pytest.fixture
def threads():
    with ThreadPoolExecutor(8) as threads:
        yield threads


def test_those_that_wait_become_one_batch_and_none_waits_for_the_next(threads):
    model = Model()
    first = threads.submit(model.ask, ["a", "b"])
    model.until(1, 0)
    second = [threads.submit(model.ask, list(words)) for words in ("c", "de", "f")]
    model.until(1, 3)
    model.lets.release()
    assert first.result(LONG) == ["A", "B"]
    model.until(2, 0)
    third = threads.submit(model.ask, ["g"])
    model.until(2, 1)
    model.lets.release()
    # The third batch is not let yet: what was drawn in the second is there all the same.
    assert [each.result(LONG) for each in second] == [["C"], ["D", "E"], ["F"]]
    model.until(3, 0)
    model.lets.release()
    assert third.result(LONG) == ["G"]
    assert [sorted(batch) for batch in model.batches] == [["a", "b"], ["c", "d", "e", "f"], ["g"]]
    assert model.ask([]) == []


def test_stop_ends_what_is_drawn_and_what_waits_and_no_later_call(threads):
    model = Model()
    model.together.stop()  # nothing is in work
    drawn = threads.submit(model.ask, ["a", "b"])
    model.until(1, 0)
    waits = threads.submit(model.ask, ["c"])
    model.until(1, 1)
    model.together.stop()
    assert [drawn.result(LONG), waits.result(LONG)] == [["interrupted"] * 2, ["interrupted"]]
    model.lets.release()
    assert model.ask(["d"]) == ["D"]
    assert model.batches == [["a", "b"], ["d"]]


def test_what_is_raised_all_calls_of_the_batch_raise_and_no_other(threads):
    model = Model(RuntimeError("first"), RuntimeError("second"))
    first = threads.submit(model.ask, ["a"])
    model.until(1, 0)
    others = [threads.submit(model.ask, [word]) for word in "bc"]
    model.until(1, 2)
    model.lets.release(3)
    assert str(first.exception(LONG)) == "first"
    assert [str(each.exception(LONG)) for each in others] == ["second"] * 2
    assert model.ask(["d"]) == ["D"]


def test_ctrl_c_in_the_thread_that_draws_costs_the_others_their_answers_alone(threads):
    model = Model(RuntimeError("first"), KeyboardInterrupt())
    first = threads.submit(model.ask, ["a"])
    model.until(1, 0)
    others = [threads.submit(model.ask, [word]) for word in "bc"]
    model.until(1, 2)
    model.lets.release(2)
    first.exception(LONG)
    ended = [repr(each.exception(LONG) or each.result()) for each in others]
    assert sorted(ended) == ["KeyboardInterrupt()", "['interrupted']"]
    model.lets.release()
    assert model.ask(["d"]) == ["D"]


def test_nothing_is_drawn_while_somebody_is_alone_with_the_model(threads):
    model = Model()
    model.lets.release()
    with model.together.alone():
        call = threads.submit(model.ask, ["a"])
        model.until(0, 1)
        time.sleep(0.05)
        assert not model.batches
    assert call.result(LONG) == ["A"]
