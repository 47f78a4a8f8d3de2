"""Refused proofs and who is to blame, workers that are lost, and policies and critics that answer nonsense."""

import time
from contextlib import nullcontext
from random import Random

import pytest

from lean_env import Goal, Hypothesis, ProofFinished, TacticError, TacticState, Theorem, Verdict
from lean_env.errors import WorkerLost
from search import BestFirst, Budget, Completion, ProofGraph, Proposal, from_json, prove, to_json
from search.algorithms.beam import Beam
from search.algorithms.deepening import IterativeDeepening
from search.algorithms.rmaxts import RMaxTS
from search.algorithms.sample import Sample
from search.algorithms.step_mcts import StepMCTS
from search.blame import cleared_by, most_suspect, next_suspect
from search.books import Books
from search.disprove import prove_or_disprove
from search.tasks import Ask, Asked, Tried
from tests.search.graph_session import THEOREM, GraphSession, TablePolicy, accepting, new_edge

Table = dict[str, dict[str, list[str]]]

PLANS = [BestFirst(), StepMCTS(), Beam(), IterativeDeepening()]


def no_bad(theorem, proof, seconds):
    return Verdict(0, "axioms") if "bad" in proof else Verdict(1, "proved")


def run(graph, edge, session):
    """Runs the tactic of an edge that works; the new nodes."""
    return graph.succeed(edge, session.run_tactic(edge.node.state, edge.tactic))


def even(table):
    """A policy that finds all tactics of the table equally likely, the first a little more."""
    return TablePolicy({goal: {tactic: 0.5 - 0.1 * i for i, tactic in enumerate(row)} for goal, row in table.items()})


class Slow(GraphSession):
    """Gives other workers a chance to come between."""

    def run_tactic(self, state, text, **limits):
        time.sleep(0.0005)
        return super().run_tactic(state, text, **limits)


def test_two_workers_tell_step_mcts_of_new_nodes_in_the_order_of_their_numbers(monkeypatch):
    # A binary tree of seven levels, no leaf of which can be closed: 127 nodes.
    names = [format(i, "b") for i in range(1, 128)]
    table = {name: {f"t{bit}": [name + bit] for bit in "01"} for name in names if len(name) < 7}
    monkeypatch.setattr(Books, "tried", late(Books.tried))
    for _ in range(3):
        session = Slow(["1"], table)
        result = prove(THEOREM, even(table), session.open, StepMCTS(), judge=accepting, workers=2)
        assert (result.stopped, result.spent.nodes) == ("exhausted", 127)


def late(book):
    """Booking after which every other thread gets its turn, if it can run."""

    def booked(*arguments):
        tried = book(*arguments)
        time.sleep(0.001 * (tried.edge.number % 3))
        return tried

    return booked


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: type(plan).__name__)
@pytest.mark.parametrize("last", [0, 1])
def test_what_was_started_together_may_be_heard_of_in_both_orders(plan, last):
    session = GraphSession(["r"], {"r": {"a": ["x"], "b": ["x"]}, "x": {"c": []}})
    graph = ProofGraph(THEOREM, session.start, split=getattr(plan, "split", True))
    search = plan.start(graph, Random(0))

    def answer(task):
        if isinstance(task, Ask):
            task.node.asked += 1
            tactics = session.table[task.node.state.goals[0].target]
            return Asked(task.node, tuple(new_edge(graph, task.node, tactic) for tactic in tactics))
        return Tried(task.edge, tuple(run(graph, task.edge, session)))

    search.hear(answer(search.next()))
    both = [search.next(), search.next()]
    for task in (both[last], both[1 - last]):
        search.hear(answer(task))
    while (task := search.next()) is not None:
        search.hear(answer(task))
    assert graph.root.proved


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: type(plan).__name__)
@pytest.mark.parametrize("ends", [["fin"], ["fin", "fin2"], []])
def test_the_step_that_refused_proofs_share_is_to_blame(plan, ends):
    table: Table = {"r": {"split": ["x", "y"]}, "x": {"bad": [], "good": []}, "y": {end: [] for end in ends}}
    session = GraphSession(["r"], table)
    result = prove(THEOREM, even(table), session.open, plan, judge=no_bad, clock=session.clock)
    if ends:
        assert result.stopped == "proved"
        assert result.proof is not None
        assert "good" in result.proof
    else:
        assert result.stopped == "exhausted"


