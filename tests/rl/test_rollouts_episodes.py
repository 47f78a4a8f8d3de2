"""Episodes and whole proofs on real Lean: each way that they can end. What is sampled is scripted."""

from collections import Counter
from typing import Any

import pytest

from lean_env import LeanWorker, ProofSession, Verifier
from prover.benchmarks.row import Row
from prover.prompts.own import OwnProof, OwnTactic, proof_prompt
from prover.sampling.sampler import Settings
from rl.rollouts.collector import Collector
from rl.rollouts.lost import SamplerLost
from rl.rollouts.options import RolloutOptions
from rl.rollouts.rollout import unscored
from tests.rl.scripted_sampler import CUT, TOO_LONG, Scripted

SWAP = Row("swap", "theorem swap (p q : Prop) (h : p ∧ q) : q ∧ p")
AXIOM = Row("bad", "theorem bad : 1 = 2", "axiom nonsense : False")
BROKEN = Row("broken", "theorem broken : 1 +")
TERM = "exact ⟨h.2, h.1⟩"
SLOW = "have : ∀ a b c d : Fin 40, a + b + c + d = d + c + b + a := by decide +kernel"


def collect(pool, rows, script, family=None, **options):
    """The groups, and the sampler that was asked."""
    sampler = Scripted(script)
    size = max((number for _, number in script), default=0) + 1
    made = RolloutOptions(group_size=size, **options)
    with Collector(pool, sampler, family or OwnTactic(), Settings(), made) as collector:
        return collector.collect(rows, 0), sampler


def test_each_way_that_an_episode_ends(pool):
    script = {
        ("swap", 0): [TERM],
        ("swap", 1): ["constructor", "exact h.2", "exact h.1"],
        ("swap", 2): ["constructor", "exact h.1"],
        ("swap", 3): ["skip", "skip", "skip"],
        ("swap", 4): ["constructor", "exact h.2" + CUT],
        ("swap", 5): [""],
        ("swap", 6): ["constructor", None],
        ("swap", 7): ["constructor", TOO_LONG],
    }
    (group,), sampler = collect(pool, [SWAP], script, turns=3)
    found = [(each.ended, each.reward, len(each.turns), each.proof) for each in group.rollouts]
    assert found == [
        ("proved", 1, 1, f"by\n  {TERM}"),
        ("proved", 1, 3, "by\n  constructor\n  exact h.2\n  exact h.1"),
        ("error", 0, 2, None),
        ("turns", 0, 3, None),
        ("length", 0, 2, None),
        ("error", 0, 1, None),
        ("lost", None, 1, None),
        ("length", 0, 1, None),
    ]
    assert group.rewards == (1, 1, 0, 0, 0, 0, None, 0)
    assert [each.truncated for each in group.rollouts] == [False] * 4 + [True, False, False, True]
    assert unscored([group]) == {"the server is away": 1}
    assert group.rollouts[7].reason == "the prompt has 9 tokens, the model's context 8"
    assert not group.has_unscored_claims
    # One call of the sampler a turn, with all that are open: the two that ended at once, and then the others.
    assert [len(call) for call in sampler.calls] == [8, 6, 2]
    assert group.rollouts[1].turns[1].prompt_ids == tuple(map(ord, sampler.calls[1][0]))
    assert "case left" in sampler.calls[1][0]
    assert group.rollouts[1].tokens == len("constructor") + len("exact h.2") + len("exact h.1") + 3


def test_a_finished_proof_that_the_judge_refuses_has_no_reward(pool):
    (group,), _ = collect(pool, [AXIOM], {("bad", 0): ["exact nonsense.elim"]})
    (rollout,) = group.rollouts
    assert (rollout.ended, rollout.reward, rollout.proof) == ("refused", 0, "by\n  exact nonsense.elim")


def test_an_error_ends_an_episode_unless_it_may_try_again(pool):
    script = {
        ("swap", 0): ["exact h", TERM],
        ("swap", 1): ["constructor", "exact h", "exact h", "exact h.2"],
        ("swap", 2): ["", "constructor", "exact h.2", "exact h.1"],
    }
    (group,), _ = collect(pool, [SWAP], script)
    assert [(each.ended, len(each.turns)) for each in group.rollouts] == [("error", 1), ("error", 2), ("error", 1)]
    (group,), _ = collect(pool, [SWAP], script, retries=1)
    # The turns that failed stay in the episode, and not in its proof.
    assert [(each.ended, each.reward, len(each.turns)) for each in group.rollouts] == [
        ("proved", 1, 2), ("error", 0, 3), ("proved", 1, 4),
    ]  # fmt: skip
    assert group.rollouts[0].proof == f"by\n  {TERM}"
    assert group.rollouts[0].turns[0].prompt_ids == group.rollouts[0].turns[1].prompt_ids


