"""Policies of a sampler and a family: probabilities, costs, seeds, losses. The model is a table (table_model.py)."""

import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from math import exp, inf, log, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prover.policies.answers import FIRST, Answers, NoAnswersError
from prover.policies.correction import ModelCorrectionPolicy
from prover.policies.losses import LOGGED, Losses
from prover.policies.proof_policy import ModelProofPolicy
from prover.policies.tactic_policy import ModelTacticPolicy, Scale, log_of_sum, merged, seed_of
from prover.sampling.sampler import Sample, Settings
from search import Budget, Completion, FailedProof, ProofPrompt, Proposal, SearchEvent, prove
from search.algorithms.best_first import BestFirst
from search.algorithms.sample import Sample as SamplePlan
from tests.prover.policies.table_model import THEOREM, Plain, TableSampler, probabilities, state
from tests.search.graph_session import THEOREM as GRAPH_THEOREM
from tests.search.graph_session import GraphSession, accepting

TABLE = {"n + 0 = n": {"simp": 0.5, "rfl": 0.25, "omega now": 0.125, "no idea at all": 0.125}}


def tactics(sampler, samples=8, seed=0, how=None):
    return ModelTacticPolicy(Answers(sampler), Plain(), how or Settings(), samples, seed)


def proofs(sampler):
    return ModelProofPolicy(Answers(sampler), Plain(), Settings())


def asked(seed, target="n + 0 = n"):
    return ProofPrompt(THEOREM, state(f"⊢ {target}"), seed=seed)


def test_equal_answers_are_one_proposal_with_the_probability_of_the_text():
    sampler = TableSampler(TABLE)
    found = tactics(sampler, 200).propose(state(), THEOREM)
    # 200 answers hold all four texts; however often each was drawn, its probability is the table's.
    assert probabilities(found) == {"simp": 0.5, "rfl": 0.25, "omega now": 0.125, "": 0.125}
    assert [p.text for p in found][:2] == ["simp", "rfl"]
    assert len(sampler.requests) == 200
    drawn = Counter(tactics(TableSampler(TABLE), 200).answers.sampler._one(r).text for r in sampler.requests)
    # One token for each word; the blank one carries the cost of answers without a tactic.
    cost = {p.text: p.tokens for p in found}
    expected = {"simp": drawn["simp"], "rfl": drawn["rfl"], "omega now": 2 * drawn["omega now"]}
    assert cost == {**expected, "": 4 * drawn["no idea at all"]}


def test_answers_that_say_what_another_does_are_drawn_again():
    once, again = TableSampler(TABLE), TableSampler(TABLE)
    for seed in range(20):
        before = len(again.requests)
        first = tactics(once, 3, seed).propose(state(), THEOREM)
        found = ModelTacticPolicy(Answers(again), Plain(), Settings(), 3, seed, redraws=60).propose(state(), THEOREM)
        assert {p.text for p in found if p.text} == {"simp", "rfl", "omega now"}
        assert {p.text for p in first} <= {p.text for p in found}
        # The first answers are those without redraws.
        assert again.requests[before : before + 3] == once.requests[-3:]
        assert len(found) <= 4  # three tactics, and a blank one that has the cost of the others
    # The four texts that there are, a blank one among them: a fifth never comes, and the redraws end.
    few = TableSampler(TABLE)
    ModelTacticPolicy(Answers(few), Plain(), Settings(), 5, 0, redraws=4).propose(state(), THEOREM)
    assert len(few.requests) == 5 * 5


def test_no_more_tactics_are_proposed_than_samples_were_asked_for():
    for seed in range(20):
        sampler = TableSampler(TABLE)
        found = ModelTacticPolicy(Answers(sampler), Plain(), Settings(), 2, seed, redraws=9).propose(state(), THEOREM)
        assert len([p for p in found if p.text]) == 2
        assert sum(p.tokens for p in found) == sum(sampler._one(request).tokens for request in list(sampler.requests))


def test_what_a_model_cannot_answer_is_not_asked_again():
    class TooLong(TableSampler):
        def sample(self, requests):
            return [Sample("", finish="length", error="the prompt is too long") for _ in super().sample(requests)]

    sampler = TooLong(TABLE)
    ModelTacticPolicy(Answers(sampler), Plain(), Settings(), 3, redraws=9).propose(state(), THEOREM)
    assert len(sampler.requests) == 3


def test_without_log_probabilities_the_shares_of_the_answers_are_taken():
    samples = [Sample("a", tokens=3), Sample("b", tokens=1), Sample("a", tokens=3), Sample("", finish="error")]
    # Two of the three that came.
    found = merged(samples, ["a", "b", "a", ""], Scale().after(samples))
    assert probabilities(found) == {"a": 0.666666667, "b": 0.333333333}
    assert found[0].tokens == 6


