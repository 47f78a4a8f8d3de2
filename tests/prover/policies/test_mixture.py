"""Mixtures: the same tactic of two parts, priors that add to 1, and a part that fails."""

import logging
from math import exp, inf, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.policies.answers import Answers, NoAnswersError
from prover.policies.mixture import MixedProofPolicy, MixedTacticPolicy, mixed
from prover.policies.tactic_policy import ModelTacticPolicy
from prover.portfolio import PortfolioPolicy
from prover.sampling.sampler import Settings
from search import Completion, ProofPrompt, Proposal
from tests.prover.policies.table_model import THEOREM, Plain, TableSampler, probabilities, state


class Fixed:
    """Always proposes the same; or raises."""

    def __init__(self, table=None, error=None):
        self.table, self.error, self.asked = table or {}, error, 0

    def propose(self, state, theorem):
        self.asked += 1
        if self.error:
            raise self.error
        return [Proposal(text, log(p), 1) for text, p in self.table.items()]

    def complete(self, prompts):
        self.asked += 1
        if self.error:
            raise self.error
        return [Completion(text, log(p)) for text, p in self.table.items()][: len(prompts)]


def prompt(seed):
    return ProofPrompt(THEOREM, state(), seed=seed)


def test_the_same_tactic_of_two_parts_is_one():
    # The model's probabilities, 0.1 and 0.3, are scaled to 0.25 and 0.75; then 0.7 and 0.3 weigh:
    # simp 0.7 * 0.5 + 0.3 * 0.25 = 0.425, rfl 0.7 * 0.5 = 0.35, omega 0.3 * 0.75 = 0.225.
    policy = MixedTacticPolicy([(0.7, Fixed({"simp": 0.5, "rfl": 0.5})), (0.3, Fixed({"simp ": 0.1, "omega": 0.3}))])
    found = policy.propose(state(), THEOREM)
    assert probabilities(found) == {"simp": 0.425, "rfl": 0.35, "omega": 0.225}
    assert [(p.text, p.tokens) for p in found] == [("simp", 2), ("rfl", 1), ("omega", 1)]


def test_weights_are_shares_and_go_to_those_that_propose():
    one, two = [Proposal("a", log(0.5))], [Proposal("b", log(0.01))]
    assert probabilities(mixed([(3, one), (1, two)])) == {"a": 0.75, "b": 0.25}
    assert probabilities(mixed([(3, one), (1, [])])) == {"a": 1.0}
    # One whose answers held no tactic, at a cost of 7 tokens.
    found = mixed([(3, one), (1, [Proposal("", log(0.5), 7)])])
    assert found == [Proposal("a", 0.0), Proposal("", -inf, 7)]
    assert mixed([]) == []
    assert mixed([(1, [Proposal("a", -inf), Proposal("b", float("nan"))])]) == [
        Proposal("a", log(0.5)), Proposal("b", log(0.5)),
    ]  # fmt: skip


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0.01, 100),
            st.lists(st.tuples(st.sampled_from("abcde") | st.just(""), st.floats(-5000, 0)), max_size=5),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_priors_add_to_1_and_nothing_is_twice(parts):
    answers = [(weight, [Proposal(text, p, 1) for text, p in proposals]) for weight, proposals in parts]
    found = mixed(answers)
    texts = [p.text for p in found]
    assert len(set(texts)) == len(texts)
    assert {text for _, proposals in parts for text, _ in proposals} == set(texts)
    assert sum(p.tokens for p in found) == sum(len(proposals) for _, proposals in parts)
    if any(texts):
        assert sum(exp(p.log_probability) for p in found) == pytest.approx(1)


def test_with_the_portfolio_as_it_is():
    alone = PortfolioPolicy().propose(state(), THEOREM)
    model = Fixed({"exact Nat.add_zero n": 1e-9})
    found = MixedTacticPolicy([(1.0, PortfolioPolicy()), (1.0, model)]).propose(state(), THEOREM)
    assert found[0] == Proposal("exact Nat.add_zero n", log(0.5), 1)
    others = {p.text: p.log_probability for p in found[1:]}
    assert others == {p.text: pytest.approx(p.log_probability - log(2)) for p in alone}


