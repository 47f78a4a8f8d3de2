"""Draws from what a policy proposes: as many as asked for, by its probabilities, the same for the same seed."""

from math import log

from lean_env import Goal, TacticState, Theorem
from prover.algorithms import plan_named
from prover.policies.drawn import DrawnTacticPolicy
from prover.policies.plan import plan_policy
from prover.policies.spec import Options
from search import Proposal

STATE, THEOREM = TacticState((Goal("True"),)), Theorem("t", "theorem t : True")


class Given:
    def __init__(self, *weights):
        self.proposals = [Proposal(f"tactic{place}", log(weight)) for place, weight in enumerate(weights)]

    def propose(self, state, theorem):
        return self.proposals


def test_draws_follow_the_probabilities_and_are_all_different():
    seen = {"tactic0": 0, "tactic1": 0}
    for seed in range(400):
        (found,) = DrawnTacticPolicy(Given(0.75, 0.25), 1, seed).propose(STATE, THEOREM)
        seen[found.text] += 1
    # Binomial with 400 and 0.75: 300, and a standard deviation of 8.7.
    assert 260 < seen["tactic0"] < 340
    # Of 1/2, 1/4 and 1/4 the first two drawn are without the first with the probability 1/4 * 1/3 * 2 = 1/6.
    pairs = [DrawnTacticPolicy(Given(0.5, 0.25, 0.25), 2, seed).propose(STATE, THEOREM) for seed in range(600)]
    assert all(len(pair) == 2 for pair in pairs)
    without = sum("tactic0" not in {each.text for each in pair} for pair in pairs)
    assert 70 < without < 130  # 100, and a standard deviation of 9.1
    many = DrawnTacticPolicy(Given(0.75, 0.25), 50).propose(STATE, THEOREM)
    assert many == Given(0.75, 0.25).proposals


def test_a_state_asked_about_again_gets_other_draws_and_a_seed_the_same():
    def drawn(seed):
        policy = DrawnTacticPolicy(Given(*[0.05] * 20), 4, seed)
        return [tuple(each.text for each in policy.propose(STATE, THEOREM)) for _ in range(3)]

    assert drawn(1) == drawn(1)
    assert len({*drawn(1), *drawn(2)}) == 6
    assert DrawnTacticPolicy(Given(), 4).propose(STATE, THEOREM) == []


def test_samples_without_a_model_draw_from_the_whole_mixture():
    plan = plan_policy("portfolio+templates", Options(samples=3), plan_named("best-first"))
    assert plan.text == "portfolio+templates (3 samples)"
    with plan.open() as opened:
        policy = opened.make(0)
        assert isinstance(policy, DrawnTacticPolicy)
        assert 1 <= len(policy.propose(STATE, THEOREM)) <= 3
    assert plan_policy("portfolio", Options(), plan_named("best-first")).text == "portfolio"
