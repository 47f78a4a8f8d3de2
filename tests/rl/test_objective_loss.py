"""The losses on flat vectors, against numbers worked out by hand."""

from dataclasses import replace
from math import log
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from prover.sources import UserInputError
from rl.objective.kl import Estimator, estimate
from rl.objective.loss import loss_of, metrics, together, weigh
from rl.objective.policy_loss import PolicyObjective
from rl.objective.rows import TokenRow
from rl.objective.supervised import Supervised
from rl.objective.tokens import Tokens, flatten

PLAIN = PolicyObjective(clip_low=0.2, clip_high=0.3, importance_cap=None)


def vector(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def logs(*values: float) -> torch.Tensor:
    return vector(*map(log, values))


def evaluated(objective, new, tokens):
    """Loss, gradient coefficients of Appendix A (- d loss / d log p, over the weights), and what was measured."""
    new = new.clone().requires_grad_()
    loss, statistics = loss_of(new, torch.zeros_like(new), tokens, objective)
    loss.backward()
    return loss.item(), (-new.grad / tokens.weights).tolist(), metrics(statistics)


def test_clipped_loss_and_its_gradient_coefficient():
    # ratio        1.5 (clipped at 1.3)  1.5   0.5   0.5 (clipped at 0.8)  1.1
    # advantage    1                     -1    1     -1                    2
    # min(rA, cA)  1.3                   -1.5  0.5   -0.8                  2.2    sum 1.7, a fifth of it 0.34
    ratios, signs = vector(1.5, 1.5, 0.5, 0.5, 1.1), vector(1, -1, 1, -1, 2)
    old = logs(0.2, 0.2, 0.2, 0.2, 0.2)
    tokens = Tokens(weights=vector(*[0.2] * 5), advantages=signs, old=old)
    loss, coefficients, told = evaluated(PLAIN, old + ratios.log(), tokens)
    assert loss == pytest.approx(-0.34)
    assert coefficients == pytest.approx([0, -1.5, 0.5, 0, 2.2])  # r A, and nothing where it is clipped
    assert told["clip_high"] == pytest.approx(0.2)
    assert told["clip_low"] == pytest.approx(0.2)
    assert told["ratio"] == pytest.approx(5.1 / 5)
    assert told["ratio_max"] == pytest.approx(1.5)
    assert told["tokens"] == 5
    assert told["loss"] == pytest.approx(loss)


def test_the_first_update_on_a_batch_has_ratio_1():
    tokens = Tokens(weights=vector(0.5, 0.5), advantages=vector(3, -1))
    loss, coefficients, told = evaluated(PLAIN, logs(0.1, 0.7), tokens)
    assert loss == pytest.approx(-1)
    assert coefficients == pytest.approx([3, -1])
    assert (told["ratio"], told["ratio_max"], told["clip_low"], told["clip_high"]) == (1, 1, 0, 0)


def test_fault_6_importance_weights_are_truncated_and_the_raw_ratio_is_told():
    # old / sampler: 0.5 and 8, truncated at 2; the loss is - (0.5 · 1 · 1 + 2 · 1 · (-3)) / 2 = 2.75
    old, sampler = logs(0.2, 0.4), logs(0.4, 0.05)
    tokens = Tokens(weights=vector(0.5, 0.5), advantages=vector(1, -3), old=old, sampler=sampler)
    loss, coefficients, told = evaluated(PolicyObjective(importance_cap=2.0), old, tokens)
    assert loss == pytest.approx(2.75)
    assert coefficients == pytest.approx([0.5, -6])
    assert told["sampler_ratio"] == pytest.approx(4.25)
    assert told["sampler_ratio_max"] == pytest.approx(8)
    loss, _, told = evaluated(PLAIN, old, tokens)
    assert loss == pytest.approx(1)
    assert told["sampler_ratio_max"] == pytest.approx(8)


def test_what_is_given_again_is_learned_from_and_in_no_figure_of_how_far_off_policy_one_is():
    # As above with a third token, of far older weights: old / sampler is 40, and p / ref 100.
    old, sampler, reference = logs(0.2, 0.4, 0.4), logs(0.4, 0.05, 0.01), logs(0.4, 0.2, 0.004)
    objective = PolicyObjective(importance_cap=2.0, kl="k3", kl_coefficient=0.1)
    tokens = Tokens(vector(0.5, 0.5, 0.5), vector(1, -3, 1), sampler, old, reference)
    mixed = replace(tokens, again=torch.tensor([False, False, True]))
    loss, coefficients, told = evaluated(objective, old, mixed)
    assert (loss, coefficients) == evaluated(objective, old, tokens)[:2]
    assert coefficients[2] != 0
    assert told["sampler_ratio"] == pytest.approx(4.25)
    assert told["sampler_ratio_max"] == pytest.approx(8)
    # ref / p is 2 and 1/2, as above.
    assert told["kl"] == pytest.approx(0.25)
    assert (told["tokens"], told["ratio"]) == (3, 1)
    _, _, told = evaluated(objective, old, replace(tokens, again=torch.tensor([True] * 3)))
    assert not {"sampler_ratio", "sampler_ratio_max", "kl", "again"} & told.keys()
    assert told["ratio"] == 1


def test_the_papers_k3_and_its_coefficient():
    """GRPO's paper: equation 4 for the value, equation 21 for GC = A + beta (ref / p - 1)."""
    objective = PolicyObjective(kl="k3", kl_coefficient=0.04, kl_weighted=False, importance_cap=None)
    tokens = Tokens(weights=vector(0.5, 0.5), advantages=vector(1, -1), reference=logs(0.4, 0.1))
    loss, coefficients, told = evaluated(objective, logs(0.2, 0.2), tokens)
    # ref / p is 2 and 1/2: k3 = 2 - ln 2 - 1 and 1/2 + ln 2 - 1, mean 1/4
    assert told["kl"] == pytest.approx(0.25)
    assert loss == pytest.approx(0 + 0.04 * 0.25)
    assert coefficients == pytest.approx([1 + 0.04 * (2 - 1), -1 + 0.04 * (0.5 - 1)])


@pytest.mark.parametrize(
    ("kind", "mean"),
    # d = ln(p / ref) = - ln 2 and ln 2: k1 cancels, k2 is (ln 2)² / 2 both times, k3 as above
    [("k1", 0.0), ("k2", log(2) ** 2 / 2), ("k3", 0.25)],
)
def test_fault_7_weighted_estimates_all_have_the_gradient_of_the_divergence(kind, mean):
    """With ratio r and importance weight u the coefficient is u r (A - beta ln(p / ref)) for each of the three."""
    objective = PolicyObjective(kl=kind, kl_coefficient=0.1, importance_cap=1.5, clip_low=1.0, clip_high=10.0)
    new, old, sampler = logs(0.2, 0.2), logs(0.4, 0.1), logs(0.2, 0.2)
    tokens = Tokens(vector(0.5, 0.5), vector(1, -1), sampler=sampler, old=old, reference=logs(0.4, 0.1))
    _, coefficients, told = evaluated(objective, new, tokens)
    # r: 1/2 and 2; u: 2, truncated at 1.5, and 1/2
    assert coefficients == pytest.approx([1.5 * 0.5 * (1 + 0.1 * log(2)), 0.5 * 2 * (-1 - 0.1 * log(2))])
    assert told["kl"] == pytest.approx(mean)


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=6), st.lists(st.floats(-3, 3), min_size=6, max_size=6))
def test_fault_7_which_gradient_an_estimate_has_in_a_loss(scores, others):
    """Over a whole vocabulary, so that the mean over tokens is exact: each against autograd of the divergences."""
    logits = vector(*scores).requires_grad_()
    reference = vector(*others[: len(scores)]).log_softmax(0)

    def gradient(loss):
        return torch.autograd.grad(loss, logits)[0]

    policy = logits.log_softmax(0)
    drawn = policy.exp().detach()  # how often each token is drawn
    reverse = gradient((policy.exp() * (policy - reference)).sum())
    forward = gradient(-(reference.exp() * logits.log_softmax(0)).sum())
    close = {"rtol": 1e-9, "atol": 1e-9}
    plain: dict[Estimator, Any] = {"k1": torch.zeros_like(reverse), "k2": reverse, "k3": forward}
    for kind, expected in plain.items():
        found = gradient((drawn * estimate(kind, logits.log_softmax(0), reference)).sum())
        torch.testing.assert_close(found, expected, **close)
    older = vector(*reversed(scores)).log_softmax(0)  # off policy: tokens are drawn from another
    for kind in plain:
        policy = logits.log_softmax(0)
        found = gradient((older.exp() * estimate(kind, policy, reference, (policy - older).exp())).sum())
        torch.testing.assert_close(found, reverse, **close)
    divergence = (drawn * (logits.log_softmax(0) - reference)).sum()
    unbiased: tuple[Estimator, ...] = ("k1", "k3")
    for kind in unbiased:
        torch.testing.assert_close((drawn * estimate(kind, logits.log_softmax(0), reference)).sum(), divergence)