def test_a_part_that_fails_leaves_the_search_to_the_others(caplog):
    good, bug, away = Fixed({"a": 1.0}), Fixed(error=KeyError("x")), Fixed(error=NoAnswersError("it is away"))
    policy = MixedTacticPolicy([(1.0, good), (1.0, bug), (1.0, away)])
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert probabilities(policy.propose(state(), THEOREM)) == {"a": 1.0}
    # What gives no answers is asked no more; a slip on one state says nothing of the next.
    assert (good.asked, bug.asked, away.asked) == (3, 3, 1)
    assert "a part of the mixture failed: NoAnswersError: it is away" in caplog.text


def test_a_mixture_says_what_its_parts_lost():
    table = {"n + 0 = n": {"rfl": 1.0}}

    def parts(failing):
        good = TableSampler(table)
        bad = TableSampler(table, failing, name="bad")
        return [(1.0, ModelTacticPolicy(Answers(each), Plain(), Settings(), 4)) for each in (good, bad)]

    policy = MixedTacticPolicy(parts(0))
    policy.propose(state(), THEOREM)
    assert policy.lost() == ""
    policy = MixedTacticPolicy(parts(3))
    policy.propose(state(), THEOREM)
    assert policy.lost() == "bad: 3 of 4 answers were lost, most often so: the server is away"
    policy = MixedTacticPolicy(parts(100))
    for _ in range(3):  # left out after the second time
        policy.propose(state(), THEOREM)
    assert policy.lost() == (
        "a part of the mixture failed once, the last time so: NoAnswersError: none of the first answers came; "
        "bad: 8 of 8 answers were lost, most often so: the server is away"
    )
    # Nor does a slip of a part pass for an answer.
    failed = Fixed(error=KeyError("x"))
    proofs = MixedProofPolicy([(1.0, Fixed({"a": 1.0})), (1.0, failed)])
    assert proofs.lost() == ""
    proofs.complete([prompt(seed) for seed in range(50)])
    assert failed.asked > 1
    assert proofs.lost() == f"a part of the mixture failed {failed.asked} times, the last time so: KeyError: 'x'"


def test_if_all_parts_fail_so_does_the_mixture():
    parts = [(1.0, Fixed(error=NoAnswersError("one"))), (1.0, Fixed(error=NoAnswersError("two")))]
    for policy, ask in (
        (MixedTacticPolicy(parts), lambda p: p.propose(state(), THEOREM)),
        (MixedProofPolicy(parts), lambda p: p.complete([prompt(0)])),
    ):
        with pytest.raises(NoAnswersError, match=r"^(one|two)$"):
            ask(policy)
        with pytest.raises(NoAnswersError, match="no part of the mixture gives answers"):
            ask(policy)


def test_whole_proofs_are_drawn_from_the_parts_by_weight_and_seed():
    policy = MixedProofPolicy([(3.0, Fixed({"a": 0.5})), (1.0, Fixed({"b": 0.1}))])
    found = policy.complete([prompt(seed) for seed in range(400)])
    assert found == policy.complete([prompt(seed) for seed in range(400)])
    texts = [completion.text for completion in found]
    # 400 draws with p = 3/4: the mean is 300, six standard deviations are 52.
    assert abs(texts.count("a") - 300) < 52
    logs = {completion.text: completion.log_probability for completion in found}
    assert logs == {"a": pytest.approx(log(0.75 * 0.5)), "b": pytest.approx(log(0.25 * 0.1))}


def test_another_part_writes_the_proof_that_one_fails_to():
    silent, away = Fixed({}), Fixed(error=NoAnswersError("away"))
    policy = MixedProofPolicy([(1.0, Fixed({"a": 1.0})), (1.0, away), (1.0, silent)])
    assert [completion.text for completion in policy.complete([prompt(s) for s in range(50)])] == ["a"] * 50
    assert away.asked == 1
    assert MixedProofPolicy([(1.0, silent)]).complete([prompt(0), prompt(1)]) == []