def test_a_step_that_is_restored_may_lead_back():
    session = GraphSession(["A"], {"A": {"a": ["B"]}, "B": {"b": ["A"]}})
    graph = ProofGraph(THEOREM, session.start)
    there = new_edge(graph, graph.root, "a")
    (below,) = run(graph, there, session)
    graph.refute(there)
    back = new_edge(graph, below, "b")
    run(graph, back, session)
    graph.restore(there)
    assert [there.status, back.status] == ["cycle", "done"]


def test_suspects():
    session = GraphSession(["r"], {})
    graph = ProofGraph(THEOREM, session.start)
    bad, fin, fin2 = (new_edge(graph, graph.root, name) for name in ("bad", "fin", "fin2"))
    for edge in (bad, fin, fin2):
        graph.succeed(edge, ProofFinished((edge.tactic,)))
    proofs = [[bad, fin]]
    assert most_suspect(proofs, set()) is fin
    assert next_suspect(proofs, {fin.number}) is bad
    fin.status = "refuted"
    assert cleared_by(bad, proofs) == [fin]
    proofs.append([bad, fin2])
    assert most_suspect(proofs, {fin.number}) is bad  # in 2 of 2, fin2 in 1
    assert cleared_by(bad, proofs) == [fin]
    assert cleared_by(bad, [*proofs, [fin, fin2]]) == []
    assert most_suspect(proofs, {bad.number}) is fin2  # bad was cleared once
    assert next_suspect(proofs, {0, 1, 2}) is None


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: type(plan).__name__)
@pytest.mark.parametrize("workers", [1, 2])
def test_what_waits_while_the_judge_looks_is_still_there_when_it_refuses(plan, workers):
    def judge(theorem, proof, seconds):
        time.sleep(0.1)
        return no_bad(theorem, proof, seconds)

    table: Table = {"r": {"bad": [], "good": ["x"]}, "x": {"fin": []}}
    session = Slow(["r"], table)
    result = prove(THEOREM, even(table), session.open, plan, Budget(seconds=20), judge=judge, workers=workers)
    assert (result.stopped, result.proof) == ("proved", "by\n  good\n  fin")


@pytest.mark.parametrize("stage", ["lost", "statement"])
@pytest.mark.parametrize("bad_answers", [1, 2])
def test_a_judge_that_says_nothing_of_the_proof_is_asked_once_more(stage, bad_answers):
    said: list[str] = []

    def judge(theorem, proof, seconds):
        said.append(proof)
        return Verdict(None, stage, "no word") if len(said) <= bad_answers else Verdict(1, "proved")

    session = GraphSession(["r"], {"r": {"a": []}})
    result = prove(THEOREM, even(session.table), session.open, judge=judge, clock=session.clock)
    assert said == ["by\n  a"] * 2
    assert (result.stopped, result.message) == (("proved", "") if bad_answers == 1 else ("lost", "no word"))
    assert result.graph is not None
    assert result.graph.root.proved
    assert result.spent.lean_calls == 3


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: type(plan).__name__)
def test_a_merged_state_of_the_same_text_is_not_parted(plan):
    table: Table = {"r": {"s": ["x", "z"]}, "x": {"c": ["m"]}, "z": {"c": ["m"]}, "m": {"bad": [], "good": []}}
    session = GraphSession(["r"], table)
    judged: list[str] = []

    def judge(theorem, proof, seconds):
        judged.append(proof)
        return no_bad(theorem, proof, seconds)

    result = prove(THEOREM, even(table), session.open, plan, judge=judge, clock=session.clock)
    assert result.stopped == "proved"
    # Split, the two are one goal, which was proved twice by the same step; unsplit, they are steps of one line.
    assert len(judged) == 2 or isinstance(plan, Beam)