def test_supervised_has_coefficient_1():
    tokens = Tokens(weights=vector(0.25, 0.75), advantages=vector(7, -7))
    loss, coefficients, told = evaluated(Supervised(), logs(0.5, 0.125), tokens)
    assert loss == pytest.approx(0.25 * log(2) + 0.75 * log(8))
    assert coefficients == pytest.approx([1, 1])
    assert told.keys() == {"tokens", "loss", "entropy", "log_prob"}


def test_fault_1_parts_of_a_batch_add_up():
    """Rows of 1 and 3 tokens: were means taken part by part, the first token would weigh as much as the other three."""
    rows = [TokenRow((1,), (5,), advantage=1.0), TokenRow((1,), (6, 7, 8), advantage=-2.0, sequence=1)]
    weights = weigh(rows, PLAIN)
    new = logs(0.5, 0.2, 0.3, 0.4)
    whole = loss_of(new, vector(1, 2, 3, 4), flatten(rows, weights, "cpu"), PLAIN)
    first = loss_of(new[:1], vector(1), flatten(rows[:1], weights[:1], "cpu"), PLAIN)
    rest = loss_of(new[1:], vector(2, 3, 4), flatten(rows[1:], weights[1:], "cpu"), PLAIN)
    assert whole[0].item() == pytest.approx(-(1 - 2 * 3) / 4)
    assert first[0] + rest[0] == pytest.approx(whole[0])
    told, added = metrics(whole[1]), metrics(together([first[1], rest[1]]))
    assert told == pytest.approx(added)
    assert told["entropy"] == 2.5