def test_a_wall_clock_leaves_a_rollout_unscored(pool):
    script = {("swap", 0): [SLOW], ("swap", 1): [TERM]}
    (group,), _ = collect(pool, [SWAP], script, tactic_seconds=0.3, heartbeats=10**9)
    slow, quick = group.rollouts
    assert (slow.ended, slow.reward, slow.reason) == ("lost", None, "a tactic: no answer within 0.3 s")
    assert slow.lean_seconds >= 0.3
    assert quick.reward == 1
    assert not group.has_unscored_claims


def test_a_judge_that_takes_too_long_leaves_a_rollout_unscored(pool):
    script = {("swap", 0): [f"{SLOW}\n{TERM}"]}
    (group,), _ = collect(pool, [SWAP], script, OwnProof(), judge_seconds=0.3)
    (rollout,) = group.rollouts
    assert (rollout.ended, rollout.reward) == ("lost", None)
    assert rollout.reason == "the judge: no verdict within 0.3 s"
    assert group.has_unscored_claims


def test_a_statement_that_does_not_elaborate_costs_its_own_group_only(pool):
    script = {(name, number): [TERM] for name in ("swap", "broken") for number in range(2)}
    (broken, swap), sampler = collect(pool, [BROKEN, SWAP], script)
    assert (broken.row, broken.rewards, swap.rewards) == (BROKEN, (None, None), (1, 1))
    assert broken.rollouts[0].reason.startswith("the statement: line 1, column ")
    assert len(sampler.calls[0]) == 2
    groups, _ = collect(pool, [BROKEN, SWAP], script, OwnProof())
    assert [group.rewards for group in groups] == [(None, None), (1, 1)]
    assert groups[0].rollouts[0].reason.startswith("the judge: line 1, column ")


@pytest.mark.parametrize("family", [OwnTactic(), OwnProof()], ids=["episodes", "proofs"])
def test_a_model_that_answers_nothing_is_lost(pool, family):
    dead = {("swap", 0): [None], ("swap", 1): [None]}
    with pytest.raises(SamplerLost, match=r"^hf:script is lost, .*: the server is away\.$"):
        collect(pool, [SWAP], dead, family)
    (group,), _ = collect(pool, [SWAP], {**dead, ("swap", 1): ["exact h"]}, family)
    assert group.rewards == (None, 0)


def test_a_model_that_stops_to_answer_is_lost_whatever_else_there_is(pool):
    script = {("swap", 0): ["constructor", None], ("swap", 1): [None]}
    with pytest.raises(SamplerLost):
        collect(pool, [BROKEN, SWAP], script)


def test_what_is_equal_is_done_once(pool, monkeypatch):
    asked = Counter[Any]()

    def counted(owner, name, of):
        done = getattr(owner, name)

        def count(*args, **kwargs):
            asked[of(*args)] += 1
            return done(*args, **kwargs)

        monkeypatch.setattr(owner, name, count)

    counted(ProofSession, "run_tactic", lambda session, state, text, *limits: (state.path, text))
    counted(Verifier, "verify", lambda verifier, theorem, candidate: candidate.text)
    script = {
        ("swap", 0): [TERM],
        ("swap", 1): [TERM],
        ("swap", 2): ["constructor", "exact h.2", "exact h.1"],
        ("swap", 3): ["constructor", "exact h.2", "exact h.1"],
        ("swap", 4): ["skip", TERM],
    }
    (group,), _ = collect(pool, [SWAP], script)
    assert group.rewards == (1, 1, 1, 1, 1)
    assert asked.pop(((), TERM)) == 1
    assert asked.pop((("skip",), TERM)) == 1
    assert asked.pop((("constructor", "exact h.2"), "exact h.1")) == 1
    assert asked.pop(f"by\n  {TERM}") == 1
    assert asked.pop(f"by\n  skip\n  {TERM}") == 1
    assert set(asked.values()) == {1}
    # What is shared is counted to the first.
    assert group.rollouts[0].lean_seconds > 0
    assert (group.rollouts[1].lean_seconds, group.rollouts[3].lean_seconds) == (0.0, 0.0)