def test_a_circle_of_a_refuted_edge_does_no_harm():
    session = GraphSession(["A"], {"A": {"a": ["B"]}, "B": {"b": ["A"]}})
    graph = ProofGraph(THEOREM, session.start)
    there = new_edge(graph, graph.root, "a")
    (below,) = run(graph, there, session)
    graph.refute(there)
    back = new_edge(graph, below, "b")
    run(graph, back, session)
    assert back.status == "done"
    assert [edge.status for edge in from_json(to_json(graph)).edges] == ["refuted", "done"]


class Named:
    """`intro n` names what is assumed; `exact n` and `have m := n` want a name that is there. All have one key."""

    def __init__(self, data: bool) -> None:
        self.data = data
        self.start = TacticState((Goal("p → p", pretty="⊢ p → p", key="1"),))

    def run_tactic(self, state, text, **limits):
        names = [name for h in state.goals[0].hypotheses for name in h.names]
        for line in text.split("\n"):
            word, *rest = line.split()
            if word == "intro" and not names:
                names = rest
            elif word == "have" and not self.data and rest[2] in names:
                names = [*names, rest[0]]
            elif word == "exact" and rest[0] in names:
                return ProofFinished((*state.path, text))
            else:
                return TacticError(f"unknown {line}")
        # In the one case the names can be changed, in the other the goals are too different for it.
        hypotheses = tuple(Hypothesis((name,), f"p {name}" if self.data else "p") for name in names)
        pretty = " ".join(names)
        return TacticState((Goal("p", hypotheses, pretty=pretty, key="2"),), (*state.path, text))


class Twice:
    """One script and then another, from the root; nothing elsewhere."""

    def __init__(self) -> None:
        self.scripts = ["intro a\nfoo", "intro b\nexact b"]

    def complete(self, prompts):
        (prompt,) = prompts
        return [] if prompt.state.path or not self.scripts else [Completion(self.scripts.pop(0))]


@pytest.mark.parametrize("plan", [Sample(whole=False, patience=5), RMaxTS(patience=5)], ids=["sample", "rmaxts"])
def test_a_script_goes_on_in_its_own_names_behind_a_state_that_has_others(plan):
    result = prove(THEOREM, Twice(), lambda _: nullcontext(Named(False)), plan, judge=accepting)
    assert result.graph is not None
    assert [edge.tactic for edge in result.graph.edges if edge.proved][-1] == "have b := a\nexact b"
    # The first way there is the one that the proof takes.
    assert result.proof == "by\n  intro a\n  have b := a\n  exact b"


def test_where_names_cannot_be_given_the_rest_of_a_script_runs_in_one_piece():
    plan = Sample(whole=False, patience=5)
    result = prove(THEOREM, Twice(), lambda _: nullcontext(Named(True)), plan, judge=accepting)
    assert result.graph is not None
    assert [edge.tactic for edge in result.graph.edges if edge.proved] == ["intro b\nexact b"]
    assert result.proof == "by\n  intro b\n  exact b"


class Stopped(GraphSession):
    """Ctrl-C, pressed while a tactic runs."""

    def run_tactic(self, state, text, **limits):
        self.now += 3.0  # longer than the first slice
        raise KeyboardInterrupt


def test_one_ctrl_c_ends_both_sides():
    opened: list[str] = []
    session = Stopped(["r"], {})

    def open_session(theorem):
        opened.append(theorem.name)
        return nullcontext(session)

    negation = Theorem("neg", "theorem neg : True")
    policy = even({"r": {"a": []}})
    result = prove_or_disprove(THEOREM, negation, policy, open_session, judge=accepting, clock=session.clock)
    assert (result.stopped, opened) == ("interrupted", ["t"])