def test_two_spellings_of_a_tactic_are_summed_and_one_drawn_twice_is_not():
    def told(ids, p):
        return Sample("x", ids, (log(p),), tokens=1)

    samples = [told((1,), 0.2), told((1,), 0.2), told((2, 3), 0.05), told((4,), 0.5)]
    found = merged(samples, ["a", "a", "a", "b"], Scale().after(samples))
    assert probabilities(found) == {"b": 0.5, "a": 0.25}
    assert [p.tokens for p in found] == [1, 3]


def told(text, p, *ids):
    return Sample(text, ids or (sum(text.encode()),), (log(p),), tokens=1)


def untold(text, tokens=1):
    return Sample(text, tokens=tokens)


def test_one_answer_without_log_probabilities_leaves_the_others_theirs():
    samples = [told("a", 0.2), told("b", 0.05), untold("c"), untold("a")]
    # The smallest told is 0.05; what was told of `a` stands.
    found = merged(samples, ["a", "b", "c", "a"], Scale().after(samples))
    assert probabilities(found) == {"a": 0.2, "b": 0.05, "c": 0.05}
    # 0.9 leaves 0.1 for the two; each distinct one once.
    samples = [told("a", 0.9), untold("b"), untold("c"), untold("c")]
    assert probabilities(merged(samples, ["a", "b", "c", "c"], Scale().after(samples))) == {
        "a": 0.9, "b": 0.05, "c": 0.05,
    }  # fmt: skip
    # Nothing is left.
    samples = [told("a", 1.0), untold("b")]
    assert merged(samples, ["a", "b"], Scale().after(samples))[1].log_probability == -inf


def test_the_first_answers_of_a_search_decide_what_its_priors_are():
    class Turns(TableSampler):
        """Tells log-probabilities at the states `tells`; another one comes empty."""

        tells: set[str]

        def _one(self, request):
            sample = super()._one(request)
            if request.prompt.text == "empty":
                return Sample("", finish="length")
            return sample if request.prompt.text in self.tells else untold(sample.text)

    def search(tells, *targets):
        sampler = Turns({"x": {"a": 0.2, "b": 0.8}, "y": {"c": 1.0}, "empty": {"": 1.0}})
        sampler.tells = tells
        policy = tactics(sampler, 50)
        return [probabilities(policy.propose(state(f"⊢ {target}"), THEOREM)) for target in targets]

    # A server that tells: the state without has the smallest that was told, and not 1.
    assert search({"x"}, "x", "y") == [{"a": 0.2, "b": 0.8}, {"c": 0.2}]
    assert search({"x"}, "empty", "x", "y") == [{}, {"a": 0.2, "b": 0.8}, {"c": 0.2}]
    # One that does not: shares, even where it tells all of a sudden.
    first, second = search({"y"}, "x", "y")
    assert set(first) == {"a", "b"}
    assert sum(first.values()) == pytest.approx(1)
    assert first["a"] * 50 == pytest.approx(round(first["a"] * 50), abs=1e-6)
    assert second == {"c": 1.0}
    # The smallest that was told is 1, which the two cannot both have.
    assert search({"y"}, "y", "x") == [{"c": 1.0}, {"a": 0.5, "b": 0.5}]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), min_size=1, max_size=12), st.floats(-9, 0))
def test_whatever_is_told_the_probabilities_sum_to_at_most_1(drawn, least):
    # Six texts of a sixth each.
    samples = [told(text, 1 / 6) if tells else untold(text) for text, tells in drawn]
    for scale in (Scale(True, least), Scale(False, least), Scale().after(samples)):
        found = merged(samples, [text for text, _ in drawn], scale)
        assert sum(exp(p.log_probability) for p in found) <= 1 + 1e-9
        assert {p.text for p in found} == {text for text, _ in drawn}


