"""What a supervised training sees and when: theorems kept out, batches, early stop. Pure functions."""

from itertools import groupby, pairwise
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl.objective.rows import TokenRow
from rl.sft.batches import batches, course
from rl.sft.held_out import held_out, theorem_key
from rl.sft.patience import Best

KEYS = [f"theorem {number}" for number in range(1000)]


def test_a_theorem_is_known_again_by_what_it_says():
    key = theorem_key("theorem t (n : Nat) : n + 0 = n")
    assert theorem_key("theorem  other (m : Nat) :\n  m + 0 = m") == key
    assert theorem_key("theorem t (n : Nat) : n + 1 = n") != key


def test_about_the_share_is_kept_out():
    # Binomial with 1000 and 0.2: 200, and a standard deviation of 12.6.
    assert 150 < len(held_out(KEYS, 0.2, 0)) < 250
    assert held_out(KEYS, 0.2, 0) != held_out(KEYS, 0.2, 1)
    assert held_out(KEYS, 0, 0) == frozenset()


def test_what_is_kept_out_of_a_set_is_kept_out_of_a_larger_one():
    small = held_out(KEYS[:500], 0.2, 3)
    assert small == held_out(KEYS, 0.2, 3) & set(KEYS[:500])
    assert held_out(reversed(KEYS), 0.2, 3) == held_out(KEYS * 2, 0.2, 3)


@settings(deadline=None)
@given(st.sets(st.text(max_size=5), max_size=6), st.floats(0.001, 1), st.integers())
def test_at_least_one_is_kept_out_and_one_is_not(keys, share, seed):
    found = held_out(keys, share, seed)
    assert found <= keys
    if len(keys) < 2:
        assert not found
    else:
        assert 1 <= len(found) < len(keys)


def rows_of(lengths):
    """Examples of so many tokens, each with a prompt of its own."""
    return [TokenRow((place,), (0,) * (length - 1)) for place, length in enumerate(lengths)]


@settings(deadline=None)
@given(st.lists(st.integers(2, 50), max_size=40), st.integers(1, 60), st.integers(0, 3), st.integers(0, 3))
def test_every_example_is_in_one_batch_which_is_not_too_large(lengths, tokens, seed, epoch):
    found = batches(rows_of(lengths), tokens, seed, epoch)
    assert sorted(place for batch in found for place in batch) == list(range(len(lengths)))
    for batch in found:
        assert len(batch) == 1 or sum(lengths[place] for place in batch) <= tokens
    # No batch ends before it has to: the next one's first example did not fit into it.
    for batch, after in pairwise(found):
        assert sum(lengths[place] for place in batch) + lengths[after[0]] > tokens


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), max_size=40), st.integers(1, 60), st.integers(0, 3))
def test_examples_of_one_prompt_follow_each_other_and_their_prompt_counts_once(prompts, tokens, seed):
    rows = [TokenRow((prompt,) * 10, (0, place)) for place, prompt in enumerate(prompts)]
    found = batches(rows, tokens, seed, 0)
    in_order = [prompts[place] for batch in found for place in batch]
    assert [prompt for prompt, _ in groupby(in_order)] == list(dict.fromkeys(in_order))
    for batch in found:
        assert len(batch) == 1 or 10 * len({prompts[place] for place in batch}) + 2 * len(batch) <= tokens


def test_batches_hang_on_seed_and_epoch():
    rows = rows_of([2] * 30)
    assert batches(rows, 20, 0, 0) == batches(rows, 20, 0, 0)
    assert len({str(batches(rows, 20, seed, epoch)) for seed in (0, 1) for epoch in (0, 1)}) == 4
    assert [len(batch) for batch in batches(rows, 20, 0, 0)] == [10, 10, 10]


def test_a_course_is_its_epochs_one_after_another():
    rows = rows_of([3, 2, 4, 2, 5, 9, 2, 6])
    whole = list(course(rows, 10, 7, 2))
    assert [batch for epoch, batch in whole if epoch == 1] == batches(rows, 10, 7, 1)
    assert list(course(rows, 10, 7, 9, steps=3)) == whole[:3]
    assert list(course([], 10, 7, 5)) == []


def test_the_best_evaluation_and_how_long_ago_it_was():
    best = Best()
    for step, loss in [(10, 3.0), (20, 2.0), (30, 2.0), (40, nan)]:
        best = best.after(loss, step)
    assert best == Best(2.0, 20, 2)  # as good is no better, and what is no number neither
    assert (best.is_over(2), best.is_over(3), best.is_over(0)) == (True, False, False)
    assert best.after(1.5, 50) == Best(1.5, 50, 0)
    assert Best().after(nan, 10) == Best(inf, 0, 1)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_two_theorems_are_one_and_one(share):
    assert len(held_out(["a", "b"], share, 0)) == 1