def test_ctrl_c_while_lean_starts():
    def open_session(theorem):
        raise KeyboardInterrupt

    assert prove(THEOREM, TablePolicy({}), open_session, judge=accepting).stopped == "interrupted"


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: type(plan).__name__)
@pytest.mark.parametrize("opens", [False, True])
def test_workers_go_on_without_those_that_are_lost(plan, opens):
    table: Table = {"r": {"a": ["x"], "a2": ["x2"]}, "x": {"b": ["y"]}, "y": {"c": []}}
    sessions: list[GraphSession] = []

    class Lost(Slow):
        def run_tactic(self, state, text, **limits):
            raise WorkerLost("no memory")

    def open_session(theorem):
        if sessions and not opens:
            raise WorkerLost("no memory")
        sessions.append((Lost if sessions else Slow)(["r"], table))
        return nullcontext(sessions[-1])

    result = prove(THEOREM, even(table), open_session, plan, Budget(seconds=20), judge=accepting, workers=2)
    # A tactic that was lost is not tried again; where it was one of the way, there is no other.
    assert result.graph is not None
    lost = [edge.tactic for edge in result.graph.edges if edge.error is not None and edge.error.kind == "lost"]
    assert result.stopped == ("exhausted" if {"a", "b", "c"} & set(lost) else "proved")
    assert len(lost) <= opens


def test_lost_when_no_worker_is_left():
    class Lost(GraphSession):
        def run_tactic(self, state, text, **limits):
            raise WorkerLost("no memory")

    for workers in (1, 2):
        session = Lost(["r"], {})
        policy = even({"r": {"a": [], "b": []}})
        result = prove(THEOREM, policy, session.open, judge=accepting, workers=workers)
        assert (result.stopped, result.message) == ("lost", "no memory")


class Answers:
    """A policy that answers what a function makes."""

    def __init__(self, make) -> None:
        self.make = make

    def propose(self, state, theorem):
        return self.make()

    complete = propose


def half():
    yield Proposal("a", -1.0)
    raise RuntimeError("half way")


@pytest.mark.parametrize(
    ("make", "stopped", "message"),
    [
        (half, "policy", "the policy failed: RuntimeError: half way"),
        (lambda: None, "exhausted", ""),
        (lambda: [Proposal("a", None)], "policy", "the policy failed: TypeError"),  # type: ignore[arg-type]
        (lambda: [None], "policy", "the policy failed: AttributeError"),
        (lambda: [Proposal("a", float("nan"))], "proved", ""),
        (lambda: [Proposal("  a", -1.0)], "proved", ""),
        (lambda: [Proposal("\n    a\n", -1.0)], "proved", ""),
    ],
)
def test_what_a_policy_may_answer(make, stopped, message):
    session = GraphSession(["r"], {"r": {"a": [], "  a": [], "a\n": []}})
    result = prove(THEOREM, Answers(make), session.open, judge=accepting, clock=session.clock)
    assert result.stopped == stopped
    assert result.message.startswith(message)
    assert bool(result.message) == bool(message)


@pytest.mark.parametrize(
    ("answer", "stopped"),
    [
        (None, "exhausted"),
        ([Completion(None)], "policy"),  # type: ignore[arg-type]
        (3, "policy"),
    ],
)
def test_what_a_policy_of_whole_proofs_may_answer(answer, stopped):
    class Whole:
        def complete(self, prompts):
            return answer

    session = GraphSession(["r"], {})
    plan = Sample(patience=3)
    assert prove(THEOREM, Whole(), session.open, plan, judge=accepting, clock=session.clock).stopped == stopped


@pytest.mark.parametrize("calls", [0, 1])
@pytest.mark.parametrize("plan", [BestFirst, StepMCTS, Beam])
def test_a_critic_that_raises_ends_the_search(plan, calls):
    class Critic:
        left = calls

        def score(self, states):
            if not self.left:
                raise RuntimeError("no weights")
            self.left -= 1
            return [-1.0] * len(states)

    table: Table = {"r": {"a": ["x"]}, "x": {"b": ["y"]}, "y": {}}
    session = GraphSession(["r"], table)
    result = prove(THEOREM, even(table), session.open, plan(critic=Critic()), judge=accepting, clock=session.clock)
    assert (result.stopped, result.message) == ("policy", "the critic failed: RuntimeError: no weights")