def test_what_is_no_number_is_not_the_smallest():
    assert Scale().after([Sample("a", (1,), (nan,), tokens=1), told("b", 0.5)]) == Scale(True, log(0.5))
    assert Scale().after([Sample("", finish="error")]) == Scale()
    assert Scale(True, log(0.5)).after([untold("a")]) == Scale(True, log(0.5))
    assert Scale(False).after([told("a", 0.1)]).told is False


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text("ab\n ", max_size=3), st.floats(0.001, 1), min_size=1, max_size=8
    ),
    st.integers(1, 20), st.booleans(), st.integers(0, 5),
)  # fmt: skip
def test_probabilities_sum_to_at_most_1_and_all_tokens_are_booked(weights, samples, told, failing):
    total = sum(weights.values())
    sampler = TableSampler({"n + 0 = n": {text: w / total for text, w in weights.items()}}, failing, told)
    policy = tactics(sampler, samples)
    try:
        found = policy.propose(state(), THEOREM)
    except NoAnswersError:
        assert samples >= FIRST
        return
    assert sum(exp(p.log_probability) for p in found) <= 1 + 1e-9
    assert all(p.log_probability <= 0 for p in found)
    assert len({p.text for p in found}) == len(found)
    again = TableSampler(sampler.table, failing, told)
    assert sum(p.tokens for p in found) == sum(s.tokens for s in again.sample(sampler.requests))
    assert sorted(found, key=lambda p: -p.log_probability) == list(found)


def test_what_is_no_probability_counts_as_none():
    assert log_of_sum([]) == -inf
    assert log_of_sum([nan, -inf]) == -inf
    assert log_of_sum([0.0, 0.0]) == 0.0
    assert log_of_sum([-2000.0, -2000.0]) == pytest.approx(-2000 + log(2))  # e^-2000 is no float above 0


def test_seeds_hang_on_the_state_and_on_how_often_it_was_asked_about():
    def seeds(policy, sampler, *states):
        before = len(sampler.requests)
        for each in states:
            policy.propose(each, THEOREM)
        return [request.seed for request in sampler.requests[before:]]

    sampler = TableSampler({"a": {"x": 1.0}, "b": {"x": 1.0}})
    one, two, other = tactics(sampler, 3), tactics(sampler, 3), tactics(sampler, 3, seed=1)
    a, b = state("⊢ a"), state("⊢ b")
    first = seeds(one, sampler, a, b, a)
    assert len(set(first)) == 9
    # Another order of the states changes nothing, another search's seed everything.
    second = seeds(two, sampler, b, a, a)
    assert (second[:3], second[3:]) == (first[3:6], first[:3] + first[6:])
    assert not set(seeds(other, sampler, a, b, a)) & set(first)
    assert all(0 <= seed < 2**31 for seed in first)
    assert seed_of(0, "x") == seed_of(0, "x") != seed_of("0", "x")


def test_the_same_seed_gives_the_same_search_and_tokens_are_counted():
    table = {"A": {"a": 0.5, "b": 0.4, "no": 0.1}, "B": {"c": 0.5, "d": 0.5}, "C": {"e": 1.0}}
    session_table = {"A": {"a": ["B"], "b": ["C"]}, "B": {"d": ["C"]}, "C": {}}

    def run(seed):
        events: list[SearchEvent] = []
        session = GraphSession(["A"], session_table)
        policy = tactics(TableSampler(table), 4, seed)
        result = prove(
            GRAPH_THEOREM, policy, session.open, BestFirst(), Budget(seconds=None), events.append,
            judge=accepting, clock=session.clock,
        )  # fmt: skip
        return result, events, policy

    result, events, policy = run(3)
    assert (result, events) == run(3)[:2]
    assert result.stopped == "exhausted"
    # Every word is a token, and each answer here is one word: four for each state asked about.
    assert result.spent.tokens == 4 * result.spent.samples == len(policy.answers.sampler.requests)
    assert len({repr(run(seed)[1]) for seed in range(8)}) > 1


def test_the_family_ends_answers_and_greedy_asks_once():
    sampler = TableSampler(TABLE)
    tactics(sampler, 8, how=Settings(max_tokens=7, temperature=0.0, stop=("X",))).propose(state(), THEOREM)
    (request,) = sampler.requests
    assert request.settings == Settings(max_tokens=7, temperature=0.0, stop=("STOP", "X"))
    assert tactics(sampler).propose(state().__class__(()), THEOREM) == []


def test_whole_proofs_come_in_order_with_their_tokens():
    sampler = TableSampler({"n + 0 = n": {"simp": 0.5, "rfl now": 0.5}, "m": {"omega": 1.0}})
    policy = proofs(sampler)
    found = policy.complete([asked(seed) for seed in range(20)] + [asked(2**31 + 5, "m")])
    assert {completion.text for completion in found[:-1]} == {"simp", "rfl now"}
    assert found[-1].text == "omega"
    for completion in found[:-1]:
        assert completion.log_probability == pytest.approx(log(0.5))
        assert completion.tokens == len(completion.token_ids) == len(completion.text.split())
        assert len(completion.token_log_probabilities) == completion.tokens
    assert [request.seed for request in sampler.requests] == [*range(20), 5]
    assert {request.settings.stop for request in sampler.requests} == {("STOP",)}