def test_a_tactic_that_may_run_code_of_its_own_is_its_episode_s_last_and_the_judge_s(pool, monkeypatch):
    """Fault 10: the judge is not the process that ran the candidate's own commands, nor are other episodes in it."""
    asked: list[tuple[str, str, bool]] = []
    request = LeanWorker.request

    def noted(worker, seconds, *, interrupt=None, **fields):
        asked.append((fields["method"], fields.get("text", ""), worker.trusted))
        return request(worker, seconds, interrupt=interrupt, **fields)

    monkeypatch.setattr(LeanWorker, "request", noted)
    script = {
        ("swap", 0): ["constructor", "run_tac pure ()\nexact h.2"],
        ("swap", 1): ["constructor", "all_goals simp (config := {}) only [h]"],
        ("swap", 2): [TERM],
    }
    (group,), _ = collect(pool, [SWAP], script, retries=1)
    assert [(each.ended, each.reward, len(each.turns), each.proof) for each in group.rollouts] == [
        ("refused", 0, 2, "by\n  constructor\n  run_tac pure ()\n  exact h.2"),
        ("proved", 1, 2, "by\n  constructor\n  all_goals simp (config := {}) only [h]"),
        ("proved", 1, 1, f"by\n  {TERM}"),
    ]
    assert {text for method, text, _ in asked if method == "tactic"} == {"constructor", TERM}
    assert {trusted for _, _, trusted in asked} == {True}
    assert {text for method, text, _ in asked if method == "write"} >= {group.rollouts[1].proof}


def test_lean_keeps_the_states_alone_that_an_episode_is_in(pool, monkeypatch):
    kept = []

    class Looking(Scripted):
        def sample(self, requests):
            kept.append([set(session._handles) for session in sessions])
            return super().sample(requests)

    sessions: list[ProofSession] = []
    begin = ProofSession.__init__

    def begun(self, *args):
        sessions.append(self)
        begin(self, *args)

    monkeypatch.setattr(ProofSession, "__init__", begun)
    script = {
        ("swap", 0): ["constructor", "exact h.2", "exact h.1"],
        ("swap", 1): ["skip", "skip", TERM],
        ("swap", 2): ["skip", "exact h"],
    }
    sampler = Looking(script)
    with Collector(pool, sampler, OwnTactic(), Settings(), RolloutOptions(group_size=3)) as collector:
        assert collector.collect([SWAP], 0)[0].rewards == (1, 1, 0)
    assert kept == [
        [{()}],
        [{(), ("constructor",), ("skip",)}],
        [{(), ("constructor", "exact h.2"), ("skip", "skip")}],
    ]


def test_each_way_that_a_whole_proof_ends(pool):
    script = {
        ("swap", 0): ["constructor\n· exact h.2\n· exact h.1"],
        ("swap", 1): ["exact h"],
        ("swap", 2): [TERM + CUT],
        ("swap", 3): [""],
        ("swap", 4): [None],
        ("swap", 5): [TERM],
        ("swap", 6): [TERM],
        ("swap", 7): [TOO_LONG],
    }
    (group,), sampler = collect(pool, [SWAP], script, OwnProof())
    assert [(each.ended, each.reward, each.proof) for each in group.rollouts] == [
        ("proved", 1, "by\n  constructor\n  · exact h.2\n  · exact h.1"),
        ("refused", 0, "by\n  exact h"),
        ("length", 0, None),
        ("error", 0, None),
        ("lost", None, None),
        ("proved", 1, f"by\n  {TERM}"),
        ("proved", 1, f"by\n  {TERM}"),
        ("length", 0, None),
    ]
    assert [len(each.turns) for each in group.rollouts] == [1, 1, 1, 1, 0, 1, 1, 0]
    assert sampler.calls == [[proof_prompt(SWAP.statement)] * 8]
    assert group.rollouts[6].lean_seconds == 0.0
    assert group.rollouts[5].lean_seconds > 0.0


def test_a_theorem_comes_once_in_a_call_and_groups_say_their_version(pool):
    sampler = Scripted({("swap", 0): [TERM]})
    with Collector(pool, sampler, OwnTactic(), Settings(), RolloutOptions(group_size=1)) as collector:
        with pytest.raises(ValueError, match="swap comes twice"):
            collector.collect([SWAP, SWAP], 0)
        assert collector.collect([], 0) == []
        assert [group.version for group in collector.collect([SWAP], 0, version=5)] == [5]
        assert [group.version for group in collector.collect([SWAP], 0)] == [0]