def test_fault_3_tokens_that_do_not_count_are_left_out_of_everything():
    rows = [TokenRow((1,), (5, 6), old_log_probs=(float("nan"), -1.0), weight_mask=(False, True), advantage=2.0)]
    tokens = flatten(rows, weigh(rows, PLAIN), "cpu")
    assert tokens.weights.tolist() == [1.0]
    assert tokens.advantages.tolist() == [2.0]
    assert tokens.old is not None
    assert tokens.old.tolist() == [-1.0]
    assert tokens.sampler is None


def test_rows_that_lack_what_the_objective_needs():
    bare = TokenRow((1,), (5,))
    with pytest.raises(ValueError, match="1 of 1 rows have no sampler_log_probs"):
        weigh([bare], PolicyObjective())
    with pytest.raises(ValueError, match="reference_log_probs"):
        weigh([bare], PolicyObjective(importance_cap=None, kl="k3"))
    with pytest.raises(ValueError, match="1 of 2 rows have no old_log_probs"):
        weigh([bare, TokenRow((1,), (5,), old_log_probs=(-1.0,))], PLAIN)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"aggregation": "constant_length"}, "constant_length"),
        ({"constant_length": 5}, "constant_length"),
        ({"aggregation": "constant_length", "constant_length": 0}, "at least 1"),
        ({"clip_low": 1.5}, "clip_low"),
        ({"clip_high": float("nan")}, "clip_high"),
        ({"kl_coefficient": 0.1}, "kl_coefficient"),
        ({"kl": "k1", "kl_weighted": False}, "k1"),
        ({"importance_cap": 0.0}, "importance_cap"),
        ({"temperature": 0.0}, "temperature"),
    ],
)
def test_options_that_do_not_go_together(options, said):
    with pytest.raises(UserInputError, match=said):
        PolicyObjective(**options)


def test_a_ratio_that_overflows_is_seen():
    """exp of a large difference is infinite; the learner refuses the step, and nothing here hides it."""
    tokens = Tokens(weights=vector(1.0), advantages=vector(-1.0), old=vector(-1e4))
    loss, _, told = evaluated(PLAIN, vector(-1.0), tokens)
    assert loss == float("inf")
    assert told["ratio_max"] == float("inf")