def test_a_proof_that_was_cut_off_says_so():
    class Cut(TableSampler):
        def _one(self, request):
            return Sample("simp [", (1, 2), (-1.0, -2.0), "length", 2)

    (found,) = proofs(Cut({})).complete([asked(0)])
    assert found == Completion("simp [", -3.0, 2, "length", (1, 2), (-1.0, -2.0))


def test_a_lost_answer_is_empty_counted_and_logged_and_raises_nothing(caplog):
    sampler = TableSampler({"n + 0 = n": {"simp": 1.0}}, failing=3)
    losses = Losses("table")
    policy = ModelProofPolicy(Answers(sampler, losses), Plain(), Settings())
    with caplog.at_level(logging.WARNING):
        found = policy.complete([asked(i) for i in range(4)] + [asked(9, "unknown")])
    assert [completion.text for completion in found] == ["", "", "", "simp", ""]
    assert found[-1].tokens == 1
    assert (losses.asked, losses.failed) == (5, 4)
    assert losses.sentence() == "table: 4 of 5 answers were lost, most often so: the server is away"
    assert caplog.records[0].message == "table: an answer was lost: the server is away"
    assert len(caplog.records) == 4
    policy.complete([asked(i, "unknown") for i in range(20)])
    assert len(caplog.records) == LOGGED
    assert caplog.records[-1].message.endswith("(further ones are only counted)")
    assert (losses.asked, losses.failed) == (25, 24)
    assert Losses("x").sentence() == ""


def test_if_none_of_the_first_answers_comes_the_search_stops_and_says_why():
    def run(failing, plan, policy):
        session = GraphSession(["A"], {"A": {"a": []}})
        sampler = TableSampler({"A": {"a": 1.0}}, failing)
        return prove(
            GRAPH_THEOREM, policy(sampler), session.open, plan, Budget(seconds=None), judge=accepting,
            clock=session.clock,
        )  # fmt: skip

    why = (
        "the policy failed: NoAnswersError: none of the first answers came; "
        "table: 8 of 8 answers were lost, most often so: the server is away"
    )
    for plan, policy in ((SamplePlan(), proofs), (BestFirst(), tactics)):
        result = run(FIRST, plan, policy)
        assert (result.stopped, result.message) == ("policy", why)
        assert run(FIRST - 1, plan, policy).stopped == "proved"


def test_a_sampler_that_gives_too_few_answers_is_found_out():
    class Short(TableSampler):
        def sample(self, requests):
            return super().sample(requests)[:-1]

    with pytest.raises(ValueError, match="gave 1 answers to 2 requests"):
        proofs(Short(TABLE)).complete([asked(0), asked(1)])


def test_a_correction_is_asked_for_with_lean_s_words():
    sampler = TableSampler({"n + 0 = n": {"rfl": 1.0}, "by\n  rfl: not so": {"simp": 1.0}})
    policy = ModelCorrectionPolicy(proofs(sampler), Plain())
    failed = FailedProof("by\n  rfl", ({"line": 2, "column": 2, "message": "not so"},))
    assert policy.complete([asked(0)])[0].text == "rfl"
    assert policy.correct(asked(2**40 + 3), failed).text == "simp"
    assert sampler.requests[-1].seed == 3
    assert sampler.requests[-1].settings.stop == ("STOP",)
    assert policy.correct(asked(3), FailedProof("by\n  x", failed.messages)) == Completion("", tokens=1)


def test_many_threads_lose_no_count():
    sampler = TableSampler(TABLE)
    policy = tactics(sampler, 2)
    with ThreadPoolExecutor(8) as executor:
        answers = list(executor.map(lambda _: policy.propose(state(), THEOREM), range(50)))
    assert policy.answers.losses.asked == 100 == len(answers) * 2
    # Each of the 50 times drew by seeds of its own.
    assert len({request.seed for request in sampler.requests}) == 100
    assert all(isinstance(p, Proposal) for answer in answers for p in answer)


def test_once_an_answer_did_not_come_none_is_drawn_again():
    class Gone(TableSampler):
        def sample(self, requests):
            return [Sample("", finish="error") for _ in super().sample(requests)]

    sampler = Gone(TABLE)
    with pytest.raises(NoAnswersError):
        ModelTacticPolicy(Answers(sampler), Plain(), Settings(), FIRST, redraws=9).propose(state(), THEOREM)
    few = Gone(TABLE)
    ModelTacticPolicy(Answers(few), Plain(), Settings(), 3, redraws=9).propose(state(), THEOREM)
    assert len(few.requests) == 3
